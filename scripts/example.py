"""Serve an example of docs/examples to a browser, with the local stack behind it: `make example`."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer
import uvicorn
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from scripts.demo import PASSWORD
from scripts.stack.__main__ import DEFAULT_ROOT, Root
from scripts.stack.layout import HOST, REPOSITORY, Stack

EXAMPLES = REPOSITORY / "docs" / "examples"
SUPABASE_JS = REPOSITORY / "node_modules" / "@supabase" / "supabase-js" / "dist" / "umd" / "supabase.js"


def site(folder: Path) -> Starlette:
    """The folder and supabase-js on one origin; nothing else, as a stack keeps its keys in the repository."""

    async def supabase_js(_: Request) -> Response:
        return FileResponse(SUPABASE_JS, media_type="text/javascript")

    return Starlette(
        routes=[
            Route("/vendor/supabase.js", supabase_js),
            Mount("/", StaticFiles(directory=folder, html=True)),
        ]
    )


def query(stack: Stack) -> str:
    """What the page is told of the stack: where it is, and the key that everybody has."""
    return urlencode({"api": stack.api_url, "key": stack.keys.anon_key})


def example(
    name: Annotated[str, typer.Argument(help="A folder of docs/examples.")] = "address-form",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where the browser finds it.")] = 54340,
    root: Root = DEFAULT_ROOT,
) -> None:
    """Serve it until interrupted."""
    names = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
    if name not in names:
        Console(stderr=True).print(f"[bold red]error:[/] there is no example {name}: {', '.join(names)}")
        sys.exit(2)
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        told = f"{HOST}:{port} can't be listened on: {error.strerror}"
        hint = 'choose another port, as in `make example ARGS="--port=8000"`'
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]error:[/] {told}; {hint}")
        sys.exit(1)
    stack = Stack.at(root)
    console = Console(highlight=False)
    console.print(f"http://{HOST}:{port}/?{query(stack)}", style="bold", soft_wrap=True)
    console.print(f"Sign in as manager@maple.test, password {PASSWORD}. Ctrl+C ends this.")
    console.print(f"The page calls {stack.api_url}: `make up` starts that.", style="dim")
    with listener:
        uvicorn.Server(uvicorn.Config(site(EXAMPLES / name), log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    typer.run(example)
