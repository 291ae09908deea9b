"""Work that waits in the database: claimed under a lease, done, and settled under the fence of its claim."""
