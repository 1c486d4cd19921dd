"""What becomes of drafts in Visma: found again whoever converted them, made final once, mailed, printed, filed."""

from decimal import Decimal

import pytest
from _visma_documents import (
    CUSTOMER_ID,
    DRAFT_ID,
    FILE_ID,
    INVOICE_ID,
    NOW,
    answer,
    described,
    draft_record,
    gone,
    guid,
    invoice_record,
    misfits,
    page,
    params,
    play,
    refused,
    sent,
    settings,
    writes,
)
from attrs import evolve

from accounting_bridge.errors import Conflict, DuplicateFound, InvalidRequest, MalformedResponse, NotFound
from accounting_bridge.models import Attachment, InvoiceStatus
from accounting_bridge.vendors.visma import files, invoices

ID = f"{DRAFT_ID}~{CUSTOMER_ID}~2026-03/17"
DRAFT, DRAFTS = f"/v2/customerinvoicedrafts/{DRAFT_ID}", "/v2/customerinvoicedrafts"
INVOICE, INVOICES = f"/v2/customerinvoices/{INVOICE_ID}", "/v2/customerinvoices"
ORIGIN = "https://eaccountingapi.vismaonline.com"


def read(invoice_id, **answers):
    return play(invoices.get_invoice(settings(), invoice_id), {f"/v2/{path}": one for path, one in answers.items()})


# ---- making and finding ------------------------------------------------------------------------------------


BODY = f'{{"CustomerId":"{CUSTOMER_ID}","OurReference":"2026-03/17"}}'.encode()


@pytest.mark.parametrize("given", [DRAFT_ID.upper(), f"{{{DRAFT_ID}}}"])
def test_a_draft_s_id_holds_what_finds_it_again(given):
    played = play(invoices.submit(DRAFTS, BODY), {DRAFTS: answer(draft_record(Id=given), status=201)})
    assert played.result == ID
    assert [(request.method, request.path, request.body) for request in played.requests] == [("POST", DRAFTS, BODY)]


@pytest.mark.parametrize("odd", ["12", "", None, 7, {}])
def test_an_answer_to_a_draft_with_an_odd_id_is_unreadable_and_no_refusal(odd):
    """A refusal would free the reference, and the same call would make another draft."""
    with pytest.raises(MalformedResponse):
        play(invoices.submit(DRAFTS, BODY), {DRAFTS: answer(draft_record(Id=odd), status=201)})


def look(drafts, finals, **answers):
    return play(invoices.look_for("2026-03/17", CUSTOMER_ID, NOW), {DRAFTS: drafts, INVOICES: finals, **answers})


def test_a_look_finds_drafts_and_what_was_made_of_them_and_nothing_else():
    drafts = page(
        draft_record(), draft_record(Id=guid(90), OurReference="2026-03/17x"),
        draft_record(Id=guid(91), CustomerId=guid(92)), draft_record(Id=guid(93), OurReference="2026-03/17 "),
    )  # fmt: skip
    finals = page(invoice_record(Id=guid(94), IsCreditInvoice=True), invoice_record(Id=guid(95), IsQuickInvoice=True))
    played = look(drafts, finals)
    assert played.result == [ID]
    assert params(played.requests, "$filter") == [None, None]
    assert params(played.requests, "modifiedSinceUtc") == [None, "2026-03-31T12:00:00Z"]
    assert all(misfits(described(), evolve(one, params=without_paging(one))) == [] for one in played.requests)
    assert look(page(), page(invoice_record())).result == [INVOICE_ID]


def test_a_draft_that_is_converted_while_it_is_looked_for_is_not_a_duplicate():
    assert look(page(draft_record()), page(invoice_record()), **{DRAFT: gone()}).result == [INVOICE_ID]
    both = look(page(draft_record()), page(invoice_record()), **{DRAFT: answer(draft_record())}).result
    assert both == [ID, INVOICE_ID]


