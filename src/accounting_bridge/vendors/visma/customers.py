"""Customers: imported page by page, found by their number, written whole because PUT replaces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from attrs import evolve, frozen

from ...adapter import already_written
from ...errors import DuplicateFound, InvalidRequest, Problem
from ...flow import Drift, Page, Response
from ...models import Address, Contact, Customer
from ...wire import decode, dumps, each_read, loads, malformed
from . import master, wire
from .calls import (
    Listing,
    changed_at_or_after,
    find,
    get,
    id_of,
    instant_literal,
    note,
    noted,
    own_id,
    page,
    post,
    put,
    text_literal,
)
from .settings import VismaSettings
from .wire import VENDOR, converter, instant

PATH: Final = "/customers"
ONE: Final = "/customers/{}"
_ORDER: Final = "CustomerNumber"
"""New customers come last in most books, so that pages which were read already stay as they are."""
_PER_PAGE: Final = 500
_MOST_ROUNDS: Final = 5
"""How often a page is read again, because records come and go all the time, before the import is called incomplete."""

_CURSOR: Final = re.compile(r"([fa])(o?)\.([0-9]{1,9})\.([0-9]{0,9})")
# Documented: a country of two letters, then 8 to 12 characters.
_VAT_NUMBER: Final = re.compile(r"[A-Z]{2}[0-9A-Z]{8,12}")
_BIC: Final = re.compile(r"^BIC: *(\S+) *$", re.MULTILINE)
"""How a BIC, which has no field, is kept in the note: stays in people's books, so it never changes."""

_LIMITS: Final[Mapping[str, tuple[int, str]]] = {
    "CustomerNumber": (16, "number"),
    "Name": (50, "name"),
    "CorporateIdentityNumber": (20, "registration_number"),
    "VatNumber": (20, "vat_number"),
    "EmailAddress": (255, "email"),
    "ContactPersonName": (100, "contacts[0]"),
    "ContactPersonEmail": (255, "contacts[0].email"),
    "ContactPersonPhone": (50, "contacts[0].phone"),
    "Telephone": (50, "phone"),
    "InvoiceAddress1": (50, "address.street"),
    "InvoiceAddress2": (50, "address.addition"),
    "InvoicePostalCode": (10, "address.postal_code"),
    "InvoiceCity": (50, "address.city"),
    "InvoiceCountryCode": (2, "address.country_code"),
    "CurrencyCode": (3, "currency"),
    "SalesDocumentLanguage": (2, "language"),
    "WwwAddress": (255, "website"),
    "Iban": (35, "iban"),
    "Note": (4000, "bic"),
}
"""Most characters (documented), and what the model calls it."""
_FIELDS: Final = {
    **{name.lower(): field for name, (_, field) in _LIMITS.items()},
    "termsofpaymentid": "payment_terms_days",
    "isprivateperson": "is_person",
    "isactive": "active",
}
_READ_ONLY: Final = frozenset(
    {
        "Id", "TermsOfPayment", "PayToAccountId", "LastInvoiceDate", "ChangedUtc", "UnpaidInvoicesAmount",
        "IsFutureInvoiceDateAllowed", "MessageThreads", "Notes",
    }
)  # fmt: skip
"""What the vendor fills in (documented). TermsOfPayment is the object behind TermsOfPaymentId: it may contradict it."""
_OBJECTS: Final = frozenset({"DirectDebitCustomerSettings"})
"""What is an object and never null (documented), though it is shown as null: left out, it stays as empty as it is."""
_LAST: Final = "visma customer read last"


# ---- reading -----------------------------------------------------------------------------------------------


@frozen
class Reader:
    """From the vendor's customers to neutral ones."""

    days: Mapping[str, int]

    def customer(self, found: wire.Customer) -> Customer:
        """The neutral customer."""
        address = Address(
            street=found.InvoiceAddress1 or None,
            addition=found.InvoiceAddress2 or None,
            postal_code=found.InvoicePostalCode or None,
            city=found.InvoiceCity or None,
            country_code=found.InvoiceCountryCode.upper() or None,
        )
        contact = Contact(
            first_name=None,
            last_name=found.ContactPersonName or None,
            email=found.ContactPersonEmail or None,
            phone=found.ContactPersonPhone or found.ContactPersonMobile or None,
        )
        bic = _BIC.search(found.Note) if found.Note else None
        return Customer(
            id=found.Id,
            number=found.CustomerNumber or None,
            name=found.Name,
            is_person=found.IsPrivatePerson,
            address=None if address == _NOWHERE else address,
            email=found.EmailAddress or None,
            phone=found.Telephone or found.MobilePhone or None,
            website=found.WwwAddress or None,
            vat_number=found.VatNumber or None,
            registration_number=found.CorporateIdentityNumber or None,
            iban=found.Iban or None,
            bic=bic[1] if bic else None,
            payment_terms_days=self.days.get(found.TermsOfPaymentId.lower()),
            currency=found.CurrencyCode.upper() or None,
            language=found.SalesDocumentLanguage.lower() or None,
            active=found.IsActive is not False,
            updated_at=instant(found.ChangedUtc),
            contacts=() if contact == _NOBODY else (contact,),
        )


