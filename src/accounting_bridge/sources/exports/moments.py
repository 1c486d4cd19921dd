"""From clock faces to instants: entries over midnight, and the two nights a year when the clocks change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from .cells import Moment, Span, Unreadable

__all__ = ["Stretch", "instant_of", "stretch_of"]

LONGEST_NIGHT: Final = timedelta(hours=16)
"""An end before its start is on the next day, unless that would make more than this: then it is a slip."""

Stretch = tuple[datetime, datetime]


def instants(face: datetime, zone: ZoneInfo) -> list[datetime]:
    """The instants at which the clocks show this: one; two where they were set back; none where they were set on."""
    if face.tzinfo is not None:
        return [face.astimezone(zone)]
    first, second = face.replace(tzinfo=zone), face.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return [first]
    back = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return [first, second] if back == face else []


def instant_of(moment: Moment, zone: ZoneInfo) -> datetime:
    """When it was; the first of two, as nothing is counted from it."""
    found = instants(moment.face, zone)
    if not found:
        raise Unreadable(_skipped(zone))
    return found[0]


def stretch_of(
    start: Moment, end: Moment, zone: ZoneInfo, *, pause: timedelta, said: Span | None, next_day: bool, lenient: bool
) -> Stretch:
    """When it began and ended.

    Args:
        start: where it began.
        end: where it ended.
        zone: of the clocks.
        pause: to be taken off.
        said: the duration, where a column has it. In a night when the clocks were set back it decides which of the
            two hours is meant.
        next_day: whether an end before the start is on the next day.
        lenient: whether *said* counts where it disagrees.

    Raises:
        Unreadable: it cannot be told, or it is not what the duration says.
    """
    faces = (start.face.replace(tzinfo=None), end.face.replace(tzinfo=None))
    if next_day and faces[1] < faces[0]:
        end = end._replace(face=end.face + timedelta(days=1))
        if faces[1] + timedelta(days=1) - faces[0] > LONGEST_NIGHT:
            raise Unreadable("the end lies before the start, and on the next day it would be more than 16 hours")
    starts, ends = instants(start.face, zone), instants(end.face, zone)
    if not starts or not ends:
        raise Unreadable(_skipped(zone))
    possible = list(_pairs(starts, ends))
    if not possible:
        raise Unreadable("the end lies before the start")
    if said is not None:
        margin = said.step + max(start.step, end.step)
        agreeing = [one for one in possible if abs(one[1] - pause - said.length) < margin]
        if not agreeing and not lenient:
            passed = possible[0][1] - pause
            raise Unreadable(
                f"is {_clock(said.length)}, but from start to end{' less the pause' if pause else ''} it is "
                f"{_clock(passed)}: map 'pause', or set 'duration_wins'"
            )
        possible = agreeing or possible
    elif possible[0][1] < pause:
        raise Unreadable("the pause is longer than the time from start to end")
    if said is None and len({passed for _, passed in possible}) > 1:
        raise Unreadable(
            f"that night the clocks in {zone.key} showed this hour twice: a duration, or times with their offset, "
            "would tell which one is meant"
        )
    return possible[0][0]


def _pairs(starts: list[datetime], ends: list[datetime]) -> Iterator[tuple[Stretch, timedelta]]:
    """The stretches that there may be, each with the time that passes in it."""
    for start in starts:
        for end in ends:
            passed = end.astimezone(UTC) - start.astimezone(UTC)
            if passed >= timedelta(0):
                yield (start, end), passed


def _clock(length: timedelta) -> str:
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")


def _skipped(zone: ZoneInfo) -> str:
    return f"is a time that the clocks in {zone.key} left out that night: see 'zone'"
