"""What a migration says of the functions that record changes: that the database writes them, not their text.

private.write_recorders() in supabase/schemas/98_audit_recorders.sql writes one for each table, from the
columns that it has.
"""

from __future__ import annotations

import re

_FUNCTION = re.compile(
    r"create or replace function private\.record_changes_of_\w+\(\).*?\n\$function\$;\n*", re.S | re.I
)
_GRANT = re.compile(
    r'^(?:revoke|grant) [^;]* on function "?private"?\."?record_changes_of_\w+"?\(\)[^;]*;\n*', re.M | re.I
)
_TRIGGER = re.compile(r"(execute function\s+private\.record_changes)_of_\w+", re.I)


def called(statements: str) -> str:
    """The statements with one call in place of all that the call brings about."""
    shorter = _TRIGGER.sub(r"\1", _GRANT.sub("", _FUNCTION.sub("", statements)))
    if shorter == statements:
        return statements
    return f"{shorter.strip()}\n\nselect private.write_recorders();".lstrip()
