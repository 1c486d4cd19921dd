"""What the tests of Visma's documents share: master data as the vendor answers it, records, and drafts."""

import json
import os
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from _play import Played, answer, params, sent
from attrs import evolve

from accounting_bridge import Address, Customer, LineItem, Secret
from accounting_bridge.errors import InvalidRequest, NotFound
from accounting_bridge.flow import Cached, Report, Request, Response
from accounting_bridge.models import InvoiceDraft, IssuedInvoice
from accounting_bridge.vendors.visma import VismaSettings

__all__ = ["Played", "answer", "params", "sent"]

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[3] / "shared")
NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def guid(number):
    return f"00000000-0000-4000-8000-{number:012d}"


HOURS, HOURS_LOW, GOODS, OLD, ORPHAN, FREE = (guid(number) for number in range(1, 7))
HIGH, LOW, OF_GOODS, UNUSED, ZERO_RATED = (guid(number) for number in range(11, 16))
CUSTOMER_ID, DRAFT_ID, INVOICE_ID, ITEM_ID, VOUCHER_ID, YEAR, FILE_ID = (guid(number) for number in range(21, 28))


def settings(**fields):
    given = {
        "client_id": "app", "client_secret": Secret("s" * 20), "redirect_uri": "https://app.example/back",
        "articles": {"service/21": HOURS, "service/9": HOURS_LOW, "goods/21": GOODS, "service/0": FREE},
    }  # fmt: skip
    return VismaSettings(**{**given, **fields})


# ---- master data -------------------------------------------------------------------------------------------


def page(*records, number=1, pages=1):
    meta = {"CurrentPage": number, "PageSize": 1000, "TotalNumberOfPages": pages, "TotalNumberOfResults": len(records),
            "ServerTimeUtc": "2026-03-31T12:00:00Z"}  # fmt: skip
    return answer({"Meta": meta, "Data": list(records)})


def company(**fields):
    return answer(
        {
            "Name": "Voorbeeld Advies BV", "CountryCode": "NL", "CurrencyCode": "EUR",
            "AccountingLockedTo": "2025-12-31", "DomesticCurrencyRounding": 0, "ShowPricesExclVatPC": False,
            "UsesReverseConstructionVat": True, **fields,
        }
    )  # fmt: skip


def article(key, number, name, coding, **fields):
    return {
        "Id": key, "Number": number, "Name": name, "CodingId": coding, "IsActive": True, "IsServiceArticle": True,
        "UnitName": "Uur", "UnitAbbreviation": "uur", **fields,
    }  # fmt: skip


def coding(key, rate, *accounts, active=True):
    """Accounts: domestic, construction, exempt, within the EU, outside it; None: there is none."""
    domestic, construction, exempt, within, outside = (*accounts, None, None, None, None)[:5]
    return {
        "Id": key, "Name": f"Diensten {rate}", "VatRatePercent": Decimal(rate), "IsActive": active,
        "DomesticSalesSubjectToVatAccountNumber": domestic,
        "DomesticSalesSubjectToReversedConstructionVatAccountNumber": construction,
        "DomesticSalesVatExemptAccountNumber": exempt,
        "ForeignSalesVatExemptWithinEuAccountNumber": within,
        "ForeignSalesVatExemptOutsideEuAccountNumber": outside,
    }  # fmt: skip


COUNTRIES = page(
    {"Code": "NL", "IsEuMember": True}, {"Code": "DE", "IsEuMember": True}, {"Code": "CH", "IsEuMember": False}
)
ARTICLES = page(
    article(HOURS, "1", "Advies", HIGH),
    article(HOURS_LOW, "2", "Advies laag", LOW),
    article(GOODS, "3", "Handboek", OF_GOODS, IsServiceArticle=False, UnitName="Stuk", UnitAbbreviation="st"),
    article(OLD, "4", "Oud", HIGH, IsActive=False),
    article(ORPHAN, "5", "Zonder codering", UNUSED),
    article(FREE, "6", "Vrijgesteld", ZERO_RATED),
)
CODINGS = page(
    coding(HIGH, "21", 8000, 8030, 8060, 8040, 8050),
    coding(LOW, "9", 8010, 8030, 8060, 8040, 8050),
    coding(OF_GOODS, "21", 8000, None, 8060, 8040, 8050),
    coding(UNUSED, "21", 8090, active=False),
    coding(ZERO_RATED, "0", 8020, None, 8060, 8040, 8050),
)
TERMS = page(
    {"Id": guid(31), "NumberOfDays": 30, "TermsOfPaymentTypeId": 0, "AvailableForSales": True},
    {"Id": guid(32), "NumberOfDays": 14, "TermsOfPaymentTypeId": 0, "AvailableForSales": True},
)
YEARS = page(
    {"Id": YEAR, "StartDate": "2026-01-01", "EndDate": "2026-12-31", "IsLockedForAccounting": False},
    {"Id": guid(29), "StartDate": "2025-01-01", "EndDate": "2025-12-31", "IsLockedForAccounting": True},
)


