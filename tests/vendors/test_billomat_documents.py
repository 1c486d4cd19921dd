"""Invoices that are there: read, turned into PDF, completed, mailed."""

from base64 import b64encode
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from _billomat import BOOKS, answer, client, fixture, invoice, listing, play, refusal, sent

from accounting_bridge import (
    Attachment,
    Conflict,
    InvalidRequest,
    Invoice,
    InvoiceStatus,
    MalformedResponse,
    NotFound,
    OutcomeUnknown,
    RateTotal,
    Totals,
    Unsupported,
)

NOW = datetime(2024, 3, 31, 12, tzinfo=UTC)

# ---- reading -----------------------------------------------------------------------------------------------


def read(**fields):
    return play(BOOKS.get_invoice("1220001"), [answer({"invoice": invoice(**fields)})])[0]


def test_an_invoice_is_read_in_full():
    assert Invoice(
        id="1220001",
        number="RE17",
        reference="INV-2024-17",
        status=InvoiceStatus.OPEN,
        customer_id="4850001",
        totals=Totals(
            net=Decimal("100.00"),
            tax=Decimal("19.00"),
            gross=Decimal("119.00"),
            by_rate=(RateTotal(rate=Decimal(19), net=Decimal("100.00"), tax=Decimal("19.00")),),
        ),
        currency="EUR",
        issue_date=date(2024, 3, 31),
        due_date=date(2024, 4, 14),
        url="https://musterfirma.billomat.net/app/invoices/show/entityId/1220001",
    ) == read(status="OPEN")


def test_the_number_of_a_draft_is_provisional():
    assert [None, None] == [read(number=number).number for number in ("", "17")]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("DRAFT", "draft"),
        ("OPEN", "open"),
        ("OVERDUE", "overdue"),
        ("PAID", "paid"),
        ("CANCELED", "void"),
        ("FROZEN", "FROZEN"),
    ],
)
def test_a_status_is_mapped_or_kept(theirs, ours):
    assert ours == read(status=theirs).status


def test_rates_are_added_up_sorted_and_rounded_where_each_row_can_be_read():
    rows = [
        {
            "name": "b",
            "rate": "19",
            "amount_rounded": "1.90",
            "amount": "1.899",
            "amount_net": "10",
            "amount_net_rounded": "10",
        },
        {"name": "a", "rate": "7", "amount": "0.7", "amount_net": "10"},
        {"name": "c", "rate": "19.0", "amount": "3.8", "amount_net": "20.001"},
    ]
    assert (
        RateTotal(rate=Decimal(7), net=Decimal("10.00"), tax=Decimal("0.70")),
        RateTotal(rate=Decimal(19), net=Decimal("30.00"), tax=Decimal("5.70")),
    ) == read(taxes={"tax": rows}).totals.by_rate


@pytest.mark.parametrize("taxes", ["", None, [], {}, {"tax": [None]}, {"tax": {"rate": "19"}}, {"tax": "odd"}, "odd"])
def test_odd_tax_rows_do_not_hide_the_invoice(taxes):
    assert ((), Decimal("119.00")) == (read(taxes=taxes).totals.by_rate, read(taxes=taxes).totals.gross)


def test_an_invoice_without_dates_or_texts_is_still_one():
    bare = read(date="", due_date="0000-00-00", label="", currency_code=None, client_id={}, supply_date="im März")
    assert (None, None, None, None, None) == (
        bare.issue_date,
        bare.due_date,
        bare.reference,
        bare.currency,
        bare.customer_id,
    )


@pytest.mark.parametrize("field", ["total_net", "total_gross", "status", "id"])
def test_an_invoice_without_its_sums_or_status_is_malformed_with_the_path(field):
    with pytest.raises(MalformedResponse) as malformed:
        read(**{field: ""})
    assert [f"$.invoice.{field}"] == [problem.partition(" @ ")[2] for problem in malformed.value.problems]


# ---- PDF ---------------------------------------------------------------------------------------------------

PDF = b"%PDF-1.7\nexample"


def pdf(content=PDF):
    text = b64encode(content).decode()
    return answer({"pdf": {"id": "1", "mimetype": "application/pdf", "base64file": text[:8] + "\r\n" + text[8:]}})


def test_a_pdf_comes_out_of_its_json():
    content, asked = play(BOOKS.invoice_pdf("7"), [pdf()])
    assert (PDF, "/api/invoices/7/pdf", True) == (content, asked[0].path, asked[0].max_bytes > 32 * 1024 * 1024)


