"""How passwords are kept where no test asks for haste."""

from __future__ import annotations

import asyncio

from scripts.stack.auth import passwords


def test_a_hash_costs_what_the_real_server_s_costs() -> None:
    assert asyncio.run(passwords.hash_password("correct horse battery")).startswith("$2a$10$")
