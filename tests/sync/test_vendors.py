"""Four nights with each vendor's sandbox: what is created, updated, deactivated and gone is seen, and when."""

from datetime import UTC, datetime

import pytest
from attrs import evolve
from sandboxed import VENDORS, ask, customer, serving

import accounting_bridge as ab
from accounting_bridge.sandbox import Fault

NIGHT = datetime(2026, 3, 31, 2, 0, tzinfo=UTC)
DEACTIVATE = {
    "lexoffice": lambda box, one: box.edit_contact(one, archived=True),
    "billomat": lambda box, one: box.web.archive_client(one),
    "informer": lambda box, one: box.web.edit_relation(one, flags={"active": False}),
    "visma": lambda box, one: box.edit_customer(one, IsActive=False),
}
REMOVE = {
    "billomat": lambda vendor, one: ask(vendor, "DELETE", f"/api/clients/{one}"),
    "informer": lambda vendor, one: vendor.box.web.edit_relation(one, flags={"customer": False, "supplier": True}),
    "visma": lambda vendor, one: ask(vendor, "DELETE", f"/v2/customers/{one}"),
}
"""lexoffice is not among them: its interface deletes no contact."""
GONE = {"billomat": [1, 0, 0], "informer": [0, 0, 1], "visma": [0, 1, 0]}
"""In the run without *full*, and in two with it."""
FILTERS = {"informer", "visma"}


@pytest.mark.parametrize("name", VENDORS)
def test_four_nights(name, tmp_path):
    store = ab.SqliteCustomers(tmp_path / "customers.db")

    def heard():
        told = [(str(c.kind), c.customer.id, c.fields, c.gone) for c in store.changes("tests", name)]
        store.acknowledge("tests", name, 10**9)
        return told

    with serving(name, customers=12) as vendor, vendor.connect() as provider:
        first = ab.sync_customers(provider, store, tenant="tests")
        assert (first.created, first.complete, len(heard())) == (12, True, 12)
        there = list(provider.import_customers())
        assert sorted(store.customers("tests", name), key=lambda c: c.id) == sorted(there, key=lambda c: c.id)

        assert ab.sync_customers(provider, store, tenant="tests").changes == 0

        new = provider.ensure_customer(customer()).customer
        provider.update_customer(evolve(there[0], name="Umbenannt GmbH"))
        DEACTIVATE[name](vendor.box, there[1].id)
        third = ab.sync_customers(provider, store, tenant="tests")
        assert (third.created, third.updated, third.deactivated, third.complete) == (1, 1, 1, True)
        assert third.full == (name not in FILTERS)
        told = {one: (kind, fields) for kind, one, fields, _ in heard()}
        assert told[new.id] == ("created", ())
        kind, fields = told[there[0].id]
        assert (kind, "name" in fields) == ("updated", True)
        assert told[there[1].id] == ("deactivated", ("active",))
        assert store.find("tests", name, new.number).id == new.id

        if name not in REMOVE:
            return
        REMOVE[name](vendor, there[2].id)
        fourth = ab.sync_customers(provider, store, tenant="tests")
        last = [ab.sync_customers(provider, store, tenant="tests", full=True) for _ in range(2)]
        # A relation that is no customer any more is still found by its number: it is gone when it is missed again.
        assert [fourth.gone, *(report.gone for report in last)] == GONE[name]
        assert [(kind, one) for kind, one, _, gone in heard() if gone] == [("deactivated", there[2].id)]


@pytest.mark.parametrize("name", VENDORS)
def test_books_of_another_company_are_refused(name):
    """By the account, or where the vendor names none by the company."""
    store = ab.MemoryCustomers()
    with serving(name) as vendor, vendor.connect() as provider:
        ab.sync_customers(provider, store, tenant="tests")
        kept = store.progress("tests", name)
        assert (kept.account_id is None) == (name == "informer")
        run = store.begin("tests", name, at=NIGHT, until=NIGHT)
        store.record(run, evolve(kept, account_id=kept.account_id and "other", company="Andere Boeken BV"))
        store.finish(run)
        with pytest.raises(ab.OtherBooks):
            ab.sync_customers(provider, store, tenant="tests")


@pytest.mark.parametrize("name", VENDORS)
def test_what_came_before_the_vendor_refused_stands(name, monkeypatch):
    """The list breaks off after its first page; the rest comes with the next run."""
    store = ab.MemoryCustomers()
    with serving(name, customers=320) as vendor, vendor.connect() as provider:
        vendor.small_pages(monkeypatch, 100)
        vendor.box.faults.add(Fault("status", match=vendor.paths.customers, status=403, times=99, skip=1))
        with pytest.raises(ab.BridgeError):
            ab.sync_customers(provider, store, tenant="tests")
        came = len(list(store.customers("tests", name)))
        assert 0 < came < 320
        vendor.box.faults.clear()
        report = ab.sync_customers(provider, store, tenant="tests")
        assert (report.created, report.unchanged, report.complete) == (320 - came, came, True)
