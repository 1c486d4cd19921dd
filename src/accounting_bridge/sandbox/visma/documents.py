"""What drafts and invoices have in common: rows that are checked, priced and taxed, and a header."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from attrs import frozen

from accounting_bridge.sandbox.records import LineRecord

from .articles import Article, Articles
from .books import Books
from .charts import Coding
from .countries import exchange_rate
from .customers import Customer, Customers
from .errors import Problem, required
from .formats import ZERO, decimals
from .reference import Reference, in_unit
from .totals import PricedRow, Totals, totals
from .vat import Taxed, situation_of, taxed

CROWNS: Final = frozenset({"NOK", "SEK"})
_UNKNOWN_REFERENCES: Final = ("ProjectId", "CostCenterItemId1", "CostCenterItemId2", "CostCenterItemId3")
_NO_TAX: Final = Taxed("domestic", ZERO, None, None)


@frozen(kw_only=True)
class Row:
    """A row of a document; a text row has no article."""

    id: str
    line_number: int
    article: Article | None
    coding: Coding | None
    text: str
    priced: PricedRow
    tax: Taxed
    construction: bool = False
    vat_free: bool = False


@frozen(kw_only=True)
class Document:
    """A checked document; ``header`` is what a client set apart from rows and dates."""

    customer: Customer
    header: dict[str, Any]
    rows: tuple[Row, ...]
    currency: str
    includes_vat: bool
    is_credit: bool
    terms_id: str
    invoice_date: date
    due_date: date | None
    """As it was sent; None when it follows from the terms of payment."""

    totals: Totals

    @property
    def has_article(self) -> bool:
        """Whether any row has an article, without which there is no invoice."""
        return any(row.article is not None for row in self.rows)

    @property
    def lines(self) -> tuple[LineRecord, ...]:
        """The priced rows as records for assertions."""
        return tuple(
            LineRecord(
                description=row.text,
                quantity=row.priced.quantity,
                unit_price=row.priced.price,
                tax_rate=row.tax.percent,
                amount=row.priced.amount,
            )
            for row in self.rows
            if row.article is not None
        )


class Documents:
    """Builds documents from checked bodies."""

    def __init__(self, books: Books, reference: Reference, customers: Customers, articles: Articles) -> None:
        self.books = books
        self.reference = reference
        self.customers = customers
        self.articles = articles

    def build(self, values: dict[str, Any], *, by_flag: bool) -> Document:
        """Check what tables cannot and add up; ``by_flag`` when rows say themselves that they are text rows."""
        answers, books = self.books.answers, self.books
        customer = self.customers.find(values["CustomerId"])
        if customer is None:
            raise answers.missing_reference("CustomerId")
        if not customer.is_active and not books.assumptions.inactive_invoiceable:
            raise answers.unchangeable("The customer is not active.")
        self._check_features(values, customer)
        terms_id = str(values.get("TermsOfPaymentId") or customer.values.get("TermsOfPaymentId"))
        terms = self.reference.terms.get(terms_id)
        if terms is None or not terms.for_sales:
            raise answers.missing_reference("TermsOfPaymentId")
        invoice_date = date.fromisoformat(values["InvoiceDate"]) if "InvoiceDate" in values else books.today()
        due_date = date.fromisoformat(values["DueDate"]) if "DueDate" in values else None
        if due_date is not None and due_date < invoice_date:
            raise answers.invalid([Problem("DueDate", "DueDate cannot be before InvoiceDate.", "DueDate")])
        is_credit = bool(values.get("IsCreditInvoice"))
        rows = self._rows(values, customer, invoice_date, is_credit=is_credit, by_flag=by_flag)
        currency = customer.text("CurrencyCode") or books.currency
        includes_vat = self._includes_vat(customer)
        return Document(
            customer=customer,
            header={name: value for name, value in values.items() if name != "Rows"},
            rows=rows,
            currency=currency,
            includes_vat=includes_vat,
            is_credit=is_credit,
            terms_id=terms_id,
            invoice_date=invoice_date,
            due_date=due_date,
            totals=totals(
                [row.priced for row in rows if row.article is not None],
                includes_vat=includes_vat,
                vat_rounding=books.assumptions.vat_rounding,
                unit=self._unit(currency),
            ),
        )

    def due_on(self, document: Document, invoice_date: date) -> date:
        """Return the due date that goes with an invoice date, which converting may have moved."""
        if document.due_date is not None and document.due_date >= invoice_date:
            return document.due_date
        terms = self.reference.terms[document.terms_id]
        if terms.kind == 1:
            last = monthrange(invoice_date.year, invoice_date.month)[1]
            return invoice_date.replace(day=last) + timedelta(days=terms.days)
        return invoice_date + timedelta(days=terms.days)

    def base_rate(self, document: Document) -> Decimal:
        """Return what one unit of the document's currency is in the company's."""
        sent = document.header.get("CurrencyRate")
        if document.currency == self.books.currency:
            return Decimal(1)
        return Decimal(sent) if sent else exchange_rate(document.currency, self.books.currency)

    def shown_header(self, document: Document) -> dict[str, Any]:
        """Write what drafts and invoices show alike."""
        customer, header = document.customer, document.header
        values = customer.values
        return {
            **header,
            "InvoiceCustomerName": customer.name,
            "InvoiceAddress1": header.get("InvoiceAddress1", values.get("InvoiceAddress1")),
            "InvoiceAddress2": header.get("InvoiceAddress2", values.get("InvoiceAddress2")),
            "InvoicePostalCode": header.get("InvoicePostalCode", values.get("InvoicePostalCode")),
            "InvoiceCity": header.get("InvoiceCity", values.get("InvoiceCity")),
            "InvoiceCountryCode": header.get("InvoiceCountryCode", values.get("InvoiceCountryCode")),
            **{
                name: header.get(name, values.get(name))
                for name in (
                    "DeliveryCustomerName",
                    "DeliveryAddress1",
                    "DeliveryAddress2",
                    "DeliveryPostalCode",
                    "DeliveryCity",
                    "DeliveryCountryCode",
                )
            },
            "CustomerId": customer.id,
            "CustomerNumber": customer.number,
            "CustomerName": customer.name,
            "CustomerIsPrivatePerson": customer.is_private,
            "TermsOfPaymentId": document.terms_id,
            "IncludesVat": document.includes_vat,
            "ReverseChargeOnConstructionServices": bool(values.get("ReverseChargeOnConstructionServices")),
        }

    def shown_row(self, row: Row) -> dict[str, Any]:
        """Write what rows of drafts and invoices show alike."""
        article = row.article
        body: dict[str, Any] = {
            "Id": row.id,
            "LineNumber": row.line_number,
            "IsTextRow": article is None,
            "Text": row.text,
            "ReversedConstructionServicesVatFree": row.construction,
            "IsVatFree": row.vat_free,
        }
        if article is None:
            return body
        unit = self.articles.unit_of(article)
        return {
            **body,
            "ArticleId": article.id,
            "ArticleNumber": article.values["Number"],
            "IsServiceArticle": self.articles.is_service(article),
            "UnitId": article.values["UnitId"],
            "UnitName": unit["Name"],
            "UnitAbbreviation": unit["Abbreviation"],
            "UnitAbbreviationEnglish": unit["AbbreviationEnglish"],
            "UnitPrice": row.priced.price,
            "Quantity": row.priced.quantity,
            "DiscountPercentage": row.priced.discount,
            "VatRateId": article.values["CodingId"],
            "VatRate": in_unit(row.tax.percent, self.books.assumptions.row_rate_unit),
            "Amount": row.priced.amount,
        }

    def _check_features(self, values: dict[str, Any], customer: Customer) -> None:
        answers = self.books.answers
        if values.get("RotReducedInvoicingType", 0):
            raise answers.unchangeable("Persons are required for domestic services, which the company does not use.")
        if values.get("UsesGreenTechnology") or values.get("IsDirectDebit"):
            raise answers.unchangeable("The company uses neither green technology nor direct debit.")
        if values.get("ElectronicReference") and customer.is_private:
            raise answers.unchangeable("ElectronicReference can only be set for non-private individuals.")
        if "BackgroundId" in values:
            raise answers.missing_reference("BackgroundId")

    def _includes_vat(self, customer: Customer) -> bool:
        checked = self.books.assumptions.includes_vat_when == "checked"
        return customer.is_private and self.books.company.show_prices_excl_vat_pc == checked

    def _unit(self, currency: str) -> Decimal | None:
        domestic = currency == self.books.currency and currency in CROWNS
        return (
            self.books.assumptions.rounding_unit if domestic and self.books.company.rounds_domestic_currency else None
        )

    def _rows(
        self, values: dict[str, Any], customer: Customer, day: date, *, is_credit: bool, by_flag: bool
    ) -> tuple[Row, ...]:
        problems: list[Problem] = []
        rows: list[Row] = []
        sign = -1 if is_credit and self.books.assumptions.credit_sign == "negate" else 1
        for index, sent in enumerate(values.get("Rows", [])):
            where = f"Rows[{index}]"
            for name in _UNKNOWN_REFERENCES:
                if name in sent:
                    raise self.books.answers.missing_reference(f"{where}.{name}")
            article = self._article(sent, where, problems, by_flag=by_flag)
            if article is None:
                if not sent.get("Text"):
                    problems.append(Problem(f"{where}.Text", "A text row must have a text.", "Text"))
                tax, coding = _NO_TAX, None
            else:
                coding = self.articles.coding_of(article)
                tax = self._tax(sent, where, customer, coding, day, bool(values.get("EuThirdParty")))
            price = self._price(sent, article, replaces_zero=bool(values.get("ReplaceUnitPriceWhenZero")))
            priced = PricedRow(
                quantity=Decimal(sent.get("Quantity", 0)),
                price=price,
                discount=Decimal(sent.get("DiscountPercentage", 0)),
                percent=tax.percent,
                sign=sign,
            )
            self._check_decimals(priced, where, customer, problems)
            rows.append(
                Row(
                    id=self.books.new_id(),
                    line_number=sent.get("LineNumber", index) if by_flag else index,
                    article=article,
                    coding=coding,
                    text=sent.get("Text") or (article.name if article is not None else ""),
                    priced=priced,
                    tax=tax,
                    construction=bool(sent.get("ReversedConstructionServicesVatFree")),
                    vat_free=bool(sent.get("IsVatFree")),
                )
            )
        if len({row.line_number for row in rows}) < len(rows):
            problems.append(Problem("Rows", "LineNumber must be unique.", "LineNumber"))
        if problems:
            raise self.books.answers.invalid(problems)
        return tuple(sorted(rows, key=lambda row: row.line_number))

    def _article(self, sent: dict[str, Any], where: str, problems: list[Problem], *, by_flag: bool) -> Article | None:
        identifier = sent.get("ArticleId")
        if by_flag:
            is_text = bool(sent.get("IsTextRow"))
            if is_text and identifier is not None:
                problems.append(Problem(f"{where}.ArticleId", "A text row has no article.", "ArticleId"))
            if is_text:
                return None
            if identifier is None:
                raise self.books.answers.invalid([required(f"{where}.ArticleId")])
        elif identifier is None:
            return None
        article = self.articles.all.get(identifier)
        if article is None:
            raise self.books.answers.missing_reference(f"{where}.ArticleId")
        if not article.is_active and not self.books.assumptions.inactive_invoiceable:
            raise self.books.answers.unchangeable(f"The article {article.values['Number']} is not active.")
        return article

    def _tax(
        self, sent: dict[str, Any], where: str, customer: Customer, coding: Coding, day: date, third_party: bool
    ) -> Taxed:
        situation = situation_of(
            customer,
            self.books,
            construction=bool(sent.get("ReversedConstructionServicesVatFree")),
            vat_free=bool(sent.get("IsVatFree")),
            third_party=third_party,
        )
        tax = taxed(situation, coding, self.reference, day)
        if tax.account is None:
            message = f"{where}: the coding {coding.name} has no account for this customer's sales."
            raise self.books.answers.unchangeable(message)
        return tax

    def _price(self, sent: dict[str, Any], article: Article | None, *, replaces_zero: bool) -> Decimal:
        price = Decimal(sent.get("UnitPrice", 0))
        if not price and replaces_zero and article is not None:
            return self.articles.price(article)
        return price

    def _check_decimals(self, row: PricedRow, where: str, customer: Customer, problems: list[Problem]) -> None:
        """Two decimals of a price at home, four abroad or in another currency."""
        country = customer.text("InvoiceCountryCode") or self.books.company.country
        currency = customer.text("CurrencyCode") or self.books.currency
        foreign = country != self.books.company.country or currency != self.books.currency
        allowed = 4 if foreign else 2
        if decimals(row.price) > allowed:
            message = f"UnitPrice must not have more than {allowed} decimals for this customer."
            problems.append(Problem(f"{where}.UnitPrice", message, "Decimals"))
