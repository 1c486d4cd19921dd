"""Whatever is done to a secret, its value does not show."""

import copy
import gc
import json
import logging
import pickle
import sys
import threading
import traceback

import attrs
import pytest
from tests.core.support import API_KEY, Toy, ToySettings, driven, ok, one, read, state, write

from accounting_bridge import InvalidRequest, Secret
from accounting_bridge._engine import Outgoing
from accounting_bridge._outcomes import Failure
from accounting_bridge._secrets import STRUCK_OUT, RedactingFilter, guard_loggers, out_of_our_own_words, strike_out
from accounting_bridge._telling import redact
from accounting_bridge.errors import (
    AuthenticationFailed,
    BridgeError,
    MalformedResponse,
    OutcomeUnknown,
    Problem,
    Unavailable,
)
from accounting_bridge.flow import Token

# CPython 3.13.0 was seen to crash when it shows the locals of a frame whose generator is gone.
SHOW_LOCALS = sys.version_info[:2] != (3, 13)

CANARY = "canary-2b1946de8a"


@attrs.frozen
class Holder:
    key: Secret


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        format,
        lambda s: f"{s}",
        lambda s: f"{s!r:>40}",
        lambda s: f"{s:>40}",
        lambda s: "%s %r" % (s, s),  # noqa: UP031 the old way has to hold as well
        lambda s: "{} {!r} {:5}".format(s, s, s),  # noqa: UP032
        lambda s: str([s, {"key": s}, (s,)]),
        lambda s: json.dumps({"key": s}, default=str),
        lambda s: repr(copy.copy(s)),
        lambda s: repr(copy.deepcopy([s])),
        lambda s: repr(Holder(s)),
        lambda s: repr(attrs.asdict(Holder(s))),
        lambda s: repr(attrs.astuple(Holder(s))),
        lambda s: str(Toy(settings=ToySettings(api_key=s))),
        lambda s: repr(state(Toy(settings=ToySettings(api_key=s)))),
    ],
)
def test_no_way_of_showing_shows_the_value(show):
    assert CANARY not in show(Secret(CANARY))


@pytest.mark.parametrize(
    "leave",
    [pickle.dumps, json.dumps, vars, lambda s: pickle.dumps(Holder(s)), lambda s: pickle.dumps(s, protocol=0)],
)
def test_no_way_of_leaving_the_process_works(leave):
    with pytest.raises(TypeError) as caught:
        leave(Secret(CANARY))
    assert CANARY not in str(caught.value)


def test_a_secret_has_the_value_for_those_who_ask():
    assert Secret(CANARY).reveal() == CANARY


def test_secrets_compare_by_value_and_are_false_when_empty():
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret("other")
    assert Secret(CANARY) != CANARY
    assert len({Secret(CANARY), Secret(CANARY)}) == 1
    assert Secret("x")
    assert not Secret("")


def test_short_values_are_not_struck_out():
    assert strike_out("abc abcdef", [Secret("abc")]) == "abc abcdef"
    assert strike_out("an abcdef here", [Secret("abcdef"), Secret("zzzzzz")]) == f"an {STRUCK_OUT} here"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("code 04711 is wrong", f"code {STRUCK_OUT} is wrong"),
        ("04711", STRUCK_OUT),
        ('{"error":{"04711":"04711"}}', f'{{"error":{{"{STRUCK_OUT}":"{STRUCK_OUT}"}}}}'),
        ("b'04711'", f"b'{STRUCK_OUT}'"),
        (r'{"error":"said:\n04711"}', rf'{{"error":"said:\n{STRUCK_OUT}"}}'),
        (r'"\u002004711\u0020"', rf'"\u0020{STRUCK_OUT}\u0020"'),
        ("?code=%2004711&x=1", f"?code=%20{STRUCK_OUT}&x=1"),
        ("kä04711ä".encode().decode("latin-1"), f"kä{STRUCK_OUT}ä".encode().decode("latin-1")),
        ("invoice 2004711 of 10047110", "invoice 2004711 of 10047110"),
        ("id a04711 and 04711b", "id a04711 and 04711b"),
    ],
)
def test_a_code_of_five_characters_is_struck_out_as_a_whole_word(text, shown):
    """Security codes have five digits at one vendor; an id that happens to contain them stays readable."""
    assert strike_out(text, [Secret("04711")]) == shown


