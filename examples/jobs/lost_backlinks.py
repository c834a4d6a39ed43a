# /// script
# requires-python = ">=3.11"
# dependencies = ["requests==2.34.2", "slack-sdk==3.47.0"]
#
# [tool.agentjobs]
# name = "lost-backlinks"
# description = "Warns the channel of backlinks from well-known domains that were lost in the last seven days."
# schedule = "0 8 * * 1"
# time-zone = "Europe/Bucharest"
# timeout-seconds = 300
#
# [tool.agentjobs.env]
# TARGET = "example.com"
# MIN_RATING = "50"
# CHANNEL = "#seo"
# AHREFS_TOKEN = {secret = "ahrefs/token"}
# SLACK_TOKEN = {secret = "slack/token"}
# ///
"""Mondays at 08:00: backlinks of domains with a rating of MIN_RATING or more that were lost in the last seven days, to Slack.

Needs a key of the Ahrefs API, and a Slack token with chat:write, whose app is in CHANNEL. AHREFS_URL and SLACK_API_URL name
other places than the public ones. When nothing was lost, nothing is posted.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

AHREFS = os.environ.get("AHREFS_URL", "https://api.ahrefs.com/v3").rstrip("/")
SLACK = os.environ.get("SLACK_API_URL", "https://slack.com/api/")
COLUMNS = ["url_from", "url_to", "domain_rating_source", "last_seen", "lost_reason"]
SHOWN = 20


def lost(since: date, rating: float) -> list[dict[str, Any]]:
    """The best known first."""
    where = [{"field": "domain_rating_source", "is": ["gte", rating]}, {"field": "last_seen", "is": ["gte", str(since)]}]
    wanted = {
        "target": os.environ["TARGET"],
        "mode": "subdomains",
        "history": f"since:{since}",
        "select": ",".join(COLUMNS),
        "where": json.dumps({"and": where}),
        "limit": "1000",
    }
    headers = {"Authorization": f"Bearer {os.environ['AHREFS_TOKEN']}"}
    try:
        answer = requests.get(f"{AHREFS}/site-explorer/all-backlinks", params=wanted, headers=headers, timeout=120)
    except requests.RequestException as error:
        sys.exit(f"{AHREFS} could not be reached: {type(error).__name__}")
    if not answer.ok:
        sys.exit(f"{AHREFS} refused the question for {os.environ['TARGET']}: {answer.status_code} {answer.text[:200]}")
    return sorted((link for link in answer.json()["backlinks"] if link["lost_reason"]), key=lambda link: -link["domain_rating_source"])


def message(links: list[dict[str, Any]], since: date) -> str:
    lines = [f"*{len(links)} backlinks of {os.environ['TARGET']} were lost since {since}*"]
    lines += [f"• {link['domain_rating_source']:g} {link['url_from']} → {link['url_to']}: {link['lost_reason']}" for link in links[:SHOWN]]
    return "\n".join([*lines, *([f"and {len(links) - SHOWN} more"] if len(links) > SHOWN else [])])


def main() -> None:
    for name in ("TARGET", "MIN_RATING", "CHANNEL", "AHREFS_TOKEN", "SLACK_TOKEN"):
        if not os.environ.get(name):
            sys.exit(f"the variable {name} is missing: set it in the job's env")
    since = datetime.now(UTC).date() - timedelta(days=7)
    links = lost(since, float(os.environ["MIN_RATING"]))
    if not links:
        print(f"no backlink of {os.environ['TARGET']} was lost since {since}: nothing was posted")
        return
    try:
        WebClient(os.environ["SLACK_TOKEN"], base_url=SLACK).chat_postMessage(channel=os.environ["CHANNEL"], text=message(links, since))
    except SlackApiError as error:
        sys.exit(f"Slack did not take the message for {os.environ['CHANNEL']}: {error.response['error']}")
    except OSError as error:
        sys.exit(f"Slack could not be reached at {SLACK}: {error}")
    print(f"{len(links)} backlinks of {os.environ['TARGET']} were lost since {since}: told to {os.environ['CHANNEL']}")


if __name__ == "__main__":
    main()
