"""Visma, as the adversarial contract tests see it: a Dutch company whose user has consented."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from vendor_case import ACCESS, HIDDEN, KEY, REFRESH, Misfit, Paths, Reference, Vendor

import accounting_bridge as ab
from accounting_bridge.flow import Token
from accounting_bridge.sandbox import Sandbox
from accounting_bridge.sandbox.visma import SCOPE, VismaSandbox
from accounting_bridge.sandbox.visma.identity import Client

_GUID = "[0-9a-f-]{36}"
_ARTICLES = {article.values["Number"]: article.id for article in VismaSandbox()._articles.all.values()}
"""The same for every sandbox of this seed."""
CLIENT_ID = "urenwerk"
"""With its colon three times three characters: so the base64 of the secret stands in the header as it is by itself."""


def only_digits(number: str) -> int:
    return int("".join(mark for mark in number if mark.isdigit()))


class CanarySandbox(VismaSandbox):
    """Knows one client and one grant, also after a reset."""

    def _open_books(self) -> None:
        self._client = Client(client_id=CLIENT_ID, client_secret=KEY, redirect_uri=self._client.redirect_uri)
        super()._open_books()
        pair = self._tokens.issue(self._tokens.open(CLIENT_ID, tuple(SCOPE.split())))
        pair.access, pair.refresh = ACCESS, REFRESH
        self._tokens._by_access[ACCESS] = self._tokens._by_refresh[REFRESH] = pair


class VismaCase(Vendor):
    name = "visma"
    paths = Paths(
        check="GET /v2/companysettings$",
        customers="GET /v2/customers$",
        new_customer="POST /v2/customers$",
        invoices=f"GET /v2/customerinvoice(drafts|s)/{_GUID}$",
        new_invoice="POST /v2/customerinvoicedrafts$",
        sales=f"GET /v2/customerledgeritems/{_GUID}$",
        new_sale="POST /v2/customerledgeritems/customerledgeritemswithvoucher$",
        upload="POST /v2/salesdocumentattachments/customerinvoice$",
        attach="POST /v2/salesdocumentattachments/customerinvoice(draft)?$",
        articles="GET /v2/articles$",
    )
    rate = Decimal(21)
    options: ClassVar[Mapping[str, Any]] = {
        "articles": {"service/21": _ARTICLES["1"], "service/9": _ARTICLES["2"], "service/0": _ARTICLES["3"]},
        "number_map": only_digits,
    }
    canary: ClassVar[Mapping[str, str]] = {
        "client_id": CLIENT_ID,
        "client_secret": KEY,
        "redirect_uri": "https://localhost:44300/callback",
    }
    wrong: ClassVar[Mapping[str, str]] = {}  # what opens the books is the grant
    knocks = 2  # at the API, then at the identity server for another token

    @classmethod
    def box_of_canary(cls) -> Sandbox:
        return CanarySandbox(customers=5, rate_limit=False)

    @classmethod
    def secrets_of_canary(cls) -> Sequence[str]:
        return [KEY, ACCESS, REFRESH, b64encode(f"{CLIENT_ID}:{KEY}".encode()).decode()]

    @classmethod
    def settings_at(cls, url: str) -> dict[str, Any]:
        return {"identity_url": url}

    @classmethod
    def arguments_of_canary(cls, tenant: str) -> dict[str, Any]:
        return {"tokens": store(tenant, Token(access=ACCESS, refresh=REFRESH))}

    def arguments(self, tenant: str) -> dict[str, Any]:
        return {"tokens": store(tenant, grant_of(self.box))}

    def connect_wrong(self) -> ab.AccountingProvider:
        return self.connect(tokens=store("tests", Token(access="opens-nothing", refresh="renews-nothing")))

    def change_key(self) -> None:
        self.box.change_password()

    def credentials(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.box.token_pair().access_token}"}

    # -- the books --

    unique_customer_numbers = True

    def reference_of(self, invoice: Any) -> str | None:
        return invoice.reference or None

    def is_draft(self, invoice: Any) -> bool:
        return bool(invoice.status == "draft")

    def sales(self, number: str) -> int:
        return len(self._entries(number))

    def files_of(self, number: str) -> int:
        (entry,) = self._entries(number)
        return len(entry.files)

    def _entries(self, number: str) -> list[Any]:
        """By the voucher's text: the ledger keeps a whole number only."""
        return [entry for entry in self.box.sales_entries if number in (entry.remark or "").split()]

    def writes(self) -> list[str]:
        return [call for call in super().writes() if not call.startswith("POST /connect/")]

    unknown_id = "00000000-0000-4000-8000-00000000dead"
    unfit_customer = Misfit(
        changes={
            "name": "x" * 51,
            "payment_terms_days": 17,
            "vat_number": "NL1",
            "address": ab.Address(street="Voorbeeldweg 7", postal_code="1234 AB", city="Utrecht", country_code="NL"),
        },
        fields=["customer.name", "customer.payment_terms_days", "customer.vat_number"],
    )
    unfit_file = (
        ab.Attachment(filename="a.exe", content=b"MZ", content_type="application/x-msdownload"),
        "attachments[0].content_type",
    )

    def with_gross(self, body: Any, gross: str) -> Any:
        for name in ("TotalAmount", "TotalAmountInvoiceCurrency"):
            if name in body:
                body[name] = Decimal(gross)
        return body

    # -- customers --

    whole: ClassVar[Mapping[str, Any]] = {
        "Id": "48600010-0000-4000-8000-000000000000",
        "CustomerNumber": "20001",
        "Name": "Musterwerk Vollständig GmbH",
        "IsPrivatePerson": False,
        "IsActive": True,
        "CorporateIdentityNumber": "HRB 12345",
        "VatNumber": "DE123456789",
        "EmailAddress": "buero@musterwerk.example",
        "ContactPersonName": "Erika Beispiel",
        "ContactPersonEmail": "erika@musterwerk.example",
        "ContactPersonMobile": "0170 5550 1",
        "ContactPersonPhone": "030 5550 1",
        "MobilePhone": "0170 5550 0",
        "Telephone": "030 5550 0",
        "InvoiceAddress1": "Beispielweg 7",
        "InvoiceAddress2": "Hof",
        "InvoicePostalCode": "10115",
        "InvoiceCity": "Berlin",
        "InvoiceCountryCode": "DE",
        "CurrencyCode": "EUR",
        "TermsOfPaymentId": "bbbbbbbb-0000-4000-8000-000000000030",
        "Note": "BIC: BYLADEM1001",
        "ReverseChargeOnConstructionServices": False,
        "SalesDocumentLanguage": "de",
        "WwwAddress": "https://www.musterwerk.example",
        "Iban": "DE02120300000000202051",
        "ChangedUtc": "2026-01-02T09:00:00.1234567Z",
    }
    id_name = "Id"
    needed = frozenset({("Id",), ("Name",)})
    name_at = ("Name",)
    new_values: ClassVar[Mapping[str, Any]] = {"SalesDocumentLanguage": "lunar", "DeliveryMethodEmail": 99}
    list_at = ("Data",)
    envelope_names = ("CurrentPage", "PageSize", "TotalNumberOfPages", "TotalNumberOfResults", "ServerTimeUtc")

    @classmethod
    def small_pages(cls, patch: pytest.MonkeyPatch, size: int) -> None:
        patch.setattr("accounting_bridge.vendors.visma.customers._PER_PAGE", size)

    @classmethod
    def record_id(cls, count: int) -> Any:
        return f"{count:08x}-0000-4000-8000-000000000000"

    @classmethod
    def index_of(cls, query: Mapping[str, str]) -> int:
        return int(query.get("$page", "1")) - 1

    @classmethod
    def page(cls, body: Any, rows: list[Any], *, index: int, size: int, total: int) -> Any:
        meta = {
            "CurrentPage": index + 1,
            "PageSize": size,
            "TotalNumberOfPages": -(-total // size),
            "TotalNumberOfResults": total,
            "ServerTimeUtc": "2026-03-31T12:00:00Z",
        }
        return {"Meta": meta, "Data": rows}

    @classmethod
    def envelope(cls, body: Any) -> Any:
        return body["Meta"]

    @classmethod
    def unannounced(cls, body: Any) -> Any:
        del body["Meta"]["TotalNumberOfPages"], body["Meta"]["TotalNumberOfResults"]
        return body

    @classmethod
    def endless(cls, body: Any, rows: list[Any]) -> Any:
        meta = {**body["Meta"], "TotalNumberOfPages": 333_333_333, "TotalNumberOfResults": 999_999_999}
        return {"Meta": meta, "Data": rows}

    @classmethod
    def records(cls, body: Any, kind: str = "customer") -> list[Any]:
        found: list[Any] = body["Data"]
        return found

    # -- other lists --

    article_name = "Name"
    article_price = ("NetPrice", HIDDEN)
    reference_lists = (
        Reference(
            path="GET /v2/termsofpayments$",
            read=lambda provider: provider.payment_terms(),
            what="payment term",
            odd=[None, HIDDEN, {}, {"Id": "1", "NumberOfDays": HIDDEN}, {"Id": [HIDDEN], "AvailableForSales": True}],
        ),
        Reference(
            path="GET /v2/articleaccountcodings$",
            read=lambda provider: provider.tax_rates(),
            what="article coding",
            odd=[None, HIDDEN, {}, {"Id": "1", "VatRatePercent": HIDDEN}, {"VatRatePercent": 5}],
        ),
        Reference(
            path=f"GET /v2/accounts/{_GUID}$",
            read=lambda provider: provider.ledger_accounts(),
            what="ledger account",
            odd=[None, HIDDEN, {}, {"Number": [HIDDEN]}],
        ),
        Reference(
            path="GET /v2/fiscalyears$",
            read=lambda provider: provider.ledger_accounts(),
            what="fiscal year",
            odd=[None, HIDDEN, {}, {"Id": "1", "StartDate": HIDDEN, "EndDate": "2026-12-31"}],
        ),
    )

    # -- invoices read back --

    invoice_needs = (("Id",), ("TotalAmount",), ("TotalVatAmount",))
    invoice_may_lack = (
        ("CustomerId",), ("TotalRoundings",), ("Rows",), ("OurReference",), ("InvoiceCurrencyCode",), ("InvoiceDate",),
        ("DueDate",), ("IncludesVat",), ("SalesDocumentAttachments",),
    )  # fmt: skip
    status_at = None  # drafts and invoices are two resources, and what is paid is a number
    odd_rates = (("Rows",), [{"IsTextRow": HIDDEN}])


# ---- grants --------------------------------------------------------------------------------------------------------


def grant_of(box: Any) -> Token:
    """A grant of the sandbox, as consent and exchange would have given it."""
    pair = box.token_pair()
    return Token(access=pair.access_token, refresh=pair.refresh_token, expires_at=pair.access_expires_at)


def store(tenant: str, grant: Token) -> ab.MemoryTokens:
    tokens = ab.MemoryTokens()
    tokens.save(tenant, "visma", grant)
    return tokens
