-- Addresses that nobody has checked yet, as they are noted from now on.

set local lock_timeout = '2s';
set local statement_timeout = '10min';

insert into private.address_checks as c (workspace_id, property_id, kind, subject, status, queued_at)
select p.workspace_id, p.id, 'verify', private.address_digest(p), 'due', now()
from public.properties as p
where p.address_status = 'unverified'
on conflict (workspace_id, property_id, kind) do update set
    subject = excluded.subject,
    status = 'due',
    attempts = 0,
    fence = null,
    last_error = null,
    queued_at = excluded.queued_at,
    finished_at = null
where c.status in ('done', 'failed') and c.subject <> excluded.subject;
