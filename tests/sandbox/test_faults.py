"""Faults, hooks and the log, in process and on a virtual clock."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from lexoffice_support import Api, invoice

from accounting_bridge.sandbox import Call, Fault
from accounting_bridge.sandbox.wire import dumps


def post(api, **headers):
    given = {"authorization": f"Bearer {api.box.api_key}", "content-type": "application/json", **headers}
    return Call.to("POST", "/v1/invoices", headers=given, body=dumps(invoice()))


def test_a_fault_spoils_as_many_matching_calls_as_it_says():
    api = Api()
    api.box.faults.add(Fault("status", status=503, match="POST /v1/inv", times=2), Fault("drop", match="GET /v1/x"))
    statuses = [api.box.deliver(post(api)).settle().status for _ in range(3)]
    assert statuses == [503, 503, 201]
    assert len(api.box.invoices) == 3
    assert [fault.match for fault in api.box.faults.waiting] == ["GET /v1/x"]
    assert len(api.box.faults.fired) == 2


def test_a_fault_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(
        ValueError, match=r"^there is no fault of kind 'timeout'; kinds are: refuse, .*, cut_answer$"
    ) as bad:
        Fault("timeout")
    assert len(str(bad.value)) < 300
    with pytest.raises(ValueError, match=r"^when must be 'before' or 'after', not 'during'$"):
        Fault("drop", when="during")
    with pytest.raises(ValueError, match=r"^end must be 'close' or 'reset', not 'slam'$"):
        Fault("cut_answer", cut=5, end="slam")


def test_what_is_no_fault_is_not_queued():
    faults = Api().box.faults
    with pytest.raises(TypeError, match=r"^add takes faults, as Fault\('drop', when='after'\), not 'drop'; kinds "):
        faults.add("drop")
    with pytest.raises(TypeError, match=r"^play takes a schedule, as schedule\(42\), not 42$"):
        faults.play(42)
    assert faults.waiting == ()


@pytest.mark.parametrize("kind", ["drop", "status", "truncate", "html", "content_type"])
def test_before_means_never_executed(kind):
    api = Api()
    api.box.faults.add(Fault(kind, when="before"))
    api.box.deliver(post(api))
    assert len(api.box.invoices) == 0
    assert [(call.status, call.fault) for call in api.box.log] == [(0, kind)]


@pytest.mark.parametrize("kind", ["drop", "status", "truncate", "html", "content_type", "delay"])
def test_after_means_executed_and_then_spoiled(kind):
    api = Api()
    api.box.faults.add(Fault(kind))
    api.box.deliver(post(api))
    assert len(api.box.invoices) == 1
    assert [(call.status, call.fault) for call in api.box.log] == [(201, kind)]


def test_a_refusal_for_too_many_calls_is_never_executed():
    api = Api()
    api.box.faults.add(Fault("rate_limit", seconds=7))
    reply = api.box.deliver(post(api)).settle()
    assert (reply.status, reply.headers["retry-after"]) == (429, "7")
    assert reply.value() == {"message": "Rate limit exceeded"}
    assert len(api.box.invoices) == 0


def test_a_late_commit_happens_when_the_delay_has_passed():
    api = Api()
    api.box.faults.add(Fault("delay", when="before", seconds=31))
    delivery = api.box.deliver(post(api))
    assert (delivery.reply, delivery.delay, len(api.box.invoices)) == (None, 31, 0)
    api.clock.advance(delivery.delay)
    assert delivery.settle().status == 201
    assert api.box.invoices[0].created_at == api.clock.now


def test_a_dropped_call_settles_to_nothing():
    api = Api()
    api.box.faults.add(Fault("drop"))
    assert api.box.deliver(post(api)).settle() is None


def test_a_gateway_body_has_the_vendors_shape():
    api = Api()
    api.box.faults.add(Fault("status"), Fault("status", status=504), Fault("status", body="odd"))
    bodies = [api.box.deliver(post(api)).settle().value() for _ in range(3)]
    assert [body["message"] for body in bodies] == [
        "Internal server error or rate limit exceeded",
        "Endpoint request timed out",
        "odd",
    ]


def test_an_invalid_pattern_is_refused_where_it_is_written():
    with pytest.raises(ValueError, match="unterminated"):
        Fault("drop", match="GET /v1/[")
    with pytest.raises(ValueError, match="kind"):
        Fault("explode")


def test_outgoing_records_can_be_made_odd():
    api = Api(customers=3)

    def odd(page):
        page["content"][0] = None
        page["content"][1]["roles"] = None
        page["content"][2]["colour"] = "blue"
        return page

    api.box.mutate("GET /v1/contacts$", odd, times=1)
    first, second, third = api.get("/v1/contacts").value()["content"]
    assert first is None
    assert second["roles"] is None
    assert third["colour"] == "blue"
    assert None not in api.get("/v1/contacts").value()["content"]


def test_errors_and_files_pass_a_hook_unaltered():
    api = Api()
    identifier = api.invoice(finalize=True)
    api.box.mutate("", lambda _value: "altered")
    assert api.get("/v1/invoices/unknown").status == 404
    assert api.get(f"/v1/invoices/{identifier}/file", accept="application/pdf").body.startswith(b"%PDF")
    assert api.get("/v1/profile").value() == "altered"


def test_the_log_shows_calls_without_credentials():
    api = Api()
    api.get("/v1/contacts?page=0")
    api.post("/v1/invoices", invoice())
    assert [(call.method, call.path, call.status) for call in api.box.log] == [
        ("GET", "/v1/contacts", 200),
        ("POST", "/v1/invoices", 201),
    ]
    assert api.box.log[0].query == (("page", "0"),)
    assert api.box.log[0].at == api.clock.now
    assert api.box.api_key not in repr(api.box.log)


def test_reset_brings_the_seeded_books_back():
    api = Api(customers=3)
    before = api.get("/v1/contacts").body
    api.contact()
    api.invoice()
    api.box.faults.add(Fault("drop"))
    api.box.mutate("", lambda _value: None)
    api.box.reset()
    assert (len(api.box.invoices), len(api.box.customers), api.box.log) == (0, 3, ())
    assert api.get("/v1/contacts").body == before


def test_waiting_faults_can_be_cleared_and_what_fired_stays_on_record():
    api = Api()
    api.box.faults.add(Fault("status", times=5))
    api.box.deliver(post(api))
    api.box.faults.clear()
    assert api.box.deliver(post(api)).settle().status == 201
    assert len(api.box.faults.fired) == 1


def test_a_defect_of_the_sandbox_itself_is_a_500_and_logged(caplog):
    api = Api()

    def broken(_call):
        raise RuntimeError("defect")

    api.box.routes.add("GET", "/v1/broken", broken)
    assert api.get("/v1/broken").status == 500
    assert [record.exc_text for record in caplog.records if "defect" in (record.exc_text or "")]


def test_many_threads_share_one_sandbox_without_losing_or_doubling_a_number():
    api = Api()

    def work(_number):
        return [api.box.handle(post(api)).status for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        statuses = [status for found in pool.map(work, range(8)) for status in found]
    assert set(statuses) == {201}
    assert sorted(made.number for made in api.box.invoices) == [f"RE{number:04d}" for number in range(1, 161)]


def test_a_negative_number_of_customers_is_refused():
    with pytest.raises(ValueError, match="negative"):
        Api(customers=-1)
