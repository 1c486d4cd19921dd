"""Customers: Informer calls them relations, and suppliers and prospects as well."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from ...adapter import already_written
from ...errors import DuplicateFound, InvalidRequest, MalformedResponse, NotFound, Problem
from ...flow import Drift, Page, Response, at, get, send_json
from ...models import Address, Customer
from ...wire import dumps, malformed, without_empty
from . import master
from .pages import Place, field_of, one, read_page, search
from .placeholders import data, fillings, is_placeholder
from .reading import COMPANY, PERSON, ROLES, is_person, is_role, neutral, reader, relation_of
from .settings import InformerSettings
from .wire import BASE, VENDOR, Relation, Saved, converter, edited_since

PATH: Final = f"{BASE}/relations"
_ID: Final = re.compile(r"[1-9][0-9]{0,17}")
_LARGEST_NUMBER: Final = 2_147_483_647
"""How wide the number is, is not documented: what four bytes cannot hold is refused."""
_CLOCKS: Final = timedelta(hours=2)
"""What the stamps' unknown time zone and the hour that comes twice in autumn leave open."""

# What Informer validates (documented; how is not known) is checked for its form, so that all problems come together.
_EMAIL: Final = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>]+\.[^@\s,;<>]{2,}")
_WEBSITE: Final = re.compile(r"https?://[^\s/?#]+\.[^\s]+", re.IGNORECASE)
_VAT_NUMBER: Final = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_WITH_NUMBER: Final = re.compile(r"(.*\S)\s+([0-9]+\s*[A-Za-z]?(?:\s*[-/]\s*[0-9A-Za-z]+)?)", re.DOTALL)
"""A street with its house number: books that do not keep the two apart give them in one line."""


# ---- reading -----------------------------------------------------------------------------------------------


async def list_customers(
    settings: InformerSettings, cursor: str | None, changed_since: datetime | None
) -> Page[Customer]:
    """One page of customers; suppliers and prospects, which the list holds as well (documented), are left out.

    What is deleted while an import runs is made up for by reading a page again (see :func:`.pages.read_page`); a
    deletion and a creation between the same two pages cancel out in the total and stay unseen.
    """
    place = Place.parse(cursor)
    filters = {} if changed_since is None else {"last_edit": edited_since(changed_since)}
    read = await reader(settings)
    chunk = await read_page(PATH, "relations", place, read.listing, **filters)
    customers = chunk.records
    if changed_since is not None:
        limit = changed_since - _CLOCKS if changed_since.year > 1 else changed_since
        customers = [one for one in customers if one.updated_at is None or one.updated_at >= limit]
    empty = "expected records, found none @ $.relations"
    missing = [Drift(vendor=VENDOR, what="customer", record=None, problems=(empty,))] if chunk.lost else []
    return Page(
        items=customers,
        cursor=None if chunk.following is None else str(chunk.following),
        skipped=(*chunk.skipped, *missing),
        lost=chunk.lost,
    )


async def get_customer(settings: InformerSettings, customer_id: str) -> Customer:
    """The customer with this id."""
    response = await _answer(customer_id, "customer.id")
    return neutral(await reader(settings), relation_of(response, one(response)), response)


async def _answer(customer_id: str | None, field: str) -> Response:
    """What Informer says of a relation; its own words for one that is unknown do not say whom it misses."""
    try:
        return await get(path_of(customer_id, field))
    except NotFound as gone:
        raise NotFound(
            f"{field} {customer_id!r} is not in the books: make the customer there first, with ensure_customer",
            vendor=VENDOR, status=gone.status, code=gone.code, request_id=gone.request_id, method=gone.method,
            url=gone.url,
        ) from None  # fmt: skip


async def read(customer_id: str) -> Relation:
    """The relation as Informer shows it."""
    response = await get(path_of(customer_id))
    return relation_of(response, one(response))


