"""Journals: what was intended, sent and confirmed, so that nothing is made twice."""

from .memory import MemoryJournal
from .port import Journal

__all__ = ["Journal", "MemoryJournal"]
