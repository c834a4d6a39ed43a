"""What no request gets past, and what every answer says."""

from __future__ import annotations

import pytest
from starlette.types import ASGIApp

from agentjobs.console.app import PAGES, create
from agentjobs.console.local import LocalDoor
from agentjobs.console.shield import HEADERS, MAX_BODY
from agentjobs.console.visitor import Visitor
from tests.console.asgi import ask


class NoCluster:
    """Where nothing may be asked."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"the cluster was asked: {name}")


@pytest.fixture
def door() -> LocalDoor:
    return LocalDoor(Visitor("ana", NoCluster()), 8001)  # type: ignore[arg-type]


@pytest.fixture
def app(door: LocalDoor) -> ASGIApp:
    return create(door)


@pytest.fixture
def cookie(app: ASGIApp, door: LocalDoor) -> str:
    answer = ask(app, "/open?" + door.address.partition("?")[2])
    assert answer.status == 303
    return answer.headers["set-cookie"].partition(";")[0]


def paths(method: str) -> list[str]:
    found = (path for each, path, _ in PAGES if each == method)
    return [path.format(namespace="ns", name="n", stream="stdout") for path in found]


@pytest.mark.parametrize("path", [*paths("GET"), "/static/x/console.css", "/nowhere"])
@pytest.mark.parametrize(
    "host",
    [
        "",
        "example.org",
        "example.org:8001",
        "127.0.0.1",
        "127.0.0.1:8002",
        "127.0.0.1:8001.example.org",
        "127.0.0.1.example.org:8001",
        "localhost:8001@example.org",
        "[::2]:8001",
        "LOCALHOST:8001",
    ],
)
def test_only_this_machine_by_its_own_names_is_answered(
    app: ASGIApp, cookie: str, path: str, host: str
) -> None:
    assert ask(app, path, headers={"host": host, "cookie": cookie}).status == 421


@pytest.mark.parametrize("path", paths("GET") + paths("POST"))
def test_nobody_is_let_in_without_the_cookie(app: ASGIApp, path: str) -> None:
    method = "GET" if path in paths("GET") else "POST"
    for cookie in ("", "agentjobs-8001=x", "agentjobs-8001=", "other=y"):
        assert ask(app, path, method=method, headers={"cookie": cookie}).status == 401


@pytest.mark.parametrize("path", paths("POST"))
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ""},
        {"origin": "null"},
        {"origin": "http://example.org"},
        {"origin": "https://127.0.0.1:8001"},
        {"origin": "http://127.0.0.1:8002"},
        {"origin": "http://localhost:8001"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_a_form_of_another_page_is_refused(
    app: ASGIApp, cookie: str, path: str, headers: dict[str, str]
) -> None:
    assert ask(app, path, method="POST", headers={"cookie": cookie} | headers).status == 403


@pytest.mark.parametrize("path", sorted(set(paths("POST")) - set(paths("GET"))))
def test_nothing_is_done_by_opening_an_address(app: ASGIApp, cookie: str, path: str) -> None:
    assert ask(app, path, headers={"cookie": cookie}).status in (404, 405)


@pytest.mark.parametrize(
    "path",
    [
        "//example.org",
        "/jobs//n",
        "/jobs/../health",
        "/jobs/./n",
        "/jobs/ns%2fn/x",
        "/jobs/ns/%2e%2e",
        "/jobs\\ns/n",
        "/jobs/ns/n%00",
        "/jobs/ns/%5cn",
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_refused(
    app: ASGIApp, cookie: str, path: str
) -> None:
    assert ask(app, path, headers={"cookie": cookie}).status == 400


@pytest.mark.parametrize("length", ["", str(MAX_BODY + 1), "-1", "x", "\u0661"])
def test_a_form_is_short_and_says_how_long_it_is(app: ASGIApp, cookie: str, length: str) -> None:
    headers = {"cookie": cookie, "content-length": length}
    answer = ask(app, paths("POST")[0], method="POST", headers=headers)
    assert answer.status == 413


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_refused(app: ASGIApp, cookie: str, method: str) -> None:
    assert ask(app, "/", method=method, headers={"cookie": cookie}).status == 405


@pytest.mark.parametrize(
    "path", ["/help", "/nowhere", "/open?token=x", "/jobs/../x", "/static/a/b"]
)
def test_every_answer_forbids_scripts_frames_and_guesses(
    app: ASGIApp, cookie: str, path: str
) -> None:
    answer = ask(app, path, headers={"cookie": cookie})
    assert {name: answer.headers[name.lower()] for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] == "no-store"


def test_the_address_opens_the_console_once_and_for_one_browser(
    app: ASGIApp, door: LocalDoor
) -> None:
    path = "/open?" + door.address.partition("?")[2]
    first = ask(app, path)
    assert (first.status, first.headers["location"]) == (303, "/")
    kept = first.headers["set-cookie"]
    assert "HttpOnly" in kept
    assert "SameSite=strict" in kept
    assert ask(app, path).status == 401
    again = ask(app, path, headers={"cookie": kept.partition(";")[0]})
    assert (again.status, again.headers["location"]) == (303, "/")


@pytest.mark.parametrize("token", ["", "x", "%00", "ä"])
def test_a_guessed_token_opens_nothing_and_spends_nothing(
    app: ASGIApp, door: LocalDoor, token: str
) -> None:
    assert ask(app, f"/open?token={token}").status == 401
    assert ask(app, "/open?" + door.address.partition("?")[2]).status == 303


def test_a_page_that_needs_no_cluster_is_shown_to_its_person(app: ASGIApp, cookie: str) -> None:
    answer = ask(app, "/help", headers={"cookie": cookie})
    assert answer.status == 200
    assert "ana" in answer.body
