"""What the vendor checks in a contact before it is stored, and what it keeps of it."""

from __future__ import annotations

import re
from typing import Any, Final

from .assumptions import Assumptions
from .countries import COUNTRIES
from .errors import INVALID, MISSING, Issue

EMAIL_KINDS: Final = ("business", "office", "private", "other")
PHONE_KINDS: Final = ("business", "office", "mobile", "private", "fax", "other")
ADDRESS_KINDS: Final = ("billing", "shipping")
ROLES: Final = ("customer", "vendor")

_ADDRESS_FIELDS: Final = ("supplement", "street", "zip", "city", "countryCode")
_PERSON_FIELDS: Final = ("salutation", "firstName", "lastName")
_CONTACT_PERSON_FIELDS: Final = (*_PERSON_FIELDS, "primary", "emailAddress", "phoneNumber")
_COMPANY_FIELDS: Final = ("name", "taxNumber", "vatRegistrationId", "allowTaxFreeInvoices")

_EMAIL: Final = re.compile(r"[^@\s,;<>\"()]+@[^@\s,;<>\"()]+\.[^@\s,;<>\"().]{2,}")
_VAT_ID: Final = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,12}", re.ASCII)
_PHONE: Final = re.compile(r"[0-9 +()/.\-]{1,30}", re.ASCII)

MAX_SALUTATION: Final = 25
MAX_NOTE: Final = 1000


