"""Articles for lines: an account and a VAT rate are never said on a line, they follow from article and customer.

A line's article has a coding, and the coding has a rate and an account for each situation that a customer can be in
(documented, and seen). A flag too few is not refused: the domestic rate is charged silently (measured). So both are
predicted here and compared with what the draft says, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import define, field, frozen

from ...errors import InvalidRequest, Problem
from ...models import Customer, LineItem, TaxTreatment
from ...money import ZERO, plain_text
from ...wire import decode
from . import customers
from .settings import VismaSettings
from .wire import Article, ArticleCoding, CompanySettings, Flag, Text, converter
from .wire_documents import Party

MOST_CANDIDATES: Final = 12
_UNFOUNDED: Final = frozenset({TaxTreatment.SMALL_BUSINESS, TaxTreatment.EXEMPT})
"""Visma has no flag for these on a draft: they are articles whose coding has a rate of 0."""
_INTRA_EU: Final = frozenset({TaxTreatment.INTRA_EU_GOODS, TaxTreatment.INTRA_EU_SERVICES})


# ---- the customer's situation ------------------------------------------------------------------------------


class Situation(StrEnum):
    """What decides which rate and account of a coding are taken."""

    DOMESTIC = "a domestic customer"
    CONSTRUCTION = "domestic reverse charge on construction services"
    WITHIN_EU = "a company with a VAT number in another EU country"
    EU_WITH_VAT = "a customer in another EU country without a VAT number"
    OUTSIDE_EU = "a customer outside the EU"


_UNTAXED: Final[Mapping[Situation, str]] = {
    Situation.WITHIN_EU: "intra_eu_services or intra_eu_goods",
    Situation.OUTSIDE_EU: "export",
}
"""Where Visma charges no VAT whatever the article's rate is, and the treatments that say so."""


async def party_of(customer: Customer, company: CompanySettings) -> Party:
    """The customer as the books have it, or as it is about to be made."""
    if customer.id is not None:
        return decode(converter, await customers.as_read(customer.id), Party)
    party = Party()
    party.InvoiceCountryCode = Text((customer.address.country_code if customer.address is not None else None) or "")
    party.VatNumber = Text(customer.vat_number or "")
    party.IsPrivatePerson = Flag(bool(customer.is_person))
    party.CurrencyCode = Text(customer.currency or company.CurrencyCode)
    return party


def situation_of(party: Party, home: str, eu: Container[str]) -> Situation:
    """Where the customer stands, without construction: country, VAT number and kind of person decide (documented)."""
    place = _place_of(party, home)
    if place == home:
        return Situation.DOMESTIC
    if home in eu and (place in eu or (place == "GB" and party.IsNorthernIreland)):
        without = party.IsPrivatePerson or not party.VatNumber
        return Situation.EU_WITH_VAT if without else Situation.WITHIN_EU
    return Situation.DOMESTIC if party.ForceBookkeepVat else Situation.OUTSIDE_EU


def _place_of(party: Party, home: str) -> str:
    """The country that decides VAT."""
    place = party.InvoiceCountryCode or home
    return (party.DeliveryCountryCode or place if party.DeliveryBasedVat else place).upper()


def treated(treatment: TaxTreatment, situation: Situation, party: Party, company: CompanySettings) -> list[Problem]:
    """Why the customer cannot be invoiced like that; an empty list if it can."""
    is_it = f"Visma sees {situation}"
    wanted: Situation | None
    match treatment:
        case TaxTreatment.DOMESTIC if situation in _UNTAXED:
            text = f"domestic is for sales with VAT, but {is_it} and would charge none: give {_UNTAXED[situation]}"
            return [Problem("tax_treatment", text)]
        case TaxTreatment.DOMESTIC:
            wanted = None
        case TaxTreatment.REVERSE_CHARGE:
            return _construction_problems(situation, party, company)
        case TaxTreatment.EXPORT:
            wanted = Situation.OUTSIDE_EU
        case _ if treatment in _INTRA_EU:
            wanted = Situation.WITHIN_EU
        case _:
            text = f"{treatment} is for domestic sales, but {is_it}: it would be booked as that"
            return [Problem("tax_treatment", text)] if situation in _UNTAXED else []
    if situation is Situation.EU_WITH_VAT and party.DeliveryBasedVat and wanted is None:
        text = "has VAT by the place of delivery (OSS): its rate cannot be predicted, make the invoice in Visma"
        return [Problem("customer", text)]
    if wanted in {None, situation}:
        return []
    if wanted is Situation.WITHIN_EU and situation is Situation.EU_WITH_VAT and not party.IsPrivatePerson:
        return [Problem("customer.vat_number", f"is required with the treatment {treatment}: Visma decides by it")]
    text = f"{treatment} is for {wanted}, but {is_it}: country, VAT number and kind of person decide"
    return [Problem("tax_treatment", text)]


