"""`make migration` on small projects, with real clusters and the real Supabase CLI."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from scripts import migration
from scripts.schema.files import Project
from scripts.schema.lock import REVIEW_MARK
from tests.py.integration.schema_project import FIRST, add_source, new_project

app = Typer()
app.command()(migration.main)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


def make(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, f"--project={project.root}"])


def written(project: Project) -> list[Path]:
    return [path for path in project.migrations if path.name != FIRST]


def test_what_was_added_to_the_sources_becomes_the_next_migration(project: Project) -> None:
    add_source(
        project,
        "alter table public.pets add column species text;\n"
        "comment on column public.pets.species is 'cat, dog or other';\n"
        "grant update (species) on public.pets to authenticated;\n",
    )
    answer = make(project, "add_species")
    assert answer.exit_code == 0, answer.output
    [path] = written(project)
    assert path.name > FIRST
    assert path.name.endswith("_add_species.sql")
    assert "Next:" in answer.output
    assert f"supabase/migrations/{path.name}" in answer.output

    text = path.read_text().lower()
    assert text.startswith(REVIEW_MARK.lower())
    assert 'add column "species" text' in text
    assert "'cat, dog or other'" in text
    assert 'grant update ("species")' in text

    refused = make(project, "--lock")
    assert refused.exit_code == 1
    assert "read it" in refused.output
    path.write_text(re.sub("^--.*\n", "", path.read_text(), flags=re.M))
    assert f"recorded {path.name}" in make(project, "--lock").output

    again = make(project, "nothing_more")
    assert "there is nothing to write" in again.output
    assert written(project) == [path]


def test_what_the_diff_has_no_statement_for_is_named_in_the_file(project: Project) -> None:
    add_source(
        project,
        "alter table public.pets alter column name set storage external;\n"
        "alter role authenticated set lock_timeout = '4s';\n",
    )
    answer = make(project, "tune")
    assert answer.exit_code == 1
    assert "table public.pets: not the same" in answer.output
    [path] = written(project)
    assert "-- Write by hand" in path.read_text()
    assert "SET STORAGE EXTERNAL" in path.read_text()
    assert "+lock_timeout=4s" in path.read_text()


def test_a_draft_that_data_stands_against_says_so(project: Project) -> None:
    first = project.migrations_folder / FIRST
    with first.open("a") as file:
        file.write("insert into public.pets (name) values ('Rex');\n")
    add_source(project, "alter table public.pets add column owner text not null;\n")
    answer = make(project, "add_owner")
    assert answer.exit_code == 1
    assert "does not apply as it stands" in answer.output
    assert "contains null values" in answer.output
    assert len(written(project)) == 1


def test_a_mistake_in_a_source_is_told_with_file_and_line_and_leaves_nothing_behind(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = project.root / "tmp"
    scratch.mkdir(mode=0o755)
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    lines = (project.folder / "schemas" / "10_pets.sql").read_text().count("\n")
    add_source(project, "\ncreate table public.toys (id uuid primary kye);\n")
    answer = make(project, "add_toys")
    assert answer.exit_code == 1
    assert f"supabase/schemas/10_pets.sql:{lines + 2}: syntax error" in answer.output
    assert written(project) == []
    assert os.listdir(scratch) == []


@pytest.mark.parametrize("name", ["Add-Pets", "../pets", "1st", ""])
def test_a_name_that_makes_no_good_file_name_is_refused_at_once(project: Project, name: str) -> None:
    answer = make(project, name)
    assert answer.exit_code == 1
    assert "make migration NAME=" in answer.output
    assert written(project) == []
