"""Tax and sums in the Billomat emulator: which rate applies, and what comes out to the cent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_billomat import api, line
from test_billomat_invoices import items_of

from accounting_bridge.sandbox.billomat import BillomatAssumptions

# -- tax -----------------------------------------------------------------------------------------------------


def test_without_a_rate_the_default_tax_applies():
    caller = api()
    item = items_of(caller, caller.invoice([line()]))[0]
    assert (item["tax_name"], item["tax_rate"], item["tax_changed_manually"]) == ("MwSt", "19", "0")


def test_a_rate_of_the_account_needs_no_flag_and_any_other_does():
    caller = api()
    assert caller.invoice([line() | {"tax_rate": 7}])["total_gross"] == "107"
    body = {"client_id": caller.box.customers[0].id, "invoice-items": {"invoice-item": line() | {"tax_rate": 16}}}
    caller.refused("POST", "/invoices", {"invoice": body})
    assert caller.invoice([line(rate=16)])["total_gross"] == "116"
    assert caller.invoice([line(rate=0)])["total_gross"] == "100"


def test_a_name_that_the_account_does_not_use_needs_the_flag_too():
    caller = api()
    item = line() | {"tax_rate": 19, "tax_name": "VAT"}
    body = {"client_id": caller.box.customers[0].id, "invoice-items": {"invoice-item": item}}
    caller.refused("POST", "/invoices", {"invoice": body})
    record = caller.invoice([item | {"tax_changed_manually": 1}])
    assert record["taxes"]["tax"]["name"] == "VAT"


def test_a_rate_without_flag_may_be_replaced_silently_instead():
    caller = api(assumptions=BillomatAssumptions(rate_without_manual_flag="replace"))
    assert caller.invoice([line() | {"tax_rate": 16}])["total_gross"] == "119"


def test_an_empty_rate_means_no_tax():
    assert api().invoice([line() | {"tax_rate": "", "tax_name": ""}])["total_gross"] == "100"


@pytest.mark.parametrize("rate", ["-1", "101", "neunzehn"])
def test_an_impossible_rate_is_refused(rate):
    caller = api()
    body = {"client_id": caller.box.customers[0].id, "invoice-items": {"invoice-item": line(rate=rate)}}
    caller.refused("POST", "/invoices", {"invoice": body})


@pytest.mark.parametrize(
    ("rule", "country", "gross"),
    [
        ("NO_TAX", "DE", "100"),
        ("COUNTRY", "CH", "100"),
        ("COUNTRY", "DE", "119"),
        ("TAX", "CH", "119"),
    ],
)
def test_the_clients_tax_rule_decides_where_no_rate_is_given(rule, country, gross):
    caller = api()
    client = caller.client(tax_rule=rule, country_code=country)
    assert caller.invoice([line()], client_id=client["id"])["total_gross"] == gross


def test_a_taxed_line_for_a_tax_free_client_needs_the_flag():
    caller = api()
    client = caller.client(tax_rule="NO_TAX")
    body = {"client_id": client["id"], "invoice-items": {"invoice-item": line() | {"tax_rate": 19}}}
    caller.refused("POST", "/invoices", {"invoice": body})
    assert caller.invoice([line(rate=19)], client_id=client["id"])["total_gross"] == "119"


# -- sums ----------------------------------------------------------------------------------------------------


def test_the_recorded_invoice_of_two_rates_comes_out_to_the_cent():
    caller = api()
    record = caller.invoice([line(price=3800), line(price=85, rate=10)], discount_rate=2)
    assert (record["total_net"], record["total_gross"], record["discount_amount"]) == ("3885", "4615.5", "92.31")
    assert [tax["amount_rounded"] for tax in record["taxes"]["tax"]] == ["722", "8.5"]
    assert record["taxes"]["tax"][1] == {
        "name": "",
        "rate": "10",
        "amount": "8.5",
        "amount_plain": "8.5",
        "amount_rounded": "8.5",
        "amount_net": "85",
        "amount_net_plain": "85",
        "amount_net_rounded": "85",
        "amount_gross": "93.5",
        "amount_gross_plain": "93.5",
        "amount_gross_rounded": "93.5",
    }


def test_the_documented_item_with_a_reduction_comes_out_to_the_cent():
    caller = api()
    record = caller.invoice([line(quantity=5.2, price=10, rate=19, reduction="10")])
    item = items_of(caller, record)[0]
    assert (item["total_net_unreduced"], item["total_net"]) == ("52", "42")
    assert (item["total_gross"], item["total_gross_unreduced"]) == ("49.98", "61.88")


def test_a_reduction_is_an_amount_or_a_share():
    caller = api()
    items = [line(price=200), line(price=100, rate=7)]
    share = caller.invoice(items, reduction="10%")
    assert (share["total_net_unreduced"], share["total_reduction"], share["total_net"]) == ("300", "30", "270")
    assert (share["total_gross"], share["total_gross_unreduced"]) == ("310.5", "345")
    amount = caller.invoice(items, reduction="10")
    assert (amount["total_net"], amount["total_reduction"]) == ("290", "10")
    assert [tax["amount_net"] for tax in amount["taxes"]["tax"]] == ["193.33", "96.67"]
    assert caller.invoice([line(reduction="2.5%")])["total_net"] == "97.5"


def test_tax_is_rounded_once_per_rate_unless_assumed_otherwise():
    items = [line(price="0.08") for _ in range(3)]
    gross = {}
    for where in ("rate", "item", "invoice"):
        gross[where] = api(assumptions=BillomatAssumptions(tax_rounding=where)).invoice(items)["total_gross"]
    assert gross == {"rate": "0.29", "item": "0.3", "invoice": "0.29"}
    mixed = [line(price="0.08"), line(price="0.08", rate=10)]
    assert api(assumptions=BillomatAssumptions(tax_rounding="invoice")).invoice(mixed)["total_gross"] == "0.18"
    assert api().invoice(mixed)["total_gross"] == "0.19"


def test_unrounded_sums_are_shown_beside_the_rounded_ones():
    tax = api().invoice([line(quantity="0.333", price="95.5")])["taxes"]["tax"]
    assert (tax["amount_net"], tax["amount_plain"], tax["amount_rounded"]) == ("31.8", "6.042", "6.04")


def test_with_gross_prices_the_net_is_computed_back():
    caller = api()
    record = caller.invoice([line(price="119"), line(price="10", rate=7)], net_gross="GROSS")
    assert (record["total_gross"], record["total_net"]) == ("129", "109.35")
    assert (
        caller.get(f"/invoice-items?invoice_id={record['id']}")["invoice-items"]["invoice-item"][1]["total_net"]
        == "9.35"
    )


def test_a_reduction_is_taken_off_even_where_the_items_are_worth_nothing():
    record = api().invoice([line(price=0)], reduction="5")
    assert (record["total_net"], record["total_gross"]) == ("-5", "-5.95")
    assert api().invoice(reduction="5")["total_net"] == "0"


def test_negative_lines_are_credited():
    record = api().invoice([line(price=100), line(price="-30")])
    assert (record["total_net"], record["total_gross"]) == ("70", "83.3")


def test_an_invoice_without_items_has_no_taxes():
    record = api().invoice()
    assert (record["taxes"], record["total_gross"], record["discount_amount"]) == ("", "0", "")


AMOUNTS = st.decimals("-9999", "9999", places=2)
LINES = st.lists(
    st.tuples(st.decimals("0", "500", places=3), AMOUNTS, st.sampled_from([19, 7, 0])), min_size=1, max_size=8
)


@settings(deadline=None, max_examples=60)
@given(LINES, st.sampled_from(["NET", "GROSS"]), st.sampled_from(["", "3%", "12.5"]))
def test_the_sums_of_an_invoice_always_agree_with_each_other(lines, basis, reduction):
    caller = api()
    record = caller.invoice(
        [line(quantity=str(q), price=str(p), rate=r) for q, p, r in lines], net_gross=basis, reduction=reduction
    )
    taxes = record["taxes"]["tax"]
    taxes = taxes if isinstance(taxes, list) else [taxes]
    net, gross, reduced = (Decimal(record[name]) for name in ("total_net", "total_gross", "total_reduction"))
    assert net == sum(Decimal(tax["amount_net"]) for tax in taxes)
    assert gross == net + sum(Decimal(tax["amount"]) for tax in taxes)
    items = items_of(caller, record)
    base = sum(Decimal(item["total_gross" if basis == "GROSS" else "total_net"]) for item in items)
    assert base - reduced == (gross if basis == "GROSS" else net)
    assert all(abs(Decimal(tax["amount"]) - Decimal(tax["amount_plain"])) <= Decimal("0.005") for tax in taxes)
