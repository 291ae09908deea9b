-- How a maintenance request may move on.

set local lock_timeout = '2s';
set local statement_timeout = '30s';

insert into private.maintenance_transitions (from_status, to_status, by_vendor)
select edge.from_status, next_one.to_status, coalesce(next_one.to_status = any (edge.by_vendor), false)
from (
    values
    ('open', '{assigned, completed, cancelled}'::text [], '{}'::text []),
    ('assigned', '{open, scheduled, in_progress, on_hold, completed, cancelled}', '{open, scheduled, in_progress, completed}'),
    ('scheduled', '{open, assigned, in_progress, on_hold, completed, cancelled}', '{open, in_progress, completed}'),
    ('in_progress', '{open, assigned, scheduled, on_hold, completed, cancelled}', '{scheduled, on_hold, completed}'),
    ('on_hold', '{open, assigned, scheduled, in_progress, completed, cancelled}', '{scheduled, in_progress, completed}'),
    ('completed', '{open, in_progress, closed}', '{}'),
    ('closed', '{open}', '{}'),
    ('cancelled', '{open}', '{}')
) as edge (from_status, to_statuses, by_vendor)
cross join lateral unnest(edge.to_statuses) as next_one (to_status);
