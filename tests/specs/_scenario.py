"""One wide scenario on real sockets: every operation of a provider, documents of many shapes, all of it recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from _openapi import Exchange
from attrs import evolve, frozen

import accounting_bridge as ab
from accounting_bridge.adapter import Finalize, Sends
from accounting_bridge.sandbox.base import Delivery
from accounting_bridge.sandbox.wire import Call

_ARTICLE = {
    ab.TaxTreatment.INTRA_EU_GOODS: "goods", ab.TaxTreatment.SMALL_BUSINESS: "zero", ab.TaxTreatment.EXEMPT: "zero",
}  # fmt: skip
PDF = b"%PDF-1.4\n% an invented invoice\n%%EOF\n"
TREATMENTS = tuple(one for one in ab.TaxTreatment if one is not ab.TaxTreatment.DOMESTIC)


def recording(box: Any) -> list[Exchange]:
    """What comes out of the sandbox's socket from now on, and what goes in. Call it once for a sandbox."""
    found: list[Exchange] = []
    deliver: Callable[..., Delivery] = box.deliver

    def recorded(call: Call, *fault: Any) -> Delivery:
        delivery = deliver(call, *fault)
        assert delivery.reply is not None  # no faults in a scenario
        found.append(Exchange(call, delivery.reply))
        return delivery

    box.deliver = recorded
    return found


@frozen(kw_only=True)
class Shape:
    """What a vendor's scenario needs beside the vendor."""

    country: str
    rates: tuple[Decimal, Decimal]
    articles: Callable[[ab.AccountingProvider], Mapping[str, str]] = lambda _: {}
    """Ids of articles for ``high``, ``low``, ``zero`` and ``goods``, for vendors whose lines need one."""
    treatments: Sequence[ab.TaxTreatment] = TREATMENTS


def address(country: str) -> ab.Address:
    return ab.Address(street="Voorbeeldweg", house_number="7", postal_code="1015 CJ", city="Voorbeeld",
                      country_code=country)  # fmt: skip


def customers(country: str) -> Iterator[ab.Customer]:
    """A company with all that a customer may have, one with as little as possible, and a person."""
    yield ab.Customer(
        number="7001", name="Voorbeeld Bouw BV", address=address(country), email="facturen@voorbeeld.example",
        phone="030 555 0100", website="https://voorbeeld.example", registration_number="12345678", bic="INGBNL2A",
        iban="NL91ABNA0417164300", payment_terms_days=30, language="nl",
    )  # fmt: skip
    yield ab.Customer(number="7002", name="Kaal BV", address=address(country))
    yield ab.Customer(
        number="7003", name="Toets Persoon", is_person=True, first_name="Toets", last_name="Persoon",
        address=address(country), email="toets@persoon.example",
    )  # fmt: skip


def abroad(treatment: ab.TaxTreatment, home: str) -> ab.Customer:
    """A customer for whom the treatment is right."""
    intra = treatment in {ab.TaxTreatment.INTRA_EU_GOODS, ab.TaxTreatment.INTRA_EU_SERVICES}
    country = ("DE" if home == "AT" else "AT") if intra else "CH" if treatment is ab.TaxTreatment.EXPORT else home
    vat = {"AT": "ATU12345675", "NL": "NL001234567B01", "SE": "SE556677889901", "DE": "DE136695976"}.get(country)
    number = str(7100 + TREATMENTS.index(treatment))
    return ab.Customer(number=number, name=f"Afnemer {number} GmbH", vat_number=vat, address=address(country))


def play(provider: ab.AccountingProvider, shape: Shape) -> None:
    """Everything once; whatever a vendor refuses is left out by its capabilities, never by catching."""
    can = provider.capabilities
    provider.check()
    assert list(provider.import_customers())
    list(provider.import_customers(changed_since=datetime.now(UTC) - timedelta(days=400)))
    reference = [provider.tax_rates(), provider.payment_terms()]
    reference += [provider.ledger_accounts()] if can.ledger_accounts else []
    assert all(reference)
    list(provider.import_articles()) if can.articles else ()
    company, bare, person = [provider.ensure_customer(one).customer for one in customers(shape.country)]
    assert not provider.ensure_customer(evolve(company, id=None)).created
    assert company.number is not None
    assert provider.find_customer(company.number) is not None  # lexoffice gives numbers of its own
    assert provider.find_customer("79999") is None
    if can.update_customer:
        provider.update_customer(evolve(company, phone="030 555 0199"))
    articles = shape.articles(provider)
    drafts = list(_drafts(can, shape, articles, (company, bare, person)))
    made = [provider.create_invoice(draft) for draft in drafts]
    assert all(invoice.created for invoice in made)
    assert not provider.create_invoice(drafts[0]).created
    first, second = made[:2]
    provider.get_invoice(first.id)
    if can.attach:
        provider.attach(first.id, ab.Attachment(filename="uren.pdf", content=PDF))
    if can.finalize is Finalize.ANY_TIME:
        final = provider.finalize_invoice(first.id)
        assert final.number
        if can.pdf:
            assert provider.invoice_pdf(final.id).startswith(b"%PDF")
        if can.sends is not Sends.NOTHING:
            mailed = final if can.sends is Sends.FINAL else second
            provider.send_invoice(mailed.id, to=company.email)
    if can.book_sale:
        for issued in _issued(shape, articles, (company, person)):
            later = can.sale_pdf and not can.sale_pdf_travels  # then it is looked for before it is uploaded
            assert provider.book_sale(evolve(issued, pdf=None) if later else issued).created
            assert not provider.book_sale(issued).created


