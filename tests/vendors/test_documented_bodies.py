"""Every documented body is used somehow, or stands here with the reason why not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import _documented_informer
import _documented_visma
import pytest
from _billomat import billomat
from _lexoffice import acme, draft, hours, lexoffice, plain, profile
from _play import answer, play
from lexoffice_support import Api as LexofficeApi
from test_billomat import api as billomat_api

from accounting_bridge.errors import (
    AuthenticationFailed,
    BridgeError,
    InvalidRequest,
    NotFound,
    Refused,
)
from accounting_bridge.flow import Request, Response
from accounting_bridge.models import TaxTreatment
from accounting_bridge.money import PricedLine, totals
from accounting_bridge.vendors.billomat import wire as billomat_wire
from accounting_bridge.vendors.lexoffice import contacts, invoices, reference, vouchers, wire
from accounting_bridge.wire import decode, loads

SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[3] / "shared")
FIXTURES = SHARED / "fixtures"
Check = Callable[[Response], None]

pytestmark = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="the documented bodies are not at hand (ACCOUNTING_BRIDGE_SHARED)"
)

# ---- lexoffice -------------------------------------------------------------------------------------------------


def _decoded(kind: type[Any], neutral: Callable[[Any], Any], response: Response) -> None:
    neutral(decode(wire.CONVERTER, response, kind))


def _made(response: Response) -> None:
    assert decode(wire.CONVERTER, response, wire.Created).id


def _rows(kind: type[Any], count: int, response: Response) -> None:
    assert len(play(wire.rows(response, kind, "row")).result) == count


def _contacts_page(response: Response) -> None:
    page = play(lexoffice().list_customers(None, None), [response]).result
    assert page.items
    assert not page.skipped


def _voucherlist(response: Response) -> None:
    rows = play(wire.read_all("/v1/voucherlist", wire.VoucherRow, "sale"), [response]).result
    assert all(row.voucherNumber for row in rows)
    assert rows


def _refused(kind: type[BridgeError], status: int, response: Response) -> None:
    request = Request(method="POST", path="/v1/anything")
    error = lexoffice().classify(Response(status=status, body=response.body, request=request))
    assert type(error) is kind


def _gross_arithmetic(response: Response) -> None:
    """A template's answer, at hand for its sums: what the adapter predicts is what the vendor computed."""
    sample = plain(response)
    lines = [
        PricedLine(
            Decimal(line["quantity"]),
            Decimal(line["unitPrice"]["grossAmount"]),
            Decimal(line["unitPrice"]["taxRatePercentage"]),
            Decimal(line["discountPercentage"]),
        )
        for line in sample["lineItems"]
    ]
    predicted = totals(lines, invoices.ROUNDING, prices_include_tax=True)
    printed = wire.CONVERTER.structure(sample["totalPrice"], wire.TotalPrice)
    assert (predicted.net, predicted.tax, predicted.gross) == (
        printed.totalNetAmount,
        printed.totalTaxAmount,
        printed.totalGrossAmount,
    )


def _reverse_charge(response: Response) -> None:
    wanted = draft(hours(tax_rate=None), tax_treatment=TaxTreatment.REVERSE_CHARGE)
    countries = answer([{"countryCode": "DE", "taxClassification": "de"}])
    flow = lexoffice().plan_invoice(wanted, acme(vat_number="DE123456789"), finalize=False, now=datetime.now(UTC))
    plan = play(flow, [profile(), countries] if reference.needs_country(wanted.tax_treatment) else [profile()]).result
    assert json.loads(plan.body)["taxConditions"]["taxType"] == plain(response)["taxConditions"]["taxType"]


def _lexoffice_takes(path: str, response: Response) -> None:
    reply = LexofficeApi().post(path, response.body)
    assert reply.status in {200, 201}, reply.value()


_URL = "https://app.lexware.de"
_CONTACT = partial(_decoded, wire.Contact, contacts.neutral)
_VOUCHER = partial(_decoded, wire.Voucher, lambda found: vouchers.neutral(found, _URL))

