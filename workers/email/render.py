"""Fills the templates. Each is a subject, a text and an HTML part, compiled from MJML beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, select_autoescape

from workers.email import filters

TEMPLATES = Path(__file__).parent / "templates"


class UnknownTemplate(Exception):
    """This version of the worker has no such template."""


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(template: str, payload: Mapping[str, Any], *, site_url: str) -> Rendered:
    """The three parts. A field that the template asks for and the payload lacks is an error."""
    environment = _environment()
    values = {**payload, "site_url": site_url}
    try:
        subject = environment.get_template(f"{template}.subject.txt").render(values)
        text = environment.get_template(f"{template}.txt").render(values)
        html = environment.get_template(f"{template}.html").render(values)
    except TemplateNotFound as error:
        raise UnknownTemplate(f"there is no template {template!r}") from error
    # On one line, or a line break in the name of a property would make a header that cannot be sent.
    return Rendered(" ".join(subject.split()), text.strip() + "\n", html)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(filters.ALL)
    return environment
