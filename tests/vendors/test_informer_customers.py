"""Customers: pages whatever their numbering, placeholders, and writing without emptying anything."""

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from _informer import (
    BOOKS,
    CONDITIONS,
    HOME,
    NEW,
    PLAIN,
    answer,
    fixture,
    informer,
    nothing,
    page,
    params,
    play,
    relation,
    sent,
)  # fmt: skip
from _play import WantsMore
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge import (
    Address,
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
from accounting_bridge.vendors.informer import placeholders, reading, settings

CONSTANTS = st.sampled_from(
    [settings.IBAN, settings.EMAIL, settings.WEBSITE, settings.BIC, settings.VAT_NUMBER, settings.REGISTRATION_NUMBER]
)
PLACEHOLDERS = [
    settings.IBAN.lower(), f" {settings.IBAN[:8]}-{settings.IBAN[8:]}.", settings.EMAIL.upper(), "x@elders.INVALID",
    "http://www.leeg.invalid/pad", "LEEG.example", "https://leeg.example", "nl91abna041", "ＮＬ91", "0000 0000", "  ",
    "",
]  # fmt: skip


def listed(*answers, adapter=BOOKS, since=None):
    """All pages of a list: ids, requests without those for payment conditions, and the last page."""
    ids, requests, cursor, rest = [], [], None, list(answers)
    while True:
        for count in range(len(rest) + 1):
            try:
                played = play(adapter.list_customers(cursor, since), [CONDITIONS, *rest[:count]])
            except WantsMore:
                continue
            break
        rest = rest[count:]
        requests += played.requests[1:]
        ids += [one.id for one in played.result.items]
        cursor = played.result.cursor
        if cursor is None:
            assert rest == []
            return ids, requests, played.result


# ---- pages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [0, 1, 7])
def test_pages_are_counted_from_whatever_the_first_calls_itself(base):
    ids, requests, _ = listed(
        page(relation(1), relation(2), number=base, total=5),
        page(relation(3), relation(4), number=base + 1, total=5),
        page(relation(5), number=base + 2, total=5),
    )
    assert ["1", "2", "3", "4", "5"] == ids
    assert [None, str(base + 1), str(base + 2)] == params(requests, "page")
    assert {"100"} == set(params(requests, "records"))


def test_a_first_page_that_comes_twice_is_read_over():
    """It calls itself 0, and 1 is the same page."""
    ids, requests, _ = listed(
        page(relation(1), relation(2), number=0, total=3),
        page(relation(1), relation(2), number=1, total=3),
        page(relation(3), number=2, total=3),
    )
    assert ["1", "2", "3"] == ids
    assert [None, "1", "2"] == params(requests, "page")


def test_an_empty_list_is_an_error_and_no_error():
    ids, _, result = listed(nothing())
    assert ([], (), False) == (ids, tuple(result.skipped), result.lost)


def test_an_empty_php_array_is_an_empty_list():
    assert [] == listed(answer([]))[0]


def test_a_map_by_id_is_a_list():
    body = {"pagination": {"page": 1, "total": "2"}, "relations": {"1": relation(1), "2": relation(2)}}
    assert ["1", "2"] == listed(answer(body))[0]


def test_a_list_without_totals_ends_where_nothing_comes():
    ids, _, _ = listed(answer({"relations": [relation(1)]}), answer({"relations": [relation(2)]}), nothing())
    assert ["1", "2"] == ids


def test_what_a_deletion_moved_onto_a_read_page_is_read():
    """3 was on the second page; with 1 gone it is on the first."""
    ids, requests, _ = listed(
        page(relation(1), relation(2), total=4),
        page(relation(4), number=2, total=3),
        page(relation(2), relation(3), number=1, total=3),
    )
    assert {"1", "2", "3", "4"} == set(ids)
    assert [None, "2", "1"] == params(requests, "page")


def test_a_page_that_holds_nothing_although_it_should_is_lost():
    first = play(BOOKS.list_customers(None, None), [CONDITIONS, page(relation(1), total=2)]).result
    result = play(BOOKS.list_customers(first.cursor, None), [CONDITIONS, nothing()]).result
    assert result.lost
    assert len(result.skipped) == 1


def test_something_in_place_of_a_list_is_lost_and_no_empty_one():
    result = play(BOOKS.list_customers(None, None), [CONDITIONS, answer({"relations": "none"})]).result
    assert result.lost
    assert ["expected records, found none @ $.relations"] == [
        text for drift in result.skipped for text in drift.problems
    ]
    with pytest.raises(MalformedResponse):
        play(BOOKS.find_customer("4711"), [answer({"relations": "none"})])


def test_an_unreadable_page_is_an_error_and_no_empty_one():
    with pytest.raises(MalformedResponse):
        play(BOOKS.list_customers(None, None), [CONDITIONS, answer({"pagination": {}})])
    gone = NotFound("no such path")
    with pytest.raises(NotFound):
        play(BOOKS.list_customers(None, None), [CONDITIONS, gone])


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: BOOKS.get_customer("999999"), "customer.id"),
        (lambda: BOOKS.update_customer(Customer(id="999999", name="X")), "id"),
    ],
)
def test_a_customer_that_is_not_in_the_books_is_named(call, field):
    """The vendor's own text does not say whom it misses."""
    with pytest.raises(NotFound) as caught:
        play(call(), [nothing()])
    cure = "make the customer there first, with ensure_customer"
    assert caught.value.message == f"{field} '999999' is not in the books: {cure}"


