"""Invoices: legal triples, bodies, totals, and what becomes of a concept."""

import base64
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from _informer import (
    BOOKS,
    CONDITIONS,
    CURRENCIES,
    CUSTOMER,
    HOME,
    MASTER,
    NEW,
    OPTIONS,
    TAXED,
    administration,
    answer,
    condition,
    draft,
    fixture,
    hours,
    informer,
    invoice,
    ledger,
    nothing,
    option,
    options,
    page,
    params,
    play,
    refusal,
    relation,
    sent,
)  # fmt: skip
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge import Conflict, Customer, InvalidRequest, MalformedResponse, NotFound, PeriodClosed
from accounting_bridge.models import (
    Attachment,
    InvoiceStatus,
    LineItem,
    LineKind,
    RateTotal,
    ServicePeriod,
    TaxTreatment,
    TextLine,
    Totals,
)
from accounting_bridge.vendors.informer import settings
from accounting_bridge.wire import fill

NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # already April in Amsterdam
COSTS = answer([{"id": 71, "number": "100", "description": "Verkoop"}])


def planned(given=None, answers=MASTER, adapter=BOOKS, customer=CUSTOMER):
    flow = adapter.plan_invoice(given or draft(), customer, finalize=False, now=NOW)
    return play(flow, answers).result


def test_a_plan_says_its_currency():
    assert planned().currency == "EUR"


def body_of(plan):
    from accounting_bridge.flow import Request

    return sent(Request(method="POST", path="/", body=plan.body))


def refused(given=None, answers=MASTER, adapter=BOOKS, customer=CUSTOMER):
    with pytest.raises(InvalidRequest) as caught:
        planned(given, answers, adapter, customer)
    return {problem.field: problem.message for problem in caught.value.problems}


# ---- bodies ------------------------------------------------------------------------------------------------


def test_a_draft_becomes_a_body():
    plan = planned(
        draft(
            TextLine(description="Project Voorbeeld"),
            hours(unit="uur", discount_percent=Decimal(10)),
            LineItem(description="Boek", unit_price=Decimal("12.99"), tax_rate=Decimal(9)),
            issue_date=date(2026, 3, 15), introduction="Geachte heer", closing="Met dank", order_reference="PO-1",
            project_note="Dak", service_period=ServicePeriod(start=date(2026, 3, 1), end=date(2026, 3, 15)),
        )
    )  # fmt: skip
    assert {
        "relation_id": 1001, "invoice_date": "2026-03-15", "payment_condition_id": 41, "currency_id": 61,
        "vat_option": "excl", "template_id": 53, "reference": "2026-03/17",
        "comment": "Geachte heer\nUw referentie: PO-1\nProject: Dak\nPeriode: 01-03-2026 - 15-03-2026",
        "footer": "Met dank",
        "lines": [
            {"info": True, "description": "Project Voorbeeld"},
            {"info": False, "qty": Decimal("2.25"), "description": "Advies (uur)", "amount": 95, "discount": 10,
             "vat_id": 11, "ledger_id": 801},
            {"info": False, "qty": 1, "description": "Boek", "amount": Decimal("12.99"), "discount": 0, "vat_id": 12,
             "ledger_id": 804},
        ],
    } == body_of(plan)  # fmt: skip
    assert Totals(
        net=Decimal("205.37"), tax=Decimal("41.57"), gross=Decimal("246.94"),
        by_rate=(
            RateTotal(rate=Decimal(9), net=Decimal("12.99"), tax=Decimal("1.17")),
            RateTotal(rate=Decimal(21), net=Decimal("192.38"), tax=Decimal("40.40")),
        ),
    ) == plan.totals  # fmt: skip
    assert plan.tolerance == Decimal("0.02")
    booked = [note.partition(" go on ")[2][:4] for note in plan.notes if " go on " in note]
    assert (["8000", "8020"], 6) == (booked, len(plan.notes))


def test_without_a_date_it_is_the_day_in_amsterdam():
    assert body_of(planned())["invoice_date"] == "2026-04-01"


def test_gross_prices_are_sent_as_gross():
    plan = planned(draft(hours(quantity=Decimal(1), unit_price=Decimal(121)), prices_include_tax=True))
    assert body_of(plan)["vat_option"] == "incl"
    assert Decimal(121) == plan.totals.gross


def test_a_new_customer_is_a_hole_until_it_is_made():
    plan = planned(draft(customer=NEW), customer=NEW)
    assert plan.customer_id is None
    filled = fill(plan.body, "77")
    played = play(BOOKS.submit_invoice(evolve(plan, body=filled)), [answer({"id": 12345, "url": "x"})])
    assert played.result == "12345"
    assert sent(played.requests[0])["relation_id"] == 77


