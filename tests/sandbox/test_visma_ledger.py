"""Visma: ledger items with their vouchers, vouchers by hand, attachments."""

import base64
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from visma_support import TODAY, WITH_VOUCHER, Api, error, fields, line, number

from accounting_bridge.sandbox.visma import Assumptions, Company

ITEMS, VOUCHERS = "/v2/customerledgeritems", "/v2/vouchers"
UNKNOWN = "11111111-1111-4111-8111-111111111111"
PDF = base64.b64encode(b"%PDF-1.4\n").decode()


def test_a_sale_is_booked_in_one_call():
    api = Api()
    item = api.made(WITH_VOUCHER, api.ledger_body())
    assert (item["InvoiceNumber"], item["TotalAmountInvoiceCurrency"], item["CurrencyCode"]) == (20260042, 121, "EUR")
    assert "Voucher" not in item
    year = next(row["Id"] for row in api.data("/v2/fiscalyears") if row["StartDate"] == "2026-01-01")
    voucher = api.value(f"{VOUCHERS}/{year}/{item['VoucherId']}")
    assert (voucher["NumberAndNumberSeries"], voucher["VoucherType"], voucher["SourceId"]) == ("A1", 23, item["Id"])
    assert [row["VatCodeAndPercent"] for row in voucher["Rows"]] == [None, "NL21 21%", None]
    assert api.value(f"{ITEMS}/{item['Id']}") == item
    entry = api.box.sales_entries[0]
    assert (entry.number, entry.kind, entry.status) == ("20260042", "invoice", "open")
    assert (entry.net, entry.tax, entry.gross) == (100, 21, 121)
    assert (entry.remark, entry.due_date) == ("2026-0042 Voorbeeld", date(2026, 9, 20))
    assert [(row.amount, row.tax_rate) for row in entry.lines] == [(100, 21)]
    assert len(api.box.invoices) == 0


def test_the_answer_may_nest_the_voucher():
    api = Api(assumptions=Assumptions(ledger_answer="with_voucher"))
    item = api.made(WITH_VOUCHER, api.ledger_body())
    assert "VoucherId" not in item
    assert item["Voucher"]["NumberAndNumberSeries"] == "A1"


