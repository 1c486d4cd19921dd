"""Which VAT rate and account a row gets: decided by the article's coding and the customer's situation alone.

Nothing on an invoice row can state them. A wrong flag is not refused: the vendor silently charges the
domestic rate, which is why the totals have to be read back.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from attrs import frozen

from .books import Books
from .charts import Coding
from .countries import EU
from .customers import Customer
from .formats import ZERO
from .reference import Reference

Situation = Literal["domestic", "construction", "exempt", "within_eu", "eu_with_vat", "outside_eu", "third_party"]


@frozen
class Taxed:
    """The outcome for one row; ``account`` None when the coding has none for the situation."""

    situation: Situation
    percent: Decimal
    account: int | None
    vat_account: int | None


def situation_of(
    customer: Customer, books: Books, *, construction: bool = False, vat_free: bool = False, third_party: bool = False
) -> Situation:
    """Return a customer's situation for one row."""
    values, home = customer.values, books.company.country
    place = customer.text("InvoiceCountryCode") or home
    if values.get("DeliveryBasedVat"):
        place = customer.text("DeliveryCountryCode") or place
    if place == home:
        # Measured: without the flag of the customer or that of the row, the domestic rate is charged.
        if (
            construction
            and values.get("ReverseChargeOnConstructionServices")
            and books.company.uses_reverse_construction_vat
        ):
            return "construction"
        return "exempt" if vat_free else "domestic"
    if home in EU and (place in EU or (place == "GB" and values.get("IsNorthernIreland"))):
        if customer.is_private or not customer.text("VatNumber"):
            return "eu_with_vat"
        return "third_party" if third_party else "within_eu"
    return "domestic" if values.get("ForceBookkeepVat") else "outside_eu"


def taxed(situation: Situation, coding: Coding, reference: Reference, day: date) -> Taxed:
    """Return rate and accounts of a row."""
    accounts: dict[Situation, int | None] = {
        "domestic": coding.domestic,
        "construction": coding.construction,
        "exempt": coding.exempt,
        "within_eu": coding.within_eu,
        "eu_with_vat": coding.domestic,
        "outside_eu": coding.outside_eu,
        "third_party": coding.third_party,
    }
    rate = reference.rate(coding.rate)
    percent = rate.percent(day) if situation in ("domestic", "eu_with_vat") else ZERO
    return Taxed(situation, percent, accounts[situation], rate.account if percent else None)
