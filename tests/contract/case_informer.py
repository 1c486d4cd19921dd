"""Informer, as the adversarial contract tests see it: a Dutch administration, customers filled up with placeholders."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from attrs import evolve
from vendor_case import HIDDEN, KEY, SHORT_CODE, Misfit, Paths, Reference, Vendor

import accounting_bridge as ab
from accounting_bridge.sandbox import InformerSandbox, Sandbox


class InformerCase(Vendor):
    name = "informer"
    paths = Paths(
        check="GET /v2/administration$",
        customers="GET /v2/relations$",
        new_customer="POST /v2/relations$",
        invoices="GET /v2/invoices/sales/[0-9]+$",
        new_invoice="POST /v2/invoices/sales$",
        sales="GET /v2/salesbook/[0-9]+$",
        new_sale="POST /v2/salesbook$",
        upload=None,
        attach="POST /v2/invoices/sales/[0-9]+/attachments$",
        articles="GET /v2/products$",
    )
    rate = Decimal(21)
    options: ClassVar[Mapping[str, Any]] = {"ledger_account": "8010, 8020, 8040, 8050, 8060, 8065, 8070"}
    """One account for each VAT rate and tax-free option of the sandbox's chart."""
    canary: ClassVar[Mapping[str, str]] = {"api_key": KEY, "security_code": SHORT_CODE}
    wrong: ClassVar[Mapping[str, str]] = {"api_key": "Abcdefghijklmnopqrstuvwxyz0123456789Abcdefghijklmno"}

    @classmethod
    def box_of_canary(cls) -> Sandbox:
        return InformerSandbox(api_key=KEY, security_code=SHORT_CODE, customers=5, rate_limit=False)

    def change_key(self) -> None:
        self.box.api_key, self.box.security_code = self.wrong["api_key"], "01234"

    def credentials(self) -> dict[str, str]:
        return {"apikey": self.box.api_key, "securitycode": self.box.security_code}

    # -- the books --

    unique_customer_numbers = True

    def reference_of(self, invoice: Any) -> str | None:
        return invoice.reference or None

    def is_draft(self, invoice: Any) -> bool:
        return bool(invoice.concept)

    def files_of(self, number: str) -> int:
        (entry,) = [entry for entry in self.box.sales_entries if entry.number == number]
        return len(entry.files)

    def renew(self) -> None:
        self.box.administration = evolve(self.box.administration, trade_module=False)
        super().renew()

    def open_shop(self) -> None:
        self.box.administration = evolve(self.box.administration, trade_module=True)
        self.box.reset()

    unknown_id = "99999999"
    unfit_customer = Misfit(
        changes={"email": "no mail address", "iban": "DE00", "number": "KD-A", "currency": "CHF"},
        fields=["customer.currency", "customer.email", "customer.iban", "customer.number"],
    )
    unfit_file = (ab.Attachment(filename="a.exe", content=b"MZ"), "attachments[0].filename")

    def with_gross(self, body: Any, gross: str) -> Any:
        one = body[0] if isinstance(body, list) else body
        one["totals"]["incl_vat"] = Decimal(gross)
        return body

    # -- customers --

    whole: ClassVar[Mapping[str, Any]] = {
        "id": 200001,
        "relation_number": 20001,
        "relation_type": 0,
        "company_name": "Musterwerk Vollständig GmbH",
        "firstname": "Erika",
        "surname_prefix": "van",
        "surname": "Beispiel",
        "street": "Beispielweg",
        "house_number": "7",
        "house_number_suffix": "",
        "zip": "10115",
        "city": "Berlin",
        "country": "DE",
        "phone": "030 5550 0",
        "web": "https://www.musterwerk.example",
        "email": "buero@musterwerk.example",
        "email_invoice": "rechnung@musterwerk.example",
        "coc": "12345678",
        "vat": "DE123456789",
        "iban": "DE02120300000000202051",
        "bic": "BYLADEM1001",
        "payment_condition_id": 863427,
        "last_edit": "2026-01-02 09:00:00",
        "subtype": {"lead": False, "supplier": False, "prospect": False, "active": True, "customer": True},
        "contacts": [
            {
                "firstname": "Erika",
                "surname_prefix": "van",
                "surname": "Beispiel",
                "phone": "030 5550 1",
                "mobile": "030 5550 2",
                "email": "erika@musterwerk.example",
            }
        ],
    }  # without a company's name, that of the person stands in
    addition = None  # there is no field for it
    unread = frozenset({"subtype"})  # who is no customer does not arrive
    forgiven = frozenset({"contacts"})
    name_at = ("company_name",)
    new_values: ClassVar[Mapping[str, Any]] = {"relation_type": 7, "preferred_send_method": "pigeon"}
    list_at = ("relations",)
    pages_without_list = ([],)  # an empty PHP array stands for an empty object
    envelope_names = ("page", "records", "total", "pages")

    @classmethod
    def record_id(cls, count: int) -> Any:
        return count

    @classmethod
    def index_of(cls, query: Mapping[str, str]) -> int:
        return int(query.get("page", "1")) - 1

    @classmethod
    def page(cls, body: Any, rows: list[Any], *, index: int, size: int, total: int) -> Any:
        envelope = {"page": index + 1, "records": size, "total": total, "pages": -(-total // size)}
        return {"pagination": envelope, "relations": rows}

    @classmethod
    def envelope(cls, body: Any) -> Any:
        return body["pagination"]

    @classmethod
    def unannounced(cls, body: Any) -> Any:
        del body["pagination"]["total"], body["pagination"]["pages"]
        return body

    @classmethod
    def endless(cls, body: Any, rows: list[Any]) -> Any:
        return {"pagination": {"page": 1, "records": 3, "total": 999_999_999, "pages": 333_333_333}, "relations": rows}

    @classmethod
    def records(cls, body: Any, kind: str = "customer") -> list[Any]:
        found: list[Any] = body["relations"] if kind == "customer" else body
        return found

    # -- other lists --

    article_name = "description_sales"
    article_price = ("amount_sales", HIDDEN)
    reference_lists = (
        Reference(
            path="GET /v2/invoices/sales/options$",
            read=lambda provider: (provider.tax_rates(), provider.ledger_accounts()),
            what="VAT option",
            odd=[None, HIDDEN, {}, {"id": 1, "percentage": HIDDEN}, {"id": [HIDDEN], "percentage": 21}],
        ),
        Reference(
            path="GET /v2/payment-conditions$",
            read=lambda provider: provider.payment_terms(),
            what="payment condition",
            odd=[None, HIDDEN, {}, {"id": 1, "days": HIDDEN}],
        ),
    )

    # -- invoices read back --

    invoice_needs = (("id",), ("totals",), ("totals", "excl_vat"), ("totals", "incl_vat"))
    invoice_may_lack = (
        ("number",), ("relation_id",), ("invoice_date",), ("expiry_date",), ("vat_option",), ("currency_id",),
        ("reference",), ("url",), ("status",), ("send_options",), ("lines",), ("totals", "vat"), ("totals", "open"),
        ("totals", "paid"),
    )  # fmt: skip
    status_at = None  # the vendor's label is free text
    odd_rates = (("lines",), [{"info": False, "qty": HIDDEN, "amount": 1, "vat": {"percentage": 21}}])
