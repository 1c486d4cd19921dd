"""Run by a test as a process of its own: writes into a shared journal.

``race PATH``: says ``ready``, then for each reference it is told tries to send it, and says whether it may.
``write PATH NAME``: records references of its own without end, and says each one that is on the disk.
"""

import sys
from datetime import UTC, datetime

from accounting_bridge import SqliteJournal
from accounting_bridge.journal.port import Confirm, Intend, Key, Send, unconditional


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def key(reference, tenant="t"):
    return Key(tenant=tenant, vendor="toy", kind="invoice", reference=reference)


def race(journal):
    say("ready")
    for line in sys.stdin:
        reference = line.strip()
        journal.record(key(reference), Intend("v1:f"), datetime.now(UTC))
        row = journal.recall(key(reference))
        if not journal.record(key(reference), Send(0), datetime.now(UTC)):
            say("no")
        else:
            say(f"{row.rounds} sent")


def write(journal, name):
    number = 0
    while True:
        number += 1
        for change in (Intend(f"v1:{number}"), Send(0, "x" * 64), Confirm(f"r-{number}")):
            assert journal.record(key(f"{name}-{number}", name), change, datetime.now(UTC))
            say(f"{number} {type(unconditional(change)).__name__}")


if __name__ == "__main__":
    what, path, *rest = sys.argv[1:]
    {"race": race, "write": write}[what](SqliteJournal(path), *rest)
