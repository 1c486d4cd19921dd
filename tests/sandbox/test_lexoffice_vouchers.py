"""lexoffice: bookkeeping vouchers, files, voucherlist and payments."""

from decimal import Decimal

import pytest
from lexoffice_support import Api, company, issues, person, row, voucher

from accounting_bridge.sandbox.lexoffice import Assumptions, Organisation

D = Decimal
MISSING, INVALID = "missing_entity", "invalid_value"
PDF = b"%PDF-1.4 invoice"

SERVICES = "8f8664a0-fd86-11e1-a21f-0800200c9a66"
EU_GOODS = "9075a4e3-66de-4795-a016-3889feca0d20"
EU_SERVICES = "380a20cb-d04c-426e-b49c-84c22adfa362"
EXPORT_GOODS = "93d24c20-ea84-424e-a731-5e1b78d1e6a9"
EXPORT_SERVICES = "ef5b1a6e-f690-4004-9a19-91276348894f"
SMALL_BUSINESS = "f5c7fee8-f184-4e7a-ab04-8f7e7ad6c207"
OLD_SMALL_BUSINESS = "7a1efa0e-6283-4cbf-9583-8e88d3ba5960"
OSS_ORIGIN = "7c112b66-0565-479c-bc18-5845e080880a"
OSS_DESTINATION = "4ebd965a-7126-416c-9d8c-a5c9366ee473"
TRAVEL = "cf03a2b0-f838-474f-ac5e-67adb9b830c7"


def refused(api=None, **changes):
    api = api or Api()
    reply = api.post("/v1/vouchers", voucher(**changes))
    assert reply.status == 406, reply.body
    assert len(api.box.sales_entries) == 0
    return issues(reply)


def free(category, **changes):
    return {"totalGrossAmount": 100, "totalTaxAmount": 0, "voucherItems": [row("100", "0", 0, category)], **changes}


def test_a_voucher_is_booked_as_open_at_once():
    api = Api()
    reply = api.post("/v1/vouchers", voucher(remark="Ref. 1"))
    assert (reply.status, reply.value()["version"]) == (200, 1)
    shown = api.get(f"/v1/vouchers/{reply.value()['id']}").value()
    assert shown["voucherStatus"] == "open"
    assert shown["dueDate"] == shown["voucherDate"] == "2026-08-21T00:00:00.000+02:00"
    (entry,) = api.box.sales_entries
    assert (entry.number, entry.net, entry.tax, entry.gross, entry.remark) == ("2026-0001", 100, 19, 119, "Ref. 1")


def test_the_status_of_a_created_voucher_is_an_assumption():
    assert Api(assumptions=Assumptions(voucher_create_status=201)).post("/v1/vouchers", voucher()).status == 201


def test_numbers_need_not_be_unique():
    api = Api()
    first, second = api.voucher(), api.voucher()
    page = api.get("/v1/vouchers?voucherNumber=2026-0001").value()
    assert [found["id"] for found in page["content"]] == [first, second]
    assert "sort" not in page
    assert api.get("/v1/vouchers").status == 400


@pytest.mark.parametrize(
    ("tax_type", "rows", "tax", "gross"),
    [
        ("gross", [row("175.37", "28.00")], "28.00", "175.37"),
        ("gross", [row("1000", "159.66")], "159.66", "1000"),
        ("gross", [row("25251578.84", "4031764.69")], "4031764.69", "25251578.84"),
        ("net", [row("1748.81", "279.81", 16), row("6677.37", "1268.70")], "1548.51", "9974.69"),
        ("gross", [row("119", "19"), row("107", "7", 7), row("100", "0", 0)], "26", "326"),
    ],
)
def test_the_arithmetic_samples_are_accepted_and_a_cent_less_is_not(tax_type, rows, tax, gross):
    body = {"taxType": tax_type, "voucherItems": rows}
    assert Api().voucher(**body, totalGrossAmount=D(gross), totalTaxAmount=D(tax))
    cent = D("0.01")
    assert refused(**body, totalGrossAmount=D(gross) - cent, totalTaxAmount=D(tax)) == {
        ("totalGrossAmount", "invalid_total_amount")
    }
    assert refused(**body, totalGrossAmount=D(gross), totalTaxAmount=D(tax) - cent) == {
        ("totalTaxAmount", "invalid_taxamount")
    }
    off = [{**rows[0], "taxAmount": rows[0]["taxAmount"] - cent}, *rows[1:]]
    assert ("voucherItems[0].taxAmount", "invalid_taxamount") in refused(
        taxType=tax_type, voucherItems=off, totalGrossAmount=D(gross), totalTaxAmount=D(tax)
    )


