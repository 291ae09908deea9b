"""What the migrations build: that they apply, that the sources agree, and what the linters think of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

import psycopg

from scripts.checks.finding import Finding, Skipped
from scripts.checks.workshop import Workshop
from scripts.schema import catalog
from scripts.schema.files import Project, SchemaError
from scripts.stack import migrations, postgres, tools
from scripts.stack.layout import Stack, StackError

MIGRATIONS = "supabase/migrations"


def check_push(workshop: Workshop) -> list[Finding]:
    """`supabase db push` builds an empty database, and finds nothing to do the second time."""
    try:
        stack = workshop.migrated()
        again = migrations.push(stack, project=workshop.project.root)
    except StackError as error:
        return [Finding(_failed_migration(error), str(error), "mend the migration; it has not landed yet")]
    if again:
        return [Finding(MIGRATIONS, "a second push applied migrations again", "look into the CLI's output")]
    return []


def check_drift(workshop: Workshop) -> list[Finding]:
    """Sources and migrations build the same database."""
    try:
        differences = catalog.compare(catalog.read(workshop.migrated()), catalog.read(workshop.sourced()))
    except SchemaError as error:
        where, _, problem = str(error).partition(": ")
        return [Finding(where, problem, "mend the source file")]
    except StackError as error:
        raise Skipped("the migrations don't apply, see push") from error
    return [
        Finding(
            _source_of(workshop.project, difference.name),
            "\n".join([str(difference), *difference.lines()]),
            "make migration NAME=what_it_does (or put the source back)",
        )
        for difference in differences
    ]


def check_advisors(workshop: Workshop) -> list[Finding]:
    """Supabase's advisors have nothing to say at WARN or above."""
    answer = _cli(_migrated(workshop), "db", "advisors", "--level=warn", "--fail-on=none")
    return [
        Finding(
            _source_of(
                workshop.project, f"{item['metadata'].get('schema', '')}.{item['metadata'].get('name', '')}"
            ),
            f"{item['level']} {item['name']}: {item['detail']}",
            f"see {item['remediation']}",
        )
        for item in answer["results"]
    ]


def check_functions(workshop: Workshop) -> list[Finding]:
    """`supabase db lint`: plpgsql_check reads the functions' bodies."""
    stack = _migrated(workshop)
    with psycopg.connect(stack.db_url()) as connection:
        available = connection.execute(
            "select exists (select from pg_available_extensions where name = 'plpgsql_check')"
        ).fetchone()
    if available != (True,):
        raise Skipped(
            "no plpgsql_check here; with `supabase start` running: supabase db lint --fail-on=warning"
        )
    database = postgres.create_database(stack, "linted", template="postgres").rsplit("/", 1)[1]
    with psycopg.connect(stack.db_url(postgres.SUPERUSER, database)) as connection:
        connection.execute("create extension plpgsql_check with schema extensions")
    answer = _cli(stack, "db", "lint", "--schema=public,private,worker", "--level=warning", database=database)
    return [
        Finding(
            _source_of(workshop.project, function["function"]),
            f"{function['function']}: {issue['level']}: {issue['message']}",
            issue.get("hint") or "mend the function",
        )
        for function in answer["results"]
        for issue in function["issues"]
    ]


def _migrated(workshop: Workshop) -> Stack:
    try:
        return workshop.migrated()
    except StackError as error:
        raise Skipped("the migrations don't apply, see push") from error


def _cli(stack: Stack, *arguments: str, database: str = "postgres") -> dict[str, Any]:
    done = subprocess.run(
        [
            str(tools.supabase_program()), *arguments, "--output-format=json",
            f"--remote={stack.db_url(database=database)}?sslmode=disable",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "SUPABASE_TELEMETRY_DISABLED": "1"},
        check=False,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    if "results" not in answer:
        words = answer.get("error", {}).get("message") or done.stderr.strip() or done.stdout.strip()
        raise StackError(f"supabase {' '.join(arguments)} failed: {words}")
    return answer


def _failed_migration(error: StackError) -> str:
    applied = re.findall(r"Applying migration (\S+\.sql)", str(error))
    return f"{MIGRATIONS}/{applied[-1]}" if applied else MIGRATIONS


def _source_of(project: Project, name: str) -> str:
    """The source file that makes an object, such as `policy public.units members_insert`; a guess."""
    words = re.search(r"(\w+\.\w+)(?: (\w+))?", name)
    if words:
        of = re.escape(words[1])
        part = rf"\bcreate\b[^;]*\b{words[2]}\b[^;]*\b{of}\b" if words[2] else None
        for pattern in filter(None, (part, rf"\bcreate\b[^;(]*\b{of}\b")):
            for path in project.sources:
                if re.search(pattern, path.read_text()):
                    return project.shown(path)
    return "supabase/schemas"
