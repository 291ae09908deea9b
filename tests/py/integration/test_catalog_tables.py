"""Every table of the domain: walls between workspaces, row security, grants, indexes, words."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from scripts.stack.layout import REPOSITORY

Db = psycopg.Connection[Any]
POLICIES = REPOSITORY / "supabase" / "policies"

# Foreign keys to a workspace's row by its id alone. Their tables have no workspace of their own, and no
# client reaches them: what they hold belongs to the one row they point to.
BY_ID_ALONE = {
    "private.message_secrets (message_id)",
    "private.invitation_tokens (invitation_id)",
    "private.import_rows (import_id)",
}
# Unique indexes not led by workspace_id, besides primary keys (id).
NOT_LED_BY_WORKSPACE = {
    # "Which records are mine", across workspaces. No client writes user_id, so none learns anything from it.
    "public.tenants (user_id, workspace_id)",
    "public.vendors (user_id, workspace_id)",
}
# What lists are filtered and sorted by: an index led by these columns exists.
INDEXES = [
    "public.properties (workspace_id, manager_id)",
    "public.properties (workspace_id, status)",
    "public.properties (workspace_id, state, city)",
    "public.units (workspace_id, property_id)",
    "public.units (workspace_id, status)",
    "public.tenants (workspace_id, status)",
    "public.tenants (workspace_id, lower(email))",
    "public.tenants (workspace_id, last_name, first_name)",
    "public.lease_units (workspace_id, unit_id)",
    "public.lease_tenants (workspace_id, tenant_id)",
    "public.leases (workspace_id, status)",
    "public.leases (workspace_id, ends_on)",
    "public.audit_entries (workspace_id, entity_id)",
    "public.audit_entries (workspace_id, actor_id)",
    "public.audit_entries (workspace_id, recorded_at)",
    "public.vendors (workspace_id, status)",
    "public.vendors (workspace_id, license_expires_on)",
    "public.vendors (workspace_id, insurance_expires_on)",
    "public.maintenance_requests (workspace_id, unit_id)",
    "public.maintenance_requests (workspace_id, property_id)",
    "public.maintenance_requests (workspace_id, status)",
    "public.maintenance_requests (workspace_id, priority)",
    "public.maintenance_requests (workspace_id, assigned_member_id)",
    "public.maintenance_requests (workspace_id, assigned_vendor_id)",
    "public.maintenance_requests (workspace_id, created_at)",
    "public.maintenance_comments (workspace_id, request_id, created_at)",
    "public.maintenance_status_changes (workspace_id, request_id, recorded_at)",
    "public.maintenance_plans (workspace_id, next_due_on)",
    "public.inspections (workspace_id, property_id, scheduled_at)",
    "public.inspections (workspace_id, inspection_type, scheduled_at)",
    "public.inspections (workspace_id, performed_at)",
    "public.inspections (workspace_id, lease_id)",
    "public.inspections (workspace_id, inspector_id)",
    'public.inspection_items (workspace_id, inspection_id, "position")',
    "public.expenses (workspace_id, property_id, incurred_on)",
    "public.expenses (workspace_id, category, incurred_on)",
    "public.expenses (workspace_id, incurred_on)",
    "public.expenses (workspace_id, vendor_id, incurred_on)",
    "public.documents (workspace_id, document_type)",
    "public.documents (workspace_id, property_id)",
    "public.documents (workspace_id, tenant_id)",
    "public.documents (workspace_id, storage_path)",
    "public.documents (workspace_id, expires_on)",
    "public.documents (workspace_id, created_at)",
]
# Tables whose changes are not recorded, and why.
UNRECORDED = {
    "address_corrections": "proposals that may be kept for 30 days; who accepts one changes the property",
    "audit_entries": "it is the record",
    "audit_values": "as above: the values of its entries",
    "notifications": "what somebody was told and has read is theirs alone to see",
    "notification_preferences": "as above: how that person wants to be told",
    "place_coordinates": "a copy that may be kept for 30 days, and the record is kept for years",
    "places_usage": "counts that grow with every few letters typed",
}
# Words of column names that tell of a person, or of what nobody may read; and columns with one that don't.
PERSONAL = re.compile(r"(^|_)(email|phone|first_name|last_name|address|to_name)(_|$)")
SECRET = re.compile(r"(^|_)(token|secret|password|code|pin)(_|$)")
NEITHER = {
    "properties.address_line1": "a house, not a person",
    "properties.address_line2": "as above",
    "properties.address_status": "as above",
    "properties.postal_code": "as above",
    "messages.has_secret": "says that there is one",
}

INDEXED = """
    select
        i.indrelid,
        i.indexrelid,
        i.indisunique,
        i.indisprimary,
        n.nspname || '.' || c.relname as table_name,
        array(
            select pg_get_indexdef(i.indexrelid, position, true)
            from generate_series(1, i.indnkeyatts) as position
        ) as columns
    from pg_catalog.pg_index as i
    join pg_catalog.pg_class as c on c.oid = i.indrelid
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private')
"""
OF_A_WORKSPACE = """
    exists (
        select from pg_catalog.pg_attribute as a
        where a.attrelid = {table} and a.attname = 'workspace_id' and not a.attisdropped
    )
