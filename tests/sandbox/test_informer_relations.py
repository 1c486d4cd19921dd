"""Informer: relations and their contact persons."""

import pytest
from informer_support import MISSING, Api, company, number, person

from accounting_bridge.sandbox.informer import Administration, Assumptions

SIX = {
    "web": "https://www.voorbeeld-bouw.example",
    "iban": "NL23VRBD0000000001",
    "bic": "VRBDNL2A",
    "vat": "NL000099998B57",
    "coc": "00000002",
    "email": "administratie@voorbeeld-bouw.example",
}


def only(**assumptions):
    return Api(assumptions=Assumptions(**assumptions))


def added(api, body=None, **changes):
    api.ok("POST", "/relations", body or company(**changes))
    return api.get("/relations?records=100")["relations"][-1]


def test_a_company_is_stored_without_telling_its_id():
    api = Api()
    assert api.ok("POST", "/relations", company(**SIX)) == {"success": "Relation saved"}
    record = api.box.customers[-1]
    assert (record.name, record.is_person, record.number, record.city) == (
        "Voorbeeld Bouw BV",
        False,
        "10004",
        "Amsterdam",
    )
    assert {name: getattr(record, name) for name in ("iban", "bic", "website", "vat_number")} == {
        "iban": SIX["iban"],
        "bic": SIX["bic"],
        "website": SIX["web"],
        "vat_number": SIX["vat"],
    }
    assert (record.registration_number, record.postal_code) == (SIX["coc"], "1099 ZZ")


def test_the_id_may_be_told():
    api = only(relation_create_id=True)
    answer = api.ok("POST", "/relations", company())
    assert answer == {"success": "Relation saved", "id": int(api.box.customers[-1].id)}


def test_a_private_person():
    api = Api()
    row = added(api, person())
    assert (row["relation_type"], row["company_name"]) == (1, None)
    assert (row["firstname"], row["surname_prefix"], row["surname"]) == ("Lieke", "van", "Voorbeeld")
    assert api.box.customers[-1].name == "Lieke van Voorbeeld"


def test_the_postal_code_is_not_shown_unless_assumed():
    assert "zip" not in added(Api())
    assert added(only(zip_in_answers=True))["zip"] == "1099 ZZ"


@pytest.mark.parametrize("name", ["relation_type", "company_name", "street", "house_number", "zip", "city", "country"])
@pytest.mark.parametrize("value", [..., "", "   ", None])
def test_required_fields_of_a_company(name, value):
    api = Api()
    assert api.problems("POST", "/relations", company(**{name: value})) == {name: MISSING.format(name)}
    assert len(api.box.customers) == 3


@pytest.mark.parametrize("name", ["firstname", "surname"])
def test_required_fields_of_a_person(name):
    assert Api().problems("POST", "/relations", person(**{name: ...})) == {name: MISSING.format(name)}


def test_names_of_the_other_kind_are_not_allowed():
    api = Api()
    assert set(api.problems("POST", "/relations", company(firstname="Lieke", surname="Proef"))) == {
        "firstname",
        "surname",
    }
    assert set(api.problems("POST", "/relations", person(company_name="Voorbeeld BV"))) == {"company_name"}


def test_every_problem_is_listed():
    found = Api().problems("POST", "/relations", {"relation_type": 0, "email": "geen", "relation_number": "x"})
    assert set(found) == {
        "company_name",
        "street",
        "house_number",
        "zip",
        "city",
        "country",
        "email",
        "relation_number",
    }


