"""Bad input: a typed error that names every problem at once, before anything is written, and nothing created."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from sandboxed import Vendor, customer, draft, every_vendor, issued, line, serving_all

import accounting_bridge as ab
from accounting_bridge.vendors.memory import MemoryBooks


@pytest.fixture(scope="module")
def servers() -> Iterator[Mapping[str, Vendor]]:
    with serving_all() as servers:
        yield servers


@pytest.fixture
def vendor(request: pytest.FixtureRequest, servers: Mapping[str, Vendor]) -> Vendor:
    """With untouched books."""
    found = servers[request.param]
    found.renew()
    return found


def refused(vendor: Vendor, call: Callable[[Any], Any], kind: type[ab.Refused] = ab.InvalidRequest) -> Any:
    """The error; nothing was written, let alone created."""
    before = len(vendor.box.customers)
    with vendor.connect() as provider, pytest.raises(kind) as caught:
        call(provider)
    assert vendor.writes() == []
    assert (len(vendor.box.customers), len(vendor.box.invoices)) == (before, 0)
    assert type(caught.value) is kind
    return caught.value


def named(error: ab.InvalidRequest) -> list[str]:
    return sorted(problem.field for problem in error.problems)


# ---- what no model takes: refused where it is written, without a connection ----------------------------------------

FLOAT, NAN, NAIVE = 12.3, Decimal("NaN"), datetime(2026, 3, 31, 12, 0)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (lambda: draft(lines=[]), ["lines"]),
        (lambda: draft(lines=[ab.TextLine(description="nur Text")]), ["lines"]),
        (lambda: issued(lines=[]), ["lines"]),
        (lambda: issued(lines=[ab.TextLine(description="nur Text")]), ["lines"]),
        (lambda: line(unit_price=FLOAT, quantity=FLOAT, tax_rate=FLOAT, discount_percent=FLOAT),
         ["discount_percent", "quantity", "tax_rate", "unit_price"]),
        (lambda: line(unit_price=NAN, quantity=Decimal("Infinity"), tax_rate=Decimal("sNaN"),
                      discount_percent=Decimal("-Infinity")),
         ["discount_percent", "quantity", "tax_rate", "unit_price"]),
        (lambda: line(unit_price="12.30", quantity=None), ["quantity", "unit_price"]),
        (lambda: line(unit_price=Decimal("1e30"), quantity=Decimal("1e-30")), ["quantity", "unit_price"]),
        (lambda: line(tax_rate=Decimal(-1), discount_percent=Decimal(101)), ["discount_percent", "tax_rate"]),
        (lambda: draft(discount_percent=FLOAT, currency="euro", reference="A 1", due_date=date(2026, 3, 1)),
         ["currency", "discount_percent", "due_date", "due_date", "reference"]),
        (lambda: draft(issue_date=datetime(2026, 3, 31)), ["issue_date"]),  # noqa: DTZ001
        (lambda: issued(sent_at=NAIVE, total_gross=NAN, pdf=b"no pdf"), ["pdf", "sent_at", "total_gross"]),
        (lambda: issued(number="Ü/1", sent_at=date(2026, 3, 31)), ["number", "sent_at"]),
        (lambda: customer(name=" ", email="a\x00b", payment_terms_days=-1, currency="E", updated_at=NAIVE),
         ["currency", "email", "name", "payment_terms_days", "updated_at"]),
        (lambda: ab.Address(street="a\x07", country_code="Deutschland"), ["country_code", "street"]),
        (ab.CustomerRef, [""]),
        (lambda: ab.CustomerRef(id="1", number="2"), [""]),
        (lambda: ab.Attachment(filename="../x", content=b"", content_type="a\r\nb"),
         ["content", "content_type", "filename"]),
    ],
)  # fmt: skip
def test_a_model_names_every_problem_at_once(make: Callable[[], Any], fields: list[str]) -> None:
    with pytest.raises(ab.InvalidRequest) as caught:
        make()
    assert named(caught.value) == fields


def test_lines_of_the_wrong_kind_are_named_each() -> None:
    with pytest.raises(ab.InvalidRequest) as caught:
        draft(lines=[line(), "Beratung", None, {"description": "x"}], customer="4711")
    assert named(caught.value) == ["customer", "lines[1]", "lines[2]", "lines[3]"]


@pytest.mark.parametrize("treatment", [t for t in ab.TaxTreatment if t is not ab.TaxTreatment.DOMESTIC])
def test_a_rate_on_a_tax_free_line_is_refused(treatment: ab.TaxTreatment) -> None:
    with pytest.raises(ab.InvalidRequest) as caught:
        draft(tax_treatment=treatment, lines=[line(), line(tax_rate=Decimal(0)), line(tax_rate=None)])
    assert named(caught.value) == ["lines[0].tax_rate"]


# ---- credentials -------------------------------------------------------------------------------------------------


@every_vendor
def test_a_wrong_key_is_authentication_failed_whatever_is_called(vendor: Vendor) -> None:
    with vendor.connect_wrong() as provider:
        for call in (
            provider.check,
            lambda: list(provider.import_customers()),
            lambda: provider.find_customer("10001"),
            lambda: provider.ensure_customer(customer()),
            lambda: provider.create_invoice(vendor.draft()),
            lambda: provider.book_sale(vendor.issued()),
            provider.payment_terms,
        ):
            with pytest.raises(ab.AuthenticationFailed):
                call()
    assert vendor.writes() == []


@every_vendor
def test_a_wrong_key_is_tried_once_for_many_documents(vendor: Vendor) -> None:
    """Every further call would be one more knock."""
    with vendor.connect_wrong() as provider:
        outcomes = list(provider.create_invoices([vendor.draft("a"), vendor.draft("b"), vendor.draft("c")]))
    assert [type(outcome.error) for outcome in outcomes] == [ab.AuthenticationFailed] * 3
    assert len(vendor.box.log) == vendor.knocks


@pytest.mark.parametrize(
    "account",
    [
        "", "musterbuero.evil.example", "evil.example/", "evil.example#", "evil.example?", "x@evil.example",
        "a:8443", "a/../b", "127.0.0.1", "-a", "a-", "a_b", "ä", "muster\nbuero", "muster buero", "a" * 64, "\u212a",
        7, None, ["musterbuero"],
    ],
    ids=repr,
)  # fmt: skip
def test_an_account_name_that_could_lead_elsewhere_is_refused(account: Any) -> None:
    """It becomes part of a host name, to which the key is sent."""
    with pytest.raises(ab.InvalidRequest) as caught:
        ab.connect("billomat", {"account": account, "api_key": "k" * 32})
    assert named(caught.value) == ["account"]


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(ab.InvalidRequest) as caught:
        ab.connect("billomat", {"acount": "x", "create_customers": "yes", "default_tax_rate": 19.0})
    assert named(caught.value) == ["account", "acount", "api_key", "create_customers", "default_tax_rate"]


@pytest.mark.parametrize(
    "url",
    [
        "http://api.lexware.io", "https://api.lexware.io/v1", "https://user@evil.example", "ftp://x.example", "x",
        "https://a.example?x=1", "https://a.example#x", "https://", "https://a..b", "https://a.example:0", "https://[::g]",
    ],
)  # fmt: skip
def test_a_base_url_is_an_origin_and_encrypted(url: str) -> None:
    with pytest.raises(ab.InvalidRequest) as caught:
        ab.connect("lexoffice", {"api_key": "k" * 32}, base_url=url)
    assert named(caught.value) == ["base_url"]


# ---- customers ---------------------------------------------------------------------------------------------------


@every_vendor
def test_a_customer_that_is_not_there_is_not_found_and_not_made(vendor: Vendor) -> None:
    for ref in (ab.CustomerRef(number="99999999"), ab.CustomerRef(id=vendor.unknown_id)):
        for call in (
            lambda provider, ref=ref: provider.plan_invoice(vendor.draft(customer=ref)),
            lambda provider, ref=ref: provider.create_invoice(vendor.draft(customer=ref)),
            lambda provider, ref=ref: provider.book_sale(vendor.issued(customer=ref)),
        ):
            refused(vendor, call, ab.NotFound)


@every_vendor
def test_what_is_wrong_with_a_new_customer_is_named_with_what_is_wrong_with_the_invoice(vendor: Vendor) -> None:
    """Before the customer is made, so that no half of the work is left in the books."""
    unfit = vendor.unfit_customer
    wanted = vendor.draft(customer=customer(**unfit.changes), lines=[vendor.line(tax_rate=Decimal("3.21"))])
    error = refused(vendor, lambda provider: provider.create_invoice(wanted))
    assert named(error) == [*unfit.fields, "lines[0].tax_rate"]


@every_vendor
def test_a_customer_without_a_number_cannot_be_ensured(vendor: Vendor) -> None:
    error = refused(vendor, lambda provider: provider.ensure_customer(customer(number=None)))
    assert named(error) == ["customer.number"]
    assert vendor.box.log == ()


@pytest.mark.parametrize("vendor", ["lexoffice"], indirect=True)
def test_a_note_of_more_than_a_thousand_characters_is_refused(vendor: Vendor) -> None:
    """Documented: 1000. What has no field of its own is kept there, the number above all."""
    wanted = customer(website="https://musterwerk.example/" + "x" * 1000)
    error = refused(vendor, lambda provider: provider.ensure_customer(wanted))
    assert named(error) == ["number"]
    assert "1000 characters" in str(error)


@pytest.mark.parametrize("vendor", ["lexoffice"], indirect=True)
def test_two_contact_persons_are_one_too_many_and_one_needs_a_last_name(vendor: Vendor) -> None:
    people = [ab.Contact(first_name="Erika"), ab.Contact(last_name="Beispiel")]
    assert named(refused(vendor, lambda provider: provider.ensure_customer(customer(contacts=people)))) == ["contacts"]
    alone = customer(contacts=people[:1])
    error = refused(vendor, lambda provider: provider.ensure_customer(alone))
    assert named(error) == ["contacts[0].last_name"]


@pytest.mark.parametrize("vendor", ["lexoffice"], indirect=True)
def test_a_salutation_that_is_too_long_cannot_be_written_at_all(vendor: Vendor) -> None:
    """Documented: 25. The models have none, and one in the books is kept as it is."""
    contact = {
        "roles": {"customer": {}},
        "person": {"salutation": "S" * 25, "firstName": "Erika", "lastName": "Beispiel"},
        "addresses": {"billing": [{"street": "Beispielweg 7", "zip": "10115", "city": "Berlin", "countryCode": "DE"}]},
    }
    made = vendor.box.add_contact(contact)
    with vendor.connect() as provider:
        (known,) = [one for one in provider.import_customers() if one.id == made]
        provider.update_customer(evolve(known, email="erika@beispiel.example"))
        raw = provider.request("GET", f"/v1/contacts/{made}").body.decode()
    assert f'"salutation":"{"S" * 25}"' in raw


@every_vendor
def test_an_update_without_an_id_or_with_a_hostile_one_is_refused_before_anything_is_sent(vendor: Vendor) -> None:
    for hostile in (None, "../../admin", "..", "a/b", "1?x=1", "1#x", "1\n2", "\u0661\u0662"):
        with vendor.connect() as provider, pytest.raises(ab.Refused):
            provider.update_customer(ab.Customer(name="Musterwerk GmbH", id=hostile))
    assert vendor.box.log == ()


# ---- documents ---------------------------------------------------------------------------------------------------


@every_vendor
def test_every_problem_of_a_draft_is_named_at_once(vendor: Vendor) -> None:
    """Unknown rates, too many decimals, accounts and attachments that have no place."""
    file, field = vendor.unfit_file
    wanted = vendor.draft(
        lines=[
            vendor.line(tax_rate=Decimal("3.21")),
            vendor.line(unit_price=Decimal("1.123456")),
            vendor.line(quantity=Decimal("1.23456"), tax_rate=None),
            vendor.line(ledger_account="8400"),
            ab.TextLine(description="Text"),
        ],
        attachments=[file],
    )
    error = refused(vendor, lambda provider: provider.create_invoice(wanted))
    assert named(error) == [
        field,
        "lines[0].tax_rate",
        "lines[1].unit_price",
        "lines[2].quantity",
        "lines[2].tax_rate",
        "lines[3].ledger_account",
    ]
    assert all(problem.message for problem in error.problems)


@every_vendor
def test_the_same_is_said_by_a_plan(vendor: Vendor) -> None:
    wanted = vendor.draft(lines=[vendor.line(tax_rate=Decimal("3.21")), vendor.line(unit_price=Decimal("1.123456"))])
    error = refused(vendor, lambda provider: provider.plan_invoice(wanted))
    assert named(error) == ["lines[0].tax_rate", "lines[1].unit_price"]


@every_vendor
def test_a_refused_draft_can_be_made_right_under_its_reference(vendor: Vendor) -> None:
    """A refusal leaves no trace in the journal."""
    with vendor.connect() as provider:
        with pytest.raises(ab.InvalidRequest):
            provider.create_invoice(vendor.draft(lines=[vendor.line(tax_rate=Decimal("3.21"))]))
        assert provider.create_invoice(vendor.draft()).created
    assert vendor.references("2026-03/4711") == 1


@every_vendor
def test_a_currency_that_is_not_that_of_the_books_is_never_taken_silently(vendor: Vendor) -> None:
    """Refused; or a draft that says so, and nothing final."""
    if not vendor.makes_foreign_drafts:
        error = refused(vendor, lambda provider: provider.create_invoice(vendor.draft(currency="CHF")))
        assert named(error) == ["currency"]
    else:
        error = refused(vendor, lambda provider: provider.create_invoice(vendor.draft(currency="CHF"), finalize=True))
        assert named(error) == ["currency"]
        with vendor.connect() as provider:
            plan = provider.plan_invoice(vendor.draft(currency="CHF"))
        assert any("CHF" in note for note in plan.notes)
    assert named(refused(vendor, lambda provider: provider.book_sale(vendor.issued(currency="CHF")))) == ["currency"]


@pytest.mark.parametrize("vendor", ["lexoffice"], indirect=True)
def test_lexoffice_takes_three_hundred_lines(vendor: Vendor) -> None:
    """Documented; text lines count."""
    lines = [*(vendor.line(quantity=Decimal(1)) for _ in range(300)), ab.TextLine(description="einer zu viel")]
    assert named(refused(vendor, lambda provider: provider.create_invoice(vendor.draft(lines=lines)))) == ["lines"]
    with vendor.connect() as provider:
        assert provider.create_invoice(vendor.draft(lines=lines[:300])).created


@pytest.mark.parametrize("vendor", ["lexoffice"], indirect=True)
def test_discounts_keep_two_decimals(vendor: Vendor) -> None:
    wanted = vendor.draft(lines=[vendor.line(discount_percent=Decimal("3.333"))], discount_percent=Decimal("1.125"))
    error = refused(vendor, lambda provider: provider.create_invoice(wanted))
    assert named(error) == ["discount_percent", "lines[0].discount_percent"]


@every_vendor
def test_an_intra_eu_invoice_without_a_vat_number_is_refused(vendor: Vendor) -> None:
    wanted = vendor.draft(tax_treatment=ab.TaxTreatment.INTRA_EU_SERVICES, lines=[vendor.line(tax_rate=None)])
    error = refused(vendor, lambda provider: provider.create_invoice(wanted))
    assert "customer.vat_number" in named(error)


@every_vendor
def test_an_article_that_is_none_is_refused(vendor: Vendor) -> None:
    wanted = vendor.draft(lines=[vendor.line(article="../../admin"), vendor.line(article="no article")])
    error = refused(vendor, lambda provider: provider.create_invoice(wanted))
    assert named(error) == ["lines[0].article", "lines[1].article"]


HOSTILE = [
    "../../admin",
    "..",
    ".",
    "a/b",
    "1?size=9999",
    "1#x",
    "",
    " ",
    "1\r\nX-Evil: 1",
    "%2e%2e",
    "1\x00",
    "\u0661",
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
@every_vendor
def test_a_hostile_id_is_refused_before_anything_is_sent(vendor: Vendor, hostile: str) -> None:
    """Wherever an id is taken."""
    with vendor.connect() as provider:
        for call in (
            lambda: provider.get_invoice(hostile),
            lambda: provider.invoice_pdf(hostile),
            lambda: provider.finalize_invoice(hostile),
            lambda: provider.send_invoice(hostile),
            lambda: provider.ensure_customer(customer(id=hostile)),
        ):
            with pytest.raises(ab.Refused):
                call()
        with pytest.raises(ab.Refused):
            provider.create_invoice(vendor.draft(customer=ab.CustomerRef(id=hostile)))
    assert vendor.box.log == ()


@pytest.mark.parametrize(
    "path",
    ["v1/x", "//evil.example/", "/../x", "/a/%2e%2e/b", "/a?b", "/a#b", "/a b", "/a\\b", "/a\r\nb", "/\ud800", ""],
    ids=repr,
)  # fmt: skip
@every_vendor
def test_a_raw_path_stays_at_its_origin(vendor: Vendor, path: str) -> None:
    with vendor.connect() as provider, pytest.raises(ab.InvalidRequest):
        provider.request("GET", path)
    assert vendor.box.log == ()


@every_vendor
def test_a_float_in_a_raw_request_is_refused_before_anything_is_sent(vendor: Vendor) -> None:
    with vendor.connect() as provider, pytest.raises(ab.InvalidRequest):
        provider.request("POST", "/v1/x", json={"amount": 12.3})
    assert vendor.box.log == ()


# ---- sales -------------------------------------------------------------------------------------------------------


@every_vendor
def test_an_invoice_that_was_not_sent_is_not_booked_and_nothing_is_asked(vendor: Vendor) -> None:
    refused(vendor, lambda provider: provider.book_sale(vendor.issued(sent_at=None)), ab.InvoiceNotSent)
    assert vendor.box.log == ()


@every_vendor
def test_every_problem_of_a_sale_is_named_at_once(vendor: Vendor) -> None:
    wanted = vendor.issued(
        lines=[
            vendor.line(tax_rate=Decimal("3.21")),
            vendor.line(ledger_account="nowhere"),
            vendor.line(tax_rate=None),
        ],
        currency="CHF",
    )
    error = refused(vendor, lambda provider: provider.book_sale(wanted))
    assert named(error) == ["currency", "lines[0].tax_rate", "lines[1].ledger_account", "lines[2].tax_rate"]


@every_vendor
def test_a_printed_total_that_rounding_does_not_explain_is_refused(vendor: Vendor) -> None:
    error = refused(vendor, lambda provider: provider.book_sale(vendor.issued(total_gross=Decimal("1.00"))))
    assert named(error) == ["total_gross"]


@pytest.mark.parametrize("vendor", ["lexoffice"], indirect=True)
def test_a_sale_of_nothing_is_refused(vendor: Vendor) -> None:
    error = refused(
        vendor, lambda provider: provider.book_sale(vendor.issued(lines=[vendor.line(unit_price=Decimal(0))]))
    )
    assert named(error) == ["lines"]


@every_vendor
def test_an_invoice_of_the_books_and_a_draft_are_no_issued_invoices(vendor: Vendor) -> None:
    for wrong in (vendor.draft(), {"number": "1"}, None):
        error = refused(vendor, lambda provider, wrong=wrong: provider.book_sale(wrong))
        assert named(error) == ["invoice"]
    assert vendor.box.log == ()


def test_a_closed_period_is_refused_before_anything_is_made() -> None:
    """Of the vendors here only the one in memory tells."""
    books = MemoryBooks(closed_until=date(2026, 3, 31))
    with ab.connect("memory", {"books": books}) as provider:
        for call in (provider.plan_sale, provider.book_sale):
            with pytest.raises(ab.PeriodClosed):
                call(issued())
        with pytest.raises(ab.PeriodClosed):
            provider.create_invoice(draft())
        assert (len(books.customers), books.invoices, books.sales) == (0, {}, {})
        assert provider.book_sale(issued(issue_date=date(2026, 4, 1))).created
