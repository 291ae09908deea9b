"""What people type into an address field, drawn from addresses that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

import psycopg

DIRECTIONS = ("North", "South", "East", "West")
SHORT = {"Street": "St", "Avenue": "Ave", "Road": "Rd", "Drive": "Dr", "Boulevard": "Blvd", "Court": "Ct"}


class Known(NamedTuple):
    line: str
    city: str
    state: str
    postal_code: str

    @property
    def number(self) -> str:
        return self.line.split(" ")[0]

    @property
    def street(self) -> str:
        return self.line.partition(" ")[2]

    @property
    def name(self) -> str:
        words = self.street.split(" ")
        return words[1] if words[0] in DIRECTIONS else words[0]


def _slip(word: str, dice: Random) -> str:
    """A letter left out, wrong, or swapped with the next; never the first or the last."""
    at = dice.randrange(1, len(word) - 1)
    kind = dice.randrange(3)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + ("" if kind == 1 else dice.choice("aeiost")) + word[at + 1 :]


def _short(street: str) -> str:
    return " ".join(SHORT.get(word, word) for word in street.split(" "))


KINDS: Mapping[str, Callable[[Known, Random], str]] = {
    "three letters of a street": lambda one, dice: one.name[:3],
    "three letters of a city": lambda one, dice: one.city[:3],
    "three digits": lambda one, dice: (one.number + "000")[:3],
    "a number, three letters": lambda one, dice: f"{one.number} {one.street[:3]}",
    "a number and a street": lambda one, dice: one.line,
    "the same, and a city begun": lambda one, dice: f"{one.line}, {one.city[:3]}",
    "all of it": lambda one, dice: f"{one.line}, {one.city}, {one.state} {one.postal_code}",
    "a street, abbreviated, a city begun": lambda one, dice: f"{_short(one.street)} {one.city[:3]}",
    "a city, a street begun": lambda one, dice: f"{one.city} {one.name[:4]}",
    "a city": lambda one, dice: one.city,
    "a postal code": lambda one, dice: one.postal_code,
    "a slip in the street": lambda one, dice: one.line.replace(one.name, _slip(one.name, dice)),
    "a slip in the street, a city begun": lambda one, dice: (
        f"{one.line.replace(one.name, _slip(one.name, dice))}, {one.city[:3]}"
    ),
    "a street, a slip in the city": lambda one, dice: f"{one.street}, {_slip(one.city, dice)}",
    "nothing that is there": lambda one, dice: f"{one.name[::-1]}q",
}


def typed(connection: psycopg.Connection[Any], each: int) -> Iterator[tuple[str, Known, str]]:
    """(kind, the address meant, what was typed), `each` of each kind; the same for the same table."""
    rows = connection.execute(
        """
        select address_line1, city, state, postal_code
        from private.addresses
        where length(split_part(street, ' ', 1)) > 4
        order by id
        limit %s
        """,
        [each],
    ).fetchall()
    dice = Random(1783)  # noqa: S311
    for kind, write in KINDS.items():
        for row in rows:
            known = Known(*row)
            yield kind, known, write(known, dice)