_NOWHERE: Final = Address()
_NOBODY: Final = Contact()


async def list_customers(cursor: str | None, changed_since: datetime | None) -> Page[Customer]:
    """One page, sorted by number; with *changed_since* by the vendor's filter, or where that is refused by reading all.

    What is deleted while an import runs moves later records onto pages that were read already: when the total has
    fallen, the pages before are read again. So a customer may come twice, and none is missed.
    """
    place = _Place.parse(cursor, changed_since)
    place, listing = await _read_place(place, changed_since)
    listing, pages, settled = await _with_missed(place, listing, changed_since)
    records = [record for one in pages for record in one.records]
    readable = settled and all(one.readable for one in pages)
    lost = not listing.readable or (not listing.records and not listing.last)
    if changed_since is not None:
        records = [
            one for one in records if not isinstance(one, dict) or changed_at_or_after(one, "ChangedUtc", changed_since)
        ]
    read = Reader(await master.days_by_terms())
    customers, odd = each_read(converter, records, wire.Customer, read.customer, vendor=VENDOR, what="customer")
    if lost or not readable:
        problem = "expected records, found none @ $.Data" if settled else "records vanish as fast as they are read @ $"
        odd = [*odd, Drift(vendor=VENDOR, what="customer", record=None, problems=(problem,))]
    total = place.total if listing.total is None else listing.total
    following = None if listing.last else str(evolve(place, number=place.number + 1, total=total))
    return Page(items=customers, cursor=following, skipped=tuple(odd), lost=lost)


@frozen
class _Place:
    """Where an import goes on, and how it is asked for since the first page."""

    filtered: bool
    ordered: bool = True
    number: int = 1
    total: int | None = None

    @classmethod
    def parse(cls, cursor: str | None, changed_since: datetime | None) -> _Place:
        if cursor is None:
            return cls(filtered=changed_since is not None)
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise InvalidRequest("nothing was sent", problems=[Problem("cursor", "is none of this vendor")])
        total = int(match[4]) if match[4] else None
        return cls(filtered=match[1] == "f", ordered=bool(match[2]), number=int(match[3]), total=total)

    def __str__(self) -> str:
        total = "" if self.total is None else self.total
        return f"{'f' if self.filtered else 'a'}{'o' if self.ordered else ''}.{self.number}.{total}"


async def _read_place(place: _Place, changed_since: datetime | None) -> tuple[_Place, Listing]:
    """The page; the first one finds out what of filter and order the vendor takes."""
    try:
        return place, await _ask(place, changed_since)
    except InvalidRequest:
        if place.number > 1:
            raise
    if place.filtered:
        return await _read_place(evolve(place, filtered=False), changed_since)
    plain = evolve(place, ordered=False)
    return plain, await _ask(plain, changed_since)


async def _with_missed(
    place: _Place, listing: Listing, changed_since: datetime | None
) -> tuple[Listing, list[Listing], bool]:
    """The page as it was read last, all that was read, and whether nothing can have slipped through between.

    Of the pages before it those are read again onto which deletions may have moved records that were not seen; and
    the page itself, when records came or went while that was done.
    """
    pages = [listing]
    for _ in range(_MOST_ROUNDS):
        moved = False
        for earlier in range(place.number - 1, place.number - 1 - _gone(place, listing), -1):
            before = await _ask(evolve(place, number=earlier), changed_since)
            pages.insert(0, before)
            moved = moved or before.total != listing.total
        if not moved:
            return listing, pages, True
        listing = await _ask(place, changed_since)
        pages.append(listing)
    return listing, pages, False


