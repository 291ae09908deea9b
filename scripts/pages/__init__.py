"""Reference pages that are written from the database's own catalog."""
