"""What a reconciliation tells and asks: findings with their advice, what it left unread, and the windows it lists.

Books and journal are put together by hand here, each test with the one oddity that it is about.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from tests.core.odd_vendor import SETTLE, Durable
from tests.core.support import NOON, TurnedClock, state

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge.flow import Drift, Page
from accounting_bridge.journal.port import Confirm, Expected, Intend, Key, Send, State, Unclear
from accounting_bridge.models import FindingKind, Listed
from accounting_bridge.session import Session
from accounting_bridge.vendors.memory import Memory, MemorySettings

DAY = timedelta(days=1)
GROSS = Decimal("714.00")
OTHER = Decimal("714.01")
EXPECTED = Expected(gross=GROSS, currency="EUR", customer_id="c-1")
BOTH = pytest.mark.parametrize("kind", ["invoice", "sale"])


class Typed(Durable):
    """Like a table whose columns may not be empty."""

    def recall(self, key):
        assert key.kind in {"invoice", "sale", "final"}
        assert isinstance(key.reference, str)
        return super().recall(key)


@attrs.frozen(kw_only=True)
class Scripted(Memory):
    """The vendor in memory, with lists and answers as the test wants them."""

    settle_seconds = SETTLE.total_seconds()
    changes: dict = attrs.field(factory=dict)
    """Of its capabilities."""
    shown: dict = attrs.field(factory=dict)
    """What lists tell in place of what is so."""
    hidden: set = attrs.field(factory=set)
    """Ids that no list shows."""
    pages: list = attrs.field(factory=list)
    """In place of the list of invoices, one after the other."""
    answers: dict = attrs.field(factory=dict)
    """By id: another document, an error, or what is done before the answer."""
    while_listing: list = attrs.field(factory=list)
    asked: list = attrs.field(factory=list)
    """Kind, since, until and cursor of each page."""
    read: list = attrs.field(factory=list)
    """Ids of what was read one by one."""

    @property
    def capabilities(self):
        return attrs.evolve(super().capabilities, **self.changes)

    async def list_invoices(self, since, until, cursor):
        self.asked.append(("invoice", since, until, cursor))
        for do in self.while_listing:
            do()
        if self.pages:
            return self.pages.pop(0)
        return self.seen(await super().list_invoices(since, until, cursor))

    async def list_sales(self, since, until, cursor):
        self.asked.append(("sale", since, until, cursor))
        return self.seen(await super().list_sales(since, until, cursor))

    def seen(self, page):
        return Page(items=[attrs.evolve(one, **self.shown) for one in page.items if one.id not in self.hidden])

    async def get_invoice(self, invoice_id):
        return self.answer(invoice_id) or await super().get_invoice(invoice_id)

    async def get_sale(self, entry_id):
        return self.answer(entry_id) or await super().get_sale(entry_id)

    def answer(self, document_id):
        self.read.append(document_id)
        answer = self.answers.get(document_id)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer


@attrs.define(kw_only=True)
class World:
    """Books, a journal and a clock."""

    kind: str = "invoice"
    adapter: Scripted = attrs.field(factory=Scripted)
    clock: TurnedClock = attrs.field(factory=TurnedClock)
    journal: Typed = attrs.field(factory=Typed)

    def book(self, document_id="doc-1", reference="A-1", **how):
        """Put one into the books."""
        one = document(self.kind, document_id, reference, **how)
        (self.adapter.books.invoices if self.kind == "invoice" else self.adapter.books.sales)[document_id] = one
        return one

    def know(self, *changes, reference="A-1", kind=None, at=0.0):
        """Let the journal know of it, *at* seconds after noon."""
        for change in changes:
            assert self.journal.record(self.key(reference, kind), change, NOON + timedelta(seconds=at))

    def sent(self, reference="A-1", expected=EXPECTED, *, at=0.0):
        self.know(Intend("v1:f"), Send(0, expected=expected), Unclear(), reference=reference, at=at)

    def made(self, document_id="doc-1", reference="A-1", expected=EXPECTED, *, at=0.0):
        self.sent(reference, expected, at=at)
        self.know(Confirm(document_id), reference=reference, at=at)

    def key(self, reference="A-1", kind=None):
        return Key(tenant="default", vendor="memory", kind=kind or self.kind, reference=reference)

    def reconcile(self, *, after=1000.0, references=None, **how) -> ab.Reconciliation:
        """The day on which everything was sent, some time *after* noon."""
        self.clock.seconds = after
        bound = BoundProvider(Session(state(self.adapter, clock=self.clock, journal=self.journal), None))
        if references is not None:
            return bound.reconcile(references=references, **how)
        return bound.reconcile(NOON.date(), NOON.date(), **how)

    def findings(self, **how):
        """All there are, of a run that read everything."""
        report = self.reconcile(**how)
        assert report.unread == ()
        return list(report.findings)


def world(kind="invoice", *, settings: MemorySettings | None = None, **how):
    return World(kind=kind, adapter=Scripted(settings=settings or MemorySettings(), **how))


def document(kind, document_id="doc-1", reference="A-1", *, gross=GROSS, customer_id="c-1", currency="EUR", void=False):
    totals = ab.Totals(net=gross, tax=Decimal(0), gross=gross)
    url = f"https://books.example/{document_id}"
    if kind == "sale":
        status = ab.SalesEntryStatus.VOID if void else ab.SalesEntryStatus.OPEN
        return ab.SalesEntry(
            id=document_id, invoice_number=reference, status=status, customer_id=customer_id, totals=totals, url=url
        )
    return ab.Invoice(
        id=document_id, reference=reference, customer_id=customer_id, totals=totals, currency=currency, url=url,
        status=ab.InvoiceStatus.VOID if void else ab.InvoiceStatus.OPEN,
    )  # fmt: skip


def finding(kind: FindingKind, advice: str, *ids: str, **how: Any) -> ab.Finding:
    """One about A-1, as it was sent; the first of the ids is what the books hold, unless told otherwise."""
    given: dict[str, Any] = {
        "document": "invoice", "reference": "A-1", "sent": GROSS, "booked": GROSS if ids else None,
        "url": f"https://books.example/{ids[0]}" if ids else None,
    }  # fmt: skip
    return ab.Finding(kind=kind, ids=ids, advice=advice, **{**given, **how})


LEFT = "a lost answer or a crash left it unclear, and the books have it: "
UNSURE = LEFT + "it was not adopted, because it is not certain that it is the one: look at it, and repeat the call"
KNOWN = LEFT + "the journal knows it now"
NOT_LISTED = {"booked": None, "url": None}


# ---- what became of a document that was made -------------------------------------------------------------------


CANCELLED = {
    "invoice": "use a new reference to invoice it again",
    "sale": "book_sale(invoice, again=True) books it anew",
}
ANEW = {
    "invoice": "It is not made again under this reference",
    "sale": "book_sale(invoice, again=True) books it anew",
}


@BOTH
def test_one_that_is_gone(kind):
    it = world(kind)
    it.made()
    assert it.findings() == [
        finding(
            FindingKind.MISSING,
            "it was made and is gone: somebody deleted it. " + ANEW[kind], "doc-1", document=kind, **NOT_LISTED,
        )
    ]  # fmt: skip
    assert it.adapter.read == ["doc-1"]


@BOTH
def test_one_that_is_gone_while_others_with_its_reference_stand(kind):
    it = world(kind)
    it.made()
    it.book("doc-2", gross=OTHER)
    it.book("doc-3")
    assert it.findings() == [
        finding(
            FindingKind.MISSING,
            "the one that was made is gone, and the books hold another with this reference: do not make it again",
            "doc-2", "doc-3", document=kind, booked=OTHER,
        )
    ]  # fmt: skip


@BOTH
def test_doubles(kind):
    it = world(kind)
    it.made()
    it.book("doc-2")
    it.book("doc-1", gross=OTHER)
    it.book("doc-3")
    first, second = it.findings()
    assert first == finding(
        FindingKind.DOUBLED, "the books hold 3 of it: keep doc-1, and void the others there", "doc-1", "doc-2", "doc-3",
        document=kind, booked=OTHER,
    )  # fmt: skip
    assert second == finding(
        FindingKind.WRONG_TOTAL, "the amount is another one: correct it there", "doc-1", document=kind, booked=OTHER
    )


@BOTH
def test_doubles_that_the_vendor_names_itself(kind):
    it = world(kind, answers={"doc-1": ab.DuplicateFound("two", ids=["x", "y"])})
    it.made()
    assert it.findings() == [
        finding(
            FindingKind.DOUBLED, "the books hold 2 of it: void all but one there", "x", "y", document=kind, **NOT_LISTED
        )
    ]


@pytest.mark.parametrize("twin", [ab.NotFound("gone"), "void", "the same"], ids=str)
def test_a_twin_that_is_none_any_more_doubles_nothing(twin):
    """A draft that became an invoice between two pages stands in the list twice."""
    it = world()
    it.made()
    it.book("doc-1")
    it.book("doc-0")
    answers = {"void": document("invoice", "doc-0", void=True), "the same": document("invoice", "doc-1")}
    it.adapter.answers["doc-0"] = answers.get(twin, twin)
    assert it.findings() == []
    assert it.adapter.read == ["doc-0"]


@BOTH
@pytest.mark.parametrize("hidden", [set(), {"doc-1"}], ids=["listed", "read"])
def test_a_cancelled_one(kind, hidden):
    it = world(kind, hidden=hidden)
    it.made()
    it.book("doc-1", void=True)
    assert it.findings() == [
        finding(FindingKind.VOIDED, "somebody cancelled it: " + CANCELLED[kind], "doc-1", document=kind)
    ]


@BOTH
def test_a_cancelled_one_beside_others_that_stand(kind):
    it = world(kind)
    it.made()
    it.book("doc-1", void=True)
    it.book("doc-2")
    assert it.findings() == [
        finding(
            FindingKind.VOIDED, "somebody cancelled it: the books hold another with this reference", "doc-1", "doc-2",
            document=kind,
        )
    ]  # fmt: skip


@BOTH
@pytest.mark.parametrize("hidden", [set(), {"doc-1"}], ids=["listed", "read"])
def test_one_that_was_altered(kind, hidden):
    it = world(kind, hidden=hidden)
    it.made()
    it.book("doc-1", "B-9", customer_id="c-9", currency="USD", gross=OTHER)
    total, altered = it.findings()
    assert total == finding(
        FindingKind.WRONG_TOTAL, "the amount is another one: correct it there", "doc-1", document=kind, booked=OTHER
    )
    currency = "; it is in USD, and was sent in EUR" if kind == "invoice" else ""
    assert altered == finding(
        FindingKind.ALTERED,
        "it carries another reference or none, so that a look would not find it; it is for customer c-9, and was sent "
        f"for c-1{currency}",
        "doc-1", document=kind, booked=OTHER,
    )  # fmt: skip


def test_another_customers_is_not_searched_for_twins():
    it = world()
    it.made()
    it.book("doc-1", customer_id="c-9")
    it.book("doc-2")
    assert it.findings() == [
        finding(FindingKind.ALTERED, "it is for customer c-9, and was sent for c-1", "doc-1"),
    ]


def test_the_amount_may_differ_as_far_as_was_said_when_it_was_sent():
    it = world()
    it.made(expected=attrs.evolve(EXPECTED, tolerance=Decimal("0.01")))
    it.book(gross=OTHER)
    assert it.findings() == []
    it.book(gross=Decimal("713.98"))
    assert [one.kind for one in it.findings()] == [FindingKind.WRONG_TOTAL]


def test_what_is_listed_is_not_read():
    it = world()
    it.made()
    it.book()
    it.book("theirs", "B-7")
    assert it.findings() == []
    assert it.adapter.read == []


# ---- drafts that get another id when they are made final -------------------------------------------------------

RENAMES = {"renames_final": True}


def test_a_draft_that_was_made_final_is_known_by_its_new_id():
    it = world(changes=RENAMES)
    it.made("draft-1")
    it.know(Intend("v1:final"), Send(0), Confirm("doc-1"), reference="draft-1", kind="final")
    it.book("doc-1", reference=None)
    assert it.findings() == [
        finding(FindingKind.ALTERED, "it carries another reference or none, so that a look would not find it", "doc-1")
    ]
    assert it.adapter.read == []


def test_a_sale_with_the_id_of_a_draft_is_not_taken_for_it():
    it = world("sale", changes=RENAMES)
    it.made("17")
    it.know(Intend("v1:final"), Send(0), Confirm("18"), reference="17", kind="final")
    it.book("17")
    assert it.findings() == []
    assert it.adapter.read == []


def test_a_draft_that_a_person_made_final_is_the_one_that_carries_its_reference():
    it = world(changes=RENAMES)
    it.made("draft-1")
    it.book("doc-1")
    assert it.findings() == []
    it.book("doc-2")
    (missing,) = it.findings()
    assert (missing.kind, missing.ids) == (FindingKind.MISSING, ("doc-1", "doc-2"))


def test_a_sale_that_is_gone_was_never_made_final_under_another_id():
    it = world("sale", changes=RENAMES)
    it.made("entry-1")
    (missing,) = it.findings()
    assert missing.advice == "it was made and is gone: somebody deleted it. " + ANEW["sale"]
    it.book("entry-2")
    (missing,) = it.findings()
    assert (missing.kind, missing.ids) == (FindingKind.MISSING, ("entry-2",))


def test_a_draft_that_is_gone_may_be_an_invoice_that_no_list_shows_yet():
    it = world(changes=RENAMES)
    it.made("draft-1")
    assert it.findings() == [
        finding(
            FindingKind.MISSING,
            "it was made and is gone: somebody deleted it; or a person made the draft final just now, and no list "
            "shows it yet. It is not made again under this reference",
            "draft-1", **NOT_LISTED,
        )
    ]  # fmt: skip


def test_a_draft_that_is_being_made_final():
    it = world(changes=RENAMES, answers={"draft-1": ab.OutcomeUnknown("not to be seen yet")})
    it.made("draft-1")
    assert it.findings() == [
        finding(
            FindingKind.UNSETTLED,
            "it is being made final, and no list shows what it became: ask again in a few minutes",
        )
    ]


def test_one_that_stands_under_another_id_is_taken_as_the_list_shows_it():
    """A list may tell that it was credited, where the document itself does not."""
    it = world(answers={"draft-1": document("invoice", "doc-1")})
    it.made("draft-1")
    it.book("doc-1", void=True)
    assert [(one.kind, one.ids) for one in it.findings()] == [(FindingKind.VOIDED, ("doc-1",))]


# ---- what became of a document whose outcome is unclear --------------------------------------------------------


@BOTH
def test_an_orphan(kind):
    it = world(kind)
    it.sent()
    it.book()
    orphan = finding(
        FindingKind.ORPHAN, LEFT + "repeat the same call, or reconcile with adopt=True", "doc-1", document=kind
    )
    assert it.findings() == [orphan]
    assert it.journal.recall(it.key()).state is State.UNCLEAR
    assert it.findings(adopt=True) == [attrs.evolve(orphan, adopted=True, advice=KNOWN)]
    assert it.journal.recall(it.key()).remote_id == "doc-1"
    assert it.adapter.read == []


@pytest.mark.parametrize("adopt", [False, True])
@BOTH
def test_several_candidates_for_an_orphan(kind, adopt):
    it = world(kind)
    it.sent()
    it.book("doc-2", gross=OTHER)
    it.book("doc-1")
    assert it.findings(adopt=adopt) == [
        finding(
            FindingKind.ORPHAN, LEFT + "void all but one there, and repeat the same call", "doc-2", "doc-1",
            document=kind, booked=OTHER,
        ),
        finding(
            FindingKind.DOUBLED, "the books hold 2 of it: keep doc-2, and void the others there", "doc-2", "doc-1",
            document=kind, booked=OTHER,
        ),
        finding(
            FindingKind.WRONG_TOTAL, "the amount is another one: correct it there", "doc-2", document=kind,
            booked=OTHER,
        ),
    ]  # fmt: skip
    assert it.journal.recall(it.key()).state is State.UNCLEAR


@BOTH
def test_an_orphan_of_the_right_customer_and_another_amount_is_not_adopted(kind):
    """The number of a sale may be a person's booking of something else for the same customer."""
    it = world(kind)
    it.sent()
    it.book(gross=OTHER)
    assert it.findings(adopt=True) == [
        finding(FindingKind.ORPHAN, UNSURE, "doc-1", document=kind, booked=OTHER),
        finding(
            FindingKind.WRONG_TOTAL, "the amount is another one: correct it there", "doc-1", document=kind, booked=OTHER
        ),
    ]
    assert it.journal.recall(it.key()).state is State.UNCLEAR


