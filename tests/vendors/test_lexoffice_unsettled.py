"""lexoffice: contacts that are not usable at once, dates that were moved, discounts that would be final."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from _lexoffice import acme, draft, hours, issued, lexoffice, profile
from _play import answer, play
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge.flow import Request
from accounting_bridge.sandbox import Server, serve
from accounting_bridge.sandbox.lexoffice import Assumptions

T = TypeVar("T")
NEW = acme(id=None, number="KD-9")
NOW = datetime(2026, 3, 10, tzinfo=UTC)


# ---- a contact that was made a moment ago ----------------------------------------------------------------------


@pytest.fixture
def late() -> Iterator[Server[Any]]:
    with serve("lexoffice", rate_limit=False, assumptions=Assumptions(contact_visible_after=1.9)) as server:
        yield server


def connect(server: Server[Any], **policy: Any) -> ab.AccountingProvider:
    hurried = ab.Policy(settle_time=0.1, **policy)
    memory = {"tenant": "app", "journal": ab.MemoryJournal()}  # of its own: the next connection knows nothing of it
    return ab.connect(
        "lexoffice", server.settings, base_url=server.url, limits=ab.Unlimited(), policy=hurried, **memory
    )


def repeated(call: Callable[[], T]) -> T:
    """What an app does with ``Unavailable``: the same call again."""
    for _ in range(5):
        try:
            return call()
        except ab.Unavailable:
            continue
    raise AssertionError("the contact never became usable")


def test_an_invoice_of_a_new_customer_comes_about_by_repeating_the_call(late):
    with connect(late) as provider:
        made = repeated(lambda: provider.create_invoice(draft(customer=NEW)))
    assert made.created
    assert len(late.sandbox.invoices) == 1


def test_a_sale_to_a_new_customer_comes_about_by_repeating_the_call(late):
    with connect(late) as provider:
        made = repeated(lambda: provider.book_sale(issued(customer=NEW)))
    assert made.created
    assert len(late.sandbox.vouchers) == 1


def test_a_contact_that_stays_unknown_is_said_to_be_perhaps_gone(late):
    with (
        connect(late, attempts=1) as provider,
        pytest.raises(ab.Unavailable, match=r"not usable yet.* not there any more") as refused,
    ):
        provider.create_invoice(draft(customer=NEW))
    assert "nothing was created" in refused.value.message
    assert [] == list(late.sandbox.invoices)


def judged(path: str, body: object) -> ab.BridgeError | None:
    return lexoffice().classify(evolve(answer(body, 406), request=Request(method="POST", path=path)))


def test_what_else_is_wrong_with_a_document_goes_before_its_missing_contact():
    missing = {"field": "address.contactId", "violation": "INVALID", "message": "Referenced contact was not found."}
    other = {"field": "lineItems", "violation": "NOTNULL", "message": "darf nicht leer sein"}
    assert isinstance(judged("/v1/invoices", {"details": [missing]}), ab.Unavailable)
    assert isinstance(judged("/v1/invoices", {"details": [missing, other]}), ab.InvalidRequest)
    assert isinstance(judged("/v1/contacts", {"details": [missing]}), ab.InvalidRequest)
    assert isinstance(judged("/v1/invoices", {"message": "Referenced contact was not found."}), ab.Unavailable)
    gone = {"i18nKey": "missing_entity", "source": "contactId"}
    assert isinstance(judged("/v1/vouchers", {"IssueList": [gone]}), ab.Unavailable)
    assert isinstance(judged("/v1/vouchers", {"IssueList": [{**gone, "source": "dueDate"}]}), ab.InvalidRequest)


# ---- a voucher whose date was corrected ------------------------------------------------------------------------


@pytest.mark.parametrize("days", [-35, -2, 2, 35])
def test_a_sale_is_found_although_its_date_was_moved(days):
    sale = issued(customer=NEW)
    with serve("lexoffice", rate_limit=False) as server:
        with connect(server) as provider:
            provider.book_sale(evolve(sale, issue_date=sale.issue_date + timedelta(days=days)))
        with connect(server) as forgetful:
            again = forgetful.book_sale(sale)
        assert not again.created
        assert len(server.sandbox.vouchers) == 1


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_ends_of_the_calendar_can_be_looked_at(day):
    found = play(lexoffice().look_for_sales(issued(issue_date=day), acme().id), [answer({"content": [], "last": True})])
    assert [] == found.result


# ---- a discount on the whole -----------------------------------------------------------------------------------


def planned(wanted: ab.InvoiceDraft, *, finalize: bool) -> ab.InvoicePlan:
    return play(lexoffice().plan_invoice(wanted, acme(), finalize=finalize, now=NOW), [profile()]).result


def test_a_discount_on_the_whole_is_taken_in_drafts_only():
    wanted = draft(discount_percent=Decimal("3.5"))
    assert 3.5 == json.loads(planned(wanted, finalize=False).body)["totalPrice"]["totalDiscountPercentage"]
    with pytest.raises(ab.InvalidRequest, match="put the discount on the lines, or create a draft") as refused:
        planned(wanted, finalize=True)
    assert ["discount_percent"] == [problem.field for problem in refused.value.problems]


@pytest.mark.parametrize("percent", [None, Decimal(0)])
def test_without_one_an_invoice_may_be_final(percent):
    on_the_line = draft(hours(discount_percent=Decimal("3.5")), discount_percent=percent)
    assert planned(on_the_line, finalize=True).finalize
