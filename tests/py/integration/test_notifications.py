"""Notifications within the app: who is told of what, once, as they want it; what only they see and mark."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from scripts.stack.layout import REPOSITORY, Stack
from tests.py.integration.landlord import Landlord, call, refusal, rows, rpc
from tests.py.integration.meeting import acting, asked, met, refused, value
from tests.py.integration.portfolio import Portfolio, noon
from tests.py.support import User, as_role

Db = psycopg.Connection[Any]
END = date(2027, 6, 30)
PAGE = (REPOSITORY / "docs" / "how-to" / "notifications.md").read_text()


class Team:
    """A workspace with an owner, a manager and a colleague, who is a manager too."""

    def __init__(self, db: Db) -> None:
        self.portfolio = Portfolio(db)
        self.db, self.owner = db, self.portfolio.owner_id
        self.workspace_id = self.portfolio.workspace_id
        self.manager, self.colleague = uuid.uuid4(), uuid.uuid4()
        for name, person in (("manager", self.manager), ("colleague", self.colleague)):
            self.portfolio.user(person, f"{name}@example.com")
            self.portfolio.member(person, "manager")

    def told(self, person: uuid.UUID) -> list[str]:
        """The categories of what the person was told, oldest first; past row security."""
        query = "select category from public.notifications where user_id = %s order by created_at"
        return [row[0] for row in self.db.execute(query, (person,))]

    def sees(self, person: uuid.UUID) -> int:
        with as_role(self.db, "authenticated", sub=str(person)):
            return int(value(self.db, "select count(*) from public.notifications"))

    def notify(self, *people: uuid.UUID, key: str = "k", actor: uuid.UUID | None = None) -> int:
        return int(self.notifying(*people, key=key, actor=actor)(self.db))

    def notifying(
        self, *people: uuid.UUID, key: str = "k", actor: uuid.UUID | None = None
    ) -> Callable[[Db], Any]:
        notices = [
            {"workspace_id": str(self.workspace_id), "user_id": str(p), "title": "T", "dedupe_key": key}
            for p in people
        ]
        query = "select private.notify('lease_expiry', %s, %s)"
        return lambda db: value(db, query, json.dumps(notices), actor)

    def wants(self, person: uuid.UUID, channel: str, enabled: bool | None) -> None:
        query = "select public.set_notification_preference(%s, 'lease_expiry', %s, %s)"
        asked(self.db, person, query, self.workspace_id, channel, enabled)

    def run_out(self) -> None:
        """The check on the day when the manager's lease has 30 days left."""
        self.db.execute("select worker.lease_expiry_check(%s)", (noon(END - timedelta(days=30)),))

    def request(self, *, manager: uuid.UUID | None = None, by: uuid.UUID | None = None) -> uuid.UUID:
        """A request for a property that the manager looks after, made by somebody or by the system."""
        property_id = self.portfolio.building(1)[0]
        self.db.execute("update public.properties set manager_id = %s where id = %s", (manager, property_id))
        query = """insert into public.maintenance_requests (workspace_id, property_id, title)
            values (%s, %s, 'Leak') returning id"""
        if by is None:
            return uuid.UUID(str(value(self.db, query, self.workspace_id, property_id)))
        return uuid.UUID(str(asked(self.db, by, query, self.workspace_id, property_id)))

    def as_(self, person: uuid.UUID, query: str, *arguments: Any) -> Any:
        return asked(self.db, person, query, *arguments)

    def assign(self, request_id: uuid.UUID, member: uuid.UUID, *, by: uuid.UUID) -> None:
        query = """update public.maintenance_requests
            set status = 'assigned', assigned_member_id = %s where id = %s"""
        with self.db.transaction(), as_claims(self.db, by):
            self.db.execute(query, (member, request_id))


def as_claims(db: Db, person: uuid.UUID) -> Any:
    """The person's claims with the owner's rights: what a definer function runs with."""
    return as_role(db, "postgres", sub=str(person))


@pytest.fixture
def team(db: Db) -> Team:
    db.autocommit = True
    return Team(db)


def test_a_lease_that_runs_out_is_told_to_its_manager_by_mail_and_in_the_app(team: Team) -> None:
    lease_id = team.portfolio.active_lease("L-1", END, manager_id=team.manager)
    team.run_out()
    told = team.db.execute(
        "select user_id, title, body, lease_id, payload ->> 'days_left' from public.notifications"
    ).fetchall()
    assert told == [
        (
            team.manager,
            "Lease L-1 ends on 2027-06-30",
            "House L-1. Last day for giving notice: 2027-06-20.",
            lease_id,
            "30",
        )
    ]
    assert [m["to"] for m in team.portfolio.messages()] == ["manager@example.com"]
    team.db.execute("update private.lease_reminders set state = 'pending'")
    team.run_out()
    assert team.told(team.manager) == ["lease_expiry"]


