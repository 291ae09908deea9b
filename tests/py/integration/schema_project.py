"""Small projects for the tests of `make migration` and `make check`."""

from __future__ import annotations

from pathlib import Path

from scripts.schema.files import Project

PETS = """\
create table public.pets (
    id uuid primary key default gen_random_uuid(),
    name text not null
);

alter table public.pets enable row level security;
revoke all on public.pets from anon, authenticated, service_role;
grant select on public.pets to authenticated;
"""
POLICY = """\
create policy everybody_select on public.pets
    for select to authenticated
    using (true);
"""
FIRST = "20260101000000_pets.sql"


def new_project(root: Path) -> Project:
    """One table with its policy, the same in sources and migrations."""
    project = Project(root)
    for folder in ("schemas", "policies", "migrations"):
        (project.folder / folder).mkdir(parents=True)
    (project.folder / "schemas" / "10_pets.sql").write_text(PETS)
    (project.folder / "policies" / "pets.sql").write_text(POLICY)
    (project.migrations_folder / FIRST).write_text(
        f"set local lock_timeout = '2s';\nset local statement_timeout = '30s';\n\n{PETS}\n{POLICY}"
    )
    return project


def add_source(project: Project, text: str) -> None:
    with (project.folder / "schemas" / "10_pets.sql").open("a") as file:
        file.write(text)
