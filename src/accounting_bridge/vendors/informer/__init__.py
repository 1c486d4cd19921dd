"""Informer (InformerOnline), API v2: JSON over plural paths, with a salesbook for invoices issued elsewhere.

Reading order: wire, errors, pages, settings, placeholders, adapter, then master, relations, sheet, booking,
drafting, invoices, sales.

What to know before touching it; each rule says how it is known (documented by the vendor, seen in clients that are
in use, assumed):

* An empty list is an error, "No records found", with 400 or with 200 (seen). An ``error`` in a body with status 200
  is an error (seen with v1, kept for v2).
* Whether pages count from 0 or from 1 is contradictory (documented: 1, its own example: 0, a client in use: 0). So
  the first call names no page, and what it says of itself is the base.
* ``last_edit`` filters by day; whether the day itself is meant is not known, nor the time zone of stamps (assumed:
  Europe/Amsterdam). So a day earlier is asked for, and what came too much is left out here.
* Creating a relation answers without its id (documented): it is found again by the number that was given to it.
* Only documented keys are sent, and none of them empty: unknown keys are refused (seen), and what ``""`` does in v2
  is not known. So nothing can be emptied through this interface.
* VAT option, VAT id and ledger id must fit together; ``options`` is the authority (documented). All three are internal
  ids: the example's ledger 8000 is an account number where an id belongs (seen).
* A concept becomes final only by being sent or marked as sent (documented). Whether a final invoice can be mailed is
  not known, so only concepts are mailed.
* Informer computes VAT itself, and refuses entries whose total disagrees (seen on purchases); how it rounds is not
  known (assumed: once per rate, half up).
"""

from .adapter import Informer
from .settings import InformerSettings

__all__ = ["Informer", "InformerSettings"]