OURS = "the API key was rejected: it is wrong, was deleted, or its 24 months are over"


class Rejecting(Toy):
    """A vendor whose refusals are told in a sentence of the library's own, and its own words after it."""

    def secrets(self):
        return (Secret("wrong"), Secret("deleted"))

    def classify(self, response):
        if response.status < 400:
            return None
        said = json.loads(response.body)
        return AuthenticationFailed(f"{OURS}: {said['message'][:30]}", code=said.get("code"))


def rejected(body, **headers):
    """What is told of an answer of 401."""
    connection = state(Rejecting())
    driver = driven([ok(json.dumps(body).encode(), 401, **headers)], connection)
    with pytest.raises(AuthenticationFailed) as caught:
        driver.run(one(read()))
    return caught.value


def test_a_key_that_is_a_word_of_our_own_sentence_does_not_mangle_it():
    """Who tries a placeholder would read "it is [secret], was deleted, or …"."""
    error = rejected({"message": "Unauthorized"})
    assert error.message == f"{OURS}: Unauthorized"
    assert OURS in str(error)
    assert OURS in repr(error)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("your key wrong is bad", f"your key {STRUCK_OUT} is bad"),
        (f"key {'x' * 20} wrongly", None),
        ("%77rong", None),
        ("&#119;rong", None),
    ],
)
def test_a_key_that_is_a_word_is_struck_out_of_whatever_the_vendor_says(said, shown):
    error = rejected({"message": said, "code": "wrong"})
    assert error.code == STRUCK_OUT
    if shown is not None:
        assert error.message == f"{OURS}: {shown}"
    else:
        assert f"it is {STRUCK_OUT}, was deleted" in error.message


def test_a_word_that_the_vendor_spells_in_escapes_is_struck_out_everywhere():
    connection = state(Rejecting())
    driver = driven([ok(b'{"message": "\\u0077rong is no key"}', 401)], connection)
    with pytest.raises(AuthenticationFailed) as caught:
        driver.run(one(read()))
    assert "wrong" not in str(caught.value)
    assert f"{STRUCK_OUT} is no key" in caught.value.message


def test_what_is_no_plain_word_is_struck_out_of_our_own_sentences_as_well():
    """A key is not part of a sentence of ours by chance: if it stands there, something put it there."""
    assert out_of_our_own_words([Secret("wrong"), Secret(CANARY), Secret("04711")], ["nothing"]) == [
        Secret(CANARY), Secret("04711"),
    ]  # fmt: skip


def test_the_vendors_code_of_a_problem_is_gone_over_as_well():
    error = InvalidRequest("refused", problems=[Problem("lines", "is not taken", CANARY)])
    redact(error, [Secret(CANARY)])
    assert error.problems == (Problem("lines", "is not taken", STRUCK_OUT),)
    assert CANARY not in f"{error} {error!r}"


def test_what_a_flow_makes_of_an_error_is_gone_over_again():
    async def flow():
        try:
            await read()
        except AuthenticationFailed as error:
            error.message += ", and the key is wrong"
            raise

    connection = state(Rejecting())
    with pytest.raises(AuthenticationFailed) as caught:
        driven([ok(b'{"message": ""}', 401)], connection).run(flow())
    assert "wrong" not in caught.value.message


def test_a_short_code_is_struck_out_of_log_records(caplog):
    kept = Secret("04711")
    assert logged(caplog, "send headers=%r", [(b"x", b"04711")]) == f"send headers=[(b'x', b'{STRUCK_OUT}')]"
    assert kept


def test_of_two_equal_secrets_the_second_is_struck_out_when_the_first_is_gone(caplog):
    first, second = Secret(CANARY), Secret(CANARY)
    del first
    gc.collect()
    assert logged(caplog, "key is %s", CANARY) == f"key is {STRUCK_OUT}"
    assert second


def logged(caplog, message, *args, name="httpcore.http11"):
    """What a handler sees of one record of the HTTP library."""
    guard_loggers(name)
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger=name):
        logging.getLogger(name).debug(message, *args)
    return caplog.messages[0]


