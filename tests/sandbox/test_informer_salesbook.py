"""Informer: entries of the salesbook, for invoices that were issued elsewhere."""

import base64
from datetime import date
from decimal import Decimal

import pytest
from informer_support import MISSING, PDF, Api, number

from accounting_bridge.sandbox.informer import Administration, Assumptions

D = Decimal
PERIOD = "You can no longer book in the specified period."
REQUIRED = (
    "relation_id", "number", "invoice_date", "expiry_date", "payment_condition_id", "vat_option", "invoice_amount",
    "lines",
)  # fmt: skip
ENCODED = base64.b64encode(PDF).decode()


def only(**assumptions):
    return Api(assumptions=Assumptions(**assumptions))


def test_an_entry_is_booked_under_its_own_number():
    api = Api()
    answer = api.ok("POST", "/salesbook", api.sale(number="2026/0815-A", pdf=ENCODED))
    assert answer == {"id": 1001, "url": "https://app.informer.eu/salesbook/1001"}
    shown = api.get("/salesbook/1001")
    assert isinstance(shown, list)
    (shown,) = shown
    assert (shown["number"], shown["concept"], shown["status"]["status"]) == ("2026/0815-A", "0", "Open")
    assert (shown["invoice_date"], shown["expiry_date"], shown["expiry_days"]) == ("2026-08-21", "2026-09-04", 14)
    assert "open" not in shown["totals"]
    assert not {"send_options", "attachments", "document_attachments"} & set(shown)
    assert shown["totals"]["incl_vat"] == 121
    record = api.box.sales_entries[0]
    assert (record.number, record.kind, record.status) == ("2026/0815-A", "salesbook", "open")
    assert (record.net, record.tax, record.gross, record.files) == (D(100), D(21), D(121), ("2026/0815-A.pdf",))
    assert api.box.invoices == []


def test_one_entry_may_be_shown_as_an_object():
    api = only(salesbook_single="object")
    assert api.get(f"/salesbook/{api.booked()}")["number"] == "2026-0815"


@pytest.mark.parametrize("name", REQUIRED)
def test_required_fields(name):
    api = Api()
    assert api.problems("POST", "/salesbook", api.sale(**{name: ...})) == {name: MISSING.format(name)}


@pytest.mark.parametrize("name", ["description", "amount", "vat_id", "ledger_id"])
def test_required_fields_of_a_line(name):
    api = Api()
    key = f"lines.0.{name}"
    line = {**api.sale_line("100"), name: ...}
    del line[name]
    assert api.problems("POST", "/salesbook", api.sale(line)) == {key: MISSING.format(key)}


@pytest.mark.parametrize("name", ["qty", "discount", "info", "vat_amount", "product_id"])
def test_lines_have_no_quantity_discount_or_vat(name):
    api = Api()
    line = {**api.sale_line("100"), name: 1}
    assert set(api.problems("POST", "/salesbook", api.sale(line))) == {f"lines.0.{name}"}


@pytest.mark.parametrize("name", ["reference", "currency_id", "template_id", "comment", "attachments"])
def test_what_an_entry_does_not_have(name):
    api = Api()
    assert set(api.problems("POST", "/salesbook", api.sale(**{name: 1}))) == {name}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("relation_id", 9),
        ("relation_id", "1001"),
        ("number", 815),
        ("invoice_date", "21.08.2026"),
        ("expiry_date", "2026-08-20"),
        ("expiry_date", "x"),
        ("payment_condition_id", 1),
        ("vat_option", "vat_shifted"),
        ("invoice_amount", "121"),
        ("invoice_amount", number("121.01")),
        ("invoice_amount", number("120.99")),
        ("invoice_amount", 100),
        ("pdf", "geen base64!"),
        ("pdf", base64.b64encode(b"GIF89a").decode()),
        ("pdf", base64.b64encode(PDF + b"x" * 8 * 1024 * 1024).decode()),
        ("lines", []),
    ],
    ids=lambda value: str(value)[:20],
)
def test_invalid_values(name, value):
    api = Api()
    assert set(api.problems("POST", "/salesbook", api.sale(**{name: value}))) == {name}
    assert not api.box.sales_entries


