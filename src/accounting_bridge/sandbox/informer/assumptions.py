"""What nobody could establish about the vendor, as switches, and what administration is emulated."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from attrs import frozen


@frozen(kw_only=True)
class Assumptions:
    """Open questions about the vendor; each default is the likelier or the stricter answer."""

    first_page: Literal[0, 1] = 1
    """Number of the first page: 1 by the text of the documentation, 0 by its example and by a live client."""

    page_zero: Literal["first page", "refuse"] = "first page"
    """What ``page=0`` gets where pages count from 1: the first page a second time, or a 400."""

    beyond_last_page: Literal["no records", "last page"] = "no records"
    """What a page beyond the last one shows: the answer of an empty list, or the last page once more."""

    empty_list: Literal["error 400", "error 404", "error 200", "list"] = "error 400"
    """How a list without hits is answered. "No records found" was seen under an HTTP 4xx and under 200."""

    default_records: int = 20
    """Records on a page without ``records``: documented for relations, taken over for the other lists."""

    max_records: int = 100
    """Largest page; more is cut down to this, and ``pagination.records`` says so."""

    list_order: Literal["oldest first", "newest first"] = "oldest first"
    """Order by id of a list without ``sort``. Newest first repeats records when one is added while paging."""

    last_edit_inclusive: bool = False
    """Whether ``last_edit`` includes its own day; "after this date" is all the documentation says."""

    unknown_filters: Literal["ignore", "refuse"] = "ignore"
    """What a query parameter that no page documents does: nothing (the whole list comes), or a 400."""

    rate_window: Literal["sliding", "fixed"] = "sliding"
    """How the 60 seconds and the 24 hours are measured; fixed windows begin with their first call."""

    rate_limit_status: Literal[200, 429] = 429
    """Status of the refusal of a call too many, always with an error in the body."""

    retry_after: bool = False
    """Whether a call too many is answered with ``Retry-After``: no such header is documented."""

    refused_calls_count: bool = False
    """Whether a call refused for the limit uses it up further."""

    wrong_credentials_status: Literal[200, 401, 403] = 401
    """Status for a wrong key or security code: 401 is documented for one path, 200 is what version 1 did."""

    errors_as_200: bool = False
    """Whether every refusal comes under HTTP 200 with only ``error`` and ``response_code`` telling, as in
    version 1."""

    error_text_as_list: bool = True
    """Whether a plain error is a list of texts or a bare text: the schema allows both."""

    unknown_keys: Literal["refuse", "ignore"] = "refuse"
    """What an undocumented key in a body gets; sales invoices were seen to refuse them."""

    null_refused: bool = True
    """Whether a JSON ``null`` is refused or read like an absent key. ``costs_id`` may be null in any case: a
    documented body sends it so."""

    empty_text_refused: bool = False
    """Whether ``""`` in an optional field is refused instead of read like an absent key."""

    content_type_checked: bool = True
    """Whether a body must be announced as ``application/json``; 415 otherwise."""

    trailing_slash_accepted: bool = False
    """Whether a path may end in a slash: the documented ones do not."""

    line_error_keys: Literal["dotted", "bare"] = "dotted"
    """How an error within ``lines`` is keyed: ``lines.0.vat_id`` or ``vat_id``."""

    shapes: Literal["schema", "examples"] = "schema"
    """Whom answers follow where the specification's schemas and examples contradict each other: colour or
    ribbon, flags as text, number or boolean, what an option says of its ledgers."""

    relation_fields: Literal["schema", "six", "every key"] = "schema"
    """What creating a relation demands. ``schema``: the published required fields. ``six``: website, IBAN,
    BIC, VAT number, registration number and e-mail as well, filled and valid. ``every key``: each documented
    key has to be present, an empty one as ``""`` or 0, which was the rule of version 1."""

    separators_in_numbers: Literal["refuse", "strip"] = "refuse"
    """What blanks, dots and lower case in an IBAN or a VAT number get."""

    max_relation_number: int = 2_147_483_647
    """Largest customer number; that it has to fit 32 bits is a guess."""

    relation_create_id: bool = False
    """Whether the answer to a created relation has its ``id``: version 1 did, version 2 documents none."""

    zip_in_answers: bool = False
    """Whether relations are shown with their postal code: required on input, absent from the output schema."""

    contact_ids_in_relations: bool = True
    """Whether the contacts within a relation have their ``id``: the schema has it, the example lacks it."""

    default_flags: frozenset[str] = frozenset({"active"})
    """What a relation is when ``subtype`` does not say: undocumented, so that a client had better say it."""

    inactive_relation_invoiceable: bool = True
    """Whether an invoice may name a relation whose ``subtype.active`` is off."""

    unknown_relation_status: Literal[404, 422] = 422
    """Status for an unknown ``relation_id`` in a new salesbook entry or contact. For sales invoices 404 is
    documented, for these two only 422."""

    fractional_quantity: Literal["keep", "refuse", "truncate"] = "keep"
    """What becomes of 1.25 hours: the field is documented as an integer, clients send decimals."""

    quantity_decimals: int = 2
    """Decimals kept of a quantity; further ones are rounded away, half up."""

    price_decimals: int = 2
    """Decimals kept of an amount; further ones are rounded away, half up."""

    negative_accepted: bool = True
    """Whether quantities and amounts may be negative, for credits."""

    vat_rounding: Literal["rate", "line"] = "rate"
    """Where VAT is rounded, half up: per rate over the invoice, or per line."""

    line_amounts: Literal["rounded", "exact"] = "rounded"
    """Whether a line's amount is rounded to the cent before the lines are added up."""

    shifted_on_ordinary_rates: bool = False
    """Whether ``shifted`` is offered on the ordinary rates instead of on a rate of 0 %. VAT is 0 either way."""

    currency_rate: Literal["foreign per default", "default per foreign"] = "foreign per default"
    """What the rate of a currency counts, for the totals in the administration's own currency."""

    info_line_vat: Literal["absent", "null"] = "absent"
    """How ``vat`` of a text line is shown."""

    html_in_descriptions: bool = False
    """Whether a line break in a description is read back as ``<br />``, as in version 1."""

    concept_number: Literal["empty", "provisional"] = "empty"
    """What ``number`` of a concept shows."""

    concept_pdf: bool = False
    """Whether a concept can be downloaded; 404 otherwise."""

    concept_in_closed_period: bool = True
    """Whether a concept may be dated in a closed period, so that only sending it is refused."""

    closed_period_shape: Literal["plain", "field"] = "plain"
    """Whether the refusal of a closed period is a plain error or one of the field ``invoice_date``."""

    resend: Literal["refuse", "accept"] = "refuse"
    """What sending a final invoice once more gets."""

    final_accepts_attachment: bool = False
    """Whether a file may be added to or removed from a final invoice."""

    salesbook_tolerance: Decimal = Decimal(0)
    """By how much ``invoice_amount`` may differ from the lines; 0: exact to the cent under either rounding."""

    salesbook_duplicates: Literal["accept", "refuse"] = "accept"
    """What a number that the relation has in the salesbook already gets; purchases are known to pass."""

    salesbook_booked_at_once: bool = True
    """Whether an entry is open at once or waits under ``filter=process`` until a person has processed it."""

    salesbook_single: Literal["array", "object"] = "array"
    """How one entry is answered: documented as a list of one."""

    salesbook_pdf_bytes: int = 8 * 1024 * 1024
    """Largest file of an entry: the limit of the web application, none is documented for the API."""