LEXOFFICE: Mapping[str, Check] = {
    "documented_article_create_201.json": _made,
    "documented_article_get.json": partial(_decoded, wire.Article, reference.article),
    "documented_contact_company_full.json": _CONTACT,
    "documented_contact_create.response.json": _made,
    "documented_contact_create_person.request.json": partial(_lexoffice_takes, "/v1/contacts"),
    "documented_contact_person_get.json": _CONTACT,
    "documented_contacts_page.json": _contacts_page,
    "documented_countries.json": partial(_rows, wire.Country, 3),
    "documented_error_gateway_401.json": partial(_refused, AuthenticationFailed, 401),
    "documented_error_gateway_403.json": partial(_refused, AuthenticationFailed, 403),
    "documented_error_legacy.json": partial(_refused, InvalidRequest, 406),
    "documented_error_legacy_old_docs.json": partial(_refused, InvalidRequest, 400),
    "documented_error_regular_406.json": partial(_refused, InvalidRequest, 406),
    "documented_invoice_all_fields_with_nulls.json": partial(
        _decoded, wire.Invoice, lambda found: invoices.neutral(found, _URL)
    ),
    "documented_invoice_create.request.json": partial(_lexoffice_takes, "/v1/invoices"),
    "documented_invoice_create.response.json": _made,
    "documented_invoice_like_gross.json": _gross_arithmetic,
    "documented_payment_conditions.json": partial(_rows, wire.PaymentCondition, 2),
    "documented_posting_categories.json": lambda response: _rows(wire.PostingCategory, len(plain(response)), response),
    "documented_profile.json": partial(_decoded, wire.Profile, reference.connection),
    "documented_taxconditions_reverse_charge.fragment.json": _reverse_charge,
    "documented_voucher_create.request.json": partial(_lexoffice_takes, "/v1/vouchers"),
    "documented_voucher_create.response.json": _made,
    "documented_voucher_get.json": _VOUCHER,
    "documented_voucher_multi_rate_get.json": _VOUCHER,
    "documented_voucherlist_page.json": _voucherlist,
}

_NO_EVENTS = "event subscriptions and webhooks are not used"
_NO_PAYMENTS = "payments are not read"
_BY_STATUS = "an answer of 500 and above is judged by the core, by its status alone"
LEXOFFICE_OUT_OF_SCOPE: Mapping[str, str] = {
    "documented_error_gateway_500.json": _BY_STATUS,
    "documented_error_gateway_504.json": _BY_STATUS,
    "documented_event_subscription_create.request.json": _NO_EVENTS,
    "documented_event_subscription_create_201.json": _NO_EVENTS,
    "documented_event_subscription_get.json": _NO_EVENTS,
    "documented_event_subscriptions_all.json": _NO_EVENTS,
    "documented_file_upload_202.json": "of an upload's answer only the status is read",
    "documented_invoice_document.response.json": "PDFs come from /file, not from the endpoint of this answer",
    "documented_payment_balanced_paid_skonto.json": _NO_PAYMENTS,
    "documented_payment_open_expense_partial.json": _NO_PAYMENTS,
    "documented_payment_open_revenue.json": _NO_PAYMENTS,
    "documented_payment_openamount_as_string.json": _NO_PAYMENTS,
    "documented_print_layouts.json": "invoices are printed with the books' default layout",
    "documented_webhook_callback.json": _NO_EVENTS,
}

# ---- Billomat --------------------------------------------------------------------------------------------------


def _one(kind: type[Any], element: str, response: Response) -> None:
    found, odd = billomat_wire.each([loads(response)[element]], kind, element)
    assert (len(found), odd) == (1, [])


def _listed(plural: str, element: str, count: int, response: Response) -> None:
    assert len(billomat_wire.read_list(response, plural, element, 1).records) == count


def _behind_the_end(response: Response) -> None:
    listing = billomat_wire.read_list(response, "invoices", "invoice", 10)
    assert ([], False) == (listing.records, listing.more)


def _billomat_refuses(kind: type[BridgeError], status: int, response: Response) -> None:
    assert type(billomat().classify(Response(status=status, body=response.body))) is kind


def _names_the_wait(response: Response) -> None:
    assert billomat().wait_hint(Response(status=429, body=response.body)) == 246


