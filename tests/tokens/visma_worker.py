"""Run by a test as a process of its own: an app that is connected to Visma, takes its orders line by line, and may die.

Orders and answers are JSON, one a line. ``open`` connects; ``call`` waits for an instant, so that many begin at once,
and then asks for the company.
"""

import json
import os
import signal
import struct
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import accounting_bridge as ab
from accounting_bridge import session as sessions


class TurnedClock:
    """The machine's clock, put forward by as many seconds as a file says: the same for all that share the file."""

    def __init__(self, path):
        self.path = Path(path)

    @property
    def ahead(self):
        return struct.unpack("<d", self.path.read_bytes())[0]

    def turn(self, seconds):
        new = self.path.with_suffix(".new")
        new.write_bytes(struct.pack("<d", (self.ahead if self.path.exists() else 0.0) + seconds))
        new.replace(self.path)

    def now(self):
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def monotonic(self):
        return time.monotonic() + self.ahead


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Wire:
    """The connection's own; says in a file who is about to renew, and may die instead."""

    def __init__(self, http, renewing, fate):
        self.http, self.renewing, self.fate = http, renewing, fate

    def send(self, outgoing):
        if outgoing.url.endswith("/connect/token"):
            self.renewing.write_text(str(os.getpid()))
            if self.fate == "before sending":
                die()
        return self.http.send(outgoing)

    def close(self):
        self.http.close()


class DoomedTokens(ab.SqliteTokens):
    """Ends or suspends its process at one step of a renewal."""

    fate = ""
    has_lease = False

    def acquire(self, *lease):
        self.has_lease = super().acquire(*lease)
        self.stop_at("stopped with the lease")
        return self.has_lease

    def load(self, *place):
        stored = super().load(*place)
        self.stop_at("stopped before renewing")
        return stored

    def stop_at(self, fate):
        if self.has_lease and self.fate == fate:
            self.fate = ""
            os.kill(os.getpid(), signal.SIGSTOP)

    def replace(self, *grant):
        if self.fate == "before storing":
            die()
        stored = super().replace(*grant)
        if self.fate == "after storing":
            die()
        return stored


def opened(order):
    clock = TurnedClock(order["clock"])
    store = DoomedTokens(order["path"], key=bytes.fromhex(order["key"]), clock=clock)
    store.fate = order["fate"]
    provider = ab.connect(
        "visma", order["settings"], base_url=order["url"], tenant="t", tokens=store, limits=ab.Unlimited(), clock=clock
    )
    session = provider._session
    session.http = Wire(session.http, Path(order["renewing"]), order["fate"])
    return provider


def called(provider, at):
    time.sleep(max(0.0, at - time.time()))
    waits = []
    sessions.time = SimpleNamespace(sleep=lambda seconds: waits.append(seconds) or time.sleep(seconds))
    try:
        answer = {"company": provider.check().company}
    except ab.BridgeError as exc:
        answer = {"error": type(exc).__name__, "message": exc.message, "shown": str(exc)}
    return {**answer, "waited": sum(waits)}


def main():
    provider = None
    for line in sys.stdin:
        order = json.loads(line)
        if order["order"] == "open":
            if provider is not None:
                provider.close()
            provider, answer = opened(order), {"ready": True}
        else:
            answer = called(provider, order["at"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