async def find_customer(settings: InformerSettings, number: str) -> Customer | None:
    """The customer with exactly this number: the search also hits names, streets and cities (documented).

    A number that Informer cannot hold is nobody's there, and nothing is asked. It is refused where a customer would be
    made under it, together with whatever else is wrong with that one.
    """
    if number_problems(number, "number"):
        return None
    hits = await search(PATH, "relations", lambda record: field_of(record, "relation_number") == number, search=number)
    if len(hits) > 1:
        ids = [field_of(record, "id") for record in hits]
        raise DuplicateFound(f"{len(hits)} customers have the number {number}: change all but one there", ids=ids)
    if not hits:
        return None
    answer = Response(status=200)
    return neutral(await reader(settings), relation_of(answer, hits[0]), answer)


def path_of(customer_id: str | None, field: str = "customer.id") -> str:
    """The path of a relation."""
    return at(f"{PATH}/{{}}", own_id(customer_id, field))


def own_id(value: str | None, field: str) -> str:
    """An id of Informer: digits.

    Raises:
        InvalidRequest: anything else; nothing is sent.
    """
    if value is None or not _ID.fullmatch(value):
        raise InvalidRequest("nothing was sent", problems=[Problem(field, "is not an id of Informer: digits only")])
    return value


def number_problems(number: str | None, field: str) -> list[Problem]:
    """Why a number cannot be a relation number: an integer, and 0 means "give one" (documented)."""
    if number is None:
        return [Problem(field, "is needed: a new relation is found again by its number")]
    if not _ID.fullmatch(number):
        why = "must be a whole number without leading zeros: Informer keeps customer numbers as integers"
        return [Problem(field, why)]
    return [Problem(field, f"must not be above {_LARGEST_NUMBER}")] if int(number) > _LARGEST_NUMBER else []


# ---- writing -----------------------------------------------------------------------------------------------


async def create_customer(settings: InformerSettings, customer: Customer) -> Customer:
    """Make the relation, then read it: the answer holds no id (documented)."""
    fields, problems = await _new(settings, customer)
    if problems:
        raise InvalidRequest("this customer cannot be written to Informer", problems=problems)
    response = await send_json("POST", PATH, dumps(fields))
    try:
        made = converter.structure(one(response), Saved).id
    except (MalformedResponse, ValueError, TypeError, ExceptionGroup):
        raise malformed(response, "unreadable answer to a new relation") from None
    with already_written(VENDOR, f"relation {customer.number}"):
        if made is not None:
            return await get_customer(settings, str(made))
        found = await find_customer(settings, customer.number or "")
    if found is None:
        raise malformed(response, f"relation {customer.number} was saved, and is not there")
    return found


async def problems_of(settings: InformerSettings, customer: Customer, under: str) -> list[Problem]:
    """Why a customer could not be created."""
    _, problems = await _new(settings, customer)
    return [Problem(f"{under}{problem.field}", problem.message) for problem in problems]


async def _new(settings: InformerSettings, customer: Customer) -> tuple[dict[str, Any], list[Problem]]:
    fields = _fields(settings, customer)
    problems = [*number_problems(customer.number, "number"), *_misfits(settings, customer, fields)]
    if customer.payment_terms_days is not None:
        days = customer.payment_terms_days
        fields["payment_condition_id"] = await condition_of(days, "payment_terms_days", problems)
    needed = [("street", "street"), ("house_number", "house_number"), ("zip", "postal_code"), ("city", "city")]
    needed += [("country", "country_code")]
    problems += [Problem(f"address.{name}", "is required by Informer") for key, name in needed if not fields.get(key)]
    if customer.is_person:
        problems += [
            Problem(name, "is required by Informer for a private person, apart from the other name")
            for key, name in (("firstname", "first_name"), ("surname", "last_name"))
            if not fields.get(key)
        ]
    if customer.contacts:
        problems.append(Problem("contacts", "cannot be written: Informer demands the gender of each"))
    filled = fillings(settings)
    if fields.get("email") and "email_invoice" in filled:
        filled["email_invoice"] = fields["email"]
    number = {} if problems else {"relation_number": int(customer.number or "0")}
    kind = {"relation_type": PERSON if customer.is_person else COMPANY}
    roles = {"subtype": {"customer": 1, "active": int(customer.active)}}
    return without_empty({**number, **kind, **filled, **fields, **roles}), problems


