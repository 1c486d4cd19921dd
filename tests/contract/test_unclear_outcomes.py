"""What may have happened is neither repeated blindly nor forgotten: beyond what the contract suite asks of a vendor."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from sandboxed import CASES, QUICK, VENDORS, Vendor, customer, every_vendor, make_again, serving

import accounting_bridge as ab
from accounting_bridge.sandbox import Fault, VirtualClock

LAG = 200
SETTLES = evolve(QUICK, settle_time=300)
"""On a clock that only the tests turn: however busy the machine is, nothing settles by itself."""
REFERENCE = "2026-03/4711"
NUMBER = "2026-0815"

who_double_numbers = pytest.mark.parametrize(
    "vendor", [name for name in VENDORS if not CASES[name].unique_customer_numbers], indirect=True
)


class Durable(ab.MemoryJournal):
    """Says of itself that it forgets nothing."""

    durable = True


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries happen, and soon."""
    monkeypatch.setattr("accounting_bridge._policy._FIRST_BACKOFF", 0.01)


@pytest.fixture
def clock() -> VirtualClock:
    """Of the vendor and of everybody who is connected to it."""
    return VirtualClock()


@pytest.fixture
def vendor(request: pytest.FixtureRequest, clock: VirtualClock) -> Iterator[Vendor]:
    """Its lists show a new document only after a while."""
    with serving(request.param, index_lag=LAG, clock=clock) as found:
        yield found


@pytest.fixture
def provider(vendor: Vendor, clock: VirtualClock) -> Iterator[ab.AccountingProvider]:
    with vendor.connect(SETTLES) as provider:
        known(provider, clock)
        yield provider


def known(provider: ab.AccountingProvider, clock: VirtualClock, number: str = "4711") -> ab.Customer:
    """The customer, made, and shown by the vendor's lists."""
    try:
        return provider.ensure_customer(customer(number)).customer
    except ab.OutcomeUnknown as unclear:  # an answer without an id, while the list lags
        until(unclear, clock)
        return provider.ensure_customer(customer(number)).customer
    finally:
        clock.sleep(LAG)


def until(error: BaseException, clock: VirtualClock) -> None:
    """Wait for ``retry_at``, as an app would."""
    assert isinstance(error, ab.OutcomeUnknown)
    assert error.retry_at is not None
    assert error.retry_at - clock.now() <= timedelta(seconds=300)
    clock.sleep_until(error.retry_at)


# ---- the index lags --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["drop", "status", "truncate", "html"])
@every_vendor
def test_a_document_that_the_index_does_not_show_yet_is_found_once_it_has_settled(
    vendor: Vendor, provider: ab.AccountingProvider, lost: Any, clock: VirtualClock
) -> None:
    """It is there, the answer is not, and a look right after finds nothing: that proves nothing."""
    status = 200 if lost == "html" else 504
    vendor.box.faults.add(Fault(lost, when="after", match=vendor.paths.new_invoice, status=status))
    with pytest.raises(ab.OutcomeUnknown) as first:
        provider.create_invoice(vendor.draft())
    assert vendor.references(REFERENCE) == 1
    with pytest.raises(ab.OutcomeUnknown) as second:
        provider.create_invoice(vendor.draft())
    assert first.value.retry_at is not None
    assert second.value.retry_at is not None
    assert abs(second.value.retry_at - first.value.retry_at).total_seconds() < 0.01
    until(second.value, clock)
    found = provider.create_invoice(vendor.draft())
    assert (vendor.references(REFERENCE), found.created) == (1, False)
    assert provider.create_invoice(vendor.draft()).id == found.id
    assert vendor.references(REFERENCE) == 1