"""


def column(db: Db, query: str) -> list[str]:
    return [row[0] for row in db.execute(query).fetchall()]


def tables(db: Db) -> list[str]:
    return column(
        db,
        """
            select relname from pg_catalog.pg_class
            where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1
        """,
    )


def test_a_row_cannot_point_into_another_workspace(db: Db) -> None:
    """Each foreign key to a row of a workspace carries the workspace along, as its first column."""
    keys = column(
        db,
        f"""
            select
                format('%s.%s (%s)', n.nspname, c.relname, string_agg(a.attname, ', ' order by k.position))
            from pg_catalog.pg_constraint as f
            join pg_catalog.pg_class as c on c.oid = f.conrelid
            join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
            cross join lateral unnest(f.conkey, f.confkey) with ordinality
                as k (attnum, target_attnum, position)
            join pg_catalog.pg_attribute as a on a.attrelid = f.conrelid and a.attnum = k.attnum
            join pg_catalog.pg_attribute as t on t.attrelid = f.confrelid and t.attnum = k.target_attnum
            where f.contype = 'f' and {OF_A_WORKSPACE.format(table="f.confrelid")}
            group by f.oid, n.nspname, c.relname
            having not bool_or(k.position = 1 and a.attname = 'workspace_id' and t.attname = 'workspace_id')
        """,
    )
    assert set(keys) == BY_ID_ALONE


def test_every_row_of_a_workspace_says_which(db: Db) -> None:
    with_workspace = column(
        db,
        """
            select c.relname
            from pg_catalog.pg_class as c
            join pg_catalog.pg_attribute as a on a.attrelid = c.oid
            where c.relnamespace = 'public'::regnamespace and a.attname = 'workspace_id' and a.attnotnull
            order by 1
        """,
    )
    assert [name for name in tables(db) if name not in with_workspace] == ["workspaces"]


def test_set_null_names_its_column(db: Db) -> None:
    """`on delete set null` of a composite key would null workspace_id too."""
    unnamed = column(
        db,
        """
            select conrelid::regclass || ': ' || conname from pg_catalog.pg_constraint
            where
                contype = 'f'
                and connamespace in ('public'::regnamespace, 'private'::regnamespace)
                and confdeltype in ('n', 'd')
                and cardinality(conkey) > 1
                and coalesce(cardinality(confdelsetcols), 0) = 0
        """,
    )
    assert unnamed == []


def test_a_unique_key_tells_nothing_of_other_workspaces(db: Db) -> None:
    leading = column(
        db,
        f"""
            select format('%s (%s)', i.table_name, array_to_string(i.columns, ', '))
            from ({INDEXED}) as i
            where
                i.indisunique
                and {OF_A_WORKSPACE.format(table="i.indrelid")}
                and i.columns[1] <> 'workspace_id'
                and not (i.indisprimary and i.columns = array['id'])
        """,
    )
    assert set(leading) == NOT_LED_BY_WORKSPACE


@pytest.mark.parametrize("wanted", INDEXES)
def test_what_lists_filter_and_sort_by_is_indexed(db: Db, wanted: str) -> None:
    table, _, rest = wanted.partition(" ")
    columns = re.sub(r"^\(|\)$", "", rest).split(", ")
    found = db.execute(
        f"select from ({INDEXED}) as i where i.table_name = %s and i.columns[1:%s] = %s",
        (table, len(columns), columns),
    ).fetchone()
    assert found is not None


def test_every_table_has_row_security_and_a_page_that_says_who_may_do_what(db: Db) -> None:
    open_tables = column(
        db,
        """
            select relname from pg_catalog.pg_class
            where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relrowsecurity
        """,
    )
    assert open_tables == []
    assert sorted(path.stem for path in POLICIES.glob("*.sql")) == tables(db)


def test_there_is_one_permissive_policy_for_a_table_a_command_and_a_role(db: Db) -> None:
    several = column(
        db,
        """
            select format('%s for %s to %s', p.tablename, p.cmd, r.role)
            from pg_catalog.pg_policies as p
            cross join lateral unnest(p.roles) as r (role)
            where p.schemaname = 'public' and p.permissive = 'PERMISSIVE'
            group by p.tablename, p.cmd, r.role
            having count(*) > 1
        """,
    )
    assert several == []


def test_policies_name_their_roles_and_never_everybody(db: Db) -> None:
    assert column(
        db, "select distinct unnest(roles)::text from pg_catalog.pg_policies where schemaname = 'public'"
    ) == ["authenticated"]


def test_policies_ask_for_permissions_that_exist(db: Db) -> None:
    asked = column(
        db,
        """
            select distinct m[1]
            from pg_catalog.pg_policies as p
            cross join lateral regexp_matches(concat(p.qual, p.with_check), '''([a-z]+\\.[a-z]+)''', 'g') as m
            order by 1
        """,
    )
    assert asked != []
    assert set(asked) <= set(column(db, "select permission from private.role_permissions"))


def test_functions_ask_for_permissions_that_exist(db: Db) -> None:
    asked = column(
        db,
        """
            select distinct m[1]
            from pg_catalog.pg_proc as p
            cross join lateral regexp_matches(
                p.prosrc, '''([a-z]+\\.(?:read|write|manage|run|delete|transfer|close|policies))''', 'g'
            ) as m
            where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'worker'::regnamespace)
        """,
    )
    assert asked != []
    assert set(asked) <= set(column(db, "select permission from private.role_permissions"))


def test_no_table_can_be_truncated(db: Db) -> None:
    guarded = column(
        db,
        """
            select c.relname
            from pg_catalog.pg_trigger as t
            join pg_catalog.pg_class as c on c.oid = t.tgrelid
            where
                c.relnamespace = 'public'::regnamespace
                and t.tgfoid = 'private.refuse_truncate'::regproc
                and t.tgenabled = 'O'
                and t.tgtype & 32 <> 0 -- on truncate
        """,
    )
    assert sorted(guarded) == tables(db)


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_whole_tables_are_granted_for_select_and_delete_at_most(db: Db, role: str) -> None:
    """Inserts and updates are granted column by column; anon has nothing, service_role reads."""
    expected = {"anon": set(), "authenticated": {"SELECT", "DELETE"}, "service_role": {"SELECT"}}[role]
    granted = column(
        db,
        f"""
            select distinct a.privilege_type
            from pg_catalog.pg_class as c, aclexplode(c.relacl) as a
            where c.relnamespace = 'public'::regnamespace and a.grantee = '{role}'::regrole
        """,
    )
    assert set(granted) == expected


def test_the_service_role_only_reads(db: Db) -> None:
    written = column(
        db,
        """
            select format('%s %s', privilege.name, c.relname)
            from pg_catalog.pg_class as c
            cross join (values ('insert'), ('update'), ('references')) as privilege (name)
            where
                c.relnamespace = 'public'::regnamespace
                and c.relkind in ('r', 'p', 'v', 'm')
                and has_any_column_privilege('service_role', c.oid, privilege.name)
        """,
    )
    assert written == []


def test_nothing_in_private_is_within_a_client_s_reach(db: Db) -> None:
    granted = column(
        db,
        """
            select c.oid::regclass || ': ' || a.grantee::regrole
            from pg_catalog.pg_class as c, aclexplode(c.relacl) as a
            where c.relnamespace = 'private'::regnamespace and a.grantee <> c.relowner
        """,
    )
    assert granted == []


def test_every_exposed_thing_has_words(db: Db) -> None:
    """The comments are the API's documentation."""
    silent = column(
        db,
        """
            select c.oid::regclass::text
            from pg_catalog.pg_class as c
            where
                c.relnamespace = 'public'::regnamespace
                and c.relkind in ('r', 'p', 'v', 'm')
                and obj_description(c.oid, 'pg_class') is null
            union all
            select c.oid::regclass || '.' || a.attname
            from pg_catalog.pg_class as c
            join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where
                c.relnamespace = 'public'::regnamespace
                and c.relkind in ('r', 'p', 'v', 'm')
                and col_description(c.oid, a.attnum) is null
            union all
            select p.oid::regprocedure::text
            from pg_catalog.pg_proc as p
            where
                p.pronamespace in ('public'::regnamespace, 'worker'::regnamespace)
                and obj_description(p.oid, 'pg_proc') is null
        """,
    )
    assert silent == []


