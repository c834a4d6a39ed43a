"""One request to an ASGI application, byte by byte as a client would send it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp

HOST = "127.0.0.1:8001"
ORIGIN = f"http://{HOST}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


def ask(
    app: ASGIApp,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Answer:
    """What the application answers.

    `headers` replace those of a browser; empty ones are left out.
    """
    plain, _, query = path.partition("?")
    sent = {"host": HOST, **({"origin": ORIGIN} if method == "POST" else {})}
    sent |= {"content-length": str(len(body))} if method == "POST" else {}
    sent |= dict(headers or {})
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items() if value],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8001),
    }
    answered: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        answered.append(message)

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())
    start, *rest = answered
    found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    text = b"".join(part.get("body", b"") for part in rest).decode()
    return Answer(start["status"], found, text)
