"""mite: hours in minutes, rates in cents, one flag.

Reading order: wire, errors, settings, adapter, then listing (whole lists), reading (what is listed) and marking (the
flag).

What to know before touching it; each rule says how it is known (documented by the vendor, seen in clients that are in
use, assumed):

* Every object is wrapped in its singular name, in both directions: ``{"time_entry": {…}}`` (documented).
* The format is the path's suffix ``.json``; ``Accept`` plays no part (documented).
* Lists have ``limit`` and ``page`` and no totals, and without ``limit`` everything comes (documented). Numbered pages
  move when a record goes, so they are not counted; that there is no maximum all the same is looked at.
* A change is answered with 200 and an empty body (documented).
* ``minutes`` are whole minutes; ``hourly_rate`` is whole cents and the rate that counts for the entry, whatever its
  customer, project or service say by now (documented; that it is resolved when the entry is made is assumed, from
  ``update_hourly_rate_on_time_entries``). ``revenue`` is a float of cents, null without a rate: it is never used as
  an amount.
* The keys of the customer are missing where a project has none (seen).
* The one flag is ``locked``. A locked entry refuses changes (documented), so that the same lock again may be refused
  (assumed): a refusal is followed by a look. It also serves for closing months, so it proves nothing.
* Customers have no number, address or mail (documented by absence): the app links them by id.
"""

from .adapter import Mite
from .settings import MiteSettings

__all__ = ["Mite", "MiteSettings"]
