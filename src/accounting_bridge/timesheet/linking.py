"""Settings by customer. A number and an id of the tracker are never taken for one another, however alike they look.

Plain text as a key is the customer number, as it is in ``TimeEntry(customer="10001")``. ``CustomerLink(id="291")`` is
the tracker's customer 291.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from ..models._checks import Checks
from .work import CustomerLink

__all__ = ["ByCustomer", "as_link", "check_keys", "is_known_by_id", "key_text"]

V = TypeVar("V")


@frozen
class ByCustomer(Generic[V]):
    """A mapping of settings, its keys told apart."""

    given: Mapping[str | CustomerLink, V]
    by_number: Mapping[str, V] = field(init=False)
    by_id: Mapping[str, V] = field(init=False)

    def __attrs_post_init__(self) -> None:
        numbers, ids = {}, {}
        for key, value in self.given.items():
            link = as_link(key)
            if link.id is not None:
                ids[link.id] = value
            elif link.number is not None:
                numbers[link.number] = value
        object.__setattr__(self, "by_number", numbers)
        object.__setattr__(self, "by_id", ids)

    def of_number(self, link: CustomerLink) -> V | None:
        """What is set by its customer number."""
        return self.by_number.get(link.number) if link.number is not None else None

    def of_id(self, link: CustomerLink) -> V | None:
        """What is set by the tracker's id of it."""
        return self.by_id.get(link.id) if link.id is not None else None

    def is_misread(self, link: CustomerLink) -> bool:
        """Whether a number in these keys is the same text as the id of this customer, for which nothing is set."""
        own = link.id
        return own is not None and own != link.number and own in self.by_number and own not in self.by_id


def is_known_by_id(link: CustomerLink) -> bool:
    """Whether its id tells it from others. A file without ids has names in their place, and there a number counts for
    more than how a name is spelt."""
    return link.id is not None and (link.number is None or link.id != link.name)


def as_link(key: str | CustomerLink) -> CustomerLink:
    """Of plain text: the customer number."""
    return CustomerLink(number=key) if isinstance(key, str) else key


def key_text(key: Any) -> str:
    """As people would write it."""
    if not isinstance(key, CustomerLink):
        return str(key)
    name, value = ("id", key.id) if key.id is not None else ("number", key.number)
    return f"CustomerLink({name}={value!r})"


def check_keys(checks: Checks, name: str, given: Mapping[Any, Any]) -> None:
    """Note which keys name no customer, or one that another key names with another value."""
    named: dict[CustomerLink, object] = {}
    for key, value in given.items():
        at = f"{name}[{key_text(key)}]"
        if not isinstance(key, CustomerLink):
            checks.text(at, key, required=True)
            if not isinstance(key, str):
                continue
        elif key.number is None and key.id is None:
            checks.problem(at, "names no customer: give number or id")
        link = as_link(key)
        own = CustomerLink(id=link.id) if link.id is not None else CustomerLink(number=link.number)
        if named.setdefault(own, value) != value:
            checks.problem(at, "is set twice, and not alike")
