"""Sales: the sums of an entry agree however VAT is rounded; and every request is as the vendor describes it."""

import base64
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from _informer import (
    BOOKS,
    CONDITIONS,
    CURRENCIES,
    CUSTOMER,
    MASTER,
    NEW,
    administration,
    answer,
    described,
    draft,
    fixture,
    hours,
    informer,
    invoice,
    ledger,
    misfits,
    nothing,
    option,
    options,
    page,
    params,
    play,
    refusal,
    relation,
    sent,
)  # fmt: skip
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from accounting_bridge import InvalidRequest, NotFound, PeriodClosed
from accounting_bridge.flow import Request
from accounting_bridge.models import (
    Attachment,
    IssuedInvoice,
    LineItem,
    LineKind,
    SalesEntryStatus,
    ServicePeriod,
    TaxTreatment,
    TextLine,
)
from accounting_bridge.money import PricedLine, totals
from accounting_bridge.wire import fill

PDF = b"%PDF-1.4 invented"
NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
READS = (administration(), options(), CONDITIONS)
CENT = Decimal("0.01")


def issued(*lines, **fields):
    content = {
        "number": "F-2026-7", "customer": CUSTOMER, "lines": lines or (hours(),), "issue_date": date(2026, 3, 31),
        "due_date": date(2026, 4, 14), "sent_at": NOW, "pdf": PDF,
    }  # fmt: skip
    return IssuedInvoice(**{**content, **fields})


def planned(document=None, answers=READS, adapter=BOOKS, customer=CUSTOMER):
    return play(adapter.plan_sale(document or issued(), customer, now=NOW), answers).result


def body_of(plan):
    return sent(Request(method="POST", path="/", body=plan.body))


def refused(document, answers=READS, adapter=BOOKS, customer=CUSTOMER):
    with pytest.raises(InvalidRequest) as caught:
        planned(document, answers, adapter, customer)
    return {problem.field: problem.message for problem in caught.value.problems}


# ---- bodies ------------------------------------------------------------------------------------------------


def test_an_issued_invoice_becomes_an_entry():
    plan = planned(issued(TextLine(description="Project"), hours(), hours(description="Meer\nadvies")))
    assert {
        "relation_id": 1001, "number": "F-2026-7", "invoice_date": "2026-03-31", "expiry_date": "2026-04-14",
        "payment_condition_id": 41, "vat_option": "excl", "invoice_amount": Decimal("517.28"),
        "lines": [{"description": "Advies; Meer", "amount": Decimal("427.5"), "vat_id": 11, "ledger_id": 801}],
        "pdf": base64.b64encode(PDF).decode(),
    } == body_of(plan)  # fmt: skip
    assert plan.totals.gross == Decimal("517.28")
    left_out, booked = plan.notes
    assert left_out == "text lines are left out: entries have none"
    assert booked.endswith("go on 8000 Omzet 8000: from ledger_account, as ledger_account_services is not set")


def test_articles_are_left_out_of_entries():
    plan = planned(issued(hours(article="7")))
    assert "product_id" not in body_of(plan)["lines"][0]
    assert "articles are left out: entries have none, and are booked by ledger account" in plan.notes


def test_an_entry_never_goes_on_another_account_than_the_one_of_its_kind():
    adapter = informer(ledger_account="8010", ledger_account_travel="9999", payment_condition="nope")
    trip = hours(description="Reis", kind=LineKind.TRAVEL)
    named = refused(issued(hours(), trip), adapter=adapter)
    assert ["lines[1].ledger_account"] == list(named)
    assert "the setting ledger_account_travel: 9999 is no account" in named["lines[1].ledger_account"]
    notes = "\n".join(planned(issued(hours()), adapter=adapter).notes)
    assert "the setting ledger_account_travel: 9999 is no account" in notes
    assert "the setting payment_condition: 'nope' is not in the books" in notes


def test_a_due_date_without_a_condition_takes_the_usual_one():
    """The entry says when it is due itself."""
    answers = (*READS, answer(relation(payment_condition_id=42)))
    body = body_of(planned(issued(due_date=date(2026, 4, 7)), answers))
    assert ("2026-04-07", 42) == (body["expiry_date"], body["payment_condition_id"])
    answers = (*READS, answer(relation(payment_condition_id=None)))
    body = body_of(planned(issued(due_date=None), answers))
    assert ("2026-04-14", 41) == (body["expiry_date"], body["payment_condition_id"])


