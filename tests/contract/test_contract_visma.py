"""Visma keeps the contract, against its sandbox on a real socket; also where nobody knows how it really behaves."""

import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import pytest
from case_visma import grant_of, only_digits

import accounting_bridge as ab
from accounting_bridge.errors import Conflict, InvalidRequest, InvoiceGone, PeriodClosed
from accounting_bridge.models import Attachment, CustomerRef, LineItem, LineKind, TaxTreatment
from accounting_bridge.sandbox import VirtualClock, serve
from accounting_bridge.sandbox.faults import Fault
from accounting_bridge.sandbox.visma import Assumptions, Company
from accounting_bridge.testing import SandboxRig, VendorContract
from accounting_bridge.testing.contract import finish
from accounting_bridge.wire import loads

ARTICLES = {
    "NL": {"service/21": "1", "service/9": "2", "service/0": "3", "travel/21": "4", "expense/21": "5", "goods/21": "6"},
    "SE": {
        "service/25": "1",
        "service/12": "2",
        "service/0": "3",
        "travel/25": "4",
        "expense/25": "5",
        "goods/25": "6",
    },
    "NO": {
        "service/25": "1",
        "service/15": "2",
        "service/0": "3",
        "travel/25": "4",
        "expense/25": "5",
        "goods/25": "6",
    },
    "FI": {"service/25.5": "1", "service/13.5": "2", "service/0": "3", "goods/25.5": "6"},
}
"""Numbers of the sandbox's articles for each kind and rate."""


@attrs.define
class VismaRig(SandboxRig):
    """What differs where the company is Norwegian, and for drafts and sales."""

    def customer(self, number: str = "4711") -> ab.Customer:
        """To a Norwegian company all others are abroad, where it charges no VAT."""
        customer = super().customer(number)
        if self.box.company.country != "NO" or customer.address is None:
            return customer
        return attrs.evolve(customer, address=attrs.evolve(customer.address, country_code="NO"))

    def remove_invoice(self, invoice_id: str) -> None:
        self.box.delete_draft(invoice_id.partition("~")[0])

    def sales(self, number: str) -> int:
        """By the voucher's text: the ledger keeps a whole number only."""
        return sum(number in (entry.remark or "").split() for entry in self.box.sales_entries)


def rig_of(server: Any, **options: Any) -> VismaRig:
    box = server.sandbox
    numbers = {article.values["Number"]: article.id for article in box._articles.all.values()}
    articles = ARTICLES[box.company.country]
    rates = [Decimal(key.partition("/")[2]) for key in articles]
    return VismaRig(
        vendor="visma",
        settings=server.settings,
        # The grant is what is wrong; the address is spelled otherwise, because every error may show the vendor's own.
        wrong_settings={**server.settings, "identity_url": server.url.replace("127.0.0.1", "localhost")},
        base_url=server.url,
        grant=lambda: grant_of(box),
        rate=rates[0],
        other_rate=rates[1],
        server=server,
        creates={
            "customer": "POST /v2/customers$",
            "invoice": "POST /v2/customerinvoicedrafts$",
            "sale": "POST /v2/customerledgeritems/customerledgeritemswithvoucher$",
        },
        delete=None,
        marker=lambda invoice: invoice.reference or None,
        options={
            "articles": {key: numbers[number] for key, number in articles.items()},
            "number_map": only_digits,
            **options,
        },
    )


@pytest.fixture
def rig() -> Iterator[VismaRig]:
    """A Dutch company with few customers."""
    with serve("visma", customers=3, rate_limit=False) as server:
        yield rig_of(server)


class TestVisma(VendorContract):
    """A Dutch company."""

    @pytest.fixture
    def rig(self) -> Iterator[VismaRig]:
        with serve("visma", customers=60, rate_limit=False) as server:
            yield rig_of(server)