async def update_customer(settings: InformerSettings, customer: Customer) -> Customer:
    """Write what is set and differs over the relation; nothing can be emptied.

    ``active`` switches off when it is False and never on: True is also what was not said.
    """
    path = path_of(customer.id, "id")
    answer = await _answer(customer.id, "id")
    relation = relation_of(answer, one(answer))
    current = neutral(await reader(settings), relation, answer)
    problems: list[Problem] = []
    if customer.number not in (None, current.number):
        problems += number_problems(customer.number, "number")
    if customer.is_person != current.is_person:
        kind = "a private person" if current.is_person else "a company"
        problems.append(Problem("is_person", f"cannot be changed: the relation is {kind} in the books"))
    if customer.contacts and customer.contacts != current.contacts:
        problems.append(Problem("contacts", "cannot be written: Informer demands the gender of each"))
    unnamed = (customer.first_name, customer.last_name) in ((None, None), (current.first_name, current.last_name))
    if current.is_person and customer.name != current.name and unnamed:
        problems.append(Problem("name", "of a private person is first_name and last_name: change these"))
    known = _fields(settings, current)
    changes = {key: value for key, value in _fields(settings, customer).items() if known.get(key) != value}
    problems += _misfits(settings, customer, changes)  # what stands in the books already is not complained about
    days = customer.payment_terms_days
    if days not in (None, current.payment_terms_days):
        changes["payment_condition_id"] = await condition_of(days or 0, "payment_terms_days", problems)
    _keep_parts(changes, relation, problems)
    if customer.number not in (None, current.number):
        changes["relation_number"] = customer.number
    if problems:
        raise InvalidRequest("this customer cannot be written to Informer", problems=problems)
    if "relation_number" in changes:
        changes["relation_number"] = int(changes["relation_number"])
    if "email" in changes and _follows(settings, relation):
        changes["email_invoice"] = changes["email"]
    if not customer.active and current.active:
        changes["subtype"] = {name: int(is_role(relation, name)) for name in ROLES} | {"active": 0}
    if not changes:
        return current
    # Repeatable: fixed values end in the same state however often they are written.
    await send_json("PUT", path, dumps({**_required(relation), **changes}), repeatable=True)
    with already_written(VENDOR, f"relation {customer.id}"):
        return await get_customer(settings, customer.id or "")


def _required(relation: Relation) -> dict[str, Any]:
    """What every body must hold (documented; whether a PUT must as well is contradictory), as it is in the books."""
    names = ("firstname", "surname") if is_person(relation) else ("company_name",)
    kept = {name: getattr(relation, name) for name in (*names, "street", "house_number", "zip", "city", "country")}
    return {"relation_type": int(is_person(relation)), **without_empty(kept)}


def _keep_parts(changes: dict[str, Any], relation: Relation, problems: list[Problem]) -> None:
    """Parts that Informer keeps in fields of their own and that cannot be emptied: suffix and surname prefix."""
    suffix, prefix = relation.house_number_suffix, relation.surname_prefix
    if suffix and "house_number" in changes:
        rest = str(changes["house_number"]).removesuffix(suffix).rstrip(" -")
        if rest == changes["house_number"] or not rest:
            problems.append(Problem("address.house_number", f"has the suffix {suffix!r} in the books: change it there"))
        changes["house_number"] = rest
    if prefix and "surname" in changes:
        rest = str(changes["surname"]).removeprefix(f"{prefix} ")
        if rest == changes["surname"]:
            problems.append(Problem("last_name", f"has the prefix {prefix!r} in the books: change it there"))
        changes["surname"] = rest


