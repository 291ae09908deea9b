-- Rows that there are already are changes to whoever asks for the first time; and the job that keeps positions up to date.

set local lock_timeout = '2s';
set local statement_timeout = '10min';

select private.note_existing_rows();

-- The diff passes over what a publication leaves out, and over schemas that are not ours.
select private.set_up_realtime();

insert into private.scheduled_jobs (name, every, catch_up, description) values
('settle_changes', '1 minute', 'latest', 'Gives positions to what clients follow with rpc/changes');
