-- Words that addresses are written short with (USPS Publication 28 has most of them), the queue of address checks, when they are queued,
-- and since when the place ids there are count.

set local lock_timeout = '2s';
set local statement_timeout = '10min';

insert into private.address_abbreviations (short, long) values
('n', 'north'), ('s', 'south'), ('e', 'east'), ('w', 'west'),
('ne', 'northeast'), ('nw', 'northwest'), ('se', 'southeast'), ('sw', 'southwest'),
('al', 'alley'), ('aly', 'alley'), ('ave', 'avenue'), ('av', 'avenue'), ('blvd', 'boulevard'), ('bldg', 'building'),
('cir', 'circle'), ('cres', 'crescent'), ('ct', 'court'), ('cts', 'courts'), ('cv', 'cove'), ('dr', 'drive'),
('expy', 'expressway'), ('fwy', 'freeway'), ('ft', 'fort'), ('hbr', 'harbor'), ('hts', 'heights'), ('hwy', 'highway'),
('jct', 'junction'), ('ln', 'lane'), ('lndg', 'landing'), ('mt', 'mount'), ('mtn', 'mountain'), ('pkwy', 'parkway'),
('pl', 'place'), ('plz', 'plaza'), ('pt', 'point'), ('rd', 'road'), ('rte', 'route'), ('sq', 'square'), ('st', 'street'),
('ste', 'suite'), ('ter', 'terrace'), ('trl', 'trail'), ('tpke', 'turnpike'), ('vlg', 'village'), ('xing', 'crossing');

insert into private.queues (name, dead_letter, holds, max_attempts, backoff_base, backoff_cap) values
('compliance', 'compliance_dead', 'address_checks', 6, '30 seconds', '6 hours');

select pgmq.create(queue.name)
from (values ('compliance'), ('compliance_dead')) as queue (name)
where not exists (select from pgmq.list_queues() as l where l.queue_name = queue.name);

alter table pgmq.q_compliance
set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);

insert into private.scheduled_jobs (name, every, catch_up, description) values
('queue_address_checks', '10 minutes', 'latest', 'Queues addresses typed by hand and old place ids to be checked');

update public.properties set place_checked_at = updated_at where place_id is not null;
