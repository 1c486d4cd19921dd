"""The timesheet as a PDF: what an invoice bills, entry by entry, to go with it as an attachment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time
from os import PathLike
from typing import Final, Literal

from attrs import evolve

from ..models import Attachment, Customer, InvoiceDraft, LineItem
from ..models._checks import Checks
from .billing import Billing
from .drafts import lines
from .grouping import Per, known_ones
from .sheet_content import BilledLine, Content, when
from .sheet_words import SHEET_WORDS
from .typesetting import Document, typeset
from .wording import LANGUAGES
from .work import Work

__all__ = ["timesheet_pdf"]

_NAMED: Final = 10
_PLAIN_NAME: Final = re.compile(r"[^A-Za-z0-9-]+")


def timesheet_pdf(
    work: Iterable[Work],
    draft: InvoiceDraft,
    plan: Billing,
    *,
    language: str | None = None,
    group_by: Iterable[Per | str] | None = None,
    persons: bool = True,
    notes: bool = True,
    amounts: bool = True,
    invoice_number: str | None = None,
    sender: str | None = None,
    title: str | None = None,
    filename: str | None = None,
    font: str | PathLike[str] | None = None,
    bold_font: str | PathLike[str] | None = None,
    missing: Literal["replace", "refuse"] = "replace",
) -> Attachment:
    """All work that *draft* bills (``LineItem.work``), entry by entry, with the sums of the draft. A4, as text.

    Each line of the draft is priced once more with *plan*. What does not come to the same any more was changed since,
    and is refused: a customer never gets a timesheet that disagrees with the invoice. The same input gives the same
    bytes (with the same versions of fpdf2 and zlib), so that uploading it again is recognised.

    Args:
        work: Holds what the draft bills; all else in it is passed over. Read once. Whether it is marked as billed by
            now makes no difference.
        draft: Made with *plan*, by ``invoice_drafts`` or of ``lines``. Lines without work are left out, and said to be.
        plan: With which it was priced.
        language: ``de``, ``nl`` or ``en``; None: the customer's, else the draft's, else the plan's first.
        group_by: What the entries stand together by, as in ``Grouping``, instead of by the lines of the draft. Not
            ``entry``.
        persons: Whether names of persons are printed. Without, headings are made of projects and activities, because
            the texts of lines may hold names.
        notes: Whether notes of entries are printed; likewise.
        amounts: Whether prices and sums of money are printed. Expenses and fees have their amounts in any case.
        invoice_number: Printed instead of the draft's reference, where it is known.
        sender: Printed at the top, as the app's user is called; may have several lines.
        title: Instead of "Timesheet" in the language.
        filename: Of the attachment; None: made of the title in the language and the draft's reference.
        font: Path of a TrueType or OpenType font, for names and notes in letters that the built-in Helvetica lacks. It
            has those of Western Europe, with euro sign, dashes and quotes.
        bold_font: Likewise; None: *font*.
        missing: What becomes of characters that the font lacks. ``replace``: letters are printed without the mark that
            it lacks (Paweł as Pawel), all else, as emoji, as a box; the sheet says at its end how many that were.
            ``refuse``: no sheet is made, and each is named.

    Raises:
        InvalidRequest: the draft bills work that *work* does not hold, or that came to something else; the font is
            none, or lacks characters with ``missing="refuse"``. Every problem is named.
        Unsupported: fpdf2 is not installed (extra ``pdf``).
    """
    checks = Checks("timesheet")
    pers = _pers(group_by, checks)
    _check_language(language, checks)
    for name, text in (
        ("invoice_number", invoice_number), ("sender", sender), ("title", title), ("filename", filename),
    ):  # fmt: skip
        checks.text(name, text)
    for name, flag in (("persons", persons), ("notes", notes), ("amounts", amounts)):
        checks.flag(name, flag)
    for name, path in (("font", font), ("bold_font", bold_font)):
        checks.kind(name, path, str, PathLike)
    if missing not in ("replace", "refuse"):
        checks.problem("missing", "must be replace or refuse")
    checks.done()
    billed = _billed(work, draft, plan)
    wanted = language if language is not None else _language(draft, plan, billed)
    sheet = Content(
        draft=draft,
        plan=plan,
        billed=billed,
        words=LANGUAGES[wanted[:2].lower()],
        said=SHEET_WORDS[wanted[:2].lower()],
        pers=pers,
        persons=persons,
        notes=notes,
        amounts=amounts,
    )
    heading = title or sheet.said.title
    facts = sheet.facts(invoice_number)
    columns, sections = sheet.tables()
    document = Document(
        title=heading,
        language=sheet.words.code,
        sender=sender,
        facts=facts,
        columns=columns,
        sections=sections,
        totals_heading=sheet.said.totals,
        totals=sheet.totals(),
        remarks=sheet.remarks(),
        foot=" · ".join((heading, sheet.customer, invoice_number or draft.reference)),
        page=sheet.said.page,
        continued=sheet.said.continued,
        not_printed=sheet.said.not_printed,
        # Not of the day when it is made, which would make other bytes of it the day after.
        made=datetime.combine(sheet.period.end, time(), UTC),
    )
    content = typeset(document, font=font, bold_font=bold_font, missing=missing)
    plain = _PLAIN_NAME.sub("-", draft.reference).strip("-")
    return Attachment(filename=filename or f"{sheet.said.filename}-{plain}.pdf", content=content)


def _check_language(language: object, checks: Checks) -> None:
    if language is not None and (not isinstance(language, str) or language[:2].lower() not in LANGUAGES):
        checks.problem("language", f"must be one of {', '.join(LANGUAGES)}")


def _pers(given: Iterable[Per | str] | None, checks: Checks) -> tuple[Per, ...] | None:
    if given is None:
        return None
    found: object = known_ones(Per, (given,) if isinstance(given, str) else given)
    allowed = [per for per in Per if per is not Per.ENTRY]
    if isinstance(found, tuple) and all(one in allowed for one in found):
        # Sub-projects stand below their projects, as on the lines of a draft.
        return (Per.PROJECT, *found) if Per.SUB_PROJECT in found and Per.PROJECT not in found else found
    checks.problem("group_by", f"may hold {', '.join(allowed)}")
    return None


# ---- what the draft bills, and whether it still comes to that


def _billed(work: Iterable[Work], draft: InvoiceDraft, plan: Billing) -> list[BilledLine]:
    """The lines of the draft that bill work.

    Raises:
        InvalidRequest: with everything that is missing or has changed.
    """
    checks = Checks("timesheet")
    places: dict[str, int] = {}
    for index, line in enumerate(draft.lines):
        for one in line.work if isinstance(line, LineItem) else ():
            if places.setdefault(one, index) != index:
                checks.problem(f"draft.lines[{index}].work", f"bills {one}, as lines[{places[one]}] does")
    if not places:
        checks.problem("draft", "bills no work: its lines name none, as those of invoice_drafts() and lines() do")
    found: dict[str, Work] = {}
    for index, item in enumerate(work):
        if not isinstance(item, Work):
            checks.problem(f"work[{index}]", f"must be work, as TimeEntry or Expense, not {type(item).__name__}")
        elif item.id in places and found.setdefault(item.id, item) != item:
            checks.problem(f"work[{index}]", f"has the id {item.id} of other work: which of the two is billed?")
    checks.done()
    billed = []
    for index, line in enumerate(draft.lines):
        if not isinstance(line, LineItem) or not line.work:
            continue
        at = f"draft.lines[{index}].work"
        missing = [one for one in line.work if one not in found]
        if missing:
            checks.problem(at, f"names {_counted(missing)} that the given work does not hold: hand it all over")
            continue
        works = sorted((found[one] for one in line.work), key=when)
        # Marked in the tracker since, as it should be.
        again = lines((evolve(one, billed=False) if one.billed else one for one in works), plan)
        problem = _changed(line, again.lines, [str(one) for one in again.problems])
        if problem is not None:
            cure = "make the draft anew, or give the work and the plan that it was made of"
            checks.problem(at, f"{problem}: {cure}")
        else:
            billed.append(BilledLine(item=line, works=works, statement=again.statement))
    checks.done()
    return billed


def _counted(ids: list[str]) -> str:
    return f"{len(ids)} ({', '.join(ids[:_NAMED])}{', …' * (len(ids) > _NAMED)})"


def _changed(line: LineItem, again: tuple[LineItem, ...], problems: list[str]) -> str | None:
    """How the work of a line differs from what the line says; None: it does not."""
    if problems:
        return f"cannot be billed any more: {'; '.join(problems)}"
    if len(again) != 1:
        return f"comes to {len(again)} lines with this plan, not to one"
    (same,) = again
    if set(same.work) != set(line.work):
        gone = sorted(set(line.work) - set(same.work))
        return f"names {_counted(gone)} that this plan does not bill: not billable, or outside its period"
    if (same.quantity, same.unit_price) != (line.quantity, line.unit_price):
        was = f"{line.quantity} × {line.unit_price}"
        return f"comes to {same.quantity} × {same.unit_price} by now, and the line says {was}"
    return None


def _language(draft: InvoiceDraft, plan: Billing, billed: list[BilledLine]) -> str:
    """The customer's, where there are words in it; else that of the invoice."""
    customer = draft.customer
    terms = plan.terms_of(billed[0].works[0].customer)
    known = (
        terms.language if terms is not None else None,
        customer.language if isinstance(customer, Customer) else None,
        draft.language,
        plan.texts[0].language,
    )
    return next(one for one in known if one is not None and one[:2].lower() in SHEET_WORDS)
