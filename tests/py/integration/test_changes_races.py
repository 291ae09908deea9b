"""changes(after) while others write: nothing is skipped, whatever the order in which transactions end."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from tests.py.integration.mirror import follow, in_sight
from tests.py.integration.portfolio import Portfolio

Db = psycopg.Connection[Any]


@pytest.fixture
def portfolio(db: Db) -> Portfolio:
    made = Portfolio(db)
    db.commit()
    return made


@pytest.fixture
def connect(database: str) -> Iterator[Callable[[], Db]]:
    """Connections of other people."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(psycopg.connect(database, options="-c lock_timeout=3s"))


def add(db: Db, portfolio: Portfolio, name: str) -> None:
    db.execute(
        "insert into public.tenants (workspace_id, last_name) values (%s, %s)", (portfolio.workspace_id, name)
    )


def names(rows: dict[tuple[str, str, str], dict[str, Any]]) -> list[str]:
    return sorted(row["last_name"] for (_, table, _), row in rows.items() if table == "tenants")


def test_what_commits_late_is_told_late_and_not_skipped(
    portfolio: Portfolio, connect: Callable[[], Db]
) -> None:
    slow, quick, reader = connect(), connect(), connect()
    reader.autocommit = True
    mirror = follow(reader, portfolio.owner_id)
    add(slow, portfolio, "Slow")
    add(quick, portfolio, "Quick")
    quick.commit()
    mirror.pull()
    assert names(mirror.rows) == ["Quick"]
    slow.commit()
    mirror.pull()
    assert names(mirror.rows) == ["Quick", "Slow"]


def test_what_is_rolled_back_is_never_told(portfolio: Portfolio, connect: Callable[[], Db]) -> None:
    writer, reader = connect(), connect()
    reader.autocommit = True
    mirror = follow(reader, portfolio.owner_id)
    mirror.pull()
    add(writer, portfolio, "Nobody")
    writer.rollback()
    assert mirror.changes() == []


def test_a_reader_does_not_wait_for_one_who_is_settling(
    portfolio: Portfolio, connect: Callable[[], Db]
) -> None:
    """And what the other settles comes after what this one was told."""
    db, settler, reader = connect(), connect(), connect()
    reader.autocommit = True
    mirror = follow(reader, portfolio.owner_id)
    mirror.pull()
    add(db, portfolio, "First")
    db.commit()
    settler.execute("select private.settle_changes(now())")
    add(db, portfolio, "Second")
    db.commit()
    assert mirror.changes() == []
    settler.commit()
    mirror.pull()
    assert names(mirror.rows) == ["First", "Second"]


def test_somebody_else_s_import_does_not_end_a_catching_up_before_its_time(
    portfolio: Portfolio, connect: Callable[[], Db]
) -> None:
    """More rows than one call gives positions to wait before the caller's own."""
    reader, importer = connect(), connect()
    reader.autocommit = importer.autocommit = True
    other = Portfolio(importer, owner="importer@example.com")
    for n in range(3):
        importer.execute(
            "insert into public.tenants (workspace_id, last_name) select %s, 'T' from generate_series(1, %s)",
            (other.workspace_id, 5000),
        )
        if n == 1:
            add(importer, portfolio, "Mine")
    mirror = follow(reader, portfolio.owner_id)
    mirror.pull()
    assert mirror.rows == in_sight(reader, portfolio.owner_id)
    assert names(mirror.rows) == ["Mine"]


@pytest.mark.parametrize("seed", range(3))
def test_copies_that_follow_random_writers_end_as_what_there_is(
    portfolio: Portfolio, connect: Callable[[], Db], db: Db, seed: int
) -> None:
    """Writers hold transactions open, roll some back, commit out of order; three clients follow at once."""
    writers_done = threading.Event()
    failures: list[BaseException] = []
    given: list[list[int]] = []

    def write(number: int) -> None:
        choose = random.Random(f"{seed}/{number}")  # noqa: S311
        opened = [connect() for _ in range(3)]
        try:
            for _ in range(40):
                index, one = choose.choice(list(enumerate(opened)))
                _write(one, portfolio, choose, f"{number}/{index}")
                if choose.random() < 0.5:
                    choose.choice((one.commit, one.commit, one.commit, one.rollback))()
            for each in choose.sample(opened, len(opened)):
                each.commit()
        except Exception as error:
            failures.append(error)

    def read(number: int) -> None:
        reader = connect()
        reader.autocommit = True
        mirror = follow(reader, portfolio.owner_id, page_size=(3, 17, 500)[number])
        at = [0]
        try:
            while not writers_done.is_set() or _unsettled(reader) or mirror.changes():
                mirror.step()
                assert mirror.position is not None
                at.append(mirror.position[str(portfolio.workspace_id)]["at"])
            given.append(at)
            assert mirror.rows == in_sight(reader, portfolio.owner_id)
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    readers = [threading.Thread(target=read, args=(number,)) for number in range(3)]
    for each in writers + readers:
        each.start()
    for each in writers:
        each.join()
    writers_done.set()
    for each in readers:
        each.join()
    assert failures == []
    assert len(given) == 3
    assert all(at == sorted(at) for at in given)
    positions = [row[0] for row in db.execute("select position from private.changes").fetchall()]
    assert len(positions) == len(set(positions)) > 50


def _write(db: Db, portfolio: Portfolio, choose: random.Random, owner: str) -> None:
    """Add, change or delete renters; each connection has rows of its own, so that none waits for another."""
    match choose.choice(("add", "add", "change", "change", "delete")):
        case "add":
            ids = [uuid.UUID(int=choose.getrandbits(128)) for _ in range(choose.randint(1, 5))]
            db.execute(
                """insert into public.tenants (id, workspace_id, last_name)
                select id, %s, %s from unnest(%s) as id""",
                (portfolio.workspace_id, owner, ids),
            )
        case "change":
            db.execute(
                "update public.tenants set phone = %s where last_name = %s and left(id::text, 1) < '8'",
                (str(choose.random()), owner),
            )
        case _:
            db.execute(
                """delete from public.tenants
                where id in (select id from public.tenants where last_name = %s order by id limit 2)""",
                (owner,),
            )


def _unsettled(db: Db) -> bool:
    row = db.execute("select exists (select from private.change_notes)").fetchone()
    return bool(row and row[0])