@pytest.mark.parametrize(("channel", "mails", "notices"), [("email", 0, 1), ("in_app", 1, 0), ("sms", 1, 1)])
def test_each_channel_can_be_turned_off(team: Team, channel: str, mails: int, notices: int) -> None:
    team.portfolio.active_lease("L-1", END, manager_id=team.manager)
    team.wants(team.manager, channel, False)
    team.run_out()
    assert len(team.portfolio.messages()) == mails
    assert len(team.told(team.manager)) == notices


def test_going_back_to_the_default_is_being_told_again(team: Team) -> None:
    team.wants(team.manager, "in_app", False)
    assert team.notify(team.manager) == 0
    team.wants(team.manager, "in_app", None)
    assert team.notify(team.manager) == 1


def test_an_event_is_told_once(team: Team) -> None:
    assert team.notify(team.manager, team.manager, team.colleague) == 2
    assert team.notify(team.manager, team.colleague, team.owner) == 1
    assert team.notify(team.manager, key="another") == 1


def test_two_who_tell_the_same_at_once_tell_it_once(team: Team, database: str) -> None:
    people = (team.manager, team.colleague)
    outcome = met(team.portfolio, database, team.notifying(*people), team.notifying(*reversed(people)))
    assert outcome == 0
    assert team.told(team.manager) == ["lease_expiry"]


def test_nobody_waits_for_a_member_who_is_being_removed(team: Team, database: str) -> None:
    """The removal may itself be waiting for the request that is told about."""
    with psycopg.connect(database) as removing, psycopg.connect(database) as telling:
        removing.execute("delete from public.workspace_members where user_id = %s", (team.manager,))
        telling.execute("set lock_timeout = '2s'")
        assert team.notifying(team.manager, team.colleague)(telling) == 1


def test_nobody_is_told_who_acts_who_is_suspended_or_who_is_no_member(team: Team) -> None:
    stranger = uuid.uuid4()
    team.portfolio.user(stranger, "stranger@example.com")
    team.db.execute(
        "update public.workspace_members set status = 'suspended' where user_id = %s", (team.colleague,)
    )
    assert team.notify(team.manager, team.colleague, stranger, actor=team.manager) == 0


def test_nobody_is_told_what_their_role_may_not_read(team: Team) -> None:
    team.db.execute(
        "delete from private.role_permissions where (role, permission) = ('manager', 'leases.read')"
    )
    assert team.notify(team.manager, team.owner) == 1


def test_who_is_suspended_sees_nothing_until_they_are_back(team: Team) -> None:
    team.notify(team.manager)
    status = "update public.workspace_members set status = %s where user_id = %s"
    assert team.sees(team.manager) == 1
    team.db.execute(status, ("suspended", team.manager))
    assert team.sees(team.manager) == 0
    team.db.execute(status, ("active", team.manager))
    assert team.sees(team.manager) == 1


def test_who_left_and_came_back_starts_anew(team: Team) -> None:
    team.notify(team.manager)
    team.wants(team.manager, "email", False)
    team.as_(team.manager, "select public.leave_workspace(%s)", team.workspace_id)
    assert team.told(team.manager) == []
    team.portfolio.member(team.manager, "viewer")
    assert team.sees(team.manager) == 0
    assert value(team.db, "select count(*) from public.notification_preferences") == 0


def test_a_new_request_is_told_to_whoever_looks_after_the_property(team: Team) -> None:
    team.request(manager=team.manager, by=team.colleague)
    team.request(manager=None, by=team.colleague)
    assert (team.told(team.manager), team.told(team.owner)) == (["maintenance_reported"],) * 2
    assert team.told(team.colleague) == []
    team.request(manager=team.manager, by=team.manager)
    assert team.told(team.manager) == ["maintenance_reported"]


