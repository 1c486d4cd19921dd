"""Billomat invoices after the draft: completing, mailing, paying, cancelling, and what remembers it."""

from __future__ import annotations

import base64
import json
from decimal import Decimal

import pytest
from test_billomat import FakeClock, api, line

from accounting_bridge.sandbox.billomat import BillomatAccount, BillomatAssumptions


def actionkeys(caller, invoice):
    found = caller.get(f"/invoice-comments?invoice_id={invoice['id']}")["invoice-comments"]["invoice-comment"]
    return [comment["actionkey"] for comment in (found if isinstance(found, list) else [found])]


def status(caller, invoice):
    return caller.get(f"/invoices/{invoice['id']}")["invoice"]["status"]


# -- completing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, {"complete": {}}, {"complete": ""}, {"complete": {"template_id": 12002}}])
def test_completing_a_draft_opens_it_and_gives_it_its_number(body):
    caller = api()
    invoice = caller.invoice([line()])
    reply = caller.call("PUT", f"/invoices/{invoice['id']}/complete", body)
    assert (reply.status, reply.body) == (200, b"")
    record = caller.get(f"/invoices/{invoice['id']}")["invoice"]
    assert (record["status"], record["number"], record["invoice_number"]) == ("OPEN", "1", "RE1")
    assert record["open_amount"] == "119"
    assert record["template_id"] == ("12002" if body and body["complete"] else "12001")
    assert caller.box.invoices[0].number == "RE1"


def test_a_completed_invoice_cannot_be_completed_again():
    caller = api()
    invoice = caller.completed()
    caller.refused("PUT", f"/invoices/{invoice['id']}/complete", {"complete": {}})
    assert caller.get("/settings")["settings"]["invoice_number_next"] == "2"


@pytest.mark.parametrize("body", [{"template_id": 12001}, {"complete": {"template_id": 1}}, {"complete": "x"}])
def test_completing_with_a_wrong_body_is_refused(body):
    caller = api()
    invoice = caller.invoice()
    caller.refused("PUT", f"/invoices/{invoice['id']}/complete", body)
    assert status(caller, invoice) == "DRAFT"


def test_actions_have_one_method_and_unknown_ones_do_not_exist():
    caller = api()
    invoice = caller.invoice()
    caller.refused("POST", f"/invoices/{invoice['id']}/complete", status=405)
    caller.refused("PUT", f"/invoices/{invoice['id']}/finalize", status=404)
    caller.refused("PUT", "/invoices/1/complete", status=404)
    caller.refused("PUT", "/clients/1/complete", status=404)


def test_an_invoice_past_its_due_date_is_overdue_by_the_clock():
    clock = FakeClock()
    caller = api(clock=clock)
    invoice = caller.completed([line()], due_days=7)
    clock.tick(days=7)
    assert status(caller, invoice) == "OPEN"
    clock.tick(days=1)
    assert status(caller, invoice) == "OVERDUE"
    assert caller.get("/invoices?status=OVERDUE")["invoices"]["@total"] == "1"
    assert caller.completed(date="2026-01-01", due_date="2026-01-02")["status"] == "OVERDUE"
    assert caller.completed(due_date="")["status"] == "OPEN"


# -- cancelling ----------------------------------------------------------------------------------------------


def test_a_completed_invoice_can_be_cancelled_and_brought_back():
    caller = api()
    invoice = caller.completed([line()])
    caller.ok("PUT", f"/invoices/{invoice['id']}/cancel")
    assert status(caller, invoice) == "CANCELED"
    caller.refused("PUT", f"/invoices/{invoice['id']}/cancel")
    caller.ok("PUT", f"/invoices/{invoice['id']}/uncancel")
    assert status(caller, invoice) == "OPEN"
    caller.refused("PUT", f"/invoices/{invoice['id']}/uncancel")


def test_a_draft_cannot_be_cancelled():
    caller = api()
    invoice = caller.invoice()
    caller.refused("PUT", f"/invoices/{invoice['id']}/cancel")


def test_a_paid_invoice_is_paid_again_after_cancelling_and_bringing_back():
    caller = api()
    invoice = caller.completed([line()])
    pay(caller, invoice, "119", mark_invoice_as_paid=1)
    caller.ok("PUT", f"/invoices/{invoice['id']}/cancel")
    caller.ok("PUT", f"/invoices/{invoice['id']}/uncancel")
    assert status(caller, invoice) == "PAID"