def test_a_tolerance_can_be_assumed():
    api = Api(assumptions=Assumptions(voucher_tolerance=D("0.01")))
    assert api.voucher(totalTaxAmount=D("19.01"))


def test_amounts_may_be_quoted():
    api = Api()
    items = [{**row("119", "19"), "amount": "119.00", "taxAmount": "19.00"}]
    identifier = api.voucher(totalGrossAmount="119.00", totalTaxAmount="19.00", voucherItems=items)
    assert api.get(f"/v1/vouchers/{identifier}").value()["totalGrossAmount"] == 119


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"type": None}, ("type", MISSING)),
        ({"type": "invoice"}, ("type", INVALID)),
        ({"voucherNumber": ""}, ("voucherNumber", MISSING)),
        ({"voucherNumber": 5}, ("voucherNumber", INVALID)),
        ({"voucherDate": None}, ("voucherDate", MISSING)),
        ({"voucherDate": "21.08.2026"}, ("voucherDate", INVALID)),
        ({"dueDate": "2026-02-30"}, ("dueDate", INVALID)),
        ({"taxType": "vatfree"}, ("taxType", INVALID)),
        ({"voucherStatus": "unchecked"}, ("voucherStatus", INVALID)),
        ({"voucherStatus": "open"}, ("voucherStatus", INVALID)),
        ({"useCollectiveContact": False}, ("contactId", MISSING)),
        ({"useCollectiveContact": None, "contactId": "unknown"}, ("contactId", MISSING)),
        ({"voucherItems": []}, ("voucherItems", MISSING)),
        ({"voucherItems": [row("119", "19", category="unknown")]}, ("voucherItems[0].categoryId", INVALID)),
        ({"voucherItems": [row("119", "19", category=None)]}, ("voucherItems[0].categoryId", MISSING)),
        ({"voucherItems": [row("119", "19", category=TRAVEL)]}, ("voucherItems[0].categoryId", INVALID)),
        ({"voucherItems": [{**row("119", "19"), "amount": D("119.001")}]}, ("voucherItems[0].amount", INVALID)),
        ({"voucherItems": [row("119", "19"), row("0", "0")]}, ("voucherItems[1].amount", INVALID)),
        ({"version": 7}, ("version", INVALID)),
        (
            {"totalGrossAmount": 120, "totalTaxAmount": 20, "voucherItems": [row("120", "20", 20)]},
            ("voucherItems[0].taxRatePercent", INVALID),
        ),
        (
            {"totalGrossAmount": -119, "totalTaxAmount": -19, "voucherItems": [row("-119", "-19")]},
            ("voucherItems[0].amount", INVALID),
        ),
    ],
)
def test_each_voucher_rule_refuses_with_its_own_issue(changes, expected):
    assert refused(**changes) == {expected}


def test_credit_notes_have_positive_amounts_and_the_same_categories():
    api = Api()
    api.voucher(type="salescreditnote")
    assert api.box.sales_entries[0].kind == "salescreditnote"


def test_a_contact_needs_the_role_of_the_voucher():
    api = Api()
    vendor, customer = api.contact(roles={"vendor": {}}), api.contact()
    own = {"useCollectiveContact": False}
    assert refused(api, **own, contactId=vendor) == {("contactId", INVALID)}
    identifier = api.voucher(**own, contactId=customer)
    assert api.get(f"/v1/vouchers/{identifier}").value()["contactId"] == customer


def test_a_collective_contact_wins_over_a_contact_id():
    api = Api()
    identifier = api.voucher(contactId=api.contact(), contactName="Laufkundschaft")
    shown = api.get(f"/v1/vouchers/{identifier}").value()
    assert "contactId" not in shown
    (entry,) = api.get("/v1/voucherlist?voucherType=salesinvoice&voucherStatus=open").value()["content"]
    assert (entry["contactId"], entry["contactName"]) == (None, "Laufkundschaft")


