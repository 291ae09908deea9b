"""Dashboards against a recount by hand: at rest, and while several people write, give up and fold at once."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from threading import Event
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.py.integration.meeting import value
from tests.py.integration.portfolio import Portfolio
from tests.py.support import as_role

Db = psycopg.Connection[Any]
DAY_0 = date(2026, 1, 1)
STARTS, ENDS = date(2026, 2, 10), date(2026, 6, 20)
BINDING = ("pending", "active", "notice_given")
OPEN = ("open", "assigned", "scheduled", "in_progress", "on_hold")

# What the figures mean, counted row by row. Nothing of the rollups is asked.
RECOUNT = """
with
    u as (select status, count(*) as n from public.units where {scope} group by 1),
    held as (
        select possession from public.lease_units where {scope} and binding and superseded_at is null
    ),
    ending as (
        select ends_on from public.leases
        where {scope} and status = any (%(binding)s) and ends_on between %(starts)s and %(ends)s
    ),
    asked as (
        select priority, count(*) as n from public.maintenance_requests
        where {scope} and status = any (%(open)s) group by 1
    )
select jsonb_build_object(
    'units', (select coalesce(jsonb_object_agg(status, n), '{{}}') from u),
    'at_start', (select count(*) from held where possession @> %(starts)s::date),
    'at_end', (select count(*) from held where possession @> %(ends)s::date),
    'average', (
        select round(avg(n), 2) from (
            select (select count(*) from held where possession @> day::date) as n
            from generate_series(%(starts)s::date, %(ends)s::date, interval '1 day') as day
        ) as days
    ),
    'expiring', (select count(*) from ending),
    'months', (
        select coalesce(jsonb_object_agg(month, n), '{{}}') from (
            select to_char(ends_on, 'YYYY-MM-01') as month, count(*) as n from ending group by 1
        ) as months
    ),
    'requests', (select coalesce(jsonb_object_agg(priority, n), '{{}}') from asked)
)
"""


def recounted(db: Db, scope: str, starts: date = STARTS, ends: date = ENDS) -> dict[str, Any]:
    row = db.execute(
        RECOUNT.format(scope=scope).encode(),
        {"starts": starts, "ends": ends, "binding": list(BINDING), "open": list(OPEN)},
    ).fetchone()
    assert row is not None
    counts: dict[str, Any] = row[0]
    return counts


def boiled_down(figures: dict[str, Any]) -> dict[str, Any]:
    """An answer in the recount's words."""
    requests = dict(figures["requests_open"])
    assert requests.pop("total") == sum(requests.values())
    return {
        "units": {status: n for status, n in figures["units"].items() if n},
        "at_start": figures["occupancy"]["occupied_at_start"],
        "at_end": figures["occupancy"]["occupied_at_end"],
        "average": figures["occupancy"]["average_occupied"],
        "expiring": figures["leases_expiring"]["total"],
        "months": {row["month"]: row["leases"] for row in figures["leases_expiring"]["by_month"]},
        "requests": {priority: n for priority, n in requests.items() if n},
    }


class Office:
    """A workspace with two properties. Whoever writes does so past row security, and not past triggers."""

    def __init__(self, db: Db) -> None:
        self.portfolio = Portfolio(db)
        self.db = db
        self.properties = [self.portfolio.building(3)[0] for _ in range(2)]

    def kpis(self, db: Db, starts: date = STARTS, ends: date = ENDS, *, named: bool = True) -> dict[str, Any]:
        with as_role(db, "authenticated", sub=str(self.portfolio.owner_id)):
            figures: dict[str, Any] = value(
                db,
                "select public.dashboard_kpis(%s, %s, %s)",
                *(starts, ends, self.portfolio.workspace_id if named else None),
            )
        return figures

    def check(self, db: Db) -> None:
        assert boiled_down(self.kpis(db)) == recounted(db, "true")


@pytest.fixture
def office(db: Db) -> Office:
    db.autocommit = True
    return Office(db)


