"""How each vendor's lists of documents look, as far as the tests of listings have to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import frozen
from vendor_case import HIDDEN, Vendor


@frozen(kw_only=True)
class Lists:
    """One vendor's lists of invoices and of sales."""

    invoices: str
    """Pattern of the calls that list new drafts."""
    sales: str
    rows: Callable[[Any], list[Any]]
    """The records inside a page, to be changed in place."""
    amount: str
    """The field of an invoice's record that holds the total."""
    sold: str
    """The same of a sales entry's."""
    unmarked: Callable[[Any], Any]
    """The body of a new invoice without the reference, as a person would make it."""
    pages: int = 1
    """How many pages five new documents fill, two a page where the adapter says how many."""
    filters: bool = True
    """What was made long before or after is left out."""
    void: Callable[[Vendor, str], object] | None = None
    """A person cancels a final invoice; None where the vendor knows nothing of the kind."""
    void_sale: Callable[[Vendor, str], object] | None = None

    def spoil(self, vendor: Vendor, kind: str, index: int = 0) -> None:
        """From now on one record of the list cannot be read."""
        pattern, name = (self.invoices, self.amount) if kind == "invoice" else (self.sales, self.sold)

        def spoilt(body: Any) -> Any:
            rows = self.rows(body)
            if index < len(rows):
                rows[index][name] = HIDDEN
            return body

        vendor.box.mutate(pattern, spoilt)


def _without(*path: str) -> Callable[[Any], Any]:
    def unmarked(body: Any) -> Any:
        inner = body
        for name in path[:-1]:
            inner = inner[name]
        del inner[path[-1]]
        return body

    return unmarked


def _billomat_rows(body: Any) -> list[Any]:
    found = body["invoices"].get("invoice", [])
    return found if isinstance(found, list) else [found]


LISTS: Final[Mapping[str, Lists]] = {
    "lexoffice": Lists(
        invoices="GET /v1/voucherlist$",
        sales="GET /v1/voucherlist$",
        rows=lambda body: body["content"],
        amount="totalAmount",
        sold="totalAmount",
        unmarked=_without("remark"),
        pages=3,
        void=lambda vendor, key: vendor.box.void(key),
        void_sale=lambda vendor, key: vendor.box.void(key),
    ),
    "billomat": Lists(
        invoices="GET /api/invoices$",
        sales="GET /api/invoices$",
        rows=_billomat_rows,
        amount="total_gross",
        sold="total_gross",
        unmarked=_without("invoice", "label"),
        pages=3,
        void=lambda vendor, key: vendor.box.web.cancel(key),
        void_sale=lambda vendor, key: vendor.box.web.cancel(key),
    ),
    "informer": Lists(
        invoices="GET /v2/invoices/sales$",
        sales="GET /v2/salesbook$",
        rows=lambda body: body["invoices"],
        amount="totals",
        sold="totals",
        unmarked=_without("reference"),
    ),
    "visma": Lists(
        invoices="GET /v2/customerinvoicedrafts$",
        sales="GET /v2/customerledgeritems$",
        rows=lambda body: body["Data"],
        amount="TotalAmount",
        sold="TotalAmountInvoiceCurrency",
        unmarked=_without("OurReference"),
        filters=False,  # ledger items tell when they were changed, not when they were made
        void=lambda vendor, key: vendor.box.credit(key),
    ),
}
"""A vendor joins the tests of listings with its row here."""
