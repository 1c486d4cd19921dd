"""What a nightly import finds, tells and remembers; with the in-memory vendor's books."""

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import anyio
import pytest
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge.sync.course import BATCH
from accounting_bridge.vendors.memory import MemoryBooks

NIGHT = datetime(2026, 3, 31, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
C, U, D, R = ab.ChangeKind.CREATED, ab.ChangeKind.UPDATED, ab.ChangeKind.DEACTIVATED, ab.ChangeKind.REACTIVATED


class Clock:
    """Turned by hand."""

    def __init__(self):
        self.at = NIGHT

    def now(self):
        return self.at

    def monotonic(self):
        return self.at.timestamp()


class Spoiled:
    """A provider, some of whose answers are others."""

    def __init__(self, provider, **others):
        self._provider, self._others = provider, others

    def __getattr__(self, name):
        others = self._others
        return others[name] if name in others else getattr(self._provider, name)


class Import:
    """What a vendor gives: customers, errors among them, and records that it left out."""

    def __init__(self, *given, skipped=()):
        self.given, self.skipped, self.complete = given, skipped, False

    def __iter__(self):
        for one in self.given:
            if isinstance(one, Exception):
                raise one
            yield one
        self.complete = not self.skipped


class World:
    """Books, a store and a clock; and the app, which hears of changes."""

    def __init__(self):
        self.books, self.store, self.clock = MemoryBooks(), ab.MemoryCustomers(), Clock()
        self.asked = []
        self.others = {}

    def put(self, who, /, **changes):
        """A person works in the books, right now."""
        before = self.books.customers.get(f"c{who}") or ab.Customer(
            id=f"c{who}", number=str(who), name=f"Muster {who} GmbH"
        )
        self.books.customers[f"c{who}"] = evolve(before, **{"updated_at": self.clock.at, **changes})

    @property
    def provider(self):
        memory = ab.connect("memory", {"books": self.books})

        def import_customers(*, changed_since=None):
            self.asked.append(changed_since)
            return memory.import_customers(changed_since=changed_since)

        return Spoiled(memory, **{"import_customers": import_customers, **self.others})

    def sync(self, **how):
        return ab.sync_customers(self.provider, self.store, clock=self.clock, **how)

    def hear(self):
        """Kind, number and fields of what the app has not heard yet."""
        heard = []
        for change in self.store.changes("default", "memory"):
            heard.append((change.kind, change.customer.number, *change.fields))
            self.store.acknowledge("default", "memory", change.sequence)
        return heard

    def next_night(self, **how):
        self.clock.at += DAY
        return self.sync(**how)


@pytest.fixture
def world():
    world = World()
    for number in range(1, 4):
        world.put(number)
    world.sync()
    assert [kind for kind, *_ in world.hear()] == [C, C, C]
    return world


# ---- what is told ----------------------------------------------------------------------------------------------


def test_the_first_run_creates_everybody():
    world = World()
    for number in range(250):
        world.put(number, active=number > 0)
    report = world.sync()
    assert (report.created, report.changes, report.unchanged, report.full, report.complete) == (250, 250, 0, True, True)
    assert [kind for kind, *_ in world.hear()] == [C] * 250
    assert list(world.store.customers("default", "memory")) == sorted(
        world.books.customers.values(), key=lambda c: c.id
    )


def test_a_night_in_which_nothing_happened_tells_nothing(world):
    report = world.next_night(full=True)
    assert (report.changes, report.unchanged) == (0, 3)
    assert world.hear() == []


def test_an_update_names_the_fields_and_no_others(world):
    world.put(1, name="Neu GmbH", email="neu@musterwerk.example")
    world.put(2, address=ab.Address(city="Berlin"))
    report = world.next_night()
    assert (report.updated, report.created) == (2, 0)
    assert world.hear() == [(U, "1", "email", "name"), (U, "2", "address")]
    assert world.store.find("default", "memory", "1").email == "neu@musterwerk.example"


def test_a_record_that_was_only_touched_is_no_change(world):
    world.clock.at += DAY
    world.put(1)
    report = world.sync()
    assert (report.updated, report.unchanged) == (0, 3)
    assert world.store.get("default", "memory", "c1").updated_at == world.clock.at


def test_contacts_in_another_order_are_no_change(world):
    one, other = ab.Contact(first_name="Eva"), ab.Contact(first_name="Jan")
    world.put(1, contacts=(one, other))
    world.next_night()
    assert world.hear() == [(U, "1", "contacts")]
    world.put(1, contacts=(other, one))
    assert world.next_night().changes == 0


def test_a_changed_number_comes_with_the_one_before(world):
    world.put(1, number="9001")
    world.next_night()
    (change,) = world.store.changes("default", "memory")
    assert (change.kind, change.fields, change.number_before, change.customer.number) == (U, ("number",), "1", "9001")
    assert world.store.find("default", "memory", "1") is None
    world.put(1, number=None)
    world.next_night()
    (_, change) = world.store.changes("default", "memory")
    assert (change.fields, change.number_before, change.customer.number) == (("number",), "9001", None)


def test_inactive_and_active_again(world):
    world.put(1, active=False)
    assert world.next_night().deactivated == 1
    world.put(1, name="Archiv GmbH")
    assert world.next_night().updated == 1
    world.put(1, active=True)
    assert world.next_night().reactivated == 1
    assert world.hear() == [(D, "1", "active"), (U, "1", "name"), (R, "1", "active")]


def test_a_number_that_two_have_is_stored_twice_and_found_by_nobody(world):
    world.put(4, number="1")
    assert world.next_night().created == 1
    with pytest.raises(ab.DuplicateFound) as caught:
        world.store.find("default", "memory", "1")
    assert caught.value.ids == ("c1", "c4")


def test_a_customer_whom_shifted_pages_bring_twice_is_told_once(world):
    new = ab.Customer(id="c9", number="9", name="Neu GmbH")
    world.others["import_customers"] = lambda **_: Import(new, new, *[new] * BATCH)
    assert world.sync().created == 1
    assert world.hear()[0] == (C, "9")


def test_what_has_no_id_cannot_be_kept(world):
    world.others["import_customers"] = lambda **_: Import(ab.Customer(name="Ohne"), *world.books.customers.values())
    report = world.sync()
    assert (len(report.skipped), report.complete, report.unchanged) == (1, False, 3)


# ---- who is gone -----------------------------------------------------------------------------------------------


def test_only_a_full_run_sees_who_is_gone(world):
    del world.books.customers["c2"]
    assert (report := world.next_night()).full is False
    assert report.deactivated == 0
    report = world.next_night(full=True)
    assert (report.deactivated, report.gone, report.complete) == (1, 1, True)
    (change,) = world.store.changes("default", "memory")
    assert (change.kind, change.gone, change.customer.active, change.fields) == (D, True, False, ())
    assert world.next_night(full=True).changes == 0


def test_a_week_makes_a_run_a_full_one(world):
    del world.books.customers["c2"]
    reports = [world.next_night() for _ in range(8)]
    assert [report.full for report in reports] == [False] * 6 + [True, False]
    assert [report.gone for report in reports] == [0] * 6 + [1, 0]


def test_who_was_gone_may_come_back(world):
    kept = world.books.customers.pop("c2")
    world.next_night(full=True)
    world.hear()
    world.books.customers["c2"] = kept
    assert world.next_night(full=True).reactivated == 1
    assert world.hear() == [(R, "2")]
    assert world.store.find("default", "memory", "2") == kept


def test_of_an_inactive_one_too_it_is_told_that_it_is_gone_and_that_it_is_back(world):
    """Else an app could not tell whom it need not keep any longer."""
    world.put(2, active=False)
    world.next_night()
    del world.books.customers["c2"]
    report = world.next_night(full=True)
    assert (report.deactivated, report.gone, report.complete) == (1, 1, True)
    assert [change.gone for change in world.store.changes("default", "memory")] == [False, True]
    assert world.hear() == [(D, "2", "active"), (D, "2")]
    assert world.store.find("default", "memory", "2") is None
    assert world.next_night(full=True).changes == 0
    world.put(2, active=False)
    assert world.next_night(full=True).reactivated == 1
    assert [change.customer.active for change in world.store.changes("default", "memory")] == [False]


def test_a_customer_that_the_pages_missed_is_looked_up_first(world):
    """People work in the books while pages are read: a row may slip from one page to another."""
    everyone = list(world.books.customers.values())
    world.others["import_customers"] = lambda **_: Import(*everyone[1:])
    report = world.next_night(full=True)
    assert (report.gone, report.complete, report.unchanged) == (0, True, 3)
    # Somebody else has its number now: then it is gone.
    world.books.customers["c1"] = evolve(everyone[0], id="other")
    assert world.next_night(full=True).gone == 1


def test_who_is_found_but_listed_no_more_is_gone_the_second_time(world):
    """A record may stay in the books and be no customer any more; and who has no number cannot be looked up."""
    world.put(1, number=None)
    world.next_night()
    world.hear()
    third = list(world.books.customers.values())[2]
    world.others["import_customers"] = lambda **_: Import(third)
    assert (report := world.next_night(full=True)).gone == 0
    assert report.complete
    world.others["import_customers"] = lambda **_: Import(third, world.books.customers["c2"])
    assert world.next_night(full=True).gone == 1
    (change,) = world.store.changes("default", "memory")
    assert (change.customer.id, change.gone) == ("c1", True)
    # Somebody whom one run missed and the next one met begins anew.
    world.others["import_customers"] = lambda **_: Import(third)
    assert [world.next_night(full=True).gone for _ in range(2)] == [0, 1]


def test_one_of_several_with_the_number_is_still_there(world):
    def find_customer(number):
        raise ab.DuplicateFound("two", ids=["c7", "c1"])

    world.others |= {
        "import_customers": lambda **_: Import(*list(world.books.customers.values())[2:]),
        "find_customer": find_customer,
    }
    report = world.next_night(full=True)
    assert report.gone == 1  # c2, whose number c7 and c1 have
    assert world.store.find("default", "memory", "1") is not None


def test_an_empty_answer_deactivates_nobody(world):
    """More likely a vendor's fault than a bookkeeper's work; the next run looks again."""
    kept = dict(world.books.customers)
    world.books.customers.clear()
    report = world.next_night(full=True, most_gone=2)
    assert (report.gone, report.missing, report.complete, report.watermark) == (0, 3, False, NIGHT - timedelta(hours=1))
    world.books.customers |= kept
    assert world.next_night(full=True, most_gone=2).changes == 0
    world.books.customers.clear()
    assert world.next_night(full=True, most_gone=3).gone == 0
    assert world.next_night(full=True, most_gone=2, gone_confirmed=3).gone == 3


@pytest.mark.parametrize("count", [1, 3, 4, 40])
def test_an_empty_list_of_few_deactivates_nobody_either(count):
    """Until a person has looked, and says how many it may be; the report tells how."""
    world = World()
    for number in range(count):
        world.put(number, number=None if number == 2 else str(number))
    world.sync()
    world.books.customers.clear()
    report = world.next_night(full=True)
    assert (report.gone, report.missing, report.complete, report.full) == (0, count, False, True)
    assert f"not one of {count} came in memory's list" in report.doubt
    assert f"gone_confirmed={count} once" in report.doubt
    assert len(list(world.store.customers("default", "memory"))) == count
    assert world.next_night(full=True, gone_confirmed=count - 1).gone == 0
    report = world.next_night(full=True, gone_confirmed=count)
    assert (report.gone, report.missing, report.complete, report.doubt) == (count, 0, True, None)
    assert world.next_night(full=True).complete  # books that are empty now are no longer in doubt


@pytest.mark.parametrize(("there", "missing", "believed"), [(9, 3, True), (4, 3, True), (12, 4, True), (11, 4, False)])
def test_more_than_a_third_at_once_is_doubted(there, missing, believed):
    """Three may always go; of more, a third."""
    world = World()
    for number in range(there):
        world.put(number)
    world.sync()
    for number in range(missing):
        del world.books.customers[f"c{number}"]
    world.put("new")  # who is new says nothing of those who were there
    report = world.next_night(full=True)
    assert (report.gone, report.complete, report.doubt is None) == (missing if believed else 0, believed, believed)
    assert report.created == 1
    if not believed:
        assert f"{missing} of {there} known customers are missing" in report.doubt
        assert world.next_night(full=True, gone_confirmed=missing).gone == missing


def test_all_others_in_the_place_of_the_known_ones_are_doubted(world):
    """As after a vendor gave everybody a new id."""
    for number in range(4, 9):
        world.put(number)
    world.next_night()
    moved = {f"x{one.id}": evolve(one, id=f"x{one.id}") for one in world.books.customers.values()}
    world.books.customers.clear()
    world.books.customers |= moved
    report = world.next_night(full=True)
    assert (report.created, report.gone, report.missing) == (8, 0, 8)


def test_a_number_whose_answer_cannot_be_read_proves_nothing(world):
    def find_customer(number):
        raise ab.MalformedResponse("odd")

    world.others["find_customer"] = find_customer
    del world.books.customers["c1"]
    assert (report := world.next_night(full=True)).complete
    assert report.gone == 0
    assert world.next_night(full=True).gone == 1


# ---- who cannot be read ----------------------------------------------------------------------------------------


def unreadable(world, *names):
    """From now on these records cannot be read; asked for changes, the vendor lists them where they have some."""
    drifts = {one: ab.Drift(vendor="memory", what="customer", record=one, problems=("odd @ $.name",)) for one in names}

    def import_customers(*, changed_since=None):
        world.asked.append(changed_since)
        some = [one for one in world.books.customers.values() if not changed_since or one.updated_at >= changed_since]
        came = [one for one in some if one.id not in drifts]
        return Import(*came, skipped=[drifts[one.id] for one in some if one.id in drifts])

    world.others["import_customers"] = import_customers
    return drifts


def test_one_who_can_never_be_read_holds_up_nobody_else(world):
    """Watermark and full runs go on, others are judged; the report names it each night."""
    for number in range(4, 8):
        world.put(number)
    world.next_night()
    drifts = unreadable(world, "c2")
    start = world.clock.at
    del world.books.customers["c3"]
    reports = []
    for number in range(9):
        world.clock.at += DAY
        world.put(f"new {number}")
        reports.append(world.sync())
    assert [report.full for report in reports] == [False] * 5 + [True] + [False] * 3
    assert [report.gone for report in reports] == [0] * 5 + [1] + [0] * 3
    assert {report.skipped for report in reports} == {(drifts["c2"],)}
    assert world.asked[-1] > world.books.customers["c2"].updated_at  # it is named though it was not met
    assert {report.complete for report in reports} == {False}
    assert reports[-1].watermark == start + 9 * DAY - timedelta(hours=1)
    assert world.store.get("default", "memory", "c2").active  # it is there, though nobody knows how it looks


def test_who_can_be_read_again_is_named_no_more(world):
    unreadable(world, "c2", "c3")
    assert len(world.next_night(full=True).skipped) == 2
    unreadable(world, "c3")
    world.clock.at += DAY
    world.put(2, name="Lesbar GmbH")
    report = world.sync()
    assert (report.full, report.updated, [one.record for one in report.skipped]) == (False, 1, ["c3"])
    del world.books.customers["c3"]
    report = world.next_night(full=True)
    assert (report.skipped, report.gone, report.complete) == ((), 1, True)


def test_one_who_could_not_be_read_in_the_first_run_does_not_make_every_run_a_full_one():
    world = World()
    for number in range(3):
        world.put(number)
    unreadable(world, "c1")
    assert world.sync().full
    report = world.next_night()
    assert (report.full, report.complete, len(report.skipped)) == (False, False, 1)
    world.others.clear()
    assert world.sync(full=True).created == 1
    assert world.next_night().complete


def test_a_list_that_cannot_be_read_at_all_says_nothing_of_anybody(world):
    """Of more than a hundred, the vendor has changed its form; and one without an id may be anybody."""
    for number in range(4, 150):
        world.put(number)
    world.next_night()
    before = world.store.progress("default", "memory")
    unreadable(world, *[f"c{number}" for number in range(4, 105)])
    del world.books.customers["c1"]
    report = world.next_night(full=True)
    assert (len(report.skipped), report.gone, report.complete) == (101, 0, False)
    assert world.store.progress("default", "memory") == before
    nobody = ab.Drift(vendor="memory", what="customer", record=None, problems=("odd",))
    some = list(world.books.customers.values())[1:]
    world.others["import_customers"] = lambda **_: Import(*some, skipped=[nobody])
    report = world.next_night(full=True)
    assert (report.skipped, report.gone, report.complete) == ((nobody,), 0, False)
    assert world.store.progress("default", "memory") == before


def test_a_contact_that_cannot_be_read_is_no_customer(world):
    """Informer's are records of their own, whose ids say nothing of customers; one need not even have an id."""
    odd = [ab.Drift(vendor="memory", what="contact", record=one, problems=("odd",)) for one in ("c1", None)]
    some = list(world.books.customers.values())[1:]
    world.books.customers.pop("c1")
    world.others["import_customers"] = lambda **_: Import(*some, skipped=odd)
    report = world.next_night(full=True)
    assert (report.gone, report.skipped, report.complete) == (1, tuple(odd), False)
    assert world.store.progress("default", "memory").skipped == ()


# ---- what a run reads, and what it remembers -------------------------------------------------------------------


def test_the_watermark_is_the_newest_change_less_the_overlap(world):
    """Nothing new, and it stays; the books' own clock may be ahead of the app's, and then the app's counts."""
    world.next_night()
    world.next_night()
    world.put(1, name="Neu GmbH", updated_at=world.clock.at - timedelta(hours=3))
    report = world.sync(overlap=timedelta(minutes=5))
    assert report.watermark == world.clock.at - timedelta(hours=3, minutes=5)
    world.put(1, name="Neuer GmbH", updated_at=world.clock.at + DAY)
    report = world.sync()
    assert world.asked == [None, *[NIGHT - timedelta(hours=1)] * 3, NIGHT + 2 * DAY - timedelta(hours=3, minutes=5)]
    assert (
        report.watermark == world.store.progress("default", "memory").watermark == world.clock.at - timedelta(hours=1)
    )


def test_books_that_show_no_time_of_change_are_read_in_full():
    """Also books that are empty."""
    world = World()
    reports = [world.sync(), world.next_night()]
    world.put(1, updated_at=None)
    reports += [world.next_night(), world.next_night()]
    assert {(report.full, report.complete, report.watermark) for report in reports} == {(True, True, None)}
    world.put(1, updated_at=datetime.min.replace(tzinfo=UTC))  # some vendor's word for "never"
    assert world.next_night().watermark == datetime.min.replace(tzinfo=UTC)
    assert world.next_night().full is False


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(hours=23), 30 * DAY])
def test_a_clock_that_ran_ahead_for_one_night_hides_nothing(world, ahead):
    """What is changed afterwards is stamped by the vendor's clock, which was right."""
    world.clock.at += DAY
    world.put(1, name="Neu GmbH")
    world.clock.at += ahead
    world.sync()
    world.clock.at -= ahead
    world.clock.at += timedelta(hours=2)
    world.put(2, name="Umbenannt GmbH")
    world.put(4)
    report = world.next_night()
    assert (report.updated, report.created) == (1, 1)
    assert world.store.get("default", "memory", "c2").name == "Umbenannt GmbH"


