"""``/v1/articles``: products and services with a price."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from attrs import define

from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .books import Books
from .errors import Detail, not_null
from .formats import number_of, round2, stamp, trim
from .paging import Sorting, envelope, page_request, slice_page
from .totals import other_side

TYPES: Final = ("PRODUCT", "SERVICE")
_RATES: Final = (Decimal(0), Decimal(7), Decimal(19))
_TEXTS: Final = ("title", "description", "articleNumber", "gtin", "note", "unitName")
_GTIN: Final = re.compile(r"\d{13}", re.ASCII)
_LONG_AGO: Final = datetime(2020, 1, 2, 9, 30, tzinfo=UTC)
_SEEDED: Final = (
    ("Beratung", "SERVICE", "Stunde", "95", "ART-1001"),
    ("Softwareentwicklung", "SERVICE", "Stunde", "110", "ART-1002"),
    ("Fahrtkosten", "SERVICE", "km", "0.42", "ART-1003"),
)


@define
class Article:
    """A stored article; texts that were not given are null in answers, unlike elsewhere (measured)."""

    id: str
    version: int
    texts: dict[str, str | None]
    type: str
    leading: str
    net_price: Decimal
    gross_price: Decimal
    tax_rate: Decimal
    created: datetime
    updated: datetime


class Articles:
    """The articles of one account."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._articles: dict[str, Article] = {}
        for title, kind, unit, price, number in _SEEDED:
            net = Decimal(price)
            article = Article(
                id=books.fixed_id(f"article {number}"),
                version=0,
                texts={"title": title, "articleNumber": number, "unitName": unit},
                type=kind,
                leading="NET",
                net_price=net,
                gross_price=round2(net * Decimal("1.19")),
                tax_rate=Decimal(19),
                created=_LONG_AGO,
                updated=_LONG_AGO,
            )
            self._articles[article.id] = article

    @route("GET", "/v1/articles")
    def listing(self, call: Call) -> Reply:
        """List by title, with exact filters ``articleNumber``, ``gtin`` and ``type``."""
        request = page_request(
            call,
            self._books.answers,
            max_size=250,
            too_large="parameter 'size' must be equal or lower than 250",
        )
        kind = call.first("type")
        if kind is not None and kind not in TYPES:
            raise self._books.answers.bad_request("parameter 'type' is invalid")
        rows = sorted(self._matching(call, kind), key=lambda article: (article.texts["title"] or "").casefold())
        page = slice_page(rows, request)
        content = [self._shown(article) for article in page]
        return Reply.json(200, envelope(content, len(content), request, len(rows), Sorting(key="title")))

    @route("GET", "/v1/articles/{id}")
    def read(self, _call: Call, identifier: str) -> Reply:
        """Show one article."""
        return Reply.json(200, self._shown(self._known(identifier)))

    @route("POST", "/v1/articles")
    def create(self, call: Call) -> Reply:
        """Store a new article; its first version is 0, where contacts and documents start with 1."""
        now = self._books.now()
        article = self._checked(call, self._books.new_id(), 0, now, now)
        self._articles[article.id] = article
        return self._books.written("articles", article, 201)

    @route("PUT", "/v1/articles/{id}")
    def replace(self, call: Call, identifier: str) -> Reply:
        """Replace an article; a stale version is 409 here (measured)."""
        article = self._known(identifier)
        changed = self._checked(call, article.id, article.version + 1, article.created, self._books.now())
        version = call.json().get("version")
        if version is None:
            raise self._books.answers.invalid([not_null("version")])
        if isinstance(version, bool) or version != article.version:
            raise self._books.answers.regular(409, "The article was changed in the meantime.")
        self._articles[identifier] = changed
        return self._books.written("articles", changed, 200)

    @route("DELETE", "/v1/articles/{id}")
    def delete(self, _call: Call, identifier: str) -> Reply:
        """Delete an article."""
        self._known(identifier)
        del self._articles[identifier]
        return Reply.empty(204)

    def find(self, identifier: object) -> Article | None:
        """Return an article by id."""
        return self._articles.get(identifier) if isinstance(identifier, str) else None

    def _known(self, identifier: str) -> Article:
        article = self._articles.get(identifier)
        if article is None:
            raise self._books.answers.not_found()
        return article

    def _matching(self, call: Call, kind: str | None) -> Iterator[Article]:
        number, gtin = call.first("articleNumber"), call.first("gtin")
        for article in self._articles.values():
            if (
                (kind is None or article.type == kind)
                and (number is None or article.texts.get("articleNumber") == number)
                and (gtin is None or article.texts.get("gtin") == gtin)
            ):
                yield article

    def _checked(self, call: Call, identifier: str, version: int, created: datetime, updated: datetime) -> Article:
        body = call.json() if call.body.strip() else {}
        if not isinstance(body, dict):
            raise self._books.answers.bad_request("Malformed JSON request")
        details: list[Detail] = []
        texts: dict[str, str | None] = {}
        for name in _TEXTS:
            value = body.get(name)
            if value is not None and not isinstance(value, str):
                details.append(Detail(name))
            else:
                texts[name] = value or None
        details += [not_null(name) for name in ("title", "unitName") if texts.get(name) is None]
        kind = body.get("type")
        if kind is None:
            details.append(not_null("type"))
        elif kind not in TYPES:
            raise self._books.answers.invalid([Detail("type")], self._books.assumptions.article_enum_status)
        gtin, number = texts.get("gtin"), texts.get("articleNumber")
        if gtin is not None and not _is_gtin(gtin):
            details.append(Detail("gtin", "VALIDGTIN", "ist keine gültige GTIN"))
        if number is not None and any(
            other.texts.get("articleNumber") == number and other.id != identifier for other in self._articles.values()
        ):
            details.append(Detail("articleNumber", "MATERIAL_NUMBER_ALREADY_EXISTS", "ist bereits vergeben"))
        price = _Price(body.get("price"))
        details += price.details
        if details or not isinstance(kind, str):
            raise self._books.answers.invalid(details)
        return Article(
            id=identifier,
            version=version,
            texts=texts,
            type=kind,
            leading=price.leading,
            net_price=price.net,
            gross_price=price.gross,
            tax_rate=price.rate,
            created=created,
            updated=updated,
        )

    def _shown(self, article: Article) -> dict[str, Any]:
        return {
            "id": article.id,
            "organizationId": self._books.organization_id,
            "createdDate": stamp(article.created),
            "updatedDate": stamp(article.updated),
            "archived": False,
            "title": article.texts.get("title"),
            "description": article.texts.get("description"),
            "type": article.type,
            "articleNumber": article.texts.get("articleNumber"),
            "gtin": article.texts.get("gtin"),
            "note": article.texts.get("note"),
            "unitName": article.texts.get("unitName"),
            "price": {
                "netPrice": trim(article.net_price),
                "grossPrice": trim(article.gross_price),
                "leadingPrice": article.leading,
                "taxRate": trim(article.tax_rate),
            },
            "version": article.version,
        }


