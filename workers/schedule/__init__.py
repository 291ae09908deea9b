"""Work that is due by the clock: the schedule is rows in the database, cron only asks what is due."""
