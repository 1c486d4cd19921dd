"""What nobody could establish about the vendor, as switches, and what kind of company is emulated."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal, Self

from attrs import frozen

CountryOfCompany = Literal["FI", "NL", "NO", "SE"]
RateUnit = Literal["fraction", "percent"]


@frozen(kw_only=True)
class Assumptions:
    """Open questions about the vendor; each default is the likelier or the stricter answer."""

    unknown_properties_refused: bool = True
    """Refuse body properties and query parameters that the vendor's document lacks; live ones are ignored."""

    documented_flags_demanded: bool = True
    """Demand EuThirdParty, RotReducedInvoicingType, IsTextRow and ReversedConstructionServicesVatFree; live
    calls without them were accepted, although the document requires them."""

    loose_types: bool = False
    """Take ``"1100"`` for a number, ``1`` for true and a number for a text, as shipped PHP clients send them."""

    ignores_case_of_names: bool = True
    """Whether property names bind in any letter case: one fork sends camelCase."""

    empty_city_accepted: bool = True
    """Whether InvoiceCity and InvoicePostalCode may be empty texts: required, but with a minimum length of 0."""

    vat_number_check: bool = True
    """Check VAT numbers of EU countries on create and update, by their form in place of asking VIES."""

    inactive_invoiceable: bool = False
    """Whether an inactive customer or article may be put on a document."""

    referenced_in_body_status: Literal[400, 404] = 400
    """Status of 3000, 3001 and 3002 for something that a body refers to; for the path's own id it is 404."""

    conflict_status: Literal[400, 409] = 409
    """Status of 4000, a duplicate."""

    module_status: Literal[400, 403] = 403
    """Status of 4002 for what the company's product variant lacks; for the API add-on 403 is certain."""

    coding_rate_unit: RateUnit = "percent"
    """Unit of VatRatePercent in article account codings."""

    vat_code_rate_unit: RateUnit = "fraction"
    """Unit of VatRate in ``/vatcodes``: "percentage" in the document, 0.25 in test data of a live author."""

    row_rate_unit: RateUnit = "fraction"
    """Unit of VatRate on the rows of drafts and invoices."""

    vat_rounding: Literal["per_rate", "per_row"] = "per_rate"
    """Whether VAT is rounded once per rate or on every row."""

    rounding_unit: Decimal = Decimal(1)
    """What a total in kronor is rounded to when the company rounds domestic currency."""

    includes_vat_when: Literal["checked", "unchecked"] = "checked"
    """For which state of ShowPricesExclVatPC a private customer's prices include VAT: the vendor's two texts
    contradict each other."""

    credit_sign: Literal["negate", "as_sent"] = "negate"
    """Whether a credit note turns positive quantities into negative totals, or keeps what was sent."""

    credit_ledger_sign: Literal["negative", "positive"] = "negative"
    """Sign of the totals of a ledger item with IsCreditInvoice."""

    draft_shows_today: bool = True
    """Whether reading a draft shows today's date while the company does not keep original draft dates."""

    keep_needs_override: bool = True
    """Whether ``keepOriginalDraftDate`` counts only beside ``overrideCompanyKeepOriginalDraftDate``."""

    convert_needs_body: bool = True
    """Whether converting wants a body, at least ``{}``; one client sends none."""

    validation_mismatch_code: int = 2000
    """ErrorCode when the totals sent with a conversion differ."""

    convert_keeps_draft_id: bool = False
    """Whether an invoice shows the draft it was converted from in CreatedFromDraftId."""

    ledger_number_unique: bool = False
    """Whether a second ledger item with the same InvoiceNumber is refused with 4000. Off, so that nothing but
    the client keeps a sale from being booked twice."""

    ledger_numbers_shared: bool = False
    """Whether ledger items and the company's own invoices may not have the same number either."""

    ledger_vat_checked: bool = True
    """Whether VATAmountInvoiceCurrency has to agree with the voucher's VAT rows."""

    ledger_dates_required: bool = False
    """Whether InvoiceDate and DueDate are required: so in 2018 and 2024, no longer in 2026."""

    ledger_items_in_invoices: bool = True
    """Whether ledger items appear in ``/customerinvoices`` with IsQuickInvoice."""

    ledger_answer: Literal["item", "with_voucher"] = "item"
    """Answer of the call that makes both: the item with VoucherId (2026), or with the voucher nested (2018)."""

    receivable_account_type: str = "AccountsReceivable"
    """AccountType of the debtors account in the Dutch ``/accounts/standardaccounts``: no value is documented."""

    attachment_names_may_have_dots: bool = False
    """Whether FileName of ``/attachments`` may have a dot: the document allows letters, digits and ``- _ ()``."""

    attachment_max_bytes: int = 10 * 1024 * 1024
    """Largest attachment; the vendor's limit is unknown."""

    pages_when_empty: Literal[0, 1] = 0
    """TotalNumberOfPages of an empty list."""

    top_and_skip: bool = True
    """Whether ``$top`` and ``$skip`` work: three clients use them, the vendor does not document them."""

    refused_filters: frozenset[str] = frozenset()
    """Properties that ``$filter`` refuses, such as ``customerinvoicedrafts.OurReference``; which ones the vendor
    refuses is undocumented, and a client must be able to read and compare instead."""

    refused_filters_are_empty: bool = False
    """Whether such a filter finds nothing, where it should be refused: a client that believes it makes everything a
    second time."""

    filter_ignores_case: bool = True
    """Whether ``eq`` and ``contains`` ignore letter case in texts."""

    quota_per: Literal["operation", "route", "url"] = "operation"
    """What the 600 calls a minute are counted for besides the client: method and route, route, or URL."""

    quota_window: Literal["fixed", "sliding"] = "sliding"
    """Whether the minute starts with the first call or is the last sixty seconds at any time."""

    retry_after: bool = False
    """Send ``Retry-After`` with a 429; it is often absent."""

    gateway_body: Literal["html", "json"] = "html"
    """Body of a 5xx."""

    pdf_url_seconds: int = 3600
    """How long the temporary address of a PDF works."""

    code_seconds: int = 300
    """How long an authorization code may be exchanged."""

    code_reuse_revokes: bool = True
    """Whether a code that is sent a second time ends the grant that it opened."""

    access_token_seconds: int = 3600
    """How long an access token works."""

    refresh_token_days: int = 730
    """How long an unused refresh token works: one client author writes two years."""

    refresh_rotates: bool = True
    """Whether a refresh returns a new refresh token and ends the old one."""

    refresh_grace_seconds: float = 0.0
    """How long a rotated refresh token still works."""

    reuse_revokes_family: bool = True
    """Whether sending a rotated refresh token ends the grant with all its tokens."""

    refresh_ends_old_access: bool = False
    """Whether a refresh ends the access token before its time."""

    invalid_client_status: Literal[400, 401] = 400
    """Status of ``invalid_client``."""

    token_answer_has_scope: bool = True
    """Whether the token answer repeats the scope."""

    @classmethod
    def like_live(cls) -> Self:
        """Return the leniency that was seen live: what a working client gets away with."""
        return cls(unknown_properties_refused=False, documented_flags_demanded=False, loose_types=True)