@every_vendor
def test_a_sale_that_the_index_does_not_show_yet_is_found_once_it_has_settled(
    vendor: Vendor, provider: ab.AccountingProvider, clock: VirtualClock
) -> None:
    vendor.box.faults.add(Fault("drop", when="after", match=vendor.paths.new_sale))
    with pytest.raises(ab.OutcomeUnknown) as caught:
        provider.book_sale(vendor.issued())
    until(caught.value, clock)
    entry = provider.book_sale(vendor.issued())
    assert (vendor.sales(NUMBER), entry.created, entry.has_pdf) == (1, False, True)


@pytest.mark.parametrize("when", ["before", "after"])
@every_vendor
def test_who_waits_to_settle_gets_the_document_from_the_same_call(
    vendor: Vendor, when: Any, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounting_bridge.session.time", clock)  # to sleep is to turn it
    with vendor.connect(evolve(SETTLES, wait_to_settle=True)) as provider:
        known(provider, clock)
        vendor.box.faults.add(Fault("drop", when=when, match=vendor.paths.new_invoice))
        assert provider.create_invoice(vendor.draft()).created
    assert vendor.references(REFERENCE) == 1


# ---- a refusal that proves nothing -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
@every_vendor
def test_a_page_that_refuses_what_was_carried_out_frees_nothing(
    vendor: Vendor, status: int, clock: VirtualClock
) -> None:
    """What stands before the vendor may refuse after the vendor has done it; the journal knows, so nobody looks."""
    with vendor.connect(SETTLES, journal=Durable(), tenant="tests") as provider:
        known(provider, clock)
        for call, path in (
            (lambda: provider.create_invoice(vendor.draft()), vendor.paths.new_invoice),
            (lambda: provider.book_sale(vendor.issued()), vendor.paths.new_sale),
        ):
            clock.sleep(LAG)
            vendor.box.faults.add(Fault("html", when="after", match=path, status=status))
            with pytest.raises(ab.OutcomeUnknown) as caught:
                call()
            until(caught.value, clock)
            assert not call().created
    assert (vendor.references(REFERENCE), vendor.sales(NUMBER)) == (1, 1)


@every_vendor
def test_a_page_that_says_there_is_no_such_invoice_proves_nothing(
    vendor: Vendor, provider: ab.AccountingProvider
) -> None:
    """Whoever were told that it is gone would make it once more."""
    made = provider.create_invoice(vendor.draft())
    vendor.box.faults.add(Fault("html", status=404, match=vendor.paths.invoices, times=9))
    with pytest.raises(ab.Unavailable):
        provider.create_invoice(vendor.draft())
    vendor.box.faults.clear()
    assert provider.create_invoice(vendor.draft()).id == made.id


# ---- the vendor commits late -----------------------------------------------------------------------------------


@every_vendor
def test_a_commit_that_is_later_than_the_time_out_is_found_in_the_end(vendor: Vendor, clock: VirtualClock) -> None:
    """The request was given up and carried out all the same; nothing is sent a second time before it has settled."""
    with vendor.connect(SETTLES) as provider:
        known(provider, clock)
    with vendor.connect(evolve(SETTLES, timeout=1.0)) as provider:
        vendor.box.faults.add(Fault("late", seconds=70, match=vendor.paths.new_invoice))
        with pytest.raises(ab.OutcomeUnknown) as caught:
            provider.create_invoice(vendor.draft())
        assert vendor.references(REFERENCE) == 0
        with pytest.raises(ab.OutcomeUnknown):
            provider.create_invoice(vendor.draft())
        given_up = time.monotonic() + 60
        while not vendor.box.faults.fired and time.monotonic() < given_up:  # it may be slow to arrive
            time.sleep(0.01)
        until(caught.value, clock)
        invoice = provider.create_invoice(vendor.draft())
    assert (vendor.references(REFERENCE), invoice.created) == (1, False)


@every_vendor
def test_a_commit_that_never_came_is_sent_again_after_it_has_settled(
    vendor: Vendor, provider: ab.AccountingProvider, clock: VirtualClock
) -> None:
    vendor.box.faults.add(Fault("drop", when="before", match=vendor.paths.new_invoice))
    with pytest.raises(ab.OutcomeUnknown) as caught:
        provider.create_invoice(vendor.draft())
    until(caught.value, clock)
    assert provider.create_invoice(vendor.draft()).created
    assert vendor.references(REFERENCE) == 1


@every_vendor
def test_after_three_unclear_rounds_a_person_must_look(
    vendor: Vendor, provider: ab.AccountingProvider, clock: VirtualClock
) -> None:
    vendor.box.faults.add(Fault("drop", when="before", match=vendor.paths.new_invoice, times=9))
    for _ in range(3):
        with pytest.raises(ab.OutcomeUnknown) as caught:
            provider.create_invoice(vendor.draft())
        until(caught.value, clock)
    with pytest.raises(ab.NeedsAttention) as given_up:
        provider.create_invoice(vendor.draft())
    assert type(given_up.value) is ab.NeedsAttention
    assert sum(call.fault == "drop" for call in vendor.box.log) == 3


# ---- two at once -----------------------------------------------------------------------------------------------


@every_vendor
def test_two_processes_that_come_one_after_the_other_share_one_document(vendor: Vendor, clock: VirtualClock) -> None:
    """Each has a memory of its own: the second one looks, and finds."""
    with vendor.connect(SETTLES) as first, vendor.connect(SETTLES) as second:
        known(first, clock)
        made = first.create_invoice(vendor.draft())
        booked = first.book_sale(vendor.issued())
        clock.sleep(LAG)
        assert second.create_invoice(vendor.draft()).id == made.id
        assert second.book_sale(vendor.issued()).id == booked.id
    assert (vendor.references(REFERENCE), vendor.sales(NUMBER)) == (1, 1)


@every_vendor
def test_two_processes_that_race_are_found_out_if_both_win(vendor: Vendor, clock: VirtualClock) -> None:
    """Without a shared journal nothing can keep them apart; what comes of it is said, and never a third one made."""
    with vendor.connect(SETTLES) as first, vendor.connect(SETTLES) as second:
        known(first, clock)
        with ThreadPoolExecutor(2) as pool:
            made = list(pool.map(lambda provider: provider.create_invoice(vendor.draft()), (first, second)))
        count = vendor.references(REFERENCE)
        assert count == len({invoice.id for invoice in made})
        clock.sleep(LAG)
        with vendor.connect(SETTLES) as third:
            if count == 1:
                assert third.create_invoice(vendor.draft()).id == made[0].id
            else:
                with pytest.raises(ab.DuplicateFound) as caught:
                    third.create_invoice(vendor.draft())
                assert sorted(caught.value.ids) == sorted(invoice.id for invoice in made)
    assert vendor.references(REFERENCE) == count


@every_vendor
def test_two_connections_with_one_journal_never_both_win(vendor: Vendor, clock: VirtualClock) -> None:
    journal = ab.MemoryJournal()
    with (
        vendor.connect(SETTLES, journal=journal, tenant="tests") as first,
        vendor.connect(SETTLES, journal=journal, tenant="tests") as second,
    ):
        known(first, clock)
        with ThreadPoolExecutor(6) as pool:
            made = list(pool.map(lambda provider: provider.create_invoice(vendor.draft()), (first, second) * 3))
    assert len({invoice.id for invoice in made}) == 1
    assert sum(invoice.created for invoice in made) == 1
    assert vendor.references(REFERENCE) == 1


# ---- two of them in the books ----------------------------------------------------------------------------------


@every_vendor
def test_two_invoices_with_one_reference_are_found_by_whoever_looks(
    vendor: Vendor, provider: ab.AccountingProvider, clock: VirtualClock
) -> None:
    """Never guessed which one is meant, and never a third one made."""
    made = provider.create_invoice(vendor.draft())
    make_again(vendor, vendor.paths.new_invoice)
    clock.sleep(LAG)
    with vendor.connect(SETTLES) as other, pytest.raises(ab.DuplicateFound) as caught:
        other.create_invoice(vendor.draft())
    assert len(caught.value.ids) == 2
    assert made.id in caught.value.ids
    assert vendor.references(REFERENCE) == 2
    assert provider.create_invoice(vendor.draft()).id == made.id  # whoever made it knows which one it was


@every_vendor
def test_two_invoices_after_a_lost_answer_are_found(
    vendor: Vendor, provider: ab.AccountingProvider, clock: VirtualClock
) -> None:
    vendor.box.faults.add(Fault("drop", when="after", match=vendor.paths.new_invoice))
    with pytest.raises(ab.OutcomeUnknown) as caught:
        provider.create_invoice(vendor.draft())
    make_again(vendor, vendor.paths.new_invoice)
    until(caught.value, clock)
    for _ in range(2):
        with pytest.raises(ab.DuplicateFound) as found:
            provider.create_invoice(vendor.draft())
        assert len(found.value.ids) == 2
    assert vendor.references(REFERENCE) == 2


@every_vendor
def test_two_sales_with_one_number_are_found_by_whoever_looks(
    vendor: Vendor, provider: ab.AccountingProvider, clock: VirtualClock
) -> None:
    provider.book_sale(vendor.issued())
    make_again(vendor, vendor.paths.new_sale)
    clock.sleep(LAG)
    with vendor.connect(SETTLES) as other, pytest.raises(ab.DuplicateFound):
        other.book_sale(vendor.issued())
    assert vendor.sales(NUMBER) == 2


@who_double_numbers
def test_two_customers_with_one_number_are_found_by_whoever_looks(
    vendor: Vendor, provider: ab.AccountingProvider, clock: VirtualClock
) -> None:
    with vendor.connect(SETTLES) as other:
        other.create_invoice(vendor.draft())
    make_again(vendor, vendor.paths.new_customer)
    clock.sleep(LAG)
    with vendor.connect(SETTLES) as other, pytest.raises(ab.DuplicateFound):
        other.create_invoice(vendor.draft("another"))
    assert vendor.references("another") == 0


# ---- other totals than predicted -------------------------------------------------------------------------------


def other_totals(vendor: Vendor, gross: str) -> Callable[[Any], Any]:
    return lambda body: vendor.with_gross(body, gross)


@pytest.mark.parametrize("final", [False, True])
@every_vendor
def test_other_totals_are_raised_with_both_and_with_what_was_made(
    vendor: Vendor, provider: ab.AccountingProvider, final: bool
) -> None:
    """lexoffice makes it final at once; the others compare the draft before it is completed."""
    at_creation = provider.capabilities.finalize is ab.Finalize.AT_CREATION
    vendor.box.mutate(vendor.paths.invoices, other_totals(vendor, "900"))
    plan = provider.plan_invoice(vendor.draft())
    with pytest.raises(ab.TotalsDiffer) as caught:
        provider.create_invoice(vendor.draft(), finalize=final)
    error = caught.value
    assert isinstance(error.made, ab.Invoice)
    assert (error.made.reference, error.final) == (REFERENCE, final and at_creation)
    assert (error.predicted, error.booked.gross) == (plan.totals, Decimal(900))
    assert error.vendor == vendor.name
    assert "900" in str(error)
    assert [vendor.is_draft(invoice) for invoice in vendor.box.invoices] == [not (final and at_creation)]


@every_vendor
def test_one_cent_is_raised_where_the_rounding_is_known_and_noted_where_it_is_assumed(
    vendor: Vendor, provider: ab.AccountingProvider
) -> None:
    predicted = vendor.gross()
    booked = predicted + Decimal("0.01")
    vendor.box.mutate(vendor.paths.invoices, other_totals(vendor, str(booked)))
    assumed = provider.plan_invoice(vendor.draft()).tolerance > 0
    if not assumed:
        with pytest.raises(ab.TotalsDiffer):
            provider.create_invoice(vendor.draft())
    else:
        invoice = provider.create_invoice(vendor.draft())
        assert any(str(booked) in note and str(predicted) in note for note in invoice.notes)


@every_vendor
def test_a_sale_with_other_totals_is_raised_with_both(vendor: Vendor, provider: ab.AccountingProvider) -> None:
    """A mirror among the invoices is a draft then, and is not completed, now or by the next call."""
    plan = provider.plan_sale(vendor.issued())
    vendor.box.mutate(vendor.paths.sales, other_totals(vendor, "1"))
    with pytest.raises(ab.TotalsDiffer) as caught:
        provider.book_sale(vendor.issued())
    error = caught.value
    assert isinstance(error.made, ab.SalesEntry)
    assert (error.predicted, error.booked.gross) == (plan.totals, Decimal(1))
    assert error.final is not vendor.mirrors_sales
    assert vendor.sales(NUMBER) == 1
    if vendor.mirrors_sales:
        with pytest.raises(ab.TotalsDiffer):
            provider.book_sale(vendor.issued())
        assert [vendor.is_draft(invoice) for invoice in vendor.box.invoices] == [True]


# ---- one reference, two customers ------------------------------------------------------------------------------


@every_vendor
def test_another_customers_invoice_of_the_same_reference_is_not_taken_for_ours(
    vendor: Vendor, provider: ab.AccountingProvider, clock: VirtualClock
) -> None:
    """Of a connection without memory: it looks among the invoices of this customer only."""
    theirs = provider.create_invoice(vendor.draft())
    clock.sleep(LAG)
    with vendor.connect(SETTLES, tenant="another") as other:
        known(other, clock, "4712")
        ours = other.create_invoice(vendor.draft(customer=customer("4712")))
    assert (ours.created, ours.id != theirs.id, ours.customer_id != theirs.customer_id) == (True, True, True)
    assert vendor.references(REFERENCE) == 2


@every_vendor
def test_another_customers_sale_of_the_same_number_is_not_taken_for_ours(
    vendor: Vendor, provider: ab.AccountingProvider, clock: VirtualClock
) -> None:
    """Whether it is refused or booked for this customer: the other one's entry is neither adopted nor changed."""
    theirs = provider.book_sale(vendor.issued())
    clock.sleep(LAG)
    with vendor.connect(SETTLES, tenant="another") as other:
        known(other, clock, "4712")
        (outcome,) = other.book_sales([vendor.issued(customer=customer("4712"), pdf=None)])
    if outcome.error is None:
        assert isinstance(outcome.result, ab.SalesEntry)
        assert (outcome.result.created, outcome.result.id != theirs.id) == (True, True)
    else:
        assert isinstance(outcome.error, ab.Conflict)
        assert vendor.sales(NUMBER) == 1


@every_vendor
def test_a_sale_that_tells_whose_it_is_tells_the_right_one(
    vendor: Vendor, provider: ab.AccountingProvider, clock: VirtualClock
) -> None:
    entry = provider.book_sale(vendor.issued())
    assert entry.customer_id in {None, known(provider, clock).id}


def test_the_settle_time_outlasts_the_lag() -> None:
    """Else the tests above would prove nothing."""
    assert SETTLES.settle_time is not None
    assert SETTLES.settle_time > LAG


# ---- closed a moment ago ---------------------------------------------------------------------------------------


def test_a_month_that_was_closed_a_moment_ago_leaves_no_draft_behind(clock: VirtualClock) -> None:
    """Visma: the company's settings are kept for a quarter of an hour, and asked anew for an invoice that is final."""
    with serving("visma", clock=clock) as vendor, vendor.connect(SETTLES) as provider:
        known(provider, clock)
        provider.plan_invoice(vendor.draft(), finalize=True)
        vendor.box.lock_until(clock.now().date())
        with pytest.raises(ab.PeriodClosed):
            provider.create_invoice(vendor.draft(), finalize=True)
        assert vendor.references(REFERENCE) == 0
