"""Hypothesis strategies for the models: anything that the models take, and nothing that they refuse."""

from datetime import UTC, date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from accounting_bridge.models import (
    Address,
    Attachment,
    Contact,
    Customer,
    CustomerRef,
    InvoiceDraft,
    IssuedInvoice,
    LineItem,
    LineKind,
    ServicePeriod,
    TaxTreatment,
    TextLine,
)

REFERENCE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:/-"

references = st.text(REFERENCE_ALPHABET, min_size=1, max_size=60)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"), max_size=40)
names = texts.filter(lambda text: bool(text.strip()))
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
instants = st.datetimes(timezones=st.just(UTC))
currencies = st.sampled_from(["EUR", "USD", "CHF", "GBP"])
prices = st.decimals(Decimal(-10_000), Decimal(10_000), places=4)
quantities = st.decimals(Decimal(-1_000), Decimal(1_000), places=4)
percentages = st.decimals(Decimal(0), Decimal(100), places=2)
tax_rates = st.sampled_from([Decimal(0), Decimal(7), Decimal(19), Decimal("5.5"), Decimal(21)])


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    """The value, or None."""
    return st.none() | strategy


addresses = st.builds(
    Address, street=maybe(texts), house_number=maybe(texts), addition=maybe(texts), postal_code=maybe(texts),
    city=maybe(texts), country_code=maybe(st.sampled_from(["DE", "NL", "AT", "CH", "ES_CN"])),
)  # fmt: skip
contacts = st.builds(Contact, first_name=maybe(texts), last_name=maybe(texts), email=maybe(texts), phone=maybe(texts))
customers = st.builds(
    Customer, id=maybe(texts), number=maybe(texts), name=names, is_person=st.booleans(), first_name=maybe(texts),
    last_name=maybe(texts), address=maybe(addresses), email=maybe(texts), phone=maybe(texts), website=maybe(texts),
    vat_number=maybe(texts), registration_number=maybe(texts), iban=maybe(texts), bic=maybe(texts),
    payment_terms_days=maybe(st.integers(0, 3650)), currency=maybe(currencies), language=maybe(texts),
    active=st.booleans(), updated_at=maybe(instants), contacts=st.lists(contacts, max_size=2),
)  # fmt: skip
customer_refs = st.builds(CustomerRef, id=names) | st.builds(CustomerRef, number=names)


@st.composite
def service_periods(draw: st.DrawFn) -> ServicePeriod:
    """First day not after the last."""
    start = draw(days)
    return ServicePeriod(start=start, end=start + timedelta(days=draw(st.integers(0, 400))))


line_items = st.builds(
    LineItem, description=names, quantity=quantities, unit=maybe(texts), unit_price=prices, tax_rate=maybe(tax_rates),
    discount_percent=maybe(percentages), article=maybe(texts), ledger_account=maybe(texts),
    kind=st.sampled_from(LineKind), service_period=maybe(service_periods()), work=st.lists(texts, max_size=2),
)  # fmt: skip
text_lines = st.builds(TextLine, description=names)
lines = st.lists(line_items | text_lines, max_size=3).flatmap(
    lambda others: line_items.map(lambda item: (item, *others))
)
attachments = st.builds(
    Attachment,
    filename=st.from_regex(r"[a-z]{1,10}\.(pdf|csv)", fullmatch=True),
    content=st.binary(min_size=1, max_size=20),
)
drafts = st.builds(
    InvoiceDraft, reference=references, customer=customers | customer_refs, lines=lines, issue_date=maybe(days),
    payment_terms_days=maybe(st.integers(0, 3650)), currency=maybe(currencies), prices_include_tax=st.booleans(),
    tax_treatment=st.just(TaxTreatment.DOMESTIC), service_period=maybe(service_periods()), introduction=maybe(texts),
    closing=maybe(texts), project_note=maybe(texts), order_reference=maybe(texts), language=maybe(texts),
    discount_percent=maybe(percentages), attachments=st.lists(attachments, max_size=1),
)  # fmt: skip
issued_invoices = st.builds(
    IssuedInvoice, number=references, customer=customers | customer_refs, lines=lines, issue_date=days,
    sent_at=maybe(instants), currency=maybe(currencies), prices_include_tax=st.booleans(),
    service_period=maybe(service_periods()), total_gross=maybe(prices),
    pdf=maybe(st.binary(max_size=10).map(lambda tail: b"%PDF-" + tail)),
)  # fmt: skip
