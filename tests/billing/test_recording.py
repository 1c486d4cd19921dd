"""What a person says of work that was billed without the ledger, and what the ledger says of each piece of it."""

import asyncio
from contextlib import suppress
from functools import partial

import pytest
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge import billing
from accounting_bridge.timesheet import invoice_drafts
from billing.world import Stepped, World, entry, plan

REFERENCE = "work/10001/2026-10"


@pytest.fixture(params=["sync", "async"])
def world(request):
    """A tracker without a flag: the ledger alone knows what is billed."""
    with asyncio.Runner() as runner, World.open(runner=runner if request.param == "async" else None) as opened:
        opened.marks = False
        opened.track(entry("a"), entry("b", hours=2))
        yield opened


def ids(*keys):
    return tuple(f"fake:time:{key}" for key in keys)


def called(world, name, *given, **more):
    provider, _ = world.process()
    if world.runner is None:
        return getattr(billing, name)(provider, *given, **more)
    return world.runner.run(getattr(billing, f"{name}_async")(provider, *given, **more))


def invoiced(world, *keys, reference=REFERENCE):
    """An invoice that the app made before it had the ledger."""
    work = [world.entries[one] for one in ids(*keys)]
    draft = evolve(invoice_drafts(work, plan()).drafts[0], reference=reference)
    provider, _ = world.process()
    made = provider.create_invoice(draft)
    return made if world.runner is None else world.runner.run(made)


def test_the_way_out_of_an_invoice_that_was_made_without_the_ledger(world):
    invoice = invoiced(world, "a")
    world.clock.sleep(1)
    (problem,) = world.bill().problems
    assert f"record_billed(provider, {REFERENCE!r}" in problem.message
    billed = called(world, "record_billed", REFERENCE, invoice.id, ids("a"))
    assert (billed.reference, billed.invoice_id, billed.work) == (REFERENCE, invoice.id, ids("a"))
    report = world.bill()
    assert [(one.reference, one.work) for one in report.billed] == [(f"{REFERENCE}/2", ids("b"))]
    assert [one.work for one in report.held] == [ids("a")]


def test_it_may_be_said_twice_and_further_work_added(world):
    invoice = invoiced(world, "a", "b", reference="RE-1")
    for _ in range(2):
        called(world, "record_billed", "RE-1", invoice.id, iter([*ids("a"), *ids("a")]))
    called(world, "record_billed", "RE-1", invoice.id, ids("a", "b"))
    (held,) = called(world, "billed_by", ids("a", "b", "free"))
    assert (held.reference, held.invoice_id, held.work) == ("RE-1", invoice.id, ids("a", "b"))
    assert world.bill().billed == ()


def test_an_invoice_that_no_app_made_is_recorded_under_a_reference_of_its_own(world):
    (by_hand,) = (evolve(invoiced(world, "a"), id="invoice-99", reference=None),)
    world.books.invoices = {by_hand.id: by_hand}
    world.books.bodies[by_hand.id] = ""
    world.journal = type(world.journal)()
    called(world, "record_billed", "by-hand-1", by_hand.id, ids("a"))
    assert [one.work for one in world.bill().billed] == [ids("b")]
    # its reference is used up
    other = ab.InvoiceDraft(
        reference="by-hand-1",
        customer=ab.CustomerRef(number="10001"),
        lines=[ab.LineItem(description="x", unit_price=1)],
    )
    provider, _ = world.process()
    with pytest.raises(ab.ReferenceReused):
        provider.create_invoice(other) if world.runner is None else world.runner.run(provider.create_invoice(other))


@pytest.mark.parametrize("own", [True, False], ids=["made by the app", "by hand"])
def test_what_was_recorded_is_given_free_as_anything_else(world, own):
    invoice = invoiced(world, "a", "b", reference="RE-1")
    if not own:
        world.journal = type(world.journal)()
    called(world, "record_billed", "RE-1", invoice.id, ids("a", "b"))
    assert called(world, "release_work", references=["RE-1"]).live == ("RE-1",)
    world.books.invoices[invoice.id] = evolve(invoice, status=ab.InvoiceStatus.VOID)
    assert [one.why for one in called(world, "release_work", references=["RE-1"]).released] == ["voided"]
    assert [one.work for one in world.bill().billed] == [ids("a", "b")]


