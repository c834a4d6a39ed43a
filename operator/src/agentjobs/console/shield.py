"""What holds for every request, before any page sees it, and for every answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE: Final = frozenset({"GET", "HEAD"})
METHODS: Final = SAFE | {"POST"}
MAX_BODY: Final = 64 * 1024
"""Bytes of a form."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer a form has the origin null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Shield:
    """Refuses requests that no page of ours makes, and puts the same headers on every answer."""

    def __init__(self, app: ASGIApp, admits: Callable[[str], bool]) -> None:
        self._app = app
        self._admits = admits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if refusal := self._refusal(scope):
            status, sentence = refusal
            await PlainTextResponse(f"{sentence}\n", status)(scope, receive, answer)
        else:
            await self._app(scope, receive, answer)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers, method = Headers(scope=scope), scope["method"]
        length = headers.get("content-length", "")
        sends = method not in SAFE
        checks = (
            (
                not self._admits(headers.get("host", "")),
                421,
                "This console is not served under that host name.",
            ),
            (method not in METHODS, 405, "Pages are read with GET, and forms are sent with POST."),
            (
                is_crooked(scope.get("raw_path", b"")),
                400,
                "The address is not one of this console's.",
            ),
            (
                sends and not _is_own(headers, scope["scheme"]),
                403,
                "The form was not sent from a page of this console.",
            ),
            (
                sends and not (length.isascii() and length.isdigit() and int(length) <= MAX_BODY),
                413,
                f"A form has a length, of at most {MAX_BODY} bytes.",
            ),
        )
        return next(((status, sentence) for wrong, status, sentence in checks if wrong), None)


def is_crooked(path: bytes) -> bool:
    """Whether a path could be read in two ways: encoded or empty steps, or steps upwards."""
    lower = path.lower()
    if any(part in lower for part in (b"//", b"\\", b"%2f", b"%5c", b"%00", b"%2e")):
        return True
    return any(step in (b".", b"..") for step in lower.split(b"/"))


def _is_own(headers: Headers, scheme: str) -> bool:
    """Whether a page of this console sent the form: by its origin, which no page can choose."""
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    return headers.get("origin") == f"{scheme}://{headers.get('host')}"
