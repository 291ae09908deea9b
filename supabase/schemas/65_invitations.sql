-- Inviting people and tying their accounts: a token sent to the address, good once, never a matching e-mail.

-- What the limits count. Apart from the invitations, so that withdrawing one, or deleting a workspace, makes no room.
create table private.invitations_sent (
    invited_by uuid not null,
    address_digest bytea not null,
    sent_at timestamptz not null default clock_timestamp()
);

create index invitations_sent_by_idx on private.invitations_sent (invited_by, sent_at);
create index invitations_sent_to_idx on private.invitations_sent (address_digest, sent_at);
create index invitations_sent_at_idx on private.invitations_sent (sent_at);

comment on table private.invitations_sent is $$Who invited which address and when; kept for as long as a limit looks back.$$;


-- Counts an invitation, and refuses one too many: by the inviter, and by the address, across all workspaces.
create function private.limit_invitations(p_email text)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_digest bytea := sha256(convert_to(lower(p_email), 'UTF8'));
    v_limit private.limits;
    v_sent bigint;
begin
    -- Racing invitations of one inviter, or to one address, count each other. Always inviter before address.
    perform pg_advisory_xact_lock(hashtextextended('freehold.invite.by:' || auth.uid()::text, 0));
    perform pg_advisory_xact_lock(hashtextextended('freehold.invite.to:' || encode(v_digest, 'hex'), 0));

    select * into strict v_limit from private.limits where name = 'invitations_per_inviter';
    select count(*) into v_sent
    from private.invitations_sent
    where invited_by = auth.uid() and sent_at > now() - v_limit.per;
    if v_sent < v_limit.allowed then
        select * into strict v_limit from private.limits where name = 'invitations_per_address';
        select count(*) into v_sent
        from private.invitations_sent
        where address_digest = v_digest and sent_at > now() - v_limit.per;
    end if;
    if v_sent >= v_limit.allowed then
        perform private.fail(
            429, 'invitation_limit', format('At most %s in %s (%s).', v_limit.allowed, v_limit.per, v_limit.description),
            p_hint := 'Wait, or ask the operator to raise the limit.',
            p_headers := jsonb_build_object('Retry-After', extract(epoch from v_limit.per)::integer::text)
        );
    end if;
    insert into private.invitations_sent (invited_by, address_digest) values (auth.uid(), v_digest);
end
$$;


create function private.invite(
    p_workspace_id uuid, p_kind text, p_email text, p_role text, p_tenant_id uuid, p_vendor_id uuid
)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_kept jsonb;
    v_token text := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
    v_email text := btrim(p_email);
    v_known_email text;
    v_tied_to uuid;
    v_invitation public.workspace_invitations;
