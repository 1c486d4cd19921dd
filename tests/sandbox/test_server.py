"""The sandbox behind real sockets."""

import gc
import socket
import threading
import time
import warnings

import httpx
import pytest

from accounting_bridge import sandbox
from accounting_bridge.sandbox import Fault, LexofficeSandbox, VirtualClock


@pytest.fixture
def box():
    with sandbox.serve("lexoffice", customers=30, rate_limit=False) as server:
        yield server


@pytest.fixture
def client(box):
    headers = {"authorization": f"Bearer {box.settings['api_key']}"}
    with httpx.Client(base_url=box.url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


def invoice():
    return {
        "voucherDate": "2026-08-21T00:00:00.000+02:00",
        "address": {"name": "Musterbau Süd GmbH", "countryCode": "DE"},
        "lineItems": [],
        "totalPrice": {"currency": "EUR"},
        "taxConditions": {"taxType": "net"},
        "shippingConditions": {"shippingType": "none"},
    }


def test_one_line_starts_a_vendor_and_its_books_can_be_looked_at(box, client):
    assert client.get("/v1/contacts?size=250").json()["totalElements"] == 30
    assert client.post("/v1/invoices", json=invoice()).status_code == 201
    assert [made.status for made in box.sandbox.invoices] == ["draft"]
    assert isinstance(box.sandbox, LexofficeSandbox)


def test_start_and_stop_are_silent_and_leave_nothing_behind():
    before = set(threading.enumerate())  # those of earlier tests may end meanwhile
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sandbox.serve("lexoffice").close()
        for _ in range(10):
            server = sandbox.serve("lexoffice", customers=100_000)
            with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
                assert client.get("/v1/profile").status_code == 401
                server.close()
            server.close()
        gc.collect()
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dropped_connection_gives_no_answer_whether_or_not_the_invoice_was_made(box, client, caplog, when):
    box.sandbox.faults.add(Fault("drop", when=when, match="POST /v1/invoices"))
    assert client.get("/v1/profile").status_code == 200
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.post("/v1/invoices", json=invoice())
    assert len(box.sandbox.invoices) == (0 if when == "before" else 1)
    assert client.get("/v1/profile").status_code == 200
    (fired,) = box.sandbox.faults.fired
    assert (fired.method, fired.path) == ("POST", "/v1/invoices")
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_a_truncated_answer_announces_more_than_it_sends(box, client):
    box.sandbox.faults.add(Fault("truncate", cut=5))
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/v1/invoices", json=invoice())
    assert len(box.sandbox.invoices) == 1


def test_a_delayed_answer_does_not_hold_up_others(box, client):
    box.sandbox.faults.add(Fault("delay", seconds=30, match="/v1/countries"))
    with pytest.raises(httpx.ReadTimeout):
        client.get("/v1/countries", timeout=httpx.Timeout(60, read=0.1))
    assert client.get("/v1/profile").status_code == 200


def test_a_late_commit_happens_although_the_client_gave_up(box, client):
    box.sandbox.faults.add(Fault("delay", when="before", seconds=0.3, match="POST"))
    began = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/invoices", json=invoice(), timeout=httpx.Timeout(60, read=0.1))
    made = len(box.sandbox.invoices)
    assert made == 0 or time.monotonic() - began >= 0.3
    deadline = time.monotonic() + 60
    while not box.sandbox.invoices and time.monotonic() < deadline:
        client.get("/v1/profile")
    assert len(box.sandbox.invoices) == 1


@pytest.mark.parametrize(
    ("fault", "status", "content_type"),
    [
        (Fault("status", status=504), 504, "application/json"),
        (Fault("html"), 502, "text/html"),
        (Fault("html", status=200), 200, "text/html"),
        (Fault("content_type"), 200, "text/plain"),
        (Fault("rate_limit", seconds=3), 429, "application/json"),
    ],
)
def test_spoiled_answers_arrive_as_they_would_from_a_gateway(box, client, fault, status, content_type):
    box.sandbox.faults.add(fault)
    answer = client.get("/v1/profile")
    assert (answer.status_code, answer.headers["content-type"]) == (status, content_type)
    assert client.get("/v1/profile").status_code == 200


def test_the_rate_limit_is_real():
    clock = VirtualClock()  # a busy machine may take longer for the calls than the vendor for new ones
    with sandbox.serve("lexoffice", clock=clock) as box:
        headers = {"authorization": f"Bearer {box.settings['api_key']}"}
        with httpx.Client(base_url=box.url, headers=headers, timeout=60, trust_env=False) as client:
            statuses = [client.get("/v1/profile").status_code for _ in range(8)]
            clock.sleep(10)
            later = client.get("/v1/profile").status_code
    assert statuses[:4] == [200] * 4
    assert 429 in statuses
    assert later == 200


def test_an_upload_and_a_download_cross_the_wire_unchanged(box, client):
    content = b"%PDF-1.4\r\n" + bytes(range(256)) * 100
    upload = client.post(
        "/v1/files", data={"type": "voucher"}, files={"file": ("beleg.pdf", content, "application/pdf")}
    )
    assert upload.status_code == 202
    assert client.get(f"/v1/files/{upload.json()['id']}", headers={"accept": "*/*"}).content == content


def test_other_than_loopback_addresses_are_refused():
    with pytest.raises(ValueError, match="loopback"):
        sandbox.serve("lexoffice", host="0.0.0.0")


def test_a_port_in_use_is_an_os_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            sandbox.serve("lexoffice", port=taken.getsockname()[1])


def test_an_unknown_vendor_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'nobooks'; there are: billomat, .*lexoffice"):
        sandbox.serve("nobooks")


def test_options_belong_to_a_vendor_name():
    with pytest.raises(TypeError, match="customers"):
        sandbox.serve(LexofficeSandbox(), customers=3)


def test_a_sandbox_of_ones_own_can_be_served():
    own = LexofficeSandbox(customers=3)
    with sandbox.serve(own) as box:
        assert box.sandbox is own
        assert box.url.startswith("http://127.0.0.1:")


def test_public_names_are_sorted_and_exist():
    assert sorted(sandbox.__all__) == list(sandbox.__all__)
    for name in set(sandbox.__all__) - {"BillomatSandbox"}:
        assert getattr(sandbox, name) is not None
    with pytest.raises(AttributeError, match="Nothing"):
        sandbox.Nothing  # noqa: B018