def test_work_is_told_to_whoever_gets_it_and_then_what_becomes_of_it(team: Team) -> None:
    request_id = team.request(manager=team.manager, by=team.manager)
    team.assign(request_id, team.colleague, by=team.manager)
    assert team.told(team.colleague) == ["maintenance_assigned"]
    with as_claims(team.db, team.manager):
        team.db.execute(
            "update public.maintenance_requests set status = 'in_progress' where id = %s", (request_id,)
        )
    comment = """insert into public.maintenance_comments (workspace_id, request_id, body)
        values (%s, %s, 'Secret words') returning id"""
    team.as_(team.manager, comment, team.workspace_id, request_id)
    team.as_(team.colleague, comment, team.workspace_id, request_id)
    assert team.told(team.colleague) == [
        "maintenance_assigned", "maintenance_status", "maintenance_commented"
    ]  # fmt: skip
    assert team.told(team.manager) == [], "who acts is not told, nor who gave the work away"
    assert value(team.db, "select count(*) from public.notifications n where n::text like '%%Secret%%'") == 0
    assert value(team.db, "select count(distinct maintenance_request_id) from public.notifications") == 1


def test_work_that_one_takes_oneself_is_no_news(team: Team) -> None:
    request_id = team.request(manager=team.manager, by=team.manager)
    team.assign(request_id, team.manager, by=team.manager)
    assert team.told(team.manager) == []
    team.assign(request_id, team.colleague, by=team.manager)
    team.assign(request_id, team.manager, by=team.colleague)
    assert team.told(team.manager) == ["maintenance_assigned"]


def test_work_of_a_member_who_leaves_is_told_to_the_manager(team: Team) -> None:
    request_id = team.request(manager=team.manager, by=team.manager)
    team.assign(request_id, team.colleague, by=team.manager)
    team.as_(team.colleague, "select public.leave_workspace(%s)", team.workspace_id)
    assert value(team.db, "select title from public.notifications") == "Request 1 is open: Leak"


def test_a_workspace_goes_with_all_that_it_told(team: Team) -> None:
    team.assign(team.request(manager=team.manager), team.colleague, by=team.manager)
    team.wants(team.manager, "email", False)
    team.db.execute("delete from public.workspaces")
    assert value(team.db, "select count(*) from public.notifications") == 0


def test_ids_mark_what_they_name_and_before_marks_the_rest(team: Team) -> None:
    for n in range(4):
        team.notify(team.manager, team.colleague, key=str(n))
    mark = "select public.mark_notifications_read(ids => %s::uuid [])"
    ids = [r[0] for r in team.db.execute("select id from public.notifications order by dedupe_key, user_id")]
    assert team.as_(team.manager, mark, ids[:4]) == 2
    assert team.as_(team.manager, mark, ids[:4]) == 0
    marked = "select count(*) from public.notifications where user_id = %s and read_at is not null"
    assert (value(team.db, marked, team.manager), value(team.db, marked, team.colleague)) == (2, 0)
    before = "select public.mark_notifications_read(before => %s)"
    assert team.as_(team.manager, before, datetime.now(UTC) - timedelta(hours=1)) == 0
    assert team.as_(team.manager, before, datetime.now(UTC)) == 2
    elsewhere = "select public.mark_notifications_read(before => now(), workspace_id => %s)"
    assert team.as_(team.colleague, elsewhere, uuid.uuid4()) == 0


def test_one_who_marks_twice_at_once_waits_and_finds_nothing(team: Team, database: str) -> None:
    team.notify(team.manager)
    mark = acting(team.manager, "select public.mark_notifications_read(before => now())")
    assert met(team.portfolio, database, mark, mark) == 0


def test_marking_wants_one_of_two(team: Team) -> None:
    for arguments in ("", "ids => '{}', before => now()"):
        with pytest.raises(psycopg.Error) as unnamed:
            team.as_(team.manager, f"select public.mark_notifications_read({arguments})")
        assert "notifications_unnamed" in refused(unnamed.value)


def test_counting_the_unread_reads_the_unread_alone(team: Team) -> None:
    team.db.execute(
        """insert into public.notifications
            (workspace_id, user_id, category, title, dedupe_key, read_at)
        select %s, %s, 'lease_expiry', 'T', n::text, case when n > 30 then now() end
        from generate_series(1, 3000) as n""",
        (team.workspace_id, team.manager),
    )
    team.db.execute("analyze public.notifications")
    with as_role(team.db, "authenticated", sub=str(team.manager)):
        explained = team.db.execute(
            "explain (analyze, format json, timing off)"
            " select count(*) from public.notifications where read_at is null"
        ).fetchone()
    assert explained is not None
    plan = json.dumps(explained[0])
    assert '"Index Name": "notifications_unread_idx"' in plan
    assert '"Seq Scan"' not in plan


