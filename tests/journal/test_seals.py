"""The format of seals and sums: what one version sealed, every later one finds intact."""

import hashlib

import pytest

from accounting_bridge.journal.seals import Entry, first_seal, line_of, problems_of, sealed, sum_of, without

HALF = "\ud800"  # of a surrogate pair: no UTF-8, and yet somebody's reference
ALL_ONES = "f" * 64


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_the_first_seal_is_over_the_name_of_the_tenant():
    assert first_seal("t") == sha256(b"accounting_bridge journal 1\nt")
    assert first_seal(f"ä{HALF}") == sha256(b"accounting_bridge journal 1\n\xc3\xa4\xed\xa0\x80")


def test_a_seal_is_over_the_one_before_it_and_the_change_as_json():
    content = ("t", 1, "toy", "invoice", f"Ä{HALF}", None)
    assert sealed("ab", content) == sha256(b'ab\n["t",1,"toy","invoice","\\u00c4\\ud800",null]')
    assert sealed("ab", [b"\xff"]) == sha256(b"ab\n[\"b'\\\\xff'\"]"), "a value that does not belong there"
    assert sealed(HALF, []) == sha256(b"\xed\xa0\x80\n[]"), "nor there"


def test_sums_have_no_order_and_stay_within_256_bits():
    assert sum_of([]) == "0" * 64
    assert sum_of(["ff", "1"]) == sum_of(["1", "ff"]) == "0" * 61 + "100"
    assert sum_of(["1"], start="ff") == "0" * 61 + "100"
    assert sum_of([ALL_ONES, "1"]) == "0" * 64
    assert without("0" * 61 + "100", "1") == "0" * 62 + "ff"
    assert without("0", "1") == ALL_ONES


@pytest.mark.parametrize("damaged", ["xyz", "", None])
def test_a_damaged_seal_changes_the_sum_and_stops_nothing(damaged):
    assert sum_of([damaged, "ff"]) != sum_of(["ff"])


def test_a_line_names_every_part_of_a_change():
    with pytest.raises(ValueError, match="argument"):
        line_of(Entry(content=("too", "short"), seal="ab"))


def test_nothing_of_nothing_is_intact():
    assert list(problems_of("t", [], [], None, None)) == []
