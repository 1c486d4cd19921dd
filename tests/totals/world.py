"""The books of every vendor, in process: the library's own session and adapter on one side, the sandbox on the other.

A row of ``BOOKS`` is a vendor's sandbox as it is set up, what it keeps of a number by its dossier (not by its
adapter), and how the sums are read out of its books without the adapter's help.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from types import SimpleNamespace
from typing import Any, Final

from attrs import define, evolve, field, frozen
from sandboxed import CASES, Vendor

import accounting_bridge as ab
from accounting_bridge._engine import Outgoing
from accounting_bridge.flow import Response
from accounting_bridge.sandbox import Call, VirtualClock, sandbox_class
from accounting_bridge.sandbox.visma import Company, VismaSandbox

_ORIGIN: Final = "http://127.0.0.1:9"
"""Where the sandboxes pretend to be; nobody listens there."""
_ORDINARY: Final = Context(prec=28, rounding=ROUND_HALF_UP)
"""The sandbox is another machine: the caller's decimal context is none of its business."""
_DOCUMENTS_A_BOX: Final = 40
"""Then the books are opened anew: lists are read whole, and should stay short."""

Rates = Mapping[Decimal, tuple[Decimal, Decimal]]


@frozen
class Sums:
    """Totals, and net and tax by rate where the vendor tells; rates without an amount are left out."""

    net: Decimal
    tax: Decimal
    gross: Decimal
    by_rate: Rates | None = None

    @classmethod
    def of(cls, totals: ab.Totals) -> Sums:
        return cls(totals.net, totals.tax, totals.gross, without_nothing(
            (row.rate, row.net, row.tax) for row in totals.by_rate
        ))  # fmt: skip

    def agree(self, other: Sums) -> bool:
        """To the cent; by rate where both tell."""
        whole = (self.net, self.tax, self.gross) == (other.net, other.tax, other.gross)
        return whole and (not self.by_rate or not other.by_rate or self.by_rate == other.by_rate)


def without_nothing(rows: Any) -> Rates:
    found: dict[Decimal, tuple[Decimal, Decimal]] = {}
    for rate, net, tax in rows:
        before = found.get(Decimal(rate), (Decimal(0), Decimal(0)))
        found[Decimal(rate)] = (before[0] + Decimal(net), before[1] + Decimal(tax))
    return {rate: sums for rate, sums in found.items() if any(sums)}


# ---- what the books say ----------------------------------------------------------------------------------------


def _lexoffice_invoice(books: Books, key: str) -> Sums:
    body = books.read(f"/v1/invoices/{key}")
    price = body["totalPrice"]
    rows = ((row["taxRatePercentage"], row["netAmount"], row["taxAmount"]) for row in body["taxAmounts"])
    return Sums(price["totalNetAmount"], price["totalTaxAmount"], price["totalGrossAmount"], without_nothing(rows))


def _lexoffice_sale(books: Books, key: str) -> Sums:
    body = books.read(f"/v1/vouchers/{key}")
    sign = {"salesinvoice": 1, "salescreditnote": -1}[body["type"]]
    gross, tax = body["totalGrossAmount"] * sign, body["totalTaxAmount"] * sign
    rows = []
    for row in body["voucherItems"]:
        net = row["amount"] - (row["taxAmount"] if body["taxType"] == "gross" else 0)
        rows.append((row["taxRatePercent"], net * sign, row["taxAmount"] * sign))
    return Sums(gross - tax, tax, gross, without_nothing(rows))


def _billomat(books: Books, key: str) -> Sums:
    body = books.read(f"/api/invoices/{key}")["invoice"]
    net, gross = Decimal(body["total_net"]), Decimal(body["total_gross"])
    found = body["taxes"]["tax"] if body["taxes"] else []
    rows = [(row["rate"], row["amount_net_rounded"], row["amount_rounded"]) for row in _as_list(found)]
    return Sums(net, gross - net, gross, without_nothing(rows))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _informer(records: str) -> Callable[[Books, str], Sums]:
    def read(books: Books, key: str) -> Sums:
        record = getattr(books.box, records)[-1]
        assert record.id == key
        rows = [(posting.percentage, posting.net, posting.vat) for posting in record.postings]
        told = len({rate for rate, _, _ in rows}) == len(rows)  # a rate on two accounts is rounded on each
        return Sums(record.net, record.tax, record.gross, without_nothing(rows) if told else None)

    return read


