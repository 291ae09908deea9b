"""Every function: who may execute it, and what a definer function has to be."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from scripts.stack.layout import REPOSITORY

Db = psycopg.Connection[Any]

# What rpc/changes is made of; it is executed as the caller.
FOLLOWED = """
    can_go_on changes check_position has_unsettled narrow_changes next_changes rows_in_sight settle_changes
    synced_tables synced_workspaces wide_changes
"""

# Who may execute what, written by hand: a new RPC is added here on purpose, or this fails.
RPCS = """
    accept_address_correction accept_invitation accept_maintenance activate_lease address_summary amend_lease
    assign_maintenance audit_head change_maintenance_status change_member_role check_import
    commit_import complete_inspection create_workspace dashboard_kpis decline_maintenance discard_import
    dismiss_address_correction end_lease erase_personal_data give_notice inspection_content invite
    leave_workspace locate_property mark_notifications_read notification_settings property_summary
    record_expense remove_member renew_lease report_maintenance resolve_message revoke_portal_access
    schedule_maintenance search set_custom_fields set_member_status set_notification_preference
    sign_inspection stage_import_rows start_import start_inspection terminate_lease transfer_unit
    verify_addresses verify_audit void_expense withdraw_notice
"""
# Each has a half in `private`, executed as the caller, too; and so is what policies, defaults and checks ask.
ASKED = """
    are_options conditional fail google_retention has_portal is_timezone kept_since my_assigned_request_ids
    my_audiences my_current_lease_ids my_document_ids my_household_request_ids my_inspection_ids my_lease_ids
    my_places my_portal_workspaces my_property_ids my_request_ids my_unit_ids my_workspaces pre_request
    search_text workspaces_in_reach workspaces_with
"""
EXECUTABLE = {
    "anon": {"private.pre_request"},
    "authenticated": {
        "public.changes",
        "public.coordinates",
        *(f"private.{name}" for name in FOLLOWED.split()),
        *(f"public.{name}" for name in RPCS.split()),
        *(f"private.{name}" for name in (RPCS + ASKED).split()),
    },
    "service_role": {"private.fail", "private.is_timezone", "private.pre_request"},
    "worker": {
        "worker.settle_changes",
        "private.pre_request",
        "worker.add_addresses",
        "worker.verify_addresses",
        "worker.release_address_checks",
        "worker.queue_address_checks",
        "worker.fail_address_checks",
        "worker.complete_address_checks",
        "worker.claim_address_checks",
        "worker.begin_address_check",
        "worker.admit_place_calls",
        "worker.begin_send",
        "worker.claim_messages",
        "worker.complete_messages",
        "worker.create_planned_maintenance",
        "worker.extend_claims",
        "worker.fail_messages",
        "worker.find_address",
        "worker.finish_address_list",
        "worker.finish_run",
        "worker.fold_rollups",
        "worker.health",
        "worker.housekeeping",
        "worker.lease_expiry_check",
        "worker.notification_retention",
        "worker.lease_turnover",
        "worker.open_place_session",
        "worker.prune_audit",
        "worker.places_spend",
        "worker.purge_places",
        "worker.queue_metrics",
        "worker.reconcile_rollups",
        "worker.record_place",
        "worker.release_messages",
        "worker.seal_audit",
        "worker.search_addresses",
        "worker.start_due_runs",
    },
}

OURS = """
    select
        n.nspname || '.' || p.proname as name,
        p.oid,
        p.proowner,
        p.proacl,
        p.prosecdef,
        p.proconfig,
        p.prosrc,
        p.prorettype
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
    where
        n.nspname in ('public', 'private', 'worker')
        and not exists (select from pg_catalog.pg_depend as d where d.objid = p.oid and d.deptype = 'e')
