"""TimeChimp's second interface (API v2), which new customers get: hours, expenses, trips, projects with sub-projects.

Reading order: wire, errors, settings, lists (pages and what is expanded), adapter, then masters (customers, projects,
rates), reading (what is listed) and marking (the status).

A source of its own beside the first interface, named ``timechimp2``: records, paths, lists and marks differ in
everything, and whether an id of one names the same entry in the other is not known.

The vendor's description of it is not public. What to know before touching it; each rule says how it is known:

* Host, headers, paths, ``$top``, ``$skip``, ``$count``, ``$filter``, ``$orderby``, ``$expand``, and the fields of
  *requests* (seen in clients that are in use). 100 calls a minute per company (documented).
* **No answer was ever published.** That a record of an answer has the fields of the request that makes it, that
  references are objects with an ``id``, and that hours are named as in the first interface is assumed. Nothing is
  filled in for what an answer does not show: such a record is named, and the run is not complete.
* A list is an array, or an object with one array (all clients in use can be served by that).
* Which rate counts depends on how the project is invoiced (documented for v1, seen for v2).
* The status of expenses and trips is set for a hundred at once (seen); that of hours by the same pattern (assumed, and
  off by default).
"""

from .adapter import TimeChimp2
from .settings import TimeChimp2Settings

__all__ = ["TimeChimp2", "TimeChimp2Settings"]
