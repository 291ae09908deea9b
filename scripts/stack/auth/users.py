"""Users and their identities: rows of `auth.users` and `auth.identities`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

NIL = UUID(int=0)
AUDIENCE = "authenticated"


@dataclass(frozen=True)
class User:
    """A row of `auth.users`. What is secret stays out of its repr."""

    id: UUID
    aud: str
    role: str
    email: str | None
    encrypted_password: str | None = field(repr=False)
    email_confirmed_at: datetime | None
    invited_at: datetime | None
    confirmation_token: str | None = field(repr=False)
    confirmation_sent_at: datetime | None
    recovery_token: str | None = field(repr=False)
    recovery_sent_at: datetime | None
    email_change_token_new: str | None = field(repr=False)
    email_change_token_current: str | None = field(repr=False)
    email_change: str | None
    email_change_sent_at: datetime | None
    email_change_confirm_status: int
    last_sign_in_at: datetime | None
    raw_app_meta_data: dict[str, Any] | None
    raw_user_meta_data: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
    phone: str | None
    phone_confirmed_at: datetime | None
    confirmed_at: datetime | None
    banned_until: datetime | None
    is_anonymous: bool

    @property
    def app_metadata(self) -> dict[str, Any]:
        return dict(sorted((self.raw_app_meta_data or {}).items()))

    @property
    def user_metadata(self) -> dict[str, Any]:
        return dict(sorted((self.raw_user_meta_data or {}).items()))

    @property
    def confirmed(self) -> bool:
        return self.email_confirmed_at is not None

    def banned(self, now: datetime) -> bool:
        return self.banned_until is not None and self.banned_until > now


@dataclass(frozen=True)
class Identity:
    """A row of `auth.identities`: one way in which a user signs in."""

    id: UUID
    provider_id: str
    user_id: UUID
    identity_data: dict[str, Any]
    last_sign_in_at: datetime | None
    provider: str
    created_at: datetime
    updated_at: datetime
    email: str | None


USER_COLUMNS = sql.SQL(", ").join(sql.Identifier("u", f.name) for f in fields(User))
IDENTITY_COLUMNS = sql.SQL(", ").join(sql.Identifier(f.name) for f in fields(Identity))


async def find(conn: AsyncConnection, user_id: UUID, *, lock: bool = False) -> User | None:
    return await _one(conn, sql.SQL("u.id = %s"), [user_id], lock=lock)


async def find_by_email(conn: AsyncConnection, email: str, *, lock: bool = False) -> User | None:
    condition = sql.SQL("lower(u.email) = lower(%s) and u.instance_id = %s and not u.is_sso_user")
    return await _one(conn, condition, [email, NIL], lock=lock)


async def find_by_new_email(conn: AsyncConnection, email: str) -> User | None:
    """The user who asked to change to or from this address, locked."""
    condition = sql.SQL("coalesce(u.email_change, '') <> '' and %s in (u.email, u.email_change)")
    return await _one(conn, condition, [email], lock=True)


async def create(
    conn: AsyncConnection,
    email: str,
    *,
    password_hash: str = "",
    user_metadata: Mapping[str, Any] | None = None,
    app_metadata: Mapping[str, Any] | None = None,
    role: str = AUDIENCE,
    user_id: UUID | None = None,
) -> User:
    """Insert a user who has still to confirm the address. UniqueViolation when the address or id is taken."""
    values = {
        "instance_id": NIL,
        "id": user_id or uuid4(),
        "aud": AUDIENCE,
        "role": role,
        "email": email,
        "encrypted_password": password_hash,
        "confirmation_token": "",
        "recovery_token": "",
        "email_change_token_new": "",
        "email_change": "",
        "raw_app_meta_data": Jsonb(
            merged({"provider": "email", "providers": ["email"]}, app_metadata),
        ),
        "raw_user_meta_data": Jsonb(dict(user_metadata or {})),
        "created_at": datetime.now(UTC),
        "updated_at": datetime.now(UTC),
    }
    query = sql.SQL("insert into auth.users as u ({}) values ({}) returning {}").format(
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(map(sql.Placeholder, values)),
        USER_COLUMNS,
    )
    async with conn.cursor(row_factory=class_row(User)) as cursor:
        user = await (await cursor.execute(query, values)).fetchone()
    assert user is not None  # an insert that returns
    return user


async def update(conn: AsyncConnection, user_id: UUID, **values: Any) -> User:
    """Set columns of a user; dicts become jsonb."""
    values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in values.items()}
    assignments = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in values]
    query = sql.SQL("update auth.users as u set {} where u.id = %(_id)s returning {}").format(
        sql.SQL(", ").join([*assignments, sql.SQL("updated_at = clock_timestamp()")]), USER_COLUMNS
    )
    async with conn.cursor(row_factory=class_row(User)) as cursor:
        user = await (await cursor.execute(query, {**values, "_id": user_id})).fetchone()
    assert user is not None  # the caller holds the row's lock
    return user


async def add_email_identity(
    conn: AsyncConnection, user: User, data: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Insert the user's identity `email`; what it holds is returned. `data` can't change who the user is."""
    own = {"sub": str(user.id), "email": user.email, "email_verified": False, "phone_verified": False}
    identity_data = {**(data or {}), **own}
    await conn.execute(
        """
        insert into auth.identities
            (provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
        values (%(sub)s, %(user_id)s, %(data)s, 'email', %(at)s, %(at)s, %(at)s)
        """,
        {"sub": str(user.id), "user_id": user.id, "data": Jsonb(identity_data), "at": datetime.now(UTC)},
    )
    return identity_data


