"""A page of 50 with two embedded resources, asked by a member and by a role without row-level security.

Both ask one PostgREST for the same rows of the same tables: the query names the workspace, so a role that
bypasses row-level security finds what the member finds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from bench import cluster, conditions
from bench.report import Cell, Report, Table
from bench.rls import portfolio
from bench.rls.claims import claims
from bench.rls.portfolio import Scale
from bench.sampling import Sample, in_turns
from scripts.stack import postgrest
from scripts.stack.auth.tokens import Signer
from scripts.stack.layout import Stack

FULL = Scale(leases=200_000, workspaces=400, large=10_000, memberships=(1, 10, 100), rounds=300, budget=8)
QUICK = Scale(leases=20_000, workspaces=100, large=5_000, memberships=(1, 10), rounds=40, budget=1)
GUARDED, UNGUARDED = "authenticated", "bench_unguarded"

EMBEDDED = "properties(name,city),lease_terms(effective_on,rent_minor)"
COLUMNS = "id,lease_number,status,starts_on,ends_on,deposit_minor"


@dataclass(frozen=True)
class Page:
    """A page of leases of one workspace: its title, what is selected, and how many rows come."""

    title: str
    select: str
    limit: int = 50


PAGES = (
    Page("50 leases", COLUMNS),
    Page("50 leases, each with its property", f"{COLUMNS},properties(name,city)"),
    Page("50 leases, each with its property and its rents", f"{COLUMNS},{EMBEDDED}"),
    Page("one lease, with both", f"{COLUMNS},{EMBEDDED}", limit=1),
)
FULL_PAGE, ONE_ROW = PAGES[2], PAGES[3]
WARM_UP = 10  # more than the five runs after which a connection keeps its plan
# What the three policies of the page ask, each once a query.
LOOKUPS = (
    "workspaces_in_reach('leases.read')",
    "workspaces_in_reach('portfolio.read')",
    "has_portal()",
)


def run(stack: Stack, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Takes about 2 minutes, quick 20 seconds."""
    scale = QUICK if quick else FULL
    with ExitStack() as opened:
        database = opened.enter_context(cluster.database(stack, "embedding"))
        connection = opened.enter_context(cluster.superuser(stack, database))
        circumstances = conditions.of(
            connection, rows=f"{scale.leases:,} leases in {scale.workspaces:,} workspaces"
        )
        say(f"Filling {scale.leases:,} leases in {scale.workspaces:,} workspaces")
        known = portfolio.fill(connection, scale)
        _let_in(connection)
        address = opened.enter_context(postgrest.another(stack, database, db_pool=4))
        found: dict[int, dict[Page, Mapping[str, Sample]]] = {}
        for user in scale.memberships:
            say(f"Measuring a member of {user:,}")
            asking = {
                role: opened.enter_context(_client(stack, connection, address, user, role))
                for role in (GUARDED, UNGUARDED)
            }
            _see_the_same(asking, str(known.large))
            found[user] = {page: _measured(asking, page, str(known.large), scale) for page in PAGES}
        lookups = {user: _lookups(connection, user, scale) for user in scale.memberships}
    return Report(
        name="embedding",
        title="A page with two embedded resources over HTTP, with row-level security and without",
        conditions=circumstances,
        tables=[*(_table(user, pages) for user, pages in found.items()), _parts(found), _asked(lookups)],
        goals=[],
        remarks=[
            "Milliseconds over HTTP on one kept connection, without the gateway; the best of runs in turns."
            " x is the ratio to the page without row-level security.",
            "Without row-level security: a role with BYPASSRLS asks for the same rows of the same tables.",
            "The fixed part is what a page of one row costs more with row-level security: looking up who asks"
            " is done once a query (a page of none would not even look).",
        ],
    )


def _let_in(connection: psycopg.Connection[Any]) -> None:
    """Make the role without row security one that PostgREST can take, with settings as a member has."""
    for statement in (
        f"grant {UNGUARDED} to authenticator",
        f"grant usage on schema public, private to {UNGUARDED}",
        f"grant select on all tables in schema public to {UNGUARDED}",
        f"grant execute on function private.pre_request() to {UNGUARDED}",
        f"alter role {UNGUARDED} set random_page_cost = 1.1",
    ):
        connection.execute(statement.encode())


