"""Address lookup in a real stack: two edge processes, the real database, a Google that watches sessions."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from scripts.stack.layout import Stack
from tests.py.conftest import NewUser
from tests.py.google_maps import KEY, STORM, GoogleMaps, place
from tests.py.integration.landlord import Landlord
from tests.py.serving import serving
from tests.py.support import User, wait_until
from tests.py.unit.edge_process import Edge, running

Api = Callable[[User | str | None], httpx.Client]


@dataclass
class Town:
    """Two edge processes before one Google."""

    google: GoogleMaps
    edges: list[Edge]

    def call(self, path: str, body: Any, user: User, edge: int = 0) -> httpx.Response:
        headers = {"authorization": f"Bearer {user.token}"}
        return self.edges[edge].call("POST", f"/places/{path}", json=body, headers=headers)

    def session(self, user: User, workspace_id: str, edge: int = 0) -> str:
        answer = self.call("sessions", {"workspace_id": workspace_id}, user, edge)
        return str(answer.raise_for_status().json()["session_token"])


@pytest.fixture(scope="module")
def started(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    google = GoogleMaps()
    with serving(google) as url:
        variables = {
            "ANON_KEY": stack.keys.anon_key,
            "WORKER_KEY": stack.keys.worker_key,
            "GOOGLE_MAPS_API_KEY": KEY,
            "GOOGLE_PLACES_URL": url,
            "GOOGLE_VALIDATION_URL": url,
        }
        folder = tmp_path_factory.mktemp("edge")
        with (
            running(stack.api_url, folder, **variables) as one,
            running(stack.api_url, folder, **variables) as other,
        ):
            yield Town(google, [one, other])


@pytest.fixture
def town(started: Town) -> Town:
    started.google.__init__()  # type: ignore[misc]  # as new
    started.google.places["ChIJmain123"] = place("ChIJmain123", "123", "Main Street")
    return started


def suggest(town: Town, token: str, user: User, edge: int = 0, language: str = "en") -> httpx.Response:
    asked = {"session_token": token, "input": "123 main", "language": language}
    return town.call("autocomplete", asked, user, edge)


def choose(town: Town, token: str, user: User, edge: int = 0, language: str = "en") -> httpx.Response:
    asked = {"session_token": token, "place_id": "ChIJmain123", "language": language}
    return town.call("details", asked, user, edge)


def test_a_chosen_address_is_saved_and_its_coordinates_are_read_on_the_property(
    town: Town, landlord: Landlord
) -> None:
    token = town.session(landlord.owner, landlord.workspace_id)
    [found] = suggest(town, token, landlord.owner).raise_for_status().json()["suggestions"]
    chosen = town.call("details", {"session_token": token, "place_id": found["place_id"]}, landlord.owner)
    document = chosen.raise_for_status().json()
    property_id = landlord.add(
        "properties",
        name="123 Main",
        **{name: value for name, value in document["address"].items() if value},
        place_id=document["place_id"],
        timezone=document["timezone"],
        address_status=document["address_status"],
    )
    [row] = landlord.api.get(
        f"/rest/v1/properties?id=eq.{property_id}&select=latitude,timezone,address_status,coordinates"
    ).json()
    assert (row["latitude"], row["timezone"], row["address_status"]) == (None, "America/Chicago", "verified")
    coordinates = row["coordinates"]
    assert (coordinates["latitude"], coordinates["longitude"]) == (39.7817, -89.6501)
    assert coordinates["source"] == "google" and coordinates["fetched_at"]
    assert len({asked.token for asked in town.google.asked}) == 1


def test_in_a_storm_of_429_the_form_saves_what_was_typed_as_unverified(
    town: Town, landlord: Landlord
) -> None:
    town.google.always = dict.fromkeys(("autocomplete", "details", "validate"), STORM)
    token = town.session(landlord.owner, landlord.workspace_id, edge=1)
    answers = [suggest(town, token, landlord.owner, edge=1) for _ in range(8)]
    assert {answer.json()["code"] for answer in answers} == {"places_unavailable"}
    assert len(town.google.asked) == 5
    property_id = landlord.add("properties", name="By hand", address_line1="9 Elm St", city="Austin")
    [row] = landlord.api.get(
        f"/rest/v1/properties?id=eq.{property_id}&select=address_status,coordinates"
    ).json()
    assert row == {"address_status": "unverified", "coordinates": None}
    town.google.always.clear()
    wait_until(lambda: suggest(town, token, landlord.owner, edge=1).is_success, within=15, every=0.3)


def test_through_the_gateway_the_list_in_the_database_answers_without_a_key(
    landlord: Landlord, stack_db: psycopg.Connection[Any]
) -> None:
    house = {
        "address_line1": "77 Quillfeather Lane",
        "city": "Austin",
        "state": "TX",
        "postal_code": "78701",
        "country": "US",
        "latitude": 30.2672,
        "longitude": -97.7431,
    }
    stack_db.execute("select worker.add_addresses('test_edge_places', now(), %s)", (Jsonb([house]),))
    stack_db.commit()

    def call(name: str, body: Any) -> Any:
        return landlord.api.post(f"/functions/v1/places/{name}", json=body).raise_for_status().json()

    token = call("sessions", {"workspace_id": landlord.workspace_id})["session_token"]
    found = call("autocomplete", {"session_token": token, "input": "77 quillf"})
    assert found["provider"] == "local"
    [suggestion] = found["suggestions"]
    assert suggestion["text"] == "77 Quillfeather Lane, Austin, TX 78701, US"
    assert suggestion["matches"] == [{"start": 0, "end": 2}, {"start": 3, "end": 9}]
    chosen = call("details", {"session_token": token, "place_id": suggestion["place_id"]})
    assert {name: value for name, value in house.items() if name not in ("latitude", "longitude")} == {
        name: value for name, value in chosen["address"].items() if value
    }
    assert (chosen["timezone"], chosen["address_status"]) == ("America/Chicago", "verified")
    property_id = landlord.add(
        "properties",
        name="77 Quill",
        address_line1="77 Quillfeather Lane",
        city="Austin",
        place_id=chosen["place_id"],
    )
    [row] = landlord.api.get(f"/rest/v1/properties?id=eq.{property_id}&select=coordinates").json()
    assert (row["coordinates"]["latitude"], row["coordinates"]["source"]) == (30.2672, "local")
    typed = {"address_line1": "77 quillfeather lane", "city": "Austin", "state": "TX", "country": "US"}
    checked = call("validate", {"workspace_id": landlord.workspace_id, "address": typed})
    assert checked["changes"] == [{"field": "postal_code", "from": None, "to": "78701"}]
    assert checked["address_status"] == "corrected"


def test_somebody_elses_workspace_and_a_viewer_are_refused(
    town: Town, landlord: Landlord, new_user: NewUser, stack_db: psycopg.Connection[Any]
) -> None:
    outsider = new_user()
    refused = town.call("sessions", {"workspace_id": landlord.workspace_id}, outsider)
    assert (refused.status_code, refused.json()["code"]) == (404, "workspace_not_found")
    stack_db.execute(
        "insert into public.workspace_members (workspace_id, user_id, role) values (%s, %s, 'viewer')",
        (landlord.workspace_id, outsider.id),
    )
    stack_db.commit()
    refused = town.call("sessions", {"workspace_id": landlord.workspace_id}, outsider)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_another_process_that_suggested_just_now_costs_the_choice_its_token_and_no_reuse(
    town: Town, landlord: Landlord
) -> None:
    token = town.session(landlord.owner, landlord.workspace_id)
    suggest(town, token, landlord.owner, edge=1).raise_for_status()
    choose(town, token, landlord.owner, edge=0).raise_for_status()
    first, second = town.google.asked
    assert first.token is not None and second.token is None
    assert choose(town, token, landlord.owner, edge=1).json()["code"] == "places_invalid_session"


def test_callers_at_once_over_two_processes_never_share_or_reuse_a_token(
    town: Town, landlord: Landlord, stranger: Landlord
) -> None:
    """Random callers, for real: two tenants, six sessions, each ended twice at once while letters come in."""
    rng = random.Random(7)  # noqa: S311
    lock = threading.Lock()
    outcomes: defaultdict[str, int] = defaultdict(int)
    work: list[tuple[Landlord, str, str]] = []
    for who in (landlord, stranger) * 3:
        token = town.session(who.owner, who.workspace_id)
        work += [(who, token, kind) for kind in ["suggest"] * 6 + ["choose"] * 2]
    rng.shuffle(work)

    def act(who: Landlord, token: str, kind: str) -> None:
        edge = rng.randrange(2)
        # Google is told the language, and by it we know afterwards whose call it was.
        language = "en" if who is landlord else "es"
        answer = (suggest if kind == "suggest" else choose)(town, token, who.owner, edge, language)
        assert answer.status_code in (200, 409, 429), answer.text
        with lock:
            outcomes[f"{kind} {answer.status_code}"] += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: act(*each), work))
    assert town.google.reused == []
    assert outcomes["choose 200"] <= 6 and outcomes["choose 200"] + outcomes["choose 429"] >= 1
    assert outcomes["suggest 200"] >= 1, outcomes
    tenants = defaultdict(set)
    for asked in town.google.asked:
        if asked.token:
            tenants[asked.token].add(asked.body.get("languageCode") or asked.query["languageCode"])
    assert 1 < len(tenants) <= 6 and all(len(each) == 1 for each in tenants.values())