@pytest.mark.parametrize(
    ("gross", "adopted"), [("713.99", True), ("714.01", True), ("713.98", False), ("714.02", False)]
)
def test_an_orphan_may_differ_as_far_as_was_said_when_it_was_sent(gross, adopted):
    it = world()
    it.sent(expected=attrs.evolve(EXPECTED, tolerance=Decimal("0.01")))
    it.book(gross=Decimal(gross))
    assert it.findings(adopt=True)[0].adopted is adopted


@BOTH
def test_a_cancelled_orphan_is_not_adopted(kind):
    it = world(kind)
    it.sent()
    it.book(void=True)
    assert it.findings(adopt=True) == [
        finding(FindingKind.ORPHAN, UNSURE, "doc-1", document=kind),
        finding(FindingKind.VOIDED, "somebody cancelled it: " + CANCELLED[kind], "doc-1", document=kind),
    ]


@pytest.mark.parametrize("expected", [None, attrs.evolve(EXPECTED, customer_id=None)], ids=["nothing", "no customer"])
def test_an_orphan_of_which_older_rows_tell_too_little_is_not_adopted(expected):
    it = world()
    it.sent(expected=expected)
    it.book()
    sent = None if expected is None else GROSS
    assert it.findings(adopt=True) == [finding(FindingKind.ORPHAN, UNSURE, "doc-1", sent=sent)]
    assert it.journal.recall(it.key()).state is State.UNCLEAR


