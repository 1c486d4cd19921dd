"""The same faults from a client's side over real sockets."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from lexoffice_support import invoice

import accounting_bridge as ab
from accounting_bridge.flow import Token
from accounting_bridge.sandbox import Fault, VirtualClock, serve

CREATE = "POST /v1/invoices$"


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture(params=["real", "virtual"])
def box(request, clock):
    options = {"clock": clock} if request.param == "virtual" else {}
    with serve("lexoffice", customers=3, rate_limit=False, **options) as server:
        yield server


@pytest.fixture
def still(clock):
    """A server whose clock only moves when it is turned."""
    with serve("lexoffice", customers=3, rate_limit=False, clock=clock) as server:
        yield server


@pytest.fixture
def real():
    with serve("lexoffice", customers=3, rate_limit=False) as server:
        yield server


GIVES_UP = httpx.Timeout(60, read=0.1)
"""Of a client that waits for an answer that does not come; everything else may take long on a busy machine."""


def client(server, timeout=60.0):
    headers = {"authorization": f"Bearer {server.settings['api_key']}"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=timeout, trust_env=False)


def create(http):
    return http.post("/v1/invoices", json=invoice())


def eventually(question):
    deadline = time.monotonic() + 60
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return answer


# ---- connections -----------------------------------------------------------------------------------------------


def test_while_a_server_is_unreachable_connections_are_refused_kept_ones_too(box):
    with client(box) as http:
        assert http.get("/v1/profile").status_code == 200
        with box.unreachable():
            for _ in range(2):
                with pytest.raises(httpx.ConnectError):
                    create(http)
        assert create(http).status_code == 201
    assert len(box.sandbox.invoices) == 1


def test_a_server_can_be_closed_while_it_is_unreachable():
    with serve("lexoffice") as server, server.unreachable():
        server.close()


def test_an_outage_begins_with_the_call_that_it_was_set_for_and_ends_by_the_clock(still, clock):
    still.sandbox.faults.add(Fault("refuse", match="POST", seconds=60))
    with client(still) as http:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError)):
            create(http)
        with pytest.raises(httpx.ConnectError):
            create(http)
        clock.sleep(59.9)
        with pytest.raises(httpx.ConnectError):
            create(http)
        clock.sleep(0.1)
        assert create(http).status_code == 201
    assert len(still.sandbox.invoices) == 1


def test_an_outage_may_begin_after_an_answer_and_passes_by_itself_in_real_time(real):
    with client(real) as http:

        def is_refused():
            try:
                assert create(http).status_code == 201
            except httpx.ConnectError:
                return True
            return False

        for seconds in (0.3, 1, 3, 9, 27):  # a busy machine may come back when the shorter ones are over
            real.sandbox.faults.add(Fault("refuse", when="after", match="GET", seconds=seconds))
            began = time.monotonic()
            assert http.get("/v1/profile").status_code == 200
            if refused := is_refused():
                break
            assert time.monotonic() - began >= seconds, "over before its time"
        assert refused
        assert eventually(lambda: not is_refused())


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_reset_is_one(box, when, made):
    box.sandbox.faults.add(Fault("reset", when=when, match=CREATE))
    with client(box) as http:
        with pytest.raises(httpx.ReadError):
            create(http)
        assert len(box.sandbox.invoices) == made
        assert create(http).status_code == 201


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_call_that_hangs_outlasts_the_client_and_holds_up_nobody(box, when, made):
    box.sandbox.faults.add(Fault("hang", when=when, match=CREATE))
    with client(box) as http:
        with pytest.raises(httpx.ReadTimeout):
            http.post("/v1/invoices", json=invoice(), timeout=GIVES_UP)
        assert eventually(lambda: box.sandbox.log)
        assert len(box.sandbox.invoices) == made
        assert http.get("/v1/profile").status_code == 200


def test_a_late_commit_happens_when_the_clock_is_turned(still, clock):
    still.sandbox.faults.add(Fault("late", match=CREATE, seconds=150))
    with client(still) as http:
        with pytest.raises(httpx.ReadTimeout):
            http.post("/v1/invoices", json=invoice(), timeout=GIVES_UP)
        assert eventually(lambda: still.sandbox._time._due), "it has arrived, and is put off"
        clock.sleep(149.9)
        assert len(still.sandbox.invoices) == 0
        clock.sleep(0.1)
        assert len(still.sandbox.invoices) == 1


def test_a_late_commit_happens_by_itself_in_real_time_after_a_gateway_gave_up(real):
    real.sandbox.faults.add(Fault("late", match=CREATE, seconds=0.1, status=504))
    began = time.monotonic()
    with client(real) as http:
        assert create(http).status_code == 504
    made = len(real.sandbox.invoices)
    assert made == 0 or time.monotonic() - began >= 0.1
    assert eventually(lambda: len(real.sandbox.invoices) == 1)


def test_a_delayed_answer_waits_for_a_virtual_clock(still, clock):
    still.sandbox.faults.add(Fault("delay", match=CREATE, seconds=20))
    with client(still) as http, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(create, http)
        assert eventually(lambda: len(still.sandbox.invoices) == 1)
        assert not answer.done()
        # The answer may be put off just after the invoice was made: time goes on until it is there.
        assert eventually(lambda: clock.sleep(20) or answer.done())
        assert answer.result().status_code == 201


def test_an_answer_trickles(real):
    seconds = 0.2
    real.sandbox.faults.add(Fault("trickle", match="GET /v1/contacts", seconds=seconds))
    with client(real) as http:
        began = time.monotonic()
        pieces = []
        with http.stream("GET", "/v1/contacts") as answer:
            pieces = list(answer.iter_raw())
        assert time.monotonic() - began > seconds * 0.9
        assert len(pieces) > 5
        assert http.get("/v1/contacts").content == b"".join(pieces)


def test_a_trickle_that_outlasts_the_client_leaves_the_invoice_made(real):
    real.sandbox.faults.add(Fault("trickle", match=CREATE, seconds=30))
    with client(real) as http:
        with pytest.raises(httpx.ReadTimeout):
            http.post("/v1/invoices", json=invoice(), timeout=GIVES_UP)
        assert http.get("/v1/profile").status_code == 200
    assert eventually(lambda: len(real.sandbox.invoices) == 1)


# ---- bytes -----------------------------------------------------------------------------------------------------


def raw_request(server):
    body = httpx.Request("POST", server.url, json=invoice()).content
    head = (
        f"POST /v1/invoices HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {server.settings['api_key']}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def exchange(server, data):
    """What comes back for these bytes on a new connection, and whether it ended with a reset."""
    with socket.create_connection((server.host, server.port), timeout=60) as connection:
        connection.sendall(data)
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            return received, True
        return received, False


def test_a_request_is_cut_at_every_byte_and_carried_out_only_if_all_of_it_arrived(real):
    data = raw_request(real)
    # The first line decides which call it is; every byte of it, of the head's end and of the body's end is tried.
    places = {*range(40), *range(40, len(data), 23), *range(len(data) - 12, len(data) + 3)}
    for size in sorted(places):
        real.sandbox.faults.add(Fault("cut_request", match=CREATE, cut=size))
        before = len(real.sandbox.invoices)
        received, is_reset = exchange(real, data)
        assert (received, is_reset) == (b"", True), size
        made = len(real.sandbox.invoices) - before
        assert made == (1 if size >= len(data) else 0), size
        assert real.sandbox.faults.waiting == ()
    assert len(real.sandbox.log) == len(real.sandbox.faults.fired) == len(places)


def send_slowly(connection, data):
    """And more after it, until the other side is noticed to have gone."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        connection.sendall(data[:10])
        data = data[10:] or b"x"
        time.sleep(0.005)


