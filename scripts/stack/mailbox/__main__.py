"""`python -m scripts.stack.mailbox`: serve SMTP and HTTP on 127.0.0.1 until told to stop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from scripts.stack.layout import HOST
from scripts.stack.mailbox.sink import Sink, listen
from scripts.stack.mailbox.store import MailStore
from scripts.stack.mailbox.web import create_app


def main(
    folder: Annotated[Path, typer.Option(help="Where mails are kept.")],
    smtp_port: Annotated[int, typer.Option()] = 54325,
    http_port: Annotated[int, typer.Option()] = 54324,
) -> None:
    asyncio.run(serve(MailStore(folder), smtp_port=smtp_port, http_port=http_port))


async def serve(store: MailStore, *, smtp_port: int, http_port: int) -> None:
    smtp = await listen(Sink(store), smtp_port)
    web = uvicorn.Config(create_app(store), host=HOST, port=http_port, access_log=False, log_level="warning")
    async with smtp:
        await uvicorn.Server(web).serve()


if __name__ == "__main__":
    typer.run(main)