def test_a_reference_that_looks_like_a_relation_stays_text():
    plan = planned(draft(reference="1001"))
    played = play(BOOKS.submit_invoice(plan), [answer({"id": "5"})])
    assert sent(played.requests[0])["reference"] == "1001"
    assert played.result == "5"


def test_a_customer_that_could_not_be_made_is_refused_with_the_rest():
    bad = Customer(number="K-1", name="X")
    named = refused(draft(hours(tax_rate=Decimal(3))), customer=bad)
    assert {"customer.number", "customer.address.city", "lines[0].tax_rate"} <= set(named)


def test_an_unreadable_answer_to_a_create_is_unclear():
    plan = planned()
    with pytest.raises(MalformedResponse):
        play(BOOKS.submit_invoice(plan), [answer({"success": "saved"})])
    with pytest.raises(MalformedResponse):
        play(BOOKS.submit_invoice(plan), [answer(b"<html>")])


# ---- legal triples -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("treatment", "vat_option", "vat_id", "ledger_id"),
    [
        (TaxTreatment.REVERSE_CHARGE, "shifted", 14, 807),
        (TaxTreatment.INTRA_EU_GOODS, "icv_within_eu", 15, 808),
        (TaxTreatment.INTRA_EU_SERVICES, "icv_within_eu", 15, 808),
        (TaxTreatment.EXPORT, "icv_outside_eu", 16, 809),
        (TaxTreatment.SMALL_BUSINESS, "excl", 13, 806),
        (TaxTreatment.EXEMPT, "excl", 13, 806),
    ],
)
def test_each_treatment_has_its_option(treatment, vat_option, vat_id, ledger_id):
    customer = evolve(CUSTOMER, vat_number="FR12345678901", address=None)
    plan = planned(draft(hours(tax_rate=None), tax_treatment=treatment), adapter=informer(), customer=customer)
    body = body_of(plan)
    line = body["lines"][0]
    assert (vat_option, vat_id, ledger_id) == (body["vat_option"], line["vat_id"], line["ledger_id"])
    assert plan.totals.tax == 0
    assert ("footer" in body) is (vat_option == "excl")


def test_an_intra_eu_invoice_needs_a_vat_number_that_is_one():
    given = draft(hours(tax_rate=None), tax_treatment=TaxTreatment.INTRA_EU_SERVICES)
    for number in (None, settings.VAT_NUMBER):
        named = refused(given, adapter=informer(), customer=evolve(CUSTOMER, vat_number=number, address=None))
        assert ["customer.vat_number"] == list(named)


INTRA_EU = [TaxTreatment.INTRA_EU_GOODS, TaxTreatment.INTRA_EU_SERVICES]


def located(country, vat_number="FR12345678901"):
    return evolve(CUSTOMER, vat_number=vat_number, address=evolve(HOME, country_code=country))


@pytest.mark.parametrize(
    ("treatment", "country", "where"),
    [
        *((treatment, "NL", "the company's own country") for treatment in (*INTRA_EU, TaxTreatment.EXPORT)),
        *((treatment, country, "outside the EU") for treatment in INTRA_EU for country in ("CH", "GB", "NO")),
        (TaxTreatment.EXPORT, "BE", "within the EU"),
        (TaxTreatment.EXPORT, "GR", "within the EU"),
    ],
)
def test_a_treatment_that_cannot_be_right_for_the_country_is_refused(treatment, country, where):
    named = refused(draft(hours(tax_rate=None), tax_treatment=treatment), adapter=informer(), customer=located(country))
    assert ["tax_treatment"] == list(named)
    assert f"{country} is {where}" in named["tax_treatment"]


@pytest.mark.parametrize(
    ("treatment", "country", "vat_number"),
    [
        *((treatment, country, "X1") for treatment in INTRA_EU for country in ("BE", "GR", "EL", "MC")),
        (TaxTreatment.INTRA_EU_GOODS, "GB", "XI123456789"),
        (TaxTreatment.EXPORT, "GB", "XI123456789"),
        (TaxTreatment.EXPORT, "CH", None),
        (TaxTreatment.REVERSE_CHARGE, "BE", None),
        (TaxTreatment.SMALL_BUSINESS, "CH", None),
    ],
)
def test_a_treatment_that_can_be_right_for_the_country_is_taken(treatment, country, vat_number):
    given = draft(hours(tax_rate=None), tax_treatment=treatment)
    assert planned(given, adapter=informer(), customer=located(country, vat_number)).totals.tax == 0


def test_northern_ireland_is_within_the_eu_for_goods_only():
    given = draft(hours(tax_rate=None), tax_treatment=TaxTreatment.INTRA_EU_SERVICES)
    named = refused(given, adapter=informer(), customer=located("GB", "XI123456789"))
    assert "GB is outside the EU" in named["tax_treatment"]