@frozen(kw_only=True)
class LibraryFile:
    """A PDF of the administration's shared library, which invoices may name."""

    name: str
    description: str
    default_for: tuple[str, ...] = ()


@frozen(kw_only=True)
class Administration:
    """The emulated administration."""

    company_name: str = "Voorbeeld Advies BV"
    contact: str = "Sanne Toets"
    country: Literal["NL", "BE", "DE", "AT"] = "NL"
    """Decides the VAT rates; in Austria and Germany documents need a ``delivery_date``."""
    email: str = "administratie@voorbeeld-advies.example"
    vat: str = "NL123456789B01"
    trade_module: bool = False
    """With it there are products, and every line has to name one."""
    closed_until: tuple[int, int] | None = None
    """Year and month up to and including which the books are closed."""
    free_fields: tuple[str, ...] = ("Klantnummer extern",)
    """Labels of the relations' own fields."""
    library: tuple[LibraryFile, ...] = (
        LibraryFile(
            name="algemene_voorwaarden.pdf",
            description="Algemene voorwaarden",
            default_for=("sales_invoice", "quotation"),
        ),
    )
    invoice_prefix: str = ""
    calls_per_minute: int = 60
    calls_per_day: int = 5000
    """Both per key; the vendor raises them on request."""

    @property
    def needs_delivery_date(self) -> bool:
        """Whether documents have to name the day of delivery."""
        return self.country in ("DE", "AT")
