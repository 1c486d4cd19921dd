"""Settings: everything wrong is named at once, mappings work through connect, and articles are found in order."""

from decimal import Decimal

import pytest
from _visma import BOOKS, CLIENT, REDIRECT, SECRET, settings, visma

from accounting_bridge import InvalidRequest, Secret, connect
from accounting_bridge.adapter import ChangedSince, TakesConsent
from accounting_bridge.flow import Token
from accounting_bridge.models import LineKind
from accounting_bridge.registry import vendor_names
from accounting_bridge.vendors.visma import Visma, VismaSettings, calls

HOURS, GOODS, TRIP = (f"cccccccc-0000-4000-8000-00000000000{digit}" for digit in (1, 2, 3))
GIVEN = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uri": REDIRECT}


def problems_of(**given):
    with pytest.raises(InvalidRequest) as caught:
        settings(**given)
    return {problem.field for problem in caught.value.problems}


def test_all_wrong_settings_are_named_at_once():
    named = problems_of(
        client_id="with blank", client_secret="no Secret", redirect_uri="callback", identity_url="http://id.example",
        books_sales="yes", payment_terms_days=-1, articles={"service/x": HOURS, "Advies": "42"},
        receivable_account="1300a", revenue_accounts={"21": 8000, "hours/21": "8000", "9": "8010", "9.0": "8010"},
        vat_accounts={"service/21": "1500"}, number_map="digits", number_series="", keep_draft_date=1,
        credits_negative="no",
    )  # fmt: skip
    assert {
        "client_id", "client_secret", "redirect_uri", "identity_url", "books_sales", "payment_terms_days",
        "articles['service/x']", "articles['Advies']", "receivable_account", "revenue_accounts['21']",
        "revenue_accounts['hours/21']", "revenue_accounts['9.0']", "vat_accounts['service/21']", "number_map",
        "number_series", "keep_draft_date", "credits_negative",
    } == named  # fmt: skip


@pytest.mark.parametrize("name", ["articles", "revenue_accounts", "vat_accounts"])
@pytest.mark.parametrize("value", [None, [("21", "8000")], "21"])
def test_what_should_be_a_mapping_and_is_none_is_named(name, value):
    assert {name} == problems_of(**{name: value})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9", "https://identity.visma.example/"]
)
def test_an_identity_server_may_be_this_machine_or_anywhere_by_https(url):
    assert url == settings(identity_url=url).identity_url


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1.evil.example", "https://user@id.example", "https://id.example/path", "ftp://id.example", 7],
)
def test_any_other_identity_server_is_refused(url):
    assert {"identity_url"} == problems_of(identity_url=url)


def test_plain_mappings_and_a_function_work_through_connect():
    given = {
        **GIVEN, "articles": {"service/21": HOURS}, "revenue_accounts": {"21": "8000"}, "number_map": lambda text: 7,
    }  # fmt: skip
    with connect("visma", given) as provider:
        assert "visma" == provider.vendor
    with pytest.raises(InvalidRequest) as caught:
        connect("visma", {**GIVEN, "articles": {"service/21": 42}, "number_map": "digits", "article": {}})
    assert {"articles['service/21']", "number_map", "article"} == {problem.field for problem in caught.value.problems}


def test_connect_names_values_of_the_wrong_kind_and_values_that_will_not_do_in_one_error():
    given = {
        "client_id": CLIENT, "redirect_uri": "callback", "books_sales": "yes", "vat_accounts": [("25", "2611")],
        "articles": {"service/25": "Konsulttimme", "travel": 7, "goods": HOURS},
        "revenue_accounts": {"goods/25": 8000, "25.0": "x", "25": "3001"},
    }  # fmt: skip
    with pytest.raises(InvalidRequest) as caught:
        connect("visma", given)
    problems = [(problem.field, problem.message) for problem in caught.value.problems]
    assert {
        "client_secret": "is missing",
        "books_sales": "must be True or False",
        "vat_accounts": "must be a mapping, as {…}",
        "articles['travel']": "must be text, and not empty",
        "revenue_accounts['goods/25']": "must be text, and not empty",
        "redirect_uri": "must be the whole address as registered, as https://app.example/visma/callback",
        "articles['service/25']": "must be the id of an article, a GUID",
        "revenue_accounts['25.0']": "must be an account's number: digits, as text",
        "revenue_accounts['25']": "names the rate 25 a second time",
    } == dict(problems)
    assert len(dict(problems)) == len(problems)


