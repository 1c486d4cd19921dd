"""``accounting-bridge sandbox``: run a vendor's emulator in a terminal."""

from __future__ import annotations

import errno
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from threading import Event
from typing import TYPE_CHECKING

import click

from accounting_bridge import sandbox as emulators
from accounting_bridge.errors import how_to_install
from accounting_bridge.sandbox.registry import VENDORS

if TYPE_CHECKING:
    from types import FrameType


class Failure(click.ClickException):
    """A one-line message and exit status 2."""

    exit_code = 2


@click.group()
def sandbox() -> None:
    """Strict local emulators of the vendors and of the time trackers."""


_HELP = f"""Serve the emulator of VENDOR until Ctrl-C.

VENDOR is an accounting system or a time tracker: {", ".join(sorted(VENDORS))}.
"""


@sandbox.command(help=_HELP)
@click.argument("vendor")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--allow-other-hosts", is_flag=True, help="Let --host be reached from other machines: there is no TLS.")
@click.option("--port", default=0, show_default="a free one", type=click.IntRange(0, 65535))
@click.option(
    "--customers",
    default=25,
    show_default=True,
    type=click.IntRange(0, 10_000_000),
    help="Invented customers in the books.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same customers and key.")
@click.option("--no-rate-limit", is_flag=True, help="Answer without the vendor's limit.")
@click.option(
    "--index-lag",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 3600),
    help="Seconds until a new document shows up in lists.",
)
def serve(
    *,
    vendor: str,
    host: str,
    allow_other_hosts: bool,
    port: int,
    customers: int,
    seed: int,
    no_rate_limit: bool,
    index_lag: float,
) -> None:
    """Serve an emulator; see ``_HELP``."""
    if find_spec("uvicorn") is None:
        raise Failure(f"uvicorn is not installed; {how_to_install('cli', 'sandbox')}")
    try:
        server = emulators.serve(
            vendor,
            host=host,
            allow_other_hosts=allow_other_hosts,
            port=port,
            customers=customers,
            seed=seed,
            rate_limit=not no_rate_limit,
            index_lag=index_lag,
        )
    except ValueError as error:
        # In the words of a terminal: the emulators speak of their own argument.
        raise Failure(str(error).replace("pass allow_other_hosts=True", "pass --allow-other-hosts")) from error
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise Failure(f"cannot listen on {host}:{port}: {reason}") from error
    with server, _stop_signals() as stop:
        click.echo(f"{vendor} sandbox on {server.url} with {customers:,} customers")
        for name, value in server.settings.items():
            click.echo(f"  {name} = {value}")
        click.echo("Connect with:")
        click.echo(
            f"  accounting_bridge.{server.sandbox.opener}({vendor!r}, {server.settings!r}, base_url={server.url!r})"
        )
        if hasattr(server.sandbox, "consent"):
            click.echo("Then a user consents: open provider.authorization_url() in a browser and allow it. It leads to")
            click.echo("an address where nothing listens: pass its code and state to provider.exchange(code, state).")
        click.echo("Ctrl-C stops it.")
        stop.wait()
    click.echo("stopped")


@contextmanager
def _stop_signals() -> Iterator[Event]:
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