def test_a_request_is_cut_while_it_is_still_being_sent(real):
    """A client that has not sent everything by then notices when it sends the rest."""
    data = raw_request(real)
    real.sandbox.faults.add(Fault("cut_request", match=CREATE, cut=100))
    with socket.create_connection((real.host, real.port), timeout=60) as connection:
        for start in range(0, 100, 10):
            connection.sendall(data[start : start + 10])
            time.sleep(0.001)
        assert eventually(lambda: len(real.sandbox.log) == 1)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_slowly(connection, data[100:])
    assert len(real.sandbox.invoices) == 0


def test_only_the_call_that_is_meant_is_cut_and_a_kept_connection_serves_those_before(real):
    real.sandbox.faults.add(Fault("cut_request", match=CREATE, cut=5))
    with client(real) as http:
        assert http.get("/v1/profile").status_code == 200
        assert http.get("/v1/contacts").status_code == 200
        with pytest.raises((httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)):
            create(http)
        assert create(http).status_code == 201
    assert len(real.sandbox.invoices) == 1


def test_a_request_may_be_cut_without_a_reset(real):
    data = raw_request(real)
    for size in (0, 17, len(data) - 1, len(data)):
        real.sandbox.faults.add(Fault("cut_request", match=CREATE, cut=size, end="close"))
        assert exchange(real, data) == (b"", False)
    assert len(real.sandbox.invoices) == 1


