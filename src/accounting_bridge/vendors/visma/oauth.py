"""Consent, exchange and renewal: OAuth 2.0 authorization code with PKCE, a confidential client (documented).

Nothing is kept between :func:`authorization_url` and :func:`exchange`: the ``state`` carries when and for which tenant
it was made, sealed with the client's secret, and the PKCE verifier is derived from it. So a code that somebody else's
browser brings, or that belongs to another tenant, is refused before anything is sent (RFC 6749 section 10.12).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import quote_plus

from attrs import define, evolve, field

from ...adapter import Secret
from ...errors import AuthenticationFailed, InvalidRequest, MalformedResponse, Problem
from ...flow import Flow, Now, Request, Response, Token
from ...wire import decode, malformed
from .settings import VismaSettings
from .wire import converter

SERVICE: Final = "service:44643EB1-3F76-4C1C-A672-402AE8085934"
"""Names the product in ``acr_values``: with it ``prompt=select_account`` asks for the company (documented)."""
_GOOD_FOR: Final = timedelta(hours=1)
_CLOCKS: Final = timedelta(minutes=5)
"""By how much the clocks of two servers of the app may differ."""
_LONGEST: Final = 86400 * 366
_STATE: Final = re.compile(r"v1\.([A-Za-z0-9_-]{22})\.([0-9a-f]{1,12})\.([A-Za-z0-9_-]{43})")
_CODE: Final = re.compile(r"[\x21-\x7e]{1,4000}")
_BEARER: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,20000}")
"""RFC 6750 section 2.1: anything else does not fit the header."""


# ---- consent -----------------------------------------------------------------------------------------------


def authorization_url(settings: VismaSettings, tenant: str, now: datetime) -> str:
    """Where the user consents and chooses the company; good for an hour."""
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
    from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

    state = _new_state(settings, tenant, now)
    company = {"prompt": "select_account", "acr_values": SERVICE} if settings.choose_company else {}
    url: str = prepare_grant_uri(
        f"{_identity(settings)}/connect/authorize",
        settings.client_id,
        "code",
        redirect_uri=settings.redirect_uri,
        scope=settings.scope,
        state=state,
        code_challenge=create_s256_code_challenge(_verifier(settings, state).reveal()),
        code_challenge_method="S256",
        **company,
    )
    return url


def exchange(settings: VismaSettings, code: str, state: str, tenant: str, now: datetime) -> Flow[Token]:
    """The grant for a code that came back with *state*.

    *tenant* is the one whose user is signed in to the app, not one that the address names: that is what keeps a user
    from being talked into giving his books to somebody else's account.

    Raises:
        InvalidRequest: before anything is sent: *state* was not made for this tenant, or more than an hour ago; or by
            the identity server: the code was used before, is too old, or was not made for this client and this
            ``redirect_uri``. A code that comes a second time may end the grant that it gave (RFC 6749 section 4.1.2),
            so the app remembers which states are spent.
        ClientRefused: the identity server does not know the app.
    """
    # Frames hold their arguments, and crash reporters print them: the code goes no further than into the request.
    request = _exchange_request(settings, code, state, tenant, now)
    return _exchanged(request, settings.scope, now)


def _exchange_request(settings: VismaSettings, code: str, state: str, tenant: str, now: datetime) -> Request:
    problems = _state_problems(settings, state, tenant, now)
    if not _CODE.fullmatch(code):
        problems.append(Problem("code", "must be the parameter 'code' of the address that the user came back with"))
    elif "://" in code:
        problems.append(Problem("code", "must be the value of the parameter 'code' alone, not the whole address"))
    if problems:
        raise InvalidRequest("nothing was sent", problems=problems)
    return _token_request(
        settings,
        "authorization_code",
        redirect_uri=settings.redirect_uri,
        code=code,
        code_verifier=_verifier(settings, state).reveal(),
    )


async def _exchanged(request: Request, scope: str, now: datetime) -> Token:
    response: Response | AuthenticationFailed
    try:
        response = await request
    except AuthenticationFailed as exc:
        response = exc
    if isinstance(response, AuthenticationFailed):
        why = (
            "was not accepted: it is used once, only for some minutes, and only with the redirect_uri that consent "
            "was asked for with; look whether an earlier call used it, compare the setting, let the user consent again"
        )
        raise InvalidRequest(
            "Visma gave no grant", problems=[Problem("code", why)], code=response.code, status=response.status
        )
    token = _token(response, now)
    if token.refresh is None:
        raise MalformedResponse(
            "Visma gave a grant that ends after an hour, without a refresh token: let the user consent again, and "
            "check that the client is registered for the scope offline_access"
        )
    return token if token.scope else evolve(token, scope=scope)


# ---- renewal -----------------------------------------------------------------------------------------------


def refresh(settings: VismaSettings, token: Token | None) -> Flow[Token] | None:
    """How to renew the grant; None where there is nothing to renew it with."""
    if token is None or token.refresh is None:
        return None
    return _refreshed(_token_request(settings, "refresh_token", refresh_token=token.refresh), token.scope)


async def _refreshed(request: Request, scope: str | None) -> Token:
    """The old refresh token ends with this call (seen), so what is unclear stays unclear: see :mod:`.errors`.

    Our own clock before the call is what the expiry is counted from: it is the one that it is compared with.
    """
    now = await Now()
    token = _token(await request, now)
    return token if token.scope else evolve(token, scope=scope)


# ---- requests and answers ----------------------------------------------------------------------------------


def _identity(settings: VismaSettings) -> str:
    return settings.identity_url.rstrip("/")


def credentials(settings: VismaSettings) -> Secret:
    """Client id and secret as HTTP Basic wants them: each form-encoded first (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret.reveal())}"
    return Secret(b64encode(pair.encode("ascii")).decode("ascii"))