def test_sales_alone_is_scope_enough():
    full = Api()
    body = full.ledger_body()
    assert full.status_with(full.pair.access_token) == 200
    api = Api("ea:api ea:sales")
    body["CustomerId"] = api.customer()
    assert api.post(WITH_VOUCHER, body).status == 201
    assert error(Api("ea:api ea:accounting").post(WITH_VOUCHER, body)) == (403, 4006)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"TotalAmountInvoiceCurrency": number("121.01")}, "TotalAmountInvoiceCurrency"),
        ({"TotalAmountInvoiceCurrency": number("121.001")}, "TotalAmountInvoiceCurrency"),
        ({"TotalAmountInvoiceCurrency": number("100000000")}, "TotalAmountInvoiceCurrency"),
        ({"TotalAmountInvoiceCurrency": None}, "TotalAmountInvoiceCurrency"),
        ({"VATAmountInvoiceCurrency": number("20.99")}, "VATAmountInvoiceCurrency"),
        ({"RemainingAmountInvoiceCurrency": number("121.01")}, "RemainingAmountInvoiceCurrency"),
        ({"RemainingAmountInvoiceCurrency": number("-1")}, "RemainingAmountInvoiceCurrency"),
        ({"RoundingsAmountInvoiceCurrency": number("1.01")}, "RoundingsAmountInvoiceCurrency"),
        ({"InvoiceNumber": "2026-0042"}, "InvoiceNumber"),
        ({"InvoiceNumber": 2**31}, "InvoiceNumber"),
        ({"InvoiceNumber": 0}, "InvoiceNumber"),
        ({"InvoiceNumber": Decimal("1.5")}, "InvoiceNumber"),
        ({"IsCreditInvoice": True}, "TotalAmountInvoiceCurrency"),
        ({"IsCreditInvoice": None}, "IsCreditInvoice"),
        ({"CurrencyCode": "XXX"}, "CurrencyCode"),
        ({"CurrencyCode": "EURO"}, "CurrencyCode"),
        ({"CurrencyCode": "SEK"}, "CurrencyRate"),
        ({"DueDate": "2026-08-20"}, "DueDate"),
        ({"PaymentReferenceNumber": "x" * 51}, "PaymentReferenceNumber"),
        ({"useDefaultVatCodes": False}, "useDefaultVatCodes"),
        ({"Voucher": {"VoucherText": ""}}, "Voucher.VoucherText"),
        ({"Voucher": {"VoucherText": "x" * 1001}}, "Voucher.VoucherText"),
        ({"Voucher": {"Rows": []}}, "Voucher.Rows"),
        ({"Voucher": {"Rows": [line(1300, debit="121"), line(8000, credit="120")]}}, "Voucher.Rows"),
        ({"Voucher": {"Rows": [line(1300, debit="121")]}}, "Voucher.Rows"),
        ({"Voucher": {"Rows": [line(1300, debit="-121"), line(8000)]}}, "Voucher.Rows[0].DebitAmount"),
        ({"Voucher": {"Rows": [line(1300, debit="1.005"), line(8000)]}}, "Voucher.Rows[0].DebitAmount"),
        ({"Voucher": {"Rows": [line(1300, debit="121", credit="1"), line(8000)]}}, "Voucher.Rows[0]"),
        ({"Voucher": {"Rows": [line("1300", debit="121"), line(8000)]}}, "Voucher.Rows[0].AccountNumber"),
        ({"Voucher": {"Rows": [line(1300, TransactionText="x" * 61)]}}, "Voucher.Rows[0].TransactionText"),
        ({"Rows": [line(1100, debit="121"), line(8000, credit="100"), line(1520, credit="21")]},
         "TotalAmountInvoiceCurrency"),
        ({"Rows": [line(1300, debit="121"), line(8000, credit="121")]}, "VATAmountInvoiceCurrency"),
    ],
)  # fmt: skip
def test_what_is_refused_leaves_nothing_behind(changes, problem):
    api = Api()
    reply = api.post(WITH_VOUCHER, api.ledger_body(**changes))
    assert error(reply) == (400, 2000)
    assert problem in fields(reply)
    assert (len(api.box.sales_entries), len(api.box.vouchers)) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"CustomerId": UNKNOWN}, (400, 3000)),
        ({"Voucher": {"VoucherDate": "2019-12-31"}}, (400, 3001)),
        ({"Rows": [line(1300, debit="121"), line(8123, credit="121")]}, (400, 3002)),
        ({"Rows": [line(1300, debit="121"), line(8090, credit="121")]}, (400, 3002)),
        ({"Rows": [line(1300, debit="121"), line(1090, credit="121")]}, (400, 4002)),
        ({"Rows": [line(1300, debit="121"), line(8000, credit="121", ProjectId=UNKNOWN)]}, (400, 3000)),
        ({"Rows": [line(1300, debit="121"), line(8000, credit="121", HarvestYear=2026)]}, (400, 4002)),
        ({"Voucher": {"Attachments": {"DocumentType": 3, "AttachmentIds": [UNKNOWN]}}}, (400, 3000)),
        ({"Voucher": {"Attachments": {"DocumentType": 1, "AttachmentIds": []}}}, (400, 2000)),
    ],
)
def test_what_the_books_refuse(changes, expected):
    api = Api()
    assert error(api.post(WITH_VOUCHER, api.ledger_body(**changes))) == expected
    assert (len(api.box.sales_entries), len(api.box.vouchers)) == (0, 0)


def test_an_account_of_the_web_app_can_be_blocked_or_switched_off():
    api = Api()
    api.box.edit_account(8000, is_blocked=True)
    assert error(api.post(WITH_VOUCHER, api.ledger_body())) == (400, 4002)
    api.box.edit_account(8000, is_blocked=False, is_active=False)
    assert error(api.post(WITH_VOUCHER, api.ledger_body())) == (400, 3002)


def test_a_locked_period_is_4026():
    api = Api()
    api.box.lock_until(date(2026, 8, 21))
    assert error(api.post(WITH_VOUCHER, api.ledger_body())) == (400, 4026)
    assert api.value("/v2/companysettings")["AccountingLockedTo"] == TODAY
    api.box.lock_until(date(2026, 8, 20))
    assert api.post(WITH_VOUCHER, api.ledger_body()).status == 201
    api.box.lock_fiscal_year(2026)
    assert error(api.post(WITH_VOUCHER, api.ledger_body())) == (400, 4026)
    assert api.data("/v2/fiscalyears")[-2]["IsLockedForAccounting"] is True


