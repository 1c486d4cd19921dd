"""From work to lines and drafts: :func:`lines` and :func:`invoice_drafts`.

Work is read once, in any order, and summed up at once: what is kept of it is its id (lines know what they bill) and,
where texts print them, its notes. All else grows with lines, not with entries. The same work gives the same drafts,
in whatever order it came.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from ..errors import InvalidRequest
from ..models import InvoiceDraft, LineItem, ServicePeriod
from ..money import ZERO, difference, total
from .billing import Billing
from .collecting import Collector
from .naming import draft_texts, reference_of
from .one_draft import Sheet
from .outcome import LeftOut, Reason, Statement, WorkDrafts, WorkLines, WorkProblem
from .tally import Finished, NotPrintable
from .telling import same_texts
from .wording import LANGUAGES
from .work import Work, WorkKind

__all__ = ["invoice_drafts", "lines"]

_NOTHING = timedelta(0)


def lines(work: Iterable[Work], plan: Billing) -> WorkLines:
    """Line items alone, to put into an invoice that a person builds.

    Whom it is for is that person's business: a customer that is not linked is no problem here. All of it has to be
    in one currency. Texts are in the plan's first language.

    Args:
        work: Of one invoice; read once.
        plan: How it is priced, grouped and printed.

    Raises:
        InvalidRequest: something in *work* is no work.
    """
    collector = Collector(plan, alone=True)
    collector.gather(work)
    problems = collector.problems()
    sheets = collector.sheets()
    if len(sheets) > 1:
        currencies = ", ".join(sorted(sheet.currency or "the plan's" for sheet in sheets))
        message = f"an invoice has one currency, and this work is in {currencies}: hand over one after the other"
        problems += [_problem(Reason.CURRENCY, message, sheet.ids) for sheet in sheets]
        sheets = []
    result = _Result(plan)
    for sheet in sheets:
        result.finish_lines(sheet, collector)
    statement = result.state(None)
    return WorkLines(
        lines=tuple(done.item for done in result.done),
        statement=statement,
        problems=tuple(problems + result.problems),
        notes=tuple(_notes(plan, collector.left_out(), [statement]) + result.notes),
        left_out=collector.left_out(),
    )


def invoice_drafts(work: Iterable[Work], plan: Billing) -> WorkDrafts:
    """One draft for each customer or project (``plan.per``) and currency.

    References depend on customer, project and period only, so that a rerun over the same work makes the same drafts.

    Args:
        work: Of any customers, in any order; read once.
        plan: How it is selected, priced, grouped and printed.

    Raises:
        InvalidRequest: something in *work* is no work.
    """
    collector = Collector(plan, alone=False)
    collector.gather(work)
    problems = collector.problems()
    made: list[tuple[InvoiceDraft, Statement, list[str]]] = []
    for sheet in collector.sheets():
        result = _Result(plan)
        result.finish_lines(sheet, collector)
        problems += result.problems
        if not result.done:
            continue
        try:
            reference = reference_of(plan, sheet, result.period, result.ids)
            draft = _draft(plan, sheet, result, reference)
        except InvalidRequest as exc:
            problems.append(_problem(Reason.REFUSED, _said(exc, f"the draft for {sheet.name}"), result.ids))
            continue
        made.append((draft, result.state(reference), result.notes))
    kept, twice = _unique(made)
    problems += twice
    statements = tuple(statement for _, statement, _ in kept)
    notes = _notes(plan, collector.left_out(), statements)
    notes += [f"{draft.reference}: {note}" for draft, _, said in kept for note in said]
    return WorkDrafts(
        drafts=tuple(draft for draft, _, _ in kept),
        statements=statements,
        problems=tuple(problems),
        notes=tuple(notes),
        left_out=collector.left_out(),
    )


class _Result:
    """The lines of one sheet, and what went wrong with them."""

    def __init__(self, plan: Billing) -> None:
        self.plan = plan
        self.done: list[Finished] = []
        self.problems: list[WorkProblem] = []
        self.notes: list[str] = []
        self.tracked = self.charged = _NOTHING
        self.period: ServicePeriod | None = None
        self.taken_out: set[Decimal] = set()

    @property
    def ids(self) -> list[str]:
        return [one for done in self.done for one in done.item.work]

    def finish_lines(self, sheet: Sheet, collector: Collector) -> None:
        rates: dict[str, set[Decimal]] = {}
        for tally in sheet.in_order():
            if (mistaken := collector.taken_for_another(tally)) is not None:
                self.problems.append(_problem(Reason.AMBIGUOUS, f"{sheet.name}: {mistaken}", tally.ids))
                continue
            try:
                done = tally.finish(self.plan, sheet.words, sheet.currency, sheet.names)
            except NotPrintable as exc:
                self.problems.append(_problem(exc.reason, f"{sheet.name}: {exc.message}", tally.ids))
                continue
            except InvalidRequest as exc:
                self.problems.append(_problem(Reason.REFUSED, _said(exc, f"a line for {sheet.name}"), tally.ids))
                continue
            self.done.append(done)
            if tally.kind is WorkKind.HOURS:
                rates.setdefault(done.item.description, set()).add(tally.rate)
            if tally.taken_out:
                self.taken_out.add(tally.taken_out)
            self.tracked += tally.tracked
            self.charged += tally.charged
            first, last = tally.first, tally.last
            if self.period is not None:
                first, last = min(first, self.period.start), max(last, self.period.end)
            self.period = ServicePeriod(start=first, end=last)
            if done.note is not None:
                self.notes.append(done.note)
        if len(self.done) > self.plan.most_lines:
            cure = "group more (Billing.grouping), or bill a shorter period"
            message = f"{sheet.name}: {len(self.done)} lines, and a draft takes {self.plan.most_lines}: {cure}"
            self.problems.append(_problem(Reason.TOO_MANY_LINES, message, self.ids))
            self.done, self.notes = [], []
            self.tracked = self.charged = _NOTHING
        if self.done:
            self.notes += _notes_of(sheet, self.taken_out)
            alike = [(text.split("\n", 1)[0], found) for text, found in sorted(rates.items()) if len(found) > 1]
            self.notes += [same_texts(text, found) for text, found in alike]

    def state(self, reference: str | None) -> Statement:
        return Statement(
            reference=reference,
            amount=total(done.amount for done in self.done),
            exact_amount=total(done.exact_amount for done in self.done),
            tracked=self.tracked,
            charged=self.charged,
            printed_hours=total(done.printed_hours for done in self.done),
            line_differences=tuple(filter(None, (difference(done.amount, done.exact_amount) for done in self.done))),
        )


def _draft(plan: Billing, sheet: Sheet, result: _Result, reference: str) -> InvoiceDraft:
    terms = sheet.terms
    items: tuple[LineItem, ...] = tuple(done.item for done in result.done)
    introduction, closing, note = draft_texts(plan, sheet, result.period, result.charged)
    billed = set(result.ids) if plan.attach_receipts else set()
    orders = sorted({order for project in sheet.projects if (order := project.order_reference)})
    order = terms.order_reference if terms is not None else None
    if order is None and plan.order_reference and orders:
        order = orders[0] if len(orders) == 1 else None
        if order is None:
            result.notes.append(f"several order numbers, so that none is the invoice's: {', '.join(orders)}")
    days = terms.payment_terms_days if terms is not None else None
    discount = terms.discount_percent if terms is not None else None
    assert sheet.customer is not None
    return InvoiceDraft(
        reference=reference,
        customer=sheet.customer,
        lines=items,
        issue_date=plan.issue_date,
        payment_terms_days=plan.payment_terms_days if days is None else days,
        currency=sheet.currency,
        prices_include_tax=plan.prices_include_tax,
        tax_treatment=sheet.treatment,
        service_period={"work": result.period, "period": plan.period, "off": None}[plan.service_period],
        introduction=introduction,
        closing=closing,
        project_note=note,
        order_reference=order,
        language=sheet.texts.language if plan.language_on_draft else None,
        discount_percent=plan.discount_percent if discount is None else discount,
        attachments=tuple(file for _, one, file in sorted(sheet.receipts, key=lambda r: r[:2]) if one in billed),
    )


def _notes_of(sheet: Sheet, taken_out: set[Decimal]) -> list[str]:
    """What the settings did to one draft that nobody may have meant."""
    notes = sheet.names.notes()
    if taken_out:
        rates = ", ".join(f"{rate:f}" for rate in sorted(taken_out))
        notes.append(f"VAT of {rates} % is taken out of the prices, because {sheet.treatment} charges none")
    language, written = sheet.language, sheet.texts.language
    if language is not None and language[:2].lower() != written:
        there = language[:2].lower() in LANGUAGES
        cure = f": add Texts(language={language[:2].lower()!r}) to Billing.texts" if there else ""
        notes.append(f"the customer's language is {language}, and the plan's texts are in {written}{cure}")
    for setting in sorted(sheet.misread):
        meant = "if the tracker's id was meant, make the key CustomerLink(id=…)"
        notes.append(f"{setting} is read as a customer number, and is also the tracker's id of {sheet.name}: {meant}")
    return notes


def _unique(
    made: list[tuple[InvoiceDraft, Statement, list[str]]],
) -> tuple[list[tuple[InvoiceDraft, Statement, list[str]]], list[WorkProblem]]:
    """Drafts whose reference no other has: of two with one reference only one could ever be made."""
    by_reference: dict[str, list[tuple[InvoiceDraft, Statement, list[str]]]] = {}
    for one in made:
        by_reference.setdefault(one[0].reference, []).append(one)
    problems = []
    for reference, several in by_reference.items():
        if len(several) > 1:
            ids = [name for draft, _, _ in several for item in draft.items for name in item.work]
            cure = "let it hold {customer}, for drafts per project {project}, for several currencies {currency}"
            message = f"{len(several)} drafts would have the reference {reference!r}: {cure}"
            problems.append(_problem(Reason.REFERENCE, message, ids))
    return [several[0] for several in by_reference.values() if len(several) == 1], problems


def _notes(plan: Billing, left_out: LeftOut, statements: Iterable[Statement]) -> list[str]:
    notes = []
    if plan.rounding.direction != "none":
        notes.append(str(plan.rounding))
    counts = [
        f"{count} {what}"
        for count, what in (
            (left_out.not_billable, "not billable"), (left_out.billed, "billed already"),
            (left_out.outside_period, "outside the period"),
        )
        if count
    ]  # fmt: skip
    if counts:
        notes.append(f"left out: {', '.join(counts)}")
    for one in statements:
        said = f"{one.reference}: " if one.reference is not None else ""
        if one.line_differences:
            times = f"{one.printed_hours} h printed come to {one.amount}, exact time to {one.exact_amount}"
            off = one.line_differences
            single = f"; the single lines by {min(off):+} to {max(off):+}" if min(off) < ZERO < max(off) else ""
            notes.append(f"{said}{times} ({one.difference:+}{single})")
        if one.amount < ZERO:
            notes.append(
                f"{said}comes to {one.amount}: below zero it is a credit, which not all vendors take as an invoice"
            )
    return notes


def _problem(reason: Reason, message: str, ids: Iterable[str]) -> WorkProblem:
    return WorkProblem(reason=reason, message=message, work=tuple(sorted(ids)))


def _said(exc: InvalidRequest, what: str) -> str:
    return f"{what} is not valid: {'; '.join(map(str, exc.problems)) or exc.message}"