def _visma_invoice(books: Books, key: str) -> Sums:
    key = key.partition("~")[0]  # of a draft: with its customer and reference
    (record,) = [invoice for invoice in books.box.invoices if invoice.id == key]
    if record.status == "draft":
        body = books.read(f"/v2/customerinvoicedrafts/{key}")
        return Sums(record.net, body["TotalVatAmount"], body["TotalAmount"])
    body = books.read(f"/v2/customerinvoices/{key}")
    names = ("VatPercent", "AmountInvoiceCurrency", "VatAmountInvoiceCurrency")
    rows = [[row[name] for name in names] for row in body["VatSpecification"]]
    percents = [(rate * 100 if 0 < rate < 1 else rate, net, tax) for rate, net, tax in rows]
    return Sums(
        record.net, body["TotalVatAmountInvoiceCurrency"], body["TotalAmountInvoiceCurrency"],
        without_nothing(percents),
    )  # fmt: skip


def _visma_sale(books: Books, key: str) -> Sums:
    body = books.read(f"/v2/customerledgeritems/{key}")
    gross, tax = body["TotalAmountInvoiceCurrency"], body["VATAmountInvoiceCurrency"]
    assert body["IsCreditInvoice"] is (gross < 0)
    balances = {row.account: row.debit - row.credit for row in books.box.vouchers[-1].rows}
    assert sum(balances.values()) == 0
    assert balances[1300] == gross
    assert -sum(balance for account, balance in balances.items() if 1500 <= account < 1600) == tax
    return Sums(gross - tax, tax, gross)


_READ: Final[Mapping[str, Mapping[str, Callable[[Any, str], Sums]]]] = {
    "lexoffice": {"invoice": _lexoffice_invoice, "sale": _lexoffice_sale},
    "billomat": {"invoice": _billomat, "sale": _billomat},
    "informer": {"invoice": _informer("invoices"), "sale": _informer("sales_entries")},
    "visma": {"invoice": _visma_invoice, "sale": _visma_sale},
}


# ---- the rows --------------------------------------------------------------------------------------------------

_DUTCH: Final = ab.Address(
    street="Voorbeeldweg", house_number="7", postal_code="1011 AB", city="Amsterdam", country_code="NL"
)
_GERMAN: Final = ab.Address(street="Beispielweg 7", postal_code="10115", city="Berlin", country_code="DE")


@frozen(kw_only=True)
class Setting:
    """One vendor's books as they are set up, and what is known of their arithmetic from the dossier."""

    name: str
    vendor: str
    rates: tuple[int, ...]
    quantity_decimals: int
    price_decimals: int
    discount_decimals: int | None
    """Of a line's discount in percent; None: any."""
    whole_discount_decimals: int | None
    """Of the whole invoice's; -1: the vendor has none."""
    discount_once: bool = False
    """The whole invoice's discount is one amount, which the rates share; else it is taken off each rate's sum."""
    sales_keep_lines: bool = False
    """A sale has the lines themselves, so that their decimals count; else only their sums go into the books."""
    sales_tax_per_kind: bool = False
    """A sale's VAT is rounded on each sum of a rate and a category."""
    takes_negative: bool = True
    """An invoice whose total is negative."""
    sent: str = "as given"
    """On which side of VAT the vendor takes prices: ``as given``, always ``net``, or always ``gross``."""
    folds_fractions: bool = False
    """A line with a fractional quantity is sent as one times its amount, so that no decimals are too many."""
    whole_units: bool = False
    """The total is rounded to whole units of the currency."""
    person: bool = False
    address: ab.Address = _GERMAN
    box: Mapping[str, Any] = field(factory=dict)
    options: Mapping[str, Any] = field(factory=dict)

    def __str__(self) -> str:
        return self.name


_LEXOFFICE: Final = Setting(
    name="lexoffice", vendor="lexoffice", rates=(0, 7, 19), quantity_decimals=4, price_decimals=4,
    discount_decimals=2, whole_discount_decimals=2, sales_tax_per_kind=True,
)  # fmt: skip
_BILLOMAT: Final = Setting(
    name="billomat", vendor="billomat", rates=(0, 7, 19), quantity_decimals=4, price_decimals=4,
    discount_decimals=None, whole_discount_decimals=None, discount_once=True,
    sales_keep_lines=True,
)  # fmt: skip
_INFORMER: Final = Setting(
    name="informer", vendor="informer", rates=(0, 9, 21), quantity_decimals=2, price_decimals=2,
    discount_decimals=0, whole_discount_decimals=-1, address=_DUTCH, options={"ledger_account_goods": "8000, 8200"},
)  # fmt: skip
_VISMA: Final = Setting(
    name="visma", vendor="visma", rates=(0, 9, 21), quantity_decimals=2, price_decimals=2, discount_decimals=2,
    whole_discount_decimals=-1, takes_negative=False, sent="net", address=_DUTCH,
    options={"revenue_accounts": {"goods/21": "8060", "goods/9": "8060", "goods/0": "8060"}},
)  # fmt: skip


