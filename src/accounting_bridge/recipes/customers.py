"""Customers: found by id, journal, marker or number, else made once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NoReturn, TypeVar

from attrs import evolve

from ..adapter import Adapter
from ..errors import BridgeError, Conflict, InvalidRequest, NotFound, OutcomeUnknown, Problem, SomebodyElses
from ..flow import Recall, Record
from ..journal.port import Forget, If, State
from ..models import Customer, CustomerRef, EnsuredCustomer, InvoicePlan, SalePlan
from ..once import Document, How, Look, Patience, create_once, was_sent
from ..wire import fill

P = TypeVar("P", InvoicePlan, SalePlan)

CUSTOMER: Final = "customer"
_ANY: Final = "v1:customer"
"""The fingerprint of all customers: one that changes is the same one."""


async def ensure_customer(adapter: Adapter, customer: Customer, patience: Patience) -> EnsuredCustomer:
    """Find the customer by id, number or the app's marker, else create it once."""
    if customer.id is not None:
        return EnsuredCustomer(await adapter.get_customer(customer.id), created=False, rule="id")
    number = customer.number
    if number is None:
        raise InvalidRequest(
            "nothing was sent", problems=[Problem("customer.number", "is needed so that a rerun finds the customer")]
        )
    if (known := await _recalled_customer(adapter, number)) is not None:
        return known
    if not adapter.creates_customers:
        return await _seek(adapter, customer, number) or _missing(adapter, number)
    found: list[EnsuredCustomer] = []

    async def submit() -> str:
        found.append(EnsuredCustomer(await adapter.create_customer(customer), created=True, rule="created"))
        return id_of(found[-1].customer)

    async def look(_: datetime) -> Sequence[str]:
        seen = await _seek(adapter, customer, number)
        found.extend([seen] if seen else [])
        return [id_of(seen.customer)] if seen else []

    document = Document(
        kind=CUSTOMER, reference=number, fingerprint=_ANY, look=look, submit=submit, what="customer number",
        look_first=Look.ALWAYS,
    )  # fmt: skip
    customer_id, how = await create_once(document, patience, adapter.vendor)
    if found and id_of(found[-1].customer) == customer_id:
        return evolve(found[-1], created=how is How.MADE)
    return EnsuredCustomer(await adapter.get_customer(customer_id), created=how is How.MADE, rule="journal")


def _missing(adapter: Adapter, number: str) -> NoReturn:
    raise NotFound(
        f"customer number {number!r} is not in the books, and create_customers is off: create it there first",
        vendor=adapter.vendor,
    )


async def _recalled_customer(adapter: Adapter, number: str) -> EnsuredCustomer | None:
    row = (await Recall(CUSTOMER, number)).row
    if row is None or row.state is not State.CONFIRMED or row.remote_id is None:
        return None
    try:
        known = EnsuredCustomer(await adapter.get_customer(row.remote_id), created=False, rule="journal")
    except NotFound:
        # Unlike a document, a deleted customer may be made again; not if another caller did so in the meantime.
        await Record(CUSTOMER, number, If(Forget(), row.fingerprint, remote_id=row.remote_id))
        return None
    if known.customer.number not in {None, number} and not adapter.capabilities.assigns_customer_numbers:
        # Somebody gave it another number in the books, and perhaps this one to somebody else.
        other = await adapter.find_customer(number)
        return known if other is None else EnsuredCustomer(other, created=False, rule="number")
    return known


async def _seek(adapter: Adapter, customer: Customer, number: str) -> EnsuredCustomer | None:
    marked = await adapter.find_marked_customer(customer)
    if marked is not None:
        return EnsuredCustomer(marked, created=False, rule="marker")
    found = await adapter.find_customer(number)
    if found is None:
        return None
    if adapter.capabilities.assigns_customer_numbers and not _alike(found, customer):
        # The vendor numbers customers itself, so an equal number may be somebody else's.
        raise SomebodyElses(
            f"customer number {number!r} belongs to another name in the books: "
            "give the customer's id, or a number that the books do not use",
            vendor=adapter.vendor,
        )
    return EnsuredCustomer(found, created=False, rule="number")


def _alike(found: Customer, wanted: Customer) -> bool:
    return " ".join(found.name.split()).casefold() == " ".join(wanted.name.split()).casefold()


def id_of(customer: Customer) -> str:
    """The id of a customer of the books."""
    assert customer.id is not None, "an adapter gives customers of the books their id"
    return customer.id


