"""The identity server under ``/connect``: consent, code exchange with PKCE, refresh and revocation.

On the same socket as the API, so that one server is enough for a test. It speaks OAuth 2.0 in the words of
the server product behind the vendor's host: errors are 400 with ``{"error": …}``, answers are not cached.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from html import escape
from typing import Final, Literal
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from attrs import define, field, frozen

from accounting_bridge.sandbox.base import Refusal
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply, parse_query

from .access import needs
from .books import Books, Switches
from .tokens import Grant, Pair, Tokens

SCOPES: Final = frozenset(
    {
        "ea:accounting",
        "ea:accounting_readonly",
        "ea:api",
        "ea:purchase",
        "ea:purchase_readonly",
        "ea:sales",
        "ea:sales_readonly",
        "offline_access",
        "vls:api",
    }
)
SERVICE: Final = "service:44643eb1-3f76-4c1c-a672-402ae8085934"
"""Names the product in ``acr_values``; only with it the user is asked for a company."""

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_UNCACHED: Final = {"cache-control": "no-store, no-cache, max-age=0", "pragma": "no-cache"}


@frozen(kw_only=True)
class Client:
    """The one registered client."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


@frozen(kw_only=True)
class AuthorizationRequest:
    """A checked request for consent."""

    redirect_uri: str
    scope: tuple[str, ...]
    state: str | None
    challenge: str | None
    asks_for_company: bool


@define
class _Code:
    request: AuthorizationRequest
    until: datetime
    company: Literal["chosen", "default"]
    grant: Grant | None = None