def test_an_orphan_is_not_adopted_while_something_was_left_unread():
    """Among it may be the real one."""
    it = world(pages=[Page(items=[listed()], skipped=[drift(None)])])
    it.sent()
    report = it.reconcile(adopt=True)
    assert report.findings == (finding(FindingKind.ORPHAN, UNSURE, "doc-1"),)
    assert report.unread == ("invoice without id in the books",)


@BOTH
@pytest.mark.parametrize(("customer", "advice"), [("c-1", KNOWN), ("c-9", UNSURE), (None, UNSURE), ("gone", UNSURE)])
def test_whose_an_orphan_is_is_read_where_the_list_does_not_tell(kind, customer, advice):
    it = world(kind, shown={"customer_id": None})
    it.sent()
    it.book(customer_id=customer)
    if customer == "gone":
        it.adapter.answers["doc-1"] = ab.NotFound("gone")
    assert it.findings(adopt=True) == [
        finding(FindingKind.ORPHAN, advice, "doc-1", document=kind, adopted=advice is KNOWN)
    ]
    assert it.adapter.read == ["doc-1"]


def test_an_orphan_that_somebody_else_has_dealt_with_meanwhile():
    it = world(shown={"customer_id": None})
    it.sent()
    one = it.book()

    def faster():
        it.know(Confirm("doc-1"))
        return one

    it.adapter.answers["doc-1"] = faster
    assert it.findings(adopt=True) == [
        finding(FindingKind.ORPHAN, LEFT + "somebody else has dealt with it meanwhile", "doc-1")
    ]