@pytest.mark.parametrize("cursor", ["2", "../..", "1.1.1.1.x", ""])
def test_a_strange_cursor_is_refused(cursor):
    with pytest.raises(InvalidRequest):
        play(BOOKS.list_customers(cursor, None))


def test_suppliers_are_left_out_and_odd_records_reported():
    supplier = {"supplier": True, "customer": False, "active": True}
    ids, _, result = listed(
        page(
            relation(1, subtype=supplier), relation(2, company_name=["x"]), relation(3, subtype=[]),
            relation(4, contacts=[{"id": 9, "surname": ["x"]}]),
        )
    )  # fmt: skip
    assert ["3", "4"] == ids
    assert [("customer", "2"), ("contact", "9")] == [(drift.what, drift.record) for drift in result.skipped]


def test_changes_are_asked_for_a_day_early_and_filtered_here():
    since = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    ids, requests, _ = listed(
        page(
            relation(1, last_edit="2026-03-09 23:00:00"),
            relation(2, last_edit="2026-03-10 14:00:00"),
            relation(3, last_edit="0000-00-00 00:00:00"),
            relation(4, last_edit="2026-03-10 12:30:00"),  # 11:30 UTC, or 12:30 if the stamps are in UTC
        ),
        since=since,
    )
    assert ["2", "3", "4"] == ids
    assert ["2026-03-09"] == params(requests, "last_edit")


# ---- three ways of reading: by msgspec, as documented, and generously -----------------------------------------

LOOSE = st.one_of(
    st.none(), st.just(""), st.just([]), st.just({}), st.booleans(), st.integers(-5, 10**12), st.text(max_size=8),
    st.sampled_from(
        ["1", "0", "41", "NL", "2026-01-15 09:30:00", "0000-00-00", settings.IBAN, settings.EMAIL, "x@y.invalid"]
    ),
)  # fmt: skip
FIELDS = [*relation(), "zip", "unknown"]
PEOPLE = st.lists(
    st.dictionaries(st.sampled_from(["firstname", "surname_prefix", "surname", "phone", "mobile", "email"]), LOOSE)
    | st.none(),
    max_size=2,
)
ROLES = st.dictionaries(st.sampled_from(["active", "customer", "supplier"]), st.booleans() | LOOSE)
RECORDS = st.lists(
    st.one_of(
        st.builds(lambda fields: relation(**fields), st.dictionaries(st.sampled_from(FIELDS), LOOSE, max_size=3)),
        st.builds(lambda people, roles: relation(contacts=people, subtype=roles), PEOPLE, ROLES),
        st.builds(
            lambda texts: relation(**texts),
            st.dictionaries(st.sampled_from(["company_name", "web", "iban", "email", "coc"]), st.text(max_size=6)),
        ),
        LOOSE,
    ),
    max_size=4,
)


def refuse(*_):
    raise TypeError


@given(RECORDS, LOOSE, LOOSE)
def test_all_ways_read_the_same(records, number, total):
    body = answer({"pagination": {"page": number, "total": total}, "relations": records})
    asked = [CONDITIONS, body]
    quick = play(BOOKS.list_customers(None, None), asked).result
    with patch.object(reading, "decode_fast", lambda *_, **__: None):
        plain = play(BOOKS.list_customers(None, None), asked).result
        with patch.object(reading, "as_documented", refuse):
            generous = play(BOOKS.list_customers(None, None), asked).result
    assert quick == plain == generous


