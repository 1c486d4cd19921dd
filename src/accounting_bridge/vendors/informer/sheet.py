"""A document being written: its VAT option, its language, and all that is wrong or worth saying about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import define, field, frozen

from ...errors import InvalidRequest, Problem
from ...models import Customer, InvoiceDraft, IssuedInvoice, ServicePeriod, TaxTreatment
from ...models.territory import misplaced
from . import master, relations
from .placeholders import data
from .settings import InformerSettings
from .wire import VatLedgerOption

# Documented, but for the last two: Informer has no code for them, so they are a rate of 0.
_VAT_OPTION: Final[Mapping[TaxTreatment, str]] = {
    TaxTreatment.REVERSE_CHARGE: "shifted",
    TaxTreatment.INTRA_EU_GOODS: "icv_within_eu",
    TaxTreatment.INTRA_EU_SERVICES: "icv_within_eu",
    TaxTreatment.EXPORT: "icv_outside_eu",
    TaxTreatment.SMALL_BUSINESS: "excl",
    TaxTreatment.EXEMPT: "excl",
}
TAXED: Final = frozenset({"incl", "excl"})
_INTRA_EU: Final = frozenset({TaxTreatment.INTRA_EU_GOODS, TaxTreatment.INTRA_EU_SERVICES})
_MOST_CANDIDATES: Final = 12


# ---- words -------------------------------------------------------------------------------------------------

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "nl": {"order": "Uw referentie", "project": "Project", "period": "Periode", "invoice": "Factuur"},
    "de": {"order": "Ihre Bestellnummer", "project": "Projekt", "period": "Leistungszeitraum", "invoice": "Rechnung"},
    "en": {"order": "Your order number", "project": "Project", "period": "Service period", "invoice": "Invoice"},
}


@frozen
class Words:
    """Dutch, German or English, for what this library adds to a document."""

    language: str

    @classmethod
    def of(cls, language: str | None, country: str) -> Words:
        """The asked language, or that of the administration's country."""
        short = (language or {"DE": "de", "AT": "de"}.get(country, "nl"))[:2].lower()
        return cls(short if short in _WORDS else "en")

    def say(self, name: str) -> str:
        """One label."""
        return _WORDS[self.language][name]

    def period(self, period: ServicePeriod) -> str:
        """First and last day, or the only one."""
        style = {"nl": "%d-%m-%Y", "de": "%d.%m.%Y", "en": "%Y-%m-%d"}[self.language]
        first, last = f"{period.start:{style}}", f"{period.end:{style}}"
        return f"{self.say('period')}: {first if first == last else f'{first} - {last}'}"


# ---- the sheet ---------------------------------------------------------------------------------------------


@define
class Sheet:
    """A document being written: its lines, and all that is wrong or worth saying."""

    settings: InformerSettings
    books: master.Books
    options: Sequence[VatLedgerOption]
    vat_option: str
    treatment: TaxTreatment
    words: Words
    problems: list[Problem] = field(factory=list)
    notes: list[str] = field(factory=list)

    def problem(self, name: str, message: str) -> None:
        """Note what is wrong, once: a wrong setting may concern several lines."""
        problem = Problem(name, message)
        if problem not in self.problems:
            self.problems.append(problem)

    def note(self, text: str) -> None:
        """Note what is worth saying, once."""
        if text not in self.notes:
            self.notes.append(text)

    def raise_problems(self, what: str) -> None:
        """Refuse what cannot be made.

        Raises:
            InvalidRequest: with every problem of the sheet.
        """
        if self.problems:
            raise InvalidRequest(f"this {what} cannot be made in Informer", problems=self.problems)


async def open_sheet(
    settings: InformerSettings, path: str, document: InvoiceDraft | IssuedInvoice, customer: Customer,
    language: str | None,
) -> Sheet:  # fmt: skip
    """A sheet with what an invoice draft and an issued invoice have in common."""
    books = await master.books()
    domestic = document.tax_treatment is TaxTreatment.DOMESTIC
    taxed = "incl" if document.prices_include_tax else "excl"
    sheet = Sheet(
        settings=settings,
        books=books,
        options=await master.options(path),
        vat_option=taxed if domestic else _VAT_OPTION[document.tax_treatment],
        treatment=document.tax_treatment,
        words=Words.of(language, books.country),
    )
    if customer.id is None:
        sheet.problems += await relations.problems_of(settings, customer, "customer.")
    else:
        relations.own_id(customer.id, "customer.id")
    if sheet.treatment in _INTRA_EU and data(settings, "vat", customer.vat_number) is None:
        sheet.problem("customer.vat_number", f"is required with the treatment {sheet.treatment}; a placeholder is none")
    # Informer takes any VAT option for any customer, and would report the sale where it does not belong.
    country = customer.address.country_code if customer.address is not None else None
    if why := misplaced(sheet.treatment, country, books.country, customer.vat_number):
        sheet.problem("tax_treatment", why)
    return sheet


def listed(values: Sequence[Any], shown: Any = str) -> str:
    """The first dozen, and how many more there are."""
    rest = "" if len(values) <= _MOST_CANDIDATES else f" and {len(values) - _MOST_CANDIDATES} more"
    return (", ".join(map(shown, values[:_MOST_CANDIDATES])) or "none") + rest
