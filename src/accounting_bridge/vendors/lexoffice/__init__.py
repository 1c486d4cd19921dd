"""Lexware Office (formerly lexoffice): contacts, invoices, bookkeeping vouchers.

Contract: https://developers.lexware.io/docs (as of 2026-07-18), and what others measured against live accounts up to
2026-10-10. In the comments *documented* is what the vendor says, *measured* what somebody ran and wrote down, *seen*
what shipped clients rely on, *assumed* what nobody could establish.

Quirks that shape this adapter:

* Two calls a second over all endpoints, no bursts, no headers that tell. A 429 was not carried out; a 500 may also
  mean "rate limit" and is ambiguous on a write.
* Validation errors are 406. Contacts, vouchers and files answer with ``IssueList``, the rest with ``details``, the
  gateway with a bare ``message``. A stale version is 406 on contacts and 409 elsewhere.
* Contact numbers are assigned by the vendor and there is no field for a foreign id: the app's number stands in the
  note, ``Ref. {number}``. A write replaces the whole contact; one with several entries in a list cannot be written.
* Contacts carry no time of change and are listed by name, at most 10,000 of them.
* Search texts are HTML-encoded first; ``_`` and ``%`` are wildcards.
* Invoices can be made, finalized while they are made, and read. There is no list, no change, no deletion, no mail.
  They carry no foreign id: the reference is the last line of ``remark``, ``Ref. {reference}``; looking for it costs
  one call per candidate.
* A timestamp needs exactly three decimals and an offset; days are midnight in Berlin.
* A new contact may not be usable for up to two seconds.
* Vouchers are final at once and cannot be deleted; ``voucherStatus`` must not be sent. Their numbers are not unique.
* EUR only. Rates are not listed anywhere: 0, 7, 19 on invoices; vouchers also take 5 and 16.
"""

from .adapter import Lexoffice
from .settings import LexofficeSettings

__all__ = ["Lexoffice", "LexofficeSettings"]