class _Price:
    """Reads ``price``; the side that does not lead is computed."""

    def __init__(self, body: object) -> None:
        self.details: list[Detail] = []
        self.leading = "NET"
        self.net = self.gross = self.rate = Decimal(0)
        if not isinstance(body, dict):
            self.details.append(not_null("price"))
            return
        leading = body.get("leadingPrice")
        if leading not in ("NET", "GROSS"):
            self.details.append(not_null("price.leadingPrice") if leading is None else Detail("price.leadingPrice"))
            return
        self.leading = leading
        rate = number_of(body.get("taxRate"))
        if rate is None:
            self.details.append(not_null("price.taxRate"))
        elif rate not in _RATES:
            self.details.append(Detail("price.taxRate"))
        field = "netPrice" if leading == "NET" else "grossPrice"
        price = number_of(body.get(field))
        if price is None:
            self.details.append(not_null(f"price.{field}"))
        if price is None or rate is None:
            return
        self.rate = rate
        other = round2(other_side(price, rate, gross_prices=leading == "GROSS"))
        self.net, self.gross = (price, other) if leading == "NET" else (other, price)


def _is_gtin(text: str) -> bool:
    if _GTIN.fullmatch(text) is None:
        return False
    digits = [int(sign) for sign in text]
    return (sum(digits[0:12:2]) + 3 * sum(digits[1:12:2]) + digits[12]) % 10 == 0