def test_a_house_number_of_zero_is_empty():
    assert set(Api().problems("POST", "/relations", company(house_number="0"))) == {"house_number"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("relation_type", 2),
        ("relation_type", "0"),
        ("relation_type", False),
        ("relation_number", "10042"),
        ("relation_number", -1),
        ("relation_number", 2_147_483_648),
        ("relation_number", number("10.5")),
        ("house_number", 12),
        ("country", "NLD"),
        ("country", "nl"),
        ("web", "www.voorbeeld.example"),
        ("web", "ftp://voorbeeld.example"),
        ("web", "https://voorbeeld"),
        ("web", "https://voor beeld.example"),
        ("web", "https://[voorbeeld.example"),
        ("email", "voorbeeld"),
        ("email", "a@voorbeeld"),
        ("email", "a b@voorbeeld.example"),
        ("email", ".a@voorbeeld.example"),
        ("email_invoice", "a@@voorbeeld.example"),
        ("iban", "NL23VRBD0000000002"),
        ("iban", "NL23 VRBD 0000 0000 01"),
        ("iban", "onbekend"),
        ("vat", "NL1234"),
        ("vat", "nl000099998b57"),
        ("vat", "NL.0000.99.998.B57"),
        ("vat", "DE12345678"),
        ("vat", "onbekend"),
        ("collection_date", "2026-02-30"),
        ("collection_date", "01-02-2026"),
        ("sales_invoice_template_id", 1),
        ("payment_condition_id", 1),
        ("payment_condition_id", "1"),
        ("subtype", ["customer"]),
        ("subtype", "customer"),
        ("customfields", {"Onbekend veld": "x"}),
        ("customfields", {"Klantnummer extern": 7}),
        ("customfields", "x"),
        ("phone", 205550100),
        ("coc", None),
    ],
)
def test_invalid_values(name, value):
    found = Api().problems("POST", "/relations", company(**{name: value}))
    assert {key.partition(".")[0] for key in found} == {name}


@pytest.mark.parametrize(("name", "value"), [("customer", True), ("customer", "1"), ("customer", 2), ("klant", 1)])
def test_invalid_flags(name, value):
    assert set(Api().problems("POST", "/relations", company(subtype={name: value}))) == {f"subtype.{name}"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iban", "NL00EXAM0000000000"),
        ("iban", "DE09000000000000000001"),
        ("vat", "NL123456789B01"),
        ("vat", "ATU12345678"),
        ("vat", "CHE123456789"),
        ("web", "http://onbekend.invalid/pad?x=1"),
        ("email", "onbekend+1@voorbeeld.invalid"),
        ("bic", "wat dan ook"),
        ("coc", "wat dan ook"),
        ("customfields", {"Klantnummer extern": "K-1"}),
        ("customfields", []),
        ("collection_date", "2026-02-28"),
        ("relation_number", 2_147_483_647),
        ("relation_number", 0),
    ],
)
def test_valid_values(name, value):
    Api().ok("POST", "/relations", company(**{name: value}))


def test_blank_optional_texts_are_absent_or_refused():
    row = added(Api(), email="", web=" ", bic="")
    assert (row["email"], row["web"], row["bic"]) == (None, None, None)
    assert set(only(empty_text_refused=True).problems("POST", "/relations", company(email="", bic=""))) == {
        "email",
        "bic",
    }


def test_null_is_refused_or_absent():
    assert Api().problems("POST", "/relations", company(email=None)) == {"email": "email mag niet null zijn."}
    assert added(only(null_refused=False), email=None)["email"] is None


def test_separators_in_numbers_may_be_forgiven():
    row = added(only(separators_in_numbers="strip"), iban="nl23 vrbd 0000 0000 01", vat="nl.0000.99998.b57")
    assert (row["iban"], row["vat"]) == ("NL23VRBD0000000001", "NL000099998B57")


# -- what has to be there -----------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [company(), person()])
def test_all_six_may_be_demanded(body):
    api = only(relation_fields="six")
    assert set(api.problems("POST", "/relations", body)) == set(SIX)
    assert set(api.problems("POST", "/relations", {**body, **dict.fromkeys(SIX, "")})) == set(SIX)
    api.ok("POST", "/relations", {**body, **SIX})
    for name in SIX:
        assert set(api.problems("POST", "/relations", {**body, **SIX, name: "0"})) == {name}


@pytest.mark.parametrize("name", ["web", "iban", "bic", "vat", "email"])
def test_of_the_six_all_but_the_registration_number_have_a_form(name):
    api = only(relation_fields="six")
    assert set(api.problems("POST", "/relations", company(**{**SIX, name: "onbekend"}))) == {name}


def test_an_update_may_leave_the_six_out_but_not_blank_them():
    api = only(relation_fields="six")
    path = f"/relations/{api.relation_id}"
    api.ok("PUT", path, {"city": "Utrecht"})
    assert set(api.problems("PUT", path, {"iban": ""})) == {"iban"}