RECORDING = """
    select
        c.relname as table_name,
        t.tgname as name,
        t.tgtype::integer & 28 as event, -- 4 insert, 8 delete, 16 update
        t.tgtype::integer & 67 as timing, -- 0: after, for each statement
        t.tgenabled,
        t.tgattr = ''::int2vector as every_column,
        coalesce(t.tgoldtable::text, '') as old_table,
        coalesce(t.tgnewtable::text, '') as new_table,
        array_remove(string_to_array(encode(t.tgargs, 'escape'), '\\000'), '') as arguments
    from pg_catalog.pg_trigger as t
    join pg_catalog.pg_class as c on c.oid = t.tgrelid
    join pg_catalog.pg_proc as p on p.oid = t.tgfoid and p.pronamespace = 'private'::regnamespace
    where c.relnamespace = 'public'::regnamespace and p.proname = 'record_changes_of_' || c.relname
"""


def test_every_change_of_every_table_is_recorded(db: Db) -> None:
    """supabase/schemas/12_audit.sql says which three triggers a new table needs."""
    expected = [
        (table, *trigger)
        for table in tables(db)
        if table not in UNRECORDED
        for trigger in (
            ("record_deletes", 8, 0, "O", True, "old_rows", ""),
            ("record_inserts", 4, 0, "O", True, "", "new_rows"),
            ("record_updates", 16, 0, "O", True, "old_rows", "new_rows"),
        )
    ]
    found = db.execute(
        f"""select table_name, name, event, timing, tgenabled, every_column, old_table, new_table
        from ({RECORDING}) as r order by 1, 2"""
    ).fetchall()
    assert found == expected


