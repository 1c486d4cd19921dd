"""Informer's documented bodies, and what the adapter makes of each; see test_documented_bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from _informer import BOOKS, PLAIN, administration
from _play import Played, WantsMore, play

from accounting_bridge.errors import BridgeError, InvalidRequest, NotFound
from accounting_bridge.flow import Request, Response
from accounting_bridge.models import InvoiceStatus
from accounting_bridge.vendors.informer import wire
from accounting_bridge.vendors.informer.wire import converter
from accounting_bridge.wire import decode, decode_each, loads

Check = Callable[[Response], None]
_NOTHING = Response(status=200, body=b"[]")
_ADMINISTRATION = administration(modules={"trade": True})
_CONDITIONS = Response(status=200, body=b'[{"id": 1, "description": "14 dagen", "days": 14}]')


def _company(response: Response) -> None:
    found = play(BOOKS.check(), [response]).result
    assert (found.company, found.notes) == ("Bakkerij De Gouden Bol BV", ("the books are closed up to 2025-12-31",))


def _refused(kind: type[BridgeError], status: int, response: Response) -> None:
    request = Request(method="POST", path="/v2/invoices/sales")
    error = BOOKS.classify(Response(status=status, body=response.body, request=request))
    assert error is not None
    assert type(error) in {kind, *kind.__subclasses__()}


def _names_both_fields(response: Response) -> None:
    _refused(InvalidRequest, 422, response)
    error = BOOKS.classify(Response(status=422, body=response.body, request=Request(method="POST", path="/v2/x")))
    assert isinstance(error, InvalidRequest)
    assert {problem.field for problem in error.problems} == {"relation_id", "invoice_date"}


def _rows(kind: type[Any], response: Response) -> None:
    found, odd = decode_each(converter, loads(response), kind, vendor="informer", what="row")
    assert (len(found), odd) == (1, [])


def _terms(response: Response) -> None:
    (term,) = play(BOOKS.payment_terms(), [response]).result
    assert (term.id, term.days) == ("1", 14)


def _rates(response: Response) -> None:
    assert [rate.rate for rate in _read(BOOKS.tax_rates, response, "/options").result] == [Decimal(21)]


def _products(response: Response) -> None:
    (article,) = _read(lambda: BOOKS.list_articles(None), response, "/products").result.items
    assert (article.id, article.number, article.unit_price) == ("1", "BR-001", Decimal("3.5"))


def _read(flow: Any, response: Response, path: str) -> Played:
    """Play a flow that reads other lists besides the one of *path*: those are empty."""
    answers: list[Response] = []
    while True:
        try:
            return play(flow(), answers)
        except WantsMore as more:
            asked = more.request.path
            answers.append(response if asked.endswith(path) else _ADMINISTRATION if "administ" in asked else _NOTHING)


def _relation(response: Response) -> None:
    found = play(PLAIN.get_customer("1001"), [response, _CONDITIONS]).result
    assert (found.id, found.number, found.name) == ("1001", "1001", "Bakkerij De Gouden Bol BV")


def _relations(response: Response) -> None:
    page = _read(lambda: PLAIN.list_customers(None, None), response, "/relations").result
    assert [one.id for one in page.items] == ["1001"]
    assert not page.skipped


def _invoice(response: Response) -> None:
    found = _read(lambda: BOOKS.get_invoice("12345"), response, "/12345").result
    assert (found.id, found.number, found.status) == ("12345", "2024-001", InvoiceStatus.OPEN)
    assert found.totals.gross - found.totals.net == found.totals.tax


def _sale(response: Response) -> None:
    found = play(BOOKS.get_sale("55"), [response]).result
    assert (found.id, found.invoice_number, found.totals.gross) == ("55", "SB-2024-001", Decimal(121))


def _listed(response: Response) -> None:
    (record,) = loads(response)["invoices"]
    assert decode_each(converter, [record], wire.SalesInvoice, vendor="informer", what="invoice")[1] == []


def _made(response: Response) -> None:
    assert decode(converter, response, wire.Made).id


CHECKED: Mapping[str, Check] = {
    "v2_administration_get_200.json": _company,
    "v2_costs_list_200.json": partial(_rows, wire.CostCentre),
    "v2_currencies_list_200.json": partial(_rows, wire.Currency),
    "v2_error_404.json": partial(_refused, NotFound, 404),
    "v2_error_422.json": _names_both_fields,
    "v2_ledgers_list_200.json": partial(_rows, wire.Ledger),
    "v2_payment_conditions_list_200.json": _terms,
    "v2_products_list_200.json": _products,
    "v2_relation_get_200.json": _relation,
    "v2_relations_list_200.json": _relations,
    "v2_sales_invoice_create_200.json": _made,
    "v2_sales_invoice_get_200.json": _invoice,
    "v2_sales_invoice_options_200.json": _rates,
    "v2_sales_invoices_list_200.json": _listed,
    "v2_salesbook_get_200.json": _sale,
    "v2_salesbook_list_200.json": _listed,
    "v2_templates_list_200.json": partial(_rows, wire.Template),
}

_SANDBOX = "what is sent is tried against the sandbox, in tests/sandbox/test_informer_documented.py"
_STATUS = "of this answer only the status is read"
_PURCHASES = "purchases and memoranda are not booked"
OUT_OF_SCOPE: Mapping[str, str] = {
    "v2_attachments_list_200.json": "standard attachments of the books are not read",
    "v2_contact_create_200.json": _STATUS,
    "v2_contact_create_request.json": _SANDBOX,
    "v2_contact_get_200.json": "contacts come with their relation",
    "v2_journals_list_200.json": "journals are not read",
    "v2_memorandum_create_request.json": _PURCHASES,
    "v2_memorandum_get_200.json": _PURCHASES,
    "v2_purchase_invoice_create_request.json": _PURCHASES,
    "v2_purchase_invoice_get_200.json": _PURCHASES,
    "v2_relation_create_200.json": "a new relation is found by its number: the answer does not name it",
    "v2_relation_create_company_request.json": _SANDBOX,
    "v2_relation_create_private_request.json": _SANDBOX,
    "v2_sales_invoice_create_request.json": _SANDBOX,
    "v2_sales_invoice_send_200.json": _STATUS,
    "v2_sales_invoice_send_request.json": _SANDBOX,
    "v2_salesbook_create_request.json": _SANDBOX,
    "v2_subscription_types_list_200.json": "subscriptions are not used",
    "v2_vat_list_200.json": "rates come from the options of invoices, which say where each may be used",
}