def _gone(place: _Place, listing: Listing) -> int:
    """How many pages already read may hold unread records."""
    if place.total is None or listing.total is None or listing.total >= place.total:
        return 0
    return min(-(-(place.total - listing.total) // _PER_PAGE), place.number - 1)


async def _ask(place: _Place, changed_since: datetime | None) -> Listing:
    wanted = None
    if place.filtered and changed_since is not None:
        wanted = f"ChangedUtc ge {instant_literal(changed_since)}"
    order = _ORDER if place.ordered else None
    return await page(PATH, place.number, filter=wanted, orderby=order, size=_PER_PAGE, whole=False)


async def get_customer(customer_id: str) -> Customer:
    """The customer with this id."""
    return await _neutral(await get(ONE, own_id(customer_id, "customer.id")))


async def as_read(customer_id: str) -> Response:
    """The customer as the vendor shows it: what this connection read last if it was this customer, else read now.

    A plan begins with reading its customer, so what was read last is a moment old.
    """
    last: tuple[str, Response] | None = await noted(_LAST)
    key = own_id(customer_id, "customer.id")
    return last[1] if last is not None and last[0] == key else await get(ONE, key)


async def find_customer(number: str) -> Customer | None:
    """The customer with exactly this number, letter case included."""
    if _too_long({"CustomerNumber": number}):
        return None  # none of the books can have it; creating it names this with all other problems
    text_literal(number, "number")  # what no number holds is refused by the model's name of it
    hits = await find(PATH, lambda one: one.get("CustomerNumber") == number, CustomerNumber=number)
    if len(hits) > 1:
        ids = [id_of(record) for record in hits]
        raise DuplicateFound(f"{len(hits)} customers have the number {number}: change all but one there", ids=ids)
    if not hits:
        return None
    return await _neutral(Response(status=200, body=dumps(hits[0])))


async def _neutral(response: Response) -> Customer:
    """The neutral customer of one answer, which is noted for :func:`as_read`."""
    found = decode(converter, response, wire.Customer)
    reader = Reader(await master.days_by_terms())
    try:
        customer = reader.customer(found)
    except InvalidRequest as exc:
        raise malformed(response, "unreadable customer", [str(problem) for problem in exc.problems]) from None
    await note(_LAST, (found.Id, response))
    return customer


# ---- writing -----------------------------------------------------------------------------------------------


async def create_customer(settings: VismaSettings, customer: Customer) -> Customer:
    """Make the customer under the app's number. Numbers are unique (documented), so a second one is refused."""
    record, problems = await _new(settings, customer)
    if problems:
        raise InvalidRequest("this customer cannot be written to Visma", problems=problems)
    return await _written(post(PATH, body=dumps(record)))


async def problems_of(settings: VismaSettings, customer: Customer, under: str) -> list[Problem]:
    """Why a customer could not be created; fields begin with *under*, as ``customer.``."""
    _, problems = await _new(settings, customer)
    return [Problem(f"{under}{problem.field}", problem.message) for problem in problems]


async def _new(settings: VismaSettings, customer: Customer) -> tuple[dict[str, Any], list[Problem]]:
    # City and postcode are mandatory but may be empty (documented by their minimum length of 0).
    record: dict[str, Any] = {
        "InvoiceCity": "",
        "InvoicePostalCode": "",
        **_fields(customer),
        "IsPrivatePerson": customer.is_person,
        "IsActive": customer.active,
    }
    if customer.bic:
        record["Note"] = f"BIC: {customer.bic}"
    problems = []
    if customer.number is None:
        problems.append(Problem("number", "is needed: a rerun finds the customer by it"))
    problems += await _misfits(customer, record)
    days = customer.payment_terms_days
    record["TermsOfPaymentId"] = await _terms_of(settings.payment_terms_days if days is None else days, days, problems)
    return record, problems


async def update_customer(customer: Customer) -> Customer:
    """Write what is set and differs over the record, and all the rest of it as it came.

    PUT replaces (measured), and there is no way to tell the vendor which version was read: what somebody changes
    within that second is overwritten. ``active`` switches off when it is False and never on: True is also what was
    not said.
    """
    response = await get(ONE, own_id(customer.id, "id"))
    record = loads(response)
    current = await _neutral(response)
    problems: list[Problem] = []
    known = _fields(current)
    changes = {name: value for name, value in _fields(customer).items() if known.get(name) != value}
    if customer.is_person != current.is_person:
        kind = "a private person" if current.is_person else "a company"
        problems.append(Problem("is_person", f"cannot be changed here: in the books it is {kind}"))
    if customer.contacts and len(customer.contacts) > 1:
        problems.append(_one_contact(customer))
    days = customer.payment_terms_days
    if days is not None and days != current.payment_terms_days:
        changes["TermsOfPaymentId"] = await _terms_of(days, days, problems)
    if customer.bic is not None and customer.bic != current.bic:
        changes["Note"] = _with_bic(wire.text_of(record.get("Note")), customer.bic)
    if not customer.active and current.active:
        changes["IsActive"] = False
    problems += await _misfits(customer, changes, record)  # what stands in the books already is not complained about
    if problems:
        raise InvalidRequest("this customer cannot be written to Visma", problems=problems)
    if not changes:
        return current
    kept = {
        name: value
        for name, value in record.items()
        if name not in _READ_ONLY and not (value is None and name in _OBJECTS)
    }
    return await _written(put(ONE, own_id(customer.id, "id"), body=dumps({**kept, **changes})))


async def _written(request: Any) -> Customer:
    try:
        response = await request
    except InvalidRequest as exc:
        raise _in_our_words(exc) from None
    with already_written(VENDOR, "the customer"):
        return await _neutral(response)


def _in_our_words(refused: InvalidRequest) -> InvalidRequest:
    """The vendor's refusal under the model's field names."""
    problems = [_renamed(problem) for problem in refused.problems]
    return InvalidRequest(
        "Visma refused the customer",
        problems=problems,
        status=refused.status,
        code=refused.code,
        request_id=refused.request_id,
        method=refused.method,
        url=refused.url,
    )


def _renamed(problem: Problem) -> Problem:
    name = problem.field.rpartition(".")[2].lower()
    field = _FIELDS.get(name)
    if field is None and not name and "vatnumber" in problem.message.replace(" ", "").lower():
        field = "vat_number"
    if field == "vat_number":
        advice = "Visma asks VIES: check the number and its country, or leave it out and add it in the books"
        return Problem(field, f"{problem.message} ({advice})", problem.code)
    return problem if field is None else Problem(field, problem.message, problem.code)


# ---- what a customer is at the vendor ----------------------------------------------------------------------


def _fields(customer: Customer) -> dict[str, Any]:
    """What is set, and no key without a value: None is never written over what the books hold."""
    address = customer.address or _NOWHERE
    contact = customer.contacts[0] if customer.contacts else _NOBODY
    person = " ".join(part for part in (contact.first_name, contact.last_name) if part)
    values = {
        "CustomerNumber": customer.number,
        "Name": customer.name,
        "CorporateIdentityNumber": customer.registration_number,
        "VatNumber": _compact(customer.vat_number),
        "EmailAddress": customer.email,
        "ContactPersonName": person,
        "ContactPersonEmail": contact.email,
        "ContactPersonPhone": contact.phone,
        "Telephone": customer.phone,
        "InvoiceAddress1": address.street_line,
        "InvoiceAddress2": address.addition,
        "InvoicePostalCode": address.postal_code,
        "InvoiceCity": address.city,
        "InvoiceCountryCode": address.country_code,
        "CurrencyCode": customer.currency,
        "SalesDocumentLanguage": customer.language,
        "WwwAddress": customer.website,
        "Iban": _compact(customer.iban),
    }
    return {name: value for name, value in values.items() if value}


async def _misfits(
    customer: Customer, record: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> list[Problem]:
    """What of these fields the vendor would refuse, and what of the customer it has no place for."""
    problems = _too_long(record)
    vat_number, country = record.get("VatNumber"), record.get("InvoiceCountryCode")
    if vat_number is not None and not _VAT_NUMBER.fullmatch(vat_number):
        problems.append(Problem("vat_number", "must be a country code and 8 to 12 digits or letters, as NL…"))
    if vat_number is not None and not (country or (before or {}).get("InvoiceCountryCode")):
        problems.append(Problem("address.country_code", "is needed with a VAT number"))
    if country is not None:
        known = await master.countries()
        if known and country not in known:
            problems.append(Problem("address.country_code", f"{country} is no country of the books"))
    if before is None and len(customer.contacts) > 1:
        problems.append(_one_contact(customer))
    return problems


def _one_contact(customer: Customer) -> Problem:
    return Problem("contacts", f"are {len(customer.contacts)}; Visma keeps one contact person")


def _too_long(record: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem(field, f"is {len(record[name])} characters long; at most {most} fit")
        for name, (most, field) in _LIMITS.items()
        if isinstance(record.get(name), str) and len(record[name]) > most
    ]


async def _terms_of(days: int, asked: int | None, problems: list[Problem]) -> str | None:
    """Id of the terms of payment of that many days; they can be made in the web application only (documented)."""
    usable = master.usable_terms(await master.terms())
    fitting = sorted(one.Id for one in usable if one.NumberOfDays == days)
    if fitting:
        return fitting[0]
    there = ", ".join(str(known) for known in sorted({one.NumberOfDays or 0 for one in usable})) or "none"
    of_setting = "" if asked is not None else " (the setting payment_terms_days, since the customer has none)"
    why = f"{days} days{of_setting} is none of the books' terms of payment for sales; there are: {there}"
    problems.append(Problem("payment_terms_days", why))
    return None


def _with_bic(note: str, bic: str) -> str:
    line = f"BIC: {bic}"
    return _BIC.sub(lambda _: line, note, count=1) if _BIC.search(note) else f"{note}\n{line}".strip("\n")


def _compact(text: str | None) -> str | None:
    return None if text is None else re.sub(r"[\s.-]", "", text).upper()
