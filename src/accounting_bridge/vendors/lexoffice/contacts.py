"""Contacts to customers and back: pure functions.

The app's own customer number is kept as a line ``Ref. {number}`` at the end of the contact's ``note``, because
the vendor numbers contacts itself and has no field for a foreign id. That format stays in people's books: it
never changes. What a customer has and a contact has no field for is kept in the note as well, a line each.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from ...errors import Problem, Unsupported
from ...flow import Page, Response
from ...models import Address, Contact, Customer
from ...wire import decode_fast, each_neutral, each_read, without_empty
from . import wire
from .wire import CONVERTER, LAST_PAGE, PAGE_SIZE, VENDOR, WINDOW

LONGEST_NOTE: Final = 1000
"""Documented."""
LONGEST_PHONE: Final = 30
"""Seen: shipped clients cut here, because longer ones were refused or damaged."""
_SEARCH: Final = (3, 128)
"""Documented and measured: "size must be between 3 and 128"."""
_MARKER: Final = re.compile(r"Ref\. (.+)")
_EMAILS: Final = ("business", "office", "private", "other")
_PHONES: Final = ("business", "office", "mobile", "private", "other")
_NOTED: Final[Mapping[str, str]] = {
    "website": "Web",
    "iban": "IBAN",
    "bic": "BIC",
    "payment_terms_days": "Zahlungsziel (Tage)",
    "language": "Sprache",
    "phone": "Telefon",
}
_LABELS: Final[Mapping[str, str]] = {label: name for name, label in _NOTED.items()}
_SINGLE: Final = (
    ("addresses", ("billing", "shipping")),
    ("emailAddresses", ("business", "office", "private", "other")),
    ("phoneNumbers", ("business", "office", "mobile", "private", "fax", "other")),
    ("company", ("contactPersons",)),
)
"""Lists that may hold one entry when written (documented)."""


# ---- reading ---------------------------------------------------------------------------------------------------


def neutral(contact: wire.Contact) -> Customer:
    """The customer that a contact is."""
    company, person = contact.company, contact.person
    name, first, last, vat, tax_number = "", None, None, None, None
    people: tuple[Contact, ...] = ()
    if company is not None:
        name, vat, tax_number = company.name, company.vatRegistrationId or None, company.taxNumber or None
        if company.contactPersons:
            people = tuple([_contact(one) for one in company.contactPersons])
    elif person is not None:
        first, last = person.firstName or None, person.lastName or None
        name = f"{first} {last}" if first and last else first or last or ""
    role = contact.roles.customer if contact.roles is not None else None
    phone = _first(contact.phoneNumbers, _PHONES)
    customer = Customer(
        id=contact.id,
        number=str(role.number) if role is not None and role.number is not None else None,
        name=name,
        is_person=company is None,
        first_name=first,
        last_name=last,
        address=_address(contact.addresses.billing[0]) if contact.addresses and contact.addresses.billing else None,
        email=_first(contact.emailAddresses, _EMAILS),
        phone=phone,
        vat_number=vat,
        registration_number=tax_number,
        active=not contact.archived,
        contacts=people,
    )
    noted = _noted(contact.note, phone) if contact.note and ": " in contact.note else None
    return evolve(customer, **noted) if noted else customer


def _contact(person: wire.ContactPerson) -> Contact:
    return Contact(
        first_name=person.firstName or None,
        last_name=person.lastName or None,
        email=person.emailAddress or None,
        phone=person.phoneNumber or None,
    )


def _address(billing: wire.PostalAddress) -> Address:
    return Address(
        street=billing.street or None,
        addition=billing.supplement or None,
        postal_code=billing.zip or None,
        city=billing.city or None,
        country_code=billing.countryCode or None,
    )


def _first(lists: Mapping[str, Sequence[str]] | None, order: Iterable[str]) -> str | None:
    if lists:
        for name in order:
            for value in lists.get(name, ()):
                if value:
                    return value
    return None


def _noted(note: str, phone: str | None) -> dict[str, Any]:
    """What :func:`_note` keeps in the note because a contact has no field for it."""
    found: dict[str, Any] = {}
    for line in note.splitlines():
        label, colon, value = line.partition(": ")
        if colon and value and (name := _LABELS.get(label)) is not None:
            found[name] = value
    days = found.pop("payment_terms_days", "")
    if days.isdecimal() and len(days) <= 4 and int(days) <= 3650:
        found["payment_terms_days"] = int(days)
    if "phone" in found and phone != _phone(found["phone"]):
        del found["phone"]  # somebody has changed the number itself since
    return found


def read_page(response: Response) -> tuple[Page[Customer], wire.Envelope]:
    """The customers of a page of contacts; its cursor is the caller's business."""
    fast = decode_fast(response, wire.ContactsPage, alike=True)
    if fast is not None:
        answer = wire.Envelope(None, fast.last, fast.totalElements)
        customers, odd = each_neutral(fast.content, neutral, vendor=VENDOR, what="customer")
    else:
        answer = wire.envelope(response)
        customers, odd = each_read(CONVERTER, answer.records, wire.Contact, neutral, vendor=VENDOR, what="customer")
    return Page(items=customers, skipped=odd), answer


