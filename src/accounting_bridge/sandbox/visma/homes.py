"""Customers at home: the invented ones live in Germany, Austria and the Netherlands, a company also has neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import evolve, frozen

from accounting_bridge.sandbox.data import SeedCustomer

EVERY: Final = 3
"""Each third customer is at home, the first one included."""


@frozen
class Home:
    """What addresses of a country look like; all of it is invented but for the towns."""

    towns: tuple[tuple[str, str], ...]
    """Name, and a postal code."""
    streets: tuple[str, ...]
    forms: tuple[str, ...]
    dialling_code: str
    vat_number: str
    """With the index of the customer in it."""


HOMES: Final[Mapping[str, Home]] = {
    "SE": Home(
        (("Göteborg", "411 05"), ("Malmö", "211 20"), ("Uppsala", "753 10"), ("Örebro", "702 11")),
        ("Exempelgatan", "Provvägen", "Björkvägen", "Storgatan"),
        ("AB", "HB", "AB", "Ekonomisk förening"),
        "031",
        "SE{:010d}01",
    ),
    "NO": Home(
        (("Bergen", "5003"), ("Trondheim", "7011"), ("Stavanger", "4006"), ("Tromsø", "9008")),
        ("Eksempelveien", "Prøvegata", "Bjørkeveien", "Storgata"),
        ("AS", "ANS", "AS", "DA"),
        "55",
        "NO{:09d}MVA",
    ),
    "FI": Home(
        (("Tampere", "33100"), ("Turku", "20100"), ("Oulu", "90100"), ("Jyväskylä", "40100")),
        ("Esimerkkikatu", "Koetie", "Koivutie", "Asemakatu"),
        ("Oy", "Ky", "Oy", "Osuuskunta"),
        "03",
        "FI{:08d}",
    ),
}
"""The Netherlands are not among them: the invented customers live there already."""


def settled(seed: SeedCustomer, country: str) -> SeedCustomer:
    """Return the customer, moved to the company's own country if it is one of those that live there."""
    home = HOMES.get(country)
    if home is None or seed.index % EVERY:
        return seed
    turn = seed.index // EVERY % len(home.towns)
    town, postal_code = home.towns[turn]
    company = None
    if seed.company is not None:
        words, _, _ = seed.company.rpartition(f" {seed.city} ")
        company = f"{words} {town} {home.forms[turn]}"
    return evolve(
        seed,
        company=company,
        street=home.streets[turn],
        postal_code=postal_code,
        city=town,
        country_code=country,
        phone=None if seed.phone is None else f"{home.dialling_code}-5550 {100 + seed.index % 900}",
        mobile=None,
        vat_number=None if seed.vat_number is None else home.vat_number.format(seed.index),
        tax_number=None,
    )
