"""What the suites of odd records and odd pages share: a change anywhere in a record, and an import with it."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from sandboxed import Vendor, change_page
from vendor_case import HIDDEN

import accounting_bridge as ab


def paths_in(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a record."""
    if at:
        yield at
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield from paths_in(member, (*at, name))


def changed(record: Any, at: tuple[Any, ...], value: Any = ..., *, drop: bool = False) -> Any:
    copy = deepcopy(record)
    spot = copy
    for name in at[:-1]:
        spot = spot[name]
    if drop:
        del spot[at[-1]]
    else:
        spot[at[-1]] = value
    return copy


def imported(vendor: Vendor) -> tuple[list[ab.Customer], Any]:
    with vendor.connect() as provider:
        customers = list(run := provider.import_customers())
    return customers, run


def import_with(vendor: Vendor, *odd: Any) -> tuple[list[ab.Customer], Any]:
    """An import whose page holds *odd* in the middle."""
    vendor.box.mutate(vendor.paths.customers, change_page(lambda records: records.insert(4, *odd), vendor))
    return imported(vendor)


def assert_told(vendor: Vendor, run: Any, *where: str) -> None:
    """The one odd record is in ``.skipped`` and went to the hook, with paths and without values."""
    (drift,) = run.skipped
    assert vendor.drifts == [drift]
    assert not run.complete
    assert (drift.vendor, drift.what) == (vendor.name, "customer")
    assert all(any(part in problem for problem in drift.problems) for part in where), drift.problems
    assert HIDDEN not in repr(drift)
