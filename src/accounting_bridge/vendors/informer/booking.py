"""What a line is booked on: VAT rate, ledger account and cost centre, which must fit together.

Informer's options are the authority (documented). An account is the one that was named for the line or, where none was,
the one of the setting for its kind, else of the setting for all kinds. One that was named and does not fit is refused
and never replaced by the next: final invoices and entries cannot be deleted, so wrong books would stay wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from attrs import frozen

from ...models import LineItem, TaxTreatment
from ...money import ZERO, plain_text
from . import master
from .settings import FOR_ALL, InformerSettings
from .sheet import TAXED, Sheet, listed
from .wire import UsableLedger, VatLedgerOption


@frozen
class Booking:
    """A legal triple's ids, with the rate that is charged."""

    vat_id: int
    ledger_id: int
    costs_id: int | None
    rate: Decimal

    @property
    def ids(self) -> dict[str, int]:
        """As a line has them. A ledger account that takes no cost centre may refuse the key."""
        costs = {} if self.costs_id is None else {"costs_id": self.costs_id}
        return {"vat_id": self.vat_id, "ledger_id": self.ledger_id, **costs}


async def booking_of(sheet: Sheet, line: LineItem, at: str) -> Booking | None:
    """VAT id, ledger id and cost centre of a line, resolved by percentage and account number; None: a problem."""
    entries = _entries(sheet, line, at)
    if not entries:
        return None
    found = _ledger(sheet, entries, line, at)
    if found is None:
        return None
    entry, ledger = found
    taxed = sheet.vat_option in TAXED
    return Booking(entry.id, ledger.id, await _costs(sheet, ledger, at), entry.percentage if taxed else ZERO)


def remark_settings(sheet: Sheet, bookings: Sequence[Booking]) -> None:
    """Note the settings that cannot be right, or do nothing, and that no line of this document depends on.

    Those that one depends on are problems already.
    """
    settings = sheet.settings
    for name, numbers in settings.ledgers.items():
        if unknown := _unknown(sheet, numbers):
            sheet.note(f"{_unfounded(name, unknown)}; no line here depends on it")
    rate = settings.default_tax_rate
    if rate is not None and all(entry.percentage != rate for entry in sheet.options):
        there = listed(sorted({entry.percentage for entry in sheet.options}), plain_text)
        sheet.note(
            f"the setting default_tax_rate: {plain_text(rate)} % is no rate of the books, and no line here depends on "
            f"it; there are: {there}"
        )
    if settings.cost_centre is not None and bookings and all(booking.costs_id is None for booking in bookings):
        sheet.note(f"the setting cost_centre: {settings.cost_centre} is not used, as these ledger accounts take none")


# ---- VAT rate ----------------------------------------------------------------------------------------------


def _entries(sheet: Sheet, line: LineItem, at: str) -> list[VatLedgerOption]:
    """The VAT rates that may be meant; several may share a percentage."""
    option = sheet.vat_option
    allowed = [entry for entry in sheet.options if entry.vat_options.get(option)]
    if option not in TAXED:
        return _tax_free(sheet, allowed, at)
    rate, source = line.tax_rate, ""
    if sheet.treatment is not TaxTreatment.DOMESTIC:
        rate = ZERO
    elif rate is None:
        rate, source = sheet.settings.default_tax_rate, "the setting default_tax_rate: "
    if rate is None:
        sheet.problem(
            f"{at}.tax_rate",
            "is missing: give tax_rate=21 to LineItem or Billing, or set default_tax_rate on the connection",
        )
        return []
    fitting = [entry for entry in allowed if entry.percentage == rate]
    if not fitting:
        there = listed(sorted({entry.percentage for entry in allowed}), plain_text)
        sheet.problem(
            f"{at}.tax_rate",
            f"{source}{plain_text(rate)} % does not go with the VAT option {option!r}; there are: {there}",
        )
    return fitting