def _construction_problems(situation: Situation, party: Party, company: CompanySettings) -> list[Problem]:
    """Domestic reverse charge is for construction services, and needs the customer's flag besides the row's."""
    if situation is not Situation.DOMESTIC:
        return [Problem("tax_treatment", f"reverse_charge is for domestic customers, but Visma sees {situation}")]
    home = company.CountryCode.upper()
    if (place := _place_of(party, home)) != home:
        text = f"is for domestic customers, but this one is in {place} and set to be charged VAT all the same"
        return [Problem("tax_treatment", f"reverse_charge {text}")]
    found = []
    if not company.UsesReverseConstructionVat:
        found.append(
            Problem("tax_treatment", "reverse charge on construction services is switched off in the company settings")
        )
    if not party.ReverseChargeOnConstructionServices:
        text = "is not marked for reverse charge on construction services, so Visma would charge VAT: mark it there"
        found.append(Problem("customer", text))
    return found


# ---- what a coding gives -----------------------------------------------------------------------------------


@frozen
class Booking:
    """What an article comes to for this customer."""

    rate: Decimal
    account: str
    """Empty where the coding has none for the situation: then Visma refuses the article."""


def booking_of(coding: ArticleCoding, situation: Situation) -> Booking:
    """Rate and account of a line."""
    domestic = (
        coding.DomesticSalesSubjectToVatAccountNumber
        or coding.DomesticSalesVatExemptAccountNumber
        or coding.DomesticSalesVatCodeExemptAccountNumber
    )
    match situation:
        case Situation.DOMESTIC:
            return Booking(coding.rate, domestic)
        case Situation.CONSTRUCTION:
            return Booking(ZERO, coding.DomesticSalesSubjectToReversedConstructionVatAccountNumber)
        case Situation.WITHIN_EU:
            return Booking(ZERO, coding.ForeignSalesVatExemptWithinEuAccountNumber)
        case Situation.EU_WITH_VAT:
            return Booking(coding.rate, coding.ForeignSalesSubjectToVatWithinEuAccountNumber or domestic)
        case Situation.OUTSIDE_EU:
            return Booking(ZERO, coding.ForeignSalesVatExemptOutsideEuAccountNumber)


# ---- the shelf ---------------------------------------------------------------------------------------------


@frozen
class Shelf:
    """All articles and codings of the books, read once a connection."""

    articles: Mapping[str, Article]
    codings: Mapping[str, ArticleCoding]

    def coding_of(self, article: Article) -> ArticleCoding | None:
        """The article's coding, if it is known and active."""
        found = self.codings.get(article.CodingId.lower())
        return found if found is not None and found.IsActive else None

    def fitting(self, situation: Situation, rate: Decimal | None) -> list[str]:
        """Id, number and name of the articles that give this rate: the setting takes the id."""
        found = []
        for article in self.articles.values():
            coding = self.coding_of(article)
            if not article.IsActive or coding is None:
                continue
            booking = booking_of(coding, situation)
            if booking.account and rate in {None, booking.rate}:
                found.append((article.Number, article.Name, article.Id))
        return [f"{key!r} ({f'{number} {name}'.strip()})" for number, name, key in sorted(found)]


@define
class Choice:
    """The article of a line, and what it comes to."""

    article: Article
    booking: Booking


