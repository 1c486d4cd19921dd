"""Invented books to measure against: a vendor's sandbox in a process of its own, without its rate limit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@contextmanager
def books(vendor: str, customers: int) -> Iterator[dict[str, Any]]:
    """Serve them, and say where: vendor, url, settings, and a grant for OAuth. They are gone after the block."""
    command = [sys.executable, str(HERE / "books.py"), vendor, str(customers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield {"vendor": vendor, **json.loads(server.stdout.readline())}
        finally:
            server.stdin.close()  # which ends it


def serve(vendor: str, customers: int) -> None:
    """The other process: until the standard input ends."""
    from accounting_bridge import sandbox

    with sandbox.serve(vendor, customers=customers, rate_limit=False) as server:
        where = {"url": server.url, "settings": dict(server.settings)}
        if isinstance(server.sandbox, sandbox.VismaSandbox):
            pair = server.sandbox.token_pair()
            where["token"] = {"access": pair.access_token, "refresh": pair.refresh_token}
        print(json.dumps(where), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