@pytest.mark.parametrize("able", [ab.ChangedSince.FILTERED, ab.ChangedSince.EVERYTHING])
def test_where_the_vendor_does_not_filter_every_run_sees_who_is_gone(world, able):
    world.others["capabilities"] = evolve(world.provider.capabilities, changed_since=able)
    del world.books.customers["c2"]
    report = world.next_night()
    assert (world.asked[-1], report.full, report.gone) == (None, True, 1)


def test_a_vendor_that_keeps_the_rest_is_reported(world):
    some = list(world.books.customers.values())
    world.others["import_customers"] = lambda **_: Import(
        evolve(some[0], name="Neu GmbH"), ab.ImportIncomplete("keeps 10,000")
    )
    report = world.next_night(full=True)
    assert (report.updated, report.gone, report.complete, report.full) == (1, 0, False, True)
    assert isinstance(report.stopped, ab.ImportIncomplete)
    assert report.watermark == NIGHT - timedelta(hours=1)


def test_what_came_before_a_failure_is_kept_and_told_once(world):
    new = [ab.Customer(id=f"n{number}", name="Neu GmbH") for number in range(BATCH + 7)]
    world.others["import_customers"] = lambda **_: Import(*new, ab.Unavailable("away"))
    with pytest.raises(ab.Unavailable, match="away"):
        world.next_night()
    assert len(world.hear()) == BATCH + 7
    assert world.store.progress("default", "memory").watermark == NIGHT - timedelta(hours=1)
    world.others["import_customers"] = lambda **_: Import(*new)
    assert (report := world.sync()).complete  # at once: the failed run is not waited for
    assert (report.changes, report.unchanged) == (0, BATCH + 7)


