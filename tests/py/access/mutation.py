"""Ways to break access, made from what the catalog holds: each is SQL that leaves a hole or shuts a door.

They come from the policies, and what must catch them does not: expectations are written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from tests.py.access.expectations import COMMANDS
from tests.py.access.expressions import conditions, union_arms, without_an_operand

_LETTERS = {"r": "select", "a": "insert", "w": "update", "d": "delete"}


@dataclass(frozen=True)
class Mutant:
    """A change that tests must notice.

    `scope` names the tables and commands whose policies it changes: nothing else can show it. `looks_up`: it
    changes a function that policies ask, and no grant.
    """

    name: str
    change: str
    scope: Mapping[str, tuple[str, ...]]
    looks_up: bool = False

    @property
    def tables(self) -> list[str]:
        return list(self.scope)


@dataclass(frozen=True)
class Policy:
    table: str
    name: str
    command: str
    roles: str
    using: str | None
    check: str | None

    def rewritten(self, **changes: Any) -> str:
        """SQL that puts a changed policy in this one's place."""
        changed = replace(self, **changes)
        using = f" using ({changed.using})" if changed.using else ""
        check = f" with check ({changed.check})" if changed.check else ""
        return (
            f"{self.dropped}; create policy {self.name} on public.{self.table}"
            f" for {changed.command} to {changed.roles}{using}{check}"
        )

    @property
    def dropped(self) -> str:
        return f"drop policy {self.name} on public.{self.table}"


def mutants(connection: psycopg.Connection[Any]) -> list[Mutant]:
    """All of them, in a stable order."""
    permissions = _permissions(connection)
    return [
        *(mutant for policy in _policies(connection) for mutant in _of_policy(policy, permissions)),
        *(mutant for table in _tables(connection) for mutant in _of_table(table)),
        *_of_functions(connection),
    ]


def _of_policy(policy: Policy, permissions: dict[str, frozenset[str]]) -> Iterator[Mutant]:
    def mutant(what: str, change: str, commands: tuple[str, ...] = (policy.command,)) -> Mutant:
        return Mutant(f"{policy.table} {policy.name}: {what}", change, {policy.table: commands})

    yield mutant("dropped", policy.dropped)
    yield mutant("to public", policy.rewritten(roles="public"))
    if policy.command == "select":
        yield mutant("for all commands", policy.rewritten(command="all"), COMMANDS)
    if policy.using is not None:
        yield mutant("using true", policy.rewritten(using="true"))
        yield mutant("using false", policy.rewritten(using="false"))
    if policy.check is not None:
        yield mutant("check true", policy.rewritten(check="true"))
    # Where both are the same, neither changes anything: without a check, Postgres takes USING for it.
    if policy.using and policy.check and policy.using != policy.check:
        yield mutant("check removed", policy.rewritten(check=None))
        yield mutant("using and check swapped", policy.rewritten(using=policy.check, check=policy.using))
    for part, expression in (("using", policy.using), ("check", policy.check)):
        for dropped, rest in without_an_operand(expression or ""):
            yield mutant(f"{part} without {dropped}", policy.rewritten(**{part: rest}))
        for asked, other, changed in _asking_others(expression or "", permissions):
            yield mutant(f"{part} asks {other} for {asked}", policy.rewritten(**{part: changed}))


def _of_table(table: str) -> Iterator[Mutant]:
    def mutant(what: str, change: str) -> Mutant:
        return Mutant(f"{table}: {what}", change, {table: COMMANDS})

    yield mutant("row security off", f"alter table public.{table} disable row level security")
    yield mutant("a policy for all", f"create policy everybody on public.{table} using (true)")
    for role in ("anon", "authenticated", "service_role", "worker"):
        yield mutant(f"all granted to {role}", f"grant all on public.{table} to {role}")
    for verb in ("insert", "update"):
        yield mutant(f"{verb} granted on every column", f"grant {verb} on public.{table} to authenticated")
    yield mutant(
        "workspace_id may change", f"grant update ({_key(table)}) on public.{table} to authenticated"
    )
    yield mutant("select granted to anon", f"grant select on public.{table} to anon")
    yield mutant("nothing granted to authenticated", f"revoke all on public.{table} from authenticated")
    yield mutant("nothing granted to service_role", f"revoke all on public.{table} from service_role")


