"""The JSON that Billomat makes of its XML: converter, wire classes, and how lists and nothing look in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NewType, TypedDict, TypeVar

from attrs import define, evolve, fields, frozen

from ...flow import Drift, Request, Response, get
from ...money import plain_text
from ...wire import decode_each, decode_fast, loads, malformed, strict_converter

T = TypeVar("T")
Key = NewType("Key", str)
"""An id that may turn out to be none: whether it is one is asked when it is mapped."""

VENDOR: Final = "billomat"
PER_PAGE: Final = 1000
"""The documented maximum; what the server made of it is read back from ``@per_page``."""

# ---- converter ---------------------------------------------------------------------------------------------


def is_none(value: object) -> bool:
    """Whether nothing arrived: ``""`` or no key as a rule, ``null``, ``{}`` and ``[]`` now and then (all seen)."""
    return value is None or value in ("", {}, [])


def _optional_text(value: Any, _: Any) -> str | None:
    if type(value) is str:
        return value or None
    if is_none(value):
        return None
    # The JSON type follows the server's converter, not the field: an id may arrive as a number.
    if type(value) is bool:
        return "1" if value else "0"
    if type(value) is int:
        return str(value)
    if type(value) is Decimal:
        return plain_text(value)
    raise TypeError(f"expected text, found {type(value).__name__}")


def _text(value: Any, kind: Any) -> str:
    text = _optional_text(value, kind)
    if text is None:
        raise TypeError("expected text, found nothing")
    return text


def _flag(value: Any, kind: Any) -> bool:
    text = _optional_text(value, kind)
    if text in (None, "0", "1"):  # a checkbox that was never set is empty
        return text == "1"
    raise TypeError("expected 0 or 1")


def _optional(hook: Callable[[Any, Any], T]) -> Callable[[Any, Any], T | None]:
    return lambda value, kind: None if is_none(value) else hook(value, kind)


def _number(value: Any, kind: Any) -> Decimal:
    number: Decimal = _plain.get_structure_hook(Decimal)(value.strip() if isinstance(value, str) else value, kind)
    return number


def _day(value: Any, kind: Any) -> dt.date | None:
    if is_none(value) or (isinstance(value, str) and value.startswith("0000")):
        return None
    day: dt.date = _plain.get_structure_hook(dt.date)(value, kind)
    return day


_plain: Final = strict_converter()
converter: Final = strict_converter()
converter.register_structure_hook(str, _text)
converter.register_structure_hook(Key, lambda value, kind: _optional_text(value, kind) or "")
converter.register_structure_hook(bool, _flag)
converter.register_structure_hook(Decimal, _number)


def _register(kind: Any, hook: Callable[[Any, Any], Any]) -> None:
    converter.register_structure_hook_func(lambda given: bool(given == kind), hook)


_register(str | None, _optional_text)
_register(Decimal | None, _optional(_number))
_register(dt.date | None, _day)
_register(dt.datetime | None, _optional(_plain.get_structure_hook(dt.datetime)))

# ---- wire classes: only what is mapped ----------------------------------------------------------------------


@define
class Client:
    """A customer. All text: the fast and the careful way of reading differ in ``""`` and None only."""

    id: Key = Key("")
    archived: str | None = None
    client_number: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    street: str | None = None
    zip: str | None = None
    city: str | None = None
    country_code: str | None = None
    phone: str | None = None
    email: str | None = None
    www: str | None = None
    tax_number: str | None = None
    vat_number: str | None = None
    bank_iban: str | None = None
    bank_swift: str | None = None
    locale: str | None = None
    due_days_type: str | None = None
    due_days: str | None = None
    currency_code: str | None = None
    updated: str | None = None


_CLIENT_FIELDS: Final = tuple(attribute.name for attribute in fields(Client))
_TEXT_OR_NONE: Final = {str, type(None)}
_client_by_field: Final = converter.get_structure_hook(Client)


def _client(record: Any, kind: Any) -> Client:
    """In one go where every field is text or missing, as is usual: imports read these by the hundred thousand."""
    if type(record) is dict and type(record.get("id")) is str:
        values: list[Any] = list(map(record.get, _CLIENT_FIELDS))
        if _TEXT_OR_NONE.issuperset(map(type, values)):
            return Client(*values)
    client: Client = _client_by_field(record, kind)
    return client


converter.register_structure_hook(Client, _client)


@define
class Myself:
    """The account's own company."""

    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    country_code: str | None = None
    currency_code: str | None = None
    plan: Any = None
    quotas: Any = None