def account(number, code=None, **fields):
    return {"Number": number, "Name": f"Rekening {number}", "IsActive": True, "VatCodeId": code, **fields}


NL21, NL9, NL0 = (guid(number) for number in range(41, 44))
ACCOUNTS = page(
    account("1300"), account("1520"), account("1521"),
    account("8000", NL21), account("8010", NL9), account("8020", NL0), account("8030"), account("8040", NL0),
    account("8050"), account("8060"), account("8090", NL21, IsActive=False),
    account("8100", NL21, IsBlockedForManualBooking=True),
)  # fmt: skip
CODES = page(
    {"Id": NL21, "Code": "NL21", "VatRate": Decimal("0.21"), "RelatedAccounts": {"AccountNumber1": 1520}},
    {"Id": NL9, "Code": "NL9", "VatRate": Decimal("0.09"), "RelatedAccounts": {"AccountNumber1": 1521}},
    {"Id": NL0, "Code": "NL0", "VatRate": 0, "RelatedAccounts": None},
)
STANDARD = page({"AccountType": "AccountsReceivable", "AccountNumber": 1300}, {"AccountType": "Bank",
                                                                             "AccountNumber": 1100})  # fmt: skip
MASTER = {
    "/v2/companysettings": company(),
    "/v2/countries": COUNTRIES,
    "/v2/articles": ARTICLES,
    "/v2/articleaccountcodings": CODINGS,
    "/v2/termsofpayments": TERMS,
    "/v2/fiscalyears": YEARS,
    f"/v2/accounts/{YEAR}": ACCOUNTS,
    "/v2/accounts/standardaccounts": STANDARD,
    "/v2/vatcodes": CODES,
}


# ---- records -----------------------------------------------------------------------------------------------


def party(**fields):
    return answer({"Id": CUSTOMER_ID, "InvoiceCountryCode": "NL", "CurrencyCode": "EUR", "IsPrivatePerson": False,
                   **fields})  # fmt: skip


def draft_record(**fields):
    return {
        "Id": DRAFT_ID, "CustomerId": CUSTOMER_ID, "OurReference": "2026-03/17", "TotalAmount": Decimal("121.0"),
        "TotalVatAmount": 21, "TotalRoundings": 0, "InvoiceCurrencyCode": "EUR", "InvoiceDate": "2026-03-31",
        "DueDate": "2026-04-14", "IncludesVat": False, "SalesDocumentAttachments": [],
        "Rows": [
            {"IsTextRow": True, "Text": "Project", "VatRate": None},
            {"IsTextRow": False, "Quantity": 2, "UnitPrice": 50, "DiscountPercentage": 0, "VatRate": Decimal("0.21")},
        ],
        **fields,
    }  # fmt: skip


def invoice_record(**fields):
    return {
        "Id": INVOICE_ID, "CustomerId": CUSTOMER_ID, "OurReference": "2026-03/17", "InvoiceNumber": 1007,
        "TotalAmountInvoiceCurrency": 121, "TotalVatAmountInvoiceCurrency": 21, "CurrencyCode": "EUR",
        "InvoiceDate": "2026-03-31T00:00:00", "DueDate": "2026-04-14", "PaymentStatus": 1, "IsQuickInvoice": False,
        "VatSpecification": [{"AmountInvoiceCurrency": 100, "VatAmountInvoiceCurrency": 21, "VatPercent": 21}],
        "SalesDocumentAttachments": None, **fields,
    }  # fmt: skip


def item_record(**fields):
    return {
        "Id": ITEM_ID, "CustomerId": CUSTOMER_ID, "InvoiceNumber": 20260815, "VoucherId": VOUCHER_ID,
        "TotalAmountInvoiceCurrency": 121, "RemainingAmountInvoiceCurrency": 121, "VATAmountInvoiceCurrency": 21,
        "InvoiceDate": "2026-03-31", **fields,
    }  # fmt: skip


def gone():
    return NotFound("Visma has no such record", vendor="visma")


def refused():
    return InvalidRequest("Visma refused the request", problems=[])


