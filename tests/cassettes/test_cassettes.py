"""Cassettes replay in both drivers without a network, hold no secrets, and are what today's code would record."""

import gzip
import socket
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest
import vcr
import yaml
from tools import record_cassettes as tape

import accounting_bridge as ab
from accounting_bridge.sandbox import sandbox_class
from accounting_bridge.testing import cassette_options

FILES = sorted(tape.FOLDER.rglob("*.yaml"))
DRIVERS = ["sync", "asyncio", "trio"]


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants to connect fails."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a cassette test wants the network")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)


def arguments_of(recording: tape.Recording) -> dict[str, Any]:
    sandbox = sandbox_class(recording.vendor)(seed=1, clock=lambda: tape.NOON)
    return tape.connection(recording, sandbox, base_url=tape.ORIGIN)


def replay(recording: tape.Recording, driver: str, folder: Path = tape.FOLDER) -> Any:
    """What the operation comes to when the vendor is a cassette; every interaction has to be asked for."""
    options = cassette_options(origin=tape.ORIGIN, directory=str(folder))
    arguments = arguments_of(recording)
    with vcr.VCR(**options).use_cassette(recording.file) as cassette:
        if driver == "sync":
            with ab.connect(recording.vendor, **arguments) as provider:
                result = tape.drive(recording.operation, provider)
        else:

            async def main() -> Any:
                async with ab.connect_async(recording.vendor, **arguments) as provider:
                    return await recording.operation(provider)

            result = anyio.run(main, backend=driver)
        assert cassette.all_played
    return result


def recording_of(vendor: str, operation: tape.Operation) -> tape.Recording:
    (found,) = [one for one in tape.RECORDINGS if (one.vendor, one.operation) == (vendor, operation)]
    return found


every_vendor = pytest.mark.parametrize("vendor", tape.VENDORS)
every_driver = pytest.mark.parametrize("driver", DRIVERS)


# ---- what comes out of them ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_network")
@every_vendor
@every_driver
class TestReplay:
    def test_check_names_the_company(self, vendor: str, driver: str) -> None:
        company = replay(recording_of(vendor, tape.check), driver).company
        assert company == {
            "billomat": "Musterbüro Beispiel GmbH",
            "informer": "Voorbeeld Advies BV",
            "lexoffice": "Musterbau Nord GmbH",
            "visma": "Urenwerk Voorbeeld B.V.",
        }[vendor]  # fmt: skip

    def test_three_customers_are_imported(self, vendor: str, driver: str) -> None:
        customers = replay(recording_of(vendor, tape.import_customers), driver)
        assert len({customer.id for customer in customers}) == 3
        assert all(customer.name and customer.number for customer in customers)

    def test_a_customer_is_found_and_another_is_not(self, vendor: str, driver: str) -> None:
        found, missing = replay(recording_of(vendor, tape.find_customer), driver)
        assert found in replay(recording_of(vendor, tape.import_customers), driver)
        assert missing is None

    def test_a_customer_is_made_once(self, vendor: str, driver: str) -> None:
        made, again = replay(recording_of(vendor, tape.ensure_customer), driver)
        assert (made.created, again.created) == (True, False)
        assert made.customer.id == again.customer.id
        assert made.customer.name == "Musterwerk 4711 GmbH"

    def test_an_invoice_is_made_once_and_sums_up_as_planned(self, vendor: str, driver: str) -> None:
        plan, made, again = replay(recording_of(vendor, tape.create_invoice), driver)
        assert (made.created, again.created) == (True, False)
        assert made.id == again.id
        assert (made.reference, made.status) == ("2026-03/4711", ab.InvoiceStatus.DRAFT)
        assert made.totals == plan.totals
        assert str(made.totals.gross) == {(19, 7): "832.12", (21, 9): "846.13"}[tape.VENDORS[vendor].rates]

    def test_a_final_invoice_is_numbered(self, vendor: str, driver: str) -> None:
        invoice = replay(recording_of(vendor, tape.finalize), driver)
        assert invoice.status is ab.InvoiceStatus.OPEN
        assert any(map(str.isdigit, invoice.number))

    def test_the_pdf_is_a_pdf(self, vendor: str, driver: str) -> None:
        content = replay(recording_of(vendor, tape.pdf), driver)
        assert content.startswith(b"%PDF-")
        assert content.rstrip().endswith(b"%%EOF")

    def test_a_sale_is_booked_once_with_its_pdf(self, vendor: str, driver: str) -> None:
        plan, booked, again = replay(recording_of(vendor, tape.book_sale), driver)
        assert (booked.created, again.created, booked.has_pdf, again.has_pdf) == (True, False, True, True)
        assert booked.id == again.id
        assert booked.invoice_number == "2026-0815"
        assert booked.totals.gross == plan.totals.gross

    def test_a_wrong_key_is_refused(self, vendor: str, driver: str) -> None:
        error = replay(recording_of(vendor, tape.wrong_key), driver)
        assert (type(error), error.status) == (ab.AuthenticationFailed, 401)

    def test_a_refusal_of_the_vendor_names_its_reasons(self, vendor: str, driver: str) -> None:
        error = replay(recording_of(vendor, tape.vendor_refuses), driver)
        assert type(error) is ab.InvalidRequest
        assert error.problems


@pytest.mark.usefixtures("no_network")
@every_driver
def test_a_changed_amount_is_not_answered_from_the_cassette(monkeypatch: pytest.MonkeyPatch, driver: str) -> None:
    """vcrpy's default takes any body for the recorded one."""
    cheaper = ab.LineItem(description="Beratung", unit_price=99, tax_rate=19)
    changed = attrs.evolve(tape.draft("lexoffice"), lines=[cheaper])
    monkeypatch.setattr(tape, "draft", lambda _: changed)
    with pytest.raises(vcr.errors.CannotOverwriteExistingCassetteException):
        replay(recording_of("lexoffice", tape.create_invoice), driver)