@pytest.mark.parametrize("drafts", [[draft_record(Id="12")], [draft_record(Id=None)]])
def test_a_document_that_was_found_and_cannot_be_named_is_unreadable(drafts):
    with pytest.raises(MalformedResponse):
        look(page(*drafts), page())


def without_paging(request):
    """Paging is documented for every list, and declared for none."""
    return tuple(one for one in request.params if not one[0].startswith("$page"))


def test_a_look_that_goes_back_for_ever_believes_a_filter_only_once_it_is_proven():
    wanted = "OurReference eq '2026-03/17'"
    for answers, asked in (
        ([page(), page(invoice_record(OurReference="x")), page(), page(invoice_record())], [wanted, None, "x", None]),
        ([refused(), page(invoice_record())], [wanted, None]),
        ([page(invoice_record())], [wanted]),
    ):
        flow = invoices.look_for("2026-03/17", CUSTOMER_ID, None)
        played = play(flow, {DRAFTS: page(), INVOICES: answers})
        assert played.result == [INVOICE_ID]
        filters = [one and one.replace("OurReference eq 'x'", "x") for one in params(played.requests[1:], "$filter")]
        assert filters == asked


# ---- reading -----------------------------------------------------------------------------------------------


def test_a_draft_is_read_with_its_sums_per_rate():
    invoice = read(ID, **{f"customerinvoicedrafts/{DRAFT_ID}": answer(draft_record())}).result
    assert (invoice.id, invoice.number, invoice.status, invoice.reference) == (
        ID, None, InvoiceStatus.DRAFT, "2026-03/17",
    )  # fmt: skip
    totals = invoice.totals
    assert (totals.net, totals.tax, totals.gross) == (100, 21, 121)
    assert [(row.rate, row.net, row.tax) for row in totals.by_rate] == [(21, 100, 21)]


def test_sums_per_rate_that_do_not_add_up_are_left_out():
    record = answer(draft_record(TotalVatAmount=Decimal("20.99"), TotalAmount=Decimal("120.99")))
    assert read(ID, **{f"customerinvoicedrafts/{DRAFT_ID}": record}).result.totals.by_rate == ()


def test_a_draft_that_somebody_converted_is_read_as_the_invoice_it_became():
    played = read(
        ID,
        **{
            f"customerinvoicedrafts/{DRAFT_ID}": gone(),
            "customerinvoices": page(invoice_record()),
            f"customerinvoices/{INVOICE_ID}": answer(invoice_record()),
        },
    )
    invoice = played.result
    assert (invoice.id, invoice.number, invoice.status) == (INVOICE_ID, "1007", InvoiceStatus.OPEN)
    assert [(row.rate, row.net, row.tax) for row in invoice.totals.by_rate] == [(21, 100, 21)]


def test_a_draft_that_was_deleted_is_not_found():
    with pytest.raises(NotFound):
        read(ID, **{f"customerinvoicedrafts/{DRAFT_ID}": gone(), "customerinvoices": page()})


@pytest.mark.parametrize(
    "foreign",
    [
        {"CustomerId": guid(92)},
        {"CustomerId": guid(92), "CreatedFromDraftId": "00000000-0000-0000-0000-000000000000"},
        {"CreatedFromDraftId": guid(93)},
        {"CustomerId": None},
    ],
)
def test_an_invoice_of_another_customer_or_draft_is_not_taken_for_the_draft_s(foreign):
    """The same reference means nothing: a person may copy a draft, another app may count alike."""
    answers = {f"customerinvoicedrafts/{DRAFT_ID}": gone(), f"customerinvoices/{INVOICE_ID}": answer(invoice_record())}
    other = invoice_record(Id=guid(94), **foreign)
    with pytest.raises(NotFound):
        read(ID, **answers, customerinvoices=page(other))
    assert read(ID, **answers, customerinvoices=page(other, invoice_record())).result.id == INVOICE_ID
    given = {DRAFT: gone(), INVOICES: page(other)}
    for flow in (
        invoices.finalize(settings(), known()),
        invoices.send(ID, None),
        files.invoice_pdf(ORIGIN, ID),
    ):
        with pytest.raises(NotFound):
            play(flow, given)


