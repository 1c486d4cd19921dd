"""Visma's documented and observed bodies, and what the adapter makes of each; see test_documented_bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from _play import play
from _visma import BOOKS
from attrs import define

from accounting_bridge.errors import AuthenticationFailed, BridgeError, InvalidRequest, LimitReached
from accounting_bridge.flow import Now, Request, Response, Token
from accounting_bridge.vendors.visma import ApiSwitchedOff, calls
from accounting_bridge.vendors.visma.wire import converter
from accounting_bridge.vendors.visma.wire_documents import Voucher
from accounting_bridge.wire import decode, dumps, loads

Check = Callable[[Response], None]
NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def _refused(kind: type[BridgeError], status: int, response: Response) -> None:
    request = Request(method="GET", path="/v2/customers")
    assert type(BOOKS.classify(Response(status=status, body=response.body, request=request))) is kind


def _names_the_wait(response: Response) -> None:
    _refused(LimitReached, 429, response)
    assert BOOKS.wait_hint(Response(status=429, body=response.body)) == 56


def _quoted(response: Response) -> None:
    """Sentences of real answers stand in the error as they were said, and none is taken for something else."""
    for message in loads(response)["messages"]:
        body = dumps({"ErrorCode": 2000, "DeveloperErrorMessage": f"ValidationException - {message['fragment']}"})
        request = Request(method="POST", path="/v2/customers")
        error = BOOKS.classify(Response(status=400, body=body, request=request))
        assert type(error) is InvalidRequest
        assert " ".join(message["fragment"].split())[:200] in str(error)


@define
class _Row:
    AccountNumber: int
    DebitAmount: Decimal


def _list(response: Response) -> None:
    (row,), odd = play(calls.walk("/vouchers", _Row, what="row"), [response]).result
    assert (row, odd) == (_Row(3041, Decimal("9000.5")), [])


def _renewed(response: Response) -> None:
    flow: Any = BOOKS.refresh(Token(access="a", refresh="r", scope="ea:api"))
    assert isinstance(flow.send(None), Now)
    flow.send(NOON)
    with pytest.raises(StopIteration) as stop:
        flow.send(response)
    expires = NOON + timedelta(seconds=3600)
    assert stop.value.value == Token(access="NY_AT", refresh="NY_RT", expires_at=expires, scope="ea:api")


def _voucher(response: Response) -> None:
    assert decode(converter, response, Voucher).VoucherText == "Kundfaktura"


CHECKED: Mapping[str, Check] = {
    "error_401_not_authorized.json": partial(_refused, AuthenticationFailed, 401),
    "error_403_no_access_to_module.json": partial(_refused, ApiSwitchedOff, 403),
    "error_429_quota_exceeded.json": _names_the_wait,
    "observed_validation_messages.json": _quoted,
    "response_list_envelope.json": _list,
    "response_token_refresh.json": _renewed,
    "response_voucher_shape.json": _voucher,
}

_SANDBOX = "what is sent is tried against the sandbox, in tests/sandbox/test_visma_documented.py"
_DIRECT = "invoices are made of drafts, never directly"
OUT_OF_SCOPE: Mapping[str, str] = {
    "documented_filter_examples.json": "filters are tried against the sandbox",
    "request_post_accounts_netherlands.json": "accounts are not made",
    "request_post_customerinvoicedrafts_norway.json": _SANDBOX,
    "request_post_customerinvoicedrafts_sweden_minimal.json": _SANDBOX,
    "request_post_customerinvoices_from_draft_with_sendtype.json": _DIRECT,
    "request_post_customerinvoices_sweden_minimal.json": _DIRECT,
    "request_post_customers_netherlands.json": _SANDBOX,
    "request_post_customers_sweden_minimal.json": _SANDBOX,
    "request_post_email.json": _SANDBOX,
    "request_post_salesdocumentattachments.json": _SANDBOX,
    "request_post_vouchers_netherlands.json": _SANDBOX,
    "request_post_vouchers_sweden.json": _SANDBOX,
    "response_companysettings_fragment.json": "two properties of about seventy: the company's country is missing",
}