# -- the file ------------------------------------------------------------------------------------------------


def test_the_pdf_comes_in_base64_or_bare():
    caller = api()
    invoice = caller.completed([line()])
    record = caller.get(f"/invoices/{invoice['id']}/pdf")["pdf"]
    content = base64.b64decode(record["base64file"])
    assert content.startswith(b"%PDF-")
    assert (record["invoice_id"], record["mimetype"]) == (invoice["id"], "application/pdf")
    assert (record["filename"], record["filesize"]) == ("Rechnung RE1.pdf", str(len(content)))
    bare = caller.call("GET", f"/invoices/{invoice['id']}/pdf?format=pdf")
    assert (bare.headers["content-type"], bare.body) == ("application/pdf", content)


def test_a_draft_has_no_pdf():
    caller = api()
    caller.refused("GET", f"/invoices/{caller.invoice()['id']}/pdf", status=404)


def test_the_print_version_exists_only_where_the_account_makes_one():
    caller = api()
    caller.refused("GET", f"/invoices/{caller.completed()['id']}/pdf?type=print", status=404)
    printing = api(account=BillomatAccount(print_version=True))
    assert printing.get(f"/invoices/{printing.completed()['id']}/pdf?type=print")["pdf"]["base64file"]
    printing.refused("GET", "/invoices/1220001/pdf?type=other", status=404)


def test_a_signed_file_is_kept_beside_the_own_rendering_unchecked():
    caller = api()
    invoice = caller.completed([line()])
    path = f"/invoices/{invoice['id']}"
    caller.refused("GET", f"{path}/pdf?type=signed", status=404)
    caller.refused("PUT", f"{path}/upload-signature", {"upload": {"base64file": "ZHVtbXk="}})
    caller.refused("PUT", f"{path}/upload-signature", {"signature": {"base64file": "kein base64"}})
    caller.refused("PUT", f"{path}/upload-signature", {"signature": {}})
    caller.ok("PUT", f"{path}/upload-signature", {"signature": {"base64file": "ZHVtbXk="}})
    assert caller.call("GET", f"{path}/pdf?type=signed&format=pdf").body == b"dummy"
    assert caller.call("GET", f"{path}/pdf?format=pdf").body.startswith(b"%PDF-")
    assert caller.box.invoices[0].is_signed
    draft = caller.invoice()
    caller.refused("PUT", f"/invoices/{draft['id']}/upload-signature", {"signature": {"base64file": "ZHVtbXk="}})


# -- mailing -------------------------------------------------------------------------------------------------


def test_a_mail_goes_to_the_outbox_with_what_the_template_says():
    caller = api()
    invoice = caller.completed([line()])
    reply = caller.call(
        "POST", f"/invoices/{invoice['id']}/email", {"email": {"recipients": {"to": "a@kunde.example"}}}
    )
    assert (reply.status, reply.body) == (200, b"")
    (mail,) = caller.box.outbox
    assert (mail.to, mail.cc, mail.bcc) == (("a@kunde.example",), (), ())
    assert (mail.sender, mail.filename) == ("buero@musterbuero.example", f"invoice_{invoice['id']}.pdf")
    assert mail.subject == "Rechnung [Invoice.invoice_number]"
    assert actionkeys(caller, invoice) == ["CREATE", "STATUS", "MAIL"]


def test_a_mail_takes_lists_texts_and_attachments():
    caller = api()
    invoice = caller.completed([line()])
    email = {
        "email_template_id": 5001,
        "from": "ich@musterbuero.example",
        "recipients": {"to": ["a@kunde.example", "b@kunde.example"], "cc": "c@kunde.example"},
        "subject": "Ihre Rechnung",
        "body": "Text",
        "filename": "rechnung",
        "attachments": {"attachment": [{"filename": "t.pdf", "mimetype": "application/pdf", "base64file": "ZHVtbXk="}]},
    }
    caller.ok("POST", f"/invoices/{invoice['id']}/email", {"email": email})
    (mail,) = caller.box.outbox
    assert mail.to == ("a@kunde.example", "b@kunde.example")
    assert (mail.sender, mail.subject, mail.filename) == ("ich@musterbuero.example", "Ihre Rechnung", "rechnung.pdf")
    assert mail.attachments == (("t.pdf", "application/pdf", b"dummy"),)


