"""The contract that every customer store passes: subclass :class:`CustomerStoreContract`, supply ``open_store``.

What only real processes can show (``kill -9``) the package's own tests show for its stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from attrs import evolve

from ..errors import DuplicateFound, InvalidRequest, Unavailable
from ..flow import Drift
from ..models import Address, Contact, Customer
from ..sync.port import Change, ChangeKind, CustomerStore, Entry, Known, Run, SyncProgress

OpenStore: TypeAlias = Callable[[], CustomerStore]

PLACE = ("tenant-1", "toy")
_NIGHT = datetime(2026, 3, 31, 2, 0, tzinfo=UTC)
_LEASE = timedelta(minutes=2)
_CREATED = Change(ChangeKind.CREATED)
FULL = Customer(
    id="7", number="10001", name="Musterwerk „Ähre“ GmbH ☃", is_person=True, first_name="Eva", last_name="Beispiel",
    address=Address(
        street="Beispielweg", house_number="7", addition="Hof", postal_code="10115", city="Berlin", country_code="DE"
    ),
    email="rechnung@musterwerk.example", phone="+49 30 000000", website="https://musterwerk.example",
    vat_number="DE123456789", registration_number="HRB 1", iban="DE02120300000000202051", bic="BYLADEM1001",
    payment_terms_days=0, currency="EUR", language="de", active=False,
    updated_at=datetime(2026, 3, 30, 12, 0, 0, 123456, tzinfo=UTC).astimezone(),
    contacts=[Contact(first_name="Jan", email="jan@musterwerk.example"), Contact(phone="1")],
)  # fmt: skip


def customer(number: int, **changes: Any) -> Customer:
    """An invented customer, whose id is as wide as its number."""
    return Customer(id=f"id-{number:05}", number=str(number), name=f"Voorbeeld {number} BV", **changes)


def begin(store: CustomerStore, place: tuple[str, str] = PLACE, *, minutes: int = 0) -> Run:
    """A run that began so long after two at night."""
    at = _NIGHT + timedelta(minutes=minutes)
    return store.begin(*place, at=at, until=at + _LEASE)


def apply(store: CustomerStore, run: Run, entries: Iterable[Entry], *, minutes: int = 0) -> None:
    """Store one batch."""
    at = _NIGHT + timedelta(minutes=minutes)
    store.apply(run, list(entries), at=at, until=at + _LEASE)


def finish(store: CustomerStore, run: Run, **progress: Any) -> None:
    """End a run that was complete."""
    store.record(run, SyncProgress(**progress))
    store.finish(run)


def created(*customers: Customer) -> list[Entry]:
    """Entries of customers that were not there before."""
    return [Entry(Known(one), _CREATED) for one in customers]


class CustomerStoreContract:
    """Subclass this in a test module, once a store."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        """Opens the same, at first empty place each time it is called within a test: override this."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, open_store: OpenStore) -> CustomerStore:
        """The store under test."""
        return open_store()

    # -- the app's side --

    def test_an_empty_store_says_so_without_an_error(self, store: CustomerStore) -> None:
        """Nothing, in every form."""
        assert store.get(*PLACE, "7") is None
        assert store.find(*PLACE, "10001") is None
        assert list(store.customers(*PLACE)) == []
        assert list(store.changes(*PLACE)) == []
        assert store.acknowledge(*PLACE, 99) == 0
        assert store.progress(*PLACE) is None
        assert store.erase(PLACE[0]) == 0

    def test_every_field_comes_back_as_it_was(self, store: CustomerStore) -> None:
        """By id, by number, in the list, in the feed and to the next run."""
        poor = Customer(id="8", name="Nur ein Name")
        run = begin(store)
        apply(store, run, created(FULL, poor))
        assert store.get(*PLACE, "7") == FULL
        assert store.get(*PLACE, "8") == poor
        assert store.find(*PLACE, "10001") == FULL
        assert list(store.customers(*PLACE)) == [FULL, poor]
        assert [change.customer for change in store.changes(*PLACE)] == [FULL, poor]
        assert store.known(run, ["7", "8", "9"]) == {"7": Known(FULL), "8": Known(poor)}

    def test_a_number_is_compared_exactly(self, store: CustomerStore) -> None:
        """Neither case nor blanks nor leading zeros are passed over."""
        apply(store, begin(store), created(evolve(FULL, number="K1")))
        assert [store.find(*PLACE, number) for number in ("k1", "K1 ", "0K1", "", "K%")] == [None] * 5

    def test_a_number_of_several_is_not_guessed_about(self, store: CustomerStore) -> None:
        """The error names them."""
        apply(store, begin(store), created(customer(1), evolve(customer(2), number="1")))
        with pytest.raises(DuplicateFound) as caught:
            store.find(*PLACE, "1")
        assert caught.value.ids == ("id-00001", "id-00002")

    def test_who_is_gone_is_known_by_id_only(self, store: CustomerStore) -> None:
        """As an inactive customer; its number is free for somebody else."""
        run = begin(store)
        gone = Entry(Known(customer(1), gone=True), Change(ChangeKind.DEACTIVATED))
        apply(store, run, [*created(customer(1), evolve(customer(2), number="1")), gone])
        assert store.get(*PLACE, "id-00001") == customer(1, active=False)
        assert store.find(*PLACE, "1") == evolve(customer(2), number="1")
        assert [one.id for one in store.customers(*PLACE)] == ["id-00002"]
        assert store.known(run, ["id-00001"]) == {"id-00001": Known(customer(1), gone=True)}

    def test_places_are_kept_apart(self, store: CustomerStore) -> None:
        """No two are mixed up, however alike their names are."""
        places = [
            ("a", "bc"), ("ab", "c"), ("A", "bc"), ("a ", "bc"), ("", "abc"), ("a", "b"), ("b", "a"),
            ("a\x00b", "c"), ("ä", "c"), ("a%", "bc"), ("a/../b", "c"), ("a\nb", "c"),
        ]  # fmt: skip
        for number, place in enumerate(places):
            run = begin(store, place)
            apply(store, run, created(evolve(FULL, name=f"Kunde {number}")))
            finish(store, run, company=f"Firma {number}")
        names = [f"Kunde {number}" for number in range(len(places))]
        assert [[one.name for one in store.customers(*place)] for place in places] == [[name] for name in names]
        assert [[one.customer.name for one in store.changes(*place)] for place in places] == [[n] for n in names]
        assert [getattr(store.find(*place, "10001"), "name", None) for place in places] == names
        assert [p.company for place in places if (p := store.progress(*place))] == [f"Firma {n}" for n in range(12)]

    def test_another_opening_sees_it(self, open_store: OpenStore) -> None:
        """What was stored outlives the object that stored it."""
        one, other = open_store(), open_store()
        run = begin(one)
        apply(one, run, created(FULL))
        assert other.get(*PLACE, "7") == FULL
        apply(other, run, [Entry(Known(evolve(FULL, name="Neu GmbH")))])
        assert getattr(one.find(*PLACE, "10001"), "name", None) == "Neu GmbH"

    def test_many_are_listed_once_and_in_order(self, store: CustomerStore) -> None:
        """More than fit on a page of any store; those who wrote meanwhile do no harm."""
        run, wanted = begin(store), [customer(number) for number in range(450)]
        apply(store, run, created(*reversed(wanted)))
        listed = store.customers(*PLACE)
        first = next(listed)
        apply(store, run, [Entry(Known(wanted[0]))])
        assert [first, *listed] == wanted

    def test_what_cannot_be_kept_is_named(self, store: CustomerStore) -> None:
        """Half a character has no bytes, and what is no text is a mistake."""
        half: Any = "a\ud800"
        calls: list[Callable[[], object]] = [
            lambda: store.get(half, half, half),
            lambda: store.find(half, half, half),
            lambda: list(store.customers(half, half)),
            lambda: list(store.changes(half, half)),
            lambda: store.acknowledge(half, half, 1),
            lambda: store.progress(half, half),
            lambda: store.forget(half, half, half),
            lambda: store.erase(half),
            lambda: begin(store, (half, half)),
        ]
        for call in calls:
            with pytest.raises(InvalidRequest, match="half a character"):
                call()
        wrong: Any = 7
        with pytest.raises(InvalidRequest, match="customer_id: must be str, not int"):
            store.get(*PLACE, wrong)
        wrong = Entry(Known(FULL))
        with pytest.raises(InvalidRequest, match="through: must be a change's sequence"):
            store.acknowledge(*PLACE, wrong)

    # -- the feed --

    def test_changes_come_in_order_until_they_are_acknowledged(self, store: CustomerStore) -> None:
        """Again and again; acknowledging drops those up to one, and no others."""
        run, everyone = begin(store), [customer(number) for number in range(450)]
        apply(store, run, created(*everyone))
        heard = list(store.changes(*PLACE))
        assert [change.customer for change in heard] == everyone
        assert [change.sequence for change in heard] == sorted({change.sequence for change in heard})
        assert list(store.changes(*PLACE)) == heard
        assert list(store.changes(*PLACE, after=heard[9].sequence)) == heard[10:]
        assert store.acknowledge(*PLACE, heard[9].sequence) == 10
        assert store.acknowledge(*PLACE, heard[9].sequence) == 0
        assert list(store.changes(*PLACE)) == heard[10:]

    def test_a_change_tells_what_it_was_given(self, store: CustomerStore) -> None:
        """And when it was seen; its repr shows nothing of the customer."""
        run = begin(store)
        told = Change(ChangeKind.UPDATED, ("name", "number"), "9")
        apply(store, run, [Entry(Known(FULL), told)], minutes=1)
        (change,) = store.changes(*PLACE)
        assert (change.tenant, change.vendor, change.kind) == (*PLACE, ChangeKind.UPDATED)
        assert (change.fields, change.number_before, change.gone) == (("name", "number"), "9", False)
        assert change.at == _NIGHT + timedelta(minutes=1)
        assert "Musterwerk" not in repr(change)
        assert "10001" not in repr(change)

    def test_a_change_shows_the_customer_as_it_is_now(self, store: CustomerStore) -> None:
        """Never older than the change: an app that writes it down cannot go back in time."""
        run = begin(store)
        apply(store, run, created(FULL))
        (first,) = store.changes(*PLACE)
        apply(store, run, [Entry(Known(evolve(FULL, name="Neu GmbH")), Change(ChangeKind.UPDATED, ("name",)))])
        assert [change.customer.name for change in store.changes(*PLACE)] == ["Neu GmbH"] * 2
        apply(store, run, [Entry(Known(FULL, gone=True), Change(ChangeKind.DEACTIVATED))])
        assert [(c.gone, c.customer.active) for c in store.changes(*PLACE)][2] == (True, False)
        assert next(iter(store.changes(*PLACE))).sequence == first.sequence

    def test_a_sequence_is_never_given_twice(self, open_store: OpenStore) -> None:
        """Not after all were acknowledged, and not after the tenant was erased: readers keep their place by it."""
        store = open_store()
        apply(store, begin(store), created(FULL))
        (first,) = store.changes(*PLACE)
        store.acknowledge(*PLACE, first.sequence)
        apply(store, begin(store, minutes=3), created(FULL))
        (second,) = open_store().changes(*PLACE)
        store.erase(PLACE[0])
        apply(store, begin(store), created(FULL))
        (third,) = store.changes(*PLACE)
        assert first.sequence < second.sequence < third.sequence

    # -- runs --

    def test_one_run_at_a_time(self, store: CustomerStore) -> None:
        """The second one is told until when, and may begin when the first has finished."""
        run = begin(store)
        with pytest.raises(Unavailable) as caught:
            begin(store, minutes=1)
        assert caught.value.retry_at == _NIGHT + _LEASE
        begin(store, ("tenant-2", "toy"))  # of others nobody is kept
        finish(store, run)
        begin(store, minutes=1)

    def test_a_run_that_is_heard_of_goes_on(self, store: CustomerStore) -> None:
        """Each batch extends it."""
        run = begin(store)
        apply(store, run, [], minutes=1)
        with pytest.raises(Unavailable) as caught:
            begin(store, minutes=2)
        assert caught.value.retry_at == _NIGHT + timedelta(minutes=1) + _LEASE

    def test_a_run_that_failed_lets_the_next_one_begin_at_once(self, store: CustomerStore) -> None:
        """It finishes without progress, and what there was of it stays."""
        run = begin(store)
        finish(store, run, watermark=_NIGHT)
        run = begin(store)
        store.finish(run)
        store.finish(run)
        assert begin(store).progress == SyncProgress(watermark=_NIGHT)

    def test_a_dead_run_is_overtaken_and_writes_nothing_more(self, store: CustomerStore) -> None:
        """Neither customers nor changes nor its watermark, and it does not end the run of the other."""
        dead = begin(store)
        alive = begin(store, minutes=2)
        assert alive.number > dead.number
        with pytest.raises(Unavailable):
            apply(store, dead, created(FULL), minutes=2)
        with pytest.raises(Unavailable):
            store.record(dead, SyncProgress(watermark=_NIGHT))
        store.finish(dead)
        with pytest.raises(Unavailable):
            begin(store, minutes=3)
        assert list(store.customers(*PLACE)) == []
        assert list(store.changes(*PLACE)) == []
        finish(store, alive)
        with pytest.raises(Unavailable):
            apply(store, alive, created(FULL), minutes=2)

    def test_a_run_from_the_future_is_no_obstacle(self, store: CustomerStore) -> None:
        """Begun while the clock ran a day ahead, and killed."""
        begin(store, minutes=1440)
        assert begin(store).progress == SyncProgress()

    def test_progress_is_kept_from_run_to_run(self, open_store: OpenStore) -> None:
        """All of it, and only by a run that finished."""
        store = open_store()
        assert begin(store).progress == SyncProgress()
        run = begin(store, minutes=2)
        odd = Drift(vendor="toy", what="customer", record="7", problems=("not valid @ $.name", "ä"))
        done = SyncProgress(
            account_id="a-1", company="Muster GmbH", watermark=_NIGHT, full_at=_NIGHT - _LEASE,
            skipped=(odd, evolve(odd, record=None, problems=())),
        )  # fmt: skip
        store.record(run, done)
        store.finish(run)
        assert open_store().progress(*PLACE) == done
        assert begin(store).progress == done
        assert store.progress(*PLACE) == done

    def test_who_was_not_applied_is_unseen(self, store: CustomerStore) -> None:
        """In the order of ids, at most so many; without those that are gone already."""
        run = begin(store)
        apply(store, run, created(*(customer(number) for number in range(5))))
        assert store.unseen(run, 9) == (0, [])
        finish(store, run)
        run = begin(store)
        apply(store, run, [Entry(Known(customer(1))), Entry(Known(customer(3), gone=True))])
        count, unseen = store.unseen(run, 9)
        assert (count, [one.customer.number for one in unseen]) == (3, ["0", "2", "4"])
        apply(store, run, [Entry(Known(customer(2), missed=True))])
        assert store.known(run, ["id-00002"]) == {"id-00002": Known(customer(2), missed=True)}
        finish(store, run)
        run = begin(store)
        assert [one.missed for one in store.unseen(run, 9)[1]] == [False, False, True, False]
        apply(store, run, [Entry(Known(customer(number))) for number in (1, 2)])
        assert store.known(run, ["id-00002"]) == {"id-00002": Known(customer(2))}
        apply(store, run, [Entry(Known(customer(5)))])
        count, unseen = store.unseen(run, 1)
        assert (count, [one.customer.number for one in unseen]) == (2, ["0"])

    # -- erasing --

    def test_a_forgotten_customer_leaves_nothing(self, store: CustomerStore) -> None:
        """Neither record nor changes; nobody else's, and in no other place."""
        others = [(PLACE[0], "other"), ("tenant-2", "toy")]
        for place in (PLACE, *others):
            run = begin(store, place)
            apply(store, run, created(FULL, customer(1)))
            apply(store, run, [Entry(Known(FULL, gone=True), Change(ChangeKind.DEACTIVATED))])
            finish(store, run, watermark=_NIGHT)
        assert store.forget(*PLACE, "7") is True
        assert store.forget(*PLACE, "7") is False
        assert store.get(*PLACE, "7") is None
        assert [one.id for one in store.customers(*PLACE)] == ["id-00001"]
        assert [change.customer.id for change in store.changes(*PLACE)] == ["id-00001"]
        assert [len(list(store.changes(*place))) for place in others] == [3, 3]
        assert [store.get(*place, "7") for place in others] == [evolve(FULL, active=False)] * 2
        run = begin(store)
        assert (run.progress.watermark, store.known(run, ["7"])) == (_NIGHT, {})

    def test_a_run_does_not_bring_back_who_was_forgotten(self, store: CustomerStore) -> None:
        """It may be about to write the customer down; the next one begins at once."""
        run = begin(store)
        apply(store, run, created(FULL))
        store.forget(*PLACE, "7")
        with pytest.raises(Unavailable):
            apply(store, run, [Entry(Known(FULL, gone=True), Change(ChangeKind.DEACTIVATED))])
        with pytest.raises(Unavailable):
            store.record(run, SyncProgress(watermark=_NIGHT))
        begin(store)
        assert (store.get(*PLACE, "7"), list(store.changes(*PLACE))) == (None, [])

    def test_an_erased_tenant_leaves_nothing(self, store: CustomerStore) -> None:
        """All of its vendors, and nobody else's."""
        others = ("tenant-2", "toy")
        for place in (PLACE, (PLACE[0], "other"), others):
            run = begin(store, place)
            apply(store, run, created(FULL))
            finish(store, run, company="Muster GmbH")
        assert store.erase(PLACE[0]) == 2
        for place in (PLACE, (PLACE[0], "other")):
            assert (list(store.customers(*place)), list(store.changes(*place))) == ([], [])
            assert store.progress(*place) is None
        assert [one.name for one in store.customers(*others)] == [FULL.name]
        assert len(list(store.changes(*others))) == 1

    def test_a_run_brings_nothing_back_of_an_erased_tenant(self, store: CustomerStore) -> None:
        """Also when the next one has begun meanwhile, under numbers that start anew."""
        run = begin(store)
        apply(store, run, created(FULL))
        store.erase(PLACE[0])
        with pytest.raises(Unavailable):
            apply(store, run, created(FULL))
        after = begin(store)
        with pytest.raises(Unavailable):
            apply(store, run, created(FULL))
        store.finish(run)
        with pytest.raises(Unavailable):
            begin(store)
        assert after.number != run.number
        assert list(store.customers(*PLACE)) == []
