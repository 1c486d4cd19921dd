"""One fault: which calls, and what happens to them.

``when="before"`` means that the vendor never carried the request out, ``when="after"`` that it did and the answer was
lost or spoiled: the difference between the two is what a client that must not invoice twice has to survive.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Literal, get_args

from attrs import Attribute, Factory, field, frozen

from ..wire import Call

FaultKind = Literal[
    "refuse",
    "drop",
    "reset",
    "hang",
    "delay",
    "late",
    "trickle",
    "status",
    "rate_limit",
    "truncate",
    "html",
    "content_type",
    "duplicate",
    "stale_index",
    "clock_jump",
    "expire_token",
    "cut_request",
    "cut_answer",
]
When = Literal["before", "after"]
CutEnd = Literal["close", "reset"]

_SECONDS: Final[dict[str, float]] = {"late": 150.0, "trickle": 60.0, "stale_index": 30.0, "clock_jump": 3600.0}
_CUTS: Final = frozenset({"cut_request", "cut_answer"})


@frozen
class CallPattern:
    """Which calls are meant: ``"POST /v1/invoices"``, ``"/v1/contacts"``, ``"GET"`` or ``""`` for all.

    The path is a regular expression that has to match from the start of the path (without the query).
    """

    text: str
    _method: str = field(init=False)
    _path: re.Pattern[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Split the text once, so that a bad expression is refused where it is written."""
        method, _, path = self.text.partition(" ")
        if method.startswith(("/", "(", "^", ".")):
            method, path = "", self.text
        object.__setattr__(self, "_method", method.upper())
        try:
            object.__setattr__(self, "_path", re.compile(path))
        except re.error as error:
            raise ValueError(f"{self.text!r} is no pattern: {error}") from error

    def matches(self, call: Call) -> bool:
        """Say whether the call is one of those meant."""
        return self._method in ("", call.method) and self._path.match(call.path) is not None


def _usual_when(fault: Fault) -> When:
    return "before" if fault.kind == "refuse" else "after"


def _not_negative(_: object, attribute: Attribute[Any], value: float | None) -> None:
    if value is not None and value < 0:
        raise ValueError(f"{attribute.name} must not be negative")


def _kind(_: object, __: object, value: object) -> None:
    if value not in get_args(FaultKind):
        raise ValueError(f"there is no fault of kind {value!r}; kinds are: {', '.join(get_args(FaultKind))}")


def _one_of(choices: object, *, optional: bool = False) -> Callable[[object, Attribute[Any], object], None]:
    known = get_args(choices)

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        if value not in known and not (optional and value is None):
            raise ValueError(f"{attribute.name} must be {' or '.join(map(repr, known))}, not {value!r}")

    return check


