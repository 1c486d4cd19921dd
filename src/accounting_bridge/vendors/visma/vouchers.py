"""Vouchers of sales: which accounts an issued invoice is booked on, and rows that balance to the cent.

A posted voucher can neither be changed nor deleted (documented). So every account is found and checked first, and
every row is written out: nothing is left to be computed by Visma.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from attrs import define, evolve, field, frozen

from ...errors import Problem
from ...models import IssuedInvoice, LineItem, RateTotal, TaxTreatment, TextLine, Totals
from ...money import CENT, ZERO, PricedLine, decimals, difference, line_amount, net_of_gross, plain_text, total, totals
from . import master
from .articles import Situation, booking_of, listed
from .drafting import ROUNDING
from .settings import VismaSettings
from .wire import Account, ArticleCoding, CompanySettings, FiscalYear, VatCode, percent

_DUTCH: Final = "NL"
_DEBTORS: Final = re.compile("receivable|debtor|debiteur", re.IGNORECASE)
"""What the type of the debtors' account is called in the list of standard accounts is not documented."""
_USUAL_DEBTORS: Final = {"SE": "1510", "NO": "1500"}
"""Customer receivables in the two standard charts (documented); elsewhere the chart is the company's own."""
_SITUATIONS: Final[Mapping[TaxTreatment, Situation]] = {
    TaxTreatment.DOMESTIC: Situation.DOMESTIC,
    TaxTreatment.REVERSE_CHARGE: Situation.CONSTRUCTION,
    TaxTreatment.INTRA_EU_GOODS: Situation.WITHIN_EU,
    TaxTreatment.INTRA_EU_SERVICES: Situation.WITHIN_EU,
    TaxTreatment.EXPORT: Situation.OUTSIDE_EU,
}
_OF_CODINGS_FIRST: Final = frozenset(_SITUATIONS) - {TaxTreatment.DOMESTIC}
"""Under a configured rate of 0 several treatments would meet; the codings tell them apart."""
_LARGEST: Final = Decimal("99999999.99")


# ---- the chart ---------------------------------------------------------------------------------------------


