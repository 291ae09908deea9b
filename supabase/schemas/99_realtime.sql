-- What Supabase Realtime may pass on, where a project has it: which tables and columns, and who joins which private channel.

-- Sets up, or mends, what belongs to Realtime. A project that Realtime has not reached yet has no realtime.messages: call it again then.
create function private.set_up_realtime()
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_table record;
begin
    if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
        create publication supabase_realtime;
    end if;
    -- Realtime asks row security for whom an insert or update is, but sends a deletion to every subscriber of the table, in
    -- whatever workspace: so deletions aren't published. changes() tells of them.
    alter publication supabase_realtime set (publish = 'insert, update');
    for v_table in
        select *
        from (
            values
            ('leases', 'id, workspace_id, property_id, status, updated_at'),
            ('maintenance_requests', 'id, workspace_id, status, priority, updated_at'),
            ('maintenance_comments', 'id, workspace_id, request_id, created_at'),
            ('notifications', 'id, workspace_id, user_id, category, created_at, read_at'),
            ('messages', 'id, workspace_id, status, created_at')
        ) as t (name, columns)
    loop
        if exists (
            select from pg_catalog.pg_publication_tables
            where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = v_table.name
        ) then
            execute format('alter publication supabase_realtime drop table public.%I', v_table.name);
        end if;
        execute format('alter publication supabase_realtime add table public.%I (%s)', v_table.name, v_table.columns);
    end loop;

    if to_regclass('realtime.messages') is null then
        return;
    end if;
    drop policy if exists freehold_receive on realtime.messages;
    drop policy if exists freehold_track on realtime.messages;
    -- Who joins hears that something changed, and never what: rows are fetched, as their reader. Nobody sends but the database.
    create policy freehold_receive on realtime.messages
        for select to authenticated
        using (
            extension in ('broadcast', 'presence')
            and (
                (select realtime.topic()) = 'user:' || (select auth.uid())
                or (select realtime.topic()) = any (array(select 'workspace:' || w from private.my_workspaces() as w))
            )
        );
    -- Members show each other that they are there.
    create policy freehold_track on realtime.messages
        for insert to authenticated
        with check (
            extension = 'presence'
            and (select realtime.topic()) = any (array(select 'workspace:' || w from private.my_workspaces() as w))
        );
end
$$;

select private.set_up_realtime();


-- Tells a topic that something changed, once a transaction and topic; nothing where there is no Realtime.
create function private.nudge(p_topic text)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_told text := coalesce(current_setting('freehold.nudged', true), '');
begin
    if to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null or strpos(v_told, p_topic) > 0 then
        return;
    end if;
    perform set_config('freehold.nudged', v_told || p_topic || ' ', true);
    execute 'select realtime.send($1, $2, $3, true)' using '{}'::jsonb, 'changed', p_topic;
end
$$;


-- Nudges workspaces whose changes are noted, and the person that a notification is for.
create function private.nudge_followers()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.nudge('workspace:' || n.workspace_id)
    from (select distinct t.workspace_id from touched as t where t.table_name <> 'notifications') as n;
    return null;
end
$$;

create trigger nudge_followers after insert on private.change_notes
    referencing new table as touched
    for each statement execute function private.nudge_followers();


create function private.nudge_recipients()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.nudge('user:' || n.user_id)
    from (select distinct t.user_id from touched as t) as n;
    return null;
end
$$;

create trigger nudge_recipients after insert on public.notifications
    referencing new table as touched
    for each statement execute function private.nudge_recipients();
