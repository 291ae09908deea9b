-- Where sealing begins, and when the log is sealed and pruned.

set local lock_timeout = '2s';
set local statement_timeout = '30s';

insert into private.audit_progress default values;

insert into private.scheduled_jobs (name, every, catch_up, description) values
('seal_audit', '1 minute', 'latest', 'Seals what the change log has got'),
('prune_audit', '1 day', 'latest', 'Drops what the change log has kept for long enough');