"""


def column(db: Db, query: str) -> list[str]:
    return [row[0] for row in db.execute(query).fetchall()]


@pytest.mark.parametrize("role", sorted(EXECUTABLE))
def test_a_role_executes_what_is_listed_and_nothing_else(db: Db, role: str) -> None:
    granted = column(
        db,
        f"select name from ({OURS}) as f where has_function_privilege('{role}', f.oid, 'execute') order by 1",
    )
    assert set(granted) == EXECUTABLE[role]


def test_public_executes_none_of_our_functions(db: Db) -> None:
    by_default = column(db, f"select name from ({OURS}) as f where proacl is null")
    by_grant = column(
        db, f"select name from ({OURS}) as f, aclexplode(f.proacl) as a where a.grantee = 0 order by 1"
    )
    assert by_default == []
    assert by_grant == []


def test_no_other_role_executes_our_functions(db: Db) -> None:
    grantees = column(
        db,
        f"""
            select distinct a.grantee::regrole::text
            from ({OURS}) as f, aclexplode(f.proacl) as a
            where a.grantee not in (0, f.proowner)
            order by 1
        """,
    )
    assert grantees == sorted(EXECUTABLE)


def test_a_function_made_tomorrow_is_executable_by_nobody(db: Db) -> None:
    for schema in ("public", "private", "worker"):
        db.execute(f"create function {schema}.tomorrow() returns integer language sql as 'select 1'")
        allowed = column(
            db,
            f"""
                select r.rolname
                from pg_catalog.pg_roles as r
                where
                    r.rolname in ('anon', 'authenticated', 'service_role', 'worker', 'authenticator')
                    and has_function_privilege(r.oid, '{schema}.tomorrow()', 'execute')
            """,
        )
        assert allowed == []


def test_every_function_of_ours_fixes_its_search_path(db: Db) -> None:
    loose = column(
        db, f"select name from ({OURS}) as f where not coalesce('search_path=\"\"' = any (proconfig), false)"
    )
    assert loose == []


def test_definer_functions_live_in_private_or_worker(db: Db) -> None:
    exposed = column(db, f"select name from ({OURS}) as f where prosecdef and name like 'public.%'")
    assert exposed == []


def test_the_register_of_definer_functions_is_the_catalog_s(db: Db) -> None:
    register = (REPOSITORY / "docs" / "reference" / "definer-functions.md").read_text()
    listed = re.findall(r"^\| `(\w+\.\w+)` \|", register, re.M)
    assert len(listed) == len(set(listed))
    definers = column(db, f"select name from ({OURS}) as f where prosecdef")
    # One for each table, all written alike.
    recorders = [name for name in definers if name.startswith("private.record_changes_of_")]
    assert recorders and "| `private.record_changes_of_…` | trigger |" in register
    assert sorted(listed) == sorted(set(definers) - set(recorders))


def test_the_register_says_why_and_who(db: Db) -> None:
    register = (REPOSITORY / "docs" / "reference" / "definer-functions.md").read_text()
    triggers = column(db, f"select name from ({OURS}) as f where prorettype = 'trigger'::regtype")
    for name, who, why in re.findall(r"^\| `(\w+\.\w+)` \| ([^|]*) \| ([^|]*) \|", register, re.M):
        assert why.strip(), name
        executors = {role for role, functions in EXECUTABLE.items() if name in functions}
        expected = executors or ({"trigger"} if name in triggers else {"internal"})
        assert set(who.strip().split(", ")) == expected, name


def test_the_worker_reads_no_table(db: Db) -> None:
    readable = column(
        db,
        """
            select c.oid::regclass::text
            from pg_catalog.pg_class as c
            join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
            where
                c.relkind in ('r', 'p', 'v', 'm', 'S')
                and n.nspname in ('public', 'private', 'worker', 'pgmq', 'auth', 'storage')
                and case
                    when c.relkind = 'S' then has_sequence_privilege('worker', c.oid, 'usage, select, update')
                    else has_any_column_privilege('worker', c.oid, 'select, insert, update, references')
                        or has_table_privilege('worker', c.oid, 'delete, truncate, trigger')
                end
        """,
    )
    assert readable == []


def test_the_worker_s_schema_holds_no_tables(db: Db) -> None:
    assert (
        column(db, "select relname from pg_catalog.pg_class where relnamespace = 'worker'::regnamespace")
        == []
    )