@define
class Quota:
    """What the plan allows of one entity; -1 is unlimited."""

    entity: str
    available: Decimal
    used: Decimal


@define
class Tax:
    """A tax of the account."""

    id: str
    rate: Decimal
    name: str | None = None
    is_default: bool = False


@define
class Unit:
    """A unit; invoice items carry its name."""

    id: str
    name: str


@define
class Article:
    """A product or service."""

    id: str
    archived: bool = False
    article_number: str | None = None
    title: str | None = None
    description: str | None = None
    unit_id: str | None = None
    tax_id: str | None = None
    type: str | None = None
    sales_price: Decimal | None = None


@define
class Account:
    """What of ``/settings`` matters here."""

    currency_code: str | None = None
    net_gross: str | None = None
    number_range_mode: str | None = None
    invoice_number_pre: str | None = None
    due_days: Decimal | None = None
    discount_days: Decimal | None = None
    discount_rate: Decimal | None = None


@define
class FreeText:
    """Texts that a document takes where none are sent."""

    type: str | None = None
    is_default: bool = False
    intro: str | None = None
    note: str | None = None


@define
class InvoiceRecord:
    """An invoice. ``taxes`` is read apart: an odd row must not hide the invoice."""

    id: str
    status: str
    total_net: Decimal
    total_gross: Decimal
    client_id: str | None = None
    invoice_number: str | None = None
    number: str | None = None
    label: str | None = None
    date: dt.date | None = None
    due_date: dt.date | None = None
    currency_code: str | None = None
    taxes: Any = None


@define
class InvoiceRow:
    """An invoice as far as a list has to tell of it. Its time is read apart: an odd one must not hide it."""

    id: str
    status: str
    total_gross: Decimal
    client_id: str | None = None
    invoice_number: str | None = None
    number: str | None = None
    label: str | None = None
    currency_code: str | None = None


@define
class TaxRow:
    """The part of an invoice under one tax."""

    rate: Decimal
    amount: Decimal | None = None
    amount_rounded: Decimal | None = None
    amount_net: Decimal | None = None
    amount_net_rounded: Decimal | None = None


@define
class Comment:
    """A remark of the system on an invoice."""

    actionkey: str | None = None
    created: dt.datetime | None = None


@define
class Pdf:
    """A file in base64."""

    base64file: str


@define
class Made:
    """What a POST made; nothing but its id is needed."""

    id: str


@define
class OneClient:
    """Envelope."""

    client: Client


@define
class OneMyself:
    """Envelope."""

    client: Myself


@define
class OneSettings:
    """Envelope."""

    settings: Account


@define
class OneInvoice:
    """Envelope."""

    invoice: InvoiceRecord


@define
class MadeInvoice:
    """Envelope."""

    invoice: Made


@define
class OnePdf:
    """Envelope."""

    pdf: Pdf


# ---- lists -------------------------------------------------------------------------------------------------


@frozen
class Listing:
    """One page of a list, its records not yet structured."""

    records: list[Any]
    total: int | None
    per_page: int
    page: int

    @property
    def more(self) -> bool:
        """Whether there is a page behind this one."""
        if self.total is None:
            return len(self.records) >= self.per_page
        return self.page * self.per_page < self.total

    @property
    def lost(self) -> int:
        """How many records the page should hold although it holds none."""
        before = (self.page - 1) * self.per_page
        return 0 if self.records or self.total is None else max(0, min(self.per_page, self.total - before))


def as_list(value: object) -> list[Any]:
    """One element is an object, several are an array, none is nothing (all seen)."""
    if is_none(value):
        return []
    return value if isinstance(value, list) else [value]


def nested(value: object, element: str) -> list[Any]:
    """A list inside a record: ``{"tax": …}``, or ``""`` and its kin when it is empty."""
    return as_list(value.get(element)) if isinstance(value, dict) else as_list(value)