@pytest.mark.parametrize("end", ["close", "reset"])
def test_an_answer_is_cut_at_every_byte(real, end):
    data = raw_request(real).replace(b"host: x", b"host: x\r\nconnection: close")
    whole, _ = exchange(real, data)
    assert whole.startswith(b"HTTP/1.1 201 ")
    places = {*range(40), *range(40, len(whole), 17), *range(len(whole) - 5, len(whole) + 2)}
    for size in sorted(places):
        real.sandbox.faults.add(Fault("cut_answer", match=CREATE, cut=size, end=end))
        received, is_reset = exchange(real, data)
        assert (len(received), is_reset) == (min(size, len(whole)), end == "reset" and size <= len(whole)), size
    assert len(real.sandbox.invoices) == len(places) + 1


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_kept_connection_ends_after_a_whole_answer_and_only_then(real, end):
    data = raw_request(real)
    (size,) = {sizes(real, data) for _ in range(2)}
    with socket.create_connection((real.host, real.port), timeout=60) as connection:
        # One that is cut behind its end is not cut at all, and what is left over is not taken from the next.
        real.sandbox.faults.add(Fault("cut_answer", match=CREATE, cut=size.answer + 9, end=end))
        assert [len(received_of(connection, data, size.answer)) for _ in range(3)] == [size.answer] * 3
        real.sandbox.faults.add(Fault("cut_answer", match=CREATE, cut=size.answer, end=end))
        assert len(received_of(connection, data, size.answer)) == size.answer
        if end == "reset":
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        else:
            assert connection.recv(1) == b""
    assert len(real.sandbox.invoices) == 6


def received_of(connection, data, size):
    connection.sendall(data)
    received = b""
    while len(received) < size and (part := connection.recv(65536)):
        received += part
    return received


def sizes(server, data):
    with socket.create_connection((server.host, server.port), timeout=60) as connection:
        before = len(server.exchanges)
        connection.sendall(data)
        assert eventually(lambda: len(server.exchanges) > before)
        return server.exchanges[-1]


def answer_on(connection):
    """One answer, whole, however many pieces it comes in."""
    received = connection.recv(65536)
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head = received[: received.index(b"\r\n\r\n")].lower()
    (length,) = (int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.startswith(b"content-length:"))
    while len(received) < len(head) + 4 + length:
        received += connection.recv(65536)
    return received


def test_a_server_tells_how_many_bytes_a_call_and_its_answer_were(real):
    data = raw_request(real)
    with socket.create_connection((real.host, real.port), timeout=60) as connection:
        for _ in range(2):
            for start in range(0, len(data), 100):
                connection.sendall(data[start : start + 100])
                time.sleep(0.001)
            whole = answer_on(connection)
    assert eventually(lambda: len(real.exchanges) == 2)
    (size,) = set(real.exchanges)
    assert (size.method, size.path, size.request, size.answer) == ("POST", "/v1/invoices", len(data), len(whole))
    # What a cut keeps back is counted as well.
    real.sandbox.faults.add(Fault("cut_answer", match=CREATE, cut=9))
    exchange(real, data)
    assert eventually(lambda: len(real.exchanges) == 3)
    assert real.exchanges[-1] == size


