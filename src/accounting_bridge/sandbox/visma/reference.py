"""What a client reads before it writes: company settings, accounts, VAT codes, codings, units, terms, countries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from attrs import define, evolve, frozen

from accounting_bridge.sandbox.known import UnknownId
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .access import ACCOUNTING, ACCOUNTING_READ, PURCHASE_READ, SALES_READ, SALES_VARIANTS, needs
from .assumptions import RateUnit
from .bodies import read_body
from .books import Books
from .charts import CHARTS, Coding, LedgerAccount, Rate
from .countries import COUNTRIES, EU, PER_EURO, exchange_rate
from .errors import FISCAL_YEAR_MISSING, Problem
from .formats import parse_day, parse_guid, stamp
from .listing import Listed, check_parameters, list_reply, parameter
from .schema import table
from .schemas_books import ACCOUNT, FISCAL_YEAR, STANDARD_ACCOUNT, VAT_CODE
from .schemas_sales import ARTICLE_ACCOUNT_CODING, COUNTRY, TERMS_OF_PAYMENT, UNIT

LONG_AGO: Final = datetime(2020, 1, 2, 9, 30, tzinfo=UTC)
CURRENCY: Final = table("CurrencyApi", "Code text?")
DUTCH_REVENUE: Final = 29
"""AccountApi.Type of a revenue account, as a Dutch client sends it."""

_TERMS_TYPES: Final = ("Normal", "CurrentMonth", "Cash")


@frozen
class FiscalYear:
    """A calendar year of bookkeeping."""

    id: str
    year: int

    @property
    def body(self) -> dict[str, Any]:
        """The year as the vendor writes it, apart from its lock."""
        return {"Id": self.id, "StartDate": f"{self.year}-01-01", "EndDate": f"{self.year}-12-31"}


@frozen
class Terms:
    """Terms of payment."""

    id: str
    days: int
    kind: int
    for_sales: bool
    body: dict[str, Any]


@define
class Accounts:
    """The accounts of one fiscal year."""

    year: FiscalYear
    by_number: dict[int, LedgerAccount]


class Reference:
    """The reference resources of one company."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.chart = CHARTS[books.company.country]
        this_year = books.today().year
        years = range(this_year - books.company.years_before, this_year + books.company.years_after + 1)
        self.years = [FiscalYear(books.fixed_id(f"fiscal year {year}"), year) for year in years]
        self.locked_years: set[int] = set()
        self._accounts = {year.year: dict(self.chart.accounts) for year in self.years}
        self.codings = {books.fixed_id(f"coding {coding.name}"): coding for coding in self.chart.codings}
        self.coding_ids = list(self.codings)
        self.rate_ids = {code: books.fixed_id(f"VAT code {code}") for code in self.chart.rates}
        self.units = {
            books.fixed_id(f"unit {code}"): {
                "Name": name, "Code": code, "Abbreviation": short, "AbbreviationEnglish": english,
            }
            for code, name, short, english in self.chart.units
        }  # fmt: skip
        self.terms = {terms.id: terms for terms in map(self._terms, self.chart.terms)}
        self.counters: list[Callable[[], dict[str, Any]]] = []
        """Tell the numbers that the resources would give next, for the company settings."""

    def account(self, number: int, day: date) -> LedgerAccount | None:
        """Return an account as it is in the year of a day."""
        return self._accounts.get(day.year, {}).get(number)

    def change_account(self, number: int, *, is_active: bool | None = None, is_blocked: bool | None = None) -> None:
        """Change an account in every year, as the web app does."""
        for accounts in self._accounts.values():
            old = accounts.get(number)
            if old is None:
                raise UnknownId(
                    f"there is no account {number!r}: give the number of one that the chart of accounts has"
                )
            accounts[number] = evolve(
                old,
                is_active=old.is_active if is_active is None else is_active,
                is_blocked=old.is_blocked if is_blocked is None else is_blocked,
            )

    def year_of(self, day: date) -> FiscalYear | None:
        """Return the fiscal year of a day."""
        return next((year for year in self.years if year.year == day.year), None)

    def check_open(self, day: date) -> FiscalYear:
        """Return the fiscal year that a day may be booked in; refuse a missing or locked one."""
        answers = self._books.answers
        year = self.year_of(day)
        if year is None:
            text = f"There is no fiscal year for {day.isoformat()}."
            raise answers.missing_reference("VoucherDate", FISCAL_YEAR_MISSING, text)
        locked_to = self._books.locked_to
        if year.year in self.locked_years or (locked_to is not None and day <= locked_to):
            raise answers.locked(f"The period of {day.isoformat()} is locked.")
        return year

    def rate(self, code: str) -> Rate:
        """Return a VAT code of the chart."""
        return self.chart.rates[code]

    def rate_by_id(self, identifier: str) -> Rate | None:
        """Return a VAT code by its id."""
        return next((self.chart.rates[code] for code, known in self.rate_ids.items() if known == identifier), None)

    @needs(*SALES_READ)
    @route("GET", "/v2/companysettings")
    def settings(self, call: Call) -> Reply:
        """Describe the company, not wrapped: the cheapest test of a connection."""
        check_parameters(call, self._books, ())
        company, dutch = self._books.company, self._books.company.country == "NL"
        body: dict[str, Any] = {
            "Name": company.name,
            "Email": "boekhouding@urenwerk.example",
            "Address1": "Voorbeeldstraat 1",
            "CountryCode": company.country,
            "PostalCode": "1234 AB" if dutch else "12345",
            "City": "Voorbeeldstad",
            "OurReference": company.our_reference,
            "CurrencyCode": self._books.currency,
            "TermsOfPaymentId": next(iter(self.terms)),
            "CorporateIdentityNumber": "00000000",
            "AccountNumberDigits": 4,
            "AccountingLockedTo": (self._books.locked_to or date(2000, 1, 1)).isoformat(),
            "AccountingLockInterval": 0,
            "ProductVariant": company.variant,
            "TypeOfBusiness": 1,
            "VatPeriod": 3,
            "ActivatedModules": ["api_standard"],
            **{name: number for counter in self.counters for name, number in counter().items()},
            "ShowPricesExclVatPC": company.show_prices_excl_vat_pc,
            "UsesCostCenter": False,
            "UsesProject": False,
            "UsesMoss": False,
            "UsesPaymentReferenceNumber": company.uses_payment_reference_number,
            "DomesticCurrencyRounding": int(company.rounds_domestic_currency),
            "UsesReverseConstructionVat": company.uses_reverse_construction_vat,
            "UsesRotReducedInvoicing": False,
            "CompanyStatus": 1,
            "CompanyIdentifier": self._books.fixed_id("company"),
            "KeepOriginalDraftDate": company.keep_original_draft_date,
            "UseAutomaticVatCalculation": None if dutch else company.use_automatic_vat_calculation,
            "UsesVatTriangulationRules": False,
        }
        return Reply.json(200, body)

    @needs(*SALES_READ)
    @route("GET", "/v2/countries")
    def countries(self, call: Call) -> Reply:
        """List the countries."""
        return self._list(call, COUNTRY, [_country(code) for code in COUNTRIES], "countries")

    @needs(*SALES_READ)
    @route("GET", "/v2/countries/{code}")
    def country(self, call: Call, code: str) -> Reply:
        """Show one country."""
        check_parameters(call, self._books, ())
        if code.upper() not in COUNTRIES:
            raise self._books.answers.not_found("The country")
        return Reply.json(200, _country(code.upper()))

    @needs(*SALES_READ, *PURCHASE_READ)
    @route("GET", "/v2/currencies")
    def currencies(self, call: Call) -> Reply:
        """List the currencies."""
        return self._list(call, CURRENCY, [{"Code": code} for code in PER_EURO], "currencies")

    @needs(*SALES_READ, *PURCHASE_READ)
    @route("GET", "/v2/currencies/exchangerate")
    def exchange(self, call: Call) -> Reply:
        """Show an exchange rate."""
        check_parameters(call, self._books, ("sourceCurrencyCode", "targetCurrencyCode", "date"))
        source = (parameter(call, "sourceCurrencyCode") or "").upper()
        target = (parameter(call, "targetCurrencyCode") or "").upper()
        for name, code in (("sourceCurrencyCode", source), ("targetCurrencyCode", target)):
            if code not in PER_EURO:
                raise self._books.answers.invalid([Problem(name, f"The value '{code}' is not a known currency.")])
        day = self._rate_day(call, "date")
        return Reply.json(
            200,
            {
                "Date": day.isoformat(), "SourceCurrency": source, "TargetCurrency": target,
                "Rate": exchange_rate(source, target),
            },
        )  # fmt: skip

    @needs(*SALES_READ, *PURCHASE_READ)
    @route("GET", "/v2/termsofpayments")
    def all_terms(self, call: Call) -> Reply:
        """List the terms of payment; they cannot be made through the API."""
        return self._list(call, TERMS_OF_PAYMENT, [terms.body for terms in self.terms.values()], "termsofpayments")

    @needs(*SALES_READ, *PURCHASE_READ)
    @route("GET", "/v2/termsofpayments/{id}")
    def one_terms(self, call: Call, identifier: str) -> Reply:
        """Show terms of payment."""
        return self._one(call, {key: terms.body for key, terms in self.terms.items()}, identifier)

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/units")
    def all_units(self, call: Call) -> Reply:
        """List the units; read-only."""
        return self._list(call, UNIT, [{"Id": key, **unit} for key, unit in self.units.items()], "units")

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/units/{id}")
    def one_unit(self, call: Call, identifier: str) -> Reply:
        """Show a unit."""
        return self._one(call, {key: {"Id": key, **unit} for key, unit in self.units.items()}, identifier)

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/articleaccountcodings")
    def all_codings(self, call: Call) -> Reply:
        """List the codings; they are made in the web app only."""
        day = self._rate_day(call, "vatRateDate")
        rows = [self._coding(key, coding, day) for key, coding in self.codings.items()]
        return self._list(call, ARTICLE_ACCOUNT_CODING, rows, "articleaccountcodings", "vatRateDate")

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/articleaccountcodings/{id}")
    def one_coding(self, call: Call, identifier: str) -> Reply:
        """Show a coding."""
        day = self._rate_day(call, "vatRateDate")
        rows = {key: self._coding(key, coding, day) for key, coding in self.codings.items()}
        return self._one(call, rows, identifier, "vatRateDate")

    @needs(*ACCOUNTING_READ)
    @route("GET", "/v2/vatcodes")
    def vat_codes(self, call: Call) -> Reply:
        """List the VAT codes."""
        day = self._rate_day(call, "vatRateDate")
        rows = [self._vat_code(rate, day) for rate in self.chart.rates.values()]
        return self._list(call, VAT_CODE, rows, "vatcodes", "vatRateDate")

    @needs(*ACCOUNTING_READ)
    @route("GET", "/v2/vatcodes/{id}")
    def vat_code(self, call: Call, identifier: str) -> Reply:
        """Show a VAT code."""
        day = self._rate_day(call, "vatRateDate")
        rows = {self.rate_ids[rate.code]: self._vat_code(rate, day) for rate in self.chart.rates.values()}
        return self._one(call, rows, identifier, "vatRateDate")

    @needs(*SALES_READ, *ACCOUNTING_READ)
    @route("GET", "/v2/fiscalyears")
    def fiscal_years(self, call: Call) -> Reply:
        """List the fiscal years."""
        return self._list(call, FISCAL_YEAR, [self._year(year) for year in self.years], "fiscalyears")

    @needs(*SALES_READ, *ACCOUNTING_READ)
    @route("GET", "/v2/fiscalyears/{id}")
    def fiscal_year(self, call: Call, identifier: str) -> Reply:
        """Show a fiscal year."""
        return self._one(call, {year.id: self._year(year) for year in self.years}, identifier)

    @needs(*ACCOUNTING_READ)
    @route("GET", "/v2/accounts")
    def accounts(self, call: Call) -> Reply:
        """List the accounts of all fiscal years."""
        rows = [self._account(account, year) for year in self.years for account in self._of(year)]
        return self._list(call, ACCOUNT, rows, "accounts")

    @needs(*ACCOUNTING_READ)
    @route("GET", "/v2/accounts/standardaccounts")
    def standard_accounts(self, call: Call) -> Reply:
        """List what accounts stand for; Dutch companies only."""
        if self._books.company.country != "NL":
            raise self._books.answers.no_module("standard_accounts", self._books.assumptions.module_status)
        kinds = {
            self._books.assumptions.receivable_account_type: self.chart.receivable,
            "Bank": self.chart.bank,
            "RoundingDifferences": self.chart.rounding,
        }
        rows = [{"AccountType": kind, "AccountNumber": number} for kind, number in kinds.items()]
        return self._list(call, STANDARD_ACCOUNT, rows, "standardaccounts")

    @needs(*ACCOUNTING_READ)
    @route("GET", "/v2/accounts/{year}")
    def accounts_of_year(self, call: Call, identifier: str) -> Reply:
        """List the accounts of one fiscal year."""
        year = self.known_year(identifier)
        return self._list(call, ACCOUNT, [self._account(account, year) for account in self._of(year)], "accounts")

    @needs(*ACCOUNTING_READ)
    @route("GET", "/v2/accounts/{year}/{number}")
    def one_account(self, call: Call, identifier: str, number: str) -> Reply:
        """Show an account of one fiscal year."""
        check_parameters(call, self._books, ())
        year = self.known_year(identifier)
        found = self._accounts[year.year].get(int(number)) if number.isascii() and number.isdigit() else None
        if found is None:
            raise self._books.answers.not_found("The account")
        return Reply.json(200, self._account(found, year))

    @needs(*ACCOUNTING)
    @route("POST", "/v2/accounts")
    def create_account(self, call: Call) -> Reply:
        """Add an account to a fiscal year."""
        check_parameters(call, self._books, ("useDefaultAccountType",))
        values = read_body(call, self._books, ACCOUNT)
        year = next((year for year in self.years if year.id == values["FiscalYearId"]), None)
        if year is None:
            raise self._books.answers.missing_reference("FiscalYearId", FISCAL_YEAR_MISSING)
        text = values["Number"]
        if not (text.isascii() and text.isdigit() and len(text) <= 10):
            raise self._books.answers.invalid([Problem("Number", "The field Number must be an account number.")])
        rate = self.rate_by_id(values["VatCodeId"]) if "VatCodeId" in values else None
        if "VatCodeId" in values and rate is None:
            raise self._books.answers.missing_reference("VatCodeId")
        if int(text) in self._accounts[year.year]:
            raise self._books.answers.conflict("Number", f"The account {text} exists already.")
        account = LedgerAccount(
            int(text),
            values["Name"],
            rate.code if rate is not None else None,
            values["IsActive"],
            values.get("IsBlockedForManualBooking", False),
        )
        self._accounts[year.year][account.number] = account
        return Reply.json(201, self._account(account, year))

    def known_year(self, identifier: str) -> FiscalYear:
        """Return the fiscal year that a path names."""
        year = next((year for year in self.years if year.id == parse_guid(identifier)), None)
        if year is None:
            raise self._books.answers.not_found("The fiscal year")
        return year

    def terms_body(self, identifier: str) -> dict[str, Any] | None:
        """Return terms of payment as they are shown inside a customer."""
        terms = self.terms.get(identifier)
        return terms.body if terms is not None else None

    def _list(self, call: Call, schema: Any, rows: list[dict[str, Any]], resource: str, *also: str) -> Reply:
        return list_reply(call, self._books, schema, Listed(rows), resource=resource, also=also)

    def _one(self, call: Call, rows: dict[str, dict[str, Any]], identifier: str, *also: str) -> Reply:
        check_parameters(call, self._books, also)
        row = rows.get(parse_guid(identifier) or "")
        if row is None:
            raise self._books.answers.not_found()
        return Reply.json(200, row)

    def _rate_day(self, call: Call, name: str) -> date:
        text = parameter(call, name)
        day = parse_day(text) if text is not None else self._books.today()
        if day is None:
            raise self._books.answers.invalid([Problem(name, f"The value '{text}' is not valid for {name}.", "Type")])
        return day

    def _terms(self, row: tuple[str, str, int, int, bool]) -> Terms:
        name, english, days, kind, for_sales = row
        identifier = self._books.fixed_id(f"terms {name}")
        body = {
            "Id": identifier,
            "Name": name,
            "NameEnglish": english,
            "NumberOfDays": days,
            "TermsOfPaymentTypeId": kind,
            "TermsOfPaymentTypeText": _TERMS_TYPES[kind],
            "AvailableForSales": for_sales,
            "AvailableForPurchase": kind == 0,
        }
        return Terms(identifier, days, kind, for_sales, body)

    def _year(self, year: FiscalYear) -> dict[str, Any]:
        return {**year.body, "IsLockedForAccounting": year.year in self.locked_years, "BookkeepingMethod": 0}

    def _of(self, year: FiscalYear) -> list[LedgerAccount]:
        return [account for _, account in sorted(self._accounts[year.year].items())]

    def _account(self, account: LedgerAccount, year: FiscalYear) -> dict[str, Any]:
        rate = self.chart.rates.get(account.rate) if account.rate is not None else None
        revenue = self._books.company.country == "NL" and str(account.number).startswith("8")
        return ACCOUNT.shown(
            {
                "Name": account.name,
                "Number": str(account.number),
                "VatCodeId": self.rate_ids[rate.code] if rate is not None else None,
                "VatCodeDescription": rate.description if rate is not None else None,
                "FiscalYearId": year.id,
                "Type": DUTCH_REVENUE if revenue else 0,
                "ModifiedUtc": stamp(LONG_AGO),
                "CreatedUtc": stamp(LONG_AGO),
                "IsActive": account.is_active,
                "AllowTransactionText": True,
                "IsBlockedForManualBooking": account.is_blocked,
            }
        )

    def _coding(self, identifier: str, coding: Coding, day: date) -> dict[str, Any]:
        percent = self.chart.rates[coding.rate].percent(day)
        return ARTICLE_ACCOUNT_CODING.shown(
            {
                "Id": identifier,
                "Name": coding.name,
                "NameEnglish": coding.name_english,
                "Type": coding.kind,
                "VatRate": coding.rate,
                "IsActive": coding.is_active,
                "VatRatePercent": in_unit(percent, self._books.assumptions.coding_rate_unit),
                "DomesticSalesSubjectToReversedConstructionVatAccountNumber": coding.construction,
                "DomesticSalesSubjectToVatAccountNumber": coding.domestic,
                "DomesticSalesVatExemptAccountNumber": coding.exempt,
                "ForeignSalesSubjectToThirdPartySalesAccountNumber": coding.third_party,
                "ForeignSalesSubjectToVatWithinEuAccountNumber": coding.domestic if coding.within_eu else None,
                "ForeignSalesVatExemptOutsideEuAccountNumber": coding.outside_eu,
                "ForeignSalesVatExemptWithinEuAccountNumber": coding.within_eu,
                "DomesticSalesVatCodeExemptAccountNumber": coding.exempt,
                "ChangedUtc": stamp(LONG_AGO),
            }
        )

    def _vat_code(self, rate: Rate, day: date) -> dict[str, Any]:
        return VAT_CODE.shown(
            {
                "Id": self.rate_ids[rate.code],
                "Code": rate.code,
                "Description": rate.description,
                "VatRate": in_unit(rate.percent(day), self._books.assumptions.vat_code_rate_unit),
                "RelatedAccounts": {"AccountNumber1": rate.account, "AccountNumber2": None, "AccountNumber3": None},
            }
        )


def in_unit(percent: Decimal, unit: RateUnit) -> Decimal:
    """Write a rate as percent or as fraction."""
    return percent if unit == "percent" else percent / 100


def _country(code: str) -> dict[str, Any]:
    return {"Name": COUNTRIES[code], "NameEnglish": COUNTRIES[code], "Code": code, "IsEuMember": code in EU}
