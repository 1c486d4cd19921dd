"""Structuring refuses what is not of the declared type, record by record, and says where."""

import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import cattrs.gen
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge import wire
from accounting_bridge.errors import InvalidRequest, MalformedResponse, Problem
from accounting_bridge.flow import Response
from accounting_bridge.models import Customer, InvoiceStatus
from accounting_bridge.wire import decode, decode_each, decode_fast, dumps, each_neutral, each_read, strict_converter


@attrs.define
class Part:
    name: str | None = None


@attrs.define
class Thing:
    id: str
    count: int = 0
    price: Decimal | None = None
    archived: bool = False
    at: datetime | None = None
    day: date | None = None
    status: InvoiceStatus | None = None
    tags: list[str] = attrs.field(factory=list)
    part: Part | None = None
    parts: list[Part] = attrs.field(factory=list)
    pair: tuple[str, ...] = ()
    texts: dict[str, list[str]] | None = None


CONVERTER = strict_converter()


def read(body):
    return decode(CONVERTER, Response(status=200, body=body if isinstance(body, bytes) else dumps(body)), Thing)


GOOD = [
    ("count", 3, 3),
    ("price", 3, Decimal(3)),
    ("price", Decimal("119.90"), Decimal("119.90")),
    ("price", "119.90", Decimal("119.90")),
    ("price", "-1", Decimal(-1)),
    ("price", None, None),
    ("archived", True, True),
    ("at", "2026-03-31T10:00:00Z", datetime(2026, 3, 31, 10, tzinfo=UTC)),
    ("at", "2026-03-31T12:00:00+02:00", datetime(2026, 3, 31, 10, tzinfo=UTC)),
    ("day", "2026-03-31", date(2026, 3, 31)),
    ("day", "2026-03-31T23:59:59.000+02:00", date(2026, 3, 31)),
    ("status", "paid", InvoiceStatus.PAID),
    ("status", "archived", InvoiceStatus("archived")),
    ("tags", None, []),
    ("tags", ["a"], ["a"]),
    ("part", None, None),
    ("part", {"name": "x"}, Part("x")),
    ("parts", [{"name": None}], [Part()]),
    ("pair", ["a", "b"], ("a", "b")),
    ("pair", None, ()),
    ("texts", {"a": ["b"]}, {"a": ["b"]}),
    ("texts", None, None),
]
BAD = [
    ("id", None, "expected str, found null @ $.id"),
    ("id", 5, "expected str, found int @ $.id"),
    ("count", Decimal("1.5"), "expected int, found Decimal @ $.count"),
    ("count", True, "expected int, found bool @ $.count"),
    ("count", "1", "expected int, found str @ $.count"),
    ("count", None, "expected int, found null @ $.count"),
    ("archived", "false", "expected bool, found str @ $.archived"),
    ("archived", 0, "expected bool, found int @ $.archived"),
    ("price", True, "expected a number, found bool @ $.price"),
    ("price", "", "expected a number, found str @ $.price"),
    ("price", "1,5", "expected a number, found str @ $.price"),
    ("price", "NaN", "expected a number, found str @ $.price"),
    ("price", "1e5", "expected a number, found str @ $.price"),
    ("price", "9" * 30 + "." + "9" * 20, "@ $.price"),
    ("price", [], "expected a number, found list @ $.price"),
    ("at", "2026-03-31T10:00:00", "@ $.at"),
    ("at", "yesterday", "@ $.at"),
    ("at", 1774951200, "expected a timestamp, found int @ $.at"),
    ("day", "31.03.2026", "@ $.day"),
    ("day", 20260331, "expected a date, found int @ $.day"),
    ("status", 5, "found int @ $.status"),
    ("tags", "abc", "expected a list, found str @ $.tags"),
    ("tags", ["a", 1], "expected str, found int @ $.tags[1]"),
    ("tags", {}, "expected a list, found dict @ $.tags"),
    ("part", "x", "expected an object, found str @ $.part"),
    ("part", [], "expected an object, found list @ $.part"),
    ("parts", [{}, None], "expected an object, found null @ $.parts[1]"),
    ("parts", [{"name": 5}], "expected str, found int @ $.parts[0].name"),
    ("pair", ["a", 5], "expected str, found int @ $.pair[1]"),
    ("pair", "ab", "expected a list, found str @ $.pair"),
    ("texts", "ab", "@ $.texts"),
    ("texts", {"a": [1]}, "expected str, found int"),
    ("texts", {"a": "b"}, "expected a list, found str"),
]