def test_every_key_may_have_to_be_present_though_blank():
    api = only(relation_fields="every key")
    missing = api.problems("POST", "/relations", company())
    assert {"web", "iban", "bic", "vat", "coc", "email", "fax", "oin", "relation_number", "collection_date"} <= set(
        missing
    )
    assert "firstname" not in missing
    texts = {name: "" for name in missing if not name.endswith("_id") and name != "relation_number"}
    numbers = dict.fromkeys(set(missing) - set(texts), 0)
    api.ok("POST", "/relations", company(**texts, **numbers))
    assert "surname_prefix" in api.problems("POST", "/relations", person(surname_prefix=...))


# -- numbers and flags --------------------------------------------------------------------------------------


def test_numbers_are_chosen_or_generated_and_unique():
    api = Api()
    assert added(api, relation_number=777)["relation_number"] == 777
    assert added(api)["relation_number"] == 10_004
    assert added(api, relation_number=20_000)["relation_number"] == 20_000
    assert added(api, relation_number=0)["relation_number"] == 20_001
    for taken in (777, 10_001, 20_001):
        assert set(api.problems("POST", "/relations", company(relation_number=taken))) == {"relation_number"}


def test_a_number_that_was_given_up_is_free():
    api = Api()
    path = f"/relations/{api.relation_id}"
    assert set(api.problems("PUT", path, {"relation_number": 10_002})) == {"relation_number"}
    api.ok("PUT", path, {"relation_number": 10_001})
    api.ok("PUT", path, {"relation_number": 31_000})
    assert added(api, relation_number=10_001)["relation_number"] == 10_001
    assert api.get(path)["relation_number"] == 31_000


def test_whoever_does_not_say_customer_has_made_none():
    api = Api()
    row = added(api, subtype=...)
    assert row["subtype"] == {"lead": False, "supplier": False, "prospect": False, "active": True, "customer": False}
    assert len(api.box.customers) == 3
    generous = only(default_flags=frozenset({"active", "customer"}))
    assert added(generous, subtype=...)["subtype"]["customer"] is True


def test_defaults_of_the_administration_are_filled_in():
    api = Api()
    row = added(api)
    assert row["payment_condition_id"] == api.invoice()["payment_condition_id"]
    assert row["sales_invoice_template_id"] == api.invoice()["template_id"]
    other = api.get("/payment-conditions")[1]["id"]
    assert added(api, payment_condition_id=other)["payment_condition_id"] == other


# -- one relation, and changes ------------------------------------------------------------------------------


def test_a_single_relation_has_its_own_fields():
    api = Api(administration=Administration(free_fields=("Klantnummer extern", "Regio")))
    row = added(api, customfields={"Regio": "Noord"})
    assert api.get(f"/relations/{row['id']}")["freefields"] == [
        {"description": "Klantnummer extern", "type": "text", "value": None, "options": []},
        {"description": "Regio", "type": "text", "value": "Noord", "options": []},
    ]


@pytest.mark.parametrize("identifier", ["1", "9999", "x", "10001", "99999999999999999999"])
def test_an_unknown_relation_is_400_to_read_and_404_to_change(identifier):
    api = Api()
    assert api.refused(400, "GET", f"/relations/{identifier}") == ["No records found"]
    assert api.refused(404, "PUT", f"/relations/{identifier}", {"city": "Utrecht"}) == ["Resource niet gevonden."]


def test_an_update_changes_what_it_has():
    api = Api()
    path = f"/relations/{api.relation_id}"
    before = api.get(path)
    assert api.ok("PUT", path, {"city": "Utrecht", "subtype": {"active": 0}}) == {"success": "Relation saved"}
    after = api.get(path)
    assert {name for name in before if before[name] != after[name]} == {"city", "subtype", "last_edit"}
    assert api.box.customers[0].archived
    assert set(api.problems("PUT", path, {"city": "", "country": "x", "relation_type": 5})) == {
        "city",
        "country",
        "relation_type",
    }


def test_a_company_may_become_a_person_when_the_names_come_along():
    api = Api(customers=0)
    identifier = added(api)["id"]
    assert set(api.problems("PUT", f"/relations/{identifier}", {"relation_type": 1})) == {"firstname", "surname"}
    api.ok("PUT", f"/relations/{identifier}", {"relation_type": 1, "firstname": "Daan", "surname": "Schets"})
    assert api.box.customers[0].name == "Daan Schets"
    api.ok("PUT", f"/relations/{identifier}", {"relation_type": 0, "company_name": "Schets BV"})
    assert api.get(f"/relations/{identifier}")["surname"] is None


# -- lists --------------------------------------------------------------------------------------------------


