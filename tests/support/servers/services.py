"""Stand-ins for the services that the examples talk to: Slack, Airtable, Notion, GitHub and others.

They go as far as the examples do.

Standard library only and one file, so that a cluster test can run it in a pod: `python3 services.py
PORT`. Each service has a folder of its own (`/slack/...`) and takes only its own token,
`<service>-secret`. GET /received returns what each of them was sent, as JSON.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any]
OPEN: Final = frozenset({"site", "feeds", "mentions", "received"})
"""Without a token."""
PAGE: Final = (
    "<title>Shop</title><meta name='description' content='x'><h1>Shop</h1><a"
    " href='/site/gone'>gone</a><img src='a.png'>"
)
MISSING: Final[Answer] = (404, {"message": "Not Found"})


def token(service: str) -> str:
    """What the service takes."""
    return f"{service}-secret"


def last_month(day: int) -> str:
    """A day of the month before this one."""
    return f"{(datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(day=day):%Y-%m-%d}"


def ago(days: int) -> datetime:
    """So many days ago, to the second."""
    return (datetime.now(UTC) - timedelta(days=days)).replace(microsecond=0)


class Services:
    """What each service answers.

    `received`: what changed something, in order. `host`: by which name and port it is called.
    """

    def __init__(self) -> None:
        self.host = ""
        self.received: list[dict[str, Any]] = []
        self.branches: dict[str, dict[str, str]] = {"main": {}}
        self.pages: list[dict[str, Any]] = []

    def site(self, _: str, path: str, __: Any) -> Answer:
        pages = {
            "/sitemap.xml": self._map(),
            "/": PAGE,
            "/fine": PAGE.replace("/site/gone", "/site/").replace("<img src='a.png'>", ""),
        }
        return (200, pages[path]) if path in pages else MISSING

    def _map(self) -> str:
        places = "".join(
            f"<url><loc>http://{self.host}/site{path}</loc></url>" for path in ("/", "/fine")
        )
        return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{places}</urlset>'

    def feeds(self, _: str, path: str, __: Any) -> Answer:
        item = (
            "<item><title>{}</title><link>https://one.example/{}</link><pubDate>{}</pubDate></item>"
        )
        old, new = (
            item.format(title, name, format_datetime(ago(days)))
            for title, name, days in (("Old", "old", 20), ("A &amp; B", "new", 3))
        )
        entry = (
            "<entry><title>Hello</title><link"
            f' href="https://two.example/1"/><updated>{ago(2).isoformat()}</updated></entry>'
        )
        feeds = {
            "/one.xml": f"<rss><channel>{old}{new}</channel></rss>",
            "/two.xml": f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>',
        }
        return (200, feeds[path]) if path in feeds else MISSING

    def mentions(self, *_: Any) -> Answer:
        hits = [
            {
                "objectID": str(number),
                "title": f"Story {number}",
                "author": "ana",
                "created_at": f"{ago(number):%Y-%m-%dT%H:%M:%SZ}",
            }
            for number in (1, 2)
        ]
        return 200, {"hits": hits}

    def ahrefs(self, *_: Any) -> Answer:
        links = [
            ("known.example", 71.0, last_month(3), last_month(27), None),
            ("lost.example", 40.0, "2020-01-01", last_month(12), "removed"),
            ("old.example", 90.0, "2020-01-01", last_month(20), None),
        ]
        fields = (
            "root_name_source",
            "domain_rating_source",
            "first_seen_link",
            "last_seen",
            "lost_reason",
        )
        return 200, {"backlinks": [dict(zip(fields, link, strict=True)) for link in links]}

    def airtable(self, method: str, _: str, body: Any) -> Answer:
        if method != "PATCH":
            return MISSING
        names = [f"rec{number:014}" for number, _ in enumerate(body["records"])]
        records = [
            {"id": name, "createdTime": "2026-11-24T12:00:00.000Z", **record}
            for name, record in zip(names, body["records"], strict=True)
        ]
        return 200, {"records": records, "createdRecords": names, "updatedRecords": []}

    def plausible(self, _: str, __: str, body: Any) -> Answer:
        now = body["date_range"][0] == last_month(1)
        if not body.get("dimensions"):
            return 200, {
                "results": [{"dimensions": [], "metrics": [1200, 3000] if now else [1000, 4000]}]
            }
        return 200, {
            "results": [
                {
                    "dimensions": [f"{body['dimensions'][0]} A"],
                    "metrics": [600, 700] if now else [300, 700],
                }
            ]
        }

    def slack(self, *_: Any) -> Answer:
        return 200, {"ok": True, "ts": "1.0", "channel": "C1"}

    def buttondown(self, *_: Any) -> Answer:
        return 201, {"id": "em-1", "status": "draft"}

    def notion(self, _: str, path: str, body: Any) -> Answer:
        if path.endswith("/query"):
            wanted = body["filter"]["url"]["equals"]
            return 200, {
                "object": "list",
                "results": [
                    page for page in self.pages if page["properties"]["Address"]["url"] == wanted
                ],
            }
        self.pages.append({"object": "page", "id": str(len(self.pages)), **body})
        return 200, self.pages[-1]

    def github(self, method: str, path: str, body: Any) -> Answer:
        """One repository: branches with files, and pull requests.

        Paths as its REST API has them.
        """
        of, _, rest = path.removeprefix("/repos/example/website").lstrip("/").partition("/")
        url = f"http://{self.host}/github/repos/example/website"
        if not of:
            return 200, {
                "name": "website",
                "full_name": "example/website",
                "default_branch": "main",
                "url": url,
                "owner": {"login": "example"},
            }
        if of == "branches":
            return 200, {"name": rest, "commit": {"sha": "a" * 40, "url": f"{url}/commits/a"}}
        if of == "git" and method == "POST":
            self.branches[body["ref"].removeprefix("refs/heads/")] = {}
            return 201, {
                "ref": body["ref"],
                "url": f"{url}/git/{body['ref']}",
                "object": {"sha": body["sha"], "type": "commit", "url": url},
            }
        if of == "contents" and method == "PUT":
            self.branches[body["branch"]][rest] = base64.b64decode(body["content"]).decode()
            return 201, {"content": {"path": rest, "sha": "b" * 40}, "commit": {"sha": "c" * 40}}
        if of == "pulls":
            return (
                (
                    201,
                    {
                        "number": 1,
                        "url": f"{url}/pulls/1",
                        "html_url": "https://github.example/pull/1",
                    },
                )
                if method == "POST"
                else (200, [])
            )
        return MISSING


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    services: ClassVar[Services]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        pass

    def _answer(self) -> None:
        _, service, path = (urlsplit(self.path).path + "/").split("/", 2)
        body = self._body()
        path = f"/{path.removesuffix('/')}"
        handler: Callable[[str, str, Any], Answer] | None = getattr(self.services, service, None)
        if service == "received":
            answer: Answer = (200, self.services.received)
        elif not callable(handler) or service.startswith("_"):
            answer = MISSING
        elif service not in OPEN and (self.headers.get("Authorization") or "").partition(" ")[
            2
        ] != token(service):
            answer = (401, {"message": "Unauthorized"})
        else:
            if self.command != "GET" and not path.endswith("/query"):
                self.services.received.append(
                    {"service": service, "method": self.command, "path": path, "body": body}
                )
            self.services.host = self.headers["Host"]
            answer = handler(self.command, path, body)
        text = answer[1] if isinstance(answer[1], str) else json.dumps(answer[1])
        self.send_response(answer[0])
        self.send_header(
            "Content-Type",
            "text/html; charset=utf-8" if isinstance(answer[1], str) else "application/json",
        )
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def _body(self) -> Any:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if "json" in (self.headers.get("Content-Type") or ""):
            return json.loads(data)
        return {name: values[0] for name, values in parse_qs(data).items()}

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()


if __name__ == "__main__":
    ThreadingHTTPServer(
        ("", int(sys.argv[1])), type("Handler", (_Handler,), {"services": Services()})
    ).serve_forever()
