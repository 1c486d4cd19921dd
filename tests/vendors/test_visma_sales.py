"""Sales at Visma: vouchers that balance on accounts that were checked, found again by the invoice's full number."""

from datetime import date
from decimal import Decimal

import pytest
from _visma import connected
from _visma_documents import (
    CUSTOMER,
    CUSTOMER_ID,
    ITEM_ID,
    NL21,
    NOW,
    VOUCHER_ID,
    YEAR,
    account,
    answer,
    coding,
    company,
    described,
    gone,
    guid,
    hours,
    issued,
    item_record,
    misfits,
    page,
    params,
    play,
    refused,
    sent,
    settings,
    writes,
)
from attrs import evolve

from accounting_bridge.errors import Conflict, InvalidRequest, MalformedResponse, PeriodClosed, PermissionDenied
from accounting_bridge.flow import Request
from accounting_bridge.models import Attachment, CustomerRef, LineKind, SalesEntryStatus, TaxTreatment, TextLine
from accounting_bridge.sandbox.visma import Company
from accounting_bridge.vendors.visma import files, sales

LEDGER = "/v2/customerledgeritems"
ITEM, VOUCHER = f"{LEDGER}/{ITEM_ID}", f"/v2/vouchers/{YEAR}/{VOUCHER_ID}"
KEPT = "/v2/salesdocumentattachments"
FREE = {LEDGER: page()}
BOOKED = {LEDGER: page(item_record()), VOUCHER: answer({"VoucherText": "20260815 Quellmoos Voorbeeld BV"})}


def plan(invoice, using=None, **answers):
    given = {**FREE, **{f"/v2/{path}": one for path, one in answers.items()}}
    return play(sales.plan(using or settings(), invoice, invoice.customer, now=NOW), given)


def body(played):
    return sent(Request(method="POST", path="/", body=played.result.body))


def rows(played):
    return {row["AccountNumber"]: row["DebitAmount"] - row["CreditAmount"] for row in body(played)["Voucher"]["Rows"]}


def problems(invoice, using=None, **answers):
    with pytest.raises(InvalidRequest) as caught:
        plan(invoice, using, **answers)
    return {problem.field: problem.message for problem in caught.value.problems}


# ---- what is sent ------------------------------------------------------------------------------------------


def test_the_body_is_as_the_vendor_describes_it():
    played = plan(issued(), settings(number_series="V"))
    flow = sales.submit(played.result.path, played.result.body)
    made = play(flow, {played.result.path: answer(item_record(), status=201)})
    assert made.result == ITEM_ID
    assert misfits(described(), made.requests[0]) == []
    assert dict(made.requests[0].params)["useDefaultVoucherSeries"] == "false"


def test_an_issued_invoice_is_debtors_against_revenue_and_vat():
    played = plan(issued(hours(), TextLine(description="Dank"), hours(tax_rate=Decimal(9)), due_date=date(2026, 4, 14)))
    assert writes(played) == []
    content = body(played)
    assert rows(played) == {
        1300: Decimal("491.63"), 8000: Decimal("-213.75"), 1520: Decimal("-44.89"), 8010: Decimal("-213.75"),
        1521: Decimal("-19.24"),
    }  # fmt: skip
    assert sum(rows(played).values()) == 0
    assert {name: value for name, value in content.items() if name != "Voucher"} == {
        "CustomerId": CUSTOMER_ID, "InvoiceNumber": 20260815, "InvoiceDate": "2026-03-31", "DueDate": "2026-04-14",
        "IsCreditInvoice": False, "CurrencyCode": "EUR", "TotalAmountInvoiceCurrency": played.result.totals.gross,
        "RemainingAmountInvoiceCurrency": played.result.totals.gross,
        "VATAmountInvoiceCurrency": played.result.totals.tax, "RoundingsAmountInvoiceCurrency": 0,
    }  # fmt: skip
    assert content["Voucher"]["VoucherText"] == "20260815 Quellmoos Voorbeeld BV"


