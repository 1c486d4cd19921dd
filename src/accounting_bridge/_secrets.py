"""A string that does not show itself, and the means to strike it out of other texts.

Belongs here: everything that keeps a credential out of reprs, pickles, logs and errors.
"""

from __future__ import annotations

import hmac
import html
import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NoReturn
from urllib.parse import unquote
from weakref import WeakValueDictionary

STRUCK_OUT: Final = "[secret]"
_SHORTEST_STRUCK_OUT: Final = 4
"""Shorter values are not searched for in texts: striking out every "abc" would make messages unreadable."""
_SHORTEST_INSIDE_WORDS: Final = 6
"""Shorter values (some vendors' codes have five digits) are struck out as whole words only: inside a longer number or
word they are somebody else's characters, and not known to whoever reads them."""


class Secret:
    """A credential. Only :meth:`reveal` gives the value; repr, str, format, pickle and copies never do."""

    __slots__ = ("__value", "__weakref__")

    def __init__(self, value: str) -> None:
        self.__value = value
        _living[id(self)] = self

    def reveal(self) -> str:
        """The value itself. Keep what you do with it short."""
        return self.__value

    def __repr__(self) -> str:
        return "Secret()"

    def __str__(self) -> str:
        return STRUCK_OUT

    def __format__(self, spec: str) -> str:
        return STRUCK_OUT

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied: pass credentials where they are needed")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: Any) -> Secret:
        return self


# By identity: in a set, two equal secrets would be one, and gone with the first of them.
_living: WeakValueDictionary[int, Secret] = WeakValueDictionary()


def _every_secret() -> list[Secret]:
    """Those in use now; copied in one go, because other threads make and drop secrets meanwhile."""
    return [secret for ref in list(_living.valuerefs()) if (secret := ref()) is not None]


_CREDENTIALS: Final = re.compile(
    r"""(?ix) (\b(?:authorization|x-[a-z]{1,20}apikey|x-appsecret|x-api-key|apikey|securitycode|set-cookie|cookie)
        ['"]? \s* [:=,]? \s* [:=,]? \s* (?:b(?=['"]))?['"]?) (?:bearer\s+|basic\s+)? [^\s'",;)\]]+ """
)


# ASCII on purpose: what is struck out of may be UTF-8 read as Latin-1, where half an "ä" is a letter. An escape of
# JSON or of a URL ends in letters and digits, and is no part of the word after it.
_WORD_BEGINS: Final = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"
_WORD_ENDS: Final = r"(?![A-Za-z0-9])"


def strike_out(text: str, secrets: Iterable[Secret]) -> str:
    """*text* without the values of *secrets*: those of six characters and more anywhere, of four and five as words."""
    for secret in secrets:
        value = secret.reveal()
        if len(value) < _SHORTEST_STRUCK_OUT or value not in text:
            continue
        if len(value) >= _SHORTEST_INSIDE_WORDS:
            text = text.replace(value, STRUCK_OUT)
        else:
            text = re.sub(rf"{_WORD_BEGINS}{re.escape(value)}{_WORD_ENDS}", STRUCK_OUT, text)
    return text


_PLAIN_WORD: Final = re.compile("[A-Za-z]{1,16}")


def out_of_our_own_words(secrets: Iterable[Secret], said: Iterable[str]) -> list[Secret]:
    """Those of *secrets* to be struck out of a sentence of our own about what a vendor *said*: all, but for few.

    Left out is a placeholder that is a plain word ("wrong", "deleted") and of which the vendor said nothing: then it
    is our word, stands there whatever the key is, and the sentence is unreadable without it. *said* are the vendor's
    texts as our sentence may quote them; where it quotes credentials, these are struck out of them already.
    """
    found = list(secrets)
    placeholders = [secret for secret in found if _PLAIN_WORD.fullmatch(secret.reveal())]
    if not placeholders:
        return found
    readings = [reading for text in said for reading in _readings(text.replace(STRUCK_OUT, ""))]
    ours = [one for one in placeholders if not any(one.reveal() in reading for reading in readings)]
    return [secret for secret in found if secret not in ours]


def _readings(text: str) -> Iterator[str]:
    """As it is, and as whoever decodes JSON, XML or a URL reads it."""
    unescaped = _JSON_ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
    yield from (text, unescaped, html.unescape(text), unquote(text), unquote(html.unescape(unescaped)))


_JSON_ESCAPE: Final = re.compile(r"\\u([0-9A-Fa-f]{4})")


class RedactingFilter(logging.Filter):
    """Strikes every living secret, and whatever follows a credential's header name, out of log records."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never drop it."""
        text = record.getMessage()
        clean = _CREDENTIALS.sub(rf"\1{STRUCK_OUT}", strike_out(text, _every_secret()))
        if clean != text:
            record.msg, record.args = clean, None
        return True


_filter: Final = RedactingFilter()


def guard_loggers(*names: str) -> None:
    """Put the filter on these loggers, once each.

    The HTTP library logs through child loggers ("httpcore.http11"), and filters of a logger do not see
    what its children emit: every child in use has to be named.
    """
    for name in names:
        logging.getLogger(name).addFilter(_filter)
