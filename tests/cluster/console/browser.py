"""Debian's Chromium, driven by Playwright, and the console that it opens."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.cluster.cli.plugin import Saj

WIDTHS: Final = (360, 768, 1280)
THEMES: Final = ("light", "dark")
HEIGHT: Final = 800
STARTS_WITHIN: Final = 30
SAYS: Final = "the console is at "


def chromium() -> str:
    """Its path. Installs it where it is missing, as root on Debian."""
    if shutil.which("chromium") is None:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (("update",), ("install", "--yes", "--no-install-recommends", "chromium")):
            subprocess.run(
                ["apt-get", "--quiet", *words], env=environment, check=True, capture_output=True
            )
    found = shutil.which("chromium")
    assert found, "the tests of the console need Chromium: apt-get install chromium"
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = playwright.chromium.launch(executable_path=chromium(), args=sandbox)
        try:
            yield launched
        finally:
            launched.close()


@dataclass
class Visit:
    """A browser of one person, logged in to their console."""

    context: BrowserContext
    page: Page
    base: str
    allowed: list[int] = field(default_factory=list)
    """HTTP statuses that a test expects; the browser logs them as errors."""
    wrong: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def heard(self, message: ConsoleMessage) -> None:
        text = message.text
        expected = any(f"status of {status} " in text for status in self.allowed)
        if message.type in ("error", "warning") and not expected:
            self.wrong.append(text)


@contextmanager
def console(saj: Saj, *arguments: str) -> Iterator[str]:
    """The address that `kubectl saj ui` prints, while it runs."""
    process = subprocess.Popen(
        ["kubectl", "saj", "ui", "--no-browser", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=saj.environment,
        cwd=saj.folder,
    )
    assert process.stdout
    assert process.stderr
    try:
        line = process.stdout.readline().strip()
        assert line.startswith(SAYS), f"{line}\n{process.stderr.read()}"
        yield line.removeprefix(SAYS)
    finally:
        process.terminate()
        process.wait(timeout=STARTS_WITHIN)
        process.stdout.close()
        process.stderr.close()


@contextmanager
def visit(browser: Browser, address: str, **options: Any) -> Iterator[Visit]:
    """Opens a console. Anything that the browser complains about fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": HEIGHT}, **options)
    context.set_default_timeout(STARTS_WITHIN * 1000)
    page = context.new_page()
    found = Visit(context, page, address.partition("/open")[0])
    page.on("console", found.heard)
    page.on("pageerror", lambda error: found.wrong.append(str(error)))
    try:
        page.goto(address)
        yield found
        assert found.wrong == []
    finally:
        context.close()