def test_search_looks_at_name_street_city_and_number_only():
    api = Api(customers=40)
    added(api, **SIX, relation_number=424_242, company_name="Zilvermeeuw BV", street="Uniekestraat", city="Ergens")
    for text in ("zilverMEEUW", "uniekestr", "ergens", "424242", "2424"):
        assert [row["relation_number"] for row in api.get(f"/relations?search={text}")["relations"]] == [424_242]
    for text in (SIX["vat"], SIX["coc"], SIX["email"], "1099 ZZ", "bouw.example"):
        assert api.call("GET", f"/relations?search={text}").status == 400, text
    assert api.get("/relations?search=")["pagination"]["total"] == 41


def test_a_search_for_a_number_finds_more_than_the_exact_one():
    api = Api(customers=120)
    found = [row["relation_number"] for row in api.get("/relations?search=1001")["relations"]]
    assert found == list(range(10_010, 10_020))
    api.ok("PUT", "/relations/1010", {"relation_number": 55, "street": "Plein 10015"})
    found = [row["relation_number"] for row in api.get("/relations?search=1001")["relations"]]
    assert found == [55, *range(10_011, 10_020)]


def test_a_search_finds_seeded_names_in_order():
    api = Api(customers=300)
    rows = api.get("/relations?records=100&search=amsterdam")["relations"]
    expected = [int(each.id) for each in api.box.customers if "Amsterdam" in (each.name + (each.city or ""))]
    assert [row["id"] for row in rows] == [key for key in expected if key in {row["id"] for row in rows}]
    assert rows


def test_last_edit_is_a_day_and_excludes_itself():
    api = Api()
    api.ok("PUT", f"/relations/{api.relation_id}", {"city": "Utrecht"})
    for day, count in (("2026-08-20", 1), ("2020-01-02", 1), ("2020-01-01", 3)):
        assert api.get(f"/relations?last_edit={day}")["pagination"]["total"] == count
    assert api.refused(400, "GET", "/relations?last_edit=2026-08-21") == ["No records found"]
    assert api.refused(400, "GET", "/relations?last_edit=gisteren") == ["Invalid value for parameter last_edit"]
    assert api.get("/relations?last_edit=2026-08-20&search=utrecht")["pagination"]["total"] == 1
    inclusive = only(last_edit_inclusive=True)
    inclusive.ok("POST", "/relations", company())
    assert inclusive.get("/relations?last_edit=2026-08-21")["pagination"]["total"] == 1


def test_the_day_of_last_edit_is_the_dutch_one():
    api = Api()
    api.clock.now = api.clock.now.replace(hour=22, minute=30)
    api.ok("POST", "/relations", company())
    assert api.get("/relations?last_edit=2026-08-21")["relations"][0]["last_edit"] == "2026-08-22 00:30:00"


def test_suppliers_are_in_the_same_list():
    api = Api(customers=12)
    api.box.web.add_relation(company_name="Leverancier BV", flags={"customer": False, "supplier": True})
    rows = api.get("/relations")["relations"]
    assert [row["subtype"]["supplier"] for row in rows].count(True) == 3
    assert (len(rows), len(api.box.customers)) == (13, 12)
    assert [each.id for each in api.box.customers] == [str(row["id"]) for row in rows[:-1]]


def test_a_hundred_thousand_customers_cost_nothing_until_read():
    api = Api(customers=100_000)
    assert len(api.box.customers) == 100_000
    last = api.get("/relations?records=100&page=1000")["relations"][-1]
    assert (last["id"], last["relation_number"]) == (101_000, 110_000)
    assert api.get("/relations?search=110000")["relations"][0]["id"] == 101_000
    assert api.box.customers[-1].number == "110000"


def test_seeded_customers_satisfy_the_rules():
    strict = Api(customers=400)
    fresh = Api(customers=0)
    for customer, row in zip(
        strict.box.customers,
        (row for page in range(1, 5) for row in strict.get(f"/relations?records=100&page={page}")["relations"]),
        strict=True,
    ):
        kept = ("relation_type", "company_name", "firstname", "surname", "street", "house_number", "city", "country")
        body = {name: row[name] for name in (*kept, *SIX, "phone") if row[name] is not None}
        fresh.ok("POST", "/relations", {**body, "zip": customer.postal_code})


