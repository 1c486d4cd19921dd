"""Run by a test as a process of its own: renews a grant through a shared store, and says what came of it.

Arguments: kind of store, its path, key, port of the toy vendor, the file of the clock, how often. It says ``ready``,
and begins when it is told to.
"""

import json
import socket
import sys
import time
from datetime import datetime

from visma_worker import TurnedClock

from accounting_bridge import Token
from accounting_bridge.errors import OutcomeUnknown, Refused
from accounting_bridge.tokens import FileTokens, SqliteTokens
from accounting_bridge.tokens.renewal import Ask, Pause, Refresh, Renewal


def ask_vendor(port, token):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(token.refresh.encode() + b"\n")
        answer = connection.makefile().readline()
    if not answer:
        return OutcomeUnknown("no answer")
    fields = json.loads(answer)
    if "error" in fields:
        return Refused(fields["error"])
    return Token(
        access=fields["access"], refresh=fields["refresh"], expires_at=datetime.fromisoformat(fields["expires_at"])
    )


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main():
    kind, path, key, port, hands, rounds = sys.argv[1:]
    clock = TurnedClock(hands)
    store = {"file": FileTokens, "sqlite": SqliteTokens}[kind](path, key=bytes.fromhex(key), clock=clock)
    renewal = Renewal(store=store, tenant="t", vendor="toy", clock=clock, random=lambda: 0.5)
    say("ready")
    for _ in range(int(rounds)):
        rejected = sys.stdin.readline().strip()
        loaded = store.load("t", "toy")
        # Another process may have been so fast that the rejected grant is no longer to be had.
        stale = loaded if loaded is not None and loaded.access == rejected else Token(access=rejected)
        steps, answer = renewal.steps(stale), None
        while True:
            try:
                action = steps.send(answer)
            except StopIteration as stop:
                result = stop.value
                break
            match action:
                case Ask(function):
                    answer = function()
                case Refresh(token):
                    answer = ask_vendor(int(port), token)
                case Pause(seconds):
                    answer = time.sleep(seconds / 5)
        say(result.access if isinstance(result, Token) else repr(result))


main()
