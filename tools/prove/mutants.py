"""Libraries that do what they must not: of each, the proof has to notice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Any, Final
from unittest.mock import patch

from attrs import evolve, field, frozen

import accounting_bridge as ab
from accounting_bridge import recipes
from accounting_bridge.flow import Now
from accounting_bridge.recipes.customers import with_customer
from accounting_bridge.registry import adapter_class

from .app import VirtualHttp
from .safeguards import SAFEGUARDS, Safeguard
from .schedules import Options
from .vendors import CASES, ONE_MONTH

_OTHER_MONTH: Final = ONE_MONTH.replace("-", "X")


@contextmanager
def _each_invoice_once_more_without_its_marker() -> Iterator[None]:
    with ExitStack() as stack:
        for vendor in CASES:
            adapter: Any = adapter_class(vendor)
            stack.enter_context(patch.object(adapter, "submit_invoice", _and_another(adapter.submit_invoice)))
        yield


def _and_another(submit: Any) -> Any:
    async def twice(adapter: Any, plan: Any) -> str:
        made: str = await submit(adapter, plan)
        body = plan.body
        for slash in (b"/", rb"\/"):
            body = body.replace(ONE_MONTH.encode() + slash, _OTHER_MONTH.encode() + slash)
        assert body != plan.body
        with suppress(ab.BridgeError):
            await submit(adapter, evolve(plan, body=body))
        return made

    return twice


@contextmanager
def _each_sale_once_more_without_its_marker() -> Iterator[None]:
    with ExitStack() as stack:
        for vendor in CASES:
            adapter: Any = adapter_class(vendor)
            stack.enter_context(patch.object(adapter, "submit_sale", _and_another_sale(adapter.submit_sale)))
        yield


def _and_another_sale(submit: Any) -> Any:
    async def twice(adapter: Any, plan: Any) -> str:
        made: str = await submit(adapter, plan)
        number = plan.invoice_number.encode()
        with suppress(ab.BridgeError):
            await submit(adapter, evolve(plan, body=plan.body.replace(number, b"9" + number[1:])))
        return made

    return twice


def _invoices_made(*, final: bool) -> AbstractContextManager[object]:
    create = recipes.create_invoice

    async def otherwise(adapter: Any, draft: Any, patience: Any, *, finalize: bool, planned: Any = None) -> Any:
        planned = planned and evolve(planned, finalize=final)
        made = await create(adapter, draft, patience, finalize=final, planned=planned)
        # What is told is what was asked for: only the books know better.
        return evolve(made, status=ab.InvoiceStatus.OPEN if finalize else ab.InvoiceStatus.DRAFT)

    return patch("accounting_bridge.recipes.create_invoice", otherwise)


def _gives_up_at_once() -> AbstractContextManager[object]:
    async def gives_up(document: Any, row: Any, patience: Any, vendor: str) -> None:
        del document, row, patience
        raise ab.NeedsAttention("a person must look", vendor=vendor)

    return patch("accounting_bridge.once._settle", gives_up)


def _every_total_differs() -> AbstractContextManager[object]:
    def differs(made: Any, booked: Any, predicted: Any, tolerance: Any, *, final: bool, vendor: str) -> None:
        del tolerance
        raise ab.TotalsDiffer("so it says", vendor=vendor, made=made, final=final, predicted=predicted, booked=booked)

    return patch("accounting_bridge.recipes.invoices.compare", differs)


def _sends_again_what_was_delivered_twice() -> AbstractContextManager[object]:
    send = VirtualHttp.send

    def once_more(http: VirtualHttp, outgoing: Any) -> Any:
        before = len(http.box.faults.fired)
        answer = send(http, outgoing)
        if any(fired.fault.kind == "duplicate" for fired in http.box.faults.fired[before:]):
            send(http, outgoing)
        return answer

    return patch.object(VirtualHttp, "send", once_more)


def _doubles_another_document_than_the_one_delivered_twice() -> AbstractContextManager[object]:
    send = VirtualHttp.send

    def once_more(http: VirtualHttp, outgoing: Any) -> Any:
        before = len(http.box.faults.fired)
        answer = send(http, outgoing)
        fired = http.box.faults.fired
        other = any(one.fault.kind == "duplicate" for one in fired[:before])
        if other and outgoing.method == "POST" and ONE_MONTH.encode() in outgoing.body.replace(b"\\", b""):
            send(http, outgoing)
        return answer

    return patch.object(VirtualHttp, "send", once_more)


def _an_undated_draft_is_fixed_to_the_day() -> AbstractContextManager[object]:
    create = recipes.create_invoice

    async def dated(adapter: Any, draft: Any, patience: Any, *, finalize: bool, planned: Any = None) -> Any:
        today = (await Now()).date()
        draft = evolve(draft, issue_date=draft.issue_date or today)
        return await create(adapter, draft, patience, finalize=finalize, planned=planned)

    return patch("accounting_bridge.recipes.create_invoice", dated)


def _a_plan_is_sent_without_asking_the_journal() -> AbstractContextManager[object]:
    async def blindly(adapter: Any, plan: Any, patience: Any) -> Any:
        plan, _ = await with_customer(adapter, plan, plan.draft.customer, patience)
        return await adapter.get_invoice(await adapter.submit_invoice(plan))

    return patch("accounting_bridge.recipes.apply_invoice", blindly)


def _a_gateways_page_is_believed() -> AbstractContextManager[object]:
    return patch("accounting_bridge._outcomes._is_anothers", lambda _: False)


@frozen(kw_only=True)
class Mutant(Safeguard):
    """What is done wrong, and how."""

    everywhere: bool = field(default=False)
    """Whether kills and cuts have to notice as well."""


MUTANTS: Final[Sequence[Mutant]] = (
    Mutant(
        name="each invoice once more, unmarked", without=_each_invoice_once_more_without_its_marker, proves="DOUBLED",
        everywhere=True,
    ),
    Mutant(
        name="each sale once more, unmarked", without=_each_sale_once_more_without_its_marker, proves="DOUBLED",
        everywhere=True,
    ),
    Mutant(
        name="nothing is made final", without=lambda: _invoices_made(final=False), proves="STATUS", everywhere=True
    ),
    Mutant(
        name="everything is made final", without=lambda: _invoices_made(final=True), proves="STATUS", everywhere=True
    ),
    Mutant(name="gives up at once", without=_gives_up_at_once, proves="GAVE UP"),
    Mutant(name="every total differs", without=_every_total_differs, proves="GAVE UP"),
    Mutant(
        name="a third one of what was delivered twice", without=_sends_again_what_was_delivered_twice,
        options=Options(twice=1.0), proves="DOUBLED",
    ),
    Mutant(
        name="a second one of what was not delivered twice",
        without=_doubles_another_document_than_the_one_delivered_twice, options=Options(twice=1.0), proves="DOUBLED",
    ),
    Mutant(
        name="an undated draft is fixed to its day", without=_an_undated_draft_is_fixed_to_the_day, proves="REFUSED"
    ),
    Mutant(
        name="a plan is sent without the journal", without=_a_plan_is_sent_without_asking_the_journal, proves="DOUBLED"
    ),
    Mutant(name="a gateway's page is believed", without=_a_gateways_page_is_believed, proves="DOUBLED"),
    Mutant(name="a journal of its own", options=Options(wrap=lambda _: ab.MemoryJournal()), proves="DOUBLED"),
)  # fmt: skip


def named(name: str) -> Safeguard:
    """A safeguard or a mutant, as another process is told of it."""
    return next(one for one in (*SAFEGUARDS, *MUTANTS) if one.name == name)
