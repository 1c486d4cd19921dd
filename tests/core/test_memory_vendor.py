"""The in-memory vendor from end to end, in all three worlds: what an app does, and what can go wrong."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.core.support import TurnedClock
from tests.core.worlds import provider as connected

import accounting_bridge as ab
from accounting_bridge.vendors.memory import MemoryBooks, MemorySettings

pytestmark = pytest.mark.anyio

CUSTOMER = ab.Customer(number="10001", name="Musterkunde GmbH", email="rechnung@beispiel.example")
LINE = ab.LineItem(description="Design", quantity=Decimal("7.5"), unit="h", unit_price=80, tax_rate=19)
PDF = b"%PDF-1.4 made by the app"


def draft(reference="A-1", **changes):
    return ab.InvoiceDraft(**{"reference": reference, "customer": CUSTOMER, "lines": [LINE], **changes})


def issued(number="R-1", **changes):
    values = {
        "number": number, "customer": CUSTOMER, "lines": [LINE], "issue_date": date(2026, 3, 31),
        "sent_at": datetime(2026, 3, 31, 9, tzinfo=UTC),
    }  # fmt: skip
    return ab.IssuedInvoice(**{**values, **changes})


@pytest.fixture
def books():
    return MemoryBooks()


@pytest.fixture
def clock():
    return TurnedClock()


@pytest.fixture
def provider(world, books, clock):
    """A provider; closing it closes nothing here, for nothing was opened."""
    return connected(world, "memory", {"books": books}, clock=clock)


async def test_it_says_whose_books_these_are(provider, world):
    async with provider:
        connection = await provider.check()
    assert (connection.vendor, connection.company) == ("memory", "Musterbuchhaltung GmbH")
    assert (provider.vendor, provider.capabilities.currencies) == ("memory", frozenset({"EUR"}))
    assert "memory at https://memory.invalid, tenant 'default'" in repr(provider.inner)


async def test_it_can_be_used_in_a_with_statement(world, books):
    if world == "sync":
        with connected(world, "memory", {"books": books}).inner as provider:
            assert provider.check().currency == "EUR"
    else:
        async with connected(world, "memory", {"books": books}).inner as provider:
            assert (await provider.check()).currency == "EUR"


# ---- customers -------------------------------------------------------------------------------------------------


async def test_customers_are_imported_page_by_page(provider, books):
    books.add_customers(250)
    imported = provider.import_customers()
    assert imported.complete is False
    assert [c.number for c in await imported.all()] == [str(10001 + n) for n in range(250)]
    assert (imported.complete, imported.skipped) == (True, ())
    assert len(await imported.all()) == 250


async def test_only_what_changed_is_imported(provider, books):
    books.add_customers(3)
    since = datetime.now(UTC) + timedelta(seconds=1)
    assert await provider.import_customers(changed_since=since).all() == []


async def test_a_customer_is_found_by_number_or_not(provider, books):
    books.put_customer(CUSTOMER)
    assert (await provider.find_customer("10001")).name == "Musterkunde GmbH"
    assert await provider.find_customer("10002") is None


async def test_a_customer_is_ensured_once(provider, books):
    first = await provider.ensure_customer(CUSTOMER)
    second = await provider.ensure_customer(CUSTOMER)
    third = await provider.ensure_customer(first.customer)
    assert [(e.created, e.rule) for e in (first, second, third)] == [
        (True, "created"), (False, "journal"), (False, "id"),
    ]  # fmt: skip
    assert len(books.customers) == 1


async def test_a_customer_of_the_books_is_found_and_not_made(provider, books):
    known = books.put_customer(CUSTOMER)
    found = await provider.ensure_customer(CUSTOMER)
    assert (found.customer.id, found.created, found.rule) == (known.id, False, "number")


async def test_a_customer_that_was_deleted_may_be_made_again(provider, books):
    await provider.ensure_customer(CUSTOMER)
    books.customers.clear()
    assert (await provider.ensure_customer(CUSTOMER)).created


@pytest.mark.parametrize("after_commit", [True, False])
async def test_a_customer_whose_answer_was_lost_is_made_once(provider, books, clock, after_commit):
    books.lose_next_answer(after_commit=after_commit)
    for _ in range(2):
        try:
            await provider.ensure_customer(CUSTOMER)
        except ab.OutcomeUnknown as unclear:
            clock.seconds = (unclear.retry_at - clock.start).total_seconds()
    assert len(books.customers) == 1


async def test_a_customer_without_a_number_cannot_be_ensured(provider):
    with pytest.raises(ab.InvalidRequest, match=r"customer\.number: is needed"):
        await provider.ensure_customer(ab.Customer(name="Eva"))


async def test_customers_are_not_made_where_that_is_switched_off(world, books):
    provider = connected(world, "memory", MemorySettings(books=books, create_customers=False))
    for call, given in ((provider.ensure_customer, CUSTOMER), (provider.plan_invoice, draft())):
        with pytest.raises(ab.NotFound, match="create_customers is off"):
            await call(given)
    books.put_customer(CUSTOMER)
    assert not (await provider.ensure_customer(CUSTOMER)).created


async def test_a_customer_is_changed_where_something_is_set(provider, books):
    known = books.put_customer(ab.Customer(number="1", name="Alt", phone="1"))
    changed = await provider.update_customer(ab.Customer(id=known.id, name="Neu", email="neu@beispiel.example"))
    assert (changed.name, changed.email, changed.phone, changed.number) == ("Neu", "neu@beispiel.example", "1", "1")
    with pytest.raises(ab.InvalidRequest, match=r"customer\.id: is needed"):
        await provider.update_customer(CUSTOMER)
    with pytest.raises(ab.NotFound):
        await provider.update_customer(ab.Customer(id="gone", name="Neu"))


async def test_master_data_is_read(provider, books):
    books.articles["a-1"] = ab.Article(id="a-1", name="Hour")
    assert [article.id for article in await provider.import_articles().all()] == ["a-1"]
    assert [(rate.rate, rate.is_default) for rate in await provider.tax_rates()] == [(19, True), (7, False), (0, False)]
    assert (await provider.ledger_accounts())[0].number == "8400"
    assert (await provider.payment_terms())[0].days == 14


# ---- invoices --------------------------------------------------------------------------------------------------


async def test_an_invoice_is_made_once(provider, books):
    first = await provider.create_invoice(draft())
    second = await provider.create_invoice(draft())
    assert (first.created, second.created, second.id) == (True, False, first.id)
    assert (first.status, first.number, first.totals.gross) == (ab.InvoiceStatus.DRAFT, None, Decimal("714.00"))
    assert (len(books.invoices), len(books.customers)) == (1, 1)


async def test_a_plan_sends_nothing_and_predicts_the_totals(provider, books):
    plan = await provider.plan_invoice(draft())
    assert (plan.totals.gross, plan.customer_id) == (Decimal("714.00"), None)
    assert (books.invoices, books.customers) == ({}, {})
    assert "bytes>" in repr(plan)


@pytest.mark.parametrize(("days", "due"), [(None, 14), (0, 0), (30, 30)])
async def test_payment_terms_are_counted_from_the_day_of_issue(provider, days, due):
    invoice = await provider.create_invoice(draft(payment_terms_days=days))
    assert invoice.due_date - invoice.issue_date == timedelta(days=due)
    assert invoice.issue_date == date(2026, 3, 31)


async def test_the_same_reference_with_other_content_is_refused(provider, books):
    await provider.create_invoice(draft())
    with pytest.raises(ab.ReferenceReused, match="give the changed one a reference of its own, or"):
        await provider.create_invoice(draft(introduction="changed"))
    assert len(books.invoices) == 1


async def test_an_invoice_that_was_deleted_is_not_made_again(provider, books):
    file = ab.Attachment(filename="stunden.pdf", content=PDF)
    await provider.create_invoice(draft(attachments=[file]))
    books.invoices.clear()
    with pytest.raises(ab.InvoiceGone):
        await provider.create_invoice(draft(attachments=[file]))


@pytest.mark.parametrize("after_commit", [True, False])
async def test_an_invoice_whose_answer_was_lost_is_made_once(provider, books, clock, after_commit):
    await provider.ensure_customer(CUSTOMER)
    books.lose_next_answer(after_commit=after_commit)
    if after_commit:
        assert (await provider.create_invoice(draft())).created
    else:
        with pytest.raises(ab.OutcomeUnknown) as caught:
            await provider.create_invoice(draft())
        clock.seconds = (caught.value.retry_at - clock.start).total_seconds()
        assert (await provider.create_invoice(draft())).created
    assert len(books.invoices) == 1


def alone(world, books):
    """A connection that shares no memory with any other."""
    return connected(world, "memory", {"books": books}, journal=ab.MemoryJournal(), tenant="tests")


async def test_an_invoice_of_an_earlier_process_is_found(world, books):
    first = await connected(
        world, "memory", {"books": books}, journal=ab.MemoryJournal(), tenant="tests"
    ).create_invoice(draft())
    again = await connected(
        world, "memory", {"books": books}, journal=ab.MemoryJournal(), tenant="tests"
    ).create_invoice(draft())
    assert (again.id, again.created) == (first.id, False)


async def test_an_invoice_can_be_final_at_once_or_later(provider):
    final = await provider.create_invoice(draft(), finalize=True)
    assert (final.status, final.number) == (ab.InvoiceStatus.OPEN, "RE0001")
    later = await provider.create_invoice(draft("A-2"))
    assert (await provider.finalize_invoice(later.id)).number == "RE0002"
    assert (await provider.finalize_invoice(later.id)).number == "RE0002"
    third = await provider.create_invoice(draft("A-3"))
    assert (await provider.create_invoice(draft("A-3"), finalize=True)).number == "RE0003"
    assert (await provider.get_invoice(third.id)).status is ab.InvoiceStatus.OPEN


async def test_everything_that_the_books_do_not_take_is_named_at_once(provider, books):
    lines = [
        ab.LineItem(description="A", unit_price=1, tax_rate=16),
        ab.TextLine(description="B"),
        ab.LineItem(description="C", unit_price=Decimal("0.12345"), quantity=Decimal("0.12345")),
    ]
    with pytest.raises(ab.InvalidRequest) as caught:
        await provider.create_invoice(draft(lines=lines, currency="USD"))
    assert [problem.field for problem in caught.value.problems] == [
        "currency", "lines[0].tax_rate", "lines[2].tax_rate", "lines[2].quantity", "lines[2].unit_price",
    ]  # fmt: skip
    assert caught.value.vendor == "memory"
    assert books.customers == {}


async def test_a_line_without_a_rate_takes_the_default_or_none(world, books):
    provider = connected(world, "memory", {"books": books, "default_tax_rate": "7"})
    line = ab.LineItem(description="Buch", unit_price=100)
    assert (await provider.create_invoice(draft(lines=[line]))).totals.tax == Decimal("7.00")
    free = draft("A-2", lines=[line], tax_treatment=ab.TaxTreatment.REVERSE_CHARGE)
    assert (await provider.create_invoice(free)).totals.tax == 0


async def test_closed_books_take_nothing(provider, books):
    books.closed_until = date(2026, 3, 31)
    with pytest.raises(ab.PeriodClosed):
        await provider.create_invoice(draft())
    with pytest.raises(ab.PeriodClosed):
        await provider.book_sale(issued())


async def test_a_customer_that_nothing_would_find_again_is_not_made(provider, books):
    with pytest.raises(ab.InvalidRequest, match=r"customer\.number: is needed"):
        await provider.create_invoice(draft(customer=ab.Customer(name="Eva")))
    assert (books.customers, books.invoices) == ({}, {})


async def test_a_customer_that_must_exist_is_looked_up(provider, books):
    for customer in (ab.CustomerRef(number="10001"), ab.CustomerRef(id="customer-1"), ab.Customer(id="x", name="Eva")):
        with pytest.raises(ab.NotFound):
            await provider.create_invoice(draft(customer=customer))
    known = books.put_customer(CUSTOMER)
    for number, customer in enumerate((
        ab.CustomerRef(number="10001"), ab.CustomerRef(id=known.id), known, CUSTOMER,
    )):  # fmt: skip
        assert (await provider.create_invoice(draft(f"B-{number}", customer=customer))).customer_id == known.id


async def test_files_are_kept_with_the_invoice_once(provider, books):
    file = ab.Attachment(filename="stunden.pdf", content=PDF)
    invoice = await provider.create_invoice(draft(attachments=[file]))
    await provider.create_invoice(draft(attachments=[file]))
    await provider.attach(invoice.id, file)
    assert books.files == {invoice.id: [file]}
    with pytest.raises(ab.NotFound):
        await provider.attach("gone", file)


async def test_a_pdf_is_there_for_final_invoices(provider):
    invoice = await provider.create_invoice(draft())
    with pytest.raises(ab.Conflict):
        await provider.invoice_pdf(invoice.id)
    await provider.finalize_invoice(invoice.id)
    assert (await provider.invoice_pdf(invoice.id)).startswith(b"%PDF-")
    with pytest.raises(ab.NotFound):
        await provider.get_invoice("gone")


async def test_an_invoice_is_mailed_once_per_recipient(provider, books):
    invoice = await provider.create_invoice(draft(), finalize=True)
    sent = [
        await provider.send_invoice(invoice.id),
        await provider.send_invoice(invoice.id),
        await provider.send_invoice(invoice.id, to="chefin@beispiel.example"),
        await provider.send_invoice(invoice.id, to="chefin@beispiel.example"),
        await provider.send_invoice(invoice.id, again=True),
    ]
    assert sent == [True, False, True, False, True]
    assert [to for _, to, _ in books.mails] == [CUSTOMER.email, "chefin@beispiel.example", CUSTOMER.email]


async def test_a_mail_that_cannot_go_out_may_be_tried_again(provider, books):
    invoice = await provider.create_invoice(draft(customer=ab.Customer(number="1", name="Eva")))
    with pytest.raises(ab.Conflict):
        await provider.send_invoice(invoice.id)
    await provider.finalize_invoice(invoice.id)
    with pytest.raises(ab.InvalidRequest, match="to: is needed"):
        await provider.send_invoice(invoice.id)
    assert await provider.send_invoice(invoice.id, to="eva@beispiel.example")


async def test_several_invoices_each_have_an_outcome(provider, books):
    books.rates = (Decimal(19),)
    odd = draft("A-2", lines=[ab.LineItem(description="Buch", unit_price=1, tax_rate=7)])
    outcomes = await provider.create_invoices([draft("A-1"), odd, draft("A-3")]).all()
    assert [(o.reference, o.ok) for o in outcomes] == [("A-1", True), ("A-2", False), ("A-3", True)]
    assert isinstance(outcomes[1].error, ab.InvalidRequest)


# ---- sales -----------------------------------------------------------------------------------------------------


async def test_a_sale_is_booked_once_with_its_pdf(provider, books):
    first = await provider.book_sale(issued(pdf=PDF, total_gross=Decimal("714.00")))
    second = await provider.book_sale(issued(pdf=PDF, total_gross=Decimal("714.00")))
    assert (first.created, first.has_pdf, second.created, second.id) == (True, True, False, first.id)
    assert len(books.sales) == 1


async def test_a_pdf_that_came_later_is_added(provider, books):
    entry = await provider.book_sale(issued())
    assert not entry.has_pdf
    assert (await provider.book_sale(issued(pdf=PDF))).has_pdf


async def test_only_what_was_sent_is_booked(provider, books):
    with pytest.raises(ab.InvoiceNotSent):
        await provider.book_sale(issued(sent_at=None))
    with pytest.raises(ab.InvalidRequest, match="in the books already"):
        await provider.book_sale(await provider.create_invoice(draft()))
    with pytest.raises(ab.InvalidRequest, match="only issued invoices are booked"):
        await provider.book_sale(draft())
    assert books.sales == {}


async def test_a_sale_whose_sum_is_another_is_refused(provider, books):
    with pytest.raises(ab.InvalidRequest, match=r"total_gross: is 714\.01"):
        await provider.book_sale(issued(total_gross=Decimal("714.01")))
    assert (await provider.plan_sale(issued())).totals.gross == Decimal("714.00")
    with pytest.raises(
        ab.InvalidRequest, match=r"tax_rate: is missing: give tax_rate=19 to LineItem or Billing, or set"
    ):
        await provider.plan_sale(issued(lines=[ab.LineItem(description="A", unit_price=1)]))
    assert books.sales == {}


async def test_a_sale_under_a_number_with_other_content_or_gone_is_refused(provider, books):
    await provider.book_sale(issued())
    with pytest.raises(ab.ReferenceReused, match="credit it, and issue a corrected one under a number of its own, or"):
        await provider.book_sale(issued(currency="EUR"))
    books.sales.clear()
    with pytest.raises(ab.InvoiceGone):
        await provider.book_sale(issued())


@pytest.mark.parametrize("after_commit", [True, False])
async def test_a_sale_whose_answer_was_lost_is_booked_once(provider, books, clock, after_commit):
    await provider.ensure_customer(CUSTOMER)
    books.lose_next_answer(after_commit=after_commit)
    try:
        entry = await provider.book_sale(issued())
    except ab.OutcomeUnknown as unclear:
        clock.seconds = (unclear.retry_at - clock.start).total_seconds()
        entry = await provider.book_sale(issued())
    assert entry.created
    assert len(books.sales) == 1


async def test_a_sale_of_an_earlier_process_is_found(world, books):
    for created in (True, False):
        provider = alone(world, books)
        assert (await provider.book_sale(issued())).created is created


async def test_several_sales_each_have_an_outcome(provider):
    outcomes = await provider.book_sales([issued("R-1"), issued("R-2", sent_at=None)]).all()
    assert [o.ok for o in outcomes] == [True, False]


async def test_a_sale_for_a_new_customer_makes_the_customer(provider, books):
    await provider.book_sale(issued())
    assert [customer.number for customer in books.customers.values()] == ["10001"]
