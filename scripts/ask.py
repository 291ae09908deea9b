"""Ask the API something as one of the demo's people: `make ask AS=manager@maple.test GET='units?limit=3'`."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import httpx
import typer
from rich.console import Console

from scripts.demo import PASSWORD, PEOPLE
from scripts.stack.__main__ import DEFAULT_ROOT, Root
from scripts.stack.layout import Stack


def ask(
    who: Annotated[str, typer.Argument(help="The e-mail address to sign in with.")],
    what: Annotated[str, typer.Argument(help="What stands behind /rest/v1/, as in `leases?limit=3`.")],
    root: Root = DEFAULT_ROOT,
    password: Annotated[str, typer.Option(envvar="FREEHOLD_PASSWORD")] = PASSWORD,
) -> None:
    """Sign in, GET it, and print the rows as JSON; the request goes to stderr as a curl command."""
    stack = Stack.at(root)
    notes = Console(stderr=True, highlight=False, soft_wrap=True, style="dim")
    try:
        with httpx.Client(
            base_url=stack.api_url, headers={"apikey": stack.keys.anon_key}, timeout=30, trust_env=False
        ) as api:
            signed_in = api.post(
                "/auth/v1/token", params={"grant_type": "password"}, json={"email": who, "password": password}
            )
            if signed_in.is_error:
                _stop(_why_not(who, signed_in))
            token = signed_in.json()["access_token"]
            notes.print(
                f"curl '{stack.api_url}/rest/v1/{what}' "
                '-H "apikey: $ANON_KEY" -H "Authorization: Bearer $TOKEN"'
                f"   # the token of {who}; `make env` prints ANON_KEY"
            )
            answer = api.get(f"/rest/v1/{what}", headers={"Authorization": f"Bearer {token}"})
    except httpx.TransportError as error:
        _stop(f"The API at {stack.api_url} does not answer ({error}): start it with `make up`")
    print(json.dumps(answer.json(), indent=2, ensure_ascii=False))
    if answer.is_error:
        sys.exit(1)


def _why_not(who: str, refusal: httpx.Response) -> str:
    if refusal.status_code == 429:
        seconds = refusal.headers.get("Retry-After", "60")
        return f"The gateway lets five people a minute sign in: try again in {seconds} seconds"
    said = refusal.json().get("msg", refusal.text)
    return f"{who} could not sign in: {said}. The demo's people are {', '.join(PEOPLE)}"


def _stop(reason: str) -> None:
    Console(stderr=True).print(f"[bold red]error:[/] {reason}", highlight=False, soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    typer.run(ask)
