"""supabase/config.toml and the stack of `make up` offer the same API on the same ports."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from scripts.stack import postgrest, tools
from scripts.stack.layout import REPOSITORY, Ports, Stack

CONFIG = tomllib.loads((REPOSITORY / "supabase" / "config.toml").read_text())


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """PostgREST's configuration as the stack writes it."""
    stack = Stack.at(tmp_path / "stack")
    postgrest.configure(stack)
    lines = postgrest.files(stack)[0].read_text().splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition(" = ") for line in lines)}


def test_ports_are_those_of_the_stack() -> None:
    ports = Ports()
    assert CONFIG["api"]["port"] == ports.api
    assert CONFIG["db"]["port"] == ports.db
    assert CONFIG["local_smtp"]["port"] == ports.mailbox_http
    assert CONFIG["local_smtp"]["smtp_port"] == ports.smtp


def test_the_same_schemas_are_exposed_with_the_same_limit(settings: dict[str, str]) -> None:
    assert CONFIG["api"]["schemas"] == ["public", "worker"] == settings["db-schemas"].split(",")
    assert CONFIG["api"]["extra_search_path"] == settings["db-extra-search-path"].split(",")
    assert CONFIG["api"]["max_rows"] == int(settings["db-max-rows"])


def test_the_files_it_names_are_there() -> None:
    named = [*CONFIG["db"]["migrations"]["schema_paths"], *CONFIG["db"]["seed"]["sql_paths"]]
    assert named == ["./schemas/*.sql", "./policies/*.sql", "./seed.sql"]
    for pattern in named:
        assert list((REPOSITORY / "supabase").glob(pattern.removeprefix("./"))), pattern


def test_the_cli_knows_every_key() -> None:
    """It warns of those it doesn't know, before it finds that nobody listens on port 1."""
    done = subprocess.run(
        [
            tools.supabase_program(),
            "migration",
            "list",
            "--remote=postgresql://postgres@127.0.0.1:1/postgres",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        env={**os.environ, "SUPABASE_TELEMETRY_DISABLED": "1"},
        check=False,
    )
    said = done.stdout + done.stderr
    assert "127.0.0.1" in said
    assert "config.toml" not in said
