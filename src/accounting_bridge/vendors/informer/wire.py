"""What Informer's JSON looks like: days and stamps, converter, wire classes. Private to this vendor.

Field names are spelled as the vendor spells them; only what is mapped is declared. Types are read generously where
the vendor's own documents contradict each other: flags as booleans, "0" and "1"; numbers in quotes; an empty PHP
array where an object was due, and the other way round.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, Final, NewType, TypeVar
from zoneinfo import ZoneInfo

from attrs import define, field, fields_dict
from cattrs import Converter

from ...money import plain_text
from ...wire import strict_converter

T = TypeVar("T")
Key = NewType("Key", int)
"""An id: an integer in v2, a numeric string in v1."""
Text = NewType("Text", str)
"""Text, where a number may arrive as well; nothing is ``""``."""
Flag = NewType("Flag", bool)

VENDOR: Final = "informer"
BASE: Final = "/v2"
INVOICES: Final = f"{BASE}/invoices/sales"
SALESBOOK: Final = f"{BASE}/salesbook"

# ---- days and stamps ---------------------------------------------------------------------------------------


@cache
def _amsterdam() -> ZoneInfo:
    return ZoneInfo("Europe/Amsterdam")


def today(now: dt.datetime) -> dt.date:
    """The day it is where the books are kept."""
    return now.astimezone(_amsterdam()).date()


def instant(text: str | None) -> dt.datetime | None:
    """A stamp without zone, taken as Dutch time (assumed); None for an odd or an empty one."""
    if not text or text.startswith(_NEVER):
        return None
    try:
        stamp = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    # Combined: a replaced zone takes four times as long.
    return dt.datetime.combine(stamp, stamp.time(), _amsterdam()) if stamp.tzinfo is None else stamp


def edited_since(since: dt.datetime) -> str:
    """The value of ``last_edit`` that leaves out nothing edited since then.

    "After this date" (documented) may or may not include the day itself, and stamps may be Dutch time or UTC: the
    day before the earlier of the two days serves all four.
    """
    earliest = dt.datetime(1970, 1, 3, tzinfo=dt.UTC)
    return (max(since, earliest).astimezone(dt.UTC).date() - dt.timedelta(days=1)).isoformat()


_NEVER: Final = ("0000", "9999")
"""How v1 writes a date that is none."""

# ---- converter ---------------------------------------------------------------------------------------------


def _none(value: object) -> bool:
    return value is None or value in ("", [], {})


def _key(value: Any, _: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is str and value.isascii() and value.isdecimal() and len(value) < 19:
        return int(value)
    raise TypeError("expected a whole number")


def text_of(value: Any, _: Any) -> str:
    """Text as it is, a number by its digits, and nothing as ``""``."""
    if type(value) is str:
        return value
    if value is None or _none(value):  # asked twice, because it is most values of an import
        return ""
    if type(value) is int:
        return str(value)
    if type(value) is Decimal:
        return plain_text(value)
    raise TypeError(f"expected text, found {type(value).__name__}")


def _flag(value: Any, _: Any) -> bool:
    if value in (True, 1, "1", "true"):
        return True
    if _none(value) or value in (False, 0, "0", "false"):
        return False
    raise TypeError("expected a flag")


def _day(value: Any, kind: Any) -> dt.date | None:
    if _none(value) or (type(value) is str and value.startswith(_NEVER)):
        return None
    day: dt.date = _plain.get_structure_hook(dt.date)(value, kind)
    return day


def _or_none(hook: Callable[[Any, Any], T]) -> Callable[[Any, Any], T | None]:
    return lambda value, kind: None if value is None or _none(value) else hook(value, kind)


_plain: Final = strict_converter()
converter: Final = strict_converter()
converter.register_structure_hook(Key, _key)
converter.register_structure_hook(Text, text_of)
converter.register_structure_hook(Flag, _flag)


def _register(kind: Any, hook: Callable[[Any, Any], Any], on: Converter = converter) -> None:
    on.register_structure_hook_func(lambda given: bool(given == kind), hook)


_register(Key | None, _or_none(_key))
_register(Decimal | None, _or_none(_plain.get_structure_hook(Decimal)))
_register(dt.date | None, _day)

# ---- wire classes: only what is mapped ----------------------------------------------------------------------


@define
class Person:
    """A contact inside a relation."""

    firstname: str | None = None
    surname_prefix: str | None = None
    surname: str | None = None
    phone: str | None = None
    mobile: str | None = None
    email: str | None = None


@define
class Roles:
    """What a relation is, as far as an app is concerned; what is not said is an active customer."""

    active: bool = True
    customer: bool = True
    lead: bool = False
    supplier: bool = False
    prospect: bool = False


@define
class Relation:
    """A customer, a supplier, or both. ``zip`` is missing from the documented output, so it may be missing.

    The types are those of the documents, and so are most records of an import, which are read for nothing else
    first. What contradicts the documents is read with :data:`lenient`.
    """

    id: int
    relation_number: int | None = None
    relation_type: int | None = None
    company_name: str | None = None
    firstname: str | None = None
    surname_prefix: str | None = None
    surname: str | None = None
    street: str | None = None
    house_number: str | None = None
    house_number_suffix: str | None = None
    zip: str | None = None
    city: str | None = None
    country: str | None = None
    phone: str | None = None
    web: str | None = None
    email: str | None = None
    email_invoice: str | None = None
    coc: str | None = None
    vat: str | None = None
    iban: str | None = None
    bic: str | None = None
    payment_condition_id: int | None = None
    last_edit: str | None = None
    subtype: Roles | None = None
    contacts: list[Person] | None = None


def _roles(value: Any, _: Any) -> Roles | None:
    """An odd one must not hide the customer."""
    if not isinstance(value, dict):
        return None
    return Roles(**{name: value[name] in (True, 1, "1") for name in fields_dict(Roles) if name in value})


as_documented: Final = strict_converter().get_structure_hook(Relation)
"""Reads a relation that is as documented; raises at any other."""
lenient: Final = strict_converter()
"""Reads relations, and the people in them, as generously as all other records are read."""
lenient.register_structure_hook(int, _key)
_register(int | None, _or_none(_key), lenient)
_register(str | None, lambda value, kind: None if value is None else text_of(value, kind), lenient)
_register(Roles | None, _roles, lenient)


@define
class Paging:
    """Which page a page of a list says it is."""

    page: int | None = None
    total: int | None = None


@define
class RelationsPage:
    """A page of relations that is as documented."""

    relations: list[Relation]
    pagination: Paging | None = None


@define
class Administration:
    """The books' own company. ``modules`` and ``blocked_period`` are read apart; the latter is undocumented."""

    company_name: Text = Text("")
    contact: Text = Text("")
    country: Text = Text("")
    modules: Any = None
    blocked_period: Any = None