def test_retention_deletes_what_has_served_its_time(team: Team) -> None:
    now = datetime(2027, 3, 1, tzinfo=UTC)
    ages = {"read": (91, 91), "read late": (300, 80), "unread": (399, None), "never read": (401, None)}
    for key, (created, read) in ages.items():
        team.notify(team.manager, key=key)
        team.db.execute(
            "update public.notifications set created_at = %s, read_at = %s where dedupe_key = %s",
            (now - timedelta(days=created), read and now - timedelta(days=read), key),
        )
    retention = "select worker.notification_retention(%s, 1)"
    assert value(team.db, retention, now) == {"notifications_deleted": 1, "more": True}
    assert value(team.db, retention, now) == {"notifications_deleted": 1, "more": True}
    assert value(team.db, retention, now) == {"notifications_deleted": 0, "more": False}
    left = team.db.execute("select dedupe_key from public.notifications order by 1").fetchall()
    assert left == [("read late",), ("unread",)]
    assert value(team.db, "select enabled from private.scheduled_jobs where name = 'notification_retention'")


def test_a_client_counts_lists_and_marks(
    landlord: Landlord,
    stack_db: Db,
    new_user: Callable[..., User],
    api: Callable[[User | str | None], httpx.Client],
) -> None:
    colleague = new_user()
    landlord.employ(stack_db, colleague, "manager")
    landlord.add("maintenance_requests", property_id=landlord.property_id, title="Own act")
    rpc(
        api(colleague),
        "set_notification_preference",
        workspace_id=landlord.workspace_id, category="maintenance_reported", channel="in_app", enabled=False,
    )  # fmt: skip
    made = api(colleague).post(
        "/rest/v1/maintenance_requests",
        json={"workspace_id": landlord.workspace_id, "property_id": landlord.property_id, "title": "Leak"},
    )
    assert made.status_code == 201, made.text

    def unread() -> str:
        counted = landlord.api.head(
            "/rest/v1/notifications?read_at=is.null", headers={"Prefer": "count=exact"}
        )
        return counted.headers["Content-Range"].partition("/")[2]

    assert unread() == "1"
    (notice,) = rows(landlord.api, "notifications?select=id,title,maintenance_requests(title)")
    assert notice["maintenance_requests"] == {"title": "Leak"}
    assert rows(api(colleague), "notifications") == []
    assert rpc(api(colleague), "mark_notifications_read", ids=[notice["id"]]) == 0
    assert unread() == "1"
    assert rpc(landlord.api, "mark_notifications_read", ids=[notice["id"]]) == 1
    assert unread() == "0"
    assert refusal(call(landlord.api, "mark_notifications_read")) == (422, "notifications_unnamed")
    settings = rows(
        landlord.api,
        f"rpc/notification_settings?workspace_id={landlord.workspace_id}&select=category,channel,enabled",
    )
    assert {"category": "lease_expiry", "channel": "sms", "enabled": False} in settings
    assert rows(landlord.api, f"rpc/notification_settings?workspace_id={uuid.uuid4()}") == []


# supabase-py uses a parameter of its own postgrest client that the latter has deprecated.
@pytest.mark.filterwarnings("ignore:The '.*' parameter is deprecated:DeprecationWarning")
def test_the_how_to_works_as_written(
    stack: Stack,
    landlord: Landlord,
    stack_db: Db,
    new_user: Callable[..., User],
    api: Callable[[User | str | None], httpx.Client],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    colleague = new_user()
    landlord.employ(stack_db, colleague, "manager")
    reported = {"workspace_id": landlord.workspace_id, "property_id": landlord.property_id, "title": "Leak"}
    assert api(colleague).post("/rest/v1/maintenance_requests", json=reported).status_code == 201
    for name, setting in {
        "API_URL": stack.api_url,
        "ANON_KEY": stack.keys.anon_key,
        "EMAIL": landlord.owner.email,
        "PASSWORD": landlord.owner.password,
    }.items():
        monkeypatch.setenv(name, setting)
    session: dict[str, Any] = {}
    printed = []
    for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        exec(compile(block, "notifications.md", "exec"), session)  # noqa: S102 - our own page
        printed.append(capsys.readouterr().out.splitlines())
    _signed_in, unread, listed, marked, settings = printed
    assert unread == ["1"]
    assert listed == ["('maintenance_reported', 'Request 1: Leak')"]
    assert marked == ["1", "0"]
    assert settings[0] == "('lease_expiry', 'in_app', True)"
    assert settings[-2:] == ["False", "True"]
