"""From a name and settings to a connection: every mistake at once, and no secret in any message."""

import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from importlib.metadata import EntryPoint

import attrs
import pytest
from tests.core.support import Toy

import accounting_bridge as ab
from accounting_bridge import registry
from accounting_bridge._connect import build_settings, connect
from accounting_bridge.journal.memory import MemoryJournal
from accounting_bridge.vendors.memory import Memory, MemoryBooks, MemorySettings

CANARY = "canary-5d20ab77ce"


@attrs.frozen(kw_only=True)
class Settings:
    api_key: ab.Secret
    account: str
    create_customers: bool = True
    default_tax_rate: Decimal | None = None
    spacing: float = 0.5
    books: MemoryBooks = attrs.Factory(MemoryBooks)
    accounts: dict[str, str] = attrs.field(factory=dict)


def problems(given, kind=Settings):
    with pytest.raises(ab.InvalidRequest) as caught:
        build_settings(kind, given)
    assert CANARY not in str(caught.value)
    return {problem.field: problem.message for problem in caught.value.problems}


def test_a_mapping_becomes_settings():
    books, secret = MemoryBooks(), ab.Secret(CANARY)
    given = {"api_key": f" {CANARY} ", "account": " toy ", "default_tax_rate": "19", "create_customers": False}
    built = build_settings(Settings, {**given, "spacing": 1, "books": books, "accounts": {"a": "8400"}})
    assert built == Settings(
        api_key=secret, account="toy", default_tax_rate=Decimal(19), create_customers=False, spacing=1, books=books,
        accounts={"a": "8400"},
    )  # fmt: skip
    assert build_settings(Settings, {"api_key": secret, "account": "toy"}).api_key is secret


def test_everything_that_is_wrong_is_named_at_once():
    found = problems({
        "apikey": CANARY, "account": 5, "create_customers": "no", "default_tax_rate": 19.0, "spacing": "fast",
        "books": 5, "accounts": [CANARY], "colour": "blue",
    })  # fmt: skip
    assert found["apikey"] == "is not a setting; did you mean api_key?"
    assert found["colour"].startswith("is not a setting; there are: api_key, account,")
    assert found["api_key"] == "is missing"
    assert found["account"] == "must be text, and not empty"
    assert found["create_customers"] == "must be True or False"
    assert found["default_tax_rate"] == "must be a Decimal"
    assert found["spacing"] == "must be a number that is not negative"
    assert found["accounts"] == "must be a mapping, as {…}"
    assert set(found) == {
        "apikey", "colour", "api_key", "account", "create_customers", "default_tax_rate", "spacing", "books",
        "accounts",
    }  # fmt: skip


@pytest.mark.parametrize("hint", [dict[str, str], Mapping[str, str]])
def test_the_entry_of_a_mapping_is_named_with_its_key(hint):
    kind = attrs.make_class("Accounts", {"accounts": attrs.field(type=hint)}, frozen=True, kw_only=True)
    found = problems({"accounts": {"goods/25": 8000, "25": "3001", "service": f" {CANARY} ", "x" * 90: ""}}, kind)
    assert found == {
        "accounts['goods/25']": "must be text, and not empty",
        f"accounts['{'x' * 60}']": "must be text, and not empty",
    }
    assert build_settings(kind, {"accounts": {"25": " 3001 "}}).accounts == {"25": "3001"}


def test_what_the_class_refuses_is_named_together_with_what_is_of_the_wrong_kind():
    """One error tells all; a setting of the wrong kind is not named a second time by the class."""
    with pytest.raises(ab.InvalidRequest) as caught:
        connect("informer", {"api_key": CANARY, "placeholders": "none", "peppol": "yes", "currency": "euro"})
    assert [(problem.field, problem.message) for problem in caught.value.problems] == [
        ("security_code", "is missing"),
        ("peppol", "must be True or False"),
        ("placeholders", "must be one of all, contact, off"),
        ("currency", "must be a currency code in capitals, as EUR"),
    ]
    assert CANARY not in str(caught.value)


def test_a_settings_class_that_cannot_bear_a_wrong_kind_hides_no_problem():
    @attrs.frozen(kw_only=True)
    class Brittle(Settings):
        def __attrs_post_init__(self):
            self.account.upper()

    assert set(problems({"api_key": "k", "account": 5, "spacing": "x"}, Brittle)) == {"account", "spacing"}


@pytest.mark.parametrize("key", ["", "  ", f"{CANARY}\r\nX-Evil: 1", f"{CANARY} b", f"{CANARY}ü", None, 5, b"bytes"])
def test_a_key_that_cannot_travel_in_a_header_is_refused(key):
    assert set(problems({"api_key": key, "account": "toy"})) == {"api_key"}


@pytest.mark.parametrize("rate", [19.0, True, "NaN", Decimal("Infinity"), "a lot", [19]])
def test_a_rate_that_is_no_exact_number_is_refused(rate):
    assert set(problems({"api_key": "k", "account": "toy", "default_tax_rate": rate})) == {"default_tax_rate"}