class TestVismaTheOtherWayRound(VendorContract):
    """A Swedish company, every assumption the other way round that a client must live with."""

    @pytest.fixture
    def rig(self) -> Iterator[VismaRig]:
        assumptions = Assumptions(
            coding_rate_unit="fraction", vat_code_rate_unit="percent", row_rate_unit="percent", pages_when_empty=1,
            refused_filters=frozenset(
                {
                    "customerinvoicedrafts.OurReference", "customerinvoices.OurReference",
                    "customerledgeritems.InvoiceNumber", "customerledgeritems.CustomerId",
                    "salesdocumentattachments.DocumentId", "customerinvoices.CreatedFromDraftId",
                }
            ),
            ledger_answer="with_voucher", draft_shows_today=False, gateway_body="json", convert_keeps_draft_id=True,
            referenced_in_body_status=404, conflict_status=400,
        )  # fmt: skip
        company = Company(country="SE")
        revenue = {"service/25": "3041", "service/12": "3042"}
        with serve("visma", customers=60, rate_limit=False, assumptions=assumptions, company=company) as server:
            yield rig_of(server, revenue_accounts=revenue)


class TestVismaInNorway(VendorContract):
    """Outside the EU, debtors on the usual account; the other two variants of what a filter and a date do."""

    @pytest.fixture
    def rig(self) -> Iterator[VismaRig]:
        assumptions = Assumptions(refused_filters=frozenset({"customerinvoicedrafts.CreatedUtc"}), top_and_skip=False)
        company = Company(country="NO", keep_original_draft_date=True)
        with serve("visma", customers=3, rate_limit=False, assumptions=assumptions, company=company) as server:
            yield rig_of(server)


# ---- what only this vendor has ---------------------------------------------------------------------------------


def line(rig: VismaRig, **changes: Any) -> LineItem:
    return LineItem(**{"description": "Advies", "unit_price": Decimal(100), "tax_rate": rig.rate, **changes})


def one_customer(rig: VismaRig, **fields: Any) -> CustomerRef:
    terms = next(iter(rig.box._reference.terms))
    values = {"Name": "Quellmoos Voorbeeld BV", "InvoiceCity": "Utrecht", "InvoicePostalCode": "3511",
              "TermsOfPaymentId": terms, "IsPrivatePerson": False, "IsActive": True, **fields}  # fmt: skip
    return CustomerRef(id=rig.box.add_customer(**values))


def test_a_draft_that_a_person_converts_goes_on_under_its_old_id(rig: VismaRig) -> None:
    with rig.connect() as provider:
        made = provider.create_invoice(rig.draft())
        final_id = rig.box.convert_in_web_app(made.id.partition("~")[0])
        assert provider.get_invoice(made.id).id == final_id
        assert provider.create_invoice(rig.draft()).id == final_id
        assert provider.finalize_invoice(made.id).id == final_id
        assert provider.invoice_pdf(made.id).startswith(b"%PDF-")
    with rig.connect(tenant="another process") as other:
        assert other.get_invoice(made.id).number == "1"
        assert other.create_invoice(rig.draft(), finalize=True).id == final_id
    assert rig.invoices("2026-03/4711") == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "truncate"])
def test_a_lost_answer_to_a_conversion_is_made_good(rig: VismaRig, kind: Any, when: Any) -> None:
    with rig.connect() as provider:
        made = provider.create_invoice(rig.draft())
        if (kind, when) != ("truncate", "before"):
            rig.box.faults.add(Fault(kind, when=when, match="POST /v2/customerinvoicedrafts/[^/]+/convert$"))
        if (kind, when) == ("drop", "before"):
            with pytest.raises(ab.OutcomeUnknown):
                provider.finalize_invoice(made.id)
            time.sleep(rig.policy.settle_time or 0)
        first = provider.finalize_invoice(made.id)
        assert provider.finalize_invoice(made.id) == first
        assert first.number == "1"
        assert provider.create_invoice(rig.draft(), finalize=True).id == first.id
    assert rig.invoices("2026-03/4711") == 1