@pytest.mark.parametrize(("name", "value", "expected"), GOOD)
def test_what_is_of_the_declared_type_is_read(name, value, expected):
    assert getattr(read({"id": "1", name: value}), name) == expected


@pytest.mark.parametrize(("name", "value", "problem"), BAD)
def test_what_is_not_of_the_declared_type_is_refused_with_its_path(name, value, problem):
    with pytest.raises(MalformedResponse) as caught:
        read({"id": "1", name: value})
    assert len(caught.value.problems) == 1
    assert problem in caught.value.problems[0]


def test_every_bad_field_is_named_and_no_value_is_shown():
    with pytest.raises(MalformedResponse) as caught:
        read({"count": "private", "archived": "private", "parts": [{"name": 5}], "at": "private"})
    assert len(caught.value.problems) == 5
    assert "required field missing @ $.id" in caught.value.problems
    assert "private" not in str(caught.value) + str(caught.value.problems)


@pytest.mark.parametrize("value", [None, [], "x", 5, True])
def test_what_is_no_object_at_all_is_refused(value):
    with pytest.raises(MalformedResponse) as caught:
        read(value)
    assert "expected an object" in caught.value.problems[0]


def test_unknown_keys_are_ignored():
    assert read({"id": "1", "new": {"deep": [1]}}) == Thing(id="1")


def test_one_odd_record_never_loses_the_others():
    records = [{"id": "1"}, {"id": 2}, None, {"id": "4", "count": "x"}, {"id": "5"}]
    good, odd = decode_each(CONVERTER, records, Thing, vendor="toy", what="thing")
    assert [thing.id for thing in good] == ["1", "5"]
    assert [(drift.vendor, drift.what, drift.record) for drift in odd] == [
        ("toy", "thing", "2"), ("toy", "thing", None), ("toy", "thing", "4"),
    ]  # fmt: skip
    assert odd[2].problems == ("expected int, found str @ $.count",)


def test_good_records_are_read_without_a_second_look():
    assert decode_each(CONVERTER, [{"id": "1"}], Thing, vendor="toy", what="thing") == ([Thing(id="1")], [])
    assert decode_each(CONVERTER, [], Thing, vendor="toy", what="thing") == ([], [])


@pytest.mark.parametrize("records", [None, {}, "abc", 5])
def test_what_is_no_list_of_records_is_reported(records):
    good, odd = decode_each(CONVERTER, records, Thing, vendor="toy", what="thing")
    assert good == []
    assert len(odd) == 1
    assert odd[0].record is None


def test_a_record_that_the_model_refuses_is_reported():
    def neutral(thing):
        if thing.id == "9":
            raise ValueError("odd")
        return Customer(id=thing.id, name=thing.part.name)

    things = [Thing(id="1", part=Part("Eva")), Thing(id="2", part=Part("\x00")), Thing(id="9")]
    good, odd = each_neutral(things, neutral, vendor="toy", what="customer")
    assert [customer.id for customer in good] == ["1"]
    assert [drift.record for drift in odd] == ["2", "9"]
    assert "U+0000" in odd[0].problems[0]
    assert odd[1].problems == ("ValueError",)


def test_reading_and_mapping_in_one_pass_is_reading_and_then_mapping():
    def neutral(thing):
        return Customer(id=thing.id, name=thing.part.name if thing.part else "Eva")

    good = [{"id": "1"}, {"id": "2", "part": {"name": "Max"}}]
    odd = [{"id": 3}, {"id": "4", "part": {"name": ""}}, None]
    how = {"vendor": "toy", "what": "customer"}
    for records in ([], good, [*good, *odd], [*odd, *good], None, {}, "abc"):
        things, skipped = decode_each(CONVERTER, records, Thing, **how)
        customers, refused = each_neutral(things, neutral, **how)
        assert each_read(CONVERTER, records, Thing, neutral, **how) == (customers, [*skipped, *refused])


def test_problems_of_a_model_are_its_own():
    def neutral(_):
        raise InvalidRequest(problems=[Problem("name", "is odd")])

    _, odd = each_neutral([Thing(id="1")], neutral, vendor="toy", what="customer")
    assert odd[0].problems == ("name: is odd",)


# ---- the straight way and the careful way ----------------------------------------------------------------------


@attrs.define(kw_only=True)
class Named:
    id: str
    part: Part = attrs.field(factory=Part)


def test_a_class_with_named_fields_only_is_read_as_well():
    assert decode(CONVERTER, Response(status=200, body=b'{"id": "1", "part": {}}'), Named) == Named(id="1", part=Part())


