"""The adapter: what mite can do, how a call is signed and judged, and which module answers which operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from attrs import Factory, evolve, field, frozen

from ...adapter import RateLimits, RateSignal, Secret
from ...errors import BridgeError
from ...flow import Flow, Page, Request, Response, Token
from ...models import Connection
from ...timesheet.work import Work, WorkKind
from ..port import Marking, SourceCapabilities, TrackedCustomer, TrackedProject, WorkFilter, WorkId
from . import errors, marking, reading
from .settings import MiteSettings
from .wire import VENDOR

_CAPABILITIES: Final = SourceCapabilities(
    kinds=frozenset({WorkKind.HOURS}),
    customer_numbers=False,
    rates=True,
    billed_is_lock=True,
    instead_of_issued="mite issues none; pass the invoices that the app issued to book_sale",
)
_UNMARKED: Final = evolve(_CAPABILITIES, mark_billed=False, mark_unbilled=False, billed_is_lock=False)
"""Where locks are people's own, for months that are closed: none is set, and none is taken off."""


@frozen(kw_only=True)
class Mite:
    """mite behind the library's protocol for sources."""

    Settings: ClassVar[type[MiteSettings]] = MiteSettings
    vendor: ClassVar[str] = VENDOR

    settings: MiteSettings
    origin: str = field(default=Factory(lambda self: f"https://{self.settings.account}.mite.de", takes_self=True))

    @property
    def capabilities(self) -> SourceCapabilities:
        """Hours, and a lock in place of a flag for billed; with ``locked_means_billed=False``, none."""
        return _CAPABILITIES if self.settings.locked_means_billed else _UNMARKED

    @property
    def limits(self) -> RateLimits:
        """None are documented; a 429 is heeded as anywhere."""
        return RateLimits(per="not documented")

    @property
    def limit_key(self) -> str:
        """The account."""
        return f"{VENDOR}:{self.settings.account}"

    @property
    def most_marks(self) -> int:
        """There is no call for several (documented by absence)."""
        return 1

    def secrets(self) -> Sequence[Secret]:
        """The key."""
        return [self.settings.api_key]

    # -- the wire --

    def authorize(self, request: Request, token: Token | None) -> Request:
        """The key travels in a header: in the query, where mite takes it as well, it would end up in logs."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers["x-miteapikey"] = self.settings.api_key.reveal()
        if self.settings.application is not None:
            headers["user-agent"] = self.settings.application
        return evolve(request, headers=headers)

    def refresh(self, token: Token | None) -> Flow[Token] | None:
        """Keys do not expire."""
        return None

    def classify(self, response: Response) -> BridgeError | None:
        """See :mod:`.errors`."""
        return errors.classify(response, self.settings.account)

    def wait_hint(self, response: Response) -> float | None:
        """None is documented."""
        return None

    def rate_signal(self, response: Response) -> RateSignal | None:
        """None is documented."""
        return None

    # -- reading --

    async def check(self) -> Connection:
        """``GET /account.json`` and ``/myself.json``."""
        return await reading.check()

    async def list_customers(self, cursor: str | None) -> Page[TrackedCustomer]:
        """The active ones, then the archived ones."""
        return await reading.list_customers(cursor)

    async def list_projects(self, cursor: str | None) -> Page[TrackedProject]:
        """The active ones, then the archived ones."""
        return await reading.list_projects(cursor)

    async def list_work(self, wanted: WorkFilter, cursor: str | None) -> Page[Work]:
        """Time entries by day."""
        return await reading.list_work(wanted, cursor, self.settings)

    # -- the flag --

    def problem_with(self, work: WorkId) -> str | None:
        """Only time entries, which have numbers."""
        return marking.problem_with(work)

    async def mark(self, works: Sequence[WorkId], *, billed: bool) -> Marking:
        """Lock or unlock, one by one."""
        return await marking.mark(works, locked=billed)