def test_wrong_credentials_leave_everything_as_it_was(world):
    def check():
        raise ab.AuthenticationFailed("no")

    world.others["check"] = check
    with pytest.raises(ab.AuthenticationFailed):
        world.next_night()
    world.others.clear()
    assert world.sync().complete


def test_a_full_run_in_the_future_is_not_believed(world):
    """The clock ran ahead for a night: until then no run would look who is gone."""
    world.clock.at += 30 * DAY
    world.sync()
    world.clock.at -= 29 * DAY
    assert world.sync().full
    assert world.next_night().full is False


def test_batches_bound_the_memory_of_a_run():
    world = World()
    world.books.add_customers(1050)
    sizes = []
    apply = world.store.apply
    world.store.apply = lambda run, entries, **how: (sizes.append(len(entries)), apply(run, entries, **how))
    assert world.sync().created == 1050
    assert max(sizes) <= BATCH


# ---- whose books ----------------------------------------------------------------------------------------------


def test_other_books_under_the_same_tenant_are_refused(world):
    other = World()
    other.store, other.books.company = world.store, "Andere GmbH"
    other.put(9)
    with pytest.raises(ab.OtherBooks, match="nothing was read"):
        other.sync()
    assert other.asked == []
    assert len(list(world.store.customers("default", "memory"))) == 3
    assert other.sync(tenant="other").created == 1
    assert world.next_night().complete


