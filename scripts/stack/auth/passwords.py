"""Passwords: what is accepted, and bcrypt as the real server stores it (`$2a$10$…`)."""

from __future__ import annotations

import asyncio
import os
import re

import bcrypt

from scripts.stack.auth.errors import ApiError, validation_failed

MIN_LENGTH = 6
MAX_BYTES = 72  # what bcrypt reads
# Of a hash: the real server's 10 takes some 50 ms. Tests, which sign up hundreds of people, ask for less.
COST = int(os.environ.get("PASSWORD_HASH_COST", "10"))
BCRYPT_HASH = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")


def check_strength(password: str) -> None:
    """Raise `weak_password` or `validation_failed` for a password that can't be set."""
    if len(password.encode()) > MAX_BYTES:
        raise validation_failed(f"Password cannot be longer than {MAX_BYTES} characters")
    if len(password) < MIN_LENGTH:
        raise ApiError(
            422,
            "weak_password",
            f"Password should be at least {MIN_LENGTH} characters.",
            weak_password={"reasons": ["length"]},
        )


async def hash_password(password: str) -> str:
    """A bcrypt hash, computed in a thread: other requests go on meanwhile."""
    return (
        await asyncio.to_thread(bcrypt.hashpw, password.encode(), bcrypt.gensalt(COST, prefix=b"2a"))
    ).decode()


async def matches(password: str, hashed: str | None) -> bool:
    """Whether the password has this hash; hashes made elsewhere (`$2b$`, `$2y$`) count too."""
    if not hashed or not BCRYPT_HASH.fullmatch(hashed) or len(password.encode()) > MAX_BYTES:
        return False
    return await asyncio.to_thread(bcrypt.checkpw, password.encode(), hashed.encode())
