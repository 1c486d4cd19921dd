"""What every source promises an app: the same names in both worlds, and bad input refused before anything is sent."""

import inspect
from datetime import date, datetime

import pytest

import accounting_bridge as ab
from accounting_bridge._sourced import AsyncBoundSource, BoundSource
from accounting_bridge.sandbox import serve
from accounting_bridge.sources import AsyncSource, Marking, NotMarked, Source, WorkId
from accounting_bridge.sources.port import FIRST_DAY, LAST_DAY

TWINS = {"__enter__": "__aenter__", "__exit__": "__aexit__"}
IMPORTS = {"customers", "projects", "work", "issued_invoices"}
MAY = (date(2026, 5, 1), date(2026, 5, 31))


@pytest.fixture
def told():
    return []


@pytest.fixture
def mite(told):
    """A connection to nowhere: whatever is sent is told, and fails."""
    settings = {"account": "musterwerk", "api_key": "0123456789abcdef"}
    policy = ab.Policy(deadline=1, timeout=0.2, attempts=1)
    with ab.connect_source(
        "mite", settings, base_url="http://127.0.0.1:9", policy=policy, hooks=ab.Hooks(on_request=told.append)
    ) as source:
        yield source


def members(kind):
    return {
        name: member
        for name, member in vars(kind).items()
        if (not name.startswith("_") or name in {*TWINS, *TWINS.values()})
        and (callable(member) or isinstance(member, property))
    }


