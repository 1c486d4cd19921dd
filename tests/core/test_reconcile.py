"""The journal held against the books, in all three worlds."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import attrs
import pytest
from tests.core.support import TurnedClock, state
from tests.core.test_memory_vendor import CUSTOMER, draft, issued
from tests.core.worlds import Either
from tests.core.worlds import provider as connected

import accounting_bridge as ab
from accounting_bridge._bound import AsyncBoundProvider, BoundProvider
from accounting_bridge.flow import Drift, Page
from accounting_bridge.journal.port import Confirm, Intend, Key, Send, State, Unclear, unconditional
from accounting_bridge.session import AsyncSession, Session
from accounting_bridge.vendors.memory import Memory, MemoryBooks, MemorySettings

pytestmark = pytest.mark.anyio

GROSS = Decimal("714.00")


@pytest.fixture
def books():
    return MemoryBooks()


@pytest.fixture
def clock():
    return TurnedClock()


class Mortal(ab.SqliteJournal):
    """Its process dies before it can note an answer, if asked to."""

    dies = False

    def record(self, key, change, at):
        if self.dies and isinstance(unconditional(change), Confirm) and key.kind != "customer":
            raise OSError("killed")
        return super().record(key, change, at)


@pytest.fixture
def journal(tmp_path):
    return Mortal(tmp_path / "journal.db")


async def dying(journal, call, document):
    """The vendor makes it, and nobody reads the answer."""
    journal.dies = True
    with pytest.raises(ab.OutcomeUnknown):
        await call(document)
    journal.dies = False


@pytest.fixture
def provider(world, books, clock, journal):
    return connected(world, "memory", {"books": books}, clock=clock, journal=journal, tenant="user-1")


def today(clock):
    day = clock.now().date()
    return day, day


def found(report):
    return [(str(one.kind), one.document, one.reference) for one in report.findings]


async def test_what_agrees_is_no_finding(provider, clock):
    await provider.create_invoice(draft("A-1"))
    await provider.book_sale(issued("R-1"))
    report = await provider.reconcile(*today(clock))
    assert (report.ok, report.checked, report.findings, report.unread) == (True, 2, (), ())
    assert report.table() == "memory: 2 checked, 0 found"


async def test_a_document_that_was_deleted_is_missing(provider, books, clock):
    made = await provider.create_invoice(draft("A-1"))
    entry = await provider.book_sale(issued("R-1"))
    books.invoices.clear()
    books.sales.clear()
    report = await provider.reconcile(*today(clock))
    assert found(report) == [("missing", "invoice", "A-1"), ("missing", "sale", "R-1")]
    assert [one.ids for one in report.findings] == [(made.id,), (entry.id,)]
    assert [one.sent for one in report.findings] == [GROSS, GROSS]
    assert not report.ok


async def test_a_request_that_was_delivered_twice_is_found(provider, books, clock):
    made = await provider.create_invoice(draft("A-1"))
    entry = await provider.book_sale(issued("R-1"))
    books.invoices["inv-again"] = attrs.evolve(books.invoices[made.id], id="inv-again")
    books.sales["sale-again"] = attrs.evolve(books.sales[entry.id], id="sale-again")
    report = await provider.reconcile(*today(clock))
    assert found(report) == [("doubled", "invoice", "A-1"), ("doubled", "sale", "R-1")]
    assert [one.ids for one in report.findings] == [(made.id, "inv-again"), (entry.id, "sale-again")]


@pytest.mark.parametrize("change", [{"customer_id": "somebody"}, {"status": ab.InvoiceStatus.VOID}], ids=str)
async def test_another_customers_or_a_cancelled_one_doubles_nothing(provider, books, clock, change):
    made = await provider.create_invoice(draft("A-1"))
    books.invoices["other"] = attrs.evolve(books.invoices[made.id], id="other", **change)
    assert (await provider.reconcile(*today(clock))).findings == ()


@pytest.mark.parametrize(
    ("change", "kind", "told"),
    [
        ({"status": ab.InvoiceStatus.VOID}, "voided", "cancelled"),
        ({"customer_id": "c-9"}, "altered", "for customer c-9"),
        ({"currency": "USD"}, "altered", "in USD, and was sent in EUR"),
        ({"reference": "A-9"}, "altered", "another reference"),
    ],
    ids=str,
)
async def test_what_was_changed_in_the_books_is_told(provider, books, clock, change, kind, told):
    made = await provider.create_invoice(draft("A-1", currency="EUR"))
    books.invoices[made.id] = attrs.evolve(books.invoices[made.id], **change)
    report = await provider.reconcile(*today(clock))
    assert found(report) == [(kind, "invoice", "A-1")]
    assert told in report.findings[0].advice
    assert report.findings[0].url == made.url


async def test_another_amount_is_told_with_both_amounts(provider, books, clock):
    made = await provider.create_invoice(draft("A-1"))
    totals = attrs.evolve(made.totals, gross=Decimal("714.01"))
    books.invoices[made.id] = attrs.evolve(books.invoices[made.id], totals=totals)
    report = await provider.reconcile(*today(clock))
    assert [(one.kind, one.sent, one.booked) for one in report.findings] == [
        (ab.FindingKind.WRONG_TOTAL, GROSS, Decimal("714.01"))
    ]
    assert report.table().splitlines() == [
        "finding      document  reference    sent  booked  in the books",
        f"wrong total  invoice   A-1        714.00  714.01  {made.id}",
        "memory: 1 checked, 1 found",
    ]


@pytest.mark.parametrize("adopt", [False, True])
async def test_what_a_crash_left_is_found_and_adopted_if_asked_for(provider, books, clock, journal, adopt):
    await dying(journal, provider.create_invoice, draft("A-1"))
    await dying(journal, provider.book_sale, issued("R-1"))
    clock.seconds = 1000
    report = await provider.reconcile(*today(clock), adopt=adopt)
    assert found(report) == [("orphan", "invoice", "A-1"), ("orphan", "sale", "R-1")]
    assert [one.adopted for one in report.findings] == [adopt, adopt]
    again = await provider.reconcile(*today(clock))
    assert (again.findings == ()) is adopt
    assert not (await provider.create_invoice(draft("A-1"))).created
    assert len(books.invoices) == len(books.sales) == 1


@pytest.mark.parametrize("adopt", [False, True])
async def test_an_orphan_of_another_amount_is_told_as_such_and_not_adopted(provider, books, clock, journal, adopt):
    await dying(journal, provider.create_invoice, draft("A-1"))
    (made,) = books.invoices.values()
    books.invoices[made.id] = attrs.evolve(made, totals=attrs.evolve(made.totals, gross=Decimal(1)))
    clock.seconds = 1000
    report = await provider.reconcile(*today(clock), adopt=adopt)
    assert found(report) == [("orphan", "invoice", "A-1"), ("wrong total", "invoice", "A-1")]
    assert not any(one.adopted for one in report.findings)
    assert journal.recall(Key(tenant="user-1", vendor="memory", kind="invoice", reference="A-1")).remote_id is None


async def test_several_candidates_are_not_adopted(provider, books, clock, journal):
    await dying(journal, provider.create_invoice, draft("A-1"))
    (made,) = books.invoices.values()
    books.invoices["again"] = attrs.evolve(made, id="again")
    clock.seconds = 1000
    report = await provider.reconcile(*today(clock), adopt=True)
    assert found(report) == [("orphan", "invoice", "A-1"), ("doubled", "invoice", "A-1")]
    assert not report.findings[0].adopted


async def test_what_never_arrived_is_told_once_it_has_settled(provider, books, clock):
    known = books.put_customer(CUSTOMER)
    books.lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown):
        await provider.create_invoice(draft("A-1", customer=ab.CustomerRef(id=known.id)))
    report = await provider.reconcile(*today(clock))
    assert found(report) == [("unsettled", "invoice", "A-1")]
    clock.seconds = 1000
    report = await provider.reconcile(*today(clock))
    assert found(report) == [("not made", "invoice", "A-1")]
    assert (await provider.create_invoice(draft("A-1", customer=ab.CustomerRef(id=known.id)))).created
    assert (await provider.reconcile(*today(clock))).ok


async def test_only_what_was_sent_in_the_period_is_compared(provider, books, clock):
    await provider.create_invoice(draft("A-1"))
    books.invoices.clear()
    day = clock.now().date()
    other = await provider.reconcile(day + timedelta(days=1), day + timedelta(days=9))
    assert (other.checked, other.ok) == (0, True)
    assert found(await provider.reconcile(day - timedelta(days=9), day)) == [("missing", "invoice", "A-1")]


async def test_references_can_be_asked_for_in_place_of_days(provider, books, clock):
    for reference in ("A-1", "A-2"):
        await provider.create_invoice(draft(reference))
    books.invoices.clear()
    report = await provider.reconcile(references=["A-2", "A-9"])
    assert found(report) == [("missing", "invoice", "A-2"), ("not made", "document", "A-9")]
    assert (report.checked, report.unknown) == (1, ())


async def test_a_month_in_which_nothing_was_sent_is_told_in_words_with_the_days_of_sending(provider, clock):
    """An invoice dated October and sent in March is of March: an empty report alone would look like an all-clear."""
    await provider.create_invoice(draft("A-1", issue_date=date(2025, 10, 31)))
    sent = clock.now().date()
    report = await provider.reconcile(date(2025, 10, 1), date(2025, 10, 31))
    assert (report.checked, report.ok, report.complete) == (0, True, True)
    assert report.note == (
        "nothing was checked: the journal of tenant 'user-1' has nothing sent between 2025-10-01 and 2025-10-31. What "
        f"it knows was sent from {sent} to {sent}: these are days of sending, in UTC, whatever the date of issue"
    )
    assert report.table().splitlines() == ["memory: 0 checked, 0 found", report.note]
    assert (await provider.reconcile(*today(clock))).note is None


async def test_a_tenant_that_has_sent_nothing_yet_is_ok_and_told_so(provider, clock):
    report = await provider.reconcile(*today(clock))
    assert report.ok
    assert report.note is not None
    assert report.note.endswith("nor on any other day")


@pytest.mark.parametrize("mistake", ["a fresh journal in memory", "a misspelled tenant"])
async def test_a_journal_that_knows_nothing_of_books_with_references_is_no_all_clear(
    world, provider, books, clock, journal, mistake
):
    await provider.create_invoice(draft("A-1"))
    kept, tenant = (ab.MemoryJournal(), "user-1") if "fresh" in mistake else (journal, "usr-1")
    other = connected(world, "memory", {"books": books}, clock=clock, journal=kept, tenant=tenant)
    report = await other.reconcile(*today(clock))
    assert (report.checked, report.findings, report.unknown, report.ok) == (0, (), ("A-1",), False)
    assert f"the journal of tenant '{tenant}' has nothing sent between" in report.table()
    assert "is it the journal that they were made with, and the same tenant?" in report.table()


async def test_references_that_the_journal_does_not_know_are_told_in_words(provider):
    assert "of tenant 'user-1' knows none of these references" in (await provider.reconcile(references=["A-9"])).table()
    assert (await provider.reconcile(references=[])).note == "no references were given"


async def test_what_could_not_be_read_is_not_told_as_nothing_sent(provider, clock):
    """A wrong sentence would hide that documents wait to be checked."""
    await provider.create_invoice(draft("A-1"))
    report = await provider.reconcile(*today(clock), most_reads=1)
    assert (report.checked, report.note, report.ok) == (0, None, False)


async def test_references_that_the_journal_never_heard_of_are_named(provider, books, clock):
    made = await provider.create_invoice(draft("A-1"))
    books.invoices["theirs"] = attrs.evolve(books.invoices[made.id], id="theirs", reference="B-7")
    books.invoices["nobodys"] = attrs.evolve(books.invoices[made.id], id="nobodys", reference=None)
    report = await provider.reconcile(*today(clock))
    assert (report.ok, report.unknown) == (True, ("B-7",))


async def test_another_tenants_documents_are_not_compared(world, provider, books, clock, journal):
    await provider.create_invoice(draft("A-1"))
    books.invoices.clear()
    other = connected(world, "memory", {"books": books}, clock=clock, journal=journal, tenant="user-2")
    assert (await other.reconcile(*today(clock))).checked == 0


async def test_reads_are_bounded_and_the_rest_is_named(provider, books, clock):
    for number in range(4):
        await provider.create_invoice(draft(f"A-{number}"))
    books.invoices.clear()
    report = await provider.reconcile(*today(clock), most_reads=3)
    assert found(report) == [("missing", "invoice", "A-0"), ("missing", "invoice", "A-1")]
    assert set(report.unread) >= {"A-2", "A-3"}
    assert not report.complete
    assert report.table().splitlines()[-2:] == [
        "memory: 2 checked, 2 found", "not checked: A-2, A-3, the rest of the list of sales",
    ]  # fmt: skip


async def test_the_one_that_was_made_is_gone_and_its_twin_stands(provider, books, clock):
    made = await provider.create_invoice(draft("A-1"))
    books.invoices = {"twin": attrs.evolve(books.invoices[made.id], id="twin")}
    report = await provider.reconcile(*today(clock))
    assert found(report) == [("missing", "invoice", "A-1")]
    assert (report.findings[0].ids, "do not make it again" in report.findings[0].advice) == (("twin",), True)


async def test_a_cancelled_one_that_was_made_again_by_hand_doubles_nothing(provider, books, clock):
    made = await provider.create_invoice(draft("A-1"))
    invoice = books.invoices[made.id]
    books.invoices = {
        made.id: attrs.evolve(invoice, status=ab.InvoiceStatus.VOID), "again": attrs.evolve(invoice, id="again"),
    }  # fmt: skip
    report = await provider.reconcile(*today(clock))
    assert found(report) == [("voided", "invoice", "A-1")]
    assert report.findings[0].ids == (made.id, "again")
    assert "use a new reference" not in report.findings[0].advice


async def test_a_credit_note_with_the_reference_doubles_nothing(provider, books, clock):
    made = await provider.create_invoice(draft("A-1"))
    credited = attrs.evolve(made.totals, net=-made.totals.net, tax=-made.totals.tax, gross=-made.totals.gross)
    books.invoices["credit"] = attrs.evolve(books.invoices[made.id], id="credit", totals=credited)
    assert (await provider.reconcile(*today(clock))).ok


async def test_of_doubles_the_one_to_keep_is_named(provider, books, clock):
    made = await provider.create_invoice(draft("A-1"))
    books.invoices = {"aaa": attrs.evolve(books.invoices[made.id], id="aaa"), **books.invoices}
    report = await provider.reconcile(*today(clock))
    assert f"keep {made.id}" in report.findings[0].advice


async def test_what_was_wanted_and_never_sent_is_told(provider, books, clock, journal):
    key = Key(tenant="user-1", vendor="memory", kind="invoice", reference="A-1")
    journal.record(key, Intend(draft("A-1").fingerprint), clock.now())
    assert found(await provider.reconcile(*today(clock))) == [("unsettled", "invoice", "A-1")]
    clock.seconds = 1000
    report = await provider.reconcile(*today(clock))
    assert found(report) == [("not made", "invoice", "A-1")]
    assert "never sent" in report.findings[0].advice


async def test_without_knowing_the_customer_nothing_is_adopted(provider, books, clock, journal):
    other = books.put_customer(ab.Customer(name="Voorbeeld BV"))
    await provider.create_invoice(draft("A-1", customer=ab.CustomerRef(id=other.id)))
    key = Key(tenant="user-2", vendor="memory", kind="invoice", reference="A-1")
    for change in (Intend("v1:f"), Send(0), Unclear()):
        journal.record(key, change, clock.now())
    clock.seconds = 1000
    mine = connected("sync", "memory", {"books": books}, clock=clock, journal=journal, tenant="user-2")
    report = await mine.reconcile(*today(clock), adopt=True)
    assert [(str(one.kind), one.adopted) for one in report.findings] == [("orphan", False)]
    assert journal.recall(key).state is State.UNCLEAR


async def test_a_memory_journal_does_not_say_that_nothing_was_sent(world, books, clock):
    provider = connected(world, "memory", {"books": books}, clock=clock)
    report = await provider.reconcile(references=["A-9"])
    assert (report.findings, report.complete) == ((), False)
    assert report.unread[0].startswith("A-9 (the journal does not know it")
    assert "not checked: A-9" in report.table()


# ---- vendors whose lists tell less -----------------------------------------------------------------------------


def over(world, adapter, clock, journal):
    connection = state(adapter, clock=clock, journal=journal)
    if world == "sync":
        return Either(BoundProvider(Session(connection, None)))
    return Either(AsyncBoundProvider(AsyncSession(connection, None)))


class Glimpses(Memory):
    """Its lists show no references, come in pages of two,."""

    odd = ()

    async def list_invoices(self, since, until, cursor):
        whole = await super().list_invoices(since, until, None)
        items = [attrs.evolve(one, reference=None, tells_reference=False) for one in whole.items]
        start = int(cursor or 0)
        more = str(start + 2) if start + 2 < len(items) else None
        odd = () if start else self.odd
        return Page(items=items[start : start + 2], cursor=more, skipped=odd)


async def test_where_lists_show_no_reference_what_is_not_known_is_read(world, books, clock, journal):
    provider = over(world, Glimpses(settings=MemorySettings(books=books)), clock, journal)
    made = [await provider.create_invoice(draft(f"A-{number}")) for number in range(3)]
    books.invoices["again"] = attrs.evolve(books.invoices[made[2].id], id="again")
    assert found(await provider.reconcile(*today(clock))) == [("doubled", "invoice", "A-2")]
    bounded = await provider.reconcile(*today(clock), most_reads=2)
    assert "invoice again in the books" in bounded.unread


async def test_a_record_that_cannot_be_read_makes_the_report_incomplete(world, books, clock, journal):
    class Odd(Glimpses):
        odd = (Drift(vendor="memory", what="invoice", record="inv-7", problems=()),)

    provider = over(world, Odd(settings=MemorySettings(books=books)), clock, journal)
    await provider.create_invoice(draft("A-1"))
    report = await provider.reconcile(*today(clock))
    assert (report.findings, report.unread, report.ok) == ((), ("invoice inv-7 in the books",), False)


async def test_a_credential_that_the_vendor_sends_as_an_id_is_not_shown(world, books, clock, journal):
    class Echoing(Glimpses):
        odd = (Drift(vendor="memory", what="invoice", record="key-of-the-tenant", problems=()),)

        def secrets(self):
            return (ab.Secret("key-of-the-tenant"),)

        async def list_invoices(self, since, until, cursor):
            page = await super().list_invoices(since, until, cursor)
            return attrs.evolve(page, incomplete="no more for key-of-the-tenant")

        async def get_invoice(self, invoice_id):
            if invoice_id == "key-of-the-tenant":
                raise ab.MalformedResponse("unreadable")
            return await super().get_invoice(invoice_id)

    provider = over(world, Echoing(settings=MemorySettings(books=books)), clock, journal)
    made = await provider.create_invoice(draft("A-1"))
    books.invoices["key-of-the-tenant"] = attrs.evolve(books.invoices[made.id], id="key-of-the-tenant")
    books.invoices[made.id] = attrs.evolve(books.invoices[made.id], customer_id="key-of-the-tenant")
    report = await provider.reconcile(*today(clock))
    assert report.unread == (
        "invoice [secret] in the books", "the rest of the list of invoices: no more for [secret]",
        "invoice [secret] in the books",
    )  # fmt: skip
    assert "it is for customer [secret], and was sent for" in report.findings[0].advice
    assert "key-of-the-tenant" not in repr(report)


class Troubled(Memory):
    """Some documents cannot be read one by one, and take long to be listed."""

    trouble: ClassVar = {}
    while_listing = None

    async def list_invoices(self, since, until, cursor):
        page = await super().list_invoices(since, until, cursor)
        if self.while_listing is not None:
            self.while_listing()
        return Page(items=[attrs.evolve(one, reference=None, tells_reference=False) for one in page.items])

    async def get_invoice(self, invoice_id):
        if invoice_id in self.trouble:
            raise self.trouble[invoice_id]
        return await super().get_invoice(invoice_id)


async def test_one_odd_document_does_not_end_the_run(world, books, clock, journal):
    class Odd(Troubled):
        trouble: ClassVar = {
            "odd": ab.MalformedResponse("unreadable"),
            "inv-gone": ab.DuplicateFound("two", ids=["x", "y"]),
        }

    provider = over(world, Odd(settings=MemorySettings(books=books)), clock, journal)
    made = await provider.create_invoice(draft("A-1"))
    books.invoices["odd"] = attrs.evolve(books.invoices[made.id], id="odd")
    report = await provider.reconcile(*today(clock))
    assert (report.findings, report.unread, report.checked) == ((), ("invoice odd in the books",), 1)
    Odd.trouble[made.id] = Odd.trouble["inv-gone"]
    del books.invoices[made.id], books.invoices["odd"]
    report = await provider.reconcile(*today(clock))
    assert [(one.kind, one.ids) for one in report.findings] == [(ab.FindingKind.DOUBLED, ("x", "y"))]


async def test_an_outage_or_a_wrong_key_ends_it(world, books, clock, journal):
    class Down(Troubled):
        trouble: ClassVar = {"odd": ab.AuthenticationFailed("no such key")}

    provider = over(world, Down(settings=MemorySettings(books=books)), clock, journal)
    made = await provider.create_invoice(draft("A-1"))
    books.invoices["odd"] = attrs.evolve(books.invoices[made.id], id="odd")
    with pytest.raises(ab.AuthenticationFailed):
        await provider.reconcile(*today(clock))


async def test_a_list_that_began_before_the_settle_time_proves_nothing(world, books, clock, journal):
    class Slow(Troubled):
        pass

    provider = over(world, Slow(settings=MemorySettings(books=books)), clock, journal)
    known = books.put_customer(CUSTOMER)
    books.lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown):
        await provider.create_invoice(draft("A-1", customer=ab.CustomerRef(id=known.id)))
    Slow.while_listing = lambda self: setattr(clock, "seconds", 1000)
    assert found(await provider.reconcile(*today(clock))) == [("unsettled", "invoice", "A-1")]
    assert found(await provider.reconcile(*today(clock))) == [("not made", "invoice", "A-1")]


async def test_what_is_confirmed_while_the_list_is_read_is_no_finding(world, books, clock, journal):
    class Slow(Troubled):
        pass

    provider = over(world, Slow(settings=MemorySettings(books=books)), clock, journal)
    await dying(journal, provider.create_invoice, draft("A-1"))
    (made,) = books.invoices.values()
    clock.seconds = 1000
    key = Key(tenant="default", vendor="memory", kind="invoice", reference="A-1")
    Slow.while_listing = lambda self: journal.record(key, Confirm(made.id), clock.now())
    assert (await provider.reconcile(*today(clock))).ok


# ---- arguments -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ["first: give either", "last: give either"]),
        ({"first": date(2026, 3, 1)}, ["last: give either"]),
        ({"first": date(2026, 3, 1), "last": date(2026, 3, 2), "references": ["A"]}, ["first: give", "last: give"]),
        ({"first": date(2026, 3, 2), "last": date(2026, 3, 1)}, ["last: 2026-03-01 lies before first"]),
        ({"first": datetime(2026, 3, 2, tzinfo=UTC), "last": "x"}, ["first: must be a date", "last: must be a date"]),
        ({"first": date.max, "last": date.max}, ["first: must lie between", "last: must lie between"]),
        ({"first": date.min, "last": date.min}, ["first: must lie between", "last: must lie between"]),
        ({"references": 5}, ["references: must be Iterable"]),
        ({"references": ["A"], "adopt": "no"}, ["adopt: must be bool"]),
        ({"references": [1]}, [r"references\[0\]: must be str"]),
        ({"references": ["A"], "most_reads": 0}, ["most_reads: must be a whole number"]),
    ],
)
async def test_arguments_that_will_not_do_are_named_at_once(provider, given, told):
    with pytest.raises(ab.InvalidRequest) as caught:
        await provider.reconcile(**given)
    for part in told:
        assert caught.match(part)


async def test_one_reference_as_a_text_is_one_reference(provider, clock):
    await provider.create_invoice(draft("A-1"))
    assert (await provider.reconcile(references="A-1")).checked == 1
