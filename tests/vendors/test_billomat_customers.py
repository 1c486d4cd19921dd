"""Customers and master data: what is read, looked for and written."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from _billomat import (
    BOOKS,
    CUSTOMER,
    TAXES,
    answer,
    billomat,
    client,
    clients,
    listing,
    params,
    play,
    refusal,
    sent,
    settings,
)
from hypothesis import example, given
from hypothesis import strategies as st

from accounting_bridge import (
    Address,
    AuthenticationFailed,
    Connection,
    Contact,
    Customer,
    DuplicateFound,
    InvalidRequest,
    MalformedResponse,
    NotFound,
    Unsupported,
)
from accounting_bridge.adapter import ChangedSince
from accounting_bridge.vendors.billomat import invoices
from accounting_bridge.vendors.billomat.clients import number_fields, number_problems, split_number

FULL = client(
    4850001,
    name="Quellmoos Beispiel GmbH",
    first_name="Silke",
    last_name="Blindtext",
    street="Beispielweg 1a\r\nGebäude 10",
    phone="030 5550 100",
    www="www.quellmoos.example",
    tax_number="12/345/05550",
    vat_number="DE123456789",
    bank_iban="DE89370400440532013000",
    bank_swift="COBADEFFXXX",
    locale="de_DE",
    due_days_type="ABSOLUTE",
    due_days="30",
    currency_code="EUR",
)
NEUTRAL = Customer(
    id="4850001",
    number="KD00001",
    name="Quellmoos Beispiel GmbH",
    address=Address(
        street="Beispielweg 1a", addition="Gebäude 10", postal_code="12345", city="Musterstadt", country_code="DE"
    ),
    email="rechnung@quellmoos.example",
    phone="030 5550 100",
    website="www.quellmoos.example",
    vat_number="DE123456789",
    registration_number="12/345/05550",
    iban="DE89370400440532013000",
    bic="COBADEFFXXX",
    payment_terms_days=30,
    currency="EUR",
    language="de",
    updated_at=datetime.fromisoformat("2024-03-04T10:11:12+01:00"),
    contacts=(Contact(first_name="Silke", last_name="Blindtext"),),
)


def read(record):
    return play(BOOKS.get_customer("4850001"), [answer({"client": record})])[0]


# ---- reading -----------------------------------------------------------------------------------------------


def test_every_field_of_a_client_is_mapped():
    assert NEUTRAL == read(FULL)


def test_a_person_has_no_company_name():
    person = read(client(name="", first_name="Erika", last_name="Muster"))
    assert ("Erika Muster", True, "Erika", "Muster", ()) == (
        person.name, person.is_person, person.first_name, person.last_name, person.contacts,
    )  # fmt: skip


def test_the_accounts_own_days_are_not_the_customers():
    assert [None, 14, None] == [
        read(client(due_days_type=kind, due_days="14")).payment_terms_days
        for kind in ("SETTINGS", "ABSOLUTE", "RELATIVE")
    ]


def test_archived_customers_are_not_active():
    assert [True, False] == [read(client(archived=flag)).active for flag in ("0", "1")]


def test_an_odd_time_of_change_does_not_lose_the_customer():
    assert [None, None] == [read(client(updated=text)).updated_at for text in ("yesterday", "2024-01-01T00:00:00")]


def test_pages_are_asked_for_by_id_a_thousand_at_a_time():
    page, asked = play(BOOKS.list_customers(None, None), [clients(client(1), client(2), total=1500)])
    assert {"order_by": "id ASC", "per_page": "1000", "page": "1"} == dict(asked[0].params)
    last, asked = play(BOOKS.list_customers(page.cursor, None), [clients(client(3), total=1500, page=2)])
    assert (["2"], None) == (params(asked, "page"), last.cursor)


def test_a_smaller_page_than_asked_for_is_paged_by_its_own_size():
    page, _ = play(BOOKS.list_customers(None, None), [clients(client(1), total=150, per_page=100)])
    assert page.cursor is not None


def test_rows_that_a_deletion_moved_back_are_not_missed():
    first, _ = play(BOOKS.list_customers(None, None), [clients(client(1), client(2), total=4, per_page=2)])
    # Client 1 is deleted now: 3 has moved onto the first page, the second one holds 4 only.
    second, asked = play(
        BOOKS.list_customers(first.cursor, None),
        [clients(client(4), total=3, page=2, per_page=2), clients(client(2), client(3), total=3, per_page=2)],
    )
    assert ["2", "1"] == params(asked, "page")
    third, _ = play(BOOKS.list_customers(second.cursor, None), [clients(client(4), total=3, page=2, per_page=2)])
    assert ["1", "2", "3", "4"] == [one.id for page in (first, second, third) for one in page.items]
    assert third.cursor is None


class _Shelf:
    """A list that loses and gains records between pages."""

    def __init__(self, count, size):
        self.keys, self.size, self.next = list(range(1, count + 1)), size, count + 1

    def page(self, number):
        rows = self.keys[(number - 1) * self.size : number * self.size]
        return clients(*[client(key) for key in rows], total=len(self.keys), page=number, per_page=self.size)


@given(st.integers(0, 20), st.integers(1, 4), st.lists(st.lists(st.integers(0, 30), max_size=4), max_size=12))
@example(13, 2, [[], [], [], [], [], [1, 2, 3]])
def test_deletions_at_any_moment_never_hide_a_row_that_stays(count, size, deletions):
    shelf, moments = _Shelf(count, size), iter(deletions)
    delivered, cursor, calls = [], None, 0
    while True:
        flow = BOOKS.list_customers(cursor, None)
        step = flow.send(None)
        while True:
            calls += 1
            assert calls < 500, "the import does not end"
            try:
                step = flow.send(shelf.page(int(dict(step.params)["page"])))
            except StopIteration as stop:
                page = stop.value
                break
            finally:
                gone = set(next(moments, ()))
                shelf.keys = [key for key in shelf.keys if key not in gone]
        delivered += [int(one.id) for one in page.items]
        if page.cursor is None:
            break
        cursor = page.cursor
    assert set(shelf.keys) <= set(delivered)
    assert len(delivered) == len(set(delivered))


@pytest.mark.parametrize("cursor", ["", "x", "0.1.1", "1.1", "-1.0.0", "1.0.0.0", "\u0661.0.0"])
def test_a_strange_cursor_is_refused(cursor):
    with pytest.raises(InvalidRequest, match="cursor"):
        play(BOOKS.list_customers(cursor, None))


def test_the_unchanged_are_left_out_and_those_without_a_time_are_not():
    body = clients(client(1), client(2, updated="2024-05-01T00:00:00+02:00"), client(3, updated=""))
    page, _ = play(BOOKS.list_customers(None, datetime(2024, 4, 30, 22, tzinfo=UTC)), [body])
    assert ["2", "3"] == [one.id for one in page.items]
    assert ChangedSince.FILTERED is BOOKS.capabilities.changed_since


def test_an_id_outside_the_account_is_not_found_although_billomat_says_401():
    with pytest.raises(NotFound):
        play(BOOKS.get_customer("99"), [refusal(401, "Unauthorized"), answer({"client": client()})])


def test_a_wrong_key_is_no_missing_customer():
    with pytest.raises(AuthenticationFailed):
        play(BOOKS.get_customer("99"), [refusal(401, "Unauthorized"), refusal(401, "Unauthorized")])


@pytest.mark.parametrize("key", ["", "abc", "1/2", "..", "1\n", "-1", "\u0661", "1" * 19])
def test_only_digits_are_an_id(key):
    for flow in (
        BOOKS.get_customer(key),
        BOOKS.get_invoice(key),
        BOOKS.invoice_pdf(key),
        invoices.complete(key),
        BOOKS.send_invoice(key, None),
        BOOKS.was_sent(key, datetime.now(UTC)),
        BOOKS.look_for_invoices("R-1", key, datetime.now(UTC)),
        BOOKS.update_customer(Customer(id=key, name="Quellmoos")),
    ):
        with pytest.raises(NotFound, match="ids of this vendor are digits"):
            play(flow)


def test_an_unreadable_customer_is_malformed_with_its_path():
    with pytest.raises(MalformedResponse) as malformed:
        play(BOOKS.get_customer("1"), [answer({"client": {"name": "Quellmoos"}})])
    assert ("id: is not a number",) == malformed.value.problems
    with pytest.raises(MalformedResponse, match="unreadable customer"):
        play(BOOKS.get_customer("1"), [answer({"client": client(name="")})])


# ---- finding -----------------------------------------------------------------------------------------------


def test_a_number_is_compared_exactly_because_the_filter_finds_substrings():
    body = clients(client(1, client_number="KD1"), client(2, client_number="KD12"), client(3, client_number="kd1"))
    found, asked = play(BOOKS.find_customer("KD1"), [body])
    assert ("1", ["KD1"]) == (found.id, params(asked, "client_number"))


def test_all_pages_are_searched():
    found, asked = play(
        BOOKS.find_customer("7"),
        [
            clients(client(1, client_number="17"), total=2, per_page=1),
            clients(client(2, client_number="7"), total=2, per_page=1),
        ],
    )
    assert ("2", ["1", "2"]) == (found.id, params(asked, "page"))


def test_a_search_starts_over_when_something_was_deleted_meanwhile():
    three = [clients(client(key, client_number=str(key)), total=3, per_page=1) for key in (17, 27)]
    moved = [clients(client(key, client_number=str(key)), total=2, per_page=1) for key in (7, 27, 7)]
    found, asked = play(BOOKS.find_customer("7"), [three[0], moved[0], moved[1], moved[2]])
    assert (["1", "2", "1", "2"], "7") == (params(asked, "page"), found.id)


def test_nobody_has_the_number():
    assert play(BOOKS.find_customer("KD9"), [clients()])[0] is None


def test_two_with_the_same_number_are_not_guessed_between():
    with pytest.raises(DuplicateFound) as found:
        play(BOOKS.find_customer("KD1"), [clients(client(1, client_number="KD1"), client(2, client_number="KD1"))])
    assert ("1", "2") == found.value.ids


@pytest.mark.parametrize("records", [None, [None, client(1)], ["text"]])
def test_a_search_that_cannot_be_read_proves_nothing(records):
    body = answer({"clients": {"client": records, "@page": "1", "@per_page": "1000", "@total": "2"}})
    with pytest.raises(MalformedResponse):
        play(BOOKS.find_customer("KD1"), [body])


def test_the_one_that_is_looked_for_must_be_readable_and_the_others_need_not():
    odd = client(2, client_number="KD1", name=["list"])
    with pytest.raises(MalformedResponse):
        play(BOOKS.find_customer("KD1"), [clients(odd)])
    assert play(BOOKS.find_customer("KD2"), [clients(odd)])[0] is None


def test_an_empty_number_would_list_everybody_and_is_refused():
    with pytest.raises(InvalidRequest, match="number"):
        play(BOOKS.find_customer(" "))


def test_there_is_no_marker():
    assert play(BOOKS.find_marked_customer(CUSTOMER))[0] is None


# ---- writing -----------------------------------------------------------------------------------------------


def test_every_field_of_a_customer_is_written_and_nothing_else():
    new = Customer(
        number="KD-0042",
        name="Quellmoos Beispiel GmbH",
        address=Address(
            street="Beispielweg",
            house_number="1a",
            addition="Gebäude 10",
            postal_code="12345",
            city="Wien",
            country_code="AT",
        ),
        email="rechnung@quellmoos.example",
        phone="030 5550 100",
        website="https://www.quellmoos.example/kontakt",
        vat_number="DE 123 456 789",
        registration_number="12/345/05550",
        iban="DE89 3704 0044 0532 0130 00",
        bic="COBADEFFXXX",
        payment_terms_days=0,
        currency="EUR",
        language="de",
        active=False,
        contacts=(Contact(first_name="Silke", last_name="Blindtext"),),
    )
    _, asked = play(BOOKS.create_customer(new), [answer({"client": FULL}, 201)])
    assert ("POST", "/api/clients", False) == (asked[0].method, asked[0].path, asked[0].repeatable)
    assert {
        "number_pre": "KD-",
        "number": "42",
        "number_length": "4",
        "archived": "1",
        "name": "Quellmoos Beispiel GmbH",
        "first_name": "Silke",
        "last_name": "Blindtext",
        "street": "Beispielweg 1a\nGebäude 10",
        "zip": "12345",
        "city": "Wien",
        "country_code": "AT",
        "phone": "030 5550 100",
        "email": "rechnung@quellmoos.example",
        "www": "www.quellmoos.example/kontakt",
        "tax_number": "12/345/05550",
        "vat_number": "DE123456789",
        "bank_iban": "DE89370400440532013000",
        "bank_swift": "COBADEFFXXX",
        "locale": "de_AT",
        "currency_code": "EUR",
        "due_days_type": "ABSOLUTE",
        "due_days": "0",
    } == sent(asked[0])["client"]


def test_what_is_not_set_is_not_sent():
    _, asked = play(BOOKS.create_customer(Customer(name="Quellmoos")), [answer({"client": FULL}, 201)])
    assert {"client": {"name": "Quellmoos"}} == sent(asked[0])


@pytest.mark.parametrize(
    ("person", "written"),
    [
        ({"first_name": "Erika", "last_name": "Muster"}, {"first_name": "Erika", "last_name": "Muster"}),
        ({}, {"last_name": "Erika Muster"}),
    ],
)
def test_a_person_is_written_without_company_name(person, written):
    new = Customer(name="Erika Muster", is_person=True, **person)
    _, asked = play(BOOKS.create_customer(new), [answer({"client": FULL}, 201)])
    assert {"client": written} == sent(asked[0])


@pytest.mark.parametrize(
    ("language", "country", "locale"),
    [("de", None, "de_DE"), ("de", "CH", "de_CH"), ("de", "NL", "de_DE"), ("en", "DE", "en_GB"), ("NL", None, "nl_NL")],
)
def test_a_language_becomes_a_locale(language, country, locale):
    new = Customer(name="Quellmoos", language=language, address=Address(country_code=country))
    _, asked = play(BOOKS.create_customer(new), [answer({"client": FULL}, 201)])
    assert locale == sent(asked[0])["client"]["locale"]


def test_all_that_billomat_would_refuse_is_named_before_anything_is_sent():
    bad = Customer(
        number="KD-NEU",
        name="Quellmoos",
        email="a@b",
        vat_number="123",
        iban="DE89370400440532013001",
        language="deutsch",
        phone="1",
        contacts=(Contact(first_name="A", phone="2"), Contact(first_name="B")),
    )
    with pytest.raises(InvalidRequest) as refused:
        play(BOOKS.create_customer(bad))
    named = ["email", "vat_number", "iban", "language", "contacts", "contacts[0].phone", "number"]
    assert named == [problem.field for problem in refused.value.problems]


def test_an_update_is_partial_and_may_be_repeated():
    _, asked = play(BOOKS.update_customer(Customer(id="4850001", name="Neu")), [answer({"client": FULL})])
    assert [("PUT", "/api/clients/4850001", True)] == [(one.method, one.path, one.repeatable) for one in asked]
    assert {"client": {"name": "Neu"}} == sent(asked[0])


def test_a_number_is_written_only_when_it_changes():
    same = Customer(id="4850001", number="KD00001", name="Neu")
    _, asked = play(BOOKS.update_customer(same), [answer({"client": FULL}), answer({"client": FULL})])
    assert {"client": {"name": "Neu"}} == sent(asked[1])
    other = Customer(id="4850001", number="7", name="Neu")
    _, asked = play(BOOKS.update_customer(other), [answer({"client": FULL}), answer({"client": FULL})])
    assert {"client": {"number_pre": "", "number": "7", "number_length": "1", "name": "Neu"}} == sent(asked[1])


def test_an_old_number_without_digits_is_no_reason_to_refuse_an_update():
    odd = answer({"client": client(client_number="ALT")})
    play(BOOKS.update_customer(Customer(id="4850001", number="ALT", name="Neu")), [odd, odd])
    with pytest.raises(InvalidRequest, match="must end in digits"):
        play(BOOKS.update_customer(Customer(id="4850001", number="NEU", name="Neu")), [odd])


def test_an_update_of_nobody_is_not_found():
    with pytest.raises(NotFound):
        play(BOOKS.update_customer(Customer(id="9", name="Neu")), [refusal(401, "row not found"), answer({})])


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        ("KD00008", ("KD", "00008")),
        ("8", ("", "8")),
        ("2024-RE-0017", ("2024-RE-", "0017")),
        ("2147483647", ("", "2147483647")),
        ("2147483648", ("2", "147483648")),
        ("20240000000017", ("2024", "0000000017")),
    ],
)
def test_a_number_is_prefix_and_running_digits(number, parts):
    assert parts == split_number(number)


@pytest.mark.parametrize("number", ["KD", "17a", "KD-0", "000", "17 ", "\u0661", "KD\u00b2", ""])
def test_a_number_that_billomat_cannot_count_is_a_problem(number):
    assert ["number"] == [problem.field for problem in number_problems(number, "number")]


@given(st.from_regex(r"[A-Za-z0-9.:/-]{1,60}", fullmatch=True))
def test_a_number_that_can_be_kept_is_put_together_as_it_was(number):
    if not number_problems(number, "number"):
        fields = number_fields(number)
        assert number == fields["number_pre"] + fields["number"].zfill(int(fields["number_length"]))
        assert 0 < int(fields["number"]) < 2**31


@given(
    st.builds(
        Customer,
        id=st.just("4850001"),
        number=st.just("KD00001"),
        name=st.text("abc ÄÖ&", min_size=1).filter(str.strip),
        phone=st.none() | st.text("0123", min_size=1),
        address=st.none()
        | st.builds(
            Address,
            street=st.text("abc", min_size=1),
            addition=st.none() | st.text("abc", min_size=1),
            city=st.none() | st.text("abc", min_size=1),
            country_code=st.none() | st.sampled_from(["DE", "AT"]),
        ),
        payment_terms_days=st.none() | st.integers(0, 90),
        language=st.none() | st.sampled_from(["de", "en", "nl"]),
        active=st.booleans(),
        contacts=st.just(()) | st.builds(lambda name: (Contact(last_name=name),), st.text("abc", min_size=1)),
    )
)
def test_what_is_written_is_read_back(customer):
    _, asked = play(BOOKS.create_customer(customer), [answer({"client": FULL}, 201)])
    kept = {"id": "4850001", "client_number": "KD00001", **sent(asked[0])["client"]}
    assert customer == play(BOOKS.get_customer("4850001"), [answer({"client": kept})])[0]


# ---- master data -------------------------------------------------------------------------------------------


def test_check_says_whose_books_these_are_and_what_runs_out():
    quotas = [
        {"entity": "documents", "available": "100", "used": "95"},
        {"entity": "clients", "available": "-1", "used": "5000"},
        {"entity": "articles", "available": "100", "used": "5"},
        {"entity": "odd", "available": "many", "used": ""},
    ]
    me = client(name="Musterbüro", plan="L", quotas={"quota": quotas}, currency_code="EUR")
    found, asked = play(BOOKS.check(), [answer({"client": me})])
    assert (
        Connection(
            vendor="billomat",
            company="Musterbüro",
            account_id="musterfirma",
            currency="EUR",
            notes=("plan: L", "95 of 100 documents of the plan are used up"),
        )
        == found
    )
    assert ["/api/clients/myself"] == [one.path for one in asked]


@pytest.mark.parametrize("quotas", ["", None, {}, []])
def test_check_does_without_quotas_and_names(quotas):
    found, _ = play(BOOKS.check(), [answer({"client": {"quotas": quotas, "plan": {}}})])
    assert ("musterfirma", ()) == (found.company, found.notes)


@pytest.mark.parametrize("client", [{}, {"brandNew": {"name": "Musterbüro"}}, {"name": None}])
def test_what_is_no_account_is_not_taken_for_one(client):
    with pytest.raises(MalformedResponse, match=r"\$\.client"):
        play(BOOKS.check(), [answer({"client": client})])


def test_tax_rates_come_default_first_and_then_by_id():
    body = listing(
        "taxes", "tax",
        {"id": "30", "name": "USt", "rate": "7", "is_default": "0"},
        {"id": "4", "name": "MwSt", "rate": "7.0", "is_default": "0"},
        {"id": "50", "name": "VAT", "rate": 19, "is_default": 1},
        {"id": "60", "name": "odd", "rate": "many"},
    )  # fmt: skip
    rates, _ = play(BOOKS.tax_rates(), [body])
    assert [("50", Decimal(19), True), ("4", Decimal(7), False), ("30", Decimal(7), False)] == [
        (rate.id, rate.rate, rate.is_default) for rate in rates
    ]


def test_articles_get_their_unit_and_rate():
    article = {
        "id": "8",
        "archived": "1",
        "article_number": "ART3",
        "title": "Tomaten",
        "description": "Rot",
        "unit_id": "20574",
        "tax_id": "21001",
        "type": "PRODUCT",
        "sales_price": "2.5",
    }
    units = listing("units", "unit", {"id": "20574", "name": "Stück"})
    body = listing("articles", "article", article, {"id": "9", "title": ""}, None, total=2000)
    page, asked = play(BOOKS.list_articles(None), [units, TAXES, settings(net_gross="GROSS"), body])
    first, second = page.items
    assert ("8", "ART3", "Tomaten", "Stück", Decimal("2.5"), True, Decimal(19), False, False) == (
        first.id, first.number, first.name, first.unit, first.unit_price, first.price_includes_tax, first.tax_rate,
        first.is_service, first.active,
    )  # fmt: skip
    assert (None, None, True) == (second.unit, second.tax_rate, second.is_service)
    assert ("2", 1) == (page.cursor, len(page.skipped))
    assert "/api/articles" == asked[-1].path


def test_the_accounts_payment_term_is_read_from_its_settings():
    (term,), _ = play(BOOKS.payment_terms(), [settings(due_days="14", discount_days="7", discount_rate="2")])
    assert (14, 7, Decimal(2), True) == (term.days, term.discount_days, term.discount_percent, term.is_default)


@pytest.mark.parametrize("body", [settings(due_days=""), refusal(403, "Forbidden")])
def test_without_a_term_or_the_right_to_see_it_there_is_none(body):
    assert () == play(BOOKS.payment_terms(), [body])[0]


def test_there_are_no_ledger_accounts():
    with pytest.raises(Unsupported, match="revenue accounts"):
        play(BOOKS.ledger_accounts())


def test_whether_customers_are_created_is_a_setting():
    assert [True, False] == [billomat(create_customers=flag).creates_customers for flag in (True, False)]
