"""``/v1/vouchers``: bookkeeping entries for documents made elsewhere. No deletion (404), no drafts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from attrs import define, evolve, field

from accounting_bridge.sandbox.records import LineRecord, SalesEntryRecord
from accounting_bridge.sandbox.routing import route
from accounting_bridge.sandbox.wire import Call, Reply

from .books import Books
from .contacts import Contacts
from .documents import Payment
from .errors import INVALID, MISSING, Issue
from .files import Files, upload_part
from .formats import day_stamp, stamp, trim, without_nulls
from .paging import DEFAULT_SIZE
from .reference import Reference
from .voucher_rules import SALES_TYPES, VoucherCheck, VoucherData

COLLECTIVE_CUSTOMER: Final = "Sammelkunde"
COLLECTIVE_VENDOR: Final = "Sammellieferant"
_CLOSED: Final = ("paid", "paidoff", "transferred", "voided")


@define
class Voucher:
    """A stored voucher."""

    id: str
    version: int
    status: str
    data: VoucherData
    created: datetime
    updated: datetime
    archived: bool = False
    files: list[str] = field(factory=list)
    payments: list[Payment] = field(factory=list)

    @property
    def list_type(self) -> str:
        """The type, which lists call alike."""
        return self.data.type

    @property
    def number(self) -> str | None:
        """The number its maker chose; not unique."""
        return self.data.number or None

    @property
    def day(self) -> date:
        """The voucher's date."""
        return self.data.day or date(1970, 1, 1)

    @property
    def due(self) -> date | None:
        """The day payment is due."""
        return self.data.due_day

    @property
    def gross(self) -> Decimal:
        """The total to pay."""
        return self.data.gross

    @property
    def contact_id(self) -> str | None:
        """The contact, None for the collective one."""
        return self.data.contact.id if self.data.contact is not None else None

    @property
    def contact_name(self) -> str:
        """The name that lists show."""
        if self.data.contact_name:
            return self.data.contact_name
        if self.data.contact is not None:
            return self.data.contact.name
        return COLLECTIVE_CUSTOMER if self.data.type in SALES_TYPES else COLLECTIVE_VENDOR


