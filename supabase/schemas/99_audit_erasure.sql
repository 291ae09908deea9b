-- Erasing a person: who they are goes, what was done stays, and the chain holds.

-- The lease in force that a renter is on, if there is one: its number.
create function private.lease_in_force_of(p_workspace_id uuid, p_tenant_id uuid)
    returns text
    stable
    set search_path = ''
    language sql
as $$
    select l.lease_number
    from public.lease_tenants as lt
    join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
    where lt.workspace_id = p_workspace_id and lt.tenant_id = p_tenant_id and l.in_force
    order by l.lease_number
    limit 1
$$;


-- Erases a renter, a vendor, both or neither in one workspace, with invitations and mails to the given addresses. Whoever calls
-- holds the records.
create function private.erase_in_workspace(
    p_workspace_id uuid, p_tenant_id uuid, p_vendor_id uuid, p_addresses text[] default '{}'
)
    returns jsonb
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    v_addresses text[];
    v_invitations bigint;
    v_messages bigint;
    v_under_way bigint;
    v_entries bigint;
begin
    -- Every address that the record ever had: mails to any of them are about this person.
    v_addresses := array(
        select lower(v.address)
        from (
            select u.address
            from unnest(p_addresses) as u (address)
            union
            select t.email
            from public.tenants as t
            where t.workspace_id = p_workspace_id and t.id = p_tenant_id
            union
            select v.email
            from public.vendors as v
            where v.workspace_id = p_workspace_id and v.id = p_vendor_id
            union
            select side.value ->> 'email'
            from public.audit_entries as e
            join public.audit_values as a on a.workspace_id = e.workspace_id and a.entry_id = e.id
            cross join lateral (values (a.before), (a.after)) as side (value)
            where
                e.workspace_id = p_workspace_id
                and (e.entity, e.entity_id) in (('tenants', p_tenant_id::text), ('vendors', p_vendor_id::text))
        ) as v
        where v.address <> ''
    );

    delete from public.workspace_invitations
    where
        workspace_id = p_workspace_id
        and (tenant_id = p_tenant_id or vendor_id = p_vendor_id or lower(email) = any (p_addresses));
    get diagnostics v_invitations = row_count;
    update public.messages
    set to_address = 'erased@example.invalid', to_name = null, payload = '{}', last_error = null
    where
        workspace_id = p_workspace_id
        and lower(to_address) = any (v_addresses)
        and status in ('sent', 'failed', 'unknown');
    get diagnostics v_messages = row_count;
    select count(*) into v_under_way
    from public.messages as m
    where m.workspace_id = p_workspace_id and lower(m.to_address) = any (v_addresses);
    delete from public.notifications as n
    using private.told_as(p_workspace_id, p_tenant_id, p_vendor_id) as person
    where n.workspace_id = p_workspace_id and n.user_id = person.user_id and n.audience = person.audience;
    delete from public.notification_preferences as n
    using private.told_as(p_workspace_id, p_tenant_id, p_vendor_id) as person
    where n.workspace_id = p_workspace_id and n.user_id = person.user_id and n.audience = person.audience;
    delete from public.tenant_custom_fields where workspace_id = p_workspace_id and tenant_id = p_tenant_id;
    update public.tenants
    set first_name = '', last_name = 'Erased', email = null, phone = null, status = 'former', user_id = null
    where workspace_id = p_workspace_id and id = p_tenant_id;
    update public.vendors
    set
        name = 'Erased', email = null, phone = null, license_number = null, insurance_policy_number = null,
        status = 'inactive', user_id = null
    where workspace_id = p_workspace_id and id = p_vendor_id;

    -- The log, what the statements above have just added to it included.
    with about as (
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        where
            e.workspace_id = p_workspace_id
            and (e.entity, e.entity_id) in (
                ('tenants', p_tenant_id::text), ('tenant_custom_fields', p_tenant_id::text), ('vendors', p_vendor_id::text)
            )
        union
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        join public.audit_values as a on a.workspace_id = e.workspace_id and a.entry_id = e.id
        cross join lateral (values (a.before), (a.after)) as side (value)
        where
            e.workspace_id = p_workspace_id
            and (
                e.entity = 'messages' and lower(side.value ->> 'to_address') = any (v_addresses)
                or e.entity = 'workspace_invitations'
                and (
                    lower(side.value ->> 'email') = any (p_addresses)
                    or coalesce(e.after, e.before) ->> 'tenant_id' = p_tenant_id::text
                    or coalesce(e.after, e.before) ->> 'vendor_id' = p_vendor_id::text
                )
            )
    ),
    erased as (
        delete from public.audit_values as a
        using about
        where a.workspace_id = p_workspace_id and a.entry_id = about.id
        returning about.entity, about.entity_id
    ),
    told as (
        insert into public.audit_entries (
            workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, after
        )
        select
            p_workspace_id, e.entity, e.entity_id, 'erase', auth.uid(), coalesce(v_claims ->> 'role', session_user),
            private.request_id(), jsonb_build_object('entries', count(*))
        from erased as e
        group by e.entity, e.entity_id
    )
    select count(*) into v_entries from erased;
    return jsonb_build_object(
        'audit_entries', v_entries,
        'invitations', v_invitations,
        'messages', v_messages,
        'messages_under_way', v_under_way
    );
