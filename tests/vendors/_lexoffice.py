"""Invented books, and the documented bodies where the folder that holds them is at hand."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from _play import answer

from accounting_bridge._secrets import Secret
from accounting_bridge.flow import Response
from accounting_bridge.models import Address, Customer, InvoiceDraft, IssuedInvoice, LineItem
from accounting_bridge.vendors.lexoffice import Lexoffice, LexofficeSettings

KEY = "an-invented-key-0123456789"
NOW = datetime(2026, 3, 10, 22, 30, tzinfo=UTC)
ACME = "0a0a0a0a-0000-4000-8000-00000000acce"
INVOICE = "1b1b1b1b-0000-4000-8000-000000000001"
OTHER = "1b1b1b1b-0000-4000-8000-000000000002"
ENTRY = "2c2c2c2c-0000-4000-8000-000000000001"
SERVICES = "8f8664a0-fd86-11e1-a21f-0800200c9a66"
GOODS = "8f8664a8-fd86-11e1-a21f-0800200c9a66"
INCOME = "8f8664a1-fd86-11e1-a21f-0800200c9a66"
ROUNDING = "aba9020f-d0a6-47ca-ace6-03d6ed492351"


def lexoffice(**settings: Any) -> Lexoffice:
    return Lexoffice(settings=LexofficeSettings(api_key=Secret(KEY), **settings))


def documented(name: str) -> Response:
    """A body out of the vendor's documentation; these are not part of the repository."""
    beside = Path(__file__).resolve().parents[3] / "shared"
    path = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED", str(beside))) / "fixtures" / "lexoffice" / f"{name}.json"
    if not path.exists():
        pytest.skip("the documented bodies are not at hand: set ACCOUNTING_BRIDGE_SHARED")
    return Response(status=200, body=path.read_bytes())


def plain(response: Response) -> Any:
    return json.loads(response.body, parse_float=Decimal)


def contact(contact_id: str = ACME, number: int = 10001, name: str = "Acme Bau GmbH", **more: Any) -> dict[str, Any]:
    return {
        "id": contact_id,
        "organizationId": "aa93e8a8-2aa3-470b-b914-caad8a255dd8",
        "version": 3,
        "roles": {"customer": {"number": number}},
        "company": {"name": name},
        "archived": False,
        **more,
    }


def listing(records: object, *, last: bool = True, total: int | None = None, **more: Any) -> Response:
    known = total if total is not None else len(records) if isinstance(records, list) else 0
    return answer({"content": records, "last": last, "totalElements": known, **more})


def profile(**more: Any) -> Response:
    body = {
        "organizationId": "aa93e8a8-2aa3-470b-b914-caad8a255dd8",
        "companyName": "Testfirma GmbH",
        "taxType": "net",
        "smallBusiness": False,
        "businessFeatures": ["INVOICING", "BOOKKEEPING"],
        **more,
    }
    return answer(body)


def countries() -> Response:
    kinds = {"DE": "de", "FR": "intraCommunity", "GR": "intraCommunity", "US": "thirdPartyCountry"}
    return answer([{"countryCode": code, "taxClassification": kind} for code, kind in kinds.items()])


def category(category_id: str, name: str, **more: Any) -> dict[str, Any]:
    return {"id": category_id, "name": name, "type": "income", "contactRequired": False, "splitAllowed": True, **more}


def categories(*more: dict[str, Any]) -> Response:
    return answer(
        [
            category(SERVICES, "Dienstleistung"),
            category(GOODS, "Warenverkäufe"),
            category(INCOME, "Einnahmen"),
            category("9075a4e3-66de-4795-a016-3889feca0d20", "Innergemeinschaftliche Lieferung", splitAllowed=False),
            category("380a20cb-d04c-426e-b49c-84c22adfa362", "Fremdleistungen §13b", contactRequired=True),
            category("93d24c20-ea84-424e-a731-5e1b78d1e6a9", "Ausfuhrlieferungen an Drittländer"),
            category("ef5b1a6e-f690-4004-9a19-91276348894f", "Dienstleistungen an Drittländer"),
            category("f5c7fee8-f184-4e7a-ab04-8f7e7ad6c207", "Einnahmen als Kleinunternehmer"),
            category("cf03a2b0-f838-474f-ac5e-67adb9b830c7", "Reise MA", type="outgo"),
            *more,
        ]
    )


def acme(**more: Any) -> Customer:
    given = {
        "id": ACME,
        "number": "10001",
        "name": "Acme Bau GmbH",
        "address": Address(street="Hafenweg 1", postal_code="20457", city="Hamburg", country_code="DE"),
    }
    return Customer(**(given | more))


def hours(quantity: str = "7.5", price: str = "90", **more: Any) -> LineItem:
    given = {"description": "Beratung\nMärz, Frau Tester", "quantity": Decimal(quantity), "unit": "Std",
             "unit_price": Decimal(price), "tax_rate": Decimal(19)}  # fmt: skip
    return LineItem(**(given | more))


def draft(*lines: Any, **more: Any) -> InvoiceDraft:
    given = {"reference": "APP-2026-7", "customer": acme(), "lines": lines or (hours(),),
             "issue_date": date(2026, 3, 10)}  # fmt: skip
    return InvoiceDraft(**(given | more))


def issued(*lines: Any, **more: Any) -> IssuedInvoice:
    given = {"number": "R-2026/17", "customer": acme(), "lines": lines or (hours(),), "issue_date": date(2026, 3, 10),
             "sent_at": NOW}  # fmt: skip
    return IssuedInvoice(**(given | more))
