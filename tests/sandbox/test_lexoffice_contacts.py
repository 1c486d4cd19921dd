"""lexoffice: contacts and articles."""

import pytest
from lexoffice_support import Api, company, fields, invoice, issues, line, person

from accounting_bridge.sandbox.lexoffice import Assumptions

MISSING, INVALID = "missing_entity", "invalid_value"


def refused(body, **options):
    reply = Api(**options).post("/v1/contacts", body)
    assert reply.status == 406, reply.body
    return issues(reply)


def test_a_new_contact_is_answered_with_200_and_without_the_record():
    api = Api(customers=3)
    reply = api.post("/v1/contacts", company())
    assert reply.status == 200
    created = reply.value()
    assert set(created) == {"id", "resourceUri", "createdDate", "updatedDate", "version"}
    assert created["version"] == 1
    assert created["resourceUri"] == f"https://api.lexware.io/v1/contacts/{created['id']}"
    shown = api.get(f"/v1/contacts/{created['id']}").value()
    assert shown["roles"] == {"customer": {"number": 10004}}
    assert shown["archived"] is False
    assert "note" not in shown


@pytest.mark.parametrize("number", [4711, "", "K-1", None])
def test_a_number_that_is_sent_is_ignored(number):
    api = Api()
    identifier = api.contact(roles={"customer": {"number": number}, "vendor": {}})
    roles = api.get(f"/v1/contacts/{identifier}").value()["roles"]
    assert roles == {"customer": {"number": 10001}, "vendor": {"number": 70001}}


def test_read_only_and_unknown_fields_are_ignored():
    api = Api()
    identifier = api.contact(archived=True, organizationId="x", colour="blue", id=None, note=None)
    shown = api.get(f"/v1/contacts/{identifier}").value()
    assert shown["archived"] is False
    assert "colour" not in shown


def test_a_body_that_got_lost_is_answered_with_the_two_measured_issues():
    expected = {("roles.customer or roles.vendor", MISSING), ("company or person", MISSING)}
    assert expected == refused(b"")
    assert expected == refused({})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"roles": {"customer": []}}, ("roles", MISSING)),
        ({"roles": []}, ("roles", MISSING)),
        ({"roles": {"customer": None}}, ("roles.customer or roles.vendor", MISSING)),
        ({"person": {"lastName": "Beispiel"}}, ("company and person", INVALID)),
        ({"company": {"name": " "}}, ("company.name", MISSING)),
        ({"company": {"name": 7}}, ("company.name", INVALID)),
        ({"company": {"name": "X", "vatRegistrationId": "de123456789"}}, ("company.vatRegistrationId", INVALID)),
        ({"company": {"name": "X", "vatRegistrationId": "DE 123456789"}}, ("company.vatRegistrationId", INVALID)),
        (
            {"company": {"name": "X", "contactPersons": [{"lastName": "A"}, {"lastName": "B"}]}},
            ("company.contactPersons.size", INVALID),
        ),
        (
            {"company": {"name": "X", "contactPersons": [{"firstName": "A"}]}},
            ("company.contactPersons[0].lastName", MISSING),
        ),
        ({"company": None, "person": {"firstName": "Erika"}}, ("person.lastName", MISSING)),
        ({"company": None, "person": {"lastName": "B", "salutation": "x" * 26}}, ("person.salutation", INVALID)),
        (
            {"addresses": {"billing": [{"countryCode": "DE"}, {"countryCode": "DE"}]}},
            ("addresses.billing.size", INVALID),
        ),
        ({"addresses": {"billing": [{"city": "Berlin"}]}}, ("addresses.billing[0].countryCode", MISSING)),
        ({"addresses": {"billing": [{"countryCode": "XX"}]}}, ("countryCode", "countrycode_is_not_valid")),
        ({"addresses": {"shipping": [{"countryCode": "de"}]}}, ("countryCode", "countrycode_is_not_valid")),
        ({"emailAddresses": {"business": [""]}}, ("emailAddresses[0].emailAddress", INVALID)),
        ({"emailAddresses": {"private": ["nobody"]}}, ("emailAddresses[0].emailAddress", INVALID)),
        ({"emailAddresses": {"office": ["Info@x.example"]}}, ("emailAddresses[0].emailAddress", INVALID)),
        ({"emailAddresses": {"other": ["a@x.example", "b@x.example"]}}, ("emailAddresses.other.size", INVALID)),
        ({"phoneNumbers": {"mobile": ["Tel. 030 5550"]}}, ("phoneNumbers[0].phoneNumber", INVALID)),
        ({"phoneNumbers": {"fax": ["0" * 31]}}, ("phoneNumbers[0].phoneNumber", INVALID)),
        ({"xRechnung": {"buyerReference": "04011000-1"}}, ("xRechnung.vendorNumberAtCustomer", MISSING)),
        ({"note": "x" * 1001}, ("note", INVALID)),
        ({"version": None}, ("version", MISSING)),
        ({"version": 1}, ("version", INVALID)),
    ],
)
def test_each_rule_refuses_with_its_own_issue(changes, expected):
    assert refused({**company(), **changes}) == {expected}


