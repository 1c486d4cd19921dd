"""Draft invoices in the Billomat emulator: bodies, defaults, items, sums, numbers, filters."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from test_billomat import FakeClock, api, line

from accounting_bridge.sandbox.billomat import BillomatAccount, BillomatAssumptions, Quota, TaxOption


def items_of(caller, invoice):
    found = caller.get(f"/invoice-items?invoice_id={invoice['id']}")["invoice-items"].get("invoice-item", [])
    return found if isinstance(found, list) else [found]


# -- creating ------------------------------------------------------------------------------------------------


def test_an_invoice_is_always_a_draft():
    caller = api()
    record = caller.invoice(status="OPEN", invoice_number="RE99", total_gross="5")
    assert (record["status"], record["total_gross"]) == ("DRAFT", "0")
    assert caller.box.invoices[0].status == "DRAFT"


def test_a_draft_shows_the_next_number_and_has_none():
    caller = api(account=BillomatAccount(invoice_number_next=198))
    first, second = caller.invoice(), caller.invoice()
    assert (first["invoice_number"], first["number"]) == ("RE198", "")
    assert (second["invoice_number"], second["number"]) == ("RE198", "")
    caller.ok("PUT", f"/invoices/{second['id']}/complete", {"complete": {}})
    assert caller.get(f"/invoices/{second['id']}")["invoice"]["invoice_number"] == "RE198"
    assert caller.get(f"/invoices/{first['id']}")["invoice"]["invoice_number"] == "RE199"


def test_provisional_numbers_are_not_found_unless_assumed():
    assert _total(api_with_draft(), "invoice_number=RE1") == "0"
    assert _total(api_with_draft(provisional_numbers_searchable=True), "invoice_number=RE1") == "1"


def api_with_draft(**assumptions):
    caller = api(assumptions=BillomatAssumptions(**assumptions))
    caller.invoice()
    return caller


def _total(caller, query):
    return caller.get(f"/invoices?{query}")["invoices"]["@total"]


def test_a_number_of_ones_own_stays_and_moves_the_counter():
    caller = api()
    own = caller.invoice(number_pre="2024-RE-", number=17, number_length=4)
    assert (own["invoice_number"], own["number"], own["status"]) == ("2024-RE-0017", "17", "DRAFT")
    assert _total(caller, "invoice_number=2024-RE-0017") == "1"
    assert caller.invoice()["invoice_number"] == "RE18"


def test_with_a_counter_per_prefix_the_main_series_is_not_moved():
    caller = api(account=BillomatAccount(number_range_mode="CONSIDER_PREFIX"))
    caller.invoice(number_pre="X", number=500)
    assert caller.invoice()["invoice_number"] == "RE1"


def test_doubled_numbers_are_accepted_unless_refused():
    caller = api()
    caller.invoice(number=7)
    assert caller.invoice(number=7)["invoice_number"] == "RE7"
    strict = api(assumptions=BillomatAssumptions(duplicate_numbers="refuse"))
    strict.invoice(number=7)
    client = strict.box.customers[0].id
    assert "RE7" in strict.refused("POST", "/invoices", {"invoice": {"client_id": client, "number": 7}})
    other = strict.invoice()
    strict.refused("PUT", f"/invoices/{other['id']}", {"invoice": {"number": 7}})


def test_only_the_client_is_required():
    assert api().refused("POST", "/invoices", {"invoice": {}}) == "client_id is required"
    assert api().refused("POST", "/invoices", {"invoice": {"client_id": ""}}) == "client_id is required"


@pytest.mark.parametrize(
    "field",
    ["client_id", "contact_id", "template_id", "free_text_id", "invoice_id", "offer_id", "confirmation_id"],
)
def test_what_an_invoice_points_to_has_to_exist(field):
    caller = api()
    body = {"client_id": caller.box.customers[0].id} | {field: 1}
    assert caller.refused("POST", "/invoices", {"invoice": body}) == f"{field} does not exist"
    assert len(caller.box.invoices) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("net_gross", "SETTINGS"),
        ("date", "01.02.2026"),
        ("date", ""),
        ("due_days", "x"),
        ("reduction", "10 Euro"),
        ("supply_date_type", "PERIOD"),
        ("currency_code", "euro"),
        ("quote", "1,2"),
        ("payment_types", "GOLD"),
        ("due_days", 10**12),
    ],
)
def test_bad_values_are_refused(field, value):
    caller = api()
    body = {"client_id": caller.box.customers[0].id, field: value}
    caller.refused("POST", "/invoices", {"invoice": body})
    assert len(caller.box.invoices) == 0


# -- defaults ------------------------------------------------------------------------------------------------


def test_what_is_left_out_takes_the_accounts_and_the_clients_defaults():
    caller = api(clock=FakeClock())
    client = caller.client(
        street="Weg 1", due_days_type="ABSOLUTE", due_days=30, currency_code="CHF", net_gross="GROSS"
    )
    record = caller.invoice(client_id=client["id"])
    assert (record["date"], record["due_days"], record["due_date"]) == ("2026-03-10", "30", "2026-04-09")
    assert record["address"] == "Musterfirma\nWeg 1\nDeutschland"
    assert (record["currency_code"], record["quote"], record["net_gross"]) == ("CHF", "1", "GROSS")
    assert (record["payment_types"], record["template_id"]) == ("BANK_TRANSFER", "12001")
    assert record["title"] == "Rechnung [Invoice.invoice_number]"
    assert record["intro"].startswith("Wir stellen")
    assert (record["label"], record["supply_date"], record["supply_date_type"]) == ("", "", "")


def test_what_is_there_but_empty_overrides_the_default():
    record = api().invoice(address="", due_date="", intro="", note="", title="", payment_types="", number_pre="")
    assert (record["address"], record["due_date"], record["intro"], record["payment_types"]) == ("", "", "", "")
    assert record["invoice_number"] == "1"
    no_days = api().invoice(due_days="")
    assert (no_days["due_days"], no_days["due_date"]) == ("", "")


def test_a_due_date_wins_over_due_days():
    record = api().invoice(date="2026-01-31", due_date="2026-02-10", due_days=30)
    assert (record["due_date"], record["due_days"]) == ("2026-02-10", "10")


def test_a_free_text_fills_what_is_not_given():
    caller = api()
    text = caller.post(
        "/free-texts", "free-text", {"name": "Reise", "type": "INVOICE", "label": "L", "intro": "I", "note": "N"}
    )
    record = caller.invoice(free_text_id=text["id"], label="marke-1")
    assert (record["label"], record["intro"], record["note"]) == ("marke-1", "I", "N")


def test_the_service_period_is_a_date_or_a_text_as_its_type_says():
    caller = api()
    period = "01.03.2026 - 31.03.2026"
    record = caller.invoice(supply_date_type="SUPPLY_TEXT", supply_date=period)
    assert (record["supply_date"], record["supply_date_type"]) == (period, "SUPPLY_TEXT")
    assert caller.invoice(supply_date_type="SUPPLY_DATE", supply_date="2026-03-01")["supply_date"] == "2026-03-01"
    body = {"client_id": caller.box.customers[0].id, "supply_date_type": "SUPPLY_DATE", "supply_date": period}
    caller.refused("POST", "/invoices", {"invoice": body})


def test_a_clients_reduction_becomes_the_invoices_only_if_assumed():
    for assumed, total in ((False, "100"), (True, "90")):
        caller = api(assumptions=BillomatAssumptions(client_reduction_applies=assumed))
        client = caller.client(reduction=10)
        assert caller.invoice([line()], client_id=client["id"])["total_net"] == total


# -- items ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        {"invoice-item": [line("A"), line("B")]},
        [{"invoice-item": line("A")}, {"invoice-item": line("B")}],
        [{"invoice-item": [line("A"), line("B")]}],
    ],
)
def test_items_are_understood_in_the_forms_that_are_in_use(sent):
    caller = api()
    record = caller.invoice(**{"invoice-items": sent})
    assert [item["title"] for item in items_of(caller, record)] == ["A", "B"]
    assert [item["position"] for item in items_of(caller, record)] == ["1", "2"]


def test_a_single_item_may_stand_without_a_list():
    assert api().invoice(**{"invoice-items": {"invoice-item": line()}})["total_net"] == "100"


def test_an_invoice_in_xml_brings_its_items():
    caller = api()
    item = "<invoice-item><title>{}</title><quantity>1</quantity><unit_price>{}</unit_price></invoice-item>"
    items = "".join(item.format(title, price) for title, price in (("A", 1), ("B", 2), ("C", 3)))
    client = caller.box.customers[0].id
    body = f"<invoice><client_id>{client}</client_id><invoice-items>{items}</invoice-items></invoice>"
    assert caller.call("POST", "/invoices", body.encode(), **{"Content-Type": "application/xml"}).status == 201
    assert [entry.title for entry in caller.box.invoices[0].items] == ["A", "B", "C"]


def test_items_under_another_key_are_lost_without_an_error():
    caller = api()
    record = caller.invoice(invoice_items={"invoice_item": [line()]})
    assert record["total_net"] == "0"
    assert items_of(caller, record) == []


@pytest.mark.parametrize("sent", [[line()], {"item": [line()]}, {"invoice-item": ["x"]}, "x", [1]])
def test_items_without_their_outer_key_are_refused(sent):
    caller = api()
    body = {"client_id": caller.box.customers[0].id, "invoice-items": sent}
    caller.refused("POST", "/invoices", {"invoice": body})
    assert len(caller.box.invoices) == 0


def test_a_bad_item_leaves_no_invoice_behind():
    caller = api()
    body = {
        "client_id": caller.box.customers[0].id,
        "number": 40,
        "invoice-items": {"invoice-item": line(price="1,50")},
    }
    assert caller.refused("POST", "/invoices", {"invoice": body}) == "unit_price is not a number"
    assert len(caller.box.invoices) == 0
    assert caller.invoice()["invoice_number"] == "RE1"


def test_the_answer_repeats_the_items_only_if_assumed():
    assert "invoice-items" not in api().invoice([line()])
    echoing = api(assumptions=BillomatAssumptions(create_echoes_items=True)).invoice([line()])
    assert echoing["invoice-items"]["invoice-item"]["title"] == "Beratung"


def test_a_forgotten_quantity_makes_a_line_of_zero():
    assert api().invoice([{"title": "Beratung", "unit_price": 95}])["total_net"] == "0"


def test_numbers_may_be_texts_or_numbers_and_keep_four_decimals():
    caller = api()
    record = caller.invoice([line(quantity=2.5, price="95.00"), line(quantity="0.33335", price=0.12344)])
    assert [(i["quantity"], i["unit_price"]) for i in items_of(caller, record)] == [
        ("2.5", "95"),
        ("0.3334", "0.1234"),
    ]
    coarse = api(assumptions=BillomatAssumptions(quantity_decimals=2, price_decimals=2))
    record = coarse.invoice([line(quantity="1.005", price="10.004")])
    assert [(i["quantity"], i["unit_price"]) for i in items_of(coarse, record)] == [("1.01", "10")]


def test_items_of_several_invoices_come_in_one_list():
    caller = api()
    first, second = caller.invoice([line("A"), line("B")]), caller.invoice([line("C")])
    caller.invoice([line("D")])
    found = caller.get(f"/invoice-items?invoice_id={second['id']},{first['id']}")["invoice-items"]
    assert [item["title"] for item in found["invoice-item"]] == ["A", "B", "C"]
    caller.refused("GET", "/invoice-items")
    assert caller.get("/invoice-items?invoice_id=1")["invoice-items"]["@total"] == "0"


def test_items_can_be_added_changed_and_deleted_while_the_invoice_is_a_draft():
    caller = api()
    invoice = caller.invoice([line("A")])
    added = caller.post("/invoice-items", "invoice-item", {"invoice_id": invoice["id"]} | line("B", price="50"))
    assert added["position"] == "2"
    changed = caller.put(f"/invoice-items/{added['id']}", "invoice-item", {"quantity": 3})
    assert (changed["title"], changed["total_net"], changed["total_gross"]) == ("B", "150", "178.5")
    assert caller.get(f"/invoices/{invoice['id']}")["invoice"]["total_net"] == "250"
    caller.ok("DELETE", f"/invoice-items/{added['id']}")
    assert caller.box.invoices[0].total_net == Decimal(100)
    caller.ok("PUT", f"/invoices/{invoice['id']}/complete")
    caller.refused("POST", "/invoice-items", {"invoice-item": {"invoice_id": invoice["id"]}})
    last = items_of(caller, invoice)[0]["id"]
    caller.refused("PUT", f"/invoice-items/{last}", {"invoice-item": {"quantity": 1}})
    caller.refused("DELETE", f"/invoice-items/{last}")


def test_an_item_of_an_unknown_invoice_is_a_bad_request_and_not_a_missing_page():
    caller = api()
    assert caller.refused("POST", "/invoice-items", {"invoice-item": {"invoice_id": 1}}) == "invoice_id does not exist"
    assert caller.refused("POST", "/invoice-items", {"invoice-item": {}}) == "invoice_id is required"


def test_an_article_gives_its_values_and_given_ones_override_them():
    caller = api()
    article = caller.get("/articles?title=entwicklung")["articles"]["article"]
    record = caller.invoice([{"article_id": article["id"], "quantity": 2, "description": "Sprint"}])
    item = items_of(caller, record)[0]
    assert (item["title"], item["description"], item["unit"], item["type"]) == ("Entwicklung", "Sprint", "h", "SERVICE")
    assert (item["unit_price"], item["tax_rate"], item["total_net"]) == ("112.5", "19", "225")
    body = {"client_id": record["client_id"], "invoice-items": {"invoice-item": {"article_id": 1}}}
    assert caller.refused("POST", "/invoices", {"invoice": body}) == "article_id does not exist"


def test_an_article_is_copied_at_creation_only():
    caller = api()
    invoice = caller.invoice([line()])
    item = items_of(caller, invoice)[0]["id"]
    assert caller.put(f"/invoice-items/{item}", "invoice-item", {"article_id": "154001"})["title"] == "Beratung"
    assert caller.put(f"/invoice-items/{item}", "invoice-item", {"tax_rate": 7})["total_gross"] == "107"
    caller.refused("PUT", f"/invoice-items/{item}", {"invoice-item": {"article_id": 1}})
    caller.refused("PUT", f"/invoice-items/{item}", {"invoice-item": {"tax_rate": 16}})


def test_the_clients_price_group_chooses_the_articles_price():
    caller = api()
    article = caller.post("/articles", "article", {"title": "A", "sales_price": 10, "sales_price2": 8})
    for group, price in ((2, "8"), (3, "10")):
        client = caller.client(price_group=group)
        record = caller.invoice([{"article_id": article["id"], "quantity": 1}], client_id=client["id"])
        assert record["total_net"] == price


# -- changing, deleting, finding ------------------------------------------------------------------------------


def test_a_put_changes_a_draft_but_not_its_items():
    caller = api()
    invoice = caller.invoice([line()], due_days=10)
    record = caller.put(
        f"/invoices/{invoice['id']}",
        "invoice",
        {"label": "neu", "reduction": "50%", "due_days": 5, "invoice-items": {"invoice-item": [line(), line()]}},
    )
    assert (record["label"], record["total_net"], record["due_date"]) == ("neu", "50", "2026-03-15")
    assert len(items_of(caller, invoice)) == 1
    assert caller.put(f"/invoices/{invoice['id']}", "invoice", {"due_date": "2026-03-20"})["due_days"] == "10"
    assert caller.put(f"/invoices/{invoice['id']}", "invoice", {"net_gross": "GROSS"})["total_gross"] == "50"


def test_a_refused_put_changes_nothing():
    caller = api()
    invoice = caller.invoice(label="alt", supply_date="nach Absprache")
    caller.refused(
        "PUT", f"/invoices/{invoice['id']}", {"invoice": {"label": "neu", "supply_date_type": "SUPPLY_DATE"}}
    )
    assert caller.box.invoices[0].label == "alt"


def test_a_draft_can_move_to_another_client():
    caller = api()
    first, second = caller.box.customers[0].id, caller.box.customers[1].id
    invoice = caller.invoice(client_id=first)
    caller.put(f"/invoices/{invoice['id']}", "invoice", {"client_id": second})
    assert (_total(caller, f"client_id={first}"), _total(caller, f"client_id={second}")) == ("0", "1")
    caller.ok("DELETE", f"/clients/{first}")


def test_completed_invoices_are_neither_changed_nor_deleted():
    caller = api()
    invoice = caller.completed([line()])
    caller.refused("PUT", f"/invoices/{invoice['id']}", {"invoice": {"label": "neu"}})
    caller.refused("DELETE", f"/invoices/{invoice['id']}")
    lenient = api(assumptions=BillomatAssumptions(delete_completed_invoices=True))
    lenient.ok("DELETE", f"/invoices/{lenient.completed()['id']}")


def test_a_deleted_draft_takes_its_items_and_comments_along():
    caller = api()
    invoice = caller.invoice([line()])
    item = items_of(caller, invoice)[0]
    caller.post("/invoice-tags", "invoice-tag", {"invoice_id": invoice["id"], "name": "x"})
    assert caller.call("DELETE", f"/invoices/{invoice['id']}").body == b""
    caller.refused("GET", f"/invoices/{invoice['id']}", status=404)
    caller.refused("GET", f"/invoice-items/{item['id']}", status=404)
    assert caller.get("/invoice-tags")["invoice-tags"]["@total"] == "0"
    assert len(caller.box.invoices) == 0


def test_the_marker_in_the_label_is_found_at_once():
    caller = api()
    client = caller.box.customers[0].id
    invoice = caller.invoice(label="Time-4711")
    caller.invoice(label="time-47110")
    assert _total(caller, "label=time-4711") == "2"
    assert _total(caller, f"label=Time-47110&client_id={client}&status=DRAFT") == "1"
    assert _total(caller, "label=time-4711&status=OPEN") == "0"
    assert caller.box.invoices[0].reference == invoice["label"]


def test_the_documented_filters_choose_invoices():
    caller = api()
    one, two = caller.box.customers[0].id, caller.box.customers[1].id
    article = caller.get("/articles/154001")["article"]["id"]
    caller.invoice([{"article_id": article, "quantity": 1}], client_id=one, date="2026-01-31", intro="Guten Tag")
    caller.completed([line()], client_id=two, date="2026-02-28", note="Danke", payment_types="CASH,PAYPAL")
    tagged = caller.box.invoices[1].id
    caller.post("/invoice-tags", "invoice-tag", {"invoice_id": tagged, "name": "Projekt"})
    assert _total(caller, f"client_id={one}") == "1"
    assert _total(caller, "client_id=abc") == "0"
    assert _total(caller, "status=OPEN,OVERDUE") == "1"
    assert _total(caller, "status=OPEN%2CDRAFT") == "2"
    assert _total(caller, "from=2026-01-31&to=2026-01-31") == "1"
    assert _total(caller, "from=2026-02-01") == "1"
    assert _total(caller, "to=2026-01-30") == "0"
    assert _total(caller, "intro=guten") == "1"
    assert _total(caller, "note=DANKE") == "1"
    assert _total(caller, "payment_type=PAYPAL,DEBIT") == "1"
    assert _total(caller, "invoice_number=re1") == "1"
    assert _total(caller, f"article_id={article}") == "1"
    assert _total(caller, "tags=projekt") == "1"
    caller.refused("GET", "/invoices?from=gestern")


def test_the_order_of_invoices_without_order_by_is_an_assumption():
    caller = api(assumptions=BillomatAssumptions(invoice_order="DESC"))
    caller.invoice(label="1")
    caller.invoice(label="2")
    assert [record["label"] for record in caller.get("/invoices")["invoices"]["invoice"]] == ["2", "1"]


def test_a_new_invoice_reaches_the_lists_after_the_index_lag():
    clock = FakeClock()
    caller = api(clock=clock, index_lag=20)
    invoice = caller.invoice(label="marke")
    assert caller.get(f"/invoices/{invoice['id']}")["invoice"]["label"] == "marke"
    assert _total(caller, "label=marke") == "0"
    clock.tick(seconds=20)
    assert _total(caller, "label=marke") == "1"


def test_quotas_limit_documents():
    caller = api(account=BillomatAccount(quotas=(Quota(entity="documents", available=1),)))
    caller.invoice()
    caller.refused("POST", "/invoices", {"invoice": {"client_id": caller.box.customers[0].id}}, status=403)


def test_an_account_without_default_texts_or_with_other_taxes_is_possible():
    taxes = (TaxOption(name="USt", rate=Decimal(20), is_default=True),)
    caller = api(account=BillomatAccount(default_texts=False, taxes=taxes, net_gross="GROSS", due_days=None))
    record = caller.invoice([line(price="120")])
    assert (record["title"], record["intro"], record["due_date"]) == ("", "", "")
    assert (record["total_net"], record["total_gross"]) == ("100", "120")
    view = caller.box.invoices[0]
    assert (view.tax, view.issue_date, view.lines[0].tax_rate) == (Decimal(20), date(2026, 3, 10), Decimal(20))
