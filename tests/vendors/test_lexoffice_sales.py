"""Sales of lexoffice: vouchers that add up before they are sent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from _lexoffice import (
    ACME,
    ENTRY,
    GOODS,
    INCOME,
    NOW,
    OTHER,
    ROUNDING,
    SERVICES,
    acme,
    categories,
    category,
    countries,
    documented,
    hours,
    issued,
    lexoffice,
    listing,
    plain,
    profile,
)
from _play import answer, play
from hypothesis import given, settings
from hypothesis import strategies as st

from accounting_bridge.errors import InvalidRequest, NotFound, OutcomeUnknown
from accounting_bridge.flow import Response
from accounting_bridge.models import (
    Address,
    Attachment,
    LineItem,
    LineKind,
    SalePlan,
    SalesEntry,
    SalesEntryStatus,
    ServicePeriod,
    TaxTreatment,
    TextLine,
    Totals,
)
from accounting_bridge.vendors.lexoffice import vouchers, wire
from accounting_bridge.wire import decode, dumps, loads

FRANCE = Address(street="Rue 1", city="Lyon", country_code="FR")
USA = Address(street="Road 1", city="Boston", country_code="US")
PDF = b"%PDF-1.7 invented"
FILE = Attachment(filename="R-2026-17.pdf", content=PDF)


def planned(sale, customer=None, *, answers=None, **options) -> SalePlan:
    flow = lexoffice(**options).plan_sale(sale, customer or acme(), now=NOW)
    return play(flow, [profile(), categories()] if answers is None else answers).result


def body_of(plan: SalePlan):
    return loads(Response(status=200, body=plan.body))


def refused(sale, customer=None, **how) -> list[str]:
    with pytest.raises(InvalidRequest) as error:
        planned(sale, customer, **how)
    return [problem.field for problem in error.value.problems]


def rows(plan: SalePlan):
    return [
        (row["amount"], row["taxAmount"], row["taxRatePercent"], row["categoryId"])
        for row in body_of(plan)["voucherItems"]
    ]


# ---- writing ---------------------------------------------------------------------------------------------------


def test_a_sale_is_written_with_every_field():
    sale = issued(
        hours(),
        TextLine(description="dazu"),
        hours("2", "10", kind=LineKind.GOODS, tax_rate=Decimal(7)),
        hours("1", "10.25", discount_percent=Decimal(10), kind=LineKind.TRAVEL),
        hours("1", "5", kind=LineKind.EXPENSE),
        due_date=date(2026, 3, 24),
        service_period=ServicePeriod(start=date(2026, 2, 1), end=date(2026, 2, 28)),
    )
    plan = planned(sale)
    expected = {
        "type": "salesinvoice",
        "voucherNumber": "R-2026/17",
        "voucherDate": "2026-03-10",
        "shippingDate": "2026-02-28",
        "dueDate": "2026-03-24",
        "totalGrossAmount": Decimal("841.61"),
        "totalTaxAmount": Decimal("132.38"),
        "taxType": "net",
        "useCollectiveContact": False,
        "contactId": ACME,
        "remark": "Rechnung R-2026/17, Acme Bau GmbH",
        "voucherItems": [
            {"amount": Decimal("684.23"), "taxAmount": Decimal("130.00"), "taxRatePercent": 19, "categoryId": SERVICES},
            {"amount": 20, "taxAmount": Decimal("1.40"), "taxRatePercent": 7, "categoryId": GOODS},
            {"amount": 5, "taxAmount": Decimal("0.95"), "taxRatePercent": 19, "categoryId": INCOME},
        ],
    }
    expected["totalTaxAmount"] = Decimal("132.35")
    expected["totalGrossAmount"] = Decimal("841.58")
    assert expected == body_of(plan)
    assert (Decimal("709.23"), Decimal("132.35"), Decimal("841.58")) == (
        plan.totals.net,
        plan.totals.tax,
        plan.totals.gross,
    )
    assert [7, 19] == [row.rate for row in plan.totals.by_rate]
    assert ("/v1/vouchers", 0) == (plan.path, plan.tolerance)


@pytest.mark.parametrize(
    ("gross", "rate", "tax"),
    [("175.37", 19, "28.00"), ("1000", 19, "159.66"), ("25251578.84", 19, "4031764.69"), ("119", 19, "19")],
)
def test_the_measured_tax_in_gross_amounts_is_computed(gross, rate, tax):
    plan = planned(issued(hours("1", gross, tax_rate=Decimal(rate)), prices_include_tax=True))
    assert [(Decimal(gross), Decimal(tax), rate, SERVICES)] == rows(plan)


@pytest.mark.parametrize(("net", "rate", "tax"), [("1748.81", 16, "279.81"), ("6677.37", 19, "1268.70")])
def test_the_measured_tax_on_net_amounts_is_computed(net, rate, tax):
    plan = planned(issued(hours("1", net, tax_rate=Decimal(rate))))
    assert [(Decimal(net), Decimal(tax), rate, SERVICES)] == rows(plan)


def test_the_status_is_never_sent():
    assert "voucherStatus" not in body_of(planned(issued()))


@pytest.mark.parametrize(
    ("treatment", "customer", "kind", "expected"),
    [
        (TaxTreatment.INTRA_EU_GOODS, acme(address=FRANCE, vat_number="FR1"), LineKind.GOODS, "9075a4e3"),
        (TaxTreatment.INTRA_EU_SERVICES, acme(address=FRANCE, vat_number="FR1"), LineKind.SERVICE, "380a20cb"),
        (TaxTreatment.EXPORT, acme(address=USA), LineKind.GOODS, "93d24c20"),
        (TaxTreatment.EXPORT, acme(address=USA), LineKind.TRAVEL, "ef5b1a6e"),
    ],
)
def test_sales_abroad_have_their_categories_and_need_a_company(treatment, customer, kind, expected):
    sale = issued(hours(kind=kind, tax_rate=None), tax_treatment=treatment)
    known = [profile(), categories(), countries()]
    ((amount, tax, rate, used),) = rows(planned(sale, customer, answers=known))
    assert (675, 0, 0, expected) == (amount, tax, rate, used[:8])
    person = acme(is_person=True, address=customer.address, vat_number="X1")
    assert ["customer"] == refused(sale, person, answers=known)
    assert "customer.address.country_code" in refused(sale, acme(), answers=known)


def test_the_category_of_small_businesses_is_looked_up_in_the_books():
    sale = issued(hours(tax_rate=None), tax_treatment=TaxTreatment.SMALL_BUSINESS)
    known = profile(smallBusiness=True, taxType="vatfree")
    plan = planned(sale, answers=[known, categories()])
    assert [(675, 0, 0, "f5c7fee8-f184-4e7a-ab04-8f7e7ad6c207")] == rows(plan)
    assert "gross" == body_of(plan)["taxType"]
    old = answer([category("7a1efa0e-6283-4cbf-9583-8e88d3ba5960", "Einnahmen als Kleinunternehmer")])
    assert "7a1efa0e" == rows(planned(sale, answers=[known, old]))[0][3][:8]
    named = answer([category(OTHER, "Umsatz Kleinunternehmer")])
    assert OTHER == rows(planned(sale, answers=[known, named]))[0][3]
    assert ["lines[0].ledger_account"] == refused(sale, answers=[known, answer([category(SERVICES, "x")])])


def test_domestic_reverse_charge_needs_a_category_of_the_users_choice():
    sale = issued(hours(tax_rate=None), tax_treatment=TaxTreatment.REVERSE_CHARGE)
    known = [profile(), categories(category(OTHER, "Bauleistungen §13b")), countries()]
    with pytest.raises(InvalidRequest, match="Bauleistungen"):
        planned(sale, answers=known)
    assert OTHER == rows(planned(sale, answers=known, category_reverse_charge="bauleistungen §13B"))[0][3]


@pytest.mark.parametrize("wanted", [INCOME, "Einnahmen", " einnahmen "])
def test_a_line_may_name_its_category_by_id_or_name(wanted):
    assert INCOME == rows(planned(issued(hours(ledger_account=wanted))))[0][3]


def test_a_category_that_does_not_fit_is_refused_with_what_comes_close():
    with pytest.raises(InvalidRequest, match=r"Dienstleistung \(8f8664a0"):
        planned(issued(hours(ledger_account="Dienstleistungne")))
    assert ["lines[0].ledger_account"] == refused(issued(hours(ledger_account="Reise MA")))


def test_a_category_for_one_rate_only_is_not_split():
    one = category(OTHER, "Nur ein Satz", splitAllowed=False)
    sale = issued(hours(ledger_account=OTHER), hours(tax_rate=Decimal(7)))
    assert ["lines"] == refused(sale, answers=[profile(), categories(one)])


def test_everything_wrong_with_a_sale_is_named_at_once():
    sale = issued(
        hours(tax_rate=Decimal(18)), hours(tax_rate=None), hours(ledger_account="?"), currency="USD",
        pdf=PDF + b"x" * vouchers.LARGEST_FILE,
    )  # fmt: skip
    expected = ["currency", "pdf", "lines[0].tax_rate", "lines[1].tax_rate", "lines[2].ledger_account"]
    assert expected == refused(sale)


def test_five_mebibytes_of_pdf_are_taken():
    planned(issued(pdf=PDF + b"x" * (vouchers.LARGEST_FILE - len(PDF))))


def test_a_sale_of_nothing_is_refused_and_rows_of_nothing_are_left_out():
    assert ["lines"] == refused(issued(hours("1"), hours("-1")))
    plan = planned(issued(hours("1"), hours("0", kind=LineKind.GOODS)))
    assert [SERVICES] == [row[3] for row in rows(plan)]


def test_a_row_that_comes_out_negative_is_refused():
    assert ["lines"] == refused(issued(hours("10"), hours("-1", kind=LineKind.GOODS)))


def test_a_negative_total_is_a_credit_note_with_positive_amounts():
    plan = planned(issued(hours("-2", "100"), total_gross=Decimal(-238)))
    assert "salescreditnote" == body_of(plan)["type"]
    assert [(200, 38, 19, SERVICES)] == rows(plan)
    assert (-200, -38, -238) == (plan.totals.net, plan.totals.tax, plan.totals.gross)


# ---- the printed total -----------------------------------------------------------------------------------------


def test_cents_too_many_in_the_print_become_a_row():
    """Three times 0.50 with 0.095 tax: 0.30 when rounded line by line, 0.29 per rate."""
    lines = [hours("1", "0.50")] * 3
    plan = planned(issued(*lines, total_gross=Decimal("1.80")))
    assert [(Decimal("1.5"), Decimal("0.29"), 19, SERVICES), (Decimal("0.01"), 0, 0, ROUNDING)] == rows(plan)
    assert (Decimal("1.80"), Decimal("0.29")) == (plan.totals.gross, plan.totals.tax)
    assert "0.01 EUR" in body_of(plan)["remark"]
    assert any("0.01 EUR" in note for note in plan.notes)


def test_cents_too_few_are_taken_from_the_largest_row():
    lines = [hours("1", "0.47"), hours("1", "0.47"), hours("1", "0.1", tax_rate=Decimal(7))]
    plan = planned(issued(*lines, total_gross=Decimal("1.22")))
    assert "gross" == body_of(plan)["taxType"]
    assert [(Decimal("1.11"), Decimal("0.18"), 19, SERVICES), (Decimal("0.11"), Decimal("0.01"), 7, SERVICES)] == rows(
        plan
    )
    assert Decimal("1.22") == plan.totals.gross == body_of(plan)["totalGrossAmount"]
    assert "-0.01 EUR" in body_of(plan)["remark"]


def test_cents_of_an_invoice_without_tax_stay_in_its_own_category():
    sale = issued(hours("1", "10", tax_rate=None), tax_treatment=TaxTreatment.EXPORT, total_gross=Decimal("10.01"))
    plan = planned(sale, acme(address=USA), answers=[profile(), categories(), countries()])
    assert [Decimal("10.01")] == [row[0] for row in rows(plan)]


def test_more_than_rounding_explains_is_refused():
    assert ["total_gross"] == refused(issued(hours("1", "100"), total_gross=Decimal("119.02")))
    planned(issued(hours("1", "100"), total_gross=Decimal("119.01")))


_lines = st.lists(
    st.builds(
        LineItem,
        description=st.just("Arbeit"),
        quantity=st.decimals("0.1", "99", places=2, allow_nan=False),
        unit_price=st.decimals("0.1", "999", places=2, allow_nan=False),
        tax_rate=st.sampled_from([Decimal(0), Decimal(7), Decimal(19)]),
        kind=st.sampled_from(LineKind),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=150)
@given(_lines, st.booleans(), st.integers(-6, 6))
def test_every_voucher_adds_up_by_the_vendors_own_arithmetic(lines, gross, off):
    usual = planned(issued(*lines, prices_include_tax=gross)).totals.gross
    printed = usual + Decimal(off) / 100
    if abs(off) > len(lines) or printed <= 0:
        return
    try:
        plan = planned(issued(*lines, prices_include_tax=gross, total_gross=printed))
    except InvalidRequest:
        assert printed < Decimal("0.2")
        return
    body = body_of(plan)
    assert printed == body["totalGrossAmount"] == plan.totals.gross
    taxes = amounts = Decimal(0)
    for row in body["voucherItems"]:
        base = 100 + row["taxRatePercent"] if body["taxType"] == "gross" else Decimal(100)
        tax = (Decimal(row["amount"]) * row["taxRatePercent"] / base).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        assert tax == row["taxAmount"]
        assert row["amount"] > 0
        taxes, amounts = taxes + tax, amounts + row["amount"]
    assert taxes == body["totalTaxAmount"] == plan.totals.tax
    assert body["totalGrossAmount"] == amounts + (0 if body["taxType"] == "gross" else taxes)
    stored = body | {"id": ENTRY, "voucherStatus": "open"}
    read = vouchers.neutral(
        decode(wire.CONVERTER, Response(status=200, body=dumps(stored)), wire.Voucher), "https://app.example"
    )
    assert plan.totals == read.totals


# ---- sending, finding, reading ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201])
def test_the_new_entry_is_known_by_its_id(status):
    body = plain(documented("documented_voucher_create.response"))
    played = play(lexoffice().submit_sale(planned(issued())), [answer(body, status)])
    assert "66196c43-baf3-4335-bfee-d610367059db" == played.result
    assert not played.requests[0].repeatable


def test_a_look_compares_the_number_exactly_on_all_pages():
    def row(entry_id, number):
        return {"id": entry_id, "voucherNumber": number, "contactId": OTHER}

    played = play(
        lexoffice().look_for_sales(issued(), ACME),
        [listing([row(OTHER, "R-2026/170"), row(OTHER, None)], last=False), listing([row(ENTRY, "R-2026/17")])],
    )
    assert [ENTRY] == played.result
    expected = {"voucherType": "salesinvoice,salescreditnote", "voucherStatus": "any", "page": "0", "size": "250",
                "voucherDateFrom": "2026-02-03", "voucherDateTo": "2026-04-14"}  # fmt: skip
    assert expected == dict(played.requests[0].params)


def test_the_documented_voucher_is_read():
    sample = documented("documented_voucher_multi_rate_get")
    entry = play(lexoffice().get_sale(ENTRY), [sample]).result
    assert ("2023-000321", SalesEntryStatus.OPEN, False) == (entry.invoice_number, entry.status, entry.has_pdf)
    assert (300, 26, 326) == (entry.totals.net, entry.totals.tax, entry.totals.gross)
    assert [(0, 100, 0), (7, 100, 7), (19, 100, 19)] == [(row.rate, row.net, row.tax) for row in entry.totals.by_rate]
    assert entry.url == f"https://app.lexware.de/permalink/vouchers/view/{entry.id}"


@pytest.mark.parametrize(
    ("status", "expected"),
    [("paid", SalesEntryStatus.PAID), ("paidoff", SalesEntryStatus.PAID), ("voided", SalesEntryStatus.VOID),
     ("unchecked", SalesEntryStatus("unchecked"))],
)  # fmt: skip
def test_a_status_is_read_and_an_unknown_one_kept(status, expected):
    body = plain(documented("documented_voucher_get")) | {"voucherStatus": status}
    assert expected == play(lexoffice().get_sale(ENTRY), [answer(body)]).result.status


def test_a_purchase_is_not_a_sale():
    body = plain(documented("documented_voucher_get")) | {"type": "purchaseinvoice"}
    with pytest.raises(NotFound):
        play(lexoffice().get_sale(ENTRY), [answer(body)])


def entry(**more) -> SalesEntry:
    zero = Decimal(0)
    totals = Totals(net=zero, tax=zero, gross=zero)
    return SalesEntry(id=ENTRY, invoice_number="R-2026/17", status=SalesEntryStatus.OPEN, totals=totals, **more)


def test_the_pdf_is_uploaded_to_the_voucher():
    (request,) = play(lexoffice().attach_to_sale(entry(), FILE), [answer({"id": OTHER}, 202)]).requests
    assert ("POST", f"/v1/vouchers/{ENTRY}/files") == (request.method, request.path)
    assert b'filename="R-2026-17.pdf"' in request.body
    assert PDF in request.body


def test_a_file_that_is_there_is_seen_whatever_it_is():
    without = plain(documented("documented_voucher_get"))
    assert not play(lexoffice().has_sale_file(entry(), FILE), [answer(without)]).result
    assert play(lexoffice().has_sale_file(entry(), FILE), [answer(without | {"files": [OTHER]})]).result
    assert play(lexoffice().has_sale_file(entry(has_pdf=True), FILE)).result


def test_a_lost_upload_is_not_hidden():
    with pytest.raises(OutcomeUnknown):
        play(lexoffice().attach_to_sale(entry(), FILE), [OutcomeUnknown("lost")])