begin
    perform private.require_permission(p_workspace_id, case p_kind
        when 'renter' then 'renters.write' when 'vendor' then 'portfolio.write' else 'members.manage'
    end);
    v_kept := private.begin_idempotent('invite', jsonb_build_array(
        p_workspace_id, p_kind, p_email, p_role, p_tenant_id, p_vendor_id
    ));
    if v_kept is not null then
        return v_kept;
    end if;

    if p_kind = 'member' then
        perform private.require_grantable(p_workspace_id, p_role);
    elsif p_kind = 'renter' then
        select t.email, t.user_id into v_known_email, v_tied_to
        from public.tenants as t where t.workspace_id = p_workspace_id and t.id = p_tenant_id;
    elsif p_kind = 'vendor' then
        select v.email, v.user_id into v_known_email, v_tied_to
        from public.vendors as v where v.workspace_id = p_workspace_id and v.id = p_vendor_id;
    else
        perform private.fail(
            422, 'kind_unknown', format('There is no kind %L.', p_kind), p_hint := 'Use member, renter or vendor.'
        );
    end if;
    if p_kind <> 'member' then
        if not found then
            perform private.fail(
                404, 'invitee_not_found', format('The workspace has no such %s.', p_kind),
                p_hint := 'Give tenant_id for a renter, vendor_id for a vendor.'
            );
        end if;
        if v_tied_to is not null then
            perform private.fail(409, 'already_tied', format('This %s has an account already.', p_kind));
        end if;
        v_email := coalesce(v_email, v_known_email);
    end if;
    if coalesce(v_email, '') !~ '^[^@[:space:]<>(),;:"]+@[^@[:space:]<>(),;:"]+$' or length(v_email) > 254 then
        perform private.fail(
            422, 'email_invalid', 'There is no valid e-mail address to send the invitation to.',
            p_hint := 'Give one such as name@example.com.'
        );
    end if;

    perform private.limit_invitations(v_email);
    -- Inviting again replaces what is open: the older token stops working.
    delete from public.workspace_invitations
    where
        workspace_id = p_workspace_id
        and accepted_at is null
        and kind = p_kind
        and (tenant_id, vendor_id) is not distinct from (
            case p_kind when 'renter' then p_tenant_id end, case p_kind when 'vendor' then p_vendor_id end
        )
        and lower(email) = lower(v_email);
    insert into public.workspace_invitations
        (workspace_id, kind, email, role, tenant_id, vendor_id, invited_by, expires_at)
    values (
        p_workspace_id, p_kind, v_email,
        case p_kind when 'member' then p_role end,
        case p_kind when 'renter' then p_tenant_id end,
        case p_kind when 'vendor' then p_vendor_id end,
        auth.uid(), now() + interval '7 days'
    )
    returning * into v_invitation;
    insert into private.invitation_tokens (digest, invitation_id)
    values (sha256(convert_to(v_token, 'UTF8')), v_invitation.id);

    perform private.queue_message(
        p_workspace_id, 'invitation', v_email, null,
        jsonb_build_object(
            'workspace_name', (select w.name from public.workspaces as w where w.id = p_workspace_id),
            'kind', p_kind,
            'role', v_invitation.role,
            'invited_by_email', (select u.email from auth.users as u where u.id = auth.uid()),
            'expires_at', v_invitation.expires_at
        ),
        'invitation/' || v_invitation.id,
        jsonb_build_object('token', v_token)
    );
    return private.keep_answer('invite', to_jsonb(v_invitation));
end
$$;


create function private.accept_invitation(p_token text)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_invitation public.workspace_invitations;
    v_inviter_holds boolean;
begin
    select i.* into v_invitation
    from private.invitation_tokens as t
    join public.workspace_invitations as i on i.id = t.invitation_id
    where t.digest = sha256(convert_to(coalesce(p_token, ''), 'UTF8'))
    for update of i;
    if not found then
        perform private.fail(
            404, 'invitation_not_found', 'This invitation does not exist or was withdrawn.',
            p_hint := 'Open the link of the newest mail, or ask to be invited again.'
        );
    end if;
    if v_invitation.accepted_at is not null then
        perform private.fail(
            409, 'invitation_used', 'This invitation was accepted already.', p_hint := 'Sign in with the account that did.'
        );
    end if;
    if v_invitation.expires_at <= now() then
        perform private.fail(410, 'invitation_expired', 'This invitation has expired.', p_hint := 'Ask to be invited again.');
    end if;
    -- What an inviter may no longer give, their open invitations no longer give either.
    select coalesce(bool_and(exists (
        select
        from public.workspace_members as m
        join private.role_permissions as held on held.role = m.role
        where
            m.workspace_id = v_invitation.workspace_id
            and m.user_id = v_invitation.invited_by
            and m.status = 'active'
            and held.permission = wanted.permission
    )), false) into v_inviter_holds
    from (
        select rp.permission from private.role_permissions as rp where rp.role = v_invitation.role
        union
        select case v_invitation.kind
            when 'renter' then 'renters.write' when 'vendor' then 'portfolio.write' else 'members.manage'
        end
    ) as wanted;
    if not v_inviter_holds then
        perform private.fail(
            410, 'invitation_withdrawn', 'Whoever invited you can no longer do so.', p_hint := 'Ask to be invited again.'
        );
    end if;

    if v_invitation.kind = 'member' then
        insert into public.workspace_members (workspace_id, user_id, role)
        values (v_invitation.workspace_id, auth.uid(), v_invitation.role)
        on conflict do nothing;
        if not found then
            perform private.fail(
                409, 'already_member', 'You are a member of this workspace already.',
                p_hint := 'Ask an owner or admin to change your role or take you back.'
            );
        end if;
    elsif v_invitation.kind = 'renter' then
        update public.tenants as t
        set user_id = auth.uid()
        where
            t.workspace_id = v_invitation.workspace_id
            and t.id = v_invitation.tenant_id
            and t.user_id is null
            and not exists (
                select from public.tenants as o where o.workspace_id = t.workspace_id and o.user_id = auth.uid()
            );
    else
        update public.vendors as v
        set user_id = auth.uid()
        where
            v.workspace_id = v_invitation.workspace_id
            and v.id = v_invitation.vendor_id
            and v.user_id is null
            and not exists (
                select from public.vendors as o where o.workspace_id = v.workspace_id and o.user_id = auth.uid()
            );
    end if;
    if not found then
        perform private.fail(
            409, 'already_tied', 'This record, or your account, is tied already.',
            p_hint := 'Sign in with the account that accepted first.'
        );
    end if;
    update public.workspace_invitations
    set accepted_at = now(), accepted_by = auth.uid()
    where id = v_invitation.id;
    return jsonb_build_object(
        'workspace_id', v_invitation.workspace_id,
        'kind', v_invitation.kind,
        'role', v_invitation.role,
        'tenant_id', v_invitation.tenant_id,
        'vendor_id', v_invitation.vendor_id
    );
