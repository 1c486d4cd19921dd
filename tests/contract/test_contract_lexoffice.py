"""lexoffice keeps the contract, against its sandbox on a real socket."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounting_bridge.sandbox import serve
from accounting_bridge.testing import Rig, SandboxRig, VendorContract


def marker(invoice: Any) -> str | None:
    """The reference as the books show it: the last line of the remark."""
    last = (invoice.remark or "").splitlines()[-1:]
    return last[0].removeprefix("Ref. ") if last and last[0].startswith("Ref. ") else None


class TestLexoffice(VendorContract):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        with serve("lexoffice", customers=260, rate_limit=False) as server:
            yield SandboxRig(
                vendor="lexoffice",
                settings=server.settings,
                wrong_settings={"api_key": "not-the-key-of-anybody-at-all"},
                base_url=server.url,
                server=server,
                creates={
                    "customer": "POST /v1/contacts$",
                    "invoice": "POST /v1/invoices$",
                    "sale": "POST /v1/vouchers$",
                },
                delete=server.sandbox.delete_draft,
                marker=marker,
            )
