"""The console in a real browser: people read, approve and watch, each in their own name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.cluster.cli.plugin import installed
from tests.cluster.console.browser import THEMES, WIDTHS, Visit, browser, console, visit
from tests.cluster.installed import Installed
from tests.cluster.rights import bind
from tests.cluster.support import Kubectl, new_namespace
from tests.support import manifests

COUNTS: Final = """\
import sys, time
for n in range(6):
    print('line', n, flush=True)
    time.sleep(0.5)
print('that was all', file=sys.stderr)
"""
FAILS: Final = """\
import sys
print('before')
sys.exit('<img src=x onerror=alert(1)> \\x1b[31mred')
"""
MARKUP: Final = '<script>alert(1)</script><b onclick="x">bold</b> {{ 7*7 }}'
PAGES: Final = (
    "/",
    "/decide",
    "/decide/{ns}/seen",
    "/jobs/{ns}/seen",
    "/packages",
    "/health",
    "/help",
)


@dataclass
class Place:
    """A namespace with people: ana may approve, ed may only write, vic may only read."""

    agentjobs: Installed
    namespace: str
    addresses: dict[str, str]
    folder: Path

    def job(self, name: str, script: str = COUNTS, **spec: Any) -> str:
        """A job that waits, as ed wrote it; returns its digest."""
        body = manifests.job(name, script={"inline": script}, **spec)
        self.agentjobs.kubectl.acting("ed").apply(self.namespace, body)
        return self.agentjobs.digest(self.namespace, name)

    def ran(self, name: str) -> str:
        """The name of a run that has ended."""
        run = self.agentjobs.start(self.namespace, name)
        self.agentjobs.finished(self.namespace, run)
        return run


@pytest.fixture(scope="module")
def place(
    agentjobs: Installed, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("console")
    with new_namespace(kubectl) as namespace:
        for role, user in (("edit", "ed"), ("admin", "ana"), ("view", "vic")):
            bind(kubectl, namespace, role, user=user)
        yield Place(agentjobs, namespace, {}, folder)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as launched:
        yield launched


@pytest.fixture
def visits(place: Place, chromium: Browser, kubectl: Kubectl) -> Iterator[Any]:
    with ExitStack() as stack:

        def opened(user: str | None, *arguments: str, **options: Any) -> Visit:
            saj = installed(kubectl, place.namespace, place.folder, user)
            address = stack.enter_context(console(saj, *arguments))
            return stack.enter_context(visit(chromium, address, **options))

        yield opened


def test_a_newcomer_decides_runs_and_watches_by_mouse(place: Place, visits: Any) -> None:
    digest = place.job("mouse", description="Counts to six.")
    page = visits("ana").page
    page.get_by_role("link", name="To decide").click()
    page.get_by_role("link", name="mouse", exact=True).click()
    expect(page.get_by_text(digest)).to_be_visible()
    page.get_by_label("Reason").fill("It only counts.")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("Approved.")
    watch_a_run(place, page, "mouse", lambda: page.get_by_role("button", name="Run now").click())
    approval = place.agentjobs.kubectl.json("get", "aja", "-n", place.namespace)["items"][0]
    assert approval["spec"]["approvedBy"] == "ana"
    assert approval["spec"]["reason"] == "It only counts."
    assert approval["spec"]["digest"] == digest


def watch_a_run(place: Place, page: Page, name: str, start: Any) -> None:
    place.agentjobs.wait_condition(place.namespace, name, "Ready", "True")
    page.goto(f"{page.url.partition('/decide')[0]}/jobs/{place.namespace}/{name}")
    start()
    expect(page.locator("#log li").first).to_have_text("line 0", timeout=60_000)
    expect(page.locator(".word").first).to_have_text("succeeded", timeout=60_000)
    expect(page.get_by_role("link", name="stderr")).to_be_visible()
    assert page.locator(".log li").all_inner_texts() == [f"line {n}" for n in range(6)]
    page.get_by_role("link", name="stderr").click()
    assert page.locator(".log li").all_inner_texts() == ["that was all"]


def test_the_same_by_keyboard_alone(place: Place, visits: Any) -> None:
    place.job("keys", description="Counts to six.")
    page = visits("ana").page
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/decide")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/decide/*/keys")
    focus(page, "Approve")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Approved.")

    def start() -> None:
        focus(page, "Run now")
        page.keyboard.press("Enter")

    watch_a_run(place, page, "keys", start)


def focus(page: Page, words: str) -> None:
    """By Tab, as somebody without a mouse gets there."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == words:
            return
    raise AssertionError(f"{words} cannot be reached by Tab")


def test_no_key_decides(place: Place, visits: Any) -> None:
    place.job("unkeyed")
    seen = visits("ana")
    page = seen.go(f"/decide/{place.namespace}/unkeyed")
    for key in "abcdefhilmnoprstuvwxyzAD\n ":
        page.keyboard.press("Enter" if key == "\n" else key)
    assert page.url.endswith("/unkeyed")
    assert approvals(place, "unkeyed") == []


def approvals(place: Place, job: str) -> list[Any]:
    found = place.agentjobs.kubectl.json("get", "aja", "-n", place.namespace)["items"]
    return [each for each in found if each["spec"]["jobName"] == job]