def read_list(response: Response, plural: str, element: str, page: int) -> Listing:
    """A page of a list, in whichever form it arrives.

    Raises:
        MalformedResponse: it is not that list at all.
    """
    body = loads(response)
    if not isinstance(body, dict) or plural not in body:
        raise malformed(response, f"unreadable list of {plural}", (f"required field missing @ $.{plural}",))
    inner = body[plural]
    attributes = inner if isinstance(inner, dict) else {}
    return Listing(
        nested(inner, element),
        _count(attributes.get("@total"), response.headers.get("x-total-count")),
        _count(attributes.get("@per_page")) or PER_PAGE,
        page,
    )


def _count(*candidates: object) -> int | None:
    for value in candidates:
        text = str(value) if type(value) in (str, int) else ""
        if text.isascii() and text.isdecimal() and len(text) < 12:
            return int(text)
    return None


def missing(listing: Listing, what: str, path: str) -> list[Drift]:
    """The report of a page that came without its records."""
    if not listing.lost:
        return []
    problem = f"expected {listing.lost} records, found none @ {path}"
    return [Drift(vendor=VENDOR, what=what, record=None, problems=(problem,))]


def ask_page(path: str, page: int, *, order: str = "id ASC", **filters: str) -> Request:
    """One page of a list, in an order that what is created meanwhile does not disturb."""
    paging = {"order_by": order, "per_page": str(PER_PAGE), "page": str(page)}
    return evolve(get(path), params=tuple({**filters, **paging}.items()))


async def search(
    path: str, plural: str, element: str, keep: Callable[[dict[str, Any]], bool], **filters: str
) -> list[dict[str, Any]]:
    """All records of all pages that pass *keep*: filters find substrings, so hits are compared again.

    Raises:
        MalformedResponse: a page or a record is unreadable: then nothing is proven by what was not found.
    """
    hits: list[dict[str, Any]] = []
    page, total = 1, None
    while True:
        response = await ask_page(path, page, **filters)
        listing = read_list(response, plural, element, page)
        if listing.lost or not all(isinstance(record, dict) for record in listing.records):
            raise malformed(response, f"unreadable list of {plural}", (f"expected records @ $.{plural}.{element}",))
        if total is not None and listing.total is not None and listing.total < total:
            page, total, hits = 1, None, []  # something was deleted: a record may have moved to a page already read
            continue
        hits += [record for record in listing.records if keep(record)]
        if not listing.more:
            return hits
        page, total = page + 1, listing.total


def field_of(record: dict[str, Any], name: str) -> str | None:
    """A scalar of a record that is not structured yet; None for anything that is no scalar."""
    try:
        return _optional_text(record.get(name), None)
    except TypeError:
        return None


def each(records: list[Any], wire: type[T], what: str) -> tuple[list[T], list[Drift]]:
    """Structure records one by one."""
    return decode_each(converter, records, wire, vendor=VENDOR, what=what)


# ---- the fast way for pages of clients ---------------------------------------------------------------------

_ClientsPage = TypedDict(
    "_ClientsPage", {"client": list[Client], "@total": str | int, "@per_page": str | int}, total=False
)


class _Clients(TypedDict):
    clients: _ClientsPage


@frozen
class ClientPage:
    """A page of clients with what could not be read."""

    listing: Listing
    """Its records are :class:`Client`."""
    skipped: list[Drift]


def read_clients(response: Response, page: int) -> ClientPage:
    """A page of clients: the fast way where every field is text as usual, else record by record."""
    fast = decode_fast(response, _Clients)
    if fast is not None:
        inner = fast["clients"]
        total = _count(inner.get("@total"), response.headers.get("x-total-count"))
        per_page = _count(inner.get("@per_page")) or PER_PAGE
        listing = Listing(inner.get("client", []), total, per_page, page)
        return ClientPage(listing, missing(listing, "customer", "$.clients.client"))
    raw = read_list(response, "clients", "client", page)
    clients, odd = each(raw.records, Client, "customer")
    return ClientPage(
        Listing(clients, raw.total, raw.per_page, page), [*odd, *missing(raw, "customer", "$.clients.client")]
    )