@pytest.mark.parametrize("spacing", [True, -1, float("nan"), float("inf"), "1", None])
def test_a_spacing_that_is_no_number_of_seconds_is_refused(spacing):
    assert set(problems({"api_key": "k", "account": "toy", "spacing": spacing})) == {"spacing"}


@pytest.mark.parametrize("given", [CANARY, [("api_key", CANARY)], 5])
def test_settings_that_are_no_mapping_are_refused(given):
    found = problems(given)
    example = "must be a mapping, as {'api_key': …, 'account': …}, or Settings, not "
    assert found == {"settings": f"{example}{type(given).__name__}"}


def test_without_settings_those_that_are_needed_are_named():
    with pytest.raises(ab.InvalidRequest, match="api_key: is missing"):
        ab.connect("lexoffice")
    with pytest.raises(ab.InvalidRequest, match=r"(?s)api_key: is missing.*security_code: is missing"):
        ab.connect_async("informer")
    with pytest.raises(ab.InvalidRequest, match="api_key: is missing"):
        ab.connect_source("mite")
    with pytest.raises(ab.InvalidRequest, match="api_key: is missing"):
        ab.connect_source_async("mite")
    assert problems(None) == {"api_key": "is missing", "account": "is missing"}


def test_an_instance_of_the_settings_class_is_taken_as_it_is():
    settings = MemorySettings()
    assert connect("memory", settings)._session.state.adapter.settings is settings


def test_settings_of_another_class_are_refused():
    with pytest.raises(ab.InvalidRequest, match=r"must be a mapping, as \{'books': …\}, or MemorySettings"):
        connect("memory", Settings(api_key=ab.Secret("k"), account="toy"))


# ---- base_url --------------------------------------------------------------------------------------------------

GOOD_URLS = {
    "https://api.toy.example": "https://api.toy.example",
    "https://API.Toy.Example/": "https://api.toy.example",
    "https://api.toy.example:8443": "https://api.toy.example:8443",
    "http://localhost:8080": "http://localhost:8080",
    "http://127.0.0.1:1": "http://127.0.0.1:1",
    "http://127.9.9.9": "http://127.9.9.9",
    "http://[::1]:65535/": "http://[::1]:65535",
    "https://[2001:db8::1]": "https://[2001:db8::1]",
}
BAD_URLS = [
    "", "api.toy.example", "ftp://api.toy.example", "https://", "https://api.toy.example/v1", "https://api.toy.example?a=1",
    "https://api.toy.example#a", "https://me@api.toy.example", f"https://me:{CANARY}@api.toy.example",
    "https://api.toy.example:0", "https://api.toy.example:65536", "https://api.toy.example:99999",
    "https://api.toy.example:", "https://api..example", "https://-api.example", "https://api.toy.example\n",
    "https://api toy.example", "https://" + "a" * 64 + ".example", "https://[::1", "https://[::::]", "https://[1.2.3.4]",
    "http://api.toy.example", "http://10.0.0.1", "http://0.0.0.0", "http://[::]", "http://127.0.0.1.evil.test",
    "http://localhost.evil.test", "https://evil.test\\@api.toy.example", "https://bücher.example", 5,
]  # fmt: skip


@pytest.mark.parametrize(("url", "origin"), GOOD_URLS.items())
def test_a_base_url_is_scheme_host_and_port(url, origin):
    assert connect("memory", {}, base_url=url)._session.state.origin == origin


@pytest.mark.parametrize("url", BAD_URLS)
def test_any_other_base_url_is_refused(url):
    with pytest.raises(ab.InvalidRequest) as caught:
        connect("memory", {}, base_url=url)
    assert [problem.field for problem in caught.value.problems] == ["base_url"]
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "policy", "private"),
    [
        ("http://127.0.0.1:1", None, True),
        ("http://[::1]:1", None, True),
        ("https://api.toy.example", None, False),
        ("https://10.0.0.1", None, False),
        (None, None, False),
        (None, ab.Policy(private_addresses=True), True),
    ],
)
def test_private_addresses_are_allowed_for_loopback_or_by_policy(base_url, policy, private):
    provider = connect("memory", {}, base_url=base_url, policy=policy)
    assert provider._session.http._private is private


def test_an_adapter_whose_own_origin_is_odd_is_refused(monkeypatch):
    class Odd(Toy):
        def __init__(self, settings):
            super().__init__(settings=settings, origin="http://api.toy.example")

    monkeypatch.setattr(registry, "adapter_class", lambda _: Odd)
    with pytest.raises(ab.InvalidRequest, match="origin: must be https"):
        connect("odd", {"api_key": CANARY})


# ---- vendors ---------------------------------------------------------------------------------------------------


