"""The contract that every token store passes: subclass :class:`TokenStoreContract` and supply ``open_store``.

A store that keeps these promises lets many threads, tasks and processes share one grant of a vendor that rotates
its refresh tokens. What only real processes can show (``kill -9``, forks) the package's own tests show for its stores.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier, Lock
from typing import Any, TypeAlias

import pytest
from attrs import define, evolve, field

from ..clock import Clock
from ..errors import BridgeError, InvalidRequest, Refused
from ..flow import Token
from ..tokens.port import LONGEST_LEASE, TokenStore
from ..tokens.renewal import Ask, Pause, Refresh, Renewal

OpenStore: TypeAlias = Callable[[Clock], TokenStore]

CANARY = "canary-6b1d0f2e9a77"
_NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
TOKEN = Token(
    access=f"access-{CANARY}",
    refresh=f"refresh-{CANARY}",
    expires_at=datetime(2026, 3, 31, 13, 0, 0, 123456, tzinfo=UTC),
    scope="books:read offline_access",
)
OTHER = Token(access=f"other-access-{CANARY}", refresh=f"other-refresh-{CANARY}")
PLACE = ("tenant-1", "toy")


@define
class HandClock:
    """Stands still until a test turns it, forwards or back."""

    seconds: float = 0.0

    def now(self) -> datetime:
        """The present instant."""
        return _NOON + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Seconds; turned like the rest."""
        return 1000.0 + self.seconds


@define
class RotatingVendor:
    """Renews grants as strict vendors do: a refresh token works once, and using it again ends the whole grant."""

    current: Token = TOKEN
    renewals: int = 0
    ended: bool = False
    spent: set[str | None] = field(factory=set)
    _lock: Any = field(factory=Lock, repr=False)

    def refresh(self, token: Token) -> Token | BridgeError:
        """The next grant, or the error that the flow of an adapter would raise."""
        with self._lock:
            if self.ended or token.refresh in self.spent:
                self.ended = True
                return Refused("invalid_grant")
            self.spent.add(token.refresh)
            self.renewals += 1
            self.current = evolve(token, access=f"access-{self.renewals}", refresh=f"refresh-{self.renewals}")
            return self.current


def carry_out(renewal: Renewal, token: Token | None, refresh: Callable[[Token], Any], **how: Any) -> Any:
    """Carry out the steps of a renewal in the calling thread, with shorter pauses."""
    steps = renewal.steps(token, **how)
    answer: Any = None
    error: Exception | None = None
    while True:
        try:
            action = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as stop:
            return stop.value
        answer = error = None
        try:
            match action:
                case Ask(function):
                    answer = function()
                case Refresh(stale):
                    answer = refresh(stale)
                case Pause(seconds):
                    time.sleep(min(seconds, 0.01))
        except Exception as exc:  # noqa: BLE001 - whatever it is, the generator has to know
            error = exc