@define
class Chart:
    """The accounts that a sale of one day may be booked on, and all that is wrong or worth saying."""

    settings: VismaSettings
    company: CompanySettings
    treatment: TaxTreatment
    accounts: Mapping[str, Account]
    codings: Mapping[str, ArticleCoding]
    codes: Sequence[VatCode]
    articles: Mapping[str, str]
    """From an article's id to its coding's, both in lower case."""
    standard: Mapping[str, str]
    problems: list[Problem] = field(factory=list)
    notes: list[str] = field(factory=list)

    def problem(self, name: str, message: str) -> None:
        """Note what is wrong, once."""
        if Problem(name, message) not in self.problems:
            self.problems.append(Problem(name, message))

    def note(self, text: str) -> None:
        """Note what is worth saying, once."""
        if text not in self.notes:
            self.notes.append(text)

    def shown(self, numbers: Sequence[str]) -> str:
        """Accounts by number and name."""
        names = {number: account.Name for number, account in self.accounts.items()}
        return listed([f"{number} {names.get(number, '')}".strip() for number in sorted(set(numbers))])

    def usable(self, number: str, name: str, *, by_hand: bool = False) -> Account | None:
        """The account, if it can be booked on that day; else a problem, under this name."""
        found = self.accounts.get(number)
        if found is None:
            self.problem(name, f"account {number} is not in the chart of that fiscal year")
        elif not found.IsActive:
            self.problem(name, f"account {number} {found.Name} is not active in that fiscal year: switch it on there")
        elif by_hand and found.IsBlockedForManualBooking:
            self.problem(name, f"account {number} {found.Name} is blocked for manual booking")
        else:
            return found
        return None

    @property
    def rates(self) -> set[Decimal]:
        """Percent: those of VAT codes and of articles on that day."""
        of_codes = {percent(code.VatRate) for code in self.codes if code.VatRate is not None}
        return of_codes | {coding.rate for coding in self.codings.values() if coding.IsActive}

    def knows(self, rate: Decimal) -> bool:
        """Whether the books have that rate, or the settings an account for it."""
        return not rate or rate in self.rates or self.settings.vat_account_for(rate) is not None

    # -- debtors --

    def receivable(self) -> Account | None:
        """The debtors' account: configured, else as the books or the country's standard chart have it."""
        name, wanted = "receivable_account", self.settings.receivable_account
        if wanted is not None:
            return self.usable(wanted, name)
        country = self.company.CountryCode.upper()
        if country == _DUTCH:
            kinds = {number for kind, number in self.standard.items() if _DEBTORS.search(kind)}
            if len(kinds) == 1:
                return self.usable(kinds.pop(), name)
            there = listed([f"{number} ({kind})" for kind, number in self.standard.items()])
            self.problem(name, f"the debtors' account is not clear: set receivable_account; standard accounts: {there}")
            return None
        usual = _USUAL_DEBTORS.get(country)
        if usual is not None and (found := self.accounts.get(usual)) is not None and found.IsActive:
            self.note(f"debtors are booked on {usual} {found.Name}, the usual account: receivable_account says another")
            return found
        there = self.shown([number for number, account in self.accounts.items() if account.IsActive])
        self.problem(name, f"the debtors' account is not known: set receivable_account; accounts are: {there}")
        return None

    # -- revenue --

    def revenue(self, line: LineItem, rate: Decimal, at: str) -> Account | None:
        """The line's own account, else the configured one, else the one that articles of its rate are booked on."""
        name = f"{at}.ledger_account"
        settings = self.settings
        configured = settings.revenue_account_for(line.kind, rate)
        article = settings.article_for(line.article, line.kind, rate)
        coding = self.codings.get(self.articles.get(article or "", ""))
        of_article = "" if coding is None else self._account_of(coding, rate)
        candidates = self._candidates(rate)
        of_codings = candidates[0] if len(candidates) == 1 else ""
        if self.treatment in _OF_CODINGS_FIRST:
            number = line.ledger_account or of_article or of_codings or configured
        else:
            number = line.ledger_account or configured or of_article or of_codings
        if not number:
            key = f"{line.kind.value}/{plain_text(rate)}"
            there = self.shown(candidates or [one for coding in self.codings.values() for one in coding.accounts])
            text = f"is not clear for {plain_text(rate)} % ({self.treatment}): set revenue_accounts[{key!r}]"
            self.problem(name, f"{text}, or give the line's own; articles are booked on: {there}")
            return None
        found = self.usable(number, name, by_hand=True)
        return found if found is not None and self._fits(found, rate, name) else None

    def _candidates(self, rate: Decimal) -> list[str]:
        """Accounts that active codings book such a line on."""
        found = (self._account_of(coding, rate) for coding in self.codings.values() if coding.IsActive)
        return list(dict.fromkeys(number for number in found if number))

    def _account_of(self, coding: ArticleCoding, rate: Decimal) -> str:
        situation = _SITUATIONS.get(self.treatment)
        if situation is None:
            return coding.DomesticSalesVatExemptAccountNumber or coding.DomesticSalesVatCodeExemptAccountNumber
        booking = booking_of(coding, situation)
        return booking.account if booking.rate == rate else ""

    def _fits(self, account: Account, rate: Decimal, name: str) -> bool:
        """Whether the VAT code that rows on the account get by default is one of this rate."""
        code = self._code_of(account)
        if code is None or code.VatRate is None or percent(code.VatRate) == rate:
            return True
        text = f"account {account.Number} {account.Name} has the VAT code {code.Code} with"
        self.problem(name, f"{text} {plain_text(percent(code.VatRate))} %, the line has {plain_text(rate)} %")
        return False

    def _code_of(self, account: Account) -> VatCode | None:
        return next((code for code in self.codes if code.Id.lower() == account.VatCodeId.lower()), None)

    # -- VAT --

    def vat(self, rate: Decimal, revenue: Sequence[Account]) -> Account | None:
        """The account of VAT: configured, else that of the revenue accounts' VAT codes, else the rate's only one."""
        name, key = f"vat_accounts[{plain_text(rate)!r}]", self.settings.vat_account_for(rate)
        if key is not None:
            return self.usable(key, name)
        own = [code for account in revenue if (code := self._code_of(account)) is not None]
        of_rate = [code for code in self.codes if code.VatRate is not None and percent(code.VatRate) == rate]
        candidates: list[str] = []
        for codes in (own, of_rate):
            candidates = list(dict.fromkeys(number for code in codes for number in _related(code)))
            if candidates:
                break
        if len(candidates) == 1:
            return self.usable(candidates[0], name)
        text = f"the account that {plain_text(rate)} % VAT is booked on is not clear: set it"
        self.problem(name, f"{text}; VAT codes of that rate name: {self.shown(candidates)}")
        return None


def _related(code: VatCode) -> list[str]:
    related = code.RelatedAccounts
    if related is None:
        return []
    numbers = (related.AccountNumber1, related.AccountNumber2, related.AccountNumber3)
    return [number for number in numbers if number]


async def open_chart(
    settings: VismaSettings, company: CompanySettings, invoice: IssuedInvoice, year: FiscalYear
) -> Chart:
    """Everything that a sale of that day may be booked on."""
    dutch = company.CountryCode.upper() == _DUTCH and settings.receivable_account is None
    return Chart(
        settings=settings,
        company=company,
        treatment=invoice.tax_treatment,
        accounts={account.Number: account for account in await master.accounts(year.Id)},
        codings=await master.codings(invoice.issue_date),
        codes=await master.vat_codes(invoice.issue_date),
        articles={key: article.CodingId.lower() for key, article in (await master.articles()).items()},
        standard=await master.standard_accounts() if dutch else {},
    )


# ---- the sums ----------------------------------------------------------------------------------------------


