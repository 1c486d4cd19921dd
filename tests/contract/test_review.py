"""What a review found: each of these doubled, lost or finalised something once."""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

import accounting_bridge as ab
from accounting_bridge.sandbox import Fault, serve
from accounting_bridge.testing import SandboxRig

POLICY = ab.Policy(deadline=10.0, timeout=2.0, settle_time=0.2)


@pytest.fixture
def billomat() -> Iterator[Any]:
    with serve("billomat", rate_limit=False) as server:
        yield SandboxRig(
            vendor="billomat", settings=server.settings, wrong_settings=None, base_url=server.url, server=server,
            creates={}, delete=server.sandbox.web.delete, marker=lambda invoice: invoice.label,
        )  # fmt: skip


@pytest.fixture
def lexoffice() -> Iterator[Any]:
    with serve("lexoffice", rate_limit=False) as server:
        yield SandboxRig(
            vendor="lexoffice", settings=server.settings, wrong_settings=None, base_url=server.url, server=server,
            creates={}, delete=server.sandbox.delete_draft, marker=lambda invoice: invoice.remark,
        )  # fmt: skip


def cheaper(body: Any) -> Any:
    body["invoice"]["total_gross"] = "700.00"
    return body


def test_a_draft_with_other_totals_is_not_made_final_by_repeating_the_call(billomat: Any) -> None:
    """The first call says TotalsDiffer, and so does every further one that asks for a final invoice."""
    billomat.box.mutate("GET /api/invoices/", cheaper)
    with billomat.connect(policy=POLICY) as provider:
        for _ in range(3):
            with pytest.raises(ab.TotalsDiffer):
                provider.create_invoice(billomat.draft(), finalize=True)
    assert [invoice.status for invoice in billomat.box.invoices] == ["DRAFT"]


def test_a_draft_whose_reading_failed_is_compared_before_it_is_made_final(billomat: Any) -> None:
    """The create went through, the read after it did not: the repeated call still compares."""
    with billomat.connect(policy=POLICY) as provider:
        provider.ensure_customer(billomat.customer())
        billomat.box.faults.add(Fault("drop", match="GET /api/invoices/", times=3))
        with pytest.raises(ab.Unavailable):
            provider.create_invoice(billomat.draft(), finalize=True)
        billomat.box.faults.clear()
        billomat.box.mutate("GET /api/invoices/", cheaper)
        with pytest.raises(ab.TotalsDiffer):
            provider.create_invoice(billomat.draft(), finalize=True)
    assert [invoice.status for invoice in billomat.box.invoices] == ["DRAFT"]


def test_a_mail_to_somebody_else_proves_nothing(billomat: Any) -> None:
    """Mailed to one; the mail to the other is lost before it was carried out, and nobody claims that it went out."""
    with billomat.connect(policy=POLICY) as provider:
        final = provider.create_invoice(billomat.draft(), finalize=True)
        assert provider.send_invoice(final.id, to="a@musterwerk.example")
        billomat.box.faults.add(Fault("drop", when="before", match="POST /api/invoices/.*/email"))
        with pytest.raises(ab.OutcomeUnknown):
            provider.send_invoice(final.id, to="b@musterwerk.example")
    assert len(billomat.box.outbox) == 1


def test_another_customers_sale_of_the_same_number_is_not_taken_for_ours(lexoffice: Any) -> None:
    """Numbers are not unique there: nothing is adopted, nothing attached."""
    first = lexoffice.issued(pdf=None)
    with lexoffice.connect(policy=POLICY) as provider:
        provider.book_sale(first)
    other = attrs.evolve(lexoffice.issued(), customer=lexoffice.customer("4712"))
    with lexoffice.connect(policy=POLICY, tenant="another") as provider, pytest.raises(ab.Conflict) as caught:
        provider.book_sale(other)
    assert "another customer" in str(caught.value)
    assert [entry.files for entry in lexoffice.box.sales_entries] == [()]


def test_what_is_found_with_another_total_says_so(lexoffice: Any) -> None:
    """A connection without memory gets the document that stands there, and is told of its other total."""
    with lexoffice.connect(policy=POLICY) as provider:
        provider.create_invoice(lexoffice.draft())
    half = lexoffice.draft(lines=lexoffice.draft().lines[:2])
    with lexoffice.connect(policy=POLICY, tenant="another") as provider:
        found = provider.create_invoice(half)
    assert not found.created
    assert "found in the books with gross 832.12; this draft sums up to 819.61" in found.notes


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
def test_an_argument_of_the_wrong_kind_is_named_before_anything_is_sent(lexoffice: Any, call: Any) -> None:
    """Never an AttributeError from somewhere inside."""
    with lexoffice.connect(policy=POLICY) as provider, pytest.raises(ab.InvalidRequest) as caught:
        call(provider)
    assert caught.value.problems
    assert lexoffice.box.log == ()


def test_a_closed_connection_says_that_it_is_closed(lexoffice: Any) -> None:
    """Instead of opening another one that nobody closes."""
    provider = lexoffice.connect(policy=POLICY)
    provider.close()
    with pytest.raises(RuntimeError, match="closed"):
        provider.check()


def test_a_shared_journal_needs_a_named_tenant(lexoffice: Any) -> None:
    """Under one tenant, two users' books would be told that each other's references were used before."""
    with pytest.raises(ab.InvalidRequest, match="tenant"):
        ab.connect("lexoffice", lexoffice.settings, base_url=lexoffice.base_url, journal=ab.MemoryJournal())
