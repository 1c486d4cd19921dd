"""What the vendor checks in a sales invoice before it is stored, and what it reads from it."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from attrs import define

from .books import Books
from .chart import VAT_OPTIONS, Currency, PaymentCondition, Template
from .fields import Fields
from .formats import whole_of
from .line_rules import LineRules
from .reference import Reference
from .totals import Line

KNOWN: Final = frozenset(
    {
        "relation_id", "contact_name", "reference", "invoice_date", "delivery_date", "payment_condition_id",
        "currency_id", "vat_option", "template_id", "comment", "footer", "attachments", "lines",
    }
)  # fmt: skip
"""There is no number, due date, total or file: those were each seen to be refused."""


@define
class InvoiceData:
    """What a checked body comes to; ``attachments`` None leaves those of the shared library as they are."""

    relation_id: int
    day: date
    condition: PaymentCondition
    currency: Currency
    template: Template
    vat_option: str
    lines: tuple[Line, ...]
    delivery_day: date | None
    contact_name: str | None
    reference: str | None
    comment: str | None
    footer: str | None
    attachments: tuple[int, ...] | None


def read_invoice(body: dict[str, Any], books: Books, reference: Reference) -> InvoiceData:
    """Check a body; refuses it with every problem listed."""
    problems: dict[str, str] = {}
    fields = Fields(body, books.assumptions, problems)
    fields.only(KNOWN)
    relation_id = fields.whole("relation_id", needed=True)
    day = fields.day("invoice_date", needed=True)
    delivery_day = fields.day("delivery_date", needed=books.administration.needs_delivery_date)
    condition = read_condition(fields, reference)
    currency_id = fields.whole("currency_id", needed=True)
    currency = reference.currency(currency_id)
    if currency_id is not None and currency is None:
        fields.refuse("currency_id")
    template_id = fields.whole("template_id", needed=True)
    template = reference.template(template_id)
    if template_id is not None and template is None:
        fields.refuse("template_id")
    vat_option = fields.choice("vat_option", VAT_OPTIONS, needed=True)
    texts = {name: fields.text(name) for name in ("contact_name", "reference", "comment", "footer")}
    attachments = _attachments(fields, reference)
    rules = LineRules(books, reference, problems, vat_option)
    lines = rules.invoice_lines(fields.rows("lines"))
    if (
        problems
        or relation_id is None
        or day is None
        or condition is None
        or currency is None
        or template is None
        or vat_option is None
    ):
        raise books.answers.invalid(problems)
    return InvoiceData(
        relation_id=relation_id,
        day=day,
        condition=condition,
        currency=currency,
        template=template,
        vat_option=vat_option,
        lines=lines,
        delivery_day=delivery_day,
        attachments=attachments,
        **texts,
    )


def read_condition(fields: Fields, reference: Reference) -> PaymentCondition | None:
    """Read the required terms of payment."""
    identifier = fields.whole("payment_condition_id", needed=True)
    condition = reference.condition(identifier)
    if identifier is not None and condition is None:
        fields.refuse("payment_condition_id")
    return condition


def _attachments(fields: Fields, reference: Reference) -> tuple[int, ...] | None:
    given = fields.body.get("attachments")
    if given is None:
        return None
    keys = [whole_of(key) for key in given] if isinstance(given, list) else [None]
    found = tuple(key for key in keys if key is not None and key in reference.library)
    if len(found) != len(keys):
        fields.refuse("attachments")
    return found
