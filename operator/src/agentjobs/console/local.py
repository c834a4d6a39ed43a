"""The door of `kubectl saj ui`: one person, who holds the token that opened the browser."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from agentjobs.console.render import message
from agentjobs.console.visitor import Visitor

HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")


class LocalDoor:
    """Exchanges a token, once, for a cookie of this browser; both end with the process."""

    def __init__(self, visitor: Visitor, port: int) -> None:
        self._visitor = visitor
        self._hosts = frozenset(f"{host}:{port}" for host in HOSTS)
        self._token: str | None = secrets.token_urlsafe(32)
        self._cookie = secrets.token_urlsafe(32)
        self._name = f"agentjobs-{port}"
        self.address = f"http://127.0.0.1:{port}/open?token={self._token}"
        self.routes: Sequence[Route] = (Route("/open", self._open),)

    def admits(self, host: str) -> bool:
        return host in self._hosts

    async def visitor(self, request: Request) -> Visitor | Response:
        given = request.cookies.get(self._name, "")
        if secrets.compare_digest(given.encode(), self._cookie.encode()):
            return self._visitor
        return message(
            request,
            401,
            "This console belongs to another browser",
            "Open it with the address that `kubectl saj ui` printed. That works once; start "
            "`kubectl saj ui` again for another browser.",
        )

    async def _open(self, request: Request) -> Response:
        given, token = request.query_params.get("token", ""), self._token
        if token is None or not secrets.compare_digest(given.encode(), token.encode()):
            return await self._used(request)
        self._token = None
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._name, self._cookie, httponly=True, samesite="strict", path="/")
        return answer

    async def _used(self, request: Request) -> Response:
        found = await self.visitor(request)
        return found if isinstance(found, Response) else RedirectResponse("/", 303)
