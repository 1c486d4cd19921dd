"""What to tell people about work that cannot be billed: whose it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

from .billing import Billing
from .outcome import Reason
from .pricing import RateOf
from .work import CustomerLink, Label, Project, Service, Work, WorkKind

__all__ = [
    "no_customer",
    "no_rate",
    "no_tax_rate",
    "no_tax_rate_in_price",
    "on_two_terms",
    "same_texts",
    "setting_of",
    "several_customers",
    "who",
]


def who(work: Work) -> str:
    """Whom it is for."""
    return work.customer.text if work.customer is not None else "no customer"


def no_customer(reason: Reason, work: Work) -> str:
    """Work that is for nobody whom the books know."""
    link = work.customer
    if reason is Reason.UNKNOWN_CUSTOMER:
        cure = "import it first, or allow unknown ones (known_customers_only=False)"
        return f"customer {who(work)} is not among the plan's customers: {cure}"
    if link is None or not (link.name or link.id):
        whose = f"project {work.project.text}" if work.project is not None else "work without a project"
        return f"{whose} has no customer: assign one in the tracker, or mark the work as not billable"
    key = f"CustomerLink(id={link.id!r})"
    given = "'<number in the books>'"
    terms = f", or link it with Billing(customers={{{key}: {given}}})" if link.id is not None else ""
    return f"customer {link.text} has no customer number that links it to the books: give it one in the tracker{terms}"


def no_rate(plan: Billing, work: Work, *, foreign: bool) -> str:
    """Work without a price."""
    parts = [
        f"{name} {part.text}"
        for name, part in (
            ("person", work.person), ("activity", work.activity), ("sub-project", work.sub_project),
            ("project", work.project), ("customer", work.customer),
        )
        if part is not None
    ]  # fmt: skip
    where = ", ".join(parts) or "work without person, activity, project and customer"
    if work.kind is WorkKind.SERVICE and isinstance(work, Service):
        return f"no unit price of {work.title!r} ({where}): give Service.unit_price"
    what = "rate per kilometre" if work.kind is WorkKind.TRIP else "hourly rate"
    if foreign:
        plans = plan.currency or "the currency of the books, which the plan does not name (Billing.currency)"
        return f"no {what} in {work.currency} for {where}: the plan's rates are in {plans}; give the entry its own"
    looked = "Trip.rate, mileage_of_customers, mileage" if work.kind is WorkKind.TRIP else ", ".join(plan.rates.order)
    return f"no {what} for {where}: looked at {looked}; set {' or '.join(_rates_to_set(plan, work))}"


def _rates_to_set(plan: Billing, work: Work) -> list[str]:
    """The settings that would give it a rate: of the narrower ones the first that counts, and the one for all."""
    if work.kind is WorkKind.TRIP:
        key = _key(work.customer)
        found = [f"mileage_of_customers={{{key}: …}}"] if key is not None else []
        found.append("mileage=…")
    else:
        keys = {
            RateOf.PERSON: ("persons", _key(work.person)), RateOf.ACTIVITY: ("activities", _key(work.activity)),
            RateOf.PROJECT: ("projects", _key(work.project)), RateOf.CUSTOMER: ("customers", _key(work.customer)),
        }  # fmt: skip
        narrow = [keys[one] for one in plan.rates.order if one in keys]
        found = [f"{name}={{{key}: …}}" for name, key in narrow if key is not None][:1]
        found += ["default=…"] if RateOf.DEFAULT in plan.rates.order else []
    settings = [f"Billing(rates=Rates({one}))" for one in found]
    return settings or ["a rate of the entry itself, or another Rates(order=…)"]


def _key(part: Label | Project | CustomerLink | None) -> str | None:
    """As mappings of rates name it."""
    if isinstance(part, CustomerLink):
        return repr(part.number) if part.number else f"CustomerLink(id={part.id!r})" if part.id else None
    return repr(part.id) if part is not None else None


def no_tax_rate(work: Work, *, gross: bool, wanted: str) -> str:
    """An expense that cannot be converted."""
    given = "gross" if gross else "net"
    cure = "set Billing(tax_rate=…), or a VAT rate of the expense, its customer or its article"
    return f"no VAT rate for expenses of {who(work)}: they are {given}, and {wanted}; {cure}"


def no_tax_rate_in_price(work: Work, treatment: str) -> str:
    """A gross price that is to be charged without VAT."""
    said = f"prices for {who(work)} include VAT, and {treatment} charges none, so that it has to be taken out"
    return f"{said}: set Billing(tax_rate=…) to what is in them, 0 for none"


_SETTINGS: Final[Mapping[str, str]] = {
    "tax_rate": "Billing(tax_rate=…), or that of its CustomerTerms, its Booking in articles, or the work",
    "tax_treatment": "Billing(tax_treatment=…), or that of its CustomerTerms",
    "article": "Billing(articles=…)",
    "ledger_account": "Billing(articles=…): ledger_account of its Booking",
    "unit": "Billing(articles=…): unit of its Booking, or Billing(texts=…)",
    "unit_price": "Billing(rates=…), or the rate of the work",
    "discount_percent": "Billing(discount_percent=…), or that of its CustomerTerms",
    "payment_terms_days": "Billing(payment_terms_days=…), or that of its CustomerTerms",
    "customer": "Billing(customers=…)",
    "currency": "Billing(currency=…), or that of the work",
    "language": "Billing(texts=…, language_on_draft=…)",
    "issue_date": "Billing(issue_date=…)",
    "service_period": "Billing(service_period=…, line_periods=…)",
    "order_reference": "Billing(order_reference=…), or that of its CustomerTerms",
    "reference": "Billing(reference=…)",
    "attachments": "Billing(attach_receipts=…), or attach",
}


def setting_of(place: str) -> str | None:
    """What sets a field of a draft, named as errors name it (``lines[0].tax_rate``); None: nothing does."""
    parts = [part.partition("[")[0] for part in place.split(".")]
    return _SETTINGS.get("customer" if parts[0] == "customer" else parts[-1])


def several_customers(plan: Billing, number: str, source: str, known: Mapping[str, CustomerLink]) -> str:
    """Customers of one source, by their ids, that would be one in the books."""
    named = [f"{link.text} (id {own})" if link.text != own else own for own, link in sorted(known.items())]
    of = f"of {source} " if source else ""
    own_terms = sorted(plan.own_terms(number, known).items())
    missing = [own for own, terms in own_terms if terms is None]
    there = {own: terms.customer for own, terms in own_terms if terms is not None}
    cures = []
    if missing:
        entries = ", ".join(f"CustomerLink(id={own!r}): {number!r}" for own in missing)
        cures.append(f"add {entries} to Billing.customers, beside what is in it, to take the terms that {number!r} has")
    if None in there.values() or len(set(there.values())) > 1:
        one = f"one customer, as CustomerRef(number={number!r}), with the terms that they have"
        cures.append(f"let its entries for {' and '.join(there)} name {one}")
    cure = f"if they are one customer, say so of each: {', and '.join(cures)}"
    return f"customers {' and '.join(named)} {of}have one number in the books, {number}: correct the wrong one; {cure}"


def same_texts(text: str, rates: Collection[Decimal]) -> str:
    """Lines that look like one entered twice, because nothing but the rate tells them apart."""
    said = f"{len(rates)} lines are called {text!r}, because their rates differ"
    return (
        f"{said} ({', '.join(f'{rate:f}' for rate in sorted(rates))}): 'person' in Grouping(hours=…), or {{person}} or "
        "{rate} in Texts(hours=…), would tell them apart"
    )


def on_two_terms(name: str) -> str:
    """A customer whom some work names in a way that terms are set for, and some in another."""
    said = (
        f"some work for {name} names it by the tracker's id, some by its number alone, and Billing.customers has terms"
    )
    return f"{said} for one of them only: set them for both"
