"""``/v2/articles``: what rows are made of; there is no DELETE."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import define

from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .access import SALES, SALES_READ, SALES_VARIANTS, needs
from .bodies import read_body
from .books import Books
from .charts import Coding
from .customers import Customers
from .errors import Problem, required
from .formats import parse_guid, round2, stamp
from .listing import Listed, check_parameters, list_reply, parameter
from .reference import LONG_AGO, Reference
from .schemas_sales import ARTICLE

_PARAMETERS = ("showPricesWithTwoDecimals", "customerId")


@define
class Article:
    """A stored article; ``values`` is what a client may set."""

    id: str
    values: dict[str, Any]
    created: datetime
    changed: datetime

    @property
    def name(self) -> str:
        """The name, default text of a row."""
        return str(self.values["Name"])

    @property
    def is_active(self) -> bool:
        """Whether it is in use."""
        return bool(self.values["IsActive"])


class Articles:
    """The articles of one company."""

    def __init__(self, books: Books, reference: Reference, customers: Customers) -> None:
        self._books = books
        self._reference = reference
        self._customers = customers
        self.all: dict[str, Article] = {}
        units = list(reference.units)
        for number, name, english, coding, unit, price in reference.chart.articles:
            identifier = books.fixed_id(f"article {number}")
            values = {
                "IsActive": True,
                "Number": number,
                "Name": name,
                "NameEnglish": english,
                "NetPrice": Decimal(price),
                "CodingId": reference.coding_ids[coding],
                "UnitId": units[unit],
            }
            self.all[identifier] = Article(identifier, values, LONG_AGO, LONG_AGO)
        reference.counters.append(lambda: {"NextArticleNumber": len(self.all) + 1})

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/articles")
    def listing(self, call: Call) -> Reply:
        """List articles."""
        self._check_customer(call)
        rows = [self.shown(article) for article in self.all.values()]
        return list_reply(call, self._books, ARTICLE, Listed(rows), resource="articles", also=_PARAMETERS)

    @needs(*SALES_READ, variants=SALES_VARIANTS)
    @route("GET", "/v2/articles/{id}")
    def read(self, call: Call, identifier: str) -> Reply:
        """Show an article."""
        check_parameters(call, self._books, _PARAMETERS)
        self._check_customer(call)
        return Reply.json(200, self.shown(self._known(identifier)))

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("POST", "/v2/articles")
    def create(self, call: Call) -> Reply:
        """Store a new article."""
        values = self._checked(call, None)
        now = self._books.now()
        article = Article(self._books.new_id(), values, now, now)
        self.all[article.id] = article
        return Reply.json(201, self.shown(article))

    @needs(*SALES, variants=SALES_VARIANTS)
    @route("PUT", "/v2/articles/{id}")
    def replace(self, call: Call, identifier: str) -> Reply:
        """Replace the whole record."""
        old = self._known(identifier)
        article = Article(old.id, self._checked(call, old), old.created, self._books.now())
        self.all[article.id] = article
        return Reply.json(200, self.shown(article))

    def coding_of(self, article: Article) -> Coding:
        """Return an article's coding."""
        return self._reference.codings[article.values["CodingId"]]

    def is_service(self, article: Article) -> bool:
        """Say whether the coding is one of services."""
        return self.coding_of(article).kind == "Services"

    def unit_of(self, article: Article) -> dict[str, str]:
        """Return an article's unit."""
        return self._reference.units[article.values["UnitId"]]

    def price(self, article: Article) -> Decimal:
        """Return the net price; worked back from the gross one where only that was given."""
        percent = self._percent(article)
        if "NetPrice" in article.values or "GrossPrice" not in article.values:
            return Decimal(article.values.get("NetPrice", 0))
        return round2(Decimal(article.values["GrossPrice"]) / (1 + percent / 100))

    def shown(self, article: Article) -> dict[str, Any]:
        """Write an article."""
        net = self.price(article)
        gross = article.values.get("GrossPrice", round2(net * (1 + self._percent(article) / 100)))
        unit, coding = self.unit_of(article), self.coding_of(article)
        return ARTICLE.shown(
            {
                **article.values,
                "Id": article.id,
                "NetPrice": net,
                "NetPriceWithDiscount": net,
                "GrossPrice": gross,
                "CodingName": coding.name,
                "UnitName": unit["Name"],
                "UnitAbbreviation": unit["Abbreviation"],
                "IsServiceArticle": self.is_service(article),
                "SendToWebshop": article.values.get("SendToWebshop", True),
                "CreatedUtc": stamp(article.created),
                "ChangedUtc": stamp(article.changed),
            }
        )

    def _percent(self, article: Article) -> Decimal:
        return self._reference.rate(self.coding_of(article).rate).percent(self._books.today())

    def _known(self, identifier: str) -> Article:
        article = self.all.get(parse_guid(identifier) or "")
        if article is None:
            raise self._books.answers.not_found("The article")
        return article

    def _check_customer(self, call: Call) -> None:
        text = parameter(call, "customerId")
        if text is not None and self._customers.find(parse_guid(text)) is None:
            raise self._books.answers.invalid([Problem("customerId", "customerId is not a known customer.")])

    def _checked(self, call: Call, old: Article | None) -> dict[str, Any]:
        check_parameters(call, self._books, ())
        answers = self._books.answers
        values = read_body(call, self._books, ARTICLE)
        empty = [required(name) for name in ("Number", "Name") if not values[name].strip()]
        if empty:
            raise answers.invalid(empty)
        if values["CodingId"] not in self._reference.codings:
            raise answers.missing_reference("CodingId")
        if values["UnitId"] not in self._reference.units:
            raise answers.missing_reference("UnitId")
        number = values["Number"].casefold()
        for other in self.all.values():
            if other.values["Number"].casefold() == number and (old is None or other.id != old.id):
                raise answers.conflict("Number", f"The article number {values['Number']} is used already.")
        values.pop("NetPriceWithDiscount", None)
        if "NetPrice" in values:
            # The prices depend on each other; the net one leads where both are sent back.
            values.pop("GrossPrice", None)
        return values
