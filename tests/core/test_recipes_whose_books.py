"""Errors of recipes name the vendor themselves: who drives a flow without the engine is told whose books they are."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from tests.core.odd_vendor import FILE, SETTLE, Odd, connected, connected_to_known
from tests.core.test_memory_vendor import CUSTOMER, draft, issued
from tests.core.without_engine import PATIENCE, run

import accounting_bridge as ab
from accounting_bridge.adapter import Sends
from accounting_bridge.recipes import (
    attach,
    book_sale,
    create_invoice,
    ensure_customer,
    finalize_invoice,
    send_invoice,
)

CLOSED = ab.PeriodClosed("closed by now")


def lost(bound, adapter, call):
    adapter.books.lose_next_answer(after_commit=False)
    with pytest.raises(ab.OutcomeUnknown):
        call()


# ---- scenes: what has happened, and the call that ends with the error ------------------------------------------------


def changed_sale():
    bound, adapter = connected()
    bound.book_sale(issued())
    return bound, book_sale(adapter, issued(currency="EUR"), PATIENCE)


def changed_invoice():
    bound, adapter = connected()
    bound.create_invoice(draft())
    return bound, create_invoice(adapter, draft(closing="other"), PATIENCE, finalize=False)


def unclear_sale():
    bound, adapter = connected_to_known()
    adapter.books.lose_next_answer(after_commit=False)
    return bound, book_sale(adapter, issued(), PATIENCE)


def unclear_invoice():
    bound, adapter = connected_to_known()
    adapter.books.lose_next_answer(after_commit=False)
    return bound, create_invoice(adapter, draft(), PATIENCE, finalize=False)


def unclear_sale_refused():
    bound, adapter = connected_to_known()
    lost(bound, adapter, lambda: bound.book_sale(issued()))
    adapter.refusals.append(CLOSED)
    return bound, book_sale(adapter, issued(), PATIENCE)


def unclear_invoice_refused():
    bound, adapter = connected_to_known()
    lost(bound, adapter, lambda: bound.create_invoice(draft()))
    adapter.refusals.append(CLOSED)
    return bound, create_invoice(adapter, draft(), PATIENCE, finalize=False)


def somebody_elses_sale():
    bound, adapter = connected_to_known()
    entry = connected(books=adapter.books)[0].book_sale(issued())
    adapter.books.sales[entry.id] = attrs.evolve(entry, customer_id="customer-99")
    return bound, book_sale(adapter, issued(), PATIENCE)


def another_sale_than_was_sent():
    bound, adapter = connected_to_known()
    lost(bound, adapter, lambda: bound.book_sale(issued()))
    entry = connected(books=adapter.books)[0].book_sale(issued())
    adapter.books.sales[entry.id] = attrs.evolve(entry, customer_id="customer-99")
    adapter.refusals.append(CLOSED)
    adapter.clock.turn(SETTLE.total_seconds())
    return bound, book_sale(adapter, issued(), PATIENCE)


def sale_that_is_gone():
    bound, adapter = connected()
    bound.book_sale(issued())
    adapter.books.sales.clear()
    return bound, book_sale(adapter, issued(), PATIENCE)


def invoice_that_is_gone():
    bound, adapter = connected()
    bound.create_invoice(draft())
    adapter.books.invoices.clear()
    return bound, create_invoice(adapter, draft(), PATIENCE, finalize=False)


def draft_that_is_gone():
    bound, adapter = connected(changes={"renames_final": True})
    bound.create_invoice(draft())
    adapter.books.invoices.clear()
    return bound, create_invoice(adapter, draft(), PATIENCE, finalize=False)


def sale_of_other_books():
    bound, adapter = connected()
    entry = bound.book_sale(issued())
    adapter.books.sales[entry.id] = attrs.evolve(entry, customer_id="customer-99", invoice_number="B-7")
    return bound, book_sale(adapter, issued(), PATIENCE)


def invoice_of_other_books():
    bound, adapter = connected()
    made = bound.create_invoice(draft())
    adapter.books.invoices[made.id] = attrs.evolve(made, customer_id="customer-99", reference="B-7")
    return bound, create_invoice(adapter, draft(), PATIENCE, finalize=False)


def sale_of_another_total():
    bound, adapter = connected_to_known(skew=Decimal("0.01"))
    return bound, book_sale(adapter, issued(), PATIENCE)


def draft_of_another_total():
    class Differs(Odd):
        async def get_invoice(self, invoice_id):
            invoice = await super().get_invoice(invoice_id)
            return attrs.evolve(invoice, totals=attrs.evolve(invoice.totals, gross=Decimal(1)))

    bound, adapter = connected_to_known()
    return bound, create_invoice(Differs(settings=adapter.settings), draft(), PATIENCE, finalize=False)


def changed_draft_that_is_to_be_final():
    bound, adapter = connected()
    made = bound.create_invoice(draft())
    adapter.books.invoices[made.id] = attrs.evolve(made, totals=attrs.evolve(made.totals, gross=Decimal(1)))
    return bound, create_invoice(adapter, draft(), PATIENCE, finalize=True)


def final_invoice_of_another_total():
    bound, adapter = connected_to_known(skew=Decimal("0.01"))
    return bound, create_invoice(adapter, draft(), PATIENCE, finalize=True)


def no_sales():
    bound, adapter = connected(changes={"book_sale": False, "instead_of_sales": "mirror it"})
    return bound, book_sale(adapter, issued(), PATIENCE)


def sale_that_is_not_out():
    bound, adapter = connected()
    return bound, book_sale(adapter, issued(sent_at=None), PATIENCE)


def no_files():
    bound, adapter = connected(changes={"attach": False})
    return bound, attach(adapter, bound.create_invoice(draft()).id, FILE, PATIENCE)


def final_at_creation_only():
    bound, adapter = connected(changes={"finalize": ab.Finalize.AT_CREATION})
    return bound, finalize_invoice(adapter, bound.create_invoice(draft()).id, PATIENCE)


def draft_that_stands_where_final_is_made_at_creation():
    bound, adapter = connected(changes={"finalize": ab.Finalize.AT_CREATION})
    bound.create_invoice(draft())
    return bound, create_invoice(adapter, draft(), PATIENCE, finalize=True)


def finalizing_of_somebody_else():
    bound, adapter = connected(changes={"renames_final": True})
    made = bound.create_invoice(draft())
    adapter.finalizing.append(ab.OutcomeUnknown("lost"))
    with pytest.raises(ab.OutcomeUnknown):
        bound.finalize_invoice(made.id)
    adapter.books.invoices.clear()
    return bound, finalize_invoice(adapter, made.id, PATIENCE)


def unclear_finalizing():
    bound, adapter = connected()
    made = bound.create_invoice(draft())
    adapter.finalizing.append(ab.OutcomeUnknown("lost"))
    return bound, finalize_invoice(adapter, made.id, PATIENCE)


def no_mails():
    bound, adapter = connected(changes={"sends": Sends.NOTHING})
    return bound, send_invoice(adapter, bound.create_invoice(draft()).id, None, PATIENCE, again=False)


class Unmailed(Odd):
    """Loses every mail."""

    async def send_invoice(self, invoice_id, to):
        raise ab.OutcomeUnknown("lost")


def unclear_mail(again=False):
    bound, adapter = connected(changes={"tells_mails": False})
    made = bound.create_invoice(draft(), finalize=True)
    losing = Unmailed(settings=adapter.settings, changes=adapter.changes)
    return bound, send_invoice(losing, made.id, None, PATIENCE, again=again)


def unclear_mail_that_was_wanted_again():
    return unclear_mail(again=True)


def unclear_customer():
    bound, adapter = connected()
    adapter.books.lose_next_answer(after_commit=False)
    return bound, ensure_customer(adapter, CUSTOMER, PATIENCE)


class Reading(Odd):
    creates_customers = False


def customer_that_must_be_there():
    bound, adapter = connected()
    return bound, ensure_customer(Reading(settings=adapter.settings), CUSTOMER, PATIENCE)


def number_of_two():
    bound, adapter = connected_to_known(changes={"assigns_customer_numbers": True})
    (made,) = adapter.books.customers.values()
    adapter.books.customers[made.id] = attrs.evolve(made, number="KD-1")
    adapter.books.put_customer(attrs.evolve(CUSTOMER, name="Fremd GmbH"))
    wanted = draft(customer=ab.CustomerRef(number=CUSTOMER.number))
    return bound, create_invoice(adapter, wanted, PATIENCE, finalize=False)


def number_of_somebody_else():
    bound, adapter = connected(changes={"assigns_customer_numbers": True})
    adapter.books.put_customer(attrs.evolve(CUSTOMER, name="Fremd GmbH"))
    return bound, ensure_customer(adapter, CUSTOMER, PATIENCE)


@pytest.mark.parametrize(
    ("scene", "error"),
    [
        (changed_sale, ab.ReferenceReused),
        (changed_invoice, ab.ReferenceReused),
        (unclear_sale, ab.OutcomeUnknown),
        (unclear_invoice, ab.OutcomeUnknown),
        (unclear_sale_refused, ab.OutcomeUnknown),
        (unclear_invoice_refused, ab.OutcomeUnknown),
        (somebody_elses_sale, ab.Conflict),
        (another_sale_than_was_sent, ab.Conflict),
        (sale_that_is_gone, ab.InvoiceGone),
        (invoice_that_is_gone, ab.InvoiceGone),
        (draft_that_is_gone, ab.OutcomeUnknown),
        (sale_of_other_books, ab.NeedsAttention),
        (invoice_of_other_books, ab.NeedsAttention),
        (sale_of_another_total, ab.TotalsDiffer),
        (draft_of_another_total, ab.TotalsDiffer),
        (changed_draft_that_is_to_be_final, ab.TotalsDiffer),
        (final_invoice_of_another_total, ab.TotalsDiffer),
        (no_sales, ab.Unsupported),
        (sale_that_is_not_out, ab.InvoiceNotSent),
        (no_files, ab.Unsupported),
        (final_at_creation_only, ab.Unsupported),
        (draft_that_stands_where_final_is_made_at_creation, ab.Unsupported),
        (finalizing_of_somebody_else, ab.OutcomeUnknown),
        (unclear_finalizing, ab.OutcomeUnknown),
        (no_mails, ab.Unsupported),
        (unclear_mail, ab.OutcomeUnknown),
        (unclear_mail_that_was_wanted_again, ab.NeedsAttention),
        (unclear_customer, ab.OutcomeUnknown),
        (customer_that_must_be_there, ab.NotFound),
        (number_of_two, ab.Conflict),
        (number_of_somebody_else, ab.Conflict),
    ],
    ids=lambda given: given.__name__.strip("_"),
)
def test_an_error_names_the_books(scene, error):
    bound, flow = scene()
    with pytest.raises(error) as caught:
        run(flow, bound)
    assert caught.value.vendor == "memory"


# ---- all of the text -------------------------------------------------------------------------------------------------


def test_a_customer_without_a_number_is_refused_and_nothing_was_sent():
    bound, adapter = connected()
    with pytest.raises(ab.InvalidRequest) as caught:
        run(ensure_customer(adapter, attrs.evolve(CUSTOMER, number=None), PATIENCE), bound)
    assert caught.value.message == (
        "nothing was sent:\n  - customer.number: is needed so that a rerun finds the customer"
    )
    assert adapter.books.customers == {}


def test_a_number_of_two_is_told_with_what_to_give_instead():
    bound, flow = number_of_two()
    with pytest.raises(ab.Conflict) as caught:
        run(flow, bound)
    assert caught.value.message == (
        "customer number '10001' is that of two: of 'Fremd GmbH' in the books, and of the one who was made under it "
        "there and got another number: give the customer's id"
    )
