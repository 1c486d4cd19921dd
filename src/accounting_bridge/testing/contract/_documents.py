"""What becomes of an invoice, tax-free treatments, and sales."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from ...adapter import Finalize, Sends
from ...errors import (
    Conflict,
    InvoiceNotSent,
    Refused,
    Unsupported,
)
from ...models import (
    Attachment,
    Invoice,
    InvoiceStatus,
    LineItem,
    LineKind,
    SalesEntry,
    TaxTreatment,
)
from ...provider import AccountingProvider
from ..rig import SPOILS, Rig, Spoil
from ._base import Contract, finish
from ._expected import gross_of_issued


class DocumentContract(Contract):
    """What becomes of an invoice, tax-free treatments, and sales."""

    def test_a_final_invoice_is_numbered(self, rig: Rig, provider: AccountingProvider) -> None:
        """Finalized at creation, or afterwards where the vendor can."""
        invoice = provider.create_invoice(rig.draft(), finalize=True)
        assert invoice.status is not InvoiceStatus.DRAFT
        assert invoice.number
        assert provider.create_invoice(rig.draft(), finalize=True).id == invoice.id

    def test_finalizing_a_draft_works_or_is_unsupported(self, rig: Rig, provider: AccountingProvider) -> None:
        """Idempotent where it works; without a request where it does not."""
        draft = provider.create_invoice(rig.draft())
        before = rig.calls()
        if provider.capabilities.finalize is Finalize.AT_CREATION:
            with pytest.raises(Unsupported):
                provider.finalize_invoice(draft.id)
            assert rig.calls() == before
        else:
            final = provider.finalize_invoice(draft.id)
            assert final.number
            assert provider.finalize_invoice(draft.id) == final

    def test_the_pdf_is_a_pdf(self, rig: Rig, provider: AccountingProvider) -> None:
        """And a draft has none."""
        if not provider.capabilities.pdf:
            pytest.skip("this vendor gives no PDF")
        draft = provider.create_invoice(rig.draft("draft"))
        with pytest.raises(Conflict):
            provider.invoice_pdf(draft.id)
        final = provider.create_invoice(rig.draft("final"), finalize=True)
        assert provider.invoice_pdf(final.id).startswith(b"%PDF-")

    def test_mailing_works_once_or_is_unsupported(self, rig: Rig, provider: AccountingProvider) -> None:
        """A second call does not mail a second time unless asked to; where mailing makes a draft final, never."""
        sends = provider.capabilities.sends
        if sends is Sends.NOTHING:
            with pytest.raises(Unsupported):
                provider.send_invoice("00000000-0000-0000-0000-000000000000")
            return
        invoice = provider.create_invoice(rig.draft(), finalize=sends is Sends.FINAL)
        # Who mails drafts may know no other address than the customer's own.
        to = "kunde@musterwerk.example" if sends is Sends.FINAL else rig.customer().email
        assert [provider.send_invoice(invoice.id, to=to) for _ in range(2)] == [True, False]
        assert provider.get_invoice(invoice.id).number
        if sends is Sends.FINAL:
            assert provider.send_invoice(invoice.id, to=to, again=True)
        else:
            with pytest.raises(Conflict):
                provider.send_invoice(invoice.id, to=to, again=True)

    def test_attaching_works_or_is_unsupported(self, rig: Rig, provider: AccountingProvider) -> None:
        """Without a request where the vendor has no place for files."""
        file = Attachment(filename="stunden.pdf", content=b"%PDF-1.4\n%%EOF\n")
        invoice = provider.create_invoice(rig.draft())
        before = rig.calls()
        if provider.capabilities.attach:
            provider.attach(invoice.id, file)
        else:
            with pytest.raises(Unsupported):
                provider.attach(invoice.id, file)
            assert rig.calls() == before

    @pytest.mark.parametrize("treatment", [t for t in TaxTreatment if t is not TaxTreatment.DOMESTIC])
    @pytest.mark.parametrize("country", ["DE", "NL", "CH"])
    def test_a_tax_free_treatment_works_or_is_refused_with_the_reason(
        self, rig: Rig, provider: AccountingProvider, treatment: TaxTreatment, country: str
    ) -> None:
        """Tax is 0, or nothing is created."""
        vat = {"DE": "DE123456789", "NL": "NL123456789B01", "CH": None}[country]
        customer = rig.customer()
        assert customer.address is not None
        customer = attrs.evolve(customer, vat_number=vat, address=attrs.evolve(customer.address, country_code=country))
        goods = treatment is TaxTreatment.INTRA_EU_GOODS
        line = LineItem(
            description="Leistung", unit_price=Decimal(100), kind=LineKind.GOODS if goods else LineKind.SERVICE
        )
        outcome = next(provider.create_invoices([rig.draft(customer=customer, lines=[line], tax_treatment=treatment)]))
        if isinstance(outcome.result, Invoice):
            assert (outcome.result.totals.tax, outcome.result.totals.gross) == (Decimal(0), Decimal(100))
        else:
            assert isinstance(outcome.error, Refused)
            assert rig.invoices("2026-03/4711") == 0

    def test_gross_prices_keep_their_gross_total(self, rig: Rig, provider: AccountingProvider) -> None:
        """What the customer was told is what is booked."""
        line = LineItem(description="Schulung", quantity=Decimal(6), unit_price=Decimal(120), tax_rate=rig.rate)
        invoice = provider.create_invoice(rig.draft(lines=[line], prices_include_tax=True))
        assert invoice.totals.gross == Decimal(720)

    def test_every_neutral_text_reaches_the_vendor(self, rig: Rig, provider: AccountingProvider) -> None:
        """Texts without a field of their own are folded, and the plan says so."""
        plan = provider.plan_invoice(
            rig.draft(
                introduction="Einleitung hier", closing="Schlusswort hier", project_note="Projektnotiz hier",
                order_reference="PO-4711-ABC",
            )
        )  # fmt: skip
        body = plan.body.decode()
        texts = ("Einleitung hier", "Schlusswort hier", "Projektnotiz hier", "PO-4711-ABC")
        assert [text for text in texts if text not in body] == []

    def test_an_invoice_that_was_not_sent_is_not_booked(self, rig: Rig, provider: AccountingProvider) -> None:
        """Without a single request."""
        before = rig.calls()
        expected = InvoiceNotSent if provider.capabilities.book_sale else Unsupported
        with pytest.raises(expected):
            provider.book_sale(rig.issued(sent_at=None))
        assert rig.calls() == before

    def test_a_sale_is_booked_once_with_its_pdf(self, rig: Rig, provider: AccountingProvider) -> None:
        """The total is the invoice's, the second call books nothing."""
        if not provider.capabilities.book_sale:
            before = rig.calls()
            with pytest.raises(Unsupported):
                provider.book_sale(rig.issued())
            assert rig.calls() == before
            return
        plan = provider.plan_sale(rig.issued())
        entry = provider.book_sale(rig.issued())
        again = provider.book_sale(rig.issued())
        assert (entry.created, again.created) == (True, False)
        assert entry.id == again.id
        assert entry.invoice_number == "2026-0815"
        assert entry.totals.gross == plan.totals.gross == gross_of_issued(rig.rate)
        assert entry.has_pdf is provider.capabilities.sale_pdf
        assert rig.sales("2026-0815") == 1

    def test_a_booked_sale_is_found_after_a_restart(self, rig: Rig, provider: AccountingProvider) -> None:
        """Another process without any memory finds the entry by its number."""
        if not provider.capabilities.book_sale:
            pytest.skip("this vendor books no sales")
        entry = provider.book_sale(rig.issued())
        with rig.connect(tenant="another process") as other:
            assert other.book_sale(rig.issued()).id == entry.id
        assert rig.sales("2026-0815") == 1

    @pytest.mark.parametrize("spoil", SPOILS, ids=str)
    def test_a_spoiled_sale_leaves_exactly_one_entry(
        self, rig: Rig, provider: AccountingProvider, spoil: Spoil
    ) -> None:
        """As for invoices."""
        if not provider.capabilities.book_sale:
            pytest.skip("this vendor books no sales")
        provider.ensure_customer(rig.customer())
        rig.spoil("sale", spoil)
        entry = finish(provider, provider.book_sale, rig.issued())
        assert isinstance(entry, SalesEntry)
        assert rig.sales("2026-0815") == 1
        assert provider.book_sale(rig.issued()).id == entry.id
        assert rig.sales("2026-0815") == 1

    def test_an_invoice_of_the_books_is_not_booked_again(self, rig: Rig, provider: AccountingProvider) -> None:
        """An Invoice is in the books already."""
        invoice: Any = provider.create_invoice(rig.draft())
        with pytest.raises(Refused):
            provider.book_sale(invoice)
