# /// script
# requires-python = ">=3.11"
# dependencies = ["pandas==3.1.1", "requests==2.34.2", "slack-sdk==3.47.0"]
#
# [tool.agentjobs]
# name = "monthly-traffic-report"
# description = "Tells the channel how many people came to the site last month, from where, and how that compares."
# schedule = "0 8 1 * *"
# time-zone = "Europe/Bucharest"
# timeout-seconds = 300
#
# [tool.agentjobs.env]
# SITE = "example.com"
# CHANNEL = "#traffic"
# PLAUSIBLE_TOKEN = {secret = "plausible/token"}
# SLACK_TOKEN = {secret = "slack/token"}
# ///
"""On the first of each month at 08:00: last month's traffic beside that of the month before, to a Slack channel.

Needs a key of the Plausible Stats API and a Slack token with chat:write, whose app is in CHANNEL.
PLAUSIBLE_URL and SLACK_API_URL name other places than the public ones.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

PLAUSIBLE = os.environ.get("PLAUSIBLE_URL", "https://plausible.io").rstrip("/")
SLACK = os.environ.get("SLACK_API_URL", "https://slack.com/api/")
METRICS = ["visitors", "pageviews"]
TOP = 5


def month_before(day: date) -> tuple[date, date]:
    """The first and the last day of the month before this day's."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def counted(days: tuple[date, date], dimension: str | None = None) -> pd.DataFrame:
    """One row for each value of the dimension, or one for all. Columns: `of` and the metrics."""
    question = {"site_id": os.environ["SITE"], "metrics": METRICS, "date_range": [day.isoformat() for day in days]}
    if dimension:
        question |= {"dimensions": [dimension], "order_by": [["visitors", "desc"]], "pagination": {"limit": 1000}}
    headers = {"Authorization": f"Bearer {os.environ['PLAUSIBLE_TOKEN']}"}
    try:
        answer = requests.post(f"{PLAUSIBLE}/api/v2/query", json=question, headers=headers, timeout=60)
    except requests.RequestException as error:
        sys.exit(f"{PLAUSIBLE} could not be reached: {type(error).__name__}")
    if not answer.ok:
        sys.exit(f"{PLAUSIBLE} refused the question for {os.environ['SITE']}: {answer.status_code} {answer.text[:200]}")
    rows = [[row["dimensions"][0] if dimension else "all", *row["metrics"]] for row in answer.json()["results"]]
    return pd.DataFrame(rows, columns=["of", *METRICS])


def change(now: int, before: int) -> str:
    return f"{(now - before) / before:+.0%}" if before else "new"


def ranking(title: str, now: pd.DataFrame, before: pd.DataFrame) -> Iterator[str]:
    both = now.merge(before, on="of", how="left", suffixes=("", "_before")).fillna(0)
    yield f"*{title}*"
    for row in both.nlargest(TOP, "visitors").itertuples():
        yield f"• {row.of}: {row.visitors:,} ({change(row.visitors, int(row.visitors_before))})"


def report(month: tuple[date, date], earlier: tuple[date, date]) -> str:
    now, before = (counted(days).iloc[0] for days in (month, earlier))
    lines = [f"*{os.environ['SITE']} in {month[0]:%B %Y}*"]
    lines += [f"{now[metric]:,} {metric} ({change(int(now[metric]), int(before[metric]))})" for metric in METRICS]
    for title, dimension in (("Top pages", "event:page"), ("Top sources", "visit:source")):
        lines += ["", *ranking(title, counted(month, dimension), counted(earlier, dimension))]
    return "\n".join(lines)


def main() -> None:
    for name in ("SITE", "CHANNEL", "PLAUSIBLE_TOKEN", "SLACK_TOKEN"):
        if not os.environ.get(name):
            sys.exit(f"the variable {name} is missing: set it in the job's env")
    month = month_before(datetime.now(UTC).date())
    visitors = int(counted(month)["visitors"].sum())
    text = report(month, month_before(month[0])) if visitors else f"Nobody came to {os.environ['SITE']} in {month[0]:%B %Y}."
    try:
        WebClient(os.environ["SLACK_TOKEN"], base_url=SLACK).chat_postMessage(channel=os.environ["CHANNEL"], text=text)
    except SlackApiError as error:
        sys.exit(f"Slack did not take the message for {os.environ['CHANNEL']}: {error.response['error']}")
    except OSError as error:
        sys.exit(f"Slack could not be reached at {SLACK}: {error}")
    print(f"{month[0]:%B %Y}: {visitors:,} visitors of {os.environ['SITE']}, told to {os.environ['CHANNEL']}")


if __name__ == "__main__":
    main()
