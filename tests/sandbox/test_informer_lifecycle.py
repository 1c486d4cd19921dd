"""Informer: what becomes of a concept: read, changed, listed, sent, with files, and in the web application."""

import base64
from datetime import date
from decimal import Decimal

import pytest
from informer_support import PDF, Api, company, without_blanks
from test_informer_invoices import REQUIRED, only, text_line

from accounting_bridge.sandbox.informer import Administration, Assumptions

D = Decimal
PERIOD = "You can no longer book in the specified period."


# -- reading, changing, listing -----------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", ["9", "x", "0"])
def test_an_unknown_invoice_is_400_to_read_and_404_otherwise(identifier):
    api = Api()
    assert api.refused(400, "GET", f"/invoices/sales/{identifier}") == ["No records found"]
    assert api.call("PUT", f"/invoices/sales/{identifier}", api.invoice()).status == 404
    assert api.call("POST", f"/invoices/sales/send/{identifier}", {"method": "mark"}).status == 404
    assert api.call("GET", f"/invoices/sales/pdf/{identifier}").status == 404


def test_a_concept_is_replaced_as_a_whole():
    api = Api()
    shared = api.get("/attachments")[0]["id"]
    identifier = api.made(reference="A-1", comment="weg", attachments=[shared])
    api.clock.advance(minutes=5)
    answer = api.ok("PUT", f"/invoices/sales/{identifier}", api.invoice(reference="A-2", relation_id=1002))
    assert answer["id"] == identifier
    shown = api.get(f"/invoices/sales/{identifier}")
    assert (shown["reference"], shown["comment"], shown["relation_id"]) == ("A-2", None, 1002)
    assert (shown["attachments"], shown["created_at"][-8:], shown["last_edit"][-8:]) == (
        [shared],
        "12:00:00",
        "12:05:00",
    )
    api.ok("PUT", f"/invoices/sales/{identifier}", api.invoice(attachments=[]))
    assert api.get(f"/invoices/sales/{identifier}")["attachments"] == []
    assert set(api.problems("PUT", f"/invoices/sales/{identifier}", {"reference": "A-3"})) == set(REQUIRED)


def test_a_final_invoice_cannot_be_changed():
    api = Api()
    identifier = api.final()
    assert set(api.problems("PUT", f"/invoices/sales/{identifier}", api.invoice())) == {"concept"}


def test_filters():
    api = Api()
    collection = next(row["id"] for row in api.get("/payment-conditions") if row["payment_option"] == "collection")
    concept, opened, paid = api.made(), api.final(), api.final()
    collected = api.final(payment_condition_id=collection)
    api.box.web.pay(paid)

    def found(query):
        reply = api.call("GET", f"/invoices/sales?{query}")
        return [row["id"] for row in reply.value()["invoices"]] if reply.status == 200 else reply.value()["error"]

    assert found("filter=concept") == [concept]
    assert found("filter=open") == [opened, collected]
    assert found("filter=collect") == [collected]
    for word in ("accruals", "collection_fines", "payment_plans"):
        assert found(f"filter={word}") == ["No records found"]
    for query in ("filter=draft", "relation_id=x", "last_edit=x", "sort=x.asc", "sort=date", "sort=date.up"):
        assert api.call("GET", f"/invoices/sales?{query}").status == 400
    assert found("relation_id=1002") == ["No records found"]
    assert found("relation_id=1001&last_edit=2026-08-20&filter=concept") == [concept]
    assert found("last_edit=2026-08-21") == ["No records found"]


def test_sorting():
    api = Api(customers=2)
    made = []
    for day, price, relation in (("2026-08-02", "30", 1001), ("2026-08-03", "10", 1002), ("2026-08-01", "20", 1001)):
        api.clock.advance(minutes=1)
        made.append(api.made(invoice_date=day, lines=[api.line(price)], relation_id=relation))

    def order(sort):
        return [made.index(row["id"]) for row in api.get(f"/invoices/sales?sort={sort}")["invoices"]]

    assert order("created.desc") == [2, 1, 0]
    assert order("date.asc") == [2, 0, 1]
    assert order("amount.desc") == [0, 2, 1]
    api.box.web.finalize(made[2])
    api.box.web.pay(made[2], D(5))
    assert order("invoiceAmountPaid.desc")[0] == 2
    assert order("invoiceAmountOpen.asc") == [1, 2, 0]
    assert order("number.desc")[0] == 2
    names = [each.name.casefold() for each in api.box.customers]
    assert order("name.asc")[0] == (1 if names[1] < names[0] else 0)


