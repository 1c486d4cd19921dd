"""What the Informer tests share: an adapter, its answers, and the vendor's own description of requests."""

import json
import os
import re
from decimal import Decimal
from pathlib import Path

import pytest
from _play import Played, answer, params, play, sent

from accounting_bridge import Address, Customer, LineItem, Secret
from accounting_bridge.flow import Request, Response
from accounting_bridge.models import InvoiceDraft
from accounting_bridge.vendors.informer import Informer, InformerSettings
from accounting_bridge.wire import dumps

__all__ = ["Played", "answer", "params", "play", "sent"]

KEY = "Abcdefghijklmnopqrstuvwxyz0123456789Abcdefghijklmno"
CODE = "0471100"
SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[3] / "shared")


def fixture(name):
    """A documented body; skips where the folder with them is not at hand."""
    path = SHARED / "fixtures" / "informer" / name
    if not path.exists():
        pytest.skip("documented bodies are not at hand (ACCOUNTING_BRIDGE_SHARED)")
    return answer(path.read_bytes())


def informer(**settings):
    return Informer(settings=InformerSettings(**{"api_key": Secret(KEY), "security_code": Secret(CODE), **settings}))


PLAIN = informer(placeholders="off")
BOOKS = informer(ledger_account="8000, 8020")


def refusal(status, error, method="GET", path="/v2/relations"):
    """The error of an answer with this ``error``, as the core would throw it in."""
    body = dumps({"error": error, "response_code": status})
    response = Response(status=status, body=body, request=Request(method=method, path=path))
    found = BOOKS.classify(response)
    assert found is not None
    return found


def nothing():
    return refusal(400, ["No records found"])


# ---- master data -------------------------------------------------------------------------------------------


def administration(**fields):
    return answer({"company_name": "Voorbeeld Advies BV", "country": "NL", "modules": {"trade": False}, **fields})


def ledger(key, number, costs="optional"):
    return {"id": key, "number": number, "description": f"Omzet {number}", "costs": costs}


def option(key, percentage, vat_options, *ledgers):
    names = ("incl", "excl", "shifted", "icv_within_eu", "icv_outside_eu")
    return {
        "id": key,
        "name": f"Tarief {percentage}",
        "percentage": Decimal(percentage),
        "vat_options": {name: name in vat_options for name in names},
        "usable_ledgers": list(ledgers),
    }


TAXED = ("incl", "excl")
OPTIONS = [
    option(11, "21.0", TAXED, ledger(801, "8000"), ledger(802, "8010"), ledger(803, "8100", "required")),
    option(12, "9.0", TAXED, ledger(804, "8020"), ledger(805, "8200", "disabled")),
    option(13, "0.0", TAXED, ledger(806, "8040")),
    option(14, "0.0", ("shifted",), ledger(807, "8050")),
    option(15, "0.0", ("icv_within_eu",), ledger(808, "8060")),
    option(16, "0.0", ("icv_outside_eu",), ledger(809, "8070")),
]


def options(*given):
    return answer(list(given) or OPTIONS)


def condition(key, days, default="0", kind="invoice"):
    return {
        "id": key, "description": f"{days} dagen", "payment_option": kind, "days": days, "default": default,
    }  # fmt: skip


CONDITIONS = answer([condition(41, 14, "1"), condition(42, 30), condition(43, 5, kind="collection")])
TEMPLATES = answer(
    [
        {"id": 51, "description": "Offerte", "type": "quotation", "default": True},
        {"id": 52, "description": "Factuur Engels", "type": "sales_invoice", "default": False},
        {"id": 53, "description": "Factuur", "type": "sales_invoice", "default": True},
    ]
)
CURRENCIES = answer([{"id": 61, "currency": "EUR", "rate": Decimal("1.0")}, {"id": 62, "currency": "USD"}])
MASTER = (administration(), options(), CONDITIONS, CURRENCIES, TEMPLATES)
"""What a plan with payment terms reads, in its order."""

# ---- records -----------------------------------------------------------------------------------------------


def relation(key=1001, **fields):
    return {
        "id": key,
        "relation_number": 4000 + key,
        "relation_type": 0,
        "company_name": "Quellmoos Voorbeeld BV",
        "firstname": None,
        "surname_prefix": None,
        "surname": None,
        "street": "Voorbeeldstraat",
        "house_number": "12",
        "house_number_suffix": None,
        "city": "Utrecht",
        "country": "NL",
        "phone": None,
        "web": None,
        "email": "facturen@quellmoos.example",
        "email_invoice": None,
        "coc": None,
        "vat": None,
        "iban": None,
        "bic": None,
        "payment_condition_id": 41,
        "last_edit": "2026-01-15 09:30:00",
        "subtype": {"lead": False, "supplier": False, "prospect": False, "active": True, "customer": True},
        "contacts": [],
        **fields,
    }


