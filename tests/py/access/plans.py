"""Read from a query's plan how a policy is asked: once for a query, or anew for each row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg

# What looks up the caller. The functions of `auth` are inlined: what shows is the setting that they read.
_LOOK_UP = re.compile(r"\bprivate\.\w+\(|\bauth\.\w+\(|\bcurrent_setting\(")
_SUBPLAN = re.compile(r"(hashed )?SubPlan \d+")
_APART = ("InitPlan", "SubPlan")


def visits(connection: psycopg.Connection[Any], page: str) -> list[str]:
    """What makes the page read rows that it doesn't show: a sort, or rows whose workspace no index knows."""
    row = connection.execute(f"explain (format json, costs off) {page}".encode()).fetchone()
    assert row is not None
    return [
        f"{node['Node Type']}: {node.get('Filter', '')}"
        for node, apart in _nodes(row[0][0]["Plan"])
        if not apart and ("Sort" in node["Node Type"] or "workspace_id = ANY (" in node.get("Filter", ""))
    ]


def problems(connection: psycopg.Connection[Any], statement: str, policy: str) -> list[str]:
    """What makes the statement look the caller up per row; `policy` is the expressions that it must ask."""
    connection.execute("savepoint explained")
    try:
        row = connection.execute(f"explain (verbose, format json, costs off) {statement}".encode()).fetchone()
    finally:
        connection.execute("rollback to savepoint explained")
    assert row is not None
    plan = row[0][0]["Plan"]
    found = [
        f"{node['Node Type']}, {key}: {text}"
        for node, apart in _nodes(plan)
        for key, text in _conditions(node)
        if not apart and (_LOOK_UP.search(text) or _rescans(text))
    ]
    asked, apart_from_rows = _asked_by(policy), _looked_up_apart(plan)
    if apart_from_rows < asked:
        found.append(f"of {asked} look-ups of the policy, {apart_from_rows} stand apart from the rows")
    return found


def _asked_by(policy: str) -> int:
    return len(re.findall(r"\bprivate\.\w+\(|\bauth\.uid\(", policy))


def _looked_up_apart(plan: dict[str, Any]) -> int:
    """Look-ups in subplans. One that reads a setting twice, as auth.uid() does, counts once."""
    return sum(
        bool(_LOOK_UP.search(text))
        for node, apart in _nodes(plan)
        if apart
        for text in (*node.get("Output", []), node.get("Function Call", ""))
    )


def _nodes(node: dict[str, Any], apart: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every node of the plan, and whether it is part of a subplan."""
    apart = apart or node.get("Parent Relationship") in _APART
    yield node, apart
    for child in node.get("Plans", []):
        yield from _nodes(child, apart)


def _conditions(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    return ((key, str(text)) for key, text in node.items() if key.endswith(("Filter", "Cond")))


def _rescans(condition: str) -> bool:
    """A subplan that isn't hashed runs again for each row."""
    return any(not found.group(1) for found in _SUBPLAN.finditer(condition))
