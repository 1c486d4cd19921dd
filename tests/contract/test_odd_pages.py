"""Pages as no documentation describes them, and books that move while they are read: nobody is lost, nobody doubled."""

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oddities import assert_told, changed, imported
from sandboxed import CASES, Vendor, every_vendor, serving_all
from vendor_case import HIDDEN

import accounting_bridge as ab
from accounting_bridge import wire
from accounting_bridge.sandbox import Call, Fault, Reply
from accounting_bridge.sandbox.base import Refusal


@pytest.fixture(scope="module")
def servers() -> Iterator[Mapping[str, Vendor]]:
    with serving_all() as servers:
        yield servers


@pytest.fixture(params=["msgspec", "plain"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of reading: with the accelerator, and without."""
    if request.param == "plain":
        monkeypatch.setattr(wire, "_fast_decoder", lambda _: None)


@pytest.fixture
def vendor(request: pytest.FixtureRequest, servers: Mapping[str, Vendor]) -> Vendor:
    """The vendor of the parametrisation, with untouched books."""
    found = servers[request.param]
    found.renew()
    return found


# ---- odd pages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, HIDDEN, 7, True], ids=repr)
@every_vendor
def test_a_page_without_its_list_is_told_and_is_not_complete(vendor: Vendor, value: Any) -> None:
    vendor.box.mutate(vendor.paths.customers, lambda body: changed(body, vendor.list_at, value))
    customers, run = imported(vendor)
    assert customers == []
    assert_told(vendor, run, "$")


@pytest.mark.parametrize("whole", ["", [], None, HIDDEN], ids=repr)
def test_a_billomat_list_that_is_nothing_is_told_when_it_should_be_something(
    servers: Mapping[str, Vendor], whole: Any
) -> None:
    vendor = servers["billomat"]
    vendor.renew()
    vendor.box.mutate(vendor.paths.customers, lambda _: {"clients": whole})
    customers, run = imported(vendor)
    assert customers == []
    assert not run.complete
    assert vendor.drifts == list(run.skipped)
    assert len(run.skipped) == 1


@pytest.mark.parametrize("body", [None, [], HIDDEN, 7, {}], ids=repr)
@every_vendor
def test_a_page_that_is_no_page_raises(vendor: Vendor, body: Any) -> None:
    if body in vendor.pages_without_list:
        pytest.skip("this is a page without its list")
    vendor.box.mutate(vendor.paths.customers, lambda _: body)
    with vendor.connect() as provider, pytest.raises(ab.MalformedResponse) as caught:
        list(provider.import_customers())
    assert HIDDEN not in str(caught.value)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("spoiled", [0, 1])
@every_vendor
def test_a_page_that_is_html_raises_after_what_came_before(vendor: Vendor, spoiled: int) -> None:
    """With status 200, as load balancers do; the import is not complete and can be repeated."""
    pages = paged(vendor, 5, size=3)
    seen = []
    with vendor.connect() as provider:
        run = provider.import_customers()
        customers = iter(run)
        if spoiled:
            seen += [next(customers) for _ in range(3)]
        vendor.box.faults.add(Fault("html", match=vendor.paths.customers, status=200, body=f"<html>{HIDDEN}</html>"))
        with pytest.raises(ab.MalformedResponse) as caught:
            seen += list(customers)
        assert HIDDEN not in f"{caught.value!r} {caught.value}"
        assert not run.complete
        assert len(seen) == 3 * spoiled
        assert [one.id for one in run] == ids_of(pages)
        assert run.complete


# ---- several pages, and books that move ------------------------------------------------------------------------


class Pages:
    """A list of customers that the test owns; the sandbox answers with its pages instead of its own."""

    def __init__(self, vendor: Vendor, count: int, size: int) -> None:
        self.vendor, self.size = vendor, size
        self.made = 0
        self.records: list[dict[str, Any]] = []
        self.asked = 0
        self.between: dict[int, Callable[[], None]] = {}
        """What happens to the books before the n-th page is answered."""
        self.finish: Callable[[Any], Any] = lambda body: body
        for _ in range(count):
            self.insert(len(self.records))
        vendor.box.answer = self.answer

    def answer(self, call: Call) -> Reply:
        try:
            reply: Reply = type(self.vendor.box).answer(self.vendor.box, call)
        except Refusal as refusal:  # the sandbox's own customers end on an earlier page
            reply = refusal.reply
        if not re.match(self.vendor.paths.customers, f"{call.method} {call.path}"):
            return reply
        return Reply.json(200, self.finish(self.page(reply.value() if reply.status == 200 else {}, dict(call.query))))

    def insert(self, index: int) -> None:
        self.made += 1
        self.records.insert(
            index, {**deepcopy(dict(self.vendor.whole)), self.vendor.id_name: self.vendor.record_id(self.made)}
        )

    def page(self, body: Any, query: Mapping[str, str]) -> Any:
        self.between.get(self.asked, lambda: None)()
        self.asked += 1
        index = self.vendor.index_of(query)
        rows = self.records[index * self.size : (index + 1) * self.size]
        return self.vendor.page(body, rows, index=index, size=self.size, total=len(self.records))


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three records a page are enough to see pages move."""
    for case in CASES.values():
        case.small_pages(monkeypatch, 3)


def paged(vendor: Vendor, count: int, size: int = 3) -> Pages:
    return Pages(vendor, count, size)


def ids_of(pages: Pages) -> list[str]:
    return [str(record[pages.vendor.id_name]) for record in pages.records]


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6, 7])
@every_vendor
def test_every_page_arrives_once(vendor: Vendor, count: int) -> None:
    pages = paged(vendor, count)
    customers, run = imported(vendor)
    assert [one.id for one in customers] == ids_of(pages)
    assert run.complete