def _token_request(settings: VismaSettings, grant_type: str, **form: str) -> Request:
    """Form-encoded, the client authenticated by Basic (documented); never repeated by itself."""
    from authlib.oauth2.rfc6749.parameters import prepare_token_request

    body: str = prepare_token_request(grant_type, **form)
    return Request(
        method="POST",
        origin=_identity(settings),
        path="/connect/token",
        headers={
            "accept": "application/json",
            "content-type": "application/x-www-form-urlencoded",
            "authorization": f"Basic {credentials(settings).reveal()}",
        },
        body=body.encode("ascii"),
    )


@define
class _Granted:
    """A token answer (RFC 6749 section 5.1), as far as it is used."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    token_type: str | None = field(default=None, repr=False)
    scope: str | None = field(default=None, repr=False)
    expires_in: Any = field(default=None, repr=False)

    @property
    def is_bearer(self) -> bool:
        """Whether the access token is one that fits the header."""
        return (self.token_type or "bearer").lower() == "bearer" and _BEARER.fullmatch(self.access_token) is not None


def _token(response: Response, now: datetime) -> Token:
    granted = decode(converter, response, _Granted)
    if not granted.is_bearer:
        raise malformed(response, "unreadable grant", ("expected a bearer token @ $.access_token",))
    seconds = _seconds(granted.expires_in)
    return Token(
        access=granted.access_token,
        refresh=granted.refresh_token or None,
        # Without a time it is used until it is refused, which renews it as well.
        expires_at=None if seconds is None else now + timedelta(seconds=seconds),
        scope=granted.scope or None,
    )


def _seconds(value: object) -> int | None:
    """``expires_in``: a whole number, also in quotes or with a fraction; None for anything odd."""
    text = str(value).partition(".")[0] if type(value) is not bool else ""
    seconds = int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0
    return seconds if 0 < seconds <= _LONGEST else None


# ---- the state ---------------------------------------------------------------------------------------------


def _seal(settings: VismaSettings, purpose: str, *parts: str) -> str:
    """HMAC-SHA-256 by the client's secret; parts hold no NUL but the last, so no two lists of them look alike."""
    text = "\0".join(("accounting_bridge visma", purpose, settings.client_id, *parts))
    digest = hmac.new(settings.client_secret.reveal().encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return urlsafe_b64encode(digest.digest()).rstrip(b"=").decode("ascii")


def _new_state(settings: VismaSettings, tenant: str, now: datetime) -> str:
    nonce, made = token_urlsafe(16), f"{int(now.timestamp()):x}"
    return f"v1.{nonce}.{made}.{_seal(settings, 'state', nonce, made, tenant)}"


def _verifier(settings: VismaSettings, state: str) -> Secret:
    """43 characters, as RFC 7636 section 4.1 wants them."""
    return Secret(_seal(settings, "verifier", state))


def _state_problems(settings: VismaSettings, state: str, tenant: str, now: datetime) -> list[Problem]:
    again = "begin again with authorization_url() of this tenant"
    match = _STATE.fullmatch(state)
    if match is None:
        return [Problem("state", f"is none that this app gave out: pass the parameter 'state' as it came, or {again}")]
    nonce, made, seal = match.groups()
    if not hmac.compare_digest(seal, _seal(settings, "state", nonce, made, tenant)):
        return [Problem("state", f"was not given out to this tenant, or client_secret has changed since: {again}")]
    age = now - datetime.fromtimestamp(int(made, 16), UTC)
    if not -_CLOCKS <= age <= _GOOD_FOR:
        return [Problem("state", f"is older than an hour: {again}")]
    return []
