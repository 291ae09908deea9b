-- What calls to services for addresses cost, how many are let through, and when what they told is deleted.

set local lock_timeout = '2s';
set local statement_timeout = '30s';

insert into private.limits (name, allowed, per, description) values
('places_sessions_per_user', 60, '1 minute', 'address searches begun by one user'),
('places_per_user', 120, '1 minute', 'calls to services for addresses by one user'),
('places_per_workspace', 600, '1 minute', 'calls to services for addresses by one workspace'),
('places_per_workspace_day', 20000, '1 day', 'calls to services for addresses by one workspace on a day (UTC)'),
('places_cost_per_workspace_day', 20000000, '1 day', 'millionths of a US dollar that one workspace''s calls may cost on a day (UTC)'),
-- Google counts 600 a minute for each kind; any minute meets seven windows.
('places_google_autocomplete', 85, '10 seconds', 'autocompletes by all workspaces together, shared fairly'),
('places_google_details', 85, '10 seconds', 'details by all workspaces together, shared fairly'),
('places_google_validate', 85, '10 seconds', 'validations by all workspaces together, shared fairly');

-- Google's list prices of 2025, a thousand calls for: autocomplete 2.83, details (Essentials) 5, validation 17 US dollars.
insert into private.place_call_costs (provider, kind, microdollars, billed_autocompletes) values
('google', 'autocomplete', 2830, null),
('google', 'details', 5000, 12),
('google', 'validate', 17000, 0);

insert into private.scheduled_jobs (name, every, catch_up, description) values
('purge_places', '1 hour', 'latest', 'Deletes coordinates that may not be kept, and searches that are over');