def _follows(settings: InformerSettings, relation: Relation) -> bool:
    """Whether the invoice's address is the mail address so far, or none."""
    invoice = relation.email_invoice
    return bool(invoice and (invoice == relation.email or is_placeholder(settings, "email_invoice", invoice)))


def _fields(settings: InformerSettings, customer: Customer) -> dict[str, Any]:
    """What is set, and no key without a value; placeholders that came back from an import are not set."""
    address = customer.address or Address()
    street, house = _split(address)
    return without_empty(
        {
            "company_name": None if customer.is_person else customer.name,
            "firstname": customer.first_name if customer.is_person else None,
            "surname": customer.last_name if customer.is_person else None,
            "street": street,
            "house_number": house,
            "zip": address.postal_code,
            "city": address.city,
            "country": address.country_code or (settings.default_country if customer.address else None),
            "phone": customer.phone,
            "web": _url(data(settings, "web", customer.website)),
            "email": data(settings, "email", customer.email),
            "coc": data(settings, "coc", customer.registration_number),
            "vat": _compact(data(settings, "vat", customer.vat_number)),
            "iban": _compact(data(settings, "iban", customer.iban)),
            "bic": _compact(data(settings, "bic", customer.bic)),
        }
    )


def _misfits(settings: InformerSettings, customer: Customer, fields: Mapping[str, Any]) -> list[Problem]:
    """What of these fields Informer would refuse, and what of the customer it has no place for."""
    checks = (
        ("email", "email", is_email, "is not a mail address"),
        ("web", "website", lambda text: bool(_WEBSITE.fullmatch(text)), "is not a web address"),
        ("vat", "vat_number", lambda text: bool(_VAT_NUMBER.fullmatch(text)), "must begin with its country, as NL…"),
        ("iban", "iban", _is_iban, "is not an IBAN, or its check digits are wrong"),
        # PHP takes "0" for nothing (seen with v1).
        ("house_number", "address.house_number", lambda text: text != "0", "counts as empty at Informer"),
    )
    problems = [Problem(name, why) for key, name, fits, why in checks if key in fields and not fits(fields[key])]
    if customer.address is not None and customer.address.addition is not None:
        problems.append(
            Problem("address.addition", "has no place at Informer: put it into the street, or leave it out")
        )
    if customer.currency not in (None, settings.currency):
        problems.append(Problem("currency", f"must be {settings.currency}: give another one with the invoice"))
    return problems


async def condition_of(days: int, field: str, problems: list[Problem]) -> int | None:
    """The payment condition of that many days; the default one goes before others, collection is none."""
    usable = [one for one in await master.conditions() if master.paid_by_customer(one) and one.days is not None]
    fitting = sorted((one for one in usable if one.days == days), key=lambda one: (not one.default, one.id))
    if fitting:
        return fitting[0].id
    there = ", ".join(str(known) for known in sorted({one.days for one in usable if one.days is not None})) or "none"
    problems.append(Problem(field, f"{days} days is no payment condition of the books; there are: {there}"))
    return None


def _split(address: Address) -> tuple[str | None, str | None]:
    """Street and house number; the number is taken off the street where it stands there."""
    if address.house_number or not address.street:
        return address.street, address.house_number
    match = _WITH_NUMBER.fullmatch(address.street.strip())
    return (match[1], match[2]) if match else (address.street, None)


def is_email(text: str) -> bool:
    """Whether this has the form of one mail address."""
    return _EMAIL.fullmatch(text) is not None


def _is_iban(text: str) -> bool:
    return bool(_IBAN.fullmatch(text)) and int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def _compact(text: str | None) -> str | None:
    return None if text is None else re.sub(r"[\s.-]", "", text).upper()


def _url(text: str | None) -> str | None:
    return text if text is None or "://" in text else f"https://{text}"


async def own_condition(customer_id: str | None) -> int | None:
    """The payment condition that a customer of the books has."""
    if customer_id is None:
        return None
    try:
        return (await read(customer_id)).payment_condition_id
    except NotFound:
        return None