@define
class Picker:
    """Chooses articles for one document; problems are collected."""

    settings: VismaSettings
    shelf: Shelf
    situation: Situation
    treatment: TaxTreatment
    problems: list[Problem] = field(factory=list)

    def pick(self, line: LineItem, at: str) -> Choice | None:
        """The line's article, checked in every respect; None: a problem was noted."""
        rate = line.tax_rate if self.treatment is TaxTreatment.DOMESTIC else ZERO
        wanted = self._wanted(line, rate)
        if wanted is None:
            self._without_article(line, rate, at)
            return None
        article = self.shelf.articles.get(wanted)
        if article is None or not article.IsActive:
            why = "is not in the books" if article is None else f"{article.Number} {article.Name} is not active"
            self._refuse(f"{at}.article", f"{why}; {self._there(rate)}")
            return None
        shown = f"{article.Number} {article.Name}".strip()
        coding = self.shelf.coding_of(article)
        if coding is None:
            self._refuse(f"{at}.article", f"{shown} has no active coding; {self._there(rate)}")
            return None
        booking = booking_of(coding, self.situation)
        if not booking.account:
            text = f"{shown} cannot be sold like that: its coding has no account for {self.situation}"
            self._refuse(f"{at}.article", f"{text}; {self._there(rate)}")
            return None
        if rate is not None and rate != booking.rate:
            text = f"is {plain_text(rate)} %, but the article {shown} gives {plain_text(booking.rate)} %"
            self._refuse(f"{at}.tax_rate", f"{text} for {self.situation}; {self._there(rate)}")
        if line.ledger_account not in {None, booking.account}:
            text = f"cannot be given: Visma books the article {shown} on {booking.account} for {self.situation}"
            self._refuse(f"{at}.ledger_account", text)
        goods = self.treatment is TaxTreatment.INTRA_EU_GOODS
        if self.treatment in _INTRA_EU and goods == article.IsServiceArticle:
            kind = "a service" if article.IsServiceArticle else "no service"
            self._refuse(f"{at}.article", f"{shown} is {kind}, which {self.treatment} would report wrongly")
        return Choice(article, booking)

    def _wanted(self, line: LineItem, rate: Decimal | None) -> str | None:
        """The article's id: the line's own, else the map's.

        Under a treatment that makes the rate 0 whatever the article's own is, any article of the kind serves, as long
        as all that could be meant are booked alike.
        """
        found = self.settings.article_for(line.article, line.kind, rate)
        fixed = line.article is not None or self.treatment in {TaxTreatment.DOMESTIC, *_UNFOUNDED}
        if fixed or (found is not None and self._booking(found) is not None):
            return found
        of_kind = [one.lower() for key, one in self.settings.articles.items() if key.startswith(f"{line.kind.value}/")]
        usable = {one: booking for one in of_kind if (booking := self._booking(one)) is not None}
        return next(iter(usable)) if len(set(usable.values())) == 1 else found

    def _booking(self, wanted: str) -> Booking | None:
        """What an article comes to, if it can be sold in this situation."""
        article = self.shelf.articles.get(wanted)
        coding = None if article is None or not article.IsActive else self.shelf.coding_of(article)
        booking = None if coding is None else booking_of(coding, self.situation)
        return booking if booking is not None and booking.account else None

    def _without_article(self, line: LineItem, rate: Decimal | None, at: str) -> None:
        if line.article is not None:
            key = line.article
            text = f"{key!r} is neither an article's id (a GUID) nor in the setting 'articles'"
            self._refuse(f"{at}.article", f"{text}; set articles[{key!r}] to an id; {self._there(rate)}")
            return
        if rate is None:
            key = line.kind.value
            text = f"is missing, and no article says it: give it, or an article, or set articles[{key!r}] to an id"
            self._refuse(f"{at}.tax_rate", f"{text}; {self._there(None)}")
            return
        key = f"{line.kind.value}/{plain_text(rate)}"
        if not self.shelf.fitting(self.situation, rate):
            text = f"{plain_text(rate)} % is given by no active article for {self.situation}"
            self._refuse(f"{at}.tax_rate", f"{text}; {self._there(None)}")
        else:
            text = f"is needed: Visma takes the VAT from it; set articles[{key!r}] to an id, or give the line's own"
            self._refuse(f"{at}.article", f"{text}; {self._there(rate)}")

    def _there(self, rate: Decimal | None) -> str:
        of_rate = "" if rate is None else f" with {plain_text(rate)} %"
        there = listed(self.shelf.fitting(self.situation, rate))
        return f"articles{of_rate}, by the ids that import_articles() gives: {there}"

    def _refuse(self, name: str, message: str) -> None:
        self.problems.append(Problem(name, message))


def listed(names: Sequence[str]) -> str:
    """The first dozen, and how many more there are."""
    rest = "" if len(names) <= MOST_CANDIDATES else f" and {len(names) - MOST_CANDIDATES} more"
    return (", ".join(names[:MOST_CANDIDATES]) or "none") + rest


def refuse(what: str, problems: Sequence[Problem]) -> None:
    """Raise what was found.

    Raises:
        InvalidRequest: with every problem.
    """
    if problems:
        raise InvalidRequest(f"this {what} cannot be made in Visma", problems=problems)