def test_work_that_another_invoice_has_is_refused_and_all_of_it_named(world):
    world.bill()
    invoice = invoiced(world, "a", reference="RE-1")
    with pytest.raises(ab.InvalidRequest) as refused:
        called(world, "record_billed", "RE-1", invoice.id, [*ids("a", "b"), "app:fee:1"])
    assert f"under reference {REFERENCE!r}: 2 of work: fake:time:a, fake:time:b" in str(refused.value)
    assert called(world, "billed_by", ["app:fee:1"]) == ()


@pytest.mark.parametrize(
    ("reference", "invoice_id", "told"),
    [
        ("RE-9", "invoice-unheard", "no such invoice"), ("RE-9", "void", "voided"), (REFERENCE, "RE-1", "is 'invoice-"),
        ("released", "RE-1", "given free"),
    ],
)  # fmt: skip
def test_what_contradicts_books_or_ledger_is_refused(world, reference, invoice_id, told):
    world.bill()
    void = invoiced(world, "a", reference="void")
    world.books.invoices[void.id] = evolve(void, status=ab.InvoiceStatus.VOID)
    known = {"RE-1": invoiced(world, "a", reference="RE-1").id, "void": void.id}
    old = invoiced(world, "a", reference="released")
    called(world, "record_billed", "released", old.id, ["app:fee:2"])
    called(world, "release_work", references=["released"], anyway=True)
    with pytest.raises(ab.InvalidRequest, match=told):
        called(world, "record_billed", reference, known.get(invoice_id, invoice_id), ["app:fee:1"])
    assert called(world, "billed_by", ["app:fee:1"]) == ()


def test_a_claim_that_nobody_is_at_any_more_is_ended_by_it():
    """The books hold an invoice of another amount under the reference: a person says what it bills."""
    with World.open(marks=False) as world:
        world.track(entry("a"))
        invoice = invoiced(world, "a")
        world.journal = ab.MemoryJournal()
        world.track(entry("b"))
        (problem,) = world.bill().problems
        assert f"record_billed(provider, {REFERENCE!r}, {invoice.id!r}, ids)" in problem.message
        with pytest.raises(ab.Unavailable) as early:
            called(world, "record_billed", REFERENCE, invoice.id, ids("a"))
        world.clock.sleep_until(early.value.retry_at)
        called(world, "record_billed", REFERENCE, invoice.id, ids("a"))
        assert [one.work for one in world.bill().billed] == [ids("b")]
        assert world.billed() == {"a": REFERENCE, "b": f"{REFERENCE}/2"}


def test_an_invoice_that_lost_its_reference_is_recorded_after_too_many_unclear_rounds(monkeypatch):
    from accounting_bridge.vendors.memory import Memory

    with World.open(marks=False) as world:
        world.track(entry("a"))

        async def lost(self, planned):
            raise ab.OutcomeUnknown("the answer was lost")

        with monkeypatch.context() as patch:
            patch.setattr(Memory, "submit_invoice", lost)
            for _ in range(5):
                world.bill()
                world.clock.sleep(1000)
        found = invoiced(world, "a", reference="typed-by-hand")
        called(world, "record_billed", REFERENCE, found.id, ids("a"))
        report = world.bill()
        assert (report.ok, [one.invoice_id for one in report.held]) == (True, [found.id])


def test_work_that_is_given_free_while_it_is_recorded_is_not_kept():
    """Else it would be held for ever by an invoice that does not count."""
    for step in range(1, 30):
        with World.open(marks=False) as world:
            world.track(entry("a"), entry("b"))
            invoice = invoiced(world, "a", "b", reference="RE-1")
            called(world, "record_billed", "RE-1", invoice.id, ids("a"))
            provider, _ = world.process()
            slow = Stepped(partial(ab.record_billed, provider, "RE-1", invoice.id, ids("a", "b"))).take(step)
            came = slow.step is None
            ab.release_work(world.process()[0], references=["RE-1"], anyway=True)
            with suppress(ab.InvalidRequest, ab.Conflict, ab.Unavailable):
                slow.finish()
            held = called(world, "billed_by", ids("a", "b"))
            assert held == (), step
            if came:
                break
    assert step > 3


def test_which_invoice_has_each_piece_of_work(world):
    world.bill()
    world.track(entry("late"))
    world.bill()
    held = called(world, "billed_by", ids("late", "b", "a", "unheard"))
    assert [(one.reference, one.work) for one in held] == [(REFERENCE, ids("b", "a")), (f"{REFERENCE}/2", ids("late"))]
    assert {one.invoice_id for one in held} == set(world.books.invoices)
