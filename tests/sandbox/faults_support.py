"""A client of each vendor on a virtual clock, in process: the library's own engine, and no socket anywhere."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

from attrs import define, field

import accounting_bridge as ab
from accounting_bridge._bound import BoundProvider
from accounting_bridge._engine import Call, Outgoing, Renew, Send, Sleep, engine
from accounting_bridge._outcomes import Failure
from accounting_bridge.flow import Response, Token
from accounting_bridge.sandbox import Lost, Sandbox, VirtualClock, deliver, sandbox_class
from accounting_bridge.sandbox.informer import Administration
from accounting_bridge.session import Session

VENDORS = ("billomat", "informer", "lexoffice", "visma")
RATES = {"billomat": 19, "informer": 19, "lexoffice": 19, "visma": 21}
CREATES = {
    "billomat": "POST /api/invoices$",
    "informer": "POST /v2/invoices/sales$",
    "lexoffice": "POST /v1/invoices$",
    "visma": "POST /v2/customerinvoicedrafts$",
}
SCHEDULED = {"billomat": "/api/", "informer": "/v2/", "lexoffice": "/v1/", "visma": "/v2/"}


@define
class VirtualSession(Session):
    """Carries the engine's actions out against a sandbox object, on the clock that both share."""

    box: Sandbox = field(kw_only=True)
    sent: int = field(default=0, init=False)

    @property
    def clock(self) -> VirtualClock:
        assert isinstance(self.box.clock, VirtualClock)
        return self.box.clock

    def run(self, flow: Any, *, auth: bool = True, deadline: float | None = None) -> Any:
        answer: Any = None
        with closing(engine(flow, self.state, auth=auth, deadline=deadline)) as steps:
            while True:
                try:
                    action = steps.send(answer)
                except StopIteration as stop:
                    return stop.value
                match action:
                    case Send(outgoing):
                        answer = self.send(outgoing)
                    case Sleep(seconds):
                        answer = self.clock.sleep(seconds)
                    case Call(function):
                        answer = function()
                    case Renew(stale, rejected, patience):
                        answer = self._renew(stale, rejected=rejected, patience=patience)

    def send(self, outgoing: Outgoing) -> Response | Failure:
        self.sent += 1
        answer = deliver(
            self.box, outgoing.method, outgoing.url, headers=outgoing.headers, body=outgoing.body,
            timeout=outgoing.timeout,
        )  # fmt: skip
        if isinstance(answer, Lost):
            return Failure(answer.reason, executed=answer.sent)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(status=answer.status, headers=headers, body=answer.body)


def sandbox(vendor: str, clock: VirtualClock, **options: Any) -> Any:
    options = {"customers": 2, "rate_limit": False, **options}
    if vendor == "informer":
        options["administration"] = Administration(country="DE")
    return sandbox_class(vendor)(clock=clock, **options)


def connect(box: Any, **options: Any) -> BoundProvider:
    """A provider of the library whose every request goes to the box."""
    extra: dict[str, Any] = {}
    settings: dict[str, Any] = dict(box.settings)
    if box.vendor == "informer":
        settings["ledger_account"] = "8010, 8020, 8040, 8050, 8060, 8065, 8070"
    if box.vendor == "visma":
        numbers = {article.values["Number"]: article.id for article in box._articles.all.values()}
        settings["articles"] = {"service/21": numbers["1"]}
        pair = box.token_pair()
        tokens = ab.MemoryTokens(clock=box.clock)
        grant = Token(access=pair.access_token, refresh=pair.refresh_token, expires_at=pair.access_expires_at)
        tokens.save("app", "visma", grant)
        extra["tokens"] = tokens
    given = {
        "tenant": "app", "base_url": "http://127.0.0.1:9", "journal": ab.MemoryJournal(), "limits": ab.Unlimited(),
        "clock": box.clock, **extra, **options,
    }  # fmt: skip
    if box.vendor == "visma":
        box.origin = given["base_url"]
        settings["identity_url"] = box.origin
    session = ab.connect(box.vendor, settings, **given)._session  # type: ignore[attr-defined]
    return BoundProvider(VirtualSession(session.state, session.http, box=box))


def draft(vendor: str, reference: str = "2026-03/4711", number: str = "4711", **changes: Any) -> ab.InvoiceDraft:
    country = "NL" if vendor == "visma" else "DE"
    address = ab.Address(
        street="Beispielweg", house_number="7", postal_code="1011 AB" if country == "NL" else "10115",
        city="Musterstadt", country_code=country,
    )  # fmt: skip
    line = ab.LineItem(description="Beratung", quantity=Decimal("7.5"), unit="h", unit_price=95, tax_rate=RATES[vendor])
    content: dict[str, Any] = {
        "reference": reference,
        "customer": ab.Customer(number=number, name=f"Musterwerk {number} GmbH", address=address),
        "issue_date": date(2026, 3, 31),
        "payment_terms_days": 14,
        "lines": [line],
        **changes,
    }
    return ab.InvoiceDraft(**content)


def references(box: Any, reference: str) -> int:
    """How many invoices in the books carry a reference, wherever the vendor keeps it."""
    return sum(reference in (text or "") for invoice in box.invoices for text in (invoice.reference, invoice.remark))


def until_done(clock: VirtualClock, job: Any, rounds: int = 40) -> Any:
    """What an app's queue does: run the job again at the time it was told, or after a minute."""
    for _ in range(rounds):
        try:
            return job()
        except (ab.OutcomeUnknown, ab.Unavailable) as later:
            clock.sleep_until(later.retry_at)
            clock.sleep(60)
    raise AssertionError("the job never came to an end")