def test_a_page_as_documented_is_read_without_a_second_look():
    asked = [CONDITIONS, page(relation(1), relation(2, subtype=None, contacts=None))]
    with patch.object(reading, "_generously", refuse):
        quick = play(BOOKS.list_customers(None, None), asked).result
        with patch.object(reading, "decode_fast", lambda *_, **__: None):
            plain = play(BOOKS.list_customers(None, None), asked).result
    assert ["1", "2"] == [one.id for one in quick.items]
    assert quick == plain


@given(st.text(max_size=24) | st.sampled_from(PLACEHOLDERS) | st.builds(str.join, st.just(" "), st.lists(CONSTANTS)))
def test_what_is_sifted_quickly_is_what_is_looked_at_closely(value):
    for adapter in (BOOKS, informer(placeholder_website="https://Leeg.example/", placeholder_iban="NL 91 ABNA 041")):
        for name in ("email", "email_invoice", "web", "vat", "coc", "iban", "bic"):
            closely = placeholders.data(adapter.settings, name, value)
            assert closely == placeholders.sieve(adapter.settings, name)(value)


# ---- reading -----------------------------------------------------------------------------------------------


def read(record, adapter=BOOKS):
    return play(adapter.get_customer("1001"), [answer(record), CONDITIONS]).result


def test_a_company_is_read():
    person = {"firstname": "Eva", "surname_prefix": "van der", "surname": "Voorbeeld", "phone": "", "mobile": "06-1"}
    customer = read(
        relation(house_number_suffix="A", zip="3511 AB", phone="030 1", contacts=[person], vat="NL123456782B01")
    )
    assert ("1001", "5001", "Quellmoos Voorbeeld BV", False) == (
        customer.id, customer.number, customer.name, customer.is_person
    )  # fmt: skip
    assert evolve(HOME, house_number="12A") == customer.address
    assert (Contact(first_name="Eva", last_name="van der Voorbeeld", phone="06-1"),) == customer.contacts
    assert (14, "NL123456782B01", "030 1") == (customer.payment_terms_days, customer.vat_number, customer.phone)
    assert datetime(2026, 1, 15, 8, 30, tzinfo=UTC) == customer.updated_at


def test_a_private_person_is_read():
    customer = read(
        relation(relation_type="1", company_name=None, firstname="Eva", surname_prefix="de", surname="Vries",
                 house_number="12", house_number_suffix="2")
    )  # fmt: skip
    assert ("Eva de Vries", True, "Eva", "de Vries") == (
        customer.name, customer.is_person, customer.first_name, customer.last_name
    )  # fmt: skip
    assert customer.address.house_number == "12-2"


def test_placeholders_are_read_as_nothing():
    mail = {"email": settings.EMAIL, "email_invoice": settings.EMAIL, "web": settings.WEBSITE}
    money = {"iban": settings.IBAN, "bic": settings.BIC, "vat": settings.VAT_NUMBER}
    customer = read(relation(coc=settings.REGISTRATION_NUMBER, **mail, **money))
    values = (customer.website, customer.email, customer.registration_number, customer.iban, customer.bic)
    assert (None,) * 5 == values
    assert customer.vat_number is None


def test_the_invoices_address_stands_in_for_a_placeholder():
    customer = read(relation(email=settings.EMAIL, email_invoice="facturen@quellmoos.example"))
    assert customer.email == "facturen@quellmoos.example"


def test_an_array_of_one_is_a_record():
    assert read([relation()]).id == "1001"


def test_an_unreadable_record_names_its_problems():
    with pytest.raises(MalformedResponse):
        read(relation(company_name=None))
    with pytest.raises(MalformedResponse):
        read({"id": "abc"})


@pytest.mark.parametrize("hostile", ["", "0", "../1", "1/2", "abc", "9" * 30])
def test_ids_are_digits(hostile):
    with pytest.raises(InvalidRequest):
        play(BOOKS.get_customer(hostile))


def test_documented_relations_are_read():
    single, many = fixture("v2_relation_get_200.json"), fixture("v2_relations_list_200.json")
    customer = play(BOOKS.get_customer("1001"), [single, CONDITIONS]).result
    assert ("1001", "Bakkerij De Gouden Bol BV") == (customer.number, customer.name)
    result = play(BOOKS.list_customers(None, None), [CONDITIONS, many]).result
    assert ["1001"] == [one.id for one in result.items]
    assert result.items[0].contacts[0].last_name == "de Vries"
    assert result.cursor is not None  # it says 42 in all


# ---- finding -----------------------------------------------------------------------------------------------


