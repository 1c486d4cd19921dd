"""What nobody could establish about the vendor, as switches, and what kind of organisation is emulated."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from attrs import frozen


@frozen(kw_only=True)
class Assumptions:
    """Open questions about the vendor; each default is the likelier or the stricter answer."""

    bucket_capacity: int = 4
    """Calls at once before two a second apply: a burst of six was refused, four is a guess."""

    rate_limit_as_500: bool = False
    """Answer a call too many with the ambiguous 500 that the documentation mentions instead of a 429."""

    retry_after: bool = False
    """Send ``Retry-After`` with a 429: neither documented nor ever reported."""

    contact_create_needs_version: bool = True
    """``version`` is documented as required on POST; the vendor's own request collection leaves it out."""

    contacts_max_size: int = 500
    """Largest page of contacts: 250 is documented, 500 was taken and 1000 refused."""

    email_capitals: Literal["refuse", "lower", "keep"] = "refuse"
    """What becomes of capitals in an e-mail address: client authors report "refused or damaged"."""

    lower_case_vat_id_refused: bool = True
    """A VAT id in lower case or with blanks "gave trouble"; taken as refused."""

    contact_visible_after: float = 0.0
    """Seconds until a new contact may be referenced; production clients wait up to two."""

    archived_contact_invoiceable: bool = True
    """Whether an archived contact may be invoiced."""

    vat_id_needed_for_eu_invoice: bool = False
    """Whether intra-community invoices insist on the contact's VAT id (for vouchers they do)."""

    bad_timestamp_status: Literal[400, 406] = 406
    """Status for an unparseable timestamp: 400 in a report of 2021, 406 in the documentation's wording."""

    article_enum_status: Literal[400, 406] = 406
    """Status for an unknown article type: both were seen."""

    unit_price_decimals: Literal[2, 4] = 2
    """Decimals of the side of a unit price that the vendor fills in: one sample has 15.95, another 15.946."""

    total_discount: Literal["per_rate", "per_line"] = "per_rate"
    """Where a total discount enters: each rate's sum is reduced and rounded, or each line's amount."""

    html_encoded_contact_name: bool = False
    """Whether ``contactName`` in lists comes with ``&amp;``: one third-party test suite assumes it."""

    voucher_create_status: Literal[200, 201] = 200
    """Status of a created voucher: one client expects exactly 200, a digest of the documentation says 201."""

    stale_voucher_status: Literal[406, 409] = 409
    """Status for a voucher's stale version: 409 is documented, 406 what contacts answer."""

    voucher_status_open_accepted: bool = False
    """Whether ``voucherStatus: open`` may be sent; ``unchecked`` has been refused since 2026-08-23."""

    voucher_vatfree_accepted: bool = False
    """Whether a voucher may have ``taxType`` vatfree, as one tool lists."""

    voucher_tolerance: Decimal = Decimal(0)
    """By how much a voucher's sums and taxes may differ from the arithmetic; exact unless set."""

    negative_rows_accepted: bool = False
    """Whether a voucher row may be negative; shipped clients avoid it."""

    old_small_business_category: bool = False
    """Whether the small-business category id from before 2026-04-28 is still known."""

    upload_moves_version: bool = True
    """Whether attaching a file moves the voucher's version, as a production client allows for."""

    voucher_number_filter: bool = False
    """Whether voucherlist filters by ``voucherNumber``: documented, but a measurement found it ignored."""

    voucherlist_sort_keys: frozenset[str] = frozenset({"voucherDate"})
    """Keys voucherlist sorts by: four are documented, one was accepted when measured."""

    dates_inclusive: bool = True
    """Whether the upper bounds of the date filters include their day."""


@frozen(kw_only=True)
class Organisation:
    """The emulated account."""

    name: str = "Musterbau Nord GmbH"
    tax_type: Literal["net", "gross", "vatfree"] = "net"
    small_business: bool = False
    business_features: tuple[str, ...] = ("INVOICING", "INVOICING_PRO", "BOOKKEEPING")
    distance_sales_principle: Literal["ORIGIN", "DESTINATION"] | None = None
    electronic_profile: Literal["NONE", "EN16931"] = "NONE"
    """What ordinary invoices are: a plain PDF or a ZUGFeRD file."""
    invoice_prefix: str = "RE"
    title: str = "Rechnung"
    introduction: str = "Unsere Lieferungen/Leistungen stellen wir Ihnen wie folgt in Rechnung."
    remark: str = "Vielen Dank für die gute Zusammenarbeit."

    @property
    def tax_exempt(self) -> bool:
        """Whether only ``vatfree`` invoices can be made; that small businesses are so is inferred."""
        return self.small_business or self.tax_type == "vatfree"
