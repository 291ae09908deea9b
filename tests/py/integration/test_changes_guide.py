"""docs/how-to/sync-a-client.md works as written: its client is run against the API."""

from __future__ import annotations

import re
from typing import Any

import pytest

from scripts.stack.layout import REPOSITORY, Stack
from tests.py.integration.landlord import Landlord

PAGE = (REPOSITORY / "docs" / "how-to" / "sync-a-client.md").read_text()


def test_the_client_on_the_page_keeps_its_copy_in_step(
    landlord: Landlord, stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("API_URL", stack.api_url)
    monkeypatch.setenv("ANON_KEY", stack.keys.anon_key)
    monkeypatch.setenv("ACCESS_TOKEN", landlord.owner.token)
    client, begin, later = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    session: dict[str, Any] = {}
    exec(compile(client + begin, "sync-a-client.md", "exec"), session)  # noqa: S102 - our own page
    assert "['properties', 'tenants', 'units', 'workspace_members', 'workspaces']" in capsys.readouterr().out

    landlord.draft("L-1")
    landlord.api.delete(f"/rest/v1/units?id=eq.{landlord.unit_ids[1]}").raise_for_status()
    exec(compile(later, "sync-a-client.md", "exec"), session)  # noqa: S102 - our own page
    held = {(table, *key) for _, table, *key in session["copy"]}
    assert ("units", landlord.unit_ids[0]) in held
    assert ("units", landlord.unit_ids[1]) not in held
    for table in ("leases", "lease_units", "lease_terms", "tenants", "properties"):
        rows = landlord.api.get(f"/rest/v1/{table}").json()
        assert [row for (_, of, *_), row in session["copy"].items() if of == table] == rows
    session["api"].close()