def is_customer(contact: wire.Contact) -> bool:
    """Whether invoices may be made out to it: suppliers are contacts as well."""
    return contact.roles is not None and contact.roles.customer is not None


# ---- cursors: page number, and how many records there were ------------------------------------------------------


def read_cursor(cursor: str | None) -> tuple[int, int | None]:
    """Page number, and the number of records when the page before was read."""
    number, _, total = (cursor or "0").partition(":")
    return int(number), int(total) if total else None


def slid(before: int | None, now: int | None) -> int:
    """How many contacts have vanished since the page before was read.

    The list is sorted by name and read by offset: when a contact vanishes between two pages, all later ones move
    up, and as many as vanished would be missed. One that is added in the same moment hides this; nothing tells.
    """
    return max(0, before - now) if before is not None and now is not None else 0


def first_to_repeat(number: int, slid_back: int) -> int:
    """The first of the pages before *number* into which that many contacts have slid."""
    return max(0, number - -(-slid_back // PAGE_SIZE))


def following(number: int, answer: wire.Envelope) -> tuple[str | None, str | None]:
    """Cursor of the next page, and why there is none although there is more."""
    capped = answer.total is not None and answer.total >= WINDOW
    if number >= LAST_PAGE and (capped or not answer.last):
        return None, (
            f"this vendor lists {WINDOW} contacts at most, sorted by name, and cannot filter them into smaller parts: "
            "the rest cannot be imported through its interface"
        )
    if answer.last:
        return None, None
    return f"{number + 1}:{answer.total if answer.total is not None else ''}", None


# ---- the marker ------------------------------------------------------------------------------------------------


def marker_in(note: str | None) -> str | None:
    """The app's number noted at a contact: of several such lines the last, wherever people have written below it."""
    for line in reversed((note or "").splitlines()):
        if match := _MARKER.fullmatch(line.strip()):
            return match[1].strip()
    return None


def carries(note: str | None, number: str) -> bool:
    """Whether exactly this number is noted. Whether texts come back HTML-encoded is unknown: both are compared."""
    found = marker_in(note)
    return found is not None and number in (found, html.unescape(found))


def search_text(customer: Customer) -> str | None:
    """The name as the search wants it, or None where it is too short to search for.

    ``& < >`` HTML-encoded and nothing else, ``_ % \\`` escaped because they are wildcards (documented, measured).
    It is a substring search, so a long name is cut; a person is searched for by the last name, because the order
    in which the two parts are kept is unknown.
    """
    name = names(customer)[1] if customer.is_person else customer.name
    least, most = _SEARCH
    text = name.strip().splitlines()[0] if name.strip() else ""
    encoded, length = "", 0
    for mark in text:
        piece = _ENCODED.get(mark, mark)
        length += len(piece.encode("utf-16-le")) // 2  # as the vendor's side counts, to be on the safe one
        if length > most:
            break
        encoded += piece
    return encoded if len(text) >= least else None


_ENCODED: Final[Mapping[str, str]] = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", "_": "\\_", "%": "\\%", "\\": "\\\\",
}  # fmt: skip


def same_name(record: Mapping[str, Any], customer: Customer) -> bool:
    """Whether a contact, as it came, has the customer's name."""
    company, person = record.get("company"), record.get("person")
    if isinstance(company, dict):
        name = company.get("name")
    elif isinstance(person, dict):
        name = " ".join(str(part) for part in (person.get("firstName"), person.get("lastName")) if part)
    else:
        return False
    wanted = " ".join(part for part in names(customer) if part) if customer.is_person else customer.name
    return isinstance(name, str) and _plain(html.unescape(name)) == _plain(wanted)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


# ---- writing ---------------------------------------------------------------------------------------------------


def new_contact(customer: Customer) -> dict[str, Any]:
    """What :func:`merged` starts from for a customer that is not in the books. A role must be an object."""
    return {"version": 0, "roles": {"customer": {}}, "person" if customer.is_person else "company": {}}


def check_writable(record: Mapping[str, Any]) -> None:
    """A contact with several entries in one list can be read but never written (documented).

    Raises:
        Unsupported: naming the lists.
    """
    many = [
        f"{group}.{name}"
        for group, lists in _SINGLE
        for name in lists
        if isinstance(found := record.get(group), dict) and len(found.get(name) or ()) > 1
    ]
    if many:
        raise Unsupported(
            "cannot update this contact: its "
            + " and ".join(many)
            + " hold more than one entry, which the interface cannot write; change it in the books",
            vendor=VENDOR,
        )


def merged(
    record: Mapping[str, Any], customer: Customer, default_country: str | None
) -> tuple[dict[str, Any], list[Problem]]:
    """*record* with what is set on *customer* written over it, and what is wrong with that.

    A write replaces the whole record (measured), so everything else is kept as it came, known to us or not.
    """
    problems: list[Problem] = []
    body = {name: value for name, value in record.items() if name not in _READ_ONLY}
    if "person" in body:
        body["person"] = _person(body["person"] or {}, customer, problems)
    else:
        body["company"] = _company(body.get("company") or {}, customer, problems)
    _merge_address(body, customer.address, default_country, problems)
    if customer.email is not None:
        # Capitals in addresses were refused or damaged (seen).
        _put(body, "emailAddresses", _EMAILS, customer.email.strip().lower())
    if customer.phone is not None:
        phone = _phone(customer.phone)
        if phone and len(phone) > LONGEST_PHONE:
            problems.append(Problem("phone", f"has {len(phone)} characters; at most {LONGEST_PHONE} fit"))
        _put(body, "phoneNumbers", _PHONES, phone)
    if customer.currency not in (None, "EUR"):
        problems.append(Problem("currency", "must be EUR: this vendor knows no other"))
    if not customer.active and not record.get("archived"):
        problems.append(Problem("active", "cannot be set to False: contacts are archived in the web application only"))
    body["note"] = _note(record, customer, problems)
    return without_empty(body), problems


_READ_ONLY: Final = frozenset({"organizationId", "archived", "createdDate", "updatedDate", "resourceUri"})


def names(customer: Customer) -> tuple[str | None, str]:
    """First and last name of a person; a name that came in one piece is not taken apart."""
    if customer.last_name:
        return customer.first_name, customer.last_name
    rest = customer.name.removeprefix(customer.first_name or "").strip()
    return (customer.first_name, rest) if rest else (None, customer.name)


def _person(record: Mapping[str, Any], customer: Customer, problems: list[Problem]) -> dict[str, Any]:
    if not customer.is_person:
        problems.append(Problem("is_person", "cannot be changed: the contact is a private person in the books"))
    for name, what in (("vat_number", "VAT number"), ("registration_number", "tax number"), ("contacts", "contacts")):
        if getattr(customer, name):
            problems.append(Problem(name, f"private persons have no {what} at this vendor: make it a company"))
    first, last = names(customer)
    if first is None and _plain(f"{record.get('firstName') or ''} {record.get('lastName') or ''}") == _plain(last):
        return dict(record)
    return without_empty({**record, "firstName": first, "lastName": last})


def _company(record: Mapping[str, Any], customer: Customer, problems: list[Problem]) -> dict[str, Any]:
    if customer.is_person:
        problems.append(Problem("is_person", "cannot be changed: the contact is a company in the books"))
    given: dict[str, Any] = {
        "name": customer.name,
        "taxNumber": customer.registration_number,
        # Checked for form, and lower case gave trouble (seen).
        "vatRegistrationId": "".join((customer.vat_number or "").split()).upper(),
    }
    people = customer.contacts
    if not people and (customer.first_name or customer.last_name):
        people = (Contact(first_name=customer.first_name, last_name=customer.last_name),)
    if len(people) > 1:
        problems.append(Problem("contacts", f"are {len(people)}; this vendor takes one contact person"))
    elif people:
        known = (record.get("contactPersons") or [{}])[0]
        given["contactPersons"] = [_contact_person(known, people[0], problems)]
    return {**record, **without_empty(given)}


def _contact_person(record: Mapping[str, Any], person: Contact, problems: list[Problem]) -> dict[str, Any]:
    given = {
        "firstName": person.first_name,
        "lastName": person.last_name,
        "emailAddress": (person.email or "").strip().lower(),
        "phoneNumber": _phone(person.phone or ""),
    }
    result = {**record, **without_empty(given)}
    if not result.get("lastName"):
        problems.append(Problem("contacts[0].last_name", "is missing: this vendor demands it of a contact person"))
    return result


def _merge_address(
    body: dict[str, Any], address: Address | None, default_country: str | None, problems: list[Problem]
) -> None:
    if address is None:
        return
    given = without_empty(
        {
            "supplement": address.addition,
            "street": address.street_line,
            "zip": address.postal_code,
            "city": address.city,
            "countryCode": address.country_code,
        }
    )
    if not given:
        return
    known = body.get("addresses") or {}
    result = {**(known.get("billing") or [{}])[0], **given}
    if not result.get("countryCode"):
        if default_country is None:
            problems.append(Problem("address.country_code", "is missing: this vendor demands it of every address"))
        result["countryCode"] = default_country
    body["addresses"] = {**known, "billing": [result]}


def _put(body: dict[str, Any], group: str, order: Sequence[str], value: str | None) -> None:
    """Over the entry that :func:`neutral` reads, so that what is written is what is read."""
    if not value:  # an empty string in such a list is refused
        return
    known = body.get(group) or {}
    name = next((name for name in order if any(known.get(name) or ())), order[0])
    body[group] = {**known, name: [value]}


def _phone(text: str) -> str:
    """A number as the vendor keeps it undamaged: one number, no letters (seen in shipped clients)."""
    first = re.split(r"[;,|\n]|\boder\b|\bor\b", text, maxsplit=1)[0]
    kept = " ".join(re.sub(r"[^0-9+()/. -]", " ", first).split()).strip(" ./-")
    return kept if len(kept) <= LONGEST_PHONE else re.sub(r"[^0-9+]", "", kept)


def _note(record: Mapping[str, Any], customer: Customer, problems: list[Problem]) -> str:
    """The note with what has no field of its own, and the marker as its last line."""
    number = _own_number(record, customer)
    if number is not None and len(number.splitlines()) > 1:
        problems.append(Problem("number", "must not hold line breaks"))
        number = None
    known = record.get("note") or ""
    given = {
        _NOTED[name]: " ".join(str(value).split())
        for name in _NOTED
        if (value := getattr(customer, name)) is not None and (name != "phone" or _phone(value) != value.strip())
    }
    if number is None and not given:
        return known
    marker = number if number is not None else marker_in(known)
    lines = [
        line
        for line in known.replace("\r\n", "\n").split("\n")
        if line.partition(": ")[0] not in given and not _MARKER.fullmatch(line.strip())
    ]
    lines += [f"{label}: {value}" for label, value in given.items() if value]
    if marker:
        lines.append(f"Ref. {marker}")
    note = "\n".join(lines).strip()
    if len(note) > LONGEST_NOTE:
        problems.append(
            Problem("number", f"does not fit: with it the contact's note has {len(note)} of {LONGEST_NOTE} characters")
        )
    return note


def _own_number(record: Mapping[str, Any], customer: Customer) -> str | None:
    """The app's number, unless it is the one that the vendor has assigned."""
    roles = record.get("roles")
    role = roles.get("customer") if isinstance(roles, dict) else None
    assigned = role.get("number") if isinstance(role, dict) else None
    number = (customer.number or "").strip()
    taken = None if assigned is None else str(assigned)
    return number if number and number != taken else None