def test_an_invoice_that_names_the_draft_is_taken_whoever_it_went_to_in_the_end():
    answers = {f"customerinvoicedrafts/{DRAFT_ID}": gone(), f"customerinvoices/{INVOICE_ID}": answer(invoice_record())}
    named = invoice_record(CreatedFromDraftId=f"{{{DRAFT_ID}}}", CustomerId=guid(92))
    assert read(ID, **answers, customerinvoices=page(named)).result.id == INVOICE_ID


def test_of_several_invoices_with_the_reference_the_one_that_names_the_draft_is_taken_or_none():
    other = invoice_record(Id=guid(94))
    named = invoice_record(CreatedFromDraftId=DRAFT_ID.upper())
    answers = {f"customerinvoicedrafts/{DRAFT_ID}": gone(), f"customerinvoices/{INVOICE_ID}": answer(invoice_record())}
    assert read(ID, **answers, customerinvoices=page(other, named)).result.id == INVOICE_ID
    with pytest.raises(DuplicateFound) as caught:
        read(ID, **answers, customerinvoices=page(other, invoice_record()))
    assert caught.value.ids == (guid(94), INVOICE_ID)


@pytest.mark.parametrize(("status", "shown"), [(0, "paid"), (1, "open"), (2, "overdue"), (7, "open"), (None, "open")])
def test_an_invoice_is_read_by_its_own_id(status, shown):
    record = answer(invoice_record(PaymentStatus=status, InvoiceNumber=0))
    invoice = read(INVOICE_ID.upper(), **{f"customerinvoices/{INVOICE_ID}": record}).result
    assert (invoice.id, invoice.number, str(invoice.status)) == (INVOICE_ID, None, shown)


def test_a_draft_that_a_person_made_is_read_by_its_own_id():
    answers = {f"customerinvoices/{DRAFT_ID}": gone(), f"customerinvoicedrafts/{DRAFT_ID}": answer(draft_record())}
    assert read(DRAFT_ID, **answers).result.id == DRAFT_ID


@pytest.mark.parametrize(
    "hostile",
    ["", "..", f"{DRAFT_ID}~", f"{DRAFT_ID}~a b", f"{DRAFT_ID}~2026-03/17", f"{DRAFT_ID}~{CUSTOMER_ID}~a b",
     f"{DRAFT_ID}/../x", "1' or 1 eq 1"],
)  # fmt: skip
def test_ids_that_are_none_are_refused_before_anything_is_sent(hostile):
    with pytest.raises(InvalidRequest):
        play(invoices.get_invoice(settings(), hostile))


# ---- finalizing --------------------------------------------------------------------------------------------


def known():
    """The draft as it was read right before."""
    return read(ID, **{f"customerinvoicedrafts/{DRAFT_ID}": answer(draft_record())}).result


@pytest.mark.parametrize(("keeps", "said"), [(True, "true"), (False, "false")])
def test_converting_sends_the_totals_along_and_says_which_date_it_has(keeps, said):
    answers = {DRAFT: answer(draft_record()), f"{DRAFT}/convert": answer(invoice_record(), status=201)}
    played = play(invoices.finalize(settings(keep_draft_date=keeps), known()), answers)
    assert played.result == INVOICE_ID
    (convert,) = writes(played)
    assert dict(convert.params) == {"keepOriginalDraftDate": said, "overrideCompanyKeepOriginalDraftDate": "true"}
    assert sent(convert) == {
        "TotalAmountInvoiceCurrency": 121, "TotalVatAmountInvoiceCurrency": 21, "TotalRoundingsInvoiceCurrency": 0,
    }  # fmt: skip
    assert misfits(described(), convert) == []
    assert not convert.repeatable