def test_the_recipe_after_a_lost_answer_finds_the_reference():
    api = Api()
    api.made(reference="ab:1")
    wanted = api.made(reference="ab:12")
    api.made(reference="ab:12", relation_id=1002)
    rows = api.get("/invoices/sales?relation_id=1001&last_edit=2026-08-20&sort=created.desc&records=100")["invoices"]
    assert [row["id"] for row in rows if row["reference"] == "ab:12"] == [wanted]


# -- sending ------------------------------------------------------------------------------------------------


def with_mail(**options):
    api = Api(**options)
    api.ok("POST", "/relations", company(email="info@voorbeeld.example", email_invoice="facturen@voorbeeld.example"))
    relation_id = int(api.box.customers[-1].id)
    person = {"relation_id": relation_id, "firstname": "Daan", "surname": "Schets", "gender": "m"}
    api.ok("POST", "/contact", {**person, "email": "daan@voorbeeld.example"})
    return api, relation_id


def test_mailing_makes_an_invoice_final():
    api, relation_id = with_mail()
    identifier = api.made(relation_id=relation_id, attachments=[api.get("/attachments")[0]["id"]])
    addresses = api.get(f"/invoices/sales/{identifier}")["send_options"]["email"]
    assert addresses == ["facturen@voorbeeld.example", "info@voorbeeld.example", "daan@voorbeeld.example"]
    body = {"method": "email", "email_address": "daan@voorbeeld.example"}
    assert api.ok("POST", f"/invoices/sales/send/{identifier}", body) == {
        "message": "Invoice has been sent successfully"
    }
    shown = api.get(f"/invoices/sales/{identifier}")
    assert (shown["concept"], shown["number"]) == ("0", "2026-0001")
    assert shown["status"] == {"status": "Open", "color": "orange"}
    sent = api.box.outbox[0]
    assert (sent.invoice_id, sent.method, sent.address) == (identifier, "email", "daan@voorbeeld.example")
    assert sent.attachments == ("algemene_voorwaarden.pdf",)
    assert api.box.invoices[0].sent == ("email",)


def test_marking_as_sent_mails_nothing():
    api = Api()
    identifier = api.final()
    assert [(each.method, each.address) for each in api.box.outbox] == [("mark", None)]
    assert api.get(f"/invoices/sales/{identifier}")["concept"] == "0"


def test_peppol_has_to_be_available():
    api = Api()
    for possible in (True, False):
        api.box.web.edit_relation(api.relation_id, peppol=possible)
        identifier = api.made()
        assert api.get(f"/invoices/sales/{identifier}")["send_options"]["peppol"] is possible
        reply = api.call("POST", f"/invoices/sales/send/{identifier}", {"method": "peppol"})
        assert reply.status == (200 if possible else 422)
        assert api.get(f"/invoices/sales/{identifier}")["concept"] == ("0" if possible else "1")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"method": "post"},
        {"method": 1},
        {"method": "email"},
        {"method": "email", "email_address": ""},
        {"method": "email", "email_address": "geen adres"},
        {"method": "email", "email_address": "vreemd@elders.example"},
        {"method": "mark", "subject": "x"},
        {"method": "mark", "email_address": 7},
    ],
)
def test_a_refused_sending_leaves_a_concept(body):
    api, relation_id = with_mail()
    identifier = api.made(relation_id=relation_id)
    error = api.refused(422, "POST", f"/invoices/sales/send/{identifier}", body)
    assert isinstance(error, list)
    assert api.box.invoices[0].concept
    assert not api.box.outbox


def test_sending_twice_is_an_assumption():
    api = Api()
    path = f"/invoices/sales/send/{api.final()}"
    assert api.refused(422, "POST", path, {"method": "mark"}) == ["Invoice has already been finalized."]
    again = only(resend="accept")
    identifier = again.final()
    again.ok("POST", f"/invoices/sales/send/{identifier}", {"method": "mark"})
    assert again.box.invoices[0].sent == ("mark", "mark")
    assert again.box.invoices[0].number == "2026-0001"


