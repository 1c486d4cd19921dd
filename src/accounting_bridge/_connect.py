"""``connect`` and ``connect_source``, and both for async: from a name and settings to a provider or a source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from os import PathLike, fspath
from typing import Any, Final, get_args, get_origin, get_type_hints

import attrs
from cattrs import Converter

from . import registry
from ._bound import AsyncBoundProvider, BoundProvider
from ._engine import State
from ._http import AsyncHttp, Http
from ._policy import Policy, is_seconds, shared_budget
from ._secrets import Secret
from ._sourced import AsyncBoundSource, BoundSource
from ._urls import checked_origin, is_loopback
from .adapter import Adapter, Remote
from .clock import Clock, SystemClock
from .errors import InvalidRequest, Problem
from .hooks import Hooks
from .journal import Journal
from .journal.memory import MemoryJournal, shared_memory_journal
from .limits import Limits
from .limits.memory import PROCESS_LIMITS
from .session import AsyncSession, Session
from .tokens import TokenStore


def connect(
    vendor: str,
    settings: object = None,
    *,
    tenant: str = "default",
    base_url: str | None = None,
    journal: Journal | None = None,
    tokens: TokenStore | None = None,
    limits: Limits | None = None,
    policy: Policy | None = None,
    hooks: Hooks | None = None,
    clock: Clock | None = None,
) -> BoundProvider:
    """Open a connection to one set of books. Nothing is sent until the first call.

    Args:
        vendor: a name of the registry: ```"lexoffice"``.
        settings: a mapping that the vendor's settings class is built from, or an instance of that class. None: no
            settings, which is an error that names those that the vendor needs.
        tenant: the app's own customer whose books these are. References are unique within (tenant, vendor).
        base_url: scheme, host and port in place of the vendor's, for sandboxes; ``http`` only on loopback.
        journal: remembers what was created. Default: in memory, shared by the connections of this process; a
            :class:`~.journal.SqliteJournal` remembers across crashes and processes.
        tokens: where OAuth grants are kept; vendors with plain keys need none.
        limits: counts calls. Default: in memory, shared by the connections of this process.
        policy: deadlines, attempts, settle time.
        hooks: callables that are told of requests, retries and unreadable records.
        clock: what the time is asked of.

    Raises:
        InvalidRequest: with every missing, unknown or wrong setting.
    """
    state, private = _state(vendor, settings, tenant, base_url, journal, tokens, limits, policy, hooks, clock)
    return BoundProvider(Session(state, Http(private=private, proxy=state.policy.proxy)))


def connect_async(
    vendor: str,
    settings: object = None,
    *,
    tenant: str = "default",
    base_url: str | None = None,
    journal: Journal | None = None,
    tokens: TokenStore | None = None,
    limits: Limits | None = None,
    policy: Policy | None = None,
    hooks: Hooks | None = None,
    clock: Clock | None = None,
) -> AsyncBoundProvider:
    """The same for asyncio and trio: ``async with connect_async(…) as provider``. See :func:`connect`."""
    state, private = _state(vendor, settings, tenant, base_url, journal, tokens, limits, policy, hooks, clock)
    return AsyncBoundProvider(AsyncSession(state, AsyncHttp(private=private, proxy=state.policy.proxy)))


def connect_source(
    source: str,
    settings: object = None,
    *,
    tenant: str = "default",
    base_url: str | None = None,
    limits: Limits | None = None,
    policy: Policy | None = None,
    hooks: Hooks | None = None,
    clock: Clock | None = None,
) -> BoundSource:
    """Open a connection to one account of a time tracker. Nothing is sent until the first call.

    It needs no journal: reading leaves no trace, and the one flag that is written is set to a known value.

    Args:
        source: a name of the registry: ```"mite"``.
        settings: a mapping that the source's settings class is built from, or an instance of that class. None: no
            settings, which is an error that names those that the tracker needs.
        tenant: the app's own customer whose account this is, as hooks tell it.
        base_url: scheme, host and port in place of the tracker's, for sandboxes; ``http`` only on loopback.
        limits: counts calls. Default: in memory, shared by the connections of this process.
        policy: deadlines and attempts.
        hooks: callables that are told of requests, retries and unreadable records.
        clock: what the time is asked of.

    Raises:
        InvalidRequest: with every missing, unknown or wrong setting.
    """
    state, private = _source_state(source, settings, tenant, base_url, limits, policy, hooks, clock)
    return BoundSource(Session(state, Http(private=private, proxy=state.policy.proxy)))


def connect_source_async(
    source: str,
    settings: object = None,
    *,
    tenant: str = "default",
    base_url: str | None = None,
    limits: Limits | None = None,
    policy: Policy | None = None,
    hooks: Hooks | None = None,
    clock: Clock | None = None,
) -> AsyncBoundSource:
    """The same for asyncio and trio: ``async with connect_source_async(…) as source``. See :func:`connect_source`."""
    state, private = _source_state(source, settings, tenant, base_url, limits, policy, hooks, clock)
    return AsyncBoundSource(AsyncSession(state, AsyncHttp(private=private, proxy=state.policy.proxy)))


def _source_state(
    source: str,
    settings: object,
    tenant: str,
    base_url: str | None,
    limits: Limits | None,
    policy: Policy | None,
    hooks: Hooks | None,
    clock: Clock | None,
) -> tuple[State, bool]:
    _check_arguments(tenant, None, {"reserve": limits}, policy)
    adapter: Remote = _built(_source_class(source), settings, base_url)
    where = checked_origin(adapter.origin, "origin")
    policy = Policy() if policy is None else policy
    state = State(
        adapter=adapter,
        tenant=tenant,
        origin=where,
        policy=policy,
        limits=PROCESS_LIMITS if limits is None else limits,
        journal=MemoryJournal(),  # never asked: a source records nothing
        tokens=None,
        hooks=Hooks() if hooks is None else hooks,
        budget=shared_budget(f"{tenant} {source} {where} {adapter.limit_key}"),
        clock=SystemClock() if clock is None else clock,
        settle_seconds=0.0,
        plain_text=True,
    )
    return state, policy.private_addresses or (base_url is not None and is_loopback(where))


def _source_class(source: str) -> Any:
    """The adapter class behind a tracker's name.

    Raises:
        InvalidRequest: it is an accounting system, or a tracker that is not spoken to; with the way that there is.
    """
    known = registry.source_names()
    if source not in known and (name := _named(source, registry.vendor_names())):
        message = f"is an accounting system: open it with connect({name!r}, …); trackers are {', '.join(known)}"
        raise InvalidRequest("cannot connect", problems=[Problem("source", message)])
    try:
        return registry.source_class(source)
    except InvalidRequest as exc:
        instead = "the file that any other tracker exports is read by accounting_bridge.sources.exports.read_export"
        problems = [Problem(problem.field, f"{problem.message}; {instead}") for problem in exc.problems]
    raise InvalidRequest("cannot connect", problems=problems)


def _vendor_class(vendor: str) -> Any:
    """The adapter class behind a vendor's name.

    Raises:
        InvalidRequest: it is a time tracker, or not known; with the way that there is.
    """
    known = registry.vendor_names()
    if vendor not in known and (name := _named(vendor, registry.source_names())):
        message = (
            f"is a time tracker: open it with connect_source({name!r}, …); the books are one of {', '.join(known)}"
        )
        raise InvalidRequest("cannot connect", problems=[Problem("vendor", message)])
    return registry.adapter_class(vendor)


def _named(wanted: object, names: Collection[str]) -> str | None:
    """The one of *names* that is written so, whatever the letter case."""
    written = wanted.strip().lower() if isinstance(wanted, str) else None
    return written if written in names else None


def _built(kind: Any, settings: object, base_url: str | None) -> Any:
    """The adapter with its settings."""
    built = settings if isinstance(settings, kind.Settings) else build_settings(kind.Settings, settings)
    if base_url is None:
        return kind(settings=built)
    return kind(settings=built, origin=checked_origin(base_url, "base_url"))


def _state(
    vendor: str,
    settings: object,
    tenant: str,
    base_url: str | None,
    journal: Journal | None,
    tokens: TokenStore | None,
    limits: Limits | None,
    policy: Policy | None,
    hooks: Hooks | None,
    clock: Clock | None,
) -> tuple[State, bool]:
    _check_arguments(tenant, journal, {"recall": journal, "reserve": limits, "load": tokens}, policy)
    adapter: Adapter = _built(_vendor_class(vendor), settings, base_url)
    where = checked_origin(adapter.origin, "origin")
    policy = Policy() if policy is None else policy
    own_journal = f"{tenant} {vendor} {where} {adapter.limit_key}"
    state = State(
        adapter=adapter,
        tenant=tenant,
        origin=where,
        policy=policy,
        # Compared with None: a store that is empty may well be false.
        limits=PROCESS_LIMITS if limits is None else limits,
        journal=shared_memory_journal(own_journal) if journal is None else journal,
        tokens=tokens,
        hooks=Hooks() if hooks is None else hooks,
        budget=shared_budget(own_journal),
        clock=SystemClock() if clock is None else clock,
        settle_seconds=_settle_seconds(adapter, policy),
    )
    return state, policy.private_addresses or (base_url is not None and is_loopback(where))


_PORTS: Final = {
    "recall": ("journal", "SqliteJournal(path)"),
    "reserve": ("limits", "Unlimited()"),
    "load": ("tokens", "SqliteTokens(path, key=…)"),
}
"""By the method that tells such an object: the argument's name, and what it takes."""


