"""Bodies in the vendor's two formats, JSON being converted from the XML.

An answer is a tree of dicts whose leaves are texts; lists inside a record are `Nested`, outer ones `Page`.
In both formats a request comes out as the same tree, so that the rules never see the difference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, Literal
from xml.parsers import expat

from attrs import frozen

from ..wire import BadJson, Call, RawJson, Reply
from .assumptions import BillomatAssumptions
from .problems import invalid
from .records import (
    Article,
    Client,
    ClientTag,
    Comment,
    Contact,
    CountryTax,
    EmailTemplate,
    FreeText,
    Invoice,
    InvoiceTag,
    Item,
    Payment,
    Supplier,
    Tax,
    Template,
    Unit,
    User,
)
from .schema import wire_kinds

Format = Literal["json", "xml"]
Tree = dict[str, Any]

DEFAULTS: Final = BillomatAssumptions()
MAX_DEPTH: Final = 20
"""Nesting allowed in an XML request; the deepest documented body has six levels."""


@frozen
class Nested:
    """A list inside a record, such as an invoice's taxes."""

    element: str
    rows: list[Tree]


@frozen(kw_only=True)
class Page:
    """One page of a list with what it says about the whole."""

    plural: str
    element: str
    rows: Sequence[Tree | RawJson]
    number: int
    size: int
    total: int


def answer_format(call: Call) -> Format:
    """Choose the answer's format: XML unless JSON is asked for, by parameter or by header."""
    wanted = call.first("format")
    if wanted is not None:
        return "json" if wanted == "json" else "xml"
    return "json" if "application/json" in call.headers.get("accept", "") else "xml"


def record_reply(call: Call, element: str, record: Tree, status: int, assume: BillomatAssumptions) -> Reply:
    """Answer one record under its outer key."""
    if answer_format(call) == "json":
        return _json(status, {element: _quirky(record, assume)}, assume)
    return _xml(status, _xml_element(element, record))


def page_reply(call: Call, page: Page, assume: BillomatAssumptions) -> Reply:
    """Answer a page: several rows are an array, one is an object, none leaves the inner key out."""
    count = {"x-total-count": str(page.total)}
    if answer_format(call) == "json":
        return _json_reply(200, _json_page(page, assume)).with_headers(count)
    rows = "".join(_xml_element(page.element, row) for row in page.rows)
    head = f'type="array" page="{page.number}" per_page="{page.size}" total="{page.total}"'
    return _xml(200, f"<{page.plural} {head}>{rows}</{page.plural}>").with_headers(count)


def error_reply(call: Call, status: int, messages: tuple[str, ...]) -> Reply:
    """Answer an error; one text or a list of them, never a code or a field name."""
    if answer_format(call) == "json":
        texts: object = messages[0] if len(messages) == 1 else list(messages)
        return _json(status, {"errors": {"error": texts}})
    rows = "".join(f"<error>{_xml_text(message)}</error>" for message in messages)
    return _xml(status, f"<errors>{rows}</errors>")


def request_body(call: Call, element: str) -> Mapping[str, Any]:
    """Read a request body and open its outer key.

    The format follows Content-Type and is XML by default: JSON sent without saying so is not understood.

    Raises:
        Problem: a 400 when the body is unreadable, or its outer key is missing or another one.
    """
    if call.content_type == "application/json":
        try:
            tree = call.json()
        except BadJson:
            raise invalid("The request body is not valid JSON") from None
    else:
        tree = _parse_xml(call.body)
    if not isinstance(tree, dict) or element not in tree:
        raise invalid(f"The request body has no element {element}")
    inner = tree[element]
    if inner in ("", [], None):
        return {}
    if not isinstance(inner, dict):
        raise invalid(f"The element {element} is not a record")
    return inner


def json_text(value: object, assume: BillomatAssumptions) -> str:
    """Write a tree as JSON; slashes are left for the whole body to be escaped at once."""

    def unfold(nested: Nested) -> object:
        if not nested.rows:
            return {"text": "", "object": {}, "array": [], "absent": None}[assume.empty_nested_list]
        return {nested.element: _one_or_many([_quirky(row, assume) for row in nested.rows])}

    return json.dumps(value, separators=(",", ":"), default=unfold)


