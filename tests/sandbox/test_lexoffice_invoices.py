"""lexoffice: invoices, their arithmetic and their documents."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lexoffice_support import Api, company, fields, invoice, line, person

from accounting_bridge.sandbox.lexoffice import Assumptions, Organisation
from accounting_bridge.sandbox.lexoffice.totals import PricedLine, totals

D = Decimal


def refused(api=None, **changes):
    api = api or Api()
    reply = api.post("/v1/invoices", invoice(**changes))
    assert reply.status == 406, reply.body
    assert len(api.box.invoices) == 0
    return fields(reply)


def priced(price, quantity="1", rate="19", discount="0"):
    return PricedLine(price=D(price), quantity=D(quantity), tax_rate=D(rate), discount=D(discount))


@pytest.mark.parametrize(
    ("lines", "gross_prices", "net", "tax", "gross"),
    [
        ([priced("13.40", "2", "19", "50")], False, "13.40", "2.55", "15.95"),
        ([priced("8.32", rate="7")], False, "8.32", "0.58", "8.90"),
        ([priced("13.40", "2", "19", "50"), priced("8.32", rate="7"), priced("5", rate="0")], False,
         "26.72", "3.13", "29.85"),
        ([priced("120", "6")], True, "605.04", "114.96", "720"),
        ([priced("51.85")], True, "43.57", "8.28", "51.85"),
        ([priced("2500")], False, "2500", "475", "2975"),
        ([priced("0.125")], False, "0.13", "0.02", "0.15"),
        ([priced("-10"), priced("30")], False, "20", "3.80", "23.80"),
    ],
)  # fmt: skip
def test_totals_follow_the_vendors_samples(lines, gross_prices, net, tax, gross):
    found = totals(lines, gross_prices=gross_prices)
    assert (D(net), D(tax), D(gross)) == (found.net, found.tax, found.gross)


def test_tax_is_rounded_once_per_rate_not_per_line():
    found = totals([priced("0.05")] * 10, gross_prices=False)
    assert (found.net, found.tax) == (D("0.50"), D("0.10"))


def test_a_total_discount_enters_per_rate_or_per_line():
    lines = [priced("10.05"), priced("10.05"), priced("20", rate="7")]
    per_rate = totals(lines, gross_prices=False, discount_percent=D(10))
    per_line = totals(lines, gross_prices=False, discount_percent=D(10), discount_enters="per_line")
    assert [entry.net for entry in per_rate.by_rate] == [D("18.00"), D("18.09")]
    assert [entry.net for entry in per_line.by_rate] == [D("18.00"), D("18.10")]


@settings(deadline=None)
@given(
    lines=st.lists(
        st.builds(
            priced,
            st.decimals(-1000, 1000, places=4).map(str),
            st.decimals(0, 100, places=4).map(str),
            st.sampled_from(["0", "7", "19"]),
        ),
        max_size=12,
    ),
    gross_prices=st.booleans(),
    discount=st.decimals(0, 500, places=2),
)
def test_totals_always_add_up_to_the_cent(lines, gross_prices, discount):
    found = totals(lines, gross_prices=gross_prices, discount_amount=discount)
    assert found.net + found.tax == found.gross
    leading = found.gross if gross_prices else found.net
    whole = sum((entry.amount for entry in lines), D(0))
    by_rate = {entry.rate for entry in found.by_rate}
    assert by_rate == {entry.tax_rate for entry in lines}
    assert leading == (whole - discount if whole else whole)


def test_a_draft_is_numbered_but_not_final():
    api = Api()
    reply = api.post("/v1/invoices", invoice())
    assert (reply.status, reply.value()["version"]) == (201, 1)
    shown = api.get(f"/v1/invoices/{reply.value()['id']}").value()
    assert (shown["voucherStatus"], shown["voucherNumber"]) == ("draft", "RE0001")
    assert not {"dueDate", "printLayoutId", "files"} & set(shown)
    assert shown["totalPrice"] == {
        "currency": "EUR", "totalNetAmount": 100, "totalGrossAmount": 119, "totalTaxAmount": 19,
    }  # fmt: skip
    assert shown["taxAmounts"] == [{"taxRatePercentage": 19, "taxAmount": 19, "netAmount": 100}]


def test_a_finalised_invoice_is_open_and_due():
    api = Api()
    terms = {"paymentTermLabel": "10 Tage\nnetto", "paymentTermDuration": 10}
    identifier = api.invoice(finalize=True, paymentConditions=terms)
    shown = api.get(f"/v1/invoices/{identifier}").value()
    assert shown["voucherStatus"] == "open"
    assert shown["dueDate"] == "2026-08-31T00:00:00.000+02:00"
    assert shown["paymentConditions"]["paymentTermLabel"] == "10 Tage\nnetto"
    assert shown["files"]["documentFileId"]


def test_finalize_takes_only_the_word_true():
    api = Api()
    for value in ("false", "1", "TRUE", ""):
        assert api.post(f"/v1/invoices?finalize={value}", invoice()).status == 201
    assert {made.status for made in api.box.invoices} == {"draft"}


def test_read_only_fields_are_ignored():
    api = Api()
    identifier = api.invoice(
        id="x", version=9, voucherNumber="MY-1", voucherStatus="paid", dueDate=None, taxAmounts=[], colour="blue"
    )
    shown = api.get(f"/v1/invoices/{identifier}").value()
    assert (shown["id"], shown["voucherNumber"], shown["voucherStatus"]) == (identifier, "RE0001", "draft")


def test_texts_default_to_the_organisations_and_come_back_verbatim():
    api = Api(organisation=Organisation(remark="Danke!"))
    plain, marked = api.invoice(), api.invoice(remark="Zeile 1\nRef. 2026/4711 & <b>", title="Abrechnung")
    assert api.get(f"/v1/invoices/{plain}").value()["remark"] == "Danke!"
    assert api.get(f"/v1/invoices/{marked}").value()["remark"] == "Zeile 1\nRef. 2026/4711 & <b>"
    assert [made.title for made in api.box.invoices] == ["Rechnung", "Abrechnung"]


def test_what_is_required_is_named_all_at_once():
    names = ("voucherDate", "address", "lineItems", "totalPrice", "taxConditions", "shippingConditions")
    assert refused(**dict.fromkeys(names)) == {(name, "NOTNULL") for name in names}


@pytest.mark.parametrize(
    "text",
    [
        "2026-08-21",
        "2026-08-21T00:00:00Z",
        "2026-08-21T00:00:00+02:00",
        "2026-08-21T00:00:00.000",
        "2026-08-21T00:00:00.000+0200",
        "2026-08-21T00:00:00.000000+02:00",
        "2026-02-30T00:00:00.000+01:00",
        "0001-01-01T00:00:00.000+14:00",
    ],
)
def test_timestamps_have_one_form_only(text):
    assert refused(voucherDate=text) == {("voucherDate", "INVALID")}


def test_the_status_for_a_bad_timestamp_is_an_assumption():
    api = Api(assumptions=Assumptions(bad_timestamp_status=400))
    assert api.post("/v1/invoices", invoice(voucherDate="2026-08-21")).status == 400


@pytest.mark.parametrize("text", ["2026-08-21T00:00:00.000Z", "2026-08-20T20:00:00.000-04:00"])
def test_any_offset_is_taken(text):
    assert Api().invoice(voucherDate=text)


def shipping(kind, start=None, end=None):
    stamp = "{}T00:00:00.000+02:00"
    return {
        "shippingType": kind,
        "shippingDate": start and stamp.format(start),
        "shippingEndDate": end and stamp.format(end),
    }


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"shippingType": None}, ("shippingConditions.shippingType", "NOTNULL")),
        (shipping("express"), ("shippingConditions.shippingType", "INVALID")),
        (shipping("service"), ("shippingConditions.shippingDate", "NOTNULL")),
        (shipping("serviceperiod", "2026-08-01"), ("shippingConditions.shippingEndDate", "NOTNULL")),
        (shipping("deliveryperiod", "2026-08-02", "2026-08-01"), ("shippingConditions.shippingEndDate", "INVALID")),
    ],
)
def test_the_service_period_has_to_make_sense(conditions, expected):
    assert refused(shippingConditions=conditions) == {expected}


@pytest.mark.parametrize(
    "conditions",
    [shipping("none"), shipping("serviceperiod", "2026-08-01", "2026-08-01"), shipping("delivery", "2026-08-01")],
)
def test_each_kind_of_service_period_is_taken(conditions):
    assert Api().invoice(shippingConditions=conditions)


@pytest.mark.parametrize(
    ("day", "rate", "valid"),
    [
        ("2026-08-20", 19, True),
        ("2026-08-20", 7, True),
        ("2026-08-20", 16, False),
        ("2026-08-20", 20, False),
        ("2020-08-20", 16, True),
        ("2020-08-20", 5, True),
        ("2020-08-20", 19, False),
        ("2020-06-30", 19, True),
    ],
)
def test_tax_rates_are_those_of_the_day_of_supply(day, rate, valid):
    body = invoice(lineItems=[line(rate=rate)], shippingConditions=shipping("service", day))
    assert Api().post("/v1/invoices", body).status == (201 if valid else 406)


def test_the_end_of_a_period_decides_the_rate():
    api = Api()
    period = shipping("serviceperiod", "2020-06-01", "2020-07-31")
    assert fields(api.post("/v1/invoices", invoice(shippingConditions=period))) == {
        ("lineItems[0].unitPrice.taxRatePercentage", "INVALID")
    }


PRICE = "lineItems[0].unitPrice"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (line(type=None), ("lineItems[0].type", "NOTNULL")),
        (line(type="hours"), ("lineItems[0].type", "INVALID")),
        (line(name=""), ("lineItems[0].name", "NOTNULL")),
        (line(unitName=None), ("lineItems[0].unitName", "NOTNULL")),
        ({**line(), "quantity": None}, ("lineItems[0].quantity", "NOTNULL")),
        ({**line(), "quantity": "1"}, ("lineItems[0].quantity", "INVALID")),
        ({**line(), "quantity": D("1.00001")}, ("lineItems[0].quantity", "DIGITS")),
        (line(discountPercentage=D("1.005")), ("lineItems[0].discountPercentage", "DIGITS")),
        (line(discountPercentage=101), ("lineItems[0].discountPercentage", "INVALID")),
        (line(unitPrice=None), (PRICE, "NOTNULL")),
        (line(price="1.00001"), (f"{PRICE}.netAmount", "DIGITS")),
        (line(side="grossAmount"), (f"{PRICE}.netAmount", "NOTNULL")),
        (
            line(unitPrice={"currency": "USD", "netAmount": 1, "taxRatePercentage": 19}),
            (f"{PRICE}.currency", "INVALID"),
        ),
        (line(unitPrice={"currency": "EUR", "netAmount": 1}), (f"{PRICE}.taxRatePercentage", "NOTNULL")),
        ({"type": "text", "name": "", "description": None}, ("lineItems[0].name", "NOTEMPTY")),
    ],
)
def test_each_line_rule_refuses_with_its_own_detail(item, expected):
    assert refused(lineItems=[item]) == {expected}


def test_three_hundred_lines_are_the_most():
    assert Api().invoice(lineItems=[line()] * 300)
    assert refused(lineItems=[line()] * 301) == {("lineItems", "SIZE")}


def test_an_empty_invoice_can_be_drafted_but_not_finalised():
    api = Api()
    assert api.invoice(lineItems=[])
    assert api.post("/v1/invoices?finalize=true", invoice(lineItems=[])).status == 406


def test_text_lines_carry_words_only():
    api = Api()
    identifier = api.invoice(lineItems=[line(), {"type": "text", "description": "Projekt Nord"}])
    assert api.get(f"/v1/invoices/{identifier}").value()["lineItems"][1] == {
        "type": "text",
        "description": "Projekt Nord",
    }


def test_gross_prices_are_taken_when_the_tax_type_says_so():
    api = Api()
    items = [line("120", "6", side="grossAmount")]
    identifier = api.invoice(taxConditions={"taxType": "gross"}, lineItems=items)
    (made,) = api.box.invoices
    assert (made.net, made.tax, made.gross) == (D("605.04"), D("114.96"), D(720))
    shown = api.get(f"/v1/invoices/{identifier}").value()["lineItems"][0]
    assert shown["unitPrice"]["netAmount"] == D("100.84")
    assert refused(taxConditions={"taxType": "gross"}) == {(f"{PRICE}.grossAmount", "NOTNULL")}


def test_the_filled_in_side_of_a_price_has_the_assumed_decimals():
    for places, gross in ((2, D("15.95")), (4, D("15.946"))):
        api = Api(assumptions=Assumptions(unit_price_decimals=places))
        identifier = api.invoice(lineItems=[line("13.4")])
        shown = api.get(f"/v1/invoices/{identifier}").value()["lineItems"][0]
        assert shown["unitPrice"]["grossAmount"] == gross


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        ({"currency": None}, ("totalPrice.currency", "NOTNULL")),
        ({"currency": "CHF"}, ("totalPrice.currency", "INVALID")),
        ({"currency": "EUR", "totalDiscountPercentage": D("1.005")}, ("totalPrice.totalDiscountPercentage", "DIGITS")),
        (
            {"currency": "EUR", "totalDiscountPercentage": 5, "totalDiscountAbsolute": 5},
            ("totalPrice.totalDiscountAbsolute", "INVALID"),
        ),
    ],
)
def test_currency_and_discounts_are_checked(total, expected):
    assert refused(totalPrice=total) == {expected}


def test_a_total_discount_reduces_the_tax_base():
    api = Api()
    api.invoice(totalPrice={"currency": "EUR", "totalDiscountAbsolute": 10})
    api.invoice(totalPrice={"currency": "EUR", "totalDiscountPercentage": 10})
    assert [(made.net, made.gross) for made in api.box.invoices] == [(D(90), D("107.10"))] * 2


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"paymentTermDuration": 10}, ("paymentConditions.paymentTermLabel", "NOTNULL")),
        ({"paymentTermLabel": "sofort"}, ("paymentConditions.paymentTermDuration", "NOTNULL")),
        ({"paymentTermLabel": "x", "paymentTermDuration": "10"}, ("paymentConditions.paymentTermDuration", "INVALID")),
    ],
)
def test_terms_of_payment_need_label_and_duration(terms, expected):
    assert refused(paymentConditions=terms) == {expected}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({"countryCode": "DE"}, ("address.name", "NOTNULL")),
        ({"name": "X"}, ("address.countryCode", "NOTNULL")),
        ({"name": "X", "countryCode": "XX"}, ("address.countryCode", "INVALID")),
        ({"contactId": "unknown"}, ("address.contactId", "INVALID")),
    ],
)
def test_an_address_is_a_known_contact_or_complete(address, expected):
    assert refused(address=address) == {expected}


def test_a_contact_needs_exactly_one_billing_address():
    api = Api()
    none = api.contact(addresses={})
    two = api.box.add_contact(
        company={"name": "Zwei GmbH"}, addresses={"billing": [{"countryCode": "DE"}, {"countryCode": "DE"}]}
    )
    for identifier, count in ((none, 0), (two, 2)):
        reply = api.post("/v1/invoices", invoice(address={"contactId": identifier}))
        assert reply.status == 406
        assert f"exactly one billing address, but {count} addresses" in reply.value()["details"][0]["message"]
    printed = {"contactId": none, "name": "Andere Anschrift", "countryCode": "DE"}
    linked = api.invoice(address=printed)
    assert api.get(f"/v1/invoices/{linked}").value()["address"] == printed


def test_a_contact_has_to_be_a_customer():
    api = Api()
    vendor = api.contact(roles={"vendor": {}})
    assert refused(api, address={"contactId": vendor}) == {("address.contactId", "INVALID")}


def test_whether_an_archived_contact_may_be_invoiced_is_an_assumption():
    for allowed in (True, False):
        api = Api(assumptions=Assumptions(archived_contact_invoiceable=allowed))
        archived = api.box.add_contact(company(), archived=True)
        status = api.post("/v1/invoices", invoice(address={"contactId": archived})).status
        assert status == (201 if allowed else 406)


def test_the_contacts_address_is_printed():
    api = Api()
    identifier = api.invoice(address={"contactId": api.contact()})
    address = api.get(f"/v1/invoices/{identifier}").value()["address"]
    assert (address["name"], address["city"], address["countryCode"]) == ("Musterbau Süd GmbH", "Berlin", "DE")


TAX_FREE = [
    ("intraCommunitySupply", "NL", "DE"),
    ("externalService13b", "AT", "CH"),
    ("constructionService13b", "DE", "AT"),
    ("thirdPartyCountryService", "CH", "FR"),
    ("thirdPartyCountryDelivery", "US", "DE"),
    ("photovoltaicEquipment", "DE", "CH"),
]


@pytest.mark.parametrize(("tax_type", "right", "wrong"), TAX_FREE)
def test_tax_free_invoices_name_a_contact_of_the_right_country(tax_type, right, wrong):
    api = Api()
    free = {"taxConditions": {"taxType": tax_type}, "lineItems": [line(rate=0)]}
    assert refused(api, **free) == {("address.contactId", "INVALID")}
    elsewhere = api.post("/v1/contacts", company(country=wrong)).value()["id"]
    assert refused(api, **free, address={"contactId": elsewhere}) == {("taxConditions.taxType", "INVALID")}
    here = api.post("/v1/contacts", company(country=right)).value()["id"]
    taxed = {**free, "lineItems": [line(rate=19)], "address": {"contactId": here}}
    assert refused(api, **taxed) == {(f"{PRICE}.taxRatePercentage", "INVALID")}
    assert api.invoice(**free, address={"contactId": here})
    assert api.box.invoices[0].gross == 100


@pytest.mark.parametrize("tax_type", ["intraCommunitySupply", "externalService13b"])
def test_reverse_charge_is_for_companies(tax_type):
    api = Api(assumptions=Assumptions(vat_id_needed_for_eu_invoice=True))
    free = {"taxConditions": {"taxType": tax_type}, "lineItems": [line(rate=0)]}
    human = api.post("/v1/contacts", person("NL")).value()["id"]
    bare = api.post("/v1/contacts", company(country="NL")).value()["id"]
    known = api.post("/v1/contacts", company(country="NL", vatRegistrationId="NL123456789B01")).value()["id"]
    for identifier in (human, bare):
        assert ("taxConditions.taxType", "INVALID") in refused(api, **free, address={"contactId": identifier})
    assert api.invoice(**free, address={"contactId": known})


@pytest.mark.parametrize("tax_type", ["reverseCharge", 7, {}])
def test_an_unknown_tax_type_is_refused(tax_type):
    assert refused(taxConditions={"taxType": tax_type}) == {("taxConditions.taxType", "INVALID")}


@pytest.mark.parametrize("organisation", [Organisation(small_business=True), Organisation(tax_type="vatfree")])
def test_tax_exempt_organisations_make_tax_free_invoices_only(organisation):
    api = Api(organisation=organisation)
    assert ("taxConditions.taxType", "INVALID") in refused(api)
    assert api.invoice(taxConditions={"taxType": "vatfree"}, lineItems=[line(rate=0)])
    assert api.box.invoices[0].gross == 100


def test_an_unknown_language_or_layout_is_refused():
    assert refused(language="fr") == {("language", "INVALID")}
    assert refused(printLayoutId="unknown") == {("printLayoutId", "NOTNULL")}
    basic = Api(organisation=Organisation(business_features=("INVOICING",)))
    assert refused(basic, language="en") == {("language", "INVALID")}
    api = Api()
    layout = api.get("/v1/print-layouts").value()[1]["id"]
    identifier = api.invoice(language="en", printLayoutId=layout, finalize=True)
    assert api.get(f"/v1/invoices/{identifier}").value()["printLayoutId"] == layout


def test_the_file_of_a_draft_is_a_conflict_and_its_document_not_acceptable():
    api = Api()
    identifier = api.invoice()
    file = api.get(f"/v1/invoices/{identifier}/file", accept="*/*")
    assert file.status == 409
    assert "is in status 'draft' and therefore cannot be downloaded" in file.value()["message"]
    document = api.get(f"/v1/invoices/{identifier}/document")
    assert document.status == 406
    assert document.value()["message"] == "Requesting PDF document is not possible in state draft."


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/pdf", 200),
        ("application/json, application/pdf;q=0.9", 200),
        ("application/xml", 404),
        ("application/json", 406),
        ("image/png", 406),
    ],
)
def test_accept_selects_the_representation_of_a_plain_invoice(accept, status):
    api = Api()
    identifier = api.invoice(finalize=True)
    reply = api.get(f"/v1/invoices/{identifier}/file", accept=accept)
    assert reply.status == status
    if status == 200:
        assert reply.headers["content-disposition"] == "inline; filename=Rechnung_RE0001.pdf;"
        assert reply.body.startswith(b"%PDF-")


def test_the_deprecated_way_yields_the_same_bytes():
    api = Api()
    identifier = api.invoice(finalize=True)
    file_id = api.get(f"/v1/invoices/{identifier}/document").value()["documentFileId"]
    direct = api.get(f"/v1/invoices/{identifier}/file", accept="*/*")
    assert api.get(f"/v1/files/{file_id}", accept="*/*").body == direct.body


def test_a_public_buyer_gets_an_electronic_invoice():
    api = Api()
    electronic = {"buyerReference": "04011000-1234512345-35", "vendorNumberAtCustomer": "70123456"}
    buyer = {"contactId": api.contact(xRechnung=electronic)}
    identifier = api.invoice(finalize=True, address=buyer)
    assert api.get(f"/v1/invoices/{identifier}").value()["electronicDocumentProfile"] == "XRechnung"
    for accept, media_type in (("*/*", "application/xml"), ("application/pdf", "application/pdf")):
        assert api.get(f"/v1/invoices/{identifier}/file", accept=accept).headers["content-type"] == media_type
    gross = invoice(address=buyer, taxConditions={"taxType": "gross"}, lineItems=[line(side="grossAmount")])
    assert api.post("/v1/invoices", gross).status == 406
    plain = api.invoice(address=buyer, xRechnung={"buyerReference": ""})
    assert api.get(f"/v1/invoices/{plain}").value()["electronicDocumentProfile"] == "NONE"


def test_the_web_app_finalises_deletes_edits_and_voids():
    api = Api()
    kept, gone = api.invoice(remark="Ref. 1"), api.invoice(remark="Ref. 2")
    api.box.delete_draft(gone)
    api.box.edit_invoice(kept, remark="ohne Kennung")
    api.box.finalize_in_web_app(kept)
    assert [(made.status, made.remark) for made in api.box.invoices] == [("open", "ohne Kennung")]
    assert api.get(f"/v1/invoices/{gone}").status == 404
    assert api.get(f"/v1/invoices/{kept}/file", accept="*/*").status == 200
    with pytest.raises(ValueError, match="draft"):
        api.box.delete_draft(kept)
    with pytest.raises(ValueError, match="not a draft"):
        api.box.finalize_in_web_app(kept)
    api.box.void(kept)
    shown = api.get(f"/v1/invoices/{kept}").value()
    assert (shown["voucherStatus"], shown["version"]) == ("voided", 4)