def test_long_descriptions_are_cut():
    lines = [hours(description=f"Regel {number} " + "x" * 30) for number in range(10)]
    (line,) = body_of(planned(issued(*lines)))["lines"]
    assert (200, "…") == (len(line["description"]), line["description"][-1])


def test_sums_are_kept_apart_by_account():
    body = body_of(planned(issued(hours(), hours(ledger_account="8010"), hours(tax_rate=Decimal(9)))))
    assert [(11, 801), (11, 802), (12, 804)] == [(line["vat_id"], line["ledger_id"]) for line in body["lines"]]


def test_gross_is_sent_where_vat_per_sum_is_not_vat_per_rate():
    """Two sums of 0.02 at 21 %: no VAT each, a cent together."""
    items = [hours(quantity=1, unit_price=Decimal("0.02")), hours(quantity=1, unit_price=Decimal("0.02"))]
    items[1] = evolve(items[1], ledger_account="8010")
    plan = planned(issued(*items))
    body = body_of(plan)
    assert ("incl", Decimal("0.05")) == (body["vat_option"], body["invoice_amount"])
    assert Decimal("0.05") == sum(line["amount"] for line in body["lines"])
    assert Decimal("0.01") == plan.totals.tax


def test_the_printed_total_is_booked():
    plan = planned(issued(hours(quantity=1, unit_price=Decimal(100)), total_gross=Decimal("121.01")))
    assert ("incl", Decimal("121.01")) == (body_of(plan)["vat_option"], body_of(plan)["invoice_amount"])
    named = refused(issued(hours(quantity=1, unit_price=Decimal(100)), total_gross=Decimal(122)))
    assert "rounding explains a difference of 0.01 at most" in named["total_gross"]
    free = issued(hours(tax_rate=None, quantity=1, unit_price=100), total_gross=Decimal("100.01"),
                  tax_treatment=TaxTreatment.EXPORT)  # fmt: skip
    assert ["total_gross"] == list(refused(free, adapter=informer(), customer=evolve(CUSTOMER, address=None)))


def test_a_sale_is_refused_where_its_treatment_cannot_be_right_for_the_country():
    free = issued(hours(tax_rate=None, quantity=1, unit_price=100), tax_treatment=TaxTreatment.EXPORT)
    named = refused(free, adapter=informer())
    assert ["tax_treatment"] == list(named)
    assert "NL is the company's own country" in named["tax_treatment"]


def test_gross_prices_stay_gross():
    body = body_of(planned(issued(hours(quantity=6, unit_price=Decimal(120)), prices_include_tax=True)))
    assert ("incl", 720, 720) == (body["vat_option"], body["invoice_amount"], body["lines"][0]["amount"])


def test_all_problems_of_a_sale_are_named_at_once():
    document = issued(
        hours(tax_rate=Decimal(19)), hours(ledger_account="1"), currency="USD", total_gross=Decimal("1.234")
    )
    assert {"lines[0].tax_rate", "lines[1].ledger_account", "currency", "total_gross"} == set(refused(document))


def test_germany_needs_a_delivery_date():
    period = ServicePeriod(start=date(2026, 3, 1), end=date(2026, 3, 20))
    answers = (administration(country="DE"), *READS[1:])
    assert body_of(planned(issued(service_period=period), answers))["delivery_date"] == "2026-03-20"


def test_a_closed_period_is_found_before_sending_and_an_entry_in_it_as_well():
    closed = (administration(blocked_period={"year": 2026, "month": 3}), *READS[1:])
    with pytest.raises(PeriodClosed):
        planned(answers=(*closed, nothing()))
    assert planned(answers=(*closed, page(invoice(55, number="F-2026-7"), key="invoices"))).customer_id == "1001"
    assert isinstance(
        refusal(422, ["You can no longer book in the specified period."], "POST", "/v2/salesbook"), PeriodClosed
    )


def test_a_new_customer_is_made_before_the_entry():
    plan = planned(issued(customer=NEW), customer=NEW)
    played = play(BOOKS.submit_sale(evolve(plan, body=fill(plan.body, "77"))), [answer({"id": 55})])
    assert (played.result, sent(played.requests[0])["relation_id"]) == ("55", 77)


