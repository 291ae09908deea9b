"""Records to rows of a rent roll, as they are staged, and every cell that can't be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from workers.imports.columns import Column, Reading
from workers.imports.problem import Problem, Unreadable
from workers.imports.table import Table
from workers.imports.values import DateStyle

# Of these a property has one unit, which needs no number.
HOUSES = (None, "single_family", "townhouse", "condo", "manufactured")


@dataclass
class Row:
    """One line of the file. `data` has texts by the names of private.rent_roll_columns(), no empty ones."""

    line: int
    data: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_rows(table: Table, *, dates: DateStyle, shift: timedelta, currency: str) -> Iterator[Row]:
    """`currency` is what amounts are in where the row names none; `shift` moves every date."""
    for line, cells in table.records:
        yield _row(table, line, cells, Reading(dates, shift, currency))


def _row(table: Table, line: int, cells: tuple[str, ...], how: Reading) -> Row:
    row = Row(line)
    for position, cell in enumerate(cells[len(table.columns) :], start=len(table.columns) + 1):
        if cell.strip():
            message = f"The line has {len(cells)} cells, the header {len(table.columns)}."
            remedy = 'Put a cell that has the delimiter in it in quotes, as in "1,250.00".'
            row.problems.append(
                Problem(line, f"cell {position}", cell, "cells_beyond_header", message, remedy)
            )
            break
    given = [
        (column, cell.strip())
        for column, cell in zip(table.columns, cells, strict=False)
        if column is not None and cell.strip()
    ]
    # First, since it says what the amounts mean.
    given.sort(key=lambda pair: pair[0].name != "currency")
    for column, cell in given:
        value = _value(table, row, column, cell, how)
        if value is not None:
            row.data[column.key] = value
            how = Reading(how.dates, how.shift, value) if column.name == "currency" else how
    _complete(row, how, {column.name for column, _ in given})
    return row


def _value(table: Table, row: Row, column: Column, cell: str, how: Reading) -> str | None:
    try:
        return column.read(cell, how)
    except Unreadable as error:
        problem = Problem(
            row.line, table.label(column), cell, "value_invalid", "This value cannot be read.", str(error)
        )
        row.problems.append(problem)
        return None


def _complete(row: Row, how: Reading, given: set[str]) -> None:
    """What goes without saying: a house is called by its address, and its one unit is number 1."""
    data = row.data
    data.setdefault("currency", how.currency)
    if "property_name" not in given and "address_line1" in data:
        data["property_name"] = data["address_line1"][:120]
    type_unread = "property_type" in given and "property_type" not in data
    if "unit_number" not in given and not type_unread and data.get("property_type") in HOUSES:
        data["unit_number"] = "1"
