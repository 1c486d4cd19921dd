"""Informer: making concepts, their lines and their sums."""

from datetime import date
from decimal import Decimal

import pytest
from informer_support import MISSING, Api, number

from accounting_bridge.sandbox.informer import Administration, Assumptions

D = Decimal
REQUIRED = (
    "relation_id", "invoice_date", "payment_condition_id", "currency_id", "vat_option", "template_id", "lines",
)  # fmt: skip


def only(**assumptions):
    return Api(assumptions=Assumptions(**assumptions))


def text_line(text="Project Noord"):
    return {"info": True, "description": text}


# -- making concepts ----------------------------------------------------------------------------------------


def test_a_concept_is_made():
    api = Api()
    body = api.invoice(
        reference="ab:2026-08/1",
        comment="Augustus",
        footer="Dank u",
        contact_name="Lieke Voorbeeld",
        lines=[text_line(), api.line("95.5", "1.25", discount=10)],
    )
    answer = api.ok("POST", "/invoices/sales", body)
    assert answer == {"id": 1001, "url": "https://app.informer.eu/sales-invoice/1001"}
    shown = api.get("/invoices/sales/1001")
    assert (shown["concept"], shown["number"], shown["status"]) == ("1", "", {"status": "Concept", "color": "grey"})
    assert (shown["reference"], shown["comment"], shown["footer"]) == ("ab:2026-08/1", "Augustus", "Dank u")
    assert (shown["invoice_date"], shown["expiry_days"], shown["expiry_date"]) == ("2026-08-21", 14, "2026-09-04")
    assert shown["totals"] == {
        "excl_vat": D("107.44"),
        "incl_vat": D("130.0"),
        "excl_vat_default": D("107.44"),
        "incl_vat_default": D("130.0"),
        "vat": D("22.56"),
        "paid": 0,
        "open": D("130.0"),
    }
    assert [(line["info"], line["qty"], line["amount"], line["discount"]) for line in shown["lines"]] == [
        (True, None, None, None),
        (False, D("1.25"), D("95.5"), 10),
    ]
    assert "vat" not in shown["lines"][0]
    record = api.box.invoices[0]
    assert (record.id, record.number, record.status, record.concept) == ("1001", None, "concept", True)
    assert (record.reference, record.remark, record.text_lines) == ("ab:2026-08/1", "Augustus", ("Project Noord",))
    assert (record.net, record.tax, record.gross) == (D("107.44"), D("22.56"), D("130.00"))
    assert len(record.lines) == 1


@pytest.mark.parametrize("name", REQUIRED)
def test_required_fields(name):
    api = Api()
    assert api.problems("POST", "/invoices/sales", api.invoice(**{name: ...})) == {name: MISSING.format(name)}
    assert not api.box.invoices


@pytest.mark.parametrize("name", ["pdf", "number", "invoice_total", "invoice_expiry_date", "concept"])
def test_what_informer_decides_itself_is_not_allowed(name):
    api = Api()
    assert set(api.problems("POST", "/invoices/sales", api.invoice(**{name: "1"}))) == {name}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("relation_id", "1001"),
        ("relation_id", number("1001.0")),
        ("invoice_date", "21-08-2026"),
        ("invoice_date", "2026-08-21T00:00:00"),
        ("invoice_date", 20260821),
        ("invoice_date", "9999-12-31"),
        ("delivery_date", "morgen"),
        ("payment_condition_id", 1),
        ("currency_id", 1),
        ("currency_id", "EUR"),
        ("template_id", 1),
        ("vat_option", "exclusive"),
        ("vat_option", "vat_shifted"),
        ("vat_option", 1),
        ("reference", 7),
        ("comment", ["x"]),
        ("attachments", [1]),
        ("attachments", "1"),
        ("attachments", ["x"]),
        ("lines", []),
        ("lines", {}),
        ("lines", "x"),
    ],
)
def test_invalid_values(name, value):
    api = Api()
    assert set(api.problems("POST", "/invoices/sales", api.invoice(**{name: value}))) == {name}


def test_a_template_has_to_be_one_for_invoices():
    api = Api()
    for template in api.get("/templates"):
        status = 200 if template["type"] == "sales_invoice" else 422
        assert api.call("POST", "/invoices/sales", api.invoice(template_id=template["id"])).status == status


