"""The connection, reference data and customers."""

from __future__ import annotations

import re

import anyio
import attrs
import pytest

from ...errors import (
    AuthenticationFailed,
    BridgeError,
    Unavailable,
    Unsupported,
)
from ...models import (
    Invoice,
)
from ...provider import AccountingProvider
from ...registry import adapter_class
from ..rig import SPOILS, Rig, Spoil
from ._base import Contract, finish


class CustomerContract(Contract):
    """Connecting, reference data and customers."""

    def test_check_names_the_company(self, provider: AccountingProvider) -> None:
        """The credentials open somebody's books."""
        connection = provider.check()
        assert connection.vendor == provider.vendor
        assert connection.company

    def test_wrong_credentials_are_told_apart_from_everything_else(self, rig: Rig) -> None:
        """A wrong key is AuthenticationFailed, and nothing in the error shows the key."""
        if rig.wrong_settings is None:
            pytest.skip("this vendor has no credentials")
        with rig.connect(rig.wrong_settings) as provider, pytest.raises(AuthenticationFailed) as caught:
            provider.check()
        shown = f"{caught.value} {caught.value!r} {caught.value.__dict__}"
        assert not [value for value in rig.wrong_settings.values() if len(str(value)) > 12 and str(value) in shown]

    def test_secrets_stay_out_of_every_text(self, rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
        """Not in reprs, not in logs down to DEBUG."""
        caplog.set_level("DEBUG")
        with rig.connect() as provider:
            provider.check()
            shown = repr(provider) + caplog.text
        kinds = {kind.name: str(kind.type) for kind in attrs.fields(adapter_class(rig.vendor).Settings)}
        secrets = [str(value) for name, value in rig.settings.items() if "Secret" in kinds.get(name, "")]
        words = [rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])" for secret in secrets]
        assert not [word for word in words if re.search(word, shown)]

    def test_connecting_sends_nothing(self, rig: Rig) -> None:
        """The first call is the first request."""
        before = rig.calls()
        rig.connect().close()
        assert rig.calls() == before

    def test_every_customer_is_imported_once(self, rig: Rig, provider: AccountingProvider) -> None:
        """All of them, with id and name, none twice."""
        customers = list(run := provider.import_customers())
        assert len(customers) == rig.customers()
        assert len({customer.id for customer in customers}) == len(customers)
        assert all(customer.name for customer in customers)
        assert run.complete
        assert run.skipped == ()

    def test_an_imported_customer_is_found_by_its_number(self, provider: AccountingProvider) -> None:
        """The number is the link between app and books."""
        first = next(iter(provider.import_customers()))
        assert first.number is not None
        found = provider.find_customer(first.number)
        assert found is not None
        assert found.id == first.id

    def test_an_unknown_number_is_none(self, provider: AccountingProvider) -> None:
        """Not an error: the app asks because it does not know."""
        assert provider.find_customer("99999999") is None

    def test_a_customer_is_created_once(self, rig: Rig, provider: AccountingProvider) -> None:
        """The second call finds what the first one made."""
        before = rig.customers()
        made = provider.ensure_customer(rig.customer())
        again = provider.ensure_customer(rig.customer())
        assert (made.created, again.created) == (True, False)
        assert made.customer.id == again.customer.id
        assert rig.customers() == before + 1

    def test_a_created_customer_is_found_after_a_restart(self, rig: Rig, provider: AccountingProvider) -> None:
        """Another process without any memory finds it by number or marker."""
        made = provider.ensure_customer(rig.customer())
        with rig.connect(tenant="another process") as other:
            assert other.ensure_customer(rig.customer()).customer.id == made.customer.id

    def test_a_customer_keeps_what_the_app_gave(self, rig: Rig, provider: AccountingProvider) -> None:
        """Name, mail and address come back as they were."""
        wanted = rig.customer()
        made = provider.ensure_customer(wanted).customer
        (kept,) = [customer for customer in provider.import_customers() if customer.id == made.id]
        assert (kept.name, kept.email) == (wanted.name, wanted.email)
        assert kept.address is not None
        assert wanted.address is not None
        assert kept.address.street_line == wanted.address.street_line
        assert (kept.address.postal_code, kept.address.city) == (wanted.address.postal_code, wanted.address.city)

    def test_an_update_changes_what_is_set_and_keeps_the_rest(self, rig: Rig, provider: AccountingProvider) -> None:
        """None never overwrites."""
        if not provider.capabilities.update_customer:
            pytest.skip("this vendor cannot change customers")
        made = provider.ensure_customer(rig.customer()).customer
        changed = attrs.evolve(made, name="Musterwerk Neu GmbH", email=None)
        provider.update_customer(changed)
        (kept,) = [customer for customer in provider.import_customers() if customer.id == made.id]
        assert (kept.name, kept.email) == ("Musterwerk Neu GmbH", made.email)

    @pytest.mark.parametrize("spoil", [spoil for spoil in SPOILS if spoil.kind in {"drop", "status"}], ids=str)
    def test_a_spoiled_customer_create_leaves_one(self, rig: Rig, provider: AccountingProvider, spoil: Spoil) -> None:
        """At most one at any moment, exactly one in the end."""
        before = rig.customers()
        rig.spoil("customer", spoil)
        finish(provider, provider.ensure_customer, rig.customer())
        assert rig.customers() == before + 1

    def test_reference_data_can_be_read_or_is_unsupported(self, rig: Rig, provider: AccountingProvider) -> None:
        """Articles, rates, accounts and terms."""
        rates = [row.rate for row in provider.tax_rates()]
        assert rig.rate in rates
        for able, read in (
            (provider.capabilities.articles, lambda: list(provider.import_articles())),
            (provider.capabilities.ledger_accounts, provider.ledger_accounts),
        ):
            if able:
                read()
            else:
                with pytest.raises(Unsupported):
                    read()
        provider.payment_terms()

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_the_async_provider_does_the_same(self, rig: Rig, backend: str) -> None:
        """One definition serves both."""

        async def main() -> tuple[int, Invoice, Invoice]:
            async with rig.connect_async() as provider:
                count = len([customer async for customer in provider.import_customers()])
                invoice = await provider.create_invoice(rig.draft())
                return count, invoice, await provider.create_invoice(rig.draft())

        expected = rig.customers()
        count, made, again = anyio.run(main, backend=backend)
        assert count == expected
        assert (made.created, again.created, again.id) == (True, False, made.id)
        assert rig.invoices("2026-03/4711") == 1

    def test_only_errors_of_the_library_come_out(self, rig: Rig) -> None:
        """Nothing listens there: still a BridgeError, and one that says nothing happened."""
        if rig.base_url is None:
            pytest.skip("nothing goes over a wire")
        silent = attrs.evolve(rig, base_url="http://127.0.0.1:9")
        with silent.connect() as provider, pytest.raises(Unavailable) as caught:
            provider.check()
        assert isinstance(caught.value, BridgeError)
