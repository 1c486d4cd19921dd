"""What a sandbox is made and served with, checked before anything is made: all that is wrong in one error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Final, TypeAlias

Wanted: TypeAlias = type | UnionType
Own: TypeAlias = Mapping[str, tuple[object, Wanted]]
"""Options by name: what was given, and the class that it should have. Of ``int``: a count, from 0 on."""

_LONGEST_LAG: Final = 365 * 86400


class WrongOptions(ValueError):
    """Options that no sandbox can be made of; ``problems`` has a sentence for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def check_options(
    *, customers: object, seed: object, clock: object, rate_limit: object, index_lag: object, own: Own
) -> None:
    """Raise :class:`WrongOptions` unless all of them are what they should be; *own* are the vendor's."""
    problems = wrong_kinds({"customers": (customers, int)})
    if isinstance(seed, bool) or not isinstance(seed, int):
        problems.append(f"seed must be int, not {_shown(seed)}")
    if clock is not None and (isinstance(clock, type) or not callable(clock)):
        problems.append(f"clock must be called for the present instant, as VirtualClock(), not {_shown(clock)}")
    problems += wrong_kinds({"rate_limit": (rate_limit, bool)})
    if isinstance(index_lag, bool) or not isinstance(index_lag, int | float):
        problems.append(f"index_lag must be a number of seconds, not {_shown(index_lag)}")
    elif not 0 <= index_lag <= _LONGEST_LAG:
        problems.append("index_lag must be a number of seconds, not negative and at most a year")
    problems += wrong_kinds(own)
    if problems:
        raise WrongOptions(problems)


def wrong_kinds(given: Own) -> list[str]:
    """A sentence for each that has not the class that it should have. No value is shown: it may be a key."""
    problems = []
    for name, (value, wanted) in given.items():
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            problems.append(f"{name} must be {_named(wanted)}, not {_shown(value)}")
        elif isinstance(value, int) and value < 0:
            problems.append(f"{name} must not be negative")
    return problems


def _named(wanted: Wanted) -> str:
    kinds = wanted.__args__ if isinstance(wanted, UnionType) else (wanted,)
    return " or ".join(kind.__name__ for kind in kinds if kind is not type(None))


def _shown(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
