"""A virtual clock and a small in-process client for the lexoffice sandbox."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounting_bridge.sandbox import Call, LexofficeSandbox, Reply
from accounting_bridge.sandbox.wire import dumps

NOON = datetime(2026, 8, 21, 12, 0, tzinfo=UTC)


class VirtualClock:
    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Api:
    """Calls the sandbox as a well-behaved client would, without a network and without waiting."""

    def __init__(self, **options: Any) -> None:
        self.clock = VirtualClock()
        options.setdefault("customers", 0)
        options.setdefault("rate_limit", False)
        self.box = LexofficeSandbox(clock=self.clock, **options)

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> Reply:
        given = {"authorization": f"Bearer {self.box.api_key}", "accept": "application/json"}
        content = b""
        if body is not None:
            given["content-type"] = "application/json"
            content = body if isinstance(body, bytes) else dumps(body)
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.box.handle(Call.to(method, url, headers=given, body=content))

    def get(self, url: str, **headers: str) -> Reply:
        return self.call("GET", url, **headers)

    def post(self, url: str, body: Any) -> Reply:
        return self.call("POST", url, body)

    def put(self, url: str, body: Any) -> Reply:
        return self.call("PUT", url, body)

    def upload(self, url: str, name: str | None, content: bytes, **fields: str) -> Reply:
        boundary = "sandbox-boundary"
        file_name = "" if name is None else f'; filename="{name}"'
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"{file_name}\r\n'
            "Content-Type: application/octet-stream\r\n\r\n".encode()
            + content
            + b"\r\n"
        )
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        return self.call("POST", url, body, content_type=f"multipart/form-data; boundary={boundary}")

    def contact(self, **changes: Any) -> str:
        body = {**company(), **changes}
        reply = self.post("/v1/contacts", body)
        assert reply.status == 200, reply.body
        return reply.value()["id"]

    def invoice(self, **changes: Any) -> str:
        finalize = changes.pop("finalize", False)
        reply = self.post(f"/v1/invoices{'?finalize=true' if finalize else ''}", invoice(**changes))
        assert reply.status == 201, reply.body
        return reply.value()["id"]

    def voucher(self, **changes: Any) -> str:
        reply = self.post("/v1/vouchers", voucher(**changes))
        assert reply.status == 200, reply.body
        return reply.value()["id"]


def company(name: str = "Musterbau Süd GmbH", country: str = "DE", **fields: Any) -> dict[str, Any]:
    return {
        "version": 0,
        "roles": {"customer": {}},
        "company": {"name": name, **fields},
        "addresses": {
            "billing": [{"street": "Musterstraße 1", "zip": "10115", "city": "Berlin", "countryCode": country}]
        },
    }


def person(country: str = "DE") -> dict[str, Any]:
    return {
        "version": 0,
        "roles": {"customer": {}},
        "person": {"firstName": "Erika", "lastName": "Beispiel"},
        "addresses": {"billing": [{"city": "Berlin", "countryCode": country}]},
    }


def line(price: str = "100", quantity: str = "1", rate: int = 19, side: str = "netAmount", **fields: Any) -> dict:
    return {
        "type": "custom",
        "name": "Beratung",
        "quantity": number(quantity),
        "unitName": "Stunde",
        "unitPrice": {"currency": "EUR", side: number(price), "taxRatePercentage": rate},
        **fields,
    }


def invoice(**changes: Any) -> dict[str, Any]:
    body = {
        "voucherDate": "2026-08-21T00:00:00.000+02:00",
        "address": {"name": "Musterbau Süd GmbH", "countryCode": "DE"},
        "lineItems": [line()],
        "totalPrice": {"currency": "EUR"},
        "taxConditions": {"taxType": "net"},
        "shippingConditions": {
            "shippingType": "service",
            "shippingDate": "2026-08-20T00:00:00.000+02:00",
        },
    }
    return {**copy.deepcopy(body), **changes}


def row(amount: str, tax: str, rate: int = 19, category: str = "8f8664a0-fd86-11e1-a21f-0800200c9a66") -> dict:
    return {"amount": number(amount), "taxAmount": number(tax), "taxRatePercent": rate, "categoryId": category}


def voucher(**changes: Any) -> dict[str, Any]:
    body = {
        "type": "salesinvoice",
        "voucherNumber": "2026-0001",
        "voucherDate": "2026-08-21",
        "totalGrossAmount": 119,
        "totalTaxAmount": 19,
        "taxType": "gross",
        "useCollectiveContact": True,
        "voucherItems": [row("119", "19")],
    }
    return {**body, **changes}


def number(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def issues(reply: Reply) -> set[tuple[str, str]]:
    return {(issue["source"], issue["i18nKey"]) for issue in reply.value()["IssueList"]}


def fields(reply: Reply) -> set[tuple[str, str]]:
    return {(detail["field"], detail["violation"]) for detail in reply.value()["details"]}
