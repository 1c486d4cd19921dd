"""Sales: unsupported, unless a mirror of the issued invoice is asked for."""

from base64 import b64encode
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from _billomat import (
    BOOKS,
    CUSTOMER,
    MIRROR,
    TAXES,
    answer,
    hours,
    invoice,
    listing,
    params,
    play,
    refusal,
    sent,
    settings,
)

from accounting_bridge import (
    Attachment,
    Customer,
    InvalidRequest,
    IssuedInvoice,
    MalformedResponse,
    NeedsAttention,
    SalesEntry,
    SalesEntryStatus,
    SomebodyElses,
    TaxTreatment,
    TotalsDiffer,
    Unsupported,
)

NOW = datetime(2024, 3, 31, 12, tzinfo=UTC)
PDF = b"%PDF-1.7\nissued"
FILE = Attachment(filename="ZEIT-1.pdf", content=PDF)
NUMBER = "APP-2024-0017"
ANSWERS = (TAXES, settings())


def issued(*lines, **fields):
    return IssuedInvoice(
        **{
            "number": NUMBER,
            "customer": CUSTOMER,
            "lines": lines or (hours(),),
            "issue_date": date(2024, 3, 31),
            "sent_at": NOW,
            **fields,
        }
    )


def mirror(**fields):
    return invoice(
        **{
            "number_pre": "APP-2024-",
            "number": "17",
            "number_length": "4",
            "invoice_number": NUMBER,
            "label": NUMBER,
            "total_net": "237.5",
            "total_gross": "282.63",
            "taxes": "",
            **fields,
        }
    )


def record(**fields):
    return answer({"invoice": mirror(**fields)})


def entry(**fields):
    return play(MIRROR.get_sale("1220001"), [record(**fields)])[0]


def plan(*lines, customer=CUSTOMER, answers=ANSWERS, **fields):
    return play(MIRROR.plan_sale(issued(*lines, **fields), customer, now=NOW), answers)[0]


def problems(*args, **fields):
    with pytest.raises(InvalidRequest) as refused:
        plan(*args, **fields)
    return {problem.field for problem in refused.value.problems}


@pytest.mark.parametrize(
    "flow",
    [
        lambda: BOOKS.plan_sale(issued(), CUSTOMER, now=NOW),
        lambda: BOOKS.submit_sale(plan()),
        lambda: BOOKS.look_for_sales(issued(), "1"),
        lambda: BOOKS.get_sale("1"),
        lambda: BOOKS.finish_sale(entry(), issued()),
        lambda: BOOKS.has_sale_file(entry(), FILE),
        lambda: BOOKS.attach_to_sale(entry(), FILE),
    ],
)
def test_without_the_option_a_sale_is_unsupported_and_says_which_option_there_is(flow):
    with pytest.raises(Unsupported, match=r"no ledger.*mirror_sales.*see docs/vendors/billomat\.md"):
        play(flow())


# ---- the body ----------------------------------------------------------------------------------------------


def test_a_mirror_has_the_issued_number_as_number_and_label():
    written = plan(hours(), due_date=date(2024, 4, 14))
    head = sent(written)["invoice"]
    assert 1 == len(head.pop("invoice-items")["invoice-item"])
    assert {
        "client_id": "4850001",
        "number_pre": "APP-2024-",
        "number": "17",
        "number_length": "4",
        "label": NUMBER,
        "date": "2024-03-31",
        "due_date": "2024-04-14",
        "net_gross": "NET",
    } == head
    assert (Decimal("282.63"), Decimal("0.02"), NUMBER) == (
        written.totals.gross,
        written.tolerance,
        written.invoice_number,
    )


def test_a_number_without_prefix_says_so_because_the_accounts_would_be_taken():
    assert "" == sent(plan(number="202417"))["invoice"]["number_pre"]


@pytest.mark.parametrize("number", ["APP-2024", "2024-17a", "APP-0000"])
def test_a_number_that_billomat_cannot_count_is_refused(number):
    if number == "APP-2024":
        plan(number=number)
    else:
        assert {"number"} == problems(number=number)


