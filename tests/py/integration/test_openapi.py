"""What the API says of itself: each role is told of what it may use, and every word of it helps a caller."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.py.access import expectations
from tests.py.integration.seeded import Seeded
from tests.py.integration.test_catalog_functions import EXECUTABLE

Db = psycopg.Connection[Any]

LONGEST_TITLE = 120
# Their name says all there is to say of them; so do the comments on columns that the function answers with.
PLAIN_IDS = r"\w+_id|id"

WORDED = """
    select 'table', c.relname, '{}'::text[], obj_description(c.oid, 'pg_class'), '{}'::text[]
    from pg_class as c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
    union all
    select 'column', c.relname || '.' || a.attname, '{}', col_description(c.oid, a.attnum), '{}'
    from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
    union all
    select
        'function',
        p.pronamespace::regnamespace || '.' || p.proname,
        coalesce(p.proargnames[:p.pronargs], '{}'),
        obj_description(p.oid, 'pg_proc'),
        array(
            select a.attname::text
            from pg_type as t
            join pg_attribute as a on a.attrelid = t.typrelid and a.attnum > 0
            where t.oid = p.prorettype
        )
    from pg_proc as p
    where
        p.pronamespace in ('public'::regnamespace, 'worker'::regnamespace)
        and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
    order by 1, 2
"""


@dataclass(frozen=True)
class Worded:
    """A thing of the API and its comment; `answered` are columns of the row that a function answers with."""

    kind: str
    name: str
    arguments: list[str]
    words: str | None
    answered: tuple[str, ...] = ()


def found(db: Db) -> list[Worded]:
    return [
        Worded(kind, name, arguments, words, tuple(answered))
        for kind, name, arguments, words, answered in db.execute(WORDED.encode())
    ]


def problems(thing: Worded) -> list[str]:
    """What is wrong with a comment, for whoever has to mend it."""
    if not (thing.words or "").strip():
        return ["has no comment"]
    title, _, rest = str(thing.words).partition("\n")
    said = []
    if _bare(str(thing.words)) == _bare(thing.name.rpartition(".")[2]):
        said.append("says no more than its name")
    if thing.kind == "column" and not re.search(r"[.?!)]$", str(thing.words)):
        said.append("does not end as a sentence")
    if thing.kind != "column":
        if len(title) > LONGEST_TITLE:
            said.append(f"has a first line of over {LONGEST_TITLE} characters: it is the title")
        if rest and not rest.startswith("\n"):
            said.append("has no empty line after its title")
    if thing.kind == "table" and not re.search(r"[.?!]$", title):
        said.append("has a title that is no sentence")
    if thing.kind == "function":
        said += _of_function(thing, title, rest.strip())
    return said


def _of_function(thing: Worded, title: str, body: str) -> list[str]:
    said = []
    if title.endswith("."):
        said.append("has a title that ends with a full stop")
    if not re.search(r"[.?!]$", body):
        said.append("says nothing under its title, or does not end as a sentence")
    said += [
        f"does not say what {argument} is"
        for argument in thing.arguments
        if not re.fullmatch(PLAIN_IDS, argument)
        and thing.name.startswith("public.")
        and argument not in thing.answered
        and not re.search(rf"\b{argument.replace('_', '[_ ]')}\b", str(thing.words), re.I)
    ]
    return said


def _bare(text: str) -> str:
    return re.sub(r"^(the|a|an) |[^a-z0-9]", "", text.lower())


def test_every_comment_helps_a_caller(db: Db) -> None:
    wrong = {f"{thing.kind} {thing.name}": problems(thing) for thing in found(db)}
    assert {name: said for name, said in wrong.items() if said} == {}


@pytest.mark.parametrize(
    ("kind", "name", "words", "problem"),
    [
        ("column", "units.bedrooms", None, "has no comment"),
        ("column", "units.bedrooms", "The bedrooms.", "says no more than its name"),
        ("column", "units.bedrooms", "How many there are", "does not end as a sentence"),
        ("table", "units", "Parts\nof a property.", "has no empty line after its title"),
        ("function", "public.end_lease", "Ends a lease", "says nothing under its title"),
        ("function", "public.end_lease", "Ends a lease.\n\nOn `ended_on`.", "ends with a full stop"),
        (
            "function",
            "public.end_lease",
            "Ends a lease\n\nNeeds a permission.",
            "does not say what ended_on is",
        ),
    ],
)
def test_a_comment_that_does_not_help_is_found(kind: str, name: str, words: str | None, problem: str) -> None:
    arguments = ["lease_id", "ended_on"] if kind == "function" else []
    assert any(problem in said for said in problems(Worded(kind, name, arguments, words)))


def document(seeded: Seeded, actor: str, profile: str = "public") -> dict[str, Any]:
    answer = seeded.client(actor).get("/", headers={"Accept-Profile": profile})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.mark.parametrize(
    ("actor", "profile", "tables", "functions"),
    [
        ("anon", "public", [], []),
        ("owner_a", "public", expectations.tables(), ["public", "authenticated"]),
        ("outsider", "public", expectations.tables(), ["public", "authenticated"]),
        ("service_role", "public", expectations.tables(), []),
        ("worker", "public", [], []),
        ("anon", "worker", [], []),
        ("owner_a", "worker", [], []),
        ("service_role", "worker", [], []),
        ("worker", "worker", [], ["worker", "worker"]),
    ],
)
def test_a_role_is_told_of_what_it_may_use_and_of_nothing_else(
    seeded: Seeded, actor: str, profile: str, tables: list[str], functions: list[str]
) -> None:
    schema, role = functions or ["", ""]
    expected = {"/", *(f"/{table}" for table in tables)} | {
        f"/rpc/{name.removeprefix(schema + '.')}"
        for name in EXECUTABLE.get(role, set())
        if name.startswith(f"{schema}.")
    }
    assert set(document(seeded, actor, profile)["paths"]) == expected


@pytest.mark.parametrize(("profile", "title"), [("public", "Freehold"), ("worker", "Freehold's workers")])
def test_the_document_says_what_it_is_about(seeded: Seeded, profile: str, title: str) -> None:
    about = document(seeded, "owner_a", profile)["info"]
    assert about["title"] == title
    assert about["description"].endswith(".")


def test_comments_arrive_as_summary_and_description(seeded: Seeded) -> None:
    told = document(seeded, "owner_a")
    ending = told["paths"]["/rpc/end_lease"]["post"]
    assert ending["summary"] == "Records that the renters have moved out"
    assert ending["description"].startswith("`ended_on` is the last day")
    assert (
        told["definitions"]["units"]["properties"]["bedrooms"]["description"] == "Bedrooms; 0 for a studio."
    )
