-- Messages that wait in the queue `email`, as private.queue_message leaves them. As a superuser: triggers are off.

set session_replication_role = replica;

insert into public.workspaces (id, name) values ('00000000-0000-4000-8000-000000000001', 'Elm Street Homes')
on conflict do nothing;

delete from public.messages;
delete from pgmq.q_email;

insert into public.messages (workspace_id, template, to_address, payload, dedupe_key)
select
    '00000000-0000-4000-8000-000000000001',
    'lease_expiry',
    format('manager-%%s@bench.test', n),
    jsonb_build_object(
        'workspace_name', 'Elm Street Homes',
        'recipient_name', null,
        'lease_number', format('L-%%s', n),
        'property_name', 'Elm Court',
        'unit_numbers', jsonb_build_array(n::text),
        'tenant_names', jsonb_build_array('Ann Example', 'Bob Example'),
        'ends_on', '2027-01-31',
        'days_left', 60,
        'notice_deadline_on', '2027-01-01',
        'threshold', 'days_60'
    ),
    format('lease_expiry/%%s', n)
from generate_series(1, %(messages)s) as n;

select count(*)
from pgmq.send_batch('email', (
    select array_agg(jsonb_build_object('message_id', m.id) order by m.created_at, m.id) from public.messages as m
));

vacuum (analyze) public.messages;
vacuum (analyze) pgmq.q_email;
