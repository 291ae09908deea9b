"""The endpoints under /places as a browser meets them; the database is a model, Google a stand-in."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import jwt
import psutil
import pytest

from tests.py.google_maps import DOWN, KEY, STORM, Fault, GoogleMaps, place, refused
from tests.py.serving import serving
from tests.py.support import wait_until
from tests.py.unit.edge_process import Edge, environment, running
from tests.py.unit.place_admission import Desk
from tests.py.unit.rpc_server import Refusal, RpcServer
from workers.edge import service
from workers.places.lookup import DEADLINE
from workers.places.provider import Query
from workers.settings import FOR_EDGE, load

SECRET = "a-secret-of-the-tests-that-is-long-enough"
EDGE_SECRET = "another-secret-of-the-tests-of-forty-two-chars"
ANN, BOB = str(uuid.uuid4()), str(uuid.uuid4())
MAPLE, OAK = str(uuid.uuid4()), str(uuid.uuid4())
BY_HAND = "by hand"


@dataclass
class World:
    edge: Edge
    google: GoogleMaps
    google_url: str
    desk: Desk
    server: RpcServer

    def call(self, path: str, body: Any, *, user: str | None = ANN, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {access_token(self.server.url, user)}"} if user else {}
        return self.edge.call("POST", f"/places/{path}", json=body, headers=headers, **options)

    def session(self, user: str = ANN, workspace: str = MAPLE) -> str:
        opened = self.call("sessions", {"workspace_id": workspace}, user=user)
        token: str = opened.raise_for_status().json()["session_token"]
        return token

    def suggest(self, token: str, text: str = "123 main", **more: Any) -> httpx.Response:
        user = more.pop("user", ANN)
        return self.call("autocomplete", {"session_token": token, "input": text, **more}, user=user)

    def choose(self, token: str, place_id: str = "ChIJmain123", user: str = ANN) -> httpx.Response:
        return self.call("details", {"session_token": token, "place_id": place_id}, user=user)


def access_token(api_url: str, user: str) -> str:
    claims = {
        "iss": f"{api_url}/auth/v1",
        "sub": user,
        "aud": "authenticated",
        "exp": int(time.time()) + 600,
        "role": "authenticated",
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")


@pytest.fixture(scope="module")
def started(
    rpc_server: RpcServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Edge, GoogleMaps, str]]:
    google = GoogleMaps()
    with serving(google) as url:
        settings = {
            "JWT_SECRET": SECRET,
            "EDGE_SECRET": EDGE_SECRET,
            "GOOGLE_MAPS_API_KEY": KEY,
            "GOOGLE_PLACES_URL": url,
            "GOOGLE_VALIDATION_URL": url,
            "LOG_LEVEL": "debug",
        }
        with running(rpc_server.url, tmp_path_factory.mktemp("places"), **settings) as edge:
            yield edge, google, url


@pytest.fixture
def world(started: tuple[Edge, GoogleMaps, str], server: RpcServer) -> World:
    edge, google, google_url = started
    google.__init__()  # type: ignore[misc]  # as new
    google.places["ChIJmain123"] = place("ChIJmain123", "123", "Main Street")
    desk = Desk(time.monotonic)
    desk.members = {(ANN, MAPLE), (BOB, OAK)}
    server.answers |= {
        "open_place_session": desk.open,
        "admit_place_calls": desk.admit,
        "record_place": desk.record,
    }
    return World(edge, google, google_url, desk, server)


def told(response: httpx.Response, status: int, code: str, *words: str) -> dict[str, Any]:
    """The envelope, with words that its hint must have."""
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()
    assert set(body) == {"code", "message", "details", "hint"} and body["code"] == code
    for word in words:
        assert word in body["hint"]
    return body


def test_an_address_is_found_and_chosen_in_one_session(world: World) -> None:
    token = world.session()
    first = world.suggest(token, "123 m").json()
    assert first == {
        "suggestions": [
            {
                "place_id": "ChIJmain123",
                "text": "123 Main Street, Springfield, IL 62701, USA",
                "matches": [{"start": 0, "end": 5}],
                "main_text": "123 Main Street",
                "secondary_text": "Springfield, IL 62701, USA",
            }
        ],
        "provider": "google",
        "attribution": "Google Maps",
    }
    world.suggest(token, "123 main")
    chosen = world.choose(token).json()
    fetched_at = chosen["coordinates"].pop("fetched_at")
    assert fetched_at.endswith("+00:00")
    assert chosen == {
        "place_id": "ChIJmain123",
        "address": {
            "address_line1": "123 Main Street",
            "address_line2": None,
            "city": "Springfield",
            "state": "IL",
            "postal_code": "62701",
            "country": "US",
        },
        "formatted_address": "123 Main Street, Springfield, IL 62701, USA",
        "coordinates": {"latitude": 39.7817, "longitude": -89.6501, "source": "google"},
        "timezone": "America/Chicago",
        "address_status": "verified",
        "provider": "google",
        "attribution": "Google Maps",
    }
    # Google saw one session, and never ours.
    [session] = world.desk.sessions.values()
    assert [asked.token for asked in world.google.asked] == [session.token] * 3
    assert token not in json.dumps([asked.__dict__ for asked in world.google.asked], default=str)
    [kept] = world.desk.positions
    assert kept == {
        "p_workspace_id": MAPLE,
        "p_place_id": "ChIJmain123",
        "p_latitude": 39.7817,
        "p_longitude": -89.6501,
        "p_provider": "google",
    }


def test_after_the_choice_the_session_is_over(world: World) -> None:
    token = world.session()
    world.choose(token).raise_for_status()
    told(world.suggest(token), 409, "places_invalid_session", "places/sessions")
    told(world.choose(token), 409, "places_invalid_session")
    assert world.google.reused == []


def test_nothing_found_is_an_empty_list(world: World) -> None:
    response = world.suggest(world.session(), "nowhere at all")
    assert (response.status_code, response.json()["suggestions"]) == (200, [])


def test_a_session_is_the_users_who_opened_it(world: World) -> None:
    token = world.session()
    told(world.suggest(token, user=BOB), 409, "places_invalid_session")
    told(world.choose(token, user=BOB), 409, "places_invalid_session")
    assert world.google.asked == [] and world.desk.batches == []


@pytest.mark.parametrize(
    "forge", [lambda t: t[:-2] + "AA", lambda t: t[4:], lambda t: "é", lambda t: t + "A"]
)
def test_a_forged_session_costs_nobody_a_call(world: World, forge: Any) -> None:
    told(world.suggest(forge(world.session())), 409, "places_invalid_session")
    assert world.desk.batches == []


def test_two_tokens_are_none(world: World) -> None:
    tokens = [("authorization", f"Bearer {access_token(world.server.url, user)}") for user in (ANN, BOB)]
    response = world.edge.call("POST", "/places/sessions", json={"workspace_id": MAPLE}, headers=tokens)
    told(response, 401, "token_refused")


def test_without_a_token_and_with_an_api_key_nobody_is_served(world: World) -> None:
    for path in ("sessions", "autocomplete", "details", "validate"):
        told(world.call(path, {}, user=None), 401, "token_missing")
    response = world.call("sessions", {}, user=None)
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("sessions", b"", "body"),
        ("sessions", b"[]", "body"),
        ("sessions", b'{"workspace_id": "maple"}', "workspace_id"),
        ("sessions", b'{"workspace": "x"}', "workspace_id"),
        ("autocomplete", b'{"input": "123 main"}', "session_token"),
        ("autocomplete", b'{"session_token": "x", "input": 5}', "input"),
        ("autocomplete", b'{"session_token": "x", "input": "\\ud800abc"}', "body"),
        ("autocomplete", b'{"session_token": "x", "input": "' + b"x" * 201 + b'"}', "input"),
        ("autocomplete", b'{"session_token": "x", "input": "abc\\u0000"}', "input"),
        ("details", b'{"session_token": "x", "place_id": "local:\\u0000"}', "place_id"),
        ("autocomplete", b'{"session_token": "x", "input": "abc", "input_offset": 4}', "input_offset"),
        ("autocomplete", b'{"session_token": "x", "input": "abc", "input_offset": -1}', "input_offset"),
        ("autocomplete", b'{"session_token": "x", "input": "abc", "countries": []}', "countries"),
        ("autocomplete", b'{"session_token": "x", "input": "abc", "countries": ["USA"]}', "countries.0"),
        ("autocomplete", b'{"session_token": "x", "input": "abc", "language": "en us"}', "language"),
        ("details", b'{"session_token": "x", "place_id": ""}', "place_id"),
        ("validate", b'{"workspace_id": "x"}', "address"),
    ],
)
def test_a_body_that_is_not_right_is_refused_by_its_fields(
    world: World, path: str, body: bytes, field: str
) -> None:
    headers = {"authorization": f"Bearer {access_token(world.server.url, ANN)}"}
    response = world.edge.call("POST", f"/places/{path}", content=body, headers=headers)
    assert f"{field}: " in told(response, 422, "request_invalid")["details"]


@pytest.mark.parametrize("text", ["", "  ", "12", " 12 ", "🏠🏠"])
def test_fewer_than_three_letters_ask_nobody(world: World, text: str) -> None:
    told(world.suggest(world.session(), text), 422, "places_input_too_short", "no suggestions")
    assert world.desk.batches == []


def test_offsets_count_characters(world: World) -> None:
    world.google.places["ChIJhouse"] = place("ChIJhouse", "7", "🏠🏠 Street")
    found = world.suggest(world.session(), "🏠🏠 st", input_offset=2).json()["suggestions"]
    assert found[0]["matches"] == [{"start": 2, "end": 7}]
    assert world.google.of("autocomplete")[0].body["inputOffset"] == 2


def test_countries_are_those_of_the_request_or_the_settings(world: World) -> None:
    token = world.session()
    world.suggest(token)
    world.suggest(token, countries=["ca", "MX"])
    regions = [asked.body["includedRegionCodes"] for asked in world.google.of("autocomplete")]
    assert regions == [["us"], ["ca", "mx"]]


def test_a_language_that_google_does_not_have_is_the_request_s_fault(world: World) -> None:
    world.google.always["autocomplete"] = refused(400, "INVALID_ARGUMENT")
    body = told(world.suggest(world.session(), language="xx"), 422, "request_invalid")
    assert "language" in body["details"]
    world.google.always.clear()
    assert world.suggest(world.session()).status_code == 200


def test_somebody_elses_workspace_is_not_found(world: World) -> None:
    token = world.session(workspace=OAK)
    told(world.suggest(token), 404, "workspace_not_found", "GET /workspaces")
    assert world.google.asked == []


def test_a_session_that_the_database_refuses_is_told_as_it_says(world: World) -> None:
    world.server.answers["open_place_session"] = Refusal(
        403, "permission_denied", "Your role lacks it.", "Ask."
    )
    told(world.call("sessions", {"workspace_id": MAPLE}), 403, "permission_denied", "Ask.")
    world.server.answers["open_place_session"] = Refusal(401, "token_revoked", "This token was revoked.")
    response = world.call("sessions", {"workspace_id": MAPLE})
    told(response, 503, "places_unavailable", BY_HAND)
    assert "revoked" not in response.text


@pytest.mark.parametrize(
    ("refusal", "status", "code", "words"),
    [
        ({"reason": "permission_denied"}, 403, "permission_denied", "owner or admin"),
        (
            {"reason": "places_quota", "scope": "places_per_user", "retry_after": 17},
            429,
            "places_quota",
            BY_HAND,
        ),
        ({"reason": "something new"}, 503, "places_unavailable", BY_HAND),
    ],
)
def test_what_is_not_admitted_is_told_with_what_to_do(
    world: World, refusal: dict[str, Any], status: int, code: str, words: str
) -> None:
    token = world.session()
    world.desk.refusal = refusal
    response = world.suggest(token)
    body = told(response, status, code, words)
    if code == "places_quota":
        assert response.headers["retry-after"] == "17" and body["details"] == "scope=places_per_user"
    assert world.google.asked == []


@pytest.mark.parametrize(
    "answer", [Refusal(503, "PGRST001"), Refusal(500, body="<html>"), [], [{}], None, {}]
)
def test_without_an_answer_of_the_database_nothing_goes_out(world: World, answer: Any) -> None:
    token = world.session()
    world.server.answers["admit_place_calls"] = answer
    told(world.suggest(token), 503, "places_unavailable", BY_HAND)
    assert world.google.asked == []


def test_in_a_storm_the_breaker_opens_and_the_form_is_told_to_go_on_by_hand(world: World) -> None:
    token = world.session()
    world.google.always["autocomplete"] = STORM
    for _ in range(12):
        response = world.suggest(token)
        told(response, 503, "places_unavailable", BY_HAND)
        assert int(response.headers["retry-after"]) >= 1
    assert len(world.google.asked) == 5
    world.google.always.clear()
    wait_until(lambda: world.suggest(token).status_code == 200, within=15, every=0.2)


def test_details_survive_one_failure(world: World) -> None:
    world.google.faults["details"].append(DOWN)
    assert world.choose(world.session()).status_code == 200
    assert len(world.google.asked) == 2


def test_a_place_that_is_gone_is_told(world: World) -> None:
    told(world.choose(world.session(), "ChIJgone"), 404, "place_not_found", BY_HAND)


def test_a_place_id_of_500_characters_is_fine(world: World) -> None:
    long = "Ei" + "x" * 498
    world.google.places[long] = place(long, "9", "Long Street")
    assert world.choose(world.session(), long).json()["place_id"] == long


def test_coordinates_that_can_not_be_kept_do_not_spoil_the_answer(world: World) -> None:
    world.server.answers["record_place"] = Refusal(503, "PGRST001")
    assert world.choose(world.session()).json()["coordinates"]["latitude"] == 39.7817


def test_a_database_that_hangs_after_the_answer_does_not_hold_it_back(world: World) -> None:
    async def hang(_: Any) -> None:
        async with asyncio.timeout(DEADLINE + 1):
            await asyncio.Event().wait()

    world.server.answers["record_place"] = hang
    began = time.monotonic()
    assert world.choose(world.session()).json()["coordinates"]["latitude"] == 39.7817
    assert time.monotonic() - began < DEADLINE + 0.5


def test_a_provider_that_hangs_takes_no_connection_to_the_database(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an outage of one would be an outage of all, health checks included."""
    monkeypatch.setattr("workers.outbound.CONNECTIONS", 2)
    world.google.always["autocomplete"] = Fault(hang=True)
    told_of = environment(world.server.url, 1, EDGE_SECRET=EDGE_SECRET, GOOGLE_MAPS_API_KEY=KEY)
    for name in ("API_URL", "ANON_KEY", "WORKER_KEY", "EDGE_SECRET", "GOOGLE_MAPS_API_KEY"):
        monkeypatch.setenv(name, told_of[name])
    monkeypatch.setenv("GOOGLE_PLACES_URL", world.google_url)

    async def ask() -> Any:
        async with service.opened(load(*FOR_EDGE)) as opened:
            lookup = opened.lookup
            token = (await lookup.open_session(ANN, UUID(MAPLE)))["session_token"]
            letters = [
                asyncio.create_task(
                    lookup.autocomplete(ANN, lookup.session(ANN, token), Query("main", ("US",)))
                )
                for _ in range(3)
            ]
            async with asyncio.timeout(1):
                while len(world.google.asked) < 2:
                    await asyncio.sleep(0.01)
                opened_meanwhile = await lookup.open_session(ANN, UUID(MAPLE))
            await asyncio.gather(*letters, return_exceptions=True)
            return opened_meanwhile

    assert asyncio.run(ask())["session_token"]


