"""What a token store is opened with, checked before anything is opened or made: all that is wrong in one error."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from .._store_path import in_folder, path_problems
from ..clock import Clock, SystemClock
from ..errors import InvalidRequest, Problem
from .crypto import Key, Sealer


def opening(path: str | os.PathLike[str], key: Key | Sequence[Key], clock: Clock | None) -> tuple[Path, Sealer, Clock]:
    """The file, resolved; what seals with the key; and the clock.

    Raises:
        InvalidRequest: an argument is not what it should be.
        FileNotFoundError: the folder does not exist.
    """
    problems = path_problems(path)
    sealer = None
    try:
        sealer = Sealer(key)
    except InvalidRequest as exc:
        problems += exc.problems
    try:
        clock = checked_clock(clock)
    except InvalidRequest as exc:
        problems += exc.problems
    if problems or sealer is None or clock is None:
        raise InvalidRequest("the token store was not opened", problems=problems)
    # Resolved for one more reason: to rename over a symbolic link would replace the link.
    return in_folder(path, "token store"), sealer, clock


def checked_clock(clock: Clock | None) -> Clock:
    """*clock*, or the machine's own.

    Raises:
        InvalidRequest: it is no clock.
    """
    if clock is None:
        return SystemClock()
    if isinstance(clock, type) or not (hasattr(clock, "now") and hasattr(clock, "monotonic")):
        what = f"the class {clock.__name__}" if isinstance(clock, type) else type(clock).__name__
        problem = Problem("clock", f"must be an object with now() and monotonic(), not {what}")
        raise InvalidRequest("the token store was not opened", problems=[problem])
    return clock