def test_the_accounts_own_series_is_not_used():
    assert {"number"} == problems(number="RE17")
    assert {"number"} == problems(number="17", answers=(TAXES, settings(invoice_number_pre="")))


def test_an_account_with_one_series_for_all_is_a_note():
    assert 1 == len(plan().notes)
    assert "follows this one" in plan(answers=(TAXES, settings(number_range_mode="IGNORE_PREFIX"))).notes[0]
    assert "follows this one" in plan(answers=(TAXES, refusal(403, "Forbidden"))).notes[0]


def test_a_total_that_billomat_would_not_reach_is_refused():
    assert {"total_gross"} == problems(total_gross=Decimal("282.62"))
    assert Decimal("282.63") == plan(total_gross=Decimal("282.63")).totals.gross


def test_every_problem_is_named_at_once():
    named = problems(
        hours(tax_rate=Decimal(20)),
        hours(ledger_account="8400"),
        number="X",
        currency="USD",
        answers=(TAXES, TAXES, settings()),
    )
    assert {"lines[0].tax_rate", "lines[1].ledger_account", "number", "currency"} == named


def test_a_tax_free_mirror_carries_the_legal_note():
    abroad = Customer(id="1", name="Exemple SARL", vat_number="FR12345678901")
    free = plan(
        hours(tax_rate=None),
        customer=abroad,
        tax_treatment=TaxTreatment.INTRA_EU_SERVICES,
        answers=(TAXES, settings(), listing("free-texts", "free-text")),
    )
    assert "FR12345678901" in sent(free)["invoice"]["note"]


def test_a_mirror_is_made_with_one_post():
    made, asked = play(MIRROR.submit_sale(plan()), [answer({"invoice": mirror()}, 201)])
    assert ("1220001", "POST", "/api/invoices", False) == (made, asked[0].method, asked[0].path, asked[0].repeatable)


# ---- looking -----------------------------------------------------------------------------------------------


def look(numbered=(), labelled=()):
    pages = [listing("invoices", "invoice", *numbered), listing("invoices", "invoice", *labelled)]
    return play(MIRROR.look_for_sales(issued(), "4850001"), pages)


def test_a_mirror_is_found_by_number_and_label_exactly():
    others = [
        mirror(id="2", invoice_number=NUMBER + "0", label="x"),
        mirror(id="3", number="", status="DRAFT", label="y"),
    ]
    found, asked = look([mirror(), *others], [mirror()])
    assert ["1220001"] == found
    assert ([NUMBER, None], [None, NUMBER]) == (params(asked, "invoice_number"), params(asked, "label"))


def test_an_unused_number_is_free():
    assert [] == look()[0]


@pytest.mark.parametrize(
    ("numbered", "labelled"),
    [
        ([mirror(label="")], []),
        ([mirror(label="by hand", status="OPEN", number="")], []),
        ([], [mirror(invoice_number="RE18", number="18", status="OPEN")]),
        ([], [mirror(number="")]),
    ],
)
def test_an_invoice_that_is_only_half_a_mirror_is_a_conflict(numbered, labelled):
    with pytest.raises(SomebodyElses, match="1220001"):
        look(numbered, labelled)
    both = mirror(id="7", invoice_number=NUMBER)
    assert look([*numbered, both], [*labelled, both])[0] == ["7"], "ours beside it is found all the same"


def test_two_mirrors_are_both_returned():
    both = [mirror(), mirror(id="9", status="OPEN")]
    assert ["1220001", "9"] == look(both, both)[0]


# ---- reading and finishing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("DRAFT", "draft"), ("OPEN", "open"), ("OVERDUE", "open"), ("PAID", "paid"), ("CANCELED", "void"), ("ODD", "ODD")],
)
def test_a_mirror_is_read_as_an_entry(theirs, ours):
    read = entry(status=theirs)
    assert (ours, NUMBER, Decimal("282.63"), False) == (
        read.status,
        read.invoice_number,
        read.totals.gross,
        read.has_pdf,
    )
    assert "https://musterfirma.billomat.net/app/invoices/show/entityId/1220001" == read.url


