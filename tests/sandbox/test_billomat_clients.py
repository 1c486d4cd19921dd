"""Customers in the Billomat emulator: numbers, validation, filters, tags, contacts, deletion."""

from __future__ import annotations

import pytest
from test_billomat import FakeClock, api

from accounting_bridge.sandbox.billomat import BillomatAccount, BillomatAssumptions


def test_a_new_client_gets_the_next_number_and_the_accounts_defaults():
    record = api().client()
    assert record["client_number"] == "KD00004"
    assert (record["number_pre"], record["number"], record["number_length"]) == ("KD", "4", "5")
    assert (record["country_code"], record["tax_rule"], record["net_gross"]) == ("DE", "COUNTRY", "SETTINGS")
    assert (record["due_days_type"], record["due_days"]) == ("SETTINGS", "14")
    assert record["archived"] == "0"


def test_prefix_number_and_length_make_the_client_number():
    caller = api()
    record = caller.client(number_pre="K-", number=8, number_length=4)
    assert record["client_number"] == "K-0008"
    assert caller.get("/clients?client_number=K-0008")["clients"]["client"]["id"] == record["id"]


def test_client_number_in_a_body_is_ignored():
    assert api().client(client_number="X-77")["client_number"] == "KD00004"


def test_a_number_of_ones_own_moves_the_counter_and_a_lower_one_does_not():
    caller = api()
    caller.client(number=9999)
    assert caller.client()["client_number"] == "KD10000"
    caller.client(number=50)
    assert caller.client()["client_number"] == "KD10001"


def test_prefixes_share_a_counter_or_have_their_own():
    assert api().client(number_pre="X")["client_number"] == "X00004"
    own = api(account=BillomatAccount(number_range_mode="CONSIDER_PREFIX"))
    assert own.client(number_pre="X")["client_number"] == "X00001"
    assert own.client()["client_number"] == "KD00004"


def test_numbers_can_be_doubled_unless_that_is_refused():
    assert api().client(number=1)["client_number"] == "KD00001"
    strict = api(assumptions=BillomatAssumptions(duplicate_numbers="refuse"))
    strict.refused("POST", "/clients", {"client": {"number": 1}})
    other = strict.client()
    strict.refused("PUT", f"/clients/{other['id']}", {"client": {"number": 1}})


def test_nothing_is_required():
    assert api().post("/clients", "client", {})["name"] == ""


def test_an_empty_value_overrides_the_default():
    assert api().client(country_code="", number_pre="")["client_number"] == "00004"
    assert api().client(country_code="")["country_code"] == ""


def test_a_put_leaves_out_what_it_does_not_name():
    clock = FakeClock()
    caller = api(clock=clock)
    record = caller.client(city="Musterstadt", email="post@musterfirma.example")
    clock.tick(hours=1)
    changed = caller.put(f"/clients/{record['id']}", "client", {"name": "Neue Musterfirma"})
    assert (changed["name"], changed["city"]) == ("Neue Musterfirma", "Musterstadt")
    assert changed["client_number"] == record["client_number"]
    assert changed["created"] == record["created"]
    assert changed["updated"] > record["updated"]
    assert caller.put(f"/clients/{record['id']}", "client", {"email": ""})["email"] == ""


def test_seeded_clients_keep_their_changes():
    caller = api()
    seeded = caller.box.customers[1].id
    caller.put(f"/clients/{seeded}", "client", {"archived": 1})
    assert caller.get(f"/clients/{seeded}")["client"]["archived"] == "1"
    assert caller.box.customers[1].archived


def test_read_only_and_unknown_keys_are_silently_ignored():
    record = api().client(id=7, revenue_net="1000", nonsense=[1, {"a": 2}])
    assert record["id"] != "7"
    assert record["revenue_net"] == "0"
    assert "nonsense" not in record


