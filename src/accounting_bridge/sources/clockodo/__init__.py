"""Clockodo: hours in seconds, lump sums, fixed prices, and a real flag for billed.

Reading order: wire, errors, settings, adapter, then names (what entries refer to), listings (customers and
projects), reading and entries (work), fixed (projects with a fixed price) and marking (the flag).

What to know before touching it; each rule says how it is known (documented by the vendor in its OpenAPI file of March
2026, seen in clients that are in use, assumed):

* The version is part of each path and differs per resource: entries v2, customers, sub-projects and users v3,
  projects, services and lump sum services v4. Older ones were to go on 1 May 2026 (documented).
* Every call names the application and the address of a technical contact in a header (documented); more than 50
  characters are refused by the vendor's client (seen).
* A list of entries needs a window of instants, and has neither order nor a changed-since (documented). So the window
  is cut into pieces that fit on one page each: numbered pages without an order lose a record when another is deleted.
* Names, texts and money are in the list with ``enhanced_list=true`` only, money only for those who may see it
  (documented). Customer numbers, project numbers and units come out of the lists of those.
* ``billable`` is 0, 1, or 2 for billed. It is set by id, with ``PUT /v2/entries/{id}``: the mass edit over a filter
  would take along what was tracked since (documented).
* Hours of projects with a hard budget have no revenue: the project has a fixed price, and is billed as a whole with
  ``setBilled`` (documented). They are not billable here, and the price is a fee once the project is completed. Lump
  sums come on top of it (seen in the vendor's client). What will never be a fee, or contradicts that, is named.
* Sub-projects and lump sum services are numbered apart from projects and services: here they are ``sub-12`` and
  ``lump-31``, because rates and articles are mapped by these ids.
* Demo data (``test_data``) cannot be changed (documented), and is left out.
"""

from .adapter import Clockodo
from .settings import ClockodoSettings

__all__ = ["Clockodo", "ClockodoSettings"]