def test_recorded_rows_are_named_by_their_keys(db: Db) -> None:
    """By the primary key but for workspace_id; and the three triggers of a table have the same arguments."""
    arguments = db.execute(f"select distinct table_name, arguments from ({RECORDING}) as r").fetchall()
    names = [table for table, _ in arguments]
    assert len(names) == len(set(names))
    keys = db.execute(
        f"""
            select i.table_name, array_remove(i.columns, 'workspace_id')
            from ({INDEXED}) as i
            where i.indisprimary
        """
    ).fetchall()
    by_name = {name.removeprefix("public."): key for name, key in keys}
    for table, given in arguments:
        assert (listed(given[0]) if given else ["id"]) == by_name[table], table


def test_what_records_a_table_s_changes_knows_its_columns(db: Db) -> None:
    """Written anew they are the same: nobody has added a column since, or taken one away."""
    recorders = (
        "select oid, prosrc from pg_catalog.pg_proc where proname like 'record\\_changes\\_of\\_%' order by 1"
    )
    before = db.execute(recorders).fetchall()
    db.execute("select private.write_recorders()")
    assert before == db.execute(recorders).fetchall() != []


def test_what_is_personal_or_secret_is_recorded_apart(db: Db) -> None:
    arguments = dict(db.execute(f"select distinct table_name, arguments from ({RECORDING}) as r").fetchall())
    columns = db.execute(
        "select table_name, column_name from information_schema.columns where table_schema = 'public'"
    ).fetchall()
    overlooked = [
        f"{table}.{name}"
        for table, name in columns
        if table in arguments
        for pattern, place in ((PERSONAL, 1), (SECRET, 2))
        if pattern.search(name)
        and name not in (listed(arguments[table][place]) if len(arguments[table]) > place else [])
    ]
    assert sorted(overlooked) == sorted(NEITHER)
    for table, given in arguments.items():
        named = [name for argument in given for name in listed(argument)]
        assert [name for name in named if (table, name) not in columns] == [], table


def listed(argument: str) -> list[str]:
    """The columns that a trigger's argument lists."""
    return [name.strip() for name in argument.strip("{}").split(",") if name.strip()]
