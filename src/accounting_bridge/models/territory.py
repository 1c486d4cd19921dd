"""Where a tax treatment may be used: the European Union for value added tax, and what is wrong with a country.

For adapters whose vendor looks at neither country; where a vendor tells which countries are members, it is asked.
"""

from __future__ import annotations

from typing import Final

from .invoice import TaxTreatment

_MEMBERS: Final = frozenset(
    {
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU",
        "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    }
)  # fmt: skip
"""The member states, as ISO 3166 has them."""
_TREATED_AS: Final = {"EL": "GR", "MC": "FR"}
"""Greece as VAT numbers spell it, and Monaco, which is France to the VAT directive (article 7)."""
_BY_COUNTRY: Final = frozenset({TaxTreatment.INTRA_EU_GOODS, TaxTreatment.INTRA_EU_SERVICES, TaxTreatment.EXPORT})


def depends_on_country(treatment: TaxTreatment) -> bool:
    """Whether the countries of company and customer decide if the treatment can be right."""
    return treatment in _BY_COUNTRY


def misplaced(treatment: TaxTreatment, country: str | None, home: str | None, vat_number: str | None) -> str | None:
    """Why *treatment* cannot be right for a customer in *country* of a company in *home*; None where it can.

    None as well where either country is not known. Northern Ireland is within the EU for goods and not for services;
    its addresses say ``GB``, and only its VAT numbers tell, by ``XI``. To a company outside the EU every other country
    is abroad, so that nothing is said of its exports.

    Args:
        treatment: Of the document.
        country: The customer's, ISO 3166-1 alpha-2.
        home: The company's own, in the same form.
        vat_number: The customer's, with its prefix.
    """
    if not country or not home or treatment not in _BY_COUNTRY:
        return None
    place, own = (_TREATED_AS.get(code.upper(), code.upper()) for code in (country, home))
    member = place in _MEMBERS
    if place == own:
        where = "the company's own country"
    elif treatment is TaxTreatment.EXPORT:
        if not (member and own in _MEMBERS):
            return None
        where = "within the EU"
    else:
        goods = treatment is TaxTreatment.INTRA_EU_GOODS
        if member or (goods and _is_northern_ireland(place, vat_number)):
            return None
        where = "outside the EU"
    wanted = "outside the EU" if treatment is TaxTreatment.EXPORT else "in another country of the EU"
    return f"{treatment} needs a customer {wanted}: {country} is {where}"


def _is_northern_ireland(place: str, vat_number: str | None) -> bool:
    return place == "XI" or (place == "GB" and (vat_number or "").strip().upper().startswith("XI"))
