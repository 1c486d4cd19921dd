"""The state of one emulated account, and the few facts that more than one resource needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from ..data import SeedCustomers
from .account import BillomatAccount, Right
from .assumptions import BillomatAssumptions
from .kinds import GERMANY
from .numbers import NumberRanges
from .problems import Problem
from .records import (
    Article,
    Client,
    ClientTag,
    Comment,
    Contact,
    CountryTax,
    EmailTemplate,
    FreeText,
    Invoice,
    InvoiceTag,
    Item,
    Mail,
    Payment,
    Supplier,
    Tax,
    Template,
    Unit,
    User,
    padded,
)
from .shelves import ClientShelf, Shelf
from .totals import price_invoice, price_item

RIGHTS: Final = ("", "READ", "UPDATE", "DELETE")
USER_ID: Final = 52_001


class Books:
    """Everything the account holds. Not thread-safe: the sandbox holds its lock around each call."""

    def __init__(
        self,
        account: BillomatAccount,
        assume: BillomatAssumptions,
        seeded: SeedCustomers,
        clock: Callable[[], dt.datetime],
        is_listed: Callable[[dt.datetime], bool],
    ) -> None:
        self.account = account
        self.assume = assume
        self.now = clock
        self.is_listed = is_listed
        """Says whether lists show by now what was made at an instant."""

        self.clients = ClientShelf(seeded, account.client_number_pre, account.client_number_length)
        self.contacts = Shelf[Contact](77_001)
        self.articles = Shelf[Article](154_001)
        self.units = Shelf[Unit](20_001)
        self.taxes = Shelf[Tax](21_001)
        self.country_taxes = Shelf[CountryTax](9_001)
        self.free_texts = Shelf[FreeText](33_001)
        self.templates = Shelf[Template](12_001)
        self.email_templates = Shelf[EmailTemplate](5_001)
        self.suppliers = Shelf[Supplier](640_001)
        self.users = Shelf[User](USER_ID)
        self.client_tags = Shelf[ClientTag](188_001)
        self.invoice_tags = Shelf[InvoiceTag](288_001)
        self.invoices = Shelf[Invoice](1_220_001)
        self.items = Shelf[Item](3_300_001)
        self.payments = Shelf[Payment](872_001)
        self.comments = Shelf[Comment](6_600_001)
        self.outbox: list[Mail] = []
        self.numbers = NumberRanges(
            {
                ("client", account.client_number_pre): len(seeded) + 1,
                ("article", account.article_number_pre): 1,
                ("invoice", account.invoice_number_pre): account.invoice_number_next,
            },
            per_prefix=account.number_range_mode == "CONSIDER_PREFIX",
        )
        self._invoices_of: dict[int, list[int]] = {}
        self._items_of: dict[int, list[Item]] = {}

    def today(self) -> dt.date:
        """The day in Germany, which is what the vendor dates by."""
        return self.now().astimezone(GERMANY).date()

    def require(self, area: str, right: Right) -> None:
        """Refuse the call when the key's user lacks a right; each right includes the ones before it."""
        held = self.account.rights.get(area, "DELETE")
        if RIGHTS.index(held) < RIGHTS.index(right):
            raise Problem(self.assume.missing_right_status, "Forbidden")

    def require_quota(self, entity: str, used: int) -> None:
        """Refuse a create beyond the plan."""
        for quota in self.account.quotas:
            if quota.entity == entity and 0 <= quota.available <= used:
                raise Problem(self.assume.quota_status, f"The quota of your plan is used up: {entity}")

    def add_invoice(self, invoice: Invoice) -> Invoice:
        """Keep a new invoice."""
        self.invoices.add(invoice)
        self._invoices_of.setdefault(invoice.client_id or 0, []).append(invoice.id)
        self._items_of[invoice.id] = []
        return invoice

    def move_invoice(self, invoice: Invoice, client_id: int | None) -> None:
        """Note that an invoice belongs to another client now."""
        self._invoices_of[invoice.client_id or 0].remove(invoice.id)
        self._invoices_of.setdefault(client_id or 0, []).append(invoice.id)
        invoice.client_id = client_id

    def remove_invoice(self, invoice: Invoice) -> None:
        """Delete an invoice with everything that hangs on it."""
        for item in self._items_of.pop(invoice.id):
            self.items.remove(item.id)
        hanging: list[Shelf[InvoiceTag] | Shelf[Comment] | Shelf[Payment]] = [
            self.invoice_tags,
            self.comments,
            self.payments,
        ]
        for shelf in hanging:
            for key in [record.id for record in shelf if record.invoice_id == invoice.id]:
                shelf.remove(key)
        self._invoices_of[invoice.client_id or 0].remove(invoice.id)
        self.invoices.remove(invoice.id)

    def invoices_of(self, client_id: int) -> list[Invoice]:
        """Return a client's invoices by ascending id."""
        return [self.invoice(key) for key in sorted(self._invoices_of.get(client_id, ()))]

    def has_invoices(self, client_id: int) -> bool:
        """Say whether a client has ever had an invoice."""
        return client_id in self._invoices_of

    def invoice(self, key: int) -> Invoice:
        """Return an invoice that is known to exist, as of now."""
        invoice = self.invoices.get(key)
        assert invoice is not None
        self.refresh(invoice)
        return invoice

    def items_of(self, invoice_id: int) -> list[Item]:
        """Return an invoice's items in their order."""
        return self._items_of.get(invoice_id, [])

    def add_item(self, item: Item) -> Item:
        """Append an item to its invoice."""
        siblings = self._items_of[item.invoice_id]
        item.position = siblings[-1].position + 1 if siblings else 1
        siblings.append(self.items.add(item))
        return item

    def remove_item(self, item: Item) -> None:
        """Take an item off its invoice."""
        self._items_of[item.invoice_id].remove(item)
        self.items.remove(item.id)

    def refresh(self, invoice: Invoice) -> None:
        """Bring what time and other invoices change up to date: OVERDUE, the provisional number, the rest due."""
        if invoice.status in {"OPEN", "OVERDUE"}:
            late = invoice.due_date is not None and invoice.due_date < self.today()
            invoice.status = "OVERDUE" if late else "OPEN"
        number = invoice.number
        if number is None:
            number = self.numbers.peek("invoice", invoice.number_pre)
        invoice.invoice_number = padded(invoice.number_pre, number, invoice.number_length)
        settled = invoice.status in {"PAID", "CANCELED"}
        invoice.open_amount = Decimal(0) if settled else invoice.total_gross - invoice.paid_amount

    def reprice(self, invoice: Invoice) -> None:
        """Compute all totals of an invoice again."""
        items = self.items_of(invoice.id)
        for item in items:
            price_item(item, invoice.net_gross)
        price_invoice(invoice, items, self.assume)
        self.refresh(invoice)

    def remark(self, invoice: Invoice, actionkey: str, text: str) -> None:
        """Write the comment with which the system notes what happened to an invoice."""
        self.comments.add(
            Comment(
                created=self.now(),
                invoice_id=invoice.id,
                user_id=USER_ID,
                comment=text,
                actionkey=actionkey,
            )
        )

    def is_tax_free(self, client: Client | None) -> bool:
        """Say whether a client is invoiced without tax."""
        if client is None or client.tax_rule == "TAX":
            return False
        if client.tax_rule == "NO_TAX":
            return True
        return any(entry.country_code == client.country_code for entry in self.country_taxes)

    def default_tax(self) -> Tax | None:
        """Return the account's default tax."""
        return next((tax for tax in self.taxes if tax.is_default), None)
