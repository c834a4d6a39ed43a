"""`kubectl get` alone says what awaits approval, runs or failed, and when the next start comes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, new_namespace, wait_for

NEW_YEAR = {"cron": "0 8 1 1 *", "timeZone": "Europe/Bucharest"}
NO_CLOCK = {"cron": "0 8 * * 1", "everyWeeks": 2, "startDate": "9999-12-31"}
POD = {"restartPolicy": "Never", "containers": [{"name": "other", "image": "example.com/other:1"}]}
NEVER = "At 00:00, on day 30 of the month, only in February (Etc/UTC)"
YEARLY = "At 08:00, on day 1 of the month, only in January (Europe/Bucharest)"

JOBS = f"""
NAME | PHASE | APPROVAL | SCHEDULE | NEXT | LAST RUN | RUNS | FAILED | REASON | AGE
changed | Scheduled | Changed | {YEARLY} | <new year> |  | 0 | 0 |  | <age>
denied | Denied | Denied | manual runs only |  |  | 0 | 0 |  | <age>
failed | Failed | Approved | manual runs only |  | <time> | 1 | 1 | ScriptFailed | <age>
idle | Idle | Approved | {NEVER} |  |  | 0 | 0 | NeverDue | <age>
invalid | Invalid | Changed | {YEARLY} | <new year> |  | 0 | 0 | InvalidSpec | <age>
paused | Paused | Approved | {YEARLY} |  |  | 0 | 0 | Suspended | <age>
running | Running | Approved | {YEARLY} | <new year> | <time> | 0 | 0 |  | <age>
starting | Blocked | Approved | manual runs only |  |  | 0 | 0 | Unschedulable | <age>
taken | Blocked | Approved | {YEARLY} | <new year> |  | 0 | 0 | NameTaken | <age>
waits | PendingApproval | Pending | {YEARLY} |  |  | 0 | 0 |  | <age>
went | Finished | Approved | {YEARLY} | <new year> | <time> | 1 | 0 |  | <age>
"""
RUNS = """
NAME | JOB | PHASE | REASON | EXIT CODE | TRIGGER | STARTED | FINISHED | AGE
failed-run | failed | Failed | ScriptFailed | 3 | Manual | <time> | <time> | <age>
running-run | running | Running |  |  | Manual | <time> |  | <age>
starting-run | starting | Pending | Unschedulable |  | Manual |  |  | <age>
waits-run | waits | Skipped | NotApproved |  | Manual |  | <time> | <age>
went-run | went | Succeeded | Completed | 0 | Manual | <time> | <time> | <age>
"""


@pytest.fixture(scope="module")
def namespace(agentjobs: Installed, kubectl: Kubectl) -> Iterator[str]:
    """Jobs at every point of their lives."""
    waits = "import time\nprint('at work', flush=True)\ntime.sleep(600)"
    in_force = [
        many.job("changed", "print('old')", schedule=NEW_YEAR),
        many.job("failed", "import sys\nsys.exit(3)"),
        many.job("idle", "pass", schedule={"cron": "0 0 30 2 *"}),
        many.job("invalid", "pass", schedule=NEW_YEAR),
        many.job("paused", "pass", schedule=NEW_YEAR, suspend=True),
        many.job("running", waits, schedule=NEW_YEAR),
        many.job("starting", "pass", workspace={"claimName": "absent"}),
        many.job("went", "pass", schedule=NEW_YEAR),
    ]
    foreign = {
        "schedule": "0 0 1 1 *",
        "suspend": True,
        "jobTemplate": {"spec": {"template": {"spec": POD}}},
    }
    with new_namespace(kubectl) as name:
        kubectl.create(
            name,
            {
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "metadata": {"name": "taken"},
                "spec": foreign,
            },
        )
        kubectl.create(name, many.job("taken", "pass", schedule=NEW_YEAR))
        kubectl.create(
            name, many.job("waits", "pass", schedule=NEW_YEAR), many.job("denied", "pass")
        )
        many.in_force(agentjobs, name, in_force)
        agentjobs.approve(name, "denied", "Denied")
        agentjobs.approve(name, "taken")
        kubectl.apply(
            name,
            many.job("changed", "print('new')", schedule=NEW_YEAR),
            many.job("invalid", "pass", schedule=NO_CLOCK),
        )
        runs = many.started(agentjobs, name, ["failed", "running", "starting", "waits", "went"])
        many.finished(agentjobs, name, {job: runs[job] for job in ("failed", "waits", "went")})
        many.running(agentjobs, name, {"running": runs["running"]})
        wait_for(
            lambda: agentjobs.run(name, runs["starting"])["status"]["reason"],
            30,
            "it says why it does not start",
        )
        many.told(agentjobs, name, "changed", "Approved", "Changed")
        many.told(agentjobs, name, "denied", "Approved", "Denied")
        many.told(agentjobs, name, "invalid", "Ready", "InvalidSpec")
        many.told(agentjobs, name, "taken", "Ready", "NameTaken")
        yield name


def new_year() -> str:
    """The next first of January, 08:00 in Bucharest, as it is told."""
    now = datetime.now(UTC)
    moments = (datetime(year, 1, 1, 6, tzinfo=UTC) for year in (now.year, now.year + 1))
    return next(moment for moment in moments if moment > now).strftime("%Y-%m-%dT%H:%M:%SZ")


def told(kubectl: Kubectl, namespace: str, kind: str) -> str:
    """The table that `kubectl get` prints, with bars between cells, without what always differs."""
    header, *lines = kubectl("get", kind, "-n", namespace).splitlines()
    starts = [found.start() for found in re.finditer(r"\S+(?: \S+)*", header)]
    table = [
        [line[start:end].strip() for start, end in pairwise([*starts, None])]
        for line in (header, *lines)
    ]
    text = "".join(f"{' | '.join(row)}\n" for row in table).replace(new_year(), "<new year>")
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>", text)
    return "\n" + re.sub(r"\| (\d+m)?(\d+s)?$", "| <age>", text, flags=re.MULTILINE)


def test_get_saj_shows_what_waits_runs_failed_and_comes_next(
    kubectl: Kubectl, namespace: str
) -> None:
    assert told(kubectl, namespace, "saj") == JOBS


def test_get_ajr_tells_how_each_run_went_and_why(kubectl: Kubectl, namespace: str) -> None:
    assert told(kubectl, namespace, "ajr") == RUNS


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("status.approval.state=Pending", ["waits"]),
        ("status.approval.state=Changed", ["changed", "invalid"]),
        ("status.phase=Running", ["running"]),
        ("status.phase=Blocked", ["starting", "taken"]),
        ("status.phase=Invalid", ["invalid"]),
        ("status.phase=Failed", ["failed"]),
        ("status.phase=Paused", ["paused"]),
    ],
)
def test_one_selector_lists_what_needs_a_person(
    kubectl: Kubectl, namespace: str, selector: str, names: list[str]
) -> None:
    found = kubectl(
        "get",
        "saj",
        "-n",
        namespace,
        "--field-selector",
        selector,
        "-o",
        "jsonpath={.items[*].metadata.name}",
    )
    assert found.split() == names