def test_an_unknown_relation_may_be_404():
    api = only(unknown_relation_status=404)
    assert api.refused(404, "POST", "/salesbook", api.sale(relation_id=9)) == ["Resource niet gevonden."]


def test_the_combination_of_rate_and_ledger_is_checked():
    api = Api()
    line = {**api.sale_line("100"), "ledger_id": api.ledger("8020")}
    assert set(api.problems("POST", "/salesbook", api.sale(line))) == {"lines.0.ledger_id"}
    line = {**api.sale_line("100"), "ledger_id": api.ledger("8100")}
    assert set(api.problems("POST", "/salesbook", api.sale(line))) == {"lines.0.costs_id"}


@pytest.mark.parametrize(("amount", "status"), [("0.44", 200), ("0.45", 200), ("0.43", 422), ("0.46", 422)])
def test_the_amount_may_be_rounded_per_rate_or_per_line(amount, status):
    api = Api()
    lines = [api.sale_line("0.12") for _ in range(3)]
    reply = api.call("POST", "/salesbook", api.sale(*lines, invoice_amount=number(amount)))
    assert reply.status == status
    if status == 200:
        assert api.box.sales_entries[0].gross == D(amount)
        assert api.get("/salesbook/1001")[0]["totals"]["incl_vat"] == D(amount)


def test_a_tolerance_may_be_assumed():
    api = only(salesbook_tolerance=D("0.05"))
    api.ok("POST", "/salesbook", api.sale(invoice_amount=number("121.05")))
    assert set(api.problems("POST", "/salesbook", api.sale(invoice_amount=number("121.06")))) == {"invoice_amount"}


def test_gross_amounts_add_up_by_construction():
    api = Api()
    lines = [
        api.sale_line("10", option="incl"),
        api.sale_line("9.99", option="incl", percentage="9"),
    ]
    api.ok("POST", "/salesbook", api.sale(*lines, vat_option="incl", invoice_amount=number("19.99")))
    record = api.box.sales_entries[0]
    assert (record.net, record.tax, record.gross) == (D("17.43"), D("2.56"), D("19.99"))


@pytest.mark.parametrize("option", ["shifted", "icv_within_eu", "icv_outside_eu"])
def test_without_vat_the_amount_is_the_net_one(option):
    api = Api()
    line = api.sale_line("100", option=option, percentage="0")
    api.ok("POST", "/salesbook", api.sale(line, vat_option=option, invoice_amount=100))
    assert set(api.problems("POST", "/salesbook", api.sale(line, vat_option=option))) == {"invoice_amount"}


def test_postings_are_sums_per_rate_ledger_and_cost_centre():
    api = Api()
    costs = [row["id"] for row in api.get("/costs")]
    lines = [
        api.sale_line("10"),
        api.sale_line("20"),
        api.sale_line("50", percentage="9"),
        api.sale_line("40", ledger_id=api.ledger("8100"), costs_id=costs[2]),
    ]
    api.ok("POST", "/salesbook", api.sale(*lines, invoice_amount=number("139.20")))
    found = [(each.ledger_number, each.costs_number, each.net, each.vat) for each in api.box.sales_entries[0].postings]
    assert found == [("8000", None, 30, D("6.3")), ("8020", None, 50, D("4.5")), ("8100", "300", 40, D("8.4"))]


def test_a_number_may_be_used_twice_unless_assumed_otherwise():
    api = Api()
    assert api.booked() != api.booked()
    strict = only(salesbook_duplicates="refuse")
    identifier = strict.booked()
    assert set(strict.problems("POST", "/salesbook", strict.sale())) == {"number"}
    strict.ok("POST", "/salesbook", strict.sale(relation_id=1002))
    strict.ok("PUT", f"/salesbook/{identifier}", strict.sale())


