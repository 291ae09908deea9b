"""What the service is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


class ConfigurationError(Exception):
    """What is wrong with the environment and what to do about it, on one line."""


@dataclass(frozen=True)
class Settings:
    """Settings of one service.

    `mail_interval` is the shortest time between two mails of one kind to one user; `otp_lifetime` is how long
    what a mail carries can be used. `redirect_allow_list` holds URL patterns (with `*`) that links may lead
    to, besides the host of `site_url`.
    """

    port: int
    db_url: str
    keys_file: Path
    api_url: str
    site_url: str
    smtp_host: str
    smtp_port: int
    autoconfirm: bool
    mail_interval: timedelta
    otp_lifetime: timedelta
    redirect_allow_list: tuple[str, ...]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings, or raise ConfigurationError."""
        if env.get("FREEHOLD_ENV") != "local":
            raise ConfigurationError(
                "This is a development stand-in for Supabase Auth and starts only with FREEHOLD_ENV=local"
                f" (it is {env.get('FREEHOLD_ENV', '')!r}): use the Auth of your Supabase project instead"
            )
        required = ("AUTH_PORT", "AUTH_DB_URL", "KEYS_FILE", "API_URL", "SITE_URL", "SMTP_HOST", "SMTP_PORT")
        if missing := [name for name in required if not env.get(name)]:
            raise ConfigurationError(f"Set {', '.join(missing)}: `make up` sets them for you")
        return cls(
            port=_number(env, "AUTH_PORT"),
            db_url=env["AUTH_DB_URL"],
            keys_file=Path(env["KEYS_FILE"]),
            api_url=env["API_URL"].rstrip("/"),
            site_url=env["SITE_URL"],
            smtp_host=env["SMTP_HOST"],
            smtp_port=_number(env, "SMTP_PORT"),
            autoconfirm=_switch(env, "MAILER_AUTOCONFIRM", default=True),
            mail_interval=timedelta(seconds=_number(env, "SMTP_MAX_FREQUENCY", default=60)),
            otp_lifetime=timedelta(seconds=_number(env, "MAILER_OTP_EXP", default=3600)),
            redirect_allow_list=tuple(filter(None, env.get("URI_ALLOW_LIST", "").split(","))),
        )

    @property
    def issuer(self) -> str:
        return f"{self.api_url}/auth/v1"


def _number(env: Mapping[str, str], name: str, *, default: int | None = None) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal():
        raise ConfigurationError(f"{name} is {text!r}: give a whole number")
    return int(text)


def _switch(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = (env.get(name) or str(default)).lower()
    if text not in ("true", "false"):
        raise ConfigurationError(f"{name} is {text!r}: give true or false")
    return text == "true"
