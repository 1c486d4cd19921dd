"""What nobody could establish about Billomat, and what the emulator takes for true instead.

Every field is a switch: a client that depends on one answer shows it when the other is set.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen(kw_only=True)
class BillomatAssumptions:
    """Behaviour that Billomat documents nowhere, or that different reports contradict."""

    foreign_id_status: Literal[401, 404] = 401
    """Status for a client or supplier id outside the account: 401 was seen live, 404 is what all others answer."""

    app_secret_status: Literal[400, 401] = 401
    """Status for an app id without its right secret."""

    missing_right_status: Literal[401, 403] = 403
    """Status when the role of the key's user lacks the right (`BillomatAccount.rights`)."""

    quota_status: Literal[400, 403] = 403
    """Status when a create exceeds a plan quota (`BillomatAccount.quotas`)."""

    failed_calls_count: bool = True
    """Whether a call answered with a 4xx uses up the rate limit."""

    quota_named_in_429: bool = True
    """Whether the text of a 429 names the quota in brackets, as the older pages do."""

    per_page_above_maximum: Literal["clamp", "refuse"] = "clamp"
    """What a `per_page` above 1000 gets: 1000 records, or a 400."""

    invoice_order: Literal["ASC", "DESC"] = "ASC"
    """Direction by id of an invoice list without `order_by`. (For clients ascending was seen.)"""

    unknown_filters: Literal["ignore", "refuse"] = "ignore"
    """What a filter that no page documents does: nothing (a typo lists everything), or a 400."""

    provisional_numbers_searchable: bool = False
    """Whether `invoice_number=` finds drafts by the provisional number they show."""

    customfield_search: Literal["exact", "substring"] = "exact"
    """How `customfield=` compares."""

    customfield_in_body: bool = False
    """Whether `customfield` inside a record's own POST or PUT is stored, or only the sub-resource sets it."""

    create_echoes_items: bool = False
    """Whether the answer to `POST /invoices` repeats the items."""

    null_in_request: Literal["empty", "left out", "refuse"] = "empty"
    """How a JSON `null` in a request is read. `empty` wipes defaults, the worst case for a client."""

    quantity_decimals: int = 4
    """Decimals kept of an item's quantity. Two were seen in use; more are kept here so that hours survive."""

    price_decimals: int = 4
    """Decimals kept of an item's unit price."""

    tax_rounding: Literal["rate", "item", "invoice"] = "rate"
    """Where tax is rounded: per rate over the sum of its items, per item, or once for the whole invoice."""

    rate_without_manual_flag: Literal["refuse", "replace"] = "refuse"
    """What a `tax_rate` that Billomat would not choose itself gets without `tax_changed_manually`:
    a 400, or silently the account's own choice."""

    client_reduction_applies: bool = False
    """Whether a client's `reduction` becomes the default of its invoices. The field table says no."""

    duplicate_numbers: Literal["accept", "refuse"] = "accept"
    """What a number that is in use already gets; the web application only warns."""

    full_payment_marks_paid: bool = False
    """Whether paying the whole open amount without `mark_invoice_as_paid` turns the invoice PAID."""

    delete_completed_invoices: bool = False
    """Whether `DELETE /invoices/{id}` also takes completed invoices (older reports) or only drafts."""

    empty_scalar: Literal["text", "null", "object"] = "text"
    """How an empty value is written in JSON: `""` is the rule, `null` and `{}` were reported."""

    empty_nested_list: Literal["text", "object", "array", "absent"] = "text"
    """How an empty list inside a record is written in JSON: `""`, `{}`, `[]`, or the key left out."""

    empty_list: Literal["object", "text", "array", "null"] = "object"
    """How an empty outer list is written in JSON: paging without the inner key, or `""`, `[]`, `null`."""
