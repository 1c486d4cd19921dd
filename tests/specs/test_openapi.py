"""What the adapters send and the sandboxes answer, against the vendors' own OpenAPI documents.

Only Informer and Visma publish one. Where a document and what is known of the vendor contradict each other, the
contradiction stands in :data:`DEVIATIONS` with its reason; nothing else may deviate, and nothing may stand there
that no longer happens.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from _openapi import Document, Exchange
from _scenario import TREATMENTS, Shape, play, recording
from attrs import evolve

import accounting_bridge as ab
from accounting_bridge.sandbox import serve
from accounting_bridge.sandbox.informer import Administration
from accounting_bridge.sandbox.visma import Company

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[3] / "shared")
DOCUMENTS = {
    "informer": SHARED / "specs" / "informer" / "informer-v2-openapi.json",
    "visma": SHARED / "specs" / "visma" / "eaccounting-v2.subset.json",
}

DEVIATIONS: Mapping[str, Mapping[str, str]] = {
    "informer": {
        "answered *.last_edit format": "typed date-time, but every example is 'YYYY-MM-DD HH:MM:SS' without a zone",
        "answered *.created_at format": "the same as last_edit",
        "answered GET /administration 200 $.blocked_period undescribed": "in the example only; closed books are seen",
        "answered *.lines.#.qty type": "typed integer; clients send quarters of hours and read decimals back",
        "sent POST /invoices/sales $.lines.#.qty type": "the same; fractional_quantities=False keeps to the integer",
        "sent PUT /relations/{id} $.zip missing": "required, but absent from answers: a subset is taken by the text",
        "answered GET /invoices/sales status 400 undescribed": "seen: a list without hits is an error; described for "
        "relations only",
        "answered GET /salesbook status 400 undescribed": "the same",
    },
    "visma": {
        **{
            f"sent GET * query {name} undescribed": "in the vendor's text for every list, in its document nowhere"
            for name in ("$page", "$pagesize", "$filter", "$orderby")
        },
        "* $.*Date format": "typed date-time; plain dates travel as YYYY-MM-DD both ways (seen)",
        "answered * $.AccountingLockedTo format": "the same",
        "answered *.ContributionMargin type": "an object that there is none of is null (assumed): the document has no "
        "null for references",
        "answered *.DirectDebitCustomerSettings type": "the same",
        "answered * $.Attachments type": "the same",
    },
}
"""By vendor: where its document is not followed, as a pattern of findings, and why."""

OPERATIONS: Mapping[str, frozenset[str]] = {
    "informer": frozenset({
        "GET /administration", "GET /relations", "POST /relations", "GET /relations/{id}", "PUT /relations/{id}",
        "GET /payment-conditions", "GET /templates", "GET /currencies", "GET /costs",
        "GET /products", "GET /invoices/sales", "POST /invoices/sales", "GET /invoices/sales/{id}",
        "GET /invoices/sales/options", "GET /invoices/sales/pdf/{id}", "POST /invoices/sales/send/{id}",
        "POST /invoices/sales/{id}/attachments", "GET /salesbook", "POST /salesbook", "GET /salesbook/{id}",
        "GET /salesbook/options", "GET /salesbook/pdf/{id}",
    }),
    "visma": frozenset({
        "GET /companysettings", "GET /countries", "GET /termsofpayments", "GET /fiscalyears", "GET /vatcodes",
        "GET /accounts/standardaccounts", "GET /accounts/{fiscalyearId}", "GET /articles", "GET /articleaccountcodings",
        "GET /customers", "POST /customers", "GET /customers/{customerId}", "PUT /customers/{customerId}",
        "GET /customerinvoicedrafts", "POST /customerinvoicedrafts", "GET /customerinvoicedrafts/{invoiceDraftId}",
        "POST /customerinvoicedrafts/{customerInvoiceDraftId}/convert", "GET /customerinvoices",
        "GET /customerinvoices/{invoiceId}", "GET /customerinvoices/{invoiceId}/pdf",
        "POST /customerinvoices/{invoiceId}/email", "GET /salesdocumentattachments",
        "POST /salesdocumentattachments/customerinvoice", "POST /salesdocumentattachments/customerinvoicedraft",
        "GET /customerledgeritems", "GET /customerledgeritems/{customerLedgerItemId}",
        "POST /customerledgeritems/customerledgeritemswithvoucher", "GET /vouchers/{fiscalyearId}/{voucherId}",
    }),
}  # fmt: skip
"""What the scenarios must have touched: a scenario that shrinks proves less."""


# ---- scenarios -------------------------------------------------------------------------------------------------


@contextmanager
def _served(
    vendor: str, recorded: list[Exchange], settings: Mapping[str, Any], **options: Any
) -> Iterator[ab.AccountingProvider]:
    with serve(vendor, **{"customers": 130, "rate_limit": False, **options}) as server:
        exchanges = recording(server.sandbox)
        with ab.connect(
            vendor, {**server.settings, **settings}, base_url=server.url, tenant="specs", limits=ab.Unlimited(),
            journal=ab.MemoryJournal(), tokens=ab.MemoryTokens(),
        ) as provider:  # fmt: skip
            if provider.capabilities.oauth:
                box: Any = server.sandbox
                came_back = parse_qs(urlsplit(box.consent(provider.authorization_url())).query)
                provider.exchange(came_back["code"][0], came_back["state"][0])
            yield provider
        # The identity server and the host of files are no part of the documents.
        recorded += [one for one in exchanges if one.call.path.startswith("/v2/")]


def _informer() -> list[Exchange]:
    """A Dutch administration, and an Austrian one with the trade module, cost centres and whole quantities."""
    recorded: list[Exchange] = []
    accounts = "8010, 8020, 8040, 8050, 8060, 8065, 8070"
    dutch = Shape(country="NL", rates=(Decimal(21), Decimal(9)))
    with _served("informer", recorded, {"ledger_account": accounts}) as provider:
        play(provider, dutch)

    def products(provider: ab.AccountingProvider) -> Mapping[str, str]:
        return dict.fromkeys(("high", "low", "zero", "goods"), next(iter(provider.import_articles())).id)

    settings = {"ledger_account": accounts, "placeholders": "off", "cost_centre": "200", "fractional_quantities": False}
    austrian = evolve(dutch, country="AT", rates=(Decimal(20), Decimal(10)), articles=products)
    administration = Administration(country="AT", trade_module=True)
    with _served("informer", recorded, settings, administration=administration) as provider:
        play(provider, austrian)
    return recorded


def _visma() -> list[Exchange]:
    """A Dutch and a Swedish company. Reverse charge is left out: for it a person has to mark the customer."""

    def articles(provider: ab.AccountingProvider) -> Mapping[str, str]:
        known = [one for one in provider.import_articles() if one.active]
        of_rate = {one.tax_rate: one.id for one in reversed(known) if one.is_service}
        goods = next(one.id for one in known if not one.is_service)
        return {"high": of_rate[high], "low": of_rate[low], "zero": of_rate[Decimal(0)], "goods": goods}

    recorded: list[Exchange] = []
    treatments = [one for one in TREATMENTS if one is not ab.TaxTreatment.REVERSE_CHARGE]
    books: Sequence[tuple[Any, tuple[int, int], Mapping[str, Any]]] = (
        ("NL", (21, 9), {"revenue_accounts": {"21": "8000", "9": "8010"}}),
        ("SE", (25, 12), {"revenue_accounts": {"25": "3041", "12": "3042"}, "receivable_account": "1510"}),
    )
    for country, rates, options in books:
        high, low = map(Decimal, rates)
        shape = Shape(country=country, rates=(high, low), articles=articles, treatments=treatments)
        with _served("visma", recorded, options, company=Company(country=country)) as provider:
            play(provider, shape)
    return recorded


SCENARIOS = {"informer": _informer, "visma": _visma}


@cache
def _recorded(vendor: str) -> Sequence[Exchange]:
    return SCENARIOS[vendor]()


@cache
def _document(vendor: str) -> Document:
    if not DOCUMENTS[vendor].is_file():
        pytest.skip("the vendor's OpenAPI document is not at hand (ACCOUNTING_BRIDGE_SHARED)")
    return Document.of(json.loads(DOCUMENTS[vendor].read_bytes()), prefix="/v2")


@cache
def _findings(vendor: str) -> frozenset[str]:
    document = _document(vendor)
    return frozenset(line for exchange in _recorded(vendor) for line in document.findings(exchange))


# ---- traffic ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", SCENARIOS)
def test_nothing_deviates_from_the_vendors_document_but_what_is_listed(vendor: str) -> None:
    listed = DEVIATIONS[vendor]
    unlisted = [line for line in _findings(vendor) if not any(fnmatchcase(line, pattern) for pattern in listed)]
    assert sorted(unlisted) == []


@pytest.mark.parametrize("vendor", SCENARIOS)
def test_every_listed_deviation_still_happens(vendor: str) -> None:
    found = _findings(vendor)
    gone = [pattern for pattern in DEVIATIONS[vendor] if not any(fnmatchcase(line, pattern) for line in found)]
    assert gone == []


@pytest.mark.parametrize("vendor", SCENARIOS)
def test_the_scenario_touches_every_operation_the_adapter_uses(vendor: str) -> None:
    document = _document(vendor)
    touched = {name for exchange in _recorded(vendor) if (name := document.operation(exchange.call)) is not None}
    assert touched == OPERATIONS[vendor]


# ---- the judge -------------------------------------------------------------------------------------------------


def _first(vendor: str, method: str, path: str) -> Exchange:
    return next(one for one in _recorded(vendor) if (one.call.method, one.call.path) == (method, path))


def _judged(vendor: str, exchange: Exchange) -> set[str]:
    found = set(_document(vendor).findings(exchange))
    return {line for line in found if not any(fnmatchcase(line, pattern) for pattern in DEVIATIONS[vendor])}


def _sent_with(exchange: Exchange, *without: str, **changes: Any) -> Exchange:
    body = {name: value for name, value in json.loads(exchange.call.body).items() if name not in without}
    return evolve(exchange, call=evolve(exchange.call, body=json.dumps({**body, **changes}).encode()))


def _answered_with(exchange: Exchange, **changes: Any) -> Exchange:
    body = {**json.loads(exchange.reply.body), **changes}
    return evolve(exchange, reply=evolve(exchange.reply, body=json.dumps(body).encode()))


def test_the_judge_sees_what_informer_does_not_describe() -> None:
    made = _first("informer", "POST", "/v2/invoices/sales")
    where = "sent POST /invoices/sales"
    assert _judged("informer", made) == set()
    assert _judged("informer", _sent_with(made, "template_id")) == {f"{where} $.template_id missing"}
    assert _judged("informer", _sent_with(made, pdf="x")) == {f"{where} $.pdf undescribed"}
    assert _judged("informer", _sent_with(made, relation_id="7")) == {f"{where} $.relation_id type"}
    assert _judged("informer", _sent_with(made, vat_option="free")) == {f"{where} $.vat_option enum"}
    assert _judged("informer", _sent_with(made, invoice_date="31-03-2026")) == {f"{where} $.invoice_date format"}
    assert _judged("informer", _answered_with(made, id="7", extra=1)) == {
        "answered POST /invoices/sales 200 $.id type", "answered POST /invoices/sales 200 $.extra undescribed",
    }  # fmt: skip
    elsewhere = evolve(made, call=evolve(made.call, path="/v2/invoices/sale"))
    assert _judged("informer", elsewhere) == {"sent POST /invoices/sale undescribed"}
    teapot = evolve(made, reply=evolve(made.reply, status=418))
    assert _judged("informer", teapot) == {"answered POST /invoices/sales status 418 undescribed"}
    listed = _first("informer", "GET", "/v2/relations")
    asked = evolve(listed, call=evolve(listed.call, query=(("page", "one"), ("per_page", "9"))))
    assert _judged("informer", asked) == {
        "sent GET /relations query page type", "sent GET /relations query per_page undescribed",
    }  # fmt: skip


def test_the_judge_sees_what_visma_does_not_describe() -> None:
    made = _first("visma", "POST", "/v2/customerinvoicedrafts")
    where = "sent POST /customerinvoicedrafts"
    assert _judged("visma", made) == set()
    assert _judged("visma", _sent_with(made, "EuThirdParty")) == {f"{where} $.EuThirdParty missing"}
    assert _judged("visma", _sent_with(made, TotalAmount=1)) == {f"{where} $.TotalAmount undescribed"}  # read-only
    assert _judged("visma", _sent_with(made, ourReference="x")) == {f"{where} $.ourReference undescribed"}
    assert _judged("visma", _sent_with(made, OurReference="x" * 101)) == {f"{where} $.OurReference maxLength"}
    assert _judged("visma", _sent_with(made, CustomerId="7")) == {f"{where} $.CustomerId format"}
    created = evolve(made, reply=evolve(made.reply, status=200))
    assert _judged("visma", created) == {"answered POST /customerinvoicedrafts status 200 undescribed"}