def check_of(**address: Any) -> dict[str, Any]:
    typed = {
        "address_line1": "123 Main St",
        "city": "Springfield",
        "state": "IL",
        "postal_code": "62702",
        "country": "us",
    }
    return {"workspace_id": MAPLE, "address": {**typed, **address}}


CORRECTED = {
    "result": {
        "verdict": {
            "addressComplete": True,
            "validationGranularity": "PREMISE",
            "hasReplacedComponents": True,
        },
        "address": {
            "postalAddress": {
                "regionCode": "US",
                "addressLines": ["123 Main St"],
                "locality": "Springfield",
                "administrativeArea": "IL",
                "postalCode": "62701-0001",
            }
        },
        "geocode": {"placeId": "ChIJmain123", "location": {"latitude": 39.7817, "longitude": -89.6501}},
    }
}


def test_a_typed_address_is_corrected_and_what_changed_is_said(world: World) -> None:
    world.google.checks["123 Main St"] = CORRECTED
    body = world.call("validate", check_of()).raise_for_status().json()
    assert body["address_status"] == "corrected"
    assert body["changes"] == [{"field": "postal_code", "from": "62702", "to": "62701-0001"}]
    assert body["place_id"] == "ChIJmain123" and body["coordinates"]["source"] == "google"
    assert (body["address"]["country"], body["provider"]) == ("US", "google")
    assert world.google.asked[0].token is None