@pytest.mark.parametrize("gross", [True, False])
def test_gross_prices_of_several_accounts_balance_to_the_cent(gross):
    lines = [
        hours(quantity=1, unit_price=Decimal("0.05"), ledger_account=number) for number in ("8000", "8030", "8060")
    ]
    played = plan(issued(*lines, prices_include_tax=gross))
    assert sum(rows(played).values()) == 0
    totals = played.result.totals
    assert (totals.gross, totals.tax) == (Decimal("0.15" if gross else "0.18"), Decimal("0.03"))


def test_a_negative_total_is_a_credit_note_with_the_sides_changed():
    played = plan(issued(hours(unit_price=Decimal(-95))))
    content = body(played)
    assert (content["IsCreditInvoice"], content["TotalAmountInvoiceCurrency"]) == (True, Decimal("-258.64"))
    assert rows(played) == {1300: Decimal("-258.64"), 8000: Decimal("213.75"), 1520: Decimal("44.89")}
    assert all(row["DebitAmount"] >= 0 and row["CreditAmount"] >= 0 for row in content["Voucher"]["Rows"])


def test_a_credit_s_amounts_may_be_positive_and_its_voucher_stays_as_it_is():
    played = plan(issued(hours(unit_price=Decimal(-95))), settings(credits_negative=False))
    content = body(played)
    amounts = [content[f"{name}AmountInvoiceCurrency"] for name in ("Total", "Remaining", "VAT")]
    assert (content["IsCreditInvoice"], amounts) == (True, [Decimal("258.64"), Decimal("258.64"), Decimal("44.89")])
    assert rows(played) == {1300: Decimal("-258.64"), 8000: Decimal("213.75"), 1520: Decimal("44.89")}
    assert played.result.totals.gross == Decimal("-258.64")


@pytest.mark.parametrize("sign", [1, -1])
def test_a_credit_is_read_as_a_negative_amount_whatever_its_sign(sign):
    amounts = {f"{name}AmountInvoiceCurrency": sign * amount for name, amount in
               (("Total", 121), ("Remaining", 121), ("VAT", 21))}  # fmt: skip
    item = answer(item_record(IsCreditInvoice=True, **amounts))
    totals = play(sales.read(ITEM_ID), {ITEM: item, VOUCHER: answer({"VoucherText": "7"})}).result.totals
    assert (totals.net, totals.tax, totals.gross) == (-100, -21, -121)


def test_cents_of_the_printed_total_are_revenue_and_vat_stays_as_issued():
    played = plan(issued(total_gross=Decimal("258.65")))
    assert rows(played) == {1300: Decimal("258.65"), 8000: Decimal("-213.76"), 1520: Decimal("-44.89")}
    assert "0.01" in played.result.notes[0]
    assert "at most" in problems(issued(total_gross=Decimal("258.66")))["total_gross"]


def test_an_invoice_of_nothing_is_refused():
    assert "nothing" in problems(issued(hours(quantity=1, unit_price=Decimal(0))))["lines"]


# ---- numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["2026-0815", "0", "99999999999", "2147483648"])
def test_a_number_that_the_ledger_cannot_keep_is_refused(number):
    assert list(problems(issued(number=number))) == ["number"]


@pytest.mark.parametrize("mapped", [0, 2**31, "17", True, None, 17.0])
def test_what_number_map_gives_is_checked(mapped):
    assert list(problems(issued(), settings(number_map=lambda _: mapped))) == ["number"]


def test_a_number_map_that_fails_is_named():
    assert "KeyError" in problems(issued(), settings(number_map={}.__getitem__))["number"]


def test_the_full_number_leads_the_voucher_s_text():
    using = settings(number_map=lambda number: int(number.replace("-", "")))
    played = plan(issued(number="2026-0815", customer=evolve(CUSTOMER, name="N" * 120)), using)
    text = body(played)["Voucher"]["VoucherText"]
    assert (text[:11], len(text), body(played)["InvoiceNumber"]) == ("2026-0815 N", 100, 20260815)


def test_a_number_that_stands_for_another_invoice_is_told():
    other = {"customerledgeritems": page(item_record(CustomerId=guid(77))),
             f"vouchers/{YEAR}/{VOUCHER_ID}": answer({"VoucherText": "20260815 Andere BV"})}  # fmt: skip
    with pytest.raises(Conflict, match="another customer"):
        plan(issued(), **other)
    by_hand = {"customerledgeritems": page(item_record()),
               f"vouchers/{YEAR}/{VOUCHER_ID}": answer({"VoucherText": "Factuur 815"})}  # fmt: skip
    with pytest.raises(Conflict, match="booked by hand"):
        plan(issued(), **by_hand)


