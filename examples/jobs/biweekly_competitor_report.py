# /// script
# requires-python = ">=3.11"
# dependencies = ["requests==2.34.2", "slack-sdk==3.47.0"]
#
# [tool.agentjobs]
# name = "biweekly-competitor-report"
# description = "Tells the channel what competitors have published in the last two weeks, and keeps each report."
# schedule = "30 9 * * 4"
# every-weeks = 2
# start-date = 2026-11-26
# time-zone = "Europe/Bucharest"
# workspace = "competitor-reports"
# timeout-seconds = 600
#
# [tool.agentjobs.env]
# FEEDS = "https://blog.one.example/feed.xml https://two.example/news/atom.xml"
# CHANNEL = "#market"
# SLACK_TOKEN = {secret = "slack/token"}
# ///
"""Every second Thursday at 09:30: what the web feeds of competitors have had in the last two weeks, to Slack and as a file.

Needs a Slack token with chat:write, whose app is in CHANNEL, and a claim. FEEDS are addresses of RSS or Atom feeds, with blanks
between them. The report is also kept as <day>.md in the workspace. SLACK_API_URL names another place than the public one.
A feed that cannot be read stands in the report as such; when none can be read, the run fails and nothing is posted.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.etree import ElementTree

import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

SLACK = os.environ.get("SLACK_API_URL", "https://slack.com/api/")
DAYS = 14
SHOWN = 10
ATOM = "{http://www.w3.org/2005/Atom}"


class Post(NamedTuple):
    """`at`: aware."""

    at: datetime
    title: str
    address: str


def read(feed: str) -> list[Post]:
    """Raises ValueError with what is wrong with the feed. What has no date is left out."""
    try:
        answer = requests.get(feed, timeout=60)
        answer.raise_for_status()
        tree = ElementTree.fromstring(answer.content)
    except requests.HTTPError as error:
        raise ValueError(f"status {error.response.status_code}") from None
    except requests.RequestException as error:
        raise ValueError(type(error).__name__) from None
    except ElementTree.ParseError as error:
        raise ValueError(f"no XML: {error}") from None
    return [post for item in [*tree.iter("item"), *tree.iter(f"{ATOM}entry")] if (post := post_of(item))]


def post_of(item: ElementTree.Element) -> Post | None:
    said = item.findtext("pubDate") or item.findtext(f"{ATOM}published") or item.findtext(f"{ATOM}updated") or ""
    try:
        at = datetime.fromisoformat(said.strip()) if item.tag == f"{ATOM}entry" else parsedate_to_datetime(said)
    except ValueError:
        return None
    link = item.find(f"{ATOM}link")
    address = item.findtext("link") or (link.get("href", "") if link is not None else "")
    title = item.findtext("title") or item.findtext(f"{ATOM}title") or address
    return Post(at if at.tzinfo else at.replace(tzinfo=UTC), " ".join(title.split()), address.strip())


def section(feed: str, since: datetime) -> tuple[list[str], bool]:
    """Lines of Markdown about one feed, and whether it could be read."""
    head = f"## {urlsplit(feed).netloc}"
    try:
        posts = sorted((post for post in read(feed) if post.at >= since), reverse=True)
    except ValueError as error:
        return [head, "", f"The feed {feed} could not be read: {error}", ""], False
    lines = [f"- {post.at:%Y-%m-%d} [{post.title}]({post.address})" for post in posts[:SHOWN]]
    more = [f"- and {len(posts) - SHOWN} more"] if len(posts) > SHOWN else []
    return [head, "", *(lines or ["Nothing new."]), *more, ""], True


def main() -> None:
    for name in ("FEEDS", "CHANNEL", "SLACK_TOKEN"):
        if not os.environ.get(name):
            sys.exit(f"the variable {name} is missing: set it in the job's env")
    now, channel = datetime.now(UTC), os.environ["CHANNEL"]
    sections = [section(feed, now - timedelta(days=DAYS)) for feed in os.environ["FEEDS"].split()]
    unread = sum(not readable for _, readable in sections)
    text = "\n".join([f"# Competitors, {DAYS} days up to {now:%Y-%m-%d}", "", *(line for lines, _ in sections for line in lines)])
    if unread == len(sections):
        sys.exit(f"no feed could be read, nothing was posted:\n{text}")
    Path(f"{now:%Y-%m-%d}.md").write_text(text)
    try:
        WebClient(os.environ["SLACK_TOKEN"], base_url=SLACK).chat_postMessage(channel=channel, markdown_text=text)
    except SlackApiError as error:
        sys.exit(f"Slack did not take the report for {channel}: {error.response['error']}")
    except OSError as error:
        sys.exit(f"Slack could not be reached at {SLACK}: {error}")
    print(f"{len(sections)} feeds, {unread} of them could not be read: told to {channel}, and kept as {now:%Y-%m-%d}.md")


if __name__ == "__main__":
    main()