@BOTH
def test_one_that_was_sent_just_now(kind):
    it = world(kind)
    it.sent()
    may = "it was sent, and may still show up in the books: ask again in a few minutes"
    never = "it was sent and never showed up: repeat the same call, which looks before it sends again"
    settled = SETTLE.total_seconds()
    assert it.findings(after=settled - 1) == [finding(FindingKind.UNSETTLED, may, document=kind)]
    assert it.findings(after=settled) == [finding(FindingKind.NOT_MADE, never, document=kind)]


@pytest.mark.parametrize("changes", [[Intend("v1:f")], [Intend("v1:f"), Send(0, expected=EXPECTED)]], ids=len)
def test_one_that_somebody_is_sending(changes):
    it = world()
    it.know(*changes)
    it.book()
    sent = GROSS if len(changes) > 1 else None
    busy = "somebody is at it: ask again in a few minutes"
    assert it.findings(after=59) == [finding(FindingKind.UNSETTLED, busy, sent=sent)]
    assert [one.kind for one in it.findings(after=60)] != [FindingKind.UNSETTLED]


@BOTH
def test_one_that_was_wanted_and_never_sent(kind):
    it = world(kind)
    it.know(Intend("v1:f"))
    never = "it was wanted and never sent"
    nothing = finding(
        FindingKind.NOT_MADE, f"{never}: repeat the same call, which looks before it sends again", document=kind,
        sent=None,
    )  # fmt: skip
    assert it.findings() == [nothing]
    it.book("doc-1")
    it.book("doc-2", gross=OTHER)
    assert it.findings(adopt=True) == [
        finding(
            FindingKind.NOT_MADE,
            f"{never}, and the books hold one with this reference: look whose it is, and repeat the call",
            "doc-1", "doc-2", document=kind, sent=None,
        )
    ]  # fmt: skip
    assert it.journal.recall(it.key()).state is State.INTENT


