"""The settings: how work becomes invoices. One object, immutable, checked as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal, Protocol, TypeVar

from attrs import evolve, field, frozen

from ..models import Customer, CustomerRef, ServicePeriod, TaxTreatment
from ..models._checks import Checks, as_tuple, exact_or_none
from ..models.invoice import MOST_LINES
from ..money import Rounding
from .articles import ArticleMap
from .grouping import Grouping
from .linking import ByCustomer, as_link, check_keys, is_known_by_id, key_text
from .percent import check_percent
from .pricing import Rates, TimeRounding
from .texts import REFERENCE_PLACEHOLDERS, Template, Texts, template
from .work import CustomerLink

__all__ = ["Billing", "CustomerTerms"]

_MOST_DECIMALS: Final = 12
_FEWEST_KEPT: Final = 2
"""Decimals that every vendor keeps."""


@frozen(kw_only=True)
class CustomerTerms:
    """What holds for one customer only. None: as for all."""

    customer: Customer | CustomerRef | None = None
    """As it goes on the draft: a ``Customer`` is created in the books if it is missing there. None: by its number."""
    tax_rate: Decimal | None = field(default=None, converter=exact_or_none)
    """Percent, before that of articles and projects."""
    tax_treatment: TaxTreatment | None = None
    language: str | None = None
    payment_terms_days: int | None = None
    discount_percent: Decimal | None = field(default=None, converter=exact_or_none)
    order_reference: str | None = None
    reference: str | None = None
    """Of the draft, given by the app; for customers with one draft."""

    def check(self, checks: Checks, at: str) -> None:
        """Note what is wrong, each problem under the path *at*."""
        _check_customer(checks, f"{at}.customer", self.customer, Customer, CustomerRef)
        check_percent(checks, f"{at}.tax_rate", self.tax_rate)
        checks.kind(f"{at}.tax_treatment", self.tax_treatment, TaxTreatment)
        checks.text(f"{at}.language", self.language)
        checks.whole(f"{at}.payment_terms_days", self.payment_terms_days, low=0, high=3650)
        checks.number(f"{at}.discount_percent", self.discount_percent, low=0, high=100, optional=True)
        checks.text(f"{at}.order_reference", self.order_reference)
        if self.reference is not None:
            checks.reference(f"{at}.reference", self.reference)


def _check_customer(checks: Checks, at: str, given: object, *kinds: type, required: bool = False) -> None:
    """Told apart from a customer of a tracker, which has an id that is somebody else's in the books."""
    if isinstance(getattr(given, "customer", None), Customer) and not isinstance(given, kinds):
        checks.problem(at, f"must not be the {type(given).__name__} itself: give its .customer")
    else:
        checks.kind(at, given, *kinds, required=required)


_K_co = TypeVar("_K_co", covariant=True)
_V_co = TypeVar("_V_co", covariant=True)


class _Items(Protocol[_K_co, _V_co]):
    """A mapping, as type checkers see it: with texts alone as keys, with links alone, or with both."""

    def items(self) -> AbstractSet[tuple[_K_co, _V_co]]: ...


def _terms(given: _Items[str | CustomerLink, CustomerTerms | Customer | CustomerRef | str]) -> Any:
    """A copy; anything but a mapping stays and is refused by the checks."""
    if not isinstance(given, Mapping):
        return given
    return {key: _as_terms(one) for key, one in given.items()}


def _as_terms(given: CustomerTerms | Customer | CustomerRef | str) -> CustomerTerms:
    match given:
        case str() if given.strip():
            return CustomerTerms(customer=CustomerRef(number=given.strip()))
        case Customer() | CustomerRef():
            return CustomerTerms(customer=given)
        case _:
            return given  # type: ignore[return-value]  # what is none of them is refused by the checks


def _several_texts(given: Any) -> tuple[Texts, ...]:
    return (given,) if isinstance(given, Texts) else as_tuple(given)


