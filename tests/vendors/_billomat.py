"""What the Billomat tests share: an adapter, and answers in the forms in which Billomat sends them."""

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from _play import params, play

from accounting_bridge import Customer, LineItem, Secret
from accounting_bridge.flow import Response
from accounting_bridge.models import InvoiceDraft
from accounting_bridge.vendors.billomat import Billomat, BillomatSettings

__all__ = ["params", "play"]

KEY = "0123456789abcdef0123456789abcdef"
SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[3] / "shared")


def fixture(name):
    """A documented body; skips where the folder with them is not at hand."""
    path = SHARED / "fixtures" / "billomat" / name
    if not path.exists():
        pytest.skip("documented bodies are not at hand (ACCOUNTING_BRIDGE_SHARED)")
    return path.read_bytes()


def billomat(**settings):
    return Billomat(settings=BillomatSettings(**{"account": "musterfirma", "api_key": Secret(KEY), **settings}))


BOOKS = billomat()
MIRROR = billomat(mirror_sales=True)


def answer(body, status=200, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers=headers, body=content)


def refusal(status, *texts):
    """The error of an answer with these texts, as the core would throw it in."""
    error = BOOKS.classify(answer({"errors": {"error": texts[0] if len(texts) == 1 else list(texts)}}, status))
    assert error is not None
    return error


def listing(plural, element, *records, total=None, page=1, per_page=1000):
    """A page: one record is an object, several are an array, none is a missing key."""
    inner = {} if not records else {element: records[0] if len(records) == 1 else list(records)}
    paging = {"@page": str(page), "@per_page": str(per_page), "@total": str(len(records) if total is None else total)}
    return answer({plural: inner | paging})


def client(key=4850001, **fields):
    return {
        "id": str(key),
        "created": "2024-01-02T09:00:00+01:00",
        "updated": "2024-03-04T10:11:12+01:00",
        "archived": "0",
        "client_number": f"KD{key % 10000:05}",
        "name": "Quellmoos Beispiel GmbH",
        "first_name": "",
        "last_name": "",
        "street": "Beispielweg 1",
        "zip": "12345",
        "city": "Musterstadt",
        "country_code": "DE",
        "phone": "",
        "email": "rechnung@quellmoos.example",
        "www": "",
        "tax_number": "",
        "vat_number": "",
        "bank_iban": "",
        "bank_swift": "",
        "locale": "",
        "due_days_type": "SETTINGS",
        "due_days": "14",
        "currency_code": "",
        "client-property-values": "",
        **fields,
    }


def clients(*records, **paging):
    return listing("clients", "client", *records, **paging)


def tax(key=21001, rate="19", name="MwSt", default="0"):
    return {"id": str(key), "name": name, "rate": rate, "is_default": default, "customfield": ""}


TAXES = listing("taxes", "tax", tax(21001, "19", default="1"), tax(21002, "7"))


def settings(**fields):
    return answer(
        {
            "settings": {
                "currency_code": "EUR",
                "net_gross": "NET",
                "number_range_mode": "CONSIDER_PREFIX",
                "invoice_number_pre": "RE",
                "due_days": "14",
                "discount_days": "",
                "discount_rate": "",
                **fields,
            }
        }
    )


def invoice(**fields):
    return {
        "id": "1220001",
        "client_id": "4850001",
        "invoice_number": "RE17",
        "number": "",
        "status": "DRAFT",
        "date": "2024-03-31",
        "due_date": "2024-04-14",
        "label": "INV-2024-17",
        "total_net": "100",
        "total_gross": "119",
        "currency_code": "EUR",
        "discount_amount": None,
        "taxes": {"tax": {"name": "MwSt", "rate": "19", "amount": "19", "amount_net": "100"}},
        **fields,
    }


CUSTOMER = Customer(id="4850001", number="KD00001", name="Quellmoos Beispiel GmbH")
ABROAD = Customer(id="4850001", name="Exemple SARL", vat_number="FR12345678901")


def hours(**fields):
    return LineItem(
        **{
            "description": "Beratung",
            "quantity": Decimal("2.5"),
            "unit": "h",
            "unit_price": Decimal(95),
            "tax_rate": Decimal(19),
            **fields,
        }
    )


def draft(*lines, **fields):
    return InvoiceDraft(**{"reference": "INV-2024-17", "customer": CUSTOMER, "lines": lines or (hours(),), **fields})


def sent(request):
    """The JSON of a request's body, numbers exact."""
    return json.loads(request.body, parse_float=Decimal)