def _swedish_articles() -> Mapping[str, str]:
    shelf = VismaSandbox(company=Company(country="SE"))._articles.all.values()
    codes = {article.values["Number"]: article.id for article in shelf}
    return {f"service/{rate}": codes[number] for rate, number in ((25, "1"), (12, "2"), (0, "3"))}


USUAL: Final = (_LEXOFFICE, _BILLOMAT, _INFORMER, _VISMA)
"""One of each vendor, as its sandbox is from the start."""
SETTINGS: Final = (
    *USUAL,
    evolve(
        _INFORMER, name="informer without fractional quantities", folds_fractions=True,
        options={**_INFORMER.options, "fractional_quantities": False},
    ),
    evolve(_VISMA, name="visma, customer abroad", price_decimals=4, address=_GERMAN),
    evolve(
        _VISMA, name="visma, private person with prices incl. VAT", person=True, sent="gross",
        box={"company": Company(show_prices_excl_vat_pc=True)},
    ),
    evolve(
        _VISMA, name="visma, whole kronor", rates=(0, 12, 25), whole_units=True,
        address=evolve(_DUTCH, country_code="SE", postal_code="111 22", city="Stockholm"),
        box={"company": Company(country="SE", rounds_domestic_currency=True)},
        options={"articles": _swedish_articles()},
    ),
)  # fmt: skip
"""And those other ways to set one up that change its arithmetic."""


# ---- in process ------------------------------------------------------------------------------------------------


@define
class _InProcess:
    """Takes the place of the HTTP client: answers come from the sandbox, without a socket."""

    box: Any
    writes: int = 0

    def send(self, outgoing: Outgoing) -> Response:
        with localcontext(_ORDINARY):
            call = Call.to(outgoing.method, outgoing.url, headers=outgoing.headers, body=outgoing.body)
            reply = self.box.handle(call)
        self.writes += outgoing.method not in {"GET", "HEAD"}
        return Response(
            status=reply.status, headers={name.lower(): value for name, value in reply.headers.items()}, body=reply.body
        )

    def close(self) -> None:
        """Nothing to close."""


@define
class Books:
    """A sandbox and a connection to it, opened anew every so many documents."""

    setting: Setting
    case: Vendor = field(init=False)
    provider: Any = field(init=False)
    customer: ab.CustomerRef = field(init=False)
    count: int = field(init=False, default=0)
    _http: _InProcess = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._open()

    def _open(self) -> None:
        setting, clock = self.setting, VirtualClock()
        box = sandbox_class(setting.vendor)(**{"customers": 0, "rate_limit": False, "clock": clock, **setting.box})
        if setting.vendor == "visma":
            box.origin = _ORIGIN  # its identity server stands at the same place
        server: Any = SimpleNamespace(sandbox=box, settings=box.settings, url=_ORIGIN)
        self.case = CASES[setting.vendor](server)
        self.provider = self.case.connect(ab.Policy(), clock=clock, settings=setting.options)
        self._http = self.provider._session.http = _InProcess(box)
        wanted = ab.Customer(
            number="4711", name="Beispiel, Erika" if setting.person else "Musterwerk 4711 GmbH",
            is_person=setting.person, first_name="Erika" if setting.person else None,
            last_name="Beispiel" if setting.person else None, email="rechnung@musterwerk.example",
            address=setting.address,
        )  # fmt: skip
        self.customer = ab.CustomerRef(id=self.provider.ensure_customer(wanted).customer.id)

    @property
    def box(self) -> Any:
        return self.case.box

    @property
    def writes(self) -> int:
        """How many calls were no reads."""
        return self._http.writes

    def name(self) -> str:
        """For the next document: unused, and a number that every vendor takes."""
        self.count += 1
        if self.count % _DOCUMENTS_A_BOX == 0:
            self._open()
        return f"2026-{self.count:06}"

    def read(self, path: str) -> Any:
        """What another program with the same key would read."""
        headers = {"accept": "application/json", **self.case.credentials()}
        with localcontext(_ORDINARY):
            reply = self.box.handle(Call.to("GET", path, headers=headers))
        assert reply.status == 200, reply.body
        return json.loads(reply.body, parse_float=Decimal, parse_int=Decimal)

    def booked(self, kind: str, key: str) -> Sums:
        """The sums of the document that was made last, as the books have them."""
        with localcontext(_ORDINARY):
            return _READ[self.setting.vendor][kind](self, key)


@contextmanager
def foreign_context(active: bool) -> Iterator[None]:
    """A caller who reckons with few digits, and rounds otherwise."""
    if not active:
        yield
        return
    with localcontext(Context(prec=5, rounding="ROUND_CEILING")):
        yield