def test_a_run_that_broke_off_has_said_whose_books_it_read():
    """Else what it left behind would be mixed with those of other books."""
    world = World()
    world.others["import_customers"] = lambda **_: Import(ab.Customer(id="c1", name="Muster GmbH"), ab.Unavailable("x"))
    with pytest.raises(ab.Unavailable):
        world.sync()
    world.books.company = "Andere GmbH"
    with pytest.raises(ab.OtherBooks):
        world.sync()


def test_a_company_that_was_renamed_is_confirmed_once(world):
    world.books.company = "Umfirmiert GmbH"
    with pytest.raises(ab.OtherBooks):
        world.next_night()
    report = world.sync(same_books=True)
    assert (report.full, report.complete, report.changes) == (True, True, 0)  # a person may be wrong: all is compared
    assert world.next_night().full is False


def test_an_account_is_told_by_its_id_where_there_is_one(world):
    connection = world.provider.check()
    world.others["check"] = lambda: evolve(connection, account_id="a-1")
    assert world.next_night().complete
    world.others["check"] = lambda: evolve(connection, account_id="a-1", company="Umfirmiert GmbH")
    assert world.next_night().complete
    world.others["check"] = lambda: evolve(connection, account_id="a-2", company="Umfirmiert GmbH")
    with pytest.raises(ab.OtherBooks):
        world.next_night()


