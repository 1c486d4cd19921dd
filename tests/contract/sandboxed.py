"""What the adversarial contract tests share: every vendor behind a real socket."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import pytest
from case_billomat import BillomatCase
from case_informer import InformerCase
from case_lexoffice import LexofficeCase
from case_visma import VismaCase
from vendor_case import QUICK, SETTLE, Vendor, customer, draft, issued, line

import accounting_bridge as ab
from accounting_bridge.sandbox import Call, serve
from accounting_bridge.testing.contract import finish

__all__ = [
    "CASES",
    "QUICK",
    "SETTLE",
    "VENDORS",
    "Vendor",
    "ask",
    "change_page",
    "customer",
    "draft",
    "every_vendor",
    "issued",
    "line",
    "make_again",
    "serving",
    "serving_all",
    "settled",
]

CASES: Final[Mapping[str, type[Vendor]]] = {
    case.name: case for case in (LexofficeCase, BillomatCase, InformerCase, VismaCase)
}
"""A vendor joins every suite of this folder with its row here."""
VENDORS: Final = tuple(CASES)

every_vendor = pytest.mark.parametrize("vendor", VENDORS, indirect=True)
"""For tests whose module has a fixture ``vendor``."""


@contextmanager
def serving(vendor: str, **options: Any) -> Iterator[Vendor]:
    """A vendor without a rate limit, with few customers unless asked otherwise."""
    with serve(vendor, **{"customers": 8, "rate_limit": False, **options}) as server:
        yield CASES[vendor](server)


@contextmanager
def serving_all() -> Iterator[Mapping[str, Vendor]]:
    """All vendors, each when it is first asked for."""
    with ExitStack() as open_servers:
        yield _Servers(open_servers)


class _Servers(dict[str, Vendor]):
    def __init__(self, open_servers: ExitStack) -> None:
        super().__init__()
        self._open_servers = open_servers

    def __missing__(self, name: str) -> Vendor:
        self[name] = found = self._open_servers.enter_context(serving(name))
        return found


def settled(provider: ab.AccountingProvider, number: str = "4711") -> ab.Customer:
    """The customer, made and waited for as an app would: an answer without an id is unclear while the list lags."""
    ensured: ab.EnsuredCustomer = finish(provider, provider.ensure_customer, customer(number))
    return ensured.customer


def change_page(change: Callable[[list[Any]], Any], vendor: Vendor, kind: str = "customer") -> Callable[[Any], Any]:
    """A mutation of the records of a page, in place."""

    def mutation(body: Any) -> Any:
        change(vendor.records(body, kind))
        return body

    return mutation


def ask(vendor: Vendor, method: str, path: str, body: Any = None) -> Any:
    """Past the library, as another program with the same key would."""
    headers = {"accept": "application/json", "content-type": "application/json", **vendor.credentials()}
    content = b"" if body is None else json.dumps(body).encode()
    reply = vendor.box.handle(Call.to(method, path, headers=headers, body=content))
    assert reply.status < 300, reply.body
    return reply.value() if reply.body else None


def make_again(vendor: Vendor, pattern: str) -> None:
    """Send the last create once more: the same marker, another document."""
    last = vendor.last(pattern)
    ask(vendor, last.method, last.path, json.loads(last.body))
