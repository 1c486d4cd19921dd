"""Invoices up to the moment they are completed: creating, reading, listing, changing, deleting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from attrs import evolve

from ..wire import Call, Reply
from .books import Books
from .clients import address, change_number, effective, give_number
from .items import ELEMENT, new_item, sent_items
from .kinds import shortest
from .listing import as_id, contains, listed
from .problems import invalid
from .records import Client, Invoice, TaxSum
from .resource import Resource
from .schema import show
from .wire_forms import Nested, Tree, record_reply

FREE_TEXT_FIELDS: Final = ("title", "label", "intro", "note")
UNKNOWN_ORIGINS: Final = ("offer_id", "confirmation_id", "recurring_id")


class Invoices(Resource[Invoice]):
    """`/invoices`."""

    plural = "invoices"
    element = "invoice"
    area = "invoices"
    texts: ClassVar = frozenset({"label", "intro", "note"})
    equals: ClassVar = frozenset({"client_id", "contact_id"})
    other_filters: ClassVar = frozenset(
        {"status", "payment_type", "from", "to", "tags", "article_id", "invoice_number"}
    )

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.invoices, Invoice)

    # -- answers -----------------------------------------------------------------------------------------

    def shown(self, record: Invoice) -> Tree:
        """Show an invoice as of now; a draft's `invoice_number` is only what the next one would be."""
        self.books.refresh(record)
        portal = f"https://{self.books.account.billomat_id}.billomat.net/customerportal/invoices/show/entityId/"
        return show(record) | {
            "customerportal_url": f"{portal}{record.id}",
            "taxes": Nested("tax", [_shown_tax(part) for part in record.taxes]),
        }

    def find(self, key: str) -> Invoice:
        """Return the invoice of a path as of now."""
        invoice = super().find(key)
        self.books.refresh(invoice)
        return invoice

    # -- creating and changing ---------------------------------------------------------------------------

    def post(self, call: Call) -> Reply:
        """Create a draft with its items."""
        self.books.require_quota("documents", len(self.books.invoices))
        return super().post(call)

    def reply(self, call: Call, record: Invoice, status: int = 200) -> Reply:
        """Answer an invoice; whether a new one comes with its items is an assumption."""
        if status != 201 or not self.books.assume.create_echoes_items:
            return super().reply(call, record, status)
        items: list[Tree] = [show(item) for item in self.books.items_of(record.id)]
        tree = self.shown(record) | {"invoice-items": Nested(ELEMENT, items)}
        return record_reply(call, self.element, tree, status, self.books.assume)

    def read(self, body: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        """Read an invoice; whatever it points to has to exist."""
        values = super().read(body, creating=creating)
        missing = [name for name, shelf in self._targets() if _dangling(values, name, shelf)]
        missing += [name for name in UNKNOWN_ORIGINS if values.get(name) is not None]
        if missing:
            raise invalid(*(f"{name} does not exist" for name in missing))
        return values

    def new(self, values: dict[str, Any], body: Mapping[str, Any]) -> Invoice:
        """Make a draft: what is left out takes a default, what is there but empty stays empty."""
        client = self.books.clients.get(values["client_id"])
        assert client is not None
        self._check_contact(values.get("contact_id"), client.id)
        invoice = Invoice(**(self._defaults(client, values) | values))
        _check_supply_date(invoice)
        self._set_dates(invoice, values)
        return invoice

    def added(self, record: Invoice, body: Mapping[str, Any]) -> None:
        """Keep the draft and its items, and note its creation; a bad item leaves nothing behind."""
        items = [new_item(self.books, record, item_body) for item_body in sent_items(body)]
        give_number(self.books, "invoice", record, {"number_pre", "number_length"}, taken=self.is_taken)
        self.books.add_invoice(record)
        for item in items:
            item.invoice_id = record.id
            item.created = item.updated = record.created
            self.books.add_item(item)
        self.books.reprice(record)
        self.books.remark(record, "CREATE", "Rechnung wurde erstellt.")

    def put(self, call: Call, key: str) -> Reply:
        """Change a draft; completed invoices are closed."""
        self.allow("put", "UPDATE")
        if self.find(key).status != "DRAFT":
            raise invalid("The invoice is not a draft and cannot be changed")
        return super().put(call, key)

    def changed(self, record: Invoice, values: dict[str, Any]) -> None:
        """Take over changes; items are not changed this way, dates follow each other."""
        client_id = values.get("client_id", record.client_id)
        self._check_contact(values.get("contact_id"), client_id)
        after = evolve(record, **values)
        _check_supply_date(after)
        self._set_dates(after, values)
        change_number(self.books, "invoice", record, after, taken=self.is_taken)
        dates = ("due_date", "due_days", "discount_date", "discount_days")
        if client_id != record.client_id:
            self.books.move_invoice(record, client_id)
        super().changed(record, values | {name: getattr(after, name) for name in dates})

    def kept(self, record: Invoice) -> None:
        """Store a change with the sums that follow from it."""
        super().kept(record)
        self.books.reprice(record)

    def check_delete(self, record: Invoice) -> None:
        """Refuse to delete a completed invoice, unless that is assumed to work."""
        if record.status != "DRAFT" and not self.books.assume.delete_completed_invoices:
            raise invalid("Only drafts can be deleted")

    def removed(self, record: Invoice) -> None:
        """Delete the invoice with its items, comments, tags and payments."""
        self.books.remove_invoice(record)

    def is_taken(self, full_number: str) -> bool:
        """Say whether a completed or numbered invoice has this number."""
        return any(invoice.number is not None and invoice.full_number == full_number for invoice in self.shelf)

    # -- listing -----------------------------------------------------------------------------------------

    def candidates(self, call: Call) -> Iterable[Invoice]:
        """Choose from the client's own invoices where one is named, and from what the index knows yet."""
        client_id = as_id(call.first("client_id"))
        everything: Iterable[Invoice] = self.shelf if client_id is None else self.books.invoices_of(client_id)
        seen = [invoice for invoice in everything if self.books.is_listed(invoice.created)]
        return reversed(seen) if self.books.assume.invoice_order == "DESC" else seen

    def matches(self, record: Invoice, call: Call) -> bool:
        """Apply the filters by number, state, date, tag and article."""
        self.books.refresh(record)
        number = call.first("invoice_number")
        if number and not contains(self._searchable_number(record), number):
            return False
        statuses = listed(call, "status")
        if statuses is not None and record.status not in statuses:
            return False
        payment_types = listed(call, "payment_type")
        if payment_types is not None and not payment_types & set(record.payment_types.split(",")):
            return False
        first, last = _day_of(call, "from"), _day_of(call, "to")
        if (first and record.date < first) or (last and record.date > last):
            return False
        article = call.first("article_id")
        if article and all(str(item.article_id) != article for item in self.books.items_of(record.id)):
            return False
        tags = listed(call, "tags")
        if tags is None:
            return True
        own = {tag.name.casefold() for tag in self.books.invoice_tags if tag.invoice_id == record.id}
        return bool(own & {tag.casefold() for tag in tags})

    def _searchable_number(self, invoice: Invoice) -> str:
        if self.books.assume.provisional_numbers_searchable:
            return invoice.invoice_number
        return invoice.full_number

    # -- rules -------------------------------------------------------------------------------------------

    def _targets(self) -> tuple[tuple[str, Any], ...]:
        books = self.books
        return (
            ("client_id", books.clients),
            ("contact_id", books.contacts),
            ("invoice_id", books.invoices),
            ("free_text_id", books.free_texts),
            ("template_id", books.templates),
        )

    def _check_contact(self, contact_id: int | None, client_id: int | None) -> None:
        contact = self.books.contacts.get(contact_id)
        if contact is not None and contact.client_id != client_id:
            raise invalid("contact_id does not belong to the client")

    def _defaults(self, client: Client, sent: Mapping[str, Any]) -> dict[str, Any]:
        account = self.books.account
        contact = self.books.contacts.get(sent.get("contact_id"))
        template = next((t for t in self.books.templates if t.type == "INVOICE" and t.is_default), None)
        discount_days = effective(client.discount_days_type, client.discount_days, account.discount_days)
        reduction = ""
        if self.books.assume.client_reduction_applies and client.reduction:
            reduction = f"{shortest(client.reduction)}%"
        return self._default_texts(sent) | {
            "number_pre": account.invoice_number_pre,
            "number_length": account.invoice_number_length,
            "date": self.books.today(),
            "address": address(client, contact),
            "due_days": effective(client.due_days_type, client.due_days, account.due_days),
            "discount_rate": effective(client.discount_rate_type, client.discount_rate, account.discount_rate),
            "discount_days": None if discount_days is None else int(discount_days),
            "currency_code": client.currency_code or account.currency_code,
            "net_gross": account.net_gross if client.net_gross == "SETTINGS" else client.net_gross,
            "payment_types": client.default_payment_types or account.payment_types,
            "template_id": template.id if template is not None else None,
            "reduction": reduction,
        }

    def _default_texts(self, sent: Mapping[str, Any]) -> dict[str, str]:
        chosen = self.books.free_texts.get(sent.get("free_text_id"))
        if "free_text_id" not in sent:
            chosen = next((t for t in self.books.free_texts if t.type == "INVOICE" and t.is_default), None)
        return {name: getattr(chosen, name) for name in FREE_TEXT_FIELDS} if chosen is not None else {}

    def _set_dates(self, invoice: Invoice, sent: Mapping[str, Any]) -> None:
        """Let days follow from a given date, and a date from given days; a given date wins over days."""
        new = invoice.id == 0
        if sent.get("due_date") is not None:
            invoice.due_days = (sent["due_date"] - invoice.date).days
        elif "due_date" not in sent and (new or "due_days" in sent):
            invoice.due_date = _later(invoice.date, invoice.due_days)
        if sent.get("discount_date") is not None:
            invoice.discount_days = (sent["discount_date"] - invoice.date).days
        elif "discount_date" not in sent and (new or "discount_days" in sent):
            invoice.discount_date = _later(invoice.date, invoice.discount_days)


def _shown_tax(part: TaxSum) -> Tree:
    return {
        "name": part.name,
        "rate": shortest(part.rate),
        "amount": shortest(part.amount_rounded),
        "amount_plain": shortest(part.amount_plain),
        "amount_rounded": shortest(part.amount_rounded),
        "amount_net": shortest(part.net_rounded),
        "amount_net_plain": shortest(part.net_plain),
        "amount_net_rounded": shortest(part.net_rounded),
        "amount_gross": shortest(part.gross_rounded),
        "amount_gross_plain": shortest(part.gross_plain),
        "amount_gross_rounded": shortest(part.gross_rounded),
    }


def _dangling(values: Mapping[str, Any], name: str, shelf: Any) -> bool:
    return values.get(name) is not None and shelf.get(values[name]) is None


def _check_supply_date(invoice: Invoice) -> None:
    if not invoice.supply_date_type.endswith("_DATE") or not invoice.supply_date:
        return
    try:
        dt.date.fromisoformat(invoice.supply_date)
    except ValueError:
        raise invalid("supply_date is not a date (YYYY-MM-DD)") from None


def _later(day: dt.date, days: int | None) -> dt.date | None:
    if days is None:
        return None
    try:
        return day + dt.timedelta(days=days)
    except OverflowError:
        raise invalid("the number of days is out of range") from None


def _day_of(call: Call, name: str) -> dt.date | None:
    text = call.first(name)
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise invalid(f"{name} is not a date (YYYY-MM-DD)") from None
