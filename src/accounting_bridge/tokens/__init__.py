"""Where OAuth grants are kept. Vendors with plain API keys need none of this."""

from .memory import MemoryTokens, TokenStore

__all__ = ["MemoryTokens", "TokenStore"]