def test_a_draft_that_was_converted_meanwhile_is_not_converted_again():
    played = play(invoices.finalize(settings(), known()), {DRAFT: gone(), INVOICES: page(invoice_record())})
    assert (played.result, writes(played)) == (INVOICE_ID, [])


def test_a_draft_that_was_changed_since_it_was_read_is_not_made_final():
    changed = {DRAFT: answer(draft_record(TotalAmount=Decimal("120.99"), TotalVatAmount=Decimal("20.99")))}
    with pytest.raises(Conflict):  # a write would be asked of nobody here
        play(invoices.finalize(settings(), known()), changed)


def test_an_answer_to_a_conversion_with_an_odd_id_is_unreadable_and_no_refusal():
    answers = {DRAFT: answer(draft_record()), f"{DRAFT}/convert": answer(invoice_record(Id="12"), status=201)}
    with pytest.raises(MalformedResponse):
        play(invoices.finalize(settings(), known()), answers)


# ---- mail --------------------------------------------------------------------------------------------------


def test_a_mail_to_somebody_goes_to_nobody_else():
    answers = {INVOICE: answer(invoice_record()), f"{INVOICE}/email": answer()}
    (mail,) = writes(play(invoices.send(INVOICE_ID, "boekhouding@quellmoos.example"), answers))
    assert sent(mail) == {"Email": "boekhouding@quellmoos.example", "CcRecipients": None}
    assert misfits(described(), mail) == []
    (mail,) = writes(play(invoices.send(INVOICE_ID, None), answers))
    assert sent(mail) == {}


def test_a_draft_is_neither_mailed_nor_printed():
    for flow in (invoices.send(ID, None), files.invoice_pdf(ORIGIN, ID)):
        with pytest.raises(Conflict):
            play(flow, {DRAFT: answer(draft_record())})


def test_what_is_no_mail_address_is_refused():
    with pytest.raises(InvalidRequest):
        play(invoices.send(INVOICE_ID, "a@b.example\r\nBcc: c@d.example"))


# ---- files -------------------------------------------------------------------------------------------------

PDF = b"%PDF-1.7 voorbeeld"


def print_at(url, origin=ORIGIN, content=PDF):
    answers = {
        INVOICE: answer(invoice_record()), f"{INVOICE}/pdf": answer({"Url": url}),
        "/temp/fileanonymous/key": answer(content),
    }  # fmt: skip
    return play(files.invoice_pdf(origin, INVOICE_ID), answers)


@pytest.mark.parametrize("host", ["eaccountingstorageNL.vismaonline.com", "EACCOUNTINGSTORAGEse.vismaonline.com"])
def test_the_pdf_is_fetched_from_the_file_host_and_its_address_is_hidden(host):
    played = print_at(f"https://{host}/temp/fileanonymous/key?sig=a%2Bb")
    assert played.result == PDF
    fetch = played.requests[-1]
    assert (fetch.origin, fetch.path, fetch.params) == (f"https://{host}", "/temp/fileanonymous/key", (("sig", "a+b"),))
    assert fetch.hidden
    assert "authorization" not in fetch.headers


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/temp/fileanonymous/key",
        "http://eaccountingstorageNL.vismaonline.com/temp/fileanonymous/key",
        "https://eaccountingstorageNL.vismaonline.com.evil.example/temp/fileanonymous/key",
        "https://eaccountingstorageNL.vismaonline.com@evil.example/temp/fileanonymous/key",
        "https://user@eaccountingstorageNL.vismaonline.com/temp/fileanonymous/key",
        "https://eaccountingstorageNL.vismaonline.com:444/temp/fileanonymous/key",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
def test_an_address_elsewhere_is_not_followed(url):
    with pytest.raises(MalformedResponse) as caught:
        print_at(url)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://eaccountingstorageNL.vismaonline.com/temp/key", "https://[key"])