def test_an_unknown_vendor_is_refused_with_those_there_are():
    said = r"'lexofice' is not known; there are: billomat, .*lexoffice, memory.*; did you mean lexoffice\?"
    with pytest.raises(ab.InvalidRequest, match=said):
        connect("lexofice", {})


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("Lexware", "lexoffice"), ("lexware office", "lexoffice"), ("LexOffice", "lexoffice"), ("eAccounting", "visma"),
        ("Visma eAccounting", "visma"), ("Spiris", "visma"), ("Informer Online", "informer"),
        ("InformerOnline", "informer"), ("Billomat", "billomat"),
    ],
)  # fmt: skip
def test_the_name_of_the_product_leads_to_ours(wanted, meant):
    with pytest.raises(ab.InvalidRequest, match=rf"there are: billomat, .*; did you mean {meant}\?"):
        connect(wanted, {})


@pytest.mark.parametrize("name", registry._OWN)
def test_every_row_of_the_registry_leads_to_an_adapter(name):
    kind = registry.adapter_class(name)
    assert kind.vendor == name
    assert attrs.has(kind.Settings)


def test_vendors_of_other_packages_are_found_by_their_entry_point(monkeypatch):
    point = EntryPoint("toy", "tests.core.support:Toy", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.GROUP else [])
    assert "toy" in ab.vendor_names()
    provider = connect("toy", {"api_key": CANARY})
    assert provider.vendor == "toy"
    assert isinstance(provider._session.state.adapter, Toy)
    with pytest.raises(ab.InvalidRequest, match=r"there are: billomat, .*lexoffice, memory, toy"):
        connect("toys", {})


def test_our_own_vendors_cannot_be_taken_over(monkeypatch):
    point = EntryPoint("memory", "tests.core.support:Toy", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point])
    assert registry.adapter_class("memory") is Memory
    assert ab.vendor_names().count("memory") == 1


# ---- what a connection is given --------------------------------------------------------------------------------


def test_what_is_given_is_used_although_it_is_empty_or_false():
    class Falsy(MemoryJournal):
        def __bool__(self):
            return False

    class FalsyLimits(ab.MemoryLimits):
        def __bool__(self):
            return False

    class FalsyTokens(ab.MemoryTokens):
        def __bool__(self):
            return False

    journal, limits, tokens = Falsy(), FalsyLimits(), FalsyTokens()
    given = connect("memory", {}, tenant="t1", journal=journal, limits=limits, tokens=tokens)._session.state
    assert (given.journal, given.limits, given.tokens) == (journal, limits, tokens)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"journal": "journal.db"}, "journal: must be an object, as SqliteJournal('journal.db'), not str"),
        (
            {"journal": ab.MemoryJournal},
            "journal: must be an object, as SqliteJournal(path), not the class MemoryJournal",
        ),
        ({"limits": 5}, "limits: must be an object, as Unlimited(), not int"),
        ({"tokens": CANARY}, "tokens: must be an object, as SqliteTokens(path, key=…), not str"),
    ],
    ids=str,
)
def test_a_store_that_is_none_is_refused_with_the_call_that_makes_one(given, told):
    with pytest.raises(ab.InvalidRequest) as caught:
        connect("memory", {}, tenant="t1", **given)
    assert [str(problem) for problem in caught.value.problems] == [told]
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("policy", "seconds"),
    [
        (None, 1.0),
        (ab.Policy(settle_time=7.0), 7.0),
        (ab.Policy(deadline=5.0), 1.0),
        (ab.Policy(deadline=660.0), 601.0),
        (ab.Policy(deadline=660.0, settle_time=0.0), 0.0),
    ],
)
def test_a_longer_deadline_makes_the_settle_time_longer(policy, seconds):
    assert connect("memory", {}, policy=policy)._session.state.settle_seconds == seconds


def test_tenants_are_kept_apart():
    books = MemoryBooks()
    one, other = (connect("memory", {"books": books}, tenant=tenant) for tenant in ("a", "b"))
    draft = ab.InvoiceDraft(
        reference="A-1", customer=ab.Customer(number="1", name="Eva"),
        lines=[ab.LineItem(description="Design", unit_price=80, tax_rate=19)],
    )  # fmt: skip
    one.create_invoice(draft)
    assert one._session.state.key("invoice", "A-1") != other._session.state.key("invoice", "A-1")
    assert other._session.state.journal.recall(other._session.state.key("invoice", "A-1")) is None


def test_a_provider_does_not_show_its_settings():
    provider = connect("lexoffice", {"api_key": CANARY})
    for shown in (repr(provider), repr(provider._session), repr(provider._session.state)):
        assert CANARY not in shown


@pytest.mark.parametrize(
    "code",
    [
        "import accounting_bridge as ab; ab.connect('memory', {}); assert callable(ab.connect)",
        "import accounting_bridge._connect, accounting_bridge as ab; ab.connect('memory', {})",
        "import accounting_bridge.vendors.memory, accounting_bridge as ab; ab.connect('memory', {}); ab.vendor_names()",
        "import accounting_bridge.session, accounting_bridge as ab; ab.connect('memory', {})",
        "from accounting_bridge import *; connect('memory', {}); vendor_names()",
        "import accounting_bridge as ab; ab.vendor_names(); ab.connect('memory', {}); ab.vendor_names()",
    ],
)
def test_connect_is_callable_after_any_order_of_imports(code):
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
