"""What `python -m scripts.worker_key` mints is a key that a worker accepts, signed as the project signs."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from scripts.worker_key import mint
from workers.keys import check_worker_key

NOW = 1_800_000_000
SECRET = "a secret that is longer than thirty-two bytes"


def test_a_secret_signs_with_hs256_and_the_key_lasts_as_long_as_asked() -> None:
    token = mint(SECRET, jti="7", now=NOW, days=30)
    assert check_worker_key(token, datetime.fromtimestamp(NOW, UTC)) == token
    claims = jwt.decode(
        token, SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False}
    )
    assert claims == {"role": "worker", "jti": "7", "iat": NOW, "exp": NOW + 2_592_000}


def test_a_private_jwk_signs_with_its_own_algorithm_and_names_itself() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    jwk = json.dumps({**ECAlgorithm.to_jwk(private, as_dict=True), "alg": "ES256", "kid": "k1"})
    token = mint(jwk, jti="7", now=NOW, days=1)
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": "k1", "typ": "JWT"}
    options = {"verify_exp": False, "verify_iat": False}
    assert jwt.decode(token, private.public_key(), algorithms=["ES256"], options=options)["role"] == "worker"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("signing_key", "says"),
    [
        ("short", "at least 32"),
        ("{broken", "no JWK"),
        ('{"kty": "nothing"}', "no JWK"),
    ],
)
def test_what_cannot_sign_is_refused_with_its_reason(signing_key: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        mint(signing_key, jti="7", now=NOW, days=1)


def test_a_public_jwk_is_refused() -> None:
    public = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)
    with pytest.raises(ValueError, match="private one is needed"):
        mint(json.dumps({**public, "alg": "ES256"}), jti="7", now=NOW, days=1)
