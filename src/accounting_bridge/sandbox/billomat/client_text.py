"""The JSON of an invented client that nothing has happened to, written from a template.

An import of 100,000 clients spends most of the emulator's time on fields that are the same in all of them.
The template comes from the ordinary way of showing a client, so that the two cannot differ in form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import Final

from .assumptions import BillomatAssumptions
from .kinds import STAMP
from .records import Client
from .wire_forms import Nested, Tree, json_text

EPOCH: Final = datetime(2024, 1, 1, tzinfo=UTC)
MARK: Final = "\0"
TEXTS: Final = (
    "name", "salutation", "first_name", "last_name", "street", "zip", "city", "country_code", "phone", "mobile",
    "email", "www", "tax_number", "vat_number", "note", "client_number",
)  # fmt: skip
OTHERS: Final = (
    "id", "created", "updated", "archived", "number", "number_pre", "number_length", "address",
    "customerportal_url", "client-property-values",
)  # fmt: skip


class ClientText:
    """Writes clients of which only the fields above differ from a client of defaults."""

    def __init__(self, shown: Callable[[Client], Tree], assume: BillomatAssumptions) -> None:
        self.is_usable = assume.empty_scalar == "text" and assume.empty_nested_list != "absent"
        self._assume = assume
        self._shown = shown
        self._no_properties = json_text(Nested("client-property-value", []), assume)
        self._literals: list[str] = []
        self._names: list[str] = []

    def of(self, client: Client, address: str, portal: str) -> str:
        """Return the client as a JSON object."""
        if not self._literals:
            self._prepare()
        stamp = f'"{STAMP.show(client.created)}"'
        texts = {
            "id": f'"{client.id}"',
            "created": stamp,
            "updated": stamp,
            "archived": '"1"' if client.archived else '"0"',
            "number": f'"{client.number}"',
            "number_pre": quoted(client.number_pre),
            "number_length": f'"{client.number_length}"',
            "address": quoted(address),
            "customerportal_url": quoted(portal),
            "client-property-values": self._no_properties
            if not client.properties
            else json_text(shown_properties(client), self._assume),
        }
        for name in TEXTS:
            texts[name] = quoted(getattr(client, name))
        parts = self._literals.copy()
        parts[1::2] = [texts[name] for name in self._names]
        return "".join(parts)

    def _prepare(self) -> None:
        tree = self._shown(Client(created=EPOCH, updated=EPOCH))
        for name in TEXTS + OTHERS:
            tree[name] = f"{MARK}{name}{MARK}"
        pieces = re.split(r'"\\u0000([a-z_-]+)\\u0000"', json_text(tree, self._assume))
        self._literals, self._names = pieces, pieces[1::2]


def shown_properties(client: Client) -> Nested:
    """Return a client's custom attributes as they are nested in its record."""
    rows: list[Tree] = [
        {
            "id": str(value.id),
            "client_id": str(client.id),
            "client_property_id": str(value.property_id),
            "type": value.type,
            "name": value.name,
            "value": value.value,
            "customfield": "",
        }
        for value in client.properties
    ]
    return Nested("client-property-value", rows)