def test_a_customer_is_found_by_exactly_its_number():
    """The search hits names, streets and parts of numbers."""
    hits = [relation(1, relation_number=14711), relation(2, relation_number="4711"), relation(3, street="Weg 4711")]
    played = play(BOOKS.find_customer("4711"), [page(*hits, total=4), page(relation(4), number=2, total=4), CONDITIONS])
    assert played.result.id == "2"
    assert ["4711", "4711", None] == params(played.requests, "search")


def test_nobody_has_the_number():
    assert play(BOOKS.find_customer("4711"), [nothing()]).result is None


def test_two_with_one_number_are_ambiguous():
    hits = page(relation(1, relation_number=4711), relation(2, relation_number=4711))
    with pytest.raises(DuplicateFound) as caught:
        play(BOOKS.find_customer("4711"), [hits])
    assert ("1", "2") == caught.value.ids


def test_an_unreadable_page_proves_nothing():
    with pytest.raises(MalformedResponse):
        play(BOOKS.find_customer("4711"), [page("x", {"id": "y"})])
    with pytest.raises(MalformedResponse):
        play(BOOKS.find_customer("4711"), [page(relation(1), total=2), nothing()])
    same = page(relation(1), total=2)  # whatever page is asked for
    with pytest.raises(MalformedResponse):
        play(BOOKS.find_customer("4711"), [same, same, same])


@pytest.mark.parametrize("number", ["K-4711", "0042", "", "4711 ", "0", "-1", "２", "99999999999"])
def test_a_number_that_informer_cannot_hold_is_nobodys_there(number):
    played = play(BOOKS.find_customer(number))
    assert (played.result, played.requests) == (None, [])
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.create_customer(evolve(NEW, number=number)))
    assert ["number"] == [problem.field for problem in caught.value.problems]


# ---- creating ----------------------------------------------------------------------------------------------

SAVED = answer({"success": "Relation saved"})


def created(customer, adapter=BOOKS, reply=SAVED):
    return play(adapter.create_customer(customer), [reply, page(relation(77, relation_number=5001)), CONDITIONS])


def test_a_relation_is_found_again_by_its_number():
    played = created(NEW)
    assert played.result.id == "77"
    assert ["POST", "GET", "GET"] == [request.method for request in played.requests]
    assert not played.requests[0].repeatable


def test_an_id_in_the_answer_saves_the_search():
    played = play(BOOKS.create_customer(NEW), [answer({"id": "77"}), answer(relation(77)), CONDITIONS])
    assert "/v2/relations/77" == played.requests[1].path


def test_a_relation_that_is_not_there_after_all_is_unclear():
    with pytest.raises(MalformedResponse):
        play(BOOKS.create_customer(NEW), [SAVED, nothing()])
    with pytest.raises(MalformedResponse):
        play(BOOKS.create_customer(NEW), [answer(b"{} array(3) {")])


@pytest.mark.parametrize("failed", [Unavailable("busy"), NotFound("no such record"), PermissionDenied("no")])
@pytest.mark.parametrize("saved", [SAVED, answer({"id": "77"})])
def test_what_fails_after_a_relation_was_saved_is_unclear_and_never_nothing(saved, failed):
    """Nobody may take it for "nothing happened": the relation is there."""
    with pytest.raises(OutcomeUnknown, match="was written"):
        play(BOOKS.create_customer(NEW), [saved, failed])


def test_a_company_is_filled_up_with_placeholders():
    body = sent(created(evolve(NEW, email=None)).requests[0])
    assert {
        "relation_number": 5001, "relation_type": 0, "company_name": NEW.name, "street": "Voorbeeldstraat",
        "house_number": "12", "zip": "3511 AB", "city": "Utrecht", "country": "NL", "web": settings.WEBSITE,
        "email": settings.EMAIL, "email_invoice": settings.EMAIL, "coc": settings.REGISTRATION_NUMBER,
        "iban": settings.IBAN, "bic": settings.BIC, "vat": settings.VAT_NUMBER,
        "subtype": {"customer": 1, "active": 1},
    } == body  # fmt: skip


def test_data_goes_before_placeholders_and_the_invoice_goes_to_the_real_address():
    known = evolve(
        NEW, iban="NL02 ABNA 0123 4567 89", vat_number="nl123456782b01", website="www.quellmoos.example", bic="abnanl2a"
    )
    body = sent(created(known).requests[0])
    assert (NEW.email, NEW.email) == (body["email"], body["email_invoice"])
    assert ("NL02ABNA0123456789", "NL123456782B01", "https://www.quellmoos.example", "ABNANL2A") == (
        body["iban"], body["vat"], body["web"], body["bic"]
    )  # fmt: skip


