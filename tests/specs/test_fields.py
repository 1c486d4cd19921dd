"""lexoffice and Billomat publish no schemas, but names: what is sent has no field or filter that nobody documented.

Billomat's are from an extract of its pages, lexoffice's from the bodies of its own collection of sample requests.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from _openapi import Exchange
from _scenario import Shape, play, recording

import accounting_bridge as ab
from accounting_bridge.sandbox import serve

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[3] / "shared")
FIELDS = SHARED / "specs" / "billomat" / "fields_merged.json"
SAMPLES = SHARED / "specs" / "lexoffice" / "lexoffice-API-Samples.postman_collection.json"
_PAGING = {"page", "per_page", "order_by"}

UNDOCUMENTED: Mapping[str, Mapping[str, str]] = {
    "billomat": {"invoices?type": "on the page of PDFs, in prose: which of the stored files is wanted"},
    "lexoffice": {
        "POST contacts .version": "documented as 0 for a new contact; the sample leaves it out",
        "POST contacts .person": "documented beside company; the sample is a company",
        "POST contacts .person.firstName": "the same",
        "POST contacts .person.lastName": "the same",
    },
}
"""What is sent beyond the published names, and why."""


@cache
def _recorded(vendor: str) -> Sequence[Exchange]:
    options = {"mirror_sales": True} if vendor == "billomat" else {}
    with serve(vendor, customers=30, rate_limit=False) as server:
        exchanges = recording(server.sandbox)
        with ab.connect(
            vendor, {**server.settings, **options}, base_url=server.url, tenant="specs", limits=ab.Unlimited(),
            journal=ab.MemoryJournal(),
        ) as provider:  # fmt: skip
            play(provider, Shape(country="DE", rates=(Decimal(19), Decimal(7))))
    return exchanges


# ---- Billomat --------------------------------------------------------------------------------------------------


def _of_billomat(documented: Any, exchange: Exchange) -> Iterator[str]:
    call = exchange.call
    resource = call.path.split("/")[2]
    if resource not in documented:
        yield f"{call.method} {call.path}"
        return
    known = documented[resource]
    if call.method == "GET":
        single = call.path.count("/") > 2
        filters = set() if single else {*known["list_filters"], *_PAGING}
        yield from (f"{resource}?{name}" for name, _ in call.query if name not in filters)
    elif call.body and call.path.count("/") <= 3:
        (body,) = json.loads(call.body).values()
        items = body.pop("invoice-items", {"invoice-item": []})["invoice-item"]
        yield from (f"{resource}.{name}" for name in body if name not in known["create_fields"])
        of_items = documented["invoice-items"]["create_fields"]
        yield from (f"invoice-items.{name}" for item in items for name in item if name not in of_items)


# ---- lexoffice -------------------------------------------------------------------------------------------------


def _samples(node: Any) -> Iterator[tuple[str, Any]]:
    for item in node.get("item", ()):
        request = item.get("request")
        text = ((request or {}).get("body") or {}).get("raw")
        if text:
            url = request["url"]["raw"] if isinstance(request["url"], dict) else request["url"]
            resource = re.sub(r".*/v1/([a-z-]+).*", r"\1", url)
            try:
                yield f"{request['method']} {resource}", json.loads(text)
            except ValueError:
                continue  # a sample with a placeholder in it
        yield from _samples(item)


def _names(value: Any, at: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{at}.{name}"
            yield from _names(inner, f"{at}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner, at)


def _of_lexoffice(documented: Mapping[str, set[str]], exchange: Exchange) -> Iterator[str]:
    call = exchange.call
    operation = f"{call.method} {call.path.split('/')[2]}"
    if not call.body or operation not in documented or not call.headers.get("content-type", "").endswith("json"):
        return
    yield from (f"{operation} {name}" for name in _names(json.loads(call.body)) if name not in documented[operation])


# ---- tests -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not FIELDS.is_file(), reason="Billomat's fields are not at hand (ACCOUNTING_BRIDGE_SHARED)")
def test_billomat_is_sent_documented_names_only() -> None:
    documented = json.loads(FIELDS.read_bytes())
    found = {name for exchange in _recorded("billomat") for name in _of_billomat(documented, exchange)}
    assert found == set(UNDOCUMENTED["billomat"])


@pytest.mark.skipif(not SAMPLES.is_file(), reason="lexoffice's samples are not at hand (ACCOUNTING_BRIDGE_SHARED)")
def test_lexoffice_is_sent_names_of_its_samples_only() -> None:
    documented: dict[str, set[str]] = {}
    for operation, body in _samples(json.loads(SAMPLES.read_bytes())):
        documented.setdefault(operation, set()).update(_names(body))
    seen = {f"{one.call.method} {one.call.path.split('/')[2]}" for one in _recorded("lexoffice") if one.call.body}
    assert {"POST contacts", "PUT contacts", "POST invoices"} <= seen & set(documented)
    found = {name for exchange in _recorded("lexoffice") for name in _of_lexoffice(documented, exchange)}
    assert found == set(UNDOCUMENTED["lexoffice"])
