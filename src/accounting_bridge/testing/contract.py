"""The contract that every vendor passes: subclass :class:`VendorContract` and supply a ``rig`` fixture.

Each test states one promise of the library. A vendor that cannot do something declares so in its capabilities; the
suite then checks that asking for it raises ``Unsupported`` without a single request.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anyio
import attrs
import pytest

from ..adapter import Finalize
from ..errors import (
    AuthenticationFailed,
    BridgeError,
    Conflict,
    InvalidRequest,
    InvoiceGone,
    InvoiceNotSent,
    NotFound,
    OutcomeUnknown,
    ReferenceReused,
    Refused,
    Unavailable,
    Unsupported,
)
from ..models import (
    Attachment,
    CustomerRef,
    Invoice,
    InvoiceStatus,
    LineItem,
    LineKind,
    SalesEntry,
    TaxTreatment,
)
from ..provider import AccountingProvider
from .rig import SPOILS, Rig, Spoil

_LATER = 20
"""How often a test repeats a call that says "later" before it gives up."""
_LONGEST = 10.0


def finish(provider: AccountingProvider, create: Any, document: Any) -> Any:
    """Repeat a create as an app would: not before ``retry_at``, until it has an answer."""
    for _ in range(_LATER):
        try:
            return create(document)
        except (OutcomeUnknown, Unavailable) as later:
            if later.retry_at is not None:
                wait = (later.retry_at - datetime.now(UTC)).total_seconds()
                assert wait < _LONGEST, f"{provider.vendor}: the rig's settle time and limits must be short"
                time.sleep(max(0.0, wait) + 0.01)
    raise AssertionError(f"{provider.vendor}: still no answer after {_LATER} calls")


class VendorContract:
    """Subclass this in a test module, once a vendor."""

    @pytest.fixture
    def rig(self) -> Rig:
        """The vendor under test: override this."""
        raise NotImplementedError

    @pytest.fixture
    def provider(self, rig: Rig) -> Any:
        """A connection to the rig."""
        with rig.connect() as provider:
            yield provider

    # -- the connection --

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
        keys = [value for value in rig.settings.values() if isinstance(value, str) and len(value) > 20]
        assert not [key for key in keys if key in shown]

    def test_connecting_sends_nothing(self, rig: Rig) -> None:
        """The first call is the first request."""
        before = rig.calls()
        rig.connect().close()
        assert rig.calls() == before

    # -- customers --

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

    # -- invoices --

    def test_the_predicted_total_is_the_booked_one(self, rig: Rig, provider: AccountingProvider) -> None:
        """To the cent, net, tax and gross, per rate."""
        provider.ensure_customer(rig.customer())
        plan = provider.plan_invoice(rig.draft())
        invoice = provider.create_invoice(rig.draft())
        assert invoice.totals == plan.totals
        assert invoice.totals.gross == Decimal("832.12")

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
        """Somebody deleted it on purpose."""
        made = provider.create_invoice(rig.draft())
        rig.remove_invoice(made.id)
        with pytest.raises(InvoiceGone):
            provider.create_invoice(rig.draft())
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

    def test_an_unclear_create_is_not_repeated_before_it_has_settled(
        self, rig: Rig, provider: AccountingProvider
    ) -> None:
        """A look that finds nothing proves nothing yet."""
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
        """With ``wait_to_settle`` the second call itself waits and ends with one."""
        policy = attrs.evolve(rig.policy, wait_to_settle=True)
        with rig.connect(policy=policy) as provider:
            provider.ensure_customer(rig.customer())
            rig.spoil("invoice", Spoil("", "drop", "before"))
            with pytest.raises(OutcomeUnknown):
                provider.create_invoice(rig.draft())
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

    # -- bad input: a typed error that names every problem, and nothing created --

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

    # -- what becomes of an invoice --

    def test_a_final_invoice_is_numbered(self, rig: Rig, provider: AccountingProvider) -> None:
        """Finalized at creation, or afterwards where the vendor can."""
        invoice = provider.create_invoice(rig.draft(), finalize=True)
        assert invoice.status is not InvoiceStatus.DRAFT
        assert invoice.number
        assert provider.create_invoice(rig.draft(), finalize=True).id == invoice.id

    def test_finalizing_a_draft_works_or_is_unsupported(self, rig: Rig, provider: AccountingProvider) -> None:
        """Idempotent where it works; without a request where it does not."""
        draft = provider.create_invoice(rig.draft())
        before = rig.calls()
        if provider.capabilities.finalize is Finalize.AT_CREATION:
            with pytest.raises(Unsupported):
                provider.finalize_invoice(draft.id)
            assert rig.calls() == before
        else:
            final = provider.finalize_invoice(draft.id)
            assert final.number
            assert provider.finalize_invoice(draft.id) == final

    def test_the_pdf_is_a_pdf(self, rig: Rig, provider: AccountingProvider) -> None:
        """And a draft has none."""
        if not provider.capabilities.pdf:
            pytest.skip("this vendor gives no PDF")
        draft = provider.create_invoice(rig.draft("draft"))
        with pytest.raises(Conflict):
            provider.invoice_pdf(draft.id)
        final = provider.create_invoice(rig.draft("final"), finalize=True)
        assert provider.invoice_pdf(final.id).startswith(b"%PDF-")

    def test_mailing_works_once_or_is_unsupported(self, rig: Rig, provider: AccountingProvider) -> None:
        """A second call does not mail a second time unless asked to."""
        if not provider.capabilities.send:
            with pytest.raises(Unsupported):
                provider.send_invoice("00000000-0000-0000-0000-000000000000")
            return
        final = provider.create_invoice(rig.draft(), finalize=True)
        sent = [provider.send_invoice(final.id, to="kunde@musterwerk.example") for _ in range(2)]
        assert sent == [True, False]
        assert provider.send_invoice(final.id, to="kunde@musterwerk.example", again=True)

    def test_attaching_works_or_is_unsupported(self, rig: Rig, provider: AccountingProvider) -> None:
        """Without a request where the vendor has no place for files."""
        file = Attachment(filename="stunden.pdf", content=b"%PDF-1.4\n%%EOF\n")
        invoice = provider.create_invoice(rig.draft())
        before = rig.calls()
        if provider.capabilities.attach:
            provider.attach(invoice.id, file)
        else:
            with pytest.raises(Unsupported):
                provider.attach(invoice.id, file)
            assert rig.calls() == before

    @pytest.mark.parametrize("treatment", [t for t in TaxTreatment if t is not TaxTreatment.DOMESTIC])
    @pytest.mark.parametrize("country", ["DE", "NL", "CH"])
    def test_a_tax_free_treatment_works_or_is_refused_with_the_reason(
        self, rig: Rig, provider: AccountingProvider, treatment: TaxTreatment, country: str
    ) -> None:
        """Tax is 0, or nothing is created."""
        vat = {"DE": "DE123456789", "NL": "NL123456789B01", "CH": None}[country]
        customer = rig.customer()
        assert customer.address is not None
        customer = attrs.evolve(customer, vat_number=vat, address=attrs.evolve(customer.address, country_code=country))
        goods = treatment is TaxTreatment.INTRA_EU_GOODS
        line = LineItem(
            description="Leistung", unit_price=Decimal(100), kind=LineKind.GOODS if goods else LineKind.SERVICE
        )
        outcome = next(provider.create_invoices([rig.draft(customer=customer, lines=[line], tax_treatment=treatment)]))
        if isinstance(outcome.result, Invoice):
            assert (outcome.result.totals.tax, outcome.result.totals.gross) == (Decimal(0), Decimal(100))
        else:
            assert isinstance(outcome.error, Refused)
            assert rig.invoices("2026-03/4711") == 0

    def test_gross_prices_keep_their_gross_total(self, rig: Rig, provider: AccountingProvider) -> None:
        """What the customer was told is what is booked."""
        line = LineItem(description="Schulung", quantity=Decimal(6), unit_price=Decimal(120), tax_rate=rig.rate)
        invoice = provider.create_invoice(rig.draft(lines=[line], prices_include_tax=True))
        assert invoice.totals.gross == Decimal(720)

    def test_every_neutral_text_reaches_the_vendor(self, rig: Rig, provider: AccountingProvider) -> None:
        """Texts without a field of their own are folded, and the plan says so."""
        plan = provider.plan_invoice(
            rig.draft(
                introduction="Einleitung hier", closing="Schlusswort hier", project_note="Projektnotiz hier",
                order_reference="PO-4711-ABC",
            )
        )  # fmt: skip
        body = plan.body.decode()
        texts = ("Einleitung hier", "Schlusswort hier", "Projektnotiz hier", "PO-4711-ABC")
        assert [text for text in texts if text not in body] == []

    # -- sales --

    def test_an_invoice_that_was_not_sent_is_not_booked(self, rig: Rig, provider: AccountingProvider) -> None:
        """Without a single request."""
        before = rig.calls()
        expected = InvoiceNotSent if provider.capabilities.book_sale else Unsupported
        with pytest.raises(expected):
            provider.book_sale(rig.issued(sent_at=None))
        assert rig.calls() == before

    def test_a_sale_is_booked_once_with_its_pdf(self, rig: Rig, provider: AccountingProvider) -> None:
        """The total is the invoice's, the second call books nothing."""
        if not provider.capabilities.book_sale:
            before = rig.calls()
            with pytest.raises(Unsupported):
                provider.book_sale(rig.issued())
            assert rig.calls() == before
            return
        plan = provider.plan_sale(rig.issued())
        entry = provider.book_sale(rig.issued())
        again = provider.book_sale(rig.issued())
        assert (entry.created, again.created) == (True, False)
        assert entry.id == again.id
        assert entry.invoice_number == "2026-0815"
        assert entry.totals.gross == plan.totals.gross == Decimal("904.40")
        assert entry.has_pdf is provider.capabilities.sale_pdf
        assert rig.sales("2026-0815") == 1

    def test_a_booked_sale_is_found_after_a_restart(self, rig: Rig, provider: AccountingProvider) -> None:
        """Another process without any memory finds the entry by its number."""
        if not provider.capabilities.book_sale:
            pytest.skip("this vendor books no sales")
        entry = provider.book_sale(rig.issued())
        with rig.connect(tenant="another process") as other:
            assert other.book_sale(rig.issued()).id == entry.id
        assert rig.sales("2026-0815") == 1

    @pytest.mark.parametrize("spoil", SPOILS, ids=str)
    def test_a_spoiled_sale_leaves_exactly_one_entry(
        self, rig: Rig, provider: AccountingProvider, spoil: Spoil
    ) -> None:
        """As for invoices."""
        if not provider.capabilities.book_sale:
            pytest.skip("this vendor books no sales")
        provider.ensure_customer(rig.customer())
        rig.spoil("sale", spoil)
        entry = finish(provider, provider.book_sale, rig.issued())
        assert isinstance(entry, SalesEntry)
        assert rig.sales("2026-0815") == 1
        assert provider.book_sale(rig.issued()).id == entry.id
        assert rig.sales("2026-0815") == 1

    def test_an_invoice_of_the_books_is_not_booked_again(self, rig: Rig, provider: AccountingProvider) -> None:
        """An Invoice is in the books already."""
        invoice: Any = provider.create_invoice(rig.draft())
        with pytest.raises(Refused):
            provider.book_sale(invoice)

    # -- the rest --

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


__all__ = ["VendorContract", "finish"]