@define
class UsableLedger:
    """A ledger account that may go with a VAT rate. The vendor's own example lacks ``number``."""

    id: Key
    number: Text = Text("")
    description: Text = Text("")
    costs: Text = Text("")
    """``optional``, ``required`` or ``disabled``: whether a cost centre goes with it."""


@define
class VatLedgerOption:
    """A VAT rate with what it may be combined with."""

    id: Key
    percentage: Decimal
    name: Text = Text("")
    vat_options: dict[str, Flag] = field(factory=dict)
    usable_ledgers: list[UsableLedger] = field(factory=list)


@define
class Ledger:
    """A ledger account of the chart."""

    id: Key
    number: Text = Text("")


@define
class Template:
    """A template of a document."""

    id: Key
    description: Text = Text("")
    type: Text = Text("")
    default: Flag = Flag(False)


@define
class PaymentCondition:
    """By when an invoice is to be paid, or that it is collected."""

    id: Key
    description: Text = Text("")
    payment_option: Text = Text("")
    days: Key | None = None
    default: Flag = Flag(False)


@define
class Currency:
    """A currency of the books."""

    id: Key
    currency: Text


@define
class CostCentre:
    """A cost centre."""

    id: Key
    number: Text = Text("")
    description: Text = Text("")


@define
class Product:
    """A product of the trade module."""

    id: Key
    product_code_sales: Text = Text("")
    description_sales: Text = Text("")
    product_type: Text = Text("")
    amount_sales: Decimal | None = None
    vat_id_sales: Key | None = None


@define
class NamedProduct:
    """A product, of which only the id has to be readable."""

    id: Key
    product_code_sales: Any = None
    description_sales: Any = None

    @property
    def shown(self) -> str:
        """Id, code and description, as far as they are known."""
        texts = (str(self.id), self.product_code_sales, self.description_sales)
        return " ".join(text.strip() for text in texts if isinstance(text, str) and text.strip())


@define
class Sums:
    """Totals of an invoice, in its currency."""

    excl_vat: Decimal
    incl_vat: Decimal
    vat: Decimal | None = None
    paid: Decimal | None = None
    open: Decimal | None = None


@define
class SalesInvoice:
    """An invoice, or an entry of the salesbook. Lists inside are read apart."""

    id: Key
    totals: Sums
    number: Text = Text("")
    relation_id: Key | None = None
    invoice_date: dt.date | None = None
    expiry_date: dt.date | None = None
    vat_option: Text = Text("")
    currency_id: Key | None = None
    reference: Text = Text("")
    concept: Flag = Flag(False)
    url: Text = Text("")
    send_options: Any = None
    document_attachments: Any = None
    lines: Any = None


@define
class LineVat:
    """The rate of a line."""

    percentage: Decimal


@define
class InvoiceLine:
    """A charged line, as far as its sum needs it."""

    qty: Decimal
    amount: Decimal
    vat: LineVat
    discount: Decimal | None = None


@define
class DocumentAttachment:
    """A file that was uploaded to an invoice."""

    id: Key
    filename: Text = Text("")


@define
class Made:
    """What a POST made."""

    id: Key


@define
class Saved:
    """What a POST of a relation answers; the id is not documented, but v1 gave one."""

    id: Key | None = None


@define
class Pdf:
    """A file in base64."""

    pdf: str


@define
class File:
    """An attachment in base64."""

    file: str
