"""What the adversarial contract tests share: both vendors behind real sockets, and how their answers are shaped."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from attrs import evolve, field, frozen

import accounting_bridge as ab
from accounting_bridge.sandbox import Server, serve

SETTLE = 0.3
QUICK = ab.Policy(deadline=10.0, timeout=2.0, settle_time=SETTLE)
VENDORS = ("lexoffice", "billomat")


@frozen(kw_only=True)
class Paths:
    """Where a vendor's things are."""

    customers: str
    new_customer: str
    invoices: str
    new_invoice: str
    new_sale: str
    articles: str
    upload: str
    check: str


PATHS = {
    "lexoffice": Paths(
        customers="GET /v1/contacts$",
        new_customer="POST /v1/contacts$",
        invoices="GET /v1/invoices/",
        new_invoice="POST /v1/invoices$",
        new_sale="POST /v1/vouchers$",
        articles="GET /v1/articles$",
        upload="POST /v1/vouchers/[^/]+/files$",
        check="GET /v1/profile$",
    ),
    "billomat": Paths(
        customers="GET /api/clients$",
        new_customer="POST /api/clients$",
        invoices="GET /api/invoices/[0-9]+$",
        new_invoice="POST /api/invoices$",
        new_sale="POST /api/invoices$",
        articles="GET /api/articles$",
        upload="PUT /api/invoices/[0-9]+/upload-signature$",
        check="GET /api/clients/myself$",
    ),
}


@frozen
class Vendor:
    """One vendor's sandbox on a real socket."""

    server: Server[Any]
    drifts: list[ab.Drift] = field(factory=list)

    @property
    def name(self) -> str:
        return str(self.server.sandbox.vendor)

    @property
    def box(self) -> Any:
        return self.server.sandbox

    @property
    def paths(self) -> Paths:
        return PATHS[self.name]

    def connect(self, policy: ab.Policy = QUICK, **extra: Any) -> ab.AccountingProvider:
        """A provider of its own memory that hurries; ``settings`` go on top of the sandbox's own."""
        settings = {**self.server.settings, **self._usual(), **extra.pop("settings", {})}
        hooks = ab.Hooks(on_drift=self.drifts.append)
        arguments = {
            "base_url": self.server.url, "policy": policy, "limits": ab.Unlimited(), "hooks": hooks,
            "journal": ab.MemoryJournal(), "tenant": "tests", **extra,
        }  # fmt: skip
        return ab.connect(self.name, settings, **arguments)

    def _usual(self) -> dict[str, Any]:
        return {"mirror_sales": True} if self.name == "billomat" else {}

    def records(self, body: Any, kind: str = "customer") -> list[Any]:
        """The list inside a page, to be changed in place."""
        if self.name == "lexoffice":
            found: list[Any] = body["content"] if isinstance(body, dict) else body
            return found
        plural, single = {
            "customer": ("clients", "client"), "article": ("articles", "article"), "tax": ("taxes", "tax"),
            "unit": ("units", "unit"),
        }[kind]  # fmt: skip
        one: list[Any] = body[plural][single]
        return one

    def references(self, reference: str) -> int:
        """How many invoices in the books carry it."""
        if self.name == "billomat":
            return sum(invoice.label == reference for invoice in self.box.invoices)
        return sum((invoice.remark or "").splitlines()[-1:] == [f"Ref. {reference}"] for invoice in self.box.invoices)

    def sales(self, number: str) -> int:
        """How many sales entries the books hold under this number."""
        entries: Sequence[Any] = self.box.invoices if self.name == "billomat" else self.box.sales_entries
        names = [entry.label if self.name == "billomat" else entry.number for entry in entries]
        return names.count(number)

    def writes(self) -> list[str]:
        """Every call that was not a read."""
        return [f"{call.method} {call.path}" for call in self.box.log if call.method not in {"GET", "HEAD"}]


@contextmanager
def serving(vendor: str, **options: Any) -> Iterator[Vendor]:
    """A vendor without a rate limit, with few customers unless asked otherwise."""
    with serve(vendor, **{"customers": 8, "rate_limit": False, **options}) as server:
        yield Vendor(server)


def change_page(change: Callable[[list[Any]], Any], vendor: Vendor, kind: str = "customer") -> Callable[[Any], Any]:
    """A mutation of the records of a page, in place."""

    def mutation(body: Any) -> Any:
        change(vendor.records(body, kind))
        return body

    return mutation


# ---- documents that both vendors take --------------------------------------------------------------------------


def customer(number: str = "4711", **changes: Any) -> ab.Customer:
    wanted = ab.Customer(
        number=number,
        name=f"Musterwerk {number} GmbH",
        email=f"rechnung-{number}@musterwerk.example",
        address=ab.Address(street="Beispielweg 7", postal_code="10115", city="Berlin", country_code="DE"),
    )
    return evolve(wanted, **changes)


def line(**changes: Any) -> ab.LineItem:
    content: dict[str, Any] = {
        "description": "Beratung", "quantity": Decimal("7.25"), "unit": "h", "unit_price": Decimal("95.00"),
        "tax_rate": Decimal(19),
    }  # fmt: skip
    return ab.LineItem(**{**content, **changes})


def draft(reference: str = "2026-03/4711", **changes: Any) -> ab.InvoiceDraft:
    content: dict[str, Any] = {
        "reference": reference,
        "customer": customer(),
        "issue_date": date(2026, 3, 31),
        "payment_terms_days": 14,
        "lines": [line()],
    }
    return ab.InvoiceDraft(**{**content, **changes})


def issued(number: str = "2026-0815", **changes: Any) -> ab.IssuedInvoice:
    content: dict[str, Any] = {
        "number": number,
        "customer": customer(),
        "issue_date": date(2026, 3, 31),
        "due_date": date(2026, 4, 14),
        "sent_at": datetime(2026, 3, 31, 15, 0, tzinfo=UTC),
        "lines": [line(quantity=Decimal(8))],
        "pdf": b"%PDF-1.4\n% an invented invoice\n%%EOF\n",
    }
    return ab.IssuedInvoice(**{**content, **changes})