async def _numbered(adapter: Adapter, number: str) -> Customer | None:
    """The customer of a number: the books' own, or, where the vendor gives the numbers, the app's."""
    found = await adapter.find_customer(number)
    if (
        not adapter.capabilities.assigns_customer_numbers
        or (known := await _recalled_customer(adapter, number)) is None
    ):
        return found
    if found is not None and found.id != known.customer.id:
        raise Conflict(
            f"customer number {number!r} is that of two: of {found.name!r} in the books, and of the one who was made "
            "under it there and got another number: give the customer's id",
            vendor=adapter.vendor,
        )
    return known.customer


async def customer_of(adapter: Adapter, given: Customer | CustomerRef) -> Customer:
    """The customer as far as it is known without writing: one that is still to be made has no id."""
    if isinstance(given, CustomerRef):
        if given.id is not None:
            return await adapter.get_customer(given.id)
        found = await _numbered(adapter, given.number or "")
        if found is None:
            raise NotFound(
                f"customer number {given.number!r} is not in the books: make it there first, with ensure_customer("
                f"Customer(number={given.number!r}, name=…)), or give a whole Customer in place of the number (for "
                "tracked work as Billing(customers={…: Customer(…)})), which is made where the books have none",
                vendor=adapter.vendor,
            )
        return found
    if given.id is not None:
        return await adapter.get_customer(given.id)
    if given.number is None:
        return given
    try:
        known = await _recalled_customer(adapter, given.number) or await _seek(adapter, given, given.number)
    except SomebodyElses as other:
        row = (await Recall(CUSTOMER, given.number)).row
        if row is None or row.sent_at is None or not was_sent(row, _ANY):
            raise
        # Ours may be there already, under another number, and in no list yet.
        raise OutcomeUnknown(
            f"customer number {given.number!r} was sent to be made, and that is unclear: ensure_customer(customer) "
            f"settles it. As the books are now: {other.message}",
            vendor=adapter.vendor, retry_at=row.sent_at + timedelta(seconds=adapter.settle_seconds),
        ) from other  # fmt: skip
    if known is None and not adapter.creates_customers:
        _missing(adapter, given.number)
    return known.customer if known is not None else given


async def id_to_look_for(adapter: Adapter, given: Customer | CustomerRef) -> str | None:
    """The id of the customer whose documents are to be looked through, where the journal does not tell it."""
    try:
        return (await customer_of(adapter, given)).id
    except Conflict as nobody:  # of the customer: the books were not looked into
        raise OutcomeUnknown(nobody.message, vendor=adapter.vendor) from nobody


async def settled_first(
    adapter: Adapter, given: Customer | CustomerRef, patience: Patience, plan: Callable[[], Awaitable[P]]
) -> P:
    """The plan. Where it is unclear whether its customer was made, that is settled first, which no plan alone may."""
    try:
        return await plan()
    except OutcomeUnknown:
        if not isinstance(given, Customer) or given.id is not None:
            raise
        await ensure_customer(adapter, given, patience)
        return await plan()


def _of_the_rest(problems: Sequence[Problem], given: Customer | CustomerRef) -> Sequence[Problem]:
    """Those that are there whoever the missing customer is: somebody had to stand in for a bare number."""
    rest = [one for one in problems if not one.field.startswith("customer")]
    if isinstance(given, CustomerRef) and any(one.field == "tax_treatment" for one in rest):
        return [one for one in rest if one.field != "tax_treatment" and not one.field.endswith("tax_rate")]
    return rest


async def planned_for(adapter: Adapter, given: Customer | CustomerRef, plan: Callable[[Customer], Awaitable[P]]) -> P:
    """The plan for that customer; of one who is missing, with everything else that would be refused."""
    try:
        customer = await customer_of(adapter, given)
    except NotFound as missing:
        if given.id is not None:
            raise  # it may be no id at all, and then nothing is sent for its sake
        unknown = given if isinstance(given, Customer) else Customer(name="unknown", number=given.number)
        try:
            await plan(evolve(unknown, id=None))
        except InvalidRequest as refused:
            others: Sequence[Problem] = _of_the_rest(refused.problems, given)
            if others:
                problems = [Problem("customer", missing.message), *others]
                raise InvalidRequest("nothing was sent", vendor=adapter.vendor, problems=problems) from missing
        except BridgeError:
            pass  # told in the next round
        raise
    return await plan(customer)


async def with_customer(
    adapter: Adapter, plan: P, customer: Customer | CustomerRef, patience: Patience
) -> tuple[P, str]:
    """The plan with the id of its customer, who is made now where the books have none."""
    if plan.customer_id is not None:
        return plan, plan.customer_id
    assert isinstance(customer, Customer), "a reference was found while planning, or refused"
    customer_id = id_of((await ensure_customer(adapter, customer, patience)).customer)
    return evolve(plan, customer_id=customer_id, body=fill(plan.body, customer_id)), customer_id
