"""What a migration says of the functions that record changes."""

from __future__ import annotations

from scripts.schema import recorders

WRITTEN = """\
alter table public.units add column floor integer;

create or replace function private.record_changes_of_units()
    returns trigger
    AS $function$
begin
    insert into public.audit_entries values (1);
end
$function$;

create trigger record_inserts after insert on public.keys
    referencing NEW table as new_rows for each STATEMENT execute function
    private.record_changes_of_keys (
    '{id}'
);

revoke all on function "private"."record_changes_of_keys"() from public;

grant execute on function "private"."record_changes_of_keys"() to "postgres";

revoke all on function "private"."keys_of"() from public;"""

CALLED = """\
alter table public.units add column floor integer;

create trigger record_inserts after insert on public.keys
    referencing NEW table as new_rows for each STATEMENT execute function
    private.record_changes (
    '{id}'
);

revoke all on function "private"."keys_of"() from public;

select private.write_recorders();"""


def test_a_call_stands_for_the_functions_that_it_writes() -> None:
    assert recorders.called(WRITTEN) == CALLED


def test_a_migration_that_writes_none_stays_as_it_is() -> None:
    other = "create or replace function private.record_payment() returns void AS $function$\n$function$;"
    assert recorders.called(other) == other