# ---- looking, reading, finishing ---------------------------------------------------------------------------


def test_entries_are_found_by_exactly_their_number():
    hits = page(invoice(1, number="F-2026-71"), invoice(2, number="F-2026-7"), key="invoices")
    played = play(BOOKS.look_for_sales(issued(), "1001"), [hits])
    assert ["2"] == played.result
    assert ["1001"] == params(played.requests, "relation_id")


def entry(**fields):
    sums = {"excl_vat": 100, "incl_vat": 121, "vat": 21, "paid": 0}
    return invoice(55, **{"number": "F-2026-7", "totals": sums, "concept": "0", **fields})


def test_an_entry_is_read_in_either_form():
    for body in ([entry()], entry()):
        found = play(BOOKS.get_sale("55"), [answer(body)]).result
        assert ("55", "F-2026-7", SalesEntryStatus.OPEN) == (found.id, found.invoice_number, found.status)
    paid = entry(totals={"excl_vat": 100, "incl_vat": 121, "paid": Decimal("121.0")})
    assert play(BOOKS.get_sale("55"), [answer([paid])]).result.status is SalesEntryStatus.PAID
    with pytest.raises(NotFound):
        play(BOOKS.get_sale("55"), [refusal(404, ["Resource niet gevonden."], path="/v2/salesbook/55")])


def test_the_documented_entry_is_read():
    documented = fixture("v2_salesbook_get_200.json")
    found = play(BOOKS.get_sale("55"), [documented]).result
    assert ("SB-2024-001", Decimal(121)) == (found.invoice_number, found.totals.gross)


def test_the_pdf_travels_with_the_entry():
    made = play(BOOKS.get_sale("55"), [answer([entry()])]).result
    new = play(BOOKS.finish_sale(evolve(made, created=True), issued()))
    assert (True, []) == (new.result.has_pdf, new.requests)
    again = play(BOOKS.finish_sale(made, issued()), [answer({"pdf": base64.b64encode(PDF).decode()})])
    assert again.result.has_pdf
    bare = play(BOOKS.finish_sale(made, issued()), [refusal(404, ["No file"], path="/v2/salesbook/pdf/55")])
    assert (False, 1) == (bare.result.has_pdf, len(bare.result.notes))
    assert not play(BOOKS.finish_sale(made, issued(pdf=None))).result.has_pdf


# ---- to the cent ---------------------------------------------------------------------------------------------

LEDGERS = ("8000", "8010", "8011", "8012")
WIDE = options(
    option(11, "21", ("incl", "excl"), *(ledger(800 + n, number) for n, number in enumerate(LEDGERS))),
    option(12, "9", ("incl", "excl"), *(ledger(900 + n, number) for n, number in enumerate(LEDGERS))),
)
items = st.builds(
    LineItem,
    description=st.just("Advies"),
    quantity=st.decimals(min_value=Decimal("0.01"), max_value=Decimal(40), places=2),
    unit_price=st.decimals(min_value=Decimal("0.01"), max_value=Decimal(300), places=2),
    tax_rate=st.sampled_from([Decimal(21), Decimal(9)]),
    ledger_account=st.sampled_from(LEDGERS),
    discount_percent=st.none() | st.integers(0, 90).map(Decimal),
)


def rounded(amount):
    return amount.quantize(CENT, ROUND_HALF_UP)


@given(st.lists(items, min_size=1, max_size=8), st.booleans(), st.integers(-1, 1))
def test_an_entry_adds_up_however_the_vendor_rounds(lines, gross, cents):
    """The total beside the lines is their sum, with VAT rounded per line and per rate, and VAT is the printed one."""
    priced = [
        PricedLine(one.quantity, one.unit_price, one.tax_rate, one.discount_percent or Decimal(0)) for one in lines
    ]
    printed = totals(priced, BOOKS.rounding, prices_include_tax=gross)
    document = issued(*lines, prices_include_tax=gross)
    assert printed == planned(document, (READS[0], WIDE, CONDITIONS)).totals
    document = evolve(document, total_gross=printed.gross + cents * CENT)
    plan = planned(document, (READS[0], WIDE, CONDITIONS))
    body = body_of(plan)
    rate_of = {11: Decimal(21), 12: Decimal(9)}
    per_line = Decimal(0)
    per_rate = {}
    for line in body["lines"]:
        rate = rate_of[line["vat_id"]]
        per_rate[rate] = per_rate.get(rate, Decimal(0)) + line["amount"]
        per_line += line["amount"] + (0 if body["vat_option"] == "incl" else rounded(line["amount"] * rate / 100))
    by_rate = sum(
        amount + (0 if body["vat_option"] == "incl" else rounded(amount * rate / 100))
        for rate, amount in per_rate.items()
    )
    assert body["invoice_amount"] == per_line == by_rate == document.total_gross
    if not cents:
        assert plan.totals == printed