def test_nothing_but_the_client_keeps_a_sale_from_being_booked_twice():
    api = Api()
    body = api.ledger_body()
    assert [api.post(WITH_VOUCHER, body).status for _ in range(2)] == [201, 201]
    assert [entry.number for entry in api.box.sales_entries] == ["20260042"] * 2
    found = api.data(ITEMS, **{"$filter": f"InvoiceNumber eq 20260042 and CustomerId eq {body['CustomerId']}"})
    assert len(found) == 2


def test_unless_assumed_otherwise():
    api = Api(assumptions=Assumptions(ledger_number_unique=True))
    body = api.ledger_body()
    assert api.post(WITH_VOUCHER, body).status == 201
    assert error(api.post(WITH_VOUCHER, body)) == (409, 4000)
    api = Api(assumptions=Assumptions(ledger_numbers_shared=True))
    api.converted()
    assert error(api.post(WITH_VOUCHER, api.ledger_body(InvoiceNumber=1))) == (409, 4000)
    api.made(WITH_VOUCHER, api.ledger_body(InvoiceNumber=2))
    assert api.converted()["InvoiceNumber"] == 3


def test_dates_may_be_required():
    api = Api(assumptions=Assumptions(ledger_dates_required=True))
    body = api.ledger_body()
    del body["InvoiceDate"], body["DueDate"]
    assert fields(api.post(WITH_VOUCHER, body)) == {"InvoiceDate", "DueDate"}
    api = Api()
    body["CustomerId"] = api.customer()
    assert api.made(WITH_VOUCHER, body)["InvoiceDate"] == TODAY


def credit_rows():
    return [line(1300, credit="121"), line(8000, debit="100"), line(1520, debit="21")]


def test_credit_notes_are_negative_or_positive():
    amounts = ("TotalAmountInvoiceCurrency", "RemainingAmountInvoiceCurrency", "VATAmountInvoiceCurrency")
    negative = dict(zip(amounts, (-121, -121, -21), strict=True))
    api = Api()
    api.made(WITH_VOUCHER, api.ledger_body(Rows=credit_rows(), IsCreditInvoice=True, **negative))
    assert (api.box.vouchers[0].kind, api.box.sales_entries[0].gross) == (24, -121)
    api = Api(assumptions=Assumptions(credit_ledger_sign="positive"))
    assert api.post(WITH_VOUCHER, api.ledger_body(Rows=credit_rows(), IsCreditInvoice=True, **negative)).status == 400
    api.made(WITH_VOUCHER, api.ledger_body(Rows=credit_rows(), IsCreditInvoice=True))
    assert api.box.sales_entries[0].gross == -121


def test_a_foreign_currency_is_booked_at_its_rate():
    api = Api()
    rows = [line(1300, debit="11"), line(8050, credit="11")]
    rate = {"CurrencyCode": "SEK", "CurrencyRate": number("9.0909"), "CurrencyRateUnit": 100}
    body = api.ledger_body(Rows=rows, VATAmountInvoiceCurrency=0, **rate)
    assert api.post(WITH_VOUCHER, body).status == 201
    assert api.box.sales_entries[0].gross == 11
    assert fields(api.post(WITH_VOUCHER, {**body, "CurrencyRateUnit": 10})) == {"CurrencyRateUnit"}
    assert fields(api.post(WITH_VOUCHER, {**body, "CurrencyRate": 1})) == {"TotalAmountInvoiceCurrency"}


def swedish(**changes):
    api = Api(company=Company(country="SE"))
    rows = [line(1510, debit="1250"), line(3041, credit="1250")]
    sums = {"CurrencyCode": "SEK", "TotalAmountInvoiceCurrency": 1250, "RemainingAmountInvoiceCurrency": 1250}
    return api, api.ledger_body(Rows=rows, VATAmountInvoiceCurrency=250, **sums, **changes)