@pytest.mark.parametrize(
    "email",
    [
        {},
        {"recipients": {}},
        {"recipients": "a@kunde.example"},
        {"recipients": {"to": []}},
        {"recipients": {"to": "keine-adresse"}},
        {"recipients": {"to": "a@kunde.example"}, "email_template_id": 1},
        {"recipients": {"to": "a@kunde.example"}, "from": "niemand"},
        {"recipients": {"to": "a@kunde.example"}, "attachments": {"attachment": [{"filename": "x"}]}},
        {"recipients": {"to": "a@kunde.example"}, "attachments": [1]},
    ],
)
def test_a_mail_that_cannot_be_sent_is_refused(email):
    caller = api()
    invoice = caller.completed()
    caller.refused("POST", f"/invoices/{invoice['id']}/email", {"email": email})
    assert caller.box.outbox == ()


def test_a_draft_cannot_be_mailed():
    caller = api()
    email = {"email": {"recipients": {"bcc": "a@kunde.example"}}}
    caller.refused("POST", f"/invoices/{caller.invoice()['id']}/email", email)
    assert caller.box.outbox == ()


# -- paying --------------------------------------------------------------------------------------------------


def pay(caller, invoice, amount, **fields):
    return caller.post("/invoice-payments", "invoice-payment", {"invoice_id": invoice["id"], "amount": amount} | fields)


def test_a_payment_counts_and_marks_the_invoice_only_when_told():
    caller = api()
    invoice = caller.completed([line()])
    payment = pay(caller, invoice, "119")
    assert (payment["date"], payment["amount"], payment["type"]) == ("2026-03-10", "119", "")
    record = caller.get(f"/invoices/{invoice['id']}")["invoice"]
    assert (record["status"], record["paid_amount"], record["open_amount"]) == ("OPEN", "119", "0")
    pay(caller, invoice, "0.01", mark_invoice_as_paid=True, type="BANK_TRANSFER")
    assert status(caller, invoice) == "PAID"


def test_a_short_payment_marked_as_paid_leaves_nothing_open():
    caller = api()
    invoice = caller.completed([line()], discount_rate=2)
    pay(caller, invoice, "116.62", mark_invoice_as_paid=1)
    record = caller.get(f"/invoices/{invoice['id']}")["invoice"]
    assert (record["status"], record["paid_amount"], record["open_amount"]) == ("PAID", "116.62", "0")
    assert caller.box.invoices[0].paid_amount == Decimal("116.62")


def test_full_payment_may_mark_the_invoice_by_itself():
    caller = api(assumptions=BillomatAssumptions(full_payment_marks_paid=True))
    invoice = caller.completed([line()])
    pay(caller, invoice, "100")
    assert status(caller, invoice) == "OPEN"
    pay(caller, invoice, "19")
    assert status(caller, invoice) == "PAID"


def test_an_invoice_without_items_can_be_completed_and_overpaid_and_stays_open():
    caller = api()
    invoice = caller.completed()
    pay(caller, invoice, "5")
    assert status(caller, invoice) == "OPEN"


def test_payments_are_for_open_invoices_only():
    caller = api()
    draft, paid = caller.invoice(), caller.completed([line()])
    pay(caller, paid, "119", mark_invoice_as_paid=1)
    for invoice in (draft, paid):
        caller.refused("POST", "/invoice-payments", {"invoice-payment": {"invoice_id": invoice["id"], "amount": 1}})


@pytest.mark.parametrize(
    "fields",
    [{"amount": ""}, {"amount": "1,50"}, {"type": "GOLD"}, {"mark_invoice_as_paid": "True"}, {"invoice_id": 1}],
)
def test_bad_payments_are_refused(fields):
    caller = api()
    invoice = caller.completed([line()])
    body = {"invoice_id": invoice["id"], "amount": 1} | fields
    caller.refused("POST", "/invoice-payments", {"invoice-payment": body})
    assert caller.get("/invoice-payments")["invoice-payments"]["@total"] == "0"


def test_deleting_a_payment_opens_the_invoice_again():
    clock = FakeClock()
    caller = api(clock=clock)
    invoice = caller.completed([line()])
    payment = pay(caller, invoice, "119", mark_invoice_as_paid=1)
    caller.refused("PUT", f"/invoice-payments/{payment['id']}", {"invoice-payment": {"amount": 1}}, status=405)
    clock.tick(days=60)
    assert status(caller, invoice) == "PAID"
    caller.ok("DELETE", f"/invoice-payments/{payment['id']}")
    assert status(caller, invoice) == "OVERDUE"
    assert actionkeys(caller, invoice) == ["CREATE", "STATUS", "PAYMENT", "STATUS", "DELETE_PAYMENT"]