# ---- accounts ----------------------------------------------------------------------------------------------


def test_accounts_that_are_not_clear_are_all_named_with_candidates():
    codings = page(coding(guid(11), "21", 8000, 8030), coding(guid(12), "21", 8090), coding(guid(13), "9", 8010))
    found = problems(
        issued(hours(), hours(tax_rate=Decimal(6)), hours(kind=LineKind.GOODS, ledger_account="9999")),
        settings(articles={}),
        articleaccountcodings=codings,
        **{"accounts/standardaccounts": page({"AccountType": "Bank", "AccountNumber": 1100})},
    )
    assert sorted(found) == [
        "lines[0].ledger_account", "lines[1].tax_rate", "lines[2].ledger_account", "receivable_account",
    ]  # fmt: skip
    assert found["lines[1].tax_rate"] == "the books have no rate of 6 % on that day; there are: 0 %, 9 %, 21 %"
    assert "revenue_accounts['service/21']" in found["lines[0].ledger_account"]
    assert "8000 Rekening 8000, 8090 Rekening 8090" in found["lines[0].ledger_account"]
    assert "1100 (Bank)" in found["receivable_account"]


def test_the_settings_decide_where_they_say_something():
    using = settings(
        receivable_account="1521", revenue_accounts={"21": "8060", "goods/21": "8010"}, vat_accounts={"21": "1300"}
    )
    assert rows(plan(issued(hours()), using)) == {
        1521: Decimal("258.64"), 8060: Decimal("-213.75"), 1300: Decimal("-44.89"),
    }  # fmt: skip
    assert "has the VAT code NL9" in problems(issued(hours(kind=LineKind.GOODS)), using)["lines[0].ledger_account"]


@pytest.mark.parametrize(("number", "why"), [("8090", "not active"), ("8100", "blocked"), ("7", "not in the chart")])
def test_an_account_that_cannot_be_booked_on_is_refused(number, why):
    assert why in problems(issued(hours(ledger_account=number)))["lines[0].ledger_account"]


def test_a_vat_code_with_several_accounts_is_not_guessed():
    codes = page(
        {"Id": NL21, "Code": "NL21", "VatRate": 21, "RelatedAccounts": {"AccountNumber1": 1520, "AccountNumber2": 1521}}
    )
    found = problems(issued(), vatcodes=codes)
    assert "1520 Rekening 1520, 1521 Rekening 1521" in found["vat_accounts['21']"]


@pytest.mark.parametrize(("country", "number"), [("SE", "1510"), ("NO", "1500"), ("FI", None)])
def test_debtors_are_on_the_country_s_usual_account_if_it_is_active(country, number):
    chart = page(*(account(one, NL21 if one == "8000" else None) for one in ("8000", "1520", "1510", "1500")))
    there = {"companysettings": company(CountryCode=country), f"accounts/{YEAR}": chart}
    if number is None:
        assert "set receivable_account" in problems(issued(), **there)["receivable_account"]
    else:
        assert int(number) in rows(plan(issued(), **there))


@pytest.mark.parametrize(
    ("treatment", "number"),
    [
        (TaxTreatment.REVERSE_CHARGE, 8030),
        (TaxTreatment.INTRA_EU_SERVICES, 8040),
        (TaxTreatment.EXPORT, 8050),
        (TaxTreatment.EXEMPT, 8060),
    ],
)
def test_tax_free_sales_are_booked_where_their_articles_would_be(treatment, number):
    customer = evolve(CUSTOMER, vat_number="DE123456789")
    played = plan(issued(hours(tax_rate=None), tax_treatment=treatment, customer=customer))
    assert rows(played) == {1300: Decimal("213.75"), number: Decimal("-213.75")}


def test_intra_eu_sales_need_a_vat_number_and_other_currencies_are_refused():
    invoice = issued(hours(tax_rate=None), tax_treatment=TaxTreatment.INTRA_EU_SERVICES, currency="USD")
    assert sorted(problems(invoice)) == ["currency", "customer.vat_number"]


