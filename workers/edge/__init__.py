"""The HTTP service beside the database: what a browser or a provider calls and SQL can't answer."""