def test_nothing_is_said_of_the_country_where_the_books_do_not_tell_theirs():
    given = draft(hours(tax_rate=None), tax_treatment=TaxTreatment.EXPORT)
    answers = (administration(country=None), *MASTER[1:])
    assert planned(given, answers, informer(), customer=located("BE")).totals.tax == 0


def test_to_books_outside_the_eu_every_other_country_is_abroad():
    given = draft(hours(tax_rate=None), tax_treatment=TaxTreatment.EXPORT)
    answers = (administration(country="CH"), *MASTER[1:])
    assert planned(given, answers, informer(), customer=located("BE")).totals.tax == 0
    named = refused(given, answers, informer(), customer=located("CH"))
    assert "CH is the company's own country" in named["tax_treatment"]


def test_the_candidates_stand_in_the_error():
    named = refused(draft(hours(ledger_account="9999"), hours(tax_rate=Decimal(19))))
    assert "8000 Omzet 8000, 8010 Omzet 8010, 8100 Omzet 8100" in named["lines[0].ledger_account"]
    assert named["lines[1].tax_rate"].endswith("there are: 0, 9, 21")


def test_one_of_several_accounts_is_never_guessed():
    named = refused(draft(hours(), hours(kind=LineKind.TRAVEL)), adapter=informer())
    for at, own in (("lines[0]", "ledger_account_services"), ("lines[1]", "ledger_account_travel")):
        message = named[f"{at}.ledger_account"]
        assert "8000 Omzet 8000" in message
        assert f"set ledger_account on the connection, or {own} for lines" in message
    assert "lines[0].tax_rate" in refused(draft(hours(tax_rate=None)))


def test_the_lines_account_goes_before_the_configured_one():
    assert body_of(planned(draft(hours(ledger_account="8010"))))["lines"][0]["ledger_id"] == 802
    goods = informer(ledger_account="8000", ledger_account_goods="8010")
    assert body_of(planned(draft(hours(kind=LineKind.GOODS)), adapter=goods))["lines"][0]["ledger_id"] == 802


TRIP = hours(description="Reis", kind=LineKind.TRAVEL)


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        ("9999", "the setting ledger_account_travel: 9999 is no account that sales may go on"),
        ("8020", "the setting ledger_account_travel: 8020 does not go with 21 % and the VAT option 'excl'"),
        ("8020, 8040", "the setting ledger_account_travel: 8020 or 8040 does not go with 21 %"),
        ("9999, 8000, 9998", "the setting ledger_account_travel: 9999 and 9998 are no account that sales may go on"),
    ],
)
def test_a_configured_account_that_is_wrong_is_refused_and_never_replaced(accounts, expected):
    adapter = informer(ledger_account="8010", ledger_account_travel=accounts)
    named = refused(draft(hours(), TRIP), adapter=adapter)
    assert ["lines[1].ledger_account"] == list(named)
    assert named["lines[1].ledger_account"].startswith(expected)
    assert "8000 Omzet 8000, 8010 Omzet 8010, 8100 Omzet 8100" in named["lines[1].ledger_account"]
    wrong = refused(draft(hours()), adapter=informer(ledger_account=accounts))
    assert "the setting ledger_account: " in wrong["lines[0].ledger_account"]


def test_a_configured_account_that_fits_needs_no_note():
    adapter = informer(ledger_account_services="8020, 8010", ledger_account_travel="8000")
    plan = planned(draft(hours(), TRIP), adapter=adapter)
    assert [802, 801] == [line["ledger_id"] for line in body_of(plan)["lines"]]
    assert () == plan.notes
    assert () == planned(draft(hours(ledger_account="8010")), adapter=informer()).notes


def test_the_plan_says_on_which_account_a_kind_without_a_setting_goes():
    adapter = informer(ledger_account="8010", ledger_account_services="8000")
    (note,) = planned(draft(hours(), TRIP), adapter=adapter).notes
    assert note.startswith("lines of kind travel with 21 % and the VAT option 'excl' go on 8010 Omzet 8010")
    assert note.endswith("from ledger_account, as ledger_account_travel is not set")
    only = planned(draft(hours(tax_rate=Decimal(0))), adapter=informer())
    assert "go on 8040 Omzet 8040: the only account there is, as neither ledger_account_services" in only.notes[0]


def notes_of(given=None, answers=MASTER, adapter=BOOKS, customer=CUSTOMER):
    return "\n".join(planned(given, answers, adapter, customer).notes)


def test_wrong_settings_that_no_line_depends_on_stand_in_the_notes():
    adapter = informer(
        ledger_account="8000", ledger_account_goods="7777, 8010", default_tax_rate=Decimal(19), cost_centre="999",
        product="12", payment_condition="nope", currency="CHF",
    )  # fmt: skip
    notes = notes_of(draft(hours(tax_rate=Decimal(9), ledger_account="8200"), currency="EUR"), adapter=adapter)
    for expected in (
        "the setting ledger_account_goods: 7777 is no account that sales may go on",
        "the setting default_tax_rate: 19 % is no rate of the books",
        "the setting cost_centre: 999 is not used",
        "the setting product: 12 is not used, as the administration's trade module is off",
        "the setting payment_condition: 'nope' is not in the books",
        "the setting currency: CHF is not in the books; there are: EUR, USD",
    ):
        assert expected in notes


