"""Calls, replies and exact JSON."""

from decimal import Decimal

import pytest

from accounting_bridge.sandbox.wire import BadJson, Call, RawJson, Reply, dumps, loads


def test_numbers_with_a_point_are_read_as_decimals_and_written_back_digit_for_digit():
    value = loads(b'{"amount": 25251578.84, "rate": 19, "tax": 0.10}')
    assert {"amount": Decimal("25251578.84"), "rate": 19, "tax": Decimal("0.10")} == value
    assert dumps(value) == b'{"amount":25251578.84,"rate":19,"tax":0.10}'


def test_an_exponent_never_reaches_the_wire():
    assert dumps([Decimal("1E+2"), Decimal("1E-7")]) == b"[100,0.0000001]"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"[Infinity]",
        b"1e999999999",
        b"1.5e-400",
        b"\xff",
        b'"\\ud800"',
        b"[" * 100_000,
        b"9" * 5_000,
    ],
)
def test_what_is_no_json_or_no_sane_number_is_refused(body):
    with pytest.raises(BadJson):
        loads(body)


def test_text_survives_with_umlauts_quotes_and_control_characters():
    text = 'Möbel & "Söhne" <GmbH>\n\t\\ € 🙂'
    assert loads(dumps(text)) == text


def test_a_serialised_record_is_written_as_it_is():
    assert dumps({"content": RawJson("[1.10]")}) == b'{"content":[1.10]}'


def test_a_float_cannot_be_written():
    with pytest.raises(TypeError, match="float"):
        dumps({"amount": 0.1})


def test_a_query_keeps_order_repetition_and_blank_values():
    call = Call.to("get", "/v1/contacts?page=1&name=&page=2&q=a%26b")
    assert call.method == "GET"
    assert call.first("page") == "1"
    assert call.all("page") == ("1", "2")
    assert call.first("name") == ""
    assert call.first("q") == "a&b"
    assert call.first("missing", "x") == "x"


def test_a_multipart_body_is_split_into_binary_parts():
    body = (
        b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\nvoucher\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="Beleg M\xc3\xbcller.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n%PDF-1.4\r\n\x00\xff\r\n--b--\r\n"
    )
    call = Call.to("POST", "/", headers={"Content-Type": "multipart/form-data; boundary=b"}, body=body)
    kind, file = call.parts()
    assert (kind.name, kind.file_name, kind.content) == ("type", None, b"voucher")
    assert (file.name, file.content_type, file.content) == ("file", "application/pdf", b"%PDF-1.4\r\n\x00\xff")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "multipart/form-data; boundary="])
def test_a_body_that_is_not_multipart_has_no_parts(content_type):
    assert Call.to("POST", "/", headers={"Content-Type": content_type}, body=b"{}").parts() == ()


def test_a_reply_adds_headers_without_replacing_what_is_there():
    reply = Reply.json(200, {}).with_headers({"content-type": "text/plain", "x-id": "1"})
    assert reply.headers == {"content-type": "application/json", "x-id": "1"}
    assert reply.reason == "OK"
    assert Reply.empty(204).body == b""