@pytest.mark.parametrize("name", ["httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy"])
def test_loggers_of_the_http_library_and_their_children_are_guarded(name, caplog):
    import accounting_bridge._http  # noqa: F401 guards them when it is imported

    kept = Secret(CANARY)
    assert any(isinstance(f, RedactingFilter) for f in logging.getLogger(name).filters)
    assert CANARY not in logged(caplog, "send headers=%r", [(b"X-Key", CANARY.encode())], name=name)
    assert kept


@pytest.mark.parametrize(
    "message",
    [
        "headers=[(b'Authorization', b'Bearer unknown-token')]",
        "Authorization: Basic unknown-token",
        "{'X-BillomatApiKey': 'unknown-token'}",
        "return_value=(b'HTTP/1.1', 200, b'OK', [(b'Set-Cookie', b'unknown-token; Path=/')])",
        "cookie=unknown-token",
        "securitycode=unknown-token&x=1",
        "headers=[(b'Apikey', b'unknown-token')]",
        "{'securitycode': 'unknown-token'}",
    ],
)
def test_what_follows_the_name_of_a_credential_is_struck_out(message, caplog):
    shown = logged(caplog, message)
    assert "unknown-token" not in shown
    assert STRUCK_OUT in shown


def test_other_records_pass_unchanged(caplog):
    assert (
        logged(caplog, "connect_tcp.started host=%r", "api.toy.example") == "connect_tcp.started host='api.toy.example'"
    )


def test_the_filter_is_put_on_once():
    logger = logging.getLogger("guarded twice")
    guard_loggers("guarded twice")
    guard_loggers("guarded twice")
    assert len(logger.filters) == 1


def test_secrets_come_and_go_in_threads_while_records_are_filtered(caplog):
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            [Secret(f"value-{n}") for n in range(50)]

    threads = [threading.Thread(target=churn) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for n in range(300):
            assert logged(caplog, "record %s", n) == f"record {n}"
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_an_echoed_secret_is_struck_out_of_every_part_of_an_error():
    error = BridgeError(f"no {CANARY}", code=CANARY, request_id=CANARY)
    refused = InvalidRequest(problems=[Problem(CANARY, f"{CANARY} is odd")])
    unreadable = MalformedResponse("unreadable", problems=[f"{CANARY} @ $.id"])
    for each in (error, refused, unreadable):
        redact(each, [Secret(CANARY)])
        assert CANARY not in str(each) + repr(each) + repr(vars(each))


def test_an_error_that_an_adapter_raises_by_itself_is_struck_out_too():
    async def flow():
        raise InvalidRequest(f"odd key {API_KEY}")

    with pytest.raises(InvalidRequest) as caught:
        driven().run(flow())
    assert API_KEY not in str(caught.value)
    assert caught.value.vendor == "toy"


def test_the_grant_is_struck_out_as_well():
    connection = state(token=Token(access=CANARY, refresh="canary-refresh-99"))
    with pytest.raises(InvalidRequest) as caught:
        driven([ok(f"{CANARY} canary-refresh-99".encode(), status=400)], connection).run(one(read()))
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(connection.token)


def thorough(error):
    """A traceback as crash reporters print it, with the locals of every frame."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=SHOW_LOCALS).format())


def broken_by(outgoing: Outgoing) -> Failure:
    """A failure whose cause, and the cause of that, came out of frames that hold the headers."""

    def inner(headers):
        raise OSError("connection reset")

    def outer(headers):
        try:
            inner(headers)
        except OSError as exc:
            raise RuntimeError("read error") from exc

    try:
        outer(outgoing.headers)
    except RuntimeError as exc:
        return Failure("the connection broke", executed=True, cause=exc)


@pytest.mark.parametrize(
    ("answers", "request_", "kind"),
    [
        ([broken_by], write(), OutcomeUnknown),
        ([broken_by] * 3, read(), Unavailable),
        ([ok(API_KEY.encode(), status=401)], read(), AuthenticationFailed),
        ([ok(f'"{API_KEY}"'.encode(), status=400, x_request_id=API_KEY)], write(), InvalidRequest),
    ],
)
def test_tracebacks_with_locals_hold_no_secret(answers, request_, kind):
    with pytest.raises(kind) as caught:
        driven(answers).run(one(request_))
    assert API_KEY not in thorough(caught.value)
