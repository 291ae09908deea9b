"""Invitations: one mail an invitation, a token that works once, and nobody let in by an address alone."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from tests.py.integration.landlord import Landlord, call, refusal, rpc
from tests.py.support import User

NewUser = Callable[..., User]
Connect = Callable[[User | str | None], httpx.Client]
Db = psycopg.Connection[Any]


def invite(landlord: Landlord, **arguments: Any) -> httpx.Response:
    return call(landlord.api, "invite", workspace_id=landlord.workspace_id, **arguments)


def token_of(db: Db, invitation: httpx.Response) -> str:
    """The token as the mail will carry it; no client can read it."""
    row = db.execute(
        """
        select s.payload ->> 'token'
        from public.messages as m
        join private.message_secrets as s on s.message_id = m.id
        where m.dedupe_key = 'invitation/' || %s
        """,
        (invitation.json()["id"],),
    ).fetchone()
    assert row is not None
    return str(row[0])


def address() -> str:
    return f"invited-{uuid.uuid4().hex[:12]}@example.com"


def test_an_invited_member_joins_with_the_role_offered(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    invitation = invite(landlord, kind="member", email=address(), role="manager")
    guest = api(new_user())
    joined = rpc(guest, "accept_invitation", token=token_of(stack_db, invitation))
    assert joined == {
        "workspace_id": landlord.workspace_id,
        "kind": "member",
        "role": "manager",
        "tenant_id": None,
        "vendor_id": None,
    }
    assert len(guest.get("/rest/v1/units").json()) == 2


def test_the_answer_and_the_tables_hold_no_token(landlord: Landlord, stack_db: Db) -> None:
    invitation = invite(landlord, kind="member", email=address(), role="viewer")
    token = token_of(stack_db, invitation)
    seen = (
        invitation.text
        + landlord.api.get("/rest/v1/messages").text
        + landlord.api.get(
            "/rest/v1/workspace_invitations",
            params={"select": "id,email,role,kind,expires_at,invited_by,accepted_at"},
        ).text
    )
    assert invitation.json()["email"] in seen
    assert token not in seen and "digest" not in seen


def test_a_token_works_once_even_for_two_at_once(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    token = token_of(stack_db, invite(landlord, kind="member", email=address(), role="viewer"))
    guests = [api(new_user()), api(new_user())]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda guest: call(guest, "accept_invitation", token=token), guests))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert refusal(next(a for a in answers if a.status_code == 409)) == (409, "invitation_used")


@pytest.mark.parametrize("token", ["", "no such token", None])
def test_a_wrong_token_is_refused(landlord: Landlord, token: str | None) -> None:
    assert refusal(call(landlord.api, "accept_invitation", token=token)) == (404, "invitation_not_found")


def test_an_expired_token_is_refused(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    invitation = invite(landlord, kind="member", email=address(), role="viewer")
    token = token_of(stack_db, invitation)
    stack_db.execute(
        "update public.workspace_invitations set expires_at = now() where id = %s", (invitation.json()["id"],)
    )
    assert refusal(call(api(new_user()), "accept_invitation", token=token)) == (410, "invitation_expired")


def test_a_withdrawn_or_replaced_invitation_is_refused(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    email = address()
    first = token_of(stack_db, invite(landlord, kind="member", email=email, role="viewer"))
    second_invitation = invite(landlord, kind="member", email=email.upper(), role="viewer")
    second = token_of(stack_db, second_invitation)
    guest = api(new_user())
    assert refusal(call(guest, "accept_invitation", token=first)) == (404, "invitation_not_found")
    withdrawn = landlord.api.delete(f"/rest/v1/workspace_invitations?id=eq.{second_invitation.json()['id']}")
    assert withdrawn.status_code == 204
    assert refusal(call(guest, "accept_invitation", token=second)) == (404, "invitation_not_found")


def test_what_an_inviter_may_no_longer_give_their_invitation_no_longer_gives(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    admin = new_user()
    landlord.employ(stack_db, admin, "admin")
    invitation = call(
        api(admin), "invite", workspace_id=landlord.workspace_id, kind="member", email=address(), role="admin"
    )
    token = token_of(stack_db, invitation)
    rpc(landlord.api, "remove_member", workspace_id=landlord.workspace_id, user_id=admin.id)
    assert refusal(call(api(new_user()), "accept_invitation", token=token)) == (410, "invitation_withdrawn")


def test_nobody_offers_more_than_they_hold(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    admin = new_user()
    landlord.employ(stack_db, admin, "admin")
    offer = call(
        api(admin), "invite", workspace_id=landlord.workspace_id, kind="member", email=address(), role="owner"
    )
    assert refusal(offer) == (403, "exceeds_own_role")


def test_a_member_is_not_taken_back_or_promoted_by_an_invitation(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    viewer = new_user()
    landlord.employ(stack_db, viewer, "viewer")
    token = token_of(stack_db, invite(landlord, kind="member", email=address(), role="admin"))
    assert refusal(call(api(viewer), "accept_invitation", token=token)) == (409, "already_member")


def test_a_renter_is_tied_by_the_token_and_never_by_the_address(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    lease_id = landlord.draft("L-7")
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    namesake = api(new_user(f"rae-{uuid.uuid4().hex[:8]}@example.com"))
    assert namesake.get("/rest/v1/leases").json() == []

    invitation = invite(landlord, kind="renter", tenant_id=landlord.tenant_id)
    assert invitation.json()["email"] == "rae@example.com"
    renter = api(new_user())
    rpc(renter, "accept_invitation", token=token_of(stack_db, invitation))
    assert [lease["id"] for lease in renter.get("/rest/v1/leases").json()] == [lease_id]
    assert [unit["id"] for unit in renter.get("/rest/v1/units").json()] == landlord.unit_ids[:1]

    again = invite(landlord, kind="renter", tenant_id=landlord.tenant_id)
    assert refusal(again) == (409, "already_tied")
    rpc(landlord.api, "revoke_portal_access", tenant_id=landlord.tenant_id)
    assert renter.get("/rest/v1/leases").json() == []


def test_a_vendor_is_tied_by_the_token(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    vendor_id = landlord.add("vendors", name="Pipes & Co", email="pipes@example.com")
    invitation = invite(landlord, kind="vendor", vendor_id=vendor_id)
    vendor = api(new_user())
    rpc(vendor, "accept_invitation", token=token_of(stack_db, invitation))
    assert [row["id"] for row in vendor.get("/rest/v1/vendors").json()] == [vendor_id]
    assert vendor.get("/rest/v1/leases").json() == []
    rpc(landlord.api, "revoke_portal_access", vendor_id=vendor_id)
    assert vendor.get("/rest/v1/vendors").json() == []


def test_a_repeated_call_sends_one_mail_and_answers_alike(landlord: Landlord) -> None:
    asked = {"kind": "member", "email": address(), "role": "viewer", "key": "one-and-only"}
    first, repeated = invite(landlord, **asked), invite(landlord, **asked)
    assert first.status_code == repeated.status_code == 200
    assert first.json() == repeated.json()
    assert len(landlord.api.get("/rest/v1/messages").json()) == 1
    other = invite(landlord, **{**asked, "role": "manager"})
    assert refusal(other) == (409, "idempotency_key_reused")


def test_two_calls_at_once_with_one_key_have_one_effect(landlord: Landlord) -> None:
    asked = {"kind": "member", "email": address(), "role": "viewer", "key": str(uuid.uuid4())}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: invite(landlord, **asked), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(landlord.api.get("/rest/v1/messages").json()) == 1


def test_a_call_without_a_key_is_refused_and_one_that_failed_kept_nothing(landlord: Landlord) -> None:
    asked = {"kind": "member", "email": "nobody", "role": "viewer", "key": "k"}
    assert refusal(invite(landlord, **{**asked, "key": ""})) == (400, "idempotency_key_required")
    assert refusal(invite(landlord, **asked)) == (422, "email_invalid")
    assert invite(landlord, **{**asked, "email": address()}).status_code == 200


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "<a@b.example>",
        "a@b.example,c",
        "a@b.example;c",
        "a b@c.example",
        "x" * 250 + "@b.example",
    ],
)
def test_what_is_no_address_is_not_written_to(landlord: Landlord, email: str) -> None:
    refused = invite(landlord, kind="member", email=email, role="viewer")
    assert refusal(refused) == (422, "email_invalid")


def test_one_address_is_not_flooded_whoever_invites(
    landlord: Landlord, new_user: NewUser, api: Connect
) -> None:
    email = address()
    for _ in range(5):
        assert invite(landlord, kind="member", email=email, role="viewer").status_code == 200
    other = Landlord.settle(new_user(), api)
    refused = invite(other, kind="member", email=email.upper(), role="viewer")
    assert refusal(refused) == (429, "invitation_limit")
    assert int(refused.headers["retry-after"]) > 0
    assert invite(other, kind="member", email=address(), role="viewer").status_code == 200


def test_a_removed_member_does_not_come_back_by_an_older_mail(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    person = new_user()
    first = token_of(stack_db, invite(landlord, kind="member", email=person.email, role="viewer"))
    rpc(api(person), "accept_invitation", token=first)
    second = token_of(stack_db, invite(landlord, kind="member", email=person.email.upper(), role="admin"))
    rpc(landlord.api, "remove_member", workspace_id=landlord.workspace_id, user_id=person.id)
    refused = call(api(person), "accept_invitation", token=second)
    assert refusal(refused) == (404, "invitation_not_found")
