-- What members can be told about, over which channels, and whether they are unless they say otherwise; and the job that deletes
-- what has served its time.

set local lock_timeout = '2s';
set local statement_timeout = '30s';

insert into private.notification_defaults (category, channel, enabled, permission, description) values
('lease_expiry', 'in_app', true, 'leases.read', 'A lease that you look after runs out, or the last day for giving notice is near'),
('lease_expiry', 'email', true, 'leases.read', 'The same, by mail'),
('lease_expiry', 'sms', false, 'leases.read', 'The same, as a text message, where the workspace sends them'),
('maintenance_reported', 'in_app', true, 'maintenance.read', 'There is a new request for a property that you look after'),
('maintenance_assigned', 'in_app', true, 'maintenance.read', 'A maintenance request was assigned to you'),
('maintenance_status', 'in_app', true, 'maintenance.read', 'A request that you look after was moved on'),
('maintenance_commented', 'in_app', true, 'maintenance.read', 'Somebody commented on a request that you look after');

insert into private.scheduled_jobs (name, every, catch_up, description) values
('notification_retention', '1 day', 'latest', 'Deletes notifications that have served their time');
