"""The settings that a verb of the command line runs with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from workers.settings import Settings

BAD_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


def settings_for(*needs: str, quietly: bool = False) -> Settings:
    """Loaded, with logging set up as they say; all problems on stderr and exit code 78 otherwise.

    `quietly`: somebody looks at a bar meanwhile, so what merely went well is not logged.
    """
    from workers import report
    from workers.observability import log
    from workers.settings import ConfigurationError, load

    try:
        settings = load(*needs)
    except ConfigurationError as error:
        report.problems(error.problems, as_json=False)
        raise typer.Exit(BAD_CONFIGURATION) from None
    level = "warning" if quietly and settings.log_level == "info" else settings.log_level
    log.configure(json=settings.log_format == "json", level=level, secrets=settings.secrets())
    return settings
