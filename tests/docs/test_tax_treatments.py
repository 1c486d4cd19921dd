"""Every cell of docs/tax-treatments.md is true of the sandboxes: what is set, what is refused, and in which words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import define, frozen

import accounting_bridge as ab
from accounting_bridge.sandbox import serve
from accounting_bridge.wire import loads

PAGE = Path(__file__).parents[2] / "docs" / "tax-treatments.md"
VENDORS = ("lexoffice", "billomat", "informer", "visma")
FREE = [one for one in ab.TaxTreatment if one is not ab.TaxTreatment.DOMESTIC]
_INTRA_EU = {ab.TaxTreatment.INTRA_EU_GOODS, ab.TaxTreatment.INTRA_EU_SERVICES}
_RATE_OF_ITS_OWN = {ab.TaxTreatment.SMALL_BUSINESS, ab.TaxTreatment.EXEMPT}


# ---- the page --------------------------------------------------------------------------------------------------


@frozen
class Cell:
    """What the page says: a treatment, whose books, and of which customer where that is not the right one."""

    treatment: ab.TaxTreatment
    vendor: str
    customer: str
    works: bool
    words: tuple[str, ...]
    """Of what is booked, or of the refusal."""

    def __str__(self) -> str:
        return f"{self.treatment.value}{f' {self.customer}' if self.customer else ''} at {self.vendor}"


@cache
def _cells(heading: str) -> Sequence[Cell]:
    (section,) = re.findall(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")
    ]
    vendors = [name.lower() for name in head[1:]]
    found = []
    for first, *cells in rows:
        matched = re.fullmatch(r"`(\w+)`(?:, (.*))?", first)
        assert matched is not None, first
        name, customer = matched.groups()
        for vendor, text in zip(vendors, cells, strict=True):
            verdict = text.partition(":")[0]
            assert verdict in {"works", "refused"}, text
            words = tuple(re.findall(r"`([^`]+)`", text))
            assert words or verdict == "works", text
            found.append(Cell(ab.TaxTreatment(name), vendor, customer or "", verdict == "works", words))
    return found


INVOICES = "What is set at the vendor"
CUSTOMERS = "What the customer's record must have"
SALES = "Sales"


@pytest.mark.parametrize("heading", [INVOICES, SALES])
def test_the_page_says_something_of_every_treatment_and_vendor(heading: str) -> None:
    said = {(cell.treatment, cell.vendor) for cell in _cells(heading)}
    assert said == {(treatment, vendor) for treatment in FREE for vendor in VENDORS}


# ---- customers and documents -----------------------------------------------------------------------------------

_NUMBERS = {"DE": "DE136695976", "NL": "NL001234567B01", "AT": "ATU12345675"}
_HOME = {"lexoffice": "DE", "billomat": "DE", "informer": "NL", "visma": "NL"}


def _country(cell: Cell) -> str:
    """Where the customer is: by the page's words, else where the treatment is right."""
    if cell.customer in {"", "without VAT number", "not marked for it"}:
        place = "EU" if cell.treatment in _INTRA_EU else "else" if cell.treatment is ab.TaxTreatment.EXPORT else "home"
    else:
        place = {"at home": "home", "within the EU": "EU", "outside the EU": "else"}[cell.customer]
    return {"home": _HOME[cell.vendor], "EU": "AT", "else": "CH"}[place]


def _customer(cell: Cell) -> ab.Customer:
    country = _country(cell)
    numbered = cell.customer != "without VAT number"
    return ab.Customer(
        number="7001", name="Beispielkunde GmbH", vat_number=_NUMBERS.get(country) if numbered else None,
        address=ab.Address(street="Beispielweg", house_number="7", postal_code="10115", city="Beispielstadt",
                           country_code=country),
    )  # fmt: skip


