"""Who a token's bearer is: every forgery that we know is refused, and no stranger makes us fetch keys."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.py.serving import serving
from workers.edge.key_set import KeySet
from workers.edge.tokens import Caller, Tokens
from workers.refusal import Refusal

ISSUER = "https://abcdefgh.supabase.co/auth/v1"
SECRET = "a-secret-of-the-tests-that-is-long-enough-for-every-algorithm-of-hmac"
USER = "0e5fd5d5-5d4a-4c0b-9c7c-1b1c2d3e4f50"
NOW = 1_795_000_000.0

ours = ec.generate_private_key(ec.SECP256R1())
stranger = ec.generate_private_key(ec.SECP256R1())
ours_rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def published(key: Any, kid: str) -> dict[str, Any]:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        document: dict[str, Any] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {**document, "kid": kid, "alg": "ES256", "use": "sig", "key_ops": ["verify"]}
    document = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**document, "kid": kid, "alg": "RS256", "use": "sig"}


OURS, OURS_RSA = published(ours, "ours"), published(ours_rsa, "ours-rsa")


class Publisher:
    """The key set's server: `keys` it publishes, how often it was asked, and whether it is broken."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.keys = [OURS, OURS_RSA]
        self.broken: Response | None = None
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await (self.broken or JSONResponse({"keys": self.keys}))(scope, receive, send)


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Publisher, str]]:
    publisher = Publisher()
    with serving(publisher) as url:
        yield publisher, url


@pytest.fixture
def publisher(running: tuple[Publisher, str]) -> Publisher:
    running[0].reset()
    return running[0]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Ours, and PyJWT's too."""
    clock = Clock()

    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.fromtimestamp(clock.now, tz)

    monkeypatch.setattr("jwt.api_jwt.datetime", Then)
    return clock


@pytest.fixture
def tokens(running: tuple[Publisher, str], publisher: Publisher, clock: Clock) -> Any:
    """Opens a verifier of its own in the test's event loop."""

    @asynccontextmanager
    async def opened(secret: str | None = SECRET) -> Any:
        async with aiohttp.ClientSession() as http:
            keys = KeySet(http, running[1], clock)
            yield Tokens(keys, issuer=ISSUER, audience="authenticated", secret=secret, now=clock)

    return opened


def claims(**changes: Any) -> dict[str, Any]:
    all_claims = {
        "iss": ISSUER,
        "sub": USER,
        "aud": "authenticated",
        "exp": NOW + 3600,
        "iat": NOW,
        "role": "authenticated",
        **changes,
    }
    return {name: value for name, value in all_claims.items() if value is not None}


def signed(
    key: Any = ours, algorithm: str = "ES256", kid: str | None = "ours", header: Any = None, **changes: Any
) -> str:
    headers = {**({"kid": kid} if kid else {}), **(header or {})}
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def forged(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"") -> str:
    """A token put together by hand, as PyJWT refuses to."""
    parts = [json.dumps(header).encode(), json.dumps(payload).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def hs256(header: dict[str, Any], payload: dict[str, Any], secret: bytes) -> str:
    unsigned = forged(header, payload).rpartition(".")[0]
    digest = hmac.new(secret, unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def verdict(tokens: Any, token: str, **options: Any) -> Caller | str:
    """Who it is, or the code of the refusal."""

    async def ask() -> Caller | str:
        async with tokens(**options) as verifier:
            try:
                return await verifier.caller(f"Bearer {token}")  # type: ignore[no-any-return]
            except Refusal as refusal:
                return refusal.code

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "token",
    [
        signed(),
        signed(ours_rsa, "RS256", "ours-rsa"),
        signed(SECRET, "HS256", None),
        signed(aud=["authenticated", "other"]),
    ],
    ids=["ES256", "RS256", "HS256", "one of several audiences"],
)
def test_a_valid_token_says_who_calls(tokens: Any, token: str) -> None:
    assert verdict(tokens, token) == Caller(USER)


PUBLIC_PEM = ours.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
PUBLIC_POINT = ours.public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)
HS = {"alg": "HS256", "typ": "JWT", "kid": "ours"}