@pytest.mark.parametrize(
    ("category", "country", "wrong"),
    [
        (EU_GOODS, "NL", "CH"),
        (EU_SERVICES, "AT", "DE"),
        (EXPORT_GOODS, "CH", "NL"),
        (EXPORT_SERVICES, "US", "FR"),
    ],
)
def test_cross_border_entries_need_a_company_in_the_right_country(category, country, wrong):
    api = Api()
    own = {"useCollectiveContact": False}
    vat_id = "NL123456789B01"
    human = api.post("/v1/contacts", person(country)).value()["id"]
    elsewhere = api.post("/v1/contacts", company(country=wrong, vatRegistrationId=vat_id)).value()["id"]
    here = api.post("/v1/contacts", company(country=country, vatRegistrationId=vat_id)).value()["id"]
    key = "individual_person_not_applicable_service_third_party" if category == EXPORT_SERVICES else INVALID
    assert refused(api, **free(category)) == {("contactId", MISSING)}
    assert refused(api, **free(category, **own, contactId=human)) == {("contactId", key)}
    assert refused(api, **free(category, **own, contactId=elsewhere)) == {("contactId", INVALID)}
    taxed = {"voucherItems": [row("119", "19", 19, category)], **own, "contactId": here}
    assert refused(api, **taxed) == {("voucherItems[0].taxRatePercent", INVALID)}
    assert api.voucher(**free(category, **own, contactId=here))


@pytest.mark.parametrize("category", [EU_GOODS, EU_SERVICES])
def test_eu_entries_need_the_vat_id(category):
    api = Api()
    bare = api.post("/v1/contacts", company(country="NL")).value()["id"]
    assert refused(api, **free(category, useCollectiveContact=False, contactId=bare)) == {
        ("company.vatRegistrationId", MISSING)
    }


def test_the_small_business_category_is_gross_and_free_of_tax():
    api = Api()
    assert api.voucher(**free(SMALL_BUSINESS))
    assert refused(taxType="net", **free(SMALL_BUSINESS)) == {("taxType", INVALID)}
    assert ("voucherItems[0].categoryId", INVALID) in refused(**free(OLD_SMALL_BUSINESS))
    old = Api(assumptions=Assumptions(old_small_business_category=True))
    assert old.voucher(**free(OLD_SMALL_BUSINESS))


def test_distance_sales_follow_the_organisations_principle_and_stand_alone():
    foreign = {"totalGrossAmount": 121, "totalTaxAmount": 21, "voucherItems": [row("121", "21", 21, OSS_DESTINATION)]}
    api = Api(organisation=Organisation(distance_sales_principle="DESTINATION"))
    assert api.voucher(**foreign)
    assert refused(**foreign) == {("voucherItems[0].categoryId", INVALID)}
    mixed = [row("119", "19", 19, OSS_ORIGIN), row("119", "19", 19, SERVICES)]
    assert refused(totalGrossAmount=238, totalTaxAmount=38, voucherItems=mixed) == {("voucherItems", INVALID)}


def test_a_category_without_split_has_one_rate():
    api = Api()
    fixed = next(
        category["id"]
        for category in api.get("/v1/posting-categories").value()
        if category["type"] == "income" and not category["splitAllowed"] and not category["contactRequired"]
    )
    items = [row("119", "19", 19, fixed), row("107", "7", 7, fixed)]
    assert refused(totalGrossAmount=226, totalTaxAmount=26, voucherItems=items) == {("voucherItems", INVALID)}
    assert api.voucher(voucherItems=items[:1])


def test_a_category_that_needs_a_contact_refuses_the_collective_one():
    api = Api()
    needed = next(
        category["id"]
        for category in api.get("/v1/posting-categories").value()
        if category["contactRequired"] and category["splitAllowed"]
    )
    items = [row("119", "19", 19, needed)]
    assert refused(api, voucherItems=items) == {("contactId", MISSING)}
    assert api.voucher(voucherItems=items, useCollectiveContact=False, contactId=api.contact())


def test_an_update_needs_the_current_version_and_no_status():
    api = Api()
    url = f"/v1/vouchers/{api.voucher()}"
    shown = api.get(url).value()
    assert issues(api.put(url, shown)) == {("voucherStatus", INVALID)}
    body = {name: value for name, value in shown.items() if name != "voucherStatus"}
    assert issues(api.put(url, {**body, "version": None})) == {("version", MISSING)}
    assert api.put(url, {**body, "remark": "neu"}).value()["version"] == 2
    stale = api.put(url, body)
    assert (stale.status, issues(stale)) == (409, {("version", INVALID)})
    assert api.box.sales_entries[0].remark == "neu"