@frozen(kw_only=True)
class Billing:
    """How work is selected, priced, grouped and printed.

    Raises:
        InvalidRequest: with every setting that is wrong.
    """

    # ---- what, and for whom
    period: ServicePeriod | None = None
    """Only work of these days; the rest is left out and counted. None: all that is handed over."""
    customers: Mapping[str | CustomerLink, CustomerTerms] = field(factory=dict, converter=_terms)
    """Whom drafts are for, and on what terms: ``{"10001": …}`` by customer number, ``{CustomerLink(id="291"): …}`` by
    the tracker's id, so that a number is never taken for an id. A ``Customer``, a ``CustomerRef`` or a number in the
    books may stand in place of terms; an entry that gives no more than a number takes the terms of another entry for
    that number. All of a tracker: ``{one.link: one.customer for one in source.customers()}``.
    Where the tracker has other numbers than the books, the key says so: ``{CustomerLink(number="T-1"): "10001"}``."""
    known_customers_only: bool = False
    """Whether customers that are not in ``customers`` are reported instead of being looked up by number."""
    per: Literal["customer", "project"] = "customer"
    """What a draft is made for."""

    # ---- how much
    rates: Rates = field(factory=Rates)
    rounding: TimeRounding = field(factory=TimeRounding)
    hours: Literal["round", "amount"] = "round"
    """``round``: hours at the vendor's decimals times the rate, the difference to exact time stated in the plan.
    ``amount``: one times the exact amount, the hours in the text."""
    quantity_decimals: int | None = None
    """Of hours and other quantities. None: as many as the books keep (``provider.rounding``) in ``bill``; 2 where no
    provider is known, as in ``invoice_drafts`` and ``lines``: hand those ``plan.for_books(provider.rounding)``."""
    price_decimals: int | None = None
    """Likewise. What does not fit is printed as one times the amount."""
    currency: str | None = None
    """Of rates and of work that names none (ISO 4217); None: the currency of the books. ``bill`` asks them for it
    where the tracker names currencies; elsewhere nothing tells that work in EUR is in the currency of the books, and
    the plan's rates are not used for it."""
    prices_include_tax: bool = False
    """Whether rates and prices are gross. Expenses are converted to the one or the other."""
    tax_rate: Decimal | None = field(default=None, converter=exact_or_none)
    """Percent, where nothing else says; None: the connection's default."""
    tax_treatment: TaxTreatment = TaxTreatment.DOMESTIC
    """Where it charges no VAT, the VAT in gross prices is taken out of them."""
    discount_percent: Decimal | None = field(default=None, converter=exact_or_none)
    """On the whole invoice."""

    # ---- how it looks
    grouping: Grouping = field(factory=Grouping)
    articles: ArticleMap = field(factory=ArticleMap)
    texts: tuple[Texts, ...] = field(factory=lambda: (Texts(),), converter=_several_texts)
    """One for each language; the customer's language chooses, the first one serves all others."""
    language_on_draft: bool = True
    """Whether drafts name the language of their texts; some vendors refuse those that they do not print."""
    service_period: Literal["work", "period", "off"] = "work"
    """On the draft: first to last day of the work on it, the plan's whole period, or none."""
    line_periods: bool = False
    """Whether each line has its own service period as well."""
    project_note: bool = False
    """Whether description, order number and cost centre of the projects stand on the invoice, as
    ``Texts.project_note`` says."""
    order_reference: bool = False
    """Whether the projects' order number becomes the invoice's, where they have only one between them."""
    attach_receipts: bool = False
    issue_date: date | None = None
    payment_terms_days: int | None = None
    reference: str | None = None
    """Template of the drafts' references; None: ``work/{customer}/{period}``, with the project where drafts are made
    for projects, and the currency where it is not the plan's."""
    most_lines: int = MOST_LINES
    """On one draft; work that needs more is reported. ``bill`` takes the vendor's limit where that is lower."""
    _reference: Template | None = field(init=False, repr=False, eq=False)
    _by_customer: ByCustomer[CustomerTerms] = field(init=False, repr=False, eq=False)
    _in_books: Mapping[str, CustomerTerms] = field(init=False, repr=False, eq=False)
    """Terms by the number in the books that they name."""
    _of_one: Mapping[str, str] = field(init=False, repr=False, eq=False)
    """Of these numbers, those that only the tracker's id of one customer stands for in ``customers``: that id."""

    def __attrs_post_init__(self) -> None:
        checks = Checks("billing plan")
        self._check_parts(checks)
        for name, allowed in (
            ("per", ("customer", "project")), ("hours", ("round", "amount")),
            ("service_period", ("work", "period", "off")),
        ):  # fmt: skip
            if getattr(self, name) not in allowed:
                checks.problem(name, f"must be {', '.join(allowed[:-1])} or {allowed[-1]}")
        if self.service_period == "period" and self.period is None:
            checks.problem("service_period", "asks for the plan's period, and there is none: give period")
        for name in _FLAGS:
            checks.flag(name, getattr(self, name))
        for name, low, high in (
            ("quantity_decimals", 0, _MOST_DECIMALS), ("price_decimals", 2, _MOST_DECIMALS),
            ("most_lines", 1, MOST_LINES), ("payment_terms_days", 0, 3650),
        ):  # fmt: skip
            value = getattr(self, name)
            checks.whole(name, value, low=low, high=high)
            if value is None and name == "most_lines":
                checks.problem(name, "must not be None")
        checks.currency("currency", self.currency)
        check_percent(checks, "tax_rate", self.tax_rate)
        checks.number("discount_percent", self.discount_percent, low=0, high=100, optional=True)
        checks.day("issue_date", self.issue_date)
        given = self.reference
        found = None if given is None else template(given, REFERENCE_PLACEHOLDERS, checks, "reference")
        checks.done()
        object.__setattr__(self, "_reference", found)
        customers = _shared(self.customers)
        object.__setattr__(self, "_by_customer", ByCustomer(customers))
        in_books = {_number(key, terms): terms for key, terms in customers.items()}
        object.__setattr__(self, "_in_books", in_books)
        object.__setattr__(self, "_of_one", _of_one(customers))

    def _check_parts(self, checks: Checks) -> None:
        checks.kind("period", self.period, ServicePeriod)
        for name, kind in _PARTS.items():
            checks.kind(name, getattr(self, name), kind, required=True)
        checks.items("texts", self.texts, Texts)
        if isinstance(self.texts, tuple):
            if not self.texts:
                checks.problem("texts", "are empty: give one at least, as Texts(language='de')")
            elif len({getattr(one, "language", None) for one in self.texts}) < len(self.texts):
                checks.problem("texts", "hold two of one language")
        if not isinstance(self.customers, Mapping):
            checks.problem("customers", f"must be a mapping, not {type(self.customers).__name__}")
            return
        check_keys(checks, "customers", self.customers)
        named: dict[str, tuple[object, CustomerTerms]] = {}
        misread: list[tuple[str, str]] = []
        given: Mapping[Any, Any] = self.customers
        for key, terms in given.items():
            at = f"customers[{key_text(key)}]"
            _check_customer(checks, at, terms, CustomerTerms, required=True)
            if isinstance(terms, CustomerTerms):
                terms.check(checks, at)
            else:
                continue
            number = _number(key, terms) if isinstance(key, str | CustomerLink) else None
            if isinstance(key, str) and number is not None and number != key.strip():
                misread.append((key, number))
            elif number is not None and not _is_plain(terms):
                other, same = named.setdefault(number, (key, terms))
                if evolve(same, customer=None) != evolve(terms, customer=None):
                    said = f"is the customer of customers[{key_text(other)}], on other terms"
                    cure = f"make both alike, or give one of them nothing but the number, {number!r}"
                    checks.problem(at, f"{said}: {cure}, to take those of the other")
        for key, number in misread[:_NAMED]:
            says = f"is customer number {key} by its key, and customer {number} by its value"
            cure = f"where {key} is the tracker's id, make the key CustomerLink(id={key!r})"
            checks.problem(f"customers[{key}]", f"{says}: {cure}; where it is a number, CustomerLink(number={key!r})")
        if len(misread) > _NAMED:
            checks.problem("customers", f"and {len(misread) - _NAMED} more of this kind")

    def terms_of(self, link: CustomerLink | None) -> CustomerTerms | None:
        """What is set for a customer: by the tracker's id, by its number, or for that number in the books; else None.

        Where two of them differ, or are another customer's, :meth:`contradiction` tells.
        """
        if link is None:
            return None
        found = self._named(link)
        if found is None and link.number is not None and self._taken_by(link) is None:
            found = self._in_books.get(link.number)
        return found and _with_number(found, link.number)

    def own_terms(self, number: str, known: Mapping[str, CustomerLink]) -> dict[str, CustomerTerms | None]:
        """Of customers of a tracker who would have this number in the books, by id: the entry that is for none of the
        others. It is by the tracker's id, or by a number of the tracker that is another one."""
        by_customer, shared = self._by_customer, Counter(link.number for link in known.values())
        found = {}
        for own, link in known.items():
            terms = by_customer.of_id(link)
            if terms is None and link.number != number and shared[link.number] == 1:
                terms = by_customer.of_number(link)
            found[own] = terms
        return found

    def are_one(self, number: str, known: Mapping[str, CustomerLink]) -> bool:
        """Whether ``customers`` says of each of them, by an entry of its own, that it is the same one in the books."""
        found = [terms and terms.customer for terms in self.own_terms(number, known).values()]
        return None not in found and all(one == found[0] for one in found)

    def _named(self, link: CustomerLink) -> CustomerTerms | None:
        found = self._by_customer.of_id(link)
        return self._by_customer.of_number(link) if found is None else found

    def _taken_by(self, link: CustomerLink) -> str | None:
        """The id of another customer of the tracker, whose terms are the only ones for the number of this one.

        A number in the books without any terms is what this customer would have by its own number.
        """
        other = self._of_one.get(link.number or "")
        if other is None or not is_known_by_id(link) or other == link.id or self._named(link) is not None:
            return None
        return None if _is_plain(self._in_books[link.number or ""]) else other

    def contradiction(self, link: CustomerLink | None) -> str | None:
        """How the entry by the tracker's id of a customer differs from the one by its number, or how its number is that
        of another customer's entry; None: neither is so."""
        if link is None:
            return None
        if (other := self._taken_by(link)) is not None:
            said = (
                f"customer {link.text} (id {link.id}) has number {link.number}, for which Billing.customers has terms"
            )
            cure = f"add CustomerLink(id={link.id!r}): {link.number!r} to it, which takes these terms"
            return (
                f"{said} of the tracker's customer {other} only: if both are one customer, {cure}; else correct the "
                "number of one of them"
            )
        by_id, by_number = self._by_customer.of_id(link), self._by_customer.of_number(link)
        if by_id is None or by_number is None:
            return None
        if _with_number(by_id, link.number) == _with_number(by_number, link.number):
            return None
        said = f"customer {link.text} has two entries in Billing.customers that differ"
        keys = f"one by the tracker's id ({link.id}{_for(by_id)}), one by its number ({link.number}{_for(by_number)})"
        return f"{said}, {keys}: leave one of them out"

    def misread(self, link: CustomerLink | None) -> list[str]:
        """Which settings hold a customer number that is the same text as the tracker's id of this customer."""
        if link is None:
            return []
        return [*(["Billing.customers"] if self._by_customer.is_misread(link) else []), *self.rates.misread(link)]

    def texts_for(self, language: str | None) -> Texts:
        """In this language (``de``, ``de-AT``), else the first."""
        short = (language or "")[:2].lower()
        return next((one for one in self.texts if one.language == short), self.texts[0])

    def for_books(self, rounding: Rounding, currency: str | None = None, most_lines: int | None = None) -> Billing:
        """With what this plan leaves to the books: decimals of quantities and prices, their currency, and how many
        lines they take.

        ``bill`` does it by itself. Elsewhere, as for a preview or a timesheet of what ``bill`` made:
        ``plan.for_books(provider.rounding, provider.check().currency, provider.capabilities.most_lines)``.
        """
        return evolve(
            self,
            quantity_decimals=rounding.quantity_decimals if self.quantity_decimals is None else self.quantity_decimals,
            price_decimals=rounding.price_decimals if self.price_decimals is None else self.price_decimals,
            currency=self.currency or currency,
            most_lines=self.most_lines if most_lines is None else min(self.most_lines, most_lines),
        )

    @property
    def quantity_places(self) -> int:
        """``quantity_decimals``, or what stands for None."""
        return _FEWEST_KEPT if self.quantity_decimals is None else self.quantity_decimals

    @property
    def price_places(self) -> int:
        """``price_decimals``, or what stands for None."""
        return _FEWEST_KEPT if self.price_decimals is None else self.price_decimals

    @property
    def reference_template(self) -> Template | None:
        """``reference``, taken apart."""
        return self._reference


