"""TimeChimp: hours, expenses and trips, the rates of projects, one status, and the invoices that it issues itself.

Reading order: wire, errors, settings, adapter, then countries, masters (customers, projects, rates), fixed (prices that
are not those of hours), reading (what is listed), marking (the status) and issued (its invoices).

There are two interfaces that have nothing in common. These modules speak **v1**, which is described by the vendor field
by field; :mod:`.v2` speaks the other, as a source of its own, and takes from here only how countries, decimal hours and
rates are read.

What to know before touching it; each rule says how it is known (documented by the vendor's specification of v1, seen
in clients that are in use, assumed):

* ``Authorization: Bearer <key>``, 100 calls a minute (documented).
* Lists are bare arrays without pages (documented). Work is asked for by stretches of days, so that no answer grows
  with the period; whether the last day of a stretch is included is not known, so one more is asked for and left out.
* Enumerations are numbers (documented). One that is not in the list is named, never guessed.
* Hours are decimal (documented), and an entry has neither rate nor flag for billable (documented by absence): both are
  those of its project's task, and which rate counts depends on how the project is invoiced (documented).
* What is charged instead of hours (fixed prices, milestones, subscriptions) is told without the day when it is due
  (documented by absence): it is named, never made up.
* Tasks and categories of expenses are numbered apart: the id of a category has ``category-`` before it.
* A change is a ``PUT`` of the whole record on the collection, its id in the body (documented). That the status may be
  changed so is assumed: it is looked at again afterwards.
* ``status`` and ``statusIntern`` are the same (assumed); ``statusExtern`` belongs to the customer's portal.
"""

from .adapter import TimeChimp
from .settings import TimeChimpSettings

__all__ = ["TimeChimp", "TimeChimpSettings"]