def _tax_free(sheet: Sheet, allowed: list[VatLedgerOption], at: str) -> list[VatLedgerOption]:
    """No VAT is charged under these options; whether their rates are 0 or those that are shifted is not known."""
    if not allowed:
        sheet.problem(f"{at}.tax_rate", f"no VAT rate of the books goes with the VAT option {sheet.vat_option!r}")
        return []
    rates = {entry.percentage for entry in allowed}
    default = sheet.settings.default_tax_rate
    wanted = ZERO if ZERO in rates else rates.pop() if len(rates) == 1 else default
    fitting = [entry for entry in allowed if entry.percentage == wanted]
    if not fitting:
        there = listed(sorted({entry.percentage for entry in allowed}), plain_text)
        sheet.problem(
            f"{at}.tax_rate",
            f"the VAT option {sheet.vat_option!r} goes with several rates ({there}): say which with default_tax_rate",
        )
    return fitting


# ---- ledger account ----------------------------------------------------------------------------------------


def _ledger(
    sheet: Sheet, entries: list[VatLedgerOption], line: LineItem, at: str
) -> tuple[VatLedgerOption, UsableLedger] | None:
    """The account that was named for this line, the nearest setting's, or the only one there is."""
    pairs = [(entry, ledger) for entry in entries for ledger in entry.usable_ledgers]
    goes = f"{plain_text(entries[0].percentage)} % and the VAT option {sheet.vat_option!r}"
    there = f"there are: {listed(list(dict.fromkeys(_shown(ledger) for _, ledger in pairs)))}"
    own = InformerSettings.ledger_setting(line.kind)
    name, numbers = sheet.settings.ledgers_for(line.kind)
    if line.ledger_account:
        name, numbers = None, (line.ledger_account,)
    if not numbers:
        if len({ledger.id for _, ledger in pairs}) == 1:
            why = f"the only account there is, as neither {own} nor {FOR_ALL} is set"
            sheet.note(f"lines of kind {line.kind} with {goes} go on {_shown(pairs[0][1])}: {why}")
            return pairs[0]
        ask = f"give it, or set {FOR_ALL} on the connection, or {own} for lines of kind {line.kind} alone"
        sheet.problem(f"{at}.ledger_account", f"is needed to choose what goes with {goes}: {ask}; {there}")
        return None
    if unknown := _unknown(sheet, numbers):
        sheet.problem(f"{at}.ledger_account", f"{_unfounded(name, unknown)}; with {goes} {there}")
        return None
    for number in numbers:
        for entry, ledger in pairs:
            if ledger.number != number:
                continue
            if name == FOR_ALL:
                why = f"from {FOR_ALL}, as {own} is not set"
                sheet.note(f"lines of kind {line.kind} with {goes} go on {_shown(ledger)}: {why}")
            return entry, ledger
    source = "" if name is None else f"the setting {name}: "
    sheet.problem(f"{at}.ledger_account", f"{source}{' or '.join(numbers)} does not go with {goes}; {there}")
    return None


def _unknown(sheet: Sheet, numbers: Sequence[str]) -> list[str]:
    known = {ledger.number for entry in sheet.options for ledger in entry.usable_ledgers}
    return [number for number in numbers if number not in known]


def _unfounded(name: str | None, unknown: Sequence[str]) -> str:
    source = "" if name is None else f"the setting {name}: "
    return f"{source}{' and '.join(unknown)} {'is' if len(unknown) == 1 else 'are'} no account that sales may go on"


def _shown(ledger: UsableLedger) -> str:
    return f"{ledger.number} {ledger.description}".strip()


async def _costs(sheet: Sheet, ledger: UsableLedger, at: str) -> int | None:
    """The configured cost centre, where the account takes one (documented: optional, required, disabled)."""
    wanted = sheet.settings.cost_centre
    if wanted is None or ledger.costs == "disabled":
        if ledger.costs == "required":
            sheet.problem(f"{at}.ledger_account", f"{ledger.number} needs a cost centre: set cost_centre")
        return None
    centres = await master.cost_centres()
    found = next((centre.id for centre in centres if centre.number == wanted), None)
    if found is None:
        there = listed([f"{centre.number} {centre.description}".strip() for centre in centres])
        sheet.problem("cost_centre", f"the setting cost_centre: {wanted} is not in the books; there are: {there}")
    return found
