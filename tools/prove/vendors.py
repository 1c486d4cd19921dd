"""The vendors on trial: a sandbox, a connection to it, documents with known totals, a look into the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from attrs import evolve, frozen

import accounting_bridge as ab
from accounting_bridge.flow import Token
from accounting_bridge.sandbox import sandbox_class
from accounting_bridge.sandbox.informer import Administration

Kind = str
"""``invoice`` or ``sale``."""
ORIGIN: Final = "http://127.0.0.1:9"
"""Where the sandboxes in process pretend to be; nobody listens there."""
ONE_MONTH: Final = "2026-03"
"""With which the references of all invoices begin."""
NOON: Final = datetime(2026, 3, 31, 12, tzinfo=UTC)
HOME: Final = ZoneInfo("Europe/Amsterdam")
"""Where the books' days begin: the same instant as in Berlin."""
_CENT: Final = Decimal("0.01")
_PRICES: Final = (Decimal(95), Decimal("88.40"), Decimal("12.99"), Decimal("0.42"), Decimal("1234.56"))
_HOURS: Final = ab.Attachment(filename="uren.pdf", content=b"%PDF-1.4\n% invented hours\n%%EOF\n")
_QUANTITIES: Final = (Decimal("7.5"), Decimal(1), Decimal("0.25"), Decimal("3.33"), Decimal(84))


@frozen(kw_only=True)
class Job:
    """One document that the app wants in the books, and what it must come to there."""

    kind: Kind
    reference: str
    document: ab.InvoiceDraft | ab.IssuedInvoice
    finalize: bool
    net: Decimal
    tax: Decimal
    planned: bool = False
    """It is planned, kept as JSON in the app's queue, and applied."""

    @property
    def is_dated(self) -> bool:
        """Whether it says which day it is of; if not, that is the day on which it is made."""
        return self.document.issue_date is not None

    @property
    def gross(self) -> Decimal:
        """Net and tax."""
        return self.net + self.tax


@frozen(kw_only=True)
class Case:
    """One vendor."""

    name: str
    rate: Decimal
    country: str
    creates: Mapping[Kind, str]
    """Method and path of the one call that makes it, as the sandbox's faults match it."""
    scheduled: str
    """Which calls the seeded faults are for: not those to an identity server."""
    reference_of: Callable[[Any], str | None]
    """Of an invoice in the books."""
    mirrors: bool = False
    """Sales are invoices, too."""
    expires: bool = False
    """Its tokens expire."""
    files_of: Callable[[Any, str], int] | None = None
    """How many files an invoice of the books has, by its id; None where it takes none."""

    def box(self, **options: Any) -> Any:
        """A sandbox with few customers and no limit on calls."""
        if self.name == "informer":
            options["administration"] = Administration(country="DE")
        return sandbox_class(self.name)(**{"customers": 2, "rate_limit": False, **options})

    def settings(self, box: Any, origin: str) -> dict[str, Any]:
        """What an app passes to ``connect``."""
        settings: dict[str, Any] = dict(box.settings)
        if self.name == "informer":
            settings["ledger_account"] = "8010, 8020, 8040, 8050, 8060, 8065, 8070"
        if self.name == "billomat":
            settings["mirror_sales"] = True
        if self.name == "visma":
            settings["articles"] = _visma_articles(box)
            settings["identity_url"] = box.origin = origin
        return settings

    def grant(self, box: Any) -> Token | None:
        """What the user has consented to, where it takes that."""
        if not self.expires:
            return None
        pair = box.token_pair()
        return Token(access=pair.access_token, refresh=pair.refresh_token, expires_at=pair.access_expires_at)

    def entries(self, box: Any, job: Job) -> Sequence[Any]:
        """All records in the books that carry the job's reference."""
        if job.kind == "invoice" or self.mirrors:
            return [invoice for invoice in box.invoices if self.reference_of(invoice) == job.reference]
        if self.name == "visma":
            return [entry for entry in box.sales_entries if job.reference in (entry.remark or "").split()]
        return [entry for entry in box.sales_entries if entry.number == job.reference]

    def is_draft(self, entry: Any) -> bool:
        """Whether a document of the books can still be changed. Each vendor has a word for it."""
        return str(entry.status).lower() in {"draft", "concept"}

    def files(self, box: Any, job: Job, entry: Any) -> int | None:
        """How many are with it; None where none are wanted, or another one takes the place of the one before."""
        if job.kind == "sale":
            return None if self.mirrors else len(entry.files)
        wanted = isinstance(job.document, ab.InvoiceDraft) and job.document.attachments
        return self.files_of(box, entry.id) if self.files_of is not None and wanted else None

    # -- documents --

    def customer(self, number: str) -> ab.Customer:
        """One that the books do not hold yet."""
        dutch = self.country == "NL"
        address = ab.Address(
            street="Beispielweg", house_number="7", postal_code="1011 AB" if dutch else "10115",
            city="Musterstadt", country_code=self.country,
        )  # fmt: skip
        return ab.Customer(number=number, name=f"Musterwerk {number} GmbH", address=address)

    def job(
        self, kind: Kind, place: int, chance: Random, *, finalize: bool = False, customer_number: str = "",
        files: bool = False, at: datetime = NOON, dated: bool = True,
    ) -> Job:  # fmt: skip
        """A document of one or two lines; with two, every amount is whole, so that no rounding model matters.

        With *files* an invoice has one, where the vendor takes that; a sale always has its PDF. It is of the day of the
        instant *at*, and an invoice that is not *dated* does not say so.
        """
        if chance.random() < 0.6:
            quantity, price = chance.choice(_QUANTITIES), chance.choice(_PRICES)
            lines = [self._line(quantity, price)]
            net = _to_the_cent(quantity * price)
        else:
            lines = [self._line(Decimal(2), Decimal(150)), self._line(Decimal("1.5"), Decimal(200))]
            net = Decimal(600)
        customer = self.customer(customer_number or str(4711 + chance.randrange(2)))
        reference = f"{ONE_MONTH}/{place}" if kind == "invoice" else str(202_603_000 + place)
        tax = _to_the_cent(net * self.rate / 100)
        document = self._document(kind, reference, customer, lines, at)
        if not dated and isinstance(document, ab.InvoiceDraft):
            document = evolve(document, issue_date=None)
        if files and self.files_of is not None and isinstance(document, ab.InvoiceDraft):
            document = evolve(document, attachments=[_HOURS])
        return Job(kind=kind, reference=reference, document=document, finalize=finalize, net=net, tax=tax)

    def _line(self, quantity: Decimal, price: Decimal) -> ab.LineItem:
        return ab.LineItem(description="Beratung", quantity=quantity, unit="h", unit_price=price, tax_rate=self.rate)

    def _document(
        self, kind: Kind, reference: str, customer: ab.Customer, lines: Sequence[ab.LineItem], at: datetime
    ) -> ab.InvoiceDraft | ab.IssuedInvoice:
        day = at.astimezone(HOME).date()
        if kind == "invoice":
            return ab.InvoiceDraft(
                reference=reference, customer=customer, issue_date=day, payment_terms_days=14, lines=lines
            )  # fmt: skip
        return ab.IssuedInvoice(
            number=reference, customer=customer, issue_date=day, due_date=day + timedelta(days=14),
            sent_at=at - timedelta(hours=1), lines=lines,
            pdf=b"%PDF-1.4\n% an invented invoice\n%%EOF\n",
        )  # fmt: skip


