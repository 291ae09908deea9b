-- The outbox: what Freehold tells people. A message is written and queued in the transaction that has cause for it.

create table private.queues (
    name text primary key check (name ~ '^[a-z_]{1,40}$'),
    dead_letter text not null,
    holds text not null default 'messages' check (holds in ('messages', 'address_checks')),
    max_attempts integer not null check (max_attempts > 0),
    backoff_base interval not null,
    backoff_cap interval not null
);

comment on table private.queues is $$Queues, what their items are, and how often each is tried. Reference data, written by migrations.$$;


create table public.messages (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    channel text not null default 'email' check (channel in ('email')),
    template text not null check (template in ('lease_expiry', 'invitation')),
    to_address text not null,
    to_name text,
    payload jsonb not null default '{}',
    dedupe_key text not null check (length(dedupe_key) between 1 and 300),
    status text not null default 'queued' check (status in ('queued', 'sending', 'sent', 'unknown', 'failed')),
    attempts integer not null default 0,
    fence integer,
    last_error text,
    has_secret boolean not null default false,
    request_id text,
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    unknown_at timestamptz,
    failed_at timestamptz,
    unique (workspace_id, id),
    unique (workspace_id, dedupe_key),
    constraint sent_messages_have_a_time check (status <> 'sent' or sent_at is not null)
)
-- A status is written twice in a message's life: leave room on the page, and no index on what changes.
with (fillfactor = 70);

create index messages_created_at_idx on public.messages (workspace_id, created_at desc);
create index messages_unknown_idx on public.messages (workspace_id, unknown_at) where unknown_at is not null;
create index messages_failed_idx on public.messages (workspace_id, failed_at) where failed_at is not null;

create trigger refuse_truncate before truncate on public.messages
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.messages
    referencing new table as new_rows
    for each statement execute function private.record_changes('{id}', '{to_address, to_name, payload, last_error}');

create trigger record_updates after update on public.messages
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{id}', '{to_address, to_name, payload, last_error}');

create trigger record_deletes after delete on public.messages
    referencing old table as old_rows
    for each statement execute function private.record_changes('{id}', '{to_address, to_name, payload, last_error}');

comment on table public.messages is $$Mails to people, and what became of them.

Written by the database alone, once for each dedupe_key. `unknown` means that a mail may or may not have gone out, because
its sender died or lost the answer: such a mail is not sent again by itself; settle it with `rpc/resolve_message`.$$;
comment on column public.messages.id is $$Identifies the message; the mail's Message-ID carries it.$$;
comment on column public.messages.workspace_id is $$The workspace that speaks.$$;
comment on column public.messages.channel is $$email.$$;
comment on column public.messages.template is $$lease_expiry or invitation.$$;
comment on column public.messages.to_address is $$Where it goes.$$;
comment on column public.messages.to_name is $$Whom it greets.$$;
comment on column public.messages.payload is $$What the template is filled with; secrets are kept elsewhere.$$;
comment on column public.messages.dedupe_key is $$Names the notice: a workspace never queues the same one twice.$$;
comment on column public.messages.status is
    $$queued, sending, sent (the server took it), unknown (perhaps sent) or failed (given up, or refused for good).$$;
comment on column public.messages.attempts is $$How often sending was begun.$$;
comment on column public.messages.fence is $$The claim under which sending was begun last.$$;
comment on column public.messages.last_error is $$What the last failed try said.$$;
comment on column public.messages.has_secret is $$Whether it carries a one-time token, which is erased once the mail is out.$$;
comment on column public.messages.request_id is $$The request that caused it.$$;
comment on column public.messages.created_at is $$When it was queued.$$;
comment on column public.messages.sent_at is $$When the mail server took it.$$;
comment on column public.messages.unknown_at is $$When its outcome became unknown.$$;
comment on column public.messages.failed_at is $$When it was given up.$$;


create table private.message_secrets (
    message_id uuid primary key references public.messages (id) on delete cascade,
    payload jsonb not null
);

comment on table private.message_secrets is $$One-time tokens on their way into a mail; erased once it is out.$$;


-- Writes a message and queues it, in the caller's transaction. A notice that was queued before changes nothing.
create function private.queue_message(
    p_workspace_id uuid,
    p_template text,
    p_to_address text,
    p_to_name text,
    p_payload jsonb,
    p_dedupe_key text,
    p_secret jsonb default null
)
    returns uuid
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_id uuid;
begin
    insert into public.messages
        (workspace_id, template, to_address, to_name, payload, dedupe_key, has_secret, request_id)
    values
        (p_workspace_id, p_template, p_to_address, p_to_name, p_payload, p_dedupe_key, p_secret is not null,
            private.request_id())
    on conflict (workspace_id, dedupe_key) do nothing
    returning id into v_id;
    if v_id is null then
        return null;
    end if;
    if p_secret is not null then
        insert into private.message_secrets (message_id, payload) values (v_id, p_secret);
    end if;
    perform pgmq.send('email', jsonb_build_object('message_id', v_id));
    return v_id;
end
$$;


create function private.resolve_message(p_message_id uuid, p_outcome text)
    returns public.messages
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_message public.messages;
begin
    select * into v_message
    from public.messages
    where id = p_message_id and workspace_id = any (array(select private.my_workspaces()))
    for update;
    if not found then
        perform private.fail(
            404, 'message_not_found', 'There is no such message, or it is not yours to see.',
            p_hint := 'List the messages you can see: GET /messages.'
        );
    end if;
    perform private.require_permission(v_message.workspace_id, 'messages.write');
    if p_outcome is null or p_outcome not in ('sent', 'resend') then
        perform private.fail(
            422, 'outcome_unknown', format('There is no outcome %L.', p_outcome), p_hint := 'Use sent or resend.'
        );
    end if;
    if v_message.status <> 'unknown' and not (v_message.status = 'failed' and p_outcome = 'resend') then
        perform private.fail(
            409, 'message_settled', format('The message is %s: there is nothing to resolve.', v_message.status)
        );
    end if;
    if p_outcome = 'sent' then
        update public.messages
        set status = 'sent', sent_at = now(), unknown_at = null
        where id = v_message.id
        returning * into v_message;
        delete from private.message_secrets where message_id = v_message.id;
        return v_message;
    end if;
    if v_message.has_secret and not exists (select from private.message_secrets where message_id = v_message.id) then
        perform private.fail(
            409, 'message_secret_gone', 'The token that this mail carried is gone.',
            p_hint := 'Make a fresh one: invite again.'
        );
    end if;
    update public.messages
    set status = 'queued', attempts = 0, unknown_at = null, failed_at = null
    where id = v_message.id
    returning * into v_message;
    perform pgmq.send('email', jsonb_build_object('message_id', v_message.id));
    return v_message;
end
$$;

grant execute on function private.resolve_message(uuid, text) to authenticated;


create function public.resolve_message(message_id uuid, outcome text)
    returns public.messages
    volatile
    set search_path = ''
    language sql
as $$
    select private.resolve_message(message_id, outcome)
$$;

comment on function public.resolve_message(uuid, text) is $$Settles a message whose outcome is unknown

`outcome` is sent (it arrived: asked the recipient, saw the server's log) or resend (queue it once more; a failed message
too). Needs `messages.write`. 409 `message_settled` if there is nothing to settle. Answers the message.$$;

grant execute on function public.resolve_message(uuid, text) to authenticated;
