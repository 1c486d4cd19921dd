"""What the vendor checks in a relation or contact before it is stored, and what it keeps of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from .books import Books
from .fields import Fields
from .formats import TEXT_CHECKS, is_bic, whole_of, without_separators
from .reference import Reference

FLAGS: Final = ("lead", "supplier", "prospect", "active", "customer")
COMPANY: Final = ("company_name",)
PERSON: Final = ("firstname", "surname_prefix", "surname")
ADDRESS: Final = ("street", "house_number", "zip", "city", "country")
OPTIONAL_TEXTS: Final = (
    "house_number_suffix", "phone", "fax", "web", "email", "coc", "vat", "iban", "bic", "oin",
    "collection_number", "email_invoice",
)  # fmt: skip
TEXTS: Final = (*COMPANY, *PERSON, *ADDRESS, *OPTIONAL_TEXTS)
SETTINGS: Final = ("relation_number", "relation_type", "collection_date", "sales_invoice_template_id",
                   "payment_condition_id", "subtype")  # fmt: skip
KNOWN: Final = frozenset((*TEXTS, *SETTINGS, "customfields"))
SIX: Final = ("web", "iban", "bic", "vat", "coc", "email")
"""Website, IBAN, BIC, VAT number, registration number and e-mail."""

GENDERS: Final = ("m", "f", "o")
CONTACT_TEXTS: Final = ("initials", "firstname", "surname_prefix", "surname", "function", "department", "phone",
                        "mobile", "email")  # fmt: skip
CONTACT_KNOWN: Final = frozenset((*CONTACT_TEXTS, "relation_id", "gender"))


class RelationCheck:
    """Reads one body; ``problems`` holds everything that is wrong, the rest what it comes to.

    ``known_type`` is None for a new relation; for an update, which may leave fields out, it is the type so far.
    """

    def __init__(self, body: dict[str, Any], books: Books, reference: Reference, known_type: int | None) -> None:
        self.problems: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self.flags: dict[str, bool] = {}
        self.free: dict[str, str] = {}
        self._books = books
        self._creating = known_type is None
        self._fields = Fields(body, books.assumptions, self.problems)
        self._fields.only(KNOWN)
        self.relation_type = self._type(known_type)
        self._check_presence()
        self._check_number()
        self._check_texts()
        self._check_references(reference)
        self._check_flags()
        self._check_free_fields()

    def _type(self, known: int | None) -> int | None:
        found = self._fields.whole("relation_type", needed=self._creating)
        if found is not None and found not in (0, 1):
            self._fields.refuse("relation_type")
            return known
        return known if found is None else found

    def _names(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Return the required, the allowed and the forbidden names of this type."""
        if self.relation_type == 0:
            return COMPANY, COMPANY, PERSON
        if self.relation_type == 1:
            return ("firstname", "surname"), PERSON, COMPANY
        return (), (), ()

    def _check_presence(self) -> None:
        required, allowed, forbidden = self._names()
        for name in forbidden:
            if self._fields.has(name):
                self._fields.not_allowed(name)
        demanded: Collection[str] = (*required, *ADDRESS) if self._creating else ()
        rule = self._books.assumptions.relation_fields
        if rule == "six":
            demanded = (*demanded, *(name for name in SIX if self._creating or name in self._fields.body))
        if rule == "every key" and self._creating:
            for name in (*SETTINGS, *allowed, *ADDRESS, *OPTIONAL_TEXTS):
                if name not in self._fields.body:
                    self._fields.missing(name)
        sent = () if self._creating else (*required, *ADDRESS)
        for name in (*demanded, *(name for name in sent if name in self._fields.body)):
            # PHP takes "0" for empty, which house numbers showed.
            if not self._fields.has(name) or self._fields.body[name] == "0":
                self._fields.missing(name)

    def _check_number(self) -> None:
        number = self._fields.whole("relation_number")
        if number is None:
            return
        if not 0 <= number <= self._books.assumptions.max_relation_number:
            self._fields.refuse("relation_number")
        elif number:
            self.values["number"] = number

    def _check_texts(self) -> None:
        _, allowed, _ = self._names()
        for name in (*allowed, *ADDRESS, *OPTIONAL_TEXTS):
            value = self._fields.text(name)
            if value is None:
                continue
            if name in ("iban", "vat") and self._books.assumptions.separators_in_numbers == "strip":
                value = without_separators(value)
            check = TEXT_CHECKS.get(name)
            if name == "bic" and self._books.assumptions.relation_fields == "six":
                check = is_bic
            if check is not None and not check(value):
                self._fields.refuse(name)
            self.texts[name] = value

    def _check_references(self, reference: Reference) -> None:
        template = self._fields.whole("sales_invoice_template_id")
        if template and reference.template(template) is None:
            self._fields.refuse("sales_invoice_template_id")
        condition = self._fields.whole("payment_condition_id")
        if condition and reference.condition(condition) is None:
            self._fields.refuse("payment_condition_id")
        given = {
            "template_id": template or None,
            "payment_condition_id": condition or None,
            "collection_date": self._fields.day("collection_date"),
        }
        self.values |= {name: value for name, value in given.items() if value is not None}

    def _check_flags(self) -> None:
        subtype = self._fields.body.get("subtype")
        if subtype is None:
            return
        if not isinstance(subtype, dict):
            self._fields.refuse("subtype")
            return
        for name, value in subtype.items():
            if name not in FLAGS:
                self._fields.not_allowed(f"subtype.{name}")
            elif whole_of(value) not in (0, 1):
                self._fields.refuse(f"subtype.{name}", "{} moet 0 of 1 zijn.")
            else:
                self.flags[name] = value == 1

    def _check_free_fields(self) -> None:
        given = self._fields.body.get("customfields")
        if given is None or given == []:  # an empty map of PHP is an empty list
            return
        if not isinstance(given, dict):
            self._fields.refuse("customfields")
            return
        for label, value in given.items():
            if label not in self._books.administration.free_fields or not isinstance(value, str):
                self._fields.refuse(f"customfields.{label}")
            else:
                self.free[label] = value


class ContactCheck:
    """Reads the body of a contact person; an update needs the same fields as a create."""

    def __init__(self, body: dict[str, Any], books: Books) -> None:
        self.problems: dict[str, str] = {}
        fields = Fields(body, books.assumptions, self.problems)
        fields.only(CONTACT_KNOWN)
        self.relation_id = fields.whole("relation_id", needed=True)
        self.texts: dict[str, str] = {}
        for name in CONTACT_TEXTS:
            value = fields.text(name, needed=name in ("firstname", "surname"))
            if value is not None:
                self.texts[name] = value
        gender = fields.choice("gender", GENDERS, needed=True)
        if gender is not None:
            self.texts["gender"] = gender
        if "email" in self.texts and not TEXT_CHECKS["email"](self.texts["email"]):
            fields.refuse("email")
