"""What search finds, for whom, and that its entries keep up with the rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from scripts.stack.layout import REPOSITORY
from tests.py.integration.meeting import met, value
from tests.py.integration.portfolio import Portfolio
from tests.py.support import as_role

Db = psycopg.Connection[Any]
TWO_WORKSPACES = REPOSITORY / "tests" / "sql" / "helpers" / "two_workspaces.sql"
TITLES = {
    "properties": "name",
    "units": "unit_number",
    "tenants": "first_name",
    "leases": "lease_number",
    "vendors": "name",
    "maintenance_requests": "title",
}


class Desk:
    """One workspace, and its owner who searches it."""

    def __init__(self, db: Db) -> None:
        self.portfolio = Portfolio(db)
        self.db = db
        self.building, self.unit_ids = self.portfolio.building(4)
        self.change("properties", self.building, name="Élm Court")
        for number, unit_id in zip(("4B", "4C", "12", "7-D"), self.unit_ids, strict=True):
            self.change("units", unit_id, unit_number=number)
        self.portfolio.active_lease("L-104", None)
        for first, last, email, phone in (
            ("Rae", "Renter", "rae.renter@example.com", "+1 (555) 123-4567"),
            ("José", "García", None, None),
            ("John", "Johnson", None, None),
            ("Иван", "Петров", None, None),
        ):
            self.add("tenants", first_name=first, last_name=last, email=email, phone=phone)
        self.add("vendors", name="Pipes & Sons")
        self.add("maintenance_requests", property_id=self.building, title="Unit heater rattles")

    def add(self, table: str, **row: Any) -> uuid.UUID:
        columns = {"id": uuid.uuid4(), "workspace_id": self.portfolio.workspace_id, **row}
        names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
        self.db.execute(
            f"insert into public.{table} ({names}) values ({marks})".encode(), list(columns.values())
        )
        return uuid.UUID(str(columns["id"]))

    def change(self, table: str, row_id: uuid.UUID, **row: Any) -> None:
        sets = ", ".join(f"{name} = %s" for name in row)
        self.db.execute(f"update public.{table} set {sets} where id = %s".encode(), [*row.values(), row_id])

    def search(self, q: str, *tables: str, most: int = 20) -> list[dict[str, Any]]:
        with as_role(self.db, "authenticated", sub=str(self.portfolio.owner_id)):
            answer = value(
                self.db,
                "select public.search(%s, tables => %s::text[], max_results => %s)",
                *(q, list(tables) or None, most),
            )
        found: list[dict[str, Any]] = answer["results"]
        return found

    def titles_begin(self, q: str) -> list[str]:
        return [title.partition(" ")[0] for title in self.titles(q)]

    def titles(self, q: str, *tables: str) -> list[str]:
        return [row["title"] for row in self.search(q, *tables)]


@pytest.fixture
def desk(db: Db) -> Iterator[Desk]:
    db.autocommit = True
    yield Desk(db)


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("rae", "Rae Renter"),
        ("r", "Rae Renter"),
        ("renter rae", "Rae Renter"),
        ("RAE.RENTER@ex", "Rae Renter"),
        ("5551234", "Rae Renter"),
        ("(555) 123-4567", "Rae Renter"),
        ("garcia", "José García"),
        ("GARCÍA", "José García"),
        ("jose\u0301", "José García"),
        ("петро", "Иван Петров"),
        ("4b", "4B"),
        ("4-B", "4B"),
        ("elm 4c", "4C"),
        ("elm court", "Élm Court"),
        ("L-104", "L-104"),
        ("l104", "L-104"),
        ("pipes and", "Pipes & Sons"),
        ("7d", "7-D"),  # typed without what stands between
        ("élm 7d", "7-D"),
        ("unit 12", "12"),
        ("apt 4b", "4B"),
        ("elm court apartment 7 d", "7-D"),
        ("unit heater", "Unit heater rattles"),
    ],
)
def test_words_beginnings_and_numbers_are_found(desk: Desk, q: str, first: str) -> None:
    assert desk.titles(q)[:1] == [first]


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("rentr", "Rae Renter"),  # a letter is missing
        ("rentter", "Rae Renter"),  # one too many
        ("renyer", "Rae Renter"),  # a wrong one
        ("renetr", "Rae Renter"),  # two changed places
        ("jonson", "John Johnson"),
        ("garxia jose", "José García"),
        ("elm cuort 4b", "4B"),
        ("jhon jonhson", "John Johnson"),  # a slip in each word
    ],
)
def test_a_slip_of_the_finger_is_forgiven(desk: Desk, q: str, first: str) -> None:
    assert desk.titles(q)[:1] == [first]


def slips(word: str) -> Iterator[str]:
    """The word typed in haste: a letter wrong, missing or too much, or two in each other's place."""
    for i in range(len(word)):
        before, after = word[:i], word[i + 1 :]
        if len(word) > 4:
            yield f"{before}{'q' if word[i] != 'q' else 'z'}{after}"
            yield before + after
        yield f"{before}q{word[i:]}"
        if after and after[0] != word[i]:
            yield f"{before}{after[0]}{word[i]}{after[1:]}"


