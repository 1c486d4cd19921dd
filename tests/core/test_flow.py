"""Paths that cannot be left, uploads that can be read, and steps that nothing else can pass for."""

import asyncio
from email import policy
from email.parser import BytesParser

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.support import ORIGIN, driven

from accounting_bridge._urls import url_of
from accounting_bridge.errors import InvalidRequest
from accounting_bridge.flow import PAGE_BYTES, Cached, Now, Recall, Record, Request, Wait, at, get, send_json, upload
from accounting_bridge.journal.port import Release

REFUSED_IDS = ["", ".", "..", "...", " ", ". .", "a\x00", "a\n", "\x7f", "a\r\nHost: evil.test", "x" * 201, "\ud800"]
QUOTED_IDS = {
    "../../admin": "..%2F..%2Fadmin",
    "a?size=9": "a%3Fsize%3D9",
    "a#x": "a%23x",
    "%2e%2e": "%252e%252e",
    "//evil.test/": "%2F%2Fevil.test%2F",
    "a\\b": "a%5Cb",
    "jürgen": "j%C3%BCrgen",
    "{}": "%7B%7D",
    "c-1": "c-1",
    " a ": "%20a%20",
}


@pytest.mark.parametrize("value", REFUSED_IDS)
def test_an_id_that_is_none_is_refused(value):
    with pytest.raises(InvalidRequest, match="is not an id"):
        at("/v1/contacts/{}", value)


@pytest.mark.parametrize(("value", "quoted"), QUOTED_IDS.items())
def test_an_id_stays_one_segment(value, quoted):
    path = at("/v1/contacts/{}/files", value)
    assert path == f"/v1/contacts/{quoted}/files"
    assert url_of(ORIGIN, get(path)).whole == ORIGIN + path


def test_several_ids_each_take_their_place():
    assert at("/v1/{}/{}", "a", "{}") == "/v1/a/%7B%7D"
    assert at("/v1/{}", 7) == "/v1/7"
    assert at("/v1/profile") == "/v1/profile"


@given(st.text(min_size=1, max_size=30))
def test_no_id_leads_away_from_its_place(value):
    try:
        url = url_of(ORIGIN, get(at("/v1/contacts/{}", value))).whole
    except InvalidRequest:
        return
    assert url.startswith(f"{ORIGIN}/v1/contacts/")
    assert not set("/?#\\ ") & set(url.removeprefix(f"{ORIGIN}/v1/contacts/"))


@pytest.mark.parametrize(
    "path",
    [
        "", "v1", "//evil.test/v1", "https://evil.test/v1", "/v1/../admin", "/v1/./x", "/..", "/v1/%2e%2e/admin",
        "/v1/%2E./admin", "/v1?x=1", "/v1#x", "/v1 x", "/v1\tx", "/v1\r\nHost: evil.test", "/v1\x00", "/v1\\..\\x",
        "/v1/\ud800",
    ],
)  # fmt: skip
def test_a_path_that_could_lead_elsewhere_is_refused_before_it_is_sent(path):
    with pytest.raises(InvalidRequest):
        url_of(ORIGIN, get(path))


def test_parameters_are_quoted_and_half_characters_refused():
    assert url_of(ORIGIN, get("/v1", name="a&b=c d/ü")).whole == f"{ORIGIN}/v1?name=a%26b%3Dc%20d%2F%C3%BC"
    assert url_of(ORIGIN, get("/vä/a:b")).whole == f"{ORIGIN}/v%C3%A4/a:b"
    with pytest.raises(InvalidRequest, match="half a character"):
        url_of(ORIGIN, get("/v1", name="\udcff"))


def test_a_read_is_repeatable_and_a_write_is_not():
    reading, writing = get("/v1", from_="1"), send_json("POST", "/v1", b"{}", finalize="true")
    assert (reading.repeatable, reading.params, reading.max_bytes) == (True, (("from", "1"),), PAGE_BYTES)
    assert (writing.repeatable, writing.params) == (False, (("finalize", "true"),))
    assert writing.headers["content-type"] == "application/json"


@pytest.mark.parametrize("filename", ["stunden.pdf", "März 2026.pdf", 'a"b.pdf', "a\r\nX: 1.pdf", "日本.pdf"])
@pytest.mark.parametrize("content", [b"%PDF-1.4\r\n--x\r\n", b"\x00\xff" * 50, b"\r\n", b"--"])
def test_an_upload_is_read_by_the_standard_library(filename, content):
    request = upload("/v1/files", filename, content, "application/pdf")
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    (part,) = BytesParser(policy=policy.HTTP).parsebytes(head + request.body).iter_parts()
    assert part.get_content_type() == "application/pdf"
    assert part.get_param("name", header="content-disposition") == "file"
    assert part.get_filename().isascii()
    assert set(part.keys()) == {"Content-Disposition", "Content-Type"}
    assert content in request.body
    assert part.get_payload(decode=True) == content


@given(st.binary(max_size=200))
def test_the_boundary_is_not_in_the_file(content):
    request = upload("/v1/files", "a.pdf", content, "application/pdf")
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    assert boundary not in content
    assert request.body.count(boundary) == 2
    assert request == upload("/v1/files", "a.pdf", content, "application/pdf")


def test_requests_do_not_show_what_they_carry():
    request = Request(method="GET", path="/v1", params=(("q", "private"),), headers={"x": "private"}, body=b"private")
    assert "private" not in repr(request)


def first_step(awaitable):
    """What awaiting it hands to whoever drives the flow, and what comes back."""

    async def flow():
        return await awaitable

    running = flow()
    step = running.send(None)
    with pytest.raises(StopIteration) as stop:
        running.send("answer")
    return step, stop.value.value


@pytest.mark.parametrize(
    "step",
    [get("/v1"), Cached("k", first_step), Recall("invoice", "A-1"), Record("invoice", "A-1", Release(1)), Now()],
)
def test_awaiting_a_step_hands_over_the_step_and_gives_back_the_answer(step):
    assert first_step(step) == (step, "answer")


def test_waiting_gives_nothing_back():
    assert first_step(Wait(1.0)) == (Wait(1.0), None)


class Foreign:
    """Something that can be awaited and is no step."""

    def __init__(self):
        self.thrown = None

    def __await__(self):
        try:
            yield self
        except TypeError as exc:
            self.thrown = exc
            raise


def test_awaiting_anything_else_is_refused_at_the_await():
    foreign = Foreign()

    async def flow():
        await foreign

    with pytest.raises(TypeError, match="not Foreign"):
        driven().run(flow())
    assert foreign.thrown is not None


@pytest.mark.parametrize("sleep", [asyncio.sleep, anyio.sleep])
@pytest.mark.parametrize("seconds", [0, 0.01])
def test_sleeping_in_a_flow_is_refused_where_there_is_no_event_loop(sleep, seconds):
    async def flow():
        await sleep(seconds)

    with pytest.raises((TypeError, RuntimeError)):
        driven().run(flow())
