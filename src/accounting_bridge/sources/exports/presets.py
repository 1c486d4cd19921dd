"""Mappings for the exports of known tools. All that is vendor knowledge stands here, with where it is from.

*Seen*: headers and cells as they stand in files that programs of third parties read and write. *Server source*: read
in the tool's own code. *Assumed*: nobody whose material could be read has shown such a file; the words are likely
ones, and a file with others is refused with the headers that it has. Change a field with ``attrs.evolve``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from attrs import evolve

from ...timesheet.work import WorkKind
from .columns import Column, Columns

__all__ = ["PRESETS"]


def _maybe(header: str, *also: str) -> Column:
    return Column(header, also=also, optional=True)


_TOGGL: Final = Columns(
    name="toggl",
    source=(
        "Toggl Track, detailed report as CSV. Its help describes these columns (English headers) for its CSV import "
        "and calls the detailed export the model of it; cells as seen. Billable is a paid feature: on the free plan "
        "all rows may say No. 'Amount (EUR)' is an amount and no rate, so it is not read. No ids, no totals row seen."
    ),
    customer=_maybe("Client"),
    project=_maybe("Project"),
    activity=_maybe("Task"),
    note=_maybe("Description"),
    person=Column("User"),
    person_id=_maybe("Email"),
    day=Column("Start date"),
    start=Column("Start time"),
    end_day=_maybe("End date"),
    end=_maybe("End time"),
    duration=Column("Duration"),
    billable=_maybe("Billable"),
)

_CLOCKIFY: Final = Columns(
    name="clockify",
    source=(
        "Clockify, detailed report as CSV. The vendor's help lists the fields; headers and cells as seen. Dates are "
        "written as the user's profile says (MM/DD/YYYY and DD/MM/YYYY are both seen), so date_format has to be given. "
        "Columns of rates carry the currency. 'Invoiced' and 'Type' (with breaks) are seen in newer files only. With "
        "rounding switched on, durations are not those from start to end: set duration_wins. No ids seen. Whether the "
        "XLSX export ends in a row of totals is not established; one that begins with 'Total' is ignored."
    ),
    customer=_maybe("Client"),
    project=Column("Project"),
    activity=_maybe("Task"),
    note=_maybe("Description"),
    person=Column("User"),
    person_id=_maybe("Email"),
    kind=_maybe("Type"),
    kinds={"Regular": WorkKind.HOURS, "Break": None},
    day=Column("Start Date"),
    start=_maybe("Start Time"),
    end_day=_maybe("End Date"),
    end=_maybe("End Time"),
    duration=Column("Duration (h)"),
    billable=_maybe("Billable"),
    billed=_maybe("Invoiced"),
    rate=_maybe("Billable Rate ({currency})"),
    date_format=None,
)

_HARVEST: Final = Columns(
    name="harvest",
    source=(
        "Harvest, detailed time report as CSV. Its help describes columns and dates of its import and takes the "
        "detailed export as well; further headers and cells as seen. Hours are decimal, with two digits. 'Hours "
        "Rounded' is what Harvest's own invoices use (documented for its API). The decimal comma and other dates are "
        "seen in accounts that are set so: give decimal and date_format. No ids; no start and end are mapped."
    ),
    customer=Column("Client"),
    project=Column("Project"),
    project_number=_maybe("Project Code"),
    activity=Column("Task"),  # without starts, it tells hours of one day apart
    note=_maybe("Notes"),
    person=Column("First Name", then=("Last Name",)),
    day=Column("Date"),
    duration=Column("Hours"),
    charged=_maybe("Hours Rounded"),
    billable=_maybe("Billable?"),
    billed=_maybe("Invoiced?"),
    rate=_maybe("Billable Rate"),
    currency=_maybe("Currency"),
    duration_as="hours",
)

_KIMAI: Final = Columns(
    name="kimai",
    source=(
        "Kimai, export as CSV or XLSX with the default template in English, from the server's own code (2026). Headers "
        "are translated into the language of the template. Durations are decimal hours with two digits, which loses "
        "seconds: a template of one's own with the column 'duration' has h:mm. The default template has no column for "
        "breaks, so the duration counts where it is not the time from start to end. Prices are left out where the user "
        "may not see them. XLSX ends in a row of formulas, which is ignored. Filter for records that are not exported "
        "yet: the default template does not say which are."
    ),
    id=_maybe("ID"),
    customer=Column("Customer"),
    customer_number=_maybe("Account"),
    project=Column("Project"),
    project_number=_maybe("Project number"),
    activity=_maybe("Activity"),
    note=_maybe("Description"),
    person=Column("Name", also=("User",)),
    day=Column("Date"),
    start=_maybe("From", "Begin"),
    end=_maybe("To", "End"),
    duration=Column("Duration"),
    billable=_maybe("Billable"),
    rate=_maybe("Hourly price"),
    fixed_price=_maybe("Fixed price"),
    currency=_maybe("Currency"),
    duration_as="h:mm or hours",
    duration_wins=True,
    billable_if_empty=False,  # the CSV writer puts nothing for "no"
)

_CLOCKIN: Final = Columns(
    name="clockin",
    source=(
        "clockin: assumed. No export of it could be read, and the paths for time events of its Customer API v3 are "
        "unknown. These are the German words that are likely; map the headers of your own file over them."
    ),
    duration_as="h:mm or hours",
    decimal=",",
    date_format=("%d.%m.%Y",),
    customer=_maybe("Kunde", "Kundenname", "Auftraggeber"),
    customer_number=_maybe("Kundennummer", "Kundennr.", "Kunden-Nr."),
    project=Column("Projekt", also=("Projektname", "Auftrag")),
    project_number=_maybe("Projektnummer", "Projektnr.", "Projekt-Nr."),
    activity=_maybe("Tätigkeit", "Leistung", "Aufgabe"),
    person=Column("Mitarbeiter", also=("Mitarbeitername", "Name")),
    note=_maybe("Beschreibung", "Notiz", "Bemerkung", "Kommentar"),
    day=Column("Datum", also=("Tag",)),
    start=_maybe("Beginn", "Start", "Von"),
    end=_maybe("Ende", "Bis"),
    pause=_maybe("Pause"),
    duration=_maybe("Dauer", "Arbeitszeit", "Stunden"),
    billable=_maybe("Abrechenbar"),
)

_PLAINSTAFF: Final = evolve(
    _CLOCKIN,
    name="plainstaff",
    source=(
        "PlainStaff: assumed. No public API and no export of it could be read. These are the German words that are "
        "likely; map the headers of your own file over them."
    ),
)

PRESETS: Final[Mapping[str, Columns]] = MappingProxyType(
    {preset.name: preset for preset in (_CLOCKIFY, _CLOCKIN, _HARVEST, _KIMAI, _PLAINSTAFF, _TOGGL)}
)
"""By name. Each says in ``source`` where it is from."""
