"""The queries that are measured, and the connections that ask them as the one or the other role."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from bench.rls.claims import claims
from scripts.stack.layout import Stack
from scripts.stack.postgres import SUPERUSER

TIMEOUT = 8  # seconds: the role `authenticated` has it, here as at a hosted project


@dataclass(frozen=True)
class Contender:
    """A role and its policy.

    `settings`: with those planner settings that Freehold gives `authenticated`.
    """

    title: str
    role: str
    guarded: bool = True
    settings: bool = True


UNGUARDED = Contender("no RLS, own filter", "bench_unguarded", guarded=False)
OURS = Contender("Freehold", "authenticated")
MEMBERS = Contender("members only", "bench_members")
TWO_ARMS = Contender("members or parties", "bench_two_arms")
IN_SELECT = Contender("in (select …)", "bench_in_select")
PER_ROW = Contender("function per row", "bench_per_row")
OURS_UNSET = Contender("Freehold, default cost", "authenticated", settings=False)
MEMBERS_UNSET = Contender("members only, default cost", "bench_members", settings=False)


@dataclass(frozen=True)
class Read:
    """A query as a client sends it; policies add the rest. `mine` stands in for them where there are none."""

    title: str
    columns: str = "*"
    table: str = "leases"
    where: str = ""
    mine: str = "workspace_id = any (%(mine)s)"
    order: str = ""

    def text(self, *, guarded: bool) -> str:
        conditions = self.where or ("" if guarded else self.mine)
        where = f" where {conditions}" if conditions else ""
        return f"select {self.columns} from public.{self.table}{where}{self.order}"  # noqa: S608


ONE_WORKSPACE = "workspace_id = %(large)s"
TOTALS = "count(*), sum(deposit_minor), max(ends_on)"
LARGE = Read("All rows of one large workspace, which the query names", TOTALS, where=ONE_WORKSPACE)
NAMED_PAGE = Read(
    "A page of 50 of that workspace, newest first",
    where=ONE_WORKSPACE,
    order=" order by created_at desc limit 50",
)
EVERYTHING = Read("All rows that the user may see", TOTALS)
PAGE = Read("A page of 50 of all workspaces, newest first", order=" order by created_at desc limit 50")
PAGE_BY_ID = Read("A page of 50 of all workspaces by id", order=" order by id limit 50")
RENTS_BY_ID = Read(
    "A page of 50 rents (lease_terms) by id", table="lease_terms", order=" order by id limit 50"
)
READS = (LARGE, NAMED_PAGE, EVERYTHING, PAGE)


@dataclass
class Reader:
    """A connection as one role. As PostgREST does it, queries are prepared and the token's claims are set."""

    connection: psycopg.Connection[Any]
    guarded: bool
    _values: dict[str, Any] = field(default_factory=dict)

    def become(self, user: int) -> None:
        """User n of the fill: a member of n workspaces."""
        row = self.connection.execute("select bench.id('user', %s)::text", [user]).fetchone()
        assert row
        self.connection.execute("select set_config('request.jwt.claims', %s, false)", [claims(row[0])])

    def know(self, **values: Any) -> None:
        """What queries name: `large`, the large workspace, and `mine`, those of the user."""
        self._values = values

    def ask(self, read: Read, *, prepared: bool = True) -> Callable[[], object]:
        """A call that asks once; the rows arrive, and are not decoded."""
        text = read.text(guarded=self.guarded).encode()

        def execute() -> None:
            with suppress(psycopg.errors.QueryCanceled):
                self.connection.execute(text, self._values, prepare=prepared)

        return execute

    def plan(self, read: Read) -> str:
        """EXPLAIN ANALYZE without what differs from run to run."""
        text = read.text(guarded=self.guarded)
        rows = self.connection.execute(
            f"explain (analyze, costs off, timing off, summary off, buffers off) {text}".encode(),
            self._values,
        )
        return "\n".join(row[0] for row in rows)


@contextmanager
def readers(
    stack: Stack, database: str, contenders: Sequence[Contender]
) -> Iterator[Mapping[Contender, Reader]]:
    """A connection for each contender."""
    with ExitStack() as opened:
        result = {}
        for contender in contenders:
            connection = opened.enter_context(
                psycopg.connect(stack.db_url(SUPERUSER, database), autocommit=True)
            )
            if contender.settings:
                _apply_planner_settings(connection)
            connection.execute(f"set statement_timeout = '{TIMEOUT}s'".encode())
            connection.execute(f"set role {contender.role}".encode())
            result[contender] = Reader(connection, contender.guarded)
        yield result


def _apply_planner_settings(connection: psycopg.Connection[Any]) -> None:
    """PostgREST applies a role's own settings to each request; `set role` by itself doesn't."""
    connection.execute(
        """
        select set_config(split_part(setting, '=', 1), split_part(setting, '=', 2), false)
        from pg_roles cross join unnest(rolconfig) as setting
        where rolname = 'authenticated' and setting like '%_cost=%'
        """
    )