def checked(world, before, after, *, oauth=True):
    """Each time somebody asks whose books these are: *before* the first time, then *after*."""
    asked = []

    def check():
        asked.append(True)
        return before if len(asked) == 1 else after

    world.others["check"] = check
    world.others["capabilities"] = evolve(world.provider.capabilities, oauth=oauth)
    return asked


@pytest.mark.parametrize("how", [{}, {"same_books": True}], ids=["as ever", "renamed"])
@pytest.mark.parametrize("oauth", [True, False])
def test_whose_books_they_are_is_asked_again_where_that_may_change(world, how, oauth):
    here = evolve(world.provider.check(), **({"company": "Umfirmiert GmbH"} if how else {}))
    asked = checked(world, here, here, oauth=oauth)
    assert world.next_night(**how).complete
    assert len(asked) == 1 + oauth


@pytest.mark.parametrize("full", [True, False])
def test_a_consent_for_other_books_keeps_the_watermark(world, full):
    connection = world.provider.check()
    checked(world, connection, evolve(connection, company="Andere GmbH"))
    mark = world.store.progress("default", "memory").watermark
    with pytest.raises(ab.OtherBooks, match="somebody consented"):
        world.next_night(full=full)
    assert world.store.progress("default", "memory").watermark == mark


def test_a_consent_while_those_who_did_not_come_are_looked_up(world):
    """In the other books nobody has that number: this says nothing of the customer."""
    whose = [world.provider.check()]
    world.others["check"] = lambda: whose[-1]
    world.others["capabilities"] = evolve(world.provider.capabilities, oauth=True)
    world.others["import_customers"] = lambda **_: Import(*[world.books.customers[f"c{one}"] for one in (1, 2)])
    world.others["find_customer"] = lambda number: whose.append(evolve(whose[0], company="Andere GmbH"))
    with pytest.raises(ab.OtherBooks, match="somebody consented"):
        world.next_night(full=True)
    assert world.hear() == []


