-- Units are found by their number without what stands between, as 4b for 4-B: their entries are written anew. And rows are held
-- to the days that there are: what no calendar has says nothing, and is taken away before.

set local lock_timeout = '2s';
set local statement_timeout = '10min';

select private.reconcile_search();
update public.leases set moved_in_on = null where moved_in_on not between '1900-01-01' and '2200-01-01';
update public.leases set moved_out_on = null where moved_out_on not between '1900-01-01' and '2200-01-01';
update public.maintenance_plans set ends_on = anchor_on where ends_on < '1900-01-01';

alter table public.lease_units validate constraint possession_is_of_our_times;
alter table public.leases validate constraint leases_moved_in_on_check;
alter table public.leases validate constraint leases_moved_out_on_check;
alter table public.maintenance_plans validate constraint maintenance_plans_ends_on_check;
