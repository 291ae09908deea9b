"""The secrets of one stack: made on its first start, kept in a file that only its owner reads."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

YEAR = 365 * 24 * 3600
ISSUER = "supabase-local"


@dataclass(frozen=True)
class Keys:
    """Signing keys and the API keys signed with them.

    User tokens are ES256 (`private_jwk`); API keys are HS256 (`jwt_secret`), as at Supabase.
    """

    jwt_secret: str
    anon_key: str
    service_role_key: str
    worker_key: str
    private_jwk: dict[str, str]

    @classmethod
    def generate(cls) -> Keys:
        secret = secrets.token_urlsafe(40)
        return cls(
            jwt_secret=secret,
            anon_key=sign_key("anon", secret, expires_in=10 * YEAR),
            service_role_key=sign_key("service_role", secret, expires_in=10 * YEAR),
            worker_key=sign_key("worker", secret, expires_in=YEAR, jti=str(uuid.uuid4())),
            private_jwk=_new_signing_key(),
        )

    @classmethod
    def load_or_create(cls, path: Path) -> Keys:
        """Read the keys at `path`, or make them there, for nobody else to read. The file appears whole."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(asdict(cls.generate()), file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process made them first: use theirs
            finally:
                draft.unlink()
        return cls(**json.loads(path.read_text()))

    @property
    def edge_secret(self) -> str:
        """What the edge service signs with; it follows from the other secret, so old key files do."""
        return _base64url(hashlib.sha256(b"edge" + self.jwt_secret.encode()).digest())

    @property
    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """What `/auth/v1/.well-known/jwks.json` answers: the public half of the signing key."""
        public = {k: v for k, v in self.private_jwk.items() if k != "d"}
        return {"keys": [{**public, "key_ops": ["verify"], "use": "sig"}]}

    @property
    def verifying_jwks(self) -> dict[str, list[dict[str, Any]]]:
        """What PostgREST verifies with: the public key for users' tokens, the secret for API keys. Secret."""
        secret = {"kty": "oct", "alg": "HS256", "k": _base64url(self.jwt_secret.encode())}
        return {"keys": [*self.jwks["keys"], secret]}


def sign_key(role: str, secret: str, *, expires_in: int, **claims: str) -> str:
    """An HS256 API key for a database role; `expires_in` in seconds."""
    now = int(time.time())
    return jwt.encode(
        {"iss": ISSUER, "role": role, **claims, "iat": now, "exp": now + expires_in},
        secret,
        algorithm="HS256",
    )


def _new_signing_key() -> dict[str, str]:
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "alg": "ES256",
        "kid": str(uuid.uuid4()),
        "x": _base64url(numbers.public_numbers.x.to_bytes(32, "big")),
        "y": _base64url(numbers.public_numbers.y.to_bytes(32, "big")),
        "d": _base64url(numbers.private_value.to_bytes(32, "big")),
    }


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
