"""The books as tests look at them: neutral records with what only Billomat has beside it."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from ..records import CustomerRecord, InvoiceRecord, LineRecord
from .books import Books
from .records import Client, Invoice, Item


@frozen(kw_only=True)
class BillomatCustomer(CustomerRecord):
    """A client; `tags` in the order they were set."""

    customfield: str
    tax_rule: str
    net_gross: str
    tags: tuple[str, ...]


@frozen(kw_only=True)
class BillomatLine(LineRecord):
    """An item; `amount` is net or gross as the invoice's `net_gross` says."""

    title: str
    unit: str
    tax_name: str
    tax_changed_manually: bool
    type: str


@frozen(kw_only=True)
class BillomatInvoice(InvoiceRecord):
    """An invoice; `status` is DRAFT, OPEN, OVERDUE, PAID or CANCELED, `number` None for a draft without one."""

    label: str
    intro: str
    note: str
    net_gross: str
    supply_date: str
    supply_date_type: str
    currency_code: str
    customfield: str
    total_net: Decimal
    total_gross: Decimal
    paid_amount: Decimal
    items: tuple[BillomatLine, ...]
    actionkeys: tuple[str, ...]
    is_signed: bool


def customer_view(books: Books, client: Client) -> BillomatCustomer:
    """Make the view of a client."""
    return BillomatCustomer(
        id=str(client.id),
        number=client.client_number,
        name=client.display_name,
        is_person=not client.name,
        archived=client.archived,
        email=client.email or None,
        country_code=client.country_code or None,
        note=client.note or None,
        customfield=client.customfield,
        tax_rule=client.tax_rule,
        net_gross=client.net_gross,
        tags=tuple(tag.name for tag in books.client_tags if tag.client_id == client.id),
    )


def invoice_view(books: Books, key: int) -> BillomatInvoice:
    """Make the view of an invoice as of now."""
    invoice = books.invoice(key)
    client = books.clients.get(invoice.client_id)
    items = tuple(_line_view(invoice, item) for item in books.items_of(key))
    return BillomatInvoice(
        id=str(invoice.id),
        number=invoice.full_number or None,
        status=invoice.status,
        customer_id=str(invoice.client_id),
        customer_name=client.display_name if client is not None else "",
        net=invoice.total_net,
        tax=invoice.total_gross - invoice.total_net,
        gross=invoice.total_gross,
        issue_date=invoice.date,
        due_date=invoice.due_date,
        title=invoice.title or None,
        introduction=invoice.intro or None,
        remark=invoice.note or None,
        reference=invoice.label or None,
        lines=items,
        created_at=invoice.created,
        label=invoice.label,
        intro=invoice.intro,
        note=invoice.note,
        net_gross=invoice.net_gross,
        supply_date=invoice.supply_date,
        supply_date_type=invoice.supply_date_type,
        currency_code=invoice.currency_code,
        customfield=invoice.customfield,
        total_net=invoice.total_net,
        total_gross=invoice.total_gross,
        paid_amount=invoice.paid_amount,
        items=items,
        actionkeys=tuple(c.actionkey for c in books.comments if c.invoice_id == key),
        is_signed=invoice.signature is not None,
    )


def _line_view(invoice: Invoice, item: Item) -> BillomatLine:
    return BillomatLine(
        description="\n".join(text for text in (item.title, item.description) if text),
        quantity=item.quantity,
        unit_price=item.unit_price,
        tax_rate=item.tax_rate,
        amount=item.total_gross if invoice.net_gross == "GROSS" else item.total_net,
        title=item.title,
        unit=item.unit,
        tax_name=item.tax_name,
        tax_changed_manually=item.tax_changed_manually,
        type=item.type,
    )
