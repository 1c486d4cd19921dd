"""``accounting-bridge journal``: look after the journal in an SQLite database.

Every command works on a journal that exists, while others use it. The status is 1 when something is wrong with what
the journal holds, 2 when the command could not do its work at all.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from accounting_bridge.errors import BridgeError
from accounting_bridge.journal import Head, SqliteJournal

from .sandbox import Failure

_Command = TypeVar("_Command", bound=Callable[..., object])


@click.group()
def journal() -> None:
    """Verify, export and shorten the journal of a database."""


def _path(command: _Command) -> _Command:
    return click.argument("path", type=click.Path(dir_okay=False, path_type=Path))(command)


@journal.command()
@_path
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="TENANT:NUMBER:SEAL",
    help="A head that `journal heads` printed before: finds an end that is missing. Repeatable.",
)
def verify(*, path: Path, heads: tuple[str, ...]) -> None:
    """Compute all seals of the journal at PATH again; status 1 if anything is wrong."""
    kept = dict(map(_head, heads))
    with _opened(path) as opened:
        found = opened.verify(heads=kept)
    for problem in found.problems:
        click.echo(problem)
    if not found.ok:
        click.echo(f"{len(found.problems)} problems in {path}", err=True)
        sys.exit(1)
    click.echo(f"{found.entries:,} changes verified, nothing found")


@journal.command()
@_path
def heads(*, path: Path) -> None:
    """Print the end of each tenant's history, to be kept at another place and given to `verify`."""
    with _opened(path) as opened:
        for tenant in opened.tenants():
            head = opened.head(tenant)
            click.echo(f"{tenant}:{head.entry}:{head.seal}")


@journal.command()
@_path
@click.option("--tenant", help="This one's only.")
def export(*, path: Path, tenant: str | None) -> None:
    """Print the history as JSON Lines, by tenant, oldest first."""
    nothing = True
    with _opened(path) as opened:
        for line in opened.export(tenant):
            click.echo(line)
            nothing = False
        known = opened.tenants() if nothing else []
    if nothing:
        whose = "" if tenant is None else f" of tenant {tenant!r}"
        there = f"; there are: {', '.join(map(repr, known))}" if known and tenant not in known else ""
        click.echo(f"nothing{whose} in {path}{there}", err=True)


@journal.command()
@_path
@click.option(
    "--before",
    required=True,
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    help="In UTC; what was recorded from then on stays.",
)
def prune(*, path: Path, before: datetime) -> None:
    """Drop the history of the journal at PATH before a date. What was made is not made again all the same."""
    with _opened(path) as opened:
        dropped = opened.prune(before.replace(tzinfo=UTC))
    click.echo(f"{dropped:,} changes dropped")


@journal.command()
@_path
@click.option("--tenant", required=True, help="Whose.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(*, path: Path, tenant: str, yes: bool) -> None:
    """Drop everything of one tenant. If it is ever connected again, its documents may be made a second time."""
    with _opened(path) as opened:
        if tenant not in opened.tenants():
            raise Failure(f"no tenant {tenant!r} in {path}")
        if not yes:
            click.confirm(f"Erase all that {path} knows of tenant {tenant!r}?", abort=True)
        rows = opened.erase(tenant)
    click.echo(f"{rows:,} references erased")


@contextmanager
def _opened(path: Path) -> Iterator[SqliteJournal]:
    try:
        opened = SqliteJournal(path, create=False)
        try:
            yield opened
        finally:
            opened.close()
    except BridgeError as error:
        raise Failure(error.message) from error
    except (OSError, sqlite3.Error) as error:
        raise Failure(str(error) or type(error).__name__) from error


def _head(text: str) -> tuple[str, Head]:
    tenant, number, seal = (*text.rsplit(":", 2), "", "")[:3]
    if not (number.isascii() and number.isdigit() and seal):
        raise click.BadParameter(f"{text!r} is not TENANT:NUMBER:SEAL", param_hint="--head")
    return tenant, Head(entry=int(number), seal=seal)
