"""A worker that checks addresses is killed by SIGKILL at a named point; another one takes over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from scripts.stack import keeper
from scripts.stack.layout import Stack
from tests.py.serving import serving
from tests.py.support import wait_until

COUNT = 12
# By point: how many calls the killed worker's check adds. Asked twice is no harm, and each call is counted.
POINTS = {"before_claim": 0, "after_claim": 0, "before_send": 0, "handing_over": 1, "answered": 1}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack of this module's own: its workers check whatever address waits."""
    root = keeper.new_root()
    yield keeper.obtain(root, os.getpid())
    keeper.release(root)


class Photon:
    """Knows each house that it is asked for; kills the process that asked, where a test wants it to."""

    def __init__(self) -> None:
        self.asked = 0
        self.victim: subprocess.Popen[bytes] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        if self.victim:
            self.victim.kill()
        number = Request(scope).query_params["q"].split()[0]
        house = {
            **{"osm_type": "W", "osm_id": int(number), "housenumber": number, "street": "Elm Street"},
            **{"city": "Ames", "countrycode": "US", "type": "house"},
        }
        point = {"type": "Point", "coordinates": [-93.5, 42.5]}
        feature = {"type": "Feature", "geometry": point, "properties": house}
        await JSONResponse({"features": [feature]})(scope, receive, send)


@pytest.fixture
def photon() -> Iterator[tuple[Photon, str]]:
    app = Photon()
    with serving(app) as url:
        yield app, url


class Checks:
    """A workspace of houses to check, and workers on the queue."""

    def __init__(self, stack: Stack, db: psycopg.Connection[Any], url: str) -> None:
        self.db = db
        self.workspace_id = str(uuid.uuid4())
        self.env = {
            "PATH": os.environ["PATH"],
            "API_URL": stack.api_url,
            "ANON_KEY": stack.keys.anon_key,
            "WORKER_KEY": stack.keys.worker_key,
            "FREEHOLD_ENV": "test",
            "LOG_LEVEL": "error",
            "PLACES_PROVIDER": "photon",
            "PHOTON_URL": url,
            "WORKER_CONCURRENCY": "1",
            "WORKER_LEASE_SECONDS": "2",
            "WORKER_POLL_SECONDS": "0.2",
        }
        db.execute("delete from pgmq.q_compliance")
        db.execute(
            "insert into public.workspaces (id, name, timezone) values (%s, 'W', 'UTC')", (self.workspace_id,)
        )
        db.execute(
            """
            insert into public.properties (workspace_id, name, address_line1, city, country)
            select %s, 'House ' || n, n || ' Elm St', 'Ames', 'US' from generate_series(1, %s) as n
            """,
            (self.workspace_id, COUNT),
        )
        db.execute("select worker.verify_addresses(%s)", (self.workspace_id,))

    def start(self, **env: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "workers", "work", "--queue", "compliance"]
        return subprocess.Popen(command, env={**self.env, **env})

    def one(self, query: str) -> Any:
        row = self.db.execute(query.encode(), (self.workspace_id,)).fetchone()
        assert row is not None
        return row[0]

    def verified(self) -> bool:
        count = (
            "select count(*) from public.properties where address_status = 'verified' and workspace_id = %s"
        )
        return bool(self.one(count) == COUNT)


@pytest.mark.parametrize("point", POINTS)
def test_each_address_is_checked_once_whenever_a_worker_is_killed(
    point: str, stack: Stack, photon: tuple[Photon, str]
) -> None:
    server, url = photon
    with psycopg.connect(stack.db_url(), autocommit=True) as db:
        _kill_and_take_over(point, Checks(stack, db, url), server)


def _kill_and_take_over(point: str, checks: Checks, server: Photon) -> None:
    victim = checks.start(FREEHOLD_CRASH_AT=point)
    if point == "answered":
        server.victim = victim
    assert victim.wait(20) == -9
    server.victim = None
    with checks.start() as other:
        wait_until(checks.verified, within=20)
        other.terminate()
    extra = POINTS[point]
    assert server.asked <= COUNT + extra
    assert checks.one("select sum(calls) from public.places_usage where workspace_id = %s") == COUNT + extra
    states = """
        select jsonb_object_agg(s.what, s.times) from (
            select status || ' ' || attempts as what, count(*) as times
            from private.address_checks where workspace_id = %s group by 1
        ) as s
    """
    expected = {"done 1": COUNT - extra} | ({"done 2": extra} if extra else {})
    assert json.dumps(checks.one(states), sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert checks.one("select count(*) from public.place_coordinates where workspace_id = %s") == COUNT
