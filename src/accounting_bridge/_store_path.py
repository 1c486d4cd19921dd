"""Where a store keeps its file: checked alike by all stores, before anything is opened or made."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import Problem


def path_problems(path: object) -> list[Problem]:
    """What is wrong with it as the path of a file."""
    if isinstance(path, str | os.PathLike):
        return []
    return [Problem("path", f"must be the path of a file, not {type(path).__name__}")]


def in_folder(path: str | os.PathLike[str], what: str) -> Path:
    """The path, resolved: a process may change its directory between two calls.

    Raises:
        FileNotFoundError: its folder does not exist.
    """
    resolved = Path(path).resolve()
    if not resolved.parent.is_dir():
        cure = "make it, or mount the volume that it is on"
        raise FileNotFoundError(f"the folder of the {what} does not exist: {resolved.parent}; {cure}")
    return resolved
