"""Settings, signing, and placeholders: what they are made of and that they never become data."""

import re
from decimal import Decimal

import pytest
from _informer import BOOKS, CODE, KEY, informer

from accounting_bridge import InvalidRequest, Secret
from accounting_bridge.adapter import ChangedSince
from accounting_bridge.flow import get
from accounting_bridge.models import LineKind
from accounting_bridge.vendors.informer import InformerSettings, settings
from accounting_bridge.vendors.informer.placeholders import data, fillings, is_placeholder


def problems_of(**given):
    with pytest.raises(InvalidRequest) as caught:
        InformerSettings(**{"api_key": Secret(KEY), "security_code": Secret(CODE), **given})
    return {problem.field for problem in caught.value.problems}


def test_all_wrong_settings_are_named_at_once():
    named = problems_of(
        api_key=Secret("with blank"), security_code=47110, placeholders="some", default_tax_rate=Decimal(101),
        default_country="nl", currency="euro", ledger_account="8000,,8010", product="abc", template=" ",
        peppol="yes", placeholder_iban="",
    )  # fmt: skip
    assert {
        "api_key", "security_code", "placeholders", "default_tax_rate", "default_country", "currency",
        "ledger_account", "product", "template", "peppol", "placeholder_iban",
    } == named  # fmt: skip


def test_no_setting_shows_a_secret():
    shown = f"{BOOKS!r} {BOOKS.settings!r} {BOOKS.limit_key}"
    assert KEY not in shown
    assert CODE not in shown


def test_both_headers_go_with_every_call_and_the_codes_zero_survives():
    signed = BOOKS.authorize(get("/v2/administration"), None)
    assert (KEY, CODE) == (signed.headers["apikey"], signed.headers["securitycode"])
    assert {KEY, CODE} == {secret.reveal() for secret in BOOKS.secrets()}


def test_what_the_vendor_can_do_is_declared():
    able = BOOKS.capabilities
    assert (able.changed_since, able.attach, able.sale_pdf) == (ChangedSince.VENDOR, True, True)
    assert not able.assigns_customer_numbers
    assert BOOKS.refresh(None) is None


def test_ledger_accounts_of_a_kind_stand_instead_of_those_of_all():
    chosen = informer(ledger_account="8000, 8020", ledger_account_goods="7000").settings
    assert ("ledger_account_goods", ("7000",)) == chosen.ledgers_for(LineKind.GOODS)
    assert ("ledger_account", ("8000", "8020")) == chosen.ledgers_for(LineKind.TRAVEL)
    assert (None, ()) == informer().settings.ledgers_for(LineKind.SERVICE)


# ---- placeholders ------------------------------------------------------------------------------------------


def test_the_default_placeholders_are_valid_in_form_and_nobodys():
    digits = "".join(str(int(sign, 36)) for sign in settings.IBAN[4:] + settings.IBAN[:4])
    assert int(digits) % 97 == 1
    assert settings.IBAN[4:8] == settings.BIC[:4] == "XXXX"
    assert re.fullmatch("[A-Z]{6}[A-Z2-9][0-9A-NP-Z]", settings.BIC)
    assert settings.BIC.endswith("0")  # a test system
    assert re.fullmatch("NL[0-9]{9}B00", settings.VAT_NUMBER)  # the first suffix that is given out is 01
    assert re.fullmatch("0{8}", settings.REGISTRATION_NUMBER)
    assert settings.WEBSITE.endswith(".invalid")
    assert settings.EMAIL.endswith(".invalid")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("all", {"web", "email", "email_invoice", "coc", "iban", "bic", "vat"}),
        ("contact", {"web", "email", "email_invoice", "coc"}),
        ("off", set()),
    ],
)
def test_the_mode_says_which_fields_are_filled(mode, expected):
    assert expected == set(fillings(informer(placeholders=mode).settings))


def test_a_field_without_a_constant_is_left_out():
    chosen = informer(placeholder_iban=None, placeholder_email=None).settings
    assert {"web", "coc", "bic", "vat"} == set(fillings(chosen))


@pytest.mark.parametrize("mode", ["all", "contact", "off"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("iban", "nl50 XXXX 0000 0000 00"),
        ("bic", "XXXXNL20"),
        ("vat", "NL9999.99990.B00"),
        ("coc", "0000 0000"),
        ("web", "HTTPS://onbekend.invalid/"),
        ("web", "http://www.other.invalid/path"),
        ("email", "Onbekend@Onbekend.invalid"),
        ("email_invoice", "somebody@elsewhere.invalid"),
        ("email", "somebody@invalid"),
    ],
)
def test_placeholders_are_recognised_however_they_are_written(mode, field, value):
    chosen = informer(placeholders=mode).settings
    assert is_placeholder(chosen, field, value)
    assert data(chosen, field, value) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("web", "https://invalid.example"), ("email", "invalid@quellmoos.example"), ("iban", "NL02ABNA0123456789"),
     ("coc", "12345678"), ("web", "https://www.quellmoos.example/a.invalid")],
)  # fmt: skip
def test_what_only_resembles_one_is_data(field, value):
    assert value == data(BOOKS.settings, field, value)


def test_configured_and_default_constants_are_both_recognised():
    chosen = informer(placeholder_registration_number="99999999").settings
    assert is_placeholder(chosen, "coc", "99999999")
    assert is_placeholder(chosen, "coc", settings.REGISTRATION_NUMBER)
    assert data(chosen, "coc", "") is None
