"""Billomat, as the adversarial contract tests see it: with mirrored sales, so that there are any."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from vendor_case import HIDDEN, KEY, OTHER_SECRET, Misfit, Paths, Reference, Vendor

from accounting_bridge.sandbox import BillomatSandbox, Call, Sandbox
from accounting_bridge.sandbox.billomat.account import BillomatAccount

_LISTS = {
    "customer": ("clients", "client"), "article": ("articles", "article"), "tax": ("taxes", "tax"),
    "unit": ("units", "unit"),
}  # fmt: skip


class BillomatCase(Vendor):
    name = "billomat"
    paths = Paths(
        check="GET /api/clients/myself$",
        customers="GET /api/clients$",
        new_customer="POST /api/clients$",
        invoices="GET /api/invoices/[0-9]+$",
        new_invoice="POST /api/invoices$",
        sales="GET /api/invoices/[0-9]+$",
        new_sale="POST /api/invoices$",
        upload="PUT /api/invoices/[0-9]+/upload-signature$",
        articles="GET /api/articles$",
    )
    options: ClassVar[Mapping[str, Any]] = {"mirror_sales": True}
    canary: ClassVar[Mapping[str, str]] = {
        "account": "musterbuero",
        "api_key": KEY,
        "app_id": "4711",
        "app_secret": OTHER_SECRET,
    }
    wrong: ClassVar[Mapping[str, str]] = {"api_key": "0123456789abcdef0123456789abcdef"}

    @classmethod
    def box_of_canary(cls) -> Sandbox:
        account = BillomatAccount(app_id="4711", app_secret=OTHER_SECRET)
        box = BillomatSandbox(account=account, customers=5, rate_limit=False)
        box.api_key = KEY
        box.reset()
        return box

    def change_key(self) -> None:
        self.box.api_key = "0123456789abcdef0123456789abcdef"
        self.box.reset()

    def credentials(self) -> dict[str, str]:
        return {"x-billomatapikey": self.box.api_key}

    # -- the books --

    mirrors_sales = True

    def reference_of(self, invoice: Any) -> str | None:
        return invoice.label or None

    def is_draft(self, invoice: Any) -> bool:
        return bool(invoice.status == "DRAFT")

    def sales(self, number: str) -> int:
        return self.references(number)

    def files_of(self, number: str) -> int:
        (mirror,) = [invoice for invoice in self.box.invoices if invoice.label == number]
        headers = {"accept": "application/json", **self.credentials()}
        reply = self.box.handle(Call.to("GET", f"/api/invoices/{mirror.id}/pdf?type=signed", headers=headers))
        return 1 if reply.value()["pdf"]["base64file"] else 0

    unknown_id = "99999999"
    unfit_customer = Misfit(
        changes={"email": "no mail address", "iban": "DE00", "number": "KD-A"},
        fields=["customer.email", "customer.iban", "customer.number"],
    )
    makes_foreign_drafts = True

    def with_gross(self, body: Any, gross: str) -> Any:
        body["invoice"]["total_gross"] = gross
        return body

    # -- customers --

    whole: ClassVar[Mapping[str, Any]] = {
        "id": "4860001",
        "archived": "0",
        "client_number": "KD20001",
        "name": "Musterwerk Vollständig GmbH",
        "first_name": "Erika",
        "last_name": "Beispiel",
        "street": "Beispielweg 7\nHof",
        "zip": "10115",
        "city": "Berlin",
        "country_code": "DE",
        "phone": "030 5550 0",
        "email": "buero@musterwerk.example",
        "www": "www.musterwerk.example",
        "tax_number": "12/345/67890",
        "vat_number": "DE123456789",
        "bank_iban": "DE02120300000000202051",
        "bank_swift": "BYLADEM1001",
        "locale": "de_DE",
        "due_days_type": "ABSOLUTE",
        "due_days": "30",
        "currency_code": "EUR",
        "updated": "2026-01-02T09:00:00+01:00",
    }  # with a first and a last name, a name is not needed
    new_values: ClassVar[Mapping[str, Any]] = {"due_days_type": "LUNAR"}
    list_at = ("clients", "client")
    envelope_names = ("@page", "@per_page", "@total")
    newest_last = True

    @classmethod
    def small_pages(cls, patch: pytest.MonkeyPatch, size: int) -> None:
        patch.setattr("accounting_bridge.vendors.billomat.wire.PER_PAGE", size)

    @classmethod
    def record_id(cls, count: int) -> Any:
        return str(count)

    @classmethod
    def index_of(cls, query: Mapping[str, str]) -> int:
        return int(query.get("page", "1")) - 1

    @classmethod
    def page(cls, body: Any, rows: list[Any], *, index: int, size: int, total: int) -> Any:
        envelope = {"@page": str(index + 1), "@per_page": str(size), "@total": str(total)}
        return {"clients": {**({"client": rows if len(rows) != 1 else rows[0]} if rows else {}), **envelope}}

    @classmethod
    def envelope(cls, body: Any) -> Any:
        return body["clients"]

    @classmethod
    def unannounced(cls, body: Any) -> Any:
        del body["clients"]["@total"]
        return body

    @classmethod
    def endless(cls, body: Any, rows: list[Any]) -> Any:
        envelope = {"@page": "1", "@per_page": "3", "@total": "999999999"}
        return {"clients": {**({"client": rows} if rows else {}), **envelope}}

    @classmethod
    def records(cls, body: Any, kind: str = "customer") -> list[Any]:
        plural, single = _LISTS[kind]
        one: list[Any] = body[plural][single]
        return one

    # -- other lists --

    article_price = ("sales_price", HIDDEN)
    reference_lists = (
        Reference(
            path="GET /api/taxes$",
            kind="tax",
            read=lambda provider: provider.tax_rates(),
            what="tax",
            odd=[{}, {"id": "1", "rate": HIDDEN}, {"id": "1", "rate": "250"}, {"rate": "5"}],
        ),
        Reference(
            path="GET /api/units$",
            kind="unit",
            read=lambda provider: list(provider.import_articles()),
            what="unit",
            odd=[{"name": [HIDDEN]}],
        ),
    )

    # -- invoices read back --

    invoice_needs = (
        ("invoice", "id"), ("invoice", "status"), ("invoice", "total_net"), ("invoice", "total_gross"),
    )  # fmt: skip
    invoice_may_lack = (
        ("invoice", "client_id"), ("invoice", "invoice_number"), ("invoice", "label"), ("invoice", "date"),
        ("invoice", "due_date"), ("invoice", "currency_code"), ("invoice", "taxes"),
    )  # fmt: skip
    status_at = ("invoice", "status")
    odd_rates = (("invoice", "taxes"), {"tax": [{"rate": HIDDEN}]})