def test_wrong_settings_that_are_needed_are_refused_under_their_names():
    adapter = informer(
        ledger_account="8000", default_tax_rate=Decimal(19), payment_condition="nope", currency="CHF", template="nope"
    )
    named = refused(draft(hours(tax_rate=None), payment_terms_days=None, customer=NEW), MASTER, adapter, NEW)
    assert {"lines[0].tax_rate", "payment_condition", "currency", "template"} == set(named)
    assert named["lines[0].tax_rate"].startswith("the setting default_tax_rate: 19 % does not go")
    for name in ("payment_condition", "currency", "template"):
        assert named[name].startswith(f"the setting {name}: ")


def test_a_missing_rate_is_the_default_one():
    adapter = informer(ledger_account="8000", default_tax_rate=Decimal(21))
    assert body_of(planned(draft(hours(tax_rate=None)), adapter=adapter))["lines"][0]["vat_id"] == 11


def test_rates_that_are_shifted_are_named_by_the_setting():
    shifted = options(option(14, "21", ("shifted",), ledger(807, "8050")), option(17, "9", ("shifted",)))
    answers = (MASTER[0], shifted, *MASTER[2:])
    given = draft(hours(tax_rate=None), tax_treatment=TaxTreatment.REVERSE_CHARGE)
    assert "default_tax_rate" in refused(given, answers, informer())["lines[0].tax_rate"]
    plan = planned(given, answers, informer(default_tax_rate=Decimal(21)))
    assert body_of(plan)["lines"][0]["vat_id"] == 14
    assert (plan.totals.tax, plan.totals.by_rate[0].rate) == (0, 0)
    none = (MASTER[0], options(OPTIONS[0]), *MASTER[2:])
    assert "no VAT rate" in refused(given, none, informer())["lines[0].tax_rate"]


def test_accounts_without_numbers_are_looked_up():
    bare = option(11, "21", TAXED, {"id": 801, "description": "Omzet", "type": "sales"})
    ledgers = answer([{"id": 801, "number": "8000", "costs": "0"}])
    plan = planned(answers=(MASTER[0], options(bare), ledgers, *MASTER[2:]), adapter=informer(ledger_account="8000"))
    assert body_of(plan)["lines"][0]["ledger_id"] == 801


def test_cost_centres_go_where_they_may():
    given = draft(hours(ledger_account="8100"))
    assert "cost centre" in refused(given)["lines[0].ledger_account"]
    adapter = informer(cost_centre="100")
    answers = (*MASTER[:2], COSTS, *MASTER[2:])
    assert body_of(planned(given, answers, adapter))["lines"][0]["costs_id"] == 71
    disabled = draft(hours(tax_rate=Decimal(9), ledger_account="8200"))
    assert "costs_id" not in body_of(planned(disabled, adapter=adapter))["lines"][0]
    twice = draft(hours(ledger_account="8100"), hours(ledger_account="8010"))
    unknown = refused(twice, answers, informer(cost_centre="999"))
    expected = "the setting cost_centre: 999 is not in the books; there are: 100 Verkoop"
    assert {"cost_centre": expected} == unknown
    assert "cost_centre: 999 is not used" in notes_of(disabled, adapter=informer(cost_centre="999"))


# ---- quantities --------------------------------------------------------------------------------------------


def test_too_many_decimals_and_odd_discounts_are_named():
    bad = hours(quantity=Decimal("0.333"), unit_price=Decimal("1.005"), discount_percent=Decimal("2.5"))
    assert {"lines[0].quantity", "lines[0].unit_price", "lines[0].discount_percent", "discount_percent"} == set(
        refused(draft(bad, discount_percent=Decimal(5)))
    )


def test_fractions_become_one_times_their_amount_where_the_account_refuses_them():
    adapter = informer(ledger_account="8000", fractional_quantities=False)
    plan = planned(draft(hours(quantity=Decimal("0.333"), unit="uur"), hours(quantity=Decimal(2))), adapter=adapter)
    first, second = body_of(plan)["lines"]
    assert (1, Decimal("31.64"), "Advies (0.333 uur × 95)") == (first["qty"], first["amount"], first["description"])
    assert (2, 95, "Advies") == (second["qty"], second["amount"], second["description"])
    assert plan.totals.net == Decimal("221.64")


# ---- trade module, Germany, closed periods --------------------------------------------------------------------

TRADE = (administration(modules={"trade": True}), *MASTER[1:])