def test_what_is_not_in_books_that_were_not_read_to_their_end_is_not_told_as_never_made():
    it = world(pages=[Page(items=[], incomplete="it stops at 1,000")])
    it.sent()
    report = it.reconcile()
    assert report.findings == ()
    assert report.unread == ("the rest of the list of invoices: it stops at 1,000", "A-1")


# ---- lists -----------------------------------------------------------------------------------------------------


def listed(document_id="doc-1", reference="A-1", **how):
    values = {"customer_id": "c-1", "gross": GROSS, "url": f"https://books.example/{document_id}"}
    return Listed(id=document_id, reference=reference, **{**values, **how})


def drift(record):
    return Drift(vendor="memory", what="invoice", record=record, problems=())


def test_of_a_period_everything_is_listed_from_the_day_before_until_the_settle_time_of_the_day_after():
    it = world()
    it.reconcile()
    midnight = NOON.replace(hour=0)
    window = (midnight - DAY, midnight + 2 * DAY + SETTLE)
    assert it.adapter.asked == [("invoice", *window, None), ("sale", *window, None)]


def hours(count):
    return 3600.0 * count


TOUCH = 48 + 300 / 3600
"""So many hours later the window of a reference begins where the one before it ends."""


@pytest.mark.parametrize(
    ("sent", "windows"),
    [
        ([0], [(0, 0)]),
        ([0, 5], [(0, 5)]),
        ([5, 0], [(0, 5)]),
        ([0, TOUCH], [(0, TOUCH)]),
        ([0, TOUCH + 1], [(0, 0), (TOUCH + 1, TOUCH + 1)]),
        ([0, 100, 200], [(0, 0), (100, 100), (200, 200)]),
        ([0, 100, 110], [(0, 0), (100, 110)]),
        ([0, 40, 80, 300, 310], [(0, 80), (300, 310)]),
    ],
    ids=str,
)
def test_of_references_the_days_around_their_sending_are_listed_and_none_twice(sent, windows):
    it = world()
    for number, at in enumerate(sent):
        it.made(f"doc-{number}", f"A-{number}", at=hours(at))
        it.book(f"doc-{number}", f"A-{number}")
    assert it.findings(references=[f"A-{number}" for number in range(len(sent))], after=hours(400)) == []
    around = [
        (NOON + timedelta(hours=first) - DAY, NOON + timedelta(hours=last) + DAY + SETTLE) for first, last in windows
    ]
    assert [asked for asked in it.adapter.asked if asked[0] == "invoice"] == [
        ("invoice", *window, None) for window in around
    ]


