"""Settings instances hold their keys as secrets, or they are refused without showing them."""

import pytest

from accounting_bridge import InvalidRequest, Secret
from accounting_bridge.vendors.billomat import BillomatSettings
from accounting_bridge.vendors.lexoffice import LexofficeSettings

KEY = "an-invented-key-in-the-open"


def lexoffice(key):
    return LexofficeSettings(api_key=key)


def billomat(key):
    return BillomatSettings(account="musterfirma", api_key=key)


def billomat_app(key):
    return BillomatSettings(account="musterfirma", api_key=Secret("k" * 32), app_id="12", app_secret=key)


@pytest.mark.parametrize("settings", [lexoffice, billomat, billomat_app])
@pytest.mark.parametrize(
    "key", [KEY, "", KEY.encode(), Secret(""), Secret(f"{KEY} x"), Secret(f"{KEY}\r\nx: 1"), Secret(f"ü{KEY}")]
)
def test_a_key_that_is_no_secret_or_fits_no_header_is_refused_without_showing_it(settings, key):
    with pytest.raises(InvalidRequest) as refused:
        settings(key)
    field = "app_secret" if settings is billomat_app else "api_key"
    assert field in [problem.field for problem in refused.value.problems]
    assert KEY not in f"{refused.value} {refused.value!r}"


@pytest.mark.parametrize("settings", [lexoffice, billomat, billomat_app])
def test_a_secret_is_taken_and_not_shown(settings):
    assert KEY not in repr(settings(Secret(KEY)))
