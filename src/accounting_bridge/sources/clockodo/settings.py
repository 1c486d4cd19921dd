"""What an app passes to ``connect_source("clockodo", …)``."""

from __future__ import annotations

import re
from typing import Final
from zoneinfo import ZoneInfo

from attrs import fields, frozen

from ...adapter import Secret
from ...errors import InvalidRequest, Problem

_MAIL: Final = re.compile(r"[\x21-\x3a\x3c-\x7e]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_NAME: Final = re.compile(r"[\x21-\x3a\x3c-\x7e]([\x20-\x3a\x3c-\x7e]*[\x21-\x3a\x3c-\x7e])?")
"""Printable ASCII without a semicolon, which ends the name in the header."""
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_LANGUAGES: Final = ("de", "en", "fr")
_LONGEST_HEADER: Final = 50
_FLAGS: Final = ("fixed_prices", "project_notes")


@frozen(kw_only=True)
class ClockodoSettings:
    """User, key, who calls, and options of one Clockodo connection."""

    user: str
    """Mail address of the user whose key it is; calls act with that user's rights. Rates, budgets and the hours of
    others are for owners, and for those to whom an owner gave the right."""
    api_key: Secret
    """That user's key (Personal data)."""
    application: str
    """Name of the app or the company, as ``Stundenbuch``: Clockodo takes no call without it."""
    contact: str
    """Mail address of the app's technical contact, as ``technik@musterwerk.example``. Together with the name it has
    at most 49 characters."""
    time_zone: str | None = None
    """The zone that days are counted in, as ``Europe/Berlin``. None: the zone of the key's user in Clockodo."""
    currency: str | None = None
    """ISO 4217. None: the one that Clockodo tells for the company, as far as it does; else the plan's."""
    language: str = "en"
    """Of Clockodo's error texts: ``de``, ``en`` or ``fr``."""
    fixed_prices: bool = True
    """Whether projects with a hard budget have a fixed price: their hours are then not billable, and the price is
    delivered as a fee once the project is completed. False: all hours at their rates, budgets are not looked at."""
    project_notes: bool = True
    """Whether work brings the note of its project along as the project's description, for plans that print it."""

    def __attrs_post_init__(self) -> None:
        # What was passed may be of any type: a mistake should name the setting, not end in a traceback.
        given: dict[str, object] = {name: getattr(self, name) for name in _NAMES}
        key = given["api_key"]
        problems = [
            Problem(name, f"must be a mail address: {what}")
            for name, what in (("user", "whose key it is"), ("contact", "the technical contact of your app"))
            if not _is(_MAIL, given[name])
        ]
        if not (isinstance(key, Secret) and _KEY.fullmatch(key.reveal())):
            problems.append(Problem("api_key", "must be printable ASCII without blanks, and not empty"))
        if not _is(_NAME, given["application"]):
            problem = "must name your app in printable ASCII without a semicolon: Clockodo takes no call without it"
            problems.append(Problem("application", problem))
        elif not problems and len(self.caller) > _LONGEST_HEADER:
            problem = f"and contact have {len(self.caller)} characters as 'name;address'; at most {_LONGEST_HEADER} fit"
            problems.append(Problem("application", problem))
        if given["time_zone"] is not None and zone_of(given["time_zone"]) is None:
            problems.append(Problem("time_zone", "must be the name of a time zone, as Europe/Berlin"))
        if given["currency"] is not None and not _is(_CURRENCY, given["currency"]):
            problems.append(Problem("currency", "must be three capital letters, as EUR"))
        if given["language"] not in _LANGUAGES:
            problems.append(Problem("language", f"must be one of {', '.join(_LANGUAGES)}"))
        problems += [Problem(name, "must be True or False") for name in _FLAGS if not isinstance(given[name], bool)]
        if problems:
            raise InvalidRequest("these ClockodoSettings are not valid", problems=problems)

    @property
    def caller(self) -> str:
        """What ``X-Clockodo-External-Application`` says (documented)."""
        return f"{self.application};{self.contact}"

    @property
    def zone(self) -> ZoneInfo | None:
        """That of ``time_zone``."""
        return None if self.time_zone is None else zone_of(self.time_zone)


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def zone_of(name: object) -> ZoneInfo | None:
    """The zone of that name, or None."""
    if not isinstance(name, str) or not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, a folder of zones
        return None


_NAMES: Final = tuple(attribute.name for attribute in fields(ClockodoSettings))