def _kinds(cell: Cell) -> Sequence[ab.LineKind]:
    """An export is tried with services and with goods, because they may differ."""
    if cell.treatment is ab.TaxTreatment.EXPORT:
        return (ab.LineKind.SERVICE, ab.LineKind.GOODS)
    return (ab.LineKind.GOODS if cell.treatment is ab.TaxTreatment.INTRA_EU_GOODS else ab.LineKind.SERVICE,)


@define
class Books:
    """A vendor's sandbox and a connection to it."""

    vendor: str
    provider: ab.AccountingProvider
    box: Any

    def line(self, cell: Cell, kind: ab.LineKind) -> ab.LineItem:
        return ab.LineItem(
            description="Beratung", quantity=Decimal(8), unit_price=Decimal("95.00"), kind=kind,
            article=self._article(cell, kind),
            tax_rate=0 if cell.treatment is ab.TaxTreatment.DOMESTIC else None,
        )  # fmt: skip

    def _article(self, cell: Cell, kind: ab.LineKind) -> str | None:
        if self.vendor != "visma":
            return None
        of_rate_0 = cell.treatment in _RATE_OF_ITS_OWN
        return next(
            one.id
            for one in self.provider.import_articles()
            if one.is_service is (kind is ab.LineKind.SERVICE) and (one.tax_rate == 0) is of_rate_0
        )

    def draft(self, cell: Cell, kind: ab.LineKind, customer: Any) -> ab.InvoiceDraft:
        return ab.InvoiceDraft(
            reference=f"tax/{kind.value}", customer=customer, lines=[self.line(cell, kind)],
            tax_treatment=cell.treatment, issue_date=date(2026, 3, 31), payment_terms_days=14,
        )  # fmt: skip

    def issued(self, cell: Cell, kind: ab.LineKind, customer: Any) -> ab.IssuedInvoice:
        return ab.IssuedInvoice(
            number=f"2026000{len(kind.value)}", customer=customer, lines=[self.line(cell, kind)],
            tax_treatment=cell.treatment, issue_date=date(2026, 3, 31), due_date=date(2026, 4, 14),
            sent_at=datetime(2026, 3, 31, 15, 0, tzinfo=UTC),
        )  # fmt: skip

    def marked(self, cell: Cell) -> ab.Customer | ab.CustomerRef:
        """The customer of a document; in Visma's books a person has marked it for reverse charge on construction."""
        customer = _customer(cell)
        if (self.vendor, cell.treatment, cell.customer) != ("visma", ab.TaxTreatment.REVERSE_CHARGE, ""):
            return customer
        made = self.provider.ensure_customer(customer).customer
        assert made.id is not None
        self.box.edit_customer(made.id, ReverseChargeOnConstructionServices=True)
        return ab.CustomerRef(id=made.id)

    @property
    def writes(self) -> list[str]:
        return [
            f"{call.method} {call.path}" for call in self.box.log
            if call.method not in {"GET", "HEAD"} and not call.path.startswith("/connect/")
        ]  # fmt: skip

    def json(self, path: str) -> Any:
        return loads(self.provider.request("GET", path))


@contextmanager
def _books(vendor: str) -> Iterator[Books]:
    options: Mapping[str, Any] = {
        "informer": {"ledger_account": "8010, 8020, 8040, 8050, 8060, 8065, 8070"},
        "visma": {"revenue_accounts": {"0": "8020"}, "receivable_account": "1300"},
    }.get(vendor, {})
    with (
        serve(vendor, customers=3, rate_limit=False) as server,
        ab.connect(
            vendor, {**server.settings, **options}, base_url=server.url, tenant="tax", limits=ab.Unlimited(),
            journal=ab.MemoryJournal(), tokens=ab.MemoryTokens(),
        ) as provider,
    ):  # fmt: skip
        if provider.capabilities.oauth:
            box: Any = server.sandbox
            came_back = parse_qs(urlsplit(box.consent(provider.authorization_url())).query)
            provider.exchange(came_back["code"][0], came_back["state"][0])
        yield Books(vendor, provider, server.sandbox)


# ---- what is booked --------------------------------------------------------------------------------------------


