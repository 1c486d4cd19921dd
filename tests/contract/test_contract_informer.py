"""Informer keeps the contract, against its sandbox on a real socket; also where its documents contradict themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from accounting_bridge import AccountingProvider
from accounting_bridge.errors import InvalidRequest, InvoiceGone, PeriodClosed, Unavailable
from accounting_bridge.models import Attachment, LineItem, TaxTreatment
from accounting_bridge.sandbox import serve
from accounting_bridge.sandbox.informer import Administration, Assumptions
from accounting_bridge.testing import Rig, SandboxRig, VendorContract
from accounting_bridge.wire import loads

NUMBERS = "8010, 8020, 8040, 8050, 8060, 8065, 8070"
"""One account for each VAT rate and tax-free option of the sandbox's chart."""


def rig_of(server: Any, rates: tuple[int, int] = (19, 7), **options: Any) -> Rig:
    return SandboxRig(
        vendor="informer",
        settings=server.settings,
        wrong_settings={**server.settings, "api_key": "Abcdefghijklmnopqrstuvwxyz0123456789Abcdefghijklmno"},
        base_url=server.url,
        rate=Decimal(rates[0]),
        other_rate=Decimal(rates[1]),
        server=server,
        creates={
            "customer": "POST /v2/relations$",
            "invoice": "POST /v2/invoices/sales$",
            "sale": "POST /v2/salesbook$",
        },
        delete=server.sandbox.web.delete,
        marker=lambda invoice: invoice.reference or None,
        options={"ledger_account": NUMBERS, **options},
    )


class TestInformer(VendorContract):
    """A German administration: other rates, and a delivery date on every document."""

    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        with serve(
            "informer", customers=130, rate_limit=False, administration=Administration(country="DE"),
            assumptions=Assumptions(zip_in_answers=True),
        ) as server:  # fmt: skip
            yield rig_of(server)


class TestInformerAsItsExamplesHaveIt(VendorContract):
    """Pages from 0, flags and statuses as in the examples, options without account numbers, and lists without end."""

    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        assumptions = Assumptions(
            first_page=0, beyond_last_page="last page", empty_list="error 200", list_order="newest first",
            shapes="examples", error_text_as_list=False, relation_create_id=True, zip_in_answers=True,
            last_edit_inclusive=True, default_records=3, max_records=50,
        )  # fmt: skip
        with serve("informer", customers=130, rate_limit=False, assumptions=assumptions) as server:
            yield rig_of(server, (21, 9))


class TestInformerAtItsStrictest(VendorContract):
    """All six fields demanded and validated, refusals under status 200, and neither fractions nor empty texts."""

    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        assumptions = Assumptions(
            page_zero="refuse", unknown_filters="refuse", errors_as_200=True, empty_text_refused=True,
            relation_fields="six", fractional_quantity="refuse", zip_in_answers=True, max_records=20,
            vat_rounding="line", line_error_keys="bare",
        )  # fmt: skip
        with serve("informer", customers=130, rate_limit=False, assumptions=assumptions) as server:
            yield rig_of(server, (21, 9), fractional_quantities=False)


# ---- what only this vendor has ---------------------------------------------------------------------------------


@contextmanager
def books(**options: Any) -> Iterator[tuple[Any, Rig]]:
    settings = options.pop("settings", {})
    with serve("informer", **{"customers": 3, "rate_limit": False, **options}) as server:
        yield server.sandbox, rig_of(server, (21, 9), **settings)


def relation_of(provider: AccountingProvider, customer_id: str | None) -> Any:
    return loads(provider.request("GET", f"/v2/relations/{customer_id}"))


def test_placeholders_stand_in_the_books_and_never_come_back() -> None:
    with books() as (box, rig), rig.connect() as provider:
        wanted = attrs.evolve(rig.customer(), email=None)
        made = provider.ensure_customer(wanted).customer
        record = relation_of(provider, made.id)
        assert all(record[name] for name in ("web", "email", "email_invoice", "coc", "vat", "iban", "bic"))
        (kept,) = [one for one in provider.import_customers() if one.id == made.id]
        read = (kept.website, kept.email, kept.registration_number, kept.vat_number, kept.iban, kept.bic)
        assert (None,) * 6 == read
        line = LineItem(description="x", unit_price=Decimal(1))
        services = rig.draft(customer=wanted, lines=[line], tax_treatment=TaxTreatment.INTRA_EU_SERVICES)
        with pytest.raises(InvalidRequest, match="vat_number"):
            provider.create_invoice(services)
        concept = provider.create_invoice(rig.draft(customer=wanted))
        with pytest.raises(InvalidRequest, match="placeholder"):
            provider.send_invoice(concept.id)
        assert len(box.outbox) == 0


