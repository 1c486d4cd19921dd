"""Visma where nobody knows how it behaves: filters that find nothing, dates of finalized drafts, signs of credits."""

from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from _visma import BOOKS, CUSTOMER_ID, TERMS, answer, connected, consented, customer, play
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge.sandbox.faults import Fault
from accounting_bridge.sandbox.visma import Assumptions, Company
from accounting_bridge.vendors.visma import customers

SILENT = Assumptions(
    refused_filters=frozenset({
        "customers.CustomerNumber", "customerinvoicedrafts.OurReference", "customerinvoicedrafts.CreatedUtc",
        "customerinvoices.OurReference", "customerinvoices.CreatedUtc", "customerinvoices.CreatedFromDraftId",
        "customerledgeritems.InvoiceNumber", "customerledgeritems.CustomerId", "salesdocumentattachments.DocumentId",
    }),
    refused_filters_are_empty=True,
)  # fmt: skip
"""A filter on anything that a look could filter by finds nothing, without a word."""
WHO = ab.Customer(number="Q-1", name="Quellmoos Voorbeeld BV", address=ab.Address(city="Utrecht", country_code="NL"))
LINES = [ab.LineItem(description="Advies", unit_price=Decimal(100), tax_rate=Decimal(21))]
DRAFT = ab.InvoiceDraft(reference="2026-03/17", customer=WHO, lines=LINES, issue_date=date(2026, 3, 31))
ISSUED = ab.IssuedInvoice(
    number="20260815", customer=WHO, lines=LINES, issue_date=date(2026, 3, 31),
    sent_at=datetime(2026, 3, 31, 12, tzinfo=UTC), pdf=b"%PDF-1.4 uren",
)  # fmt: skip


@contextmanager
def books(assumptions=SILENT, settings=None, **options):
    """A sandbox, and a function that connects as yet another process, which knows nothing of the ones before."""
    options = {"customers": 5, "rate_limit": False, **options}
    with connected(assumptions=assumptions, **options) as (server, first):
        article = {one.number: one.id for one in first.import_articles()}["1"]
        articles = {"articles": {"service/21": article}}

        @contextmanager
        def process(tenant):
            given = {**server.settings, **articles, **(settings or {})}
            tokens = ab.MemoryTokens()
            with ab.connect("visma", given, base_url=server.url, tokens=tokens, tenant=tenant) as provider:
                provider.exchange(*consented(server.sandbox, provider.authorization_url()))
                yield provider

        yield server.sandbox, process


def marked(box):
    return [one for one in box.invoices if one.reference == DRAFT.reference]


# ---- filters that find nothing -----------------------------------------------------------------------------


def test_no_draft_is_made_twice_by_a_process_that_forgot_it():
    with books() as (box, process):
        made = set()
        for name in ("first", "second"):
            with process(name) as provider:
                made.add(provider.create_invoice(DRAFT).id)
        assert (len(made), len(marked(box))) == (1, 1)


def test_no_invoice_is_made_twice_after_a_person_made_the_draft_final():
    with books() as (box, process):
        with process("first") as provider:
            draft_id = provider.create_invoice(DRAFT).id
        final_id = box.convert_in_web_app(draft_id.partition("~")[0])
        with process("second") as provider:
            assert provider.create_invoice(DRAFT).id == final_id
            assert provider.get_invoice(draft_id).id == final_id
            assert provider.finalize_invoice(draft_id).id == final_id
        assert len(marked(box)) == 1


def test_no_sale_is_booked_twice_nor_its_pdf_kept_twice():
    with books() as (box, process):
        booked = set()
        for name in ("first", "second"):
            with process(name) as provider:
                booked.add(provider.book_sale(ISSUED).id)
        (entry,) = box.sales_entries
        assert (booked, entry.files) == ({entry.id}, ("20260815.pdf",))


def test_no_customer_is_made_twice():
    with books() as (box, process):
        for name in ("first", "second"):
            with process(name) as provider:
                assert provider.ensure_customer(WHO).created is (name == "first")
        assert [one.number for one in box.customers].count("Q-1") == 1


