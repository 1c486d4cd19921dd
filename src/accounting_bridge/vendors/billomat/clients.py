"""Customers: Billomat calls them clients."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from attrs import evolve, frozen

from ...errors import AuthenticationFailed, DuplicateFound, InvalidRequest, NotFound, Problem
from ...flow import Page, Request, Response, at, get, send_json
from ...models import Address, Contact, Customer
from ...wire import decode, dumps, each_neutral, malformed, without_empty
from .wire import (
    VENDOR,
    Client,
    ClientPage,
    OneClient,
    ask_page,
    converter,
    each,
    field_of,
    read_clients,
    search,
)

_ID: Final = re.compile(r"[0-9]{1,18}")
_NUMBERED: Final = re.compile(r"(.*?)([0-9]{1,10})", re.DOTALL)
_LARGEST_NUMBER: Final = 2_147_483_647
"""``number`` is an INT (documented); how wide is not known, so what four bytes cannot hold goes into the prefix."""

# Billomat validates these three (documented; how strictly is not known), so no more than their form is checked.
_EMAIL: Final = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>]+\.[^@\s,;<>]{2,}")
_VAT_NUMBER: Final = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_LANGUAGE: Final = re.compile(r"[a-z]{2}")
_LOCALES: Final = {"en": "en_GB", "da": "da_DK", "sv": "sv_SE", "cs": "cs_CZ"}
_GERMAN_SPEAKING: Final = frozenset({"AT", "CH"})


# ---- reading -----------------------------------------------------------------------------------------------


def to_customer(client: Client) -> Customer:
    """The neutral customer; built by the hundred thousand, so it is one flat pass."""
    name = client.name
    first, last = client.first_name or None, client.last_name or None
    street, addition = client.street or None, None
    if street and "\n" in street:  # recorded addresses break lines as \n and as \r\n
        street, _, addition = street.partition("\n")
        street, addition = street.strip() or None, addition.strip() or None
    country = client.country_code or None
    address = None
    if street or client.zip or client.city or country:
        address = Address(
            street=street,
            addition=addition,
            postal_code=client.zip or None,
            city=client.city or None,
            country_code=country,
        )
    return Customer(
        id=_checked_id(client.id),
        number=client.client_number or None,
        # A private person has only first and last name (documented).
        name=name or " ".join(part for part in (first, last) if part),
        is_person=not name,
        first_name=None if name else first,
        last_name=None if name else last,
        address=address,
        email=client.email or None,
        phone=client.phone or None,
        website=client.www or None,
        vat_number=client.vat_number or None,
        registration_number=client.tax_number or None,
        iban=client.bank_iban or None,
        bic=client.bank_swift or None,
        # Under SETTINGS the answer still shows the account's days (seen): those are not the customer's own.
        payment_terms_days=_days(client.due_days) if client.due_days_type == "ABSOLUTE" else None,
        currency=client.currency_code or None,
        language=client.locale[:2].lower() if client.locale else None,
        active=client.archived != "1",
        updated_at=instant(client.updated) if client.updated else None,
        contacts=(Contact(first_name=first, last_name=last),) if name and (first or last) else (),
    )


def _checked_id(text: str) -> str:
    if text.isascii() and text.isdecimal():
        return text
    raise InvalidRequest(problems=[Problem("id", "is not a number")])


def _days(text: str | None) -> int | None:
    if not text:
        return None
    try:
        days = Decimal(text)
        return int(days) if days == days.to_integral_value() and 0 <= days <= 3650 else None
    except InvalidOperation:
        return None


def instant(text: str) -> datetime | None:
    """A time stamp; None where it cannot be told which instant it is."""
    # An odd time of change is not worth losing the customer: without one it counts as changed.
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.utcoffset() is not None else None


@frozen
class _Place:
    """Where an import stands: the page to read, the highest id delivered (0: not tracked), how many there were."""

    page: int = 1
    last: int = 0
    total: int | None = None

    @classmethod
    def parse(cls, cursor: str | None) -> _Place:
        if cursor is None:
            return cls()
        match = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,18})\.([0-9]{0,12})", cursor)
        if match is None or match[1] == "0":
            raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this vendor")])
        return cls(int(match[1]), int(match[2]), int(match[3]) if match[3] else None)

    def __str__(self) -> str:
        return f"{self.page}.{self.last}.{'' if self.total is None else self.total}"


async def list_customers(cursor: str | None, changed_since: datetime | None) -> Page[Customer]:
    """One page by ascending id.

    Paging is by offset: what is deleted while an import runs moves unread rows onto pages that were read. A
    smaller ``@total`` shows it; the import then steps back until it meets an id it has delivered, and goes on
    behind that, at the first page that holds anything new. (A deletion and a creation between the same two pages
    cancel out in ``@total`` and stay unseen.)
    """
    place = _Place.parse(cursor)
    tracked = place.page == 1 or place.last > 0
    stepped = forward = False
    while True:
        read = read_clients(await ask_page("/api/clients", place.page), place.page)
        total = read.listing.total
        shrunk = place.total is not None and total is not None and total < place.total
        # A page behind the end, which an empty one is, may lie several pages behind it.
        unknown = not read.listing.records or _first_id(read) > place.last
        if place.page > 1 and (shrunk or (stepped and not forward and tracked and unknown)):
            forward = False
        elif stepped and tracked and read.listing.more and 0 < _last_id(read) <= place.last:
            forward = True
        else:
            break
        stepped = True
        place = evolve(place, page=place.page + (1 if forward else -1), total=total)
    clients = read.listing.records
    ids = [int(client.id) for client in clients if _ID.fullmatch(client.id)]
    # A page that is not in the asked order tells nothing about what was delivered: then nothing is left out.
    tracked = tracked and ids == sorted(ids)
    stuck = read.listing.more and tracked and not stepped and ids and ids[-1] <= place.last
    if tracked and ids and ids[0] <= place.last:
        clients = [client for client in clients if not _ID.fullmatch(client.id) or int(client.id) > place.last]
    customers, odd = each_neutral(clients, to_customer, vendor=VENDOR, what="customer")
    if changed_since is not None:
        customers = [one for one in customers if one.updated_at is None or one.updated_at >= changed_since]
    following = _Place(place.page + 1, max([place.last, *ids]) if tracked else 0, total)
    return Page(
        items=customers,
        cursor=str(following) if read.listing.more else None,
        skipped=(*read.skipped, *odd),
        incomplete="Billomat's pages do not advance" if stuck else None,
        lost=read.listing.lost > 0,
    )


def _first_id(read: ClientPage) -> int:
    return min((int(one.id) for one in read.listing.records if _ID.fullmatch(one.id)), default=0)


def _last_id(read: ClientPage) -> int:
    return max((int(one.id) for one in read.listing.records if _ID.fullmatch(one.id)), default=0)


async def get_customer(customer_id: str) -> Customer:
    """The customer with this id."""
    return _one(await ask_client(get(at("/api/clients/{}", own_id(customer_id, "customer.id")))))


async def find_customer(number: str) -> Customer | None:
    """The customer with exactly this number; the filter finds substrings (documented)."""
    if not number.strip():
        raise InvalidRequest("nothing was sent", problems=[Problem("number", "must not be empty")])
    hits = await search(
        "/api/clients",
        "clients",
        "client",
        lambda record: field_of(record, "client_number") == number,
        client_number=number,
    )
    if len(hits) > 1:
        ids = [field_of(record, "id") or "?" for record in hits]
        raise DuplicateFound(
            f"{len(hits)} customers have the number {number!r}: change all but one of them there", ids=ids
        )
    if not hits:
        return None
    clients, odd = each(hits, Client, "customer")
    customers, refused = each_neutral(clients, to_customer, vendor=VENDOR, what="customer")
    for drift in (*odd, *refused):
        raise malformed(Response(status=200), f"unreadable customer {drift.record}", drift.problems)
    return customers[0]


def _one(response: Response) -> Customer:
    client = decode(converter, response, OneClient).client
    try:
        return to_customer(client)
    except InvalidRequest as exc:
        raise malformed(response, "unreadable customer", [str(problem) for problem in exc.problems]) from None


async def ask_client(request: Request) -> Response:
    """The answer of a call with a client's id in its path.

    Ids outside the account get 401 there, as a wrong key does (seen: the same id gets 404 for other records). A
    call that needs nothing but the key tells which of the two it is.
    """
    try:
        return await request
    except AuthenticationFailed as rejected:
        await get("/api/clients/myself")
        raise NotFound(
            "there is no such customer in this account, or the key's user may not see it",
            status=rejected.status,
            method=rejected.method,
            url=rejected.url,
        ) from rejected


def own_id(value: str | None, field: str) -> str:
    """An id of Billomat: digits.

    Raises:
        NotFound: anything else names no record here; nothing is sent.
    """
    if value is None or not _ID.fullmatch(value):
        raise NotFound(f"there is no such {field}: ids of this vendor are digits; nothing was sent", vendor=VENDOR)
    return value


# ---- writing -----------------------------------------------------------------------------------------------


async def create_customer(customer: Customer) -> Customer:
    """Make the customer."""
    problems = [*problems_of(customer), *number_problems(customer.number, "number")]
    if problems:
        raise InvalidRequest("this customer cannot be written to Billomat", problems=problems)
    body = dumps({"client": {**number_fields(customer.number), **_fields(customer)}})
    return _one(await send_json("POST", "/api/clients", body))


async def update_customer(customer: Customer) -> Customer:
    """Write what is set over the record; keys that are left out keep their value (seen).

    ``active`` archives when it is False and never brings back: True is also what was not said.
    """
    path = at("/api/clients/{}", own_id(customer.id, "id"))
    problems = problems_of(customer)
    if problems:
        raise InvalidRequest("this customer cannot be written to Billomat", problems=problems)
    fields = _fields(customer)
    if customer.number is not None and _one(await ask_client(get(path))).number != customer.number:
        # Only a changed number is sent: writing one moves the account's counter (documented).
        if problems := number_problems(customer.number, "number"):
            raise InvalidRequest("this customer cannot be written to Billomat", problems=problems)
        fields = number_fields(customer.number) | fields
    # Repeatable: fixed values end in the same state however often they are written.
    return _one(await ask_client(send_json("PUT", path, dumps({"client": fields}), repeatable=True)))


def number_fields(number: str | None) -> dict[str, Any]:
    """A number as ``number_pre`` + ``number`` padded to ``number_length``, which Billomat puts together (seen).

    An empty ``number_pre`` is sent on purpose: left out, the account's prefix would become part of the number.
    """
    if number is None:
        return {}
    prefix, digits = split_number(number)
    return {"number_pre": prefix, "number": str(int(digits)), "number_length": str(len(digits))}


def split_number(number: str) -> tuple[str, str]:
    """Prefix and running digits; the digits are empty where Billomat cannot hold the number."""
    match = _NUMBERED.fullmatch(number)
    if match is None:
        return number, ""
    prefix, digits = match[1], match[2]
    if int(digits) > _LARGEST_NUMBER:
        prefix, digits = prefix + digits[0], digits[1:]
    return (prefix, digits) if int(digits) else (number, "")


def number_problems(number: str | None, field: str) -> list[Problem]:
    """Why a number cannot be kept: Billomat counts with a whole number behind a prefix."""
    if number is None or (split_number(number)[1] and number == number.strip()):
        return []
    return [Problem(field, "must end in digits that are not all zero: Billomat keeps a prefix and a running number")]


def problems_of(customer: Customer, under: str = "") -> list[Problem]:
    """What of a customer Billomat has no place for or would refuse, all of it."""
    found: list[tuple[str, str]] = []
    if customer.email is not None and not is_email(customer.email):
        found.append(("email", "is not a mail address"))
    if customer.vat_number is not None and not _VAT_NUMBER.fullmatch(_compact(customer.vat_number)):
        found.append(("vat_number", "must be a VAT id with its country, as DE123456789"))
    if customer.iban is not None and not _is_iban(_compact(customer.iban)):
        found.append(("iban", "is not an IBAN, or its check digits are wrong"))
    if customer.language is not None and not _LANGUAGE.fullmatch(customer.language.lower()):
        found.append(("language", "must be two letters, as de"))
    if len(customer.contacts) > 1:
        found.append(("contacts", "are several: Billomat keeps one person with a customer"))
    for contact in customer.contacts[:1]:
        for name in ("first_name", "last_name", "email", "phone"):
            own, theirs = getattr(customer, name), getattr(contact, name)
            if own and theirs and own != theirs:
                found.append((f"contacts[0].{name}", f"differs from the customer's {name}: Billomat keeps one"))
    return [Problem(f"{under}{name}", message) for name, message in found]


def is_email(text: str) -> bool:
    """Whether this has the form of one mail address."""
    return _EMAIL.fullmatch(text) is not None


def _is_iban(text: str) -> bool:
    return bool(_IBAN.fullmatch(text)) and int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def _compact(text: str) -> str:
    return re.sub(r"[\s.-]", "", text).upper()


def _fields(customer: Customer) -> dict[str, Any]:
    """What is set, and no key without a value."""
    contact = customer.contacts[0] if customer.contacts else Contact()
    first, last = customer.first_name or contact.first_name, customer.last_name or contact.last_name
    if customer.is_person and not (first or last):
        last = customer.name
    address = customer.address or Address()
    street = "\n".join(part for part in (address.street_line, address.addition) if part)
    days = customer.payment_terms_days
    return without_empty(
        {
            "archived": None if customer.active else "1",
            "name": None if customer.is_person else customer.name,
            "first_name": first,
            "last_name": last,
            "street": street,
            "zip": address.postal_code,
            "city": address.city,
            "country_code": address.country_code,
            "phone": customer.phone or contact.phone,
            "email": customer.email or contact.email,
            # A URL without its scheme (documented).
            "www": re.sub(r"^https?://", "", customer.website, flags=re.IGNORECASE) if customer.website else None,
            "tax_number": customer.registration_number,
            "vat_number": _compact(customer.vat_number) if customer.vat_number else None,
            "bank_iban": _compact(customer.iban) if customer.iban else None,
            "bank_swift": customer.bic,
            "locale": _locale(customer.language, address.country_code),
            "currency_code": customer.currency,
            "due_days_type": None if days is None else "ABSOLUTE",
            "due_days": None if days is None else str(days),
        }
    )


def _locale(language: str | None, country: str | None) -> str | None:
    """``de_DE`` is the documented form; which locales there are is not documented."""
    if not language:
        return None
    short = language.lower()
    if short == "de" and country in _GERMAN_SPEAKING:
        return f"de_{country}"
    return _LOCALES.get(short, f"{short}_{short.upper()}")
