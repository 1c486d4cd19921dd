"""Posting categories: what replaces a chart of accounts in the vendor's bookkeeping.

The ids are the ones that documentation and shipped integrations use. A live account listed 231; the others
here are invented and show that a client must look an id up instead of relying on a list of its own.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from attrs import evolve, field, frozen


@frozen(kw_only=True)
class CrossBorder:
    """What a tax-free category demands of the contact."""

    tax_classification: str
    vat_id_needed: bool
    person_issue: str = "invalid_value"
    """The ``i18nKey`` that refuses a private person."""


@frozen
class PostingCategory:
    """A category; ``split_allowed`` False means one tax rate in the whole voucher."""

    id: str
    name: str
    type: Literal["income", "outgo"]
    group: str
    contact_required: bool = field(default=False, kw_only=True)
    split_allowed: bool = field(default=True, kw_only=True)
    cross_border: CrossBorder | None = field(default=None, kw_only=True)
    distance_sales: Literal["ORIGIN", "DESTINATION"] | None = field(default=None, kw_only=True)
    small_business: bool = field(default=False, kw_only=True)

    @property
    def body(self) -> dict[str, Any]:
        """The category as the vendor writes it."""
        return {
            "id": self.id,
            "name": self.name,
            "type": self.type,
            "contactRequired": self.contact_required,
            "splitAllowed": self.split_allowed,
            "groupName": self.group,
        }


SERVICES: Final = PostingCategory("8f8664a0-fd86-11e1-a21f-0800200c9a66", "Dienstleistung", "income", "Einnahmen")
GOODS: Final = PostingCategory("8f8664a8-fd86-11e1-a21f-0800200c9a66", "Warenverkäufe", "income", "Einnahmen")
REVENUE: Final = PostingCategory("8f8664a1-fd86-11e1-a21f-0800200c9a66", "Einnahmen", "income", "Einnahmen")
EU_GOODS: Final = PostingCategory(
    "9075a4e3-66de-4795-a016-3889feca0d20",
    "Innergemeinschaftliche Lieferung",
    "income",
    "Steuerfreie Einnahmen",
    contact_required=True,
    split_allowed=False,
    cross_border=CrossBorder(tax_classification="intraCommunity", vat_id_needed=True),
)
EU_SERVICES: Final = PostingCategory(
    "380a20cb-d04c-426e-b49c-84c22adfa362",
    "Fremdleistungen §13b",
    "income",
    "Steuerfreie Einnahmen",
    contact_required=True,
    split_allowed=False,
    cross_border=CrossBorder(tax_classification="intraCommunity", vat_id_needed=True),
)
EXPORT_GOODS: Final = PostingCategory(
    "93d24c20-ea84-424e-a731-5e1b78d1e6a9",
    "Ausfuhrlieferungen an Drittländer",
    "income",
    "Steuerfreie Einnahmen",
    contact_required=True,
    split_allowed=False,
    cross_border=CrossBorder(tax_classification="thirdPartyCountry", vat_id_needed=False),
)
EXPORT_SERVICES: Final = PostingCategory(
    "ef5b1a6e-f690-4004-9a19-91276348894f",
    "Dienstleistungen an Drittländer",
    "income",
    "Steuerfreie Einnahmen",
    contact_required=True,
    split_allowed=False,
    cross_border=CrossBorder(
        tax_classification="thirdPartyCountry",
        vat_id_needed=False,
        person_issue="individual_person_not_applicable_service_third_party",
    ),
)
SMALL_BUSINESS: Final = PostingCategory(
    "f5c7fee8-f184-4e7a-ab04-8f7e7ad6c207",
    "Einnahmen als Kleinunternehmer",
    "income",
    "Einnahmen",
    small_business=True,
)
SMALL_BUSINESS_OLD: Final = evolve(SMALL_BUSINESS, id="7a1efa0e-6283-4cbf-9583-8e88d3ba5960")
"""The id until 2026-04-28, still hard-coded in clients."""

CATEGORIES: Final = (
    REVENUE,
    SERVICES,
    GOODS,
    EU_GOODS,
    EU_SERVICES,
    EXPORT_GOODS,
    EXPORT_SERVICES,
    SMALL_BUSINESS,
    PostingCategory(
        "7c112b66-0565-479c-bc18-5845e080880a",
        "Fernverkauf",
        "income",
        "Fernverkauf",
        distance_sales="ORIGIN",
    ),
    PostingCategory(
        "d73b880f-c24a-41ea-a862-18d90e1c3d82",
        "Elektronische Dienstleistungen",
        "income",
        "Fernverkauf",
        distance_sales="ORIGIN",
    ),
    PostingCategory(
        "4ebd965a-7126-416c-9d8c-a5c9366ee473",
        "Fernverkauf in EU-Land steuerpflichtig",
        "income",
        "Fernverkauf",
        distance_sales="DESTINATION",
    ),
    PostingCategory(
        "7ecea006-844c-4c98-a02d-aa3142640dd5",
        "Elektronische Dienstleistung in EU-Land steuerpflichtig",
        "income",
        "Fernverkauf",
        distance_sales="DESTINATION",
    ),
    PostingCategory("aba9020f-d0a6-47ca-ace6-03d6ed492351", "Rundungsdifferenzen", "income", "Einnahmen"),
    PostingCategory("4f01e761-d912-441f-ad1a-1c1d2d590a81", "Sonstige Erlöse", "income", "Einnahmen"),
    PostingCategory("5a3c1d70-6f14-4a58-8a3e-2f6f0d5f0101", "Provisionserlöse", "income", "Einnahmen"),
    PostingCategory("5a3c1d70-6f14-4a58-8a3e-2f6f0d5f0102", "Mieteinnahmen", "income", "Einnahmen"),
    PostingCategory(
        "5a3c1d70-6f14-4a58-8a3e-2f6f0d5f0103",
        "Verkauf von Anlagevermögen",
        "income",
        "Einnahmen",
        split_allowed=False,
    ),
    PostingCategory(
        "5a3c1d70-6f14-4a58-8a3e-2f6f0d5f0104",
        "Abgegrenzte Erlöse",
        "income",
        "Einnahmen",
        contact_required=True,
    ),
    PostingCategory("16d04a28-fd91-11e1-a21f-0800200c9a66", "Material/Waren", "outgo", "Ausgaben"),
    PostingCategory("cf03a2b0-f838-474f-ac5e-67adb9b830c7", "Reise MA", "outgo", "Reisen"),
    PostingCategory("3620798f-ae06-4492-b775-1c87eb99247c", "Fahrtkosten MA", "outgo", "Reisen"),
    PostingCategory("efa82f49-fd85-11e1-a21f-0800200c9a66", "Reisen (Selbständige)", "outgo", "Reisen"),
    PostingCategory("b99b667f-bfee-41b9-8ec0-cee308bdacfd", "Übernachtung MA", "outgo", "Reisen"),
    PostingCategory("f9f05694-fd89-11e1-a21f-0800200c9a66", "Übernachtungskosten", "outgo", "Reisen"),
    PostingCategory("353e8c93-5f69-4476-887f-d48734ee2cc7", "Verpflegungsmehraufwand MA", "outgo", "Reisen"),
    PostingCategory("9fb5e4b0-94ae-47f3-804f-5ed00e4aceb6", "Verpflegungsmehraufwand", "outgo", "Reisen"),
    PostingCategory("5a3c1d70-6f14-4a58-8a3e-2f6f0d5f0201", "Bürobedarf", "outgo", "Büro"),
    PostingCategory("5a3c1d70-6f14-4a58-8a3e-2f6f0d5f0202", "Telekommunikation", "outgo", "Büro"),
    PostingCategory("5a3c1d70-6f14-4a58-8a3e-2f6f0d5f0203", "Software und Lizenzen", "outgo", "Büro"),
    PostingCategory("5a3c1d70-6f14-4a58-8a3e-2f6f0d5f0204", "Fremdleistungen", "outgo", "Ausgaben"),
    PostingCategory("5a3c1d70-6f14-4a58-8a3e-2f6f0d5f0205", "Zu prüfen", "outgo", "Ausgaben"),
)