def test_with_placeholders_off_only_what_is_known_is_sent():
    body = sent(created(NEW, PLAIN).requests[0])
    assert {"web", "email_invoice", "coc", "iban", "bic", "vat"}.isdisjoint(body)
    assert body["email"] == NEW.email


def test_contact_leaves_money_and_tax_alone():
    body = sent(created(NEW, informer(placeholders="contact", placeholder_website="https://x.invalid")).requests[0])
    assert {"iban", "bic", "vat"}.isdisjoint(body)
    assert body["web"] == "https://x.invalid"


def test_a_placeholder_that_the_app_gives_back_is_no_data():
    body = sent(created(evolve(NEW, vat_number=settings.VAT_NUMBER, email=settings.EMAIL), PLAIN).requests[0])
    assert {"vat", "email"}.isdisjoint(body)


def test_a_private_person_has_names_of_its_own():
    person = evolve(NEW, name="Eva de Vries", is_person=True, first_name="Eva", last_name="de Vries")
    body = sent(created(person).requests[0])
    assert (1, "Eva", "de Vries") == (body["relation_type"], body["firstname"], body["surname"])
    assert "company_name" not in body


def test_terms_become_a_payment_condition():
    played = play(
        BOOKS.create_customer(evolve(NEW, payment_terms_days=30)),
        [CONDITIONS, SAVED, page(relation(77, relation_number=5001))],
    )
    assert sent(played.requests[1])["payment_condition_id"] == 42


@pytest.mark.parametrize(
    ("street", "number", "expected"),
    [
        ("Beispielweg 7", None, ("Beispielweg", "7")),
        ("Straße des 17. Juni 135", None, ("Straße des 17. Juni", "135")),
        ("Voorbeeldstraat 12a", None, ("Voorbeeldstraat", "12a")),
        ("Voorbeeldstraat 12-2", None, ("Voorbeeldstraat", "12-2")),
        ("Voorbeeldstraat 3", "12", ("Voorbeeldstraat 3", "12")),
    ],
)
def test_the_house_number_is_taken_off_the_street(street, number, expected):
    home = evolve(HOME, street=street, house_number=number)
    body = sent(created(evolve(NEW, address=home)).requests[0])
    assert expected == (body["street"], body["house_number"])


def test_all_problems_of_a_customer_are_named_at_once():
    bad = Customer(
        number="K-1", name="Eva", is_person=True, email="nobody", website="not a site", vat_number="123", iban="NL00X",
        currency="USD", payment_terms_days=10, contacts=[Contact(last_name="X")],
        address=Address(street="Zonder Nummer", addition="c/o X"),
    )  # fmt: skip
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.create_customer(bad), [CONDITIONS])
    assert {
        "number", "first_name", "last_name", "email", "website", "vat_number", "iban", "currency", "contacts",
        "payment_terms_days", "address.addition", "address.house_number", "address.postal_code", "address.city",
    } == {problem.field for problem in caught.value.problems}  # fmt: skip


def test_a_house_number_of_zero_is_none():
    with pytest.raises(InvalidRequest):
        play(BOOKS.create_customer(evolve(NEW, address=evolve(HOME, house_number="0"))))


def test_an_address_without_country_takes_the_default_or_is_refused():
    abroad = evolve(NEW, address=evolve(HOME, country_code=None))
    assert sent(created(abroad).requests[0])["country"] == "NL"
    with pytest.raises(InvalidRequest):
        play(informer(default_country=None).create_customer(abroad))


# ---- updating ----------------------------------------------------------------------------------------------


def updated(record, adapter=BOOKS, **changes):
    current = play(adapter.get_customer("1001"), [answer(record), CONDITIONS]).result
    flow = adapter.update_customer(evolve(current, **changes))
    return play(flow, [answer(record), CONDITIONS, answer({"success": "Relation saved"}), answer(record)])


def put(record, adapter=BOOKS, **changes):
    (request,) = [one for one in updated(record, adapter, **changes).requests if one.method == "PUT"]
    assert request.repeatable
    return sent(request)


KEPT = {
    "relation_type": 0, "company_name": "Quellmoos Voorbeeld BV", "street": "Voorbeeldstraat", "house_number": "12",
    "city": "Utrecht", "country": "NL",
}  # fmt: skip


