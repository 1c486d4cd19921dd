"""Countries and currencies that the vendor's lists offer, and membership of the European Union."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

EU: Final = {
    "AT": "Austria", "BE": "Belgium", "BG": "Bulgaria", "CY": "Cyprus", "CZ": "Czechia", "DE": "Germany",
    "DK": "Denmark", "EE": "Estonia", "ES": "Spain", "FI": "Finland", "FR": "France", "GR": "Greece",
    "HR": "Croatia", "HU": "Hungary", "IE": "Ireland", "IT": "Italy", "LT": "Lithuania", "LU": "Luxembourg",
    "LV": "Latvia", "MT": "Malta", "NL": "Netherlands", "PL": "Poland", "PT": "Portugal", "RO": "Romania",
    "SE": "Sweden", "SI": "Slovenia", "SK": "Slovakia",
}  # fmt: skip
OTHERS: Final = {
    "AE": "United Arab Emirates", "AU": "Australia", "BR": "Brazil", "CA": "Canada", "CH": "Switzerland",
    "CN": "China", "FO": "Faroe Islands", "GB": "United Kingdom", "IL": "Israel", "IN": "India", "IS": "Iceland",
    "JP": "Japan", "LI": "Liechtenstein", "MX": "Mexico", "NO": "Norway", "NZ": "New Zealand", "SG": "Singapore",
    "TR": "Türkiye", "UA": "Ukraine", "US": "United States", "ZA": "South Africa",
}  # fmt: skip
COUNTRIES: Final = dict(sorted({**EU, **OTHERS}.items()))

VAT_PREFIXES: Final = {"EL": "GR", "XI": "GB"}
"""Prefixes of VAT numbers that are not the country's code."""

PER_EURO: Final = {
    "CHF": Decimal("0.95"),
    "DKK": Decimal("7.46"),
    "EUR": Decimal(1),
    "GBP": Decimal("0.85"),
    "NOK": Decimal("11.50"),
    "SEK": Decimal("11.00"),
    "USD": Decimal("1.08"),
}
"""Invented exchange rates: units of a currency for one euro."""


def exchange_rate(source: str, target: str) -> Decimal:
    """Return how much of ``target`` one unit of ``source`` is, with six decimals."""
    return (PER_EURO[target] / PER_EURO[source]).quantize(Decimal("0.000001"))