def finish(start, document, *answers):
    result, asked = play(MIRROR.finish_sale(start, document), answers)
    return result, [(one.method, one.path.removeprefix("/api/invoices/1220001")) for one in asked], asked


def test_a_draft_is_compared_and_completed():
    done, asked, _ = finish(entry(), issued(), record(), answer(b""), record(status="OPEN"))
    assert [("GET", ""), ("PUT", "/complete"), ("GET", "")] == asked
    assert SalesEntryStatus.OPEN == done.status


def test_the_original_is_looked_for_and_kept_beside_billomats_own_rendering():
    signed = answer({"pdf": {"base64file": b64encode(PDF).decode()}})
    there, asked = play(MIRROR.has_sale_file(entry(status="OPEN"), FILE), [signed])
    assert (True, ["signed"]) == (there, params(asked, "type"))
    assert not play(MIRROR.has_sale_file(entry(status="OPEN"), FILE), [refusal(404, "Resource not found")])[0]
    _, (upload,) = play(MIRROR.attach_to_sale(entry(status="OPEN"), FILE), [answer(b"")])
    assert ("PUT", "/api/invoices/1220001/upload-signature") == (upload.method, upload.path)
    assert {"signature": {"base64file": b64encode(PDF).decode()}} == sent(upload)


@pytest.mark.parametrize("status", ["PAID", "CANCELED"])
def test_an_open_or_cancelled_mirror_costs_no_call(status):
    assert [] == finish(entry(status=status), issued(pdf=PDF))[1]


def test_a_mirror_that_somebody_completed_meanwhile_is_not_completed_again():
    _, asked, _ = finish(entry(), issued(), record(status="OPEN"), record(status="OPEN"))
    assert [("GET", ""), ("GET", "")] == asked


def test_who_is_too_late_to_complete_a_mirror_takes_it_as_it_is():
    refused = refusal(400, "The invoice is not a draft and cannot be completed")
    done, _, _ = finish(entry(), issued(), record(), refused, record(status="OPEN"), record(status="OPEN"))
    assert SalesEntryStatus.OPEN == done.status
    with pytest.raises(InvalidRequest):
        finish(entry(), issued(), record(), refused, record())


def test_what_was_known_of_the_entry_is_kept():
    start = SalesEntry(
        id="1220001",
        invoice_number=NUMBER,
        status=SalesEntryStatus("draft"),
        totals=entry().totals,
        created=True,
        notes=("a",),
    )
    done, _, _ = finish(start, issued(), record(), answer(b""), record(status="OPEN"))
    assert (True, ("a",)) == (done.created, done.notes)


@pytest.mark.parametrize("sums", [{"total_gross": "282.66"}, {"total_gross": "0", "total_net": "0"}])
def test_a_draft_that_sums_up_to_something_else_is_not_completed(sums):
    with pytest.raises(TotalsDiffer) as differs:
        finish(entry(), issued(), record(**sums))
    assert (False, Decimal("282.63")) == (differs.value.final, differs.value.predicted.gross)


def test_a_draft_with_another_number_is_not_completed():
    with pytest.raises(NeedsAttention, match="RE18"):
        finish(entry(), issued(), record(invoice_number="RE18"))


def test_a_number_that_changed_on_completion_is_told():
    with pytest.raises(NeedsAttention, match="cancel it"):
        finish(entry(), issued(), record(), answer(b""), record(status="OPEN", invoice_number="RE18"))


def test_an_unreadable_file_is_not_written_over():
    with pytest.raises(MalformedResponse):
        play(MIRROR.has_sale_file(entry(status="OPEN"), FILE), [answer({"pdf": {"base64file": ""}})])