def test_a_paid_voucher_cannot_be_changed():
    api = Api()
    identifier = api.voucher()
    api.box.pay(identifier)
    assert api.put(f"/v1/vouchers/{identifier}", voucher(version=2)).status == 406


def test_a_file_is_attached_moves_the_version_and_goes_when_an_update_omits_it():
    api = Api()
    identifier = api.voucher()
    url = f"/v1/vouchers/{identifier}"
    reply = api.upload(f"{url}/files", "rechnung.pdf", PDF, type="voucher")
    assert (reply.status, set(reply.value())) == (202, {"id"})
    file_id = reply.value()["id"]
    shown = api.get(url).value()
    assert (shown["files"], shown["version"]) == ([file_id], 2)
    assert api.box.sales_entries[0].files == ("rechnung.pdf",)
    assert api.get(f"/v1/files/{file_id}", accept="*/*").body == PDF
    body = {name: value for name, value in shown.items() if name != "voucherStatus"}
    assert api.put(url, body).status == 200
    assert api.get(url).value()["files"] == [file_id]
    assert api.put(url, {**body, "version": 3, "files": []}).status == 200
    assert api.get(f"/v1/files/{file_id}").status == 404
    assert issues(api.put(url, {**body, "version": 4})) == {("files", INVALID)}


def test_the_same_content_returns_the_same_file():
    api = Api()
    first, second = api.voucher(), api.voucher()
    ids = [
        api.upload(f"/v1/vouchers/{identifier}/files", name, PDF).value()["id"]
        for identifier, name in ((first, "a.pdf"), (first, "b.pdf"), (second, "c.pdf"))
    ]
    assert len(set(ids)) == 1
    assert api.get(f"/v1/vouchers/{first}").value()["files"] == ids[:1]


def test_several_files_can_hang_on_one_voucher():
    api = Api()
    identifier = api.voucher()
    for number in range(3):
        api.upload(f"/v1/vouchers/{identifier}/files", f"{number}.pdf", PDF + bytes([number]))
    assert len(api.get(f"/v1/vouchers/{identifier}").value()["files"]) == 3


MIB_5 = 5 * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("beleg", PDF, "inacceptable_file_extension"),
        ("beleg.exe", PDF, "inacceptable_file_extension"),
        ("beleg.pdf", b"no pdf", "inacceptable_file_extension"),
        ("beleg.png", PDF, "image_conversion_error"),
        ("beleg.jpg", PDF, "image_conversion_error"),
        ("beleg.xml", b"<a/>", "invalid_xrechnung"),
        ("beleg.pdf", b"%PDF-1.4 /JavaScript", "voucher_upload_toxic_pdf"),
        ("beleg.pdf", b"%PDF-".ljust(MIB_5 + 1, b"x"), "max_file_size_exceeded"),
    ],
)
def test_unsuitable_files_are_refused(name, content, key):
    api = Api()
    for url, extra in (("/v1/files", {"type": "voucher"}), (f"/v1/vouchers/{api.voucher()}/files", {})):
        reply = api.upload(url, name, content, **extra)
        assert (reply.status, issues(reply)) == (406, {("file", key)})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.PDF", b"%PDF-".ljust(MIB_5, b"x")),
        ("a.jpeg", b"\xff\xd8\xff\xe0"),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.xml", b"<?xml?><i>xrechnung</i>"),
    ],
)
def test_suitable_files_are_taken_up_to_five_mebibytes(name, content):
    assert Api().upload("/v1/files", name, content, type="voucher").status == 202


def test_a_part_without_a_file_name_ends_in_a_bare_500():
    assert Api().upload("/v1/files", None, PDF, type="voucher").status == 500


