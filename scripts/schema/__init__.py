"""The database's sources, its migrations, and whether the two say the same."""
