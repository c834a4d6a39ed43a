# /// script
# requires-python = ">=3.11"
# dependencies = ["pygithub==2.10.0", "requests==2.34.2"]
#
# [tool.agentjobs]
# name = "weekly-site-audit"
# description = "Audits every page on the site's map and proposes what to mend as a pull request."
# schedule = "0 6 * * 1"
# time-zone = "Europe/Bucharest"
# timeout-seconds = 1800
#
# [tool.agentjobs.env]
# SITE = "https://www.example.com"
# REPOSITORY = "example/website"
# GITHUB_TOKEN = {secret = "github/token"}
# ///
"""Mondays at 06:00: what is wrong with the pages of a web site, as a pull request that adds audits/<day>.md.

Needs a site map at SITE/sitemap.xml, and a token that may write contents and pull requests of REPOSITORY.
GITHUB_API_URL names another GitHub than the public one. A second run on a day updates the pull request of the first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit
from xml.etree import ElementTree

import requests
from github import Auth, Github, GithubException, UnknownObjectException
from github.Repository import Repository

SITE = os.environ.get("SITE", "").rstrip("/")
API = os.environ.get("GITHUB_API_URL", "https://api.github.com")
MAX_PAGES = 500
WEB = requests.Session()


class Page(HTMLParser):
    """What an audit wants to know of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.title, self.described, self.headings, self.bare_images = "", False, 0, 0
        self.links: list[str] = []
        self._in_title = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._in_title = tag == "title"
        self.headings += tag == "h1"
        self.bare_images += tag == "img" and "alt" not in given
        self.described |= tag == "meta" and given.get("name") == "description" and bool(given.get("content"))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))

    def handle_endtag(self, tag: str) -> None:
        self._in_title &= tag != "title"

    def handle_data(self, data: str) -> None:
        self.title += data.strip() if self._in_title else ""


def pages() -> list[str]:
    answer = opened(f"{SITE}/sitemap.xml")
    if not isinstance(answer, requests.Response):
        sys.exit(f"the site map {SITE}/sitemap.xml cannot be read: {answer}")
    try:
        found = [str(place.text).strip() for place in ElementTree.fromstring(answer.content).iter() if place.tag.endswith("}loc")]
    except ElementTree.ParseError as error:
        sys.exit(f"the site map {SITE}/sitemap.xml is not XML: {error}")
    return found or sys.exit(f"the site map {SITE}/sitemap.xml lists no page")


def opened(url: str) -> requests.Response | str:
    """The page, or why there is none."""
    try:
        answer = WEB.get(url, timeout=30)
    except requests.RequestException as error:
        return type(error).__name__
    return answer if answer.ok else f"status {answer.status_code}"


def problems(url: str, broken: dict[str, str | None]) -> Iterator[str]:
    """Of one page. `broken`: for each link that was tried before what is wrong with it."""
    answer = opened(url)
    if not isinstance(answer, requests.Response):
        yield f"cannot be opened: {answer}"
        return
    page = Page(answer.text)
    if not page.title:
        yield "has no title"
    if not page.described:
        yield "has no description"
    if page.headings != 1:
        yield f"has {page.headings} main headings instead of one"
    if page.bare_images:
        yield f"has {page.bare_images} images without a text for those who cannot see them"
    for link in sorted({urldefrag(urljoin(url, link)).url for link in page.links}):
        if urlsplit(link).netloc != urlsplit(SITE).netloc:
            continue
        if link not in broken:
            tried = opened(link)
            broken[link] = tried if isinstance(tried, str) else None
        if broken[link]:
            yield f"links to {link}: {broken[link]}"


def report(day: str, audited: list[str], found: dict[str, list[str]]) -> str:
    total = sum(map(len, found.values()))
    lines = [f"# Site audit of {day}", "", f"{len(audited)} pages of {SITE}, {len(found)} of them with {total} problems.", ""]
    for url, wrong in found.items():
        lines += [f"## {url}", "", *(f"- {problem}" for problem in wrong), ""]
    return "\n".join(lines)


def proposed(repository: Repository, day: str, text: str) -> str:
    """The address of the pull request."""
    branch, path, title = f"site-audit/{day}", f"audits/{day}.md", f"Site audit of {day}"
    base = repository.get_branch(repository.default_branch)
    try:
        repository.get_git_ref(f"heads/{branch}")
    except UnknownObjectException:
        repository.create_git_ref(f"refs/heads/{branch}", base.commit.sha)
    try:
        old = repository.get_contents(path, ref=branch)
        repository.update_file(path, title, text, old[0].sha if isinstance(old, list) else old.sha, branch=branch)
    except UnknownObjectException:
        repository.create_file(path, title, text, branch=branch)
    for pull in repository.get_pulls(state="open", head=f"{repository.owner.login}:{branch}"):
        pull.edit(body=text)
        return pull.html_url
    return repository.create_pull(base=repository.default_branch, head=branch, title=title, body=text).html_url


def main() -> None:
    for name in ("SITE", "REPOSITORY", "GITHUB_TOKEN"):
        if not os.environ.get(name):
            sys.exit(f"the variable {name} is missing: set it in the job's env")
    audited, tried = pages()[:MAX_PAGES], {}
    found = {url: wrong for url in audited if (wrong := list(problems(url, tried)))}
    if not found:
        print(f"{len(audited)} pages of {SITE} audited, nothing is wrong: no pull request")
        return
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    try:
        repository = Github(base_url=API, auth=Auth.Token(os.environ["GITHUB_TOKEN"])).get_repo(os.environ["REPOSITORY"])
        address = proposed(repository, day, report(day, audited, found))
    except (GithubException, requests.RequestException) as error:
        sys.exit(f"GitHub did not take the pull request for {os.environ['REPOSITORY']}: {error}")
    print(f"{len(audited)} pages of {SITE} audited, {len(found)} with problems: {address}")


if __name__ == "__main__":
    main()
