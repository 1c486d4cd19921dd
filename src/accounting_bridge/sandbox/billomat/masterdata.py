"""The account's lists: articles, units, taxes, texts, templates, tags, users, and its settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

from ..wire import Call, Reply
from .books import Books
from .clients import give_number
from .kinds import shortest
from .listing import window
from .problems import Problem, invalid
from .records import (
    Article,
    ClientTag,
    CountryTax,
    EmailTemplate,
    FreeText,
    InvoiceTag,
    Supplier,
    Tax,
    Template,
    Unit,
    User,
)
from .resource import Resource
from .schema import show
from .wire_forms import Nested, Page, Tree, page_reply, record_reply

READ_ONLY = frozenset({"index", "get"})


class Articles(Resource[Article]):
    """`/articles`."""

    plural = "articles"
    element = "article"
    area = "articles"
    texts: ClassVar = frozenset({"article_number", "title", "description"})
    equals: ClassVar = frozenset({"currency_code", "unit_id", "supplier_id"})
    other_filters: ClassVar = frozenset({"tags"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.articles, Article)

    def shown(self, record: Article) -> Tree:
        """Show an article with its combined number."""
        return show(record) | {
            "article_number": record.article_number,
            "article-property-values": Nested("article-property-value", []),
        }

    def read(self, body: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        """Refuse an unknown unit or tax."""
        values = super().read(body, creating=creating)
        if values.get("unit_id") is not None and self.books.units.get(values["unit_id"]) is None:
            raise invalid("unit_id does not exist")
        if values.get("tax_id") is not None and self.books.taxes.get(values["tax_id"]) is None:
            raise invalid("tax_id does not exist")
        return values

    def new(self, values: dict[str, Any], body: Mapping[str, Any]) -> Article:
        """Make an article."""
        self.books.require_quota("articles", len(self.books.articles))
        values.setdefault("currency_code", self.books.account.currency_code)
        article = Article(**values)
        give_number(self.books, "article", article, values, taken=self._is_taken)
        return article

    def _is_taken(self, full_number: str) -> bool:
        return any(article.article_number == full_number for article in self.books.articles)


class Units(Resource[Unit]):
    """`/units`."""

    plural = "units"
    element = "unit"
    texts: ClassVar = frozenset({"name"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.units, Unit)

    def check_delete(self, record: Unit) -> None:
        """Refuse while an article uses the unit."""
        if any(article.unit_id == record.id for article in self.books.articles):
            raise invalid("The unit is in use")


class Taxes(Resource[Tax]):
    """`/taxes`: exactly one is the default."""

    plural = "taxes"
    element = "tax"

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.taxes, Tax)

    def added(self, record: Tax, body: Mapping[str, Any]) -> None:
        """Keep a tax."""
        super().added(record, body)
        self._only_default(record)

    def kept(self, record: Tax) -> None:
        """Store a change."""
        super().kept(record)
        self._only_default(record)

    def _only_default(self, chosen: Tax) -> None:
        if chosen.is_default:
            for tax in self.books.taxes:
                tax.is_default = tax is chosen


class CountryTaxes(Resource[CountryTax]):
    """`/country-taxes`: the countries without tax. The filter is called `country`, the field is not."""

    plural = "country-taxes"
    element = "country-tax"
    other_filters: ClassVar = frozenset({"country"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.country_taxes, CountryTax)

    def matches(self, record: CountryTax, call: Call) -> bool:
        """Apply the country filter."""
        country = call.first("country")
        return not country or record.country_code == country.upper()


class FreeTexts(Resource[FreeText]):
    """`/free-texts`; the filter by type is undocumented, the vendor's own plug-in uses it."""

    plural = "free-texts"
    element = "free-text"
    equals: ClassVar = frozenset({"type"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.free_texts, FreeText)


class Templates(Resource[Template]):
    """`/templates`."""

    plural = "templates"
    element = "template"
    lists: ClassVar = frozenset({"type"})
    equals: ClassVar = frozenset({"template_type", "format"})
    other_filters: ClassVar = frozenset({"is_default"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.templates, Template)

    def matches(self, record: Template, call: Call) -> bool:
        """Apply the filter by default."""
        wanted = call.first("is_default")
        return not wanted or wanted == ("1" if record.is_default else "0")


class EmailTemplates(Resource[EmailTemplate]):
    """`/email-templates`."""

    plural = "email-templates"
    element = "email-template"

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.email_templates, EmailTemplate)


class Suppliers(Resource[Supplier]):
    """`/suppliers`: an empty list, there to show that ids outside the account give a 401."""

    plural = "suppliers"
    element = "supplier"
    methods: ClassVar = READ_ONLY
    foreign_ids_are_unauthorised = True

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.suppliers, Supplier)