def test_a_consent_for_other_books_in_the_middle_of_a_run(world):
    """The pages after it are those of somebody else: of what they lack, nothing is concluded."""
    connection = world.provider.check()
    checked(world, connection, evolve(connection, company="Andere GmbH"))
    world.others["import_customers"] = lambda **_: Import(ab.Customer(id="b9", name="Fremd GmbH"))
    mark = world.store.progress("default", "memory").watermark
    with pytest.raises(ab.OtherBooks, match="somebody consented for other books"):
        world.next_night(full=True)
    assert [what[0] for what in world.hear()] == [C]
    assert world.store.progress("default", "memory").watermark == mark
    world.others.clear()
    assert world.next_night(full=True).gone == 0  # looked up by number: this one has none, so it is missed twice
    assert world.next_night(full=True).gone == 1
    assert [(what[0], what[1]) for what in world.hear()] == [(D, None)]


def test_a_second_run_is_told_that_one_is_under_way(world):
    world.store.begin("default", "memory", at=NIGHT, until=NIGHT + timedelta(minutes=2))
    with pytest.raises(ab.Unavailable) as caught:
        world.sync()
    assert caught.value.retry_at == NIGHT + timedelta(minutes=2)
    world.clock.at = NIGHT + timedelta(minutes=2)
    assert world.sync().complete


