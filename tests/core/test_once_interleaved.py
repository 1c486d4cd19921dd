"""Create once under every order of two callers, and under thousands of seeded schedules of faults."""

from random import Random

import pytest
from tests.core.once_world import SETTLE, World

from accounting_bridge.errors import DuplicateFound, InvalidRequest, NeedsAttention, OutcomeUnknown, Unavailable
from accounting_bridge.journal.port import State
from accounting_bridge.once import How

FAULTS = [
    "none", "lost before commit", "lost after commit", "lost, committed late, found later still", "refused",
    "not executed",
]  # fmt: skip


def order(bits):
    """Choose by the bits of a number, then in turn."""
    left = [bits]

    def choose(count):
        bit = left[0] & 1
        left[0] >>= 1
        return bit % count

    return choose


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
def test_in_every_order_of_two_callers_there_is_at_most_one_document(durable, fault):
    for bits in range(1 << 9):
        world = World(durable=durable)
        world.vendor.faults = [] if fault == "none" else [fault]
        callers = [world.call(), world.call()]
        world.run(callers, order(bits))
        assert len(world.vendor.documents) <= 1, bits
        finally_one(world, bits)
        made = [caller.result for caller in callers if isinstance(caller.result, tuple)]
        assert {name for name, _ in made} <= {"doc-1"}, bits
        assert [how for _, how in made].count(How.MADE) <= 1, bits


def finally_one(world, seed):
    """Callers that do as they are told have one document in the end."""
    for _ in range(10):
        try:
            name, _ = world.create()
        except OutcomeUnknown as unclear:
            world.clock.seconds = max(world.clock.seconds, (unclear.retry_at - world.clock.start).total_seconds())
        except (Unavailable, InvalidRequest):
            world.clock.seconds += 1
        else:
            assert [document[2] for document in world.vendor.documents] == [name], seed
            assert (world.row().state, world.row().remote_id) == (State.CONFIRMED, name), seed
            return
    raise AssertionError(f"never came to an end: {seed}")


def play(seed, durable):
    """Some callers come and go, answers get lost, processes die; then somebody sees it through."""
    chance = Random(seed)
    world = World(durable=durable)
    dies = durable and chance.random() < 0.4
    # One unclear round less than those after which a person must look.
    world.vendor.faults = [chance.choice(FAULTS) for _ in range(chance.randrange(2 if dies else 3))]
    callers = []
    for _ in range(chance.randint(2, 3)):
        caller = world.call()
        caller.due = chance.choice([0.0, 0.0, 1.0, 4.0, 20.0, SETTLE + 5])
        callers.append(caller)
    if dies:
        victim = callers.pop()
        for _ in range(chance.randint(1, 9)):
            if not victim.done:
                world.clock.seconds = max(world.clock.seconds, victim.due)
                world.step(victim)
        victim.flow.close()
    world.run(callers, chance.randrange)
    return world


@pytest.mark.parametrize("durable", [True, False])
def test_over_thousands_of_seeded_schedules_nothing_is_lost_and_nothing_doubled(durable):
    for seed in range(2000):
        world = play(seed, durable)
        assert len(world.vendor.documents) <= 1, seed
        finally_one(world, seed)
        assert len(world.vendor.documents) == 1, seed


def test_the_world_is_harsh_enough_to_double_what_does_not_wait():
    """The same schedules with a settle time of nothing: the faults bite."""
    from accounting_bridge.once import Patience

    impatient, doubled = Patience(settle=0.0, wait_to_settle=False, deadline=6.0), 0
    for seed in range(300):
        world = World()
        world.vendor.faults = [Random(seed).choice(FAULTS)]
        for _ in range(5):
            caller = world.call(impatient)
            world.run([caller])
            if not isinstance(caller.result, OutcomeUnknown | Unavailable | InvalidRequest):
                break
            world.clock.seconds += 1
        doubled += len(world.vendor.documents) > 1
        assert not isinstance(caller.result, NeedsAttention | DuplicateFound)
    assert doubled > 20
