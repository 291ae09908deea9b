"""The HTTP side: two pages for people, and Mailpit's JSON for programs."""

from __future__ import annotations

import json
from email.utils import getaddresses
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from scripts.stack.mailbox.store import Mail, MailStore

LONGEST_SNIPPET = 200
LONGEST_PAGE = 1000
templates = Jinja2Templates(Path(__file__).with_name("templates"))


def create_app(store: MailStore) -> Starlette:
    calls = [
        ("GET", "/", _inbox_page),
        ("GET", "/view/{id}.html", _mail_html),
        ("GET", "/view/{id}", _mail_page),
        ("GET", "/api/v1/messages", _list),
        ("DELETE", "/api/v1/messages", _delete),
        ("GET", "/api/v1/search", _search),
        ("GET", "/api/v1/message/{id}", _show),
        ("GET", "/api/v1/message/{id}/headers", _headers),
        ("GET", "/api/v1/message/{id}/raw", _raw),
        ("GET", "/livez", _alive),
    ]
    return Starlette(
        routes=[Route(path, partial(call, store), methods=[method]) for method, path, call in calls]
    )


async def _inbox_page(store: MailStore, request: Request) -> Response:
    query = request.query_params.get("query", "")
    found = _page(store, request, store.search(query) if query else None)
    return templates.TemplateResponse(request, "inbox.html", {"query": query, **found})


async def _mail_page(store: MailStore, request: Request) -> Response:
    return templates.TemplateResponse(request, "mail.html", {"mail": _details(_mail(store, request))})


async def _mail_html(store: MailStore, request: Request) -> Response:
    """The mail's own HTML. It came from outside: the browser runs no script of it."""
    return HTMLResponse(_mail(store, request).body("html"), headers={"Content-Security-Policy": "sandbox"})


async def _list(store: MailStore, request: Request) -> Response:
    return JSONResponse(_page(store, request, None))


async def _search(store: MailStore, request: Request) -> Response:
    return JSONResponse(_page(store, request, store.search(request.query_params.get("query", ""))))


async def _show(store: MailStore, request: Request) -> Response:
    return JSONResponse(_details(_mail(store, request)))


async def _headers(store: MailStore, request: Request) -> Response:
    headers: dict[str, list[str]] = {}
    for name, value in _mail(store, request).message.items():
        headers.setdefault(name, []).append(str(value))
    return JSONResponse(headers)


async def _raw(store: MailStore, request: Request) -> Response:
    return Response(_mail(store, request).content, media_type="text/plain")


async def _delete(store: MailStore, request: Request) -> Response:
    body = await request.body()
    try:
        ids = json.loads(body).get("IDs") if body else None
    except (ValueError, AttributeError):
        raise HTTPException(400, 'Give no body, or {"IDs": [...]}') from None
    store.delete(ids or None)
    return PlainTextResponse("ok")


async def _alive(store: MailStore, request: Request) -> Response:
    return PlainTextResponse("ok")


def _mail(store: MailStore, request: Request) -> Mail:
    mail = store.get(request.path_params["id"])
    if mail is None:
        raise HTTPException(404, "There is no such mail")
    return mail


def _page(store: MailStore, request: Request, found: list[Mail] | None) -> dict[str, Any]:
    """A page of the mails found, or of all; only those on the page are read from disk."""
    start, limit = _number(request, "start", 0), min(_number(request, "limit", 50), LONGEST_PAGE)
    envelopes = store.envelopes()
    if found is None:
        some = [mail for envelope in envelopes[start : start + limit] if (mail := store.get(envelope.id))]
    else:
        some = found[start : start + limit]
    return {
        "total": len(envelopes),
        "unread": 0,
        "count": len(some),
        "messages_count": len(envelopes) if found is None else len(found),
        "start": start,
        "tags": [],
        "messages": [_summary(mail) for mail in some],
    }


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        raise HTTPException(400, f"{name} is a whole number")
    return int(text)


def _summary(mail: Mail) -> dict[str, Any]:
    return {
        "ID": mail.envelope.id,
        "MessageID": str(mail.message.get("Message-ID", "")).strip("<>"),
        "Read": True,
        **_people(mail),
        "Subject": str(mail.message.get("Subject", "")),
        "Created": mail.envelope.received_at,
        "Tags": [],
        "Size": len(mail.content),
        "Attachments": len(list(mail.message.iter_attachments())),
        "Snippet": " ".join(mail.body("plain").split())[:LONGEST_SNIPPET],
    }


def _details(mail: Mail) -> dict[str, Any]:
    return {
        "ID": mail.envelope.id,
        "MessageID": str(mail.message.get("Message-ID", "")).strip("<>"),
        **_people(mail),
        "ReturnPath": mail.envelope.sender,
        "Subject": str(mail.message.get("Subject", "")),
        "Date": mail.envelope.received_at,
        "Tags": [],
        "Text": mail.body("plain"),
        "HTML": mail.body("html"),
        "Size": len(mail.content),
        "Inline": [],
        "Attachments": [
            {"FileName": part.get_filename() or "", "ContentType": part.get_content_type()}
            for part in mail.message.iter_attachments()
        ],
    }


def _people(mail: Mail) -> dict[str, Any]:
    """Addresses by header. Who got the mail without standing in a header is Bcc."""
    named = {name: _addresses(mail, name) for name in ("From", "To", "Cc", "Reply-To")}
    open_to = {person["Address"].lower() for name in ("To", "Cc") for person in named[name]}
    hidden = [address for address in mail.envelope.recipients if address.lower() not in open_to]
    return {
        "From": named["From"][0] if named["From"] else {"Name": "", "Address": mail.envelope.sender},
        "To": named["To"],
        "Cc": named["Cc"],
        "Bcc": [{"Name": "", "Address": address} for address in hidden],
        "ReplyTo": named["Reply-To"],
    }


def _addresses(mail: Mail, header: str) -> list[dict[str, str]]:
    values = [str(value) for value in mail.message.get_all(header, [])]
    return [{"Name": name, "Address": address} for name, address in getaddresses(values) if address]