def test_one_slip_anywhere_in_a_name_is_forgiven(desk: Desk) -> None:
    names = ("King", "Brown", "Smith", "Jones", "Garner", "Patricia", "Hernandez")
    for name in names:
        desk.add("tenants", first_name=name, last_name="Vo")
    missed = [
        typed for name in names for typed in slips(name.lower()) if name not in desk.titles_begin(typed)
    ]
    assert missed == []


@pytest.mark.parametrize(
    "q", ["zzzz", "' or true --", "%", "_", ".*", "\\", "4d", "  ", "!?", "5559999", "\U0001f600"]
)
def test_nothing_is_found_by_what_nothing_has(desk: Desk, q: str) -> None:
    assert desk.titles(q) == []


def test_what_begins_with_the_words_comes_first_and_the_order_is_always_the_same(desk: Desk) -> None:
    for name in ("Courtney", "Moor Court", "Court"):
        desk.add("properties", name=name, address_line1="1 Oak", city="Austin")
    titles = desk.titles("court")
    assert titles == [
        "Court",
        "Courtney",
        "Élm Court",
        "Moor Court",
        "12",
        "4B",
        "4C",
        "7-D",
        "Unit heater rattles",
    ]
    assert all(desk.titles("court") == titles for _ in range(3))


def test_it_says_what_was_found(desk: Desk) -> None:
    [unit] = desk.search("4b", "units")
    assert unit == {
        "table": "units",
        "id": str(desk.unit_ids[0]),
        "workspace_id": str(desk.portfolio.workspace_id),
        "title": "4B",
        "subtitle": "Élm Court",
        "score": 1.0,
    }


def test_no_more_is_answered_than_was_asked_for(desk: Desk) -> None:
    assert len(desk.search("e", most=2)) == 2
    assert {row["table"] for row in desk.search("e", "vendors", "leases", most=50)} <= {"vendors", "leases"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("''", "query_length"),
        ("null", "query_length"),
        ("repeat('x', 201)", "query_length"),
        ("'x', max_results => 51", "max_results_out_of_range"),
        ("'x', max_results => null", "max_results_out_of_range"),
        ("'x', tables => '{workspaces}'", "table_not_searched"),
        ("'x', tables => '{null}'", "table_not_searched"),
    ],
)
def test_what_it_cannot_answer_is_refused(desk: Desk, arguments: str, code: str) -> None:
    with pytest.raises(psycopg.Error, match=code):
        desk.db.execute(f"select public.search({arguments})".encode())