PRODUCTS = answer(
    [
        {"id": 7, "product_code_sales": "A-1", "description_sales": "Adviesuur", "product_type": "service"},
        {"id": "8", "product_code_sales": None, "description_sales": "Reis", "amount_sales": "unreadable"},
    ]
)


def shop(*lists):
    """With the trade module on: what a plan reads, the products between options and payment conditions."""
    return (*TRADE[:2], *lists, *TRADE[2:])


def test_the_trade_module_demands_a_product():
    named = refused(answers=shop(PRODUCTS))["lines[0].article"]
    assert "set product on the connection; there are: 7 A-1 Adviesuur, 8 Reis" in named
    assert body_of(planned(draft(hours(article="7")), shop(PRODUCTS)))["lines"][0]["product_id"] == 7
    adapter = informer(ledger_account="8000", product="8")
    assert body_of(planned(answers=shop(PRODUCTS), adapter=adapter))["lines"][0]["product_id"] == 8


def test_every_line_with_an_article_that_the_books_do_not_have_is_named_at_once():
    """The products are read again first: one of them may be new."""
    given = draft(hours(article="999999"), hours(article="7"), hours(article="x"), TextLine(description="x"))
    there = "there are: 7 A-1 Adviesuur, 8 Reis"
    assert {
        "lines[0].article": f"999999 is no product of the books; {there}",
        "lines[2].article": f"'x' is not an id of Informer: digits only; {there}",
    } == refused(given, shop(PRODUCTS, PRODUCTS))


def test_a_wrong_product_setting_is_named_once():
    adapter = informer(ledger_account="8000", product="12")
    expected = "the setting product: 12 is no product of the books; there are: 7 A-1 Adviesuur, 8 Reis"
    assert {"product": expected} == refused(draft(hours(), hours()), shop(PRODUCTS, PRODUCTS), adapter)
    assert expected in notes_of(draft(hours(article="7")), shop(PRODUCTS), adapter)


def test_a_product_that_was_made_since_the_last_look_is_taken():
    new = answer([{"id": 9, "description_sales": "Nieuw"}])
    assert body_of(planned(draft(hours(article="9")), shop(PRODUCTS, new)))["lines"][0]["product_id"] == 9


def test_nothing_is_said_of_an_article_where_a_product_cannot_be_read():
    odd = answer([{"id": 7}, {"id": [9]}])
    assert body_of(planned(draft(hours(article="9")), shop(odd)))["lines"][0]["product_id"] == 9


def test_books_without_products_have_none():
    """An empty list is an error at this vendor."""
    assert "there are: none" in refused(draft(hours(article="9")), shop(nothing(), nothing()))["lines[0].article"]
    assert not play(BOOKS.list_articles(None), [TRADE[0], options(), nothing()]).result.items


def test_without_the_trade_module_there_are_no_products():
    assert "trade module is off" in refused(draft(hours(article="7")))["lines[0].article"]


@pytest.mark.parametrize(("country", "expected"), [("DE", "2026-03-20"), ("AT", "2026-03-20"), ("NL", None)])
def test_germany_and_austria_need_a_delivery_date(country, expected):
    last = ServicePeriod(start=date(2026, 3, 1), end=date(2026, 3, 20))
    plan = planned(draft(hours(service_period=last)), (administration(country=country), *MASTER[1:]))
    assert expected == body_of(plan).get("delivery_date")
    day = planned(draft(issue_date=date(2026, 3, 2)), (administration(country=country), *MASTER[1:]))
    assert (expected and "2026-03-02") == body_of(day).get("delivery_date")


CLOSED = (administration(blocked_period={"year": 2026, "month": "3"}), *MASTER[1:])


def test_a_closed_period_is_found_before_sending():
    march = draft(issue_date=date(2026, 3, 31))
    with pytest.raises(PeriodClosed):
        planned(march, (*CLOSED, nothing()))
    with pytest.raises(PeriodClosed):
        planned(evolve(march, customer=NEW), CLOSED, customer=NEW)
    planned(draft(issue_date=date(2026, 4, 1)), CLOSED)


def test_an_invoice_of_a_closed_period_is_found_by_a_rerun():
    march = draft(issue_date=date(2026, 3, 31))
    planned(march, (*CLOSED, page(invoice(), key="invoices")))


@pytest.mark.parametrize("period", [None, [], {}, {"year": 0, "month": 0}, {"year": "x", "month": 13}])
def test_an_odd_period_closes_nothing(period):
    planned(draft(issue_date=date(2020, 1, 1)), (administration(blocked_period=period), *MASTER[1:]))


# ---- conditions, templates, currencies ------------------------------------------------------------------------