def test_a_setting_that_was_passed_in_cannot_be_changed_from_outside():
    table = {"service": HOURS}
    chosen = settings(articles=table)
    table["service"] = GOODS
    assert HOURS == chosen.article_for(None, LineKind.SERVICE, None)
    with pytest.raises(TypeError):
        chosen.articles["service"] = GOODS


def test_an_article_is_found_by_guid_then_activity_then_kind_and_rate_then_kind():
    chosen = settings(articles={"Advies": HOURS, "goods/21": GOODS, "goods": TRIP, "service/9.0": HOURS})
    rate = Decimal(21)
    assert TRIP == chosen.article_for(TRIP.upper(), LineKind.SERVICE, rate)
    assert HOURS == chosen.article_for("Advies", LineKind.GOODS, rate)
    assert GOODS == chosen.article_for(None, LineKind.GOODS, Decimal("21.00"))
    assert TRIP == chosen.article_for(None, LineKind.GOODS, Decimal(9))
    assert TRIP == chosen.article_for(None, LineKind.GOODS, None)
    assert HOURS == chosen.article_for(None, LineKind.SERVICE, Decimal(9))
    assert chosen.article_for(None, LineKind.SERVICE, rate) is None


def test_an_activity_that_is_not_in_the_map_is_never_replaced_by_its_kinds_article():
    assert settings(articles={"goods": GOODS}).article_for("Reizen", LineKind.GOODS, Decimal(21)) is None


def test_accounts_of_kind_and_rate_go_before_those_of_the_rate():
    chosen = settings(revenue_accounts={"21": "8000", "goods/21.0": "8100"}, vat_accounts={"21.0": "1520"})
    assert "8100" == chosen.revenue_account_for(LineKind.GOODS, Decimal(21))
    assert "8000" == chosen.revenue_account_for(LineKind.SERVICE, Decimal("21.0"))
    assert chosen.revenue_account_for(LineKind.SERVICE, Decimal(9)) is None
    assert "1520" == chosen.vat_account_for(Decimal(21))


def test_no_more_is_asked_for_than_is_used():
    assert "ea:api offline_access ea:sales ea:accounting" == settings().scope
    assert "ea:api offline_access ea:sales" == settings(books_sales=False).scope
    able = visma(books_sales=False).capabilities
    assert (False, False) == (able.book_sale, able.ledger_accounts)
    assert "books_sales" in able.instead_of_sales


def test_no_setting_shows_a_secret():
    token = Token(access="access-1", refresh="refresh-1")
    signed = BOOKS.authorize(calls.get("/companysettings"), token)
    shown = f"{BOOKS!r} {BOOKS.settings!r} {BOOKS.limit_key} {signed!r}"
    assert SECRET not in shown
    assert "access-1" not in shown
    assert "Bearer access-1" == signed.headers["authorization"]
    assert SECRET in {secret.reveal() for secret in BOOKS.secrets()}


def test_what_the_vendor_can_do_is_declared():
    able = BOOKS.capabilities
    assert (ChangedSince.VENDOR, True, True) == (able.changed_since, able.oauth, able.attach)
    assert isinstance(BOOKS, TakesConsent)
    assert "visma" in vendor_names()
    assert Visma.Settings is VismaSettings
    assert Secret(SECRET) == settings().client_secret


def test_a_minute_of_any_six_portions_stays_within_the_documented_limit():
    (window,) = BOOKS.limits.windows
    assert 600 >= window.calls * (60 / window.seconds + 1) - window.calls
    assert (
        "/customers/{}"
        == calls.get("/customers/{}", HOURS).bucket
        == calls.put("/customers/{}", HOURS, body=b"").bucket
    )
