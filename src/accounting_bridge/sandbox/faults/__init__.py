"""The fault lab: what a network, a gateway or a vendor can do to a call, on demand or by a seeded schedule.

A :class:`Fault` names the calls it spoils and how. :class:`Faults` is the queue of one sandbox (``box.faults``);
:func:`schedule` draws faults for a whole run, and ``box.faults.play(schedule(42))`` applies them.
"""

from __future__ import annotations

from .kinds import CallPattern, Fault, FaultKind, When
from .queue import Faults, FiredFault
from .schedule import READ_RATES, WRITE_RATES, Schedule, schedule

__all__ = [
    "READ_RATES",
    "WRITE_RATES",
    "CallPattern",
    "Fault",
    "FaultKind",
    "Faults",
    "FiredFault",
    "Schedule",
    "When",
    "schedule",
]
