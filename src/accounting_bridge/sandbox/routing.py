"""A route table: method and path template to a bound method. No framework, no middleware."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeVar

from attrs import field, frozen

from .wire import Reply

Handler = Callable[..., Reply]
"""Takes the call, then one ``str`` per placeholder of the template."""

F = TypeVar("F", bound=Callable[..., Reply])

_MARK: Final = "__sandbox_routes__"


def route(method: str, template: str) -> Callable[[F], F]:
    """Mark a method as the handler of a route such as ``("GET", "/v1/contacts/{id}")``; may be repeated."""

    def mark(function: F) -> F:
        routes: list[tuple[str, str]] = [*getattr(function, _MARK, []), (method, template)]
        setattr(function, _MARK, routes)
        return function

    return mark


@frozen
class Route:
    """One entry of the table."""

    method: str
    template: str
    handler: Handler
    pattern: re.Pattern[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Compile the template; a placeholder matches one path segment."""
        pattern = re.sub(r"\{\w+\}", "([^/]+)", self.template)
        object.__setattr__(self, "pattern", re.compile(pattern))


class RouteTable:
    """The routes of one sandbox. A trailing slash makes no difference."""

    def __init__(self) -> None:
        self._fixed: dict[str, dict[str, Handler]] = {}
        self._open: list[Route] = []

    def mount(self, *owners: object) -> None:
        """Add every method of the owners that :func:`route` marked."""
        for owner in owners:
            for name in dir(type(owner)):
                marks: list[tuple[str, str]] = getattr(getattr(type(owner), name, None), _MARK, [])
                for method, template in marks:
                    self.add(method, template, getattr(owner, name))

    def add(self, method: str, template: str, handler: Handler) -> None:
        """Add one route."""
        if "{" in template:
            self._open.append(Route(method, template, handler))
        else:
            self._fixed.setdefault(template, {})[method] = handler

    def find(self, method: str, path: str) -> tuple[Handler, tuple[str, ...]] | None:
        """Return the handler and the values of its placeholders, or None."""
        path = path.rstrip("/") or "/"
        handler = self._fixed.get(path, {}).get(method)
        if handler is not None:
            return handler, ()
        for entry in self._open:
            if entry.method == method:
                match = entry.pattern.fullmatch(path)
                if match is not None:
                    return entry.handler, match.groups()
        return None
