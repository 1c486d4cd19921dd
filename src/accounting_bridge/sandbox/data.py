"""Invented customers in any number, made when they are looked at.

Customer ``index`` of seed ``seed`` is always the same, however many there are. The words of a name are the
digits of the index, least significant first, so that ten customers already differ, and so that the
alphabetical order of a hundred thousand names is arithmetic: no list is ever built or sorted.
All names, addresses and numbers are made up; mail domains end in ``.example``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final
from uuid import UUID

from attrs import frozen

from . import words

_MASK: Final = (1 << 64) - 1
_ID_ODD: Final = 0x5DEECE66D
_ID_INVERSE: Final = pow(_ID_ODD, -1, 1 << 48)


@frozen(kw_only=True)
class SeedCustomer:
    """An invented customer in no vendor's shape; None where the record has nothing."""

    index: int
    is_person: bool
    salutation: str | None
    first_name: str | None
    last_name: str | None
    company: str | None
    contact_first_name: str | None
    contact_last_name: str | None
    street: str
    house_number: str
    supplement: str | None
    postal_code: str
    city: str
    country_code: str
    email: str | None
    phone: str | None
    mobile: str | None
    website: str | None
    vat_number: str | None
    tax_number: str | None
    note: str | None
    archived: bool

    @property
    def sort_key(self) -> str:
        """What the customer is listed under: the company, or last name and first name."""
        return fold(self.company or f"{self.last_name} {self.first_name}")