@attrs.define
class Checked:
    id: str = attrs.field(validator=attrs.validators.min_len(2))
    part: Part


@pytest.mark.parametrize("body", [b'{"id": "1", "part": {}}', b'{"id": "12"}', b'{"id": "12", "part": null}'])
def test_what_the_class_itself_refuses_or_misses_is_reported(body):
    with pytest.raises(MalformedResponse):
        decode(CONVERTER, Response(status=200, body=body), Checked)


def test_defaults_are_not_shared():
    first, second = (read({"id": "1"}) for _ in "ab")
    first.tags.append("x")
    assert second.tags == []


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.just(Decimal("1.5")) | st.text(max_size=3)
    | st.sampled_from(["paid", "2026-03-31", "2026-03-31T10:00:00Z", "12.30"]),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["id", "name", "x"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
things = st.dictionaries(st.sampled_from([f.name for f in attrs.fields(Thing)]), anything)


@given(things)
def test_both_ways_read_the_same_and_refuse_the_same(value):
    """The careful way is cattrs' own function under the same strict hooks."""
    careful = cattrs.gen.make_dict_structure_fn(Thing, CONVERTER)
    try:
        expected = careful(value, Thing)
    except Exception:
        with pytest.raises(MalformedResponse):
            read(value)
    else:
        assert read(value) == expected


@given(things)
def test_what_is_read_is_of_the_declared_types(value):
    good, _ = decode_each(CONVERTER, [value], Thing, vendor="toy", what="thing")
    for thing in good:
        assert type(thing.id) is str
        assert type(thing.count) is int
        assert type(thing.archived) is bool
        assert thing.price is None or type(thing.price) is Decimal
        assert all(type(tag) is str for tag in thing.tags)
        assert all(type(part) is Part for part in thing.parts)


# ---- the accelerator -------------------------------------------------------------------------------------------


@attrs.define
class Plain:
    id: str
    last: bool = False
    count: int | None = None
    tags: dict[str, list[str]] | None = None
    part: Part | None = None
    parts: list[Part] = attrs.field(factory=list)


@attrs.define
class WithPrice:
    price: Decimal | None = None


@attrs.define
class WithInstant:
    things: list[Thing] = attrs.field(factory=list)


texts = st.text(max_size=5)
odd_values = (
    st.none() | st.booleans() | st.integers(-5, 5) | texts | st.just([]) | st.just({}) | st.just(Decimal("1.5"))
)
parts = st.fixed_dictionaries({}, optional={"name": st.none() | texts | odd_values})
plain = st.fixed_dictionaries(
    {"id": texts},
    optional={
        "last": st.booleans() | odd_values,
        "count": st.none() | st.integers(-(10**12), 10**12) | odd_values,
        "tags": st.none() | st.dictionaries(texts, st.lists(texts, max_size=2), max_size=2) | odd_values,
        "part": parts | odd_values,
        "parts": st.lists(parts, max_size=2) | odd_values,
        "unknown": odd_values,
    },
)


@given(plain)
def test_the_fast_way_reads_what_the_careful_way_reads_or_nothing(value):
    response = Response(status=200, body=dumps(value))
    fast = decode_fast(response, Plain)
    if fast is not None:
        assert fast == decode(CONVERTER, response, Plain)


def test_the_fast_way_reads_what_is_right():
    assert decode_fast(Response(status=200, body=b'{"id": "1", "parts": [{"name": "x"}]}'), Plain) == Plain(
        id="1", parts=[Part("x")]
    )


@pytest.mark.parametrize("body", [b'{"id": 1}', b"", b"[" * 100_000, b'{"id": "\xff"}', b'{"id": "1", "count": 1.5}'])
def test_the_fast_way_leaves_what_is_not_right_to_the_careful_way(body):
    assert decode_fast(Response(status=200, body=body), Plain) is None


@pytest.mark.parametrize("body", [b'{"price": 1e999999999}', b'{"price": "NaN"}', b'{"price": 1.50}'])
def test_amounts_and_instants_always_take_the_careful_way(body):
    assert decode_fast(Response(status=200, body=body), WithPrice) is None
    assert decode_fast(Response(status=200, body=b"{}"), WithInstant) is None


def test_without_the_accelerator_everything_takes_the_careful_way(monkeypatch):
    monkeypatch.setitem(sys.modules, "msgspec", None)
    wire._fast_decoder.cache_clear()
    try:
        assert decode_fast(Response(status=200, body=b'{"id": "1"}'), Plain) is None
    finally:
        wire._fast_decoder.cache_clear()