def test_an_unknown_relation_is_404_once_the_rest_is_right():
    api = Api()
    assert api.refused(404, "POST", "/invoices/sales", api.invoice(relation_id=9)) == ["Resource niet gevonden."]
    assert set(api.problems("POST", "/invoices/sales", api.invoice(relation_id=9, currency_id=1))) == {"currency_id"}


def test_an_inactive_relation_may_be_refused():
    for accepted in (True, False):
        api = only(inactive_relation_invoiceable=accepted)
        api.box.web.edit_relation(api.relation_id, flags={"active": False})
        assert api.call("POST", "/invoices/sales", api.invoice()).status == (200 if accepted else 422)


@pytest.mark.parametrize(("country", "needed"), [("NL", False), ("BE", False), ("DE", True), ("AT", True)])
def test_germany_and_austria_need_a_day_of_delivery(country, needed):
    api = Api(administration=Administration(country=country))
    rate = str(api.get("/invoices/sales/options")[0]["percentage"])
    lines = [api.line(percentage=rate)]
    bare = api.call("POST", "/invoices/sales", api.invoice(lines=lines))
    assert bare.status == (422 if needed else 200)
    api.made(lines=lines, delivery_date="2026-08-20")
    assert api.box.invoices[-1].delivery_date == date(2026, 8, 20)
    sale = api.sale(api.sale_line("100", percentage=rate), invoice_amount=100 + int(D(rate)))
    assert api.call("POST", "/salesbook", sale).status == (422 if needed else 200)


# -- lines --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["qty", "description", "amount", "vat_id", "ledger_id"])
@pytest.mark.parametrize("value", [..., "", None])
def test_required_fields_of_a_line(name, value):
    api = Api()
    lines = [text_line(), api.line(**{name: value})]
    key = f"lines.1.{name}"
    assert api.problems("POST", "/invoices/sales", api.invoice(lines=lines)) == {key: MISSING.format(key)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("qty", "1"),
        ("qty", True),
        ("qty", number("1e10")),
        ("amount", "95.00"),
        ("amount", 10**30),
        ("discount", number("2.5")),
        ("discount", 101),
        ("discount", -1),
        ("info", "0"),
        ("info", 0),
        ("description", 7),
        ("vat_id", 1),
        ("vat_id", "x"),
        ("ledger_id", 8000),
        ("costs_id", 1),
        ("costs_id", 0),
        ("product_id", 1),
        ("unit", "uur"),
        ("vat_amount", 21),
    ],
)
def test_invalid_values_of_a_line(name, value):
    api = Api()
    problems = api.problems("POST", "/invoices/sales", api.invoice(lines=[api.line(**{name: value})]))
    assert set(problems) == {f"lines.0.{name}"}


@pytest.mark.parametrize("row", [7, "x", None, []])
def test_a_line_is_an_object(row):
    assert set(Api().problems("POST", "/invoices/sales", Api().invoice(lines=[row]))) == {"lines.0"}


def test_errors_of_lines_may_be_keyed_without_their_place():
    api = only(line_error_keys="bare")
    assert set(api.problems("POST", "/invoices/sales", api.invoice(lines=[api.line(qty=...)]))) == {"qty"}


def test_a_text_line_has_a_description_only():
    api = Api()
    for extra in ({"qty": 1}, {"amount": 0}, {"vat_id": api.rate()["id"]}):
        lines = [{**text_line(), **extra}]
        assert set(api.problems("POST", "/invoices/sales", api.invoice(lines=lines))) == {
            f"lines.0.{next(iter(extra))}"
        }
    assert set(api.problems("POST", "/invoices/sales", api.invoice(lines=[{"info": True}]))) == {"lines.0.description"}


def test_only_the_offered_combinations_are_accepted():
    api = Api()
    rates, ledgers = api.get("/vat"), api.get("/ledgers")
    legal = {
        (option, row["id"], ledger["id"])
        for row in api.get("/invoices/sales/options")
        for option, allowed in row["vat_options"].items()
        for ledger in row["usable_ledgers"]
        if allowed
    }
    costs = {row["id"]: row["costs"] for row in ledgers}
    cost_centre = api.get("/costs")[0]["id"]
    body = api.invoice()
    for option in ("incl", "excl", "shifted", "icv_within_eu", "icv_outside_eu"):
        for rate in rates:
            for ledger in ledgers:
                line = {**body["lines"][0], "vat_id": rate["id"], "ledger_id": ledger["id"]}
                if costs[ledger["id"]] == "required":
                    line["costs_id"] = cost_centre
                reply = api.call("POST", "/invoices/sales", {**body, "vat_option": option, "lines": [line]})
                expected = 200 if (option, rate["id"], ledger["id"]) in legal else 422
                assert reply.status == expected, (option, rate["name"], ledger["number"])


