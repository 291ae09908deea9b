"""What people type: the same kinds of queries at either size, made of rows that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import psycopg

Query = tuple[str, str]


def of_the_large_workspace(connection: psycopg.Connection[Any], each: int) -> list[Query]:
    """(kind, q), `each` of every kind, in a fixed order."""
    dice = Random(5)  # noqa: S311
    people = connection.execute(
        "select first_name, last_name, email, phone from public.tenants order by md5(id::text) limit %s",
        [each],
    ).fetchall()
    numbers = [
        row[0]
        for row in connection.execute(
            "select unit_number from public.units order by md5(id::text) limit %s", [each]
        )
    ]
    names = [
        row[0]
        for row in connection.execute(
            "select name from public.properties order by md5(id::text) limit %s", [each]
        )
    ]
    kinds: dict[str, Callable[[int], str]] = {
        "a family name": lambda i: people[i % len(people)][1],
        "first letters of a name": lambda i: people[i % len(people)][1][:3],
        "one letter": lambda i: "abcdefghijklmnoprstw"[i % 20],
        "first and family name": lambda i: " ".join(people[i % len(people)][:2]),
        "a slip in a name": lambda i: slipped(people[i % len(people)][1], dice),
        "a slip in one name of two": lambda i: (
            f"{people[i % len(people)][0]} {slipped(people[i % len(people)][1], dice)}"
        ),
        "an e-mail address": lambda i: people[i % len(people)][2],
        "the end of a phone number": lambda i: people[i % len(people)][3][-8:],
        "a unit": lambda i: numbers[i % len(numbers)],
        "a property": lambda i: names[i % len(names)],
        "a lease": lambda i: f"L-{i * 97}",
        "what a sixth of all rows have": lambda i: "court" if i % 2 else "street",
        "a common request": lambda i: ("leaking tap", "hot water", "broken heater")[i % 3],
        "nothing that is there": lambda i: f"zq{'xkvjw'[i % 5]}qz {i}",
    }
    return [(kind, make(i)) for i in range(each) for kind, make in kinds.items()]


def slipped(word: str, dice: Random) -> str:
    """The word with one slip of the finger: a letter left out, doubled, or two changed about."""
    at = dice.randrange(1, max(len(word) - 1, 2))
    slips: Iterator[str] = iter(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
        )
    )
    return dice.choice(list(slips))
