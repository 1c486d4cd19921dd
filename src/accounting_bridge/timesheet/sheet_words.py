"""What a timesheet says around the work, in German, Dutch and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

__all__ = ["SHEET_WORDS", "SheetWords"]


@frozen(kw_only=True)
class SheetWords:
    """One language. Names in braces are put in."""

    title: str
    filename: str
    """Its beginning, in letters that any file system takes."""
    customer: str
    customer_number: str
    period: str
    invoice: str
    reference: str
    order: str
    date: str
    person: str
    activity: str
    note: str
    tracked: str
    charged: str
    duration: str
    quantity: str
    subtotal: str
    on_invoice: str
    totals: str
    continued: str
    page: str
    tracked_time: str
    charged_time: str
    printed_hours: str
    kilometres: str
    net: str
    gross: str
    other_lines: str
    discount: str
    rounded_hours: str
    rounded_lines: str
    not_printed: str
    directions: Mapping[str, str]
    """How durations are rounded, by direction."""
    pers: Mapping[str, str]
    """What durations are rounded for."""
    gross_receipt: str
    receipt_with_tax: str
    net_receipt: str


SHEET_WORDS: Final[Mapping[str, SheetWords]] = {
    "de": SheetWords(
        title="Leistungsnachweis",
        filename="Leistungsnachweis",
        customer="Kunde",
        customer_number="Kundennummer",
        period="Zeitraum",
        invoice="Rechnung",
        reference="Referenz",
        order="Bestellnummer",
        date="Datum",
        person="Person",
        activity="Tätigkeit",
        note="Beschreibung",
        tracked="Erfasst",
        charged="Berechnet",
        duration="Dauer",
        quantity="Menge",
        subtotal="Summe",
        on_invoice="Auf der Rechnung",
        totals="Gesamt",
        continued="{heading} (Fortsetzung)",
        page="Seite {page} von {pages}",
        tracked_time="Erfasste Zeit",
        charged_time="Berechnete Zeit",
        printed_hours="Stunden auf der Rechnung",
        kilometres="Kilometer",
        net="Summe der Positionen, netto",
        gross="Summe der Positionen, brutto",
        other_lines="Weitere Positionen der Rechnung über {amount} sind hier nicht aufgeführt.",
        discount="Der Rabatt von {percent} % auf die ganze Rechnung ist nicht abgezogen.",
        rounded_hours="Stunden stehen gerundet auf der Rechnung. Gegenüber der genauen Zeit macht das {amount} aus.",
        rounded_lines="Bei den einzelnen Positionen sind es {least} bis {most}.",
        not_printed="{count} Zeichen hat die Schrift nicht: Sie stehen hier ohne Akzent oder als □.",
        directions={
            "up": "Zeiten sind auf {minutes} Minuten aufgerundet, {per}.",
            "nearest": "Zeiten sind auf {minutes} Minuten gerundet, {per}.",
        },
        pers={"entry": "je Eintrag", "day": "je Tag und Position", "line": "je Position"},
        gross_receipt="Beleg: {amount} mit {rate} % USt.",
        receipt_with_tax="Beleg: {amount} mit USt.",
        net_receipt="Beleg: {amount} netto",
    ),
    "nl": SheetWords(
        title="Urenspecificatie",
        filename="Urenspecificatie",
        customer="Klant",
        customer_number="Klantnummer",
        period="Periode",
        invoice="Factuur",
        reference="Referentie",
        order="Ordernummer",
        date="Datum",
        person="Medewerker",
        activity="Activiteit",
        note="Omschrijving",
        tracked="Gewerkt",
        charged="Berekend",
        duration="Duur",
        quantity="Aantal",
        subtotal="Subtotaal",
        on_invoice="Op de factuur",
        totals="Totaal",
        continued="{heading} (vervolg)",
        page="Pagina {page} van {pages}",
        tracked_time="Gewerkte tijd",
        charged_time="Berekende tijd",
        printed_hours="Uren op de factuur",
        kilometres="Kilometers",
        net="Totaal van de regels, excl. btw",
        gross="Totaal van de regels, incl. btw",
        other_lines="Andere regels van de factuur, samen {amount}, staan hier niet.",
        discount="De korting van {percent} % op de hele factuur is niet afgetrokken.",
        rounded_hours="Uren staan afgerond op de factuur. Vergeleken met de exacte tijd scheelt dat {amount}.",
        rounded_lines="Per regel is dat {least} tot {most}.",
        not_printed="{count} tekens heeft het lettertype niet: die staan hier zonder accent of als □.",
        directions={
            "up": "Tijden zijn naar boven afgerond op {minutes} minuten, {per}.",
            "nearest": "Tijden zijn afgerond op {minutes} minuten, {per}.",
        },
        pers={"entry": "per boeking", "day": "per dag en regel", "line": "per regel"},
        gross_receipt="Bon: {amount} incl. {rate} % btw",
        receipt_with_tax="Bon: {amount} incl. btw",
        net_receipt="Bon: {amount} excl. btw",
    ),
    "en": SheetWords(
        title="Timesheet",
        filename="Timesheet",
        customer="Customer",
        customer_number="Customer number",
        period="Period",
        invoice="Invoice",
        reference="Reference",
        order="Order number",
        date="Date",
        person="Person",
        activity="Activity",
        note="Description",
        tracked="Tracked",
        charged="Charged",
        duration="Duration",
        quantity="Quantity",
        subtotal="Subtotal",
        on_invoice="On the invoice",
        totals="Total",
        continued="{heading} (continued)",
        page="Page {page} of {pages}",
        tracked_time="Tracked time",
        charged_time="Charged time",
        printed_hours="Hours on the invoice",
        kilometres="Kilometres",
        net="Sum of the lines, net",
        gross="Sum of the lines, gross",
        other_lines="Other lines of the invoice, over {amount}, are not listed here.",
        discount="The discount of {percent} % on the whole invoice is not taken off.",
        rounded_hours="Hours are rounded on the invoice. Compared with the exact time that makes {amount}.",
        rounded_lines="On the single lines it is {least} to {most}.",
        not_printed="The font lacks {count} characters: here they stand without their marks, or as □.",
        directions={
            "up": "Times are rounded up to {minutes} minutes, {per}.",
            "nearest": "Times are rounded to the nearest {minutes} minutes, {per}.",
        },
        pers={"entry": "per entry", "day": "per day and line", "line": "per line"},
        gross_receipt="Receipt: {amount} incl. {rate} % VAT",
        receipt_with_tax="Receipt: {amount} incl. VAT",
        net_receipt="Receipt: {amount} net of VAT",
    ),
}
