"""The lock, and what has landed. Each test has a git repository of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.schema import lock
from scripts.schema.files import Project, SchemaError
from scripts.schema.history import Problem, problems
from scripts.schema.landed import base, landed

FIRST, SECOND = "20260101000000_first.sql", "20260102000000_second.sql"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A clone in which the first migration has landed on origin/main."""
    made = Project(tmp_path)
    made.migrations_folder.mkdir(parents=True)
    write(made, FIRST, "create table a ();\n")
    git(tmp_path, "init", "--quiet", "--initial-branch=work")
    lock.record(made, {})
    commit(made)
    git(tmp_path, "update-ref", "refs/remotes/origin/main", "HEAD")
    return made


def write(project: Project, name: str, text: str) -> Path:
    path = project.migrations_folder / name
    path.write_text(text)
    return path


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def commit(project: Project) -> None:
    git(project.root, "add", "supabase")
    git(project.root, "commit", "--quiet", "--message=More")


def found(project: Project) -> list[Problem]:
    start = base(project, {})
    return problems(project, landed(project, start), start)


def test_a_recorded_history_is_in_order(project: Project) -> None:
    write(project, SECOND, "create table b ();\n")
    assert lock.record(project, {}) == [SECOND]
    assert found(project) == []


def test_the_lock_has_the_form_that_sha256sum_checks(project: Project) -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "../migrations.lock"],
        cwd=project.migrations_folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert checked.stdout == f"{FIRST}: OK\n"


def test_an_edited_landed_migration_is_named_with_the_way_back(project: Project) -> None:
    write(project, FIRST, "create table a (id bigint);\n")
    [problem] = found(project)
    assert (problem.file, problem.problem) == (
        f"supabase/migrations/{FIRST}",
        "a landed migration was edited",
    )
    assert f"-- supabase/migrations/{FIRST}" in problem.remedy


def test_recording_does_not_launder_an_edited_landed_migration(project: Project) -> None:
    write(project, FIRST, "create table a (id bigint);\n")
    start = base(project, {})
    with pytest.raises(SchemaError, match="has landed and can't change"):
        lock.record(project, landed(project, start))
    project.lock.write_text(f"{lock.digest(project.migrations[0])}  {FIRST}\n")
    commit(project)
    assert [problem.problem for problem in found(project)] == ["a landed migration was edited"]


def test_a_deleted_landed_migration_is_found(project: Project) -> None:
    (project.migrations_folder / FIRST).unlink()
    assert [problem.problem for problem in found(project)] == ["a landed migration was deleted"]


def test_a_migration_that_has_not_landed_may_change_and_be_recorded_again(project: Project) -> None:
    write(project, SECOND, "create table b ();\n")
    lock.record(project, landed(project, base(project, {})))
    commit(project)
    write(project, SECOND, "create table b (id bigint);\n")
    assert [problem.problem for problem in found(project)] == ["is not what migrations.lock says"]
    assert lock.record(project, landed(project, base(project, {}))) == [SECOND]
    assert found(project) == []


def test_a_migration_that_nobody_recorded_is_found(project: Project) -> None:
    write(project, SECOND, "create table b ();\n")
    assert [problem.problem for problem in found(project)] == ["is not in migrations.lock"]


def test_a_draft_is_not_recorded_before_its_review(project: Project) -> None:
    write(project, SECOND, f"{lock.REVIEW_MARK} drafted\ncreate table b ();\n")
    with pytest.raises(SchemaError, match="read it"):
        lock.record(project, {})


def test_a_migration_dated_before_a_recorded_one_is_out_of_order(project: Project) -> None:
    late = "20251231000000_late.sql"
    write(project, late, "create table b ();\n")
    lock.record(project, landed(project, base(project, {})))
    [problem] = found(project)
    assert problem.file == f"supabase/migrations/{late}"
    assert problem.problem.startswith(f"is dated before {FIRST}")


def test_two_migrations_of_one_second_are_out_of_order(project: Project) -> None:
    write(project, "20260101000000_second.sql", "create table b ();\n")
    lock.record(project, {})
    assert [problem.file for problem in found(project)] == ["supabase/migrations/20260101000000_second.sql"]


def test_a_name_without_a_time_is_found(project: Project) -> None:
    write(project, "fix.sql", "select 1;\n")
    lock.record(project, {})
    assert [problem.problem for problem in found(project)] == ["has no timestamp that the order could follow"]


def test_the_environment_names_the_base_in_ci(project: Project) -> None:
    git(project.root, "update-ref", "-d", "refs/remotes/origin/main")
    assert base(project, {}) is None
    commit_id = base(project, {"MIGRATIONS_BASE": "HEAD"})
    assert landed(project, commit_id).keys() == {FIRST}


def test_a_first_push_has_no_base_of_its_own(project: Project) -> None:
    assert base(project, {"MIGRATIONS_BASE": "0" * 40}) == base(project, {})


def test_outside_git_the_lock_alone_counts(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.migrations_folder.mkdir(parents=True)
    write(project, FIRST, "create table a ();\n")
    lock.record(project, {})
    assert found(project) == []


def test_a_damaged_lock_is_told() -> None:
    with pytest.raises(SchemaError, match="no hash of a new file"):
        lock.parse("<<<<<<< HEAD\n")
