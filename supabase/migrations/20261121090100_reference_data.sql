-- Rows that the schema needs to mean anything: roles and what they may do, limits, queues, jobs. The diff sees no rows,
-- so these are written by hand.

set local lock_timeout = '2s';
set local statement_timeout = '30s';

insert into private.roles (role, description) values
('owner', 'Everything, the workspace''s end and its owners included'),
('admin', 'Everything but ownership and the end of the workspace'),
('manager', 'Runs the portfolio: properties, renters, leases, maintenance, documents, messages, money'),
('accountant', 'Records money and closes periods; reads the rest'),
('viewer', 'Reads');

insert into private.role_permissions (role, permission)
select granted.role, granted.permission
from (
    values
    ('{owner}'::text [], '{workspace.delete, ownership.transfer}'::text []),
    ('{owner, admin}', '{members.manage, settings.manage, audit.read}'),
    (
        '{owner, admin, manager}',
        '{portfolio.write, renters.write, leases.write, maintenance.write, documents.write, messages.write, imports.run}'
    ),
    ('{owner, admin, manager, accountant}', '{money.write}'),
    ('{owner, admin, accountant}', '{money.close, money.policies}'),
    (
        '{owner, admin, manager, accountant, viewer}',
        '{portfolio.read, renters.read, leases.read, maintenance.read, documents.read, messages.read, money.read}'
    )
) as tabled (roles, permissions)
cross join lateral unnest(tabled.roles) as role_name (role)
cross join lateral unnest(tabled.permissions) as permission_name (permission)
cross join lateral (select role_name.role, permission_name.permission) as granted;

insert into private.limits (name, allowed, per, description) values
('invitations_per_inviter', 50, '1 hour', 'invitations by one person'),
('invitations_per_address', 5, '1 day', 'invitations to one address'),
('writes_per_user', 600, '1 minute', 'writes by one user');

insert into private.queues (name, dead_letter, max_attempts, backoff_base, backoff_cap) values
('email', 'email_dead', 8, '15 seconds', '1 hour');

select pgmq.create(queue.name)
from (
    select queues.name from private.queues
    union
    select queues.dead_letter from private.queues
) as queue;

-- A queue's table turns over completely: vacuum it early, and leave room for a claim beside the row it changes.
alter table pgmq.q_email set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);

insert into private.scheduled_jobs (name, every, catch_up, description) values
('lease_expiry_check', '1 hour', 'latest', 'Queues the notices of leases that run out'),
('housekeeping', '1 day', 'latest', 'Deletes what has served its time');
