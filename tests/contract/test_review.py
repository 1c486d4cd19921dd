"""What a review found: each of these doubled, lost or finalised something once."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest
from sandboxed import CASES, VENDORS, Vendor, customer, every_vendor, serving

import accounting_bridge as ab
from accounting_bridge.registry import vendor_names
from accounting_bridge.sandbox import Call, Fault
from accounting_bridge.testing.contract import finish

POLICY = ab.Policy(deadline=60.0, timeout=30.0, settle_time=0.2)


@pytest.fixture
def vendor(request: pytest.FixtureRequest) -> Iterator[Vendor]:
    """The sandbox of the parametrisation."""
    with serving(request.param) as found:
        yield found


# Where drafts are made final afterwards.
who_finalizes = pytest.mark.parametrize(
    "vendor",
    [name for name in VENDORS if not CASES[name].final_at_creation],
    indirect=True,
)
lexoffice = pytest.mark.parametrize("vendor", ["lexoffice"], indirect=True)


@who_finalizes
def test_a_draft_with_other_totals_is_not_made_final_by_repeating_the_call(vendor: Vendor) -> None:
    """The first call says TotalsDiffer, and so does every further one that asks for a final invoice."""
    vendor.box.mutate(vendor.paths.invoices, lambda body: vendor.with_gross(body, "700.00"))
    with vendor.connect(POLICY) as provider:
        for _ in range(3):
            with pytest.raises(ab.TotalsDiffer):
                provider.create_invoice(vendor.draft(), finalize=True)
    assert [vendor.is_draft(invoice) for invoice in vendor.box.invoices] == [True]


@who_finalizes
def test_a_draft_whose_reading_failed_is_compared_before_it_is_made_final(vendor: Vendor) -> None:
    """The create went through, the read after it did not: the repeated call still compares."""
    with vendor.connect(POLICY) as provider:
        provider.ensure_customer(customer())
        vendor.box.faults.add(Fault("drop", match=vendor.paths.invoices, times=3))
        with pytest.raises(ab.Unavailable):
            provider.create_invoice(vendor.draft(), finalize=True)
        vendor.box.faults.clear()
        vendor.box.mutate(vendor.paths.invoices, lambda body: vendor.with_gross(body, "700.00"))
        with pytest.raises(ab.TotalsDiffer):
            provider.create_invoice(vendor.draft(), finalize=True)
    assert [vendor.is_draft(invoice) for invoice in vendor.box.invoices] == [True]


@pytest.mark.parametrize("vendor", ["billomat"], indirect=True)
def test_a_mail_to_somebody_else_proves_nothing(vendor: Vendor) -> None:
    """Mailed to one; the mail to the other is lost before it was carried out, and nobody claims that it went out."""
    with vendor.connect(POLICY) as provider:
        final = provider.create_invoice(vendor.draft(), finalize=True)
        assert provider.send_invoice(final.id, to="a@musterwerk.example")
        vendor.box.faults.add(Fault("drop", when="before", match="POST /api/invoices/.*/email"))
        with pytest.raises(ab.OutcomeUnknown):
            provider.send_invoice(final.id, to="b@musterwerk.example")
    assert len(vendor.box.outbox) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("vendor", ["informer"], indirect=True)
def test_a_mail_whose_answer_is_lost_is_not_sent_twice(vendor: Vendor, when: Any) -> None:
    """Informer keeps no trace of a mail, but a concept that was mailed is final: that is what is looked for."""
    to = customer().email
    with vendor.connect(POLICY) as provider:
        concept = provider.create_invoice(vendor.draft())
        vendor.box.faults.add(Fault("drop", when=when, match="POST /v2/invoices/sales/send/"))
        sent = [finish(provider, lambda concept_id: provider.send_invoice(concept_id, to=to), concept.id)]
        sent.append(provider.send_invoice(concept.id, to=to))
        assert sent == [True, False]
    assert [mail.address for mail in vendor.box.outbox] == [to]


@lexoffice
def test_another_customers_sale_of_the_same_number_is_not_taken_for_ours(vendor: Vendor) -> None:
    """Numbers are not unique there: nothing is adopted, nothing attached."""
    with vendor.connect(POLICY) as provider:
        provider.book_sale(vendor.issued(pdf=None))
    other = vendor.issued(customer=customer("4712"))
    with vendor.connect(POLICY, tenant="another") as provider, pytest.raises(ab.Conflict) as caught:
        provider.book_sale(other)
    assert "another customer" in str(caught.value)
    assert [entry.files for entry in vendor.box.sales_entries] == [()]


@pytest.mark.parametrize("vendor", ["informer"], indirect=True)
def test_a_filter_that_a_vendor_ignores_brings_nobody_elses_documents(vendor: Vendor) -> None:
    """A list limited to one customer that holds everybody's: what is another's is not adopted."""
    plain = type(vendor.box).answer

    def generous(call: Call) -> Any:
        query = tuple(pair for pair in call.query if pair[0] != "relation_id")
        return plain(vendor.box, attrs.evolve(call, query=query))

    with vendor.connect(POLICY) as provider:
        invoice, entry = provider.create_invoice(vendor.draft()), provider.book_sale(vendor.issued())
    vendor.box.answer = generous
    with vendor.connect(POLICY, tenant="another") as provider:
        theirs = provider.create_invoice(vendor.draft(customer=customer("4712")))
        booked = provider.book_sale(vendor.issued(customer=customer("4712")))
    with vendor.connect(POLICY, tenant="a third") as provider:
        assert provider.create_invoice(vendor.draft()).id == invoice.id
        assert provider.book_sale(vendor.issued()).id == entry.id
    assert (theirs.created, theirs.id != invoice.id) == (True, True)
    assert (booked.created, booked.id != entry.id) == (True, True)
    assert entry.customer_id == invoice.customer_id != booked.customer_id == theirs.customer_id


@every_vendor
def test_what_is_found_with_another_total_says_so(vendor: Vendor) -> None:
    """A connection without memory gets the document that stands there, and is told of its other total."""
    with vendor.connect(POLICY) as provider:
        provider.create_invoice(vendor.draft())
    half = vendor.draft(lines=[vendor.line(quantity=Decimal(1), unit_price=Decimal(100))])
    with vendor.connect(POLICY, tenant="another") as provider:
        found = provider.create_invoice(half)
    assert not found.created
    ours = Decimal(100) + vendor.rate
    assert f"found in the books with gross {vendor.gross()}; this draft sums up to {ours}.00" in found.notes


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p.create_invoice(None),
        lambda p: p.plan_invoice("draft"),
        lambda p: p.find_customer(99999),
        lambda p: p.ensure_customer("x"),
        lambda p: p.update_customer(5),
        lambda p: p.get_invoice(5),
        lambda p: list(p.create_invoices([None])),
        lambda p: p.import_customers(changed_since="2026-01-01"),
        lambda p: p.import_customers(changed_since=__import__("datetime").datetime(2026, 1, 1)),
    ],
)
@every_vendor
def test_an_argument_of_the_wrong_kind_is_named_before_anything_is_sent(vendor: Vendor, call: Any) -> None:
    """Never an AttributeError from somewhere inside."""
    with vendor.connect(POLICY) as provider, pytest.raises(ab.InvalidRequest) as caught:
        call(provider)
    assert caught.value.problems
    assert vendor.box.log == ()


@lexoffice
def test_a_closed_connection_says_that_it_is_closed(vendor: Vendor) -> None:
    """Instead of opening another one that nobody closes."""
    provider = vendor.connect(POLICY)
    provider.close()
    with pytest.raises(RuntimeError, match="closed"):
        provider.check()


@lexoffice
def test_a_shared_journal_needs_a_named_tenant(vendor: Vendor) -> None:
    """Under one tenant, two users' books would be told that each other's references were used before."""
    with pytest.raises(ab.InvalidRequest, match="tenant"):
        ab.connect("lexoffice", vendor.server.settings, base_url=vendor.server.url, journal=ab.MemoryJournal())


WITHOUT_A_ROW = {"memory"}
"""The vendor in memory has no wire format: the contract suite is its own."""


def test_every_vendor_is_in_these_suites() -> None:
    """Whoever registers a vendor adds its row to ``sandboxed.CASES``."""
    assert sorted({*VENDORS, *WITHOUT_A_ROW}) == sorted(vendor_names())
    assert WITHOUT_A_ROW.isdisjoint(VENDORS)
