"""Cassettes (vcrpy) that hold no secrets and replay exactly.

vcrpy's defaults are changed, each because of something that was seen to go wrong: bodies are matched (an invoice over
99.99 was answered with the recorded one over 10.00), headers are kept by an allow-list (tokens were found in bodies
and cookies although ``Authorization`` was filtered), compressed answers are stored as text (in a compressed one no
secret is found, and without its header nobody can read it), and nothing is recorded by accident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

_KEPT_REQUEST_HEADERS: Final = frozenset({"accept", "content-type"})
_KEPT_RESPONSE_HEADERS: Final = frozenset(
    {
        "content-type",
        "retry-after",
        "x-amzn-requestid",
        "x-dailylimit-remaining",
        "x-rate-limit-remaining",
        "x-rate-limit-reset",
        "x-ratelimit-remaining",
        "x-total-count",
    }
)
"""What the adapters read. Not the length: the body may be shorter or longer once secrets are struck out."""
_STRUCK_OUT: Final = "[secret]"


def cassette_options(
    *,
    origin: str,
    server: str | None = None,
    secrets: Sequence[str] = (),
    record_mode: str = "none",
    directory: str = "cassettes",
) -> dict[str, Any]:
    """Keyword arguments for ``vcr.VCR``.

    Args:
        origin: scheme, host and port that stand in the cassette, whatever the recording was made against.
        server: scheme, host and port of the recording itself. Answers that name it, as the address of a file there,
            name *origin* in the cassette.
        secrets: values that are struck out of URLs and bodies, as they are and as they are written in a URL.
        record_mode: vcrpy's; ``"none"`` replays only and refuses what is not on the cassette.
        directory: where cassettes lie.
    """
    spellings = sorted(
        {spelling for secret in secrets if secret for spelling in (secret, quote(secret, safe=""), quote_plus(secret))},
        key=len, reverse=True,
    )  # fmt: skip

    def strike(content: bytes) -> bytes:
        for spelling in spellings:
            content = content.replace(spelling.encode(), _STRUCK_OUT.encode())
        return content

    def strike_text(text: str) -> str:
        return strike(text.encode()).decode()

    def request(asked: Any) -> Any:
        there, ours = urlsplit(asked.uri), urlsplit(origin)
        asked.uri = urlunsplit((ours.scheme, ours.netloc, strike_text(there.path), strike_text(there.query), ""))
        asked.headers = {name: value for name, value in asked.headers.items() if name.lower() in _KEPT_REQUEST_HEADERS}
        if asked.body:
            asked.body = strike(asked.body if isinstance(asked.body, bytes) else asked.body.encode())
        return asked

    def response(answered: Mapping[str, Any]) -> dict[str, Any]:
        kept = {
            name.lower(): values
            for name, values in answered["headers"].items()
            if name.lower() in _KEPT_RESPONSE_HEADERS
        }
        body = answered["body"]["string"]
        if server is not None:
            body = body.replace(server.encode(), origin.encode())
        return {**answered, "headers": kept, "body": {"string": strike(body)}}

    return {
        "cassette_library_dir": directory,
        "record_mode": record_mode,
        "match_on": ["method", "scheme", "host", "port", "path", "query", "body"],
        "decode_compressed_response": True,
        "before_record_request": request,
        "before_record_response": response,
    }
