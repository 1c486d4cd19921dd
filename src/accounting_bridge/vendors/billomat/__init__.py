"""Billomat: an unversioned REST API whose JSON is converted from XML.

Reading order: wire, errors, settings, adapter, then clients, master, drafting, invoices, sales.

What to know before touching it; each rule says how it is known (documented by the vendor, seen in recorded bodies or
in clients that are in use, assumed):

* XML is the default: every call says ``Accept: application/json`` (documented).
* Every scalar is a string, none is ``""`` (seen; now and then ``null`` or ``{}``). One element arrives as an object,
  several as an array, none as a missing key (seen).
* A key that is left out takes the account's default, one that is there but empty overrides it (seen). So only what
  was set is written; the one deliberate exception is ``number_pre`` of a number without prefix.
* 401 also answers an id outside the account for clients (seen): a second call tells the two apart.
* ``label`` carries the reference, set in the same POST; its filter finds substrings (documented), so hits are
  compared exactly. A draft's ``invoice_number`` is only what the next one would be (seen).
* A tax is named by name and rate, not by id; ``tax_changed_manually`` goes with every rate (documented).
* There are no tax codes (documented by absence): tax-free treatments are rate 0 and a legal note.
* There is no ledger (documented by absence): booking a sale is off unless ``mirror_sales`` is set.
* Square brackets are placeholders in texts (seen): ``[Invoice.due_date]`` in an introduction is replaced by Billomat.
"""

from .adapter import Billomat
from .settings import BillomatSettings

__all__ = ["Billomat", "BillomatSettings"]