def test_due_dates_are_payment_conditions():
    plan = planned(draft(payment_terms_days=None, issue_date=date(2026, 3, 1), due_date=date(2026, 3, 31)))
    assert body_of(plan)["payment_condition_id"] == 42
    named = refused(draft(payment_terms_days=None, issue_date=date(2026, 3, 1), due_date=date(2026, 3, 6)))
    assert named["due_date"] == "5 days is no payment condition of the books; there are: 14, 30"


def test_without_terms_the_customers_own_condition_is_taken():
    """Also one that is collected by direct debit: nothing is changed behind the customer's back."""
    open_terms = draft(payment_terms_days=None)
    answers = (*MASTER[:3], answer(relation(payment_condition_id=43)), *MASTER[3:])
    assert body_of(planned(open_terms, answers))["payment_condition_id"] == 43
    new = evolve(NEW, payment_terms_days=30)
    plan = planned(evolve(open_terms, customer=new), (MASTER[0], MASTER[1], *MASTER[2:]), customer=new)
    assert body_of(plan)["payment_condition_id"] == 42


def test_without_any_terms_it_is_the_configured_or_the_default_condition():
    open_terms = draft(payment_terms_days=None, customer=NEW)
    assert body_of(planned(open_terms, customer=NEW))["payment_condition_id"] == 41
    adapter = informer(ledger_account="8000", payment_condition="30 dagen")
    assert body_of(planned(open_terms, adapter=adapter, customer=NEW))["payment_condition_id"] == 42
    bare = (*MASTER[:2], answer([condition(41, 14), condition(42, 30)]), *MASTER[3:])
    assert "set payment_condition" in refused(open_terms, bare, customer=NEW)["payment_terms_days"]


def test_templates_are_invoices_templates():
    adapter = informer(ledger_account="8000", template="Factuur Engels")
    assert body_of(planned(adapter=adapter))["template_id"] == 52
    assert body_of(planned(adapter=informer(ledger_account="8000", template="52")))["template_id"] == 52
    named = refused(adapter=informer(ledger_account="8000", template="Offerte"))
    assert "52 Factuur Engels, 53 Factuur" in named["template"]


def test_currencies_are_those_of_the_books():
    assert body_of(planned(draft(currency="USD")))["currency_id"] == 62
    assert refused(draft(currency="CHF"))["currency"].endswith("there are: EUR, USD")


def test_attachments_are_checked_before_anything_is_made():
    files = [Attachment(filename="a.zip", content=b"x"), Attachment(filename="b.pdf", content=b"x" * 10_485_761)]
    assert {"attachments[0].filename", "attachments[1].content"} == set(refused(draft(attachments=files)))


def test_foreign_words_follow_the_language():
    assert "Ihre Bestellnummer: P" in body_of(planned(draft(language="de", order_reference="P")))["comment"]
    assert "Your order number: P" in body_of(planned(draft(language="fr", order_reference="P")))["comment"]


# ---- looking -----------------------------------------------------------------------------------------------


def test_invoices_are_found_by_exactly_their_reference():
    hits = (
        page(invoice(1, reference="2026-03/171"), invoice(2), key="invoices", total=3),
        page(invoice(3, reference="2026-03/17"), key="invoices", number=2, total=3),
    )
    since = datetime(2026, 3, 30, 23, 0, tzinfo=UTC)
    played = play(BOOKS.look_for_invoices("2026-03/17", "1001", since), hits)
    assert ["2", "3"] == played.result
    assert ["1001", "1001"] == params(played.requests, "relation_id")
    assert ["2026-03-29", "2026-03-29"] == params(played.requests, "last_edit")
    assert play(BOOKS.look_for_invoices("x", "1001", since), [nothing()]).result == []


# ---- reading -----------------------------------------------------------------------------------------------


def read(record, **headers):
    return play(BOOKS.get_invoice("12345"), [answer(record, **headers), CURRENCIES]).result


def test_a_concept_has_no_number():
    found = read(invoice(reference="2026-03/17"))
    assert (None, InvoiceStatus.DRAFT, "2026-03/17", "EUR", "1001") == (
        found.number, found.status, found.reference, found.currency, found.customer_id
    )  # fmt: skip
    assert (RateTotal(rate=Decimal(21), net=Decimal(100), tax=Decimal(21)),) == found.totals.by_rate


@pytest.mark.parametrize(
    ("changes", "on", "expected"),
    [
        ({"concept": "0"}, "Tue, 14 Apr 2026 20:00:00 GMT", InvoiceStatus.OPEN),
        ({"concept": False}, "Tue, 14 Apr 2026 23:00:00 GMT", InvoiceStatus.OVERDUE),
        ({"concept": 0}, "", InvoiceStatus.OPEN),
        ({"concept": "0", "totals": {"excl_vat": "100.00", "incl_vat": "121.00", "open": "0.00"}}, "",
         InvoiceStatus.PAID),
    ],
)  # fmt: skip
def test_the_status_comes_from_numbers_not_from_words(changes, on, expected):
    found = read(invoice(**changes), date=on)
    assert (expected, "2026-001") == (found.status, found.number)


