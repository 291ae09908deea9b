"""Every function of the API, asked by whoever may not, and about what is not the caller's.

Functions and their arguments are the catalog's. None changes a row of either workspace here.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.py.integration.landlord import refusal
from tests.py.integration.rpcs import Rpc, named_ids, nowhere, rpcs
from tests.py.integration.seeded import Seeded

pytestmark = pytest.mark.usefixtures("unchanged")

SHUT_OUT = {"anon": 401, "worker": 403, "service_role": 403}
# Members of A with every permission and with few, somebody with a hat in each, and nobody's.
CURIOUS = ("owner_a", "viewer_a", "renter_a", "vendor_a", "outsider")


def post(client: httpx.Client, rpc: Rpc, body: dict[str, Any], key: str) -> httpx.Response:
    return client.post(f"/rpc/{rpc.name}", json=body, headers={"Idempotency-Key": key})


def in_query(body: dict[str, Any]) -> dict[str, str]:
    """Arguments as a GET carries them."""
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in body.items()
        if value is not None
    }


@pytest.mark.parametrize("actor", SHUT_OUT)
@pytest.mark.parametrize("schema", ["public", "worker"])
def test_a_role_without_the_right_executes_no_function(seeded: Seeded, actor: str, schema: str) -> None:
    if (actor, schema) == ("worker", "worker"):
        pytest.skip("those are the worker's own")
    client, found = seeded.client(actor), rpcs(seeded.db, schema)
    assert found
    for rpc in found:
        for answer in (
            client.post(f"/rpc/{rpc.name}", json=rpc.body({}), headers={"Content-Profile": schema}),
            client.get(
                f"/rpc/{rpc.name}",
                params=in_query(rpc.body({name: nowhere() for name in rpc.ids})),
                headers={"Accept-Profile": schema},
            ),
        ):
            assert _refused_at_all(answer, SHUT_OUT[actor]), f"{rpc.name}: {answer.status_code} {answer.text}"


@pytest.mark.parametrize("actor", ["owner_a", "renter_a", "outsider"])
def test_nobody_who_signs_in_executes_what_is_the_worker_s(seeded: Seeded, actor: str) -> None:
    client, found = seeded.client(actor), rpcs(seeded.db, "worker")
    assert len(found) > 10
    for rpc in found:
        posted = client.post(f"/rpc/{rpc.name}", json=rpc.body({}), headers={"Content-Profile": "worker"})
        assert refusal(posted) == (403, "42501"), rpc.name
    assert refusal(client.get("/anything", headers={"Accept-Profile": "worker"}))[0] in (403, 404)


def test_what_writes_is_not_called_by_get(seeded: Seeded) -> None:
    """A link or a prefetch must change nothing."""
    client = seeded.client("owner_a")
    writing = [rpc for rpc in rpcs(seeded.db) if rpc.volatile]
    assert len(writing) > 10
    for rpc in writing:
        query = in_query(rpc.body({name: nowhere() for name in rpc.ids}))
        answer = client.get(f"/rpc/{rpc.name}", params=query, headers={"Idempotency-Key": "k"})
        assert answer.status_code in (404, 405, 422), f"{rpc.name}: {answer.text}"


@pytest.mark.parametrize("actor", CURIOUS)
def test_what_is_not_yours_and_what_is_not_there_answer_alike(seeded: Seeded, actor: str) -> None:
    """Each id of each function in turn, the others being of the caller's own workspace where it has such."""
    client, tried = seeded.client(actor), 0
    for rpc in rpcs(seeded.db):
        if not rpc.ids:
            continue
        own, theirs = (named_ids(seeded.db, set(rpc.ids), at) for at in "ab")
        for name in rpc.ids:
            others = {other: own[other][0] for other in rpc.ids if other != name and own[other]}
            for foreign in [each for each in theirs[name] if each not in own[name]]:
                answers = [
                    _anonymous(
                        post(client, rpc, rpc.about(name, value, others), f"{rpc.name} {value}"), value
                    )
                    for value in (foreign, nowhere())
                ]
                assert answers[0] == answers[1], f"{rpc.name}({name})"
                tried += 1
    assert tried > 10


def test_nothing_is_done_with_what_another_workspace_has(seeded: Seeded) -> None:
    """The call of an owner, whom no permission stops, ends at the look-up, if not at another argument."""
    client, found, done = seeded.client("owner_a"), 0, {}
    for rpc in [rpc for rpc in rpcs(seeded.db) if rpc.volatile]:
        theirs = named_ids(seeded.db, set(rpc.ids), "b")
        for name in rpc.ids:
            if not theirs[name]:
                continue
            own = named_ids(seeded.db, set(rpc.ids) - {name}, "a")
            others = {other: ids[0] for other, ids in own.items() if ids}
            answer = post(client, rpc, rpc.about(name, theirs[name][0], others), f"{rpc.name} {name}")
            found += answer.status_code == 404
            if not 400 <= answer.status_code < 500:
                done[f"{rpc.name}({name})"] = f"{answer.status_code} {answer.text}"
    assert done == {}
    assert found >= 18


def _refused_at_all(answer: httpx.Response, status: int) -> bool:
    """By the grant; a function that writes is not for GET, whoever asks."""
    return refusal(answer) == (status, "42501") or answer.status_code == 405


def _anonymous(answer: httpx.Response, value: str) -> tuple[int, str]:
    """Status and body of an answer, without the id that the caller sent."""
    return answer.status_code, answer.text.replace(value, "<id>")
