"""Records as no documentation describes them: none of the others is lost, none comes twice, and the odd one is told."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oddities import assert_told, changed, import_with, imported, paths_in
from sandboxed import CASES, VENDORS, Vendor, change_page, every_vendor, serving_all
from vendor_case import HIDDEN, WHOLE_NAME, Reference

import accounting_bridge as ab
from accounting_bridge import wire


def mapped(vendor: str) -> list[tuple[Any, ...]]:
    case = CASES[vendor]
    return [at for at in paths_in(case.whole) if at[0] not in case.unread]


def cases(*, droppable: bool = False, forgiven: bool = False) -> list[Any]:
    return [
        pytest.param(vendor, at, id=f"{vendor}-{'.'.join(map(str, at))}")
        for vendor, case in CASES.items()
        for at in mapped(vendor)
        if (at[0] in case.forgiven) is forgiven or droppable
        if not droppable or (at not in case.needed and not isinstance(at[-1], int))
    ]


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


# ---- odd fields ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("vendor", "at"), cases(), indirect=["vendor"])
def test_a_wrong_type_in_any_mapped_field_costs_that_record_only(vendor: Vendor, at: tuple[Any, ...]) -> None:
    record = vendor.whole
    value: Any = record
    for name in at:
        value = value[name]
    wrong = [HIDDEN] if not isinstance(value, list) else {HIDDEN: HIDDEN}
    customers, run = import_with(vendor, changed(record, at, wrong))
    assert len({one.id for one in customers}) == len(customers) == 8
    assert_told(vendor, run, str([part for part in at if isinstance(part, str)][-1]))


@pytest.mark.parametrize(("vendor", "at"), cases(forgiven=True), indirect=["vendor"])
def test_an_odd_part_that_is_no_part_of_the_customer_costs_nothing(vendor: Vendor, at: tuple[Any, ...]) -> None:
    """It is told where somebody would miss it, and the customer arrives all the same."""
    customers, run = import_with(vendor, changed(vendor.whole, at, [HIDDEN]))
    assert len({one.id for one in customers}) == len(customers) == 9
    assert HIDDEN not in repr(run.skipped)


@pytest.mark.parametrize(("vendor", "at"), cases(droppable=True), indirect=["vendor"])
@pytest.mark.parametrize("how", ["missing", "null"])
def test_an_optional_field_may_be_missing_or_null(vendor: Vendor, at: tuple[Any, ...], how: str) -> None:
    whole = vendor.whole
    odd = changed(whole, at, drop=True) if how == "missing" else changed(whole, at, None)
    if how == "null" and at in vendor.not_nullable:
        pytest.skip("null says nothing here")
    customers, run = import_with(vendor, odd)
    assert len({one.id for one in customers}) == len(customers) == 9
    assert run.complete
    assert vendor.drifts == []


@every_vendor
def test_a_whole_record_is_read_whole(vendor: Vendor) -> None:
    """What the tests above take away is there to be taken."""
    customers, _ = import_with(vendor, vendor.whole)
    (whole,) = [one for one in customers if one.name == WHOLE_NAME]
    assert whole.address is not None
    assert (whole.address.street_line, whole.address.addition) == ("Beispielweg 7", vendor.addition)
    assert whole.iban == "DE02120300000000202051"


@every_vendor
def test_fields_that_nobody_knows_are_ignored(vendor: Vendor) -> None:
    odd = {**vendor.whole, "brandNew": {"deep": [HIDDEN]}, "@attribute": 1}
    customers, run = import_with(vendor, odd)
    assert (len(customers), run.complete, vendor.drifts) == (9, True, [])


@every_vendor
def test_an_enumeration_with_a_new_value_is_no_reason_to_lose_a_customer(vendor: Vendor) -> None:
    customers, run = import_with(vendor, {**vendor.whole, **vendor.new_values})
    assert (len(customers), run.complete) == (9, True)


@pytest.mark.parametrize(
    "odd", [None, HIDDEN, 7, Decimal("1.5"), True, [], [HIDDEN], {}], ids=lambda odd: f"{type(odd).__name__}-{odd}"
)
@every_vendor
def test_something_else_in_place_of_a_record_costs_nothing_else(vendor: Vendor, odd: Any) -> None:
    customers, run = import_with(vendor, odd)
    assert len({one.id for one in customers}) == len(customers) == 8
    assert_told(vendor, run, "$" if odd != {} else vendor.id_name)


@every_vendor
def test_a_record_whose_id_is_no_id_is_told_without_the_id(vendor: Vendor) -> None:
    customers, run = import_with(vendor, {**vendor.whole, vendor.id_name: {"is": HIDDEN}})
    assert len(customers) == 8
    assert_told(vendor, run, vendor.id_name)
    assert run.skipped[0].record is None


@every_vendor
def test_the_report_names_the_record_where_its_id_can_be_read(vendor: Vendor) -> None:
    _, run = import_with(vendor, changed(vendor.whole, vendor.name_at, [HIDDEN]))
    assert run.skipped[0].record == str(vendor.whole[vendor.id_name])


@every_vendor
def test_a_record_that_stands_twice_on_a_page_comes_once(vendor: Vendor) -> None:
    vendor.box.mutate(vendor.paths.customers, change_page(lambda records: records.append(records[2]), vendor))
    customers, run = imported(vendor)
    assert len({one.id for one in customers}) == len(customers) == 8
    assert run.complete


@every_vendor
def test_a_text_that_cannot_be_printed_costs_that_record_only(vendor: Vendor) -> None:
    customers, run = import_with(vendor, changed(vendor.whole, vendor.name_at, f"{HIDDEN}\x07"))
    assert len(customers) == 8
    assert_told(vendor, run, "name")


# ---- any mutation at all ---------------------------------------------------------------------------------------

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.just(HIDDEN)
    | st.decimals(-10, 10, places=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@every_vendor
@given(data=st.data())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_whatever_happens_to_one_record_the_others_arrive_once(vendor: Vendor, data: st.DataObject) -> None:
    """The mutated one arrives or is told, never both, never neither."""
    vendor.renew()
    at = data.draw(st.sampled_from([at for at in mapped(vendor.name) if at[0] not in vendor.forgiven]))
    drop = data.draw(st.booleans())
    odd = changed(vendor.whole, at, data.draw(JUNK), drop=drop)
    customers, run = import_with(vendor, odd)
    ids = [one.id for one in customers]
    assert len(set(ids)) == len(ids)
    assert len(ids) + len(run.skipped) == 9
    assert len(ids) >= 8
    assert run.complete is (not run.skipped)
    assert vendor.drifts == list(run.skipped)
    assert HIDDEN not in repr([problem for drift in vendor.drifts for problem in drift.problems])


# ---- articles, taxes, posting categories, payment terms --------------------------------------------------------


def read_with(vendor: Vendor, read: Callable[[Any], Any]) -> list[Any]:
    with vendor.connect() as provider:
        return list(read(provider))


@pytest.mark.parametrize("odd", [None, HIDDEN, {}, {"id": [HIDDEN]}, {"id": "1", "...": [HIDDEN]}], ids=repr)
@every_vendor
def test_an_odd_article_costs_no_other(vendor: Vendor, odd: Any) -> None:
    vendor.open_shop()
    if isinstance(odd, dict):
        names = {"id": vendor.id_name, "...": vendor.article_name}
        odd = {names[name]: value for name, value in odd.items()}
    before = read_with(vendor, lambda provider: provider.import_articles())
    assert len(before) >= 2
    vendor.box.mutate(vendor.paths.articles, change_page(lambda rows: rows.insert(1, odd), vendor, "article"))
    assert read_with(vendor, lambda provider: provider.import_articles()) == before
    assert [drift.what for drift in vendor.drifts] == ["article"]
    assert HIDDEN not in repr(vendor.drifts)


@every_vendor
def test_an_article_with_an_impossible_price_costs_no_other(vendor: Vendor) -> None:
    vendor.open_shop()
    before = read_with(vendor, lambda provider: provider.import_articles())
    name, price = vendor.article_price
    vendor.box.mutate(
        vendor.paths.articles,
        change_page(
            lambda rows: rows.insert(0, {**rows[0], vendor.id_name: vendor.record_id(999), name: price}),
            vendor,
            "article",
        ),
    )
    assert read_with(vendor, lambda provider: provider.import_articles()) == before
    assert [drift.what for drift in vendor.drifts] == ["article"]
    assert HIDDEN not in repr(vendor.drifts)


@pytest.mark.parametrize(
    ("vendor", "rows", "odd"),
    [
        pytest.param(name, rows, odd, id=f"{name}-{rows}-{odd}")
        for name, case in CASES.items()
        for rows in case.reference_lists
        for odd in rows.odd
    ],
    indirect=["vendor"],
)
def test_an_odd_row_of_reference_data_costs_no_other_and_is_told(vendor: Vendor, rows: Reference, odd: Any) -> None:
    before = read_with(vendor, rows.read)
    assert before
    vendor.box.mutate(rows.path, change_page(lambda records: records.insert(1, odd), vendor, rows.kind))
    assert read_with(vendor, rows.read) == before
    assert [drift.what for drift in vendor.drifts] == [rows.what]
    assert HIDDEN not in repr(vendor.drifts)


def test_a_category_of_a_new_kind_is_no_account_for_revenue(servers: Mapping[str, Vendor]) -> None:
    vendor = servers["lexoffice"]
    vendor.renew()
    vendor.box.mutate("GET /v1/posting-categories$", lambda rows: [*rows, {**rows[0], "id": "x", "type": "lunar"}])
    accounts = read_with(vendor, lambda provider: provider.ledger_accounts())
    assert accounts
    assert "x" not in {account.id for account in accounts}


def test_a_tax_of_a_new_kind_is_a_tax(servers: Mapping[str, Vendor]) -> None:
    vendor = servers["billomat"]
    vendor.renew()
    vendor.box.mutate("GET /api/taxes$", change_page(lambda rows: rows[0].update(kind="LUNAR"), vendor, "tax"))
    assert [rate.rate for rate in read_with(vendor, lambda provider: provider.tax_rates())] == [19, 7]


# ---- invoices read back ----------------------------------------------------------------------------------------


def invoice_cases(name: str) -> list[Any]:
    return [
        pytest.param(vendor, at, id=f"{vendor}-{'.'.join(at)}")
        for vendor, case in CASES.items()
        for at in getattr(case, name)
    ]


def read_back(vendor: Vendor, mutation: Callable[[Any], Any]) -> ab.Invoice:
    with vendor.connect() as provider:
        made = provider.create_invoice(vendor.draft())
        vendor.box.mutate(vendor.paths.invoices, mutation)
        return provider.get_invoice(made.id)


@pytest.mark.parametrize(("vendor", "at"), invoice_cases("invoice_needs"), indirect=["vendor"])
@pytest.mark.parametrize("how", ["missing", "null", "wrong"])
def test_an_invoice_without_what_is_needed_raises_with_the_path(vendor: Vendor, at: tuple[str, ...], how: str) -> None:
    value = {"null": None, "wrong": [HIDDEN]}.get(how)
    with pytest.raises(ab.MalformedResponse) as caught:
        read_back(vendor, lambda body: changed(body, at, value, drop=how == "missing"))
    assert any(at[-1] in problem or "$" in problem for problem in caught.value.problems)
    assert HIDDEN not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


@pytest.mark.parametrize(("vendor", "at"), invoice_cases("invoice_may_lack"), indirect=["vendor"])
@pytest.mark.parametrize("how", ["missing", "null"])
def test_an_invoice_without_what_is_not_needed_is_read(vendor: Vendor, at: tuple[str, ...], how: str) -> None:
    invoice = read_back(vendor, lambda body: changed(body, at, None, drop=how == "missing"))
    assert invoice.totals.gross == vendor.gross()


@pytest.mark.parametrize("vendor", [name for name in VENDORS if CASES[name].status_at is not None], indirect=True)
def test_an_unknown_status_of_an_invoice_is_kept(vendor: Vendor) -> None:
    at = vendor.status_at or ()
    invoice = read_back(vendor, lambda body: changed(body, at, "enchanted"))
    assert (str(invoice.status), invoice.status.known) == ("enchanted", False)


@every_vendor
def test_odd_rows_of_tax_leave_the_totals(vendor: Vendor) -> None:
    """Read apart; where they are part of the totals, they have to be right."""
    at, odd = vendor.odd_rates
    if vendor.rates_are_totals:
        with pytest.raises(ab.MalformedResponse):
            read_back(vendor, lambda body: changed(body, at, odd))
    else:
        invoice = read_back(vendor, lambda body: changed(body, at, odd))
        assert (invoice.totals.gross, invoice.totals.by_rate) == (vendor.gross(), ())