def test_rates_are_left_out_where_the_lines_do_not_explain_the_totals():
    odd = invoice(lines=[{"info": "0", "qty": 1, "amount": 1, "vat": {"percentage": 21}}])
    assert read(odd).totals.by_rate == ()
    assert read(invoice(lines=["x"])).totals.by_rate == ()
    assert read(invoice(lines={})).totals.gross == Decimal(121)


def test_an_unknown_invoice_is_not_found():
    error = refusal(400, ["No records found"], path="/v2/invoices/sales/9")
    with pytest.raises(NotFound):
        play(BOOKS.get_invoice("9"), [error])
    with pytest.raises(MalformedResponse):
        play(BOOKS.get_invoice("9"), [answer({"id": 9})])


def test_documented_invoices_are_read():
    names = ("invoice_get", "invoices_list", "invoice_create")
    single, listed, made = (fixture(f"v2_sales_{name}_200.json") for name in names)
    found = play(BOOKS.get_invoice("12345"), [single, CURRENCIES]).result
    assert ("12345", "2024-001", "PO-2024-001") == (found.id, found.number, found.reference)
    assert found.totals.by_rate[0].tax == Decimal(21)
    with pytest.raises(MalformedResponse):  # it says 42 in all and then there are none
        play(BOOKS.look_for_invoices("x", "1001", NOW), [listed, nothing()])
    assert play(BOOKS.submit_invoice(planned()), [made]).result == "12345"


def test_documented_master_data_is_read():
    answers = [fixture(f"v2_{name}_200.json") for name in (
        "administration_get", "sales_invoice_options", "ledgers_list", "payment_conditions_list", "currencies_list",
        "templates_list")]  # fmt: skip
    plan = planned(draft(hours(), issue_date=date(2026, 1, 1)), answers, informer())
    assert body_of(plan)["lines"][0]["ledger_id"] == 8000
    with pytest.raises(PeriodClosed):
        planned(draft(hours(), issue_date=date(2025, 12, 31)), [*answers, nothing()], informer())


# ---- PDF, sending, files -------------------------------------------------------------------------------------

PDF = b"%PDF-1.4 invented"


def coded(content):
    return base64.b64encode(content).decode()


def test_the_pdf_of_a_final_invoice():
    final = answer(invoice(concept="0"))
    assert play(BOOKS.invoice_pdf("12345"), [final, answer({"pdf": coded(PDF), "filename": "x.pdf"})]).result == PDF
    for broken in ("%%%", coded(b"<html>")):
        with pytest.raises(MalformedResponse):
            play(BOOKS.invoice_pdf("12345"), [final, answer({"pdf": broken})])
    with pytest.raises(Conflict):
        play(BOOKS.invoice_pdf("12345"), [answer(invoice())])


def test_finalizing_is_marking_as_sent():
    (request,) = play(BOOKS.finalize_invoice(read(invoice())), [answer({"message": "ok"})]).requests
    assert ("POST", "/v2/invoices/sales/send/12345", {"method": "mark"}) == (
        request.method,
        request.path,
        sent(request),
    )
    assert not request.repeatable


def mailed(record, to=None, adapter=BOOKS, *more):
    return play(adapter.send_invoice("12345", to), [answer(record), *more, answer({"message": "ok"})]).requests


def test_mail_goes_to_an_address_of_the_customer():
    body = {"method": "email", "email_address": "facturen@quellmoos.example"}
    assert body == sent(mailed(invoice())[-1])
    assert body == sent(mailed(invoice(), "FACTUREN@quellmoos.example")[-1])


def test_of_several_addresses_the_invoices_own_goes_first():
    record = invoice(send_options={"email": ["a@quellmoos.example", "b@quellmoos.example"]})
    person = answer(relation(email="a@quellmoos.example", email_invoice="b@quellmoos.example"))
    assert sent(mailed(record, None, BOOKS, person)[-1])["email_address"] == "b@quellmoos.example"


@pytest.mark.parametrize(
    ("addresses", "to"),
    [([], None), ([settings.EMAIL], None), ([settings.EMAIL], settings.EMAIL), (["a@b.example"], "c@b.example"),
     (["a@b.example"], "nobody"), ({}, None)],
)  # fmt: skip
def test_nothing_is_mailed_to_a_placeholder_or_a_stranger(addresses, to):
    record = answer(invoice(send_options={"email": addresses, "peppol": False}))
    with pytest.raises(InvalidRequest) as caught:
        play(BOOKS.send_invoice("12345", to), [] if to == "nobody" else [record])
    assert ["to"] == [problem.field for problem in caught.value.problems]


