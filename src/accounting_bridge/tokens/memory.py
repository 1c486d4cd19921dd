"""The token store's port, and the store that lives as long as the process."""

from __future__ import annotations

from threading import Lock
from typing import Protocol

from ..flow import Token


class TokenStore(Protocol):
    """Keeps one grant per tenant and vendor. Implementations are safe to share between threads."""

    @property
    def blocking(self) -> bool:
        """Whether calls may take long enough to leave the event loop for."""
        ...

    def load(self, tenant: str, vendor: str) -> Token | None:
        """The grant, or None."""
        ...

    def save(self, tenant: str, vendor: str, token: Token) -> None:
        """Replace the grant; returns when it is stored."""
        ...


class MemoryTokens:
    """Keeps grants in memory: a restart asks the user for consent again."""

    blocking = False

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str], Token] = {}
        self._lock = Lock()

    def load(self, tenant: str, vendor: str) -> Token | None:
        """The grant, or None."""
        with self._lock:
            return self._tokens.get((tenant, vendor))

    def save(self, tenant: str, vendor: str, token: Token) -> None:
        """Replace the grant."""
        with self._lock:
            self._tokens[tenant, vendor] = token