def test_the_address_of_a_pdf_is_a_secret_in_whatever_frame_it_passes_through(url, monkeypatch):
    """Crash reporters print the locals of every frame below an error, of whatever kind."""

    def crashing(*_, **__):
        raise RuntimeError("whatever")

    monkeypatch.setattr(files, "urlsplit" if "[" in url else "Request", crashing)
    with pytest.raises(RuntimeError) as caught:
        print_at(url)
    own = [one.frame for one in caught.traceback if str(one.path) == files.__file__]
    assert own
    assert [name for frame in own for name, one in frame.f_locals.items() if "key" in repr(one)] == []


def test_the_connection_s_own_host_is_trusted_as_well():
    assert print_at("http://127.0.0.1:8080/temp/fileanonymous/key", "http://127.0.0.1:8080").result == PDF


def test_what_is_no_pdf_is_refused():
    with pytest.raises(MalformedResponse):
        print_at("https://eaccountingstorageNL.vismaonline.com/temp/fileanonymous/key", content=b"<html>")


FILE = Attachment(filename="uren.pdf", content=PDF)
KEPT = "/v2/salesdocumentattachments"


@pytest.mark.parametrize("kind", [draft_record, invoice_record])
def test_a_file_goes_to_the_draft_or_the_invoice(kind):
    where = "customerinvoicedraft" if kind is draft_record else "customerinvoice"
    given = {f"{KEPT}/{where}": answer({"Id": FILE_ID}, status=201)}
    (upload,) = play(files.attach(ID if kind is draft_record else INVOICE_ID, FILE), given).requests
    assert misfits(described(), upload) == []
    assert sent(upload)["DockumentId"] == (DRAFT_ID if kind is draft_record else INVOICE_ID)


@pytest.mark.parametrize(
    ("about", "content", "there"),
    [
        ({"OriginalFilename": "uren.pdf", "DocumentSize": len(PDF)}, PDF, True),
        ({"OriginalFilename": "uren.pdf", "DocumentSize": len(PDF)}, PDF[::-1], False),
        ({"OriginalFilename": "uren.pdf", "DocumentSize": 3}, PDF, False),
        ({"OriginalFilename": "andere.pdf", "DocumentSize": len(PDF)}, PDF, False),
    ],
)
@pytest.mark.parametrize("kind", [draft_record, invoice_record])
def test_a_file_that_is_there_is_found_by_name_and_content(about, content, there, kind):
    record = answer(kind(SalesDocumentAttachments=[FILE_ID, None, "odd"]))
    given = {
        (DRAFT if kind is draft_record else INVOICE): record,
        f"{KEPT}/{FILE_ID}": answer({"Id": FILE_ID, **about}), f"{KEPT}/{FILE_ID}.pdf": answer(content),
    }  # fmt: skip
    played = play(files.has_file(ID if kind is draft_record else INVOICE_ID, FILE), given)
    assert (played.result, writes(played)) == (there, [])


@pytest.mark.parametrize(
    ("size", "content_type"),
    [(len(PDF), "application/pdf"), (None, "text/html; charset=utf-8")],
    ids=["cut short", "a gateway's page"],
)
def test_what_is_not_the_kept_file_proves_nothing(size, content_type):
    """A page of 200 in the place of the file was taken for another file once, and the upload was repeated."""
    page = evolve(answer(b"<html>busy</html>"), headers={"content-type": content_type})
    given = {
        DRAFT: answer(draft_record(SalesDocumentAttachments=[FILE_ID])),
        f"{KEPT}/{FILE_ID}": answer({"Id": FILE_ID, "OriginalFilename": "uren.pdf", "DocumentSize": size}),
        f"{KEPT}/{FILE_ID}.pdf": page,
    }  # fmt: skip
    with pytest.raises(MalformedResponse, match="unreadable file"):
        play(files.has_file(ID, FILE), given)