def test_a_check_ends_the_session_it_is_told_of(world: World) -> None:
    token = world.session()
    world.suggest(token)
    body = world.call("validate", {**check_of(), "session_token": token}).raise_for_status().json()
    assert (body["address_status"], body["changes"]) == ("unverified", [])
    assert world.google.of("validate")[0].token == world.google.of("autocomplete")[0].token
    told(world.suggest(token), 409, "places_invalid_session")


def test_a_check_names_the_workspace_of_its_session(world: World) -> None:
    body = {**check_of(), "workspace_id": OAK, "session_token": world.session()}
    assert "session_token" in told(world.call("validate", body), 422, "request_invalid")["details"]


def test_a_typed_address_has_280_characters_at_most(world: World) -> None:
    long = check_of(address_line1="x" * 150, address_line2="y" * 150)
    told(world.call("validate", long), 422, "places_address_too_long", "unverified")
    assert (
        "address_line1"
        in told(world.call("validate", check_of(address_line1=" ")), 422, "request_invalid")["details"]
    )
    assert world.desk.batches == []


def test_callers_at_once_are_admitted_together(world: World) -> None:
    tokens = [world.session() for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(world.suggest, tokens))
    assert [answer.status_code for answer in answers] == [200] * 16
    assert sum(len(batch) for batch in world.desk.batches) == 16
    assert len(world.desk.batches) < 16