def test_a_ledger_that_does_not_go_with_the_rate_is_named_so():
    api = Api()
    lines = [api.line(ledger_id=api.ledger("8020"))]
    assert api.problems("POST", "/invoices/sales", api.invoice(lines=lines)) == {
        "lines.0.ledger_id": "vat_id and ledger_id are not a valid combination"
    }


def test_one_option_holds_for_the_whole_invoice():
    api = Api()
    lines = [api.line(), api.line(option="shifted", percentage="0")]
    problems = api.problems("POST", "/invoices/sales", api.invoice(lines=lines))
    assert set(problems) == {"lines.1.vat_id"}


@pytest.mark.parametrize(
    ("ledger", "given", "problem"),
    [
        ("8000", False, None),
        ("8000", True, None),
        ("8100", False, "lines.0.costs_id is verplicht."),
        ("8100", True, None),
        ("8200", False, None),
        ("8200", True, "Field 'lines.0.costs_id' is not allowed."),
    ],
)
def test_cost_centres_are_optional_required_or_disabled(ledger, given, problem):
    api = Api()
    costs_id = api.get("/costs")[1]["id"] if given else ...
    body = api.invoice(lines=[api.line(ledger_id=api.ledger(ledger), costs_id=costs_id)])
    if problem is not None:
        assert api.problems("POST", "/invoices/sales", body) == {"lines.0.costs_id": problem}
    else:
        identifier = api.ok("POST", "/invoices/sales", body)["id"]
        shown = api.get(f"/invoices/sales/{identifier}")["lines"][0]
        assert shown["costs_id"] == (costs_id if given else None)
        assert api.box.invoices[0].postings[0].costs_number == ("200" if given else None)


def test_a_cost_centre_may_be_null():
    Api().made(lines=[Api().line(costs_id=None)])


def test_with_the_trade_module_every_line_names_a_product():
    api = Api(administration=Administration(trade_module=True))
    product = api.get("/products")[0]["id"]
    assert set(api.problems("POST", "/invoices/sales", api.invoice())) == {"lines.0.product_id"}
    assert set(api.problems("POST", "/invoices/sales", api.invoice(lines=[api.line(product_id=1)]))) == {
        "lines.0.product_id"
    }
    identifier = api.made(lines=[api.line(product_id=product), text_line()])
    assert api.get(f"/invoices/sales/{identifier}")["lines"][0]["product_id"] == product


@pytest.mark.parametrize(
    ("rule", "kept", "net"), [("keep", D("1.25"), D("125")), ("truncate", 1, D("100")), ("refuse", None, None)]
)
def test_fractional_hours(rule, kept, net):
    api = only(fractional_quantity=rule)
    body = api.invoice(lines=[api.line("100", "1.25")])
    if kept is None:
        assert api.problems("POST", "/invoices/sales", body) == {
            "lines.0.qty": "lines.0.qty moet een geheel getal zijn."
        }
        api.made(lines=[api.line("125", "1.0")])
    else:
        shown = api.get(f"/invoices/sales/{api.ok('POST', '/invoices/sales', body)['id']}")
        assert (shown["lines"][0]["qty"], shown["totals"]["excl_vat"]) == (kept, net)


def test_further_decimals_are_rounded_away():
    api = Api()
    identifier = api.made(lines=[api.line("33.335", "0.125")])
    line = api.get(f"/invoices/sales/{identifier}")["lines"][0]
    assert (line["qty"], line["amount"]) == (D("0.13"), D("33.34"))
    exact = only(quantity_decimals=4, price_decimals=4)
    identifier = exact.made(lines=[exact.line("33.335", "0.125")])
    line = exact.get(f"/invoices/sales/{identifier}")["lines"][0]
    assert (line["qty"], line["amount"]) == (D("0.125"), D("33.335"))