@pytest.mark.parametrize(("mode", "made"), [("all", True), ("contact", False), ("off", False)])
def test_administrations_that_demand_all_six_fields_get_them(mode: str, made: bool) -> None:
    strict = Assumptions(relation_fields="six")
    with books(assumptions=strict, settings={"placeholders": mode}) as (_, rig), rig.connect() as provider:
        if made:
            assert provider.ensure_customer(rig.customer()).created
            return
        with pytest.raises(InvalidRequest, match="iban"):
            provider.ensure_customer(rig.customer())


def test_a_sale_that_was_booked_is_found_after_its_period_was_closed() -> None:
    with books() as (box, rig):
        with rig.connect() as provider:
            entry = provider.book_sale(rig.issued())
        box.web.close_period(2026, 3)
        with rig.connect(tenant="another process") as other:
            assert other.book_sale(rig.issued()).id == entry.id
            with pytest.raises(PeriodClosed):
                other.book_sale(rig.issued("2026-0816"))
        assert (rig.sales("2026-0815"), rig.sales("2026-0816")) == (1, 0)


def test_a_sale_that_somebody_deleted_is_booked_anew_on_request_only() -> None:
    with books() as (box, rig), rig.connect(policy=attrs.evolve(rig.policy, wait_to_settle=True)) as provider:
        first = provider.book_sale(rig.issued())
        assert provider.book_sale(rig.issued(), again=True).id == first.id
        box.web.delete_entry(first.id)
        with pytest.raises(InvoiceGone, match=r"book_sale\(invoice, again=True\) books it anew"):
            provider.book_sale(rig.issued())
        assert rig.sales("2026-0815") == 0
        second = provider.book_sale(rig.issued(), again=True)
        assert (second.id != first.id, second.created, second.has_pdf) == (True, True, True)
        assert provider.book_sale(rig.issued(), again=True).id == second.id
        assert provider.book_sale(rig.issued()).id == second.id
        assert rig.sales("2026-0815") == 1


@pytest.mark.parametrize("status", [200, 429])
def test_a_spent_day_fails_fast(status: Any) -> None:
    spent = {"administration": Administration(calls_per_day=2), "assumptions": Assumptions(rate_limit_status=status)}
    with books(rate_limit=True, **spent) as (_, rig), rig.connect() as provider:
        provider.check()
        provider.check()
        with pytest.raises(Unavailable) as caught:
            provider.check()
        if status == 429:
            assert caught.value.retry_at is not None
            assert caught.value.retry_at - datetime.now(UTC) > timedelta(minutes=50)


def test_with_the_trade_module_articles_are_products() -> None:
    with books(administration=Administration(trade_module=True)) as (_, rig), rig.connect() as provider:
        article = next(iter(provider.import_articles()))
        with pytest.raises(InvalidRequest, match="trade module"):
            provider.create_invoice(rig.draft())
        line = LineItem(description="x", unit_price=Decimal(10), tax_rate=Decimal(21), article=article.id)
        assert provider.create_invoice(rig.draft(lines=[line])).totals.gross == Decimal("12.10")


def test_a_file_is_kept_once_and_goes_with_the_draft() -> None:
    file = Attachment(filename="uren.pdf", content=b"%PDF-1.4 uren")
    with books() as (box, rig), rig.connect() as provider:
        made = provider.create_invoice(rig.draft(attachments=[file]))
        provider.attach(made.id, file)
        provider.create_invoice(rig.draft(attachments=[file]))
        uploads = [call for call in box.log if call.method == "POST" and call.path.endswith("/attachments")]
        assert len(uploads) == 1


def test_only_what_was_edited_since_then_is_imported() -> None:
    with books(customers=12) as (box, rig), rig.connect() as provider:
        before = datetime.now(UTC) - timedelta(days=3)
        assert list(provider.import_customers(changed_since=before)) == []
        first = next(iter(provider.import_customers()))
        provider.update_customer(attrs.evolve(first, phone="030 5550 999"))
        assert [first.id] == [one.id for one in provider.import_customers(changed_since=before)]
        assert box.log
