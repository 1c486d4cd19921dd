"""Seeded schedules of several workers who bill, release, heal and record at once, step by step in any order, after
others who died; people void invoices meanwhile. In the end each entry is on one live invoice, and marked."""

from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
from attrs import evolve

import accounting_bridge as ab
from billing.test_kills import finish
from billing.world import Killed, Life, Stepped, World, entry, plan

pytestmark = pytest.mark.usefixtures("unmeasured")

PLANS = (
    plan(), plan(), plan(payment_terms_days=7), plan(per="project"), plan(reference="{customer}/other"),
    plan(per="project", payment_terms_days=7),
)  # fmt: skip


class Schedule:
    def __init__(self, seed, world):
        self.chance, self.world = Random(seed), world
        self.voided = set()

    def play(self):
        chance, world = self.chance, self.world
        for number in range(chance.randrange(2, 6)):
            world.track(
                entry(f"e{number}", customer=chance.choice(("10001", "10002")), project=chance.choice(("Web", None)))
            )
        kinds = chance.choice((self.after_a_claim, self.after_an_outage, self.after_deaths))()
        workers = [Stepped(self.call(chance.choice(kinds))) for _ in range(3)]
        for _ in range(40):
            if workers:
                one = chance.choice(workers)
                one.take(chance.choice((1, 1, 2, 4)))
                if one.step is None:
                    workers.remove(one)
            if len(workers) < 3 and chance.random() < 0.3:
                workers.append(Stepped(self.call(chance.choice(kinds))))
            if chance.random() < 0.05:
                self.person()
        for one in workers:
            one.finish()

    def after_a_claim(self):
        """A worker died right after its claims, and all want what it had."""
        life = Life()
        run = Stepped(self.call("bill", life))
        while not self.world.rows("billing") and run.step is not None:
            run.take()
        life.dead = True
        with suppress(Killed):
            run.finish()
        self.world.clock.sleep(1000)
        if self.chance.random() < 0.5:
            self.edit()
        return ("bill", "bill", "bill", "heal")

    def after_an_outage(self):
        """Billed, but not marked, or not all of it; then voided."""
        refused = self.chance.sample(sorted(self.world.entries), 2)
        self.world.refuses.update((one, ab.Unavailable("the tracker is down")) for one in refused)
        self.call("bill")()
        self.world.refuses.clear()
        for _ in range(3):
            self.void()
        return ("bill", "release", "heal")

    def after_deaths(self):
        for _ in range(self.chance.randrange(0, 4)):
            self.die()
        self.world.clock.sleep(self.chance.choice((0, 5, 1000)))
        return ("bill", "bill", "release", "heal")

    def die(self):
        """A worker that died, an hour ago or just now."""
        life = Life(die_at=self.chance.randrange(3, 40))
        with suppress(Killed):
            self.call(self.chance.choice(("bill", "bill", "release", "heal")), life)()
        self.world.clock.sleep(self.chance.choice((0, 5, 400)))
        self.person()

    def call(self, kind, life=None):
        provider, tracker = self.world.process(life)
        if kind == "release":
            references = sorted(self.voided) or ["nothing"]
            return lambda: ab.release_work(provider, references=references, source=tracker)
        if kind == "heal":
            return lambda: ab.heal_billing(provider, source=tracker)
        given = self.chance.choice(PLANS)
        return lambda: ab.bill(tracker, provider, given)

    def person(self):
        self.chance.choice((self.void, self.edit))()

    def void(self):
        """Somebody voids an invoice that is noted."""
        confirmed = [one for one, row in self.world.rows("billing").items() if row.state == "confirmed"]
        live = [one for one in self.world.books.invoices.values() if one.status is not ab.InvoiceStatus.VOID]
        if mine := [one.reference for one in live if one.reference in confirmed]:
            reference = self.chance.choice(mine)
            self.voided.add(reference)
            self.world.void(reference)

    def edit(self):
        one = self.chance.choice(list(self.world.entries.values()))
        self.world.track(evolve(one, duration=timedelta(hours=self.chance.randrange(1, 9))))

    def end(self):
        """What schedulers do all night."""
        world = self.world
        for _ in range(8):
            world.clock.sleep(1000)
            if self.voided:
                report = world.release(references=sorted(self.voided))
                if report.problems:
                    continue
            world.heal()
            report = world.bill()
            if report.ok:
                break
        finish(world)


@pytest.mark.parametrize("seeds", [range(150), range(150, 300)], ids=["first", "second"])
def test_nothing_is_billed_twice_and_nothing_is_lost(seeds):
    for seed in seeds:
        with World.open() as world:
            schedule = Schedule(seed, world)
            schedule.play()
            schedule.end()
            keys = {one.note.strip("<>") for one in world.entries.values()}
            assert set(world.billed()) == keys, (seed, world.told)
            assert world.marked() == keys, (seed, world.told)
            for reference in schedule.voided:
                assert world.rows("release")[reference].state == "confirmed", seed
