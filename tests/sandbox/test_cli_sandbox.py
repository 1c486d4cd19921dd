"""The command that serves a sandbox."""

import os
import re
import signal
import socket
import subprocess
import sys
from types import SimpleNamespace

import httpx
import pytest

from accounting_bridge.cli import main
from accounting_bridge.sandbox.registry import VENDORS


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return stopped.value.code, capsys.readouterr()


def test_help_names_the_command(capsys):
    code, output = run(capsys, "--help")
    assert code == 0
    assert "sandbox" in output.out
    code, output = run(capsys, "sandbox", "serve", "--help")
    assert code == 0
    assert "--customers" in output.out
    for name in VENDORS:
        assert name in output.out


def test_an_address_that_others_reach_names_the_option_of_the_terminal(capsys):
    code, output = run(capsys, "sandbox", "serve", "lexoffice", "--host", "0.0.0.0")
    assert code == 2
    assert output.err == "Error: 0.0.0.0 is not a loopback address; pass --allow-other-hosts to listen there\n"


def test_an_unknown_vendor_is_one_line_and_status_2(capsys):
    code, output = run(capsys, "sandbox", "serve", "nobooks")
    assert code == 2
    assert output.err == f"Error: no sandbox for 'nobooks'; there are: {', '.join(sorted(VENDORS))}\n"


def test_a_port_in_use_is_one_line_and_status_2(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output = run(capsys, "sandbox", "serve", "lexoffice", "--port", str(port))
    assert code == 2
    assert output.err == f"Error: cannot listen on 127.0.0.1:{port}: it is in use\n"


@pytest.mark.parametrize("missing", ["click", "uvicorn"])
def test_a_missing_package_names_the_extra(capsys, monkeypatch, missing):
    def without(name, *_rest):
        return None if name == missing else object()

    monkeypatch.setattr("accounting_bridge.cli.find_spec", without)
    monkeypatch.setattr("accounting_bridge.cli.sandbox.find_spec", without)
    code, output = run(capsys, "sandbox", "serve", "lexoffice")
    assert code == 2
    assert "pip install '.[cli,sandbox]' in a checkout" in output.err  # no index need have it


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_command_serves_until_it_is_interrupted():
    program = "from accounting_bridge.cli import main; main()"
    command = [sys.executable, "-W", "error", "-c", program, "sandbox", "serve", "lexoffice", "--customers", "10000"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        first = process.stdout.readline()
        url = re.search(r"http://\S+", first)[0]
        key = process.stdout.readline().partition("= ")[2].strip()
        answer = httpx.get(
            f"{url}/v1/contacts", headers={"authorization": f"Bearer {key}"}, timeout=60, trust_env=False
        )
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        last, errors = process.communicate(timeout=60)
    assert "10,000 customers" in first
    assert answer.json()["totalElements"] == 10_000
    assert f"base_url='{url}'" in lines[1]
    assert last == "stopped\n"
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(("vendor", "told"), [("visma", True), ("lexoffice", False)])
def test_where_users_consent_it_says_how(capsys, monkeypatch, vendor, told):
    stopped_at_once = SimpleNamespace(wait=lambda: None)
    monkeypatch.setattr("accounting_bridge.cli.sandbox.Event", lambda: stopped_at_once)
    code, output = run(capsys, "sandbox", "serve", vendor)
    assert code == 0
    assert ("provider.exchange(code, state)" in output.out) is told
