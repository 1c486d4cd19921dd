"""Charts of accounts, VAT codes and article codings of the four countries, small and invented but workable."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from attrs import field, frozen


@frozen
class Rate:
    """A VAT code: what it charges from which day on, and the account that the tax is booked to."""

    code: str
    description: str
    history: tuple[tuple[date, Decimal], ...]
    account: int | None

    def percent(self, day: date) -> Decimal:
        """Return the rate of a day; days before the history get its first rate."""
        found = self.history[0][1]
        for start, percent in self.history:
            if start <= day:
                found = percent
        return found


@frozen
class LedgerAccount:
    """An account; ``rate`` is the VAT code that bookings on it get by default."""

    number: int
    name: str
    rate: str | None = None
    is_active: bool = True
    is_blocked: bool = False


@frozen(kw_only=True)
class Coding:
    """An article account coding: the accounts that an article's sales go to, by the customer's situation."""

    name: str
    name_english: str
    kind: str
    rate: str
    domestic: int
    construction: int | None
    exempt: int | None
    within_eu: int | None
    outside_eu: int | None
    third_party: int | None
    is_active: bool = True


@frozen(kw_only=True)
class Chart:
    """What a company of one country starts with."""

    receivable: int
    bank: int
    rounding: int
    rates: dict[str, Rate]
    accounts: dict[int, LedgerAccount]
    codings: tuple[Coding, ...]
    units: tuple[tuple[str, str, str, str], ...] = field(repr=False)
    """Code, name, abbreviation and English abbreviation."""

    terms: tuple[tuple[str, str, int, int, bool], ...] = field(repr=False)
    """Name, English name, days, TermsOfPaymentTypeId, and whether for sales."""

    articles: tuple[tuple[str, str, str, int, int, str], ...] = field(repr=False)
    """Number, name, English name, position of coding and unit, net price."""


_START: Final = date(2000, 1, 1)
_ENGLISH_TERMS: Final = {
    0: ("Cash on delivery", 2),
    14: ("14 days", 0),
    30: ("30 days", 0),
    31: ("Current month + 30 days", 1),
}


def _rates(text: str) -> dict[str, Rate]:
    """Read ``code|description|account|percent, percent from day, …``."""
    found = {}
    for line in text.strip().splitlines():
        code, description, account, history = line.split("|")
        steps = []
        for step in history.split(","):
            percent, _, start = step.strip().partition(" from ")
            steps.append((date.fromisoformat(start) if start else _START, Decimal(percent)))
        found[code] = Rate(code, description, tuple(steps), int(account) if account else None)
    return found


def _accounts(text: str) -> dict[int, LedgerAccount]:
    """Read ``number|name|VAT code|marks``; ``-`` is inactive, ``!`` blocked for manual booking."""
    found = {}
    for line in text.strip().splitlines():
        number, name, rate, marks = line.split("|")
        found[int(number)] = LedgerAccount(int(number), name, rate or None, "-" not in marks, "!" in marks)
    return found


def _codings(text: str) -> tuple[Coding, ...]:
    """Read ``name|English|type|VAT code|`` and the six accounts; 0 for none, ``-`` at the end for inactive."""
    found = []
    for line in text.strip().splitlines():
        name, english, kind, rate, numbers = line.split("|")
        accounts = [int(number) or None for number in numbers.removesuffix("-").split()]
        domestic, construction, exempt, within_eu, outside_eu, third_party = accounts
        assert domestic is not None
        found.append(
            Coding(
                name=name,
                name_english=english,
                kind=kind,
                rate=rate,
                domestic=domestic,
                construction=construction,
                exempt=exempt,
                within_eu=within_eu,
                outside_eu=outside_eu,
                third_party=third_party,
                is_active=not numbers.endswith("-"),
            )
        )
    return tuple(found)


def _terms(*names: str) -> tuple[tuple[str, str, int, int, bool], ...]:
    rows = [
        (name, *_ENGLISH_TERMS[days][:1], days if days != 31 else 30, _ENGLISH_TERMS[days][1], True)
        for name, days in zip(names, (30, 14, 0, 31), strict=False)
    ]
    rows.append((names[4], "60 days (purchase)", 60, 0, False))
    return tuple(rows)


def _articles(hour: str, trip: str, expense: str, goods: str) -> tuple[tuple[str, str, str, int, int, str], ...]:
    return (
        ("1", hour, "Hour", 0, 0, "85.00"),
        ("2", f"{hour} (2)", "Hour, reduced rate", 1, 0, "85.00"),
        ("3", f"{hour} (3)", "Hour, zero rate", 2, 0, "85.00"),
        ("4", trip, "Kilometres", 0, 1, "0.23"),
        ("5", expense, "Expense", 0, 2, "1.00"),
        ("6", goods, "Goods", 3, 2, "12.50"),
    )


NETHERLANDS: Final = Chart(
    receivable=1300,
    bank=1100,
    rounding=4990,
    rates=_rates(
        """