def _line(shape: Shape, articles: Mapping[str, str], name: str = "high", **changes: Any) -> ab.LineItem:
    content: dict[str, Any] = {
        "description": "Advies", "quantity": Decimal("7.25"), "unit_price": Decimal("95.00"),
        "tax_rate": dict(zip(("high", "low"), shape.rates, strict=True)).get(name), "article": articles.get(name),
        "work": ["te-1"],
    }  # fmt: skip
    return ab.LineItem(**{**content, **changes})


def _drafts(
    can: Any, shape: Shape, articles: Mapping[str, str], whose: Sequence[ab.Customer]
) -> Iterator[ab.InvoiceDraft]:
    company, bare, person = whose
    period = ab.ServicePeriod(start=date(2026, 3, 1), end=date(2026, 3, 31))
    unit = {"unit": "h"} if can.unit_of_lines else {}
    full = [
        ab.TextLine(description="Project Voorbeeldhal"),
        _line(shape, articles, "high", **unit, service_period=period),
        _line(shape, articles, "low", quantity=Decimal(1), unit_price=Decimal("12.99")),
        _line(shape, articles, "high", quantity=Decimal("0.5"), unit_price=Decimal("240.00")),
        ab.TextLine(description="Met dank"),
    ]
    one = [_line(shape, articles)]

    def draft(reference: str, customer: Any, lines: Iterable[ab.Line], **changes: Any) -> ab.InvoiceDraft:
        return ab.InvoiceDraft(**{
            "reference": reference, "customer": customer, "lines": list(lines), "issue_date": date(2026, 3, 31),
            "payment_terms_days": 30, **changes,
        })  # fmt: skip

    yield draft("spec/full", ab.CustomerRef(id=company.id), full, service_period=period, introduction="Beste klant,",
                closing="Met vriendelijke groet", project_note="Project 7", order_reference="PO-7")  # fmt: skip
    yield draft("spec/second", ab.CustomerRef(id=company.id), one)
    yield draft("spec/bare", bare, one, payment_terms_days=None)
    yield draft("spec/new", evolve(next(customers(shape.country)), number="7004", name="Nieuw BV"), one)
    yield draft("spec/person", person, one)
    gross = _line(shape, articles, quantity=Decimal(1), unit_price=Decimal("121.00"))
    yield draft("spec/gross", company, [gross], prices_include_tax=True)
    if can.line_discounts:
        yield draft("spec/less", company, [_line(shape, articles, discount_percent=Decimal(10))])
    if can.invoice_discount:
        yield draft("spec/all-less", company, one, discount_percent=Decimal(5))
    if can.attach:
        file = ab.Attachment(filename="bijlage.pdf", content=PDF + b"% another\n")
        yield draft("spec/file", company, one, attachments=[file])
    for treatment in shape.treatments:
        name = _ARTICLE.get(treatment, "high")
        lines = [_line(shape, articles, name, tax_rate=None), ab.TextLine(description="Toelichting")]
        yield draft(f"spec/{treatment.name.lower().replace('_', '-')}", abroad(treatment, shape.country), lines,
                    tax_treatment=treatment)  # fmt: skip


def _issued(shape: Shape, articles: Mapping[str, str], whose: Sequence[ab.Customer]) -> Iterator[ab.IssuedInvoice]:
    company, person = whose
    lines = [
        _line(shape, articles, "high", quantity=Decimal(8)),
        ab.TextLine(description="Toelichting"),
        _line(shape, articles, "low", quantity=Decimal(1), unit_price=Decimal("46.73")),
    ]
    sent: dict[str, Any] = {"issue_date": date(2026, 3, 31), "sent_at": datetime(2026, 3, 31, 15, 0, tzinfo=UTC)}
    yield ab.IssuedInvoice(
        number="20260815", customer=company, lines=lines, due_date=date(2026, 4, 14), pdf=PDF, **sent
    )
    yield ab.IssuedInvoice(number="20260816", customer=person, lines=list(islice(lines, 1)), **sent)
