"""The error tree: what the docstring draws, what str() shows, and what survives a pickle."""

import pickle
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.core.support import driven, ok, one, read

from accounting_bridge import errors
from accounting_bridge.errors import (
    BridgeError,
    DuplicateFound,
    ImportIncomplete,
    InvalidRequest,
    MalformedResponse,
    NeedsAttention,
    NotFound,
    OutcomeUnknown,
    Problem,
    Refused,
    TotalsDiffer,
    Unavailable,
)
from accounting_bridge.flow import Cached
from accounting_bridge.models import Totals

CLASSES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, BridgeError) and not kind.__name__.startswith("_")
]
FACTS = {
    "vendor": "toy", "status": 422, "code": "E17", "request_id": "r-9", "method": "POST", "url": "https://toy.example/v1",
}  # fmt: skip


def drawn_tree():
    """Name of each class in the docstring's drawing, with that of the class above it."""
    parents, above = {}, {}
    for line in errors.__doc__.splitlines():
        if match := re.match(r" {4}([│├└─ ]*)([A-Z][A-Za-z]+)", line):
            depth = len(match[1]) // 4
            above[depth] = match[2]
            parents[match[2]] = above[depth - 1] if depth else None
    return parents


def written_tree():
    """The same from the classes, private ones left out."""
    return {
        kind.__name__: next(
            (base.__name__ for base in kind.__mro__[1:] if base in CLASSES),
            None,
        )
        for kind in CLASSES
    }


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    assert drawn_tree() == written_tree()


def made(kind):
    """One of each, with everything it can carry."""
    extras = {
        InvalidRequest: {"problems": [Problem("lines[0]", "is odd", "X1")]},
        Unavailable: {"retry_at": datetime(2026, 3, 31, tzinfo=UTC)},
        OutcomeUnknown: {"retry_at": datetime(2026, 3, 31, tzinfo=UTC)},
        DuplicateFound: {"ids": ["1", "2"]},
        TotalsDiffer: {"made": 1, "final": True, "predicted": Totals(net=Decimal(1), tax=Decimal(0), gross=Decimal(1))},
        MalformedResponse: {"problems": ["odd @ $.id"]},
        ImportIncomplete: {"delivered": 5},
    }
    return kind("it went wrong", **extras.get(kind, {}), **FACTS)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_survives_a_pickle_with_all_it_carries(kind):
    error = made(kind)
    error.add_note("in create_invoice")
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin), twin.args, vars(twin)) == (kind, str(error), error.args, vars(error))


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_shows_its_facts(kind):
    shown = str(made(kind))
    for fact in ("toy: it went wrong", "POST https://toy.example/v1", "status 422", "code E17", "request id r-9"):
        assert fact in shown


def test_an_error_without_facts_is_its_message():
    assert str(BridgeError("it went wrong")) == "it went wrong"
    assert str(BridgeError("it went wrong", method="GET")) == "it went wrong"
    assert str(BridgeError("it went wrong", vendor="toy")) == "toy: it went wrong"
    assert str(Unavailable("out of order")) == "out of order"


def test_facts_are_filled_in_once():
    error = BridgeError("no", vendor="toy").at(vendor="other", status=404)
    assert (error.vendor, error.status) == ("toy", 404)


def test_when_to_repeat_is_shown():
    assert str(made(Unavailable)).endswith("; not before 2026-03-31T00:00:00+00:00")
    assert OutcomeUnknown("lost").retry_at is None


def test_problems_are_listed():
    error = InvalidRequest(problems=[Problem("a", "is odd"), Problem("", "nothing fits", "17")])
    assert str(error) == "the request is not valid:\n  - a: is odd\n  - nothing fits [17]"
    assert str(InvalidRequest("no")) == "no"
    many = MalformedResponse("unreadable", problems=[f"odd @ $[{n}]" for n in range(7)])
    assert str(many).endswith("odd @ $[4]; …")
    assert str(MalformedResponse("unreadable")) == "unreadable"


def test_branches_are_what_a_caller_catches():
    assert issubclass(InvalidRequest, ValueError)
    assert issubclass(InvalidRequest, Refused)
    assert issubclass(TotalsDiffer, NeedsAttention)
    assert not issubclass(Unavailable, Refused)


def test_the_name_of_the_flow_is_in_a_note():
    async def import_things():
        await one(read())

    with pytest.raises(NotFound) as caught:
        driven([ok(status=404)]).run(import_things())
    assert [note.rpartition(".")[2] for note in caught.value.__notes__] == ["import_things"]


def test_the_name_of_the_inner_flow_comes_first():
    async def rates():
        await one(read())

    async def check():
        await Cached("rates", rates)

    with pytest.raises(NotFound) as caught:
        driven([ok(status=404)]).run(check())
    assert [note.rpartition(".")[2] for note in caught.value.__notes__] == ["rates", "check"]