def test_amounts_of_a_customer_in_another_currency_are_not_taken_for_the_books_own_without_a_word():
    """A voucher cannot be deleted: 100 USD that were booked as 100 EUR would stand there for good."""
    dollars = evolve(CUSTOMER, currency="USD")
    needed = problems(issued(customer=dollars))
    assert list(needed) == ["currency"]
    assert "invoiced in USD, and sales are booked in EUR only" in needed["currency"]
    assert "currency='EUR'" in needed["currency"]
    assert "must be EUR" in problems(issued(customer=dollars, currency="USD"))["currency"]
    said = plan(issued(customer=dollars, currency="EUR"))
    assert body(said)["CurrencyCode"] == "EUR"
    assert body(plan(issued(customer=evolve(CUSTOMER, currency="EUR"))))["CurrencyCode"] == "EUR"


def test_a_rate_that_the_books_do_not_have_is_told_before_an_account_is_asked_for():
    using = settings(revenue_accounts={"service/6": "8000"})
    assert list(problems(issued(hours(tax_rate=Decimal(6))), using)) == ["lines[0].tax_rate"]


# ---- closed books ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [date(2026, 3, 31), date(2025, 6, 1), date(2031, 1, 1)])
def test_closed_books_are_told_before_anything_is_sent(day):
    locked = {"companysettings": company(AccountingLockedTo="2026-03-31"),
              f"accounts/{guid(29)}": page(*(account(one) for one in ("1300", "1520", "8000")))}  # fmt: skip
    with pytest.raises(PeriodClosed):
        plan(issued(issue_date=day), **locked)


def test_what_is_booked_already_is_found_although_its_period_was_closed():
    locked = {"companysettings": company(AccountingLockedTo="2026-03-31")}
    found = {path.removeprefix("/v2/"): one for path, one in BOOKED.items()}
    assert plan(issued(), **locked, **found).result.totals.gross == Decimal("258.64")


# ---- finding and reading -----------------------------------------------------------------------------------


def look(**answers):
    return play(sales.look_for(issued(), CUSTOMER_ID, settings()), {**BOOKED, **answers})


def test_a_look_compares_the_full_number():
    played = look()
    assert played.result == [ITEM_ID]
    assert params(played.requests, "$filter")[0] == "InvoiceNumber eq 20260815"
    assert look(**{LEDGER: page(item_record(CustomerId=guid(77)))}).result == []
    assert look(**{VOUCHER: answer({"VoucherText": "202608150 Quellmoos"})}).result == []


def test_what_a_person_booked_is_the_invoice_s_only_if_the_amount_is_too():
    by_hand = {VOUCHER: answer({"VoucherText": "Factuur 20260815"})}
    gross = Decimal("258.64")
    assert look(**by_hand).result == []
    for booked in (gross, -gross):  # which sign a credit has is not known
        assert look(**by_hand, **{LEDGER: page(item_record(TotalAmountInvoiceCurrency=booked))}).result == [ITEM_ID]


def test_another_invoice_of_the_same_whole_number_is_not_taken_for_this_one():
    """A voucher written here begins with the issued number; behind it comes a name, and names hold numbers."""
    line = hours(quantity=1, unit_price=Decimal(100))
    options = settings(number_map=lambda number: int("".join(mark for mark in number if mark.isdigit())))
    answers = {
        LEDGER: page(item_record(InvoiceNumber=7)),
        VOUCHER: answer({"VoucherText": "A-7 Halte 7 Voorbeeld BV"}),
    }
    for number, expected in (("7", []), ("A-7", [ITEM_ID])):
        played = play(sales.look_for(issued(line, number=number), CUSTOMER_ID, options), {**BOOKED, **answers})
        assert played.result == expected


def test_an_odd_id_of_a_voucher_is_unreadable_and_no_refusal():
    with pytest.raises(MalformedResponse):
        look(**{LEDGER: page(item_record(VoucherId="12"))})


