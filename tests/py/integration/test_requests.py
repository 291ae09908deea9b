"""What surrounds every request: its id, revoked tokens, limits on writes, what a worker's token can't do."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import psycopg
import pytest

from scripts.stack.layout import Stack
from tests.py.integration.landlord import Landlord, call, refusal
from tests.py.support import User, wait_until

Connect = Callable[[User | str | None], httpx.Client]
Db = psycopg.Connection[Any]


@pytest.fixture
def past_the_gateway(stack: Stack, landlord: Landlord) -> Iterator[httpx.Client]:
    """PostgREST itself with the owner's token: what a hosted project's clients reach without our gateway."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{stack.ports.postgrest}",
        headers={"Authorization": f"Bearer {landlord.owner.token}"},
        trust_env=False,
    ) as client:
        yield client


def test_the_id_of_a_request_stands_on_the_answer_and_on_what_it_caused(landlord: Landlord) -> None:
    request_id = uuid.uuid4().hex
    answer = landlord.api.post(
        "/rest/v1/rpc/invite",
        json={
            "workspace_id": landlord.workspace_id,
            "kind": "member",
            "role": "viewer",
            "email": f"{request_id}@example.com",
        },
        headers={"X-Request-Id": request_id, "Idempotency-Key": request_id},
    )
    assert answer.status_code == 200 and answer.headers["x-request-id"] == request_id
    (message,) = landlord.api.get("/rest/v1/messages?select=request_id").json()
    assert message["request_id"] == request_id


def test_an_error_in_the_database_log_names_its_request(stack: Stack, landlord: Landlord) -> None:
    request_id = uuid.uuid4().hex
    wrong = landlord.api.post(
        "/rest/v1/units", json={"workspace_id": landlord.workspace_id}, headers={"X-Request-Id": request_id}
    )
    assert wrong.status_code == 400

    def logged() -> bool:
        return any(
            request_id in line and "ERROR" in line
            for path in stack.root.glob("log/postgres*")
            for line in path.read_text().splitlines()
        )

    wait_until(logged)


@pytest.mark.parametrize("hostile", [None, "short", "x" * 65, 'quo"te-in-an-id', "spaces in an id"])
def test_past_the_gateway_a_missing_or_hostile_id_is_replaced(
    past_the_gateway: httpx.Client, hostile: str | None
) -> None:
    headers = {} if hostile is None else {"X-Request-Id": hostile}
    asked = {"lease_id": str(uuid.uuid4())}
    refused = past_the_gateway.post("/rpc/activate_lease", json=asked, headers=headers)
    assert refusal(refused) == (404, "lease_not_found")
    minted = [value for value in refused.headers.get_list("x-request-id") if value and value != hostile]
    assert len(minted) == 1 and uuid.UUID(minted[0])


def test_a_revoked_worker_token_is_refused_at_once(stack: Stack, api: Connect, stack_db: Db) -> None:
    claims = {"role": "worker", "jti": str(uuid.uuid4()), "exp": 4102444800}
    token = jwt.encode(claims, stack.keys.jwt_secret, "HS256")
    worker = api(token)
    assert worker.post("/rest/v1/rpc/health", headers={"Content-Profile": "worker"}).status_code == 200
    stack_db.execute("insert into private.revoked_tokens (jti, reason) values (%s, 'lost')", (claims["jti"],))
    refused = worker.post("/rest/v1/rpc/health", headers={"Content-Profile": "worker"})
    assert refusal(refused) == (401, "token_revoked")


@pytest.mark.parametrize("subject", [{}, {"sub": "somebody"}], ids=["none", "no uuid"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_that_names_no_account_is_refused(
    stack: Stack, api: Connect, subject: dict[str, str], method: str
) -> None:
    claims = {"role": "authenticated", "exp": 4102444800, **subject}
    nobody = api(jwt.encode(claims, stack.keys.jwt_secret, "HS256"))
    assert refusal(nobody.request(method, "/rest/v1/tenants", json={})) == (401, "token_without_account")


def test_the_workers_token_reads_no_table_and_calls_no_rpc_of_clients(stack: Stack, api: Connect) -> None:
    worker = api(stack.keys.worker_key)
    for table in ("workspaces", "messages", "leases"):
        assert worker.get(f"/rest/v1/{table}").status_code == 403
    assert call(worker, "create_workspace", name="Mine").status_code in (403, 404)


def test_users_call_nothing_of_the_workers(landlord: Landlord, api: Connect) -> None:
    profile = {"Content-Profile": "worker"}
    assert landlord.api.post("/rest/v1/rpc/health", headers=profile).status_code == 403
    assert api(None).post("/rest/v1/rpc/health", headers=profile).status_code == 401


def test_a_users_writes_are_limited_and_their_reads_are_not(
    past_the_gateway: httpx.Client, landlord: Landlord, stack_db: Db
) -> None:
    stack_db.execute(
        """insert into private.write_counts (user_id, minute, writes)
        select %s, date_bin('1 minute', now() + next.minute, 'epoch'), 600
        from unnest(array[interval '0', interval '1 minute']) as next (minute)
        on conflict (user_id, minute) do update set writes = 600""",
        (landlord.owner.id,),
    )
    refused = past_the_gateway.post(
        "/tenants", json={"workspace_id": landlord.workspace_id, "last_name": "X"}
    )
    assert refusal(refused) == (429, "write_limit")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert past_the_gateway.get("/tenants").status_code == 200


def test_a_write_beside_a_long_one_of_the_same_user_does_not_wait(
    stack: Stack, past_the_gateway: httpx.Client, landlord: Landlord
) -> None:
    with psycopg.connect(stack.db_url()) as long_import:
        long_import.execute("select private.count_write(%s)", (landlord.owner.id,))
        added = past_the_gateway.post(
            "/tenants", json={"workspace_id": landlord.workspace_id, "last_name": "X"}, timeout=5
        )
        long_import.rollback()
    assert added.status_code == 201