@pytest.mark.parametrize("text", ["", "%%%", "no base64!", b64encode(b"<html>").decode(), None, 7])
def test_what_is_no_pdf_is_malformed(text):
    with pytest.raises(MalformedResponse):
        play(BOOKS.invoice_pdf("7"), [answer({"pdf": {"base64file": text}})])


def test_a_draft_has_no_pdf_yet():
    with pytest.raises(Conflict, match="is a draft"):
        play(BOOKS.invoice_pdf("7"), [refusal(404, "Resource not found"), answer({"invoice": invoice()})])


def test_no_invoice_is_not_taken_for_a_draft():
    missing = refusal(404, "Resource not found")
    with pytest.raises(NotFound):
        play(BOOKS.invoice_pdf("7"), [missing, missing])
    with pytest.raises(NotFound):
        play(BOOKS.invoice_pdf("7"), [missing, answer({"invoice": invoice(status="OPEN")})])


# ---- completing, mailing -----------------------------------------------------------------------------------

DRAFT = Invoice(id="7", status=InvoiceStatus.DRAFT, totals=Totals(net=Decimal(0), tax=Decimal(0), gross=Decimal(0)))


@pytest.mark.parametrize("nothing", [b"", b"null", b"{}", b"<ok/>"])
def test_completing_reads_nothing_out_of_the_answer_and_is_not_repeated(nothing):
    done, asked = play(BOOKS.finalize_invoice(DRAFT), [answer(nothing)])
    assert done == "7"
    assert [("PUT", "/api/invoices/7/complete", False)] == [(one.method, one.path, one.repeatable) for one in asked]
    assert {"complete": {}} == sent(asked[0])


def test_an_unclear_completion_stays_unclear():
    with pytest.raises(OutcomeUnknown):
        play(BOOKS.finalize_invoice(DRAFT), [OutcomeUnknown("timed out")])


def test_mail_goes_to_the_given_address():
    _, asked = play(
        BOOKS.send_invoice("7", "a@quellmoos.example"), [answer({"invoice": invoice(status="OPEN")}), answer(b"")]
    )
    assert ("POST", "/api/invoices/7/email", False) == (asked[1].method, asked[1].path, asked[1].repeatable)
    assert {"email": {"recipients": {"to": "a@quellmoos.example"}}} == sent(asked[1])


def test_mail_goes_to_the_customers_own_address_otherwise():
    open_one = answer({"invoice": invoice(status="OPEN")})
    _, asked = play(BOOKS.send_invoice("7", None), [open_one, answer({"client": client()}), answer(b"", 201)])
    assert "/api/clients/4850001" == asked[1].path
    assert {"email": {"recipients": {"to": "rechnung@quellmoos.example"}}} == sent(asked[2])


def test_mail_without_any_address_is_refused():
    open_one = answer({"invoice": invoice(status="OPEN")})
    with pytest.raises(InvalidRequest, match="no mail address"):
        play(BOOKS.send_invoice("7", None), [open_one, answer({"client": client(email="")})])
    with pytest.raises(InvalidRequest, match="not a mail address"):
        play(BOOKS.send_invoice("7", "a@b, c@d.example"))


def test_a_draft_is_not_mailed():
    with pytest.raises(Conflict, match="finalize it"):
        play(BOOKS.send_invoice("7", "a@quellmoos.example"), [answer({"invoice": invoice()})])


@pytest.mark.parametrize(
    ("created", "sent_since"),
    [("2024-03-31T14:00:00+02:00", True), ("2024-03-31T13:59:59+02:00", False), ("", False)],
)
def test_a_mail_is_known_by_the_comment_about_it(created, sent_since):
    comments = listing(
        "invoice-comments",
        "invoice-comment",
        {"actionkey": "MAIL", "created": created},
        {"actionkey": "CREATE", "created": "2024-05-01T00:00:00+02:00"},
    )
    found, asked = play(BOOKS.was_sent("7", NOW.replace(microsecond=999)), [comments])
    assert sent_since is found
    assert ("7", "MAIL") == (dict(asked[0].params)["invoice_id"], dict(asked[0].params)["actionkey"])


def test_no_comment_is_no_mail():
    sample = answer(fixture("invoice_comments_list_empty.response.json"))
    assert not play(BOOKS.was_sent("7", NOW), [sample])[0]


def test_an_unreadable_comment_about_a_mail_is_no_proof():
    comments = listing("invoice-comments", "invoice-comment", {"actionkey": "MAIL", "created": "today"})
    with pytest.raises(MalformedResponse):
        play(BOOKS.was_sent("7", NOW), [comments])


def test_files_cannot_be_kept_with_an_invoice():
    with pytest.raises(Unsupported, match="keep a file"):
        play(BOOKS.attach("7", Attachment(filename="t.pdf", content=b"%PDF-")))