class Identity:
    """The identity server of one emulated vendor."""

    def __init__(self, books: Books, client: Client, tokens: Tokens, switches: Switches) -> None:
        self._books = books
        self._client = client
        self._tokens = tokens
        self._switches = switches
        self._codes: dict[str, _Code] = {}
        self._asked: dict[str, AuthorizationRequest] = {}

    @needs()
    @route("GET", "/connect/authorize")
    def authorize(self, call: Call) -> Reply:
        """Ask the user, on a page with two links; a wrong request goes back to the client or to an error page."""
        outcome = self._requested(call.query)
        if isinstance(outcome, str):
            return Reply.empty(302, {"location": outcome})
        ticket = self._tokens.secret("ticket")
        self._asked[ticket] = outcome
        links = "".join(
            f'<p><a href="/connect/decide?{escape(urlencode({"ticket": ticket, "allow": allow}))}">{text}</a></p>'
            for allow, text in (("true", "Allow"), ("false", "Deny"))
        )
        scopes = "".join(f"<li>{escape(scope)}</li>" for scope in outcome.scope)
        company = escape(self._books.company.name)
        return _page(200, f"<h1>{company}</h1><p>The app asks for:</p><ul>{scopes}</ul>{links}")

    @needs()
    @route("GET", "/connect/decide")
    def decide(self, call: Call) -> Reply:
        """Carry out what the user clicked; a page of the emulator, the vendor's own is not for clients."""
        request = self._asked.pop(call.first("ticket") or "", None)
        if request is None:
            return _page(400, "<h1>This page was used already</h1>")
        allow = call.first("allow") == "true"
        return Reply.empty(302, {"location": self._answered(request, allow=allow)})

    def consent(self, url: str, *, allow: bool = True) -> str:
        """Do what a browser would with an authorize URL; return where it would be sent."""
        parts = urlsplit(url)
        if parts.path.lower() != "/connect/authorize":
            raise ValueError(f"{parts.path} is not where consent is asked for")
        try:
            outcome = self._requested(parse_query(parts.query))
        except Refusal as refusal:
            text = re.sub(r"<[^>]+>", " ", refusal.reply.body.decode()).strip()
            raise ValueError(f"the identity server shows an error page: {' '.join(text.split())}") from None
        return outcome if isinstance(outcome, str) else self._answered(outcome, allow=allow)

    @needs()
    @route("POST", "/connect/token")
    def token(self, call: Call) -> Reply:
        """Exchange a code, or refresh."""
        form = self._form(call)
        self._authenticate(call, form)
        grant_type = form.get("grant_type")
        if grant_type == "authorization_code":
            return self._token_reply(self._exchanged(form))
        if grant_type == "refresh_token":
            return self._token_reply(self._refreshed(form))
        raise _oauth_error("unsupported_grant_type" if grant_type else "invalid_request")

    @needs()
    @route("POST", "/connect/revocation")
    def revocation(self, call: Call) -> Reply:
        """End a token; an unknown one is answered alike."""
        form = self._form(call)
        self._authenticate(call, form)
        token = form.get("token")
        if not token:
            raise _oauth_error("invalid_request")
        if form.get("token_type_hint", "refresh_token") not in ("access_token", "refresh_token"):
            raise _oauth_error("unsupported_token_type")
        self._tokens.revoke(token, self._client.client_id)
        return Reply.empty(200, _UNCACHED)

    def _requested(self, query: tuple[tuple[str, str], ...]) -> AuthorizationRequest | str:
        """Check a request: the request, the address to send an error to, or a Refusal with an error page."""
        given = dict(reversed(query))
        if given.get("client_id") != self._client.client_id:
            raise Refusal(_page(400, "<h1>unauthorized_client</h1><p>Unknown client or client not enabled</p>"))
        redirect_uri = given.get("redirect_uri")
        # Nothing may be sent to an address that is not registered, not even an error.
        if redirect_uri is None or redirect_uri != self._client.redirect_uri:
            raise Refusal(_page(400, "<h1>invalid_request</h1><p>Invalid redirect_uri</p>"))
        state = given.get("state")
        error = self._problem(given)
        if error is not None:
            return _with_query(redirect_uri, {"error": error, "state": state})
        prompts = given.get("prompt", "").split()
        acr = given.get("acr_values", "").lower()
        old_way = "login" in prompts and "forceselectcompany:true" in acr
        return AuthorizationRequest(
            redirect_uri=redirect_uri,
            scope=tuple(dict.fromkeys(given["scope"].split())),
            state=state,
            challenge=given.get("code_challenge"),
            asks_for_company=SERVICE in acr and ("select_account" in prompts or old_way),
        )

    def _problem(self, given: dict[str, str]) -> str | None:
        if given.get("response_type") != "code":
            return "unsupported_response_type"
        scopes = given.get("scope", "").split()
        if not scopes or not SCOPES.issuperset(scopes):
            return "invalid_scope"
        challenge, method = given.get("code_challenge"), given.get("code_challenge_method")
        if challenge is None:
            return "invalid_request" if method is not None else None
        if method != "S256" or _CHALLENGE.fullmatch(challenge) is None:
            return "invalid_request"
        return None

    def _answered(self, request: AuthorizationRequest, *, allow: bool) -> str:
        if not allow:
            return _with_query(request.redirect_uri, {"error": "access_denied", "state": request.state})
        code = self._tokens.secret("code")
        silent_default = self._switches.default_company_forced and not request.asks_for_company
        self._codes[code] = _Code(
            request,
            self._books.now() + timedelta(seconds=self._books.assumptions.code_seconds),
            "default" if silent_default else "chosen",
        )
        parameters = {"code": code, "scope": " ".join(request.scope), "state": request.state}
        return _with_query(request.redirect_uri, parameters)

    def _form(self, call: Call) -> dict[str, str]:
        if call.content_type != "application/x-www-form-urlencoded":
            raise _oauth_error("invalid_request")
        try:
            fields = parse_qs(call.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        except ValueError:
            raise _oauth_error("invalid_request") from None
        if any(len(values) > 1 for values in fields.values()):
            raise _oauth_error("invalid_request")
        return {name: values[0] for name, values in fields.items()}

    def _authenticate(self, call: Call, form: dict[str, str]) -> None:
        header = call.headers.get("authorization")
        if header is not None:
            if "client_secret" in form:
                raise _oauth_error("invalid_request")
            given = _basic(header)
        else:
            given = (form.get("client_id", ""), form.get("client_secret", ""))
        known = (self._client.client_id, self._client.client_secret)
        if given is None or not all(
            hmac.compare_digest(one.encode(), other.encode()) for one, other in zip(given, known, strict=True)
        ):
            raise _oauth_error("invalid_client", self._books.assumptions.invalid_client_status)

    def _exchanged(self, form: dict[str, str]) -> Pair:
        code = self._codes.get(form.get("code", ""))
        if code is None:
            raise _oauth_error("invalid_grant")
        if code.grant is not None:
            if self._books.assumptions.code_reuse_revokes:
                code.grant.revoked = True
            raise _oauth_error("invalid_grant")
        request = code.request
        late = self._books.now() >= code.until
        if late or form.get("redirect_uri") != request.redirect_uri or not _proves(form, request.challenge):
            raise _oauth_error("invalid_grant")
        code.grant = self._tokens.open(self._client.client_id, request.scope, code.company)
        return self._tokens.issue(code.grant)

    def _refreshed(self, form: dict[str, str]) -> Pair:
        token = form.get("refresh_token")
        if not token:
            raise _oauth_error("invalid_request")
        scope = tuple(form["scope"].split()) if form.get("scope") else None
        if scope is not None and not self._tokens.may_ask_for(token, scope):
            raise _oauth_error("invalid_scope")
        pair = self._tokens.refresh(token, self._client.client_id, scope)
        if pair is None:
            raise _oauth_error("invalid_grant")
        return pair

    def _token_reply(self, pair: Pair) -> Reply:
        body: dict[str, object] = {
            "access_token": pair.access,
            "expires_in": self._books.assumptions.access_token_seconds,
            "token_type": "Bearer",
        }
        if pair.refresh is not None:
            body["refresh_token"] = pair.refresh
        if self._books.assumptions.token_answer_has_scope:
            body["scope"] = " ".join(pair.scope)
        return Reply.json(200, body, _UNCACHED)


def _proves(form: dict[str, str], challenge: str | None) -> bool:
    verifier = form.get("code_verifier")
    if challenge is None:
        return verifier is None
    if verifier is None or _VERIFIER.fullmatch(verifier) is None:
        return False
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    name, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        return None
    return unquote_plus(name), unquote_plus(secret)


def _oauth_error(error: str, status: int = 400) -> Refusal:
    return Refusal(Reply.json(status, {"error": error}, _UNCACHED))


def _with_query(url: str, parameters: dict[str, str | None]) -> str:
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(given)}"


def _page(status: int, content: str) -> Reply:
    page = f'<!doctype html><html lang="en"><head><title>Sandbox</title></head><body>{content}</body></html>'
    return Reply(status, {"content-type": "text/html; charset=utf-8"}, page.encode())