def test_bad_arguments_are_named_together(world):
    with pytest.raises(ab.InvalidRequest) as caught:
        world.sync(tenant="", full_every=7, overlap=-DAY, most_gone=True, gone_confirmed=-1, full=1, same_books="yes")
    assert [problem.field for problem in caught.value.problems] == [
        "tenant", "full_every", "overlap", "most_gone", "gone_confirmed", "full", "same_books",
    ]  # fmt: skip
    with pytest.raises(ab.InvalidRequest, match="tenant: holds half a character"):
        world.sync(tenant="a\ud800")


def wrong_calls():
    books = {"books": MemoryBooks()}
    ours, other, store = ab.connect("memory", books), ab.connect_async("memory", books), ab.MemoryCustomers()
    path = "store: must be a customer store, not a path: SqliteCustomers("
    yield ours, "cust.db", [f"{path}'cust.db')"]
    yield ours, Path("cust.db"), [f"{path}'cust.db')"]
    yield ours, None, ['store: must be a customer store, not NoneType: SqliteCustomers("customers.db")']
    yield ours, ab.MemoryCustomers, ["store: must be a customer store, not the class MemoryCustomers: SqliteCustomers"]
    yield store, ours, ["provider: is a customer store: the provider comes first", "store: is a provider: the provider"]
    yield "memory", "cust.db", ["provider: must be what connect() returned, not str", f"{path}'cust.db')"]
    yield "memory", store, ["provider: must be what connect() returned, not str"]
    yield other, store, ["provider: is of connect_async(): await sync_customers_async(provider, store)"]
    yield other, "cust.db", ["provider: is of connect_async(): await", f"{path}'cust.db')"]