def _number(key: str | CustomerLink, terms: CustomerTerms) -> str | None:
    """The number in the books that terms are for: the customer's that they name, else that of the key."""
    customer: object = terms.customer  # anything at all, until the checks are done
    named = customer.number if isinstance(customer, Customer | CustomerRef) else None
    if isinstance(named, str) and named.strip():
        return named.strip()
    link = as_link(key)
    return link.number if link.id is None else None


def _is_plain(terms: CustomerTerms) -> bool:
    """Whether they say no more than a number in the books."""
    customer = terms.customer
    numbered = customer is None or (isinstance(customer, CustomerRef) and customer.id is None)
    return numbered and evolve(terms, customer=None) == CustomerTerms()


def _shared(customers: Mapping[str | CustomerLink, CustomerTerms]) -> dict[str | CustomerLink, CustomerTerms]:
    """As they hold: what says no more than a number in the books has the terms that another entry sets for it."""
    of_number: dict[str, list[CustomerTerms]] = {}
    for key, terms in customers.items():
        number = _number(key, terms)
        if number is not None and not _is_plain(terms):
            of_number.setdefault(number, []).append(_with_number(terms, number))
    found = dict(customers)
    for key, terms in customers.items():
        others = of_number.get(_number(key, terms) or "")
        if others and _is_plain(terms):
            alike = all(one == others[0] for one in others)  # else they name customers who differ
            found[key] = others[0] if alike else evolve(others[0], customer=terms.customer)
    return found