Act = Callable[[Db, Office, random.Random], None]


def add_unit(db: Db, office: Office, dice: random.Random) -> None:
    db.execute(
        "insert into public.units (workspace_id, property_id, unit_number, status)"
        " select %s, %s, gen_random_uuid()::text, %s from generate_series(1, %s)",
        (
            office.portfolio.workspace_id,
            dice.choice(office.properties),
            dice.choice(["active", "off_market", "retired"]),
            dice.randint(1, 3),
        ),
    )


def change_unit(db: Db, office: Office, dice: random.Random) -> None:
    db.execute(
        "update public.units set status = %s"
        " where id in (select id from public.units order by random() limit 2)",
        (dice.choice(["active", "off_market", "retired"]),),
    )


def drop_unit(db: Db, office: Office, dice: random.Random) -> None:
    db.execute(
        "delete from public.units where id = (select u.id from public.units as u where not exists"
        " (select from public.lease_units as lu where lu.unit_id = u.id) order by random() limit 1)"
    )


def let(db: Db, office: Office, dice: random.Random) -> None:
    """A lease of a random unit for a random time; binding at once, as an import makes it, or a draft."""
    starts_on = DAY_0 + timedelta(days=dice.randint(0, 150))
    ends_on = starts_on + timedelta(days=dice.randint(0, 120)) if dice.random() < 0.8 else None
    status = dice.choice(["draft", "pending", "active", "notice_given"])
    property_id, unit_id = db.execute(
        "select property_id, id from public.units order by random() limit 1"
    ).fetchone() or (None, None)
    lease_id = uuid.uuid4()
    db.execute(
        """insert into public.leases
        (id, workspace_id, property_id, lease_number, starts_on, ends_on, status, activated_at)
        values (%s, %s, %s, %s, %s, %s, 'draft', null)""",
        (lease_id, office.portfolio.workspace_id, property_id, str(lease_id), starts_on, ends_on),
    )
    db.execute(
        "insert into public.lease_units (workspace_id, property_id, lease_id, unit_id)"
        " values (%s, %s, %s, %s)",
        (office.portfolio.workspace_id, property_id, lease_id, unit_id),
    )
    if status != "draft":
        db.execute("update public.lease_units set binding = true where lease_id = %s", (lease_id,))
        db.execute(
            "update public.leases set status = 'active', activated_at = now() where id = %s", (lease_id,)
        )


def move_draft(db: Db, office: Office, dice: random.Random) -> None:
    db.execute(
        "update public.leases set ends_on = starts_on + %s where status = 'draft'", (dice.randint(1, 90),)
    )


def drop_draft(db: Db, office: Office, dice: random.Random) -> None:
    db.execute(
        "delete from public.leases where id ="
        " (select id from public.leases where status = 'draft' order by random() limit 1)"
    )


def move_out(db: Db, office: Office, dice: random.Random) -> None:
    """As end_lease() does it: the row that binds is superseded by one that ends sooner."""
    row = db.execute(
        "select id, starts_on from public.leases where status = 'active' order by random() limit 1"
    ).fetchone()
    if row is None:
        return
    last_day = row[1] + timedelta(days=dice.randint(0, 40))
    db.execute(
        """with old as (
            update public.lease_units set superseded_at = clock_timestamp()
            where lease_id = %s and superseded_at is null returning *
        )
        select 1 from old""",
        (row[0],),
    )
    db.execute(
        """insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
        select workspace_id, property_id, lease_id, unit_id, daterange(lower(possession), %s, '[]'), true
        from public.lease_units where lease_id = %s order by superseded_at desc limit 1""",
        (last_day, row[0]),
    )
    db.execute("update public.leases set status = 'ended', ended_on = %s where id = %s", (last_day, row[0]))


def ask_for_repair(db: Db, office: Office, dice: random.Random) -> None:
    db.execute(
        "insert into public.maintenance_requests (workspace_id, property_id, title, priority)"
        " values (%s, %s, 'Leak', %s)",
        (
            office.portfolio.workspace_id,
            dice.choice(office.properties),
            dice.choice(["emergency", "high", "normal", "low"]),
        ),
    )