def test_pages_are_asked_for_one_after_the_other():
    it = world(pages=[Page(items=[], cursor="2"), Page(items=[listed()], cursor="3"), Page(items=[])])
    it.made()
    assert it.findings() == []
    assert [cursor for kind, _, _, cursor in it.adapter.asked if kind == "invoice"] == [None, "2", "3"]


def test_a_page_that_shows_nothing_although_it_should_is_gone_past_once():
    lost = Page(items=[], cursor="on", lost=True)
    found = Page(items=[listed("theirs", "B-7")], cursor="on")
    it = world(pages=[lost, found, lost, Page(items=[listed()])])
    it.made()
    assert it.findings() == []
    it.adapter.pages.extend([found, lost, lost, Page(items=[listed()])])
    report = it.reconcile()
    assert report.unread == ("the rest of the list of invoices: the vendor shows no more of it",)
    assert len(it.adapter.pages) == 1
    it.adapter.pages.clear()


def test_records_that_cannot_be_read_are_named():
    it = world(pages=[Page(items=[], skipped=[drift("inv-7")], cursor="2"), Page(items=[], skipped=[drift(None)])])
    report = it.reconcile()
    assert report.unread == ("invoice inv-7 in the books", "invoice without id in the books")


UNTOLD = {"reference": None, "tells_reference": False}


@BOTH
def test_where_a_list_tells_no_references_only_what_the_journal_does_not_know_is_read(kind):
    it = world(kind, shown=UNTOLD)
    it.made()
    it.sent("A-2")
    it.book("doc-1")
    it.book("doc-2", "A-2")
    it.book("doc-3", "A-2", customer_id="c-9")
    it.book("doc-4", "A-2", void=True)
    orphan = LEFT + "repeat the same call, or reconcile with adopt=True"
    assert it.findings() == [finding(FindingKind.ORPHAN, orphan, "doc-2", document=kind, reference="A-2")]
    assert it.adapter.read == ["doc-2", "doc-3", "doc-4"]