def test_the_service_stays_small(world: World) -> None:
    token = world.session()
    world.choose(token)
    for _ in range(30):
        world.suggest(world.session())
    assert psutil.Process(world.edge.process.pid).memory_info().rss < 120_000_000


def test_the_log_says_whose_request_it_was(world: World) -> None:
    token = world.session()
    headers = {
        "authorization": f"Bearer {access_token(world.server.url, ANN)}",
        "x-request-id": "places-12345678",
    }
    body = {"session_token": token, "input": "123 main"}
    world.edge.call("POST", "/places/autocomplete", json=body, headers=headers)
    line = world.edge.line_of("places-12345678")
    assert (line["user_id"], line["workspace_id"], line["status"]) == (ANN, MAPLE, 200)


# Last: it leaves breakers open.
HOSTILE = [
    refused(403, "PERMISSION_DENIED", "API_KEY_SERVICE_BLOCKED"),
    refused(400, "INVALID_ARGUMENT", "API_KEY_INVALID"),
    refused(500, "INTERNAL"),
    Fault(body=f'{{"echo": "{KEY}"'.encode()),
    Fault(status=302, body=KEY.encode()),
    Fault(cut=True),
]


def test_the_key_is_nowhere_but_in_the_header_to_google(world: World) -> None:
    """A canary scan: every fault on every call, and then all that was answered and logged."""
    answers = []
    for fault in HOSTILE:
        world.google.always = dict.fromkeys(("autocomplete", "details", "validate"), fault)
        token = world.session()
        answers += [
            world.suggest(token, "555 Canary Boulevard"),
            world.choose(token),
            world.call("validate", check_of(address_line1="555 Canary Boulevard")),
        ]
    assert {answer.status_code for answer in answers} <= {200, 404, 503}
    spoken = "".join(answer.text + str(answer.headers) for answer in answers)
    log = world.edge.log.read_text()
    assert "Google refuses us" in log
    for canary in (KEY, KEY[4:20], EDGE_SECRET, SECRET):
        assert canary not in spoken and canary not in log
    # Nor is what people type kept, or who holds which token.
    assert "Canary Boulevard" not in log and "Canary Boulevard" not in spoken.replace(
        '"address_line1":"555 Canary Boulevard"', ""
    )
    assert access_token(world.server.url, ANN)[:40] not in log
    sent = json.dumps([asked.__dict__ for asked in world.google.asked], default=str)
    assert sent.count(KEY) == len(world.google.asked)
    for call in world.server.calls:
        assert KEY not in json.dumps(call.arguments) + str(call.headers)
