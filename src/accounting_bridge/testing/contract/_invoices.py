"""Invoices: once, to the cent, and every bad draft refused before anything is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import anyio
import attrs
import pytest

from ...errors import (
    InvalidRequest,
    InvoiceGone,
    NotFound,
    OutcomeUnknown,
    ReferenceReused,
    Refused,
)
from ...models import (
    CustomerRef,
    Invoice,
    InvoiceStatus,
    LineItem,
)
from ...provider import AccountingProvider
from ..rig import SPOILS, Rig, Spoil
from ._base import Contract, finish
from ._expected import gross_of_draft


class InvoiceContract(Contract):
    """Invoices: once, to the cent, and every bad draft refused before anything is sent."""

    def test_the_predicted_total_is_the_booked_one(self, rig: Rig, provider: AccountingProvider) -> None:
        """To the cent, net, tax and gross, per rate."""
        provider.ensure_customer(rig.customer())
        plan = provider.plan_invoice(rig.draft())
        invoice = provider.create_invoice(rig.draft())
        assert invoice.totals == plan.totals
        assert invoice.totals.gross == gross_of_draft(rig.rate, rig.other_rate)

    def test_planning_changes_nothing(self, rig: Rig, provider: AccountingProvider) -> None:
        """Neither customers nor invoices."""
        before = rig.customers()
        provider.plan_invoice(rig.draft())
        assert (rig.customers(), rig.invoices("2026-03/4711")) == (before, 0)

    def test_an_invoice_is_created_once(self, rig: Rig, provider: AccountingProvider) -> None:
        """The second call returns the first one's invoice, as a draft."""
        made = provider.create_invoice(rig.draft())
        again = provider.create_invoice(rig.draft())
        assert (made.created, again.created) == (True, False)
        assert made.id == again.id
        assert made.status is InvoiceStatus.DRAFT
        assert made.reference == "2026-03/4711"
        assert rig.invoices("2026-03/4711") == 1

    def test_an_invoice_is_found_after_a_restart(self, rig: Rig, provider: AccountingProvider) -> None:
        """Another process without any memory looks before it sends."""
        made = provider.create_invoice(rig.draft())
        with rig.connect(tenant="another process") as other:
            assert other.create_invoice(rig.draft()).id == made.id
        assert rig.invoices("2026-03/4711") == 1

    def test_a_reused_reference_is_refused(self, rig: Rig, provider: AccountingProvider) -> None:
        """Other content under the same reference is never sent."""
        provider.create_invoice(rig.draft())
        with pytest.raises(ReferenceReused):
            provider.create_invoice(rig.draft(introduction="Something else"))
        assert rig.invoices("2026-03/4711") == 1

    def test_a_deleted_invoice_is_not_made_again(self, rig: Rig, provider: AccountingProvider) -> None:
        """Somebody deleted it on purpose. Where drafts change ids that is certain only after the settle time."""
        made = provider.create_invoice(rig.draft())
        rig.remove_invoice(made.id)
        with pytest.raises(InvoiceGone):
            finish(provider, provider.create_invoice, rig.draft())
        assert rig.invoices("2026-03/4711") == 0

    @pytest.mark.parametrize("spoil", SPOILS, ids=str)
    def test_a_spoiled_create_leaves_exactly_one_invoice(
        self, rig: Rig, provider: AccountingProvider, spoil: Spoil
    ) -> None:
        """At most one at any moment; a committed one is found; in the end there is exactly one."""
        provider.ensure_customer(rig.customer())
        rig.spoil("invoice", spoil)
        outcome = next(provider.create_invoices([rig.draft()]))
        if outcome.error is not None:
            assert isinstance(outcome.error, OutcomeUnknown)
            assert spoil.when == "before", "what was committed is found at once"
            assert outcome.error.retry_at is not None
            assert rig.invoices("2026-03/4711") == 0
        invoice = outcome.result or finish(provider, provider.create_invoice, rig.draft())
        assert rig.invoices("2026-03/4711") == 1
        assert provider.create_invoice(rig.draft()).id == invoice.id
        assert rig.invoices("2026-03/4711") == 1

    def test_an_unclear_create_is_not_repeated_before_it_has_settled(self, rig: Rig) -> None:
        """A look that finds nothing proves nothing yet."""
        with rig.connect(policy=attrs.evolve(rig.policy, settle_time=3600.0)) as provider:
            provider.ensure_customer(rig.customer())
            rig.spoil("invoice", Spoil("", "drop", "before"))
            with pytest.raises(OutcomeUnknown) as first:
                provider.create_invoice(rig.draft())
            with pytest.raises(OutcomeUnknown) as second:
                provider.create_invoice(rig.draft())
        assert first.value.retry_at is not None
        assert second.value.retry_at is not None
        assert rig.invoices("2026-03/4711") == 0

    def test_waiting_to_settle_is_a_matter_of_policy(self, rig: Rig) -> None:
        """With ``wait_to_settle`` the call itself waits and ends with one."""
        policy = attrs.evolve(rig.policy, wait_to_settle=True)
        with rig.connect(policy=policy) as provider:
            provider.ensure_customer(rig.customer())
            rig.spoil("invoice", Spoil("", "drop", "before"))
            assert provider.create_invoice(rig.draft()).created
        assert rig.invoices("2026-03/4711") == 1

    def test_threads_with_one_reference_end_with_one_invoice(self, rig: Rig, provider: AccountingProvider) -> None:
        """One creates, the others get its invoice."""
        provider.ensure_customer(rig.customer())
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: provider.create_invoice(rig.draft()), range(4)))
        assert len({invoice.id for invoice in made}) == 1
        assert sum(invoice.created for invoice in made) == 1
        assert rig.invoices("2026-03/4711") == 1

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_tasks_with_one_reference_end_with_one_invoice(self, rig: Rig, backend: str) -> None:
        """The same for tasks."""
        made: list[Invoice] = []

        async def main() -> None:
            async with rig.connect_async() as provider:
                await provider.ensure_customer(rig.customer())

                async def create() -> None:
                    made.append(await provider.create_invoice(rig.draft()))

                async with anyio.create_task_group() as group:
                    for _ in range(4):
                        group.start_soon(create)

        anyio.run(main, backend=backend)
        assert len({invoice.id for invoice in made}) == 1
        assert rig.invoices("2026-03/4711") == 1

    def test_several_drafts_are_independent_of_each_other(self, rig: Rig, provider: AccountingProvider) -> None:
        """One outcome each, in order; a bad one does not stop the rest."""
        bad = rig.draft("b", lines=[LineItem(description="x", unit_price=Decimal(1), tax_rate=Decimal("3.21"))])
        outcomes = list(provider.create_invoices([rig.draft("a"), bad, rig.draft("c")]))
        assert [(outcome.reference, outcome.ok) for outcome in outcomes] == [("a", True), ("b", False), ("c", True)]
        assert [rig.invoices(reference) for reference in "abc"] == [1, 0, 1]

    def test_an_unknown_rate_and_too_many_decimals_are_named_together(
        self, rig: Rig, provider: AccountingProvider
    ) -> None:
        """Every problem at once, before anything is created."""
        before = rig.customers()
        lines = [
            LineItem(description="a", unit_price=Decimal("1.00"), tax_rate=Decimal("3.21")),
            LineItem(description="b", unit_price=Decimal("1.123456"), tax_rate=rig.rate),
        ]
        with pytest.raises(InvalidRequest) as caught:
            provider.create_invoice(rig.draft(lines=lines))
        named = {problem.field for problem in caught.value.problems}
        assert {"lines[0].tax_rate", "lines[1].unit_price"} <= named
        assert (rig.customers(), rig.invoices("2026-03/4711")) == (before, 0)

    def test_an_unknown_customer_is_not_found(self, rig: Rig, provider: AccountingProvider) -> None:
        """A reference to a customer that is not there creates nothing."""
        with pytest.raises(NotFound):
            provider.create_invoice(rig.draft(customer=CustomerRef(number="99999999")))
        assert rig.invoices("2026-03/4711") == 0

    def test_customers_are_not_created_when_that_is_off(self, rig: Rig) -> None:
        """``create_customers`` False: only customers of the books are invoiced."""
        before = rig.customers()
        with rig.connect({**rig.settings, "create_customers": False}) as provider, pytest.raises(NotFound):
            provider.create_invoice(rig.draft())
        assert (rig.customers(), rig.invoices("2026-03/4711")) == (before, 0)

    def test_a_foreign_currency_is_taken_or_refused(self, rig: Rig, provider: AccountingProvider) -> None:
        """Never silently booked as another currency."""
        taken = provider.capabilities.currencies
        if taken is None or "CHF" in taken:
            pytest.skip("this vendor takes any currency")
        with pytest.raises(InvalidRequest) as caught:
            provider.create_invoice(rig.draft(currency="CHF"))
        assert [problem.field for problem in caught.value.problems] == ["currency"]
        assert rig.invoices("2026-03/4711") == 0

    def test_hostile_ids_are_refused_before_anything_is_sent(self, rig: Rig, provider: AccountingProvider) -> None:
        """An id cannot leave its place in the URL."""
        before = rig.calls()
        for hostile in ("../../admin", "..", "a/b", "1?size=9999", "1#x", "", "1\r\nX-Evil: 1"):
            with pytest.raises(Refused):
                provider.get_invoice(hostile)
        assert rig.calls() == before
