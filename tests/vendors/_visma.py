"""What the Visma tests share: an adapter, its answers, and a sandbox whose user has consented."""

import json
import os
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from _play import Played, answer, params, play, sent

from accounting_bridge import Secret, connect
from accounting_bridge.flow import Request, Response
from accounting_bridge.sandbox import serve
from accounting_bridge.tokens import MemoryTokens
from accounting_bridge.vendors.visma import Visma, VismaSettings
from accounting_bridge.wire import dumps

__all__ = ["Played", "answer", "params", "play", "sent"]

SECRET = "s3cret-of-the-app+/"
CLIENT = "voorbeeld uren".replace(" ", "-")
REDIRECT = "https://app.example/visma/callback"
SHARED = Path(os.environ.get("ACCOUNTING_BRIDGE_SHARED") or Path(__file__).parents[3] / "shared")

CUSTOMER_ID = "aaaaaaaa-0000-4000-8000-000000000001"
THIRTY = "bbbbbbbb-0000-4000-8000-000000000030"
FOURTEEN = "bbbbbbbb-0000-4000-8000-000000000014"
CASH = "bbbbbbbb-0000-4000-8000-000000000000"
FOR_PURCHASE = "bbbbbbbb-0000-4000-8000-000000000060"


def fixture(name, status=200):
    """A documented body; skips where the folder with them is not at hand."""
    path = SHARED / "fixtures" / "visma" / name
    if not path.exists():
        pytest.skip("documented bodies are not at hand (ACCOUNTING_BRIDGE_SHARED)")
    return answer(path.read_bytes(), status)


def settings(**given):
    base = {"client_id": CLIENT, "client_secret": Secret(SECRET), "redirect_uri": REDIRECT}
    return VismaSettings(**{**base, **given})


def visma(**given):
    return Visma(settings=settings(**given))


BOOKS = visma()


def refusal(status, code=None, text="SomeException - Not so.", errors=None, method="GET", path="/v2/customers"):
    """The error of a refusal, as the core would throw it in."""
    body = {"ErrorCode": code, "DeveloperErrorMessage": text, "ErrorId": "e-1"}
    if errors is not None:
        body["Errors"] = errors
    response = Response(status=status, body=dumps(body), request=Request(method=method, path=path))
    found = BOOKS.classify(response)
    assert found is not None
    return found


def listing(*records, page=1, pages=1, total=None):
    """One page of a list."""
    meta = {
        "CurrentPage": page,
        "PageSize": 1000,
        "TotalNumberOfPages": pages,
        "TotalNumberOfResults": len(records) if total is None else total,
        "ServerTimeUtc": "2026-03-31T12:00:00.1234567Z",
    }
    return answer({"Meta": meta, "Data": list(records)})


# ---- master data -------------------------------------------------------------------------------------------


def term(key, days, kind=0, sales=True):
    return {
        "Id": key, "Name": f"{days} dagen", "NumberOfDays": days, "TermsOfPaymentTypeId": kind,
        "AvailableForSales": sales, "AvailableForPurchase": True,
    }  # fmt: skip


TERMS = listing(term(THIRTY, 30), term(FOURTEEN, 14), term(CASH, 0, kind=2), term(FOR_PURCHASE, 60, sales=False))
COUNTRIES = listing({"Code": "NL", "IsEuMember": True}, {"Code": "NO", "IsEuMember": False})


def customer(**fields):
    """A customer as the vendor shows it, with more than what is mapped."""
    return {
        "Id": CUSTOMER_ID, "CustomerNumber": "1001", "Name": "Voorbeeld BV", "IsPrivatePerson": False,
        "IsActive": True, "InvoiceAddress1": "Straat 1", "InvoiceAddress2": None, "InvoicePostalCode": "1000 AA",
        "InvoiceCity": "Amsterdam", "InvoiceCountryCode": "NL", "EmailAddress": "info@voorbeeld.example",
        "TermsOfPaymentId": THIRTY, "CurrencyCode": "EUR", "ChangedUtc": "2026-03-01T08:00:00Z", **fields,
    }  # fmt: skip


# ---- a sandbox whose user has consented ---------------------------------------------------------------------


def consented(box, url):
    """Code and state that the user comes back with."""
    found = parse_qs(urlsplit(box.consent(url)).query)
    return found["code"][0], found["state"][0]


@contextmanager
def connected(settings=None, tokens=None, **options):
    """A sandbox and a provider that may use it."""
    with serve("visma", **options) as server:
        tokens = MemoryTokens() if tokens is None else tokens
        given = {**server.settings, **(settings or {})}
        with connect("visma", given, base_url=server.url, tokens=tokens, tenant="urenwerk") as provider:
            provider.exchange(*consented(server.sandbox, provider.authorization_url()))
            yield server, provider


def json_of(request):
    """The JSON of a request with the digits of every number as they were written."""
    return json.loads(request.body, parse_float=str, parse_int=str)
