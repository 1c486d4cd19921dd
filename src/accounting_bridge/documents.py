"""Drafts and issued invoices as JSON: for files, queues and command lines.

The keys are the fields of the models. A line without ``unit_price`` is a text line; a customer with a ``name`` is a
customer, one without is a reference. Amounts may be numbers or numbers in quotes; neither passes through a float.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import attrs
from cattrs import Converter, transform_error
from cattrs.gen import make_dict_structure_fn

from .errors import InvalidRequest, MalformedResponse, Problem
from .flow import Response
from .models import (
    Address,
    Contact,
    Customer,
    CustomerRef,
    InvoiceDraft,
    IssuedInvoice,
    Line,
    LineItem,
    ServicePeriod,
    TextLine,
)
from .wire import loads, strict_converter

T = TypeVar("T")


def read_draft(source: str | bytes) -> InvoiceDraft:
    """An invoice draft from JSON.

    Raises:
        InvalidRequest: with every unknown, missing or wrong field.
    """
    return _read(source, InvoiceDraft)


def read_issued(source: str | bytes, *, pdf: bytes | None = None) -> IssuedInvoice:
    """An issued invoice from JSON; its PDF, which JSON cannot hold, comes beside it.

    Raises:
        InvalidRequest: with every unknown, missing or wrong field.
    """
    issued = _read(source, IssuedInvoice)
    return issued if pdf is None else attrs.evolve(issued, pdf=pdf)


def _read(source: str | bytes, kind: type[T]) -> T:
    body = source.encode("utf-8") if isinstance(source, str) else source
    try:
        return _converter.structure(loads(Response(status=200, body=body)), kind)
    except MalformedResponse as exc:
        raise InvalidRequest(exc.message.replace("the answer", "the document")) from None
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
    kinds = (Address, Contact, Customer, CustomerRef, ServicePeriod, LineItem, TextLine, InvoiceDraft, IssuedInvoice)
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