class ContactCheck:
    """Reads one body; ``issues`` holds what is wrong, ``kept`` what would be stored."""

    def __init__(self, body: dict[str, Any], assumptions: Assumptions) -> None:
        self.issues: list[Issue] = []
        self.kept: dict[str, Any] = {}
        self.roles: tuple[str, ...] = ()
        self._body = body
        self._assumptions = assumptions
        self._check_roles()
        self._check_kind()
        self._check_addresses()
        self._check_electronic_invoice()
        self._check_emails()
        self._check_phones()
        self._check_note()

    def _refuse(self, source: str, key: str = INVALID) -> None:
        self.issues.append(Issue(source, key))

    def _check_roles(self) -> None:
        roles = self._body.get("roles")
        if roles is None or roles == {}:
            self._refuse("roles.customer or roles.vendor", MISSING)
            return
        # A list where an object belongs is the PHP habit that was reported: an empty array encodes as [].
        if not isinstance(roles, dict) or any(
            roles.get(role) is not None and not isinstance(roles[role], dict) for role in ROLES
        ):
            self._refuse("roles", MISSING)
            return
        self.roles = tuple(role for role in ROLES if roles.get(role) is not None)
        if not self.roles:
            self._refuse("roles.customer or roles.vendor", MISSING)

    def _check_kind(self) -> None:
        company, person = self._body.get("company"), self._body.get("person")
        if company is None and person is None:
            self._refuse("company or person", MISSING)
        elif company is not None and person is not None:
            self._refuse("company and person")
        elif company is not None:
            self._check_company(company)
        elif not isinstance(person, dict):
            self._refuse("person")
        else:
            kept = self._texts(person, _PERSON_FIELDS, "person")
            self._check_filled(person, "lastName", "person")
            self._check_salutation(kept, "person")
            self.kept["person"] = kept

    def _check_company(self, company: object) -> None:
        if not isinstance(company, dict):
            self._refuse("company")
            return
        kept = self._texts(company, _COMPANY_FIELDS[:3], "company")
        self._check_filled(company, "name", "company")
        vat_id = kept.get("vatRegistrationId")
        if vat_id:
            if not self._assumptions.lower_case_vat_id_refused:
                vat_id = kept["vatRegistrationId"] = vat_id.replace(" ", "").upper()
            if _VAT_ID.fullmatch(vat_id) is None:
                self._refuse("company.vatRegistrationId")
        tax_free = company.get("allowTaxFreeInvoices")
        if isinstance(tax_free, bool):
            kept["allowTaxFreeInvoices"] = tax_free
        elif tax_free is not None:
            self._refuse("company.allowTaxFreeInvoices")
        people = company.get("contactPersons")
        if people is not None:
            kept["contactPersons"] = self._contact_persons(people)
        self.kept["company"] = kept

    def _contact_persons(self, people: object) -> list[dict[str, Any]]:
        source = "company.contactPersons"
        if not isinstance(people, list):
            self._refuse(source)
            return []
        if len(people) > 1:
            self._refuse(f"{source}.size")
        found: list[dict[str, Any]] = []
        for index, person in enumerate(people):
            where = f"{source}[{index}]"
            if not isinstance(person, dict):
                self._refuse(where)
                continue
            kept = self._texts(person, (*_PERSON_FIELDS, "emailAddress", "phoneNumber"), where)
            self._check_filled(person, "lastName", where)
            self._check_salutation(kept, where)
            if kept.get("emailAddress") is not None:
                kept["emailAddress"] = self._email(kept["emailAddress"], f"{where}.emailAddress")
            phone = kept.get("phoneNumber")
            if phone and _PHONE.fullmatch(phone) is None:
                self._refuse(f"{where}.phoneNumber")
            kept["primary"] = person.get("primary") is True
            found.append({name: kept[name] for name in _CONTACT_PERSON_FIELDS if name in kept})
        return found

    def _check_filled(self, body: dict[str, Any], name: str, where: str) -> None:
        value = body.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            self._refuse(f"{where}.{name}", MISSING)

    def _check_salutation(self, kept: dict[str, Any], where: str) -> None:
        if len(kept.get("salutation") or "") > MAX_SALUTATION:
            self._refuse(f"{where}.salutation")

    def _check_addresses(self) -> None:
        addresses = self._lists("addresses", ADDRESS_KINDS)
        found: dict[str, list[dict[str, Any]]] = {}
        for kind, entries in addresses.items():
            kept = []
            for index, entry in enumerate(entries):
                where = f"addresses.{kind}[{index}]"
                if not isinstance(entry, dict):
                    self._refuse(where)
                    continue
                address = self._texts(entry, _ADDRESS_FIELDS, where)
                code = address.get("countryCode")
                if not code:
                    self._refuse(f"{where}.countryCode", MISSING)
                elif code not in COUNTRIES:
                    self._refuse("countryCode", "countrycode_is_not_valid")
                kept.append(address)
            found[kind] = kept
        if found:
            self.kept["addresses"] = found

    def _check_electronic_invoice(self) -> None:
        electronic = self._body.get("xRechnung")
        if electronic is None:
            return
        if not isinstance(electronic, dict):
            self._refuse("xRechnung")
            return
        kept = self._texts(electronic, ("buyerReference", "vendorNumberAtCustomer"), "xRechnung")
        if kept.get("buyerReference") and not kept.get("vendorNumberAtCustomer"):
            self._refuse("xRechnung.vendorNumberAtCustomer", MISSING)
        if kept:
            self.kept["xRechnung"] = kept

    def _check_emails(self) -> None:
        found = {}
        for kind, entries in self._lists("emailAddresses", EMAIL_KINDS).items():
            found[kind] = [
                self._email(entry, f"emailAddresses[{index}].emailAddress") for index, entry in enumerate(entries)
            ]
        if found:
            self.kept["emailAddresses"] = found

    def _email(self, value: object, source: str) -> str:
        if not isinstance(value, str) or _EMAIL.fullmatch(value) is None:
            self._refuse(source)
            return ""
        if value == value.lower() or self._assumptions.email_capitals == "keep":
            return value
        if self._assumptions.email_capitals == "refuse":
            self._refuse(source)
        return value.lower()

    def _check_phones(self) -> None:
        found = {}
        for kind, entries in self._lists("phoneNumbers", PHONE_KINDS).items():
            for index, entry in enumerate(entries):
                if not isinstance(entry, str) or _PHONE.fullmatch(entry) is None:
                    self._refuse(f"phoneNumbers[{index}].phoneNumber")
            found[kind] = entries
        if found:
            self.kept["phoneNumbers"] = found

    def _check_note(self) -> None:
        note = self._body.get("note")
        if note is None:
            return
        if not isinstance(note, str) or len(note) > MAX_NOTE:
            self._refuse("note")
        elif note:
            self.kept["note"] = note

    def _lists(self, name: str, kinds: tuple[str, ...]) -> dict[str, list[Any]]:
        """Return the lists of a group; at most one entry each may be written through the API."""
        group = self._body.get(name)
        if group is None:
            return {}
        if not isinstance(group, dict):
            self._refuse(name)
            return {}
        found = {}
        for kind in kinds:
            entries = group.get(kind)
            if entries is None:
                continue
            if not isinstance(entries, list):
                self._refuse(f"{name}.{kind}")
                continue
            if len(entries) > 1:
                self._refuse(f"{name}.{kind}.size")
            if entries:
                found[kind] = entries
        return found

    def _texts(self, body: dict[str, Any], names: tuple[str, ...], where: str) -> dict[str, Any]:
        kept = {}
        for name in names:
            value = body.get(name)
            # An empty e-mail address is refused where any other empty text is dropped.
            if value is None or (value == "" and name != "emailAddress"):
                continue
            if isinstance(value, str):
                kept[name] = value
            else:
                self._refuse(f"{where}.{name}")
        return kept


def oversized_lists(body: dict[str, Any]) -> list[Issue]:
    """Name the lists that hold more than one entry: such a contact can be read but never updated."""
    found = []
    for group, kinds in (
        ("addresses", ADDRESS_KINDS),
        ("emailAddresses", EMAIL_KINDS),
        ("phoneNumbers", PHONE_KINDS),
    ):
        for kind in kinds:
            entries = (body.get(group) or {}).get(kind)
            if isinstance(entries, list) and len(entries) > 1:
                found.append(Issue(f"{group}.{kind}.size"))
    people = (body.get("company") or {}).get("contactPersons")
    if isinstance(people, list) and len(people) > 1:
        found.append(Issue("company.contactPersons.size"))
    return found
