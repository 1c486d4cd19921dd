"""Which scopes open an operation, and which product variants have it: a mark beside its route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from attrs import frozen

F = TypeVar("F", bound=Callable[..., Any])

SALES: Final = ("ea:sales",)
SALES_READ: Final = ("ea:sales", "ea:sales_readonly")
ACCOUNTING: Final = ("ea:accounting",)
ACCOUNTING_READ: Final = ("ea:accounting", "ea:accounting_readonly")
PURCHASE_READ: Final = ("ea:purchase", "ea:purchase_readonly")

STANDARD, INVOICING, BOOKKEEPING, SOLO, PRO, COLLABORATION = range(1, 7)
EVERY_VARIANT: Final = frozenset(range(1, 7))
SALES_VARIANTS: Final = EVERY_VARIANT - {BOOKKEEPING}
VOUCHER_WRITERS: Final = frozenset({STANDARD, BOOKKEEPING, SOLO, PRO})

_MARK: Final = "__visma_access__"


@frozen
class Access:
    """Any of the scopes opens the operation."""

    scopes: tuple[str, ...]
    variants: frozenset[int]


def needs(*scopes: str, variants: frozenset[int] = EVERY_VARIANT) -> Callable[[F], F]:
    """Mark a handler; the gate refuses an unmarked one."""

    def mark(function: F) -> F:
        setattr(function, _MARK, Access(scopes, variants))
        return function

    return mark


def access_of(handler: Callable[..., Any]) -> Access:
    """Return what a handler was marked with."""
    found = getattr(handler, _MARK, None)
    assert isinstance(found, Access), f"{handler!r} has no scopes"
    return found