def parameters(member):
    function = member.fget if isinstance(member, property) else member
    return [(p.name, p.kind, p.default, str(p.annotation)) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize(("protocol", "bound"), [(Source, BoundSource), (AsyncSource, AsyncBoundSource)])
def test_what_connect_source_returns_has_every_member_of_the_protocol(protocol, bound):
    for name, member in members(protocol).items():
        mine = members(bound)[name]
        assert parameters(mine) == parameters(member), name
        assert inspect.iscoroutinefunction(mine) is inspect.iscoroutinefunction(member), name


def test_sync_and_async_have_the_same_names_and_parameters():
    ours, twins = members(Source), members(AsyncSource)
    assert {TWINS.get(name, name) for name in ours} == set(twins)
    for name, member in ours.items():
        assert parameters(member) == parameters(twins[TWINS.get(name, name)]), name
        awaited = name not in IMPORTS | {"vendor", "capabilities"}
        assert inspect.iscoroutinefunction(twins[TWINS.get(name, name)]) is awaited, name
    assert inspect.signature(ab.connect_source).parameters == inspect.signature(ab.connect_source_async).parameters


def test_an_unknown_source_names_those_there_are():
    with pytest.raises(ab.InvalidRequest, match=r"'mit' is not known; there are: .*mite.*did you mean mite\?"):
        ab.connect_source("mit", {})


def test_every_wrong_setting_is_named_at_once():
    with pytest.raises(ab.InvalidRequest) as refused:
        ab.connect_source("mite", {"account": "evil.example/x", "acount": "m", "locked_means_billed": "yes"})
    assert {problem.field for problem in refused.value.problems} == {
        "account", "acount", "api_key", "locked_means_billed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "choice", "field"),
    [
        ((datetime(2026, 5, 1), date(2026, 5, 31)), {}, "first"),  # noqa: DTZ001
        ((date(2026, 5, 31), date(2026, 5, 1)), {}, "last"),
        (MAY, {"customers": "17"}, "customers"),
        (MAY, {"projects": [17]}, "projects[0]"),
        (MAY, {"customers": [""]}, "customers[0]"),
    ],
)
def test_work_names_what_is_wrong_before_anything_is_sent(mite, told, arguments, choice, field):
    with pytest.raises(ab.InvalidRequest) as refused:
        mite.work(*arguments, **choice)
    assert [problem.field for problem in refused.value.problems] == [field]
    assert told == []


@pytest.mark.parametrize("choice", [{"customers": []}, {"projects": ()}, {"customers": ["1"], "projects": set()}])
def test_an_empty_choice_is_no_work_and_not_all_of_it(mite, told, choice):
    work = mite.work(*MAY, **choice)
    assert list(work) == []
    assert work.complete
    assert told == []


def test_every_wrong_id_is_named_before_anything_is_sent(mite, told):
    wrong = ["mite:time:1", "17", "clockodo:time:2", "mite:expense:3", "mite:time:../x", 4]
    for mark in (mite.mark_billed, mite.mark_unbilled):
        with pytest.raises(ab.InvalidRequest) as refused:
            mark(wrong)
        assert [problem.field for problem in refused.value.problems] == [f"ids[{place}]" for place in range(1, 6)]
    with pytest.raises(ab.InvalidRequest, match="as a list"):
        mite.mark_billed("mite:time:1")
    assert told == []


def test_no_ids_are_nothing_to_do(mite, told):
    assert mite.mark_billed([]) == Marking()
    assert told == []


def test_after_an_outage_the_rest_is_not_tried(mite, told):
    marking = mite.mark_billed(["mite:time:1", "mite:time:2", "mite:time:1"])
    assert [one.id for one in marking.failed] == ["mite:time:1", "mite:time:2"]
    assert all(isinstance(one.error, ab.Unavailable) for one in marking.failed)
    assert len(told) == 1
    assert not marking.complete
    with pytest.raises(ab.Unavailable) as raised:
        marking.raise_failed()
    assert raised.value.__notes__[-1] == "mite:time:1 is one of 2 that could not be marked"


def test_a_complete_marking_raises_nothing():
    marking = Marking(changed=("mite:time:1",))
    assert marking.raise_failed() is marking
    assert not Marking(failed=(NotMarked(id="mite:time:1", error=ab.NotFound("gone")),)).complete


def test_a_source_without_invoices_says_what_to_do_instead(mite, told):
    assert not mite.capabilities.issued_invoices
    with pytest.raises(ab.Unsupported, match="book_sale"):
        mite.issued_invoices(*MAY)
    assert told == []


@pytest.mark.parametrize("text", ["", ":", "mite", "mite:time", "mite:time:", "mite::1", ":time:1", "mite:time:a/b"])
def test_what_is_no_id_is_none(text):
    assert WorkId.parse(text) is None


def test_an_id_survives_its_text():
    assert WorkId.parse(str(WorkId("mite", "time", "17"))) == WorkId("mite", "time", "17")


SETTINGS = {
    "mite": {"account": "musterwerk", "api_key": "k"},
    "clockodo": {"user": "a@b.example", "api_key": "k", "application": "App", "contact": "a@b.example"},
    "timechimp": {"api_key": "k"},
}


@pytest.mark.parametrize("tracker", SETTINGS)
@pytest.mark.parametrize(
    ("first", "last", "named"),
    [
        (date(2026, 1, 1), date.max, ["last"]), (date.min, date(2026, 1, 1), ["first"]),
        (date.min, date.max, ["first", "last"]), (date.max, date.max, ["first", "last"]),
    ],
)  # fmt: skip
def test_days_that_nobody_means_are_refused_with_the_bounds(tracker, first, last, named):
    """A tracker's adapter reckons with the days around them, which no date may hold."""
    with ab.connect_source(tracker, SETTINGS[tracker], base_url="http://127.0.0.1:9") as source:
        with pytest.raises(ab.InvalidRequest, match="1980-01-01 to 2199-12-31") as refused:
            source.work(first, last)
        assert [problem.field for problem in refused.value.problems] == named
        if source.capabilities.issued_invoices:
            with pytest.raises(ab.InvalidRequest, match="1980-01-01 to 2199-12-31"):
                source.issued_invoices(first, last)


@pytest.mark.parametrize("tracker", SETTINGS)
def test_the_bounds_themselves_can_be_asked_for(tracker):
    with serve(tracker, entries=3, rate_limit=False) as box:
        options = {"base_url": box.url, "limits": ab.Unlimited()}
        with ab.connect_source(tracker, box.settings, **options) as source:
            for bound in (FIRST_DAY, LAST_DAY):
                assert list(source.work(bound, bound)) == []


@pytest.mark.parametrize("wanted", ["toggl", "clockify", "Harvest"])
def test_who_asks_for_another_tracker_is_told_of_its_exports(wanted):
    with pytest.raises(ab.InvalidRequest, match=r"there are: clockodo, .*sources\.exports\.read_export"):
        ab.connect_source(wanted, {})


def test_who_takes_the_other_function_is_told_which():
    with pytest.raises(ab.InvalidRequest, match=r"vendor: is a time tracker: open it with connect_source\('mite', …\)"):
        ab.connect("Mite", {})
    with pytest.raises(
        ab.InvalidRequest, match=r"source: is an accounting system: open it with connect\('billomat', …\)"
    ):
        ab.connect_source("billomat", {})