def test_limits_are_inclusive():
    Api().contact(
        note="x" * 1000,
        emailAddresses={"business": ["a.b+c@musterbau.example"]},
        phoneNumbers={"business": ["0" * 30]},
    )


def test_open_questions_about_contacts_can_be_answered_otherwise():
    lenient = Assumptions(contact_create_needs_version=False, email_capitals="lower", lower_case_vat_id_refused=False)
    api = Api(assumptions=lenient)
    body = company(vatRegistrationId="de 123456789") | {"emailAddresses": {"business": ["Info@X.example"]}}
    del body["version"]
    shown = api.get(f"/v1/contacts/{api.post('/v1/contacts', body).value()['id']}").value()
    assert shown["company"]["vatRegistrationId"] == "DE123456789"
    assert shown["emailAddresses"] == {"business": ["info@x.example"]}


def test_special_characters_come_back_raw():
    api = Api()
    name = '<h1>"Bernd & Peter"</h1> Öl 🙂'
    identifier = api.contact(company={"name": name})
    assert api.get(f"/v1/contacts/{identifier}").value()["company"]["name"] == name


def test_an_update_replaces_the_whole_record_and_moves_the_version():
    api = Api()
    identifier = api.contact(note="Stammkunde", emailAddresses={"business": ["a@x.example"]})
    before = api.get(f"/v1/contacts/{identifier}").value()
    changed = {name: value for name, value in before.items() if name != "note"} | {"archived": True}
    reply = api.put(f"/v1/contacts/{identifier}", changed)
    assert (reply.status, reply.value()["version"]) == (200, 2)
    after = api.get(f"/v1/contacts/{identifier}").value()
    assert after == {name: value for name, value in before.items() if name != "note"} | {"version": 2}


def test_a_stale_version_differs_from_a_missing_one():
    api = Api()
    identifier = api.contact()
    url = f"/v1/contacts/{identifier}"
    assert api.put(url, {**company("Neu GmbH"), "version": 1}).status == 200
    stale = api.put(url, {**company(), "version": 1})
    missing = api.put(url, {**company(), "version": None})
    assert (stale.status, issues(stale)) == (406, {("version", INVALID)})
    assert (missing.status, issues(missing)) == (406, {("version", MISSING)})
    assert api.box.customers[0].name == "Neu GmbH"


def test_a_seeded_contact_can_be_updated_and_moves_in_the_list():
    api = Api(customers=200)
    target = api.get("/v1/contacts?size=250").value()["content"][100]
    body = {**company("Aachener Muster GmbH"), "version": target["version"], "roles": target["roles"]}
    assert api.put(f"/v1/contacts/{target['id']}", body).status == 200
    rows = api.get("/v1/contacts?size=250").value()["content"]
    assert rows[0]["id"] == target["id"]
    assert len(rows) == len({row["id"] for row in rows}) == 200
    assert rows[0]["roles"] == target["roles"]


def test_contacts_made_in_the_web_app_can_be_read_but_not_updated():
    api = Api()
    identifier = api.box.add_contact(
        company={"name": "Zwei Adressen GmbH"},
        addresses={"billing": [{"countryCode": "DE"}, {"countryCode": "AT"}]},
        archived=True,
    )
    shown = api.get(f"/v1/contacts/{identifier}").value()
    assert len(shown["addresses"]["billing"]) == 2
    assert shown["archived"] is True
    reply = api.put(f"/v1/contacts/{identifier}", {**company(), "version": shown["version"]})
    assert (reply.status, issues(reply)) == (406, {("addresses.billing.size", INVALID)})


