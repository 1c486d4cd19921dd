"""Rate limits: how vendors count calls, and what keeps within it."""

from .memory import MemoryLimits, Unlimited
from .port import Limits, RateLimits, RateSignal, Reservation, Window

__all__ = ["Limits", "MemoryLimits", "RateLimits", "RateSignal", "Reservation", "Unlimited", "Window"]