@pytest.mark.usefixtures("small_pages")
@every_vendor
def test_a_last_page_that_is_empty_is_the_end(vendor: Vendor) -> None:
    """As when the end is not announced before."""
    pages = paged(vendor, 6)
    pages.finish = vendor.unannounced
    customers, run = imported(vendor)
    assert [one.id for one in customers] == ids_of(pages)
    assert run.complete
    assert pages.asked == 3


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize(
    ("vendor", "name"),
    [(vendor, name) for vendor, case in CASES.items() for name in case.envelope_names],
    indirect=["vendor"],
)
@pytest.mark.parametrize("value", [..., None, "many", [], -1, True], ids=repr)
def test_an_odd_envelope_loses_no_page(vendor: Vendor, name: str, value: Any) -> None:
    """Without ``last``, a page that is not full is the last one; without a total, likewise, or one that is empty."""
    if (name, value) == ("last", True):
        pytest.skip("a page that says it is the last one is believed")
    pages = paged(vendor, 7)

    def without(body: Any) -> Any:
        envelope = vendor.envelope(body)
        envelope.pop(name)
        if value is not ...:
            envelope[name] = value
        return body

    pages.finish = without
    customers, run = imported(vendor)
    assert [one.id for one in customers] == ids_of(pages)
    assert run.complete
    assert pages.asked <= 4


@pytest.mark.usefixtures("small_pages")
@every_vendor
@given(data=st.data())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_books_that_move_between_pages_lose_nobody_and_double_nobody(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    """Who was there all the time arrives once. (An addition and a deletion in one moment hide each other.)"""
    vendor.renew()
    vendor.small_pages(monkeypatch, 7)
    pages = paged(vendor, data.draw(st.integers(1, 30)), size=7)
    always = set(ids_of(pages))
    for turn in range(1, 5):
        change = data.draw(st.sampled_from(["nothing", "insert", "delete"]))
        spots = data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=2))
        pages.between[turn] = lambda change=change, spots=spots: move(pages, change, spots)
    customers, run = imported(vendor)
    ids = [one.id for one in customers]
    assert len(set(ids)) == len(ids)
    assert always & set(ids_of(pages)) <= set(ids)
    assert run.complete


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("then", ["insert", "delete", "nothing"])
@every_vendor
def test_what_moves_while_a_page_is_read_again_is_not_lost(vendor: Vendor, then: str) -> None:
    """A deletion moves a record onto a page that was read; what comes or goes next moves it once more."""
    for count in (4, 6, 7, 9):
        vendor.renew()
        pages = paged(vendor, count)
        always = set(ids_of(pages)[2:])
        pages.between = {1: lambda: move(pages, "delete", [0]), 2: lambda: move(pages, then, [0])}  # noqa: B023
        customers, run = imported(vendor)
        ids = [one.id for one in customers]
        assert len(set(ids)) == len(ids)
        assert always <= set(ids)
        assert run.complete


def move(pages: Pages, change: str, spots: list[int]) -> None:
    for spot in spots:
        if change == "insert":  # a list by id has new ones at its end, one by name anywhere
            at = len(pages.records) if pages.vendor.newest_last else spot
            pages.insert(min(at, len(pages.records)))
        elif change == "delete" and len(pages.records) > 1:
            del pages.records[spot % len(pages.records)]


# ---- lists that never end --------------------------------------------------------------------------------------

MOST_CALLS = 45
"""lexoffice's window of 10,000 records is 40 pages."""


def endless(vendor: Vendor, rows: Callable[[int], list[Any]]) -> list[int]:
    """Every page says that there are more, many more."""
    asked: list[int] = []

    def answer(body: Any) -> Any:
        asked.append(1)
        assert len(asked) <= 2 * MOST_CALLS, "the import does not end"
        return vendor.endless(body, rows(len(asked)))

    pages = paged(vendor, 0)  # whatever page is asked for, there is one
    pages.finish = answer
    return asked


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("what", ["nothing", "the same page", "the same record twice"])
@every_vendor
def test_an_endless_list_ends_in_an_error(vendor: Vendor, what: str) -> None:
    """ImportIncomplete, after a bounded number of calls; what came is delivered once."""
    same = [{**vendor.whole, vendor.id_name: vendor.record_id(count)} for count in (11, 12, 13)]
    rows = {"nothing": [], "the same page": same, "the same record twice": [same[1], same[0], same[0]]}[what]
    asked = endless(vendor, lambda _: deepcopy(rows))
    seen: list[str | None] = []
    with vendor.connect() as provider:
        run = provider.import_customers()
        with pytest.raises(ab.ImportIncomplete) as caught:
            seen.extend(one.id for one in run)
    assert len(seen) == len(set(seen)) == len({row[vendor.id_name] for row in rows}) == caught.value.delivered
    assert not run.complete
    assert len(asked) <= MOST_CALLS