def test_what_is_read_one_by_one_is_compared_as_what_is_listed():
    it = world(shown=UNTOLD)
    it.sent()
    it.book(currency="USD")
    assert it.findings()[1:] == [finding(FindingKind.ALTERED, "it is in USD, and was sent in EUR", "doc-1")]


def test_a_document_that_cannot_be_read_does_not_hide_the_next():
    it = world(shown=UNTOLD, answers={"odd": ab.MalformedResponse("unreadable"), "gone": ab.NotFound("deleted")})
    it.book("odd")
    it.book("gone")
    it.book("theirs", "B-7")
    report = it.reconcile()
    assert (report.unread, report.unknown) == (("invoice odd in the books",), ("B-7",))


@BOTH
def test_a_document_of_ours_that_cannot_be_read_is_named_and_the_next_is_checked(kind):
    it = world(kind, answers={"doc-1": ab.MalformedResponse("unreadable")})
    it.made()
    it.made("doc-2", "A-2")
    report = it.reconcile()
    assert (report.unread, report.checked) == (("A-1",), 2)
    assert [(one.kind, one.reference) for one in report.findings] == [(FindingKind.MISSING, "A-2")]


@pytest.mark.parametrize("error", [ab.Unavailable, ab.AuthenticationFailed])
def test_an_outage_while_one_document_is_read_ends_the_run(error):
    it = world(answers={"doc-1": error("not now")})
    it.made()
    with pytest.raises(error, match="not now"):
        it.reconcile()


# ---- how much is read ------------------------------------------------------------------------------------------

NO_SALES = {"book_sale": False}


def test_reads_are_counted_to_the_last_one_where_a_list_tells_no_references():
    it = world(changes=NO_SALES, shown=UNTOLD)
    for name in ("B-1", "B-2", "B-3"):
        it.book(name, name)
    enough = it.reconcile(most_reads=4)
    assert (enough.unread, enough.unknown) == ((), ("B-1", "B-2", "B-3"))
    assert it.reconcile(most_reads=2).unread == ("invoice B-2 in the books", "invoice B-3 in the books")
    assert it.adapter.read == ["B-1", "B-2", "B-3", "B-1"]


@pytest.mark.parametrize(("most_reads", "told", "unread"), [(3, [FindingKind.DOUBLED], ()), (2, [], ("A-1",))])
def test_twins_are_read_as_long_as_reads_are_left(most_reads, told, unread):
    it = world(changes=NO_SALES, hidden={"doc-1"})
    it.made()
    it.book("doc-1")
    it.book("doc-2")
    report = it.reconcile(most_reads=most_reads)
    assert ([one.kind for one in report.findings], report.unread) == (told, unread)
    assert len(it.adapter.asked) + len(it.adapter.read) == most_reads


def test_a_list_is_read_as_far_as_reads_are_left():
    page = Page(items=[], cursor="on")
    it = world(changes=NO_SALES, pages=[page, page, Page(items=[])])
    report = it.reconcile(most_reads=2)
    assert report.unread == ("the rest of the list of invoices",)
    assert len(it.adapter.asked) == 2


def test_where_sales_cannot_be_booked_they_are_not_listed_and_those_of_the_journal_are_named():
    it = world("sale", changes=NO_SALES, pages=[Page(items=[], incomplete="no more")])
    it.made(reference="R-1")
    it.book(reference="R-1")
    report = it.reconcile()
    assert (report.findings, report.checked, report.note) == ((), 0, None)
    assert report.unread == (
        "the rest of the list of invoices: no more", "sale R-1 (this connection cannot read sales)",
    )  # fmt: skip
    assert [kind for kind, *_ in it.adapter.asked] == ["invoice"]
    assert it.reconcile(references=["R-1"]).unread == ("sale R-1 (this connection cannot read sales)",)


# ---- what the journal does not know ----------------------------------------------------------------------------


def test_a_reference_that_was_never_heard_of():
    it = world()
    assert it.findings(references=["A-9"]) == [
        finding(
            FindingKind.NOT_MADE, "the journal has never heard of it: nothing was sent under this reference",
            document="document", reference="A-9", sent=None,
        )
    ]  # fmt: skip