def test_automatic_vat_splits_gross_amounts():
    api, body = swedish()
    assert fields(api.post(WITH_VOUCHER, body)) == {"VATAmountInvoiceCurrency"}
    api.made(f"{WITH_VOUCHER}?useAutomaticVatCalculation=true", body)
    assert {row.account: row.balance for row in api.box.vouchers[0].rows} == {1510: 1250, 3041: -1000, 2611: -250}
    dutch = Api()
    url = f"{WITH_VOUCHER}?useAutomaticVatCalculation=true"
    assert error(dutch.post(url, dutch.ledger_body())) == (400, 4002)
    assert error(dutch.post(f"{WITH_VOUCHER}?useAutomaticVat=true", dutch.ledger_body())) == (400, 2000)


def test_vat_codes_come_from_the_account_or_from_the_row():
    api = Api()
    low = next(row["Id"] for row in api.data("/v2/vatcodes") if row["Code"] == "NL9")
    rows = [line(1300, debit="109"), line(8000, credit="100", VatCodeId=low), line(1521, credit="9")]
    amounts = {"TotalAmountInvoiceCurrency": 109, "RemainingAmountInvoiceCurrency": 0, "VATAmountInvoiceCurrency": 9}
    body = api.ledger_body(Rows=rows, **amounts)
    api.made(WITH_VOUCHER, body)
    api.made(f"{WITH_VOUCHER}?useDefaultVatCodes=false", body)
    assert [entry.lines[0].tax_rate for entry in api.box.sales_entries] == [21, 9]
    assert api.box.sales_entries[0].status == "paid"
    rows[1]["VatCodeId"] = UNKNOWN
    body["Voucher"]["Rows"] = rows
    assert error(api.post(f"{WITH_VOUCHER}?useDefaultVatCodes=false", body)) == (400, 3000)


def test_dutch_rows_may_carry_their_vat():
    api = Api()
    rows = [line(1300, debit="121"), line(8000, credit="121", VatAmount=21)]
    api.made(WITH_VOUCHER, api.ledger_body(Rows=rows))
    assert api.box.sales_entries[0].tax == 21
    api, body = swedish()
    body["Voucher"]["Rows"][1]["VatAmount"] = 250
    assert fields(api.post(WITH_VOUCHER, body)) == {"Voucher.Rows[1].VatAmount"}


def test_vat_is_compared_unless_assumed_otherwise():
    api = Api(assumptions=Assumptions(ledger_vat_checked=False))
    api.made(WITH_VOUCHER, api.ledger_body(VATAmountInvoiceCurrency=0))


def test_a_number_series_is_used_only_when_asked_for():
    api = Api()
    body = api.ledger_body(Voucher={"NumberSeries": "K"})
    api.made(WITH_VOUCHER, body)
    api.made(f"{WITH_VOUCHER}?useDefaultVoucherSeries=false", body)
    assert [voucher.label for voucher in api.box.vouchers] == ["A1", "K1"]
    missing = api.post(f"{WITH_VOUCHER}?useDefaultVoucherSeries=false", api.ledger_body())
    assert fields(missing) == {"Voucher.NumberSeries"}


def test_ledger_items_are_quick_invoices():
    api = Api()
    customer = api.customer()
    item = api.made(WITH_VOUCHER, api.ledger_body(CustomerId=customer))
    invoice = api.converted()
    url = "/v2/customerinvoices"
    rows = {row["Id"]: row for row in api.data(url)}
    assert {key: row["IsQuickInvoice"] for key, row in rows.items()} == {item["Id"]: True, invoice["Id"]: False}
    assert api.value(f"{url}/{item['Id']}") == rows[item["Id"]]
    assert (rows[item["Id"]]["InvoiceNumber"], rows[item["Id"]]["RemainingAmount"]) == (20260042, 121)
    assert error(api.post(f"{url}/{item['Id']}/void")) == (400, 4002)
    assert error(api.get(f"{url}/{item['Id']}/pdf")) == (404, 3000)
    assert error(api.delete(f"/v2/customers/{customer}")) == (400, 4001)
    api = Api(assumptions=Assumptions(ledger_items_in_invoices=False))
    item = api.made(WITH_VOUCHER, api.ledger_body())
    assert api.data(url) == []
    assert api.get(f"{url}/{item['Id']}").status == 404