class SeedCustomers:
    """The invented customers of one seed; ``count`` of them are in the books."""

    def __init__(self, seed: int, count: int) -> None:
        self.seed = seed
        self.count = count
        self._salt = _mix(seed * 2 + 1)

    def __len__(self) -> int:
        return self.count

    def at(self, index: int) -> SeedCustomer:
        """Return one customer; ``index`` may lie beyond ``count``."""
        bits = _mix(self._salt + index)
        stem, label, place = self._words(index)
        town = words.TOWNS[place]
        first_name = words.LABELS[label][1]
        is_person = first_name is not None
        stem_word = words.STEMS[stem]
        mail = f"{_ascii(stem_word)}-{index + 1}.example"
        street = words.STREETS[town.country_code][_pick(bits, 0, 4)]
        person = words.PEOPLE[_pick(bits, 4, 5)]
        has_mail = _pick(bits, 9, 4) != 0
        phone_kind = _pick(bits, 13, 3)
        company = None if is_person else self.company_name(index)
        vat_number = None
        if not is_person and _pick(bits, 19, 2):
            vat_number = _vat_number(town.country_code, bits)
        return SeedCustomer(
            index=index,
            is_person=is_person,
            salutation=(None, "Frau", "Herr", "Frau")[_pick(bits, 21, 2)] if is_person else None,
            first_name=first_name,
            last_name=stem_word if is_person else None,
            company=company,
            contact_first_name=person[0] if not is_person and _pick(bits, 23, 1) else None,
            contact_last_name=person[1] if not is_person and _pick(bits, 23, 1) else None,
            street=street,
            house_number=f"{1 + _pick(bits, 24, 7)}{'' if _pick(bits, 31, 2) else 'a'}",
            supplement=words.SUPPLEMENTS[_pick(bits, 33, 3)],
            postal_code=town.postal_code(_pick(bits, 36, 6)),
            city=town.name,
            country_code=town.country_code,
            email=f"{'rechnung' if not is_person else _ascii(first_name or '')}@{mail}" if has_mail else None,
            phone=f"{town.dialling_code} 5550 {100 + _pick(bits, 42, 9)}" if phone_kind else None,
            mobile=f"0160 5550 {100 + _pick(bits, 42, 9)}" if phone_kind in (2, 3) else None,
            website=f"https://www.{mail}" if not is_person and _pick(bits, 51, 1) else None,
            vat_number=vat_number,
            tax_number=f"{10 + _pick(bits, 52, 4)}/{200 + _pick(bits, 42, 9)}/05550"
            if town.country_code == "DE" and not is_person and _pick(bits, 56, 2) == 1
            else None,
            note=words.NOTES[_pick(bits, 58, 3)],
            archived=_pick(bits, 59, 5) == 7,
        )

    def company_name(self, index: int) -> str | None:
        """Return the company's name without making the rest of the record; None for a person."""
        stem, label, place = self._words(index)
        branch, first_name = words.LABELS[label]
        if first_name is not None:
            return None
        town = words.TOWNS[place]
        forms = words.LEGAL_FORMS[town.country_code]
        form = forms[_pick(_mix(self._salt + index), 16, 3)]
        return f"{words.STEMS[stem]} {branch} {town.name} {form}"

    def person_name(self, index: int) -> tuple[str, str]:
        """Return first and last name of a person."""
        stem, label, _ = self._words(index)
        return words.LABELS[label][1] or "", words.STEMS[stem]

    def sort_key(self, index: int) -> str:
        """Return the sort key of one customer without making the rest of it."""
        stem, label, place = self._words(index)
        name, first_name = words.LABELS[label]
        if first_name is not None:
            return f"{_STEM_KEYS[stem]} {fold(first_name)}"
        town = words.TOWNS[place]
        return f"{_STEM_KEYS[stem]} {fold(name)} {fold(town.name)}"

    def alphabetical(self, start: int = 0) -> Iterator[int]:
        """Yield the indexes in the order of their names, from the ``start``-th one on."""
        return self._group(0, 1, (), start)

    def page(self, start: int, size: int) -> list[int]:
        """Return the indexes of ``size`` customers in the order of their names."""
        return list(islice(self.alphabetical(start), size))

    def position(self, index: int) -> int:
        """Return where a customer stands in the order of names, counted from 0."""
        ranks: tuple[int, ...] = ()
        position, first, step = 0, 0, 1
        for size in _SIZES:
            shift = self._shift(ranks)
            rank = (index // step % size + shift) % size
            for lower in range(rank):
                digit = (lower - shift) % size
                position += self._members(first + digit * step, step * size)
            first += (rank - shift) % size * step
            ranks += (rank,)
            step *= size
        return position + (index - first) // step

    def uuid(self, kind: str, index: int) -> str:
        """Return the id of a seeded record; :meth:`index_of` reads the index back from it."""
        bits = _mix(self._salt ^ _mix(index + sum(kind.encode()) * 7919))
        tail = (index * _ID_ODD + self._salt) & 0xFFFF_FFFF_FFFF
        value = (bits << 64 | (bits >> 16 & 0xFFFF) << 48 | tail) & ((1 << 128) - 1)
        return str(UUID(int=value, version=4))

    def index_of(self, kind: str, identifier: str) -> int | None:
        """Return the index behind an id of this seed, or None for any other id."""
        try:
            tail = int(identifier[-12:], 16)
        except ValueError:
            return None
        index = ((tail - self._salt) * _ID_INVERSE) & 0xFFFF_FFFF_FFFF
        if index >= self.count or self.uuid(kind, index) != identifier:
            return None
        return index

    def _words(self, index: int) -> tuple[int, int, int]:
        stems, labels, towns = _SIZES
        stem = (index + self._shift(())) % stems
        label = (index // stems + self._shift((stem,))) % labels
        town = (index // (stems * labels) + self._shift((stem, label))) % towns
        return stem, label, town

    def _shift(self, ranks: tuple[int, ...]) -> int:
        value = self._salt
        for rank in ranks:
            value = _mix(value + rank + 1)
        return value >> 8 & 0xFFFF

    def _members(self, first: int, step: int) -> int:
        return 0 if first >= self.count else (self.count - first - 1) // step + 1

    def _group(self, first: int, step: int, ranks: tuple[int, ...], skip: int) -> Iterator[int]:
        if len(ranks) == len(_SIZES):
            yield from range(first + skip * step, self.count, step)
            return
        size = _SIZES[len(ranks)]
        shift = self._shift(ranks)
        for rank in range(size):
            start = first + (rank - shift) % size * step
            members = self._members(start, step * size)
            if skip >= members:
                skip -= members
                continue
            yield from self._group(start, step * size, (*ranks, rank), skip)
            skip = 0


def fold(name: str) -> str:
    """Return the form a German list is sorted by: no case, no punctuation, ``ä`` as ``a``."""
    text = name.casefold().translate(_FOLDING)
    return " ".join("".join(sign if sign.isalnum() else " " for sign in text).split())


def _ascii(name: str) -> str:
    return "".join(sign for sign in name.casefold().translate(_SPELLING) if sign.isascii() and sign.isalnum())


def _mix(value: int) -> int:
    """Scatter an integer over 64 bits (splitmix64): a seeded ``Random`` costs ten times as much to make."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ value >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ value >> 27) * 0x94D049BB133111EB) & _MASK
    return value ^ value >> 31


def _pick(bits: int, start: int, width: int) -> int:
    return bits >> start & ((1 << width) - 1)


def _vat_number(country_code: str, bits: int) -> str:
    digits = f"{100_000_000 + bits % 899_999_999}"
    if country_code == "AT":
        return f"ATU{digits[:8]}"
    if country_code == "NL":
        return f"NL{digits}B0{1 + bits % 9}"
    return f"DE{digits}"


_FOLDING: Final = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "é": "e", "ë": "e"})
_SPELLING: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "ë": "e"})
_STEM_KEYS: Final = tuple(fold(word) for word in words.STEMS)
_SIZES: Final = (len(words.STEMS), len(words.LABELS), len(words.TOWNS))