def test_peppol_where_it_is_asked_for_and_possible():
    adapter = informer(peppol=True)
    possible = invoice(send_options={"email": ["a@b.example"], "peppol": True})
    assert {"method": "peppol"} == sent(mailed(possible, None, adapter)[-1])
    assert sent(mailed(possible, "a@b.example", adapter)[-1])["method"] == "email"
    with pytest.raises(InvalidRequest):
        play(adapter.send_invoice("12345", None), [answer(invoice())])


def test_a_final_invoice_is_not_mailed_a_second_time():
    with pytest.raises(Conflict):
        play(BOOKS.send_invoice("12345", None), [answer(invoice(concept="0"))])
    assert play(BOOKS.was_sent("12345", NOW)).result is False


def test_a_file_is_found_by_name_and_content():
    file = Attachment(filename="uren.pdf", content=PDF)
    (upload,) = play(BOOKS.attach("12345", file), [answer({"id": 1, "filename": "uren.pdf"})]).requests
    assert (upload.method, upload.path) == ("POST", "/v2/invoices/sales/12345/attachments")
    assert {"filename": "uren.pdf", "file": coded(PDF)} == sent(upload)
    assert not play(BOOKS.has_file("12345", file), [answer(invoice())]).result
    kept = answer(invoice(document_attachments=[{"id": "9", "filename": "uren.pdf", "size": "17"}]))
    played = play(BOOKS.has_file("12345", file), [kept, answer({"id": 9, "file": coded(PDF)})])
    assert (played.result, played.requests[1].path) == (True, "/v2/invoices/sales/12345/attachments/9")
    for there in (answer({"id": 9, "file": coded(b"other")}), refusal(404, ["Resource niet gevonden."])):
        assert not play(BOOKS.has_file("12345", file), [kept, there]).result
    for flow in (BOOKS.has_file, BOOKS.attach):
        with pytest.raises(InvalidRequest):
            play(flow("12345", Attachment(filename="uren.exe", content=b"x")))


# ---- master data -------------------------------------------------------------------------------------------


def test_check_names_the_company():
    found = play(BOOKS.check(), [CLOSED[0]]).result
    assert ("Voorbeeld Advies BV", "EUR") == (found.company, found.currency)
    assert "2026-03-31" in found.notes[0]
    assert "trade module" in play(BOOKS.check(), [TRADE[0]]).result.notes[0]


def test_rates_accounts_and_terms():
    rates = play(BOOKS.tax_rates(), [options()]).result
    assert [Decimal(21), Decimal(9), Decimal(0)] == [rate.rate for rate in rates]
    accounts = play(BOOKS.ledger_accounts(), [options()]).result
    assert ("801", "8000", "Omzet 8000") == (accounts[0].id, accounts[0].number, accounts[0].name)
    assert [14, 30] == [term.days for term in play(BOOKS.payment_terms(), [CONDITIONS]).result]


def test_products_are_articles_where_there_are_any():
    product = {"id": 7, "product_code_sales": "A-1", "description_sales": "Adviesuur", "product_type": "service",
               "amount_sales": Decimal("95.0"), "vat_id_sales": 11}  # fmt: skip
    found = play(BOOKS.list_articles(None), [TRADE[0], options(), answer([product, {"id": "x"}])]).result
    (article,) = found.items
    assert ("7", "A-1", "Adviesuur", Decimal("95.0"), Decimal("21.0")) == (
        article.id, article.number, article.name, article.unit_price, article.tax_rate
    )  # fmt: skip
    assert ["x"] == [drift.record for drift in found.skipped]
    assert play(BOOKS.list_articles(None), [administration()]).result.items == ()


# ---- round trip --------------------------------------------------------------------------------------------

lines = st.builds(
    LineItem,
    description=st.just("Advies"),
    quantity=st.decimals(min_value=Decimal("-99.99"), max_value=Decimal("99.99"), places=2),
    unit_price=st.decimals(min_value=0, max_value=Decimal("999.99"), places=2),
    tax_rate=st.sampled_from([Decimal(21), Decimal(9)]),
    discount_percent=st.none() | st.integers(0, 100).map(Decimal),
)


@given(st.lists(lines, min_size=1, max_size=6), st.booleans())
def test_what_is_sent_sums_up_to_what_is_predicted(items, gross):
    """An invoice that shows the sent lines and the predicted totals is read with the same rates."""
    plan = planned(draft(*items, prices_include_tax=gross))
    body = body_of(plan)
    shown = [
        {**line, "info": "0", "vat": {"id": line["vat_id"], "percentage": {11: 21, 12: 9}[line["vat_id"]]}}
        for line in body["lines"]
    ]
    sums = {"excl_vat": plan.totals.net, "incl_vat": plan.totals.gross, "vat": plan.totals.tax}
    assert plan.totals == read(invoice(lines=shown, totals=sums, vat_option=body["vat_option"])).totals
