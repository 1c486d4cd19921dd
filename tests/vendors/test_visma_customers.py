"""Customers: read page by page, found exactly, created with everything checked, and never losing a field."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from _visma import (
    BOOKS,
    COUNTRIES,
    CUSTOMER_ID,
    FOURTEEN,
    TERMS,
    THIRTY,
    answer,
    connected,
    customer,
    json_of,
    listing,
    params,
    play,
    refusal,
    sent,
    visma,
)  # fmt: skip
from attrs import evolve

from accounting_bridge import (
    Address,
    Conflict,
    Contact,
    Customer,
    DuplicateFound,
    InvalidRequest,
    MalformedResponse,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    Unavailable,
)
from accounting_bridge.sandbox.visma import Assumptions
from accounting_bridge.vendors.visma import calls, customers, wire
from accounting_bridge.wire import loads

SINCE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REFUSED = refusal(400, 2000, "ODataException - Not filterable.")
NEW = Customer(
    number="TIQS-7", name="Voorbeeld & Zoon BV", email="info@voorbeeld.example", phone="020 5550100",
    website="https://voorbeeld.example", vat_number="NL 1234.56789.B01", registration_number="12345678",
    iban="nl02 abna 0123 4567 89", bic="ABNANL2A", payment_terms_days=14, currency="EUR", language="nl",
    address=Address(street="Straat", house_number="1a", addition="Hal 2", postal_code="1000 AA", city="Amsterdam",
                    country_code="NL"),
    contacts=[Contact(first_name="Jan", last_name="Bos", email="jan@voorbeeld.example", phone="06 5550100")],
)  # fmt: skip


# ---- literals ----------------------------------------------------------------------------------------------


def test_no_text_ends_its_literal():
    assert "'O''Brien'' or 1 eq 1 or ''a'" == calls.text_literal("O'Brien' or 1 eq 1 or 'a")
    with pytest.raises(InvalidRequest):
        calls.text_literal("a\nb")


@pytest.mark.parametrize("value", ["1 or 1 eq 1", "", None, CUSTOMER_ID + "'", CUSTOMER_ID + "\n"])
def test_what_is_no_guid_is_no_literal(value):
    with pytest.raises(InvalidRequest):
        calls.guid_literal(value)


def test_an_instant_is_written_in_utc_and_never_later_than_it_is():
    moment = datetime.fromisoformat("2026-03-01T12:00:00.999+02:00")
    assert "2026-03-01T10:00:00Z" == calls.instant_literal(moment)
    assert "0001-01-01T00:00:00Z" == calls.instant_literal(datetime.min.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("given", "expected"), [("0.25", "25"), ("25.0", "25"), ("0.21", "21"), ("0", "0"), ("1", "1"), ("0.055", "5.5")]
)
def test_a_rate_is_a_fraction_below_one_and_percent_above(given, expected):
    assert Decimal(expected) == wire.percent(Decimal(given))


@pytest.mark.parametrize(
    "text", ["2026-03-01T08:00:00Z", "2026-03-01T08:00:00.1234567Z", "2026-03-01T08:00:00", "2026-03-01T09:00:00+01:00"]
)
def test_a_stamp_is_utc_unless_it_says_otherwise(text):
    assert datetime(2026, 3, 1, 8, tzinfo=UTC) == wire.instant(text).replace(microsecond=0)


# ---- reading -----------------------------------------------------------------------------------------------


def test_a_customer_is_read_with_what_a_model_has_a_place_for():
    shown = customer(
        VatNumber="NL123456789B01", CorporateIdentityNumber="12345678", Telephone="020", WwwAddress="https://v.example",
        ContactPersonName="Jan Bos", ContactPersonMobile="06", SalesDocumentLanguage="NL", Iban="NL02ABNA0123456789",
        Note="Belt liever.\nBIC: ABNANL2A\n", InvoiceAddress2="Hal 2",
    )  # fmt: skip
    found = play(BOOKS.get_customer(CUSTOMER_ID.upper()), [answer(shown), TERMS]).result
    assert (
        Customer(
            id=CUSTOMER_ID,
            number="1001",
            name="Voorbeeld BV",
            email="info@voorbeeld.example",
            phone="020",
            website="https://v.example",
            vat_number="NL123456789B01",
            registration_number="12345678",
            iban="NL02ABNA0123456789",
            bic="ABNANL2A",
            payment_terms_days=30,
            currency="EUR",
            language="nl",
            updated_at=datetime(2026, 3, 1, 8, tzinfo=UTC),
            contacts=[Contact(last_name="Jan Bos", phone="06")],
            address=Address(
                street="Straat 1", addition="Hal 2", postal_code="1000 AA", city="Amsterdam", country_code="NL"
            ),
        )
        == found
    )


def test_a_bare_customer_is_read_as_well():
    bare = {"Id": CUSTOMER_ID, "Name": "Jan Bos", "IsPrivatePerson": True, "InvoiceCity": "", "IsActive": None}
    found = play(BOOKS.get_customer(CUSTOMER_ID), [answer(bare), TERMS]).result
    assert Customer(id=CUSTOMER_ID, name="Jan Bos", is_person=True) == found


@pytest.mark.parametrize("customer_id", ["42", "../articles", ""])
def test_an_id_of_another_vendor_is_not_asked_for(customer_id):
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.get_customer(customer_id))
    assert ["customer.id"] == [problem.field for problem in caught.value.problems]


def test_an_import_asks_page_by_page_in_a_stable_order():
    first = play(BOOKS.list_customers(None, None), [listing(customer(), pages=2, total=2), TERMS])
    page = play(BOOKS.list_customers(first.result.cursor, None), [listing(page=2, pages=2, total=2), TERMS])
    asked = [first.requests[0], page.requests[0]]
    assert ["1", "2"] == params(asked, "$page")
    assert ["CustomerNumber"] * 2 == params(asked, "$orderby")
    assert [None, None] == params(asked, "$filter")
    assert page.result.cursor is None


@pytest.mark.parametrize("pages", [0, 1])
def test_an_empty_list_has_no_or_one_page(pages):
    page = play(BOOKS.list_customers(None, None), [listing(pages=pages), TERMS]).result
    assert ((), None, False) == (tuple(page.items), page.cursor, page.lost)


def test_one_odd_customer_does_not_hide_the_others():
    odd = customer(Id=CUSTOMER_ID[:-1] + "2", Name=None)
    page = play(BOOKS.list_customers(None, None), [listing(odd, customer(), "what"), TERMS]).result
    assert [CUSTOMER_ID] == [found.id for found in page.items]
    assert {odd["Id"], None} == {drift.record for drift in page.skipped}


def test_what_a_deletion_moves_onto_an_earlier_page_is_not_missed():
    ids = [f"{CUSTOMER_ID[:-1]}{digit}" for digit in range(4)]
    one, two, three, four = (customer(Id=key) for key in ids)
    first = play(BOOKS.list_customers(None, None), [listing(one, two, pages=2, total=4), TERMS]).result
    # Customer one is deleted: three slides onto the first page.
    answers = [listing(four, page=2, pages=2, total=3), listing(two, three, page=1, pages=2, total=3), TERMS]
    second = play(BOOKS.list_customers(first.cursor, None), answers).result
    assert set(ids) == {found.id for found in (*first.items, *second.items)}


def test_an_import_of_changes_uses_the_vendors_filter():
    played = play(BOOKS.list_customers(None, SINCE), [listing(customer(ChangedUtc="2026-03-02T00:00:00Z")), TERMS])
    assert ["ChangedUtc ge 2026-03-01T12:00:00Z"] == params(played.requests[:1], "$filter")
    assert 1 == len(played.result.items)


def test_where_the_filter_is_refused_all_are_read_and_the_unchanged_left_out():
    old, new = customer(), customer(Id=CUSTOMER_ID[:-1] + "2", ChangedUtc="2026-03-01T12:00:00.5Z")
    unknown = customer(Id=CUSTOMER_ID[:-1] + "3", ChangedUtc=None)
    first = play(BOOKS.list_customers(None, SINCE), [REFUSED, listing(old, new, unknown, pages=2, total=4), TERMS])
    assert [new["Id"], unknown["Id"]] == [found.id for found in first.result.items]
    second = play(BOOKS.list_customers(first.result.cursor, SINCE), [listing(old, page=2, pages=2, total=4), TERMS])
    assert [None] == params(second.requests[:1], "$filter")
    assert [] == list(second.result.items)


def test_where_the_order_is_refused_it_is_left_to_the_vendor():
    first = play(BOOKS.list_customers(None, None), [REFUSED, listing(customer(), pages=2, total=2), TERMS])
    second = play(BOOKS.list_customers(first.result.cursor, None), [listing(page=2, pages=2, total=2), TERMS])
    assert [None] == params(second.requests[:1], "$orderby")


def test_an_import_that_is_refused_in_the_middle_says_so():
    cursor = play(BOOKS.list_customers(None, None), [listing(customer(), pages=2, total=2), TERMS]).result.cursor
    with pytest.raises(InvalidRequest):
        play(BOOKS.list_customers(cursor, None), [REFUSED])


@pytest.mark.parametrize("body", [[], {"Meta": {}, "Data": []}, {"Meta": None, "Data": []}, {"Data": [customer()]}])
def test_what_is_no_list_is_not_taken_for_an_empty_one(body):
    with pytest.raises(MalformedResponse):
        play(BOOKS.list_customers(None, None), [answer(body)])


def test_a_page_other_than_the_one_asked_for_is_not_taken_for_it():
    cursor = play(BOOKS.list_customers(None, None), [listing(customer(), pages=2, total=2), TERMS]).result.cursor
    with pytest.raises(MalformedResponse):
        play(BOOKS.list_customers(cursor, None), [listing(customer(), page=1, pages=2, total=2)])


# ---- finding -----------------------------------------------------------------------------------------------


def test_a_number_is_found_exactly_although_a_filter_may_disregard_case():
    alike = [customer(Id=CUSTOMER_ID[:-1] + "2", CustomerNumber="o'brien"), customer(CustomerNumber="O'Brien")]
    played = play(BOOKS.find_customer("O'Brien"), [listing(*alike), TERMS])
    assert CUSTOMER_ID == played.result.id
    assert ["CustomerNumber eq 'O''Brien'"] == params(played.requests[:1], "$filter")


def test_a_number_that_is_not_there_is_none():
    assert play(BOOKS.find_customer("1002"), [listing(pages=0), listing(pages=0)]).result is None


def test_a_filter_that_finds_nothing_counts_once_it_is_seen_to_find_what_is_there():
    async def twice():
        return [await BOOKS.find_customer("1002"), await BOOKS.find_customer("1003")]

    nameless = customer(Id=CUSTOMER_ID[:-1] + "9", CustomerNumber=None)
    there = customer(CustomerNumber="O'Brien")
    played = play(twice(), [listing(pages=0), listing(nameless, there, total=7), listing(there), listing(pages=0)])
    assert [None, None] == played.result
    assert [
        "CustomerNumber eq '1002'", None, "CustomerNumber eq 'O''Brien'", "CustomerNumber eq '1003'",
    ] == params(played.requests, "$filter")  # fmt: skip


@pytest.mark.parametrize(
    "proof",
    [
        [listing(customer(CustomerNumber=None))],
        [listing(customer(CustomerNumber="7")), listing(pages=0)],
        [listing(customer(CustomerNumber="7")), listing(customer(CustomerNumber="8"))],
        [listing(customer(CustomerNumber="7")), REFUSED],
        [listing(total=5)],
    ],
)
def test_a_filter_that_is_not_seen_to_find_what_is_there_is_not_believed(proof):
    answers = [listing(pages=0), *proof, listing(customer()), TERMS]
    played = play(BOOKS.find_customer("1001"), answers)
    assert CUSTOMER_ID == played.result.id
    assert [None, "1000"] == [params(played.requests[-2:-1], name)[0] for name in ("$filter", "$pagesize")]


def test_what_no_number_holds_is_refused_by_the_model_s_name():
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.find_customer("1\n2"))
    assert ["number"] == [problem.field for problem in caught.value.problems]


def test_a_number_that_fits_no_customer_needs_no_request():
    assert play(BOOKS.find_customer("1" * 17)).result is None


def test_where_the_filter_is_refused_every_customer_is_compared():
    answers = [
        REFUSED,
        listing(customer(Id=CUSTOMER_ID[:-1] + "9", CustomerNumber="7"), pages=2, total=2),
        listing(customer(), page=2, pages=2, total=2),
    ]
    played = play(BOOKS.find_customer("1001"), [*answers, TERMS])
    assert CUSTOMER_ID == played.result.id
    assert [None, None] == params(played.requests[1:3], "$filter")


def test_two_with_the_same_number_are_never_guessed_between():
    with pytest.raises(DuplicateFound) as caught:
        play(BOOKS.find_customer("1001"), [listing(customer(), customer(Id=CUSTOMER_ID[:-1] + "2"))])
    assert 2 == len(caught.value.ids)


def test_a_look_that_lost_a_page_proves_nothing():
    with pytest.raises(MalformedResponse):
        play(BOOKS.find_customer("1002"), [listing(pages=2, total=1001)])


def test_a_look_begins_anew_when_records_vanish_meanwhile():
    other = customer(Id=CUSTOMER_ID[:-1] + "9", CustomerNumber="7")
    answers = [
        listing(other, pages=2, total=1001),
        listing(page=2, pages=1, total=1000),
        listing(other, customer()),
        TERMS,
    ]
    assert CUSTOMER_ID == play(BOOKS.find_customer("1001"), answers).result.id


def test_a_look_that_was_shown_a_record_twice_and_another_not_at_all_begins_anew():
    one, two = (customer(Id=CUSTOMER_ID[:-1] + key, CustomerNumber=key) for key in "78")
    shifted = [listing(one, two, pages=2, total=4), listing(two, one, page=2, pages=2, total=4)]
    rest = customer(Id=CUSTOMER_ID[:-1] + "9", CustomerNumber="9")
    whole = [listing(one, two, pages=2, total=4), listing(rest, customer(), page=2, pages=2, total=4)]
    assert CUSTOMER_ID == play(BOOKS.find_customer("1001"), [*shifted, *whole, TERMS]).result.id
    with pytest.raises(MalformedResponse, match="keeps changing"):
        play(BOOKS.find_customer("1001"), shifted * 3)


# ---- what an answer says after a write ---------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{%s}", "%s"])
def test_an_id_in_capitals_or_braces_is_the_same_one(form):
    made = customer(Id=form % CUSTOMER_ID.upper())
    assert CUSTOMER_ID == play(BOOKS.create_customer(NEW), [COUNTRIES, TERMS, answer(made, 201)]).result.id


@pytest.mark.parametrize("odd", ["1001", None, 7, "", f"{{{CUSTOMER_ID}"])
def test_an_answer_to_a_write_without_an_id_is_unreadable_and_no_refusal(odd):
    with pytest.raises(MalformedResponse):
        play(BOOKS.create_customer(NEW), [COUNTRIES, TERMS, answer(customer(Id=odd), 201)])


@pytest.mark.parametrize("failed", [Unavailable("busy"), PermissionDenied("no")])
def test_what_fails_after_a_customer_was_made_is_unclear_and_never_nothing(failed):
    """The terms of payment are read for the answer where the connection has not read them lately."""
    flow = customers._written(calls.post("/customers", body=b"{}"))
    with pytest.raises(OutcomeUnknown):
        play(flow, [answer(customer(), 201), failed])


# ---- creating ----------------------------------------------------------------------------------------------


def test_a_new_customer_is_sent_with_everything_that_there_is_a_field_for():
    made = customer(CustomerNumber="TIQS-7", TermsOfPaymentId=FOURTEEN)
    played = play(BOOKS.create_customer(NEW), [COUNTRIES, TERMS, answer(made, 201)])
    (request,) = [one for one in played.requests if one.method == "POST"]
    assert ("/v2/customers", False) == (request.path, request.repeatable)
    assert {
        "CustomerNumber": "TIQS-7", "Name": "Voorbeeld & Zoon BV", "IsPrivatePerson": False, "IsActive": True,
        "EmailAddress": "info@voorbeeld.example", "Telephone": "020 5550100", "WwwAddress": "https://voorbeeld.example",
        "VatNumber": "NL123456789B01", "CorporateIdentityNumber": "12345678", "Iban": "NL02ABNA0123456789",
        "Note": "BIC: ABNANL2A", "TermsOfPaymentId": FOURTEEN, "CurrencyCode": "EUR", "SalesDocumentLanguage": "nl",
        "InvoiceAddress1": "Straat 1a", "InvoiceAddress2": "Hal 2", "InvoicePostalCode": "1000 AA",
        "InvoiceCity": "Amsterdam", "InvoiceCountryCode": "NL", "ContactPersonName": "Jan Bos",
        "ContactPersonEmail": "jan@voorbeeld.example", "ContactPersonPhone": "06 5550100",
    } == sent(request)  # fmt: skip


def test_the_mandatory_fields_are_sent_also_when_empty():
    played = play(
        BOOKS.create_customer(Customer(number="7", name="Jan Bos", is_person=True)), [TERMS, answer(customer())]
    )
    assert {
        "CustomerNumber": "7", "Name": "Jan Bos", "IsPrivatePerson": True, "IsActive": True, "InvoiceCity": "",
        "InvoicePostalCode": "", "TermsOfPaymentId": THIRTY,
    } == sent(played.requests[-1])  # fmt: skip


def test_everything_wrong_with_a_customer_is_named_at_once_and_nothing_sent():
    wrong = evolve(
        NEW, number="1" * 17, name="x" * 51, registration_number="1" * 21, vat_number="12", phone="1" * 51,
        language="nld", payment_terms_days=13, contacts=[*NEW.contacts, *NEW.contacts],
        address=Address(street="x" * 51, addition="x" * 51, postal_code="1" * 11, city="x" * 51, country_code="ZZ"),
    )  # fmt: skip
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.create_customer(wrong), [COUNTRIES, TERMS])
    named = {problem.field: problem.message for problem in caught.value.problems}
    assert {
        "number", "name", "registration_number", "vat_number", "phone", "language", "payment_terms_days", "contacts",
        "address.street", "address.addition", "address.postal_code", "address.city", "address.country_code",
    } == set(named)  # fmt: skip
    assert "there are: 14, 30" in named["payment_terms_days"]


def test_terms_that_come_from_the_settings_are_named_as_such():
    with pytest.raises(InvalidRequest, match="the setting payment_terms_days"):
        play(visma(payment_terms_days=60).create_customer(Customer(number="7", name="Bos")), [TERMS])


def test_a_vat_number_needs_its_country():
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.create_customer(evolve(NEW, address=None)), [TERMS])
    assert ["address.country_code"] == [problem.field for problem in caught.value.problems]


def test_a_customer_without_a_number_is_not_created():
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.create_customer(Customer(name="Bos")), [TERMS])
    assert ["number"] == [problem.field for problem in caught.value.problems]


def test_the_vendors_refusal_speaks_of_the_models_fields():
    errors = [
        {"Field": "VatNumber", "ErrorCode": "2000", "Message": "VatNumber is not valid according to VIES", "Key": None},
        {"Field": "InvoiceCity", "ErrorCode": "2000", "Message": "Required.", "Key": None},
        {"Field": "Other", "ErrorCode": "2000", "Message": "Odd.", "Key": None},
    ]
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.create_customer(NEW), [COUNTRIES, TERMS, refusal(400, 2000, errors=errors, method="POST")])
    assert ["vat_number", "address.city", "Other"] == [problem.field for problem in caught.value.problems]
    assert "VIES" in caught.value.problems[0].message
    assert "e-1" == caught.value.request_id


# ---- updating ----------------------------------------------------------------------------------------------

RAW = b"""{"Id": "%s", "CustomerNumber": "1001", "Name": "Voorbeeld BV", "IsPrivatePerson": false, "IsActive": true,
 "InvoiceCity": "Amsterdam", "InvoicePostalCode": "1000 AA", "TermsOfPaymentId": "%s", "DiscountPercentage": 0.125,
 "WebshopCustomerNumber": 12345678901234567890, "Note": "Belt liever", "SomethingNew": {"Deep": [1.25, null]},
 "TermsOfPayment": {"Id": "%s"}, "ChangedUtc": "2026-03-01T08:00:00Z", "UnpaidInvoicesAmount": 12.50,
 "Iban": null, "DirectDebitCustomerSettings": null}""" % (CUSTOMER_ID.encode(), THIRTY.encode(), THIRTY.encode())


def updated(**changes):
    played = play(
        BOOKS.update_customer(Customer(id=CUSTOMER_ID, **{"name": "Voorbeeld BV", **changes})),
        [answer(RAW), TERMS, answer(customer())],
    )
    (request,) = [one for one in played.requests if one.method == "PUT"]
    return json_of(request)


def test_an_update_writes_the_whole_record_back_digit_by_digit():
    assert {
        "CustomerNumber": "1001", "Name": "Voorbeeld BV", "IsPrivatePerson": False, "IsActive": True,
        "InvoiceCity": "Amsterdam", "InvoicePostalCode": "1000 AA", "TermsOfPaymentId": THIRTY,
        "DiscountPercentage": "0.125", "WebshopCustomerNumber": "12345678901234567890", "Note": "Belt liever",
        "SomethingNew": {"Deep": ["1.25", None]}, "Iban": None, "Telephone": "020",
    } == updated(phone="020")  # fmt: skip


def test_a_bic_is_kept_in_the_note_beside_what_stands_there():
    assert "Belt liever\nBIC: ABNANL2A" == updated(bic="ABNANL2A")["Note"]


def test_other_terms_of_payment_are_found_by_their_days():
    assert FOURTEEN == updated(payment_terms_days=14)["TermsOfPaymentId"]


def test_a_customer_is_switched_off_and_never_on():
    assert updated(active=False)["IsActive"] is False
    off = answer(customer(IsActive=False))
    assert ["GET", "GET"] == [
        one.method
        for one in play(BOOKS.update_customer(Customer(id=CUSTOMER_ID, name="Voorbeeld BV")), [off, TERMS]).requests
    ]


def test_what_comes_from_an_import_changes_nothing():
    shown = answer(customer(Note="BIC: ABNANL2A", MobilePhone="06", ContactPersonName="Jan Bos", VatNumber="NL.1"))
    imported = play(BOOKS.get_customer(CUSTOMER_ID), [shown, TERMS]).result
    played = play(BOOKS.update_customer(imported), [shown, TERMS])
    assert ["GET", "GET"] == [one.method for one in played.requests]


def test_what_stands_in_the_books_already_is_not_complained_about():
    crooked = answer(customer(Name="x" * 60, VatNumber="odd"))
    played = play(
        BOOKS.update_customer(Customer(id=CUSTOMER_ID, name="x" * 60, phone="020")),
        [crooked, TERMS, answer(customer())],
    )
    assert ("odd", "020") == (sent(played.requests[-1])["VatNumber"], sent(played.requests[-1])["Telephone"])


def test_a_company_does_not_become_a_person_unseen():
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.update_customer(Customer(id=CUSTOMER_ID, name="x" * 51, is_person=True)), [answer(RAW), TERMS])
    assert {"is_person", "name"} == {problem.field for problem in caught.value.problems}


def test_an_unclear_update_stays_unclear():
    with pytest.raises(OutcomeUnknown):
        play(
            BOOKS.update_customer(Customer(id=CUSTOMER_ID, name="Voorbeeld BV", phone="1")),
            [answer(RAW), TERMS, OutcomeUnknown("broke off")],
        )


# ---- master data -------------------------------------------------------------------------------------------


def test_terms_that_do_not_count_from_the_invoices_date_have_no_days():
    found = play(BOOKS.payment_terms(), [TERMS]).result
    assert [(THIRTY, 30), (FOURTEEN, 14)] == [(one.id, one.days) for one in found if one.days is not None]
    assert 3 == len(found)


def test_rates_and_articles_are_in_percent_however_the_vendor_writes_them():
    codings = listing(
        {"Id": "c1", "Name": "Hoog", "VatRatePercent": Decimal("0.21"), "IsActive": True, "VatRate": "NL21"},
        {"Id": "c2", "Name": "Laag", "VatRatePercent": 9, "IsActive": True, "VatRate": "NL9"},
        {"Id": "c3", "Name": "Oud", "VatRatePercent": 19, "IsActive": False},
    )
    rates = play(BOOKS.tax_rates(), [codings]).result
    assert [(Decimal(9), "NL9"), (Decimal(21), "NL21")] == [(one.rate, one.name) for one in rates]
    hours = {"Id": CUSTOMER_ID, "CodingId": "C1", "Number": "1", "Name": "Uren", "NetPrice": Decimal("85.50")}
    (article,) = play(BOOKS.list_articles(None), [codings, listing(hours)]).result.items
    assert (Decimal(21), Decimal("85.50"), True) == (article.tax_rate, article.unit_price, article.active)


def test_one_odd_article_does_not_hide_the_others():
    good, odd = {"Id": CUSTOMER_ID, "CodingId": "C1", "Name": "Uren"}, {"Id": CUSTOMER_ID[:-1] + "2", "Name": "Uren"}
    page = play(BOOKS.list_articles(None), [listing(), listing(odd, "what", good)]).result
    assert [CUSTOMER_ID] == [article.id for article in page.items]
    assert {odd["Id"], None} == {drift.record for drift in page.skipped}


def test_check_says_what_the_app_should_know():
    body = {
        "Name": "Urenwerk BV",
        "CountryCode": "NL",
        "CurrencyCode": "EUR",
        "CompanyIdentifier": "c-1",
        "ProductVariant": 2,
        "CompanyStatus": 2,
        "AccountingLockedTo": "2025-12-31T00:00:00",
        "DomesticCurrencyRounding": 1,
    }
    found = play(BOOKS.check(), [answer(body)]).result
    assert ("Urenwerk BV", "EUR", "c-1") == (found.company, found.currency, found.account_id)
    told = " ".join(found.notes)
    for word in ("read-only", "Invoicing", "2025-12-31", "rounds"):
        assert word in told


@pytest.mark.parametrize("body", [{}, {"brandNew": {"Name": "Urenwerk BV"}}, {"Name": "Urenwerk BV"}])
def test_what_is_no_company_is_not_taken_for_one(body):
    """Its country decides every rate."""
    with pytest.raises(MalformedResponse, match="CountryCode"):
        play(BOOKS.check(), [answer(body)])


# ---- against the sandbox -----------------------------------------------------------------------------------


def test_an_import_of_several_pages_brings_every_customer_once():
    with connected(customers=1203) as (_, provider):
        run = provider.import_customers()
        found = [one.id for one in run]
        assert (1203, 1203, True, ()) == (len(found), len(set(found)), run.complete, run.skipped)


@pytest.mark.parametrize(
    "assumptions",
    [
        Assumptions(),
        Assumptions(refused_filters=frozenset({"customers.CustomerNumber", "customers.ChangedUtc"})),
        Assumptions(filter_ignores_case=False, pages_when_empty=1),
    ],
)
def test_a_customer_is_made_once_found_again_and_changed_without_losing_anything(assumptions):
    with connected(customers=5, assumptions=assumptions) as (server, provider):
        before = datetime.now(UTC)
        made = provider.ensure_customer(evolve(NEW, number="O'Brien 7"))
        assert (True, "O'Brien 7") == (made.created, made.customer.number)
        assert made.customer == provider.find_customer("O'Brien 7")
        assert provider.find_customer("o'brien 7") is None
        server.sandbox.edit_customer(made.customer.id, DiscountPercentage=Decimal("0.125"), ElectronicReference="E-1")
        changed = provider.update_customer(evolve(made.customer, phone="030 5550100"))
        raw = loads(provider.request("GET", f"/v2/customers/{made.customer.id}"))
        assert ("030 5550100", Decimal("0.125"), "E-1") == (
            changed.phone, raw["DiscountPercentage"], raw["ElectronicReference"],
        )  # fmt: skip
        assert [changed] == list(provider.import_customers(changed_since=before))
        assert 6 == len(server.sandbox.customers)


def test_a_vat_number_that_vies_does_not_know_is_named():
    with connected(customers=1) as (server, provider):
        server.sandbox.refuse_vat_number("NL999999999B99")
        with pytest.raises(InvalidRequest) as caught:
            provider.ensure_customer(evolve(NEW, vat_number="NL999999999B99"))
        assert ["vat_number"] == [problem.field for problem in caught.value.problems]
        assert 1 == len(server.sandbox.customers)


def test_a_number_that_differs_in_case_only_is_a_conflict():
    with connected(customers=0) as (_, provider):
        provider.ensure_customer(evolve(NEW, number="abc"))
        with pytest.raises(Conflict):
            provider.ensure_customer(evolve(NEW, number="ABC"))


def test_a_customer_that_is_not_there_is_not_found():
    with connected(customers=0) as (_, provider), pytest.raises(NotFound):
        provider.ensure_customer(Customer(id=CUSTOMER_ID, name="Voorbeeld BV"))