def test_voucher_first_then_the_item():
    api = Api()
    body = api.ledger_body()
    voucher = api.made(VOUCHERS, body.pop("Voucher"))
    item = api.made(ITEMS, {**body, "VoucherId": voucher["Id"]})
    assert item["VoucherId"] == voucher["Id"]
    assert error(api.post(ITEMS, {**body, "VoucherId": voucher["Id"]})) == (400, 4002)
    assert error(api.post(ITEMS, {**body, "VoucherId": UNKNOWN})) == (400, 3000)
    other = api.made(VOUCHERS, {"VoucherText": "x", "Rows": [line(1100, debit="1"), line(8000, credit="1")]})
    assert error(api.post(ITEMS, {**body, "VoucherId": other["Id"]})) == (400, 2000)
    invoice = api.converted()
    assert error(api.post(ITEMS, {**body, "VoucherId": invoice["VoucherId"]})) == (400, 4002)


def test_vouchers_are_listed_by_year_and_never_changed():
    api = Api()
    rows = [line(1100, debit="1"), line(8000, credit="1", TransactionText="kas")]
    made = api.made(VOUCHERS, {"VoucherDate": "2025-12-31", "VoucherText": "Oud", "Rows": rows})
    api.made(VOUCHERS, {"VoucherText": "Nieuw", "Rows": rows})
    years = {row["StartDate"][:4]: row["Id"] for row in api.data("/v2/fiscalyears")}
    assert [row["VoucherText"] for row in api.data(f"{VOUCHERS}/{years['2025']}")] == ["Oud"]
    window = {"$filter": "VoucherDate ge 2026-01-01T00:00:00.00Z and VoucherDate le 2026-12-31T23:59:59.00Z"}
    assert [row["VoucherText"] for row in api.data(VOUCHERS, **window)] == ["Nieuw"]
    assert api.get(f"{VOUCHERS}/{years['2026']}/{made['Id']}").status == 404
    assert [voucher.label for voucher in api.box.vouchers] == ["A1", "A1"]
    for method in ("PUT", "DELETE"):
        assert api.call(method, f"{VOUCHERS}/{years['2025']}/{made['Id']}").status == 405
    imported = {"VoucherText": "x", "VoucherType": 9, "Rows": rows}
    assert fields(api.post(VOUCHERS, imported)) == {"VoucherType"}


amounts = st.integers(1, 9_999_999).map(lambda cents: Decimal(cents) / 100)


@settings(max_examples=40, deadline=None)
@given(st.lists(amounts, min_size=1, max_size=4), amounts)
def test_an_unbalanced_voucher_never_gets_in(sales, debit):
    api = Api()
    rows = [line(1100, debit=str(debit)), *(line(8000, credit=str(amount)) for amount in sales)]
    status = api.post(VOUCHERS, {"VoucherText": "x", "Rows": rows}).status
    assert status == (201 if sum(sales) == debit else 400)


# -- attachments --


def upload(**changes):
    return {"ContentType": "application/pdf", "FileName": "factuur 42", "Data": PDF, **changes}


def test_a_file_is_uploaded_and_linked_while_booking():
    api = Api()
    made = api.made("/v2/attachments", upload(Comment="x"))
    assert (made["AttachmentStatus"], made["FileName"]) == (1, "factuur 42")
    link = {"DocumentType": 3, "AttachmentIds": [made["Id"]]}
    item = api.made(WITH_VOUCHER, api.ledger_body(Voucher={"Attachments": link}))
    assert api.box.sales_entries[0].files == ("factuur 42",)
    shown = api.value(f"/v2/attachments/{made['Id']}")
    assert (shown["AttachmentStatus"], shown["DocumentId"]) == (0, item["VoucherId"])
    assert error(api.delete(f"/v2/attachments/{made['Id']}")) == (400, 4002)


