"""`make check` finds what it promises to find, and names file and remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from scripts import check
from scripts.schema import lock
from scripts.schema.files import Project
from scripts.stack.layout import REPOSITORY
from tests.py.integration.schema_project import FIRST, add_source, new_project

app = Typer()
app.command()(check.main)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


def findings(root: Path, *names: str) -> dict[str, list[dict[str, Any]]]:
    """What the named checks found, by check; the exit status has to agree."""
    answer = CliRunner().invoke(app, ["--json", f"--project={root}", *(f"--only={name}" for name in names)])
    found = {result["name"]: result["findings"] for result in json.loads(answer.stdout)}
    assert found.keys() == set(names)
    assert answer.exit_code == (1 if any(found.values()) else 0)
    return found


def test_the_repository_has_no_difference_and_no_advice() -> None:
    found = findings(REPOSITORY, "push", "drift", "advisors")
    assert found == {"push": [], "drift": [], "advisors": []}


def test_a_sound_project_passes(project: Project) -> None:
    lock.record(project, {})
    names = ("push", "drift", "advisors", "functions", "sqlfluff", "squawk", "history")
    assert findings(project.root, *names) == {name: [] for name in names}


def test_differences_name_the_source_and_the_verb(project: Project) -> None:
    (project.folder / "policies" / "pets.sql").write_text(
        "create policy everybody_select on public.pets for select to authenticated using (name <> 'Rex');\n"
    )
    cats = "create policy everybody_select on public.cats for select to authenticated using (true);\n"
    (project.folder / "policies" / "cats.sql").write_text(f"create table public.cats ();\n{cats}")
    add_source(project, "alter role authenticated set lock_timeout = '4s';\n")
    found = {each["problem"].splitlines()[0]: each for each in findings(project.root, "drift")["drift"]}
    policy = found["policy public.pets everybody_select: not the same"]
    assert policy["where"] == "supabase/policies/pets.sql"
    assert "make migration" in policy["remedy"]
    other = found["policy public.cats everybody_select: only in the sources"]
    assert other["where"] == "supabase/policies/cats.sql"
    assert "setting of role authenticated: lock_timeout: only in the sources" in found


def test_an_open_table_is_the_advisors_finding(project: Project) -> None:
    for path in (project.folder / "schemas" / "10_pets.sql", project.migrations_folder / FIRST):
        path.write_text(path.read_text().replace("alter table public.pets enable row level security;\n", ""))
    found = findings(project.root, "drift", "advisors")
    assert found["drift"] == []
    assert {each["where"] for each in found["advisors"]} == {"supabase/schemas/10_pets.sql"}
    assert "ERROR rls_disabled_in_public" in " ".join(each["problem"] for each in found["advisors"])


def test_a_migration_that_fails_is_named(project: Project) -> None:
    broken = project.migrations_folder / "20260102000000_broken.sql"
    broken.write_text("alter table public.cats add column name text;\n")
    found = findings(project.root, "push", "drift")
    [failure] = found["push"]
    assert failure["where"] == f"supabase/migrations/{broken.name}"
    assert 'relation "public.cats" does not exist' in failure["problem"]


def test_loud_sql_and_an_unsafe_migration_are_found_where_they_stand(project: Project) -> None:
    add_source(project, "CREATE INDEX pets_name_idx ON public.pets (name);\n")
    unsafe = project.migrations_folder / "20260102000000_drop.sql"
    unsafe.write_text("alter table public.pets drop column name;\n")
    lines = (project.folder / "schemas" / "10_pets.sql").read_text().count("\n")
    found = findings(project.root, "sqlfluff", "squawk")
    [style] = found["sqlfluff"]
    assert style["where"] == "supabase/schemas/10_pets.sql"
    assert f"{lines}" in style["problem"]
    assert "CP01" in style["problem"]
    safety = {each["problem"].partition(":")[0]: each for each in found["squawk"]}
    assert safety.keys() == {"ban-drop-column", "require-lock-timeout", "require-statement-timeout"}
    assert safety["ban-drop-column"]["where"] == f"supabase/migrations/{unsafe.name}:1"


def test_an_unknown_check_is_refused_with_the_names_there_are() -> None:
    answer = CliRunner().invoke(app, ["--only=drfit"])
    assert answer.exit_code == 2
    assert "drift" in answer.output