def settle_repair(db: Db, office: Office, dice: random.Random) -> None:
    column, new = dice.choice([("priority", "high"), ("priority", "low"), ("status", "cancelled")])
    db.execute(
        f"update public.maintenance_requests set {column} = %s where id ="
        " (select id from public.maintenance_requests order by random() limit 1)".encode(),
        (new,),
    )


def fold(db: Db, office: Office, dice: random.Random) -> None:
    db.execute("select private.fold_rollups(%s)", (dice.choice([1, 7, 1000]),))


def recount(db: Db, office: Office, dice: random.Random) -> None:
    one = office.portfolio.workspace_id if dice.random() < 0.5 else None
    assert value(db, "select private.reconcile_rollups(%s)", one) == 0


ACTS: list[Act] = [
    *(add_unit, change_unit, drop_unit, let, let, let, move_draft, drop_draft, move_out),
    *(ask_for_repair, ask_for_repair, settle_repair, fold, fold, recount),
]
Script = list[list[tuple[Act, int, bool]]]
scripts: st.SearchStrategy[Script] = st.lists(
    st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 2**20), st.booleans()), min_size=1, max_size=8),
    min_size=3,
    max_size=3,
)


def perform(database: str, office: Office, script: list[tuple[Act, int, bool]], done: list[str]) -> None:
    """Each act in a transaction of its own, with one more of the same kind; every other one is given up."""
    with psycopg.connect(database) as db:
        db.execute("set lock_timeout = '2s'")
        db.commit()
        for act, seed, keeps in script:
            dice = random.Random(seed)  # noqa: S311
            # What the domain refuses, or a deadlock: a transaction that leaves nothing behind.
            with suppress(psycopg.Error):
                act(db, office, dice)
                with suppress(psycopg.Error), db.transaction():
                    act(db, office, dice)
                if keeps:
                    db.commit()
                    done.append(act.__name__)
            db.rollback()


def test_figures_are_a_recount_after_each_kind_of_change(office: Office) -> None:
    def succeeds(act: Act, seed: int) -> bool:
        with suppress(psycopg.Error), office.db.transaction():
            act(office.db, office, random.Random(seed))  # noqa: S311
            return True
        return False

    for act in [*ACTS, *ACTS]:
        assert any(succeeds(act, seed) for seed in range(50)), act.__name__
        office.check(office.db)