def test_numbers_are_given_in_the_order_of_finalising_and_per_year():
    api = Api(administration=Administration(invoice_prefix="F"))
    first, second, old = api.made(), api.made(), api.made(invoice_date="2025-12-31")
    for identifier in (second, old, first):
        api.ok("POST", f"/invoices/sales/send/{identifier}", {"method": "mark"})
    assert [each.number for each in api.box.invoices] == ["F2026-0002", "F2026-0001", "F2025-0001"]


def test_a_concept_may_show_a_provisional_number():
    api = only(concept_number="provisional")
    identifier = api.made()
    assert api.get(f"/invoices/sales/{identifier}")["number"] == f"C{identifier}"
    api.box.web.finalize(identifier)
    assert api.get(f"/invoices/sales/{identifier}")["number"] == "2026-0001"


def test_a_closed_period_shows_when_the_invoice_is_sent():
    api = Api()
    api.box.web.close_period(2026, 8)
    identifier = api.made()
    assert api.refused(422, "POST", f"/invoices/sales/send/{identifier}", {"method": "mark"}) == [PERIOD]
    with pytest.raises(ValueError, match="no longer book"):
        api.box.web.finalize(identifier)
    assert api.box.invoices[0].concept
    open_one = api.made(invoice_date="2026-09-01")
    api.ok("POST", f"/invoices/sales/send/{open_one}", {"method": "mark"})


def test_a_closed_period_may_refuse_the_concept_already():
    api = Api(
        administration=Administration(closed_until=(2026, 8)),
        assumptions=Assumptions(concept_in_closed_period=False, closed_period_shape="field"),
    )
    assert api.problems("POST", "/invoices/sales", api.invoice()) == {"invoice_date": PERIOD}


# -- files --------------------------------------------------------------------------------------------------


def test_the_pdf_of_a_final_invoice():
    api = Api()
    identifier = api.final(lines=[text_line(), api.line()], reference="A-1", comment="Augustus")
    answer = api.get(f"/invoices/sales/pdf/{identifier}")
    assert answer["filename"] == "Factuur 2026-0001.pdf"
    assert base64.b64decode(answer["pdf"]).startswith(b"%PDF-")


def test_the_pdf_of_a_concept_is_an_assumption():
    api = Api()
    assert api.refused(404, "GET", f"/invoices/sales/pdf/{api.made()}") == ["Resource niet gevonden."]
    lenient = only(concept_pdf=True)
    assert lenient.get(f"/invoices/sales/pdf/{lenient.made()}")["pdf"]


def upload(name="bijlage.pdf", content=PDF, **changes):
    return without_blanks({"filename": name, "file": base64.b64encode(content).decode(), **changes})


def test_attachments_are_uploaded_read_and_deleted():
    api = Api()
    path = f"/invoices/sales/{api.made()}/attachments"
    answer = api.ok("POST", path, upload())
    assert answer == {"id": 1001, "filename": "bijlage.pdf", "size": len(PDF)}
    assert api.get(f"{path}/1001") == {"id": 1001, "filename": "bijlage.pdf", "file": upload()["file"]}
    shown = api.get(path.removesuffix("/attachments"))
    assert [(each["id"], each["size"]) for each in shown["document_attachments"]] == [(1001, len(PDF))]
    assert (shown["attachments"], api.box.invoices[0].attachments) == ([], ("bijlage.pdf",))
    api.ok("PUT", path.removesuffix("/attachments"), api.invoice())
    assert api.box.invoices[0].attachments == ("bijlage.pdf",)
    assert api.ok("DELETE", f"{path}/1001") == {"id": 1001}
    assert api.call("GET", f"{path}/1001").status == 404
    assert api.call("DELETE", f"{path}/1001").status == 404


