"""`python -m scripts.stack.auth`: serve on 127.0.0.1, or end with code 78 and one line on what to set."""

from __future__ import annotations

import os
import sys

import structlog
import uvicorn

from scripts.stack.auth.app import create_app
from scripts.stack.auth.server import Server
from scripts.stack.auth.settings import ConfigurationError, Settings

EX_CONFIG = 78


def main() -> int:
    try:
        settings = Settings.from_env(os.environ)
    except ConfigurationError as error:
        print(f"auth: {error}", file=sys.stderr)
        return EX_CONFIG
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ]
    )
    app = create_app(Server.create(settings))
    # uvicorn's access log would show the tokens in the query of /verify.
    uvicorn.run(
        app, host="127.0.0.1", port=settings.port, access_log=False, log_level="warning", lifespan="on"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
