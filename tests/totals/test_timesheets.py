"""Random timesheets become invoices in every vendor's books: what was priced is what is booked, to the cent."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from case_visma import _ARTICLES
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.timesheet.test_properties import is_billable, timesheets
from tests.totals.world import USUAL, Books

import accounting_bridge as ab
from accounting_bridge.timesheet import Billing, Grouping, Per, Rates, TimeRounding, Work, invoice_drafts

pytestmark = pytest.mark.usefixtures("unmeasured")

TRIED = settings(settings.get_profile("totals"), max_examples=max(settings.get_profile("totals").max_examples // 3, 1))
pers = st.lists(st.sampled_from(Per), unique=True, max_size=3)
plans = st.builds(
    Billing,
    rates=st.builds(Rates, default=st.none() | st.just(Decimal("80.50")), mileage=st.none() | st.just(Decimal("0.3"))),
    rounding=st.builds(
        TimeRounding, direction=st.sampled_from(["none", "up", "nearest"]), minutes=st.sampled_from([1, 6, 15]),
        per=st.sampled_from(["entry", "day", "line"]),
    ),
    grouping=st.builds(Grouping, hours=pers, services=pers, trips=pers, expenses=pers),
    hours=st.sampled_from(["round", "amount"]),
    prices_include_tax=st.booleans(),
    language_on_draft=st.just(False),
)  # fmt: skip


@pytest.fixture(scope="module", params=USUAL, ids=str)
def books(request: pytest.FixtureRequest) -> Books:
    setting = request.param
    if setting.vendor == "visma":  # takes the VAT from articles: one for each kind of line and rate
        by_rate = zip(setting.rates, ("3", "2", "1"), strict=True)
        articles = {f"{kind}/{rate}": _ARTICLES[number] for rate, number in by_rate for kind in ab.LineKind}
        setting = evolve(setting, options={**setting.options, "articles": articles})
    return Books(setting)


def _for_these_books(work: list[Work], books: Books) -> list[Work]:
    """In their currency, at their rates."""
    _, low, high = books.setting.rates
    rates = {Decimal(19): Decimal(high), Decimal(7): Decimal(low), None: None}
    return [evolve(one, currency=None, tax_rate=rates[one.tax_rate]) for one in work]


def _book(books: Books, draft: ab.InvoiceDraft, priced: Decimal) -> str:
    planned = books.provider.plan_invoice(draft)
    gross = draft.prices_include_tax
    assert (planned.totals.gross if gross else planned.totals.net) == priced
    made = books.provider.apply(planned)
    booked = books.booked("invoice", made.id)
    assert (booked.net, booked.tax, booked.gross) == (planned.totals.net, planned.totals.tax, planned.totals.gross)
    assert made.totals.gross == booked.gross
    return "booked"


@TRIED
@given(work=timesheets(), plan=plans)
def test_what_was_priced_is_booked_to_the_cent(books: Books, work: list[Work], plan: Billing) -> None:
    setting, rounding = books.setting, books.provider.rounding
    work = _for_these_books(work, books)
    name = books.name()
    plan = evolve(
        plan,
        quantity_decimals=rounding.quantity_decimals,
        price_decimals=rounding.price_decimals,
        tax_rate=Decimal(setting.rates[-1]),
        prices_include_tax=plan.prices_include_tax and setting.sent == "as given",
        customers={"10001": books.customer, "10002": books.customer},
        reference=f"{name}/{{customer}}",
    )
    result = invoice_drafts(work, plan)
    statements: Any = {one.reference: one.amount for one in result.statements}
    stands = Counter(one for draft in result.drafts for item in draft.items for one in item.work)
    told = {one for problem in result.problems for one in problem.work}
    wanted = {one.id for one in work if is_billable(one, plan)}
    assert set(stands) | told == wanted
    assert not set(stands) & told
    assert set(stands.values()) <= {1}
    for draft in result.drafts:
        if statements[draft.reference] < 0 and not setting.takes_negative:
            with pytest.raises(ab.InvalidRequest):
                books.provider.create_invoice(draft)
            event("refused: below zero")
            continue
        event(_book(books, draft, statements[draft.reference]))
