"""The adapter: what TimeChimp can do, how a call is signed and judged, and which module answers which operation."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import ClassVar, Final

from attrs import evolve, frozen

from ...adapter import RateLimits, RateSignal, Secret, Window
from ...errors import BridgeError
from ...flow import Flow, Page, Request, Response, Token
from ...models import Connection, IssuedInvoice
from ...timesheet.work import Work, WorkKind
from ..port import Marking, SourceCapabilities, TrackedCustomer, TrackedProject, WorkFilter, WorkId
from . import errors, issued, marking, masters, reading
from .settings import TimeChimpSettings
from .wire import VENDOR

_CAPABILITIES: Final = SourceCapabilities(
    kinds=frozenset({WorkKind.HOURS, WorkKind.EXPENSE, WorkKind.TRIP}),
    customer_numbers=True,
    rates=True,
    issued_invoices=True,
)


@frozen(kw_only=True)
class TimeChimp:
    """TimeChimp's first interface behind the library's protocol for sources."""

    Settings: ClassVar[type[TimeChimpSettings]] = TimeChimpSettings
    vendor: ClassVar[str] = VENDOR

    settings: TimeChimpSettings
    origin: str = "https://api.timechimp.com"

    @property
    def capabilities(self) -> SourceCapabilities:
        """Hours, expenses and trips with a status, and invoices of its own."""
        return _CAPABILITIES

    @property
    def limits(self) -> RateLimits:
        """100 calls a minute (documented). Of v2 it is known that they are counted per company."""
        return RateLimits(windows=(Window(calls=100, seconds=60),), per="company")

    @property
    def limit_key(self) -> str:
        """The key: which company it belongs to, the interface does not tell."""
        return f"{VENDOR}:{hashlib.sha256(self.settings.api_key.reveal().encode()).hexdigest()[:16]}"

    @property
    def most_marks(self) -> int:
        """There is no call for several."""
        return 1

    def secrets(self) -> Sequence[Secret]:
        """The key."""
        return [self.settings.api_key]

    # -- the wire --

    def authorize(self, request: Request, token: Token | None) -> Request:
        """``Authorization: Bearer <key>`` (documented)."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers["authorization"] = f"Bearer {self.settings.api_key.reveal()}"
        return evolve(request, headers=headers)

    def refresh(self, token: Token | None) -> Flow[Token] | None:
        """Keys do not expire."""
        return None

    def classify(self, response: Response) -> BridgeError | None:
        """See :mod:`.errors`."""
        return errors.classify(response)

    def wait_hint(self, response: Response) -> float | None:
        """None is documented; ``Retry-After`` is heeded as anywhere."""
        return None

    def rate_signal(self, response: Response) -> RateSignal | None:
        """None is documented."""
        return None

    # -- reading --

    async def check(self) -> Connection:
        """``GET /v1/users/me``."""
        return await masters.check()

    async def list_customers(self, cursor: str | None) -> Page[TrackedCustomer]:
        """All at once."""
        return await masters.list_customers(cursor)

    async def list_projects(self, cursor: str | None) -> Page[TrackedProject]:
        """All at once."""
        return await masters.list_projects(cursor)

    async def list_work(self, wanted: WorkFilter, cursor: str | None) -> Page[Work]:
        """Hours, then expenses, then trips, by stretches of days."""
        return await reading.list_work(wanted, cursor, self.settings)

    async def list_issued(self, first: dt.date, last: dt.date, cursor: str | None) -> Page[IssuedInvoice]:
        """What TimeChimp issued itself."""
        return await issued.list_issued(first, last, cursor, self.settings)

    # -- the flag --

    def problem_with(self, work: WorkId) -> str | None:
        """Only hours, expenses and trips, which have numbers."""
        return marking.problem_with(work)

    async def mark(self, works: Sequence[WorkId], *, billed: bool) -> Marking:
        """Set the status, one by one."""
        return await marking.mark(works, billed=billed)