def test_the_list_merges_new_contacts_into_the_alphabet():
    api = Api(customers=500)
    for name in ("Zzz GmbH", "Aaa GmbH", "Märchen GmbH"):
        api.contact(company={"name": name})
    pages = [api.get(f"/v1/contacts?size=100&page={page}").value() for page in range(6)]
    rows = [row for page in pages for row in page["content"]]
    assert [page["last"] for page in pages] == [False] * 5 + [True]
    assert len({row["id"] for row in rows}) == len(rows) == pages[0]["totalElements"] == 503
    assert rows[0]["company"]["name"] == "Aaa GmbH"
    assert rows[-1]["company"]["name"] == "Zzz GmbH"
    assert [row["id"] for row in rows] == [customer.id for customer in api.box.customers]


def find(api, query):
    reply = api.get(f"/v1/contacts?{query}")
    assert reply.status == 200, reply.body
    return [row["id"] for row in reply.value()["content"]]


def test_names_and_mails_are_found_by_any_part_whatever_the_case():
    api = Api(customers=40)
    firm = api.contact(company={"name": "Xaverl Wundertüten"}, emailAddresses={"other": ["xaverl@tueten.example"]})
    human = api.contact(company=None, person={"firstName": "Quirin", "lastName": "Wxyz"})
    assert find(api, "name=WUNDERT%C3%BCT") == [firm]
    assert find(api, "name=quirin%20w") == [human]
    assert find(api, "email=@TUETEN") == [firm]
    assert find(api, "name=wundert&email=nobody") == []


@pytest.mark.parametrize("query", ["name=ab", "email=ab", f"name={'x' * 129}", "number=abc", "customer=maybe"])
def test_filters_that_make_no_sense_are_400(query):
    assert Api(customers=3).get(f"/v1/contacts?{query}").status == 400


def test_underscore_and_percent_are_wildcards_unless_escaped():
    api = Api()
    exact = api.contact(company={"name": "A GmbH"}, emailAddresses={"business": ["max_muster@x.example"]})
    other = api.contact(company={"name": "B GmbH"}, emailAddresses={"business": ["maxxmuster@x.example"]})
    assert find(api, "email=max_muster@x.example") == [exact, other]
    assert find(api, "email=max%25example") == [exact, other]
    assert find(api, "email=max%5C_muster@x.example") == [exact]


def test_an_ampersand_is_found_only_when_it_is_html_encoded():
    api = Api()
    identifier = api.contact(company={"name": 'Möbel & "Söhne"'})
    assert find(api, "name=bel%20%26%20") == []
    assert find(api, "name=bel%20%26amp%3B%20") == [identifier]
    assert find(api, "name=%22S%C3%B6hne") == [identifier]


def test_a_number_finds_customers_and_vendors_alike():
    api = Api(customers=30)
    own = api.contact(roles={"vendor": {}})
    assert len(find(api, "number=10007")) == 1
    assert len(find(api, "number=70001")) == 1
    assert find(api, "number=70001&customer=false") == []
    assert find(api, "number=70004") == [own]
    assert find(api, "number=70004&customer=true") == []
    assert find(api, "number=99999") == []


def test_roles_filter_the_list():
    api = Api(customers=30)
    vendor = api.contact(roles={"vendor": {}})
    assert find(api, "customer=false") == [vendor]
    assert vendor not in find(api, "customer=true&size=250")
    assert len(find(api, "vendor=true&customer=true")) == 3
    assert len(find(api, "vendor=false&size=250")) == 27


def test_parallel_creates_collide_on_the_number():
    api = Api()
    api.box.collide_numbers()
    reply = api.post("/v1/contacts", company())
    assert issues(reply) == {("roles.customer.number", "account_number_already_exists")}
    assert len(api.box.customers) == 0
    assert api.post("/v1/contacts", company()).status == 200