class Vouchers:
    """The vouchers of one account."""

    def __init__(self, books: Books, contacts: Contacts, reference: Reference, files: Files) -> None:
        self._books = books
        self._contacts = contacts
        self._reference = reference
        self._files = files
        self.all: dict[str, Voucher] = {}
        files.make_purchase = self._purchase

    @route("POST", "/v1/vouchers")
    def create(self, call: Call) -> Reply:
        """Book a voucher: it is open at once."""
        self._books.need_feature("BOOKKEEPING")
        body = self._body(call)
        check = self._check(body)
        if body.get("version") not in (None, 0, 1):
            check.issues.append(Issue("version", INVALID))
        if check.issues:
            raise self._books.answers.issues(check.issues)
        now = self._books.now()
        voucher = Voucher(id=self._books.new_id(), version=1, status="open", data=check.data, created=now, updated=now)
        self.all[voucher.id] = voucher
        return self._books.written("vouchers", voucher, self._books.assumptions.voucher_create_status)

    @route("GET", "/v1/vouchers/{id}")
    def read(self, _call: Call, identifier: str) -> Reply:
        """Show one voucher."""
        self._books.need_feature("BOOKKEEPING")
        return Reply.json(200, self._shown(self._known(identifier)))

    @route("GET", "/v1/vouchers")
    def by_number(self, call: Call) -> Reply:
        """Find by number (deprecated): a page without a sort block."""
        self._books.need_feature("BOOKKEEPING")
        number = call.first("voucherNumber")
        if not number:
            raise self._books.answers.bad_request("voucherNumber")
        rows = [self._shown(voucher) for voucher in self.all.values() if voucher.number == number]
        page = {
            "content": rows[:DEFAULT_SIZE],
            "first": True,
            "last": len(rows) <= DEFAULT_SIZE,
            "totalPages": -(-len(rows) // DEFAULT_SIZE),
            "totalElements": len(rows),
            "numberOfElements": min(len(rows), DEFAULT_SIZE),
            "size": DEFAULT_SIZE,
            "number": 0,
        }
        return Reply.json(200, page)

    @route("PUT", "/v1/vouchers/{id}")
    def replace(self, call: Call, identifier: str) -> Reply:
        """Replace a voucher; a file that ``files`` leaves out is deleted for good."""
        self._books.need_feature("BOOKKEEPING")
        voucher = self._known(identifier)
        body = self._body(call)
        check = self._check(body)
        version = body.get("version")
        if version is None:
            check.issues.append(Issue("version", MISSING))
        kept = body.get("files") or []
        if not isinstance(kept, list) or any(file_id not in voucher.files for file_id in kept):
            check.issues.append(Issue("files", INVALID))
        if check.issues:
            raise self._books.answers.issues(check.issues)
        if isinstance(version, bool) or version != voucher.version:
            status = self._books.assumptions.stale_voucher_status
            raise self._books.answers.issues([Issue("version", INVALID)], status)
        if voucher.status in _CLOSED:
            raise self._books.answers.issues([Issue("voucherStatus", INVALID)])
        for file_id in voucher.files:
            if file_id not in kept:
                self._files.delete(file_id)
        changed = evolve(
            voucher,
            version=voucher.version + 1,
            data=check.data,
            files=list(kept),
            status="open",
            updated=self._books.now(),
        )
        self.all[identifier] = changed
        return self._books.written("vouchers", changed, 200)

    @route("POST", "/v1/vouchers/{id}/files")
    def attach(self, call: Call, identifier: str) -> Reply:
        """Attach a file; it cannot be detached except by leaving it out of a PUT."""
        self._books.need_feature("BOOKKEEPING")
        voucher = self._known(identifier)
        stored, _ = self._files.store(upload_part(self._books, call.parts()))
        if stored.id not in voucher.files:
            voucher.files.append(stored.id)
            voucher.updated = self._books.now()
            if self._books.assumptions.upload_moves_version:
                voucher.version += 1
        return Reply.json(202, {"id": stored.id})

    def delete(self, voucher: Voucher) -> None:
        """Delete a voucher with its files, as the web app does; ValueError for one that cannot be changed any more."""
        if voucher.status in _CLOSED:
            raise ValueError(f"a voucher that is {voucher.status} can be neither changed nor deleted")
        for file_id in voucher.files:
            self._files.delete(file_id)
        del self.all[voucher.id]

    def touch(self, voucher: Voucher) -> None:
        """Note a change made in the web app."""
        voucher.version += 1
        voucher.updated = self._books.now()

    def record(self, voucher: Voucher) -> SalesEntryRecord:
        """Return a voucher as a record for assertions."""
        lines = tuple(
            LineRecord(
                description=row.category.name,
                quantity=Decimal(1),
                unit_price=row.amount,
                tax_rate=row.rate,
                amount=row.amount,
            )
            for row in voucher.data.rows
        )
        return SalesEntryRecord(
            id=voucher.id,
            number=voucher.number,
            kind=voucher.data.type,
            status=voucher.status,
            customer_id=voucher.contact_id,
            net=voucher.gross - voucher.data.tax,
            tax=voucher.data.tax,
            gross=voucher.gross,
            issue_date=voucher.day,
            due_date=voucher.due,
            remark=voucher.data.remark,
            lines=lines,
            files=tuple(self._files.name(file_id) or "" for file_id in voucher.files),
            created_at=voucher.created,
        )

    def _purchase(self, file_id: str) -> str:
        """Make the voucher of an uploaded receipt: unchecked once the recognition has run."""
        now = self._books.now()
        data = VoucherData(type="purchaseinvoice", day=self._books.today(), collective=True)
        voucher = Voucher(
            id=self._books.new_id(),
            version=1,
            status="unchecked",
            data=data,
            created=now,
            updated=now,
            files=[file_id],
        )
        self.all[voucher.id] = voucher
        return voucher.id

    def _known(self, identifier: str) -> Voucher:
        voucher = self.all.get(identifier)
        if voucher is None:
            raise self._books.answers.not_found()
        return voucher

    def _check(self, body: dict[str, Any]) -> VoucherCheck:
        return VoucherCheck(body, self._books, self._contacts, self._reference.categories)

    def _body(self, call: Call) -> dict[str, Any]:
        body = call.json() if call.body.strip() else {}
        if not isinstance(body, dict):
            raise self._books.answers.bad_request("body")
        return body

    def _shown(self, voucher: Voucher) -> dict[str, Any]:
        data = voucher.data
        shown = {
            "id": voucher.id,
            "organizationId": self._books.organization_id,
            "type": data.type,
            "voucherStatus": voucher.status,
            "voucherNumber": voucher.number,
            "voucherDate": _stamp(data.day),
            "shippingDate": _stamp(data.shipping_day),
            "dueDate": _stamp(data.due_day),
            "totalGrossAmount": trim(data.gross),
            "totalTaxAmount": trim(data.tax),
            "taxType": data.tax_type,
            "useCollectiveContact": data.collective,
            "contactId": voucher.contact_id,
            "contactName": data.contact_name,
            "remark": data.remark,
            "voucherItems": [
                {
                    "amount": trim(row.amount),
                    "taxAmount": trim(row.tax),
                    "taxRatePercent": trim(row.rate),
                    "categoryId": row.category.id,
                }
                for row in data.rows
            ],
            "files": list(voucher.files),
            "createdDate": stamp(voucher.created),
            "updatedDate": stamp(voucher.updated),
            "version": voucher.version,
        }
        return without_nulls(shown)


def _stamp(day: date | None) -> str | None:
    return day_stamp(day) if day is not None else None