def test_the_web_app_edits_relations():
    api = Api()
    identifier = api.box.web.add_relation(number=42, company_name="Web BV", email="niet echt een adres")
    assert api.get(f"/relations/{identifier}")["email"] == "niet echt een adres"
    api.box.web.edit_relation(identifier, email="", city="Leiden", flags={"active": False})
    row = api.get(f"/relations/{identifier}")
    assert (row["email"], row["city"], row["subtype"]["active"]) == (None, "Leiden", False)
    for arguments in ({"number": 42}, {"naam": "x"}, {"flags": {"klant": True}}):
        with pytest.raises(ValueError, match=r"in use|has no"):
            api.box.web.add_relation(**arguments)
    with pytest.raises(ValueError, match="there is no relation 9"):
        api.box.web.edit_relation(9)
    with pytest.raises(ValueError, match="has no naam"):
        api.box.web.edit_relation(identifier, naam="x")


# -- contact persons ----------------------------------------------------------------------------------------


def contact(api, **changes):
    return {"relation_id": api.relation_id, "firstname": "Joost", "surname": "Proef", "gender": "m", **changes}


def test_a_contact_is_stored_with_its_relation():
    api = Api(customers=1)
    before = len(api.get(f"/relations/{api.relation_id}")["contacts"])
    mail = "joost@voorbeeld.example"
    assert api.ok("POST", "/contact", contact(api, email=mail)) == {"success": "Contact saved"}
    shown = api.get(f"/relations/{api.relation_id}")["contacts"]
    assert len(shown) == before + 1
    one = api.get(f"/contact/{shown[-1]['id']}")
    assert one == shown[-1]
    assert (one["firstname"], one["email"], one["department"]) == ("Joost", mail, None)


def test_contacts_within_relations_may_lack_their_id():
    api = Api(customers=1, assumptions=Assumptions(contact_ids_in_relations=False))
    api.ok("POST", "/contact", contact(api))
    assert "id" not in api.get(f"/relations/{api.relation_id}")["contacts"][-1]


def test_a_contact_may_change_and_move():
    api = Api(customers=2)
    api.ok("POST", "/contact", contact(api))
    identifier = api.get("/relations/1001")["contacts"][-1]["id"]
    api.ok("PUT", f"/contact/{identifier}", contact(api, surname="Toets"))
    assert api.get(f"/contact/{identifier}")["surname"] == "Toets"
    api.ok("PUT", f"/contact/{identifier}", contact(api, relation_id=1002))
    assert identifier in {each["id"] for each in api.get("/relations/1002")["contacts"]}
    assert identifier not in {each["id"] for each in api.get("/relations/1001")["contacts"]}
    assert api.get(f"/contact/{identifier}")["surname"] == "Proef"


def test_contacts_of_seeded_relations_can_be_read_and_moved():
    api = Api(customers=20)
    owner = next(row for row in api.get("/relations")["relations"] if row["contacts"])
    identifier = owner["contacts"][0]["id"]
    assert api.get(f"/contact/{identifier}") == owner["contacts"][0]
    other = 1001 if owner["id"] != 1001 else 1002
    api.ok("PUT", f"/contact/{identifier}", contact(api, relation_id=other))
    assert api.get(f"/relations/{owner['id']}")["contacts"] == []
    assert api.get(f"/contact/{identifier}")["surname"] == "Proef"


@pytest.mark.parametrize("name", ["relation_id", "firstname", "surname", "gender"])
def test_required_fields_of_a_contact(name):
    api = Api()
    body = contact(api)
    del body[name]
    assert api.problems("POST", "/contact", body) == {name: MISSING.format(name)}


@pytest.mark.parametrize(("name", "value"), [("gender", "x"), ("email", "geen"), ("relation_id", 9), ("mobile", 6)])
def test_invalid_values_of_a_contact(name, value):
    api = Api()
    assert set(api.problems("POST", "/contact", contact(api, **{name: value}))) == {name}


def test_unknown_contacts():
    api = Api(assumptions=Assumptions(unknown_relation_status=404))
    assert api.refused(400, "GET", "/contact/9") == ["No records found"]
    assert api.refused(400, "GET", "/contact/x") == ["No records found"]
    assert api.refused(404, "PUT", "/contact/9", contact(api)) == ["Resource niet gevonden."]
    assert api.refused(404, "POST", "/contact", contact(api, relation_id=9)) == ["Resource niet gevonden."]