def test_only_what_differs_is_written_with_what_every_body_needs():
    assert KEPT | {"company_name": "Quellmoos Nieuw BV"} == put(relation(), name="Quellmoos Nieuw BV", email=None)


def test_nothing_is_written_where_nothing_differs():
    record = relation()
    current = play(BOOKS.get_customer("1001"), [answer(record), CONDITIONS]).result
    played = play(BOOKS.update_customer(current), [answer(record), CONDITIONS])
    assert {"GET"} == {request.method for request in played.requests}


def test_what_is_wrong_in_the_books_already_is_not_complained_about():
    record = relation(iban="NL00EXAM0000000000", email="kapot", web="kapot")
    assert put(record, phone="030 2") == KEPT | {"phone": "030 2"}


def test_a_new_mail_address_takes_the_place_of_a_placeholder():
    body = put(relation(email=settings.EMAIL, email_invoice=settings.EMAIL), email="nieuw@quellmoos.example")
    assert ("nieuw@quellmoos.example",) * 2 == (body["email"], body["email_invoice"])


def test_an_invoice_address_of_its_own_is_kept():
    assert "email_invoice" not in put(relation(email_invoice="boek@quellmoos.example"), email="nieuw@quellmoos.example")


def test_switching_off_keeps_the_other_roles():
    body = put(relation(subtype={"customer": "1", "supplier": True, "active": 1}), active=False)
    assert {"lead": 0, "supplier": 1, "prospect": 0, "active": 0, "customer": 1} == body["subtype"]


def test_a_number_and_terms_can_be_changed():
    body = put(relation(), number="6001", payment_terms_days=30)
    assert (6001, 42) == (body["relation_number"], body["payment_condition_id"])


def test_a_suffix_and_a_prefix_stay_where_they_are():
    home = evolve(HOME, house_number="14A")
    assert put(relation(house_number_suffix="A"), address=home)["house_number"] == "14"
    person = relation(relation_type=1, company_name=None, firstname="Eva", surname_prefix="de", surname="Vries")
    assert put(person, last_name="de Jong")["surname"] == "Jong"


@pytest.mark.parametrize(
    ("record", "changes", "field"),
    [
        (relation(house_number_suffix="A"), {"address": evolve(HOME, house_number="14")}, "address.house_number"),
        (relation(), {"is_person": True}, "is_person"),
        (relation(), {"contacts": [Contact(last_name="X")]}, "contacts"),
        (relation(), {"number": "K-1"}, "number"),
        (relation(), {"payment_terms_days": 9}, "payment_terms_days"),
        (relation(), {"email": "nobody"}, "email"),
        (relation(relation_type=1, firstname="Eva", surname_prefix="de", surname="Vries"), {"last_name": "Jong"},
         "last_name"),
        (relation(relation_type=1, firstname="Eva", surname="Vries"), {"name": "Eva Jong"}, "name"),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_is_refused(record, changes, field):
    current = play(BOOKS.get_customer("1001"), [answer(record), CONDITIONS]).result
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.update_customer(evolve(current, **changes)), [answer(record), CONDITIONS])
    assert field in {problem.field for problem in caught.value.problems}


# ---- round trip --------------------------------------------------------------------------------------------

words = st.text(st.characters(categories=["L", "Nd"], max_codepoint=0x24F), min_size=1, max_size=12)
customers = st.builds(
    Customer,
    number=st.integers(1, 2_147_483_647).map(str),
    name=words,
    address=st.builds(
        Address, street=words, house_number=st.integers(1, 9999).map(str), postal_code=words, city=words,
        country_code=st.sampled_from(["NL", "DE", "BE"]),
    ),
    email=st.none() | st.just("facturen@quellmoos.example"),
    phone=st.none() | words,
    website=st.none() | st.just("https://www.quellmoos.example"),
    vat_number=st.none() | st.just("NL123456782B01"),
    registration_number=st.none() | st.integers(10_000_000, 99_999_999).map(str),
    iban=st.none() | st.just("NL02ABNA0123456789"),
)  # fmt: skip


@given(customers, st.sampled_from(["all", "contact", "off"]))
def test_what_is_written_is_what_is_read(customer, mode):
    adapter = informer(placeholders=mode)
    played = play(adapter.create_customer(customer), [answer({"id": 77}), answer(relation(77)), CONDITIONS])
    body = sent(played.requests[0])
    record = {"id": 77, **body}
    back = play(adapter.get_customer("77"), [answer(record), CONDITIONS]).result
    assert evolve(customer, id="77") == back