def test_credits_are_accepted_unless_assumed_otherwise():
    assert Api().sums([Api().line("100", "-1")]) == (D(-100), D(-21), D(-121))
    strict = only(negative_accepted=False)
    lines = [strict.line("-1"), strict.line("1", "-1")]
    assert set(strict.problems("POST", "/invoices/sales", strict.invoice(lines=lines))) == {
        "lines.0.amount",
        "lines.1.qty",
    }


def test_line_breaks_may_come_back_as_html():
    api = only(html_in_descriptions=True, info_line_vat="null")
    shown = api.get(f"/invoices/sales/{api.made(lines=[text_line('een' + chr(10) + 'twee')])}")["lines"][0]
    assert shown["description"] == "een<br />\ntwee"
    assert shown["vat"] is None


# -- arithmetic ---------------------------------------------------------------------------------------------


def test_vat_is_rounded_per_rate_or_per_line():
    prices = ("0.12", "0.12", "0.12")
    assert Api().sums([Api().line(price) for price in prices]) == (D("0.36"), D("0.08"), D("0.44"))
    per_line = only(vat_rounding="line")
    assert per_line.sums([per_line.line(price) for price in prices]) == (D("0.36"), D("0.09"), D("0.45"))


def test_lines_are_rounded_before_they_are_added_or_not():
    lines = [("0.33", "1.25"), ("0.33", "1.25")]
    rounded = Api()
    assert rounded.sums([rounded.line(*line) for line in lines])[0] == D("0.82")
    exact = only(line_amounts="exact")
    assert exact.sums([exact.line(*line) for line in lines])[0] == D("0.83")


def test_halves_are_rounded_up():
    api = Api()
    assert api.sums([api.line("0.5")])[1] == D("0.11")  # 0.105
    assert api.sums([api.line("-0.5")])[1] == D("-0.11")


def test_amounts_hold_the_vat_only_with_incl():
    api = Api()
    assert api.sums([api.line("121", option="incl")], "incl") == (D(100), D(21), D(121))
    mixed = [api.line("10", option="incl"), api.line("10", option="incl", percentage="9")]
    assert api.sums(mixed, "incl") == (D("17.43"), D("2.57"), D(20))


@pytest.mark.parametrize("option", ["shifted", "icv_within_eu", "icv_outside_eu"])
def test_other_options_charge_no_vat(option):
    api = Api()
    assert api.sums([api.line("100", option=option, percentage="0")], option) == (D(100), D(0), D(100))


def test_shifted_may_be_offered_on_the_ordinary_rates():
    api = only(shifted_on_ordinary_rates=True)
    assert "Btw verlegd" not in {row["name"] for row in api.get("/invoices/sales/options")}
    assert api.sums([api.line("100", option="shifted")], "shifted") == (D(100), D(0), D(100))


def test_zero_rates_are_ordinary_ones():
    api = Api()
    assert api.sums([api.line("100", percentage="0"), api.line("100")]) == (D(200), D(21), D(221))


@pytest.mark.parametrize(
    ("rule", "expected"), [("foreign per default", D("80.0")), ("default per foreign", D("125.0"))]
)
def test_totals_in_the_own_currency(rule, expected):
    api = only(currency_rate=rule)
    dollar = next(row["id"] for row in api.get("/currencies") if row["currency"] == "USD")
    totals = api.get(f"/invoices/sales/{api.made(currency_id=dollar)}")["totals"]
    assert (totals["excl_vat"], totals["excl_vat_default"]) == (D(100), expected)
    assert api.box.invoices[0].currency == "USD"


def test_postings_are_sums_per_rate_ledger_and_cost_centre():
    api = Api()
    projects, costs = api.ledger("8100"), [row["id"] for row in api.get("/costs")]
    lines = [
        api.line("10"),
        api.line("20"),
        api.line("5", percentage="9"),
        api.line("40", ledger_id=projects, costs_id=costs[0]),
        api.line("50", ledger_id=projects, costs_id=costs[1]),
    ]
    api.made(lines=lines)
    found = [
        (each.percentage, each.ledger_number, each.costs_number, each.net, each.vat)
        for each in api.box.invoices[0].postings
    ]
    assert found == [
        (21, "8000", None, D(30), D("6.3")),
        (9, "8020", None, D(5), D("0.45")),
        (21, "8100", "100", D(40), D("8.4")),
        (21, "8100", "200", D(50), D("10.5")),
    ]


def test_a_hundred_lines():
    api = Api()
    line = api.line("1.99", "3")
    assert api.sums([line] * 100)[0] == D(597)