@frozen(kw_only=True)
class Company:
    """The emulated company, as its owner set it up in the web app."""

    name: str = "Urenwerk Voorbeeld B.V."
    country: CountryOfCompany = "NL"
    """Decides chart of accounts, VAT rates, currency and time zone."""

    variant: Literal[1, 2, 3, 4, 5, 6] = 1
    """ProductVariant: 1 Standard, 2 Invoicing, 3 Bookkeeping, 4 Solo, 5 Pro, 6 InvoicingCollaboration."""

    show_prices_excl_vat_pc: bool = False
    """The setting behind IncludesVat on documents for private persons."""

    rounds_domestic_currency: bool = False
    """DomesticCurrencyRounding: totals in kronor are rounded half away from zero."""

    keep_original_draft_date: bool = False
    """Whether converting keeps the draft's date; otherwise the invoice is dated today."""

    use_automatic_vat_calculation: bool = False
    """The setting of that name; not for Dutch companies."""

    uses_reverse_construction_vat: bool = True
    """Whether the rules for construction services apply."""

    uses_payment_reference_number: bool = False
    """Whether invoices get a payment reference (OCR, KID)."""

    auto_invoice: bool = False
    """Whether AutoInvoice sends documents; sandbox companies lack it."""

    locked_to: date | None = None
    """AccountingLockedTo: nothing may be booked up to and including this day."""

    years_before: int = 5
    """Fiscal years before the present one."""

    years_after: int = 1
    """Fiscal years after the present one."""

    our_reference: str | None = None
    """Default reference of the company."""
