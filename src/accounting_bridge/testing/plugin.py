"""A pytest plugin, installed with the package: the sandboxes of vendors and trackers as fixtures.

::

    def test_invoicing(lexoffice_sandbox):
        box, unpaced = lexoffice_sandbox, accounting_bridge.Unlimited()
        provider = accounting_bridge.connect("lexoffice", box.settings, base_url=box.url, limits=unpaced)

"No rate limit" is the sandbox's: the client paces itself as the vendor wants it, unless it gets ``Unlimited()``.

Nothing heavy is imported before a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from accounting_bridge.sandbox import (
        BillomatSandbox,
        ClockodoSandbox,
        InformerSandbox,
        LexofficeSandbox,
        MiteSandbox,
        Sandbox,
        Server,
        TimeChimp2Sandbox,
        TimeChimpSandbox,
        VismaSandbox,
    )

pytest.register_assert_rewrite("accounting_bridge.testing.contract")


@pytest.fixture
def sandbox_server() -> Iterator[Callable[..., Server[Sandbox]]]:
    """A function that serves a sandbox until the test ends: ``sandbox_server("lexoffice", customers=1000)``."""
    from accounting_bridge.sandbox import serve

    with ExitStack() as open_servers:

        def start(vendor: str, **options: Any) -> Server[Sandbox]:
            return open_servers.enter_context(serve(vendor, **options))

        yield start


@pytest.fixture
def lexoffice_sandbox(sandbox_server: Callable[..., Any]) -> Server[LexofficeSandbox]:
    """A lexoffice account with 25 customers and no rate limit, on a loopback socket."""
    server: Server[LexofficeSandbox] = sandbox_server("lexoffice", rate_limit=False)
    return server


@pytest.fixture
def billomat_sandbox(sandbox_server: Callable[..., Any]) -> Server[BillomatSandbox]:
    """A Billomat account with 25 customers and no rate limit, on a loopback socket."""
    server: Server[BillomatSandbox] = sandbox_server("billomat", rate_limit=False)
    return server


@pytest.fixture
def informer_sandbox(sandbox_server: Callable[..., Any]) -> Server[InformerSandbox]:
    """An Informer administration with 25 customers and no rate limit, on a loopback socket."""
    server: Server[InformerSandbox] = sandbox_server("informer", rate_limit=False)
    return server


@pytest.fixture
def visma_sandbox(sandbox_server: Callable[..., Any]) -> Server[VismaSandbox]:
    """A Visma company with 25 customers and no rate limit, on a loopback socket, with its identity server."""
    server: Server[VismaSandbox] = sandbox_server("visma", rate_limit=False)
    return server


@pytest.fixture
def mite_sandbox(sandbox_server: Callable[..., Any]) -> Server[MiteSandbox]:
    """A mite account with work of its people and no rate limit, on a loopback socket."""
    server: Server[MiteSandbox] = sandbox_server("mite", rate_limit=False)
    return server


@pytest.fixture
def clockodo_sandbox(sandbox_server: Callable[..., Any]) -> Server[ClockodoSandbox]:
    """A Clockodo account with work of its people and no rate limit, on a loopback socket."""
    server: Server[ClockodoSandbox] = sandbox_server("clockodo", rate_limit=False)
    return server


@pytest.fixture
def timechimp_sandbox(sandbox_server: Callable[..., Any]) -> Server[TimeChimpSandbox]:
    """A TimeChimp account with work of its people and no rate limit, on a loopback socket."""
    server: Server[TimeChimpSandbox] = sandbox_server("timechimp", rate_limit=False)
    return server


@pytest.fixture
def timechimp2_sandbox(sandbox_server: Callable[..., Any]) -> Server[TimeChimp2Sandbox]:
    """A TimeChimp account with API v2, with work of its people and no rate limit, on a loopback socket."""
    server: Server[TimeChimp2Sandbox] = sandbox_server("timechimp2", rate_limit=False)
    return server