def _with_number(terms: CustomerTerms, number: str | None) -> CustomerTerms:
    """With the customer of that number, where they name none."""
    if terms.customer is not None or number is None:
        return terms
    return evolve(terms, customer=CustomerRef(number=number))


def _of_one(customers: Mapping[str | CustomerLink, CustomerTerms]) -> dict[str, str]:
    """Numbers in the books whose entries are all by ids, and none by a key that names the number itself."""
    found: dict[str, str] = {}
    by_number = set()
    for key, terms in customers.items():
        number, link = _number(key, terms), as_link(key)
        if number is None:
            continue
        if link.id is None or link.number == number:
            by_number.add(number)
        else:
            found[number] = link.id
    return {number: own for number, own in found.items() if number not in by_number}


def _for(terms: CustomerTerms) -> str:
    number = terms.customer.number if terms.customer is not None else None
    return f" for customer {number}" if number is not None else ""


_NAMED: Final = 3
_FLAGS: Final = (
    "known_customers_only", "prices_include_tax", "language_on_draft", "line_periods", "project_note",
    "order_reference", "attach_receipts",
)  # fmt: skip
_PARTS: Final[Mapping[str, type]] = {
    "rates": Rates,
    "rounding": TimeRounding,
    "grouping": Grouping,
    "articles": ArticleMap,
    "tax_treatment": TaxTreatment,
}