def test_figures_are_a_recount_whoever_writes_meanwhile(office: Office, database: str) -> None:
    """Three write at random, fold and recount, and give some of it up; a fourth reads, and in each snapshot
    the figures are a recount of that very snapshot."""
    done: list[str] = []
    checks = 0

    @settings(
        max_examples=20,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(scripts)
    def run(script: Script) -> None:
        nonlocal checks
        over = Event()

        def read() -> int:
            looked = 0
            with psycopg.connect(database) as db:
                db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                while not over.is_set() or looked == 0:
                    db.execute("select 1")  # the snapshot of all that follows
                    office.check(db)
                    db.rollback()
                    looked += 1
            return looked

        with ThreadPoolExecutor(4) as pool:
            reader = pool.submit(read)
            writers = [pool.submit(perform, database, office, part, done) for part in script]
            try:
                for writer in writers:
                    writer.result(timeout=60)
            finally:
                over.set()
            checks += reader.result(timeout=60)
        office.check(office.db)
        assert office.db.execute("select * from private.rollup_differences()").fetchall() == []

    run()
    assert checks > 20
    assert len(done) > 40, "next to nothing was written"


def test_a_property_s_summary_is_its_own(office: Office) -> None:
    office.portfolio.active_lease("L-1", date.today() + timedelta(days=30))
    property_id = value(office.db, "select property_id from public.leases")
    ask_for_repair(office.db, office, random.Random(1))  # noqa: S311
    for folded in (False, True):
        if folded:
            assert value(office.db, "select private.fold_rollups(1000)") > 0
            assert value(office.db, "select count(*) from private.rollup_changes") == 0
        for each in (property_id, *office.properties):
            with as_role(office.db, "authenticated", sub=str(office.portfolio.owner_id)):
                summary = value(office.db, "select public.property_summary(%s)", each)
            today = value(office.db, "select (now() at time zone 'America/New_York')::date")
            assert summary["starts_on"] == str(today)
            counts = recounted(office.db, f"property_id = '{each}'", today, today + timedelta(days=90))
            assert boiled_down(summary) == counts
            assert summary["leases_expiring"]["total"] == (each == property_id)


def test_several_workspaces_are_summed_and_strangers_left_out(office: Office) -> None:
    other, foreign = (Portfolio(office.db, owner=f"{name}@example.com") for name in ("ann", "bob"))
    office.db.execute(
        "insert into public.workspace_members (workspace_id, user_id, role) values (%s, %s, 'viewer')",
        (other.workspace_id, office.portfolio.owner_id),
    )
    other.building(4)
    foreign.building(5)
    assert office.kpis(office.db, named=False)["units"]["active"] == 6 + 4
    assert office.kpis(office.db)["units"]["active"] == 6
    with (
        pytest.raises(psycopg.Error, match="workspace_not_found"),
        as_role(office.db, "authenticated", sub=str(office.portfolio.owner_id)),
    ):
        value(office.db, "select public.dashboard_kpis(%s, %s, %s)", *(STARTS, ENDS, foreign.workspace_id))
    with (
        pytest.raises(psycopg.Error, match="property_not_found"),
        as_role(office.db, "authenticated", sub=str(foreign.owner_id)),
    ):
        value(office.db, "select public.property_summary(%s)", office.properties[0])


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ("2026-01-02", "2026-01-01"),
        ("2026-01-01", "2028-01-02"),
        ("-infinity", "infinity"),
        ("1899-12-31", "1900-01-05"),
        (None, "2026-01-01"),
        ("2026-01-01", None),
    ],
)
def test_a_range_that_is_none_is_refused(office: Office, starts: str | None, ends: str | None) -> None:
    with (
        pytest.raises(psycopg.Error, match="range_invalid"),
        as_role(office.db, "authenticated", sub=str(office.portfolio.owner_id)),
    ):
        value(office.db, "select public.dashboard_kpis(%s, %s)", starts, ends)


def test_a_recount_finds_and_mends_what_was_written_past_the_triggers(office: Office) -> None:
    ask_for_repair(office.db, office, random.Random(1))  # noqa: S311
    assert value(office.db, "select worker.fold_rollups()")["more"] is False
    office.db.execute("delete from private.rollups where measure = 'units' and grain = 'day'")
    office.db.execute(
        "insert into private.rollup_changes select %s, %s, '-infinity', 'requests_open', 'low', 5",
        (office.portfolio.workspace_id, office.properties[0]),
    )
    assert boiled_down(office.kpis(office.db)) != recounted(office.db, "true")
    # The workspace and two properties lack their units; it and one of them have five requests too many.
    mended = {"workspaces_recounted": 1, "sums_mended": 5, "more": False}
    assert value(office.db, "select worker.reconcile_rollups()") == mended
    office.check(office.db)
    assert value(office.db, "select worker.reconcile_rollups()") == {**mended, "sums_mended": 0}


def recounted_next(office: Office, **arguments: Any) -> dict[str, Any]:
    named = ", ".join(f"{name} => %s" for name in arguments)
    answer = value(office.db, f"select worker.reconcile_rollups({named})", *arguments.values())
    assert isinstance(answer, dict)
    return answer


def spoil(db: Db) -> None:
    """Of each workspace one sum is wrong by one, and so is one of a workspace that is no more."""
    db.execute(
        "update private.rollups set amount = amount + 1 where scope_id = workspace_id and measure = 'units'"
    )
    db.execute(
        """insert into private.rollups (workspace_id, scope_id, grain, on_day, measure, label, amount)
        select id, id, 'day', '-infinity', 'units', 'vacant', 7 from gen_random_uuid() as id"""
    )