def test_an_invoice_that_is_not_listed_yet_is_not_called_gone() -> None:
    """Its draft has vanished, the answer was lost, and the list lags behind: that is unclear, and then found."""
    clock = VirtualClock()
    with serve("visma", customers=1, rate_limit=False, index_lag=100.0, clock=clock) as server:
        rig = rig_of(server)
        with rig.connect(clock=clock) as provider:
            made = provider.create_invoice(rig.draft())
            rig.box.faults.add(Fault("drop", when="after", match="POST /v2/customerinvoicedrafts/[^/]+/convert$"))
            for call in (provider.finalize_invoice, provider.get_invoice):
                with pytest.raises(ab.OutcomeUnknown):
                    call(made.id)
            with pytest.raises(ab.OutcomeUnknown):
                provider.create_invoice(rig.draft())
            clock.sleep(100.0)
            final = provider.finalize_invoice(made.id)
            assert provider.create_invoice(rig.draft(), finalize=True) == final
            assert final.number == "1"


def test_a_draft_that_somebody_deleted_is_gone_for_every_process(rig: VismaRig) -> None:
    with rig.connect() as provider:
        made = provider.create_invoice(rig.draft())
        rig.remove_invoice(made.id)
        with pytest.raises(ab.OutcomeUnknown, match="deleted, or made final"):  # lists lag behind a person's click
            provider.create_invoice(rig.draft())
        with pytest.raises(InvoiceGone):
            finish(provider, provider.create_invoice, rig.draft())
        with pytest.raises(ab.NotFound):
            provider.get_invoice(made.id)


@pytest.mark.parametrize("keeps", [True, False])
def test_the_draft_s_date_is_kept_unless_that_is_switched_off(rig: VismaRig, keeps: bool) -> None:
    today = rig.box.now().date()
    with rig.connect({**rig.settings, "keep_draft_date": keeps}) as provider:
        invoice = provider.create_invoice(rig.draft(), finalize=True)
    assert invoice.issue_date is not None
    assert (invoice.issue_date == date(2026, 3, 31)) is keeps
    assert keeps or abs(invoice.issue_date - today).days <= 1


def test_a_credit_note_with_the_invoice_s_reference_is_not_taken_for_it(rig: VismaRig) -> None:
    """Crediting in the web application takes the reference over."""
    with rig.connect() as provider:
        invoice = provider.create_invoice(rig.draft(), finalize=True)
        (original,) = rig.box._invoices.all.values()
        header = {**original.document.header, "IsCreditInvoice": True}
        rig.box._invoices._booked(attrs.evolve(original.document, is_credit=True, header=header), original.day)
    assert rig.invoices("2026-03/4711") == 2
    with rig.connect(tenant="another process") as other:
        assert other.create_invoice(rig.draft()).id == invoice.id


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("gross", [True, False])
@pytest.mark.parametrize("private", [True, False])
def test_prices_are_predicted_on_either_side_of_vat(shown: bool, gross: bool, private: bool) -> None:
    with serve("visma", customers=1, rate_limit=False, company=Company(show_prices_excl_vat_pc=shown)) as server:
        rig = rig_of(server)
        lines = [
            line(rig, quantity=Decimal("7.25"), unit_price=Decimal("95.35")),
            line(rig, unit_price=Decimal("12.99"), discount_percent=Decimal("12.5")),
            line(rig, unit_price=Decimal("-3.01"), tax_rate=rig.other_rate),
            line(rig, unit_price=Decimal(121), quantity=Decimal(3)),
        ]
        who = one_customer(rig, IsPrivatePerson=private)
        with rig.connect() as provider:
            draft = rig.draft(customer=who, lines=lines, prices_include_tax=gross)
            plan = provider.plan_invoice(draft)
            assert provider.create_invoice(draft, finalize=True).totals == plan.totals