def test_a_new_contact_may_be_invoiced_only_after_the_assumed_delay():
    api = Api(assumptions=Assumptions(contact_visible_after=2))
    identifier = api.contact()
    assert api.get(f"/v1/contacts/{identifier}").status == 200
    body = invoice(address={"contactId": identifier})
    assert api.post("/v1/invoices", body).status == 406
    api.clock.advance(2)
    assert api.post("/v1/invoices", body).status == 201


def test_the_books_show_contacts_as_records():
    api = Api()
    api.contact(note="Kd.-Nr. 42")
    api.post("/v1/contacts", person("AT"))
    api.box.edit_contact(api.box.customers[0].id, archived=True)
    human, firm = api.box.customers
    assert (human.name, human.is_person, human.country_code, human.archived) == ("Beispiel, Erika", True, "AT", True)
    assert (firm.number, firm.note, firm.email) == ("10001", "Kd.-Nr. 42", None)


def article(**changes):
    price = {"netPrice": 100, "leadingPrice": "NET", "taxRate": 19}
    return {"title": "Beratung", "type": "SERVICE", "unitName": "Stunde", "price": price, **changes}


def test_an_article_starts_with_version_0_and_shows_nulls():
    api = Api()
    reply = api.post("/v1/articles", article())
    assert (reply.status, reply.value()["version"]) == (201, 0)
    shown = api.get(f"/v1/articles/{reply.value()['id']}").value()
    assert shown["price"] == {"netPrice": 100, "grossPrice": 119, "leadingPrice": "NET", "taxRate": 19}
    assert (shown["description"], shown["gtin"], shown["note"]) == (None, None, None)


def test_articles_are_changed_with_their_version_and_deleted_once():
    api = Api()
    identifier = api.post("/v1/articles", article()).value()["id"]
    url = f"/v1/articles/{identifier}"
    assert fields(api.put(url, article())) == {("version", "NOTNULL")}
    assert api.put(url, article(title="Neu", version=0)).value()["version"] == 1
    assert api.put(url, article(version=0)).status == 409
    assert api.call("DELETE", url).status == 204
    assert api.call("DELETE", url).status == 404
    assert api.get(url).status == 404


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": ""}, ("title", "NOTNULL")),
        ({"unitName": None}, ("unitName", "NOTNULL")),
        ({"type": None}, ("type", "NOTNULL")),
        ({"type": "service"}, ("type", "INVALID")),
        ({"gtin": "9783648170633"}, ("gtin", "VALIDGTIN")),
        ({"articleNumber": "ART-1001"}, ("articleNumber", "MATERIAL_NUMBER_ALREADY_EXISTS")),
        ({"price": None}, ("price", "NOTNULL")),
        ({"price": {"netPrice": 1, "leadingPrice": "GROSS", "taxRate": 19}}, ("price.grossPrice", "NOTNULL")),
        ({"price": {"netPrice": 1, "leadingPrice": "NET", "taxRate": 16}}, ("price.taxRate", "INVALID")),
    ],
)
def test_each_article_rule_refuses_with_its_own_detail(changes, expected):
    reply = Api().post("/v1/articles", article(**changes))
    assert (reply.status, fields(reply)) == (406, {expected})


def test_articles_are_listed_by_exact_filters():
    api = Api()
    identifier = api.post("/v1/articles", article(type="PRODUCT", articleNumber="X-1")).value()["id"]
    for query in ("type=PRODUCT", "articleNumber=X-1"):
        assert [row["id"] for row in api.get(f"/v1/articles?{query}").value()["content"]] == [identifier]
    assert api.get("/v1/articles?articleNumber=X").value()["totalElements"] == 0
    assert api.get("/v1/articles?type=product").status == 400
    assert api.get("/v1/articles?size=251").status == 400


def test_an_invoice_line_of_an_article_needs_a_known_one():
    api = Api()
    known = api.get("/v1/articles").value()["content"][0]["id"]
    assert api.invoice(lineItems=[line(type="service", id=known)])
    for identifier, violation in ((None, "NOTNULL"), ("unknown", "INVALID")):
        reply = api.post("/v1/invoices", invoice(lineItems=[line(type="material", id=identifier)]))
        assert fields(reply) == {("lineItems[0].id", violation)}