def test_only_references_of_invoices_are_told_as_unknown_and_only_of_a_period():
    """Whatever sale a person books has a number."""
    it = world()
    it.made()
    it.book()
    it.book("theirs", "B-7")
    it.adapter.books.sales["sale-1"] = document("sale", "sale-1", "R-7")
    assert it.reconcile().unknown == ("B-7",)
    assert it.reconcile(references=["A-1"]).unknown == ()


def test_what_was_sent_while_the_list_was_read_is_not_unknown():
    it = world()
    it.book("theirs", "B-7")
    it.book("ours", "A-2")
    it.adapter.while_listing.append(lambda: it.sent("A-2"))
    assert it.reconcile().unknown == ("B-7",)


def test_books_with_references_and_a_journal_with_none_are_told_in_words():
    it = world()
    it.book()
    assert it.reconcile().note == (
        "nothing was checked: the journal of tenant 'default' has nothing sent between 2026-03-31 and 2026-03-31, nor "
        "on any other day, and the books hold references: is it the journal that they were made with, and the same "
        "tenant? One in memory knows of its own process only"
    )


# ---- credit notes carry the reference of what they take back ---------------------------------------------------------


def test_a_credit_note_is_no_other_invoice_of_the_reference():
    it = world()
    it.made()
    it.book("doc-1", void=True)
    it.book("credit", gross=-GROSS)
    (voided,) = it.findings()
    assert (voided.kind, voided.ids) == (FindingKind.VOIDED, ("doc-1",))
    assert "use a new reference" in voided.advice


@pytest.mark.parametrize("order", [("doc-1", "credit"), ("credit", "doc-1")])
def test_an_orphan_is_adopted_beside_its_credit_note(order):
    it = world()
    it.sent()
    for one in order:
        it.book(one, gross=GROSS if one == "doc-1" else -GROSS)
    (orphan,) = it.findings(adopt=True)
    assert (orphan.kind, orphan.ids, orphan.booked, orphan.adopted) == (FindingKind.ORPHAN, ("doc-1",), GROSS, True)


@pytest.mark.parametrize("renames", [True, False])
def test_a_credit_note_is_not_taken_for_what_became_of_an_invoice_that_is_gone(renames):
    it = world(changes={"renames_final": renames})
    it.made()
    it.book("credit", gross=-GROSS)
    (missing,) = it.findings()
    assert (missing.kind, missing.ids) == (FindingKind.MISSING, ("doc-1",))
    assert "somebody deleted it" in missing.advice


def test_an_orphan_in_another_currency_is_not_adopted():
    it = world()
    it.sent()
    it.book(currency="USD")
    orphan, altered = it.findings(adopt=True)
    assert (orphan.kind, orphan.adopted) == (FindingKind.ORPHAN, False)
    assert (altered.kind, altered.advice) == (FindingKind.ALTERED, "it is in USD, and was sent in EUR")


def test_a_twin_that_was_seen_is_told_although_another_could_not_be_read():
    it = world()
    it.made()
    for one in ("doc-1", "doc-2", "doc-3"):
        it.book(one)
    it.adapter.answers["doc-3"] = ab.MalformedResponse("odd")
    report = it.reconcile()
    assert [(one.kind, one.ids) for one in report.findings] == [(FindingKind.DOUBLED, ("doc-1", "doc-2"))]
    assert report.unread == ("A-1",)


def test_a_twin_that_was_seen_is_told_although_no_reads_are_left():
    it = world(changes=NO_SALES)
    it.made()
    for one in ("doc-1", "doc-2", "doc-3"):
        it.book(one)
    report = it.reconcile(most_reads=2)
    assert [(one.kind, one.ids) for one in report.findings] == [(FindingKind.DOUBLED, ("doc-1", "doc-2"))]
    assert report.unread == ("A-1",)


def test_another_amount_is_told_although_a_twin_could_not_be_read():
    it = world()
    it.made()
    it.book("doc-1", gross=OTHER)
    it.book("doc-2")
    it.adapter.answers["doc-2"] = ab.MalformedResponse("odd")
    report = it.reconcile()
    assert [(one.kind, one.ids) for one in report.findings] == [(FindingKind.WRONG_TOTAL, ("doc-1",))]
    assert report.unread == ("A-1",)