def test_a_wrong_guess_of_the_side_is_found_on_the_draft() -> None:
    assumptions = Assumptions(includes_vat_when="unchecked")
    with serve("visma", customers=1, rate_limit=False, assumptions=assumptions) as server:
        rig = rig_of(server)
        who = one_customer(rig, IsPrivatePerson=True)
        with rig.connect() as provider, pytest.raises(ab.TotalsDiffer) as caught:
            provider.create_invoice(rig.draft(customer=who), finalize=True)
        assert not caught.value.final


@pytest.mark.parametrize("per", ["per_rate", "per_row"])
def test_vat_per_row_stays_within_the_tolerance(per: Any) -> None:
    with serve("visma", customers=1, rate_limit=False, assumptions=Assumptions(vat_rounding=per)) as server:
        rig = rig_of(server)
        lines = [line(rig, unit_price=Decimal("0.12")) for _ in range(9)]
        with rig.connect() as provider:
            made = provider.create_invoice(rig.draft(lines=lines))
            assert any("undocumented" in note for note in made.notes) is (per == "per_row")


def test_whole_crowns_are_predicted() -> None:
    company = Company(country="SE", rounds_domestic_currency=True)
    with serve("visma", customers=1, rate_limit=False, company=company) as server:
        rig = rig_of(server)
        with rig.connect() as provider:
            draft = rig.draft(customer=one_customer(rig), lines=[line(rig, unit_price=Decimal("99.99"))])
            plan = provider.plan_invoice(draft)
            assert plan.totals.gross == Decimal(125)
            made = provider.create_invoice(draft)
            assert made.totals == plan.totals
            assert provider.finalize_invoice(made.id).totals == plan.totals


def test_construction_services_are_shifted_only_for_customers_that_are_marked(rig: VismaRig) -> None:
    marked = one_customer(rig, ReverseChargeOnConstructionServices=True, VatNumber="NL123456789B01")
    given = {"lines": [line(rig, tax_rate=None)], "tax_treatment": TaxTreatment.REVERSE_CHARGE}
    with rig.connect() as provider:
        with pytest.raises(InvalidRequest, match="would charge VAT"):
            provider.create_invoice(rig.draft(customer=one_customer(rig), **given))
        invoice = provider.create_invoice(rig.draft(customer=marked, **given), finalize=True)
        assert (invoice.totals.tax, invoice.totals.gross) == (0, 100)
        domestic = provider.create_invoice(rig.draft("b", customer=marked, lines=[line(rig)]))
        assert domestic.totals.gross == 121


@pytest.mark.parametrize(
    ("treatment", "fields", "kind"),
    [
        (TaxTreatment.INTRA_EU_SERVICES, {"InvoiceCountryCode": "DE", "VatNumber": "DE123456789"}, LineKind.SERVICE),
        (TaxTreatment.INTRA_EU_GOODS, {"InvoiceCountryCode": "DE", "VatNumber": "DE123456789"}, LineKind.GOODS),
        (TaxTreatment.EXPORT, {"InvoiceCountryCode": "CH"}, LineKind.GOODS),
        (TaxTreatment.EXEMPT, {}, LineKind.SERVICE),
        (TaxTreatment.SMALL_BUSINESS, {}, LineKind.SERVICE),
    ],
)
def test_tax_free_invoices_and_sales_come_out_free_of_tax(
    rig: VismaRig, treatment: TaxTreatment, fields: dict[str, Any], kind: LineKind
) -> None:
    given = {
        "customer": one_customer(rig, **fields), "tax_treatment": treatment,
        "lines": [line(rig, tax_rate=None, kind=kind)],
    }  # fmt: skip
    with rig.connect() as provider:
        assert provider.create_invoice(rig.draft(**given), finalize=True).totals.gross == 100
        assert provider.book_sale(rig.issued(**given)).totals.gross == 100


