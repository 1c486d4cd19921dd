"""What the vendor checks in an invoice before it is made, and what it reads from it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from attrs import define, field

from .articles import Articles
from .books import Books
from .contacts import Contact, Contacts
from .countries import COUNTRIES
from .errors import Detail, not_null
from .formats import decimals, local_day, number_of, parse_timestamp, trim, without_nulls
from .tax import EURO, EXEMPT_ONLY, PERIODS, SHIPPING_TYPES, TAX_SUB_TYPES, TAX_TYPES, TaxType, rates_on
from .totals import PricedLine, other_side

MAX_LINES: Final = 300
_ITEM_TYPES: Final = ("custom", "service", "material", "text")
_ADDRESS_FIELDS: Final = ("name", "supplement", "street", "city", "zip", "countryCode")


@define
class InvoiceData:
    """What a checked body comes to."""

    voucher_date: datetime | None = None
    contact: Contact | None = None
    address: dict[str, Any] = field(factory=dict)
    items: list[dict[str, Any]] = field(factory=list)
    lines: list[PricedLine] = field(factory=list)
    tax_type: str = "net"
    tax_conditions: dict[str, Any] = field(factory=dict)
    shipping: dict[str, Any] = field(factory=dict)
    payment: dict[str, Any] | None = None
    discount_percent: Decimal = Decimal(0)
    discount_amount: Decimal = Decimal(0)
    texts: dict[str, str] = field(factory=dict)
    buyer_reference: str | None = None


class InvoiceCheck:
    """Reads one body; ``details`` holds everything that is wrong, ``data`` what it comes to."""

    def __init__(self, body: dict[str, Any], books: Books, contacts: Contacts, articles: Articles) -> None:
        self.details: list[Detail] = []
        self.bad_timestamp = False
        self.data = InvoiceData()
        self._body = body
        self._books = books
        self._contacts = contacts
        self._articles = articles
        self._relevant_day: date | None = None
        self.data.voucher_date = self._timestamp(body, "voucherDate", "voucherDate")
        self._check_tax_type()
        self._check_shipping()
        self._check_address()
        self._check_tax_case()
        self._check_items()
        self._check_total_price()
        self._check_payment()
        self._check_texts()

    def _refuse(self, source: str, message: str = "ist ungültig", violation: str = "INVALID") -> None:
        self.details.append(Detail(source, violation, message))

    def _missing(self, source: str) -> None:
        self.details.append(not_null(source))

    def _object(self, name: str) -> dict[str, Any] | None:
        value = self._body.get(name)
        if value is None:
            self._missing(name)
            return None
        if not isinstance(value, dict):
            self._refuse(name)
            return None
        return value

    def _timestamp(self, body: dict[str, Any], name: str, source: str) -> datetime | None:
        value = body.get(name)
        if value is None:
            self._missing(source)
            return None
        instant = parse_timestamp(value)
        if instant is None:
            self.bad_timestamp = True
            self._refuse(source, "muss dem Format yyyy-MM-ddTHH:mm:ss.SSSXXX entsprechen")
        return instant

    def _check_tax_type(self) -> None:
        conditions = self._object("taxConditions")
        if conditions is None:
            return
        tax_type = conditions.get("taxType")
        if tax_type is None:
            self._missing("taxConditions.taxType")
        elif not isinstance(tax_type, str) or tax_type not in TAX_TYPES:
            self._refuse("taxConditions.taxType")
        else:
            self.data.tax_type = tax_type
            if self._books.organisation.tax_exempt and tax_type != EXEMPT_ONLY:
                self._refuse("taxConditions.taxType", "steuerbefreite Organisationen: nur vatfree")
        sub_type = conditions.get("taxSubType")
        if sub_type is not None and sub_type not in TAX_SUB_TYPES:
            self._refuse("taxConditions.taxSubType")
        note = conditions.get("taxTypeNote")
        if note is not None and not isinstance(note, str):
            self._refuse("taxConditions.taxTypeNote")
        self.data.tax_conditions = without_nulls(
            {"taxType": self.data.tax_type, "taxSubType": sub_type, "taxTypeNote": note}
        )

    def _check_shipping(self) -> None:
        conditions = self._object("shippingConditions")
        if conditions is None:
            return
        kind = conditions.get("shippingType")
        if kind is None:
            self._missing("shippingConditions.shippingType")
            return
        if kind not in SHIPPING_TYPES:
            self._refuse("shippingConditions.shippingType")
            return
        start = end = None
        if kind != "none":
            start = self._timestamp(conditions, "shippingDate", "shippingConditions.shippingDate")
        if kind in PERIODS:
            end = self._timestamp(conditions, "shippingEndDate", "shippingConditions.shippingEndDate")
            if start is not None and end is not None and end < start:
                self._refuse("shippingConditions.shippingEndDate", "muss nach dem Beginn liegen")
        # The rate is the one of the day of supply: its end for a period, the voucher's date without one.
        relevant = end or start or self.data.voucher_date
        self._relevant_day = local_day(relevant) if relevant is not None else None
        self.data.shipping = without_nulls({"shippingDate": start, "shippingEndDate": end, "shippingType": kind})

    def _check_address(self) -> None:
        address = self._object("address")
        if address is None:
            return
        given = {}
        for name in _ADDRESS_FIELDS:
            value = address.get(name)
            if value is not None and not isinstance(value, str):
                self._refuse(f"address.{name}")
            elif value:
                given[name] = value
        code = given.get("countryCode")
        if code is not None and code not in COUNTRIES:
            self._refuse("address.countryCode", f"unterstützte Länder: {', '.join(COUNTRIES)}")
        identifier = address.get("contactId")
        if identifier is None:
            for name in ("name", "countryCode"):
                if name not in given:
                    self._missing(f"address.{name}")
            self.data.address = given
            return
        contact = self._contacts.referable(identifier)
        if contact is None:
            self._refuse("address.contactId", "Referenced contact was not found.")
            return
        if "customer" not in contact.numbers:
            self._refuse("address.contactId", "Referenced contact is not a customer.")
        if contact.archived and not self._books.assumptions.archived_contact_invoiceable:
            self._refuse("address.contactId", "Referenced contact is archived.")
        self.data.contact = contact
        if "name" in given:
            if code is None:
                self._missing("address.countryCode")
        else:
            billing = contact.addresses("billing")
            if len(billing) != 1:
                self._refuse(
                    "address.contactId",
                    "Referenced contact needs to have exactly one billing address, "
                    f"but {len(billing)} addresses were found.",
                )
                return
            given = {"name": contact.name if contact.is_company else _spoken(contact), **billing[0]}
        self.data.address = {"contactId": contact.id, **given}

    def _check_tax_case(self) -> None:
        case = TAX_TYPES[self.data.tax_type]
        if not case.contact_needed:
            return
        contact = self.data.contact
        if contact is None:
            self._refuse("address.contactId", f"{self.data.tax_type} needs a referenced contact.")
            return
        country = COUNTRIES.get(str(self.data.address.get("countryCode")))
        if country is None or country.tax_classification != case.tax_classification:
            self._refuse("taxConditions.taxType", "passt nicht zum Land des Kontakts")
        if case.company_needed and not contact.is_company:
            self._refuse("taxConditions.taxType", "nur für Unternehmen")
        if case.european and self._books.assumptions.vat_id_needed_for_eu_invoice and not contact.vat_id:
            self._refuse("taxConditions.taxType", "Umsatzsteuer-ID des Kontakts fehlt")

    def _check_items(self) -> None:
        items = self._body.get("lineItems")
        if items is None:
            self._missing("lineItems")
            return
        if not isinstance(items, list):
            self._refuse("lineItems")
            return
        if len(items) > MAX_LINES:
            self._refuse("lineItems", f"höchstens {MAX_LINES}", "SIZE")
            return
        case = TAX_TYPES[self.data.tax_type]
        for index, item in enumerate(items):
            where = f"lineItems[{index}]"
            if not isinstance(item, dict):
                self._refuse(where)
                continue
            kind = item.get("type")
            if kind is None:
                self._missing(f"{where}.type")
            elif kind not in _ITEM_TYPES:
                self._refuse(f"{where}.type")
            elif kind == "text":
                self._text_item(item, where)
            else:
                self._priced_item(item, where, kind, case)

    def _text_item(self, item: dict[str, Any], where: str) -> None:
        texts = without_nulls({name: item.get(name) for name in ("name", "description")})
        for name, value in texts.items():
            if not isinstance(value, str):
                self._refuse(f"{where}.{name}")
        if not any(texts.values()):
            self._refuse(f"{where}.name", "darf nicht leer sein", "NOTEMPTY")
        self.data.items.append({"type": "text", **texts})

    def _priced_item(self, item: dict[str, Any], where: str, kind: str, case: TaxType) -> None:
        identifier = None
        if kind != "custom":
            identifier = item.get("id")
            if identifier is None:
                self._missing(f"{where}.id")
            elif self._articles.find(identifier) is None:
                self._refuse(f"{where}.id")
        texts = {}
        for name in ("name", "description", "unitName"):
            value = item.get(name)
            if value is not None and not isinstance(value, str):
                self._refuse(f"{where}.{name}")
            elif not value and name != "description":
                self._missing(f"{where}.{name}")
            texts[name] = value
        quantity = self._number(item, "quantity", where, places=4)
        discount = self._number(item, "discountPercentage", where, places=2, needed=False) or Decimal(0)
        if not 0 <= discount <= 100:
            self._refuse(f"{where}.discountPercentage")
        price = self._unit_price(item.get("unitPrice"), f"{where}.unitPrice", case)
        if quantity is None or price is None:
            return
        leading, rate, shown_price = price
        line = PricedLine(quantity=quantity, price=leading, tax_rate=rate, discount=discount)
        self.data.lines.append(line)
        shown = {
            "id": identifier,
            "type": kind,
            "name": texts["name"],
            "description": texts["description"],
            "quantity": trim(quantity),
            "unitName": texts["unitName"],
            "unitPrice": shown_price,
            "discountPercentage": trim(discount),
            "lineItemAmount": trim(line.amount),
        }
        self.data.items.append(without_nulls(shown))

    def _unit_price(self, price: object, where: str, case: TaxType) -> tuple[Decimal, Decimal, dict[str, Any]] | None:
        if not isinstance(price, dict):
            self._missing(where)
            return None
        if price.get("currency") is None:
            self._missing(f"{where}.currency")
        elif price["currency"] != EURO:
            self._refuse(f"{where}.currency")
        rate = self._number(price, "taxRatePercentage", where)
        if rate is not None:
            self._check_rate(rate, f"{where}.taxRatePercentage", case)
        gross_prices = self.data.tax_type == "gross"
        leading = self._number(price, "grossAmount" if gross_prices else "netAmount", where, places=4)
        if leading is None or rate is None:
            return None
        places = Decimal(1).scaleb(-self._books.assumptions.unit_price_decimals)
        other = other_side(leading, rate, gross_prices=gross_prices).quantize(places, "ROUND_HALF_UP")
        net, gross = (other, leading) if gross_prices else (leading, other)
        shown = {
            "currency": EURO,
            "netAmount": trim(net),
            "grossAmount": trim(gross),
            "taxRatePercentage": trim(rate),
        }
        return leading, rate, shown

    def _check_rate(self, rate: Decimal, source: str, case: TaxType) -> None:
        if case.tax_free:
            if rate != 0:
                self._refuse(source, "muss 0 sein")
        elif self._relevant_day is not None and rate not in rates_on(self._relevant_day):
            self._refuse(source, "ist am Leistungsdatum kein gültiger Steuersatz")

    def _number(
        self, body: dict[str, Any], name: str, where: str, *, places: int = 4, needed: bool = True
    ) -> Decimal | None:
        value = body.get(name)
        if value is None:
            if needed:
                self._missing(f"{where}.{name}")
            return None
        number = number_of(value)
        if number is None:
            self._refuse(f"{where}.{name}")
        elif decimals(number) > places:
            self._refuse(f"{where}.{name}", f"höchstens {places} Nachkommastellen", "DIGITS")
        return number

    def _check_total_price(self) -> None:
        total = self._object("totalPrice")
        if total is None:
            return
        if total.get("currency") is None:
            self._missing("totalPrice.currency")
        elif total["currency"] != EURO:
            self._refuse("totalPrice.currency")
        percent = self._number(total, "totalDiscountPercentage", "totalPrice", places=2, needed=False)
        absolute = self._number(total, "totalDiscountAbsolute", "totalPrice", places=2, needed=False)
        if percent and absolute:
            self._refuse("totalPrice.totalDiscountAbsolute", "nur eine Art von Rabatt")
        if percent is not None and not 0 <= percent <= 100:
            self._refuse("totalPrice.totalDiscountPercentage")
        self.data.discount_percent = percent or Decimal(0)
        self.data.discount_amount = absolute or Decimal(0)

    def _check_payment(self) -> None:
        conditions = self._body.get("paymentConditions")
        if conditions is None:
            return
        where = "paymentConditions"
        if not isinstance(conditions, dict):
            self._refuse(where)
            return
        label, days = conditions.get("paymentTermLabel"), conditions.get("paymentTermDuration")
        if not isinstance(label, str) or not label:
            self._missing(f"{where}.paymentTermLabel")
        if days is None:
            self._missing(f"{where}.paymentTermDuration")
        elif isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= 3650:
            self._refuse(f"{where}.paymentTermDuration")
        found: dict[str, Any] = {"paymentTermLabel": label, "paymentTermDuration": days}
        discount = conditions.get("paymentDiscountConditions")
        if isinstance(discount, dict) and any(value is not None for value in discount.values()):
            source = f"{where}.paymentDiscountConditions"
            percent = self._number(discount, "discountPercentage", source, places=2)
            reach = self._number(discount, "discountRange", source, places=0)
            found["paymentDiscountConditions"] = {"discountPercentage": percent, "discountRange": reach}
        self.data.payment = found

    def _check_texts(self) -> None:
        for name in ("title", "introduction", "remark"):
            value = self._body.get(name)
            if value is not None and not isinstance(value, str):
                self._refuse(name)
            elif value is not None:
                self.data.texts[name] = value
        language = self._body.get("language") or "de"
        if language not in ("de", "en"):
            self._refuse("language")
        elif language == "en" and "INVOICING_PRO" not in self._books.organisation.business_features:
            self._refuse("language", "INVOICING_PRO fehlt")
        self.data.texts["language"] = str(language)
        electronic = self._body.get("xRechnung")
        if isinstance(electronic, dict) and isinstance(electronic.get("buyerReference"), str):
            self.data.buyer_reference = electronic["buyerReference"]
        elif electronic is not None and not isinstance(electronic, dict):
            self._refuse("xRechnung")


def _spoken(contact: Contact) -> str:
    person = contact.body.get("person") or {}
    names = (person.get("salutation"), person.get("firstName"), person.get("lastName"))
    return " ".join(name for name in names if name)