@pytest.mark.parametrize("operation", ["create_invoice", "book_sale", "ensure_customer"])
def test_what_was_made_although_the_answer_was_lost_is_found(operation):
    made = {
        "create_invoice": ("customerinvoicedrafts", DRAFT),
        "book_sale": ("customerledgeritems/customerledgeritemswithvoucher", ISSUED),
        "ensure_customer": ("customers", WHO),
    }
    path, given = made[operation]
    with books() as (box, process), process("first") as provider:
        box.faults.add(Fault("drop", when="after", match=f"POST /v2/{path}$"))
        getattr(provider, operation)(given)
        assert len(marked(box)) == (operation == "create_invoice")
        assert len(box.sales_entries) == (operation == "book_sale")
        assert [one.number for one in box.customers].count("Q-1") == 1


@pytest.mark.parametrize("assumptions", [Assumptions(), SILENT])
def test_what_a_filter_is_worth_is_found_out_once_a_connection(assumptions):
    with books(assumptions) as (box, process), process("first") as provider:
        asked = []
        for number in ("N-1", "N-2", "N-3"):
            before = len(box.log)
            assert provider.find_customer(number) is None
            asked.append(len(box.log) - before)
        # The filter, a sample and its proof; then the filter. Where it proves nothing, all customers besides.
        assert asked == ([3, 1, 1] if assumptions == Assumptions() else [4, 2, 2])


# ---- the customer of a plan --------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["id", "number"])
def test_a_plan_reads_its_customer_once_and_as_it_is_now(by):
    with books(Assumptions()) as (box, process), process("first") as provider:
        made = provider.ensure_customer(WHO).customer
        ref = ab.CustomerRef(id=made.id) if by == "id" else ab.CustomerRef(number=made.number)
        draft = evolve(DRAFT, customer=ref)
        provider.plan_invoice(draft)  # reads articles and the like
        before = len(box.log)
        assert provider.plan_invoice(draft).totals.gross == 121
        assert len(box.log) - before == 1
        box.edit_customer(made.id, InvoiceCountryCode="CH")
        with pytest.raises(ab.InvalidRequest, match="outside the EU"):
            provider.plan_invoice(draft)


def test_of_another_customer_nothing_is_taken_that_was_read_before():
    other = "aaaaaaaa-0000-4000-8000-000000000002"

    async def both():
        await BOOKS.get_customer(CUSTOMER_ID)
        await customers.as_read(CUSTOMER_ID)
        return await customers.as_read(other)

    played = play(both(), [answer(customer()), TERMS, answer(customer(Id=other))])
    assert [one.path[-1] for one in played.requests if "customers" in one.path] == ["1", "2"]


# ---- the date of what is made final ------------------------------------------------------------------------


@pytest.mark.parametrize("company_keeps", [True, False])
@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("needs_override", [True, False])
def test_the_setting_decides_the_date_whatever_the_company_does(keeps, company_keeps, needs_override):
    company = Company(keep_original_draft_date=company_keeps)
    assumptions = Assumptions(keep_needs_override=needs_override)
    with books(assumptions, {"keep_draft_date": keeps}, company=company) as (box, process):
        days = {box._books.today()}  # the company's, not that of Greenwich
        with process("first") as provider:
            invoice = provider.create_invoice(DRAFT, finalize=True)
        days.add(box._books.today())
    assert invoice.issue_date in ({DRAFT.issue_date} if keeps else days)


# ---- credits in the ledger ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", ["negative", "positive"])
def test_a_credit_is_booked_with_either_sign_and_reads_the_same(sign):
    credit = evolve(ISSUED, lines=[evolve(LINES[0], unit_price=Decimal(-100))])
    assumptions = Assumptions(credit_ledger_sign=sign)
    with books(assumptions, {"credits_negative": sign == "negative"}) as (box, process):
        for name in ("first", "second"):
            with process(name) as provider:
                totals = provider.book_sale(credit).totals
                assert (totals.net, totals.tax, totals.gross) == (-100, -21, -121)
        (entry,) = box.sales_entries
        assert (entry.kind, entry.gross, entry.tax) == ("credit", -121, -21)


def test_the_wrong_sign_of_a_credit_is_refused_and_nothing_is_booked():
    credit = evolve(ISSUED, lines=[evolve(LINES[0], unit_price=Decimal(-100))])
    with books(Assumptions(credit_ledger_sign="positive")) as (box, process), process("first") as provider:
        with pytest.raises(ab.InvalidRequest):
            provider.book_sale(credit)
        assert not box.sales_entries