def _check_arguments(tenant: object, journal: object, ports: Mapping[str, object], policy: object) -> None:
    problems = []
    if not isinstance(tenant, str) or not tenant.strip():
        problems.append(Problem("tenant", "must be text, and not empty"))
    elif tenant == "default" and (journal is not None or ports.get("load") is not None):
        # Two users' books under one tenant: each would be told that the other's references were used before, and the
        # second one's consent would take the place of the first one's.
        given = "a journal" if journal is not None else "a token store"
        problem = f"must be named when {given} is passed: one for each user's books, as tenant=user_id"
        problems.append(Problem("tenant", problem))
    for method, port in ports.items():
        if isinstance(port, type) or (port is not None and not hasattr(port, method)):
            name, example = _PORTS[method]
            if name == "journal" and isinstance(port, str | PathLike):  # of the others it may be a credential
                example = f"SqliteJournal({fspath(port)!r})"
            what = f"the class {port.__name__}" if isinstance(port, type) else type(port).__name__
            problems.append(Problem(name, f"must be an object, as {example}, not {what}"))
    if policy is not None and not isinstance(policy, Policy):
        problems.append(Problem("policy", f"must be a Policy, not {type(policy).__name__}"))
    if problems:
        raise InvalidRequest("cannot connect", problems=problems)


