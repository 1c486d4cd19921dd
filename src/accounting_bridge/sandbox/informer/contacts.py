"""``/contact``: the contact persons of relations. There is no list; a relation shows its own."""

from __future__ import annotations

from typing import Any, Final

from accounting_bridge.sandbox.data import SeedCustomers
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .books import FIRST_ID, Books
from .formats import identifier_of
from .relation_rules import ContactCheck
from .relations import Person, Relation, Relations

_SAVED: Final = {"success": "Contact saved"}


class Contacts:
    """The contact persons of one administration; those of seeded relations have the ids of these."""

    def __init__(self, books: Books, relations: Relations, seeds: SeedCustomers) -> None:
        self._books = books
        self._relations = relations
        self._first_new = FIRST_ID + len(seeds)
        self._owners: dict[int, int] = {}

    @route("POST", "/v2/contact")
    def create(self, call: Call) -> Reply:
        """Add a person to a relation."""
        check = self._check(self._books.body(call))
        relation = self._relation(check)
        person = Person(self._books.new_id("contact", self._first_new), relation.id, check.texts)
        relation.people.append(person)
        self._owners[person.id] = relation.id
        self._relations.changed(relation)
        return Reply.json(200, _SAVED)

    @route("GET", "/v2/contact/{id}")
    def read(self, _call: Call, identifier: str) -> Reply:
        """Show one person."""
        found = self._find(identifier)
        if found is None:
            raise self._books.answers.unknown_on_read()
        return Reply.json(200, found[1].shown())

    @route("PUT", "/v2/contact/{id}")
    def update(self, call: Call, identifier: str) -> Reply:
        """Replace one person."""
        found = self._find(identifier)
        if found is None:
            raise self._books.answers.not_found()
        owner, person = found
        check = self._check(self._books.body(call))
        relation = self._relation(check)
        person.texts = check.texts
        if relation.id != owner.id:
            owner.people.remove(person)
            self._relations.changed(owner)
            person.relation_id = relation.id
            relation.people.append(person)
            self._owners[person.id] = relation.id
            self._relations.changed(relation)
        else:
            self._relations.changed(owner)
        return Reply.json(200, _SAVED)

    def _find(self, identifier: str) -> tuple[Relation, Person] | None:
        key = identifier_of(identifier)
        if key is None:
            return None
        relation = self._relations.find(self._owners.get(key, key))
        if relation is None:
            return None
        person = next((person for person in relation.people if person.id == key), None)
        return (relation, person) if person is not None else None

    def _check(self, body: dict[str, Any]) -> ContactCheck:
        check = ContactCheck(body, self._books)
        if check.problems:
            raise self._books.answers.invalid(check.problems)
        return check

    def _relation(self, check: ContactCheck) -> Relation:
        relation = self._relations.find(check.relation_id)
        if relation is None:
            if self._books.assumptions.unknown_relation_status == 404:
                raise self._books.answers.not_found()
            raise self._books.answers.invalid({"relation_id": "relation_id is ongeldig."})
        return relation
