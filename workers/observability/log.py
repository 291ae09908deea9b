"""Logs: one event a line on stderr, in UTC, as JSON or for people; no address and no secret in them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog

ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")
TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")
SHORTEST_SECRET = 8  # what is shorter would also be found where it means something else
_secrets: dict[str, str] = {}


def configure(*, json: bool, level: str, secrets: Iterable[str] = ()) -> None:
    """Log from now on at this level; what others log (uvicorn, asyncio) too, from warnings on.

    `secrets` are hidden wherever they turn up.
    """
    _secrets.clear()
    _secrets.update((secret, "[secret]") for secret in secrets if len(secret) >= SHORTEST_SECRET)
    logging.basicConfig(handlers=[_Others()], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            drop_empty,
            scrub,
            structlog.processors.JSONRenderer()
            if json
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def drop_empty(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if value is not None}


def scrub(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mail servers like to repeat the address that they refuse, and keys get into URLs."""
    return {name: scrubbed(value) if isinstance(value, str) else value for name, value in event.items()}


def scrubbed(text: str) -> str:
    for secret, instead in _secrets.items():
        if secret in text:
            text = text.replace(secret, instead)
    if "@" in text:
        text = ADDRESS.sub("[address]", text)
    return TOKEN.sub("[token]", text) if "eyJ" in text else text


class _Others(logging.Handler):
    """Takes what libraries log the standard way."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)