@frozen
class Booked:
    """A charged line with its rate and account."""

    priced: PricedLine
    account: Account

    @property
    def amount(self) -> Decimal:
        """Net or gross, as the invoice's prices are."""
        return line_amount(self.priced)


def lines_of(chart: Chart, invoice: IssuedInvoice) -> list[Booked]:
    """The charged lines, each with its account."""
    found = []
    for index, line in enumerate(invoice.lines):
        if isinstance(line, TextLine):
            chart.note("text lines are left out: vouchers have none")
            continue
        at = f"lines[{index}]"
        rate = line.tax_rate if invoice.tax_treatment is TaxTreatment.DOMESTIC else ZERO
        if rate is None:
            chart.problem(f"{at}.tax_rate", "is missing: what was issued has a rate on every line")
            continue
        if not chart.knows(rate):
            there = ", ".join(f"{plain_text(known)} %" for known in sorted(chart.rates))
            chart.problem(
                f"{at}.tax_rate",
                f"the books have no rate of {plain_text(rate)} % on that day; there are: {there}",
            )
            continue
        account = chart.revenue(line, rate, at)
        if account is not None:
            priced = PricedLine(line.quantity, line.unit_price, rate, line.discount_percent or ZERO)
            found.append(Booked(priced, account))
    return found


def sums_of(chart: Chart, invoice: IssuedInvoice, lines: Sequence[Booked]) -> Totals:
    """Net and VAT as issued; cents by which the printed total differs are revenue of the largest rate."""
    found = totals([line.priced for line in lines], ROUNDING, prices_include_tax=invoice.prices_include_tax)
    printed = invoice.total_gross
    if printed is not None and decimals(printed) > 2:
        chart.problem("total_gross", "has more than two decimals")
    elif printed is not None and printed != found.gross:
        rest, most = difference(printed, found.gross), total([CENT] * len(lines))
        if rest.copy_abs() > most:
            text = f"is {printed}, but the lines sum up to {found.gross}"
            chart.problem("total_gross", f"{text}: rounding explains a difference of {most} at most")
        else:
            chart.note(f"{rest} rounding difference to the printed total is contained in the largest revenue")
            found = _with_rest(found, rest)
    if not found.gross:
        chart.problem("lines", "sum up to nothing: there is no receivable to book")
    if found.gross.copy_abs() > _LARGEST:
        chart.problem("lines", f"sum up to more than {_LARGEST}, the largest amount of a ledger item")
    return found


def _with_rest(found: Totals, rest: Decimal) -> Totals:
    rates = list(found.by_rate)
    largest = max(range(len(rates)), key=lambda index: rates[index].net.copy_abs())
    rates[largest] = evolve(rates[largest], net=total((rates[largest].net, rest)))
    return Totals(net=total((found.net, rest)), tax=found.tax, gross=total((found.gross, rest)), by_rate=tuple(rates))


# ---- the rows ----------------------------------------------------------------------------------------------


def rows_of(chart: Chart, invoice: IssuedInvoice, lines: Sequence[Booked], sums: Totals) -> list[dict[str, Any]]:
    """Debtors against revenue and VAT, one row an account; they balance because the sums do."""
    balances: dict[str, Decimal] = {}

    def book(account: Account | None, amount: Decimal) -> None:
        if account is not None:
            balances[account.Number] = total((balances.get(account.Number, ZERO), amount))

    book(chart.receivable(), sums.gross)
    for rate in sums.by_rate:
        group = [line for line in lines if line.priced.rate == rate.rate]
        for account, net in _shares(group, rate, gross=invoice.prices_include_tax):
            book(account, net.copy_negate())
        if rate.tax:
            book(chart.vat(rate.rate, [line.account for line in group]), rate.tax.copy_negate())
    if not chart.problems and total(balances.values()):
        raise AssertionError("a voucher that does not balance must not be sent")
    return [_row(number, balance) for number, balance in balances.items() if balance]


def _shares(group: Sequence[Booked], rate: RateTotal, *, gross: bool) -> list[tuple[Account, Decimal]]:
    """A rate's net by account; what rounding leaves over goes to the largest."""
    accounts = {line.account.Number: line.account for line in group}
    found = []
    for number, account in accounts.items():
        amount = total(line.amount for line in group if line.account.Number == number)
        found.append((account, net_of_gross(amount, rate.rate) if gross else amount))
    rest = difference(rate.net, total(net for _, net in found))
    largest = max(range(len(found)), key=lambda index: found[index][1].copy_abs())
    account, net = found[largest]
    found[largest] = (account, total((net, rest)))
    return found


def _row(number: str, balance: Decimal) -> dict[str, Any]:
    """One of the two amounts is 0, none is negative (documented); the number is a number here (documented)."""
    debit, credit = (balance, ZERO) if balance > 0 else (ZERO, balance.copy_negate())
    return {"AccountNumber": int(number), "DebitAmount": debit, "CreditAmount": credit}
