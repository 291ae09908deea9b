-- The steps of a lease's status, and the job that takes those which the calendar brings.

set local lock_timeout = '2s';
set local statement_timeout = '30s';

insert into private.lease_transitions (from_status, to_status, description) values
('draft', 'pending', 'Signed ahead of its first day'),
('draft', 'active', 'Signed, and its first day has come'),
('pending', 'active', 'Its first day has come'),
('pending', 'terminated', 'Called off before it began'),
('active', 'notice_given', 'Either side gave notice'),
('active', 'ended', 'The renters moved out'),
('active', 'terminated', 'Ended early'),
('notice_given', 'active', 'The notice was withdrawn'),
('notice_given', 'ended', 'The renters moved out'),
('notice_given', 'terminated', 'Ended early');

insert into private.scheduled_jobs (name, every, catch_up, description) values
('lease_turnover', '1 hour', 'latest', 'Begins the leases whose first day has come');