@pytest.mark.parametrize(
    "token",
    [
        forged({"alg": "none", "typ": "JWT"}, claims()),
        forged({"alg": "None", "kid": "ours"}, claims()),
        forged({"alg": "nOnE", "kid": "ours"}, claims()),
        forged({"kid": "ours"}, claims(), b"x" * 64),
        forged({"alg": ["ES256"], "kid": "ours"}, claims(), b"x" * 64),
        forged({"alg": "ES256", "kid": ["ours"]}, claims(), b"x" * 64),
        forged({"alg": "ES256", "kid": "ours"}, claims(), b""),
        forged({"alg": "ES256", "kid": "ours"}, claims(), b"\0" * 64),
        hs256(HS, claims(), PUBLIC_PEM),
        hs256(HS, claims(), PUBLIC_PEM.strip()),
        hs256(HS, claims(), PUBLIC_POINT),
        hs256(HS, claims(), json.dumps(OURS).encode()),
        hs256(HS, claims(), b""),
        signed(stranger),
        signed(stranger, header={"jwk": published(stranger, "ours")}),
        signed(stranger, header={"jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/keys"}),
        signed(ours_rsa, "RS256", "ours"),
        signed(ours, "ES256", "ours-rsa"),
        signed(ours_rsa, "RS512", "ours-rsa"),
        signed(SECRET, "HS512", None),
        signed(kid=None),
        signed(header={"crit": ["exp"]}),
        signed(header={"crit": ["b64"], "b64": False}),
        signed(exp=float("inf")),
        signed(exp=[NOW + 3600]),
        signed(iat=NOW + 3600),
        signed(aud=["authenticated", 1]),
        signed(aud={"authenticated": 1}),
        f"{base64.urlsafe_b64encode(b'[' * 6000).decode()}.e30.x",
        f"{signed()}, Bearer {signed()}",
        signed()[:-4] + "AAAA",
        signed().replace(".", "", 1),
        "not.a.token",
        "x" * 9000,
    ],
)
@pytest.mark.parametrize("secret", [SECRET, None])
def test_a_forged_token_is_refused(tokens: Any, token: str, secret: str | None) -> None:
    assert verdict(tokens, token, secret=secret) == "token_refused"


def test_a_changed_payload_is_refused(tokens: Any) -> None:
    header, _, signature = signed().split(".")
    other = forged({}, claims(sub=str(uuid.uuid4()))).split(".")[1]
    assert verdict(tokens, f"{header}.{other}.{signature}") == "token_refused"


def test_without_a_secret_no_hs256_token_is_taken_not_even_one_signed_with_nothing(tokens: Any) -> None:
    assert verdict(tokens, signed(SECRET, "HS256", None), secret=None) == "token_refused"


def test_a_secret_that_a_key_set_publishes_verifies_nothing(tokens: Any, publisher: Publisher) -> None:
    secret = base64.urlsafe_b64encode(b"published-published-published-32").rstrip(b"=").decode()
    publisher.keys = [OURS, {"kty": "oct", "kid": "oct", "alg": "HS256", "k": secret}]
    token = hs256({"alg": "HS256", "kid": "oct"}, claims(), b"published-published-published-32")
    assert verdict(tokens, token) == "token_refused"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://abcdefgh.supabase.co/auth/v1/"}, "token_refused"),
        ({"iss": "https://other.supabase.co/auth/v1"}, "token_refused"),
        ({"iss": None}, "token_refused"),
        ({"aud": "anon"}, "token_refused"),
        ({"aud": None}, "token_without_account"),
        ({"exp": None}, "token_refused"),
        ({"exp": NOW - 31}, "token_expired"),
        ({"exp": "soon"}, "token_refused"),
        ({"nbf": NOW + 60}, "token_refused"),
        ({"sub": None}, "token_without_account"),
        ({"sub": "admin"}, "token_without_account"),
        ({"role": "anon"}, "token_without_account"),
        ({"role": "service_role"}, "token_without_account"),
        ({"role": "worker"}, "token_without_account"),
        ({"role": None}, "token_without_account"),
    ],
)
def test_a_token_for_somebody_or_something_else_is_refused(
    tokens: Any, changes: dict[str, Any], code: str
) -> None:
    assert verdict(tokens, signed(**changes)) == code


@pytest.mark.parametrize("exp", [NOW - 29, NOW + 1])
def test_clocks_may_differ_by_thirty_seconds(tokens: Any, exp: float) -> None:
    assert verdict(tokens, signed(exp=exp)) == Caller(USER)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", signed()])
def test_without_a_bearer_token_nobody_calls(tokens: Any, header: str | None) -> None:
    async def ask() -> str:
        async with tokens() as verifier:
            with pytest.raises(Refusal) as refused:
                await verifier.caller(header)
            assert refused.value.status == 401
            return refused.value.code

    assert asyncio.run(ask()) == "token_missing"