def _client(
    stack: Stack, connection: psycopg.Connection[Any], address: str, user: int, role: str
) -> httpx.Client:
    row = connection.execute("select bench.id('user', %s)::text", [user]).fetchone()
    assert row
    now = int(time.time())
    lasting = {"role": role, "iat": now, "exp": now + 3600}
    token = Signer(stack.keys).sign({**json.loads(claims(row[0])), **lasting})
    return httpx.Client(
        base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False
    )


def _ask(client: httpx.Client, page: Page, workspace: str) -> Callable[[], httpx.Response]:
    path = (
        f"/leases?select={page.select}&workspace_id=eq.{workspace}&order=created_at.desc&limit={page.limit}"
    )
    request = client.build_request("GET", path)

    def ask() -> httpx.Response:
        return client.send(request).raise_for_status()

    return ask


def _see_the_same(asking: Mapping[str, httpx.Client], workspace: str) -> None:
    answers = {role: _ask(client, FULL_PAGE, workspace)().json() for role, client in asking.items()}
    assert answers[GUARDED] == answers[UNGUARDED]
    assert len(answers[GUARDED]) == FULL_PAGE.limit
    assert all(row["properties"] and row["lease_terms"] for row in answers[GUARDED])


def _measured(
    asking: Mapping[str, httpx.Client], page: Page, workspace: str, scale: Scale
) -> Mapping[str, Sample]:
    calls = {role: _ask(client, page, workspace) for role, client in asking.items()}
    for call in calls.values():
        for _ in range(WARM_UP):
            call()
    return in_turns(calls, rounds=scale.rounds, budget=scale.budget)


def _lookups(connection: psycopg.Connection[Any], user: int, scale: Scale) -> Mapping[str, Sample]:
    """The look-ups by themselves, in a connection as the member's."""
    connection.execute(
        "select set_config("
        "'request.jwt.claims', jsonb_build_object('sub', bench.id('user', %s))::text, false)",
        [user],
    )

    def asking(expression: str) -> Callable[[], object]:
        return lambda: connection.execute(f"select {expression}".encode(), prepare=True)

    asked = {one: asking(f"cardinality(array(select private.{one}))") for one in LOOKUPS}
    return in_turns({"": asking("1"), **asked}, rounds=scale.rounds, budget=scale.budget)


def _table(user: int, pages: Mapping[Page, Mapping[str, Sample]]) -> Table:
    rows: list[list[Cell]] = [
        [page.title, _ms(samples[UNGUARDED]), _ms(samples[GUARDED]), f"{_ratio(samples):.2f} x"]
        for page, samples in pages.items()
    ]
    return Table(f"A member of {_workspaces(user)}; ms", ("page", "without RLS", "with RLS", ""), rows)


def _parts(found: Mapping[int, Mapping[Page, Mapping[str, Sample]]]) -> Table:
    """What row-level security adds to the full page: once a query, and for its rows."""
    rows: list[list[Cell]] = []
    for user, pages in found.items():
        fixed, whole = _added(pages[ONE_ROW]), _added(pages[FULL_PAGE])
        rows.append([_workspaces(user), whole, fixed, whole - fixed])
    return Table(
        f"What row-level security adds to {FULL_PAGE.title}; ms",
        ("member of", "in all", "fixed part", "for the rows"),
        rows,
    )


def _asked(lookups: Mapping[int, Mapping[str, Sample]]) -> Table:
    rows: list[list[Cell]] = [
        [
            _workspaces(user),
            *((sample.best - samples[""].best) * 1e3 for one, sample in samples.items() if one),
        ]
        for user, samples in lookups.items()
    ]
    return Table("The look-ups by themselves, in SQL; ms", ("member of", *LOOKUPS), rows)


def _added(samples: Mapping[str, Sample]) -> float:
    return (samples[GUARDED].best - samples[UNGUARDED].best) * 1e3


def _ratio(samples: Mapping[str, Sample]) -> float:
    return samples[GUARDED].best / samples[UNGUARDED].best


def _ms(sample: Sample) -> float:
    return sample.best * 1e3


def _workspaces(user: int) -> str:
    return f"{user:,} workspaces" if user > 1 else "1 workspace"
