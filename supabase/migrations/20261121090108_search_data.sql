-- Entries of the rows that are there already: from now on the triggers keep them.

set local lock_timeout = '2s';
set local statement_timeout = '10min';

select private.reconcile_search();
