"""Customers of lexoffice: reading, finding, writing."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from _lexoffice import ACME, OTHER, acme, contact, documented, lexoffice, listing, plain
from _play import answer, play, sent
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting_bridge.errors import (
    Conflict,
    DuplicateFound,
    InvalidRequest,
    MalformedResponse,
    NotFound,
    OutcomeUnknown,
    Unavailable,
    Unsupported,
)
from accounting_bridge.flow import Response
from accounting_bridge.models import Address, Contact, Customer
from accounting_bridge.vendors.lexoffice import contacts, wire
from accounting_bridge.wire import decode, dumps


def fields_of(error: pytest.ExceptionInfo[InvalidRequest]) -> list[str]:
    return [problem.field for problem in error.value.problems]


# ---- reading ---------------------------------------------------------------------------------------------------


def test_every_field_of_the_documented_company_is_mapped():
    expected = Customer(
        id="be9475f4-ef80-442b-8ab9-3ab8b1a2aeb9",
        number="10307",
        name="Testfirma",
        address=Address(
            street="Hauptstr. 5",
            addition="Rechnungsadressenzusatz",
            postal_code="12345",
            city="Musterort",
            country_code="DE",
        ),
        email="business@lexware.de",
        phone="08000/1231",
        vat_number="DE123456789",
        registration_number="12345/12345",
        contacts=(
            Contact(
                first_name="Max", last_name="Mustermann", email="contactpersonmail@lexware.de", phone="08000/11111"
            ),
        ),
    )
    response = documented("documented_contact_company_full")
    assert expected == play(lexoffice().get_customer("be9475f4-ef80-442b-8ab9-3ab8b1a2aeb9"), [response]).result


def test_the_documented_page_of_persons_is_read_archived_ones_as_inactive():
    sample = documented("documented_contacts_page")
    page = play(lexoffice().list_customers(None, None), [sample]).result
    assert [("Inge Musterfrau", True), ("Max Mustermann", False)] == [(one.name, one.active) for one in page.items]
    assert [True, True] == [one.is_person for one in page.items]
    assert (None, ()) == (page.cursor, tuple(page.skipped))


def test_a_page_is_asked_for_with_the_largest_documented_size_and_customers_only():
    played = play(lexoffice().list_customers("3:1000", None), [listing([], total=1000)])
    assert (("page", "3"), ("size", "250"), ("customer", "true")) == played.requests[0].params


@pytest.mark.parametrize(
    ("odd", "problem"),
    [
        (contact(OTHER, name=None), "$.company.name"),
        (contact(OTHER, archived="no"), "$.archived"),
        (contact(OTHER, roles={"customer": {"number": "abc"}}), "number"),
        (contact(OTHER, addresses={"billing": "none"}), "billing"),
        (contact(OTHER, addresses={"billing": [{"countryCode": "Germany"}]}), "country_code"),
        (contact(OTHER, name=""), "name"),
        (None, "$"),
        ("a text", "$"),
    ],
)
def test_one_odd_record_is_reported_and_the_others_arrive(odd, problem):
    page = play(lexoffice().list_customers(None, None), [listing([contact(), odd, contact(ACME, 10002)])]).result
    assert ["10001", "10002"] == [one.number for one in page.items]
    (drift,) = page.skipped
    assert problem in " ".join(drift.problems)


def test_null_lists_and_unknown_fields_inside_a_record_are_no_oddity():
    record = contact(addresses={"billing": None}, emailAddresses={"business": None}, somethingNew={"a": 1}, person=None)
    page = play(lexoffice().list_customers(None, None), [listing([record])]).result
    assert (1, ()) == (len(page.items), tuple(page.skipped))


def test_a_null_page_is_reported_and_the_paging_goes_on():
    page = play(lexoffice().list_customers(None, None), [listing(None, last=False, total=500)]).result
    assert ("1:500", 0, 1) == (page.cursor, len(page.items), len(page.skipped))


def test_a_page_without_its_envelope_ends_when_it_is_not_full():
    page = play(lexoffice().list_customers(None, None), [answer({"content": [contact()]})]).result
    assert (1, None) == (len(page.items), page.cursor)


def test_a_page_that_is_no_object_is_malformed():
    with pytest.raises(MalformedResponse):
        play(lexoffice().list_customers(None, None), [answer([])])


def test_contacts_that_slid_back_because_one_vanished_are_fetched_again():
    """Of 502 two vanished while page 1 was read: what was at its head is now at the tail of page 0."""
    before = [contact(f"0a0a0a0a-0000-4000-8000-{number:012d}", number=number) for number in range(250)]
    played = play(
        lexoffice().list_customers("1:502", None),
        [listing([contact(number=900)], last=False, total=500), listing(before, last=False, total=500)],
    )
    assert ["248", "249", "900"] == [one.number for one in played.result.items]
    assert ["1", "0"] == [dict(request.params)["page"] for request in played.requests]
    assert "2:500" == played.result.cursor


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 14), st.lists(st.lists(st.integers(0, 13), max_size=3), max_size=12))
def test_contacts_that_vanish_at_any_moment_never_hide_one_that_stays(monkeypatch, count, vanishing):
    """Pages of two; before each request some contacts vanish."""
    for module in (contacts, wire):
        monkeypatch.setattr(module, "PAGE_SIZE", 2)
    there, moments = list(range(count)), iter(vanishing)
    delivered: list[str] = []
    cursor = None

    def served(flow):
        value = None
        while True:
            try:
                request = flow.send(value)
            except StopIteration as stop:
                return stop.value
            for gone in next(moments, ()):
                if gone in there:
                    there.remove(gone)
            begin = int(dict(request.params)["page"]) * 2
            records = [contact(f"0a0a0a0a-0000-4000-8000-{one:012d}", number=one) for one in there[begin : begin + 2]]
            value = listing(records, last=begin + 2 >= len(there), total=len(there))

    while True:
        page = served(lexoffice().list_customers(cursor, None))
        delivered += [str(one.number) for one in page.items]
        if (cursor := page.cursor) is None:
            break
    assert {str(one) for one in there} <= set(delivered)


def test_the_search_window_of_the_vendor_ends_an_import_openly():
    page = play(lexoffice().list_customers("39:10000", None), [listing([], last=True, total=10000)]).result
    assert page.cursor is None
    assert "10000 contacts" in (page.incomplete or "")


def test_the_last_page_below_the_window_is_complete():
    page = play(lexoffice().list_customers("39:9990", None), [listing([], last=True, total=9990)]).result
    assert (None, None) == (page.cursor, page.incomplete)


def test_a_supplier_is_not_a_customer():
    with pytest.raises(NotFound):
        play(lexoffice().get_customer(ACME), [answer(contact(roles={"vendor": {"number": 70001}}))])


def test_an_id_that_is_no_uuid_is_not_asked_for():
    for flow in (lexoffice().get_customer("../x"), lexoffice().get_invoice("1"), lexoffice().get_sale("")):
        with pytest.raises(NotFound):
            play(flow, [])


# ---- finding ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["K-17", "", "007x", "²", "1" * 10, "10001 "])
def test_a_number_the_vendor_cannot_have_assigned_is_not_asked_for(number):
    assert play(lexoffice().find_customer(number), []).result is None


def test_a_number_is_compared_exactly():
    records = [contact(number=100012), contact(OTHER, number=10001)]
    played = play(lexoffice().find_customer("10001"), [listing(records)])
    assert OTHER == played.result.id
    assert {"number": "10001", "customer": "true"} == dict(played.requests[0].params)


def test_leading_zeros_are_another_number():
    assert play(lexoffice().find_customer("010001"), [listing([contact()])]).result is None


def test_a_hit_that_cannot_be_read_is_not_taken_for_none():
    with pytest.raises(MalformedResponse):
        play(lexoffice().find_customer("10001"), [listing([contact(name=None)])])


def test_the_marker_is_found_wherever_people_have_written_below_it():
    record = contact(note="Zahlt schnell\nRef. K-17\nRückruf im Mai")
    played = play(
        lexoffice().find_marked_customer(acme(id=None, number="K-17")),
        [listing([contact(OTHER, note="Ref. K-171"), record]), answer(record)],
    )
    assert (ACME, "10001") == (played.result.id, played.result.number)
    assert "Acme Bau GmbH" == dict(played.requests[0].params)["name"]


def test_a_contact_of_that_name_listed_without_note_is_opened():
    whole = contact(note="Ref. K-17")
    answers = [listing([contact(OTHER, name="Acme Bau GmbH & Co. KG"), contact()]), answer(whole), answer(whole)]
    assert ACME == play(lexoffice().find_marked_customer(acme(id=None, number="K-17")), answers).result.id


def test_two_contacts_with_the_same_marker_are_returned_not_guessed():
    records = [contact(note="Ref. K-17"), contact(OTHER, note="Ref. K-17")]
    with pytest.raises(DuplicateFound) as error:
        play(lexoffice().find_marked_customer(acme(id=None, number="K-17")), [listing(records)])
    assert (ACME, OTHER) == error.value.ids


def test_a_name_too_short_to_search_for_walks_all_pages():
    whole = contact(name="BP", note="Ref. K-17")
    played = play(
        lexoffice().find_marked_customer(acme(id=None, number="K-17", name="BP")),
        [listing([contact(OTHER, note="x")], last=False), listing([whole, None, "x"]), answer(whole)],
    )
    assert ACME == played.result.id
    assert "name" not in dict(played.requests[0].params)


def test_without_a_number_there_is_nothing_to_look_for():
    assert play(lexoffice().find_marked_customer(acme(number=None)), []).result is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Johnson & Partner", "Johnson &amp; Partner"),
        ('<b>"X"</b>', '&lt;b&gt;"X"&lt;/b&gt;'),
        ("100%_a\\b", "100\\%\\_a\\\\b"),
        ("AG", None),
        ("Erste Zeile\nzweite", "Erste Zeile"),
        ("&" * 100, "&amp;" * 25),
        ("x" * 200, "x" * 128),
        ("😀" * 100, "😀" * 64),
    ],
)
def test_a_name_is_encoded_as_the_search_wants_it(name, expected):
    assert expected == contacts.search_text(Customer(name=name))


def test_a_person_is_searched_for_by_the_last_name():
    person = Customer(name="Erika Muster", is_person=True, first_name="Erika", last_name="Muster")
    assert "Muster" == contacts.search_text(person)


# ---- creating --------------------------------------------------------------------------------------------------


def test_a_contact_is_created_with_the_number_as_marker_and_read_for_the_assigned_one():
    customer = Customer(
        number="K-17",
        name="Acme & Söhne GmbH",
        address=Address(street="Hafenweg", house_number="1", postal_code="20457", city="Hamburg"),
        email="Info@Acme.example",
        phone="030 / 123 456",
        website="https://acme.example",
        vat_number="de 123 456 789",
        registration_number="12/345/678",
        iban="DE00 1234",
        payment_terms_days=14,
        currency="EUR",
        contacts=(Contact(first_name="Tom", last_name="Tester", email="TOM@acme.example"),),
    )
    played = play(lexoffice().create_customer(customer), [documented_create(), answer(contact(number=10002))])
    expected = {
        "version": 0,
        "roles": {"customer": {}},
        "company": {
            "name": "Acme & Söhne GmbH",
            "taxNumber": "12/345/678",
            "vatRegistrationId": "DE123456789",
            "contactPersons": [{"firstName": "Tom", "lastName": "Tester", "emailAddress": "tom@acme.example"}],
        },
        "addresses": {"billing": [{"street": "Hafenweg 1", "zip": "20457", "city": "Hamburg", "countryCode": "DE"}]},
        "emailAddresses": {"business": ["info@acme.example"]},
        "phoneNumbers": {"business": ["030 / 123 456"]},
        "note": "Web: https://acme.example\nIBAN: DE00 1234\nZahlungsziel (Tage): 14\nRef. K-17",
    }
    assert expected == sent(played.requests[0])
    assert "10002" == played.result.number
    assert not played.requests[0].repeatable


def documented_create(contact_id: str = ACME) -> Response:
    stamps = {"createdDate": "2026-03-10T15:15:09.447+02:00", "updatedDate": "2026-03-10T15:15:09.447+02:00"}
    return answer({"id": contact_id, "resourceUri": f"https://api.lexware.io/v1/contacts/{contact_id}", **stamps,
                   "version": 1})  # fmt: skip


def test_the_documented_answer_to_a_create_is_understood():
    created = documented("documented_contact_create.response")
    played = play(lexoffice().create_customer(acme(id=None, number="K-17")), [created, answer(contact())])
    assert "/v1/contacts/66196c43-baf3-4335-bfee-d610367059db" == played.requests[1].path


def test_a_new_contact_that_is_not_visible_yet_is_looked_at_again():
    played = play(
        lexoffice().create_customer(acme(id=None, number="K-17")),
        [documented_create(), NotFound("not yet"), NotFound("not yet"), answer(contact())],
    )
    assert "10001" == played.result.number


@pytest.mark.parametrize(
    "trouble", [[NotFound("not yet")] * 4, [Unavailable("down")], [OutcomeUnknown("?")], [answer(b"<html>")]]
)
def test_nothing_after_the_create_can_make_it_look_as_if_nothing_was_made(trouble):
    customer = acme(id=None, number="K-17")
    result = play(lexoffice().create_customer(customer), [documented_create(), *trouble]).result
    assert evolve(customer, id=ACME, number=None) == result


def test_an_unreadable_answer_to_a_create_is_malformed_so_that_the_outcome_counts_as_unclear():
    with pytest.raises(MalformedResponse):
        play(lexoffice().create_customer(acme(id=None)), [answer(b"")])


def test_everything_wrong_with_a_new_customer_is_named_at_once_and_nothing_is_sent():
    customer = Customer(
        number="two\nlines",
        name="Acme",
        phone="0" * 31,
        currency="CHF",
        active=False,
        address=Address(city="Bern"),
        contacts=(Contact(email="a@b.example"), Contact(last_name="B")),
    )
    with pytest.raises(InvalidRequest) as error:
        play(lexoffice(default_country=None).create_customer(customer), [])
    expected = ["contacts", "address.country_code", "phone", "currency", "active", "number"]
    assert expected == fields_of(error)


def test_a_contact_person_needs_a_last_name():
    with pytest.raises(InvalidRequest) as error:
        play(lexoffice().create_customer(acme(id=None, contacts=(Contact(first_name="Tom"),))), [])
    assert ["contacts[0].last_name"] == fields_of(error)


def test_a_private_person_has_no_vat_number_tax_number_or_contacts():
    person = Customer(
        name="Erika", is_person=True, vat_number="DE1", registration_number="1", contacts=(Contact(last_name="X"),)
    )
    with pytest.raises(InvalidRequest) as error:
        play(lexoffice().create_customer(person), [])
    assert ["vat_number", "registration_number", "contacts"] == fields_of(error)


def test_a_note_holds_a_thousand_characters_with_the_marker():
    assert contacts.merged(contacts.new_contact(acme()), acme(number="x" * 995, id=None), "DE")[1] == []
    _, problems = contacts.merged(contacts.new_contact(acme()), acme(number="x" * 996, id=None), "DE")
    assert ["number"] == [problem.field for problem in problems]


@pytest.mark.parametrize(
    ("given_phone", "kept", "noted"),
    [
        ("030 1234", "030 1234", False),
        ("Tel. 030/1234", "030/1234", True),
        ("0171 1; 0172 2", "0171 1", True),
        ("0171 1 oder 0172 2", "0171 1", True),
        ("+49 (0) 30 / 12 34 56 78 - 90 12 34", "+4903012345678901234", True),
        ("nach Absprache", None, True),
    ],
)
def test_a_phone_number_is_kept_undamaged_and_the_original_noted(given_phone, kept, noted):
    body, problems = contacts.merged(contacts.new_contact(acme()), acme(id=None, phone=given_phone), "DE")
    assert (kept and {"business": [kept]}) == body.get("phoneNumbers")
    assert noted == (f"Telefon: {given_phone}" in body["note"])
    assert problems == []


def test_a_person_whose_name_came_in_one_piece_is_not_taken_apart():
    person = Customer(name="Ana Ruiz", is_person=True)
    body, _ = contacts.merged(contacts.new_contact(person), person, "DE")
    assert {"lastName": "Ana Ruiz"} == body["person"]


# ---- updating --------------------------------------------------------------------------------------------------


def test_an_update_keeps_everything_that_is_not_set_known_to_us_or_not():
    before = plain(documented("documented_contact_company_full"))
    customer = Customer(id=before["id"], number="K-9", name="Neuer Name", address=Address(city="Kiel"))
    played = play(lexoffice().update_customer(customer), [answer(before), answer({"version": 2})])
    expected = {name: value for name, value in before.items() if name not in ("organizationId", "archived")}
    expected["company"] = {**before["company"], "name": "Neuer Name"}
    expected["addresses"]["billing"][0]["city"] = "Kiel"
    expected["note"] = "Notizen\nRef. K-9"
    assert expected == sent(played.requests[1])
    assert ("PUT", True) == (played.requests[1].method, played.requests[1].repeatable)
    assert ("Neuer Name", "Kiel", "10307") == (
        played.result.name,
        played.result.address.city,
        played.result.number,
    )


def test_an_update_writes_over_the_entry_that_was_read():
    before = contact(emailAddresses={"office": ["old@acme.example"]}, phoneNumbers={"mobile": ["0171 1"]})
    customer = acme(email="new@acme.example", phone="0172 2")
    body = sent(play(lexoffice().update_customer(customer), [answer(before), answer({})]).requests[1])
    assert {"office": ["new@acme.example"]} == body["emailAddresses"]
    assert {"mobile": ["0172 2"]} == body["phoneNumbers"]


def test_the_assigned_number_is_no_marker_and_a_note_that_is_rewritten_ends_with_the_old_one():
    before = contact(note="Ref. K-17\nspäter notiert")
    body = sent(play(lexoffice().update_customer(acme()), [answer(before), answer({})]).requests[1])
    assert before["note"] == body["note"]
    body = sent(play(lexoffice().update_customer(acme(bic="X")), [answer(before), answer({})]).requests[1])
    assert "später notiert\nBIC: X\nRef. K-17" == body["note"]


def test_somebody_elses_change_in_between_is_merged_again():
    first, second = contact(), contact(version=4, note="von Hand")
    played = play(
        lexoffice().update_customer(acme(email="new@acme.example")),
        [answer(first), Conflict("stale"), answer(second), answer({})],
    )
    assert [3, 4] == [sent(request)["version"] for request in played.requests if request.method == "PUT"]
    assert "von Hand" == sent(played.requests[-1])["note"]


def test_three_conflicts_are_enough():
    with pytest.raises(Conflict):
        play(lexoffice().update_customer(acme()), [answer(contact()), Conflict("stale")] * 3)


def test_a_contact_with_several_entries_in_a_list_is_refused_before_sending():
    many = contact(emailAddresses={"business": ["a@a.example", "b@a.example"]}, addresses={"shipping": [{}, {}]})
    with pytest.raises(Unsupported, match=r"addresses\.shipping and emailAddresses\.business"):
        play(lexoffice().update_customer(acme()), [answer(many)])


def test_company_and_person_do_not_change_into_each_other():
    with pytest.raises(InvalidRequest) as error:
        play(lexoffice().update_customer(acme(is_person=True)), [answer(contact())])
    assert ["is_person"] == fields_of(error)
    person = contact(person={"lastName": "Muster"})
    del person["company"]
    with pytest.raises(InvalidRequest) as error:
        play(lexoffice().update_customer(acme()), [answer(person)])
    assert ["is_person"] == fields_of(error)


def test_a_persons_name_in_one_piece_does_not_double_the_first_name():
    person = contact(person={"salutation": "Frau", "firstName": "Erika", "lastName": "Muster"})
    del person["company"]
    same = acme(name="Erika Muster", is_person=True)
    body = sent(play(lexoffice().update_customer(same), [answer(person), answer({})]).requests[1])
    assert {"salutation": "Frau", "firstName": "Erika", "lastName": "Muster"} == body["person"]
    other = acme(name="Erika Neu", is_person=True)
    body = sent(play(lexoffice().update_customer(other), [answer(person), answer({})]).requests[1])
    assert {"salutation": "Frau", "lastName": "Erika Neu"} == body["person"]


# ---- properties ------------------------------------------------------------------------------------------------

_word = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12).filter(
    lambda text: not any(mark in text for mark in "\x85")
)
_phones = st.from_regex(r"\+?[1-9][0-9]{1,4} [0-9]{1,6}", fullmatch=True)
_emails = st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example", fullmatch=True)
_addresses = st.builds(
    Address, street=st.none() | _word, addition=st.none() | _word, postal_code=st.none() | _word,
    city=st.none() | _word, country_code=st.sampled_from(["DE", "FR", "US"]),
)  # fmt: skip
_people = st.builds(
    Contact, first_name=st.none() | _word, last_name=_word, email=st.none() | _emails, phone=st.none() | _phones
)
_companies = st.builds(
    Customer,
    number=st.none() | _word,
    name=_word,
    address=st.none() | _addresses,
    email=st.none() | _emails,
    phone=st.none() | _phones | st.just("Tel. 030 1 oder 2"),
    website=st.none() | _word,
    iban=st.none() | _word,
    bic=st.none() | _word,
    language=st.none() | _word,
    payment_terms_days=st.none() | st.integers(0, 3650),
    vat_number=st.none() | st.from_regex(r"DE[0-9]{9}", fullmatch=True),
    registration_number=st.none() | _word,
    contacts=st.lists(_people, max_size=1).map(tuple),
)


@given(_companies)
def test_what_is_written_is_read_back(customer):
    body, problems = contacts.merged(contacts.new_contact(customer), customer, "DE")
    assert problems == []
    body |= {"id": ACME, "roles": {"customer": {"number": 10001}}}
    stored = decode(wire.CONVERTER, Response(status=200, body=dumps(body)), wire.Contact)
    assert evolve(customer, id=ACME, number="10001") == contacts.neutral(stored)
    assert customer.number is None or contacts.carries(stored.note, customer.number)


_odd = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.none(), max_size=2)


def _maybe(strategy):
    return strategy | _odd


_records = st.fixed_dictionaries(
    {},
    optional={
        "id": _maybe(st.uuids().map(str)),
        "roles": _maybe(st.fixed_dictionaries({}, optional={"customer": _maybe(st.fixed_dictionaries({}, optional={
            "number": _maybe(st.integers(1, 99999) | st.just(Decimal("1.5")))}))})),
        "company": _maybe(st.fixed_dictionaries({}, optional={"name": _maybe(st.text(max_size=5)),
            "contactPersons": _maybe(st.lists(st.fixed_dictionaries({}, optional={"lastName": _odd}), max_size=2))})),
        "person": _maybe(st.fixed_dictionaries({}, optional={"firstName": _odd, "lastName": _maybe(st.text())})),
        "addresses": _maybe(st.fixed_dictionaries({}, optional={"billing": _maybe(st.lists(
            st.fixed_dictionaries({}, optional={"city": _odd, "countryCode": _maybe(st.just("DE"))}), max_size=2))})),
        "emailAddresses": _maybe(st.dictionaries(st.sampled_from(["business", "fax"]), st.lists(st.text(), max_size=2))
            ),
        "note": _odd,
        "archived": _odd,
        "unknown": _odd,
    },
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(_records, max_size=3), _maybe(st.booleans()), _maybe(st.integers(0, 9)))
def test_the_accelerator_gives_the_same_as_the_careful_way(records, last, total):
    pytest.importorskip("msgspec")
    response = answer({"content": records, "last": last, "totalElements": total})
    quick, ends = contacts.read_page(response)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contacts, "decode_fast", lambda *_, **__: None)
        careful, careful_ends = contacts.read_page(response)
    assert careful == quick
    assert (careful_ends.last, careful_ends.total) == (ends.last, ends.total)


def test_the_accelerator_takes_an_ordinary_page():
    pytest.importorskip("msgspec")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contacts, "each_read", None)
        page, _ = contacts.read_page(listing([contact(), contact(OTHER, addresses={"billing": [{"city": "Kiel"}]})]))
    assert ["Acme Bau GmbH"] * 2 == [one.name for one in page.items]


@given(st.binary(max_size=60) | st.text(max_size=20).map(lambda text: json.dumps({"content": text}).encode()))
def test_whatever_comes_as_a_page_is_read_or_malformed(body):
    with suppress(MalformedResponse):
        play(lexoffice().list_customers(None, None), [Response(status=200, body=body)])