def test_an_answer_to_a_sale_with_an_odd_id_is_unreadable_and_no_refusal():
    path, body = sales.WITH_VOUCHER, b'{"Voucher":{}}'
    for given in (ITEM_ID.upper(), f"{{{ITEM_ID}}}"):
        played = play(sales.submit(path, body), {f"/v2{path}": answer({"Id": given}, status=201)})
        assert played.result == ITEM_ID
    with pytest.raises(MalformedResponse):
        play(sales.submit(path, body), {f"/v2{path}": answer({"Id": "12"}, status=201)})


@pytest.mark.parametrize("unreadable", [gone(), PermissionDenied("no scope")])
def test_where_the_voucher_cannot_be_read_the_item_s_number_decides(unreadable):
    assert look(**{VOUCHER: unreadable}).result == [ITEM_ID]


def test_where_the_number_cannot_be_filtered_for_all_are_read():
    other = item_record(Id=guid(90), InvoiceNumber=1)
    assert look(**{LEDGER: [refused(), page(other, item_record())]}).result == [ITEM_ID]
    silent = look(**{LEDGER: [page(), page(other), page(), page(other, item_record())]})
    assert silent.result == [ITEM_ID]
    assert params(silent.requests, "$filter")[:4] == ["InvoiceNumber eq 20260815", None, "InvoiceNumber eq 1", None]


def test_an_item_that_cannot_be_read_proves_nothing():
    with pytest.raises(MalformedResponse):
        look(**{LEDGER: page(item_record(TotalAmountInvoiceCurrency="much"))})


@pytest.mark.parametrize(
    ("left", "text", "status", "number"),
    [
        (121, "2026-0815 Quellmoos", SalesEntryStatus.OPEN, "2026-0815"),
        (0, "Factuur van maart", SalesEntryStatus.PAID, "20260815"),
    ],
)
def test_an_entry_has_the_number_that_its_voucher_begins_with(left, text, status, number):
    item = answer(item_record(RemainingAmountInvoiceCurrency=left))
    entry = play(sales.read(ITEM_ID), {ITEM: item, VOUCHER: answer({"VoucherText": text})}).result
    assert (entry.status, entry.invoice_number, entry.customer_id) == (status, number, CUSTOMER_ID)
    assert (entry.totals.net, entry.totals.tax, entry.totals.gross) == (100, 21, 121)


# ---- the PDF -----------------------------------------------------------------------------------------------

PDF = b"%PDF-1.7 voorbeeld"


def test_the_pdf_is_kept_with_the_entry_and_found_by_its_name():
    file = Attachment(filename="2026-0815.pdf", content=PDF)
    answers = {f"{KEPT}/customerinvoice": answer({"Id": guid(1)}, status=201)}
    (upload,) = play(files.attach_to_item(ITEM_ID, file), answers).requests
    assert misfits(described(), upload) == []
    assert (sent(upload)["DockumentId"], sent(upload)["FileName"]) == (ITEM_ID, "2026-0815.pdf")
    there = {"Id": guid(2), "DocumentId": ITEM_ID.upper(), "OriginalFilename": "2026-0815.pdf"}
    for kept, found in ((there, True), ({**there, "DocumentId": guid(3)}, False)):
        assert play(files.item_has(ITEM_ID, "2026-0815.pdf"), {KEPT: page(kept)}).result is found


# ---- against a Swedish company -----------------------------------------------------------------------------


def test_a_swedish_company_books_sales_of_its_own_customers_and_asks_for_the_currency_of_the_others():
    using = {"revenue_accounts": {"service/25": "3041"}}
    with connected(using, customers=30, rate_limit=False, company=Company(country="SE")) as (server, provider):
        at_home, abroad = (
            next(one for one in provider.import_customers() if one.currency == currency) for currency in ("SEK", "EUR")
        )
        sale = issued(hours(tax_rate=Decimal(25)), number="1", customer=CustomerRef(number=at_home.number))
        assert provider.book_sale(sale).totals.gross == Decimal("267.19")
        with pytest.raises(InvalidRequest) as caught:
            provider.book_sale(evolve(sale, number="2", customer=CustomerRef(number=abroad.number)))
        assert len(server.sandbox.vouchers) == 1
    assert [problem.field for problem in caught.value.problems] == ["currency"]
    assert "currency='SEK'" in str(caught.value)