HOME = Address(street="Voorbeeldstraat 12", postal_code="3511 AB", city="Utrecht", country_code="NL")
CUSTOMER = Customer(id=CUSTOMER_ID, number="5001", name="Quellmoos Voorbeeld BV", address=HOME)


def hours(**fields):
    content = {"description": "Advies", "quantity": Decimal("2.25"), "unit": "uur", "unit_price": Decimal(95),
               "tax_rate": Decimal(21)}  # fmt: skip
    return LineItem(**{**content, **fields})


def draft(*lines, **fields):
    content = {"reference": "2026-03/17", "customer": CUSTOMER, "lines": lines or (hours(),),
               "issue_date": date(2026, 3, 31)}  # fmt: skip
    return InvoiceDraft(**{**content, **fields})


def issued(*lines, **fields):
    content = {"number": "20260815", "customer": CUSTOMER, "lines": lines or (hours(),),
               "issue_date": date(2026, 3, 31), "sent_at": NOW}  # fmt: skip
    return IssuedInvoice(**{**content, **fields})


# ---- playing -----------------------------------------------------------------------------------------------


def play(flow, answers=None):
    """Run a flow; *answers* by path go before the master data, and the last one of a path stands for all later."""
    given = {**MASTER, **(answers or {})}
    left = {path: list(one) if isinstance(one, list) else [one] for path, one in given.items()}
    asked = []

    def reply(request):
        asked.append(request)
        found = left.get(request.path)
        assert found, f"nothing is known of {request.method} {request.path} {request.params}"
        return found.pop(0) if len(found) > 1 else found[0]

    return Played(drive(flow, reply, {}), asked)


def drive(flow, reply, cache):
    value = None
    try:
        while True:
            try:
                step = flow.throw(value) if isinstance(value, Exception) else flow.send(value)
            except StopIteration as stop:
                return stop.value
            if isinstance(step, Cached):
                try:
                    if step.fresh or step.key not in cache:
                        cache[step.key] = drive(step.flow(), reply, cache)
                    value = cache[step.key]
                except AssertionError:
                    raise
                except Exception as exc:
                    value = exc
            elif isinstance(step, Report):
                value = None
            else:
                assert isinstance(step, Request)
                value = reply(step)
                if isinstance(value, Response):
                    value = evolve(value, request=step)
    finally:
        flow.close()


def writes(played):
    return [request for request in played.requests if request.method != "GET"]


# ---- the vendor's own description --------------------------------------------------------------------------


def described():
    """The vendor's OpenAPI file; skips where it is not at hand."""
    path = SHARED / "specs" / "visma" / "eaccounting-v2.subset.json"
    if not path.exists():
        pytest.skip("the vendor's OpenAPI file is not at hand (ACCOUNTING_BRIDGE_SHARED)")
    return json.loads(path.read_text())


def misfits(spec, request):
    """What of a request is not as the vendor describes it: path, query, body."""
    path = request.path.removeprefix("/v2").lower()
    for template, operations in spec["paths"].items():
        pattern = re.sub(r"\{[a-zA-Z]+\}", "[0-9a-f-]+", template.lower())
        if re.fullmatch(pattern, path) and request.method.lower() in operations:
            operation = operations[request.method.lower()]
            break
    else:
        return [f"{request.method} {request.path} is not described"]
    known = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    found = [f"query {name} is not described" for name, _ in request.params if name not in known]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "schema" in content:
        found += list(_misfits(spec, content["schema"], json.loads(request.body, parse_float=Decimal), "$"))
    return found


_KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, Decimal),
          "null": type(None)}  # fmt: skip


def _misfits(spec, schema, value, at):
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "oneOf" in schema or "anyOf" in schema:
        tried = [list(_misfits(spec, one, value, at)) for one in schema.get("oneOf") or schema["anyOf"]]
        yield from [] if [] in tried else min(tried, key=len)
        return
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    fits = [kind for kind in kinds if isinstance(value, _KINDS[kind])]
    if kinds and (not fits or (isinstance(value, bool) and "boolean" not in kinds)):
        yield f"{at} is none of {kinds}"
        return
    if isinstance(value, str) and len(value) > schema.get("maxLength", 10**9):
        yield f"{at} is too long"
    if isinstance(value, dict):
        known = schema.get("properties", {})
        yield from (f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, inner in value.items():
            if name not in known:
                yield f"{at}.{name} is not described"
            elif known[name].get("readOnly"):
                yield f"{at}.{name} is read-only"
            else:
                yield from _misfits(spec, known[name], inner, f"{at}.{name}")
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _misfits(spec, schema["items"], inner, f"{at}[{index}]")