@pytest.mark.parametrize(("provider", "store", "said"), list(wrong_calls()))
def test_wrong_arguments_are_named_with_the_cure(provider, store, said):
    with pytest.raises(ab.InvalidRequest) as caught:
        ab.sync_customers(provider, store, most_gone=-1)
    shown = [str(problem) for problem in caught.value.problems]
    assert [one.startswith(text) for one, text in zip(shown, said, strict=False)] == [True] * len(said), shown
    assert [problem.field for problem in caught.value.problems][len(said) :] == ["most_gone"]


def test_the_async_twin_names_them_too():
    async def calls():
        with pytest.raises(ab.InvalidRequest, match=r"is of connect\(\): call sync_customers\(provider, store\)"):
            await ab.sync_customers_async(ab.connect("memory", {"books": MemoryBooks()}), ab.MemoryCustomers())
        with pytest.raises(ab.InvalidRequest, match=r"what connect_async\(\) returned, not str[^$]*not a path"):
            await ab.sync_customers_async("memory", "cust.db")

    anyio.run(calls)


def test_no_repr_shows_a_customer(world):
    world.put(1, name="Geheim GmbH", number="777001")
    report = world.next_night()
    (change,) = world.store.changes("default", "memory")
    shown = f"{report!r} {change!r} {world.store!r} {world.store.progress('default', 'memory')!r}"
    assert [word for word in ("Geheim", "777001", "Musterbuchhaltung") if word in shown] == []


# ---- async -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_async_twin_does_the_same(backend, tmp_path):
    books = MemoryBooks()
    books.add_customers(250)
    store = ab.SqliteCustomers(tmp_path / "customers.db")

    async def night():
        async with ab.connect_async("memory", {"books": books}) as provider:
            return await ab.sync_customers_async(provider, store, full=True)

    first = anyio.run(night, backend=backend)
    del books.customers["customer-7"]
    second = anyio.run(night, backend=backend)
    assert (first.created, second.unchanged, second.gone) == (250, 249, 1)
    assert len(list(store.changes("default", "memory"))) == 251


@pytest.mark.parametrize("how", ["asyncio", "trio", "native"])
def test_a_cancelled_run_lets_the_next_one_begin(how, tmp_path):
    """By a scope, and by asyncio's own cancellation, which takes no notice of scopes."""
    books, store = MemoryBooks(), ab.SqliteCustomers(tmp_path / "customers.db")
    books.add_customers(250)

    class Endless:
        skipped, complete = (), False

        def __init__(self):
            self.reached = anyio.Event()

        async def __aiter__(self):
            for number in range(150):
                yield ab.Customer(id=str(number), name="Muster GmbH")
            self.reached.set()
            await anyio.sleep_forever()

    async def cancelled(provider):
        endless = Endless()
        work = partial(ab.sync_customers_async, Spoiled(provider, import_customers=lambda **_: endless), store)
        if how != "native":
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(work)
                await endless.reached.wait()
                tasks.cancel_scope.cancel()
            return
        task, reached = asyncio.create_task(work()), asyncio.create_task(endless.reached.wait())
        await asyncio.wait([task, reached], return_when=asyncio.FIRST_COMPLETED)
        assert reached.done(), task.result()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def main():
        async with ab.connect_async("memory", {"books": books}) as provider:
            await cancelled(provider)
            return await ab.sync_customers_async(provider, store)

    report = anyio.run(main, backend="trio" if how == "trio" else "asyncio")
    assert report.created == 250
    assert report.missing == 100  # of the first batch, which these books never held: too many at once


def test_both_take_the_same_arguments():
    one, other = (inspect.signature(f).parameters for f in (ab.sync_customers, ab.sync_customers_async))
    assert [(p.name, p.kind, p.default) for p in one.values()] == [(p.name, p.kind, p.default) for p in other.values()]
