-- What renters and vendors can be told about, within the app.

set local lock_timeout = '2s';
set local statement_timeout = '30s';

insert into private.notification_defaults (category, channel, enabled, audience, description) values
('request_commented', 'in_app', true, 'renter', 'Somebody commented on a maintenance request of your household, for you to read'),
('request_status', 'in_app', true, 'renter', 'A maintenance request of your household was opened, moved on, or got another time'),
('document_shown', 'in_app', true, 'renter', 'There is a document for you'),
('lease_notice', 'in_app', true, 'renter', 'Notice was given for your lease, or withdrawn'),
('lease_renewed', 'in_app', true, 'renter', 'A renewal of your lease was signed, or called off'),
('work_assigned', 'in_app', true, 'vendor', 'A maintenance request was assigned to you, or taken from you'),
('work_status', 'in_app', true, 'vendor', 'A request that you have was moved on, or got another time'),
('work_commented', 'in_app', true, 'vendor', 'Somebody commented on a request that you have, for you to read');