def test_foreign_customers_have_prices_with_four_decimals_in_their_currency(rig: VismaRig) -> None:
    who = one_customer(rig, InvoiceCountryCode="CH", CurrencyCode="CHF")
    lines = [line(rig, tax_rate=None, unit_price=Decimal("1.2345"), quantity=Decimal(100))]
    given = {"customer": who, "lines": lines, "tax_treatment": TaxTreatment.EXPORT}
    with rig.connect() as provider:
        with pytest.raises(InvalidRequest, match="CHF"):
            provider.create_invoice(rig.draft(**given))
        invoice = provider.create_invoice(rig.draft(currency="CHF", **given), finalize=True)
    assert (invoice.totals.gross, invoice.currency) == (Decimal("123.45"), "CHF")


def test_a_sale_that_was_booked_is_found_after_its_period_was_closed(rig: VismaRig) -> None:
    with rig.connect() as provider:
        entry = provider.book_sale(rig.issued())
    rig.box.lock_until(date(2026, 3, 31))
    with rig.connect(tenant="another process") as other:
        assert other.book_sale(rig.issued()).id == entry.id
        with pytest.raises(PeriodClosed):
            other.book_sale(rig.issued("2026-0816"))
        with pytest.raises(PeriodClosed):
            other.create_invoice(rig.draft(), finalize=True)
    assert (rig.sales("2026-0815"), rig.sales("2026-0816"), rig.invoices("2026-03/4711")) == (1, 0, 0)


def test_two_numbers_that_come_to_one_are_told(rig: VismaRig) -> None:
    with rig.connect() as provider:
        provider.book_sale(rig.issued("2026-0815"))
        with pytest.raises(Conflict, match="number_map"):
            provider.book_sale(rig.issued("20260-815"))
    assert len(rig.box.sales_entries) == 1


def test_a_credit_and_gross_prices_are_booked_as_issued(rig: VismaRig) -> None:
    lines = [line(rig, quantity=Decimal(3), unit_price=Decimal("-9.99")), line(rig, tax_rate=rig.other_rate)]
    with rig.connect() as provider:
        plan = provider.plan_sale(rig.issued("2026-1", lines=lines[:1], prices_include_tax=True))
        entry = provider.book_sale(rig.issued("2026-1", lines=lines[:1], prices_include_tax=True))
        assert entry.totals.gross == plan.totals.gross == Decimal("-29.97")
        mixed = provider.book_sale(rig.issued("2026-2", lines=lines, prices_include_tax=True))
    assert mixed.totals.gross == Decimal("70.03")
    kinds = [(one.kind, one.gross, one.tax) for one in rig.box.sales_entries]
    assert kinds[0] == ("credit", Decimal("-29.97"), Decimal("-5.20"))


def test_a_file_is_kept_once_and_moves_on_with_the_draft(rig: VismaRig) -> None:
    file = Attachment(filename="uren.pdf", content=b"%PDF-1.4 uren")
    with rig.connect() as provider:
        made = provider.create_invoice(rig.draft(attachments=[file]))
        provider.attach(made.id, file)
        final = provider.create_invoice(rig.draft(attachments=[file]), finalize=True)
        provider.attach(made.id, file)
        kept = loads(provider.request("GET", f"/v2/customerinvoices/{final.id}"))["SalesDocumentAttachments"]
    assert len(kept) == 1


def test_finland_needs_to_be_told_the_debtors_account() -> None:
    with serve("visma", customers=1, rate_limit=False, company=Company(country="FI")) as server:
        rig = rig_of(server)
        with rig.connect() as provider:
            assert provider.create_invoice(rig.draft()).totals.tax > 0
            with pytest.raises(InvalidRequest, match="receivable_account"):
                provider.book_sale(rig.issued())
        rig.options = {**rig.options, "receivable_account": "1701"}
        with rig.connect() as provider:
            assert provider.book_sale(rig.issued()).totals.gross == Decimal("953.80")