def test_an_upload_makes_an_unchecked_purchase_voucher():
    api = Api()
    assert issues(api.upload("/v1/files", "a.pdf", PDF)) == {("Invalid or missing upload type.", INVALID)}
    made = api.upload("/v1/files", "a.pdf", PDF, type="voucher").value()
    assert made == api.upload("/v1/files", "b.pdf", PDF, type="voucher").value()
    assert api.get(f"/v1/vouchers/{made['voucherId']}").value()["voucherStatus"] == "unchecked"
    assert len(api.box.vouchers) == 1
    assert len(api.box.sales_entries) == 0
    payments = api.get(f"/v1/payments/{made['voucherId']}")
    assert payments.status == 406
    assert "No payment information" in payments.value()["message"]


def test_xml_of_a_file_that_is_none_is_404():
    api = Api()
    made = api.upload("/v1/files", "a.pdf", PDF, type="voucher").value()
    assert api.get(f"/v1/files/{made['id']}", accept="application/xml").status == 404


def listed(api, query="voucherType=any&voucherStatus=any"):
    reply = api.get(f"/v1/voucherlist?{query}")
    assert reply.status == 200, reply.body
    return reply.value()["content"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "voucherType=invoice",
        "voucherStatus=open",
        "voucherType=bill&voucherStatus=open",
        "voucherType=invoice&voucherStatus=late",
        "voucherType=invoice&voucherStatus=open,overdue",
        "voucherType=any&voucherStatus=any&size=251",
        "voucherType=any&voucherStatus=any&sort=voucherNumber,DESC",
        "voucherType=any&voucherStatus=any&sort=voucherDate,down",
        "voucherType=any&voucherStatus=any&createdDateFrom=21.08.2026",
        "voucherType=any&voucherStatus=any&archived=maybe",
        "voucherType=any&voucherStatus=any&page=40&size=250",
    ],
)
def test_lists_that_are_asked_for_wrongly_are_400(query):
    assert Api().get(f"/v1/voucherlist?{query}").status == 400


def test_the_mandatory_parameters_are_named():
    assert Api().get("/v1/voucherlist").value()["message"] == "Missing required request parameters"


def test_invoices_and_bookkeeping_entries_are_different_types():
    api = Api()
    made, booked = api.invoice(), api.voucher()
    assert [found["id"] for found in listed(api, "voucherType=invoice&voucherStatus=any")] == [made]
    assert [found["id"] for found in listed(api, "voucherType=salesinvoice&voucherStatus=any")] == [booked]
    both = listed(api, "voucherType=invoice,salesinvoice&voucherStatus=draft,open")
    assert {found["id"] for found in both} == {made, booked}


def test_open_includes_what_is_overdue_and_labels_it():
    api = Api()
    identifier = api.invoice(finalize=True)
    assert listed(api, "voucherType=any&voucherStatus=open")[0]["voucherStatus"] == "open"
    assert listed(api, "voucherType=any&voucherStatus=overdue") == []
    api.clock.advance(86_400 * 20)
    for status in ("open", "overdue", "any"):
        (found,) = listed(api, f"voucherType=any&voucherStatus={status}")
        assert found["voucherStatus"] == "overdue"
    assert api.get(f"/v1/invoices/{identifier}").value()["voucherStatus"] == "open"


def test_a_new_document_shows_up_only_when_the_index_has_caught_up():
    api = Api(index_lag=30)
    identifier = api.invoice()
    assert listed(api) == []
    assert api.get(f"/v1/invoices/{identifier}").status == 200
    api.clock.advance(29.9)
    assert listed(api) == []
    api.clock.advance(0.1)
    assert [found["id"] for found in listed(api)] == [identifier]


def test_rows_show_names_as_the_vendor_does():
    api = Api()
    human = api.post("/v1/contacts", person()).value()["id"]
    api.invoice(address={"contactId": human})
    api.invoice(address={"name": "Öl & Gas", "countryCode": "DE"})
    rows = listed(api, "voucherType=any&voucherStatus=any&sort=voucherDate,ASC")
    assert [(found["contactId"], found["contactName"]) for found in rows] == [
        (human, "Beispiel, Erika"),
        (None, "Öl & Gas"),
    ]
    assert [found["id"] for found in listed(api, f"voucherType=any&voucherStatus=any&contactId={human}")] == [
        rows[0]["id"]
    ]
    encoded = Api(assumptions=Assumptions(html_encoded_contact_name=True))
    encoded.invoice(address={"name": "Öl & Gas", "countryCode": "DE"})
    assert listed(encoded)[0]["contactName"] == "Öl &amp; Gas"