def _informer_files(box: Any, invoice_id: str) -> int:
    return len(box._invoices.all[int(invoice_id)].files)  # noqa: SLF001 - no record shows them


def _visma_files(box: Any, invoice_id: str) -> int:
    found = box._invoices.all.get(invoice_id) or box._drafts.all[invoice_id]  # noqa: SLF001 - no record shows them
    return len(found.attachments)


def _to_the_cent(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _visma_articles(box: Any) -> dict[str, str]:
    headers = {"authorization": f"Bearer {box.token_pair().access_token}"}
    from accounting_bridge.sandbox import Call

    found = box.handle(Call.to("GET", "/v2/articles", headers=headers)).value()["Data"]
    return {"service/21": next(article["Id"] for article in found if article["Number"] == "1")}


def _last_line(invoice: Any) -> str | None:
    last = (invoice.remark or "").splitlines()[-1:]
    return last[0].removeprefix("Ref. ") if last and last[0].startswith("Ref. ") else None


CASES: Final[Mapping[str, Case]] = {
    case.name: case
    for case in (
        Case(
            name="billomat", rate=Decimal(19), country="DE", scheduled="/api/", mirrors=True,
            creates={"invoice": "POST /api/invoices$", "sale": "POST /api/invoices$"},
            reference_of=lambda invoice: invoice.label,
        ),
        Case(
            name="informer", rate=Decimal(19), country="DE", scheduled="/v2/",
            creates={"invoice": "POST /v2/invoices/sales$", "sale": "POST /v2/salesbook$"},
            reference_of=lambda invoice: invoice.reference, files_of=_informer_files,
        ),
        Case(
            name="lexoffice", rate=Decimal(19), country="DE", scheduled="/v1/",
            creates={"invoice": "POST /v1/invoices$", "sale": "POST /v1/vouchers$"},
            reference_of=_last_line,
        ),
        Case(
            name="visma", rate=Decimal(21), country="NL", scheduled="/v2/", expires=True,
            creates={
                "invoice": "POST /v2/customerinvoicedrafts$",
                "sale": "POST /v2/customerledgeritems/customerledgeritemswithvoucher$",
            },
            reference_of=lambda invoice: invoice.reference, files_of=_visma_files,
        ),
    )
}  # fmt: skip
