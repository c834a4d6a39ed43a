"""Pages from templates. Whatever a template shows is shown as it is on a card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import ChainableUndefined, Environment, PackageLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from agentjobs.present.text import visible, when

STATIC: Final = Path(__file__).with_name("static")


def _shown(value: object) -> object:
    """What stands for a value in a page. Markup is what templates themselves made."""
    return value if isinstance(value, Markup) else visible(str(value))


def now() -> datetime:
    """The only clock of the pages."""
    return datetime.now(UTC)


def address(*steps: str, **query: object) -> str:
    """A path of this console."""
    path = "/" + "/".join(quote(step, safe="") for step in steps)
    wanted = {name: str(value) for name, value in query.items() if value not in ("", None, False)}
    return f"{path}?{urlencode(wanted)}" if wanted else path


@cache
def static(name: str) -> str:
    """The address of a file of ours, with its content's hash, so that it can be kept forever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{digest}/{name}"


def ago(text: str | None) -> str:
    """A time on the wire as distance."""
    return when(text, now())


_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("agentjobs.console"),
    autoescape=True,
    finalize=_shown,
    undefined=ChainableUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals.update(address=address, static=static, ago=ago)


def page(
    template: str,
    request: Request,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page for whoever asks."""
    html = _ENVIRONMENT.get_template(template).render(
        request=request, path=request.url.path, **values
    )
    return HTMLResponse(html, status, headers)


def message(request: Request, status: int, title: str, sentence: str) -> HTMLResponse:
    """A page that says one thing."""
    return page(
        "message.html", request, status=status, title=title, sentence=sentence, visitor=None
    )