def test_an_entry_follows_its_row(desk: Desk) -> None:
    tenant_id = desk.add("tenants", first_name="Ada", last_name="Lovelace")
    assert desk.titles("lovelace") == ["Ada Lovelace"]
    desk.change("tenants", tenant_id, last_name="Byron")
    assert (desk.titles("lovelace"), desk.titles("byron")) == ([], ["Ada Byron"])
    desk.db.execute("delete from public.tenants where id = %s", (tenant_id,))
    assert desk.titles("byron") == []
    with pytest.raises(psycopg.errors.DivisionByZero), desk.db.transaction():
        desk.add("tenants", last_name="Ghost")
        desk.db.execute("select 1 / 0")
    assert desk.titles("ghost") == []


def test_units_follow_the_name_of_their_property(desk: Desk) -> None:
    desk.change("properties", desk.building, name="Maple Hall")
    assert desk.titles("maple 4b") == ["4B"]
    assert desk.titles("court", "units") == []


def test_a_unit_added_while_its_property_is_renamed_is_found_by_the_new_name(
    desk: Desk, database: str
) -> None:
    def rename(db: Db) -> None:
        db.execute("update public.properties set name = 'Maple Hall' where id = %s", (desk.building,))

    def add(number: str) -> Any:
        def run(db: Db) -> None:
            db.execute(
                "insert into public.units (workspace_id, property_id, unit_number) values (%s, %s, %s)",
                (desk.portfolio.workspace_id, desk.building, number),
            )

        return run

    assert met(desk.portfolio, database, rename, add("77")) is None
    assert desk.titles("maple 77") == ["77"]
    desk.change("properties", desk.building, name="Élm Court")
    assert met(desk.portfolio, database, add("78"), rename) is None
    assert desk.titles("maple 78") == ["78"]


def test_reconciling_finds_entries_that_were_written_past_the_triggers(desk: Desk) -> None:
    assert value(desk.db, "select private.reconcile_search()") == 0
    lost, wrong = desk.unit_ids[:2]
    desk.db.execute("delete from private.search_entries where id = %s", (lost,))
    desk.db.execute("update private.search_entries set body = 'x' where id = %s", (wrong,))
    desk.db.execute(
        "insert into private.search_entries values (%s, 'units', %s, 'ghost')",
        (desk.portfolio.workspace_id, uuid.uuid4()),
    )
    assert value(desk.db, "select private.reconcile_search()") == 3
    assert desk.titles("elm 4") == ["4B", "4C"]
    assert value(desk.db, "select private.reconcile_search()") == 0


def test_everybody_finds_exactly_what_they_can_read(db: Db) -> None:
    """Each title, searched by each actor: the rows found are those that row security shows."""
    db.execute(TWO_WORKSPACES.read_bytes())
    actors = [
        row[0] for row in db.execute("select name from tests.actors where role = 'authenticated' order by 1")
    ]
    titles = {
        (table, row[0])
        for table, title in TITLES.items()
        for row in db.execute(f"select {title} from public.{table}".encode())
    }
    found_at_all = 0
    for actor in actors:
        db.execute("select tests.act_as(%s)", (actor,))
        for table, title in sorted(titles):
            visible = db.execute(
                f"select id from public.{table} where {TITLES[table]} = %s".encode(), (title,)
            ).fetchall()
            answer = value(db, "select public.search(%s, tables => %s, max_results => 50)", title, [table])
            found = {row["id"] for row in answer["results"] if row["title"].startswith(title)}
            assert found == {str(row[0]) for row in visible}, (actor, table, title)
            found_at_all += len(found)
    assert found_at_all > 200


def test_a_renter_s_search_is_not_drowned_by_the_rest_of_the_workspace(db: Db) -> None:
    db.execute(TWO_WORKSPACES.read_bytes())
    db.execute(
        "insert into public.tenants (workspace_id, first_name, last_name)"
        " select tests.ws('a'), 'Rita', 'Renter' from generate_series(1, 1500)"
    )
    db.execute("select tests.act_as('renter_a')")
    answer = value(db, "select public.search('rita renter')")
    assert [row["id"] for row in answer["results"]] == [str(value(db, "select tests.tenant('a')"))]