NL21|Btw hoog|1520|19, 21 from 2012-10-01
NL9|Btw laag|1521|6, 9 from 2019-01-01
NL0|Nultarief||0
NLV|Btw verlegd||0
NLEU|Leveringen en diensten binnen de EU||0
NLEX|Uitvoer buiten de EU||0
"""
    ),
    accounts=_accounts(
        """
1000|Kas||
1090|Kruisposten||!
1100|Bank||
1300|Debiteuren||
1520|Btw af te dragen hoog||
1521|Btw af te dragen laag||
1600|Crediteuren||
4990|Afrondingsverschillen||
8000|Omzet hoog tarief|NL21|
8010|Omzet laag tarief|NL9|
8020|Omzet nultarief|NL0|
8030|Omzet btw verlegd binnenland|NLV|
8040|Omzet binnen de EU|NLEU|
8050|Omzet buiten de EU|NLEX|
8060|Vrijgestelde omzet||
8070|Omzet driehoekstransacties|NLEU|
8090|Omzet oud|NL21|-
8100|Overige omzet|NL9|
"""
    ),
    codings=_codings(
        """
Diensten 21% btw|Services 21% VAT|Services|NL21|8000 8030 8060 8040 8050 8070
Diensten 9% btw|Services 9% VAT|Services|NL9|8010 8030 8060 8040 8050 8070
Diensten 0% btw|Services 0% VAT|Services|NL0|8020 0 8060 8040 8050 8070
Goederen 21% btw|Goods 21% VAT|Goods|NL21|8000 0 8060 8040 8050 8070
Oude codering|Old coding|Services|NL21|8090 0 0 0 0 0-
"""
    ),
    units=(("HUR", "Uur", "uur", "hour"), ("KMT", "Kilometer", "km", "km"), ("H87", "Stuk", "st", "pcs")),
    terms=_terms("30 dagen", "14 dagen", "Contant", "Lopende maand + 30 dagen", "60 dagen inkoop"),
    articles=_articles("Uren advies", "Reiskosten", "Onkosten", "Handboek"),
)

SWEDEN: Final = Chart(
    receivable=1510,
    bank=1930,
    rounding=3740,
    rates=_rates(
        """
SE25|Försäljning 25 %|2611|25
SE12|Försäljning 12 %|2621|12
SE6|Försäljning 6 %|2631|6
SE0|Momsfri försäljning||0
SEC|Omvänd byggmoms||0
SEEU|Försäljning till EU||0
SEEX|Försäljning utanför EU||0
"""
    ),
    accounts=_accounts(
        """
1510|Kundfordringar||
1930|Företagskonto||
1990|Avräkningskonto||!
2611|Utgående moms 25 %||
2621|Utgående moms 12 %||
2631|Utgående moms 6 %||
3041|Tjänster 25 % moms|SE25|
3042|Tjänster 12 % moms|SE12|
3043|Tjänster 6 % moms|SE6|
3044|Momsfria tjänster|SE0|
3049|Gamla tjänster|SE25|-
3051|Varor 25 % moms|SE25|
3231|Byggtjänster omvänd moms|SEC|
3305|Tjänster till land utanför EU|SEEX|
3308|Tjänster till annat EU-land|SEEU|
3109|Trepartshandel|SEEU|
3740|Öres- och kronutjämning||
"""
    ),
    codings=_codings(
        """
Tjänster 25% moms|Services 25% VAT|Services|SE25|3041 3231 3044 3308 3305 3109
Tjänster 12% moms|Services 12% VAT|Services|SE12|3042 3231 3044 3308 3305 3109
Momsfria tjänster|Services without VAT|Services|SE0|3044 0 3044 3308 3305 3109
Varor 25% moms|Goods 25% VAT|Goods|SE25|3051 0 3044 3308 3305 3109
Gammal kontering|Old coding|Services|SE25|3049 0 0 0 0 0-
"""
    ),
    units=(("HUR", "Timme", "tim", "hour"), ("KMT", "Kilometer", "km", "km"), ("H87", "Styck", "st", "pcs")),
    terms=_terms("30 dagar", "14 dagar", "Kontant", "Löpande månad + 30 dagar", "60 dagar inköp"),
    articles=_articles("Konsulttimme", "Resa", "Utlägg", "Handbok"),
)

NORWAY: Final = Chart(
    receivable=1500,
    bank=1920,
    rounding=7740,
    rates=_rates(
        """