def test_a_job_that_changed_since_it_was_shown_is_not_approved(place: Place, visits: Any) -> None:
    place.job("changes", "print('one')\n")
    seen = visits("ana")
    seen.allowed = [409]
    page = seen.go(f"/decide/{place.namespace}/changes")
    digest = place.job("changes", "print('two')\n")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing was decided.")
    expect(page.locator(".code")).to_contain_text("print('two')")
    assert approvals(place, "changes") == []
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("Approved.")
    assert [each["spec"]["digest"] for each in approvals(place, "changes")] == [digest]


@pytest.mark.parametrize("user", ["ed", "vic"])
def test_who_may_not_decide_is_told_what_is_missing(place: Place, visits: Any, user: str) -> None:
    place.job("forbidden")
    page = visits(user).go(f"/decide/{place.namespace}/forbidden")
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    expect(page.locator("#hindrance")).to_contain_text("scheduledagentjobs/forbidden")


def test_a_form_that_was_tampered_with_decides_nothing(place: Place, visits: Any) -> None:
    place.job("tampered")
    seen = visits("ed")
    seen.allowed = [403]
    page = seen.go(f"/decide/{place.namespace}/tampered")
    page.evaluate("document.querySelector('button[value=Approved]').disabled = false")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading")).to_contain_text("refused")
    assert approvals(place, "tampered") == []


def test_without_javascript_a_decision_works(place: Place, visits: Any) -> None:
    place.job("plain")
    page = visits("ana", java_script_enabled=False).go(f"/decide/{place.namespace}/plain")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("status")).to_contain_text("Denied.")
    assert [each["spec"]["decision"] for each in approvals(place, "plain")] == ["Denied"]


def test_what_an_author_wrote_is_text_everywhere(place: Place, visits: Any) -> None:
    script = f"# {MARKUP}\nimport sys\nprint({MARKUP!r} + chr(0x202E))\n"
    place.agentjobs.in_force(place.namespace, "markup", script, description=f"Says {MARKUP}")
    run = place.ran("markup")
    seen = visits("ana")
    for path in (
        "/",
        f"/decide/{place.namespace}/markup",
        f"/jobs/{place.namespace}/markup",
        f"/runs/{place.namespace}/{run}",
    ):
        page = seen.go(path)
        expect(page.locator("body")).to_contain_text("<script>alert(1)</script>")
        assert page.locator("main script, main b[onclick], main img").count() == 0
        assert "\u202e" not in page.content()


def test_the_list_shows_what_changes_while_it_is_open(place: Place, visits: Any) -> None:
    place.agentjobs.in_force(place.namespace, "lively", COUNTS)
    page = visits("ana").go("/")
    row = page.locator(f"#job-{place.namespace}-lively")
    expect(page.locator("#live")).to_have_text("Live.")
    place.agentjobs.start(place.namespace, "lively")
    expect(row).to_contain_text("running", timeout=60_000)
    expect(row).to_contain_text("finished", timeout=60_000)


def test_jobs_are_paused_and_resumed_together(place: Place, visits: Any) -> None:
    for name in ("many-a", "many-b"):
        place.agentjobs.in_force(
            place.namespace, name, "print(1)\n", schedule={"cron": "0 8 * * 1"}
        )
    page = visits("ana").go("/?q=many")
    page.get_by_label("All jobs of this page").check()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status").first).to_contain_text("Paused.")
    paused = place.agentjobs.kubectl.json("get", "saj", "-n", place.namespace)["items"]
    assert {job["metadata"]["name"] for job in paused if job["spec"].get("suspend")} == {
        "many-a",
        "many-b",
    }


def test_a_failed_run_opens_on_stderr_with_a_remedy(place: Place, visits: Any) -> None:
    place.agentjobs.in_force(place.namespace, "fails", FAILS)
    run = place.ran("fails")
    page = visits("vic").go(f"/runs/{place.namespace}/{run}")
    expect(page.locator(".log li").first).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page.locator(".log li").first).to_contain_text("<U+001B CONTROL>")
    expect(page.locator("main")).to_contain_text("What to do")


@pytest.mark.parametrize("theme", THEMES)
def test_no_page_has_a_barrier_at_any_width(place: Place, visits: Any, theme: str) -> None:
    place.job("seen", packages=["six==1.17.0"])
    seen = visits("ana", color_scheme=theme, bypass_csp=True)
    found = []
    for path in PAGES:
        page = seen.go(path.format(ns=place.namespace))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            found += [f"{path} at {width}: {wide} too wide"] if wide > 0 else []
            results = Axe().run(page)
            found += [
                f"{path} at {width}, {theme}: {each['id']}: {each['nodes'][0]['html'][:120]}"
                for each in results.response["violations"]
            ]
    assert found == []


@pytest.mark.parametrize("user", ["ana", None])
def test_another_browser_is_not_let_in(place: Place, visits: Any, user: str | None) -> None:
    seen = visits(user)
    other = seen.context.browser.new_context()
    page = other.new_page()
    answer = page.goto(seen.base + "/")
    assert answer
    assert answer.status == 401
    other.close()