# ---- as the vendor describes it ------------------------------------------------------------------------------


def test_every_request_is_as_the_vendor_describes_it():
    spec = described()
    person = evolve(NEW, name="Eva Vries", is_person=True, first_name="Eva", last_name="Vries")
    known = play(BOOKS.get_customer("1001"), [answer(relation(zip="3511 AB")), CONDITIONS]).result
    record = answer(relation(zip="3511 AB"))
    whole = hours(quantity=2, discount_percent=Decimal(10))
    invoice_plan = play(
        BOOKS.plan_invoice(draft(TextLine(description="x"), whole, closing="x"), CUSTOMER, finalize=False, now=NOW),
        MASTER,
    )
    sale_plan = play(BOOKS.plan_sale(issued(), CUSTOMER, now=NOW), READS)
    file = Attachment(filename="uren.pdf", content=PDF)
    pdf = answer({"pdf": base64.b64encode(PDF).decode()})
    trade = administration(modules={"trade": True})
    plays = [
        play(BOOKS.check(), [administration()]),
        play(BOOKS.list_customers(None, NOW), [CONDITIONS, page(relation(1), total=2)]),
        play(BOOKS.list_customers("2.1.1.2.1", NOW), [CONDITIONS, page(relation(2), number=2, total=2)]),
        play(BOOKS.find_customer("4711"), [nothing()]),
        play(BOOKS.create_customer(NEW), [answer({"id": 1}), record, CONDITIONS]),
        play(BOOKS.create_customer(person), [answer({"id": 1}), record, CONDITIONS]),
        play(BOOKS.update_customer(evolve(known, name="X", active=False)), [record, CONDITIONS, answer({}), record]),
        invoice_plan,
        sale_plan,
        play(BOOKS.submit_invoice(invoice_plan.result), [answer({"id": 1})]),
        play(BOOKS.submit_sale(sale_plan.result), [answer({"id": 1})]),
        play(BOOKS.look_for_invoices("x", "1", NOW), [nothing()]),
        play(BOOKS.look_for_sales(issued(), "1"), [nothing()]),
        play(BOOKS.get_invoice("1"), [answer(invoice()), CURRENCIES]),
        play(BOOKS.get_sale("1"), [answer(invoice())]),
        play(BOOKS.invoice_pdf("1"), [answer(invoice(concept="0")), pdf]),
        play(BOOKS.finish_sale(play(BOOKS.get_sale("1"), [answer(invoice())]).result, issued()), [pdf]),
        play(
            BOOKS.finalize_invoice(play(BOOKS.get_invoice("1"), [answer(invoice(1)), CURRENCIES]).result), [answer({})]
        ),
        play(BOOKS.send_invoice("1", None), [answer(invoice()), answer({})]),
        play(BOOKS.has_file("1", file), [answer(invoice())]),
        play(BOOKS.attach("1", file), [answer({"id": 1})]),
        play(BOOKS.list_articles(None), [trade, options(), answer([])]),
    ]
    requests = [request for played in plays for request in played.requests]
    assert len(requests) > 40
    assert [] == [(one.method, one.path, found) for one in requests if (found := misfits(spec, one))]


def test_the_validator_sees_what_is_wrong():
    spec = described()
    wrong = Request(method="POST", path="/v2/relations", body=b'{"relation_type":0,"company_name":"x","oops":1}')
    assert {"$.street is missing", "$.oops is not described"} <= set(misfits(spec, wrong))
    assert misfits(spec, evolve(wrong, path="/v2/invoices/sales/send/1", body=b'{"method":"fax"}'))
