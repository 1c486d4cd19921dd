"""What the adapter sends and the sandbox answers, against the vendor's own OpenAPI document."""

import os
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from _openapi import Document
from _scenario import recording
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge.sandbox import serve

yaml = pytest.importorskip("yaml", reason="the vendor's document is written in YAML")
SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[3] / "shared")
DOCUMENT = SHARED / "specs" / "trackers" / "clockodo-openapi-2026-03-12.yaml"
TODAY = datetime.now(UTC).date()

OPERATIONS = {
    "GET /v4/users/me", "GET /v3/customers", "GET /v4/projects", "GET /v3/subprojects", "GET /v4/services",
    "GET /v4/lumpSumServices", "GET /v2/entries", "GET /v2/entries/{id}", "PUT /v2/entries/{id}",
    "GET /v4/projects/{id}", "PUT /v3/projects/{id}/setBilled",
}  # fmt: skip


@pytest.fixture(scope="module")
def whole():
    if not DOCUMENT.exists():
        pytest.skip(f"{DOCUMENT.name} is not here")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(DOCUMENT.read_bytes(), Loader=loader)


def flat(document, call):
    """Nested filters are one parameter in the document: its inner names are checked here, and then left out."""
    template = re.sub(r"/\d+", "/{id}", call.path.removeprefix("/api"))
    described = {one["name"]: one for one in document["paths"][template][call.method.lower()].get("parameters", ())}
    kept = []
    for name, value in call.query:
        inner = re.fullmatch(r"(\w+)\[(\w*)\]", name)
        if inner is None:
            kept.append((name, value))
        elif inner[2]:
            assert inner[2] in described[inner[1]]["schema"]["properties"], name
        else:
            assert described[inner[1]]["schema"]["type"] == "array", name
    return evolve(call, query=tuple(kept))


def test_nothing_travels_that_is_not_described(whole):
    used = {path: whole["paths"][path] for path in {name.partition(" ")[2] for name in OPERATIONS}}
    document = Document.of({**whole, "paths": used}, "/api")
    with serve("clockodo", customers=9, entries=60) as server:
        exchanges = recording(server.sandbox)
        project = server.sandbox.web.fixed_price("Festpreis", Decimal("2500.5"))
        server.sandbox.web.complete(project, datetime.now(UTC))
        settings = {**server.settings, "currency": "EUR"}
        with ab.connect_source("clockodo", settings, base_url=server.url) as source:
            items = list(source.work(TODAY - timedelta(days=90), TODAY + timedelta(days=1)))
            chosen = {item.customer.id for item in items[:1]}
            list(source.work(TODAY - timedelta(days=1), TODAY, customers=chosen, projects=["sub-101"]))
            list(source.customers())
            list(source.projects())
            ids = [f"clockodo:project:{project}", *(item.id for item in items if item.id.startswith("clockodo:entry"))]
            assert source.mark_billed(ids[:4]).complete
            assert source.mark_unbilled(ids[:4]).complete
    found = Counter()
    for exchange in exchanges:
        described = evolve(exchange, call=flat(whole, exchange.call))
        found.update(document.findings(described))
    assert dict(found) == {}
    assert {document.operation(exchange.call) for exchange in exchanges} == OPERATIONS


def test_refusals_have_the_documented_forms(whole):
    used = {path: whole["paths"][path] for path in ("/v2/entries/{id}", "/v3/customers", "/v3/projects/{id}/setBilled")}
    document = Document.of({**whole, "paths": used}, "/api")
    with serve("clockodo", customers=2, entries=0) as server:
        box = server.sandbox
        entry, project = box.web.track(TODAY, 60), box.web.fixed_price("Festpreis", Decimal(1))
        exchanges = recording(box)
        with ab.connect_source("clockodo", server.settings, base_url=server.url) as source:
            for method, path, params, body in (
                ("PUT", f"/api/v2/entries/{entry}", None, {"billable": 3}),
                ("GET", "/api/v3/customers", {"page": "0"}, None),
                ("PUT", f"/api/v3/projects/{project}/setBilled", None, {"billed": True}),
            ):
                with pytest.raises(ab.Refused):
                    source.request(method, path, params=params, json=body)
    answered = [line for one in exchanges for line in document.findings(one) if line.startswith("answered")]
    assert answered == []
    assert [one.reply.status for one in exchanges] == [400, 400, 422]
