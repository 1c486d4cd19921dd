"""Consent: from a person's browser to a grant."""

from __future__ import annotations

from ..adapter import Adapter, TakesConsent, unsupported
from ..flow import Now, Token


def consents(adapter: Adapter) -> TakesConsent:
    """The adapter's way to a grant; Unsupported where a key is all that is needed."""
    if adapter.capabilities.oauth and isinstance(adapter, TakesConsent):
        return adapter
    raise unsupported(adapter.vendor, "be consented to", "its settings hold all the credentials that it needs")


async def exchange(adapter: Adapter, code: str, state: str, tenant: str) -> Token:
    """The grant for a code."""
    return await consents(adapter).exchange(code, state, tenant, await Now())
