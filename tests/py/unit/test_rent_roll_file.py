"""A file as people export it: encodings, delimiters, headers, and lines that don't fit."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from workers.imports.problem import UnreadableFile
from workers.imports.rent_roll import Row, read_rows
from workers.imports.table import Table, read_table

HEADER = "property_name,unit_number,lease_number,rent\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rent roll.csv"


def table(file: Path, content: str | bytes) -> Table:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(file)


def rows(file: Path, content: str, **how: str) -> list[Row]:
    return list(
        read_rows(
            table(file, content),
            dates="us" if how.get("dates") == "us" else "iso",
            shift=timedelta(),
            currency=how.get("currency", "USD"),
        )
    )


def refusal(file: Path, content: str | bytes) -> tuple[int, str]:
    with pytest.raises(UnreadableFile) as refused:
        table(file, content)
    return refused.value.problems[0].line, refused.value.problems[0].code


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_common_dialect_reads_alike(file: Path, bom: str, delimiter: str, newline: str) -> None:
    lines = [["Property", "Unit #", "Rent"], ["Maple Court", "1A", '"1,250.00"'], ["Élan", "2", "900"]]
    read = rows(file, bom + newline.join(delimiter.join(line) for line in lines) + newline)
    assert [(row.data["property_name"], row.data["unit_number"], row.data["rent_minor"]) for row in read] == [
        ("Maple Court", "1A", "125000"),
        ("Élan", "2", "90000"),
    ]


def test_headers_are_known_by_case_space_and_the_names_people_use(file: Path) -> None:
    read = table(file, " BUILDING , Unit No. , Co-Tenant 1 Email ,Lease  From,monthly-rent,Pets,\nA,1,,,,,\n")
    assert [column.name if column else None for column in read.columns] == [
        "property_name", "unit_number", "co_tenant_email", "lease_start", "rent", None, None,
    ]  # fmt: skip
    assert read.ignored == ["Pets"]


def test_lines_are_counted_as_an_editor_shows_them(file: Path) -> None:
    text = HEADER + '\n"Maple\nCourt",1,,\n,,,\nOak,x,L-1,oops\n'
    read = rows(file, text)
    assert [(row.line, row.data["property_name"]) for row in read] == [(3, "Maple Court"), (6, "Oak")]
    assert [(problem.line, problem.column, problem.value) for problem in read[1].problems] == [
        (6, "rent", "oops")
    ]


def test_problems_name_the_header_as_the_file_spells_it_and_all_of_them_are_found(file: Path) -> None:
    text = "Building,Unit,Rent Amount,Lease From,E-mail\nMaple,1,12.345,31/12/2026,nobody\n"
    [row] = rows(file, text)
    assert [(problem.column, problem.value, problem.code) for problem in row.problems] == [
        ("Rent Amount", "12.345", "value_invalid"),
        ("Lease From", "31/12/2026", "value_invalid"),
        ("E-mail", "nobody", "value_invalid"),
    ]
    assert "rent_minor" not in row.data


def test_an_unquoted_comma_in_an_amount_is_no_rent_of_one_dollar(file: Path) -> None:
    [row] = rows(file, HEADER + "Maple,1,L-1,1,250.00\n")
    assert [(problem.column, problem.value, problem.code) for problem in row.problems] == [
        ("cell 5", "250.00", "cells_beyond_header")
    ]


def test_cells_missing_at_the_end_of_a_line_are_empty(file: Path) -> None:
    [row] = rows(file, HEADER + "Maple,1\n")
    assert row.data == {"property_name": "Maple", "unit_number": "1", "currency": "USD"}
    assert row.problems == []


def test_a_house_is_called_by_its_address_and_has_one_unit(file: Path) -> None:
    read = rows(
        file, "address,type,unit\n1 Elm St,house,\n2 Elm St,,\n3 Elm St,apartment,\n4 Elm St,castle,\n"
    )
    assert [(row.data["property_name"], row.data.get("unit_number")) for row in read] == [
        ("1 Elm St", "1"),
        ("2 Elm St", "1"),
        ("3 Elm St", None),
        ("4 Elm St", None),
    ]


def test_amounts_are_in_the_currency_of_their_row(file: Path) -> None:
    text = "property_name,unit_number,rent,currency\nA,1,1000,jpy\nB,1,1000,\n"
    read = rows(file, text, currency="KWD")
    assert [(row.data["rent_minor"], row.data["currency"]) for row in read] == [
        ("1000", "JPY"),
        ("1000000", "KWD"),
    ]


def test_what_is_no_csv_is_told_with_its_line(file: Path) -> None:
    assert refusal(file, "") == (1, "file_empty")
    assert refusal(file, "\n\n") == (1, "file_empty")
    assert refusal(file, b"PK\x03\x04...") == (1, "file_not_csv")
    assert refusal(file, HEADER.encode() + b"Caf\xe9,1,,\n") == (2, "file_not_utf8")
    assert refusal(file, HEADER + "A,1,,\nB\0,1,,\n") == (3, "file_not_csv")
    assert refusal(file, HEADER + 'A,1,,\n"B"x,1,,\n') == (3, "file_not_csv")
    assert refusal(file, HEADER + 'A,1,,\n"B,1,,\nC,1,,\n') == (3, "file_not_csv")


def test_a_header_that_says_a_thing_twice_or_names_no_property_is_refused(file: Path) -> None:
    assert refusal(file, "property,building,unit\nA,B,1\n") == (1, "header_repeated")
    assert refusal(file, "unit,rent\n1,5\n") == (1, "header_missing")
    assert refusal(file, "Maple Court,1A,1200\n") == (1, "header_missing")


def test_the_digest_is_that_of_the_bytes(file: Path) -> None:
    same = [table(file, HEADER + "A,1,,\n"), table(file, HEADER + "A,1,,\n")]
    assert same[0].digest == same[1].digest != table(file, HEADER + "A,2,,\n").digest
    assert len(same[0].digest) == 64
