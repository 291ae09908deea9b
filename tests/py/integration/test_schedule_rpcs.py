"""The schedule is rows: each due run goes to one machine, and one that died is taken over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

Db = psycopg.Connection[Any]
NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)


def due(db: Db, now: datetime) -> list[tuple[str, str, int]]:
    row = db.execute("select worker.start_due_runs(%s)", (now,)).fetchone()
    assert row is not None
    return [(run["job"], run["due_at"], run["fence"]) for run in row[0]]


def finish(db: Db, due_at: str, fence: int, error: str | None = None) -> bool:
    row = db.execute(
        "select worker.finish_run('lease_expiry_check', %s::timestamptz, %s, %s)", (due_at, fence, error)
    ).fetchone()
    assert row is not None
    return bool(row[0])


def only_the_check(db: Db) -> None:
    db.autocommit = True
    db.execute("update private.scheduled_jobs set enabled = name = 'lease_expiry_check'")


def test_a_due_run_is_given_once(db: Db) -> None:
    only_the_check(db)
    assert due(db, NOW) == [("lease_expiry_check", "2027-03-01T09:00:00+00:00", 1)]
    assert due(db, NOW + timedelta(minutes=5)) == []
    assert finish(db, "2027-03-01T09:00:00+00:00", 1) is True
    assert [run[1] for run in due(db, NOW + timedelta(minutes=30))] == ["2027-03-01T10:00:00+00:00"]


def test_of_many_machines_at_once_one_gets_it(db: Db, database: str) -> None:
    only_the_check(db)

    def ask(_: int) -> int:
        with psycopg.connect(database, autocommit=True) as connection:
            return len(due(connection, NOW))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1


def test_a_run_whose_machine_died_is_taken_over_and_the_dead_ones_word_is_void(db: Db) -> None:
    only_the_check(db)
    ((_, due_at, fence),) = due(db, NOW)
    assert due(db, NOW + timedelta(minutes=9)) == []
    ((_, same, newer),) = due(db, NOW + timedelta(minutes=11))
    assert (same, newer) == (due_at, fence + 1)
    assert finish(db, due_at, fence) is False
    assert finish(db, due_at, newer) is True
    assert due(db, NOW + timedelta(minutes=22)) == []


def test_a_failed_run_is_tried_five_times_and_then_stays_failed(db: Db) -> None:
    only_the_check(db)
    fences = []
    for minute in range(8):
        for _, due_at, fence in due(db, NOW + timedelta(minutes=minute)):
            fences.append(fence)
            assert finish(db, due_at, fence, "out of luck") is True
    assert fences == [1, 2, 3, 4, 5]
    assert db.execute("select status, error from private.job_runs").fetchall() == [("failed", "out of luck")]


def test_missed_runs_are_made_up_for_as_the_job_says(db: Db) -> None:
    only_the_check(db)
    due(db, NOW)
    later = NOW + timedelta(hours=4)
    assert [run[1] for run in due(db, later) if run[2] == 1] == ["2027-03-01T13:00:00+00:00"]

    db.execute("delete from private.job_runs")
    db.execute("update private.scheduled_jobs set catch_up = 'all' where name = 'lease_expiry_check'")
    due(db, NOW)
    hours = [run[1][11:13] for run in due(db, later) if run[2] == 1]
    assert hours == ["10", "11", "12", "13"]


def test_a_disabled_job_does_not_run(db: Db) -> None:
    only_the_check(db)
    db.execute("update private.scheduled_jobs set enabled = false")
    assert due(db, NOW) == []


def test_housekeeping_deletes_what_has_served_its_time_and_no_more(db: Db) -> None:
    db.autocommit = True
    db.execute(
        "insert into auth.users (id, email) values ('00000000-0000-0000-0000-0000000000aa', 'a@example.com')"
    )
    db.execute(
        """insert into private.idempotency_keys (user_id, function, key, body_digest, created_at)
        select '00000000-0000-0000-0000-0000000000aa', 'invite', age::text, '', %s - age * interval '1 hour'
        from unnest(array[1, 23, 25, 90]) as age""",
        (NOW,),
    )
    row = db.execute("select worker.housekeeping(%s)", (NOW,)).fetchone()
    assert row is not None and row[0]["idempotency_keys"] == 2
    kept = db.execute("select key from private.idempotency_keys order by key::integer").fetchall()
    assert kept == [("1",), ("23",)]