3|Utgående mva høy sats|2700|25
31|Utgående mva middels sats|2701|15
6|Omsetning utenfor mva-loven||0
51|Innenlands omvendt avgiftsplikt||0
52|Utførsel av varer og tjenester||0
"""
    ),
    accounts=_accounts(
        """
1500|Kundefordringer||
1920|Bankinnskudd||
1990|Mellomregning||!
2700|Utgående mva høy sats||
2701|Utgående mva middels sats||
3000|Salgsinntekt høy sats|3|
3010|Salgsinntekt middels sats|31|
3060|Omvendt avgiftsplikt|51|
3100|Avgiftsfritt salg utland|52|
3200|Salg utenfor mva-loven|6|
3290|Gammel salgskonto|3|-
7740|Øreavrunding||
"""
    ),
    codings=_codings(
        """
Tjenester høy sats|Services high rate|Services|3|3000 3060 3200 0 3100 0
Tjenester middels sats|Services middle rate|Services|31|3010 3060 3200 0 3100 0
Tjenester uten mva|Services without VAT|Services|6|3200 0 3200 0 3100 0
Varer høy sats|Goods high rate|Goods|3|3000 0 3200 0 3100 0
Gammel kontering|Old coding|Services|3|3290 0 0 0 0 0-
"""
    ),
    units=(("HUR", "Time", "t", "hour"), ("KMT", "Kilometer", "km", "km"), ("H87", "Stykk", "stk", "pcs")),
    terms=_terms("30 dager", "14 dager", "Kontant", "Løpende måned + 30 dager", "60 dager innkjøp"),
    articles=_articles("Konsulenttime", "Reise", "Utlegg", "Håndbok"),
)

FINLAND: Final = Chart(
    receivable=1701,
    bank=1910,
    rounding=8690,
    rates=_rates(
        """
FI24|Yleinen verokanta|2939|24, 25.5 from 2024-09-01
FI14|Alennettu verokanta|2939|14, 13.5 from 2026-01-01
FI0|Veroton myynti||0
FIC|Rakennusalan käännetty vero||0
FIEU|Myynti EU-maihin||0
FIEX|Myynti EU:n ulkopuolelle||0
"""
    ),
    accounts=_accounts(
        """
1701|Myyntisaamiset||
1910|Pankkitili||
1990|Selvittelytili||!
2939|Arvonlisäverovelka||
3000|Myynti yleinen verokanta|FI24|
3010|Myynti alennettu verokanta|FI14|
3020|Veroton myynti|FI0|
3070|Rakennuspalvelut käännetty vero|FIC|
3370|Palvelumyynti EU-maihin|FIEU|
3380|Myynti EU:n ulkopuolelle|FIEX|
3390|Vanha myyntitili|FI24|-
8690|Pyöristyserot||
"""
    ),
    codings=_codings(
        """
Palvelut yleinen|Services standard rate|Services|FI24|3000 3070 3020 3370 3380 3370
Palvelut alennettu|Services reduced rate|Services|FI14|3010 3070 3020 3370 3380 3370
Palvelut veroton|Services without VAT|Services|FI0|3020 0 3020 3370 3380 3370
Tavarat yleinen|Goods standard rate|Goods|FI24|3000 0 3020 3370 3380 3370
Vanha tiliöinti|Old coding|Services|FI24|3390 0 0 0 0 0-
"""
    ),
    units=(("HUR", "Tunti", "h", "hour"), ("KMT", "Kilometri", "km", "km"), ("H87", "Kappale", "kpl", "pcs")),
    terms=_terms("30 päivää", "14 päivää", "Käteinen", "Kuluva kuukausi + 30 päivää", "60 päivää osto"),
    articles=_articles("Konsultointitunti", "Matka", "Kulu", "Käsikirja"),
)

CHARTS: Final = {"FI": FINLAND, "NL": NETHERLANDS, "NO": NORWAY, "SE": SWEDEN}
