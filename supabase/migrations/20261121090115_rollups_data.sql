-- Sums of the rows that are there already, and the jobs that keep them short and prove them right.

set local lock_timeout = '2s';
set local statement_timeout = '10min';

select private.reconcile_rollups();

insert into private.scheduled_jobs (name, every, catch_up, description) values
('fold_rollups', '1 minute', 'latest', 'Folds what changed into the sums that dashboards read'),
('reconcile_rollups', '1 day', 'latest', 'Compares what dashboards read with a recount');
