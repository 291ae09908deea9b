"""The endpoints under /places: read the request, ask, answer."""

from __future__ import annotations

from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workers.edge import service
from workers.edge.envelope import answer
from workers.places.provider import Address, Query
from workers.refusal import Refusal

STORABLE = r"^[^\x00]*$"  # PostgreSQL has no text with a NUL in it
Text = Annotated[str, StringConstraints(max_length=200, pattern=STORABLE)]
PlaceId = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=STORABLE)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$", to_upper=True)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
Token = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("should not be blank")
    return value


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OpenSession(_Body):
    workspace_id: UUID


class Autocomplete(_Body):
    session_token: Token
    input: Text
    input_offset: int | None = Field(default=None, ge=0)
    language: Language | None = None
    countries: Annotated[list[Country], Field(min_length=1, max_length=15)] | None = None


class Details(_Body):
    session_token: Token
    place_id: PlaceId
    language: Language | None = None


class TypedAddress(_Body):
    address_line1: Annotated[Text, AfterValidator(_not_blank)]
    address_line2: Text | None = None
    city: Text | None = None
    state: Text | None = None
    postal_code: Text | None = None
    country: Country | None = None


class Validate(_Body):
    workspace_id: UUID
    session_token: Token | None = None
    address: TypedAddress


async def open_session(request: Request) -> Response:
    caller = await service.caller_of(request)
    asked = await _read(request, OpenSession)
    request.state.workspace_id = str(asked.workspace_id)
    return answer(await service.of(request).lookup.open_session(caller.user_id, asked.workspace_id))


async def autocomplete(request: Request) -> Response:
    caller = await service.caller_of(request)
    asked = await _read(request, Autocomplete)
    if asked.input_offset is not None and asked.input_offset > len(asked.input):
        raise _invalid("input_offset: lies behind the end of input")
    places = service.of(request)
    session = places.lookup.session(caller.user_id, asked.session_token)
    request.state.workspace_id = str(session.workspace_id)
    query = Query(
        text=asked.input,
        countries=tuple(asked.countries or places.countries),
        offset=asked.input_offset,
        language=asked.language,
    )
    return answer(await places.lookup.autocomplete(caller.user_id, session, query))


async def details(request: Request) -> Response:
    caller = await service.caller_of(request)
    asked = await _read(request, Details)
    lookup = service.of(request).lookup
    session = lookup.session(caller.user_id, asked.session_token)
    request.state.workspace_id = str(session.workspace_id)
    return answer(await lookup.details(caller.user_id, session, asked.place_id, asked.language))


async def validate(request: Request) -> Response:
    caller = await service.caller_of(request)
    asked = await _read(request, Validate)
    request.state.workspace_id = str(asked.workspace_id)
    lookup = service.of(request).lookup
    session = lookup.session(caller.user_id, asked.session_token) if asked.session_token else None
    if session and session.workspace_id != asked.workspace_id:
        raise _invalid("session_token: is of another workspace than workspace_id")
    typed = Address(**asked.address.model_dump())
    return answer(await lookup.validate(caller.user_id, asked.workspace_id, session, typed))


ROUTES = [
    Route("/places/sessions", open_session, methods=["POST"]),
    Route("/places/autocomplete", autocomplete, methods=["POST"]),
    Route("/places/details", details, methods=["POST"]),
    Route("/places/validate", validate, methods=["POST"]),
]

Body = TypeVar("Body", bound=BaseModel)


async def _read(request: Request, body: type[Body]) -> Body:
    """The body as it should be; Refusal 422 naming each field that isn't, and no value."""
    try:
        return body.model_validate_json(await request.body())
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        lines = [f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in problems]
        raise _invalid("; ".join(lines)) from None


def _invalid(problems: str) -> Refusal:
    return Refusal(
        422,
        "request_invalid",
        "The request's body is not as it should be",
        details=problems,
        hint="docs/reference/edge.md says what each call takes.",
    )