# ---- what stands in them ---------------------------------------------------------------------------------------


def test_there_is_a_cassette_for_every_operation_and_no_other() -> None:
    assert FILES == sorted(tape.FOLDER / one.file for one in tape.RECORDINGS)


@pytest.mark.parametrize("one", tape.RECORDINGS, ids=str)
def test_a_cassette_says_first_what_it_is(one: tape.Recording) -> None:
    lines = (tape.FOLDER / one.file).read_text("utf-8").splitlines()[:3]
    assert lines == [
        "# Made against the bundled sandbox of accounting_bridge (not recorded from the vendor).",
        "# Remake it with: python tools/record_cassettes.py",
        f"# Operation: {one.name} ({one.vendor})",
    ]


@pytest.mark.parametrize("one", tape.RECORDINGS, ids=str)
def test_a_cassette_holds_no_secret(one: tape.Recording) -> None:
    """Neither the sandbox's keys, nor the wrong ones, nor a header that could carry any."""
    content = (tape.FOLDER / one.file).read_text("utf-8").lower()
    secrets = [
        *tape.secrets_of(one.vendor, arguments_of(one)),
        *map(str, tape.VENDORS[one.vendor].wrong.values()),
        *(
            word
            for word in ("authorization:", 'authorization"', "bearer ", "x-billomatapikey", "x-appsecret", "cookie")
        ),
        *(word for word in ("apikey", "securitycode", "access_token", "refresh_token", "client_secret")),
    ]
    assert len(secrets) > 11
    assert len(tape.secrets_of(one.vendor, arguments_of(one))) >= 1
    assert [secret for secret in secrets if secret.lower() in content] == []


@pytest.mark.parametrize("one", tape.RECORDINGS, ids=str)
def test_a_cassette_is_short_and_names_the_fixed_origin_only(one: tape.Recording) -> None:
    interactions = interactions_of(tape.FOLDER / one.file)
    assert 1 <= len(interactions) <= tape.MOST_INTERACTIONS
    assert all(turn["request"]["uri"].startswith(f"{tape.ORIGIN}/") for turn in interactions)


@pytest.mark.parametrize("one", tape.RECORDINGS, ids=str)
def test_a_cassette_is_what_is_recorded_today(one: tape.Recording, tmp_path: Path) -> None:
    """So that they cannot rot: change the code, and `python tools/record_cassettes.py` shows what changed."""
    remade = interactions_of(tape.record(one, tmp_path))
    committed = interactions_of(tape.FOLDER / one.file)
    if one.operation is tape.pdf:  # the bytes of the file are another library's
        for turns in (remade, committed):
            assert turns.pop()["response"]["status"]["code"] == 200
    assert committed == remade


def interactions_of(path: Path) -> list[dict[str, Any]]:
    """Without the words beside a status: Python 3.13 calls 422 by another name than 3.11."""
    interactions: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["interactions"]
    for interaction in interactions:
        del interaction["response"]["status"]["message"]
    return interactions


# ---- the options -----------------------------------------------------------------------------------------------


def filters(secrets: list[str]) -> tuple[Any, Any]:
    """What happens to a request and to a response on their way into a cassette."""
    recorder = vcr.VCR(**cassette_options(origin="https://api.example", secrets=secrets))
    options = recorder.get_merged_config()
    return options["before_record_request"], options["before_record_response"]


def test_a_secret_is_struck_out_of_path_query_and_body_however_it_is_written() -> None:
    request, _ = filters(["s3cr/t+key"])
    asked = vcr.request.Request(
        "POST", "http://127.0.0.1:9/v1/s3cr%2Ft%2Bkey?api_key=s3cr%2Ft%2Bkey", b'{"key":"s3cr/t+key"}', {}
    )
    assert request(asked).uri == "https://api.example/v1/[secret]?api_key=[secret]"
    assert request(asked).body == b'{"key":"[secret]"}'


def test_a_secret_is_struck_out_of_a_compressed_answer() -> None:
    _, response = filters(["s3cr3t-key"])
    answered = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Encoding": ["gzip"], "Content-Type": ["application/json"], "Set-Cookie": ["id=1"]},
        "body": {"string": gzip.compress(b'{"echo":"s3cr3t-key"}')},
    }
    kept = response(answered)
    assert kept["body"] == {"string": b'{"echo":"[secret]"}'}
    assert kept["headers"] == {"content-type": ["application/json"]}


def test_an_answer_that_names_the_recording_s_server_names_the_fixed_origin() -> None:
    recorder = vcr.VCR(**cassette_options(origin="https://api.example", server="http://127.0.0.1:39099"))
    answered = {
        "status": {"code": 200, "message": "OK"},
        "headers": {},
        "body": {"string": b'{"Url":"http://127.0.0.1:39099/files/1"}'},
    }
    kept = recorder.get_merged_config()["before_record_response"](answered)
    assert kept["body"] == {"string": b'{"Url":"https://api.example/files/1"}'}


def test_headers_are_kept_by_an_allow_list() -> None:
    request, _ = filters([])
    headers = {"Authorization": "Bearer x", "X-BillomatApiKey": "x", "X-New": "x", "Accept": "application/json"}
    assert request(vcr.request.Request("GET", "http://127.0.0.1/", b"", headers)).headers == {
        "Accept": "application/json"
    }
