"""What several core tests share: a clock to turn, a toy vendor, and a driver that carries out the engine's actions."""

from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from attrs import define, evolve, field, frozen

from accounting_bridge import MemoryJournal, Policy, RateLimits, Secret, Unlimited
from accounting_bridge._engine import Call, Renew, Send, Sleep, State, engine
from accounting_bridge.adapter import Capabilities, ChangedSince
from accounting_bridge.errors import AuthenticationFailed, BridgeError, InvalidRequest, NotFound
from accounting_bridge.flow import Request, Response, Token

NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
ORIGIN = "https://api.toy.example"
API_KEY = "canary-7f3a9c51d2"


@define
class TurnedClock:
    """Stands still until somebody turns it."""

    start: datetime = NOON
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return 1000.0 + self.seconds

    def turn(self, seconds: float) -> None:
        self.seconds += seconds


@frozen(kw_only=True)
class ToySettings:
    api_key: Secret


CAPABILITIES = Capabilities(changed_since=ChangedSince.VENDOR, assigns_customer_numbers=False)


@define(kw_only=True)
class Toy:
    """A vendor that says what the test wants it to say."""

    Settings: ClassVar[type[ToySettings]] = ToySettings
    vendor: ClassVar[str] = "toy"
    settle_seconds: float = 300.0
    settings: ToySettings = field(factory=lambda: ToySettings(api_key=Secret(API_KEY)))
    origin: str = ORIGIN
    limits: RateLimits = field(factory=RateLimits)
    limit_key: str = "toy"
    capabilities: Capabilities = CAPABILITIES
    creates_customers: bool = True
    refreshing: Callable[[Token | None], Any] = lambda token: None
    hint: Callable[[Response], float | None] = lambda response: None
    signal: Callable[[Response], Any] = lambda response: None

    def secrets(self) -> list[Secret]:
        return [self.settings.api_key]

    def authorize(self, request: Request, token: Token | None) -> Request:
        credential = token.access if token is not None else self.settings.api_key.reveal()
        return evolve(request, headers={**request.headers, "authorization": f"Bearer {credential}"})

    def refresh(self, token: Token | None) -> Any:
        return self.refreshing(token)

    def classify(self, response: Response) -> BridgeError | None:
        if response.status < 300:
            return None
        kinds = {401: AuthenticationFailed, 404: NotFound}
        return kinds.get(response.status, InvalidRequest)(response.body.decode() or "refused")

    def wait_hint(self, response: Response) -> float | None:
        return self.hint(response)

    def rate_signal(self, response: Response) -> Any:
        return self.signal(response)


def state(adapter: Any = None, **changes: Any) -> State:
    """What a connection to the toy vendor shares; nothing in it is left to chance."""
    adapter = Toy() if adapter is None else adapter
    given: dict[str, Any] = {
        "adapter": adapter,
        "tenant": "default",
        "origin": adapter.origin,
        "policy": Policy(),
        "limits": Unlimited(),
        "journal": MemoryJournal(),
        "clock": TurnedClock(),
        "random": lambda: 0.5,
        "settle_seconds": adapter.settle_seconds,
    }
    return State(**{**given, **changes})


@define
class Driven:
    """Carries out actions in virtual time and notes them."""

    state: State
    answers: list[Any]
    sent: list[Any] = field(factory=list)
    slept: list[float] = field(factory=list)
    renewed: list[Token | None] = field(factory=list)
    on_renew: Callable[[Token | None], Any] = lambda stale: False

    def run(self, flow: Any, *, auth: bool = True) -> Any:
        answer: Any = None
        with closing(engine(flow, self.state, auth=auth)) as steps:
            while True:
                try:
                    action = steps.send(answer)
                except StopIteration as stop:
                    return stop.value
                answer = self.carry_out(action)

    def carry_out(self, action: Any) -> Any:
        match action:
            case Send(outgoing):
                self.sent.append(outgoing)
                answer = self.answers.pop(0)
                return answer(outgoing) if callable(answer) else answer
            case Sleep(seconds):
                self.slept.append(seconds)
                self.state.clock.turn(seconds)
                return None
            case Call(function):
                return function()
            case Renew(stale):
                self.renewed.append(stale)
                return self.on_renew(stale)


def driven(answers: Iterable[Any] = (), connection: State | None = None, **changes: Any) -> Driven:
    """A driver with canned answers."""
    return Driven(state(**changes) if connection is None else connection, list(answers))


def ok(body: bytes = b"{}", status: int = 200, **headers: str) -> Response:
    """An answer; header names with underscores for dashes."""
    return Response(
        status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body
    )


def read(path: str = "/v1/things") -> Request:
    return Request(method="GET", path=path, repeatable=True)


def write(path: str = "/v1/things") -> Request:
    return Request(method="POST", path=path, body=b"{}")


async def one(request: Request) -> Response:
    """The smallest flow."""
    return await request
