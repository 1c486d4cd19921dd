"""The file: where it begins, what kind it is, and how its text is encoded."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from attrs import define, field

from .columns import refuse

_CHUNK: Final = 1 << 20
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ZIP: Final = b"PK\x03\x04"
_OLD: Final = b"\xd0\xcf\x11\xe0"


@define
class Origin:
    """A path, or a binary file that can be read again from where it stood."""

    file: str | Path | BinaryIO = field(repr=False)
    _start: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.file, str | Path):
            return
        try:
            self._start = self.file.tell()
            if not self.file.seekable() or not isinstance(self.file.read(0), bytes):
                raise OSError
        except (AttributeError, OSError, TypeError, ValueError):
            raise refuse("file", "must be a path, or a binary file that can seek: open(path, 'rb')") from None

    @property
    def name(self) -> str:
        """The file's own name, for messages; not its folder."""
        return Path(self.file).name if isinstance(self.file, str | Path) else "the file"

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """From its beginning. A file that was given open is left open.

        Raises:
            InvalidRequest: it cannot be opened.
        """
        if not isinstance(self.file, str | Path):
            self.file.seek(self._start)
            yield self.file
            return
        try:
            stream = Path(self.file).open("rb")  # noqa: SIM115 closed below
        except OSError as exc:
            raise refuse("file", f"{self.name} cannot be opened: {exc.strerror}") from None
        with stream:
            yield stream

    def is_sheet(self) -> bool:
        """Whether it is an XLSX file, told by its first bytes.

        Raises:
            InvalidRequest: it is empty, or of the old XLS kind (or encrypted).
        """
        with self.opened() as stream:
            head = stream.read(4)
        if not head:
            raise refuse("file", f"{self.name} is empty")
        if head == _OLD:
            raise refuse("file", f"{self.name} is an old .xls or a file with a password: save it as .xlsx or CSV")
        return head == _ZIP

    def encoding(self, given: str | None) -> str:
        """The encoding of the whole text: as given, by its byte order mark, or UTF-8 where all of it is valid.

        Raises:
            InvalidRequest: a byte does not fit; the line is named.
        """
        with self.opened() as stream:
            head = stream.read(4)
        marked = next((name for mark, name in _BOMS if head.startswith(mark)), None)
        encoding = given or marked or "utf-8"
        if marked == "utf-8-sig" and encoding.replace("_", "-").casefold() in ("utf-8", "utf8"):
            encoding = marked
        try:
            "".encode(encoding)  # also tells encodings of text from codecs of other kinds
            decoder = codecs.getincrementaldecoder(encoding)()
        except (LookupError, ValueError):
            raise refuse("encoding", f"{encoding!r} is not known: give 'utf-8' or 'cp1252'") from None
        lines = 1
        with self.opened() as stream:
            while True:
                chunk = stream.read(_CHUNK)
                try:
                    lines += decoder.decode(chunk, final=not chunk).count("\n")
                except UnicodeDecodeError as exc:
                    lines += exc.object[: exc.start].count(b"\n")
                    cure = (
                        "give the right 'encoding'" if given else "give encoding='cp1252' if Excel on Windows wrote it"
                    )
                    raise refuse("encoding", f"line {lines} of {self.name} is not {encoding}: {cure}") from None
                if not chunk:
                    return encoding
