-- One member can't use up alone what their workspace may ask in a day.

set local lock_timeout = '2s';
set local statement_timeout = '30s';

insert into private.limits (name, allowed, per, description) values
('places_per_user_day', 5000, '1 day', 'calls to services for addresses by one user on a day (UTC)');
