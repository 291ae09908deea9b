"""The portfolio that is read, and who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

HERE = Path(__file__).parent
SMALL = 998
RENTER = 999


@dataclass(frozen=True)
class Scale:
    """`memberships`: in how many workspaces those who ask are. `budget`: seconds a contender and query."""

    leases: int
    workspaces: int
    large: int
    memberships: tuple[int, ...]
    rounds: int
    budget: float


FULL = Scale(
    leases=1_000_000, workspaces=2_000, large=10_000, memberships=(1, 10, 100, 500), rounds=25, budget=2
)
QUICK = Scale(leases=50_000, workspaces=100, large=10_000, memberships=(1, 10), rounds=10, budget=0.3)


@dataclass(frozen=True)
class Known:
    """Ids that queries name: the large workspace, and by user all workspaces that are theirs."""

    large: Any
    mine: Mapping[int, list[Any]]


def fill(connection: psycopg.Connection[Any], scale: Scale) -> Known:
    """Make the rows and the policies that are compared. As a superuser: triggers are off."""
    values = {
        "leases": scale.leases,
        "workspaces": scale.workspaces,
        "large": scale.large,
        "memberships": f"'{{{','.join(map(str, scale.memberships))}}}'",
    }
    for statement in ((HERE / "fill.sql").read_text() % values).split(";\n"):
        connection.execute(statement.encode())
    connection.execute((HERE / "variants.sql").read_bytes())
    large = connection.execute("select bench.id('workspace', 1)").fetchone()
    mine = connection.execute(
        """
        select n, array_agg(m.workspace_id)
        from unnest(%s::integer[]) as n
        join public.workspace_members as m on m.user_id = bench.id('user', n)
        group by n
        """,
        [[*scale.memberships, SMALL]],
    )
    assert large
    return Known(large[0], dict(mine.fetchall()))