def _settle_seconds(adapter: Adapter, policy: Policy) -> float:
    """What an adapter declares includes the usual deadline: within it, a send may leave long after it was noted."""
    if policy.settle_time is not None:
        return policy.settle_time
    return adapter.settle_seconds + max(0.0, policy.deadline - Policy().deadline)


# ---- settings --------------------------------------------------------------------------------------------------

_LONGEST_KEY: Final = 60


def build_settings(kind: type[Any], given: object) -> Any:
    """Structure a mapping into a vendor's settings class, naming everything that is wrong at once.

    That is what is missing, unknown or of the wrong kind, and what the class itself does not take. The entry of a
    mapping is named with its key: ``revenue_accounts['goods/25']``.
    """
    fields = {field.name: field for field in attrs.fields(kind)}
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        needed = [name for name, field in fields.items() if field.default is attrs.NOTHING] or list(fields)[:1]
        example = "{" + ", ".join(f"{name!r}: …" for name in needed) + "}"
        message = f"must be a mapping, as {example}, or {kind.__name__}, not {type(given).__name__}"
        raise InvalidRequest("cannot connect", problems=[Problem("settings", message)])
    problems = [
        Problem(str(name), f"is not a setting{_guess(str(name), fields)}") for name in given if name not in fields
    ]
    missing = [name for name, field in fields.items() if field.default is attrs.NOTHING and name not in given]
    problems += [Problem(name, "is missing") for name in missing]
    hints = get_type_hints(kind)
    values: dict[str, Any] = dict.fromkeys(missing)
    for name, value in given.items():
        if name in fields:
            values[name], found = _read(name, value, hints[name])
            problems += found
    if not problems:
        return kind(**values)
    problems += _own_problems(kind, values, {problem.field for problem in problems})
    raise InvalidRequest(f"these {kind.__name__} are not valid", problems=problems)