def _of_lexoffice(books: Books, invoice: ab.Invoice) -> str:
    return f"taxType={books.json(f'/v1/invoices/{invoice.id}')['taxConditions']['taxType']}"


def _of_billomat(books: Books, invoice: ab.Invoice) -> str:
    (record,) = [one for one in books.box.invoices if one.id == invoice.id]
    return "\n".join([*{f"tax_rate={line.tax_rate:f}" for line in record.lines}, record.remark or ""])


def _of_informer(books: Books, invoice: ab.Invoice) -> str:
    (record,) = [one for one in books.box.invoices if one.id == invoice.id]
    rates = {f"percentage={posting.percentage:f}" for posting in record.postings}
    return "\n".join([f"vat_option={record.vat_option}", *rates, record.footer or ""])


def _of_visma(books: Books, invoice: ab.Invoice) -> str:
    """The property of the article's coding that names the account on which the journal has the revenue."""
    books.provider.finalize_invoice(invoice.id)
    voucher = books.box.vouchers[-1]
    credited = {str(row.account) for row in voucher.rows if row.credit}
    codings = books.json("/v2/articleaccountcodings")["Data"]
    found = {
        (name, f"VatRatePercent={Decimal(coding['VatRatePercent']):f}")
        for coding in codings
        for name, value in coding.items()
        if name.endswith("AccountNumber") and str(value) in credited
    }
    return "\n".join({text for pair in found for text in pair})


BOOKED: Mapping[str, Callable[[Books, ab.Invoice], str]] = {
    "lexoffice": _of_lexoffice, "billomat": _of_billomat, "informer": _of_informer, "visma": _of_visma,
}  # fmt: skip


def _sold(books: Books, entry: ab.SalesEntry) -> str:
    (record,) = [one for one in books.box.sales_entries if one.id == entry.id]
    assert (record.tax, record.gross) == (0, Decimal("760.00"))
    if books.vendor == "informer":
        return "\n".join(
            [f"vat_option={record.vat_option}", *{f"percentage={posting.percentage:f}" for posting in record.postings}]
        )
    if books.vendor == "lexoffice":
        items = books.json(f"/v1/vouchers/{entry.id}")["voucherItems"]
        return "\n".join(f"category={item['categoryId']}" for item in items)
    return ""


def _is_refused(books: Books, cell: Cell, call: Callable[[], object]) -> None:
    before = books.writes
    with pytest.raises(ab.Refused) as caught:
        call()
    assert [word for word in cell.words if word not in str(caught.value)] == [], str(caught.value)
    assert books.writes == before


# ---- the cells -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [*_cells(INVOICES), *_cells(CUSTOMERS)], ids=str)
def test_invoices_are_as_the_page_says(cell: Cell) -> None:
    with _books(cell.vendor) as books:
        booked = []
        for kind in _kinds(cell):
            draft = books.draft(cell, kind, books.marked(cell))
            if not cell.works:
                _is_refused(books, cell, partial(books.provider.create_invoice, draft))
                continue
            invoice = books.provider.create_invoice(draft)
            totals = invoice.totals
            assert (totals.net, totals.tax, totals.gross) == (Decimal("760.00"), 0, Decimal("760.00"))
            booked.append(BOOKED[cell.vendor](books, invoice))
        assert [word for word in cell.words if cell.works and not any(word in text for text in booked)] == [], booked


@pytest.mark.parametrize("cell", _cells(SALES), ids=str)
def test_sales_are_as_the_page_says(cell: Cell) -> None:
    with _books(cell.vendor) as books:
        booked = []
        for kind in _kinds(cell):
            issued = books.issued(cell, kind, books.marked(cell))
            if not cell.works:
                _is_refused(books, cell, partial(books.provider.book_sale, issued))
                continue
            entry = books.provider.book_sale(issued)
            assert entry.totals.tax == 0
            booked.append(_sold(books, entry))
        assert [word for word in cell.words if cell.works and not any(word in text for text in booked)] == [], booked