@frozen
class Fault:
    """One failure, injected into ``times`` calls that ``match``, after ``skip`` of them have passed unharmed.

    Without an answer:

    - ``refuse``: nobody listens. The call itself is refused, without a byte of it sent, and so is every other for the
      next ``seconds`` (0 unless given). Over a real socket the call that matches has connected by then: it is reset
      instead, unexecuted, and those after it are refused. With ``when="after"`` it is answered, and then nobody
      listens. (:meth:`~accounting_bridge.sandbox.Server.unreachable` does the same without a call.)
    - ``drop``: the connection is closed without an answer. ``reset``: it is reset.
    - ``hang``: the connection stays open and no answer ever comes.
    - ``late``: the call is carried out ``seconds`` (150 unless given) after it arrived, whatever the client does
      meanwhile. No answer comes, or ``status`` at once: a gateway that gave up waiting.
    - ``cut_request``: the connection is reset when exactly ``cut`` bytes of the request have arrived, head included;
      it is carried out if those are all of them. ``cut_answer``: closed after exactly ``cut`` bytes of the answer, all
      of them included. ``end="close"`` or ``"reset"`` has it the other way; what a reset finds under way is lost, so
      that of an answer of more than some 60 KB fewer bytes may arrive.

    A late answer:

    - ``delay``: the answer comes ``seconds`` late; with ``when="before"`` the call is carried out only then.
    - ``trickle``: carried out at once, and the answer comes in small pieces over ``seconds`` (60 unless given).

    Another answer:

    - ``status``: ``status`` (500 unless given) in the vendor's gateway shape. A storm is one with ``times``.
    - ``rate_limit``: the vendor's "too many requests", never executed; ``seconds`` becomes ``Retry-After``. With
      ``hint=False`` a gateway's bare 429, in which neither header nor text says when to come back.
    - ``html``: a web page instead of JSON, status 502 unless given.
    - ``content_type``: the right body under a wrong media type (``body`` unless ``text/plain``).
    - ``truncate``: the full length is announced, only ``cut`` bytes of the body are sent (half of them unless given).
      With ``announced=False`` no length is, and the end of the connection passes for the end of the body.

    The right answer, and something else is wrong:

    - ``duplicate``: carried out twice, answered once; the second time ``seconds`` later (at once unless given).
    - ``stale_index``: what this call makes is in no list for ``seconds`` (30 unless given); a read by id finds it.
    - ``clock_jump``: the vendor's clock jumps by ``seconds`` (3600 unless given; may be negative), before or after
      the call is carried out, and stays wrong.
    - ``expire_token``: every access token expires, before or after the call is carried out (OAuth vendors).

    ``lag`` combines with every kind: from the moment the call is carried out the index stands still for that long.
    """

    kind: FaultKind = field(validator=_kind)
    when: When = field(default=Factory(_usual_when, takes_self=True), kw_only=True, validator=_one_of(When))
    match: str = field(default="", kw_only=True)
    times: int = field(default=1, kw_only=True)
    skip: int = field(default=0, kw_only=True, validator=_not_negative)
    status: int | None = field(default=None, kw_only=True)
    seconds: float | None = field(default=None, kw_only=True)
    body: str | None = field(default=None, kw_only=True)
    cut: int | None = field(default=None, kw_only=True, validator=_not_negative)
    lag: float = field(default=0.0, kw_only=True, validator=_not_negative)
    hint: bool = field(default=True, kw_only=True)
    announced: bool = field(default=True, kw_only=True)
    end: CutEnd | None = field(default=None, kw_only=True, validator=_one_of(CutEnd, optional=True))
    pattern: CallPattern = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        """Compile the pattern once; what cannot happen is refused here."""
        if self.kind in _CUTS and self.cut is None:
            raise ValueError(f"{self.kind} needs cut, the number of bytes")
        if self.kind not in _CUTS and self.end is not None:
            raise ValueError(f"{self.kind} has no end to choose: cut_request and cut_answer have")
        if self.seconds is not None and self.seconds < 0 and self.kind != "clock_jump":
            raise ValueError("seconds must not be negative")
        object.__setattr__(self, "pattern", CallPattern(self.match))

    @property
    def duration(self) -> float:
        """``seconds``, or what they are for this kind unless given."""
        return _SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    @property
    def resets(self) -> bool:
        """Whether the connection ends with a reset once it is cut."""
        return self.end == "reset" or (self.end is None and self.kind == "cut_request")

    @property
    def hidden_for(self) -> float:
        """For how many seconds the index stands still."""
        return max(self.lag, self.duration if self.kind == "stale_index" else 0.0)

    def __str__(self) -> str:
        """Say it in a few words, as ``late 97.3s lag=12s``."""
        words: list[str] = [self.kind]
        if self.kind in ("drop", "reset", "hang", "delay", "status", "truncate", "html", "content_type"):
            words[0] += f"/{self.when}"
        if self.status is not None:
            words.append(str(self.status))
        if self.seconds is not None:
            words.append(f"{self.seconds:g}s")
        if self.cut is not None:
            words.append(f"cut={self.cut}")
        if self.end is not None:
            words.append(f"end={self.end}")
        if self.lag:
            words.append(f"lag={self.lag:g}s")
        words += [word for word, is_set in (("no-hint", not self.hint), ("unannounced", not self.announced)) if is_set]
        words += [f"skip={self.skip}"] * (self.skip > 0) + [f"times={self.times}"] * (self.times != 1)
        return " ".join(words) + (f" on {self.match!r}" if self.match else "")