def _json(status: int, value: object, assume: BillomatAssumptions = DEFAULTS) -> Reply:
    return _json_reply(status, json_text(value, assume))


def _json_reply(status: int, text: str) -> Reply:
    body = text.replace("/", "\\/").encode("ascii")
    return Reply(status, {"content-type": "application/json; charset=utf-8"}, body)


def _json_page(page: Page, assume: BillomatAssumptions) -> str:
    if not page.rows and assume.empty_list != "object":
        return json.dumps({page.plural: {"text": "", "array": [], "null": None}[assume.empty_list]})
    texts = [row.text if isinstance(row, RawJson) else json_text(_quirky(row, assume), assume) for row in page.rows]
    inner = texts[0] if len(texts) == 1 else f"[{','.join(texts)}]"
    rows = f'"{page.element}":{inner},' if texts else ""
    attributes = f'"@page":"{page.number}","@per_page":"{page.size}","@total":"{page.total}"'
    return f'{{"{page.plural}":{{{rows}{attributes}}}}}'


def _one_or_many(rows: list[Tree]) -> object:
    return rows[0] if len(rows) == 1 else rows


def _quirky(record: Tree, assume: BillomatAssumptions) -> Tree:
    """Write emptiness as other reports have it; the usual form costs no pass over the record."""
    if assume.empty_nested_list == "absent":
        record = {k: v for k, v in record.items() if not isinstance(v, Nested) or v.rows}
    if assume.empty_scalar == "text":
        return record
    empty: object = None if assume.empty_scalar == "null" else {}
    return {name: empty if value == "" else value for name, value in record.items()}


_XML_TYPES: Final = {
    name: kind.xml
    for cls in (
        Article, Client, ClientTag, Comment, Contact, CountryTax, EmailTemplate, FreeText, Invoice,
        InvoiceTag, Item, Payment, Supplier, Tax, Template, Unit, User,
    )
    for name, kind in wire_kinds(cls).items()
    if kind.xml
}  # fmt: skip


def _xml(status: int, body: str) -> Reply:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'
    return Reply(status, {"content-type": "application/xml; charset=utf-8"}, text.encode("utf-8", "replace"))


def _xml_element(name: str, value: object) -> str:
    if isinstance(value, Nested):
        rows = "".join(_xml_element(value.element, row) for row in value.rows)
        return f'<{name} type="array">{rows}</{name}>'
    if isinstance(value, dict):
        return f"<{name}>{''.join(_xml_element(key, inner) for key, inner in value.items())}</{name}>"
    kind = _XML_TYPES.get(name)
    head = f'{name} type="{kind}"' if kind else name
    return f"<{head}>{_xml_text(str(value))}</{name}>"


def _xml_text(text: str) -> str:
    # XML 1.0 has no form for control characters, not even an escaped one.
    return escape("".join(sign for sign in text if sign >= " " or sign in "\t\n\r"), quote=False)


def _parse_xml(body: bytes) -> Tree:
    """Read XML into the tree its JSON form would be: repeated elements become a list.

    Document types are refused: entities are the classic way to blow up a parser.
    """
    root: Tree = {}
    open_elements: list[tuple[str, Tree, list[str]]] = [("", root, [])]

    def start(name: str, _attributes: object) -> None:
        if len(open_elements) > MAX_DEPTH:
            raise invalid("The request body is nested too deeply")
        open_elements.append((name, {}, []))

    def end(_name: str) -> None:
        name, children, parts = open_elements.pop()
        parent = open_elements[-1][1]
        value: object = children or "".join(parts)
        if name not in parent:
            parent[name] = value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]

    def text(part: str) -> None:
        open_elements[-1][2].append(part)

    def refuse(*_parts: object) -> None:
        raise invalid("The request body must not have a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError):
        raise invalid("The request body is not valid XML") from None
    return root
