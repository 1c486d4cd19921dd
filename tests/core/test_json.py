"""JSON in and out: exact to the digit, and safe from what a body can do to a parser."""

import json
from decimal import Context, Decimal, localcontext
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge.errors import MalformedResponse
from accounting_bridge.flow import Request, Response
from accounting_bridge.wire import dumps, fill, hole_for_customer, loads, without_empty

amounts = st.decimals(Decimal("-1e15"), Decimal("1e15"), places=6)
printable = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | amounts | printable,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(printable, inner, max_size=4),
    max_leaves=20,
)


def body(text):
    return Response(status=200, body=text if isinstance(text, bytes) else text.encode())


@given(values)
def test_what_is_written_is_read_back_without_loss(value):
    assert loads(body(dumps(value))) == value


@given(amounts)
def test_amounts_are_written_with_their_own_digits_in_any_decimal_context(amount):
    with localcontext(Context(prec=2)):
        text = dumps({"amount": amount}).decode()
        assert loads(body(text)) == {"amount": amount}
    assert "e" not in text.partition(":")[2].lower()


@given(st.integers(-(10**17), 10**17), st.integers(0, 2))
def test_amounts_of_vendors_are_read_without_a_float(minor, decimals):
    amount = Decimal(minor).scaleb(-decimals)
    read = loads(body(f'{{"amount": {amount}}}'))["amount"]
    assert read == amount
    assert str(read) == str(amount)
    assert not isinstance(read, float)


@given(values)
def test_the_standard_library_reads_the_same(value):
    assert json.loads(dumps(value), parse_float=Decimal) == value


REFUSED = {
    "NaN": "NaN",
    "infinity": "[Infinity]",
    "minus infinity": '{"a": -Infinity}',
    "5,000 digits": "9" * 5000,
    "5,000 decimals": "0." + "1" * 5000,
    "an absurd exponent": "1e999999999",
    "an absurd negative exponent": "[1e-999999999]",
    "an exponent that no Decimal holds": "1e99999999999999999999",
    "a zero with an exponent that no Decimal holds": "0e-99999999999999999999",
    "absurd nesting": "[" * 100_000,
    "absurd nesting of objects": '{"a":' * 100_000,
    "nothing": "",
    "half": '{"id":',
    "more than one": "{} {}",
    "a page of HTML": "<!doctype html><title>Maintenance</title>",
    "invalid UTF-8": b'{"name": "\xff"}',
    "UTF-16": "{}".encode("utf-16"),
    "a raw control character": '{"name": "\n"}',
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_no_json_of_a_vendor_is_refused(text):
    with pytest.raises(MalformedResponse) as caught:
        loads(body(text))
    assert caught.value.status == 200
    assert len(str(caught.value)) < 200


def test_an_exponent_beyond_a_decimal_is_refused_although_the_caller_traps_nothing():
    with localcontext(Context(traps=[])), pytest.raises(MalformedResponse):
        loads(body("1e99999999999999999999"))


def test_the_error_says_what_was_asked_and_never_what_was_answered():
    request = Request(method="GET", path="/v1/contacts", params=(("name", "Eva"),))
    with pytest.raises(MalformedResponse) as caught:
        loads(Response(status=200, body=b"private text", request=request))
    assert (caught.value.method, caught.value.url) == ("GET", "/v1/contacts")
    assert "private" not in str(caught.value)
    assert "Eva" not in str(caught.value)


def test_a_byte_order_mark_does_not_matter():
    assert loads(body(b"\xef\xbb\xbf" + '{"name": "Jürgen"}'.encode())) == {"name": "Jürgen"}


def test_what_cannot_be_written_exactly_is_refused():
    for value in (1.5, float("nan"), {1, 2}, object(), b"bytes"):
        with pytest.raises(TypeError, match="cannot be written exactly"):
            dumps({"value": [value]})
    for value in ("NaN", "Infinity", "1e999999999", "1e-999999999"):
        with pytest.raises(ValueError, match="cannot be written as JSON"):
            dumps([Decimal(value)])


def test_members_of_enumerations_are_written_as_their_value():
    class Color(StrEnum):
        RED = "red"

    class Level(IntEnum):
        TOP = 3

    assert dumps({"color": Color.RED, "level": Level.TOP, "list": (1,), 5: None}) == (
        b'{"color":"red","level":3,"list":[1],"5":null}'
    )


def test_the_id_of_a_customer_to_come_is_filled_in_as_json_text():
    assert hole_for_customer("c-1") == "c-1"
    draft = dumps({"customer": hole_for_customer(None), "note": "for the customer id"})
    assert json.loads(fill(draft, 'c"1')) == {"customer": 'c"1', "note": "for the customer id"}
    assert fill(dumps({"customer": "c-1"}), "c-2") == b'{"customer":"c-1"}'


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])) | st.sampled_from([
    r"\u0000customer id\u0000", r'"\u0000customer id\u0000"', '"\\u0000customer id\\u0000"', "customer id", "\\", '"',
]), st.sampled_from(["c-1", r"\u0000customer id\u0000", '"', "\\"]))  # fmt: skip
def test_no_text_of_a_model_looks_like_the_hole(text, customer_id):
    filled = json.loads(fill(dumps({"a": text, "customer": hole_for_customer(None), "b": text}), customer_id))
    assert filled == {"a": text, "customer": customer_id, "b": text}


def test_what_was_not_set_is_left_out():
    values = {"a": None, "b": "", "c": [], "d": {}, "e": (), "f": 0, "g": False, "h": Decimal(0), "i": "x"}
    assert without_empty(values) == {"f": 0, "g": False, "h": Decimal(0), "i": "x"}