class TokenStoreContract:
    """Subclass this in a test module, once a store."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        """Opens the same, at first empty place each time it is called within a test: override this."""
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> HandClock:
        """What the store's leases run on."""
        return HandClock()

    @pytest.fixture
    def store(self, open_store: OpenStore, clock: HandClock) -> TokenStore:
        """The store under test."""
        return open_store(clock)

    # -- grants --

    def test_what_was_never_saved_is_none(self, store: TokenStore) -> None:
        """An empty store has no grant, and says so without an error."""
        assert store.load(*PLACE) is None

    @pytest.mark.parametrize(
        "token",
        [
            TOKEN,
            Token(access="only"),
            Token(access="naïve ☃ \x00 '\"", refresh="", scope=""),
            Token(access="x" * 20_000, refresh="y" * 20_000),
            evolve(TOKEN, expires_at=datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone()),
        ],
        ids=["full", "access only", "odd characters", "long", "local time"],
    )
    def test_what_was_saved_is_loaded(self, store: TokenStore, token: Token) -> None:
        """Every field comes back as it was."""
        store.save(*PLACE, token)
        assert store.load(*PLACE) == token

    def test_the_last_one_saved_counts(self, store: TokenStore) -> None:
        """Saving replaces."""
        store.save(*PLACE, TOKEN)
        store.save(*PLACE, OTHER)
        assert store.load(*PLACE) == OTHER

    def test_tenants_and_vendors_are_kept_apart(self, store: TokenStore) -> None:
        """No two places are mixed up, however alike their names are."""
        places = [
            ("a", "bc"), ("ab", "c"), ("A", "bc"), ("a ", "bc"), ("", "abc"), ("a", "b"), ("b", "a"),
            ("a\x00b", "c"), ("ä", "c"), ("a%", "bc"), ("a/../b", "c"), ("a\nb", "c"),
        ]  # fmt: skip
        for number, place in enumerate(places):
            store.save(*place, Token(access=f"grant {number}"))
        assert [store.load(*place) for place in places] == [Token(access=f"grant {n}") for n in range(len(places))]
        assert store.load("a", "nobody") is None

    def test_another_opening_sees_it(self, open_store: OpenStore, clock: HandClock) -> None:
        """A grant outlives the object that saved it, and a change of one is seen by the other."""
        one, other = open_store(clock), open_store(clock)
        one.save(*PLACE, TOKEN)
        assert other.load(*PLACE) == TOKEN
        other.save(*PLACE, OTHER)
        assert one.load(*PLACE) == OTHER

    # -- replacing --

    def test_a_renewed_grant_takes_the_place_of_the_old_one(self, store: TokenStore) -> None:
        """The usual course."""
        store.save(*PLACE, TOKEN)
        assert store.replace(*PLACE, TOKEN, OTHER) == OTHER
        assert store.load(*PLACE) == OTHER

    def test_a_renewed_grant_is_stored_where_none_was(self, store: TokenStore) -> None:
        """An app that kept its grant elsewhere until now loses nothing."""
        assert store.replace(*PLACE, TOKEN, OTHER) == OTHER
        assert store.load(*PLACE) == OTHER

    def test_a_late_renewal_does_not_replace_a_newer_grant(self, store: TokenStore) -> None:
        """A user who connects again, perhaps to other books, is not overruled by a renewal that was under way."""
        given_meanwhile = Token(access="given by the user")
        store.save(*PLACE, given_meanwhile)
        assert store.replace(*PLACE, TOKEN, OTHER) == given_meanwhile
        assert store.load(*PLACE) == given_meanwhile

    # -- leases --

    def test_one_holder_has_the_lease(self, store: TokenStore) -> None:
        """Until it is given back."""
        assert store.acquire(*PLACE, "one", 30)
        assert not store.acquire(*PLACE, "other", 30)
        store.release(*PLACE, "one")
        assert store.acquire(*PLACE, "other", 30)

    def test_only_its_holder_gives_a_lease_back(self, store: TokenStore) -> None:
        """A holder that comes too late does not take the lease from the next one."""
        assert store.acquire(*PLACE, "one", 30)
        store.release(*PLACE, "other")
        assert not store.acquire(*PLACE, "other", 30)

    def test_giving_back_what_nobody_has_does_nothing(self, store: TokenStore) -> None:
        """Twice is as good as once."""
        store.release(*PLACE, "one")
        assert store.acquire(*PLACE, "one", 30)

    def test_a_lease_ends_by_itself(self, store: TokenStore, clock: HandClock) -> None:
        """A holder that was killed is not waited for any longer."""
        assert store.acquire(*PLACE, "killed", 30)
        clock.seconds += 29.9
        assert not store.acquire(*PLACE, "other", 30)
        clock.seconds += 0.1
        assert store.acquire(*PLACE, "other", 30)
        assert not store.acquire(*PLACE, "killed", 30)

    def test_its_holder_extends_a_lease(self, store: TokenStore, clock: HandClock) -> None:
        """From now on, by a whole new lease."""
        assert store.acquire(*PLACE, "one", 10)
        clock.seconds += 9
        assert store.acquire(*PLACE, "one", 10)
        clock.seconds += 9
        assert not store.acquire(*PLACE, "other", 10)

    def test_a_lease_is_of_one_tenant_and_vendor(self, store: TokenStore) -> None:
        """One tenant's renewal does not hold up another's."""
        assert store.acquire("tenant-1", "toy", "one", 30)
        assert store.acquire("tenant-2", "toy", "other", 30)
        assert store.acquire("tenant-1", "other-toy", "other", 30)

    @pytest.mark.parametrize("seconds", [0.0, -1.0, LONGEST_LEASE + 0.1, float("nan"), float("inf")])
    def test_a_lease_has_a_length(self, store: TokenStore, seconds: float) -> None:
        """Not for ever, and not for no time."""
        with pytest.raises(InvalidRequest, match="lease"):
            store.acquire(*PLACE, "one", seconds)

    def test_a_clock_that_is_set_back_does_not_prolong_a_lease(self, store: TokenStore, clock: HandClock) -> None:
        """Else a holder that was killed would block for as long as the clock was set back."""
        assert store.acquire(*PLACE, "killed", 30)
        clock.seconds -= 3600
        assert store.acquire(*PLACE, "other", 30)

    def test_leases_and_grants_leave_each_other_alone(self, store: TokenStore) -> None:
        """A user's new grant is stored although somebody renews the old one; storing it frees no lease."""
        store.save(*PLACE, TOKEN)
        assert store.acquire(*PLACE, "one", 30)
        assert store.load(*PLACE) == TOKEN
        store.save(*PLACE, OTHER)
        assert not store.acquire(*PLACE, "other", 30)
        store.release(*PLACE, "one")
        assert store.load(*PLACE) == OTHER

    def test_another_opening_sees_the_lease(self, open_store: OpenStore, clock: HandClock) -> None:
        """Leases are of the place, not of the object."""
        assert open_store(clock).acquire(*PLACE, "one", 30)
        assert not open_store(clock).acquire(*PLACE, "other", 30)

    # -- many at once --

    def test_of_many_threads_one_gets_the_lease(self, open_store: OpenStore, clock: HandClock) -> None:
        """Also when each has opened the store for itself."""
        stores = [open_store(clock) for _ in range(4)] * 4
        gate = Barrier(len(stores))

        def compete(number: int) -> bool:
            gate.wait()
            return stores[number].acquire(*PLACE, f"thread {number}", 30)

        with ThreadPoolExecutor(len(stores)) as pool:
            assert sum(pool.map(compete, range(len(stores)))) == 1

    def test_saving_at_the_same_time_loses_nothing(self, store: TokenStore) -> None:
        """Each tenant's last grant is there at the end."""

        def save(number: int) -> None:
            for turn in range(4):
                store.save(f"tenant {number}", "toy", Token(access=f"{number} {turn}"))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(save, range(16)))
        assert {store.load(f"tenant {n}", "toy") for n in range(16)} == {Token(access=f"{n} 3") for n in range(16)}

    def test_a_grant_is_there_at_every_moment(self, store: TokenStore) -> None:
        """Reading while somebody writes gives the old grant or the new one."""
        store.save(*PLACE, TOKEN)

        def write() -> None:
            for token in (OTHER, TOKEN) * 15:
                store.save(*PLACE, token)

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            seen = [store.load(*PLACE)]
            while not writing.done():
                seen.append(store.load(*PLACE))
            writing.result()
        assert set(seen) <= {TOKEN, OTHER}

    def test_many_threads_renew_once(self, open_store: OpenStore, clock: HandClock) -> None:
        """All of them go on with the one new grant, although the vendor would end it if two had renewed."""
        vendor, stores = RotatingVendor(), [open_store(clock) for _ in range(8)]
        stores[0].save(*PLACE, TOKEN)
        gate = Barrier(len(stores))

        def renew(store: TokenStore) -> object:
            renewal = Renewal(store=store, tenant=PLACE[0], vendor=PLACE[1], clock=clock, random=lambda: 0.5)
            gate.wait()
            return carry_out(renewal, TOKEN, vendor.refresh)

        with ThreadPoolExecutor(len(stores)) as pool:
            results = list(pool.map(renew, stores))
        assert results == [vendor.current] * len(stores)
        assert (vendor.renewals, vendor.ended) == (1, False)

    # -- secrets --

    def test_a_store_does_not_show_what_it_keeps(self, store: TokenStore) -> None:
        """Not when it is printed, and not when it is pickled, if that can be done at all."""
        store.save(*PLACE, TOKEN)
        assert CANARY not in f"{store!r} {store}"
        pickled = b""
        with suppress(Exception):
            pickled = pickle.dumps(store)
        assert CANARY.encode() not in pickled

    def test_it_says_whether_it_blocks(self, store: TokenStore) -> None:
        """An async session leaves the event loop for those that do."""
        assert store.blocking in {True, False}