def test_payments_can_be_filtered():
    caller = api()
    first, second = caller.completed([line()]), caller.completed([line()])
    pay(caller, first, 1, date="2026-01-31", type="CASH")
    pay(caller, second, 2, date="2026-02-28")
    total = lambda query: caller.get(f"/invoice-payments?{query}")["invoice-payments"]["@total"]  # noqa: E731 - a table
    assert total(f"invoice_id={first['id']}") == "1"
    assert total("from=2026-02-01") == "1"
    assert total("to=2026-02-28") == "2"
    assert total("type=CASH,MISC") == "1"


# -- remembering ---------------------------------------------------------------------------------------------


def test_comments_tell_what_happened_and_can_be_filtered():
    caller = api()
    invoice = caller.completed()
    assert actionkeys(caller, invoice) == ["CREATE", "STATUS"]
    path = f"/invoice-comments?invoice_id={invoice['id']}&actionkey=CREATE,COPY"
    assert caller.get(path)["invoice-comments"]["invoice-comment"]["actionkey"] == "CREATE"
    comment = {"invoice_id": invoice["id"], "comment": "Anruf", "public": 1}
    own = caller.post("/invoice-comments", "invoice-comment", comment)
    assert (own["actionkey"], own["public"], own["comment"]) == ("", "1", "Anruf")
    assert caller.box.invoices[0].actionkeys == ("CREATE", "STATUS", "")
    caller.ok("DELETE", f"/invoice-comments/{own['id']}")
    caller.refused("GET", "/invoice-comments")
    caller.refused("POST", "/invoice-comments", {"invoice-comment": {"invoice_id": 1, "comment": "x"}})
    caller.refused("POST", "/invoice-comments", {"invoice-comment": {"invoice_id": invoice["id"]}})


def test_a_completed_invoice_can_still_be_tagged_and_marked_for_integrators():
    caller = api()
    invoice = caller.completed()
    tag = caller.post("/invoice-tags", "invoice-tag", {"invoice_id": invoice["id"], "name": "Projekt"})
    assert caller.get(f"/invoice-tags?invoice_id={invoice['id']}")["invoice-tags"]["invoice-tag"]["id"] == tag["id"]
    caller.refused("POST", "/invoice-tags", {"invoice-tag": {"invoice_id": 1, "name": "x"}})
    caller.ok("PUT", f"/invoices/{invoice['id']}/customfield", {"invoice": {"customfield": "ref"}})
    assert caller.box.invoices[0].customfield == "ref"
    assert caller.get("/invoices?customfield=ref")["invoices"]["@total"] == "1"


# -- a person in the web application --------------------------------------------------------------------------


def test_a_person_can_move_the_books_under_the_client():
    caller = api()
    invoice = caller.invoice([line()], label="marke")
    web = caller.box.web
    web.edit(invoice["id"], {"label": "von Hand"})
    assert caller.get(f"/invoices/{invoice['id']}")["invoice"]["label"] == "von Hand"
    web.complete(invoice["id"])
    assert status(caller, invoice) == "OPEN"
    with pytest.raises(ValueError, match="draft"):
        web.edit(invoice["id"], {"label": "x"})
    with pytest.raises(ValueError, match="Only drafts"):
        web.delete(invoice["id"])
    web.cancel(invoice["id"])
    assert status(caller, invoice) == "CANCELED"
    web.uncancel(invoice["id"])
    draft = caller.invoice()
    web.delete(draft["id"])
    caller.refused("GET", f"/invoices/{draft['id']}", status=404)
    with pytest.raises(ValueError, match="there is no invoice"):
        web.complete(draft["id"])


def test_the_web_application_uses_no_calls_of_the_quota():
    caller = api(account=BillomatAccount(shared_calls=1))
    reply = caller.call("POST", "/invoices", {"invoice": {"client_id": caller.box.customers[0].id}})
    key = json.loads(reply.body)["invoice"]["id"]
    caller.box.web.complete(key)
    assert caller.box.invoices[0].status == "OPEN"
    assert len(caller.box.log) == 1
