"""The two ends of a run: the books, with their session and journal; and the tracker, if there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import field, frozen

from .. import recipes
from .._bound import AsyncBoundProvider, BoundProvider
from .._engine import State
from ..adapter import Adapter
from ..errors import InvalidRequest, Problem
from ..flow import Flow
from ..models import Connection, Invoice, InvoiceDraft, InvoicePlan, Reconciliation
from ..money import Rounding
from ..once import Patience
from ..sources import Marking, NotMarked, WorkId
from ._steps import Do, T

_FORGETS: Final = (
    "journal in memory: what is billed is forgotten with this process, and known afterwards by the tracker's flags and "
    "the references in the books only; use a SqliteJournal"
)
_INCOMPLETE: Final = (
    "journal not complete: what was billed before is known by the tracker's flags and the references in the books only"
)


@frozen
class Books:
    """A provider, sync or async: its calls as steps of a run."""

    _provider: Any
    _session: Any = field(init=False)
    _adapter: Adapter = field(init=False)
    asynchronous: bool = field(default=False, kw_only=True)
    """Whether the run is awaited."""

    def __attrs_post_init__(self) -> None:
        provider = self._provider
        if not isinstance(provider, AsyncBoundProvider if self.asynchronous else BoundProvider):
            named = "connect_async" if self.asynchronous else "connect"
            problem = Problem("provider", f"must be what {named} returned: the ledger is in its journal")
            raise InvalidRequest("nothing was sent", problems=[problem])
        # What a provider shows is for apps; a run works on the same session and journal.
        object.__setattr__(self, "_session", provider._session)  # noqa: SLF001
        object.__setattr__(self, "_adapter", provider._adapter)  # noqa: SLF001

    @property
    def vendor(self) -> str:
        """The vendor's name."""
        return self._adapter.vendor

    @property
    def rounding(self) -> Rounding:
        """How many decimals the vendor keeps, among other things."""
        return self._adapter.rounding

    @property
    def most_lines(self) -> int | None:
        """How many lines an invoice may have, where the vendor says so."""
        return self._adapter.capabilities.most_lines

    @property
    def keeps_files(self) -> bool:
        """Whether the vendor takes files that go with an invoice."""
        return self._adapter.capabilities.attach

    @property
    def _state(self) -> State:
        state: State = self._session.state
        return state

    @property
    def durable(self) -> bool:
        """Whether what the journal has never heard of was never sent."""
        return self._state.journal.durable

    @property
    def forgets(self) -> tuple[str, ...]:
        """What to tell of a journal that does not prove what was never billed."""
        journal = self._state.journal
        return () if journal.durable else (_INCOMPLETE if journal.blocking else _FORGETS,)

    @property
    def deadline(self) -> float:
        """Seconds that one call may take."""
        return self._state.policy.deadline

    @property
    def settle(self) -> float:
        """Seconds until an answer that a look gives is certain, whatever was made or changed before."""
        return self._state.settle_seconds

    def now(self) -> datetime:
        """The present instant."""
        return self._state.clock.now()

    def ends_at(self) -> float:
        """On the monotonic clock: when a call that begins now has to have sent what it sends."""
        return self._state.clock.monotonic() + self.deadline

    def do(self, flow: Flow[T], *, deadline: float | None = None) -> Do[T]:
        """Carry out a flow; with a *deadline* it sends nothing after it, however long this process was stopped."""
        return Do(lambda: self._session.run(flow, deadline=deadline))

    def check(self) -> Do[Connection]:
        """Whose books they are, and their currency."""
        return self.do(self._adapter.check())

    def create(self, draft: InvoiceDraft, *, finalize: bool, deadline: float) -> Do[Invoice]:
        """Make the invoice, at most once. Never waits for the settle time: a claim is not held that long."""
        patience = Patience(settle=self._state.settle_seconds, wait_to_settle=False, deadline=self.deadline)
        return self.do(recipes.create_invoice(self._adapter, draft, patience, finalize=finalize), deadline=deadline)

    def plan(self, draft: InvoiceDraft, *, finalize: bool) -> Do[InvoicePlan]:
        """What it would come to."""
        return self.do(recipes.plan_invoice(self._adapter, draft, finalize=finalize))

    def look(self, reference: str, customer_id: str, since: datetime) -> Do[Any]:
        """Ids of the invoices in the books that carry the reference."""
        return self.do(self._adapter.look_for_invoices(reference, customer_id, since))

    def get(self, invoice_id: str) -> Do[Invoice]:
        """The invoice as it is now."""
        return self.do(recipes.get_invoice(self._adapter, invoice_id))

    def reconcile(self, **scope: Any) -> Do[Reconciliation]:
        """Hold the journal against the books."""
        return Do(lambda: self._provider.reconcile(**scope))


@frozen
class Tracker:
    """A source, sync or async, whose flag is set."""

    _source: Any
    _is_read: bool = False
    """Whether the work comes from it, so that all of it is to be marked there."""

    @property
    def name(self) -> str:
        """Its name in the registry."""
        name: str = self._source.vendor
        return name

    @property
    def marks(self) -> bool:
        """Whether it has a flag for what is billed."""
        return bool(self._source.capabilities.mark_billed)

    @property
    def unmarks(self) -> bool:
        """Whether the flag comes off."""
        return bool(self._source.capabilities.mark_unbilled)

    def sort(self, ids: Iterable[str]) -> tuple[list[str], list[NotMarked]]:
        """Those of its own work, and those that should be and can never be marked, because they are no ids of it."""
        mine, odd = list[str](), list[NotMarked]()
        # A source of the app's own may have no such question: then it is asked when it marks.
        problem_with: Callable[[str], str | None] = getattr(self._source, "problem_with", lambda _: None)
        for one in ids:
            work = WorkId.parse(one)
            is_its = work is not None and work.source == self.name
            if is_its and problem_with(one) is None:
                mine.append(one)
            elif is_its or (work is None and (self._is_read or one.startswith(f"{self.name}:"))):
                message = f"nobody can mark it: {one[:60]!r} is no id of work of {self.name}, as {self.name}:time:17 is"
                odd.append(NotMarked(id=one, error=InvalidRequest(message)))
        return mine, odd

    def mark(self, ids: Sequence[str], *, billed: bool) -> Do[Marking]:
        """Set the flag, or take it off."""
        return Do(lambda: self._source.mark_billed(ids) if billed else self._source.mark_unbilled(ids))
