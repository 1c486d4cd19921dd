"""Account, key and options; and what a call carries because of them."""

from decimal import Decimal

import pytest
from _billomat import KEY, billomat

from accounting_bridge import InvalidRequest, Secret
from accounting_bridge.adapter import Window
from accounting_bridge.flow import get
from accounting_bridge.vendors.billomat import Billomat, BillomatSettings


@pytest.mark.parametrize("account", ["musterfirma", "Muster-Firma", "a", "0815", "a" * 63])
def test_an_account_is_one_host_label_in_small_letters(account):
    assert f"https://{account.lower()}.billomat.net" == billomat(account=account).origin


@pytest.mark.parametrize(
    "account",
    [
        "",
        " ",
        "evil.test/",
        "evil.test#",
        "evil.test?",
        "x@evil.test#",
        "127.0.0.1#",
        "a.b:8443/",
        "foo.billomat.net.evil.test/",
        "musterfirma.billomat.net",
        "https://musterfirma.billomat.net",
        "muster\n",
        "muster\r\nhost: evil.test",
        "\nmuster",
        "mu ster",
        "-muster",
        "muster-",
        "a" * 64,
        "müster",
        "mus\u212aer",  # the Kelvin sign lower-cases to k
        "\uff4duster",
        "muster\u2024evil",
        "xn--\u00e4",
        "muster\x00",
        None,
        7,
        b"muster",
    ],
)
def test_anything_else_as_account_is_refused_by_name(account):
    with pytest.raises(InvalidRequest) as refused:
        billomat(account=account)
    assert ["account"] == [problem.field for problem in refused.value.problems]


def test_every_wrong_setting_is_named_at_once():
    with pytest.raises(InvalidRequest) as refused:
        BillomatSettings(
            account="a.b", api_key="plain", app_id="7 7", app_secret=Secret(""), create_customers=1,
            default_tax_rate=19.0, mirror_sales="no",
        )  # fmt: skip
    named = {problem.field for problem in refused.value.problems}
    assert {
        "account",
        "api_key",
        "app_id",
        "app_secret",
        "default_tax_rate",
        "create_customers",
        "mirror_sales",
    } == named


@pytest.mark.parametrize("rate", [Decimal("NaN"), Decimal(-1), Decimal(101), "19"])
def test_a_default_tax_rate_that_is_no_percentage_is_refused(rate):
    with pytest.raises(InvalidRequest, match="default_tax_rate"):
        billomat(default_tax_rate=rate)


@pytest.mark.parametrize("half", [{"app_id": "12"}, {"app_secret": Secret("s" * 20)}])
def test_app_id_and_secret_are_given_together_or_not_at_all(half):
    with pytest.raises(InvalidRequest, match="belong together"):
        billomat(**half)


@pytest.mark.parametrize("key", ["", "a b", "key\r\nx-evil: 1", "schlüssel", "k" * 201])
def test_a_key_that_does_not_fit_a_header_is_refused(key):
    with pytest.raises(InvalidRequest, match="api_key"):
        billomat(api_key=Secret(key))


def test_a_call_carries_the_key_in_a_header_and_asks_for_json():
    signed = billomat().authorize(get("/api/clients"), None)
    assert {"accept": "application/json", "x-billomatapikey": KEY} == signed.headers
    assert () == signed.params


def test_another_accept_does_not_survive_in_any_spelling():
    request = get("/api/clients", accept="application/xml")
    spelled = type(request)(method="GET", path="/api/clients", headers={"Accept": "application/xml"})
    assert "application/json" == billomat().authorize(request, None).headers["accept"]
    assert ["accept", "x-billomatapikey"] == sorted(billomat().authorize(spelled, None).headers)


def test_a_registered_app_has_headers_limits_and_a_count_of_its_own():
    app = billomat(app_id="1234", app_secret=Secret("geheimgeheim"))
    headers = app.authorize(get("/api/clients"), None).headers
    assert ("1234", "geheimgeheim") == (headers["x-appid"], headers["x-appsecret"])
    assert list(app.limits.windows) == [Window(calls=1000, seconds=900)]
    assert list(billomat().limits.windows) == [Window(calls=300, seconds=900)]
    assert ("billomat:musterfirma:1234", "billomat:musterfirma") == (app.limit_key, billomat().limit_key)
    assert [KEY, "geheimgeheim"] == [secret.reveal() for secret in app.secrets()]


def test_no_secret_shows_in_a_repr():
    app = billomat(app_id="1234", app_secret=Secret("geheimgeheim"))
    text = repr(app) + str(app) + repr(app.authorize(get("/api/clients"), None))
    assert KEY not in text
    assert "geheimgeheim" not in text


def test_the_origin_can_be_replaced():
    books = Billomat(settings=billomat().settings, origin="http://127.0.0.1:8080")
    assert ("http://127.0.0.1:8080", "billomat:musterfirma@http://127.0.0.1:8080") == (books.origin, books.limit_key)


def test_sales_are_a_capability_only_where_they_are_mirrored():
    assert (False, False) == (billomat().capabilities.book_sale, billomat().capabilities.sale_pdf)
    assert (True, True) == (
        billomat(mirror_sales=True).capabilities.book_sale,
        billomat(mirror_sales=True).capabilities.sale_pdf,
    )


def test_keys_are_not_renewed():
    assert billomat().refresh(None) is None
