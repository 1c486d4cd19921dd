"""Profile and reference data: what a client reads before it writes. Bare arrays, no envelope."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from attrs import frozen

from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .books import Books
from .categories import CATEGORIES, SMALL_BUSINESS_OLD, PostingCategory
from .countries import COUNTRIES


@frozen(kw_only=True)
class PaymentCondition:
    """Terms of payment; invoices take label and days, never the id."""

    name: str
    template: str
    days: int
    default: bool = False
    discount: tuple[Decimal, int] | None = None
    """Percentage and days of the early-payment discount."""

    def as_invoice_terms(self) -> dict[str, Any]:
        """Return the terms as an invoice shows them."""
        label = self.template.replace("{paymentRange}", str(self.days))
        return {"paymentTermLabel": label, "paymentTermDuration": self.days}

    def body(self, identifier: str) -> dict[str, Any]:
        """Return the condition as the vendor writes it."""
        body: dict[str, Any] = {
            "id": identifier,
            "paymentTermLabelTemplate": self.template,
            "paymentTermDuration": self.days,
        }
        if self.discount is not None:
            percentage, days = self.discount
            body["paymentDiscountConditions"] = {"discountRange": days, "discountPercentage": percentage}
        return {**body, "organizationDefault": self.default}


DEFAULT_PAYMENT_CONDITION: Final = PaymentCondition(
    name="default", template="Zahlbar in {paymentRange} Tagen ohne Abzug", days=14, default=True
)
PAYMENT_CONDITIONS: Final = (
    DEFAULT_PAYMENT_CONDITION,
    PaymentCondition(name="at once", template="Zahlbar sofort, rein netto", days=0),
    PaymentCondition(
        name="discount",
        template="{discountRange} Tage -{discount}, {paymentRange} Tage netto",
        days=30,
        discount=(Decimal("3.0"), 10),
    ),
)
LAYOUTS: Final = ("Standard", "Briefpapier Nord")


class Reference:
    """The reference resources of one account."""

    def __init__(self, books: Books) -> None:
        self._books = books
        known = [*CATEGORIES]
        if books.assumptions.old_small_business_category:
            known.append(SMALL_BUSINESS_OLD)
        self.categories: dict[str, PostingCategory] = {category.id: category for category in known}
        self._layouts = {books.fixed_id(f"layout {name}"): name for name in LAYOUTS}

    def layout(self, identifier: object) -> str | None:
        """Return a known print layout's id, the default one for None."""
        if identifier is None:
            return next(iter(self._layouts))
        return identifier if isinstance(identifier, str) and identifier in self._layouts else None

    @route("GET", "/v1/profile")
    def profile(self, _call: Call) -> Reply:
        """Describe the account: the cheapest test of a key."""
        organisation = self._books.organisation
        body: dict[str, Any] = {
            "organizationId": self._books.organization_id,
            "companyName": organisation.name,
            "created": {
                "userId": self._books.fixed_id("user"),
                "userName": "Erika Beispiel",
                "userEmail": "erika.beispiel@musterbau-nord.example",
                "date": "2020-01-02T10:15:00.000+01:00",
            },
            "connectionId": self._books.fixed_id("connection"),
            "businessFeatures": list(organisation.business_features),
            "taxType": organisation.tax_type,
            "smallBusiness": organisation.small_business,
        }
        if organisation.distance_sales_principle is not None:
            body["distanceSalesPrinciple"] = organisation.distance_sales_principle
        return Reply.json(200, body)

    @route("GET", "/v1/countries")
    def countries(self, _call: Call) -> Reply:
        """List the countries with their tax classification."""
        rows = [
            {
                "countryCode": country.code,
                "countryNameDE": country.name_de,
                "countryNameEN": country.name_en,
                "taxClassification": country.tax_classification,
            }
            for country in COUNTRIES.values()
        ]
        return Reply.json(200, rows)

    @route("GET", "/v1/posting-categories")
    def posting_categories(self, _call: Call) -> Reply:
        """List the categories of bookkeeping."""
        return Reply.json(200, [category.body for category in self.categories.values()])

    @route("GET", "/v1/payment-conditions")
    def payment_conditions(self, _call: Call) -> Reply:
        """List the terms of payment; exactly one is the organisation's default."""
        rows = [
            condition.body(self._books.fixed_id(f"payment condition {condition.name}"))
            for condition in PAYMENT_CONDITIONS
        ]
        return Reply.json(200, rows)

    @route("GET", "/v1/print-layouts")
    def print_layouts(self, _call: Call) -> Reply:
        """List the print layouts."""
        rows = [
            {"id": identifier, "name": name, "default": name == LAYOUTS[0]}
            for identifier, name in self._layouts.items()
        ]
        return Reply.json(200, rows)