end
$$;


create function private.erase_personal_data(p_tenant_id uuid, p_vendor_id uuid)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_workspace_id uuid;
    v_lease_number text;
begin
    if (p_tenant_id is null) = (p_vendor_id is null) then
        perform private.fail(422, 'one_record_expected', 'Give either tenant_id or vendor_id.');
    end if;
    select found_in.workspace_id into v_workspace_id
    from (
        select t.workspace_id from public.tenants as t where t.id = p_tenant_id
        union all
        select v.workspace_id from public.vendors as v where v.id = p_vendor_id
    ) as found_in
    where found_in.workspace_id = any (array(select private.my_workspaces()));
    if not found then
        perform private.fail(
            404, 'record_not_found', 'There is no such record, or it is not yours to see.',
            p_hint := 'List the records you can see: GET /tenants or /vendors.'
        );
    end if;
    perform private.require_permission(v_workspace_id, 'settings.manage');
    perform from public.tenants as t where t.workspace_id = v_workspace_id and t.id = p_tenant_id for update;
    perform from public.vendors as v where v.workspace_id = v_workspace_id and v.id = p_vendor_id for update;
    v_lease_number := private.lease_in_force_of(v_workspace_id, p_tenant_id);
    if v_lease_number is not null then
        perform private.fail(
            409, 'lease_not_over', format('This renter is on lease %s, which is not over.', v_lease_number),
            p_hint := 'Erase a renter when their last lease has ended.'
        );
    end if;
    return private.erase_in_workspace(v_workspace_id, p_tenant_id, p_vendor_id);
end
$$;

grant execute on function private.erase_personal_data(uuid, uuid) to authenticated;


create function public.erase_personal_data(tenant_id uuid default null, vendor_id uuid default null)
    returns jsonb
    volatile
    set search_path = ''
    language sql
as $$
    select private.erase_personal_data(tenant_id, vendor_id)
$$;

comment on function public.erase_personal_data(uuid, uuid) is $$Erases who a renter or a vendor is

Their record stays, without name, addresses and account; their custom fields and invitations go, mails to any address they had
lose address and content, and the change log loses the values of all of these, while it still tells what was done and stays
valid. What was written about the work or the house (requests, comments, documents) is left: it is no part of who they are.
Needs `settings.manage`. 409 `lease_not_over` for a renter of a lease that has not ended. Answers {audit_entries, invitations,
messages, messages_under_way}: mails that are still on their way keep their address; call again once they are out.$$;

grant execute on function public.erase_personal_data(uuid, uuid) to authenticated;


-- Erases an account wherever it is: memberships, the renters and vendors that it is tied to, invitations and mails to its address. For
-- the database's owner, when a person asks the operator; no key that the API takes may do this to anybody.
create function private.erase_account(p_user_id uuid)
    returns jsonb
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_address text;
    v_place record;
    v_memberships bigint;
    v_erased jsonb := '[]';
    v_kept jsonb := '[]';
begin
    -- Whoever ties the account to a record meanwhile waits for this, or this for them.
    select lower(u.email) into v_address from auth.users as u where u.id = p_user_id for update;
    if not found then
        perform private.fail(
            404, 'account_not_found', 'There is no such account.',
            p_hint := 'Erase before you delete the account itself: afterwards nothing tells what was theirs.'
        );
    end if;
    delete from public.workspace_members where user_id = p_user_id;
    get diagnostics v_memberships = row_count;
    perform from public.tenants as t where t.user_id = p_user_id order by t.id for update;
    perform from public.vendors as v where v.user_id = p_user_id order by v.id for update;
    for v_place in
        select w.id as workspace_id, t.id as tenant_id, v.id as vendor_id, private.lease_in_force_of(w.id, t.id) as lease_number
        from public.workspaces as w
        left join public.tenants as t on t.workspace_id = w.id and t.user_id = p_user_id
        left join public.vendors as v on v.workspace_id = w.id and v.user_id = p_user_id
        where
            t.id is not null
            or v.id is not null
            or exists (
                select from public.workspace_invitations as i where i.workspace_id = w.id and lower(i.email) = v_address
            )
            or exists (
                select from public.messages as m where m.workspace_id = w.id and lower(m.to_address) = v_address
            )
        order by w.id
    loop
        if v_place.lease_number is not null then
            -- The contract needs its parties.
            v_kept := v_kept || jsonb_build_object(
                'workspace_id', v_place.workspace_id,
                'tenant_id', v_place.tenant_id,
                'lease_number', v_place.lease_number
            );
        else
            v_erased := v_erased || (
                jsonb_build_object(
                    'workspace_id', v_place.workspace_id,
                    'tenant_id', v_place.tenant_id,
                    'vendor_id', v_place.vendor_id
                )
                || private.erase_in_workspace(
                    v_place.workspace_id, v_place.tenant_id, v_place.vendor_id, array_remove(array[v_address], null)
                )
            );
        end if;
    end loop;
    return jsonb_build_object('memberships', v_memberships, 'erased', v_erased, 'kept', v_kept);
end
$$;

comment on function private.erase_account(uuid) is $$Erases a person by their account, p_user_id: see docs/how-to/erase-a-person.md.$$;
