"""A list of addresses as CSV, ours or as OpenAddresses publishes them, and its way into the database."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from workers.imports.problem import Problem, UnreadableFile
from workers.supabase_api import WorkerApi

AT_ONCE = 1000
TOLD = 20  # problems that are told one by one

# Headers by what they hold. OpenAddresses has the house number and the street in columns of their own.
HEADERS = {
    "address_line1": ("address_line1", "address"),
    "number": ("number",),
    "street": ("street",),
    "city": ("city",),
    "state": ("state", "region"),
    "postal_code": ("postal_code", "postcode", "zip"),
    "country": ("country",),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "lng"),
}
LONGEST = {"address_line1": 200, "city": 120, "state": 60, "postal_code": 20}


@dataclass
class Loaded:
    """What became of a file's lines: `added` and `kept` of the list, `deleted` that the file has no more."""

    added: int = 0
    kept: int = 0
    deleted: int = 0
    skipped: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """A line of the file, and how many bytes of it are read by then."""

    address: dict[str, Any] | Problem
    bytes_read: int


def read_addresses(path: Path, country: str | None) -> Iterator[Line]:
    """Each line as an address, or what is wrong with it. Raises UnreadableFile and OSError."""
    with path.open("rb") as raw:
        counted = _Counting(raw)
        reader = csv.reader(counted, strict=True)
        try:
            labels = [label.strip().lower() for label in next(reader, [])]
            columns = _columns(labels, country)
            for record in reader:
                cells = {name: record[at].strip() for name, at in columns.items() if at < len(record)}
                if any(cells.values()):
                    yield Line(_address(cells, reader.line_num, country), counted.bytes_read)
        except UnicodeDecodeError as error:
            raise _unreadable(
                reader.line_num + 1, "file_not_utf8", f"The file is not UTF-8: {error.reason}."
            ) from None
        except csv.Error as error:
            raise _unreadable(
                reader.line_num, "file_not_csv", f"The line can't be split into cells: {error}."
            ) from None


async def load_addresses(
    api: WorkerApi, lines: Iterator[Line], name: str, now: datetime, progress: Callable[[int], None]
) -> Loaded:
    """Bring the lines into the list `name`; what it had before and they lack is deleted.

    Interrupted, it may be run again: an address that is there already stays the same one. Raises ApiError.
    `progress` is told of the bytes read.
    """
    loaded = Loaded()
    which = {"p_list": name, "p_loaded_at": now.isoformat()}
    while batch := list(islice(lines, AT_ONCE)):
        rows = [line.address for line in batch if not isinstance(line.address, Problem)]
        wrong = [line.address for line in batch if isinstance(line.address, Problem)]
        loaded.skipped += len(wrong)
        loaded.problems += wrong[: TOLD - len(loaded.problems)]
        if rows:
            answer = await api.rpc("add_addresses", {**which, "p_rows": rows})
            loaded.added += answer["added"]
            loaded.kept += answer["kept"]
        progress(batch[-1].bytes_read)
    # A file in which nothing could be read is no reason to delete the list.
    while loaded.added or loaded.kept:
        answer = await api.rpc("finish_address_list", which)
        loaded.deleted += answer["deleted"]
        if answer["finished"]:
            break
    return loaded


class _Counting:
    """Lines of text, and how many bytes they took: a file that is read line by line can't tell otherwise."""

    def __init__(self, raw: Iterator[bytes] | Any) -> None:
        self._raw = raw
        self.bytes_read = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._raw:
            encoding = "utf-8-sig" if self.bytes_read == 0 else "utf-8"
            self.bytes_read += len(line)
            yield line.decode(encoding)


def _columns(labels: list[str], country: str | None) -> Mapping[str, int]:
    columns = {
        name: labels.index(label) for name, known in HEADERS.items() for label in known if label in labels
    }
    missing = [name for name in ("city", "latitude", "longitude") if name not in columns]
    if "address_line1" not in columns and not {"number", "street"} <= columns.keys():
        missing.insert(0, "address_line1")
    if "country" not in columns and country is None:
        missing.append("country")
    if missing:
        raise _unreadable(1, "header_missing", f"No header says {', '.join(missing)}.")
    return columns


def _address(cells: Mapping[str, str], line: int, country: str | None) -> dict[str, Any] | Problem:
    street = cells.get("address_line1") or " ".join(filter(None, (cells.get("number"), cells.get("street"))))
    address: dict[str, Any] = {
        "address_line1": street,
        "city": cells.get("city", ""),
        "state": cells.get("state") or None,
        "postal_code": cells.get("postal_code") or None,
        "country": (cells.get("country") or country or "").upper(),
    }
    for name, longest in LONGEST.items():
        if len(address[name] or "") > longest:
            return Problem(
                line, name, address[name], "too_long", f"Longer than {longest} characters.", "Shorten it."
            )
    for name in ("address_line1", "city"):
        if not address[name]:
            return Problem(
                line, name, None, "missing", "An address has a street line and a city.", "Fill it in."
            )
    if len(address["country"]) != 2 or not address["country"].isascii() or not address["country"].isalpha():
        wrong = address["country"] or None
        return Problem(
            line, "country", wrong, "country_invalid", "This is no ISO 3166-1 code.", "Use two letters: US."
        )
    for name, most in (("latitude", 90), ("longitude", 180)):
        try:
            degrees = float(cells.get(name, ""))
        except ValueError:
            degrees = math.nan
        if not -most <= degrees <= most:
            text = cells.get(name) or None
            return Problem(
                line, name, text, "degrees_invalid", f"Not within {most} degrees.", "Write 38.845443."
            )
        address[name] = degrees
    return address


def _unreadable(line: int, code: str, message: str) -> UnreadableFile:
    remedy = "docs/reference/cli.md lists the headers that an address list may have."
    return UnreadableFile(Problem(line, "", None, code, message, remedy))
