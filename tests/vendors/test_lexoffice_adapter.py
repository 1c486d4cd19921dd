"""lexoffice: credentials, refusals, limits, reference data."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from _lexoffice import ACME, INVOICE, KEY, documented, lexoffice, listing, plain, profile
from _play import answer, play
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge.adapter import Adapter
from accounting_bridge.errors import (
    AuthenticationFailed,
    BridgeError,
    Conflict,
    InvalidRequest,
    MalformedResponse,
    NotFound,
    PermissionDenied,
    Unavailable,
    Unsupported,
)
from accounting_bridge.flow import Request, Response
from accounting_bridge.models import Attachment
from accounting_bridge.vendors.lexoffice import Lexoffice, wire
from accounting_bridge.vendors.lexoffice.errors import neutral_field


def judged(body: object, status: int, method: str = "POST") -> BridgeError | None:
    response = evolve(answer(body, status), request=Request(method=method, path="/v1/anything"))
    return lexoffice().classify(response)


def problems_of(body: object, status: int = 406) -> list[tuple[str, str | None]]:
    error = judged(body, status)
    assert isinstance(error, InvalidRequest)
    return [(problem.field, problem.code) for problem in error.problems]


# ---- credentials, limits ---------------------------------------------------------------------------------------


def test_it_is_an_adapter_with_the_vendors_own_origin():
    adapter: Adapter = lexoffice()
    assert ("https://api.lexware.io", "lexoffice") == (adapter.origin, adapter.vendor)
    assert "http://127.0.0.1:1" == Lexoffice(settings=lexoffice().settings, origin="http://127.0.0.1:1").origin


def test_the_key_travels_as_bearer_and_shows_nowhere_else():
    adapter = lexoffice()
    signed = adapter.authorize(Request(method="GET", path="/v1/profile", headers={"accept": "x"}), None)
    assert {"accept": "x", "authorization": f"Bearer {KEY}"} == signed.headers
    for text in (repr(adapter), str(adapter), adapter.limit_key, repr(signed), repr(adapter.limits)):
        assert KEY not in text
    assert [KEY] == [secret.reveal() for secret in adapter.secrets()]
    assert adapter.refresh(None) is None
    with pytest.raises(TypeError):
        pickle.dumps(adapter)


def test_calls_are_spaced_as_set_and_counted_by_key():
    assert 0.55 == lexoffice().limits.spacing
    assert 0.8 == lexoffice(spacing=0.8).limits.spacing
    assert lexoffice().limit_key == lexoffice(spacing=1.0).limit_key
    assert lexoffice().wait_hint(answer()) is None
    assert lexoffice().rate_signal(answer()) is None


def test_settings_that_cannot_be_right_are_named_together():
    with pytest.raises(InvalidRequest) as error:
        lexoffice(spacing=-1.0, default_tax_rate=Decimal(190), default_country="Germany", app_url="https://a/b")
    expected = ["spacing", "default_tax_rate", "default_country", "app_url"]
    assert expected == [problem.field for problem in error.value.problems]


# ---- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_error(status):
    assert judged(b"", status) is None


@pytest.mark.parametrize(
    ("fixture", "status", "kind"),
    [
        ("documented_error_gateway_401", 401, AuthenticationFailed),
        ("documented_error_gateway_403", 403, AuthenticationFailed),
        ("documented_error_regular_406", 406, InvalidRequest),
        ("documented_error_legacy", 406, InvalidRequest),
        ("documented_error_legacy_old_docs", 400, InvalidRequest),
    ],
)
def test_the_documented_refusals_are_told_apart(fixture, status, kind):
    assert kind is type(judged(plain(documented(fixture)), status))


def test_the_documented_refusals_name_the_neutral_fields():
    assert [("lines[0].tax_rate", "NOTNULL")] == problems_of(plain(documented("documented_error_regular_406")))
    assert [("name", "missing_entity")] == problems_of(plain(documented("documented_error_legacy")))
    expected = [("vat_number", "missing_entity"), ("registration_number", "missing_entity")]
    assert expected == problems_of(plain(documented("documented_error_legacy_old_docs")))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthenticationFailed),
        (402, PermissionDenied),
        (403, PermissionDenied),
        (404, NotFound),
        (409, Conflict),
        (400, InvalidRequest),
        (405, InvalidRequest),
        (406, InvalidRequest),
        (415, InvalidRequest),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>Bad</html>", b"[]", b"null", b'"x"', b"\xff", {"message": None}])
def test_a_status_is_enough_whatever_the_body(status, kind, body):
    assert kind is type(judged(body, status))


def test_a_stale_version_is_a_conflict_and_a_missing_one_is_not():
    def issue(key):
        return {"IssueList": [{"i18nKey": key, "source": "version", "type": "validation_failure"}]}

    assert Conflict is type(judged(issue("invalid_value"), 406))
    assert InvalidRequest is type(judged(issue("missing_entity"), 406))
    assert InvalidRequest is type(judged({"details": [{"violation": "NOTNULL", "field": "version"}]}, 406))


def test_a_number_taken_at_the_same_moment_may_be_tried_again():
    error = judged({"IssueList": [{"i18nKey": "account_number_already_exists", "source": "roles"}]}, 406)
    assert Unavailable is type(error)


def test_the_missing_billing_address_is_said_where_it_belongs():
    text = "Referenced contact needs to have exactly one billing address, but 0 addresses were found."
    assert [("customer.address", None)] == problems_of({"message": text})


def test_a_draft_has_no_file():
    error = judged({"message": "… is in status 'draft' and therefore cannot be downloaded"}, 409, method="GET")
    assert isinstance(error, Conflict)
    assert "still a draft" in str(error)


@pytest.mark.parametrize(
    ("vendors", "expected"),
    [
        ("lineItems[2].unitPrice.netAmount", "lines[2].unit_price"),
        ("lineItems[2].name", "lines[2].description"),
        ("lineItems[2].discountPercentage", "lines[2].discount_percent"),
        ("lineItems[2].quantity", "lines[2].quantity"),
        ("lineItems", "lines"),
        ("address.contactId", "customer"),
        ("voucherDate", "issue_date"),
        ("voucherNumber", "number"),
        ("paymentConditions.paymentTermLabel", "payment_terms_days"),
        ("shippingConditions.shippingEndDate", "service_period"),
        ("taxConditions.taxType", "tax_treatment"),
        ("totalPrice.totalDiscountPercentage", "discount_percent"),
        ("person.lastName", "last_name"),
        ("addresses.billing[0].countryCode", "address.country_code"),
        ("addresses.billing[0].zip", "address.postal_code"),
        ("emailAddresses[0].emailAddress", "email"),
        ("company.contactPersons[0].lastName", "contacts[0].last_name"),
        ("voucherItems[0].taxAmount", "voucherItems[0].taxAmount"),
        ("", ""),
    ],
)
def test_paths_are_said_in_neutral_words(vendors, expected):
    assert expected == neutral_field(vendors)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["IssueList", "details", "message", "field", "source", "i18nKey", "violation"]), inner
        )
    ),
)


@given(_json, st.integers(400, 499))
def test_no_body_crashes_the_reading_of_a_refusal(body, status):
    assert isinstance(lexoffice().classify(Response(status=status, body=json.dumps(body).encode())), BridgeError)


# ---- reference data --------------------------------------------------------------------------------------------


def test_check_tells_whose_books_these_are():
    sample = documented("documented_profile")
    connection = play(lexoffice().check(), [sample]).result
    expected = ("Testfirma GmbH", "aa93e8a8-2aa3-470b-b914-caad8a255dd8", "Frau Erika Musterfrau", "EUR", False, ())
    shown = (connection.company, connection.account_id, connection.user, connection.currency)
    assert expected == (*shown, connection.small_business, connection.notes)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"businessFeatures": ["BOOKKEEPING"]}, "INVOICING"),
        ({"businessFeatures": ["INVOICING"]}, "BOOKKEEPING"),
        ({"taxType": "vatfree"}, "free of VAT"),
        ({"smallBusiness": True, "taxType": "vatfree"}, "small business"),
    ],
)
def test_check_notes_what_the_account_cannot_do(more, words):
    (note,) = play(lexoffice().check(), [profile(**more)]).result.notes
    assert words in note


def test_articles_have_the_price_that_was_typed_in():
    listed = listing([plain(documented("documented_article_get")), {"id": "x", "title": None}], last=False, total=300)
    page = play(lexoffice().list_articles(None), [listed]).result
    (article,) = page.items
    shown = (article.number, article.unit_price, article.price_includes_tax, article.tax_rate, article.is_service)
    assert ("LXW-BUHA-2024-001", Decimal("61.9"), False, Decimal(19), False) == shown
    assert ("1:300", 1) == (page.cursor, len(page.skipped))


def test_an_article_with_nulls_is_read():
    record = {
        "id": ACME,
        "title": "Stunde",
        "type": "SERVICE",
        "description": None,
        "articleNumber": None,
        "price": {"leadingPrice": "GROSS", "netPrice": 1, "grossPrice": Decimal("1.19"), "taxRate": 19},
    }
    (article,) = play(lexoffice().list_articles(None), [listing([record])]).result.items
    assert (Decimal("1.19"), True) == (article.unit_price, article.price_includes_tax)


def test_rates_are_the_documented_ones_without_a_request():
    rates = play(lexoffice(default_tax_rate=Decimal(19)).tax_rates()).result
    assert [(0, False), (7, False), (19, True)] == [(rate.rate, rate.is_default) for rate in rates]


def test_ledger_accounts_are_the_income_categories():
    sample = documented("documented_posting_categories")
    accounts = play(lexoffice().ledger_accounts(), [sample]).result
    assert ["Einnahmen", "Dienstleistung"] == [account.name for account in accounts]


def test_an_unreadable_list_of_categories_is_not_taken_for_an_empty_one():
    with pytest.raises(MalformedResponse):
        play(lexoffice().ledger_accounts(), [answer({"content": []})])


def test_payment_terms_are_read_with_their_discount():
    sample = documented("documented_payment_conditions")
    terms = play(lexoffice().payment_terms(), [sample]).result
    expected = [(14, None, None, False), (30, 10, Decimal("3.0"), True)]
    assert expected == [(term.days, term.discount_days, term.discount_percent, term.is_default) for term in terms]


def test_what_the_vendor_cannot_do_is_refused_without_a_request():
    books = lexoffice()
    file = Attachment(filename="a.pdf", content=b"x")
    for flow in (
        books.finalize_invoice(INVOICE),
        books.send_invoice(INVOICE, None),
        books.was_sent(INVOICE, datetime(2026, 1, 1, tzinfo=UTC)),
        books.attach(INVOICE, file),
    ):
        with pytest.raises(Unsupported):
            play(flow)


def test_a_day_is_midnight_in_berlin_with_that_days_offset():
    expected = ["2026-03-28T00:00:00.000+01:00", "2026-03-30T00:00:00.000+02:00"]
    assert expected == [wire.midnight(datetime(2026, 3, day, tzinfo=UTC).date()) for day in (28, 30)]


def test_late_in_the_evening_utc_it_is_tomorrow_in_berlin():
    assert 11 == wire.today(datetime(2026, 3, 10, 23, 30, tzinfo=UTC)).day
