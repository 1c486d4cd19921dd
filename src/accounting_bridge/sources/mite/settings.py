"""What an app passes to ``connect_source("mite", …)``."""

from __future__ import annotations

import re
from typing import Any, Final

from attrs import field, fields, frozen

from ...adapter import Secret
from ...errors import InvalidRequest, Problem

# The account becomes part of a host name: anything but one host label could send the API key elsewhere.
_ACCOUNT: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HEADER: Final = re.compile(r"[\x21-\x7e]{1,200}")
_AGENT: Final = re.compile(r"[\x20-\x7e]{1,200}")


def _lower(value: Any) -> Any:
    # Only ASCII: the Kelvin sign and others lower-case to plain letters.
    return value.lower() if isinstance(value, str) and value.isascii() else value


@frozen(kw_only=True)
class MiteSettings:
    """Account, key and options of one mite connection."""

    account: str = field(converter=_lower)
    """The part before ``.mite.de`` in the browser's address, as ``musterwerk``; letter case does not count."""
    api_key: Secret
    """The key of one user (My user, allow access to the API); calls act with that user's rights."""
    application: str | None = None
    """Name, version and address of the app, as ``Stundenbuch/2.1 (https://stundenbuch.example)``: mite wants to know
    who calls. None: this library's name."""
    locked_means_billed: bool = True
    """Whether a locked entry counts as billed. False where months are closed by locking: then what was billed has to be
    kept by the app, because mite has no other place for it, and nothing is locked or unlocked."""
    project_notes: bool = True
    """Whether work brings the note of its project along as the project's description, for plans that print it. All
    projects are read for that, once per connection and quarter of an hour."""

    def __attrs_post_init__(self) -> None:
        # What was passed may be of any type: a mistake should name the setting, not end in a traceback.
        given: dict[str, object] = {name: getattr(self, name) for name in _NAMES}
        account, key, agent = given["account"], given["api_key"], given["application"]
        problems = []
        if not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
            problem = "must be one name of letters, digits and hyphens, as NAME in https://NAME.mite.de"
            problems.append(Problem("account", problem))
        if not (isinstance(key, Secret) and _HEADER.fullmatch(key.reveal())):
            problems.append(Problem("api_key", "must be printable ASCII without blanks, and not empty"))
        if agent is not None and not (isinstance(agent, str) and _AGENT.fullmatch(agent)):
            problems.append(Problem("application", "must be printable ASCII: it travels in a header"))
        problems += [
            Problem(name, "must be True or False")
            for name in ("locked_means_billed", "project_notes")
            if not isinstance(given[name], bool)
        ]
        if problems:
            raise InvalidRequest("these MiteSettings are not valid", problems=problems)


_NAMES: Final = tuple(attribute.name for attribute in fields(MiteSettings))
