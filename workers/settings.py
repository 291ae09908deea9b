"""Configuration: one Settings per process, from the environment and `.env`; every problem is told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic import field_validator as validates
from pydantic import model_validator as validates_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from workers import environment, keys
from workers.mail_server import LOOPBACK, MailServer, Tls

PlacesProvider = Literal["google", "photon", "nominatim", "local"]

PUBLIC_NOMINATIM = "nominatim.openstreetmap.org"
LOCAL_DEFAULTS = {"mail_from": "Freehold <notices@freehold.test>", "site_url": "http://127.0.0.1:3000"}

# What the verbs can't do without, beyond API_URL and ANON_KEY. SMTP_HOST will do for SMTP_URL.
FOR_WORKER = ("worker_key",)
FOR_MAIL = ("worker_key", "smtp_url", "mail_from", "site_url")
FOR_EDGE = ("worker_key", "edge_secret")

Seconds = Annotated[float, Field(gt=0, le=3600)]


def _secret(check: Callable[[str], object]) -> AfterValidator:
    def validate(value: SecretStr) -> SecretStr:
        check(value.get_secret_value())
        return value

    return AfterValidator(validate)


Secret = Annotated[SecretStr, _secret(keys.refuse_placeholder)]
AnonKey = Annotated[SecretStr, _secret(keys.check_anon_key)]
EdgeSecret = Annotated[SecretStr, _secret(keys.check_edge_secret)]
WorkerKey = Annotated[SecretStr, _secret(lambda value: keys.check_worker_key(value, datetime.now(UTC)))]
SmtpUrl = Annotated[Secret, _secret(MailServer.from_url)]


class ConfigurationError(Exception):
    """The environment can't be used. `problems` has one line for each reason, the variable's name first."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Settings(BaseSettings):
    """What a process is told from outside; docs/reference/configuration.md has the same in a table."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    # Where it runs: `local` and `test`, like an API on this machine, give MAIL_FROM and SITE_URL a default.
    freehold_env: Literal["production", "staging", "local", "test"] = "production"

    # The project's URL, e.g. https://abcdefgh.supabase.co, and its publishable (anon) key, sent as `apikey`.
    api_url: str
    anon_key: AnonKey
    # A JWT with `role: worker` and `exp`, sent as bearer token.
    worker_key: WorkerKey | None = None
    # For one HTTP request; for one call, its retries included.
    api_timeout: Seconds = 10
    api_deadline: Seconds = 30

    # smtp://user:password@host:587 (STARTTLS) or smtps://…:465, instead of SMTP_HOST and its companions.
    smtp_url: SmtpUrl | None = None
    smtp_host: str | None = None
    smtp_port: int | None = Field(default=None, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: Secret | None = None
    smtp_tls: Tls | None = Field(default=None, validate_default=True)
    # For each step of the SMTP dialogue; for the verdict on the content, after which a mail is `unknown`.
    smtp_timeout: Seconds = 30
    smtp_data_timeout: Seconds = 120
    mail_from: str | None = None
    # The right side of Message-IDs; the domain of MAIL_FROM unless set.
    mail_domain: str | None = None
    # Where the app lives: links in mails begin with it.
    site_url: str | None = None

    # Messages held at a time, and sent at once.
    worker_batch: int = Field(default=100, ge=1, le=1000)
    worker_concurrency: int = Field(default=10, ge=1, le=200)
    # How long a claim lasts unless extended: a killed worker's messages wait that long.
    worker_lease_seconds: int = Field(default=30, ge=1, le=600)
    # The longest pause between two looks at an empty queue.
    worker_poll_seconds: Seconds = 5
    # What sends under way get after SIGTERM.
    worker_drain_seconds: Seconds = 20

    # Where `freehold edge` listens, and where others reach it: what `doctor` asks.
    edge_listen: str = "127.0.0.1"
    edge_port: int = Field(default=54334, ge=1, le=65535)
    edge_url: str | None = None
    # What one request may hold and take, how many are served at once, what they get after SIGTERM.
    edge_max_body_bytes: int = Field(default=1048576, ge=1024, le=104857600)
    edge_timeout: Seconds = 15
    edge_concurrency: int = Field(default=1000, ge=1, le=100_000)
    edge_drain_seconds: Seconds = 20
    # What session tokens are signed with: 32 characters at least, the same for every process of the service.
    edge_secret: EdgeSecret | None = None
    # Origins whose pages may call it; the gateway reads the same variable.
    cors_allow_origins: str = "*"

    # How users' tokens are told from others. Unset, the key set and the issuer are Supabase's at API_URL.
    jwks_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str = "authenticated"
    # For tokens signed with HS256; without it they are refused.
    jwt_secret: Secret | None = None

    # The service for addresses; unset: google with a key, else the list in the database.
    places_provider: PlacesProvider | None = None
    # Where places are looked for unless a request says: ISO 3166 codes.
    places_countries: str = "US"
    google_maps_api_key: Secret | None = Field(default=None, validate_default=True)
    # Instead of Google's own addresses, as for a proxy.
    google_places_url: str | None = None
    google_validation_url: str | None = None
    # A Photon server, such as http://photon.internal:2322.
    photon_url: str | None = Field(default=None, validate_default=True)
    # A Nominatim server: where /search and /lookup are, such as http://nominatim.internal:8088.
    nominatim_url: str | None = Field(default=None, validate_default=True)

    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @validates_model(mode="before")
    @classmethod
    def _default_mail_locally(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {**LOCAL_DEFAULTS, **values} if _is_local(values) else values

    @validates("api_url", "site_url", "edge_url", "jwks_url", "google_places_url", "google_validation_url")
    @classmethod
    def _no_clear_text_abroad(cls, value: str | None, info: ValidationInfo) -> str | None:
        url = urlsplit(value or "https://absent")
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("is no URL; it looks like https://host")
        if url.scheme == "http" and url.hostname not in LOOPBACK and not _is_local(info.data):
            raise ValueError("is http://; use https:// (http is for localhost, or FREEHOLD_ENV=local)")
        return value and value.rstrip("/")

    @validates("smtp_tls")
    @classmethod
    def _one_mail_server(cls, value: Tls | None, info: ValidationInfo) -> Tls | None:
        if info.data.get("smtp_url") and info.data.get("smtp_host"):
            raise ValueError("can't be told: SMTP_URL and SMTP_HOST are both set, keep one")
        server = _mail_server({**info.data, "smtp_tls": value})
        if server.tls == "none" and server.host not in LOOPBACK and not _is_local(info.data):
            raise ValueError("is `none`, and mail would travel in the clear; use starttls or tls")
        return value

    @validates("mail_from")
    @classmethod
    def _one_sender(cls, value: str | None) -> str | None:
        if value and "@" not in parseaddr(value)[1]:
            raise ValueError("is no sender; it looks like Freehold <notices@example.com>")
        return value

    @validates("photon_url", "nominatim_url")
    @classmethod
    def _is_a_server_of_ones_own(cls, value: str | None, info: ValidationInfo) -> str | None:
        provider = str(info.field_name).removesuffix("_url")
        url = urlsplit(value or "")
        if value and (url.scheme not in ("http", "https") or not url.hostname):
            raise ValueError(f"is no URL; it looks like http://{provider}.internal:8080")
        if url.hostname == PUBLIC_NOMINATIM:
            raise ValueError("is the public server, which forbids suggestions; run one of your own")
        if not value and info.data.get("places_provider") == provider:
            raise ValueError(f"is missing; PLACES_PROVIDER={provider} needs it")
        return value and value.rstrip("/")

    @validates("google_maps_api_key")
    @classmethod
    def _google_has_a_key(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("places_provider") == "google":
            raise ValueError("is missing; PLACES_PROVIDER=google needs it")
        return value

    @validates("places_countries")
    @classmethod
    def _are_countries(cls, value: str) -> str:
        codes = value.upper().replace(",", " ").split()
        if not 1 <= len(codes) <= 15 or not all(len(code) == 2 and code.isalpha() for code in codes):
            raise ValueError("is no list of 1 to 15 countries; it looks like US, CA")
        return ", ".join(codes)

    @property
    def countries(self) -> tuple[str, ...]:
        return tuple(self.places_countries.split(", "))

    @property
    def places_provider_chosen(self) -> str:
        return self.places_provider or ("google" if self.google_maps_api_key else "local")

    @property
    def message_id_domain(self) -> str:
        return self.mail_domain or parseaddr(self.mail_from or "")[1].rpartition("@")[2]

    @property
    def key_set_url(self) -> str:
        return self.jwks_url or f"{self.api_url}/auth/v1/.well-known/jwks.json"

    @property
    def token_issuer(self) -> str:
        return self.jwt_issuer or f"{self.api_url}/auth/v1"

    def secrets(self) -> tuple[str, ...]:
        """Every secret told, for the logs to hide."""
        told = (getattr(self, name) for name in type(self).model_fields)
        return tuple(value.get_secret_value() for value in told if isinstance(value, SecretStr))

    def mail_server(self) -> MailServer:
        return _mail_server(self.model_dump())


def load(*needs: str) -> Settings:
    """The settings; ConfigurationError with every problem at once. `needs`: what this verb can't miss."""
    given = environment.variables()
    problems = environment.misspelt(given, {name.upper() for name in Settings.model_fields})
    try:
        settings = Settings()  # type: ignore[call-arg]  # the rest comes from the environment
    except ValidationError as error:
        problems += [_line(one["loc"], one["msg"], one["type"]) for one in error.errors(include_input=False)]
    present = {name.lower() for name in given} | ({"smtp_url"} if "SMTP_HOST" in given else set())
    present |= set(LOCAL_DEFAULTS if _is_local({name.lower(): text for name, text in given.items()}) else ())
    problems += [_missing(name) for name in needs if name not in present]
    if problems:
        raise ConfigurationError(sorted(problems))
    return settings


def _is_local(values: Mapping[str, Any]) -> bool:
    here = urlsplit(values.get("api_url", "")).hostname in LOOPBACK
    return here or values.get("freehold_env") in ("local", "test")


def _mail_server(values: Mapping[str, Any]) -> MailServer:
    """What the SMTP_* variables say together. Values that failed their own check are absent."""
    if url := values.get("smtp_url"):
        return MailServer.from_url(url.get_secret_value(), values.get("smtp_tls"))
    password = values.get("smtp_password")
    return MailServer.at(
        values.get("smtp_host") or "localhost",
        values.get("smtp_port"),
        values.get("smtp_user"),
        password and password.get_secret_value(),
        values.get("smtp_tls"),
    )


def _missing(name: str) -> str:
    return f"{name.upper()} is missing; docs/reference/configuration.md says what it holds"


def _line(loc: tuple[int | str, ...], message: str, kind: str) -> str:
    name = str(loc[0])
    return _missing(name) if kind == "missing" else f"{name.upper()} {_said_of_it(message)}"


def _said_of_it(message: str) -> str:
    """Pydantic's message, to follow the name: ours as we wrote it, "Input should be …" as "should be …"."""
    return message.removeprefix("Value error, ").removeprefix("Input ")
