"""Reference data: VAT rates, ledgers, templates and the like. Bare arrays, read-only, no pages.

``options`` is the authority on which VAT option, VAT rate and ledger go together. Rates for sales and for
purchases are different records even where the percentage is the same.
"""

from __future__ import annotations

from typing import Any

from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from . import chart
from .books import Books
from .chart import VAT_OPTIONS, Currency, PaymentCondition, Product, Template, VatRate
from .formats import money


class Reference:
    """The reference resources of one administration."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.ledgers = chart.ledgers(books)
        self.rates = chart.rates(books, {ledger.number: ledger for ledger in self.ledgers})
        self.costs = {books.internal_id("costs", place): entry for place, entry in enumerate(chart.COSTS)}
        self.conditions = chart.conditions(books)
        self.currencies = chart.currencies(books)
        self.templates = chart.templates(books)
        self.products = chart.products(books, self.rates[0]) if books.administration.trade_module else ()
        self.library = {
            books.internal_id("attachment", place): file for place, file in enumerate(books.administration.library)
        }

    @property
    def default_condition(self) -> PaymentCondition:
        """The terms of a relation that names none."""
        return next(condition for condition in self.conditions if condition.default)

    @property
    def default_template(self) -> Template:
        """The layout of sales invoices unless one is named."""
        return next(template for template in self.templates if template.default and template.type == "sales_invoice")

    @property
    def own_currency(self) -> Currency:
        """The administration's currency."""
        return self.currencies[0]

    def condition(self, identifier: int | None) -> PaymentCondition | None:
        """Find terms of payment."""
        return next((each for each in self.conditions if each.id == identifier), None)

    def currency(self, identifier: int | None) -> Currency | None:
        """Find a currency."""
        return next((each for each in self.currencies if each.id == identifier), None)

    def template(self, identifier: int | None) -> Template | None:
        """Find a layout for sales invoices; one for other documents is none."""
        found = (each for each in self.templates if each.id == identifier and each.type == "sales_invoice")
        return next(found, None)

    def rate(self, identifier: int | None) -> VatRate | None:
        """Find a rate that sales may use."""
        found = (each for each in self.rates if each.id == identifier and each.invoice_type == "1" and each.available)
        return next(found, None)

    def product(self, identifier: int | None) -> Product | None:
        """Find a product."""
        return next((each for each in self.products if each.id == identifier), None)

    @route("GET", "/v2/administration")
    def administration(self, _call: Call) -> Reply:
        """Describe the administration: the cheapest test of a key."""
        own = self._books.administration
        closed = self._books.closed_until
        return Reply.json(
            200,
            {
                "company_name": own.company_name,
                "contact": own.contact,
                "address": "Voorbeeldstraat",
                "house_number": "12",
                "house_number_suffix": "",
                "zip": "1099 ZZ",
                "city": "Amsterdam",
                "country": own.country,
                "email": own.email,
                "phone_number": "020 5550 100",
                "mobile": "",
                "web": "https://www.voorbeeld-advies.example",
                "coc": "00000001",
                "vat": own.vat,
                "oin": "",
                "iban": "NL00EXAM0000000000",
                "bic": "EXAMNL2A",
                "modules": {"trade": own.trade_module},
                "blocked_period": {"year": closed[0], "month": closed[1]} if closed is not None else None,
            },
        )

    @route("GET", "/v2/invoices/sales/options")
    @route("GET", "/v2/salesbook/options")
    def options(self, _call: Call) -> Reply:
        """List the rates with the options and ledgers that go with them."""
        rows = [self._option(rate) for rate in self.rates if rate.invoice_type == "1" and rate.available]
        return Reply.json(200, rows)

    @route("GET", "/v2/vat")
    def vat(self, _call: Call) -> Reply:
        """List all rates, those of purchases and those out of use included."""
        examples = self._books.assumptions.shapes == "examples"
        rows = [
            {
                "id": rate.id,
                "name": rate.name,
                "percentage": money(rate.percentage),
                "invoice_type": rate.invoice_type,
                "vat_code": rate.code,
                "vat_shifted": "1" if rate.shifted else "0",
                "available": rate.available if examples else str(int(rate.available)),
            }
            for rate in self.rates
        ]
        return Reply.json(200, rows)

    @route("GET", "/v2/ledgers")
    def all_ledgers(self, _call: Call) -> Reply:
        """List the chart of accounts."""
        examples = self._books.assumptions.shapes == "examples"
        rows = [
            {
                "id": ledger.id,
                "number": ledger.number,
                "description": ledger.description,
                "type": ledger.type,
                "category": ledger.category,
                "vat_code": ledger.vat_code,
                "costs": str(int(ledger.costs == "required")) if examples else ledger.costs,
                "rgs": None,
                "blocked": ledger.blocked if examples else str(int(ledger.blocked)),
                **{
                    f"condensation_{place}": None if examples else {"code": ledger.number[:place], "description": ""}
                    for place in (1, 2, 3)
                },
            }
            for ledger in self.ledgers
        ]
        return Reply.json(200, rows)

    @route("GET", "/v2/costs")
    def cost_centres(self, _call: Call) -> Reply:
        """List the cost centres."""
        rows = [{"id": key, "number": number, "description": name} for key, (number, name) in self.costs.items()]
        return Reply.json(200, rows)

    @route("GET", "/v2/payment-conditions")
    def payment_conditions(self, _call: Call) -> Reply:
        """List the terms of payment."""
        examples = self._books.assumptions.shapes == "examples"
        rows = [
            {
                "id": condition.id,
                "description": condition.description,
                "payment_option": condition.option,
                "days": condition.days,
                "footer_text_invoice": f"Gelieve binnen {condition.days} dagen te betalen.",
                "footer_text_quotation": None,
                **({} if examples else {"default": str(int(condition.default))}),
            }
            for condition in self.conditions
        ]
        return Reply.json(200, rows)

    @route("GET", "/v2/templates")
    def all_templates(self, _call: Call) -> Reply:
        """List the layouts of all kinds of documents."""
        rows = [
            {
                "id": template.id,
                "description": template.description,
                "type": template.type,
                "default": template.default,
            }
            for template in self.templates
        ]
        return Reply.json(200, rows)

    @route("GET", "/v2/currencies")
    def all_currencies(self, _call: Call) -> Reply:
        """List the currencies."""
        rows = [
            {
                "id": currency.id,
                "currency": currency.code,
                "description": currency.description,
                "rate": money(currency.rate),
                "autoupdate": "0" if currency is self.own_currency else "1",
                "journal_id": None,
                "ledger_id": None,
            }
            for currency in self.currencies
        ]
        return Reply.json(200, rows)

    @route("GET", "/v2/journals")
    def journals(self, _call: Call) -> Reply:
        """List the journals."""
        names = (("Verkoopboek", "sales"), ("Inkoopboek", "purchase"), ("Bank", "bank"), ("Memoriaal", "memorandum"))
        rows = [
            {
                "id": self._books.internal_id("journal", place),
                "number": 10 * (place + 1),
                "description": name,
                "type": kind,
                "ledger_id": self.ledgers[min(place, 2)].id,
            }
            for place, (name, kind) in enumerate(names)
        ]
        return Reply.json(200, rows)

    @route("GET", "/v2/subscription-types")
    def subscription_types(self, _call: Call) -> Reply:
        """List the kinds of recurring invoices."""
        row = {"code": "MAAND", "name": "Maandabonnement", "description": "Elke maand een factuur"}
        return Reply.json(200, [row])

    @route("GET", "/v2/attachments")
    def attachments(self, _call: Call) -> Reply:
        """List the shared library."""
        rows = [
            {
                "id": key,
                "filename": file.name,
                "description": file.description,
                "file": f"{key}.pdf",
                "default": list(file.default_for),
            }
            for key, file in self.library.items()
        ]
        return Reply.json(200, rows)

    @route("GET", "/v2/products")
    def all_products(self, _call: Call) -> Reply:
        """List the products; refused without the trade module, as orders are."""
        if not self._books.administration.trade_module:
            raise self._books.answers.plain(403, "The trade module is not active.")
        rows = [
            {
                "id": product.id,
                "product_code_sales": product.code,
                "description_sales": product.description,
                "product_type": "service",
                "amount_sales": money(product.price),
                "vat_id_sales": product.rate.id,
                "ledger_id_sales": product.rate.ledgers[0].id,
                "suppliers": [],
            }
            for product in self.products
        ]
        return Reply.json(200, rows)

    def _option(self, rate: VatRate) -> dict[str, Any]:
        examples = self._books.assumptions.shapes == "examples"
        ledgers = [
            {
                "id": ledger.id,
                **({} if examples else {"number": ledger.number}),
                "description": ledger.description,
                **({"type": "sales"} if examples else {"costs": ledger.costs}),
            }
            for ledger in rate.ledgers
        ]
        return {
            "id": rate.id,
            "name": rate.name,
            "percentage": money(rate.percentage),
            "vat_options": {option: option in rate.options for option in VAT_OPTIONS},
            "usable_ledgers": ledgers,
        }