def test_a_recount_goes_round_and_on_where_it_stopped(office: Office) -> None:
    for name in ("ann", "bob"):
        Portfolio(office.db, owner=f"{name}@example.com").building(3)
    office.db.execute("select private.fold_rollups(1000)")
    spoil(office.db)
    assert value(office.db, "select count(*) from private.rollup_differences()") == 4
    calls = [recounted_next(office, p_seconds=0) for _ in range(5)]
    assert [call["sums_mended"] for call in calls] == [1, 1, 1, 1, 0]
    assert [call["more"] for call in calls] == [True, True, True, True, False]
    assert value(office.db, "select count(*) from private.rollup_differences()") == 0
    spoil(office.db)
    assert recounted_next(office, p_seconds=0)["more"] is True
    # Broken off, and taken up with time enough: the rest of the round, and then all of the next.
    assert recounted_next(office) == {"workspaces_recounted": 3, "sums_mended": 3, "more": False}
    assert recounted_next(office) == {"workspaces_recounted": 3, "sums_mended": 0, "more": False}


def test_a_recount_of_one_workspace_reads_no_other(office: Office) -> None:
    other = Portfolio(office.db, owner="ann@example.com")
    other.building(3)
    office.db.execute("select private.fold_rollups(1000)")
    spoil(office.db)
    one = {"p_workspace_id": office.portfolio.workspace_id}
    assert recounted_next(office, **one) == {"workspaces_recounted": 1, "sums_mended": 1, "more": False}
    differing = "select array_agg(distinct workspace_id) from private.rollup_differences()"
    assert office.portfolio.workspace_id not in value(office.db, differing)
    assert other.workspace_id in value(office.db, differing)
    assert recounted_next(office, **one)["sums_mended"] == 0


def test_the_way_to_the_next_workspace_leads_past_all_the_sums_of_one(office: Office) -> None:
    """Else a round reads the sums of the largest workspace once for each that follows it."""
    office.db.execute(
        """insert into private.rollups (workspace_id, scope_id, grain, on_day, measure, label, amount)
        select %(id)s, %(id)s, 'day', date '2000-01-01' + n, 'occupied', '', 1
        from generate_series(1, 2000) as n""",
        {"id": office.portfolio.workspace_id},
    )
    office.db.execute("analyze private.rollups")
    read = """select seq_tup_read + idx_tup_fetch from pg_stat_xact_all_tables
        where relid = 'private.rollups'::regclass"""
    with office.db.transaction():
        before = value(office.db, read)
        onward = "select private.next_recounted_workspace(%s)"
        assert value(office.db, onward, office.portfolio.workspace_id) is None
        assert value(office.db, read) - before < 10


def test_two_who_go_round_at_once_share_the_way(office: Office, database: str) -> None:
    Portfolio(office.db, owner="ann@example.com").building(3)
    office.db.execute("select private.fold_rollups(1000)")
    spoil(office.db)
    step = "select worker.reconcile_rollups(p_seconds => 0)"
    with psycopg.connect(database) as first, psycopg.connect(database) as second:
        first.execute(step)
        second.execute("set lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.execute(step)
        second.rollback()
        first.commit()
        assert [value(second, step)["sums_mended"] for _ in range(3)] == [1, 1, 0]
        second.commit()


def test_a_workspace_that_is_deleted_leaves_no_sums(office: Office) -> None:
    other = Portfolio(office.db, owner="ann@example.com")
    other.building(4)
    office.db.execute("select private.fold_rollups(1000)")
    office.db.execute("delete from public.workspaces where id = %s", (other.workspace_id,))
    office.db.execute("select private.fold_rollups(1000)")
    left = "select count(*) from private.rollups where workspace_id = %s"
    assert value(office.db, left, other.workspace_id) == 0
    assert value(office.db, left, office.portfolio.workspace_id) > 0
