"""What the vendor checks in a bookkeeping voucher: exact column arithmetic and what a category demands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from attrs import define, field

from .books import Books
from .categories import PostingCategory
from .contacts import Contact, Contacts
from .countries import COUNTRIES
from .errors import INVALID, MISSING, Issue
from .formats import MAX_DIGITS, decimals, number_of, parse_voucher_day, round2
from .tax import VOUCHER_RATES

SALES_TYPES: Final = ("salesinvoice", "salescreditnote")
PURCHASE_TYPES: Final = ("purchaseinvoice", "purchasecreditnote")
INVALID_TOTAL: Final = "invalid_total_amount"
INVALID_TAX: Final = "invalid_taxamount"
_HUNDRED: Final = Decimal(100)


@define
class Row:
    """One row: bookkeeping groups by tax rate, not by invoice line."""

    amount: Decimal
    tax: Decimal
    rate: Decimal
    category: PostingCategory


@define
class VoucherData:
    """What a checked body comes to."""

    type: str = ""
    number: str = ""
    day: date | None = None
    shipping_day: date | None = None
    due_day: date | None = None
    gross: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    tax_type: str = "gross"
    collective: bool = False
    contact: Contact | None = None
    contact_name: str | None = None
    remark: str | None = None
    rows: list[Row] = field(factory=list)


class VoucherCheck:
    """Reads one body; ``issues`` holds everything that is wrong, ``data`` what it comes to."""

    def __init__(
        self,
        body: dict[str, Any],
        books: Books,
        contacts: Contacts,
        categories: Mapping[str, PostingCategory],
    ) -> None:
        self.issues: list[Issue] = []
        self.data = VoucherData()
        self._body = body
        self._books = books
        self._contacts = contacts
        self._categories = categories
        self._check_status()
        self._check_head()
        self._check_dates()
        self._check_contact()
        self._check_rows()
        self._check_sums()
        self._check_categories()

    def _refuse(self, source: str, key: str = INVALID) -> None:
        self.issues.append(Issue(source, key))

    def _check_status(self) -> None:
        status = self._body.get("voucherStatus")
        if status is None or (status == "open" and self._books.assumptions.voucher_status_open_accepted):
            return
        # Documented as settable, refused for every type since 2026-08-23 (measured), on POST and on PUT.
        self._refuse("voucherStatus")

    def _check_head(self) -> None:
        kind = self._body.get("type")
        if kind is None:
            self._refuse("type", MISSING)
        elif kind not in (*SALES_TYPES, *PURCHASE_TYPES):
            self._refuse("type")
        else:
            self.data.type = kind
        number = self._body.get("voucherNumber")
        if number is None or number == "":
            self._refuse("voucherNumber", MISSING)
        elif not isinstance(number, str):
            self._refuse("voucherNumber")
        else:
            self.data.number = number
        tax_type = self._body.get("taxType")
        allowed = ["net", "gross"]
        if self._books.assumptions.voucher_vatfree_accepted:
            allowed.append("vatfree")
        if tax_type is None:
            self._refuse("taxType", MISSING)
        elif tax_type not in allowed:
            self._refuse("taxType")
        else:
            self.data.tax_type = tax_type
        remark = self._body.get("remark")
        if remark is not None and not isinstance(remark, str):
            self._refuse("remark")
        self.data.remark = remark or None

    def _check_dates(self) -> None:
        day = self._day("voucherDate")
        if day is None and self._body.get("voucherDate") is None:
            self._refuse("voucherDate", MISSING)
        self.data.day = day
        self.data.shipping_day = self._day("shippingDate")
        if self.data.shipping_day is not None and self.data.type in PURCHASE_TYPES:
            self._refuse("shippingDate")
        self.data.due_day = self._day("dueDate") or day

    def _day(self, name: str) -> date | None:
        value = self._body.get(name)
        if value is None:
            return None
        day = parse_voucher_day(value)
        if day is None:
            self._refuse(name)
        return day

    def _check_contact(self) -> None:
        collective = self._body.get("useCollectiveContact")
        if collective is not None and not isinstance(collective, bool):
            self._refuse("useCollectiveContact")
        name = self._body.get("contactName")
        if name is not None and not isinstance(name, str):
            self._refuse("contactName")
        self.data.contact_name = name or None
        self.data.collective = collective is True
        if self.data.collective:
            return
        identifier = self._body.get("contactId")
        if identifier is None:
            self._refuse("contactId", MISSING)
            return
        contact = self._contacts.referable(identifier)
        role = "vendor" if self.data.type in PURCHASE_TYPES else "customer"
        if contact is None:
            self._refuse("contactId", MISSING)
        elif role not in contact.numbers:
            self._refuse("contactId")
        self.data.contact = contact

    def _check_rows(self) -> None:
        rows = self._body.get("voucherItems")
        if not isinstance(rows, list) or not rows:
            self._refuse("voucherItems", MISSING)
            return
        for index, row in enumerate(rows):
            where = f"voucherItems[{index}]"
            if not isinstance(row, dict):
                self._refuse(where)
                continue
            amount = self._money(row, "amount", where)
            tax = self._money(row, "taxAmount", where)
            rate = self._money(row, "taxRatePercent", where)
            category = self._category(row.get("categoryId"), where)
            if amount is None or tax is None or rate is None or category is None:
                continue
            self._check_row(Row(amount, tax, rate, category), where)

    def _check_row(self, row: Row, where: str) -> None:
        self.data.rows.append(row)
        if row.amount == 0 or (row.amount < 0 and not self._books.assumptions.negative_rows_accepted):
            self._refuse(f"{where}.amount")
        if not self._is_rate(row):
            self._refuse(f"{where}.taxRatePercent")
            return
        base = _HUNDRED if self.data.tax_type == "net" else _HUNDRED + row.rate
        expected = round2(row.amount * row.rate / base)
        if abs(row.tax - expected) > self._books.assumptions.voucher_tolerance:
            self._refuse(f"{where}.taxAmount", INVALID_TAX)

    def _is_rate(self, row: Row) -> bool:
        if row.category.cross_border is not None or row.category.small_business:
            return row.rate == 0
        if row.category.distance_sales == "DESTINATION":
            return 0 <= row.rate <= 27
        return row.rate in VOUCHER_RATES

    def _check_sums(self) -> None:
        gross = self._money(self._body, "totalGrossAmount", "")
        tax = self._money(self._body, "totalTaxAmount", "")
        if gross is None or tax is None:
            return
        self.data.gross, self.data.tax = gross, tax
        items = self._body.get("voucherItems")
        if not isinstance(items, list) or not items or len(self.data.rows) != len(items):
            return
        tolerance = self._books.assumptions.voucher_tolerance
        taxes = sum((row.tax for row in self.data.rows), Decimal(0))
        amounts = sum((row.amount for row in self.data.rows), Decimal(0))
        expected = amounts + taxes if self.data.tax_type == "net" else amounts
        if abs(gross - expected) > tolerance or gross == 0:
            self._refuse("totalGrossAmount", INVALID_TOTAL)
        if abs(tax - taxes) > tolerance:
            self._refuse("totalTaxAmount", INVALID_TAX)

    def _check_categories(self) -> None:
        categories = [row.category for row in self.data.rows]
        wanted = "outgo" if self.data.type in PURCHASE_TYPES else "income"
        for index, category in enumerate(categories):
            where = f"voucherItems[{index}].categoryId"
            if category.type != wanted:
                self._refuse(where)
            if category.distance_sales is not None:
                self._check_distance_sales(category, where)
            if category.small_business and self.data.tax_type != "gross":
                self._refuse("taxType")
            if category.cross_border is not None:
                self._check_cross_border(category)
            elif category.contact_required and self.data.collective:
                self._refuse("contactId", MISSING)
        rates = {row.rate for row in self.data.rows}
        if len(rates) > 1 and not all(category.split_allowed for category in categories):
            self._refuse("voucherItems")
        distance = [category for category in categories if category.distance_sales is not None]
        if distance and len({category.id for category in categories}) > 1:
            self._refuse("voucherItems")

    def _check_distance_sales(self, category: PostingCategory, where: str) -> None:
        if category.distance_sales != (self._books.organisation.distance_sales_principle or "ORIGIN"):
            self._refuse(where)

    def _check_cross_border(self, category: PostingCategory) -> None:
        rule = category.cross_border
        assert rule is not None
        contact = self.data.contact
        if contact is None:
            if self.data.collective:
                self._refuse("contactId", MISSING)
            return
        if not contact.is_company:
            self._refuse("contactId", rule.person_issue)
            return
        codes = [str(address.get("countryCode")) for address in contact.addresses("billing")]
        country = COUNTRIES.get(codes[0]) if codes else None
        if country is None or country.tax_classification != rule.tax_classification:
            self._refuse("contactId")
        elif rule.vat_id_needed and not contact.vat_id:
            self._refuse("company.vatRegistrationId", MISSING)

    def _category(self, identifier: object, where: str) -> PostingCategory | None:
        if identifier is None:
            self._refuse(f"{where}.categoryId", MISSING)
            return None
        category = self._categories.get(identifier) if isinstance(identifier, str) else None
        if category is None:
            self._refuse(f"{where}.categoryId")
        return category

    def _money(self, body: dict[str, Any], name: str, where: str) -> Decimal | None:
        """Read an amount; a quoted one was seen to be accepted."""
        source = f"{where}.{name}" if where else name
        value = body.get(name)
        if value is None:
            self._refuse(source, MISSING)
            return None
        number = number_of(value)
        if isinstance(value, str):
            try:
                number = Decimal(value)
            except InvalidOperation:
                number = None
        if number is None or not number.is_finite() or decimals(number) > 2 or number.adjusted() > MAX_DIGITS:
            self._refuse(source)
            return None
        return number
