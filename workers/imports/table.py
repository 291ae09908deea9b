"""A CSV file as records with their line numbers: encoding, delimiter, header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from workers.imports.columns import Column, known
from workers.imports.problem import Problem, UnreadableFile

DELIMITERS = (",", ";", "\t")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}


@dataclass(frozen=True)
class Table:
    """`columns` by position, None where one is not read; `labels` are the headers as the file spells them."""

    name: str
    digest: str
    delimiter: str
    columns: tuple[Column | None, ...]
    labels: tuple[str, ...]
    records: tuple[tuple[int, tuple[str, ...]], ...]

    @property
    def ignored(self) -> list[str]:
        return [
            label for label, column in zip(self.labels, self.columns, strict=True) if label and not column
        ]

    def label(self, column: Column) -> str:
        """What the file calls the column; its documented name where the file lacks it."""
        return self.labels[self.columns.index(column)] if column in self.columns else column.name


def read_table(path: Path) -> Table:
    """Raises UnreadableFile with the line and the remedy, and OSError where there is no such file."""
    content = path.read_bytes()
    text = _decoded(content)
    delimiter = max(DELIMITERS, key=lambda candidate: _recognized(text, candidate))
    records = list(_records(text, delimiter))
    if not records:
        raise UnreadableFile(Problem(1, "", None, "file_empty", "The file is empty.", "Export it again."))
    _, header = records[0]
    labels = tuple(" ".join(cell.split()) for cell in header)
    columns = tuple(known(label) for label in labels)
    _check_header(labels, columns)
    return Table(
        name=path.name,
        digest=sha256(content).hexdigest(),
        delimiter=delimiter,
        columns=columns,
        labels=labels,
        records=tuple(records[1:]),
    )


def _decoded(content: bytes) -> str:
    remedy = "Save it as `CSV UTF-8`."
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UnreadableFile(
            Problem(1, "", None, "file_not_csv", "This is a spreadsheet, not a CSV file.", remedy)
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"The file is not UTF-8: byte {error.start + 1} is no character."
        raise UnreadableFile(Problem(line, "", None, "file_not_utf8", message, remedy)) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UnreadableFile(Problem(line, "", None, "file_not_csv", "The file has binary content.", remedy))
    return text


def _recognized(text: str, delimiter: str) -> int:
    """How many headers make sense when the first record is split there: better than counting commas."""
    try:
        _, header = next(_records(text, delimiter), (0, ()))
    except UnreadableFile:
        return 0
    return sum(known(cell) is not None for cell in header)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each record with the line it begins on; empty lines, and lines of empty cells, are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader, None)
        except csv.Error as error:
            remedy = 'Put a cell that has a quote in quotes, and double the quote inside: "12"" pipe".'
            raise UnreadableFile(
                Problem(
                    line, "", None, "file_not_csv", f"The line can't be split into cells: {error}.", remedy
                )
            ) from None
        if record is None:
            return
        if any(cell.strip() for cell in record):
            yield line, tuple(record)


def _check_header(labels: tuple[str, ...], columns: tuple[Column | None, ...]) -> None:
    problems = []
    first: dict[str, str] = {}
    for label, column in zip(labels, columns, strict=True):
        if column is None:
            continue
        if column.name in first:
            message = f"{first[column.name]} and {label} mean the same column, {column.name}."
            problems.append(
                Problem(1, label, label, "header_repeated", message, "Remove or rename one of them.")
            )
        first.setdefault(column.name, label)
    if not first.keys() & {"property_name", "address_line1"}:
        message = "No header names the property."
        remedy = "Begin with a line of headers, as docs/reference/rent-roll-csv.md lists them."
        problems.append(Problem(1, "property_name", None, "header_missing", message, remedy))
    if problems:
        raise UnreadableFile(*problems)
