"""The contract that every vendor passes: subclass :class:`VendorContract` and supply a ``rig`` fixture.

Each test states one promise of the library. A vendor that cannot do something declares so in its capabilities; the
suite then checks that asking for it raises ``Unsupported`` without a single request.
"""

from ._base import finish
from ._customers import CustomerContract
from ._documents import DocumentContract
from ._invoices import InvoiceContract

__all__ = ["VendorContract", "finish"]


class VendorContract(CustomerContract, InvoiceContract, DocumentContract):
    """Subclass this in a test module, once a vendor."""
