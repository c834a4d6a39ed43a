"""Requests over a session that somebody else opened, in the name that its headers give."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp


class Direct:
    """Sends requests to `base`, for example `https://10.96.0.1`, with `headers` on each of them."""

    def __init__(
        self, session: aiohttp.ClientSession, base: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._session = session
        self._base = base
        self._headers = dict(headers or {})

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        query: Mapping[str, str],
        body: Any,
    ) -> aiohttp.ClientResponse:
        return await self._session.request(
            method,
            f"{self._base}{path}",
            headers={**headers, **self._headers},
            params=query,
            data=None if body is None else json.dumps(body),
            allow_redirects=False,
        )
