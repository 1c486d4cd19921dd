"""Files at invoices and PDFs at sales: each upload is sent once, and made good once it is clear that it got lost."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from sandboxed import CASES, QUICK, VENDORS, Vendor, serving, settled

import accounting_bridge as ab
from accounting_bridge.sandbox import Fault, VirtualClock

SETTLES = evolve(QUICK, settle_time=300)
"""On a clock that only the tests turn: however busy the machine is, nothing settles by itself."""
FILE = ab.Attachment(filename="uren.pdf", content=b"%PDF-1.4\n% invented hours\n%%EOF\n")
NUMBER = "2026-0815"


@frozen
class Upload:
    """One way to an upload, at one vendor."""

    vendor: Vendor
    kind: str
    clock: VirtualClock

    def connect(self, policy: ab.Policy = SETTLES, **extra: Any) -> ab.AccountingProvider:
        """A provider on that clock."""
        return self.vendor.connect(policy, **extra)

    def settle(self, error: ab.OutcomeUnknown) -> None:
        """Wait for ``retry_at``, as an app would."""
        assert error.retry_at is not None
        assert (error.retry_at - self.clock.now()).total_seconds() <= 300
        self.clock.sleep_until(error.retry_at)

    @property
    def path(self) -> str:
        """The one call that makes it."""
        path = self.vendor.paths.upload if self.kind == "sale" else self.vendor.paths.attach
        assert path is not None
        return path

    def do(self, provider: ab.AccountingProvider) -> Any:
        """Make the document with its file, or what of both is missing."""
        if self.kind == "sale":
            entry = provider.book_sale(self.vendor.issued())
            assert entry.has_pdf
            return entry
        return provider.create_invoice(self.vendor.draft(attachments=[FILE]))

    @property
    def sent(self) -> int:
        """How often."""
        return sum(re.match(self.path, f"{call.method} {call.path}") is not None for call in self.vendor.box.log)

    @property
    def documents(self) -> int:
        """How many in the books."""
        return self.vendor.sales(NUMBER) if self.kind == "sale" else len(self.vendor.box.invoices)

    def lose(self, when: Any, kind: Any = "drop", times: int = 1) -> None:
        """The next uploads, on their way there or back."""
        self.vendor.box.faults.add(Fault(kind, when=when, match=self.path, status=504, times=times))


UPLOADS = [(name, "sale") for name in VENDORS if CASES[name].paths.upload is not None]
UPLOADS += [(name, "invoice") for name in VENDORS if CASES[name].paths.attach is not None]
every_upload = pytest.mark.parametrize("upload", UPLOADS, indirect=True, ids="-".join)
# A mirror's PDF takes the place of the one before it: sending it again doubles nothing, and is done at once.
every_upload_that_adds = pytest.mark.parametrize(
    "upload", [way for way in UPLOADS if not CASES[way[0]].mirrors_sales], indirect=True, ids="-".join
)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries happen, and soon."""
    monkeypatch.setattr("accounting_bridge._policy._FIRST_BACKOFF", 0.01)


@pytest.fixture
def upload(request: pytest.FixtureRequest) -> Iterator[Upload]:
    name, kind = request.param
    clock = VirtualClock()
    with serving(name, clock=clock) as vendor:
        yield Upload(vendor, kind, clock)


@pytest.fixture
def journal(tmp_path: Path) -> ab.SqliteJournal:
    return ab.SqliteJournal(tmp_path / "journal.db")


@pytest.mark.parametrize("kind", ["drop", "status"])
@every_upload
def test_a_file_whose_answer_is_lost_is_there_once(upload: Upload, kind: Any) -> None:
    """The same call finds it."""
    with upload.connect() as provider:
        upload.lose("after", kind)
        upload.do(provider)
        sent = upload.sent
        upload.do(provider)
        assert upload.sent == sent
    assert upload.documents == 1
    if upload.kind == "sale":
        assert upload.vendor.files_of(NUMBER) == 1
    if not upload.vendor.mirrors_sales:
        assert sent == 1


@pytest.mark.parametrize("kind", ["drop", "status"])
@every_upload_that_adds
def test_a_lost_upload_is_made_good_once_it_has_settled(upload: Upload, kind: Any) -> None:
    with upload.connect() as provider:
        upload.lose("before", kind)
        for _ in range(2):
            with pytest.raises(ab.OutcomeUnknown, match="the upload to") as caught:
                upload.do(provider)
        assert (upload.sent, upload.documents) == (1, 1)
        upload.settle(caught.value)
        upload.do(provider)
        upload.do(provider)
    assert (upload.sent, upload.documents) == (2, 1)


@every_upload
def test_who_waits_to_settle_has_the_file_from_the_same_call(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounting_bridge.session.time", upload.clock)  # to sleep is to turn it
    with upload.connect(evolve(SETTLES, wait_to_settle=True)) as provider:
        upload.lose("before")
        assert upload.do(provider).created
    assert (upload.sent, upload.documents) == (2, 1)


@every_upload
def test_a_process_that_lost_its_upload_is_made_good_by_another(upload: Upload) -> None:
    """Each has a memory of its own: the second one looks."""
    with upload.connect() as first:
        upload.lose("before", times=3)
        with pytest.raises((ab.OutcomeUnknown, ab.Unavailable)):
            upload.do(first)
    upload.vendor.box.faults.clear()
    sent = upload.sent
    for _ in range(2):
        with upload.connect() as other:
            upload.do(other)
    assert (upload.sent, upload.documents) == (sent + 1, 1)


@every_upload
def test_two_processes_that_share_a_journal_upload_a_file_once(upload: Upload, tmp_path: Path) -> None:
    """Whoever makes the document; each opens the file for itself."""
    with (
        upload.connect(journal=ab.SqliteJournal(tmp_path / "journal.db")) as first,
        upload.connect(journal=ab.SqliteJournal(tmp_path / "journal.db")) as second,
    ):
        settled(first)
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(upload.do, (first, second) * 2))
    assert len({document.id for document in done}) == 1
    assert (upload.sent, upload.documents) == (1, 1)


@every_upload_that_adds
def test_a_file_that_was_kept_once_is_neither_looked_for_nor_sent_again(
    upload: Upload, journal: ab.SqliteJournal
) -> None:
    with upload.connect(journal=journal) as provider:
        upload.do(provider)
        settled(provider)
    with upload.connect(journal=journal) as provider:
        provider.check()
        before = len(upload.vendor.box.log)
        upload.do(provider)
        calls = list(upload.vendor.box.log)[before:]
    assert [call for call in calls if call.method != "GET" or "attachments" in call.path] == []
    assert upload.sent == 1


@pytest.mark.parametrize("vendor", [name for name in VENDORS if CASES[name].paths.attach is not None])
def test_nothing_is_made_final_while_an_upload_is_unclear(vendor: str) -> None:
    clock = VirtualClock()
    with serving(vendor, clock=clock) as found, found.connect(SETTLES) as provider:
        upload = Upload(found, "invoice", clock)
        upload.lose("before")
        for _ in range(2):
            with pytest.raises(ab.OutcomeUnknown) as caught:
                provider.create_invoice(found.draft(attachments=[FILE]), finalize=True)
        assert [found.is_draft(invoice) for invoice in found.box.invoices] == [True]
        upload.settle(caught.value)
        invoice = provider.create_invoice(found.draft(attachments=[FILE]), finalize=True)
        provider.attach(invoice.id, FILE)
        assert [found.is_draft(invoice) for invoice in found.box.invoices] == [False]
        assert upload.sent == 2
