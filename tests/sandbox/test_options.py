"""What a sandbox is made and served with: all that is wrong is named at once, and nothing is started."""

import threading

import pytest

from accounting_bridge import sandbox
from accounting_bridge.clock import SystemClock
from accounting_bridge.sandbox.lexoffice import Assumptions
from accounting_bridge.sandbox.registry import VENDORS

OWN = {
    "billomat": {"account": "x", "assumptions": Assumptions()},
    "clockodo": {"entries": "120", "account": "x", "assumptions": Assumptions()},
    "informer": {"administration": "x", "assumptions": Assumptions(), "api_key": 5, "security_code": 5},
    "lexoffice": {"organisation": "x", "assumptions": {}, "api_key": 5},
    "mite": {"entries": -1, "account": "x", "assumptions": Assumptions()},
    "timechimp": {"entries": True, "account": "x", "assumptions": Assumptions()},
    "timechimp2": {"entries": 1.5, "assumptions": Assumptions()},
    "visma": {"company": "x", "assumptions": Assumptions(), "redirect_uri": None},
}


def test_texts_of_the_environment_are_no_options():
    with pytest.raises(ValueError, match=r"^customers must be int, not str; rate_limit must be bool, not str$"):
        sandbox.serve("lexoffice", customers="3", rate_limit="false")


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_every_wrong_option_is_named_in_one_error(vendor):
    options = {"customers": "3", "seed": "7", "clock": SystemClock(), "rate_limit": 0, "index_lag": "1", **OWN[vendor]}
    with pytest.raises(ValueError, match="must be") as caught:
        sandbox.serve(vendor, port="80", allow_other_hosts="false", customer=3, **options)
    named = [problem.split(" ")[0] for problem in caught.value.problems]
    assert sorted(named) == sorted(["port", "allow_other_hosts", "customer", *options])


def test_a_text_does_not_open_the_sandbox_to_other_machines():
    before = threading.active_count()
    with pytest.raises(ValueError, match=r"^allow_other_hosts must be bool, not str$"):
        sandbox.serve("lexoffice", host="0.0.0.0", allow_other_hosts="false")
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"customers": -1}, "customers must not be negative"),
        ({"customers": True}, "customers must be int, not bool"),
        ({"seed": 1.0}, "seed must be int, not float"),
        ({"index_lag": -1}, "index_lag must be a number of seconds, not negative"),
        ({"index_lag": float("nan")}, "index_lag must be a number of seconds, not negative"),
        ({"clock": sandbox.VirtualClock}, "clock must be called .* not the class VirtualClock"),
        ({"assumptions": Assumptions}, "assumptions must be Assumptions, not the class Assumptions"),
        ({"port": 65536}, "port must be at most 65535"),
        ({"port": -1}, "port must not be negative"),
        ({"host": None}, "host must be str, not NoneType"),
        ({"costumers": 3}, "costumers is no option of lexoffice; there are: customers, seed, clock, .*api_key$"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        sandbox.serve("lexoffice", **options)


def test_what_is_served_is_a_name_or_a_sandbox():
    with pytest.raises(ValueError, match="sandbox must be a vendor's name or a sandbox, not int"):
        sandbox.serve(5)


def test_a_sandbox_without_a_server_is_checked_as_well():
    with pytest.raises(ValueError, match=r"customers must be int, not str; api_key must be str, not int"):
        sandbox.LexofficeSandbox(customers="3", api_key=12345)