def test_a_storm_of_unknown_keys_has_the_key_set_fetched_once(
    tokens: Any, publisher: Publisher, clock: Clock
) -> None:
    async def storm() -> None:
        async with tokens() as verifier:
            await verifier.caller(f"Bearer {signed()}")
            assert publisher.asked == 1
            clock.now += 31

            async def forge(number: int) -> str:
                with pytest.raises(Refusal) as refused:
                    await verifier.caller(f"Bearer {signed(stranger, kid=f'forged-{number}')}")
                return refused.value.code

            assert set(await asyncio.gather(*(forge(n) for n in range(50)))) == {"token_refused"}
            assert publisher.asked == 2
            clock.now += 29
            assert await forge(51) == "token_refused"
            assert publisher.asked == 2

    asyncio.run(storm())


def test_a_new_key_is_found_and_one_withdrawn_is_gone_within_ten_minutes(
    tokens: Any, publisher: Publisher, clock: Clock
) -> None:
    following = ec.generate_private_key(ec.SECP256R1())

    async def rotate() -> None:
        async with tokens() as verifier:
            await verifier.caller(f"Bearer {signed()}")
            publisher.keys = [published(following, "following")]
            clock.now += 31
            assert await verifier.caller(f"Bearer {signed(following, kid='following')}") == Caller(USER)
            clock.now += 60
            with pytest.raises(Refusal) as refused:
                await verifier.caller(f"Bearer {signed()}")
            assert refused.value.code == "token_refused"

    asyncio.run(rotate())


def test_a_withdrawn_key_nobody_else_uses_is_gone_within_ten_minutes(
    tokens: Any, publisher: Publisher, clock: Clock
) -> None:
    async def withdraw() -> None:
        async with tokens() as verifier:
            await verifier.caller(f"Bearer {signed()}")
            publisher.keys = []
            clock.now += 601
            with pytest.raises(Refusal) as refused:
                await verifier.caller(f"Bearer {signed()}")
            assert refused.value.code == "token_refused"

    asyncio.run(withdraw())


BROKEN = [
    Response("Bad Gateway", 502),
    Response("<html>"),
    JSONResponse([]),
    JSONResponse({"keys": 1}),
    Response("[" + " " * 200_000 + "]"),
    Response("", 302, headers={"location": "http://127.0.0.1:1/"}),
]


@pytest.mark.parametrize("answer", BROKEN)
def test_while_the_key_set_is_away_known_keys_serve_on_and_unknown_ones_are_503(
    tokens: Any, publisher: Publisher, clock: Clock, answer: Response
) -> None:
    async def outage() -> None:
        async with tokens() as verifier:
            await verifier.caller(f"Bearer {signed()}")
            publisher.broken = answer
            clock.now += 3000
            assert await verifier.caller(f"Bearer {signed()}") == Caller(USER)
            with pytest.raises(Refusal) as refused:
                await verifier.caller(f"Bearer {signed(stranger, kid='new')}")
            assert (refused.value.status, refused.value.code) == (503, "keys_unavailable")
            publisher.broken = None
            clock.now += 3
            with pytest.raises(Refusal) as refused:
                await verifier.caller(f"Bearer {signed(stranger, kid='new')}")
            assert refused.value.code == "token_refused"

    asyncio.run(outage())


def test_a_key_set_that_never_came_is_503_and_asked_for_with_pauses(
    tokens: Any, publisher: Publisher, clock: Clock
) -> None:
    publisher.broken = Response("", 503)

    async def ask() -> None:
        async with tokens() as verifier:
            for _ in range(20):
                with pytest.raises(Refusal) as refused:
                    await verifier.caller(f"Bearer {signed()}")
                assert refused.value.code == "keys_unavailable"
            assert publisher.asked == 1
            publisher.broken = None
            clock.now += 2
            assert await verifier.caller(f"Bearer {signed()}") == Caller(USER)

    asyncio.run(ask())


def test_one_unusable_key_does_not_spoil_the_others(tokens: Any, publisher: Publisher) -> None:
    odd = [{"kty": "EC", "kid": "odd"}, "odd", {"kty": "OKP", "crv": "Ed448", "kid": "x"}, None]
    publisher.keys = [*odd, OURS]  # type: ignore[list-item]
    assert verdict(tokens, signed()) == Caller(USER)


def test_a_remembered_verdict_ends_with_the_token(tokens: Any, clock: Clock) -> None:
    async def ask() -> None:
        async with tokens() as verifier:
            token = signed(exp=NOW + 10)
            await verifier.caller(f"Bearer {token}")
            clock.now += 41
            with pytest.raises(Refusal) as refused:
                await verifier.caller(f"Bearer {token}")
            assert refused.value.code == "token_expired"

    asyncio.run(ask())
