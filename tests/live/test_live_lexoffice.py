"""Against a real lexoffice account, when its credentials are in the environment; see ``live_support``."""

from collections.abc import Iterator

import pytest
from live_support import connected, first_customers, made_once, needs, writes

import accounting_bridge as ab

SETTINGS = ("api_key",)
pytestmark = [pytest.mark.live, needs("lexoffice", *SETTINGS)]


@pytest.fixture
def provider() -> Iterator[ab.AccountingProvider]:
    with connected("lexoffice", *SETTINGS) as provider:
        yield provider


def test_the_key_opens_somebodys_books(provider: ab.AccountingProvider) -> None:
    assert provider.check().company


def test_the_first_customers_are_read_whole(provider: ab.AccountingProvider) -> None:
    customers = first_customers(provider)
    assert len({customer.id for customer in customers}) == len(customers)
    assert all(customer.name for customer in customers)


def test_a_customer_is_found_by_its_number(provider: ab.AccountingProvider) -> None:
    numbered = [customer for customer in first_customers(provider) if customer.number]
    if not numbered:
        pytest.skip("there is no customer with a number in these books")
    found = provider.find_customer(str(numbered[0].number))
    assert found is not None
    assert found.id == numbered[0].id


def test_the_usual_rate_is_there(provider: ab.AccountingProvider) -> None:
    assert 19 in [rate.rate for rate in provider.tax_rates()]


def test_payment_terms_can_be_read(provider: ab.AccountingProvider) -> None:
    assert all(term.days is None or term.days >= 0 for term in provider.payment_terms())


@writes
def test_a_draft_is_made_once(provider: ab.AccountingProvider) -> None:
    made_once(provider)
