# /// script
# requires-python = ">=3.11"
# dependencies = ["httpx==0.28.1", "notion-client==3.1.0", "requests==2.34.2"]
#
# [tool.agentjobs]
# name = "fortnightly-mentions"
# description = "Puts each mention of the brand of the last two weeks into the tracker in Notion, once."
# schedule = "0 10 * * 2"
# every-weeks = 2
# start-date = 2026-11-24
# time-zone = "Europe/Bucharest"
# timeout-seconds = 600
#
# [tool.agentjobs.env]
# BRAND = "Example"
# TRACKER = "00000000-0000-0000-0000-000000000000"
# NOTION_TOKEN = {secret = "notion/token"}
# ///
"""Every second Tuesday at 10:00: the mentions of BRAND on Hacker News since the last time, one page for each in a Notion tracker.

Needs a token of a Notion integration that may read and insert content, and whose connection the tracker has. TRACKER is the id of its data
source, with the properties Title (title), Address (URL), On (date) and By (text). MENTIONS_URL and NOTION_URL name other places
than the public ones. Address is the key of a page: a second run adds only what the first did not.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from httpx import HTTPError
from notion_client import Client
from notion_client.errors import NotionClientErrorBase

MENTIONS = os.environ.get("MENTIONS_URL", "https://hn.algolia.com/api/v1").rstrip("/")
NOTION = os.environ.get("NOTION_URL", "https://api.notion.com").rstrip("/")
DAYS = 14
MOST = 200
LONGEST = 200


def mentions(brand: str, since: datetime) -> list[dict[str, str]]:
    """The newest first."""
    wanted = {"query": f'"{brand}"', "numericFilters": f"created_at_i>{since.timestamp():.0f}", "hitsPerPage": str(MOST)}
    try:
        answer = requests.get(f"{MENTIONS}/search_by_date", params=wanted, timeout=60)
    except requests.RequestException as error:
        sys.exit(f"{MENTIONS} could not be reached: {type(error).__name__}")
    if not answer.ok:
        sys.exit(f"{MENTIONS} refused the search for {brand}: {answer.status_code} {answer.text[:200]}")
    return [
        {
            "Title": (hit.get("title") or hit.get("story_title") or f"A mention of {brand}")[:LONGEST],
            "Address": f"https://news.ycombinator.com/item?id={hit['objectID']}",
            "On": hit["created_at"],
            "By": hit["author"],
        }
        for hit in answer.json()["hits"]
    ]


def is_there(notion: Client, tracker: str, address: str) -> bool:
    wanted = {"property": "Address", "url": {"equals": address}}
    return bool(notion.data_sources.query(tracker, filter=wanted, page_size=1)["results"])


def properties(mention: dict[str, str]) -> dict[str, Any]:
    return {
        "Title": {"title": [{"text": {"content": mention["Title"]}}]},
        "Address": {"url": mention["Address"]},
        "On": {"date": {"start": mention["On"]}},
        "By": {"rich_text": [{"text": {"content": mention["By"]}}]},
    }


def main() -> None:
    for name in ("BRAND", "TRACKER", "NOTION_TOKEN"):
        if not os.environ.get(name):
            sys.exit(f"the variable {name} is missing: set it in the job's env")
    brand, tracker = os.environ["BRAND"], os.environ["TRACKER"]
    found = mentions(brand, datetime.now(UTC) - timedelta(days=DAYS))
    notion = Client(auth=os.environ["NOTION_TOKEN"], base_url=NOTION)
    added = 0
    try:
        for mention in reversed(found):
            if not is_there(notion, tracker, mention["Address"]):
                notion.pages.create(parent={"type": "data_source_id", "data_source_id": tracker}, properties=properties(mention))
                added += 1
    except NotionClientErrorBase as error:
        sys.exit(f"Notion did not take the mentions for {tracker}, {added} are added: {error}")
    except HTTPError as error:
        sys.exit(f"Notion could not be reached at {NOTION}, {added} mentions are added: {type(error).__name__}")
    print(f"{len(found)} mentions of {brand} in {DAYS} days, {added} of them new in the tracker")
    if len(found) == MOST:
        print(f"there may be more: the search gives at most {MOST}", file=sys.stderr)


if __name__ == "__main__":
    main()
