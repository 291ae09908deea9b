-- Maintenance plans are looked at every hour.

set local lock_timeout = '2s';
set local statement_timeout = '30s';

insert into private.scheduled_jobs (name, every, catch_up, description) values
('create_planned_maintenance', '1 hour', 'latest', 'Creates the requests of maintenance plans');
