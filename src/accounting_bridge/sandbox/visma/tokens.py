"""Grants and their tokens: issued in pairs, rotated on every refresh, revoked as a family."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal

from attrs import define, field, frozen

from .assumptions import Assumptions

RefreshState = Literal["none", "live", "rotated", "revoked"]
COMPANIES: Final = ("chosen", "default")


@frozen(kw_only=True)
class TokenRecord:
    """A pair of tokens as it stands now, for assertions."""

    grant: str
    access_token: str
    refresh_token: str | None
    scope: tuple[str, ...]
    issued_at: datetime
    access_expires_at: datetime
    refresh_expires_at: datetime | None
    access_works: bool
    refresh_state: RefreshState


@define
class Grant:
    """What a user consented to: a client, one company and scopes."""

    id: str
    client_id: str
    scope: tuple[str, ...]
    company: Literal["chosen", "default"] = "chosen"
    revoked: bool = False


@define
class Pair:
    """Two tokens that were issued together."""

    grant: Grant
    access: str
    refresh: str | None
    scope: tuple[str, ...]
    issued: datetime
    access_until: datetime
    refresh_until: datetime
    access_revoked: bool = False
    rotated: datetime | None = None


@define
class Tokens:
    """Everything that the identity server has issued."""

    clock: Callable[[], datetime]
    seed: int
    assumptions: Assumptions
    pairs: list[Pair] = field(factory=list)
    grants: list[Grant] = field(factory=list)
    refreshes: int = 0
    """How often a refresh succeeded."""

    refused_refreshes: int = 0
    _by_access: dict[str, Pair] = field(factory=dict)
    _by_refresh: dict[str, Pair] = field(factory=dict)
    _made: int = 0

    def secret(self, kind: str) -> str:
        """Return a token that was never used; the same sequence for the same seed."""
        self._made += 1
        return hashlib.blake2b(f"visma {self.seed} {kind} {self._made}".encode(), digest_size=32).hexdigest()

    def open(self, client_id: str, scope: tuple[str, ...], company: Literal["chosen", "default"] = "chosen") -> Grant:
        """Open a grant without tokens."""
        grant = Grant(f"grant-{len(self.grants) + 1}", client_id, scope, company)
        self.grants.append(grant)
        return grant

    def issue(self, grant: Grant, scope: tuple[str, ...] | None = None, *, refresh: bool = True) -> Pair:
        """Issue a pair; a refresh token only with ``offline_access`` and unless one is kept."""
        now = self.clock()
        scope = grant.scope if scope is None else scope
        with_refresh = refresh and "offline_access" in grant.scope
        pair = Pair(
            grant=grant,
            access=self.secret("access"),
            refresh=self.secret("refresh") if with_refresh else None,
            scope=scope,
            issued=now,
            access_until=now + timedelta(seconds=self.assumptions.access_token_seconds),
            refresh_until=now + timedelta(days=self.assumptions.refresh_token_days),
        )
        self.pairs.append(pair)
        self._by_access[pair.access] = pair
        if pair.refresh is not None:
            self._by_refresh[pair.refresh] = pair
        return pair

    def access(self, token: str) -> Pair | None:
        """Return the pair of an access token that works."""
        pair = self._by_access.get(token)
        return pair if pair is not None and self._access_works(pair) else None

    def may_ask_for(self, token: str, scope: tuple[str, ...]) -> bool:
        """Say whether a refresh may narrow its grant to these scopes."""
        pair = self._by_refresh.get(token)
        return pair is None or set(pair.grant.scope).issuperset(scope)

    def refresh(self, token: str, client_id: str, scope: tuple[str, ...] | None) -> Pair | None:
        """Spend a refresh token; None when it is unknown, expired, revoked or spent already."""
        now = self.clock()
        pair = self._by_refresh.get(token)
        if pair is None or pair.grant.client_id != client_id or pair.grant.revoked or now >= pair.refresh_until:
            self.refused_refreshes += 1
            return None
        if pair.rotated is not None:
            grace = timedelta(seconds=self.assumptions.refresh_grace_seconds)
            if now >= pair.rotated + grace:
                if self.assumptions.reuse_revokes_family:
                    pair.grant.revoked = True
                self.refused_refreshes += 1
                return None
        elif self.assumptions.refresh_rotates:
            pair.rotated = now
        if self.assumptions.refresh_ends_old_access:
            pair.access_revoked = True
        self.refreshes += 1
        return self.issue(pair.grant, scope or pair.scope, refresh=self.assumptions.refresh_rotates)

    def revoke(self, token: str, client_id: str) -> None:
        """End a token: a refresh token takes its whole grant along, an access token only itself."""
        pair = self._by_refresh.get(token)
        if pair is not None and pair.grant.client_id == client_id:
            pair.grant.revoked = True
        pair = self._by_access.get(token)
        if pair is not None and pair.grant.client_id == client_id:
            pair.access_revoked = True

    def expire_access(self) -> None:
        """End the life of every access token; the refresh tokens keep theirs."""
        for pair in self.pairs:
            pair.access_until = min(pair.access_until, self.clock())

    def revoke_all(self) -> None:
        """End every grant, as a change of the user's password is said to do."""
        for grant in self.grants:
            grant.revoked = True

    def record(self, pair: Pair) -> TokenRecord:
        """Return a pair as a record for assertions."""
        return TokenRecord(
            grant=pair.grant.id,
            access_token=pair.access,
            refresh_token=pair.refresh,
            scope=pair.scope,
            issued_at=pair.issued,
            access_expires_at=pair.access_until,
            refresh_expires_at=pair.refresh_until if pair.refresh is not None else None,
            access_works=self._access_works(pair),
            refresh_state=self._refresh_state(pair),
        )

    def _access_works(self, pair: Pair) -> bool:
        return not pair.access_revoked and not pair.grant.revoked and self.clock() < pair.access_until

    def _refresh_state(self, pair: Pair) -> RefreshState:
        if pair.refresh is None:
            return "none"
        if pair.grant.revoked or self.clock() >= pair.refresh_until:
            return "revoked"
        return "live" if pair.rotated is None else "rotated"
