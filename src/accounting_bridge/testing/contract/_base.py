"""What all parts of the contract share: the two fixtures, and how an app repeats a call."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from ...errors import (
    OutcomeUnknown,
    Unavailable,
)
from ...provider import AccountingProvider
from ..rig import Rig

_LATER = 20
"""How often a test repeats a call that says "later" before it gives up."""
_LONGEST = 10.0


def finish(provider: AccountingProvider, create: Any, document: Any) -> Any:
    """Repeat a create as an app would: not before ``retry_at``, until it has an answer."""
    for _ in range(_LATER):
        try:
            return create(document)
        except (OutcomeUnknown, Unavailable) as later:
            if later.retry_at is not None:
                wait = (later.retry_at - datetime.now(UTC)).total_seconds()
                assert wait < _LONGEST, f"{provider.vendor}: the rig's settle time and limits must be short"
                time.sleep(max(0.0, wait) + 0.01)
    raise AssertionError(f"{provider.vendor}: still no answer after {_LATER} calls")


class Contract:
    """The fixtures. Overriding ``rig`` is all that a vendor has to do."""

    @pytest.fixture
    def rig(self) -> Rig:
        """The vendor under test: override this."""
        raise NotImplementedError

    @pytest.fixture
    def provider(self, rig: Rig) -> Any:
        """A connection to the rig."""
        with rig.connect() as provider:
            yield provider
