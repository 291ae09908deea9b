"""What an operator may set at the gateway, and how it is read and checked."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from scripts.stack.layout import HOST, StackError

Count = Annotated[int, Field(ge=1, le=2**32 - 1)]
Words = tuple[str, ...]


class GatewaySettings(BaseModel):
    """What an operator may set, each by the environment variable of the same name in capitals.

    Limits are token buckets: so many calls at once, refilled evenly over a minute.
    """

    model_config = ConfigDict(frozen=True)

    rate_limit_address_per_minute: Count = 100
    rate_limit_user_per_minute: Count = 1000
    rate_limit_auth_per_minute: Count = 5
    rate_limit_allow: Words = ()
    rate_limit_buckets: Count = 20_000
    xff_trusted_hops: int = Field(default=0, ge=0, le=10)
    cors_allow_origins: Words = ("*",)
    gateway_listen: str = HOST
    gateway_max_body_bytes: Count = 10 * 2**20
    gateway_max_upload_bytes: Count = 50 * 2**20
    gateway_upstream_timeout_seconds: float = Field(default=60, gt=0)
    gateway_max_requests_per_upstream: Count = 1000
    gateway_threads: int = Field(default=2, ge=1, le=64)

    @classmethod
    def read(cls, env: Mapping[str, str]) -> GatewaySettings:
        """Settings from `env` alone. Raises StackError, naming every variable that is wrong."""
        chosen = {name: env[name.upper()] for name in cls.model_fields if env.get(name.upper())}
        try:
            return cls.model_validate(chosen)
        except ValidationError as error:
            problems = [f"{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
            raise StackError("The gateway can't be configured. " + "; ".join(problems)) from error

    @field_validator("rate_limit_allow", "cors_allow_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("rate_limit_allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(each)) for each in value)

    @field_validator("gateway_listen")
    @classmethod
    def _address(cls, value: str) -> str:
        return str(ipaddress.ip_address(value))
