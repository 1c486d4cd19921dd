"""Uploads are steps of their own: at most one file for each, whatever is lost, and nothing final before it is clear."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Any

import attrs
import pytest
from tests.core.support import NOON, TurnedClock, state
from tests.core.test_memory_vendor import PDF, draft, issued
from tests.core.test_recipes_renamed import Renaming

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.journal.port import State
from accounting_bridge.session import Session
from accounting_bridge.vendors.memory import Memory, MemoryBooks, MemorySettings

FILE = ab.Attachment(filename="hours-of-cleo-canary.pdf", content=b"%PDF-1.4\n%%EOF\n")
SETTLE = 300.0


class Killed(BaseException):
    """The process ends here."""


@attrs.frozen(kw_only=True)
class Watched(Memory):
    """The vendor in memory: makes drafts first, as most vendors, and counts what is asked about files."""

    settle_seconds = SETTLE
    troubles: list = attrs.field(factory=list)
    """What happens to the next uploads: (whether the file arrives, the exception)."""
    calls: list[str] = attrs.field(factory=list)

    async def submit_invoice(self, plan):
        return await super().submit_invoice(attrs.evolve(plan, finalize=False))

    async def has_file(self, invoice_id, file):
        self.calls.append("look")
        return await super().has_file(invoice_id, file)

    async def has_sale_file(self, entry, file):
        self.calls.append("look")
        return await super().has_sale_file(entry, file)

    def _keep(self, document_id, file):
        self.calls.append("upload")
        arrives, error = self.troubles.pop(0) if self.troubles else (True, None)
        if arrives:
            super()._keep(document_id, file)
        if error is not None:
            raise error


@attrs.define
class World:
    """Books, a clock and a journal that outlive processes."""

    books: MemoryBooks = attrs.field(factory=MemoryBooks)
    clock: TurnedClock = attrs.field(factory=TurnedClock)
    journal: Any = attrs.field(factory=ab.MemoryJournal)
    kind: Any = Watched

    def process(self, *troubles: Any, journal: Any = None) -> tuple[BoundProvider, Any]:
        """A new one: connected to the same books."""
        extra = {"troubles": list(troubles)} if self.kind is Watched else {}
        adapter = self.kind(settings=MemorySettings(books=self.books), **extra)
        return BoundProvider(Session(state(adapter, clock=self.clock, journal=journal or self.journal), None)), adapter

    @property
    def files(self) -> list[str]:
        """Names, of all documents."""
        return [file.filename for files in self.books.files.values() for file in files]


@pytest.fixture
def world(tmp_path):
    return World(journal=ab.SqliteJournal(tmp_path / "journal.db"))


def lost(*, arrives: bool) -> tuple[bool, Exception]:
    return arrives, ab.OutcomeUnknown("lost")


def with_file(**changes):
    return draft(attachments=[FILE], **changes)


SALE = "R-1.pdf"
WAYS = {
    "attach": (lambda bound: bound.attach(bound.create_invoice(draft()).id, FILE), FILE.filename),
    "create_invoice": (lambda bound: bound.create_invoice(with_file()), FILE.filename),
    "book_sale": (lambda bound: bound.book_sale(issued(pdf=PDF)), SALE),
}
every_way = pytest.mark.parametrize(("do", "name"), WAYS.values(), ids=WAYS)


# ---- lost answers ----------------------------------------------------------------------------------------------


@every_way
def test_a_file_whose_answer_is_lost_is_found_by_the_same_call(world, do, name):
    bound, adapter = world.process(lost(arrives=True))
    do(bound)
    do(bound)
    assert world.files == [name]
    assert adapter.calls.count("upload") == 1


@every_way
def test_an_unclear_upload_is_not_repeated_before_it_has_settled(world, do, name):
    bound, adapter = world.process(lost(arrives=False))
    for turned in (0, SETTLE - 1):
        world.clock.turn(turned)
        with pytest.raises(ab.OutcomeUnknown, match="the upload to") as caught:
            do(bound)
        assert caught.value.retry_at == NOON + timedelta(seconds=SETTLE)
    assert adapter.calls.count("upload") == 1
    world.clock.turn(1)
    do(bound)
    assert (world.files, adapter.calls.count("upload")) == ([name], 2)


@pytest.mark.parametrize(
    "error",
    [
        ab.InvalidRequest("refused", problems=[ab.Problem("attachments", "the file cannot be read")]),
        ab.Unavailable("the vendor is out of order"),
        ab.AuthenticationFailed("the key was deleted a moment ago"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_a_file_names_the_document_that_was_made(world, error):
    """Of a refusal the caller would think that nothing was created."""
    told = error.message
    bound, _ = world.process((False, error), (False, error))
    with pytest.raises(type(error)) as caught:
        bound.create_invoice(with_file())
    (made,) = world.books.invoices
    assert caught.value.message == f"invoice {made!r} is in the books, and one of its files is not kept with it: {told}"
    assert made in str(pickle.loads(pickle.dumps(caught.value)))
    error.message = told
    with pytest.raises(type(error)) as caught:
        bound.book_sale(issued(pdf=PDF))
    (entry,) = world.books.sales
    assert str(caught.value).startswith(f"memory: the sale of invoice 'R-1', {entry!r}, is in the books, and one of")
    assert (bound.create_invoice(with_file()).id, bound.book_sale(issued(pdf=PDF)).has_pdf) == (made, True)


def test_who_waits_to_settle_has_it_from_the_same_call():
    books = MemoryBooks()
    policy = ab.Policy(wait_to_settle=True, settle_time=0.05)
    with ab.connect("memory", {"books": books}, tenant="uploads", policy=policy) as bound:
        made = bound.create_invoice(draft())
        books.lose_next_answer(after_commit=False)
        bound.attach(made.id, FILE)
    assert books.files == {made.id: [FILE]}


@every_way
def test_a_process_that_is_killed_after_the_upload_leaves_it_in_flight_and_the_next_one_finds_it(world, do, name):
    with pytest.raises(Killed):
        do(world.process((True, Killed()))[0])
    ((_, row),) = world.journal.known("default", "memory", "file")
    assert row.state is State.IN_FLIGHT
    world.clock.turn(120)
    bound, adapter = world.process()
    do(bound)
    ((_, row),) = world.journal.known("default", "memory", "file")
    assert (world.files, adapter.calls.count("upload"), row.state) == ([name], 0, State.CONFIRMED)


@every_way
def test_a_process_that_is_killed_before_the_upload_arrives_has_it_made_good_after_the_settle_time(world, do, name):
    with pytest.raises(Killed):
        do(world.process((False, Killed()))[0])
    world.clock.turn(120)
    bound, adapter = world.process()
    with pytest.raises(ab.OutcomeUnknown):
        do(bound)
    world.clock.turn(SETTLE)
    do(bound)
    assert (world.files, adapter.calls.count("upload")) == ([name], 1)


@every_way
def test_after_three_unclear_rounds_a_person_must_look(world, do, name):
    bound, _ = world.process(*[lost(arrives=False)] * 3)
    for _ in range(3):
        with pytest.raises(ab.OutcomeUnknown):
            do(bound)
        world.clock.turn(SETTLE)
    with pytest.raises(ab.NeedsAttention, match="was sent 3 times"):
        do(bound)


@every_way
def test_a_refused_upload_may_be_tried_again_at_once(world, do, name):
    bound, _ = world.process((False, ab.InvalidRequest("too large")))
    with pytest.raises(ab.InvalidRequest):
        do(bound)
    do(bound)
    assert world.files == [name]


# ---- drafts and entries ----------------------------------------------------------------------------------------


def test_nothing_is_made_final_while_an_upload_is_unclear(world):
    bound, _ = world.process(lost(arrives=False))
    for _ in range(2):
        with pytest.raises(ab.OutcomeUnknown):
            bound.create_invoice(with_file(), finalize=True)
    assert [invoice.status for invoice in world.books.invoices.values()] == [ab.InvoiceStatus.DRAFT]
    world.clock.turn(SETTLE)
    invoice = bound.create_invoice(with_file(), finalize=True)
    assert (invoice.status, world.files) == (ab.InvoiceStatus.OPEN, [FILE.filename])


def test_a_sale_with_an_unclear_upload_is_booked_once_however_the_pdf_is_printed(world):
    """Its bytes are others in every rerun."""
    bound, adapter = world.process(lost(arrives=False))
    for count in range(2):
        with pytest.raises(ab.OutcomeUnknown):
            bound.book_sale(issued(pdf=PDF + bytes([count])))
    world.clock.turn(SETTLE)
    assert bound.book_sale(issued(pdf=PDF + b"2")).has_pdf
    assert bound.book_sale(issued(pdf=PDF + b"3")).has_pdf
    assert (len(world.books.sales), world.files, adapter.calls.count("upload")) == (1, [SALE], 2)


def test_a_cancelled_entry_gets_no_pdf(world):
    bound, adapter = world.process()
    entry = bound.book_sale(issued())
    world.books.sales[entry.id] = attrs.evolve(entry, status=ab.SalesEntryStatus.VOID)
    assert not bound.book_sale(issued(pdf=PDF)).has_pdf
    assert adapter.calls == []


def test_another_file_or_the_same_under_another_name_is_another_upload(world):
    bound, _ = world.process()
    made = bound.create_invoice(draft())
    for file in (FILE, attrs.evolve(FILE, content=PDF), attrs.evolve(FILE, filename="b.pdf"), FILE):
        bound.attach(made.id, file)
    assert world.files == [FILE.filename, FILE.filename, "b.pdf"]


def test_a_file_of_a_draft_is_known_under_the_id_of_its_invoice():
    """Under either id it was kept once: it is not put back."""
    world = World(kind=Renaming)
    bound, _ = world.process()
    made = bound.create_invoice(with_file())
    final = bound.finalize_invoice(made.id)
    world.books.files.clear()
    for known_as in (made.id, final.id):
        bound.attach(known_as, FILE)
    bound.create_invoice(with_file())
    assert (final.id != made.id, world.files) == (True, [])


# ---- what is asked and written ---------------------------------------------------------------------------------


@every_way
def test_a_file_of_before_is_not_looked_for_again(world, do, name):
    bound, _ = world.process()
    do(bound)
    again, adapter = world.process()
    do(again)
    assert adapter.calls == []


@pytest.mark.parametrize("way", ["create_invoice", "book_sale"])
def test_a_document_that_was_made_just_now_is_not_asked_for_files(world, way):
    bound, adapter = world.process()
    WAYS[way][0](bound)
    assert adapter.calls == ["upload"]


@every_way
def test_a_file_that_a_person_took_off_is_not_put_back(world, do, name):
    do(world.process()[0])
    world.books.files.clear()
    do(world.process()[0])
    assert world.files == []


def test_a_journal_that_forgets_puts_it_back_and_finds_what_is_there(world):
    for _ in range(2):
        bound, _ = world.process(journal=ab.MemoryJournal())
        bound.create_invoice(with_file())
        bound.book_sale(issued(pdf=PDF))
    assert world.files == [FILE.filename, SALE]
    world.books.files.clear()
    world.process(journal=ab.MemoryJournal())[0].create_invoice(with_file())
    assert world.files == [FILE.filename]


def test_a_file_that_a_person_added_is_taken_as_it_is(world):
    bound, adapter = world.process()
    made = bound.create_invoice(draft())
    world.books.files[made.id] = [FILE]
    bound.attach(made.id, FILE)
    assert adapter.calls == ["look"]


def test_an_invoice_takes_three_durable_writes_and_each_file_three_more(world):
    world.process()[0].ensure_customer(draft().customer)
    before = world.journal.head("default").entry
    world.process()[0].create_invoice(draft())
    assert world.journal.head("default").entry - before == 3
    world.process()[0].create_invoice(draft("A-2", attachments=[FILE, attrs.evolve(FILE, filename="b.pdf")]))
    assert world.journal.head("default").entry - before == 3 + 3 + 2 * 3
    world.process()[0].create_invoice(draft("A-2", attachments=[FILE, attrs.evolve(FILE, filename="b.pdf")]))
    assert world.journal.head("default").entry - before == 12


def test_the_name_of_a_file_is_not_in_the_journal(world, tmp_path):
    world.process()[0].create_invoice(with_file())
    assert world.journal.known("default", "memory", "file")
    assert b"cleo" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_where_there_are_no_files_nothing_is_written_either(world):
    @attrs.frozen(kw_only=True)
    class Without(Watched):
        @property
        def capabilities(self):
            return attrs.evolve(super().capabilities, attach=False)

    world.kind = Without
    bound = BoundProvider(
        Session(state(Without(settings=MemorySettings(books=world.books)), journal=world.journal), None)
    )
    with pytest.raises(ab.Unsupported, match="keep a file"):
        bound.attach("invoice-1", FILE)
    assert world.journal.known("default", "memory", "file") == []
