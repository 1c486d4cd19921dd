"""``/v2/vouchers``: the journal. A posted voucher can neither be changed nor deleted through the API."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

from attrs import define, evolve, field, frozen

from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .access import ACCOUNTING, ACCOUNTING_READ, EVERY_VARIANT, VOUCHER_WRITERS, needs
from .bodies import read_body
from .books import Books
from .charts import LedgerAccount, Rate
from .errors import ACCOUNT_NOT_FOUND, Problem
from .formats import ZERO, parse_guid, round2, stamp
from .listing import LazyRow, Listed, check_parameters, flag, list_reply
from .reference import FiscalYear, Reference
from .schemas_books import VOUCHER, VOUCHER_ROW

MANUAL: Final = 2
SIE_IMPORT: Final = 9
INVOICE_DEBIT: Final = 14
INVOICE_CREDIT: Final = 15
QUICK_DEBIT: Final = 23
QUICK_CREDIT: Final = 24
OPTIONS: Final = ("useAutomaticVatCalculation", "useDefaultVatCodes", "useDefaultVoucherSeries")

_SERIES: Final = re.compile(r"[A-Za-z0-9]{1,10}", re.ASCII)
_ROW_REFERENCES: Final = ("CostCenterItemId2", "CostCenterItemId3", "ProjectId")
_FARM_FIELDS: Final = ("Quantity", "Weight", "DeliveryDate", "HarvestYear")
_READERS: Final = EVERY_VARIANT - {6}


@frozen(kw_only=True)
class VoucherRow:
    """A line of the journal in the company's currency."""

    account: int
    name: str
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    text: str | None = None
    rate: Rate | None = None
    vat_amount: Decimal | None = None

    @property
    def balance(self) -> Decimal:
        """Debit less credit."""
        return self.debit - self.credit


@define
class Voucher:
    """A posted voucher."""

    id: str
    year: FiscalYear
    day: date
    text: str
    rows: tuple[VoucherRow, ...]
    series: str
    number: int
    kind: int
    created: datetime
    source_id: str | None = None
    attachments: list[str] = field(factory=list)

    @property
    def label(self) -> str:
        """Series and number, such as ``A12``."""
        return f"{self.series}{self.number}"

    def balance_of(self, account: int) -> Decimal:
        """Return debits less credits of one account."""
        return sum((row.balance for row in self.rows if row.account == account), ZERO)


@frozen
class BookingOptions:
    """The three query parameters of a booking."""

    automatic_vat: bool
    default_vat_codes: bool
    default_series: bool