def page(*records, key="relations", number=1, total=None, size=100):
    found = {"page": number, "records": size, "total": len(records) if total is None else total, "pages": 1}
    return answer({"pagination": found, key: list(records)})


def invoice(key=12345, **fields):
    return {
        "id": key,
        "relation_id": 1001,
        "number": "2026-001",
        "invoice_date": "2026-03-31",
        "expiry_date": "2026-04-14",
        "totals": {"excl_vat": Decimal("100.0"), "incl_vat": Decimal("121.0"), "vat": Decimal("21.0"), "paid": 0,
                   "open": Decimal("121.0")},
        "vat_option": "excl",
        "currency_id": 61,
        "reference": "2026-03/17",
        "concept": "1",
        "url": "https://app.informer.eu/sales-invoice/12345",
        "send_options": {"email": ["facturen@quellmoos.example"], "peppol": False},
        "attachments": [],
        "document_attachments": [],
        "lines": [
            {"info": "1", "qty": None, "description": "Project", "amount": None, "vat": []},
            {"info": "0", "qty": 2, "amount": 50, "discount": 0, "vat": {"id": 11, "percentage": 21}, "ledger_id": 801},
        ],
        **fields,
    }  # fmt: skip


HOME = Address(street="Voorbeeldstraat", house_number="12", postal_code="3511 AB", city="Utrecht", country_code="NL")
CUSTOMER = Customer(id="1001", number="5001", name="Quellmoos Voorbeeld BV", address=HOME)
NEW = Customer(number="5001", name="Quellmoos Voorbeeld BV", address=HOME, email="facturen@quellmoos.example")


def hours(**fields):
    return LineItem(
        **{
            "description": "Advies", "quantity": Decimal("2.25"), "unit_price": Decimal(95), "tax_rate": Decimal(21),
            **fields,
        }
    )  # fmt: skip


def draft(*lines, **fields):
    content = {"reference": "2026-03/17", "customer": CUSTOMER, "lines": lines or (hours(),), "payment_terms_days": 14}
    return InvoiceDraft(**{**content, **fields})


# ---- the vendor's own description --------------------------------------------------------------------------


def described():
    """The vendor's OpenAPI file; skips where it is not at hand."""
    path = SHARED / "specs" / "informer" / "informer-v2-openapi.json"
    if not path.exists():
        pytest.skip("the vendor's OpenAPI file is not at hand (ACCOUNTING_BRIDGE_SHARED)")
    return json.loads(path.read_text())


def misfits(spec, request):
    """What of a request is not as the vendor describes it: path, query, body."""
    operation = _operation(spec, request)
    assert operation is not None, f"{request.method} {request.path} is not described"
    known = {one["name"]: one for one in operation.get("parameters", ()) if one["in"] == "query"}
    found = [f"query {name} is not described" for name, _ in request.params if name not in known]
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if schema is not None:
        found += list(_misfits(spec, schema, json.loads(request.body, parse_float=Decimal), "$"))
    else:
        found += ["a body is not described"] if request.body else []
    return found


def _operation(spec, request):
    path = request.path.removeprefix("/v2")
    for template, operations in sorted(spec["paths"].items(), key=lambda pair: pair[0].count("{")):
        if re.fullmatch(re.sub(r"\{[a-z_]+\}", "[0-9]+", template), path) and request.method.lower() in operations:
            return operations[request.method.lower()]
    return None


def _merged(spec, schema):
    """References followed, and ``allOf`` put together."""
    if "$ref" in schema:
        return _merged(spec, spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "allOf" not in schema:
        return schema
    parts = [_merged(spec, part) for part in schema["allOf"]]
    properties = {}
    for part in parts:
        properties |= part.get("properties", {})
    return {"type": "object", "properties": properties, "required": [n for p in parts for n in p.get("required", ())]}


def _misfits(spec, schema, value, at):
    schema = _merged(spec, schema)
    if "oneOf" in schema:
        tried = [list(_misfits(spec, one, value, at)) for one in schema["oneOf"]]
        yield from [] if [] in tried else min(tried, key=len)
        return
    kinds = {
        "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, Decimal),
    }  # fmt: skip
    kind = schema.get("type")
    if kind and (not isinstance(value, kinds[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield f"{at} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at} is none of {schema['enum']}"
    if kind == "object":
        known = schema.get("properties", {})
        yield from (f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, inner in value.items():
            if name in known:
                yield from _misfits(spec, known[name], inner, f"{at}.{name}")
            else:
                yield f"{at}.{name} is not described"
    if kind == "array":
        for index, inner in enumerate(value):
            yield from _misfits(spec, schema["items"], inner, f"{at}[{index}]")
