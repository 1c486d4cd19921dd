"""What ``reconcile`` reads of Visma: all drafts, and what became final or was booked since, none left out."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from _visma import connected, consented
from _visma_documents import (
    CUSTOMER_ID,
    DRAFT_ID,
    INVOICE_ID,
    ITEM_ID,
    answer,
    described,
    draft_record,
    gone,
    guid,
    invoice_record,
    item_record,
    misfits,
    page,
    params,
    play,
    refused,
    settings,
)

import accounting_bridge as ab
from accounting_bridge.errors import InvalidRequest
from accounting_bridge.sandbox import VirtualClock
from accounting_bridge.sandbox.visma import Assumptions
from accounting_bridge.vendors.visma import Visma, calls

SINCE = datetime(2026, 3, 30, tzinfo=UTC)
UNTIL = datetime(2026, 4, 2, tzinfo=UTC)
DRAFTS, INVOICES, LEDGER = "/v2/customerinvoicedrafts", "/v2/customerinvoices", "/v2/customerledgeritems"
BOOKS = Visma(settings=settings())
MADE = {"CreatedUtc": "2026-03-31T09:00:00.1234567Z"}
CHANGED = {"ModifiedUtc": "2026-03-31T09:30:00.1234567Z"}


def drafts(*records, since=SINCE, until=UNTIL):
    return play(BOOKS.list_invoices(since, until, None), {DRAFTS: page(*records)}).result


def finals(*records, since=SINCE, until=UNTIL):
    cursor = drafts().cursor
    return play(BOOKS.list_invoices(since, until, cursor), {INVOICES: page(*records)}).result


def sales(*records):
    return play(BOOKS.list_sales(SINCE, UNTIL, None), {LEDGER: page(*records)}).result


def ids(found):
    return [one.id for one in found.items]


# ---- invoices ----------------------------------------------------------------------------------------------


def test_a_draft_is_listed_as_it_is_read():
    (one,) = drafts(draft_record(**MADE)).items
    read = play(BOOKS.get_invoice(one.id), {f"{DRAFTS}/{DRAFT_ID}": answer(draft_record())}).result
    assert one.id == f"{DRAFT_ID}~{CUSTOMER_ID}~2026-03/17"
    assert (one.id, one.reference, one.customer_id) == (read.id, read.reference, read.customer_id)
    assert (one.gross, one.currency) == (read.totals.gross, read.currency)


@pytest.mark.parametrize("reference", [None, "", "van Jan", "x" * 61])
def test_a_draft_that_no_app_made_has_an_id_that_can_be_read(reference):
    record = draft_record(OurReference=reference, **MADE)
    (one,) = drafts(record).items
    read = play(BOOKS.get_invoice(one.id), {f"{INVOICES}/{DRAFT_ID}": gone(), f"{DRAFTS}/{DRAFT_ID}": answer(record)})
    assert (one.id, one.reference) == (read.result.id, read.result.reference) == (DRAFT_ID, reference or None)


def test_an_invoice_is_listed_as_it_is_read():
    (one,) = finals(invoice_record(**MADE)).items
    read = play(BOOKS.get_invoice(one.id), {f"{INVOICES}/{INVOICE_ID}": answer(invoice_record())}).result
    assert (one.id, one.reference, one.customer_id) == (read.id, read.reference, read.customer_id)
    assert (one.gross, one.currency, one.void) == (read.totals.gross, read.currency, False)


def test_drafts_come_first_and_invoices_by_the_parameter_that_is_documented():
    first = play(BOOKS.list_invoices(SINCE, UNTIL, None), {DRAFTS: page()})
    second = play(BOOKS.list_invoices(SINCE, UNTIL, first.result.cursor), {INVOICES: page()})
    assert second.result.cursor is None
    assert params(second.requests, "modifiedSinceUtc") == ["2026-03-30T00:00:00Z"]
    odata = ("$page", "$pagesize")  # documented, but not by operation
    for request in (*first.requests, *second.requests):
        assert [one for one in misfits(described(), request) if not any(name in one for name in odata)] == []


def test_credit_notes_and_ledger_items_are_no_invoices():
    credit = invoice_record(Id=guid(51), IsCreditInvoice=True, **MADE)
    quick = invoice_record(Id=guid(52), IsQuickInvoice=True, **MADE)
    assert ids(finals(credit, quick, invoice_record(**MADE))) == [INVOICE_ID]
    assert ids(drafts(draft_record(IsCreditInvoice=True, **MADE))) == []


def test_what_its_credit_notes_make_up_for_is_void():
    def credit(number, amount):
        total = {"TotalAmountInvoiceCurrency": Decimal(amount)}
        return invoice_record(Id=guid(number), IsCreditInvoice=True, **total, **MADE)

    def judged(*credits_):
        by = [{"CreditInvoiceId": one["Id"].upper()} for one in credits_]
        return [one.void for one in finals(*credits_, invoice_record(CreditedBy=by, **MADE)).items]

    assert judged(credit(51, "-121")) == [True]
    assert judged(credit(51, "-100"), credit(52, "-21.00")) == [True]
    assert judged(credit(51, "-21")) == [False]
    by = [{"CreditInvoiceId": guid(53)}]  # by one that is not there
    assert [one.void for one in finals(invoice_record(CreditedBy=by, **MADE)).items] == [False]


def test_what_was_made_elsewhen_is_left_out():
    before, after = {"CreatedUtc": "2026-03-29T10:00:00Z"}, {"CreatedUtc": "2026-04-05T10:00:00Z"}
    assert ids(drafts(draft_record(**before), draft_record(Id=guid(51), **after))) == []
    assert ids(finals(invoice_record(**before))) == []


def test_an_invoice_may_be_made_after_the_period_of_a_draft_that_was_made_in_it():
    assert ids(finals(invoice_record(CreatedUtc="2026-04-20T10:00:00Z"))) == [INVOICE_ID]


@pytest.mark.parametrize("stamp", [None, "", "soon", 7])
def test_what_does_not_say_when_it_was_made_is_listed(stamp):
    assert len(ids(drafts(draft_record(CreatedUtc=stamp)))) == 1
    assert ids(finals(invoice_record(CreatedUtc=stamp))) == [INVOICE_ID]


def test_a_record_that_cannot_be_read_is_named():
    odd = {"TotalAmount": "?", "TotalAmountInvoiceCurrency": None}
    found = drafts(draft_record(**odd), "rubbish")
    assert [(one.what, one.record) for one in found.skipped] == [("invoice draft", DRAFT_ID), ("invoice draft", None)]
    found = finals(invoice_record(**odd), invoice_record(Id="?", **MADE), invoice_record(Id=guid(51), **MADE))
    assert ids(found) == [guid(51)]
    assert [one.record for one in found.skipped] == [INVOICE_ID, "?"]


@pytest.mark.parametrize("operation", [BOOKS.list_invoices, BOOKS.list_sales])
def test_an_odd_cursor_is_refused(operation):
    with pytest.raises(InvalidRequest):
        play(operation(SINCE, UNTIL, "2"))


@pytest.mark.parametrize("year", [1, 9999])
def test_any_span_of_time_can_be_asked_for(year):
    extreme = datetime(year, 1, 1, tzinfo=UTC)
    drafts(draft_record(**MADE), since=extreme, until=extreme)
    finals(invoice_record(**MADE), since=extreme, until=extreme)


# ---- sales -------------------------------------------------------------------------------------------------


def test_a_ledger_item_is_listed_without_the_number_it_was_issued_under():
    (one,) = sales(item_record(CurrencyCode="EUR", **CHANGED)).items
    assert (one.id, one.reference, one.tells_reference) == (ITEM_ID, None, False)
    assert (one.gross, one.currency, one.customer_id, one.void) == (Decimal("121.00"), "EUR", CUSTOMER_ID, False)


@pytest.mark.parametrize("amount", [121, -121])
def test_a_credit_is_negative_whichever_sign_the_books_give_it(amount):
    record = item_record(TotalAmountInvoiceCurrency=amount, IsCreditInvoice=True, **CHANGED)
    assert sales(record).items[0].gross == Decimal(-121)


def test_a_refused_filter_means_that_everything_is_read():
    old = item_record(Id=guid(51), ModifiedUtc="2026-01-01T00:00:00Z")
    answers = {LEDGER: [refused(), page(item_record(**CHANGED), old)]}
    played = play(BOOKS.list_sales(SINCE, UNTIL, None), answers)
    assert ids(played.result) == [ITEM_ID]
    assert params(played.requests, "$filter") == ["ModifiedUtc ge 2026-03-30T00:00:00Z", None]


def test_a_filter_that_finds_nothing_has_to_prove_itself():
    """By a record of the list, found again by its own stamp, to the last digit."""
    old = item_record(ModifiedUtc="2026-01-02T03:04:05.1234567")
    works = play(BOOKS.list_sales(SINCE, UNTIL, None), {LEDGER: [page(), page(old), page(old)]})
    assert ids(works.result) == []
    assert params(works.requests, "$filter")[2] == "ModifiedUtc eq 2026-01-02T03:04:05.1234567Z"
    blind = {LEDGER: [page(), page(old), page(), page(old, item_record(Id=guid(51), **CHANGED))]}
    assert ids(play(BOOKS.list_sales(SINCE, UNTIL, None), blind).result) == [guid(51)]
    odd = {LEDGER: [page(), page(item_record(ModifiedUtc="x' or 1")), page(item_record(**CHANGED))]}
    assert ids(play(BOOKS.list_sales(SINCE, UNTIL, None), odd).result) == [ITEM_ID]


def test_a_ledger_item_that_cannot_be_read_is_named():
    found = sales(item_record(TotalAmountInvoiceCurrency=None), "rubbish", item_record(Id=guid(51), **CHANGED))
    assert ids(found) == [guid(51)]
    assert [(one.what, one.record) for one in found.skipped] == [("ledger item", ITEM_ID), ("ledger item", None)]


# ---- against the sandbox -----------------------------------------------------------------------------------

HOUR = timedelta(hours=1)
WHO = ab.Customer(number="Q-1", name="Quellmoos Voorbeeld BV", address=ab.Address(city="Utrecht", country_code="NL"))
LINES = [ab.LineItem(description="Advies", unit_price=Decimal(100), tax_rate=Decimal(21))]
SILENT = frozenset({"customerledgeritems.ModifiedUtc"})


@contextmanager
def books(**assumptions):
    clock = VirtualClock(datetime.now(UTC))
    options = {"customers": 3, "rate_limit": False, "assumptions": Assumptions(**assumptions), "clock": clock}
    with connected(**options) as (server, first):
        article = {one.number: one.id for one in first.import_articles()}["1"]
        given = {**server.settings, "articles": {"service/21": article}}
        own = {"tokens": ab.MemoryTokens(), "tenant": "listing", "limits": ab.Unlimited(), "clock": clock}
        with ab.connect("visma", given, base_url=server.url, **own) as provider:
            provider.exchange(*consented(server.sandbox, provider.authorization_url()))
            yield server.sandbox, provider, clock


def everything(provider, name, since, until):
    """The list to its end, as ``reconcile`` reads it."""
    found, cursor = [], None
    while True:
        part = provider._session.run(getattr(provider._adapter, name)(since, until, cursor))
        assert not part.skipped
        found += part.items
        if part.cursor is None:
            return found
        cursor = part.cursor


def made(provider, number):
    return provider.create_invoice(ab.InvoiceDraft(reference=f"2026-03/{number}", customer=WHO, lines=LINES))


@pytest.mark.parametrize("keeps", [False, True])
def test_all_that_was_made_is_listed_whatever_became_of_it(keeps, monkeypatch):
    monkeypatch.setattr(calls.page, "__kwdefaults__", {**calls.page.__kwdefaults__, "size": 2})
    with books(convert_keeps_draft_id=keeps) as (box, provider, clock):
        begun = box.now()
        drafts_ = [made(provider, number) for number in range(6)]
        kept = [provider.finalize_invoice(one.id) for one in drafts_[:3]]
        box.pay(kept[0].id)
        box.void(kept[1].id)
        box.edit_draft(drafts_[3].id.split("~")[0], our_reference="van Jan")
        found = everything(provider, "list_invoices", begun - HOUR, box.now() + HOUR)
        assert len(found) == 6
        for one in found:
            read = provider.get_invoice(one.id)
            assert (one.id, one.reference, one.gross) == (read.id, read.reference, read.totals.gross)
            assert (one.customer_id, one.currency) == (read.customer_id, read.currency)
        clock.sleep(40 * 86400)
        later = made(provider, 9)
        box.pay(kept[2].id)  # changed now, made long before
        old = box.convert_in_web_app(drafts_[4].id.split("~")[0])
        found = everything(provider, "list_invoices", box.now() - HOUR, box.now() + HOUR)
        assert {one.id for one in found} == {later.id, old}


@pytest.mark.parametrize("sign", ["negate", "as_sent"])
def test_an_invoice_that_somebody_credited_is_void(sign):
    with books(credit_sign=sign) as (box, provider, _):
        begun = box.now()
        mistake, kept = (provider.finalize_invoice(made(provider, number).id) for number in (1, 2))
        credit = box.credit(mistake.id)
        found = everything(provider, "list_invoices", begun - HOUR, box.now() + HOUR)
        assert {one.id: one.void for one in found} == {mistake.id: True, kept.id: False}
        assert provider.get_invoice(credit).totals.gross == (-1 if sign == "negate" else 1) * mistake.totals.gross


@pytest.mark.parametrize(
    "assumptions", [{}, {"refused_filters": SILENT}, {"refused_filters": SILENT, "refused_filters_are_empty": True}]
)
def test_all_sales_that_were_booked_are_listed(assumptions):
    with books(**assumptions) as (box, provider, clock):

        def book(number):
            now = box.now()
            return provider.book_sale(
                ab.IssuedInvoice(number=str(number), customer=WHO, lines=LINES, issue_date=now.date(), sent_at=now)
            )

        book(1)
        clock.sleep(40 * 86400)
        assert everything(provider, "list_sales", box.now() - HOUR, box.now() + HOUR) == []
        entries = [book(number) for number in (2, 3)]
        found = everything(provider, "list_sales", box.now() - HOUR, box.now() + HOUR)
        assert {(one.id, one.gross, one.customer_id) for one in found} == {
            (one.id, one.totals.gross, one.customer_id) for one in entries
        }
        assert {one.currency for one in found} == {"EUR"}
