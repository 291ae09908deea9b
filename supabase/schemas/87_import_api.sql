-- What clients call to import a file.

grant execute on function private.start_import(uuid, text, text, text) to authenticated;
grant execute on function private.stage_import_rows(uuid, jsonb) to authenticated;
grant execute on function private.discard_import(uuid) to authenticated;
grant execute on function private.check_import(uuid, timestamptz) to authenticated;
grant execute on function private.commit_import(uuid, timestamptz) to authenticated;


create function public.start_import(workspace_id uuid, kind text, file_name text, file_digest text)
    returns public.imports
    volatile
    set search_path = ''
    language sql
as $$
    select private.start_import(workspace_id, kind, file_name, file_digest)
$$;

comment on function public.start_import(uuid, text, text, text) is $$Starts an import

`kind` is rent_roll; `file_name` is for people to know it by; `file_digest` is the file's SHA-256 in hexadecimal. Needs
`imports.run`, `portfolio.write`, `renters.write` and `leases.write`. Answers the import, to be filled with
`rpc/stage_import_rows`.$$;

grant execute on function public.start_import(uuid, text, text, text) to authenticated;


create function public.stage_import_rows(import_id uuid, rows jsonb)
    returns integer
    volatile
    set search_path = ''
    language sql
as $$
    select private.stage_import_rows(import_id, rows)
$$;

comment on function public.stage_import_rows(uuid, jsonb) is $$Adds rows to an import

`rows` is a list of at most 1,000 {line, data}; a line staged again replaces what it held, so a lost answer is no harm.
docs/reference/rent-roll-csv.md names the cells of `data`. An import takes 12,000 rows (413 `import_too_large`). Changes
nothing in the workspace yet. Answers how many rows the import has.$$;

grant execute on function public.stage_import_rows(uuid, jsonb) to authenticated;


-- The time-out is for slow machines: PostgREST applies it to the request. 10,000 rows take a few seconds.
create function public.check_import(import_id uuid)
    returns jsonb
    volatile
    set search_path = ''
    set statement_timeout = '30s'
    language sql
as $$
    select private.check_import(import_id, now())
$$;

comment on function public.check_import(uuid) is $$Tells what a commit would do, and all that stands in its way

Changes nothing. Answers {errors: [{line, column, value, code, message, remedy}], changes: {properties, units, tenants,
leases: {created, updated, unchanged}, leases_activated}}; `changes` is provisional while there are errors.$$;

grant execute on function public.check_import(uuid) to authenticated;


create function public.commit_import(import_id uuid)
    returns jsonb
    volatile
    set search_path = ''
    set statement_timeout = '30s'
    language sql
as $$
    select private.commit_import(import_id, now())
$$;

comment on function public.commit_import(uuid) is $$Carries an import out, all of it or nothing

Properties are found by name, units by number, renters by e-mail, leases by number; an empty cell changes nothing, and what
is as the file says stays untouched. 422 `import_has_errors` while rpc/check_import lists any; 409 `import_raced` if somebody
else wrote the same records meanwhile: commit again. A commit whose answer was lost may be repeated. Answers {properties,
units, tenants, leases: {created, updated, unchanged}, leases_activated}.$$;

grant execute on function public.commit_import(uuid) to authenticated;


create function public.discard_import(import_id uuid)
    returns void
    volatile
    set search_path = ''
    language sql
as $$
    select private.discard_import(import_id)
$$;

comment on function public.discard_import(uuid) is $$Withdraws an import that is not committed

Its rows are deleted at once; otherwise they are a day after it was started. 409 `import_committed` for one that is.$$;

grant execute on function public.discard_import(uuid) to authenticated;
