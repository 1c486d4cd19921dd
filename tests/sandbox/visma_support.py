"""A virtual clock and a small in-process client for the Visma sandbox."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from accounting_bridge.sandbox import Call, Reply, VismaSandbox
from accounting_bridge.sandbox.wire import dumps

NOON = datetime(2026, 8, 21, 12, 0, tzinfo=UTC)
TODAY = "2026-08-21"
WITH_VOUCHER = "/v2/customerledgeritems/customerledgeritemswithvoucher"


class VirtualClock:
    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float = 0, **parts: float) -> None:
        self.now += timedelta(seconds=seconds, **parts)


class Api:
    """Calls the sandbox as a well-behaved client would, without a network and without waiting."""

    def __init__(self, scope: str | None = None, **options: Any) -> None:
        self.clock = VirtualClock()
        options.setdefault("customers", 0)
        options.setdefault("rate_limit", False)
        self.box = VismaSandbox(clock=self.clock, **options)
        self.pair = self.box.token_pair() if scope is None else self.box.token_pair(scope)

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> Reply:
        given = {"authorization": f"Bearer {self.pair.access_token}", "accept": "application/json"}
        content = b""
        if body is not None:
            given["content-type"] = "application/json"
            content = body if isinstance(body, bytes) else dumps(body)
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in given.items() if value}
        return self.box.handle(Call.to(method, url, headers=given, body=content))

    def get(self, url: str, **query: Any) -> Reply:
        return self.call("GET", f"{url}?{urlencode(query)}" if query else url)

    def value(self, url: str, **query: Any) -> Any:
        reply = self.get(url, **query)
        assert reply.status == 200, reply.body
        return reply.value()

    def data(self, url: str, **query: Any) -> list[Any]:
        return self.value(url, **query)["Data"]

    def post(self, url: str, body: Any = None) -> Reply:
        return self.call("POST", url, body)

    def put(self, url: str, body: Any) -> Reply:
        return self.call("PUT", url, body)

    def delete(self, url: str) -> Reply:
        return self.call("DELETE", url)

    def made(self, url: str, body: Any) -> Any:
        reply = self.post(url, body)
        assert reply.status == 201, reply.body
        return reply.value()

    # -- what most tests need --

    @property
    def terms(self) -> str:
        return next(row["Id"] for row in self.data("/v2/termsofpayments") if row["NumberOfDays"] == 30)

    def article(self, number: str = "1") -> str:
        return next(row["Id"] for row in self.data("/v2/articles") if row["Number"] == number)

    def customer_body(self, **changes: Any) -> dict[str, Any]:
        return {
            "Name": "Voorbeeld Tuinen B.V.",
            "InvoiceCity": "Utrecht",
            "InvoicePostalCode": "3512 AB",
            "TermsOfPaymentId": self.terms,
            "IsPrivatePerson": False,
            "IsActive": True,
            **changes,
        }

    def customer(self, **changes: Any) -> str:
        return self.made("/v2/customers", self.customer_body(**changes))["Id"]

    def draft_body(self, *rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
        customer = changes.pop("CustomerId", None) or self.customer()
        return {
            "CustomerId": customer,
            "EuThirdParty": False,
            "RotReducedInvoicingType": 0,
            "Rows": list(rows) or [self.row()],
            **changes,
        }

    def draft(self, *rows: dict[str, Any], **changes: Any) -> Any:
        return self.made("/v2/customerinvoicedrafts", self.draft_body(*rows, **changes))

    def converted(self, *rows: dict[str, Any], **changes: Any) -> Any:
        draft = self.draft(*rows, **changes)
        return self.made(f"/v2/customerinvoicedrafts/{draft['Id']}/convert", {})

    def row(self, price: str = "100", quantity: str = "1", **changes: Any) -> dict[str, Any]:
        return {
            "IsTextRow": False,
            "ReversedConstructionServicesVatFree": False,
            "ArticleId": changes.pop("ArticleId", None) or self.article(),
            "UnitPrice": number(price),
            "Quantity": number(quantity),
            **changes,
        }

    def ledger_body(self, **changes: Any) -> dict[str, Any]:
        customer = changes.pop("CustomerId", None) or self.customer()
        rows = changes.pop("Rows", None) or [line(1300, debit="121"), line(8000, credit="100"), line(1520, credit="21")]
        voucher = {"VoucherDate": TODAY, "VoucherText": "2026-0042 Voorbeeld", "Rows": rows}
        return {
            "CustomerId": customer,
            "InvoiceNumber": 20260042,
            "InvoiceDate": TODAY,
            "DueDate": "2026-09-20",
            "IsCreditInvoice": False,
            "CurrencyCode": "EUR",
            "TotalAmountInvoiceCurrency": number("121.00"),
            "RemainingAmountInvoiceCurrency": number("121.00"),
            "VATAmountInvoiceCurrency": number("21.00"),
            "RoundingsAmountInvoiceCurrency": 0,
            "Voucher": {**voucher, **changes.pop("Voucher", {})},
            **changes,
        }

    # -- the identity server --

    def authorize_url(self, **changes: Any) -> str:
        settings = self.box.settings
        parameters = {
            "client_id": settings["client_id"],
            "redirect_uri": settings["redirect_uri"],
            "response_type": "code",
            "scope": "ea:api ea:sales offline_access",
            "state": "xyz",
            **changes,
        }
        given = {name: value for name, value in parameters.items() if value is not None}
        return f"{settings['identity_url']}/connect/authorize?{urlencode(given)}"

    def code(self, **changes: Any) -> str:
        return redirected(self.box.consent(self.authorize_url(**changes)))["code"]

    def form(self, path: str, fields: dict[str, Any], *, basic: bool = True, **headers: str) -> Reply:
        settings = self.box.settings
        given = {"content-type": "application/x-www-form-urlencoded"}
        if basic:
            secret = f"{settings['client_id']}:{settings['client_secret']}".encode()
            given["authorization"] = f"Basic {base64.b64encode(secret).decode()}"
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.box.handle(Call.to("POST", path, headers=given, body=urlencode(fields).encode()))

    def exchange(self, code: str, **fields: Any) -> Reply:
        redirect_uri = self.box.settings["redirect_uri"]
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, **fields}
        return self.form("/connect/token", {name: value for name, value in given.items() if value is not None})

    def refresh(self, token: str, **fields: Any) -> Reply:
        return self.form("/connect/token", {"grant_type": "refresh_token", "refresh_token": token, **fields})

    def status_with(self, token: str) -> int:
        return self.call("GET", "/v2/companysettings", authorization=f"Bearer {token}").status


def line(account: int, debit: str = "0", credit: str = "0", **fields: Any) -> dict[str, Any]:
    return {"AccountNumber": account, "DebitAmount": number(debit), "CreditAmount": number(credit), **fields}


def number(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def redirected(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def error(reply: Reply) -> tuple[int, int]:
    """Status and ErrorCode."""
    return reply.status, reply.value()["ErrorCode"]


def fields(reply: Reply) -> set[str]:
    return {entry["Field"] for entry in reply.value()["Errors"]}