end
$$;


-- Cuts the tie between a record and an account.
create function private.revoke_portal_access(p_tenant_id uuid, p_vendor_id uuid)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_workspace_id uuid;
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
    perform private.require_permission(
        v_workspace_id, case when p_tenant_id is null then 'portfolio.write' else 'renters.write' end
    );
    update public.tenants set user_id = null where id = p_tenant_id;
    update public.vendors set user_id = null where id = p_vendor_id;
end
$$;

grant execute on function private.invite(uuid, text, text, text, uuid, uuid) to authenticated;
grant execute on function private.accept_invitation(text) to authenticated;
grant execute on function private.revoke_portal_access(uuid, uuid) to authenticated;


create function public.invite(
    workspace_id uuid,
    kind text,
    email text default null,
    role text default null,
    tenant_id uuid default null,
    vendor_id uuid default null
)
    returns jsonb
    volatile
    set search_path = ''
    language sql
as $$
    select private.invite(workspace_id, kind, email, role, tenant_id, vendor_id)
$$;

comment on function public.invite(uuid, text, text, text, uuid, uuid) is $$Invites a member, a renter or a vendor by mail

`kind` member takes `email` and `role` (needs `members.manage`, and the role within the caller's own); renter takes
`tenant_id` (needs `renters.write`), vendor takes `vendor_id` (needs `portfolio.write`); `email` is then optional where the
record has one. Requires an `Idempotency-Key` header. The token goes to the address alone, works once and for seven days.
429 `invitation_limit` by inviter and by address. Answers the invitation.$$;

grant execute on function public.invite(uuid, text, text, text, uuid, uuid) to authenticated;


create function public.accept_invitation(token text)
    returns jsonb
    volatile
    set search_path = ''
    language sql
as $$
    select private.accept_invitation(token)
$$;

comment on function public.accept_invitation(text) is $$Accepts an invitation with the token from the mail

Ties the signed-in account, whatever its address, to what the invitation was for. 404 `invitation_not_found`, 409
`invitation_used`, 410 `invitation_expired` or `invitation_withdrawn`, 409 `already_member` or `already_tied`. Answers
{workspace_id, kind, role, tenant_id, vendor_id}.$$;

grant execute on function public.accept_invitation(text) to authenticated;


create function public.revoke_portal_access(tenant_id uuid default null, vendor_id uuid default null)
    returns void
    volatile
    set search_path = ''
    language sql
as $$
    select private.revoke_portal_access(tenant_id, vendor_id)
$$;

comment on function public.revoke_portal_access(uuid, uuid) is $$Ends a renter's or a vendor's access

The account that accepted the invitation is untied from the record and sees nothing of the workspace from its next request
on. Needs `renters.write` or `portfolio.write`.$$;

grant execute on function public.revoke_portal_access(uuid, uuid) to authenticated;