def test_a_body_may_end_with_the_connection_and_pass_for_whole(box):
    box.sandbox.faults.add(Fault("truncate", match=CREATE, cut=9, announced=False))
    with client(box) as http:
        answer = create(http)
        assert (answer.status_code, len(answer.content)) == (201, 9)
        assert http.get("/v1/profile").status_code == 200
    assert len(box.sandbox.invoices) == 1


# ---- answers ---------------------------------------------------------------------------------------------------


def test_storms_hints_duplicates_and_stale_lists_cross_the_wire(box):
    faults = box.sandbox.faults
    faults.add(Fault("status", status=503, match=CREATE, times=2), Fault("rate_limit", match=CREATE, hint=False))
    faults.add(Fault("rate_limit", match=CREATE, seconds=4), Fault("html", match=CREATE, when="before"))
    faults.add(Fault("duplicate", match=CREATE), Fault("stale_index", match=CREATE))
    with client(box) as http:
        answers = [create(http) for _ in range(7)]
        listed = http.get("/v1/voucherlist?voucherType=any&voucherStatus=any").json()["totalElements"]
        last = http.get(f"/v1/invoices/{answers[-1].json()['id']}")
    assert [answer.status_code for answer in answers] == [503, 503, 429, 429, 502, 201, 201]
    assert [answer.headers.get("retry-after") for answer in answers[2:4]] == [None, "4"]
    assert (len(box.sandbox.invoices), listed, last.status_code) == (5, 4, 200)


def test_the_vendors_clock_jumps(box):
    box.sandbox.faults.add(Fault("clock_jump", match=CREATE, when="before", seconds=7200))
    with client(box) as http:
        create(http)
    (made,) = box.sandbox.invoices
    assert 7100 < (made.created_at - box.sandbox.clock()).total_seconds() < 7300


def test_a_token_that_expires_in_the_middle_is_renewed_by_the_library(clock):
    with serve("visma", customers=3, rate_limit=False, clock=clock) as server:
        pair = server.sandbox.token_pair()
        tokens = ab.MemoryTokens(clock=clock)
        grant = Token(access=pair.access_token, refresh=pair.refresh_token, expires_at=pair.access_expires_at)
        tokens.save("app", "visma", grant)
        settings = {**server.settings, "articles": {}}
        with ab.connect(
            "visma", settings, tenant="app", base_url=server.url, tokens=tokens, clock=clock, limits=ab.Unlimited()
        ) as provider:
            server.sandbox.faults.add(Fault("expire_token", when="before", match="GET /v2/customers"))
            assert len(list(provider.import_customers())) == 3
        assert server.sandbox.refreshes == 1


def test_a_client_and_a_server_that_share_a_clock_wait_for_nothing(still, clock):
    """The library itself over a real socket: a job that is told to come back in minutes comes back at once."""
    still.sandbox.faults.add(Fault("late", match=CREATE, seconds=150, lag=30, status=504))
    address = ab.Address(street="Beispielweg 7", postal_code="10115", city="Berlin", country_code="DE")
    line = ab.LineItem(description="Beratung", quantity=8, unit="h", unit_price=95, tax_rate=19)
    wanted = ab.InvoiceDraft(
        reference="2026-03/4711",
        customer=ab.Customer(number="4711", name="Musterwerk GmbH", address=address),
        lines=[line],
        issue_date=clock.now().date(),
    )
    with ab.connect(
        "lexoffice", still.settings, base_url=still.url, clock=clock, limits=ab.Unlimited(), tenant="shared clock"
    ) as provider:
        with pytest.raises(ab.OutcomeUnknown) as caught:
            provider.create_invoice(wanted)
        clock.sleep_until(caught.value.retry_at)
        found = provider.create_invoice(wanted)
    (made,) = still.sandbox.invoices
    assert (found.id, found.created) == (made.id, False)
    assert clock.monotonic() - 1000 >= 180
