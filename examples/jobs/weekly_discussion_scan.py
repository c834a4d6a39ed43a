# /// script
# requires-python = ">=3.11"
# dependencies = ["requests==2.34.2", "slack-sdk==3.47.0"]
#
# [tool.agentjobs]
# name = "weekly-discussion-scan"
# description = "Lists the week's questions on our topics that nobody has answered, so that somebody of the team does."
# schedule = "30 8 * * 3"
# time-zone = "Europe/Bucharest"
# timeout-seconds = 300
#
# [tool.agentjobs.env]
# TOPICS = "kubernetes-cronjob;kopf"
# CHANNEL = "#community"
# SLACK_TOKEN = {secret = "slack/token"}
# ///
"""Wednesdays at 08:30: questions of the last seven days with one of TOPICS as their tag and without an answer, to Slack.

Needs a Slack token with chat:write, whose app is in CHANNEL. FORUM is a site of the Stack Exchange network, stackoverflow if
left out; FORUM_URL and SLACK_API_URL name other places than the public ones. Without questions nothing is posted.
"""

from __future__ import annotations

import html
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

FORUM = os.environ.get("FORUM", "stackoverflow")
API = os.environ.get("FORUM_URL", "https://api.stackexchange.com/2.3").rstrip("/")
SLACK = os.environ.get("SLACK_API_URL", "https://slack.com/api/")
SHOWN = 15


def questions(topics: str, since: datetime) -> list[dict[str, Any]]:
    """Without an answer, those that most people looked at first."""
    wanted = {"site": FORUM, "tagged": topics, "fromdate": f"{since.timestamp():.0f}", "sort": "creation", "pagesize": "100"}
    try:
        answer = requests.get(f"{API}/search/advanced", params=wanted, timeout=60)
    except requests.RequestException as error:
        sys.exit(f"{API} could not be reached: {type(error).__name__}")
    if not answer.ok:
        sys.exit(f"{API} refused the search for {topics}: {answer.status_code} {answer.text[:200]}")
    found = [question for question in answer.json()["items"] if not question["answer_count"]]
    return sorted(found, key=lambda question: -question["view_count"])


def message(found: list[dict[str, Any]]) -> str:
    lines = [f"*{len(found)} questions of this week have no answer yet*"]
    lines += [f"• {html.unescape(each['title'])} ({each['view_count']} views) {each['link']}" for each in found[:SHOWN]]
    return "\n".join([*lines, *([f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])])


def main() -> None:
    for name in ("TOPICS", "CHANNEL", "SLACK_TOKEN"):
        if not os.environ.get(name):
            sys.exit(f"the variable {name} is missing: set it in the job's env")
    topics, channel = os.environ["TOPICS"], os.environ["CHANNEL"]
    found = questions(topics, datetime.now(UTC) - timedelta(days=7))
    if not found:
        print(f"no question on {topics} of the last seven days waits for an answer: nothing was posted")
        return
    try:
        WebClient(os.environ["SLACK_TOKEN"], base_url=SLACK).chat_postMessage(channel=channel, text=message(found))
    except SlackApiError as error:
        sys.exit(f"Slack did not take the message for {channel}: {error.response['error']}")
    except OSError as error:
        sys.exit(f"Slack could not be reached at {SLACK}: {error}")
    print(f"{len(found)} questions on {topics} without an answer: told to {channel}")


if __name__ == "__main__":
    main()
