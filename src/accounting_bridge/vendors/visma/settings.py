"""What an app passes to ``connect("visma", …)``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import field, fields, frozen

from ...adapter import Secret
from ...errors import InvalidRequest, Problem
from ...models import LineKind
from ...money import plain_text

_PRINTABLE: Final = re.compile(r"[\x21-\x7e]{1,200}")
_ORIGIN: Final = re.compile(
    r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?|http://(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?"
)
GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ACCOUNT: Final = re.compile(r"[1-9][0-9]{0,9}")
"""An account's number: 1 to 9,999,999,999 in the rows of a voucher (documented)."""
_KINDS: Final = tuple(kind.value for kind in LineKind)
_MOST_DAYS: Final = 3650


def _sealed(given: object) -> Any:
    """A copy that cannot be changed; what is no mapping stays and is refused by the checks."""
    return MappingProxyType(dict(given)) if isinstance(given, Mapping) else given


@frozen(kw_only=True)
class VismaSettings:
    """The registered client and the options of one company's books. The first three have no default.

    Which company it is, is not said here: the user chooses it when consenting, and the grant is bound to it.
    """

    client_id: str
    client_secret: Secret
    """Of the client that the vendor registered for the app, not of the user."""
    redirect_uri: str
    """Where consent leads back to: exactly as registered, port and path included."""
    identity_url: str = "https://identity.vismaonline.com"
    """Scheme, host and port of the identity server; ``http`` only on loopback."""

    books_sales: bool = True
    """Whether sales are booked: asks for the scope ``ea:accounting`` besides ``ea:sales``."""
    choose_company: bool = True
    """Whether the user is asked for the company. False: the identity server silently takes the user's default one."""
    create_customers: bool = True
    """False: only customers that are in the books already may be invoiced."""
    payment_terms_days: int = 30
    """For a new customer who has none: the vendor demands terms of payment."""

    articles: Mapping[str, str] = field(factory=dict, converter=_sealed, hash=False)
    """Which article stands for what: from the app's activity (as ``LineItem.article``), or from ``kind/rate``
    (``service/21``), or from a kind (``service``), to the article's id, a GUID. See :meth:`article_for`."""
    receivable_account: str | None = None
    """Number of the debtors' account, for sales; None: found in the books where they tell."""
    revenue_accounts: Mapping[str, str] = field(factory=dict, converter=_sealed, hash=False)
    """For sales: from ``kind/rate`` or a rate in percent (``goods/21``, ``21``) to the account's number."""
    vat_accounts: Mapping[str, str] = field(factory=dict, converter=_sealed, hash=False)
    """For sales: from a rate in percent to the number of the account that its VAT is booked on."""
    number_map: Callable[[str], int] | None = None
    """From an issued number to the whole number that the vendor's ledger keeps (at most 2,147,483,647). None: only
    numbers that are digits throughout are taken."""
    credits_negative: bool = True
    """Whether the amounts of a credit go into the ledger negative, beside the flag that it is one; False: positive."""
    number_series: str | None = None
    """Voucher series of sales; None: the vendor's default one."""
    keep_draft_date: bool = True
    """Whether an invoice keeps its draft's date when it is made final; False: it is dated that day."""

    def __attrs_post_init__(self) -> None:
        # What was passed may be of any type: a mistake should name the setting, not end in a traceback.
        given: dict[str, object] = {name: getattr(self, name) for name in _NAMES}
        problems = [Problem(name, why) for name, (fits, why) in _FORMS.items() if not fits(given[name])]
        problems += _article_problems(given["articles"])
        problems += _account_problems("revenue_accounts", given["revenue_accounts"], kinds=True)
        problems += _account_problems("vat_accounts", given["vat_accounts"], kinds=False)
        if problems:
            raise InvalidRequest("these VismaSettings are not valid", problems=problems)

    @property
    def scope(self) -> str:
        """What is asked for: the least that serves (documented)."""
        return " ".join(("ea:api", "offline_access", "ea:sales", *(["ea:accounting"] if self.books_sales else [])))

    def article_for(self, article: str | None, kind: LineKind, rate: Decimal | None) -> str | None:
        """The article's id for a line: its own GUID, else by the map; without an article by kind and rate.

        None where nothing fits: an activity that is not in the map is never replaced by its kind's article.
        """
        if article is not None:
            found = article if GUID.fullmatch(article) else self.articles.get(article)
        else:
            found = self._by_rate(self.articles, kind, rate) or self.articles.get(kind.value)
        return None if found is None else found.lower()

    def revenue_account_for(self, kind: LineKind, rate: Decimal) -> str | None:
        """Number of the account that a line of that kind and rate is booked on."""
        return self._by_rate(self.revenue_accounts, kind, rate) or self._by_rate(self.revenue_accounts, None, rate)

    def vat_account_for(self, rate: Decimal) -> str | None:
        """Number of the account that VAT of that rate is booked on."""
        return self._by_rate(self.vat_accounts, None, rate)

    def _by_rate(self, table: Mapping[str, str], kind: LineKind | None, rate: Decimal | None) -> str | None:
        """By value, so that 21, 21.0 and 21.00 are the same rate."""
        if rate is None:
            return None
        wanted = ("" if kind is None else kind.value, rate)
        return next((value for key, value in table.items() if _kind_and_rate(key) == wanted), None)


