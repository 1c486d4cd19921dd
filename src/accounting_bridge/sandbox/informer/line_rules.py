"""What the vendor checks in the lines of sales invoices and of salesbook entries."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from .assumptions import Assumptions
from .books import Books
from .chart import Ledger, VatRate
from .errors import NO_COMBINATION
from .fields import Fields
from .formats import round_to, truncated
from .reference import Reference
from .totals import Line

INVOICE_LINE: Final = frozenset(
    {"info", "qty", "description", "amount", "discount", "vat_id", "ledger_id", "costs_id", "product_id"}
)
INFO_LINE: Final = frozenset({"info", "description"})
SALESBOOK_LINE: Final = frozenset({"description", "amount", "vat_id", "ledger_id", "costs_id"})


class LineRules:
    """Reads lines under one VAT option; problems go where those of the whole body go."""

    def __init__(self, books: Books, reference: Reference, problems: dict[str, str], vat_option: str | None) -> None:
        self._assume: Assumptions = books.assumptions
        self._trade = books.administration.trade_module
        self._reference = reference
        self._problems = problems
        self._vat_option = vat_option

    def invoice_lines(self, rows: list[Any]) -> tuple[Line, ...]:
        """Read the lines of a sales invoice."""
        found = (self._invoice_line(fields) for fields in self._objects(rows))
        return tuple(line for line in found if line is not None)

    def salesbook_lines(self, rows: list[Any]) -> tuple[Line, ...]:
        """Read the lines of a salesbook entry: no quantity, no discount, no text lines."""
        found = (self._salesbook_line(fields) for fields in self._objects(rows))
        return tuple(line for line in found if line is not None)

    def _objects(self, rows: list[Any]) -> list[Fields]:
        found = []
        for index, row in enumerate(rows):
            if isinstance(row, dict):
                found.append(Fields(row, self._assume, self._problems, f"lines.{index}."))
            else:
                self._problems.setdefault(f"lines.{index}", f"lines.{index} is ongeldig.")
        return found

    def _invoice_line(self, fields: Fields) -> Line | None:
        info = fields.flag("info")
        description = fields.text("description", needed=True)
        if info:
            fields.only(INFO_LINE)
            return Line(description=description or "", info=True)
        fields.only(INVOICE_LINE)
        quantity = self._quantity(fields)
        price = self._amount(fields)
        discount = fields.whole("discount") or 0
        if not 0 <= discount <= 100:
            fields.refuse("discount")
        product_id = self._product(fields)
        rate, ledger, costs_id = self._triple(fields)
        if description is None or quantity is None or price is None or rate is None or ledger is None:
            return None
        return Line(
            description=description,
            quantity=quantity,
            price=price,
            discount=discount,
            rate=rate,
            ledger=ledger,
            costs_id=costs_id,
            costs_number=self._costs_number(costs_id),
            product_id=product_id,
        )

    def _salesbook_line(self, fields: Fields) -> Line | None:
        fields.only(SALESBOOK_LINE)
        description = fields.text("description", needed=True)
        price = self._amount(fields)
        rate, ledger, costs_id = self._triple(fields)
        if description is None or price is None or rate is None or ledger is None:
            return None
        return Line(
            description=description,
            price=price,
            rate=rate,
            ledger=ledger,
            costs_id=costs_id,
            costs_number=self._costs_number(costs_id),
        )

    def _quantity(self, fields: Fields) -> Decimal | None:
        number = fields.number("qty", needed=True)
        if number is None:
            return None
        if number < 0 and not self._assume.negative_accepted:
            fields.refuse("qty")
        if number == number.to_integral_value():
            return number
        if self._assume.fractional_quantity == "refuse":
            fields.refuse("qty", "{} moet een geheel getal zijn.")
            return None
        if self._assume.fractional_quantity == "truncate":
            return truncated(number)
        return round_to(number, self._assume.quantity_decimals)

    def _amount(self, fields: Fields) -> Decimal | None:
        number = fields.number("amount", needed=True)
        if number is None:
            return None
        if number < 0 and not self._assume.negative_accepted:
            fields.refuse("amount")
        return round_to(number, self._assume.price_decimals)

    def _product(self, fields: Fields) -> int | None:
        number = fields.whole("product_id", needed=self._trade)
        if number is not None and self._reference.product(number) is None:
            fields.refuse("product_id")
        return number

    def _triple(self, fields: Fields) -> tuple[VatRate | None, Ledger | None, int | None]:
        """Read rate, ledger and cost centre; they have to go with each other and with the VAT option."""
        vat_id = fields.whole("vat_id", needed=True)
        ledger_id = fields.whole("ledger_id", needed=True)
        costs_id = fields.whole("costs_id")
        rate = self._reference.rate(vat_id)
        if vat_id is None:
            return None, None, None
        if rate is None:
            fields.refuse("vat_id")
            return None, None, None
        if self._vat_option is not None and self._vat_option not in rate.options:
            fields.refuse("vat_id", "vat_id and vat_option are not a valid combination")
        ledger = next((ledger for ledger in rate.ledgers if ledger.id == ledger_id), None)
        if ledger_id is None:
            return rate, None, None
        if ledger is None:
            fields.refuse("ledger_id", NO_COMBINATION)
            return rate, None, None
        if costs_id is None:
            if ledger.costs == "required":
                fields.missing("costs_id")
        elif ledger.costs == "disabled":
            fields.not_allowed("costs_id")
        elif costs_id not in self._reference.costs:
            fields.refuse("costs_id")
        return rate, ledger, costs_id

    def _costs_number(self, costs_id: int | None) -> str | None:
        found = self._reference.costs.get(costs_id) if costs_id is not None else None
        return found[0] if found is not None else None
