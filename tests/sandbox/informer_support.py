"""A virtual clock and a small in-process client for the Informer sandbox."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from accounting_bridge.sandbox import Call, InformerSandbox, Reply
from accounting_bridge.sandbox.wire import dumps

NOON = datetime(2026, 8, 21, 10, 0, tzinfo=UTC)
SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[3] / "shared")
FIXTURES = SHARED / "fixtures" / "informer"
SPECIFICATION = SHARED / "specs" / "informer" / "informer-v2-openapi.json"
needs_fixtures = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the vendor's sample bodies are not at hand")
needs_specification = pytest.mark.skipif(not SPECIFICATION.is_file(), reason="the vendor's OpenAPI file is not at hand")
PDF = b"%PDF-1.4 voorbeeld"
MISSING = "{} is verplicht."


class VirtualClock:
    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


class Api:
    """Calls the sandbox as a well-behaved client would, without a network and without waiting."""

    def __init__(self, **options: Any) -> None:
        self.clock = VirtualClock()
        options.setdefault("customers", 3)
        options.setdefault("rate_limit", False)
        self.box = InformerSandbox(clock=self.clock, **options)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        given = {"Apikey": self.box.api_key, "Securitycode": self.box.security_code, "Accept": "application/json"}
        content = b""
        if body is not None:
            given["Content-Type"] = "application/json"
            content = body if isinstance(body, bytes) else dumps(body)
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.box.handle(Call.to(method, f"/v2{path}", headers=given, body=content))

    def get(self, path: str) -> Any:
        return self.ok("GET", path)

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.call(method, path, body)
        assert reply.status == 200, reply.body
        return reply.value()

    def refused(self, status: int, method: str, path: str, body: Any = None) -> Any:
        reply = self.call(method, path, body)
        assert reply.status == status, (reply.status, reply.body)
        value = reply.value()
        assert value["response_code"] == status
        return value["error"]

    def problems(self, method: str, path: str, body: Any) -> dict[str, str]:
        found = self.refused(422, method, path, body)
        assert isinstance(found, dict), found
        return found

    @property
    def relation_id(self) -> int:
        return int(self.box.customers[0].id)

    def rate(self, option: str = "excl", percentage: str = "21") -> dict[str, Any]:
        rows = self.get("/invoices/sales/options")
        return next(row for row in rows if row["vat_options"][option] and row["percentage"] == Decimal(percentage))

    def ledger(self, number: str) -> int:
        return next(row["id"] for row in self.get("/ledgers") if row["number"] == number)

    def line(self, price: str = "100", quantity: str = "1", **changes: Any) -> dict[str, Any]:
        option, percentage = changes.pop("option", "excl"), changes.pop("percentage", "21")
        rate = self.rate(option, percentage)
        body = {
            "info": False,
            "qty": number(quantity),
            "description": "Adviesuren",
            "amount": number(price),
            "vat_id": rate["id"],
            "ledger_id": rate["usable_ledgers"][0]["id"],
        }
        return without_blanks({**body, **changes})

    def invoice(self, **changes: Any) -> dict[str, Any]:
        templates = self.get("/templates")
        lines = changes["lines"] if "lines" in changes else [self.line()]
        body = {
            "relation_id": self.relation_id,
            "invoice_date": "2026-08-21",
            "payment_condition_id": next(row["id"] for row in self.get("/payment-conditions") if row["default"] == "1"),
            "currency_id": self.get("/currencies")[0]["id"],
            "vat_option": "excl",
            "template_id": next(row["id"] for row in templates if row["type"] == "sales_invoice" and row["default"]),
            "lines": lines,
        }
        return without_blanks({**body, **changes})

    def made(self, **changes: Any) -> int:
        return self.ok("POST", "/invoices/sales", self.invoice(**changes))["id"]

    def final(self, **changes: Any) -> int:
        identifier = self.made(**changes)
        self.ok("POST", f"/invoices/sales/send/{identifier}", {"method": "mark"})
        return identifier

    def sums(self, lines: list[dict[str, Any]], option: str = "excl") -> tuple[Decimal, Decimal, Decimal]:
        identifier = self.made(lines=lines, vat_option=option)
        found = self.get(f"/invoices/sales/{identifier}")["totals"]
        return found["excl_vat"], found["vat"], found["incl_vat"]

    def sale(self, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
        plain = [self.sale_line("100")] if not lines else list(lines)
        body = {
            "relation_id": self.relation_id,
            "number": "2026-0815",
            "invoice_date": "2026-08-21",
            "expiry_date": "2026-09-04",
            "payment_condition_id": self.get("/payment-conditions")[0]["id"],
            "vat_option": "excl",
            "invoice_amount": number("121"),
            "lines": plain,
        }
        return without_blanks({**body, **changes})

    def sale_line(self, amount: str, **changes: Any) -> dict[str, Any]:
        return {key: value for key, value in self.line(amount, **changes).items() if key not in ("info", "qty")}

    def booked(self, **changes: Any) -> int:
        return self.ok("POST", "/salesbook", self.sale(**changes))["id"]


def company(**changes: Any) -> dict[str, Any]:
    body = {
        "relation_type": 0,
        "company_name": "Voorbeeld Bouw BV",
        "street": "Voorbeeldstraat",
        "house_number": "12",
        "zip": "1099 ZZ",
        "city": "Amsterdam",
        "country": "NL",
        "subtype": {"customer": 1, "active": 1},
    }
    return without_blanks({**body, **changes})


def person(**changes: Any) -> dict[str, Any]:
    body = {**company(), "relation_type": 1, "firstname": "Lieke", "surname_prefix": "van", "surname": "Voorbeeld"}
    del body["company_name"]
    return without_blanks({**body, **changes})


def without_blanks(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a test set to Ellipsis."""
    return {key: value for key, value in body.items() if value is not ...}


def number(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def sample(name: str) -> Any:
    return json.loads((FIXTURES / f"v2_{name}.json").read_text("utf-8"), parse_float=Decimal)


def shape(value: Any) -> Any:
    """Return the nested field names of a body."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None
