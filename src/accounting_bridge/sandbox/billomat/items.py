"""The lines of an invoice: the forms they come in, what they take from articles and taxes, `/invoice-items`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from ..wire import Call, Reply
from .books import Books
from .kinds import INTEGER
from .listing import as_id, listed
from .problems import invalid
from .records import Article, Invoice, Item, Tax
from .resource import Resource
from .schema import read, scalar

ELEMENT = "invoice-item"


def sent_items(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Find the items inside an invoice's body, in either of the two forms in use.

    `{"invoice-item": [..]}` or `[{"invoice-item": ..}, ..]`. Any other key, such as `invoice_items`, is
    unknown and ignored like all unknown keys.
    """
    sent = body.get("invoice-items")
    if sent in (None, "", [], {}):
        return ()
    wrappers = sent if isinstance(sent, list) else [sent]
    items: list[Mapping[str, Any]] = []
    for wrapper in wrappers:
        if not isinstance(wrapper, dict) or ELEMENT not in wrapper:
            raise invalid(f"invoice-items holds something that is no {ELEMENT}")
        inner = wrapper[ELEMENT]
        items += inner if isinstance(inner, list) else [inner]
    if any(not isinstance(item, dict) for item in items):
        raise invalid(f"invoice-items holds an {ELEMENT} that is no record")
    return items


def new_item(books: Books, invoice: Invoice, body: Mapping[str, Any]) -> Item:
    """Make an item out of what was sent, on top of what its article says."""
    values = read(Item, body, creating=True, null=books.assume.null_in_request)
    article = books.articles.get(values.get("article_id"))
    if values.get("article_id") is not None and article is None:
        raise invalid("article_id does not exist")
    taxed = _choose_tax(books, invoice, article, values, body)
    copied = _article_values(books, invoice, article) if article is not None else {}
    item = Item(**(copied | values | taxed), invoice_id=invoice.id)
    _limit_decimals(books, item)
    return item


def change_item(books: Books, item: Item, invoice: Invoice, body: Mapping[str, Any]) -> None:
    """Change what was sent and nothing else; an article is copied at creation only."""
    values = read(Item, body, creating=False, null=books.assume.null_in_request)
    if values.get("article_id") is not None and books.articles.get(values["article_id"]) is None:
        raise invalid("article_id does not exist")
    values.setdefault("tax_changed_manually", item.tax_changed_manually)
    if "tax_rate" in values:
        values |= _choose_tax(books, invoice, books.articles.get(item.article_id), values, body)
    for name, value in values.items():
        setattr(item, name, value)
    _limit_decimals(books, item)


class InvoiceItems(Resource[Item]):
    """`/invoice-items`: only while the invoice is a draft."""

    plural = "invoice-items"
    element = ELEMENT
    area = "invoices"
    other_filters: ClassVar = frozenset({"invoice_id"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.items, Item)

    def index(self, call: Call) -> Reply:
        """List the items of one invoice or of several."""
        if not call.first("invoice_id"):
            raise invalid("invoice_id is required")
        return super().index(call)

    def candidates(self, call: Call) -> Iterable[Item]:
        """Return the items of the named invoices, each in its order."""
        keys = sorted(filter(None, map(as_id, listed(call, "invoice_id") or ())))
        return [item for key in keys for item in self.books.items_of(key)]

    def read(self, body: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        """Leave reading to `new` and `changed`, which need the invoice for it."""
        return {"body": body}

    def new(self, values: dict[str, Any], body: Mapping[str, Any]) -> Item:
        """Make an item for the draft that the body names."""
        key = scalar(body, "invoice_id", INTEGER, self.books.assume.null_in_request)
        if key is None:
            raise invalid("invoice_id is required")
        if self.books.invoices.get(key) is None:
            raise invalid("invoice_id does not exist")
        return new_item(self.books, self._draft(key), body)

    def added(self, record: Item, body: Mapping[str, Any]) -> None:
        """Append the item."""
        self.books.add_item(record)
        self.books.reprice(self.books.invoice(record.invoice_id))

    def changed(self, record: Item, values: dict[str, Any]) -> None:
        """Take over changes and compute the invoice again."""
        invoice = self._draft(record.invoice_id)
        change_item(self.books, record, invoice, values["body"])

    def kept(self, record: Item) -> None:
        """Store a change with the sums that follow from it."""
        super().kept(record)
        self.books.reprice(self.books.invoice(record.invoice_id))

    def check_delete(self, record: Item) -> None:
        """Refuse on a completed invoice."""
        self._draft(record.invoice_id)

    def removed(self, record: Item) -> None:
        """Take the item off."""
        self.books.remove_item(record)
        self.books.reprice(self.books.invoice(record.invoice_id))

    def _draft(self, key: int) -> Invoice:
        invoice = self.books.invoice(key)
        if invoice.status != "DRAFT":
            raise invalid("The invoice is not a draft, its items cannot be changed")
        return invoice


def _article_values(books: Books, invoice: Invoice, article: Article) -> dict[str, Any]:
    client = books.clients.get(invoice.client_id)
    group = client.price_group if client is not None else None
    prices = {
        2: article.sales_price2,
        3: article.sales_price3,
        4: article.sales_price4,
        5: article.sales_price5,
    }
    price = prices.get(group or 1)
    unit = books.units.get(article.unit_id)
    return {
        "title": article.title,
        "description": article.description,
        "unit": unit.name if unit is not None else "",
        "unit_price": (article.sales_price if price is None else price) or Decimal(0),
        "type": article.type,
    }


def _choose_tax(
    books: Books, invoice: Invoice, article: Article | None, sent: Mapping[str, Any], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Decide on the tax: Billomat's own choice, or the sent one where it may be set.

    A rate that Billomat would not choose needs `tax_changed_manually`; an empty one means no tax.
    """
    tax_free = books.is_tax_free(books.clients.get(invoice.client_id))
    own = None if tax_free else books.taxes.get(article.tax_id if article else None) or books.default_tax()
    choice = {"tax_name": own.name if own else "", "tax_rate": own.rate if own else Decimal(0)}
    name = sent.get("tax_name")
    if "tax_rate" not in sent:
        return choice if name is None else choice | {"tax_name": name}
    rate = sent["tax_rate"]
    if body["tax_rate"] in ("", None):
        return {"tax_name": name or "", "tax_rate": Decimal(0)}
    possible: list[Tax] = [] if tax_free else list(books.taxes)
    matching = [tax for tax in possible if tax.rate == rate and name in (None, "", tax.name)]
    if rate == choice["tax_rate"] and name in (None, "", choice["tax_name"]):
        return choice | ({"tax_name": name} if name is not None else {})
    if matching:
        return {"tax_name": matching[0].name if name is None else name, "tax_rate": rate}
    if sent.get("tax_changed_manually"):
        return {"tax_name": name or "", "tax_rate": rate}
    if books.assume.rate_without_manual_flag == "replace":
        return choice
    raise invalid("tax_rate differs from the tax of the account; tax_changed_manually has to be set")


def _limit_decimals(books: Books, item: Item) -> None:
    item.quantity = _limited(item.quantity, books.assume.quantity_decimals)
    item.unit_price = _limited(item.unit_price, books.assume.price_decimals)


def _limited(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
