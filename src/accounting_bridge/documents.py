"""Drafts, issued invoices and plans as JSON: for files, queues and command lines.

The keys are the fields of the models. A line without ``unit_price`` is a text line; a customer with a ``name`` is a
customer, one without is a reference. Amounts may be numbers or numbers in quotes; neither passes through a float. Files
are base64.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeVar

import attrs
from cattrs import Converter, transform_error
from cattrs.gen import make_dict_structure_fn

from .errors import InvalidRequest, MalformedResponse, Problem
from .flow import Response
from .models import (
    Address,
    Attachment,
    Contact,
    Customer,
    CustomerRef,
    InvoiceDraft,
    InvoicePlan,
    IssuedInvoice,
    Line,
    LineItem,
    RateTotal,
    SalePlan,
    ServicePeriod,
    TextLine,
    Totals,
)
from .wire import dumps, loads, strict_converter

T = TypeVar("T")

_PLAN_VERSION: Final = 1
_PLANS: Final[Mapping[str, type[InvoicePlan | SalePlan]]] = {"invoice": InvoicePlan, "sale": SalePlan}
_HEAD: Final = frozenset({"accounting_bridge_plan", "kind", "holes"})


def read_draft(source: str | bytes) -> InvoiceDraft:
    """An invoice draft from JSON.

    Raises:
        InvalidRequest: with every unknown, missing or wrong field.
    """
    return _read(source, InvoiceDraft)


def read_issued(source: str | bytes, *, pdf: bytes | None = None) -> IssuedInvoice:
    """An issued invoice from JSON; its PDF may come beside it.

    Raises:
        InvalidRequest: with every unknown, missing or wrong field.
    """
    issued = _read(source, IssuedInvoice)
    return issued if pdf is None else attrs.evolve(issued, pdf=pdf)


def write_plan(plan: InvoicePlan | SalePlan) -> str:
    """A plan as one JSON document: looked at by a person, applied later or elsewhere.

    The bytes that would be sent stand in ``body`` as text; ``holes`` names what only the vendor can give. Files are in
    it, credentials are not. :func:`read_plan` notices every change.
    """
    kind = "invoice" if isinstance(plan, InvoicePlan) else "sale"
    holes = ["customer_id"] if plan.customer_id is None else []
    head = {"accounting_bridge_plan": _PLAN_VERSION, "kind": kind, "holes": holes}
    return dumps({**head, **_plain(plan), "body": plan.body.decode("utf-8")}).decode("utf-8")


def read_plan(source: str | bytes) -> InvoicePlan | SalePlan:
    """The plan that :func:`write_plan` wrote.

    Raises:
        InvalidRequest: it is none, one of a later version, or was changed.
    """
    content = _loaded(source)
    kind: Any = _PLANS.get(str(content.get("kind"))) if isinstance(content, Mapping) else None
    if kind is None or content.get("accounting_bridge_plan") != _PLAN_VERSION:
        problem = Problem("accounting_bridge_plan", "this is no plan, or one of another version of the library")
        raise InvalidRequest("this is not a valid plan", problems=[problem])
    fields = {name: value for name, value in content.items() if name not in _HEAD}
    body = fields.get("body")
    if isinstance(body, str):
        fields["body"] = base64.b64encode(body.encode("utf-8")).decode("ascii")
    plan: InvoicePlan | SalePlan = _structured(fields, kind)
    if plan.digest != plan.computed_digest():
        problem = Problem("digest", "does not fit the plan: it was changed after it was made")
        raise InvalidRequest("this is not a valid plan", problems=[problem])
    return plan


def _plain(value: Any) -> Any:
    """What JSON can hold, without what is not set."""
    match value:
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Enum():
            return value.value
        case date():
            return value.isoformat()
        case None | bool() | int() | str() | Decimal():
            return value
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            parts = {field: getattr(value, field.name) for field in attrs.fields(type(value))}
            return {field.name: _plain(part) for field, part in parts.items() if part not in (field.default, ())}


def _read(source: str | bytes, kind: type[T]) -> T:
    return _structured(_loaded(source), kind)


def _loaded(source: str | bytes) -> Any:
    body = source.encode("utf-8") if isinstance(source, str) else source
    try:
        return loads(Response(status=200, body=body))
    except MalformedResponse as exc:
        raise InvalidRequest(exc.message.replace("the answer", "the document")) from None


def _structured(content: Any, kind: type[T]) -> T:
    try:
        return _converter.structure(content, kind)
    except Exception as exc:  # noqa: BLE001 whatever the file holds, its author is told what is wrong where
        problems = _problems(exc)
        raise InvalidRequest(f"this is not a valid {kind.__name__}", problems=problems) from None


def _problems(exc: BaseException) -> list[Problem]:
    """Every problem with its path; those that a model named itself keep their words."""
    return [_problem(text) for text in transform_error(exc, path="", format_exception=_say)]


def _problem(text: str) -> Problem:
    message, _, path = text.rpartition(" @ ")
    return Problem(path.lstrip("."), message)


def _say(exc: BaseException, expected: type | None) -> str:
    if isinstance(exc, InvalidRequest):
        return "; ".join(str(problem) for problem in exc.problems) or exc.message
    if isinstance(exc, KeyError):
        return "is missing"
    if isinstance(exc, TypeError) and str(exc).startswith("expected "):
        return str(exc)
    extra = getattr(exc, "extra_fields", None)
    if extra:
        return f"unknown: {', '.join(sorted(extra))}"
    return f"is not a valid {getattr(expected, '__name__', 'value')}"


def _converter_for_input() -> Converter:
    """Strict about keys as well: a misspelt field of an invoice must not be dropped."""
    converter = strict_converter()
    converter.register_structure_hook(Line, _line(converter))
    converter.register_structure_hook(Customer | CustomerRef, _customer(converter))
    # Parts before wholes: a class is bound to the hooks of its parts that there are when it is registered.
    converter.register_structure_hook(bytes, _file)
    kinds = (
        Address, Contact, Customer, CustomerRef, ServicePeriod, LineItem, TextLine, Attachment, InvoiceDraft,
        IssuedInvoice, RateTotal, Totals, InvoicePlan, SalePlan,
    )  # fmt: skip
    for kind in kinds:
        structure = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)
        converter.register_structure_hook(kind, _objects_only(structure))
    return converter


def _objects_only(structure: Any) -> Any:
    def hook(value: Any, kind: Any) -> Any:
        if not isinstance(value, Mapping):
            raise TypeError(f"expected an object, found {type(value).__name__}")
        return structure(value, kind)

    return hook


def _file(value: Any, _: Any) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"expected base64 text, found {type(value).__name__}")
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        raise TypeError("expected base64 text") from None


def _line(converter: Converter) -> Any:
    def hook(value: Any, _: Any) -> Line:
        charged = isinstance(value, Mapping) and set(value) != {"description"}
        return converter.structure(value, LineItem) if charged else converter.structure(value, TextLine)

    return hook


def _customer(converter: Converter) -> Any:
    def hook(value: Any, _: Any) -> Customer | CustomerRef:
        whole = isinstance(value, Mapping) and "name" in value
        return converter.structure(value, Customer) if whole else converter.structure(value, CustomerRef)

    return hook


_converter: Final = _converter_for_input()