def test_the_address_block_is_made_of_the_parts():
    record = api().client(
        salutation="Frau", first_name="Erika", last_name="Muster", street="Weg 1", zip="12345", city="Musterstadt"
    )
    assert record["address"] == "Musterfirma\nFrau Erika Muster\nWeg 1\n12345 Musterstadt\nDeutschland"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "keine-adresse"),
        ("email", "a@b"),
        ("vat_number", "DE12345678"),
        ("vat_number", "XX123456789"),
        ("bank_iban", "DE89370400440532013001"),
        ("bank_iban", "Sparbuch"),
        ("country_code", "Deutschland"),
        ("country_code", "de"),
        ("currency_code", "Euro"),
        ("tax_rule", "SOMETIMES"),
        ("net_gross", "BOTH"),
        ("reduction", "2,5"),
        ("due_days", "2.5"),
        ("due_days", "bald"),
        ("archived", "ja"),
        ("archived", "True"),
        ("sepa_mandate_date", "31.12.2025"),
        ("sepa_mandate_date", "2025-02-30"),
        ("default_payment_types", "CASH,GOLD"),
        ("number", "A7"),
        ("number", -1),
        ("number_length", 1_000_000),
        ("name", {"de": "Firma"}),
        ("name", ["Firma"]),
    ],
)
def test_bad_values_are_refused_and_nothing_is_stored(field, value):
    caller = api()
    assert field in caller.refused("POST", "/clients", {"client": {field: value}})
    assert len(caller.box.customers) == 3


def test_good_values_are_stored():
    record = api().client(
        email="rechnung@musterfirma.example",
        vat_number="DE 123 456 789",
        bank_iban="DE89 3704 0044 0532 0130 00",
        reduction=2.50,
        archived=True,
        price_group="2",
        default_payment_types="CASH,BANK_TRANSFER",
    )
    assert record["vat_number"] == "DE 123 456 789"
    assert (record["reduction"], record["archived"], record["price_group"]) == ("2.5", "1", "2")


@pytest.mark.parametrize(("meaning", "city"), [("empty", ""), ("left out", "Musterstadt")])
def test_a_null_is_read_as_assumed(meaning, city):
    caller = api(assumptions=BillomatAssumptions(null_in_request=meaning))
    record = caller.client(city="Musterstadt")
    assert caller.put(f"/clients/{record['id']}", "client", {"city": None})["city"] == city


def test_a_null_can_be_refused():
    api(assumptions=BillomatAssumptions(null_in_request="refuse")).refused(
        "POST", "/clients", {"client": {"city": None}}
    )


def test_own_terms_replace_or_extend_the_accounts():
    caller = api()
    assert caller.client(due_days_type="ABSOLUTE", due_days=30)["due_days"] == "30"
    assert caller.client(due_days_type="RELATIVE", due_days=7)["due_days"] == "21"
    assert caller.client(due_days=30)["due_days"] == "14"


def test_text_filters_look_inside_and_ignore_case():
    caller = api(customers=0)
    caller.client(name="Musterbau GmbH", email="bau@muster.example", number=12)
    caller.client(name="Beispiel AG", last_name="Muster", note="zahlt bar", country_code="AT", number=123)
    total = lambda query: caller.get(f"/clients?{query}")["clients"]["@total"]  # noqa: E731 - a table of one-liners
    assert total("name=gmbh") == "1"
    assert total("name=m") == "1"
    assert total("last_name=MUSTER") == "1"
    assert total("note=bar") == "1"
    assert total("email=muster.example") == "1"
    assert total("country_code=at") == "1"
    assert total("client_number=12") == "2"
    assert total("client_number=KD00012") == "1"
    assert total("name=gmbh&country_code=AT") == "0"
    assert total("name=") == "2"


def test_archived_is_no_filter():
    caller = api()
    caller.client(archived=1)
    assert caller.get("/clients?archived=1")["clients"]["@total"] == "4"


def test_clients_are_found_by_invoice_tag_and_property():
    caller = api(customers=10)
    first, second = caller.box.customers[3].id, caller.box.customers[4].id
    invoice = caller.invoice(client_id=second)
    caller.post("/client-tags", "client-tag", {"client_id": first, "name": "Wichtig"})
    assert caller.get(f"/clients?invoice_id={invoice['id']},5")["clients"]["client"]["id"] == second
    assert caller.get("/clients?tags=wichtig,neu")["clients"]["client"]["id"] == first
    assert caller.get("/clients?property31=Beispiele")["clients"]["@total"] == "2"
    assert caller.get("/clients?property31=beispiele")["clients"]["@total"] == "0"


def test_tags_of_a_client_and_the_tag_cloud_differ():
    caller = api()
    first, second = caller.box.customers[0].id, caller.box.customers[1].id
    tag = caller.post("/client-tags", "client-tag", {"client_id": first, "name": "A"})
    caller.post("/client-tags", "client-tag", {"client_id": second, "name": "A"})
    assert caller.get(f"/client-tags?client_id={first}")["client-tags"]["client-tag"]["client_id"] == first
    assert caller.get("/client-tags")["client-tags"]["client-tag"] == {"id": "1", "name": "A", "count": "2"}
    caller.refused("POST", "/client-tags", {"client-tag": {"client_id": 1, "name": "A"}})
    caller.refused("PUT", f"/client-tags/{tag['id']}", {"client-tag": {"name": "B"}}, status=405)
    caller.ok("DELETE", f"/client-tags/{tag['id']}")
    assert caller.box.customers[0].tags == ()