def test_files_of_the_library_can_be_read_where_they_are_linked():
    api = Api()
    shared = api.get("/attachments")[0]["id"]
    linked, other = api.made(attachments=[shared]), api.made()
    content = api.get(f"/invoices/sales/{linked}/attachments/{shared}")["file"]
    assert base64.b64decode(content).startswith(b"%PDF-")
    assert api.call("GET", f"/invoices/sales/{other}/attachments/{shared}").status == 404
    assert api.call("DELETE", f"/invoices/sales/{linked}/attachments/{shared}").status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        upload(filename=...),
        upload(file=...),
        upload("bijlage.exe"),
        upload("pdf."),
        upload("bijlage"),
        upload(file="geen base64!"),
        upload(content=b""),
        upload(file=7),
        upload(extra=1),
        upload(content=b"x" * (10 * 1024 * 1024 + 1)),
    ],
    ids=lambda body: ",".join(f"{key}={str(value)[:12]}" for key, value in body.items()),
)
def test_bad_attachments_are_refused_in_the_plain_shape(body):
    api = Api()
    assert isinstance(api.refused(422, "POST", f"/invoices/sales/{api.made()}/attachments", body), list)


@pytest.mark.parametrize("name", ["a.PNG", "a.jpg", "a.jpeg", "a.gif", "a.doc", "a.docx", "a.xls", "a.xlsx", "a.b.pdf"])
def test_other_types_of_attachments(name):
    api = Api()
    api.ok("POST", f"/invoices/sales/{api.made()}/attachments", upload(name))


def test_unknown_attachments():
    api = Api()
    identifier = api.made()
    assert api.refused(400, "GET", f"/invoices/sales/{identifier}/attachments/x") == ["attachment_id is not numeric"]
    assert api.refused(400, "DELETE", f"/invoices/sales/{identifier}/attachments/x")
    assert api.refused(404, "GET", "/invoices/sales/9/attachments/1")
    assert api.refused(404, "POST", "/invoices/sales/9/attachments", upload())


def test_attachments_of_a_final_invoice_are_an_assumption():
    api = Api()
    identifier = api.made()
    api.ok("POST", f"/invoices/sales/{identifier}/attachments", upload())
    api.box.web.finalize(identifier)
    assert api.call("POST", f"/invoices/sales/{identifier}/attachments", upload()).status == 422
    assert api.call("DELETE", f"/invoices/sales/{identifier}/attachments/1001").status == 422
    lenient = only(final_accepts_attachment=True)
    lenient.ok("POST", f"/invoices/sales/{lenient.final()}/attachments", upload())


# -- the web application ------------------------------------------------------------------------------------


def test_the_web_app_deletes_concepts_only():
    api = Api()
    concept, final = api.made(), api.final()
    api.box.web.delete(concept)
    assert api.call("GET", f"/invoices/sales/{concept}").status == 400
    with pytest.raises(ValueError, match="2026-0001 is final"):
        api.box.web.delete(final)
    with pytest.raises(ValueError, match="there is no sales invoice 9"):
        api.box.web.delete(9)
    assert api.made() == 1003


def test_the_web_app_edits_texts_and_can_remove_the_marker():
    api = Api()
    identifier = api.made(reference="ab:1", comment="x")
    api.box.web.edit(identifier, reference="", comment="y")
    shown = api.get(f"/invoices/sales/{identifier}")
    assert (shown["reference"], shown["comment"]) == (None, "y")


def test_payments_and_overdue_invoices():
    api = Api()
    identifier = api.final()
    with pytest.raises(ValueError, match="a concept cannot be paid"):
        api.box.web.pay(api.made())
    api.box.web.pay(identifier, D(21), day=date(2026, 8, 25))
    shown = api.get(f"/invoices/sales/{identifier}")
    assert (shown["totals"]["paid"], shown["totals"]["open"], shown["payment_date"]) == (21, 100, "2026-08-25")
    api.clock.advance(days=30)
    assert api.get(f"/invoices/sales/{identifier}")["status"] == {"status": "Vervallen", "color": "red"}
    api.box.web.pay(identifier)
    assert api.get(f"/invoices/sales/{identifier}")["status"] == {"status": "Betaald", "color": "green"}
    assert api.box.invoices[0].status == "paid"
    credit = api.final(lines=[api.line("-10")])
    assert api.box.invoices[-1].status == "open"
    api.box.web.pay(credit)
    assert api.box.invoices[-1].status == "paid"