# ---- checks ------------------------------------------------------------------------------------------------


def _kind_and_rate(key: object) -> tuple[str, Decimal] | None:
    """The parts of ``kind/rate`` or ``rate``; None for anything else."""
    if not isinstance(key, str):
        return None
    kind, slash, text = key.rpartition("/")
    if slash and kind not in _KINDS:
        return None
    try:
        rate = Decimal(text)
    except InvalidOperation:
        return None
    return (kind, rate) if rate.is_finite() and 0 <= rate <= 100 and text == text.strip() else None


def _article_problems(given: object) -> list[Problem]:
    if not isinstance(given, Mapping):
        return [Problem("articles", "must be a mapping of activity, kind or kind/rate to an article's id")]
    problems = []
    for key, value in given.items():
        where = _entry("articles", key)
        if not isinstance(key, str) or not key.strip():
            problems.append(Problem(where, "must be named by an activity, a kind, or kind/rate, as service/21"))
        elif key.partition("/")[0] in _KINDS and "/" in key and _kind_and_rate(key) is None:
            problems.append(Problem(where, "is no rate in percent after the kind, as in service/21"))
        if not isinstance(value, str) or not GUID.fullmatch(value):
            problems.append(Problem(where, "must be the id of an article, a GUID"))
    return [*problems, *_twice("articles", given)]


def _account_problems(name: str, given: object, *, kinds: bool) -> list[Problem]:
    if not isinstance(given, Mapping):
        return [Problem(name, "must be a mapping of rates in percent to account numbers")]
    problems = []
    form = "a rate in percent, or kind/rate, as 21 or goods/21" if kinds else "a rate in percent, as 21"
    for key, value in given.items():
        parts = _kind_and_rate(key)
        if parts is None or (parts[0] and not kinds):
            problems.append(Problem(_entry(name, key), f"must be named by {form}"))
        if not isinstance(value, str) or not _ACCOUNT.fullmatch(value):
            problems.append(Problem(_entry(name, key), "must be an account's number: digits, as text"))
    return [*problems, *_twice(name, given)]


def _twice(name: str, given: Mapping[Any, Any]) -> list[Problem]:
    """21 and 21.0 are the same rate: which of the two entries counts would be a matter of chance."""
    seen: set[tuple[str, Decimal]] = set()
    problems = []
    for key in given:
        parts = _kind_and_rate(key)
        if parts in seen:
            problems.append(Problem(_entry(name, key), f"names the rate {plain_text(parts[1])} a second time"))
        if parts is not None:
            seen.add(parts)
    return problems


def _entry(name: str, key: object) -> str:
    return f"{name}[{str(key)[:60]!r}]"


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_address(value: object) -> bool:
    """An absolute URL that a browser can be sent back to; apps on a device may have a scheme of their own."""
    if not isinstance(value, str) or not _PRINTABLE.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and not parts.fragment


def _is_text(value: object) -> bool:
    return isinstance(value, str) and _PRINTABLE.fullmatch(value) is not None


_NAMES: Final = tuple(attribute.name for attribute in fields(VismaSettings))
_FORMS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "client_id": (_is_text, "must be printable ASCII without blanks, and not empty"),
    "client_secret": (
        lambda value: isinstance(value, Secret) and _is_text(value.reveal()),
        "must be printable ASCII without blanks, and not empty",
    ),
    "redirect_uri": (_is_address, "must be the whole address as registered, as https://app.example/visma/callback"),
    "identity_url": (
        lambda value: isinstance(value, str) and _ORIGIN.fullmatch(value.rstrip("/")) is not None,
        "must be scheme, host and port only, and https (http is for loopback)",
    ),
    **dict.fromkeys(
        ("books_sales", "choose_company", "create_customers", "credits_negative", "keep_draft_date"),
        (_is_flag, "must be True or False"),
    ),
    "payment_terms_days": (
        lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_DAYS,
        "must be a whole number of days, and not negative",
    ),
    "receivable_account": (
        lambda value: value is None or (isinstance(value, str) and _ACCOUNT.fullmatch(value) is not None),
        "must be an account's number: digits, as text",
    ),
    "number_map": (lambda value: value is None or callable(value), "must be a function from text to a whole number"),
    "number_series": (
        lambda value: value is None or (_is_text(value) and len(value) <= 10),
        "must be the short name of a voucher series, as A",
    ),
}