def _own_problems(kind: type[Any], values: Mapping[str, Any], named: Collection[str]) -> list[Problem]:
    """What the class says of the settings that are readable; those already named stand there as they were passed."""
    try:
        kind(**values)
    except InvalidRequest as exc:
        return [
            problem
            for problem in exc.problems
            if problem.field not in named and problem.field.partition("[")[0] not in named
        ]
    except Exception:  # noqa: BLE001 a class need not bear values of the wrong kind
        pass
    return []


def _read(name: str, value: Any, hint: Any) -> tuple[Any, list[Problem]]:
    """The value as its hint wants it, or as it came with what is wrong with it."""
    entry = _entry_hint(hint)
    if entry is not None and isinstance(value, Mapping):
        read = {key: _read(f"{name}[{str(key)[:_LONGEST_KEY]!r}]", inner, entry) for key, inner in value.items()}
        return {key: found for key, (found, _) in read.items()}, [one for _, wrong in read.values() for one in wrong]
    try:
        if entry is not None:
            raise _Unfit("must be a mapping, as {…}")
        return _structured(value, hint), []
    except Exception as exc:  # noqa: BLE001 any shape of bad input is a problem of that field
        return value, [Problem(name, _why(exc))]


def _entry_hint(hint: Any) -> Any:
    """What the values of a mapping are; None where the setting is none. Its keys are checked by the class."""
    return get_args(hint)[1] if get_origin(hint) in (dict, Mapping) else None


def _structured(value: Any, hint: Any) -> Any:
    if isinstance(hint, type) and hint not in _HOOKS and isinstance(value, hint):
        return value  # an object that the settings class takes as it is
    return _converter.structure(value, hint)


def _guess(name: str, fields: Mapping[str, Any]) -> str:
    close = get_close_matches(name, list(fields), n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(fields)}"


def _why(exc: Exception) -> str:
    inner = exc.exceptions[0] if isinstance(exc, ExceptionGroup) else exc
    return str(inner) if isinstance(inner, _Unfit) else "has a value of the wrong kind"


class _Unfit(ValueError):
    """The message never shows the value: it may be a credential in the wrong place."""


def _text(value: Any, _: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Unfit("must be text, and not empty")
    return value.strip()


def _secret(value: Any, _: Any) -> Secret:
    if isinstance(value, Secret):
        return value
    text = _text(value, None)
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise _Unfit("must be printable ASCII without blanks: it travels in a header")
    return Secret(text)


def _flag(value: Any, _: Any) -> bool:
    if not isinstance(value, bool):
        raise _Unfit("must be True or False")
    return value


def _decimal(value: Any, _: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise _Unfit("must be a Decimal")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _Unfit("must be a Decimal") from None
    if not number.is_finite():
        raise _Unfit("must be finite")
    return number


def _seconds(value: Any, _: Any) -> float:
    if not is_seconds(value):
        raise _Unfit("must be a number that is not negative")
    return value


def _is_function(hint: Any) -> bool:
    origin: Any = get_origin(hint)
    return origin is Callable


def _function(value: Any, _: Any) -> Any:
    if not callable(value):
        raise _Unfit("must be a function")
    return value


_HOOKS: Final[Mapping[Any, Any]] = {str: _text, Secret: _secret, bool: _flag, Decimal: _decimal, float: _seconds}
_converter: Final = Converter()
for _kind, _hook in _HOOKS.items():
    _converter.register_structure_hook(_kind, _hook)
_converter.register_structure_hook_func(_is_function, _function)
