"""What tests do in the books by hand, with an id that the books do not have: what is unknown, and what is wanted."""

import re
from datetime import UTC, datetime

import pytest
from visma_support import Api

from accounting_bridge.sandbox import sandbox_class

CONTROLS = [
    ("lexoffice", "contact", lambda box: box.edit_contact("x", name="y")),
    ("lexoffice", "invoice", lambda box: box.finalize_in_web_app("x")),
    ("lexoffice", "invoice", lambda box: box.delete_draft("x")),
    ("lexoffice", "voucher", lambda box: box.delete_voucher("x")),
    ("lexoffice", "invoice", lambda box: box.edit_invoice("x", remark="y")),
    ("lexoffice", "invoice or voucher", lambda box: box.void("x")),
    ("lexoffice", "invoice or voucher", lambda box: box.pay("x")),
    ("billomat", "invoice", lambda box: box.web.complete("x")),
    ("billomat", "invoice", lambda box: box.web.edit("x", {"label": ""})),
    ("billomat", "invoice", lambda box: box.web.delete("x")),
    ("billomat", "invoice", lambda box: box.web.cancel("x")),
    ("billomat", "invoice", lambda box: box.web.uncancel("x")),
    ("billomat", "client", lambda box: box.web.archive_client("x")),
    ("informer", "relation", lambda box: box.web.edit_relation("x")),
    ("informer", "sales invoice", lambda box: box.web.finalize("x")),
    ("informer", "sales invoice", lambda box: box.web.edit("x", reference="y")),
    ("informer", "sales invoice", lambda box: box.web.delete("x")),
    ("informer", "sales invoice", lambda box: box.web.pay("x")),
    ("informer", "salesbook entry", lambda box: box.web.delete_entry("x")),
    ("informer", "salesbook entry", lambda box: box.web.pay_entry("x")),
    ("informer", "salesbook entry", lambda box: box.web.process("x")),
    ("visma", "customer", lambda box: box.edit_customer("x", Name="y")),
    ("visma", "article", lambda box: box.edit_article("x", IsActive=False)),
    ("visma", "account", lambda box: box.edit_account("x", is_active=False)),
    ("visma", "invoice draft", lambda box: box.convert_in_web_app("x")),
    ("visma", "invoice draft", lambda box: box.edit_draft("x", our_reference=None)),
    ("visma", "invoice draft", lambda box: box.delete_draft("x")),
    ("visma", "invoice", lambda box: box.pay("x")),
    ("visma", "invoice", lambda box: box.credit("x")),
    ("visma", "invoice", lambda box: box.void("x")),
    ("mite", "time entry", lambda box: box.web.lock("x")),
    ("mite", "time entry", lambda box: box.web.delete("x")),
    ("clockodo", "project", lambda box: box.web.complete("x", datetime(2026, 3, 31, tzinfo=UTC))),
    ("clockodo", "entry", lambda box: box.web.set_state("x", 1)),
    ("clockodo", "entry", lambda box: box.web.delete("x")),
    ("clockodo", "customer", lambda box: box.web.delete_customer("x")),
    ("timechimp", "time", lambda box: box.web.set_status("time", "x")),
    ("timechimp", "expense", lambda box: box.web.delete("expense", "x")),
    ("timechimp", "kind of record", lambda box: box.web.delete("x", "1")),
    ("timechimp2", "time", lambda box: box.web.set_status("time", "x")),
    ("timechimp2", "mileage", lambda box: box.web.delete("mileage", "x")),
    ("timechimp2", "kind of record", lambda box: box.web.status_of("x", "1")),
]


@pytest.mark.parametrize(("vendor", "what", "control"), CONTROLS)
def test_an_unknown_id_is_told_with_the_kind_that_is_wanted(vendor, what, control):
    box = sandbox_class(vendor)(customers=1)
    with pytest.raises(LookupError, match=rf"^there is no {re.escape(what)} 'x'(: give|; there are)"):
        control(box)


@pytest.mark.parametrize(
    ("vendor", "control"), [("billomat", "delete"), ("informer", "delete_entry"), ("mite", "lock")]
)
def test_a_number_that_is_none_of_the_books_is_told_as_well(vendor, control):
    box = sandbox_class(vendor)(customers=1)
    with pytest.raises(LookupError, match=r"^there is no .*99999999"):
        getattr(box.web, control)(99999999)


def test_of_a_draft_of_visma_the_vendors_own_part_is_wanted():
    api = Api()
    draft = api.draft(api.row())["Id"]
    with pytest.raises(LookupError, match=rf"{draft}~42': .*the vendor's own is '{draft}'$"):
        api.box.delete_draft(f"{draft}~42")
    api.box.delete_draft(draft)
    assert not api.box.invoices
