"""Who is let in, and how often: API keys, registered apps, windows of a quarter of an hour."""

from __future__ import annotations

import datetime as dt
import hmac
import math
from typing import Final

from ..wire import Call
from .account import BillomatAccount
from .assumptions import BillomatAssumptions
from .problems import Problem

WINDOW: Final = 900
SHARED: Final = "shared"


class Gate:
    """Checks credentials and counts calls. Callers without an app share one count per account."""

    def __init__(self, account: BillomatAccount, assume: BillomatAssumptions, api_key: str) -> None:
        self._account = account
        self._assume = assume
        self._api_key = api_key
        self._window = 0
        self._used: dict[str, int] = {}

    def check_account(self, call: Call) -> None:
        """Refuse a call to another account of the vendor; a loopback address says nothing about it."""
        host = call.headers.get("host", "").partition(":")[0].lower()
        label, _, domain = host.partition(".")
        if domain == "billomat.net" and label != self._account.billomat_id:
            raise Problem(404, "Account not found")

    def check_credentials(self, call: Call) -> None:
        """Refuse a wrong key, and an app id without its secret (or a secret without its id)."""
        if not _equal(_credential(call, "x-billomatapikey", "api_key"), self._api_key):
            raise Problem(401, "Unauthorized")
        app_id = _credential(call, "x-appid", "app_id")
        secret = _credential(call, "x-appsecret", "app_secret")
        if not app_id and not secret:
            return
        known = _equal(app_id, self._account.app_id)
        if not _equal(secret, self._account.app_secret) or not known:
            raise Problem(self._assume.app_secret_status, "invalid secret")

    def bucket(self, call: Call) -> str:
        """Return whose quota the call uses: the app's when it is registered, else everybody's."""
        app_id = _credential(call, "x-appid", "app_id")
        secret = _credential(call, "x-appsecret", "app_secret")
        ours = _equal(app_id, self._account.app_id) and _equal(secret, self._account.app_secret)
        return app_id if ours else SHARED

    def quota(self, bucket: str) -> int:
        """Return how many calls a bucket has per window."""
        return self._account.shared_calls if bucket == SHARED else self._account.app_calls

    def remaining(self, bucket: str, now: dt.datetime) -> int:
        """Return how many calls a bucket has left; a new window forgets the last one."""
        self._turn(now)
        return max(0, self.quota(bucket) - self._used.get(bucket, 0))

    def count(self, bucket: str, now: dt.datetime) -> None:
        """Use up one call."""
        self._turn(now)
        self._used[bucket] = self._used.get(bucket, 0) + 1

    def too_many(self, bucket: str, now: dt.datetime) -> str:
        """Return the text of a 429."""
        named = f" ({self.quota(bucket)} per 15 minutes)" if self._assume.quota_named_in_429 else ""
        seconds = max(1, math.ceil(reset_at(now) - now.timestamp()))
        return f"Maximum number of requests{named} reached. Try again in {seconds} seconds."

    def _turn(self, now: dt.datetime) -> None:
        window = int(now.timestamp()) // WINDOW
        if window != self._window:
            self._window = window
            self._used.clear()


def reset_at(now: dt.datetime) -> int:
    """Return the epoch second at which the next window begins: on the quarter of the hour."""
    return (int(now.timestamp()) // WINDOW + 1) * WINDOW


def _credential(call: Call, header: str, parameter: str) -> str:
    return call.headers.get(header) or call.first(parameter) or ""


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