def _of_functions(connection: psycopg.Connection[Any]) -> Iterator[Mutant]:
    """Of each look-up that a policy asks: one condition, or one arm of a union, taken away."""
    found = dict(
        connection.execute(
            """
            select p.proname, pg_get_functiondef(p.oid)
            from pg_proc as p
            where p.pronamespace = 'private'::regnamespace and p.prokind = 'f'
            order by 1
            """
        ).fetchall()
    )
    asked = _asked(connection)
    for name in sorted(asked):
        definition, scope = found[name], _scope(name, asked, found)
        for condition, changed in conditions(definition, "true"):
            yield Mutant(f"private.{name}: without {condition}", changed, scope, looks_up=True)
        for condition, changed in conditions(definition, "false"):
            yield Mutant(f"private.{name}: never {condition}", changed, scope, looks_up=True)
        for arm, changed in union_arms(definition):
            yield Mutant(f"private.{name}: without the arm {arm}", changed, scope, looks_up=True)


def _asked(connection: psycopg.Connection[Any]) -> dict[str, set[tuple[str, str]]]:
    """For each function of `private`, the tables and commands whose policies ask it outright."""
    asked: dict[str, set[tuple[str, str]]] = {}
    for name, table, command in connection.execute(
        """
        select distinct p.proname, c.relname, pol.polcmd
        from pg_depend as d
        join pg_proc as p on p.oid = d.refobjid
        join pg_policy as pol on pol.oid = d.objid
        join pg_class as c on c.oid = pol.polrelid
        where d.classid = 'pg_policy'::regclass and d.refclassid = 'pg_proc'::regclass
            and p.pronamespace = 'private'::regnamespace
        """
    ):
        commands = COMMANDS if command == "*" else [_LETTERS[command]]
        asked.setdefault(name, set()).update((table, each) for each in commands)
    return asked


def _scope(
    name: str, asked: Mapping[str, set[tuple[str, str]]], definitions: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Tables and commands whose policies ask the function, themselves or through others that call it."""
    reached, waiting = set(), [name]
    while waiting:
        callee = waiting.pop()
        reached.add(callee)
        waiting += [
            caller
            for caller, text in definitions.items()
            if caller not in reached and f"private.{callee}(" in text
        ]
    pairs = set().union(*(asked.get(each, set()) for each in reached))
    return {
        table: tuple(command for command in COMMANDS if (table, command) in pairs)
        for table in sorted({table for table, _ in pairs})
    }


def _policies(connection: psycopg.Connection[Any]) -> list[Policy]:
    found = connection.execute(
        """
        select tablename, policyname, lower(cmd), array_to_string(roles, ', '), qual, with_check
        from pg_policies
        where schemaname = 'public'
        order by tablename, policyname
        """
    )
    return [Policy(*row) for row in found]


def _tables(connection: psycopg.Connection[Any]) -> list[str]:
    found = connection.execute(
        "select relname from pg_class"
        " where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1"
    )
    return [name for (name,) in found]


def _permissions(connection: psycopg.Connection[Any]) -> dict[str, frozenset[str]]:
    found = connection.execute("select permission, array_agg(role) from private.role_permissions group by 1")
    return {permission: frozenset(roles) for permission, roles in found}


def _asking_others(expression: str, permissions: dict[str, frozenset[str]]) -> Iterator[tuple[str, str, str]]:
    """Each permission that is asked for, a near one in its place, and the expression with that."""
    asked = list(re.finditer(r"\.(\w+)\('([a-z]+\.[a-z]+)'::text", expression))
    for match in asked:
        for other in _near(match.group(2), permissions):
            changed = f"{expression[: match.start(2)]}{other}{expression[match.end(2) :]}"
            yield f"{match.group(2)} of {match.group(1)}", other, changed


def _near(permission: str, permissions: dict[str, frozenset[str]]) -> list[str]:
    """One permission for each set of roles that is next larger or next smaller: the hardest to notice."""
    own = permissions[permission]
    sets = set(permissions.values())
    larger = [roles for roles in sets if own < roles and not any(own < other < roles for other in sets)]
    smaller = [roles for roles in sets if roles < own and not any(roles < other < own for other in sets)]
    return sorted(
        min(name for name, held in permissions.items() if held == roles) for roles in larger + smaller
    )


def _key(table: str) -> str:
    return "id" if table == "workspaces" else "workspace_id"
