"""Whatever people do in the books, wherever runs break off: an app that follows the feed has what the books have."""

from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

import accounting_bridge as ab
from accounting_bridge.vendors.memory import MemoryBooks

NIGHT = datetime(2026, 3, 31, 2, 0, tzinfo=UTC)
WHO = st.integers(0, 7)
WORK = st.tuples(st.sampled_from(["name", "number", "no number", "archive", "restore", "delete", "touch"]), WHO)
NIGHTS = st.lists(
    st.tuples(
        st.lists(WORK, max_size=8),
        st.sampled_from([None, None, 0, 1, 3]),  # after how many customers the vendor breaks off
        st.booleans(),  # a full run
        st.integers(0, 9),  # how many changes the app deals with before the next night
    ),
    max_size=6,
)


class Clock:
    at = NIGHT

    def now(self):
        return self.at

    def monotonic(self):
        return self.at.timestamp()


class BreaksOff:
    """A provider whose list ends in a failure."""

    def __init__(self, provider, after):
        self._provider, self._after = provider, after

    def __getattr__(self, name):
        return getattr(self._provider, name)

    def import_customers(self, *, changed_since=None):
        for _, one in zip(
            range(self._after), self._provider.import_customers(changed_since=changed_since), strict=False
        ):
            yield one
        raise ab.Unavailable("away")


def work(books, at, nights_work, turn):
    for what, who in nights_work:
        known = books.customers.get(f"c{who}") or ab.Customer(id=f"c{who}", number=str(who), name=f"Kunde {who}")
        changes = {"name": {"name": f"Kunde {who}, {turn}"}, "number": {"number": f"{who}{turn}"},
                   "no number": {"number": None}, "archive": {"active": False},
                   "restore": {"active": True}}.get(what, {})  # fmt: skip
        if what == "delete":
            books.customers.pop(f"c{who}", None)
        else:
            books.customers[f"c{who}"] = evolve(known, updated_at=at, **changes)


def hear(store, app, most):
    for _, change in zip(range(most), store.changes("default", "memory"), strict=False):
        assert (change.kind is ab.ChangeKind.CREATED) == (
            change.customer.id not in app
        )  # each once: it never dies here
        app[change.customer.id] = change.customer
        store.acknowledge("default", "memory", change.sequence)


@settings(max_examples=40, deadline=None)
@given(nights=NIGHTS, durable=st.booleans())
def test_an_app_that_follows_the_feed_has_what_the_books_have(nights, durable):
    books, clock, app = MemoryBooks(), Clock(), {}
    with TemporaryDirectory() as folder, ab.connect("memory", {"books": books}) as provider:
        store = ab.SqliteCustomers(f"{folder}/customers.db") if durable else ab.MemoryCustomers()
        for turn, (nights_work, breaks_off, full, heard) in enumerate(nights):
            clock.at += timedelta(hours=12)
            work(books, clock.at, nights_work, turn)
            one = provider if breaks_off is None else BreaksOff(provider, breaks_off)
            try:
                ab.sync_customers(one, store, full=full, clock=clock)
            except ab.Unavailable:
                assert breaks_off is not None
            hear(store, app, heard)
        clock.at += timedelta(days=1)
        reports = [ab.sync_customers(provider, store, full=True, gone_confirmed=8, clock=clock) for _ in range(2)]
        hear(store, app, 10**6)
        there = {one.id: one for one in store.customers("default", "memory")}
    assert reports[1].complete
    assert there == books.customers
    touched = {"updated_at": None}
    shown = {one.id: evolve(one, **touched) for one in app.values() if one.id in there}
    assert shown == {one.id: evolve(one, **touched) for one in books.customers.values()}
    assert {one.active for one in app.values() if one.id not in there} <= {False}
