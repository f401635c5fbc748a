"""Tables that people keep in files: CSV of any usual encoding and delimiter, row by row; and cells that are harmless.

The form is RFC 4180 where a file keeps to it: quotes may hold delimiters, line ends and doubled quotes. A spreadsheet
saves the same as UTF-16, with semicolons or tabs, with a byte order mark, or in Windows-1252.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_DELIMITERS = ",;\t"
_BLOCK = 1 << 20
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """An open table: how it is written, and its rows, each with the number of the line it begins on."""

    encoding: str
    delimiter: str
    rows: Iterator[tuple[int, list[str]]]
    text: io.TextIOWrapper  # closes the file when it is gone, so it is kept as long as the sheet


def open_sheet(file: BinaryIO, *, encoding: str = "") -> Sheet:
    """The table in a seekable file, read as its rows are asked for; blank rows are left out.

    The encoding is what the file's mark says, else UTF-8 where the whole file is that, else Windows-1252. ValueError
    says why it cannot be read, at once or, with the line, when a row is asked for that cannot be.
    """
    encoding = encoding or _encoding(file)
    file.seek(0)
    try:
        text = io.TextIOWrapper(file, encoding=encoding, newline="")
    except LookupError as error:
        raise ValueError(f"there is no encoding {encoding!r}") from error
    try:
        head = text.read(1 << 16)
    except UnicodeError as error:
        raise ValueError(_undecodable(encoding)) from error
    said = head.split("\n", 1)[0].strip("\r")
    named = said.lower().startswith("sep=") and len(said) == len("sep=,")  # Excel's own way to name it
    delimiter = said[-1] if named else _delimiter(head)
    file.seek(0)
    text = io.TextIOWrapper(text.detach(), encoding=encoding, newline="")
    return Sheet(encoding=encoding, delimiter=delimiter, rows=_rows(text, delimiter, skip=1 if named else 0), text=text)


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, a quote before it (OWASP: CSV injection).

    What begins with a quote before one of these gets one more, so that `plain` gives back every cell as it was.
    """
    return "'" + cell if cell.lstrip("'").startswith(_FORMULA) else cell


def plain(cell: str) -> str:
    """What `harmless` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell


def _encoding(file: BinaryIO) -> str:
    file.seek(0)
    head = file.read(4096)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):  # Latin letters without a mark: every other byte is zero
        half = head[start::2]
        if half and half.count(0) > 0.4 * len(half):
            return name
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while block := file.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _delimiter(head: str) -> str:
    """The one that stands most often in the first line that says anything, outside quotes; a comma when none does."""
    line, quoted = [], False
    for letter in head.lstrip("\r\n"):
        quoted ^= letter == '"'
        if letter in "\r\n" and not quoted:
            break
        if not quoted:
            line.append(letter)
    counts = {delimiter: line.count(delimiter) for delimiter in _DELIMITERS}
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])


def _rows(text: io.TextIOWrapper, delimiter: str, *, skip: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text, delimiter=delimiter)
    line = 0
    try:
        while True:
            line = reader.line_num + 1
            row = next(reader, None)
            if row is None:
                return
            if line > skip and any(row):
                yield line, row
    except UnicodeError as error:
        raise ValueError(f"after line {line}: {_undecodable(text.encoding)}") from error
    except csv.Error as error:
        raise ValueError(f"line {line}: no table goes on like that, a quote is open perhaps ({error})") from error


def _undecodable(encoding: str) -> str:
    return f"it is not {encoding} all through: name its encoding, or save it as UTF-8"
