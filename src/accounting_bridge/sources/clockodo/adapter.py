"""The adapter: what Clockodo can do, how a call is signed and judged, and which module answers which operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from attrs import evolve, frozen

from ...adapter import RateLimits, RateSignal, Secret, Window
from ...errors import BridgeError
from ...flow import Flow, Page, Request, Response, Token
from ...models import Connection
from ...timesheet.work import Work, WorkKind
from ..port import Marking, SourceCapabilities, TrackedCustomer, TrackedProject, WorkFilter, WorkId
from . import errors, listings, marking, reading
from .settings import ClockodoSettings
from .wire import VENDOR

_KINDS: Final = frozenset({WorkKind.HOURS, WorkKind.SERVICE})
_INSTEAD: Final = "Clockodo issues none; pass the invoices that the app issued to book_sale"
_LIMITS: Final = RateLimits(
    windows=(
        Window(calls=900, seconds=60),
        Window(calls=2_250, seconds=900),
        Window(calls=4_500, seconds=3_600),
        Window(calls=20_000, seconds=86_400),
    ),
    per="user",
)
"""Documented; counted for all of a user's applications together, so that a 429 may come earlier."""


@frozen(kw_only=True)
class Clockodo:
    """Clockodo behind the library's protocol for sources."""

    Settings: ClassVar[type[ClockodoSettings]] = ClockodoSettings
    vendor: ClassVar[str] = VENDOR

    settings: ClockodoSettings
    origin: str = "https://my.clockodo.com"

    @property
    def capabilities(self) -> SourceCapabilities:
        """Hours and lump sums; with ``fixed_prices`` fees as well."""
        kinds = _KINDS | {WorkKind.FIXED_FEE} if self.settings.fixed_prices else _KINDS
        return SourceCapabilities(kinds=kinds, customer_numbers=True, rates=True, instead_of_issued=_INSTEAD)

    @property
    def limits(self) -> RateLimits:
        """Four windows (documented)."""
        return _LIMITS

    @property
    def limit_key(self) -> str:
        """The user."""
        return f"{VENDOR}:{self.settings.user.lower()}"

    @property
    def most_marks(self) -> int:
        """One: the mass edit goes by a filter, and would take along what was tracked since."""
        return 1

    def secrets(self) -> Sequence[Secret]:
        """The key."""
        return [self.settings.api_key]

    # -- the wire --

    def authorize(self, request: Request, token: Token | None) -> Request:
        """User and key, who calls, and the language of error texts (documented)."""
        settings = self.settings
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers["x-clockodoapiuser"] = settings.user
        headers["x-clockodoapikey"] = settings.api_key.reveal()
        headers["x-clockodo-external-application"] = settings.caller
        headers["accept-language"] = settings.language
        return evolve(request, headers=headers)

    def refresh(self, token: Token | None) -> Flow[Token] | None:
        """Keys do not expire."""
        return None

    def classify(self, response: Response) -> BridgeError | None:
        """See :mod:`.errors`."""
        return errors.classify(response)

    def wait_hint(self, response: Response) -> float | None:
        """Only ``Retry-After`` is documented, and not for every 429."""
        return None

    def rate_signal(self, response: Response) -> RateSignal | None:
        """No headers are documented."""
        return None

    # -- reading --

    async def check(self) -> Connection:
        """``GET /v4/users/me``, and the company where it is still told."""
        return await reading.check(self.settings)

    async def list_customers(self, cursor: str | None) -> Page[TrackedCustomer]:
        """All customers by id."""
        return await listings.list_customers(cursor)

    async def list_projects(self, cursor: str | None) -> Page[TrackedProject]:
        """All projects by id, then their sub-projects."""
        return await listings.list_projects(cursor, self.settings)

    async def list_work(self, wanted: WorkFilter, cursor: str | None) -> Page[Work]:
        """Fixed prices, hours and lump sums."""
        return await reading.list_work(wanted, cursor, self.settings)

    # -- the flag --

    def problem_with(self, work: WorkId) -> str | None:
        """Entries and projects, which have numbers."""
        return marking.problem_with(work)

    async def mark(self, works: Sequence[WorkId], *, billed: bool) -> Marking:
        """By id, one by one."""
        return await marking.mark(works, billed=billed)