@pytest.mark.parametrize(
    ("day", "status"),
    [("2026-08-31", 422), ("2026-08-01", 422), ("2025-12-31", 422), ("2026-09-01", 200)],
)
def test_a_closed_period_takes_no_entries(day, status):
    api = Api(administration=Administration(closed_until=(2026, 8)))
    reply = api.call("POST", "/salesbook", api.sale(invoice_date=day, expiry_date="2026-12-01"))
    assert reply.status == status
    if status == 422:
        assert reply.value() == {"error": [PERIOD], "response_code": 422}
        assert not api.box.sales_entries


def test_entries_of_a_closed_period_stay_as_they_are():
    api = only(closed_period_shape="field")
    identifier = api.booked()
    api.box.web.close_period(2026, 8)
    moved = api.sale(invoice_date="2026-09-02")
    assert api.problems("PUT", f"/salesbook/{identifier}", moved) == {"invoice_date": PERIOD}
    with pytest.raises(ValueError, match="the period is closed"):
        api.box.web.delete_entry(identifier)


def test_an_entry_is_replaced_and_keeps_its_file():
    api = Api()
    identifier = api.booked(pdf=ENCODED)
    api.clock.advance(minutes=1)
    assert api.ok("PUT", f"/salesbook/{identifier}", api.sale(number="B-2"))["id"] == identifier
    shown = api.get(f"/salesbook/{identifier}")[0]
    assert (shown["number"], shown["last_edit"]) == ("B-2", "2026-08-21 12:01:00")
    assert api.get(f"/salesbook/pdf/{identifier}") == {"pdf": ENCODED, "filename": "B-2.pdf"}
    other = base64.b64encode(PDF + b"2").decode()
    api.ok("PUT", f"/salesbook/{identifier}", api.sale(pdf=other))
    assert api.get(f"/salesbook/pdf/{identifier}")["pdf"] == other
    assert set(api.problems("PUT", f"/salesbook/{identifier}", {"number": "x"})) == set(REQUIRED) - {"number"}


@pytest.mark.parametrize("identifier", ["9", "x"])
def test_an_unknown_entry_is_404(identifier):
    api = Api()
    assert api.refused(404, "GET", f"/salesbook/{identifier}") == ["Resource niet gevonden."]
    assert api.call("PUT", f"/salesbook/{identifier}", api.sale()).status == 404
    assert api.call("GET", f"/salesbook/pdf/{identifier}").status == 404


def test_without_a_file_there_is_no_pdf():
    api = Api()
    assert api.refused(404, "GET", f"/salesbook/pdf/{api.booked()}") == ["Resource niet gevonden."]


def test_lists_filters_and_sorting():
    api = Api()
    first, second = api.booked(number="B"), api.booked(number="A", relation_id=1002)
    assert [row["id"] for row in api.get("/salesbook")["invoices"]] == [first, second]
    assert [row["id"] for row in api.get("/salesbook?sort=number.asc")["invoices"]] == [second, first]
    assert [row["id"] for row in api.get("/salesbook?relation_id=1002")["invoices"]] == [second]
    api.box.web.pay_entry(first)
    assert [row["id"] for row in api.get("/salesbook?filter=open")["invoices"]] == [second]
    assert api.box.sales_entries[0].status == "paid"
    for word in ("process", "accruals", "collect"):
        assert api.refused(400, "GET", f"/salesbook?filter={word}") == ["No records found"]
    assert api.call("GET", "/salesbook?filter=concept").status == 400


def test_entries_may_wait_to_be_processed():
    api = only(salesbook_booked_at_once=False)
    identifier = api.booked()
    row = api.get("/salesbook?filter=process")["invoices"][0]
    assert (row["id"], row["concept"], row["status"]["status"]) == (identifier, "0", "Te verwerken")
    api.box.web.process(identifier)
    assert api.call("GET", "/salesbook?filter=process").status == 400
    assert api.get("/salesbook?filter=open")["invoices"][0]["id"] == identifier


def test_entries_can_be_deleted_in_the_web_app():
    api = Api()
    identifier = api.booked(delivery_date="2026-08-20")
    assert api.box.sales_entries[0].delivery_date == date(2026, 8, 20)
    api.box.web.delete_entry(identifier)
    assert not api.box.sales_entries
    with pytest.raises(ValueError, match="there is no salesbook entry"):
        api.box.web.delete_entry(identifier)
