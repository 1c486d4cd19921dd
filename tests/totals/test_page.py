"""Every number of docs/totals.md is true of the sandboxes, and its models are the ones that the adapters declare.

A cell is what the books say (net + tax = gross), or the fields that are refused, with nothing sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import frozen
from tests.totals.documents import Case
from tests.totals.world import USUAL, Books, Setting, Sums

import accounting_bridge as ab

PAGE: Final = Path(__file__).parents[2] / "docs" / "totals.md"
VENDORS: Final = {setting.vendor: setting for setting in USUAL}
_LINE: Final = re.compile(
    r"(?P<quantity>−?[\d.]+) × (?P<price>−?[\d.]+) @ (?P<rate>high|low|zero)"
    r"(?: less (?P<discount>[\d.]+) %)?(?: \((?P<kind>goods)\))?(?:, (?P<times>\d) times)?"
)
_RATES: Final = {"zero": 0, "low": 1, "high": 2}


@frozen
class Cell:
    """What the page says of one document in one vendor's books."""

    section: str
    document: str
    vendor: str
    text: str

    def __str__(self) -> str:
        return f"{self.document} at {self.vendor}"


def _table(heading: str) -> list[list[str]]:
    (section,) = re.findall(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if not row.startswith("|--")]


def _cells(heading: str) -> list[Cell]:
    head, *rows = _table(heading)
    vendors = [name.lower() for name in head[1:]]
    assert set(vendors) == set(VENDORS)
    return [
        Cell(heading, row[0].strip("`"), vendor, text)
        for row in rows
        for vendor, text in zip(vendors, row[1:], strict=True)
    ]


INVOICES: Final = "The same invoice, four vendors"
SALES: Final = "The same sale, four vendors"


# ---- from the page's words to documents ------------------------------------------------------------------------


def _number(text: str) -> Decimal:
    return Decimal(text.replace("−", "-"))


def _read(text: str, rates: Sequence[int]) -> tuple[list[ab.LineItem], Mapping[str, str]]:
    """Lines joined by ``+``; then, behind semicolons, what is said of the whole."""
    first, *rest = text.split("; ")
    lines = []
    for part in first.split(" + "):
        found = _LINE.fullmatch(part)
        assert found is not None, part
        discount = found["discount"]
        line = ab.LineItem(
            description="Beratung", quantity=_number(found["quantity"]), unit_price=_number(found["price"]),
            tax_rate=rates[_RATES[found["rate"]]], discount_percent=None if discount is None else _number(discount),
            kind=ab.LineKind(found["kind"] or "service"),
        )  # fmt: skip
        lines += [line] * int(found["times"] or 1)
    return lines, {word.partition(" ")[0]: word.partition(" ")[2] for word in rest}


def _case(lines: list[ab.LineItem], words: Mapping[str, str]) -> Case:
    assert set(words) <= {"gross", "final", "whole", "printed"}, words
    whole = words.get("whole")
    return Case(
        lines=tuple(lines), gross="gross" in words, finalize="final" in words, foreign_context=False, rest=None,
        discount=None if whole is None else _number(whole.removeprefix("less ").removesuffix(" %")),
    )  # fmt: skip


@cache
def _books(vendor: str) -> Books:
    return Books(VENDORS[vendor])


def _said(cell: Cell) -> str:
    """What the books say of the document, or of why it is refused."""
    books = _books(cell.vendor)
    lines, words = _read(cell.document, books.setting.rates)
    case, before = _case(lines, words), books.writes
    try:
        if cell.section == INVOICES:
            made: Any = books.provider.create_invoice(case.draft(books.name(), books.customer), finalize=case.finalize)
            booked = books.booked("invoice", made.id)
        else:
            printed = _number(words["printed"].removeprefix("as ")) if "printed" in words else None
            made = books.provider.book_sale(case.issued(books.name(), books.customer, printed))
            booked = books.booked("sale", made.id)
    except ab.InvalidRequest as error:
        assert books.writes == before
        return f"refused: {', '.join(f'`{problem.field}`' for problem in error.problems)}"
    assert Sums.of(made.totals).agree(booked)
    sign = "−" if booked.tax < 0 else "+"
    return f"{_plain(booked.net)} {sign} {_plain(abs(booked.tax))} = {_plain(booked.gross)}"


def _plain(amount: Decimal) -> str:
    return f"{amount:.2f}".replace("-", "−")


@pytest.mark.parametrize("cell", [*_cells(INVOICES), *_cells(SALES)], ids=str)
def test_the_page_says_what_the_books_say(cell: Cell) -> None:
    assert cell.text == _said(cell)


# ---- the models ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", USUAL, ids=str)
def test_the_page_says_what_the_adapter_declares(setting: Setting) -> None:
    head, *rows = _table("The models")
    said = {row[0]: row[[name.lower() for name in head].index(setting.vendor)] for row in rows}
    rounding = _books(setting.vendor).provider._session.state.adapter.rounding
    assert said["VAT is rounded"] == f"once per {rounding.tax_per}"
    assert said["decimals of a quantity"].startswith(str(rounding.quantity_decimals))
    assert said["decimals of a price"].startswith(str(rounding.price_decimals))
    assert said["evidence"].startswith(rounding.evidence.value)
    assert (rounding.quantity_decimals, rounding.price_decimals) == (setting.quantity_decimals, setting.price_decimals)
    assert (rounding.discount_per == "invoice") is setting.discount_once
    whole = "–" if setting.whole_discount_decimals == -1 else f"once per {rounding.discount_per}"
    assert said["discount on the whole is rounded"] == whole
    if not rounding.tolerance(1):
        assert said["tolerance"].startswith("none")
    else:
        assert said["tolerance"] == f"{rounding.tolerance_per_line} a line, at least {rounding.least_tolerance}"
