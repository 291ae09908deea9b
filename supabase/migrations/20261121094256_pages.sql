set local lock_timeout = '2s';
set local statement_timeout = '30s';

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index documents_page_by_created_at_idx on public.documents using btree (created_at desc, workspace_id);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index documents_page_by_id_idx on public.documents using btree (id, workspace_id);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index expenses_page_by_id_idx on public.expenses using btree (id, workspace_id);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index expenses_page_by_incurred_on_idx on public.expenses using btree (incurred_on desc, workspace_id);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index inspections_page_by_id_idx on public.inspections using btree (id, workspace_id);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index inspections_page_by_scheduled_at_idx on public.inspections using btree (scheduled_at desc, workspace_id);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index leases_page_by_created_at_idx on public.leases using btree (created_at desc, workspace_id);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index leases_page_by_id_idx on public.leases using btree (id, workspace_id);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index maintenance_requests_page_by_created_at_idx on public.maintenance_requests
    using btree (created_at desc, workspace_id);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index maintenance_requests_page_by_id_idx on public.maintenance_requests using btree (id, workspace_id);
