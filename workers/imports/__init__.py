"""Files that people bring: read and staged here, judged and carried out by the database."""
