"""The schema `auth`: what migrations, policies and dumps count on."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from tests.py.contract.auth_client import Account, Auth

TIME, TEXT, JSON = "timestamp with time zone", "character varying", "jsonb"
COLUMNS = {
    "instance_id": "uuid", "id": "uuid", "aud": TEXT, "role": TEXT, "email": TEXT, "encrypted_password": TEXT,
    "email_confirmed_at": TIME, "invited_at": TIME, "confirmation_token": TEXT, "confirmation_sent_at": TIME,
    "recovery_token": TEXT, "recovery_sent_at": TIME, "email_change_token_new": TEXT, "email_change": TEXT,
    "email_change_sent_at": TIME, "last_sign_in_at": TIME, "raw_app_meta_data": JSON,
    "raw_user_meta_data": JSON, "is_super_admin": "boolean", "created_at": TIME, "updated_at": TIME,
    "phone": "text", "phone_confirmed_at": TIME, "phone_change": "text", "phone_change_token": TEXT,
    "phone_change_sent_at": TIME, "confirmed_at": TIME, "email_change_token_current": TEXT,
    "email_change_confirm_status": "smallint", "banned_until": TIME, "reauthentication_token": TEXT,
    "reauthentication_sent_at": TIME, "is_sso_user": "boolean", "deleted_at": TIME, "is_anonymous": "boolean",
}  # fmt: skip


def test_users_have_the_columns_of_the_real_ones(sql: psycopg.Connection[Any]) -> None:
    found = sql.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = 'auth' and table_name = 'users' order by ordinal_position"
    ).fetchall()
    assert {name: kind for name, kind in found if name in COLUMNS} == COLUMNS


def test_a_new_row_looks_as_the_real_server_writes_it(
    auth: Auth, account: Account, sql: psycopg.Connection[Any]
) -> None:
    row = sql.execute(
        """
        select instance_id::text, aud, confirmation_token, recovery_token, email_change,
            email_change_token_new, email_change_token_current, phone, raw_app_meta_data,
            confirmed_at = email_confirmed_at, is_sso_user
        from auth.users
        where id = %s
        """,
        [account.id],
    ).fetchone()
    provider = {"provider": "email", "providers": ["email"]}
    nil = "00000000-0000-0000-0000-000000000000"
    assert row == (nil, "authenticated", "", "", "", "", "", None, provider, True, False)


def test_what_was_mailed_is_kept_as_a_hash(
    auth: Auth, account: Account, sql: psycopg.Connection[Any]
) -> None:
    made = auth.generate_link("recovery", account.email)
    row = sql.execute(
        """
        select u.recovery_token, t.token_hash, t.token_type::text, t.relates_to
        from auth.users as u
        join auth.one_time_tokens as t on t.user_id = u.id
        where u.id = %s
        """,
        [account.id],
    ).fetchone()
    assert row == (made["hashed_token"], made["hashed_token"], "recovery_token", account.email)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("auth.uid()::text", "11111111-1111-1111-1111-111111111111"),
        ("auth.role()", "authenticated"),
        ("auth.email()", "ann@example.com"),
        ("auth.jwt() ->> 'aal'", "aal1"),
    ],
)
def test_policies_can_ask_who_asks(sql: psycopg.Connection[Any], call: str, expected: str) -> None:
    claims = {
        "sub": "11111111-1111-1111-1111-111111111111",
        "role": "authenticated",
        "email": "ann@example.com",
        "aal": "aal1",
    }
    query = f"select {call}"
    with sql.transaction():
        sql.execute("set local role authenticated")
        assert sql.execute(query).fetchone() == (None,)
        sql.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        assert sql.execute(query).fetchone() == (expected,)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_nobody_reads_the_users_through_the_api(sql: psycopg.Connection[Any], role: str) -> None:
    with sql.transaction(force_rollback=True):
        sql.execute(psycopg.sql.SQL("set local role {}").format(psycopg.sql.Identifier(role)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for table users"):
            sql.execute("select from auth.users")


def test_migrations_can_refer_to_users(sql: psycopg.Connection[Any], account: Account) -> None:
    with sql.transaction(force_rollback=True):
        sql.execute("create schema contract")
        sql.execute("create table contract.people (id uuid references auth.users (id) on delete cascade)")
        sql.execute("insert into contract.people values (%s)", [account.id])
        sql.execute(
            "create function contract.noop() returns trigger language plpgsql as $$ begin return new; end $$"
        )
        sql.execute(
            "create trigger noop after insert on auth.users for each row execute function contract.noop()"
        )
        sql.execute("delete from auth.users where id = %s", [account.id])
        assert sql.execute("select from contract.people").fetchall() == []