async def confirm(conn: AsyncConnection, user: User) -> User:
    """Note that the address is the user's own."""
    metadata = merged(user.raw_user_meta_data, {"email_verified": True})
    return await update(conn, user.id, email_confirmed_at=datetime.now(UTC), raw_user_meta_data=metadata)


async def change_email(conn: AsyncConnection, user: User, email: str) -> User:
    """Make `email` the address of the user and of the identity `email`, which is made where there is none."""
    changed = await update(conn, user.id, email=email)
    cursor = await conn.execute(
        """
        update auth.identities
        set identity_data = identity_data || jsonb_build_object('email', %s::text),
            updated_at = clock_timestamp()
        where user_id = %s and provider = 'email'
        """,
        [email, user.id],
    )
    if not cursor.rowcount:
        await add_email_identity(conn, changed)
    return changed


async def identities_of(conn: AsyncConnection, user_id: UUID) -> list[Identity]:
    query = sql.SQL("select {} from auth.identities where user_id = %s order by created_at, id").format(
        IDENTITY_COLUMNS
    )
    async with conn.cursor(row_factory=class_row(Identity)) as cursor:
        return await (await cursor.execute(query, [user_id])).fetchall()


async def page(conn: AsyncConnection, *, limit: int, offset: int) -> tuple[list[User], int]:
    """Users, newest first, and how many there are in all."""
    query = sql.SQL(
        "select {} from auth.users as u where u.aud = %s order by u.created_at desc, u.id limit %s offset %s"
    ).format(USER_COLUMNS)
    async with conn.cursor(row_factory=class_row(User)) as cursor:
        users = await (await cursor.execute(query, [AUDIENCE, limit, offset])).fetchall()
    row = await (await conn.execute("select count(*) from auth.users where aud = %s", [AUDIENCE])).fetchone()
    return users, row[0] if row else 0


def merged(metadata: Mapping[str, Any] | None, changes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Metadata after an update: members of `changes` win, and null removes one."""
    both = {**(metadata or {}), **(changes or {})}
    return {name: value for name, value in both.items() if value is not None or name not in (changes or {})}


async def _one(conn: AsyncConnection, condition: sql.SQL, values: list[Any], *, lock: bool) -> User | None:
    query = sql.SQL("select {} from auth.users as u where {}{}").format(
        USER_COLUMNS, condition, sql.SQL(" for update" if lock else "")
    )
    async with conn.cursor(row_factory=class_row(User)) as cursor:
        return await (await cursor.execute(query, values)).fetchone()