def test_a_file_is_linked_to_a_voucher_afterwards():
    api = Api()
    made = api.made("/v2/attachments", upload())
    item = api.made(WITH_VOUCHER, api.ledger_body())
    link = {"DocumentId": item["VoucherId"], "DocumentType": 3, "AttachmentIds": [made["Id"]]}
    assert api.post("/v2/attachmentlinks", link).status == 200
    assert api.post("/v2/attachmentlinks", link).status == 200
    assert api.box.sales_entries[0].files == ("factuur 42",)
    assert api.data("/v2/attachments") == []
    assert api.data("/v2/attachments", includeMatched="true")[0]["DocumentId"] == item["VoucherId"]
    assert error(api.post("/v2/attachmentlinks", {**link, "DocumentId": UNKNOWN})) == (400, 3000)
    assert error(api.post("/v2/attachmentlinks", {**link, "AttachmentIds": [UNKNOWN]})) == (400, 3000)
    assert error(api.post("/v2/attachmentlinks", {**link, "DocumentType": 1})) == (400, 2000)
    other = api.made("/v2/attachments", upload())
    assert api.value(f"/v2/attachments/{other['Id']}")["Id"] == other["Id"]
    assert api.delete(f"/v2/attachments/{other['Id']}").status == 200


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ContentType": "text/plain"}, "ContentType"),
        ({"ContentType": "image/png"}, "Data"),
        ({"FileName": "factuur.pdf"}, "FileName"),
        ({"FileName": "a/b"}, "FileName"),
        ({"FileName": "x" * 201}, "FileName"),
        ({"Data": "kein base64!"}, "Data"),
        ({"Data": None}, "Data"),
        ({"Url": "https://files.example/x.pdf"}, "Data"),
        ({"Data": None, "Url": "ftp://files.example/x.pdf"}, "Url"),
    ],
)
def test_uploads_that_are_refused(changes, problem):
    assert problem in fields(Api().post("/v2/attachments", upload(**changes)))


def test_dots_and_size_are_assumptions():
    api = Api(assumptions=Assumptions(attachment_names_may_have_dots=True, attachment_max_bytes=8))
    assert "Data" in fields(api.post("/v2/attachments", upload(FileName="factuur.pdf")))
    api.made("/v2/attachments", upload(FileName="factuur.pdf", Data=None, Url="https://files.example/x.pdf"))


def test_sales_documents_take_files_in_one_call():
    api = Api()
    url = "/v2/salesdocumentattachments"
    draft = api.draft()
    body = upload(FileName="uren.pdf", DockumentId=draft["Id"])
    made = api.made(f"{url}/customerinvoicedraft", body)
    assert (made["DocumentId"], made["OriginalFilename"], made["DocumentSize"]) == (draft["Id"], "uren.pdf", 9)
    assert api.value(f"/v2/customerinvoicedrafts/{draft['Id']}")["SalesDocumentAttachments"] == [made["Id"]]
    invoice = api.made(f"/v2/customerinvoicedrafts/{draft['Id']}/convert", {})
    assert invoice["SalesDocumentAttachments"] == [made["Id"]]
    assert api.get(f"{url}/{made['Id']}.pdf").body == b"%PDF-1.4\n"
    assert api.value(f"{url}/{made['Id']}") == made
    api.made(f"{url}/customerinvoice", {**body, "DockumentId": invoice["Id"]})
    item = api.made(WITH_VOUCHER, api.ledger_body())
    api.made(f"{url}/customerinvoice", {**body, "DockumentId": item["Id"]})
    assert api.box.sales_entries[0].files == ("uren.pdf",)
    assert len(api.data(url)) == 3
    assert error(api.post(f"{url}/customerinvoicedraft", body)) == (400, 3000)
    assert "DocumentId" in fields(api.post(f"{url}/customerinvoice", {**body, "DocumentId": item["Id"]}))
    assert error(api.get(f"{url}/{UNKNOWN}.pdf")) == (404, 3000)


def test_partner_links_leave_a_key_on_a_record():
    api = Api()
    draft = api.draft()
    link = {
        "ResourceId": draft["Id"], "ResourceType": 5, "Href": "https://app.example/t-42",
        "PartnerCompanyName": "App", "PartnerSystemName": "Uren",
    }  # fmt: skip
    made = api.made("/v2/partnerresourcelinks", link)
    assert api.data("/v2/partnerresourcelinks", **{"$filter": f"ResourceId eq {draft['Id']}"}) == [made]
    customer = {**link, "ResourceType": 1, "ResourceId": draft["CustomerId"]}
    assert api.post("/v2/partnerresourcelinks", customer).status == 201
    assert error(api.post("/v2/partnerresourcelinks", {**link, "ResourceType": 3})) == (400, 3000)
