"""What a person does in the vendor's web application, for tests in which the books move under the client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from threading import RLock
from typing import Any

from attrs import evolve

from accounting_bridge.sandbox.base import Refusal
from accounting_bridge.sandbox.known import numbered, unknown

from .books import Books
from .invoices import Invoice, Invoices
from .relation_rules import FLAGS, TEXTS
from .relations import Relation, Relations
from .salesbook import Entry, Salesbook


class WebApp:
    """The same books without the API's checks and limits. A refused operation raises ValueError."""

    def __init__(
        self, books: Books, relations: Relations, invoices: Invoices, salesbook: Salesbook, lock: RLock
    ) -> None:
        self._books = books
        self._relations = relations
        self._invoices = invoices
        self._salesbook = salesbook
        self._lock = lock

    def add_relation(self, *, number: int | None = None, flags: dict[str, bool] | None = None, **texts: str) -> str:
        """Add a relation, an active customer unless ``flags`` says otherwise, and return its id.

        Texts are named as in the API and not checked; a company if there is a ``company_name``.
        """
        with self._lock:
            _only(texts, TEXTS)
            _only(flags or {}, FLAGS)
            if number is not None and self._relations.is_taken(number):
                raise ValueError(f"relation number {number} is in use")
            return str(self._relations.add(number, flags or {}, texts).id)

    def edit_relation(
        self, relation_id: int | str, *, flags: dict[str, bool] | None = None, peppol: bool | None = None, **texts: str
    ) -> None:
        """Change a relation: an empty text clears a field, ``flags={"active": False}`` retires it."""
        with self._lock:
            _only(texts, TEXTS)
            _only(flags or {}, FLAGS)
            relation = self._relation(relation_id)
            merged = {name: text for name, text in (relation.texts | texts).items() if text}
            changed = evolve(
                relation,
                texts=merged,
                flags=relation.flags | (flags or {}),
                has_peppol=relation.has_peppol if peppol is None else peppol,
            )
            self._relations.changed(changed)

    def finalize(self, invoice_id: int | str) -> None:
        """Make a concept final; ValueError for a final one and in a closed period."""
        with self._lock, _refusals():
            self._invoices.finalize(self._concept(invoice_id))

    def delete(self, invoice_id: int | str) -> None:
        """Delete a concept; ValueError for a final invoice."""
        with self._lock:
            del self._invoices.all[self._concept(invoice_id).id]

    def edit(
        self,
        invoice_id: int | str,
        *,
        reference: str | None = None,
        comment: str | None = None,
        footer: str | None = None,
    ) -> None:
        """Change the texts of a concept, such as the marker a client left in the reference; ``""`` clears."""
        with self._lock:
            invoice = self._concept(invoice_id)
            for name, text in {"reference": reference, "comment": comment, "footer": footer}.items():
                if text is not None:
                    setattr(invoice, name, text or None)
            self._invoices.touch(invoice)

    def delete_entry(self, entry_id: int | str) -> None:
        """Delete an entry of the salesbook; ValueError in a closed period."""
        with self._lock:
            entry = self._entry(entry_id)
            if self._books.is_closed(entry.day):
                raise ValueError("the period is closed")
            del self._salesbook.all[entry.id]

    def process(self, entry_id: int | str) -> None:
        """Book an entry that waits to be processed."""
        with self._lock:
            entry = self._entry(entry_id)
            entry.waiting = False
            self._salesbook.touch(entry)

    def pay(self, invoice_id: int | str, amount: Decimal | None = None, *, day: date | None = None) -> None:
        """Book a payment of a final invoice, in full unless ``amount`` is given."""
        with self._lock:
            invoice = self._invoice(invoice_id)
            if invoice.concept:
                raise ValueError("a concept cannot be paid")
            self._paid(invoice, amount, day)
            self._invoices.touch(invoice)

    def pay_entry(self, entry_id: int | str, amount: Decimal | None = None, *, day: date | None = None) -> None:
        """Book a payment of a salesbook entry, in full unless ``amount`` is given."""
        with self._lock:
            entry = self._entry(entry_id)
            self._paid(entry, amount, day)
            self._salesbook.touch(entry)

    def close_period(self, year: int, month: int) -> None:
        """Close the books up to and including a month."""
        if not 1 <= month <= 12:
            raise ValueError(f"{month} is no month")
        with self._lock:
            self._books.closed_until = (year, month)

    def open_periods(self) -> None:
        """Open all periods again."""
        with self._lock:
            self._books.closed_until = None

    def _paid(self, document: Invoice | Entry, amount: Decimal | None, day: date | None) -> None:
        document.paid += document.totals.gross - document.paid if amount is None else amount
        document.payment_date = day or self._books.today()

    def _relation(self, relation_id: int | str) -> Relation:
        relation = self._relations.find(int(relation_id)) if str(relation_id).isdecimal() else None
        if relation is None:
            raise unknown(relation_id, "relation")
        return relation

    def _invoice(self, invoice_id: int | str) -> Invoice:
        return numbered(self._invoices.all, invoice_id, "sales invoice")

    def _concept(self, invoice_id: int | str) -> Invoice:
        invoice = self._invoice(invoice_id)
        if not invoice.concept:
            raise ValueError(f"sales invoice {invoice.number} is final")
        return invoice

    def _entry(self, entry_id: int | str) -> Entry:
        return numbered(self._salesbook.all, entry_id, "salesbook entry")


def _only(given: dict[str, Any], names: tuple[str, ...]) -> None:
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(f"a relation has no {', '.join(unknown)}")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        raise ValueError(str(refusal.reply.value()["error"])) from refusal
