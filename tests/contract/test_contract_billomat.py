"""Billomat keeps the contract, against its sandbox on a real socket; with and without mirrored sales."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounting_bridge.sandbox import serve
from accounting_bridge.testing import Rig, SandboxRig, VendorContract


def rig_of(server: Any, **options: Any) -> Rig:
    return SandboxRig(
        vendor="billomat",
        settings=server.settings,
        wrong_settings={**server.settings, "api_key": "0123456789abcdef0123456789abcdef"},
        base_url=server.url,
        server=server,
        creates={
            "customer": "POST /api/clients$",
            "invoice": "POST /api/invoices$",
            "sale": "POST /api/invoices$",
        },
        delete=server.sandbox.web.delete,
        marker=lambda invoice: invoice.label or None,
        options=options,
    )


class TestBillomat(VendorContract):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        with serve("billomat", customers=260, rate_limit=False) as server:
            yield rig_of(server)


class TestBillomatMirroringSales(VendorContract):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        with serve("billomat", customers=30, rate_limit=False) as server:
            yield rig_of(server, mirror_sales=True)