class Users(Resource[User]):
    """`/users`; its filters are documented and have no effect, as was reported of the real one."""

    plural = "users"
    element = "user"
    methods: ClassVar = READ_ONLY
    other_filters: ClassVar = frozenset({"email", "first_name", "last_name"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.users, User)

    def myself(self, call: Call) -> Reply:
        """Answer the user behind the key."""
        return self.reply(call, next(iter(self.books.users)))


class ClientTags(Resource[ClientTag]):
    """`/client-tags`."""

    plural = "client-tags"
    element = "client-tag"
    area = "clients"
    methods: ClassVar = frozenset({"index", "get", "post", "delete"})
    equals: ClassVar = frozenset({"client_id"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.client_tags, ClientTag)

    def index(self, call: Call) -> Reply:
        """List a client's tags, or without one the tag cloud."""
        if call.first("client_id"):
            return super().index(call)
        return _cloud(self.books, call, "client-tags", "client-tag", [tag.name for tag in self.shelf])

    def read(self, body: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        """Refuse a tag on nobody."""
        values = super().read(body, creating=creating)
        if self.books.clients.get(values["client_id"]) is None:
            raise invalid("client_id does not exist")
        return values


class InvoiceTags(Resource[InvoiceTag]):
    """`/invoice-tags`."""

    plural = "invoice-tags"
    element = "invoice-tag"
    area = "invoices"
    methods: ClassVar = frozenset({"index", "get", "post", "delete"})
    equals: ClassVar = frozenset({"invoice_id"})

    def __init__(self, books: Books) -> None:
        super().__init__(books, books.invoice_tags, InvoiceTag)

    def index(self, call: Call) -> Reply:
        """List an invoice's tags, or without one the tag cloud."""
        if call.first("invoice_id"):
            return super().index(call)
        return _cloud(self.books, call, "invoice-tags", "invoice-tag", [tag.name for tag in self.shelf])

    def read(self, body: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        """Refuse a tag on nothing."""
        values = super().read(body, creating=creating)
        if self.books.invoices.get(values["invoice_id"]) is None:
            raise invalid("invoice_id does not exist")
        return values


def _cloud(books: Books, call: Call, plural: str, element: str, names: list[str]) -> Reply:
    """Answer how often each tag is used."""
    wanted = window(call, books.assume)
    rows: list[Tree] = [
        {"id": str(position), "name": name, "count": str(count)}
        for position, (name, count) in enumerate(sorted(Counter(names).items()), start=1)
    ]
    page = Page(
        plural=plural,
        element=element,
        rows=rows[wanted.start : wanted.stop],
        number=wanted.number,
        size=wanted.size,
        total=len(rows),
    )
    return page_reply(call, page, books.assume)


def settings_reply(books: Books, call: Call) -> Reply:
    """Answer `/settings`. Writing it gave a client a 500, so it does here."""
    if call.method not in {"GET", "HEAD"}:
        raise Problem(500, "Internal server error")
    account = books.account
    days = account.due_days
    tree: Tree = {
        "created": "2024-01-02T08:00:00+01:00",
        "updated": "2024-01-02T08:00:00+01:00",
        "bgcolor": "",
        "color1": "",
        "color2": "",
        "color3": "",
        "currency_code": account.currency_code,
        "locale": account.locale,
        "net_gross": account.net_gross,
        "sepa_creditor_id": "",
        "number_range_mode": account.number_range_mode,
        "due_days": "" if days is None else str(days),
        "discount_rate": "" if account.discount_rate is None else shortest(account.discount_rate),
        "discount_days": "" if account.discount_days is None else str(account.discount_days),
        "payment_types": account.payment_types,
        "invoice_filename": "Rechnung [Invoice.invoice_number]",
        "print_version": "1" if account.print_version else "0",
        "default_email_sender": "[Company.email]",
        "bcc_addresses": Nested("bcc_address", []),
        "template_engine": "DEFAULT",
        "taxation": "",
    }
    series: tuple[tuple[Any, str, int], ...] = (
        ("article", account.article_number_pre, account.article_number_length),
        ("client", account.client_number_pre, account.client_number_length),
        ("invoice", account.invoice_number_pre, account.invoice_number_length),
    )
    for name, prefix, length in series:
        tree[f"{name}_number_pre"] = prefix
        tree[f"{name}_number_length"] = str(length)
        tree[f"{name}_number_next"] = str(books.numbers.peek(name, prefix))
    return record_reply(call, "settings", tree, 200, books.assume)
