-- Erasing a person: who they are goes, what was done stays, and the chain holds.

create function private.erase_personal_data(p_tenant_id uuid, p_vendor_id uuid)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_workspace_id uuid;
    v_entity text := case when p_vendor_id is null then 'tenants' else 'vendors' end;
    v_id text := coalesce(p_tenant_id, p_vendor_id);
    v_lease_number text;
    v_addresses text[];
    v_invitations bigint;
    v_messages bigint;
    v_under_way bigint;
    v_entries bigint;
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
    select l.lease_number into v_lease_number
    from public.lease_tenants as lt
    join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
    where
        lt.workspace_id = v_workspace_id
        and lt.tenant_id = p_tenant_id
        and l.in_force
    order by l.lease_number
    limit 1;
    if found then
        perform private.fail(
            409, 'lease_not_over', format('This renter is on lease %s, which is not over.', v_lease_number),
            p_hint := 'Erase a renter when their last lease has ended.'
        );
    end if;

    -- Every address that the record ever had: mails to any of them are about this person.
    v_addresses := array(
        select lower(v.address)
        from (
            select t.email as address
            from public.tenants as t
            where t.workspace_id = v_workspace_id and t.id = p_tenant_id
            union
            select v.email
            from public.vendors as v
            where v.workspace_id = v_workspace_id and v.id = p_vendor_id
            union
            select side.value ->> 'email'
            from public.audit_entries as e
            join public.audit_values as a on a.workspace_id = e.workspace_id and a.entry_id = e.id
            cross join lateral (values (a.before), (a.after)) as side (value)
            where e.workspace_id = v_workspace_id and e.entity = v_entity and e.entity_id = v_id
        ) as v
        where v.address <> ''
    );

    delete from public.workspace_invitations
    where workspace_id = v_workspace_id and (tenant_id = p_tenant_id or vendor_id = p_vendor_id);
    get diagnostics v_invitations = row_count;
    update public.messages
    set to_address = 'erased@example.invalid', to_name = null, payload = '{}', last_error = null
    where
        workspace_id = v_workspace_id
        and lower(to_address) = any (v_addresses)
        and status in ('sent', 'failed', 'unknown');
    get diagnostics v_messages = row_count;
    select count(*) into v_under_way
    from public.messages as m
    where m.workspace_id = v_workspace_id and lower(m.to_address) = any (v_addresses);
    delete from public.notifications as n
    using private.told_as(v_workspace_id, p_tenant_id, p_vendor_id) as person
    where n.workspace_id = v_workspace_id and n.user_id = person.user_id and n.audience = person.audience;
    delete from public.notification_preferences as n
    using private.told_as(v_workspace_id, p_tenant_id, p_vendor_id) as person
    where n.workspace_id = v_workspace_id and n.user_id = person.user_id and n.audience = person.audience;
    delete from public.tenant_custom_fields where workspace_id = v_workspace_id and tenant_id = p_tenant_id;
    update public.tenants
    set first_name = '', last_name = 'Erased', email = null, phone = null, status = 'former', user_id = null
    where workspace_id = v_workspace_id and id = p_tenant_id;
    update public.vendors
    set
        name = 'Erased', email = null, phone = null, license_number = null, insurance_policy_number = null,
        status = 'inactive', user_id = null
    where workspace_id = v_workspace_id and id = p_vendor_id;

    -- The log, what the statements above have just added to it included.
    with about as (
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        where e.workspace_id = v_workspace_id and e.entity in (v_entity, 'tenant_custom_fields') and e.entity_id = v_id
        union all
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        where
            e.workspace_id = v_workspace_id
            and e.entity = 'workspace_invitations'
            and coalesce(e.after, e.before) ->> case when p_vendor_id is null then 'tenant_id' else 'vendor_id' end = v_id
        union all
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        join public.audit_values as a on a.workspace_id = e.workspace_id and a.entry_id = e.id
        where
            e.workspace_id = v_workspace_id
            and e.entity = 'messages'
            and (lower(a.before ->> 'to_address') = any (v_addresses) or lower(a.after ->> 'to_address') = any (v_addresses))
    ),
    erased as (
        delete from public.audit_values as a
        using about
        where a.workspace_id = v_workspace_id and a.entry_id = about.id
        returning about.entity, about.entity_id
    ),
    told as (
        insert into public.audit_entries (
            workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, after
        )
        select
            v_workspace_id, e.entity, e.entity_id, 'erase', auth.uid(), 'authenticated', private.request_id(),
            jsonb_build_object('entries', count(*))
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
