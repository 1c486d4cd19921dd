"""What a refusal means: three body shapes, one error tree.

The vendor's messages are German and not meant for end users (documented); ``violation``, ``i18nKey``, ``field`` and
``source`` are what may be branched on. The vendor's own text is quoted, shortened, because it often says more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ...errors import (
    AuthenticationFailed,
    BridgeError,
    Conflict,
    InvalidRequest,
    MalformedResponse,
    NotFound,
    PermissionDenied,
    Problem,
    Unavailable,
)
from ...flow import Response
from ...wire import loads

_LONGEST: Final = 300
_MOST_PROBLEMS: Final = 50

_FIELDS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), neutral)
    for pattern, neutral in (
        (r"^lineItems", "lines"),
        (r"\.unitPrice\.taxRatePercentage$", ".tax_rate"),
        (r"\.unitPrice(\.(net|gross)Amount|\.currency)?$", ".unit_price"),
        (r"(?<=\])\.(name|description)$", ".description"),
        (r"\.unitName$", ".unit"),
        (r"\.discountPercentage$", ".discount_percent"),
        (r"(?<=\])\.id$", ".article"),
        (r"^address\.contactId$|^contactId$", "customer"),
        (r"^address(?=\.|$)", "customer.address"),
        (r"^voucherNumber$", "number"),
        (r"^voucherDate$", "issue_date"),
        (r"^dueDate$", "due_date"),
        (r"^totalPrice\.totalDiscount(Percentage|Absolute)$", "discount_percent"),
        (r"^totalPrice\.currency$", "currency"),
        (r"^taxConditions(\..*)?$|^taxType$", "tax_treatment"),
        (r"^shippingConditions(\..*)?$|^shippingDate$", "service_period"),
        (r"^paymentConditions(\..*)?$", "payment_terms_days"),
        (r"^remark$", "closing"),
        (r"^totalGrossAmount$", "total_gross"),
        (r"^company\.name$", "name"),
        (r"^company\.vatRegistrationId$", "vat_number"),
        (r"^company\.taxNumber$", "registration_number"),
        (r"^company\.contactPersons", "contacts"),
        (r"^person\.", ""),
        (r"^addresses\.(billing|shipping)(\[\d+\])?(?=\.|$)", "address"),
        (r"^emailAddresses.*$", "email"),
        (r"^phoneNumbers.*$", "phone"),
        (r"^countryCode$", "address.country_code"),
        (r"firstName$", "first_name"),
        (r"lastName$", "last_name"),
        (r"emailAddress$", "email"),
        (r"phoneNumber$", "phone"),
        (r"(?<=address)\.countryCode$", ".country_code"),
        (r"(?<=address)\.zip$", ".postal_code"),
        (r"(?<=address)\.supplement$", ".addition"),
    )
)

_MEANINGS: Final[Mapping[str, str]] = {
    "missing_entity": "is missing",
    "NOTNULL": "is missing",
    "NOTEMPTY": "must not be empty",
    "invalid_value": "is not accepted",
    "countrycode_is_not_valid": "is not a country this vendor knows",
    "invalid_total_amount": "is not the sum of the rows",
    "invalid_taxamount": "is not the tax of its row",
    "individual_person_not_applicable_service_third_party": "needs a company: a private person is not taken here",
    "max_file_size_exceeded": "the file is larger than 5 MiB",
    "inacceptable_file_extension": "only PDF, JPEG, PNG and XML files are taken",
    "invalid_xrechnung": "is not a valid XRechnung",
    "image_conversion_error": "the file cannot be read",
    "voucher_upload_toxic_pdf": "the PDF is refused as harmful",
}

_NUMBER_TAKEN: Final = "account_number_already_exists"
_NO_CONTACT: Final = "Referenced contact was not found"
"""Assumed: the vendor's words are not on record, these are the sandbox's. Other words end as InvalidRequest."""
_NAMES_A_CONTACT: Final = {("POST", "/v1/invoices"), ("POST", "/v1/vouchers")}
_ONE_ADDRESS: Final = "exactly one billing address"
"""Measured: "Referenced contact needs to have exactly one billing address, but 0 addresses were found."."""


class _Issue(NamedTuple):
    """One entry of ``details`` or ``IssueList``."""

    field: str
    code: str | None
    text: str


def classify(response: Response) -> BridgeError | None:
    """The error that an answer below 500 stands for."""
    status = response.status
    if status < 400:
        return None
    body = _body(response)
    issues = list(_issues(body))[:_MOST_PROBLEMS]
    said = _said(body)
    request = response.request
    method = request.method if request else ""
    codes = {issue.code for issue in issues}
    if status == 401:
        return AuthenticationFailed("the API key was rejected: it is wrong, was deleted, or its 24 months are over")
    if status == 403 and "Authorization header" in said:
        # Documented: a malformed header is answered with 403 and "… not a valid key=value pair …".
        return AuthenticationFailed("the Authorization header was not understood: the API key is malformed")
    if status == 402:
        return PermissionDenied("the account's plan or contract does not include this")
    if status == 403:
        return PermissionDenied("the API key may not do this, or the record belongs to another organisation")
    if status == 404:
        return NotFound("there is no such record")
    if status == 409 and method == "GET":
        # Measured on /file: "is in status 'draft' and therefore cannot be downloaded".
        return Conflict("the document is still a draft: it has a PDF once it is finalized in the books")
    if status == 409 or _is_stale(status, issues):
        return Conflict("the record was changed by somebody else in the meantime, or exists already")
    if _NUMBER_TAKEN in codes:
        # Creates of contacts that run side by side collide on the number that the vendor assigns; the one that is
        # refused made nothing and goes through a few seconds later (seen).
        return Unavailable(
            "another contact took the same number at that moment; nothing was created", code=_NUMBER_TAKEN
        )
    if request is not None and (method, request.path) in _NAMES_A_CONTACT and _lacks_contact(issues, said):
        return Unavailable(
            "the contact is not usable yet, which takes up to two seconds after it was made, or it is not there any "
            "more; nothing was created"
        )
    code = next((issue.code for issue in issues if issue.code), None)
    problems = [_problem(issue) for issue in issues]
    if _ONE_ADDRESS in said and not any(problem.field.startswith("customer") for problem in problems):
        problems.append(Problem("customer.address", _shortened(said)))
    elif not problems and said:
        problems.append(Problem("", _shortened(said)))
    return InvalidRequest("the vendor refused it", problems=problems, code=code)


def _body(response: Response) -> Mapping[str, Any]:
    try:
        body = loads(response)
    except MalformedResponse:
        return {}
    return body if isinstance(body, dict) else {}


def _issues(body: Mapping[str, Any]) -> Iterator[_Issue]:
    """Both lists: contacts, files and vouchers answer with ``IssueList``, everything else with ``details``."""
    for entry in _objects(body.get("details")):
        yield _Issue(_text(entry.get("field")), _text(entry.get("violation")) or None, _text(entry.get("message")))
    for entry in _objects(body.get("IssueList")):
        yield _Issue(_text(entry.get("source")), _text(entry.get("i18nKey")) or None, "")


def _objects(value: object) -> Iterable[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _said(body: Mapping[str, Any]) -> str:
    """All free text of a refusal, for the few sentences that carry the only hint."""
    return " ".join(text for text in (_text(body.get("message")), *(issue.text for issue in _issues(body))) if text)


def _is_stale(status: int, issues: Iterable[_Issue]) -> bool:
    """A missing version is a validation error; a wrong one is 406 on contacts and 409 on articles (measured)."""
    return status == 406 and any(
        issue.field == "version" and issue.code not in {"missing_entity", "NOTNULL", None} for issue in issues
    )


def _lacks_contact(issues: Sequence[_Issue], said: str) -> bool:
    """Whether the missing contact is all that was refused: invoices say it in words, vouchers by a code."""
    if not issues:
        return _NO_CONTACT in said
    return all(
        _NO_CONTACT in issue.text or (issue.field == "contactId" and issue.code == "missing_entity") for issue in issues
    )


def _problem(issue: _Issue) -> Problem:
    meaning = _MEANINGS.get(issue.code or "", "")
    message = f"{meaning} ({issue.text})" if meaning and issue.text else meaning or issue.text or "was refused"
    return Problem(neutral_field(issue.field), _shortened(message), issue.code)


def neutral_field(vendors: str) -> str:
    """The vendor's path in the words of the neutral models, as far as there are such words."""
    path = vendors
    for pattern, neutral in _FIELDS:
        path = pattern.sub(neutral, path)
    return _shortened(path)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
