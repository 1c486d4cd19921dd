"""The adapter: what API v2 can do, how a call is signed and judged, and which module answers which operation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar, Final

from attrs import evolve, frozen

from ....adapter import RateLimits, RateSignal, Secret, Window
from ....errors import BridgeError
from ....flow import Flow, Page, Request, Response, Token
from ....models import Connection
from ....timesheet.work import Work, WorkKind
from ...port import Marking, SourceCapabilities, TrackedCustomer, TrackedProject, WorkFilter, WorkId
from . import errors, marking, masters, reading
from .settings import TimeChimp2Settings
from .wire import VENDOR

_CAPABILITIES: Final = SourceCapabilities(
    kinds=frozenset({WorkKind.HOURS, WorkKind.EXPENSE, WorkKind.TRIP}),
    customer_numbers=True,
    rates=True,
    issued_invoices=False,
    instead_of_issued=(
        "what an invoice of TimeChimp's API v2 looks like is not known: pass IssuedInvoice objects that the app makes "
        "to book_sale, or use the first interface where the company still has it"
    ),
)


@frozen(kw_only=True)
class TimeChimp2:
    """TimeChimp's second interface behind the library's protocol for sources."""

    Settings: ClassVar[type[TimeChimp2Settings]] = TimeChimp2Settings
    vendor: ClassVar[str] = VENDOR

    settings: TimeChimp2Settings
    origin: str = "https://v2.api.timechimp.com"

    @property
    def capabilities(self) -> SourceCapabilities:
        """Hours, expenses and trips; the status of the latter two, and of hours where that is switched on."""
        return _CAPABILITIES

    @property
    def limits(self) -> RateLimits:
        """100 calls a minute per company (documented)."""
        return RateLimits(windows=(Window(calls=100, seconds=60),), per="company")

    @property
    def limit_key(self) -> str:
        """The key: which company it belongs to, the interface does not tell."""
        return f"{VENDOR}:{hashlib.sha256(self.settings.api_key.reveal().encode()).hexdigest()[:16]}"

    @property
    def most_marks(self) -> int:
        """A hundred may be set at once (seen), but each is looked at before and after, and 100 calls are a minute."""
        return 20

    def secrets(self) -> Sequence[Secret]:
        """The key."""
        return [self.settings.api_key]

    # -- the wire --

    def authorize(self, request: Request, token: Token | None) -> Request:
        """``api-key`` and ``api-version: 2.0`` (seen)."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers["api-key"] = self.settings.api_key.reveal()
        headers["api-version"] = "2.0"
        return evolve(request, headers=headers)

    def refresh(self, token: Token | None) -> Flow[Token] | None:
        """Keys do not expire."""
        return None

    def classify(self, response: Response) -> BridgeError | None:
        """See :mod:`.errors`."""
        return errors.classify(response)

    def wait_hint(self, response: Response) -> float | None:
        """None is known; ``Retry-After`` is heeded as anywhere."""
        return None

    def rate_signal(self, response: Response) -> RateSignal | None:
        """None is known."""
        return None

    # -- reading --

    async def check(self) -> Connection:
        """One record of each list, and in ``notes`` what of it cannot be read."""
        return await reading.check()

    async def list_customers(self, cursor: str | None) -> Page[TrackedCustomer]:
        """Page by page."""
        return await masters.list_customers(cursor)

    async def list_projects(self, cursor: str | None) -> Page[TrackedProject]:
        """Page by page, sub-projects among them."""
        return await masters.list_projects(cursor)

    async def list_work(self, wanted: WorkFilter, cursor: str | None) -> Page[Work]:
        """Hours, then expenses, then trips, page by page."""
        return await reading.list_work(wanted, cursor, self.settings)

    # -- the flag --

    def problem_with(self, work: WorkId) -> str | None:
        """Only hours, expenses and trips, which have numbers."""
        return marking.problem_with(work)

    async def mark(self, works: Sequence[WorkId], *, billed: bool) -> Marking:
        """Set the status of all at once."""
        return await marking.mark(works, self.settings, billed=billed)
