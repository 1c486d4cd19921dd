"""A part of ``make prove``: connections on real sockets that break after some byte of a request or of its answer."""

import re

import pytest
from tools.prove import cuts
from tools.prove.__main__ import main
from tools.prove.cuts import cut_all, sample, table
from tools.prove.safeguards import SAFEGUARDS
from tools.prove.vendors import CASES
from tools.prove.writes import CHUNK, FIRST, LAST, MIDDLE, Cut, Write, parts

STRIDE = 401

WRITES = {
    "billomat": {"clients", "invoices", "complete", "upload\\-signature", "email"},
    "informer": {"relations", "sales", "send/[^/]+", "salesbook", "attachments"},
    "lexoffice": {"contacts", "invoices", "vouchers", "files"},
    "visma": {
        "customers", "customerinvoicedrafts", "convert", "customerledgeritemswithvoucher", "customerinvoice",
        "customerinvoicedraft", "email", "token",
    },
}  # fmt: skip
"""How the paths end of all that the flows write."""


@pytest.mark.parametrize("vendor", CASES)
def test_nothing_is_lost_and_nothing_is_doubled_wherever_the_connection_breaks(vendor):
    """A stride through all bytes, and both ends, of every write; the whole is ``make prove``."""
    found = sample(vendor, STRIDE)
    assert found.failures == []
    counts = found.counts
    assert counts["cuts"] >= 2 * 2 * len(table(vendor))
    assert counts["sync"] > counts["cuts"] / 3
    assert counts["async"] > counts["cuts"] / 3
    # It would prove nothing if the library never learned of a cut.
    assert counts["told OutcomeUnknown"] > counts["cuts"] / 5
    assert counts["told OutcomeUnknown"] + counts["told made"] + counts["told AuthenticationFailed"] == counts["cuts"]


@pytest.mark.parametrize("vendor", CASES)
def test_every_write_of_the_flows_is_cut(vendor):
    paths = {write.match.partition(" ")[2].removesuffix("$") for write in table(vendor)}
    ends = {next(end for end in sorted(WRITES[vendor], key=len) if path.endswith(f"/{end}")) for path in paths}
    assert ends == WRITES[vendor]


def test_a_write_that_nothing_cuts_is_an_error(monkeypatch):
    measured = cuts._measured("lexoffice")
    monkeypatch.setattr(cuts, "_measured", lambda _: (measured[0][1:], measured[1]))
    with pytest.raises(AssertionError, match="nothing cuts POST /v1/contacts"):
        table("lexoffice")


def a_write(**sizes):
    return Write(
        vendor="lexoffice", flow="invoice", number=1, match="POST /x$", skip=0, **{"carries_file": False, **sizes}
    )  # fmt: skip


def test_every_byte_is_cut_and_in_the_end_in_every_way():
    write = a_write(request=500, answer=300)
    seen = []
    for seed in range(8):
        chunks = list(parts(write, 1, seed))
        assert max(map(len, chunks)) <= CHUNK
        one = [cut for chunk in chunks for cut in chunk]
        assert sum(cut.session == "async" for cut in one) == pytest.approx(len(one) / 2, abs=1)
        assert {cut.offset for cut in one if cut.direction == "request"} == set(range(501))
        assert {cut.offset for cut in one if cut.direction == "answer"} >= set(range(301))
        seen += one
    assert len(set(seen)) == len(seen) == 8 * len(one)


def test_a_sample_takes_both_ends_and_the_next_seed_the_next_bytes():
    write = a_write(request=500, answer=300)
    seen = [write.offsets("request", 7, seed) for seed in range(7)]
    assert all({0, 500} <= set(part) for part in seen)
    assert all(len(part) < 80 for part in seen)
    assert {offset for part in seen for offset in part} == set(range(501))


def test_of_an_upload_the_frame_is_cut_at_every_byte_and_the_file_here_and_there():
    offsets = a_write(request=20_000, answer=99, carries_file=True).offsets("request", 1, 0)
    assert {*range(FIRST), *range(20_000 - LAST, 20_001)} < set(offsets)
    assert len(offsets) == len(set(offsets)) == FIRST + MIDDLE + LAST + 1


@pytest.mark.parametrize(("name", "index"), [("look", "current"), ("settle time", "lagging")])
def test_without_a_safeguard_cuts_double_documents(name, index, capsys):
    """And a failure names the command that replays it."""
    write = next(write for write in table("lexoffice") if write.match == "POST /v1/invoices$")
    cut = Cut(write=write, direction="answer", offset=17, end="reset", session="sync", index=index)
    (safeguard,) = [safeguard for safeguard in SAFEGUARDS if safeguard.name == name]
    with safeguard.without():
        failures = cut_all([cut], settle_time=safeguard.options.settle_time).failures
    assert {failure.partition(":")[0] for failure in failures} == {"DOUBLED"}
    failure = failures[-1]
    assert "2 in the books: lexoffice: POST /v1/invoices$ cut after byte 17 of its answer" in failure
    command = re.search(r"replay: python -m tools\.prove (.*)", failure)
    assert command is not None
    if name == "look":
        with safeguard.without():
            assert main(command[1].split()) == 1
        assert "FAILED: DOUBLED" in capsys.readouterr().out
    assert main(command[1].split()) == 0
