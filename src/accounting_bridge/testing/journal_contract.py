"""The contract that every journal passes: subclass :class:`JournalContract` and supply ``open_journal``.

A journal that keeps these promises lets many threads, tasks and processes make documents for one tenant, and each
document once. What only real processes can show (``kill -9``, forks, a full disk) the package's own tests show for its
journals; tests of another durable one should kill its writers as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from threading import Barrier
from typing import Final, TypeAlias

import pytest
from attrs import evolve

from ..journal.port import (
    Change,
    Confirm,
    Expected,
    Forget,
    If,
    Intend,
    Journal,
    Key,
    Release,
    Row,
    Send,
    State,
    Unclear,
)

OpenJournal: TypeAlias = Callable[[], Journal]

KEY: Final = Key(tenant="tenant-1", vendor="toy", kind="invoice", reference="2026-11/17")
THEN: Final = datetime(2026, 3, 31, 12, 0, 0, 123456, tzinfo=UTC)
LATER: Final = THEN + timedelta(seconds=30, microseconds=1)

_INTENT: Final = (Intend("v1:f"),)
_EXPECTED: Final = Expected(gross=Decimal("1190.00"), tolerance=Decimal("0.02"), currency="EUR", customer_id="c-1")
_FLYING: Final = (*_INTENT, Send(0, "sha-1", _EXPECTED))
_UNCLEAR: Final = (*_FLYING, Unclear())
_AGAIN: Final = (*_UNCLEAR, Send(1, "sha-2"))
_DONE: Final = (*_FLYING, Confirm("r-1"))
_ROW: Final = Row(state=State.INTENT, fingerprint="v1:f", at=LATER)
_SENT: Final = evolve(_ROW, rounds=1, sent_at=THEN, payload="sha-1", expected=_EXPECTED)
_STAYS: Final = object()

CHANGES: Final[Sequence[tuple[Sequence[Change], Change, Row | object | None]]] = [
    ((), Intend("v1:f"), _ROW),
    ((), Send(0), _STAYS),
    ((), Unclear(), _STAYS),
    ((), Confirm("r-1"), _STAYS),
    ((), Release(0), _STAYS),
    ((), Forget(), _STAYS),
    (_INTENT, Intend("v1:other"), _STAYS),
    (_INTENT, Send(0, "sha-1", _EXPECTED), evolve(_SENT, state=State.IN_FLIGHT, sent_at=LATER)),
    (_INTENT, Send(1), _STAYS),
    (_INTENT, Unclear(), _STAYS),
    (_INTENT, Confirm("r-1"), evolve(_ROW, state=State.CONFIRMED, remote_id="r-1")),
    (_INTENT, Release(0), None),
    (_INTENT, Release(1), _STAYS),
    (_INTENT, Forget(), None),
    (_FLYING, Intend("v1:f"), _STAYS),
    (_FLYING, Send(1), _STAYS),
    (_FLYING, Unclear(), evolve(_SENT, state=State.UNCLEAR)),
    (_FLYING, Confirm("r-1"), evolve(_SENT, state=State.CONFIRMED, remote_id="r-1")),
    (_FLYING, Release(1), None),
    (_FLYING, Release(0), _STAYS),
    (_FLYING, Forget(), None),
    (_UNCLEAR, Intend("v1:f"), _STAYS),
    (_UNCLEAR, Send(1), evolve(_SENT, state=State.IN_FLIGHT, rounds=2, sent_at=LATER, payload="", expected=None)),
    (_UNCLEAR, Send(0), _STAYS),
    (_UNCLEAR, Unclear(), _STAYS),
    (_UNCLEAR, Confirm("r-1"), evolve(_SENT, state=State.CONFIRMED, remote_id="r-1")),
    (_UNCLEAR, Release(1), None),
    (_UNCLEAR, Forget(), None),
    (_AGAIN, Release(1), _STAYS),
    (_AGAIN, Release(2), None),
    (_DONE, Intend("v1:other"), _STAYS),
    (_DONE, Send(1), _STAYS),
    (_DONE, Unclear(), _STAYS),
    (_DONE, Confirm("r-2"), _STAYS),
    (_DONE, Release(1), _STAYS),
    (_DONE, Forget(), None),
    ((), If(Intend("v1:f"), "v1:f"), _STAYS),
    ((), If(Forget(), ""), _STAYS),
    (_INTENT, If(Release(0), "v1:f"), None),
    (_INTENT, If(Release(0), "v1:f", ""), None),
    (_INTENT, If(Release(0), "v1:other"), _STAYS),
    (_INTENT, If(Release(1), "v1:f"), _STAYS),
    (_INTENT, If(Intend("v1:f"), "v1:f"), _STAYS),
    (_FLYING, If(Release(1), "v1:f", "sha-1"), None),
    (_FLYING, If(Release(1), "v1:f", "sha-1", _SENT.sent_at), None),
    (_FLYING, If(Release(1), "v1:f", "sha-1", LATER), _STAYS),
    (_UNCLEAR, If(Confirm("r-1"), "v1:f", "sha-1", LATER), _STAYS),
    (_FLYING, If(Release(1), "v1:f", "sha-2"), _STAYS),
    (_FLYING, If(Release(1), "v1:f", ""), _STAYS),
    (_FLYING, If(Unclear(), "v1:f", "sha-1"), evolve(_SENT, state=State.UNCLEAR)),
    (_UNCLEAR, If(Send(1), "v1:f", "sha-2"), _STAYS),
    (_DONE, If(Forget(), "v1:f"), None),
    (_DONE, If(Forget(), "v1:other"), _STAYS),
    (_DONE, If(Forget(), "v1:f", remote_id="r-1"), None),
    (_DONE, If(Forget(), "v1:f", remote_id="r-2"), _STAYS),
    (_UNCLEAR, If(Forget(), "v1:f", remote_id="r-1"), _STAYS),
    (_DONE, If(If(Forget(), "v1:f", "sha-1"), "v1:f"), None),
    (_DONE, If(If(Forget(), "v1:other"), "v1:f"), _STAYS),
]
"""What came before, a change, and the row after it; or that it stays as it is."""


def _name(changes: object) -> str:
    told = changes if isinstance(changes, tuple) else (changes,)
    return " ".join(type(change).__name__ for change in told) or "nothing"


class JournalContract:
    """Subclass this in a test module, once a journal."""

    @pytest.fixture
    def open_journal(self) -> OpenJournal:
        """Opens the same, at first empty place each time it is called within a test: override this."""
        raise NotImplementedError

    @pytest.fixture
    def journal(self, open_journal: OpenJournal) -> Journal:
        """The journal under test."""
        return open_journal()

    # -- the states --

    def test_an_empty_journal_knows_nothing(self, journal: Journal) -> None:
        """And says so without an error."""
        assert journal.recall(KEY) is None
        assert list(journal.known(KEY.tenant, KEY.vendor, KEY.kind)) == []

    @pytest.mark.parametrize(
        ("before", "change", "after"), CHANGES, ids=[f"{_name(b)} then {_name(c)}" for b, c, _ in CHANGES]
    )
    def test_every_change_of_every_state(
        self, journal: Journal, before: Sequence[Change], change: Change, after: Row | object | None
    ) -> None:
        """True and the new row; or False, where it does not apply, and the row as it was."""
        for earlier in before:
            assert journal.record(KEY, earlier, THEN) is True
        stood = journal.recall(KEY)
        assert journal.record(KEY, change, LATER) is (after is not _STAYS)
        assert journal.recall(KEY) == (stood if after is _STAYS else after)

    def test_a_reference_that_was_released_begins_anew(self, journal: Journal) -> None:
        """With other content, and with rounds counted from the start."""
        for change in (*_FLYING, Release(1), Intend("v1:other"), Send(0)):
            assert journal.record(KEY, change, THEN)
        assert (row := journal.recall(KEY)) is not None
        assert (row.state, row.fingerprint, row.rounds) == (State.IN_FLIGHT, "v1:other", 1)

    # -- keys --

    def test_references_are_kept_apart(self, journal: Journal) -> None:
        """By tenant, vendor and kind, and however alike they are: a mix-up is an invoice that is never made."""
        keys = [
            KEY, evolve(KEY, tenant="tenant-2"), evolve(KEY, vendor="other"), evolve(KEY, kind="sale"),
            evolve(KEY, kind="customer"), evolve(KEY, kind="customer", tenant="tenant-2"), evolve(KEY, kind="mail"),
            Key(tenant="a", vendor="bc", kind="d", reference="e"),
            Key(tenant="a", vendor="b", kind="cd", reference="e"),
            Key(tenant="ab", vendor="c", kind="d", reference="e"), Key(tenant="", vendor="", kind="", reference=""),
            *(evolve(KEY, reference=reference) for reference in (
                "a", "A", "a ", " a", "ä", "a\u0308", "ä".upper(), "a\0b", "a\0", "\0", '\0"a"', "a'b", 'a"b', "a%",
                "a_", "a\nb", "a\\b",
                "a\\u0000b", "'; DROP TABLE rows; --", "x" * 59, "x" * 60, "x" * 61, "☃", "\U0001f600",
                "\ud83d", "\ude00", '"\\ud83d"', "1", "01", "1.0", "1e0", "None", "9" * 40,
            )),
        ]  # fmt: skip
        for number, key in enumerate(keys):
            assert journal.record(key, Intend(f"v1:{number}"), THEN), key
            assert journal.record(key, Confirm(f"r-{number}"), THEN), key
        rows = [journal.recall(key) for key in keys]
        assert [row and (row.fingerprint, row.remote_id) for row in rows] == [
            (f"v1:{number}", f"r-{number}") for number in range(len(keys))
        ]

    def test_hostile_tenants_and_ids_come_back_as_they_were(self, journal: Journal) -> None:
        """What an app calls its users and what a vendor calls its documents is theirs to choose."""
        for text in ("\ud800", "\0", "\0null", "ä☃\U0001f600", "'\"\\", "x" * 20_000, "12.50", ""):
            key = evolve(KEY, tenant=text)
            expected = Expected(gross=Decimal("-1E+3"), currency=text, customer_id=text)
            for change in (Intend(text), Send(0, text, expected), Confirm(text)):
                assert journal.record(key, change, THEN)
            assert (row := journal.recall(key)) is not None
            assert (row.fingerprint, row.payload, row.remote_id, row.expected) == (text, text, text, expected)
            assert journal.known(text, KEY.vendor, KEY.kind) == [(key, row)]

    def test_what_is_known_of_a_kind(self, journal: Journal) -> None:
        """In the order of references, and nobody else's."""
        for reference in ("b", "a", "C", "gone"):
            journal.record(evolve(KEY, reference=reference), Intend(f"v1:{reference}"), THEN)
        journal.record(evolve(KEY, reference="gone"), Forget(), THEN)
        journal.record(evolve(KEY, reference="b"), Confirm("r-1"), LATER)
        for other in (evolve(KEY, tenant="t"), evolve(KEY, vendor="v"), evolve(KEY, kind="sale")):
            journal.record(other, Intend("v1:other"), THEN)
        known = journal.known(KEY.tenant, KEY.vendor, KEY.kind)
        assert [key for key, _ in known] == [evolve(KEY, reference=reference) for reference in ("C", "a", "b")]
        assert [row for _, row in known] == [journal.recall(key) for key, _ in known]

    # -- several at once --

    def test_several_changes_are_carried_out_together(self, journal: Journal) -> None:
        """In their order; a key that comes again meets the row that the change before it left."""
        other, third = evolve(KEY, kind="work", reference="w-1"), evolve(KEY, kind="work", reference="w-2")
        journal.record(third, Intend("v1:old"), THEN)
        changes: list[tuple[Key, Change]] = [
            (KEY, Intend("v1:f")), (KEY, Send(0, "sha-1", _EXPECTED)), (other, Intend("v1:other")), (third, Forget()),
            (third, Intend("v1:new")), (other, Confirm("r-2")),
        ]  # fmt: skip
        assert journal.record_all(changes, LATER) is True
        rows = journal.recall_all([other, evolve(KEY, reference="none"), third, KEY])
        assert rows == [
            evolve(_ROW, fingerprint="v1:other", state=State.CONFIRMED, remote_id="r-2"), None,
            evolve(_ROW, fingerprint="v1:new"), evolve(_SENT, state=State.IN_FLIGHT, sent_at=LATER),
        ]  # fmt: skip
        assert rows == [journal.recall(key) for key in (other, evolve(KEY, reference="none"), third, KEY)]
        assert journal.record_all([(KEY, Forget()), (other, Forget())], LATER) is True
        assert journal.recall_all([KEY, other]) == [None, None]

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_of_several_changes_none_is_carried_out_if_one_does_not_apply(self, journal: Journal, place: int) -> None:
        """Wherever it stands among them."""
        mine = [evolve(KEY, reference=reference) for reference in ("a", "b")]
        journal.record(KEY, Intend("v1:f"), THEN)
        changes: list[tuple[Key, Change]] = [(key, Intend("v1:mine")) for key in mine]
        changes.insert(place, (KEY, Intend("v1:mine")))
        assert journal.record_all(changes, LATER) is False
        assert journal.recall_all([*mine, KEY]) == [None, None, evolve(_ROW, at=THEN)]

    def test_what_was_released_and_begun_anew_is_not_taken_for_what_was_seen(self, journal: Journal) -> None:
        """The rounds are the same again, and the content may be: only what each sending says tells them apart."""
        for change in (*_INTENT, Send(0, "turn-1"), Release(1), *_INTENT, Send(0, "turn-2")):
            assert journal.record(KEY, change, THEN)
        other = evolve(KEY, kind="work", reference="w-1")
        stale: list[tuple[Key, Change]] = [(other, Intend("v1:x")), (KEY, If(Release(1), "v1:f", "turn-1"))]
        assert journal.record_all(stale, LATER) is False
        assert (journal.recall(other), journal.recall(KEY)) == (
            None, evolve(_ROW, state=State.IN_FLIGHT, rounds=1, sent_at=THEN, payload="turn-2", at=THEN),
        )  # fmt: skip
        assert journal.record_all([(KEY, If(Unclear(), "v1:f", "turn-2")), (KEY, Send(1, "turn-3"))], LATER) is True

    def test_nothing_at_all_is_carried_out(self, journal: Journal) -> None:
        """And is no failure."""
        assert journal.record_all([], THEN) is True
        assert list(journal.recall_all([])) == []

    def test_of_many_threads_with_overlapping_changes_one_gets_them(self, open_journal: OpenJournal) -> None:
        """Two invoices never share what they bill, whichever entries they have in common and in whatever order."""
        journals = [open_journal() for _ in range(4)] * 2
        keys = [evolve(KEY, kind="work", reference=f"w-{number}") for number in range(8)]
        gate = Barrier(len(journals))

        def claim(number: int) -> bool:
            mine = [keys[(number + step) % 8] for step in range(5)]
            gate.wait()
            return journals[number].record_all([(key, Intend(f"v1:{number}")) for key in mine], THEN)

        with ThreadPoolExecutor(len(journals)) as pool:
            won = list(pool.map(claim, range(len(journals))))
        assert won.count(True) == 1
        rows = journals[0].recall_all(keys)
        assert [row and row.fingerprint for row in rows].count(f"v1:{won.index(True)}") == 5
        assert rows.count(None) == 3

    # -- instants --

    @pytest.mark.parametrize(
        "at",
        [THEN, THEN.replace(microsecond=0), THEN.replace(microsecond=1), THEN.replace(microsecond=999_999),
         THEN.astimezone(timezone(timedelta(hours=5, minutes=30))), datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC),
         THEN.replace(year=9000)],
        ids=["usual", "whole second", "one", "almost", "India", "last century", "far"],
    )  # fmt: skip
    def test_instants_are_exact(self, journal: Journal, at: datetime) -> None:
        """To the microsecond, and aware: settle times are counted from them."""
        for change in _FLYING:
            journal.record(KEY, change, at)
        assert (row := journal.recall(KEY)) is not None
        assert (row.sent_at, row.at) == (at, at)
        assert row.sent_at is not None
        assert row.sent_at.utcoffset() is not None

    def test_a_clock_that_is_set_back_stops_nothing(self, journal: Journal) -> None:
        """The order of changes is that in which they were recorded."""
        assert journal.record(KEY, Intend("v1:f"), LATER)
        assert journal.record(KEY, Send(0), THEN - timedelta(hours=1))
        assert journal.record(KEY, Confirm("r-1"), THEN - timedelta(hours=2))
        assert (row := journal.recall(KEY)) is not None
        assert (row.state, row.at) == (State.CONFIRMED, THEN - timedelta(hours=2))

    # -- many at once --

    def test_of_many_threads_one_sends(self, open_journal: OpenJournal) -> None:
        """In each round, also when each has opened the journal for itself."""
        journals = [open_journal() for _ in range(4)] * 4
        for rounds in range(4):
            if rounds == 0:
                journals[0].record(KEY, Intend("v1:f"), THEN)
            else:
                journals[0].record(KEY, Unclear(), THEN)
            assert _at_once(journals, [Send(rounds, f"{n}") for n in range(16)]).count(True) == 1

    def test_of_many_threads_one_intends_and_one_confirms(self, open_journal: OpenJournal) -> None:
        """The row is the winner's."""
        journals = [open_journal() for _ in range(4)] * 4
        won = _at_once(journals, [Intend(f"v1:{n}") for n in range(16)])
        assert won.count(True) == 1
        assert (row := journals[0].recall(KEY)) is not None
        assert row.fingerprint == f"v1:{won.index(True)}"
        won = _at_once(journals, [Confirm(f"r-{n}") for n in range(16)])
        assert won.count(True) == 1
        assert (row := journals[1].recall(KEY)) is not None
        assert row.remote_id == f"r-{won.index(True)}"

    def test_threads_with_references_of_their_own_lose_nothing(self, journal: Journal) -> None:
        """Each finds all of its rows at the end."""

        def work(number: int) -> None:
            for turn in range(5):
                key = evolve(KEY, tenant=f"t{number % 3}", reference=f"{number}-{turn}")
                for change in (*_FLYING, Confirm(key.reference)):
                    assert journal.record(key, change, THEN)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(12)))
        known = [pair for tenant in ("t0", "t1", "t2") for pair in journal.known(tenant, KEY.vendor, KEY.kind)]
        assert len(known) == 60
        assert all(row.state is State.CONFIRMED and row.remote_id == key.reference for key, row in known)

    # -- what it promises --

    def test_a_durable_journal_is_there_when_it_is_opened_again(self, open_journal: OpenJournal) -> None:
        """An unknown reference proves that nothing was sent only where nothing is forgotten."""
        first = open_journal()
        if not first.durable:
            pytest.skip("it does not promise that")
        for change in _DONE:
            assert first.record(KEY, change, THEN)
        row, customer = first.recall(KEY), evolve(KEY, kind="customer", reference="10001")
        first.record(customer, Intend("v1:customer"), THEN)
        del first
        again = open_journal()
        assert again.recall(KEY) == row
        assert again.recall(customer) is not None
        assert not again.record(KEY, Intend("v1:other"), LATER)

    def test_it_says_what_it_is(self, journal: Journal) -> None:
        """Whether rows outlive the process, and whether an async session leaves the event loop for it."""
        assert journal.durable in {True, False}
        assert journal.blocking in {True, False}


def _at_once(journals: Sequence[Journal], changes: Sequence[Change]) -> list[bool]:
    gate = Barrier(len(journals))

    def compete(number: int) -> bool:
        gate.wait()
        return journals[number].record(KEY, changes[number], THEN)

    with ThreadPoolExecutor(len(journals)) as pool:
        return list(pool.map(compete, range(len(journals))))