def test_dates_filter_whole_german_days_and_the_upper_bound_is_an_assumption():
    for inclusive in (True, False):
        api = Api(assumptions=Assumptions(dates_inclusive=inclusive))
        api.clock.advance(3600 * 11)
        api.voucher(voucherDate="2026-08-20")
        any_ = "voucherType=any&voucherStatus=any"
        assert len(listed(api, f"{any_}&createdDateFrom=2026-08-22")) == 1
        assert len(listed(api, f"{any_}&createdDateTo=2026-08-22")) == inclusive
        assert len(listed(api, f"{any_}&updatedDateTo=2026-08-21")) == 0
        assert len(listed(api, f"{any_}&voucherDateFrom=2026-08-20&voucherDateTo=2026-08-20")) == inclusive


def test_the_number_filter_is_ignored_unless_assumed_otherwise():
    query = "voucherType=any&voucherStatus=any&voucherNumber=other"
    for honoured in (False, True):
        api = Api(assumptions=Assumptions(voucher_number_filter=honoured))
        api.voucher()
        assert len(listed(api, query)) == (not honoured)


def test_the_youngest_document_comes_first():
    api = Api()
    old = api.voucher(voucherDate="2026-08-01")
    first, second = api.voucher(), None
    api.clock.advance(1)
    second = api.voucher()
    assert [found["id"] for found in listed(api)] == [second, first, old]
    assert [found["id"] for found in listed(api, "voucherType=any&voucherStatus=any&sort=voucherDate")] == [
        old,
        first,
        second,
    ]


def test_payments_follow_what_was_paid_in_the_web_app():
    api = Api()
    identifier = api.invoice(finalize=True)
    url = f"/v1/payments/{identifier}"
    before = api.get(url).value()
    assert (before["openAmount"], before["paymentStatus"], before["paymentItems"]) == (119, "openRevenue", [])
    api.box.pay(identifier, D("19.50"))
    assert api.get(url).value()["openAmount"] == D("99.5")
    assert listed(api)[0]["openAmount"] == D("99.5")
    api.box.pay(identifier, kind="cashDiscount")
    after = api.get(url).value()
    assert (after["openAmount"], after["paymentStatus"], after["voucherStatus"]) == (0, "balanced", "paid")
    assert [item["paymentItemType"] for item in after["paymentItems"]] == ["manualPayment", "cashDiscount"]
    assert listed(api, "voucherType=any&voucherStatus=paid")[0]["openAmount"] == 0


def test_a_draft_has_no_payments():
    api = Api()
    assert api.get(f"/v1/payments/{api.invoice()}").status == 406
    assert api.get("/v1/payments/unknown").status == 404


def test_a_person_deletes_a_voucher_with_its_files():
    api = Api()
    kept, gone = api.voucher(), api.voucher()
    file_id = api.upload(f"/v1/vouchers/{gone}/files", "invoice.pdf", PDF).value()["id"]
    api.box.delete_voucher(gone)
    assert [entry.id for entry in api.box.sales_entries] == [kept]
    assert api.get(f"/v1/vouchers/{gone}").status == 404
    assert api.get(f"/v1/files/{file_id}").status == 404
    listed = api.get("/v1/voucherlist?voucherType=salesinvoice&voucherStatus=any").value()["content"]
    assert [row["id"] for row in listed] == [kept]
    assert api.call("DELETE", f"/v1/vouchers/{kept}").status == 404  # not through the API


def test_a_voucher_that_is_closed_stays():
    api = Api()
    paid, voided = api.voucher(), api.voucher()
    api.box.pay(paid)
    api.box.void(voided)
    for identifier, status in ((paid, "paid"), (voided, "voided")):
        with pytest.raises(ValueError, match=f"a voucher that is {status}"):
            api.box.delete_voucher(identifier)
    assert [entry.id for entry in api.box.sales_entries] == [paid, voided]


def test_the_id_of_another_kind_is_told_as_such():
    api = Api()
    entry = api.voucher()
    with pytest.raises(LookupError, match=rf"^there is no invoice '{entry}': .*a voucher \(delete_voucher"):
        api.box.delete_draft(entry)
    with pytest.raises(LookupError, match="there is no voucher 'x'"):
        api.box.delete_voucher("x")
    assert [left.id for left in api.box.sales_entries] == [entry]