def _billomat_takes_client(response: Response) -> None:
    billomat_api().ok("POST", "/clients", json.loads(response.body), 201)


def _billomat_takes_invoice(response: Response) -> None:
    """With ids of the sandbox's own books in place of the sample's."""
    caller = billomat_api()
    body = json.loads(response.body)
    client = caller.client(first_name="Erika", last_name="Muster")
    own = {
        "client_id": client["id"],
        "contact_id": caller.post("/contacts", "contact", {"client_id": client["id"]})["id"],
        "template_id": caller.get("/templates?type=INVOICE")["templates"]["template"][0]["id"],
    }
    body["invoice"] |= {key: value for key, value in own.items() if key in body["invoice"]}
    caller.ok("POST", "/invoices", body, 201)


def _billomat_completes(response: Response) -> None:
    caller = billomat_api()
    body = json.loads(response.body)
    body["complete"]["template_id"] = caller.get("/templates")["templates"]["template"][0]["id"]
    caller.ok("PUT", f"/invoices/{caller.invoice()['id']}/complete", body)


BILLOMAT: Mapping[str, Check] = {
    "article_get.response.json": partial(_one, billomat_wire.Article, "article"),
    "derived_error_app_secret.json": partial(_billomat_refuses, AuthenticationFailed, 401),
    "derived_error_html_502.html": partial(_billomat_refuses, Refused, 404),
    "derived_error_single.json": _names_the_wait,
    "derived_invoices_page_beyond_end.json": _behind_the_end,
    "docs_client_create.request.json": _billomat_takes_client,
    "docs_error_404.xml": partial(_billomat_refuses, NotFound, 404),
    "docs_error_429.xml": _names_the_wait,
    "invoice_comments_list_empty.response.json": partial(_listed, "invoice-comments", "invoice-comment", 0),
    "invoice_complete.request.json": _billomat_completes,
    "tax_get.response.json": partial(_one, billomat_wire.Tax, "tax"),
    "tyme_invoice_create.request.json": _billomat_takes_invoice,
    "units_list.response.json": partial(_listed, "units", "unit", 3),
    "woobillomat_shape_invoice_create.request.json": _billomat_takes_invoice,
}

_XML = "the adapter asks for JSON; of XML only errors are read"
BILLOMAT_OUT_OF_SCOPE: Mapping[str, str] = {
    "client_tag_get.response.json": "tags are not read",
    "docs_client_customfield.xml": _XML,
    "docs_invoice_groups_by_client.xml": _XML,
    "docs_invoice_item.xml": _XML,
    "docs_invoice_payment.xml": _XML,
    "docs_invoices_list_skeleton.xml": _XML,
    "docs_tax.xml": _XML,
    "docs_webhook_invoice_create.http": "webhooks are not used",
    "invoice_payment_get.response.json": _NO_PAYMENTS,
    "invoice_payments_list.response.json": _NO_PAYMENTS,
}

# ---- all of them -----------------------------------------------------------------------------------------------

CHECKED = {
    "lexoffice": LEXOFFICE,
    "billomat": BILLOMAT,
    "informer": _documented_informer.CHECKED,
    "visma": _documented_visma.CHECKED,
}
OUT_OF_SCOPE = {
    "lexoffice": LEXOFFICE_OUT_OF_SCOPE,
    "billomat": BILLOMAT_OUT_OF_SCOPE,
    "informer": _documented_informer.OUT_OF_SCOPE,
    "visma": _documented_visma.OUT_OF_SCOPE,
}


@pytest.mark.parametrize("vendor", [*CHECKED])
def test_every_documented_body_is_checked_or_out_of_scope_for_a_reason(vendor):
    checked, left_out = CHECKED[vendor], OUT_OF_SCOPE[vendor]
    folder = FIXTURES / vendor
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {*checked, *left_out}
    assert not {*checked} & {*left_out}


@pytest.mark.parametrize(("vendor", "name"), [(vendor, name) for vendor, checks in CHECKED.items() for name in checks])
def test_a_documented_body_is_understood(vendor, name):
    CHECKED[vendor][name](Response(status=200, body=(FIXTURES / vendor / name).read_bytes()))
