"""What a call has to pass before its resource sees it, and the vendor's four ways to shut everybody out."""

from __future__ import annotations

import re
from collections import deque
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from attrs import define, field

from accounting_bridge.sandbox.base import Refusal
from accounting_bridge.sandbox.routing import Handler, RouteTable
from accounting_bridge.sandbox.wire import Call, Reply

from .access import access_of
from .books import Books, Switches
from .errors import (
    COMPANY_NOT_ACTIVE,
    GUIDE_NOT_COMPLETED,
    NO_ACCESS_TO_SCOPES,
    NOT_AUTHORIZED,
    QUOTA_EXCEEDED,
    SANDBOX_CLIENT,
    VALIDATION,
)
from .tokens import Pair, Tokens

QUOTA: Final = 600
MINUTE: Final = timedelta(minutes=1)
METHODS: Final = ("GET", "POST", "PUT", "DELETE")

_BEARER: Final = re.compile(r"Bearer +(\S+)\s*", re.IGNORECASE)


@define
class Quota:
    """Calls of the last minute by client and endpoint."""

    window: str
    _seen: dict[tuple[str, str], deque[datetime]] = field(factory=dict)

    def take(self, key: tuple[str, str], now: datetime) -> int | None:
        """Count a call; seconds to wait when it is one too many, None when it passes."""
        seen = self._seen.setdefault(key, deque())
        if self.window == "sliding":
            while seen and seen[0] <= now - MINUTE:
                seen.popleft()
        elif seen and now >= seen[0] + MINUTE:
            seen.clear()
        if len(seen) < QUOTA:
            seen.append(now)
            return None
        return max(1, ceil((seen[0] + MINUTE - now).total_seconds()))


class Gate:
    """Checks a call in the vendor's order: token, company, operation, scope, quota, content type."""

    def __init__(self, books: Books, tokens: Tokens, switches: Switches, *, rate_limit: bool) -> None:
        self._books = books
        self._tokens = tokens
        self._switches = switches
        self._rate_limit = rate_limit
        self._quota = Quota(books.assumptions.quota_window)

    def enter(self, call: Call, routes: RouteTable) -> tuple[Handler, tuple[str, ...]]:
        """Return who answers a call to the API; refuse it otherwise."""
        answers = self._books.answers
        pair = self._authenticated(call)
        self._check_company(pair)
        found = routes.find(call.method, call.path)
        if found is None:
            if any(routes.find(method, call.path) for method in METHODS):
                text = f"The requested resource does not support http method '{call.method}'."
                raise answers.refuse(405, VALIDATION, text)
            raise answers.not_found("The requested address")
        handler, values = found
        access = access_of(handler)
        if "ea:api" not in pair.scope or not set(access.scopes) & set(pair.scope):
            text = f"NoAccessToScopesException - Requires any of the scopes: {', '.join(access.scopes)}"
            raise answers.refuse(403, NO_ACCESS_TO_SCOPES, text)
        if self._books.company.variant not in access.variants:
            raise answers.no_module("api_variant", self._books.assumptions.module_status)
        self._count(call, handler, values, pair)
        # ASP.NET refuses a body in a form that it has no reader for; an empty one needs no form.
        if call.method in ("POST", "PUT") and call.body and call.content_type != "application/json":
            raise answers.refuse(
                415, VALIDATION, "UnsupportedMediaTypeException - The content must be application/json"
            )
        return handler, values

    def quota_reply(self, wait: int, *, header: float | None = None) -> Reply:
        """Refuse a call too many; the wait stands in the text, and in a header only by assumption."""
        if header is None and self._books.assumptions.retry_after:
            header = wait
        text = f"API calls quota exceeded! maximum admitted {QUOTA} per Minute. Try again in {wait} seconds."
        headers = None if header is None else {"retry-after": f"{header:g}"}
        return self._books.answers.reply(429, QUOTA_EXCEEDED, text, headers=headers)

    def _authenticated(self, call: Call) -> Pair:
        match = _BEARER.fullmatch(call.headers.get("authorization", ""))
        pair = self._tokens.access(match[1]) if match is not None else None
        if pair is None or call.path.startswith("/v1"):
            text = "AuthorizationException - Authorization has been denied for this request."
            raise self._books.answers.refuse(401, NOT_AUTHORIZED, text)
        return pair

    def _check_company(self, pair: Pair) -> None:
        answers, switches = self._books.answers, self._switches
        if switches.real_company:
            text = "NotAllowedWithSandboxClientException - A sandbox client cannot access this company."
            raise answers.refuse(403, SANDBOX_CLIENT, text)
        if not switches.company_active:
            raise answers.refuse(403, COMPANY_NOT_ACTIVE, "CompanyNotActiveException - The company is not active.")
        if not switches.api_add_on or pair.grant.company == "default":
            raise answers.no_module("api_standard")
        if not switches.startup_guide_completed:
            text = "StartupGuideNotCompletedException - The start-up guide is not completed."
            raise answers.refuse(403, GUIDE_NOT_COMPLETED, text)

    def _count(self, call: Call, handler: Handler, values: tuple[str, ...], pair: Pair) -> None:
        if not self._rate_limit:
            return
        endpoint = call.path
        if self._books.assumptions.quota_per != "url":
            # What stands in for an id is blanked, so that all ids of a route share one count.
            endpoint = "/".join("{}" if part in values else part for part in call.path.split("/"))
            if self._books.assumptions.quota_per == "operation":
                endpoint = f"{call.method} {endpoint}"
        wait = self._quota.take((pair.grant.client_id, endpoint), self._books.now())
        if wait is not None:
            raise Refusal(self.quota_reply(wait))
