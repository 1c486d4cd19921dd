"""From relations to neutral customers: the quick way for what is as documented, the generous way for the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve, fields_dict, frozen

from ...errors import InvalidRequest
from ...flow import Drift, Response
from ...models import Address, Contact, Customer
from ...wire import decode_fast, each_neutral, malformed
from . import master
from .pages import Listing, as_list, count, each, id_of, listing
from .placeholders import sieve
from .settings import InformerSettings
from .wire import VENDOR, Paging, Person, Relation, RelationsPage, Roles, as_documented, instant, lenient

COMPANY: Final = 0
PERSON: Final = 1
ROLES: Final = tuple(fields_dict(Roles))

Field = Callable[[str | None], str | None]


@frozen
class Reader:
    """From relations to neutral customers; what can be worked out once for all of them is."""

    days: Mapping[int, int]
    email: Field
    email_invoice: Field
    web: Field
    vat: Field
    coc: Field
    iban: Field
    bic: Field

    @classmethod
    def of(cls, settings: InformerSettings, days: Mapping[int, int]) -> Reader:
        """With what it needs to know of the books: days of each payment condition."""
        names = ("email", "email_invoice", "web", "vat", "coc", "iban", "bic")
        return cls(days, *(sieve(settings, name) for name in names))

    def customer(self, relation: Relation) -> Customer:
        """The neutral customer; placeholders are read as nothing. Built by the hundred thousand: one flat pass."""
        company, kind, roles = relation.company_name, relation.relation_type, relation.subtype
        person = kind == PERSON if kind is not None else not company
        first, last = relation.firstname or None, relation.surname or None
        if prefix := relation.surname_prefix:
            last = f"{prefix} {last}" if last else prefix
        street, postal_code, city = relation.street or None, relation.zip or None, relation.city or None
        house, suffix = relation.house_number or None, relation.house_number_suffix
        if suffix:
            house = f"{house}-{suffix}" if house and suffix[0].isdigit() else f"{house or ''}{suffix}"
        country = relation.country.upper() if relation.country else None
        address = None
        if street or house or postal_code or city or country:
            address = Address(
                street=street, house_number=house, postal_code=postal_code, city=city, country_code=country
            )
        number, condition = relation.relation_number, relation.payment_condition_id
        email = self.email(mail) if (mail := relation.email) else None
        if email is None and (mail := relation.email_invoice):
            email = self.email_invoice(mail)
        return Customer(
            id=str(relation.id),
            number=str(number) if number else None,
            name=company if company and not person else _joined(first, last),
            is_person=person,
            first_name=first if person else None,
            last_name=last if person else None,
            address=address,
            email=email,
            phone=relation.phone or None,
            website=self.web(web) if (web := relation.web) else None,
            vat_number=self.vat(vat) if (vat := relation.vat) else None,
            registration_number=self.coc(coc) if (coc := relation.coc) else None,
            iban=self.iban(iban) if (iban := relation.iban) else None,
            bic=self.bic(bic) if (bic := relation.bic) else None,
            payment_terms_days=None if condition is None else self.days.get(condition),
            active=roles is None or roles.active,
            updated_at=instant(stamp) if (stamp := relation.last_edit) else None,
            contacts=self._contacts(people) if (people := relation.contacts) else (),
        )

    def _contacts(self, people: Sequence[Person]) -> tuple[Contact, ...]:
        """Those of whom something is known."""
        found = []
        for person in people:
            first, last = person.firstname or None, person.surname or None
            if prefix := person.surname_prefix:
                last = f"{prefix} {last}" if last else prefix
            email, phone = self.email(person.email), person.phone or person.mobile or None
            if first or last or email or phone:
                found.append(Contact(first_name=first, last_name=last, email=email, phone=phone))
        return tuple(found)

    def listing(self, response: Response, key: str) -> Listing:
        """The customers of a page of relations; suppliers and prospects are left out."""
        fast = decode_fast(response, RelationsPage, alike=True)
        if fast is not None:
            wanted = [relation for relation in fast.relations if is_role(relation, "customer")]
            customers, refused = each_neutral(wanted, self.customer, vendor=VENDOR, what="customer")
            paging = fast.pagination or Paging()
            first = id_of({"id": fast.relations[0].id}) if fast.relations else ""
            return Listing(
                customers, count(paging.page), count(paging.total), size=len(fast.relations), first=first,
                skipped=refused,
            )  # fmt: skip
        found = listing(response, key)
        try:
            customers = [
                self.customer(relation)
                for record in found.records
                if is_role(relation := as_documented(record, Relation), "customer")
            ]
            return evolve(found, records=customers)
        except Exception:  # noqa: BLE001 the generous way reads it, or finds out which one it was
            pass
        relations, odd, people = _generously(found.records)
        customers, refused = each_neutral(relations, self.customer, vendor=VENDOR, what="customer")
        return evolve(found, records=customers, skipped=(*odd, *refused, *people))


async def reader(settings: InformerSettings) -> Reader:
    """With what it needs to know of the books."""
    return Reader.of(settings, await master.days_by_condition())


def is_person(relation: Relation) -> bool:
    """0 is a company, 1 a private person (documented); v1 stored an empty type for words."""
    if relation.relation_type is None:
        return not relation.company_name
    return relation.relation_type == PERSON


def is_role(relation: Relation, name: str) -> bool:
    """Whether the relation is ``customer``, ``active``, ``supplier``…; where it is not said, an active customer."""
    roles = relation.subtype
    said: bool = name in _USUAL if roles is None else getattr(roles, name)
    return said


_USUAL: Final = frozenset({"active", "customer"})


def _generously(records: Sequence[Any]) -> tuple[list[Relation], list[Drift], list[Drift]]:
    """Customers among records of any form; those that cannot be read; people that cannot, whose customers arrive."""
    relations: list[Relation] = []
    odd: list[Drift] = []
    strangers: list[Drift] = []
    for record in records:
        found, unreadable = each([_without_people(record)], Relation, "customer", lenient)
        odd += unreadable
        for relation in found:
            if is_role(relation, "customer"):
                relation.contacts, unknown = _people(record)
                relations.append(relation)
                strangers += unknown
    return relations, odd, strangers


def _without_people(record: Any) -> Any:
    return {**record, "contacts": None} if isinstance(record, dict) else record


def _people(record: Mapping[str, Any]) -> tuple[list[Person], list[Drift]]:
    return each(as_list(record.get("contacts")), Person, "contact", lenient)


def _joined(first: str | None, second: str | None) -> str:
    return f"{first} {second}" if first and second else first or second or ""


def relation_of(response: Response, record: Any) -> Relation:
    """The relation of one answer, in whatever form.

    Raises:
        MalformedResponse: it cannot be read.
    """
    found, odd = each([_without_people(record)], Relation, "customer", lenient)
    if odd:
        raise malformed(response, "unreadable customer", odd[0].problems)
    found[0].contacts, _ = _people(record)
    return found[0]


def neutral(read: Reader, relation: Relation, response: Response) -> Customer:
    """The neutral customer of one answer.

    Raises:
        MalformedResponse: the model refuses it.
    """
    try:
        return read.customer(relation)
    except InvalidRequest as exc:
        raise malformed(response, "unreadable customer", [str(problem) for problem in exc.problems]) from None
