# /// script
# requires-python = ">=3.11"
# dependencies = ["pandas==3.1.1", "pyairtable==3.5.1", "requests==2.34.2"]
#
# [tool.agentjobs]
# name = "monthly-backlink-summary"
# description = "Writes last month's new and lost backlinks into the base, one row for each referring domain."
# schedule = "0 9 1 * *"
# time-zone = "Europe/Bucharest"
# timeout-seconds = 600
#
# [tool.agentjobs.env]
# TARGET = "example.com"
# BASE = "appXXXXXXXXXXXXXX"
# TABLE = "Backlinks"
# AHREFS_TOKEN = {secret = "ahrefs/token"}
# AIRTABLE_TOKEN = {secret = "airtable/token"}
# ///
"""On the first of each month at 09:00: a row for each domain that began or ceased to link to us, in an Airtable base.

Needs a key of the Ahrefs API, and an Airtable token with data.records:write for BASE. TABLE has the fields Month, Domain (text),
Rating, New and Lost (numbers). AHREFS_URL and AIRTABLE_URL name other places than the public ones.
Month and Domain are the key of a row: a second run updates the rows of the first.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import requests
from pyairtable import Api

AHREFS = os.environ.get("AHREFS_URL", "https://api.ahrefs.com/v3").rstrip("/")
AIRTABLE = os.environ.get("AIRTABLE_URL", "https://api.airtable.com")
COLUMNS = ["root_name_source", "domain_rating_source", "first_seen_link", "last_seen", "lost_reason"]


def backlinks(since: date) -> pd.DataFrame:
    """Those that lived at any time since this day."""
    wanted = {
        "target": os.environ["TARGET"],
        "mode": "subdomains",
        "history": f"since:{since}",
        "select": ",".join(COLUMNS),
        "limit": 10000,
    }
    headers = {"Authorization": f"Bearer {os.environ['AHREFS_TOKEN']}"}
    try:
        answer = requests.get(f"{AHREFS}/site-explorer/all-backlinks", params=wanted, headers=headers, timeout=120)
    except requests.RequestException as error:
        sys.exit(f"{AHREFS} could not be reached: {type(error).__name__}")
    if not answer.ok:
        sys.exit(f"{AHREFS} refused the question for {os.environ['TARGET']}: {answer.status_code} {answer.text[:200]}")
    return pd.DataFrame(answer.json()["backlinks"], columns=COLUMNS)


def by_domain(links: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Domains with new or lost links in these days; the best known first."""

    def within(column: str) -> pd.Series:
        days = links[column].astype("string").str[:10]
        return (days >= str(first)) & (days <= str(last))

    marked = links.assign(New=within("first_seen_link"), Lost=within("last_seen") & links["lost_reason"].notna())
    summed = marked.groupby("root_name_source").agg(Rating=("domain_rating_source", "max"), New=("New", "sum"), Lost=("Lost", "sum"))
    return summed[(summed["New"] > 0) | (summed["Lost"] > 0)].sort_values(["Rating", "New"], ascending=False)


def main() -> None:
    for name in ("TARGET", "BASE", "TABLE", "AHREFS_TOKEN", "AIRTABLE_TOKEN"):
        if not os.environ.get(name):
            sys.exit(f"the variable {name} is missing: set it in the job's env")
    last = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
    first = last.replace(day=1)
    domains = by_domain(backlinks(first), first, last)
    month = f"{first:%Y-%m}"
    if domains.empty:
        print(f"{month}: no domain began or ceased to link to {os.environ['TARGET']}, nothing to write")
        return
    rows = [
        {"Month": month, "Domain": str(row.Index), "Rating": float(row.Rating), "New": int(row.New), "Lost": int(row.Lost)}
        for row in domains.itertuples()
    ]
    table = Api(os.environ["AIRTABLE_TOKEN"], endpoint_url=AIRTABLE).table(os.environ["BASE"], os.environ["TABLE"])
    try:
        done = table.batch_upsert([{"fields": row} for row in rows], key_fields=["Month", "Domain"])
    except requests.RequestException as error:
        sys.exit(f"Airtable did not take the rows for {os.environ['TABLE']} in {os.environ['BASE']}: {error}")
    added, updated = len(done["createdRecords"]), len(done["updatedRecords"])
    print(f"{month}: {domains['New'].sum()} new and {domains['Lost'].sum()} lost backlinks; {added} rows added, {updated} updated")


if __name__ == "__main__":
    main()
