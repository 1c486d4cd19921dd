"""Against real accounts, each when its credentials are in the environment; see ``live_support``."""

from collections.abc import Iterator

import pytest
from live_support import ACCOUNTS, Account, account_of, connected, first_customers, made_once, writes

import accounting_bridge as ab

pytestmark = [
    pytest.mark.live,
    pytest.mark.parametrize("account", [account.param() for account in ACCOUNTS], indirect=True),
]


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Account:
    return account_of(request.param)


@pytest.fixture
def provider(account: Account) -> Iterator[ab.AccountingProvider]:
    with connected(account) as provider:
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


def test_the_usual_rate_is_there(provider: ab.AccountingProvider, account: Account) -> None:
    assert set(account.rates[:1]) & {rate.rate for rate in provider.tax_rates()}


def test_payment_terms_can_be_read(provider: ab.AccountingProvider) -> None:
    assert all(term.days is None or term.days >= 0 for term in provider.payment_terms())


@writes
def test_a_draft_is_made_once(provider: ab.AccountingProvider, account: Account) -> None:
    made_once(provider, account)