def test_the_customfield_has_calls_of_its_own_and_can_be_searched():
    caller = api()
    key = caller.box.customers[0].id
    assert caller.get(f"/clients/{key}/customfield") == {"client": {"id": key, "customfield": ""}}
    caller.ok("PUT", f"/clients/{key}/customfield", {"client": {"customfield": "kunde-17"}})
    assert caller.get("/clients?customfield=kunde-17")["clients"]["client"]["id"] == key
    assert caller.get("/clients?customfield=kunde")["clients"]["@total"] == "0"
    caller.ok("PUT", f"/clients/{key}/customfield", {"client": {"customfield": ""}})
    assert caller.box.customers[0].customfield == ""
    caller.refused("PUT", f"/clients/{key}/customfield", {"customfield": "x"})


def test_the_customfield_in_the_records_own_body_is_ignored_unless_assumed():
    assert api().client(customfield="x")["customfield"] == ""
    other = api(assumptions=BillomatAssumptions(customfield_in_body=True, customfield_search="substring"))
    assert other.client(customfield="xyz")["customfield"] == "xyz"
    assert other.get("/clients?customfield=Y")["clients"]["@total"] == "1"


def test_a_client_with_documents_cannot_be_deleted():
    caller = api()
    free, bound = caller.box.customers[0].id, caller.box.customers[1].id
    caller.invoice(client_id=bound)
    caller.refused("DELETE", f"/clients/{bound}")
    assert caller.call("DELETE", f"/clients/{free}").body == b""
    caller.refused("GET", f"/clients/{free}", status=401)
    assert caller.box.customers[0].id == bound
    assert caller.get("/clients")["clients"]["@total"] == "2"


def test_a_deleted_clients_number_is_not_given_out_again_by_itself():
    caller = api()
    caller.ok("DELETE", f"/clients/{caller.client()['id']}")
    assert caller.client()["client_number"] == "KD00005"


def test_contacts_belong_to_a_client():
    caller = api()
    client = caller.client(street="Weg 1", zip="12345", city="Musterstadt")
    contact = caller.post(
        "/contacts", "contact", {"client_id": client["id"], "first_name": "Max", "last_name": "Beispiel"}
    )
    caller.refused("GET", "/contacts")
    caller.refused("POST", "/contacts", {"contact": {"client_id": 1}})
    assert caller.refused("POST", "/contacts", {"contact": {}}) == "client_id is required"
    assert caller.get(f"/contacts?client_id={client['id']}")["contacts"]["contact"]["id"] == contact["id"]
    invoice = caller.invoice(client_id=client["id"], contact_id=contact["id"])
    assert invoice["address"] == "Musterfirma\nMax Beispiel\nWeg 1\n12345 Musterstadt\nDeutschland"
    caller.refused("POST", "/invoices", {"invoice": {"client_id": caller.client()["id"], "contact_id": contact["id"]}})


def test_revenue_counts_what_is_completed():
    caller = api()
    client = caller.client()
    items = [{"quantity": 1, "unit_price": 100}]
    caller.completed(items, client_id=client["id"])
    caller.invoice(items, client_id=client["id"])
    record = caller.get(f"/clients/{client['id']}")["client"]
    assert (record["revenue_net"], record["revenue_gross"]) == ("100", "119")


@pytest.mark.parametrize("form", ["text", "object", "array", "absent"])
def test_a_list_shows_clients_as_a_single_read_does(form):
    caller = api(customers=40, assumptions=BillomatAssumptions(empty_nested_list=form), rate_limit=False)
    caller.put(f"/clients/{caller.box.customers[2].id}", "client", {"note": "A/B"})
    caller.invoice(client_id=caller.box.customers[5].id)
    for record in caller.get("/clients")["clients"]["client"]:
        assert record == caller.get(f"/clients/{record['id']}")["client"]
        assert list(record) == list(caller.get(f"/clients/{record['id']}")["client"])


def test_the_web_application_can_archive_a_client():
    caller = api()
    key = caller.box.customers[0].id
    caller.box.web.archive_client(key)
    assert caller.get(f"/clients/{key}")["client"]["archived"] == "1"
    with pytest.raises(ValueError, match="no client 1"):
        caller.box.web.archive_client(1)
