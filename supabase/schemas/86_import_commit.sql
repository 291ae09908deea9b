-- Checking an import and carrying it out: one plan, worked out the same way for both.

create function private.plan_import(p_import public.imports, p_now timestamptz)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.drop_import_plan();
    perform private.plan_import_lines(p_import.id);
    perform private.refuse_contradictions();
    perform private.plan_import_properties(p_import.workspace_id);
    perform private.plan_import_units(p_import.workspace_id);
    perform private.plan_import_leases(p_import.workspace_id, p_now);
    perform private.plan_import_lease_units(p_import.workspace_id);
    perform private.plan_import_successions(p_import.workspace_id);
    perform private.plan_import_tenants(p_import.workspace_id);
    perform private.refuse_lease_conflicts(p_import.workspace_id);
    perform private.refuse_import_overlaps(p_import.workspace_id, p_now);
end
$$;


-- What the plan comes to: {properties, units, tenants, leases: {created, updated, unchanged}, leases_activated}.
create function private.import_summary(p_workspace_id uuid)
    returns jsonb
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return (
        with joined_by (lease_key) as (
            select lu.lease_key
            from pg_temp.import_lease_units as lu
            where lu.is_new
            union
            select it.lease_key
            from pg_temp.import_lease_tenants as it
            join pg_temp.import_leases as l on l.key = it.lease_key
            join pg_temp.import_tenants as t on t.key = it.tenant_key
            left join public.lease_tenants as lt
                on lt.workspace_id = p_workspace_id and lt.lease_id = l.id and lt.tenant_id = t.id
            where lt.tenant_id is null or it.is_primary and lt.role <> 'primary'
        ),
        planned (kind, is_new, changes) as (
            select 'properties', p.is_new, p.changes from pg_temp.import_properties as p
            union all
            select 'units', u.is_new, u.changes from pg_temp.import_units as u
            union all
            select 'tenants', t.is_new, t.changes from pg_temp.import_tenants as t
            union all
            select
                'leases', l.is_new,
                l.changes or l.activates or l.sets_rent or l.key in (select j.lease_key from joined_by as j)
            from pg_temp.import_leases as l
        )
        select
            jsonb_object_agg(k.kind, jsonb_build_object(
                'created', (select count(*) from planned as p where p.kind = k.kind and p.is_new),
                'updated', (select count(*) from planned as p where p.kind = k.kind and not p.is_new and p.changes),
                'unchanged', (select count(*) from planned as p where p.kind = k.kind and not p.is_new and not p.changes)
            ))
            || jsonb_build_object(
                'leases_activated', (select count(*) from pg_temp.import_leases as l where l.activates)
            )
        from unnest(array['properties', 'units', 'tenants', 'leases']) as k (kind)
    );
end
$$;


create function private.check_import(p_import_id uuid, p_now timestamptz)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports := private.lock_import(p_import_id);
begin
    if v_import.status <> 'staged' then
        return jsonb_build_object('errors', '[]'::jsonb, 'changes', v_import.result);
    end if;
    perform private.plan_import(v_import, p_now);
    return jsonb_build_object(
        'errors', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'line', e.line, 'column', e.column_name, 'value', e.value, 'code', e.code, 'message', e.message,
                'remedy', e.remedy
            ) order by e.line, e.column_name, e.code, e.message), '[]')
            from (select distinct * from pg_temp.import_errors) as e
        ),
        'changes', private.import_summary(v_import.workspace_id)
    );
end
$$;


create function private.commit_import(p_import_id uuid, p_now timestamptz)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports := private.lock_import(p_import_id);
    v_errors bigint;
    v_result jsonb;
    v_conflict text;
begin
    -- The answer of the first commit was lost: here it is again.
    if v_import.status = 'committed' then
        return v_import.result;
    end if;
    if v_import.row_count = 0 then
        perform private.fail(
            422, 'import_is_empty', 'This import has no rows.', p_hint := 'Stage them with rpc/stage_import_rows.'
        );
    end if;
    -- Imports of a workspace go one after the other: the second one finds what the first one made.
    perform pg_advisory_xact_lock(hashtextextended('freehold.import:' || v_import.workspace_id, 0));
    -- Asked again: the caller's role may have changed while they waited.
    perform private.require_import(v_import.workspace_id);
    perform private.lock_import_targets(v_import);
    perform private.plan_import(v_import, p_now);
    select count(*) into v_errors from pg_temp.import_errors;
    if v_errors > 0 then
        perform private.fail(
            422, 'import_has_errors', format('Nothing was imported: %s cells stand in the way.', v_errors),
            p_hint := 'List them with rpc/check_import, correct the file and stage it again.'
        );
    end if;
    v_result := private.import_summary(v_import.workspace_id);
    begin
        perform private.write_import_portfolio(v_import.workspace_id);
        perform private.write_import_leases(v_import.workspace_id, p_now);
    exception when unique_violation or exclusion_violation or foreign_key_violation then
        get stacked diagnostics v_conflict = constraint_name;
        perform private.fail(
            409, 'import_raced', 'Somebody changed the same records while the import ran; nothing was imported.',
            format('constraint=%s', v_conflict), 'Commit again.'
        );
    end;
    delete from private.import_rows where import_id = p_import_id;
    update public.imports
    set status = 'committed', committed_at = p_now, result = v_result
    where id = p_import_id;
    perform private.drop_import_plan();
    return v_result;
end
$$;