class Vouchers:
    """The vouchers of one company."""

    def __init__(self, books: Books, reference: Reference) -> None:
        self._books = books
        self._reference = reference
        self._last: dict[tuple[int, str], int] = {}
        self.all: dict[str, Voucher] = {}
        self.attachment_exists: Callable[[str], bool] = lambda _identifier: False
        """Says whether an attachment is there to be linked; set by the attachments."""

        self.linked: Callable[[Voucher], None] = lambda _voucher: None
        """Tells the attachments that a voucher has taken some of them."""

    @needs(*ACCOUNTING_READ, variants=_READERS)
    @route("GET", "/v2/vouchers")
    def listing(self, call: Call) -> Reply:
        """List the vouchers of all fiscal years."""
        return self._list(call, list(self.all.values()))

    @needs(*ACCOUNTING_READ, variants=_READERS)
    @route("GET", "/v2/vouchers/{year}")
    def of_year(self, call: Call, identifier: str) -> Reply:
        """List the vouchers of one fiscal year."""
        year = self._reference.known_year(identifier)
        return self._list(call, [voucher for voucher in self.all.values() if voucher.year.id == year.id])

    @needs(*ACCOUNTING_READ, variants=_READERS)
    @route("GET", "/v2/vouchers/{year}/{id}")
    def read(self, call: Call, year: str, identifier: str) -> Reply:
        """Show a voucher, which is found in its own fiscal year only."""
        check_parameters(call, self._books, ())
        known = self._reference.known_year(year)
        voucher = self.all.get(parse_guid(identifier) or "")
        if voucher is None or voucher.year.id != known.id:
            raise self._books.answers.not_found("The voucher")
        return Reply.json(200, self.shown(voucher))

    @needs(*ACCOUNTING, variants=VOUCHER_WRITERS)
    @route("POST", "/v2/vouchers")
    def create(self, call: Call) -> Reply:
        """Post a voucher by hand."""
        check_parameters(call, self._books, OPTIONS)
        options = self.options(call)
        values = read_body(call, self._books, VOUCHER)
        if values.get("VoucherType", MANUAL) != MANUAL:
            message = "Only manual vouchers can be posted."
            raise self._books.answers.invalid([Problem("VoucherType", message, "VoucherType")])
        return Reply.json(201, self.shown(self.post(values, options, MANUAL)))

    def options(self, call: Call) -> BookingOptions:
        """Read the query parameters; in the body they do nothing."""
        automatic = flag(call, self._books, OPTIONS[0], default=False)
        if automatic and self._books.company.country == "NL":
            raise self._books.answers.unchangeable("Automatic VAT calculation is not available for Dutch companies.")
        return BookingOptions(
            automatic,
            flag(call, self._books, OPTIONS[1], default=True),
            flag(call, self._books, OPTIONS[2], default=True),
        )

    def post(self, values: dict[str, Any], options: BookingOptions, kind: int, where: str = "") -> Voucher:
        """Check a booking and post it."""
        voucher = self.checked(values, options, kind, where)
        self.keep(voucher)
        return voucher

    def checked(self, values: dict[str, Any], options: BookingOptions, kind: int, where: str = "") -> Voucher:
        """Check a booking and return what would be posted, not numbered yet."""
        answers = self._books.answers
        if not values["VoucherText"].strip():
            message = f"The {where}VoucherText field is required."
            raise answers.invalid([Problem(f"{where}VoucherText", message, "Required")])
        day = date.fromisoformat(values["VoucherDate"]) if "VoucherDate" in values else self._books.today()
        year = self._reference.check_open(day)
        series = self._series(values, options, where)
        attachments = self._attachments(values, where)
        rows = [
            row
            for index, sent in enumerate(values["Rows"])
            for row in self._row(sent, day, options, f"{where}Rows[{index}]")
        ]
        difference = sum((row.balance for row in rows), ZERO)
        if len(rows) < 2 or difference:
            message = f"The voucher does not balance: debit and credit differ by {difference}."
            raise answers.invalid([Problem(f"{where}Rows", message, "Balance")])
        return Voucher(
            id=self._books.new_id(),
            year=year,
            day=day,
            text=values["VoucherText"],
            rows=tuple(rows),
            series=series,
            number=0,
            kind=kind,
            created=self._books.now(),
            attachments=attachments,
        )

    def keep(self, voucher: Voucher) -> None:
        """Number a voucher within its year and series, and post it."""
        key = (voucher.year.year, voucher.series)
        voucher.number = self._last[key] = self._last.get(key, 0) + 1
        self.all[voucher.id] = voucher
        self.linked(voucher)

    def book(self, rows: Sequence[tuple[int, Decimal]], day: date, text: str, kind: int, source_id: str) -> Voucher:
        """Post what the vendor books itself: accounts with debits less credits."""
        year = self._reference.check_open(day)
        posted = []
        for number, balance in rows:
            if balance:
                account = self._reference.account(number, day)
                name = account.name if account is not None else str(number)
                posted.append(
                    VoucherRow(account=number, name=name, debit=max(balance, ZERO), credit=max(-balance, ZERO))
                )
        voucher = Voucher(
            id=self._books.new_id(),
            year=year,
            day=day,
            text=text,
            rows=tuple(posted),
            series="B",
            number=0,
            kind=kind,
            created=self._books.now(),
            source_id=source_id,
        )
        self.keep(voucher)
        return voucher

    def shown(self, voucher: Voucher) -> dict[str, Any]:
        """Write a voucher."""
        attachments = None
        if voucher.attachments:
            attachments = {"DocumentId": voucher.id, "DocumentType": 3, "AttachmentIds": list(voucher.attachments)}
        return VOUCHER.shown(
            {
                "Id": voucher.id,
                "VoucherDate": voucher.day.isoformat(),
                "VoucherText": voucher.text,
                "Rows": [self._shown_row(row) for row in voucher.rows],
                "NumberAndNumberSeries": voucher.label,
                "NumberSeries": voucher.series,
                "Attachments": attachments,
                "ModifiedUtc": stamp(voucher.created),
                "VoucherType": voucher.kind,
                "SourceId": voucher.source_id,
                "CreatedUtc": stamp(voucher.created),
            }
        )

    def _list(self, call: Call, vouchers: list[Voucher]) -> Reply:
        rows = [
            LazyRow(
                partial(self.shown, voucher),
                Id=voucher.id,
                VoucherDate=voucher.day.isoformat(),
                VoucherText=voucher.text,
                CreatedUtc=stamp(voucher.created),
                ModifiedUtc=stamp(voucher.created),
            )
            for voucher in vouchers
            if self._books.is_listed(voucher.created)
        ]
        return list_reply(call, self._books, VOUCHER, Listed(rows), resource="vouchers")

    def _series(self, values: dict[str, Any], options: BookingOptions, where: str) -> str:
        if options.default_series:
            return "A"
        series = values.get("NumberSeries", "")
        if _SERIES.fullmatch(series) is None:
            message = "NumberSeries must be set when the default series is not used."
            raise self._books.answers.invalid([Problem(f"{where}NumberSeries", message, "NumberSeries")])
        return str(series)

    def _attachments(self, values: dict[str, Any], where: str) -> list[str]:
        link = values.get("Attachments")
        if link is None:
            return []
        if link["DocumentType"] != 3:
            message = "DocumentType must be 3 for a voucher."
            raise self._books.answers.invalid([Problem(f"{where}Attachments.DocumentType", message, "DocumentType")])
        for identifier in link["AttachmentIds"]:
            if not self.attachment_exists(identifier):
                raise self._books.answers.missing_reference(f"{where}Attachments.AttachmentIds")
        return list(link["AttachmentIds"])

    def _row(self, sent: dict[str, Any], day: date, options: BookingOptions, where: str) -> list[VoucherRow]:
        answers = self._books.answers
        debit, credit = Decimal(sent.get("DebitAmount", 0)), Decimal(sent.get("CreditAmount", 0))
        if debit and credit:
            message = f"{where}: one of DebitAmount and CreditAmount must be 0."
            raise answers.invalid([Problem(where, message, "Amount")])
        account = self._account(sent["AccountNumber"], day, where)
        for name in _ROW_REFERENCES:
            if name in sent:
                raise answers.missing_reference(f"{where}.{name}")
        vat_amount = sent.get("VatAmount")
        if vat_amount is not None and self._books.company.country != "NL":
            message = "VatAmount is for Denmark and the Netherlands only."
            raise answers.invalid([Problem(f"{where}.VatAmount", message, "VatAmount")])
        if any(name in sent for name in _FARM_FIELDS) and self._books.assumptions.unknown_properties_refused:
            raise answers.unchangeable(f"{where}: the company has no agriculture support.")
        row = VoucherRow(
            account=account.number,
            name=account.name,
            debit=debit,
            credit=credit,
            text=sent.get("TransactionText"),
            rate=self._rate(sent, account, options, where),
            vat_amount=Decimal(vat_amount) if vat_amount is not None else None,
        )
        return self._with_vat(row, day) if options.automatic_vat else [row]

    def _account(self, number: int, day: date, where: str) -> LedgerAccount:
        answers = self._books.answers
        account = self._reference.account(number, day)
        if account is None or not account.is_active:
            text = f"The account {number} does not exist or is not active in {day.year}."
            raise answers.missing_reference(f"{where}.AccountNumber", ACCOUNT_NOT_FOUND, text)
        if account.is_blocked:
            raise answers.unchangeable(f"The account {number} is blocked for manual booking.")
        return account

    def _rate(self, sent: dict[str, Any], account: LedgerAccount, options: BookingOptions, where: str) -> Rate | None:
        if options.default_vat_codes:
            return self._reference.rate(account.rate) if account.rate is not None else None
        if "VatCodeId" not in sent:
            return None
        rate = self._reference.rate_by_id(sent["VatCodeId"])
        if rate is None:
            raise self._books.answers.missing_reference(f"{where}.VatCodeId")
        return rate

    def _with_vat(self, row: VoucherRow, day: date) -> list[VoucherRow]:
        """Split a gross amount into what stays on the account and what goes to the VAT account."""
        percent = row.rate.percent(day) if row.rate is not None else ZERO
        if row.rate is None or row.rate.account is None or not percent:
            return [row]
        account = self._reference.account(row.rate.account, day)
        assert account is not None
        debit, credit = (round2(amount / (1 + percent / 100)) for amount in (row.debit, row.credit))
        vat = VoucherRow(account=account.number, name=account.name, debit=row.debit - debit, credit=row.credit - credit)
        return [evolve(row, debit=debit, credit=credit), vat]

    def _shown_row(self, row: VoucherRow) -> dict[str, Any]:
        rate = row.rate
        return VOUCHER_ROW.shown(
            {
                "AccountNumber": row.account,
                "AccountDescription": row.name,
                "DebitAmount": row.debit,
                "CreditAmount": row.credit,
                "TransactionText": row.text,
                "VatCodeId": self._reference.rate_ids[rate.code] if rate is not None else None,
                "VatCodeAndPercent": f"{rate.code} {rate.percent(self._books.today()):f}%"
                if rate is not None
                else None,
                "VatAmount": row.vat_amount,
            }
        )
