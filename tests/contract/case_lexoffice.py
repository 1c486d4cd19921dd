"""lexoffice, as the adversarial contract tests see it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from vendor_case import HIDDEN, KEY, Misfit, Path, Paths, Reference, Vendor

from accounting_bridge.sandbox import LexofficeSandbox, Sandbox
from accounting_bridge.vendors.lexoffice import contacts, wire


class LexofficeCase(Vendor):
    name = "lexoffice"
    paths = Paths(
        check="GET /v1/profile$",
        customers="GET /v1/contacts$",
        new_customer="POST /v1/contacts$",
        invoices="GET /v1/invoices/",
        new_invoice="POST /v1/invoices$",
        sales="GET /v1/vouchers/",
        new_sale="POST /v1/vouchers$",
        upload="POST /v1/vouchers/[^/]+/files$",
        articles="GET /v1/articles$",
    )
    canary: ClassVar[Mapping[str, str]] = {"api_key": KEY}
    wrong: ClassVar[Mapping[str, str]] = {"api_key": "not-the-key-of-anybody"}

    @classmethod
    def box_of_canary(cls) -> Sandbox:
        return LexofficeSandbox(api_key=KEY, customers=5, rate_limit=False)

    def change_key(self) -> None:
        self.box.api_key = "another-key-of-another-time"

    def credentials(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.box.api_key}"}

    # -- the books --

    final_at_creation = True

    def reference_of(self, invoice: Any) -> str | None:
        last = (invoice.remark or "").splitlines()[-1:]
        return last[0].removeprefix("Ref. ") if last and last[0].startswith("Ref. ") else None

    def is_draft(self, invoice: Any) -> bool:
        return bool(invoice.status == "draft")

    def files_of(self, number: str) -> int:
        (entry,) = [entry for entry in self.box.sales_entries if entry.number == number]
        return len(entry.files)

    unknown_id = "99999999-9999-4999-8999-999999999999"
    unfit_customer = Misfit(
        changes={"currency": "CHF", "phone": "1" * 31, "payment_terms_days": 14},
        fields=["customer.currency", "customer.phone"],
    )

    def with_gross(self, body: Any, gross: str) -> Any:
        totals = body.get("totalPrice", body)
        totals["totalGrossAmount"] = Decimal(gross)
        return body

    # -- customers --

    whole: ClassVar[Mapping[str, Any]] = {
        "id": "11111111-2222-4333-8444-555555555555",
        "version": 1,
        "roles": {"customer": {"number": 20001}},
        "company": {
            "name": "Musterwerk Vollständig GmbH",
            "taxNumber": "12/345/67890",
            "vatRegistrationId": "DE123456789",
            "contactPersons": [
                {
                    "firstName": "Erika",
                    "lastName": "Beispiel",
                    "emailAddress": "erika@musterwerk.example",
                    "phoneNumber": "030 5550 1",
                }
            ],
        },
        "addresses": {
            "billing": [
                {
                    "supplement": "Hof",
                    "street": "Beispielweg 7",
                    "zip": "10115",
                    "city": "Berlin",
                    "countryCode": "DE",
                }
            ]
        },
        "emailAddresses": {"business": ["buero@musterwerk.example"]},
        "phoneNumbers": {"business": ["030 5550 0"]},
        "note": "IBAN: DE02120300000000202051",
        "archived": False,
    }
    needed = frozenset[Path]({("id",), ("company",), ("company", "name")})
    unread = frozenset({"version"})
    not_nullable = frozenset[Path]({("archived",)})  # null is no answer to a question of yes or no
    name_at = ("company", "name")
    new_values: ClassVar[Mapping[str, Any]] = {"roles": {"customer": {"number": 1}, "reseller": {}}}
    list_at = ("content",)
    pages_without_list = ({},)
    envelope_names = ("last", "totalPages", "totalElements", "first", "numberOfElements", "size", "number", "sort")

    @classmethod
    def small_pages(cls, patch: pytest.MonkeyPatch, size: int) -> None:
        patch.setattr(contacts, "PAGE_SIZE", size)
        patch.setattr(wire, "PAGE_SIZE", size)

    @classmethod
    def record_id(cls, count: int) -> Any:
        return f"00000000-0000-4000-8000-{count:012}"

    @classmethod
    def index_of(cls, query: Mapping[str, str]) -> int:
        return int(query.get("page", "0"))

    @classmethod
    def page(cls, body: Any, rows: list[Any], *, index: int, size: int, total: int) -> Any:
        pages = -(-total // size)
        return {
            **body, "content": rows, "totalElements": total, "totalPages": pages, "last": index >= pages - 1,
            "size": size, "number": index,
        }  # fmt: skip

    @classmethod
    def envelope(cls, body: Any) -> Any:
        return body

    @classmethod
    def unannounced(cls, body: Any) -> Any:
        return {**body, "last": body["content"] == []}

    @classmethod
    def endless(cls, body: Any, rows: list[Any]) -> Any:
        return {**body, "content": rows, "last": False, "totalElements": 10_000}

    @classmethod
    def records(cls, body: Any, kind: str = "customer") -> list[Any]:
        found: list[Any] = body["content"] if isinstance(body, dict) else body
        return found

    # -- other lists --

    article_price = ("price", {"netPrice": HIDDEN})
    reference_lists = (
        Reference(
            path="GET /v1/posting-categories$",
            read=lambda provider: provider.ledger_accounts(),
            what="category",
            odd=[None, HIDDEN, {}, {"id": "x", "name": None, "type": "income"}],
        ),
        Reference(
            path="GET /v1/payment-conditions$",
            read=lambda provider: provider.payment_terms(),
            what="payment term",
            odd=[None, HIDDEN, {"paymentTermDuration": [HIDDEN]}],
        ),
    )

    # -- invoices read back --

    invoice_needs = (
        ("id",), ("voucherStatus",), ("totalPrice",), ("totalPrice", "totalNetAmount"),
        ("totalPrice", "totalTaxAmount"), ("totalPrice", "totalGrossAmount"),
    )  # fmt: skip
    invoice_may_lack = (
        ("voucherNumber",), ("voucherDate",), ("address",), ("address", "contactId"), ("remark",), ("taxAmounts",),
        ("totalPrice", "currency"),
    )  # fmt: skip
    status_at = ("voucherStatus",)
    odd_rates = (("taxAmounts",), [{"taxRatePercentage": HIDDEN}])
    rates_are_totals = True
