"""Visma eAccounting (Spiris, ePasseli), API v2: JSON behind OAuth 2, with a ledger for invoices issued elsewhere.

Reading order: settings, wire, calls, errors, oauth, adapter, then master, customers, articles, drafting, invoices,
vouchers, sales, files.

What to know before touching it; each rule says how it is known (documented by the vendor, seen in clients that are in
use or measured by their authors, assumed):

* A grant is bound to one user, one client and one company, which the user chooses while consenting (documented).
  Refresh tokens rotate: the old one ends with its first use (seen).
* Four refusals look alike and are cured differently: a scope that was not consented to, the API add-on that is off, a
  start-up guide that is not finished, and a sandbox client at a real company. None of them is cured by renewing or
  consenting in a loop, so none is AuthenticationFailed; see :mod:`.errors`.
* PUT replaces: what is left out is emptied (measured). Records are read, changed and written whole.
* The account and VAT of an invoice line come from its article, by the customer's situation (documented).
* Converting a draft ends its id (documented). An app's id of a draft is therefore ``<GUID>~<customer>~<reference>``:
  both move on to the invoice and find it, whoever converted the draft. An invoice's id is the GUID alone.
* Which properties a filter takes is not documented, nor what comes of the others: everything that is filtered for is
  compared again, and where a filter is refused, or finds nothing and was never seen to find anything, all is read.
* Whether rates are 25 or 0.25 differs from list to list (seen): what lies between 0 and 1 is a fraction.
"""

from .adapter import Visma
from .errors import ApiSwitchedOff, ClientRefused, CompanyInactive, SandboxClientOnly, ScopeMissing, SetupUnfinished
from .settings import VismaSettings

__all__ = [
    "ApiSwitchedOff",
    "ClientRefused",
    "CompanyInactive",
    "SandboxClientOnly",
    "ScopeMissing",
    "SetupUnfinished",
    "Visma",
    "VismaSettings",
]
