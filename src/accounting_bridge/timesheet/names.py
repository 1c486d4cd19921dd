"""One name for each id, whatever names it came with: a project that was renamed in between stays one project."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from .work import Label, Project, Work

__all__ = ["NAMED", "Names"]

NAMED: Final = ("project", "sub_project", "activity", "person")
"""What of work has an id and a name."""


@frozen
class Names:
    """Of the work on one draft. The first in the alphabet is used, so that the order of the work changes nothing."""

    _found: dict[tuple[str, str], set[str]] = field(factory=dict, init=False)

    def learn(self, work: Work) -> None:
        """Take in what these are called."""
        parts: tuple[Project | Label | None, ...] = (work.project, work.sub_project, work.activity, work.person)
        for what, part in zip(NAMED, parts, strict=True):
            if part is not None and part.name:
                self._found.setdefault((_kind(what), part.id), set()).add(part.name)

    def of(self, what: str, own: str) -> str:
        """The name of the one with this id; the id where it has none."""
        found = self._found.get((_kind(what), own))
        return min(found) if found else own

    def in_order(self, place: tuple[str, ...]) -> tuple[str, ...]:
        """A :func:`~.grouping.place` as text that sorts: names before ids, so that customers find them in the order of
        the alphabet."""
        ids, rest = place[: len(NAMED)], place[len(NAMED) :]
        named = ((self.of(what, own), own) for what, own in zip(NAMED, ids, strict=True))
        return (*(text for pair in named for text in pair), *rest)

    def notes(self) -> list[str]:
        """Of those that came under several names."""
        return [
            f"{what} {own} is called {' and '.join(map(repr, sorted(found)))} in the work: the first is printed"
            for (what, own), found in sorted(self._found.items())
            if len(found) > 1
        ]


def _kind(what: str) -> str:
    """Sub-projects are projects: one that is the sub-project of another has one name all the same."""
    return "project" if what == "sub_project" else what
