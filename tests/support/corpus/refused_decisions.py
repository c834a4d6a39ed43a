"""Runs and approvals that are refused, and what their authors are told."""

from __future__ import annotations

from typing import Final

from tests.support.corpus import events
from tests.support.corpus.case import Refused
from tests.support.corpus.refused_jobs import EXACT
from tests.support.manifests import approval, package_approval, run, scheduled

REFUSED_RUNS: Final = (
    Refused("a run's name with a dot", run("a.b"), "metadata.name may have at most 63 characters"),
    Refused(
        "a run's name of 64 characters",
        run("a" * 64),
        "metadata.name may have at most 63 characters",
    ),
    Refused(
        "a run on the name of a start",
        run("report-29412345"),
        'which end in "-" and eight or more digits, are reserved for scheduled starts',
    ),
    Refused(
        "a run of nothing", run(job_name=""), "at least 1 char", "should have at least 1 character"
    ),
    Refused("a run of no job", run(job_name="My.Job"), "must be the name of a ScheduledAgentJob"),
    Refused(
        "an unknown trigger",
        run(trigger={"type": "Cron"}),
        "Unsupported value",
        "should be 'Schedule', 'Manual', 'Event' or 'After'",
    ),
    *(Refused(*bad) for bad in events.REFUSED),
    Refused(
        "a start without its time",
        run(trigger={"type": "Schedule"}),
        "type Schedule needs scheduledAt",
    ),
    Refused(
        "a start at a time that is none",
        scheduled("report", 29412345, "2025-12-03 05:45"),
        "must be an RFC 3339 time",
    ),
    Refused(
        "a start by another name",
        scheduled("report", 29412345, "2026-01-01T00:00:00Z"),
        "minutes from 1970 to spec.trigger.scheduledAt",
    ),
)
REFUSED_APPROVALS: Final = (
    Refused(
        "a digest cut short",
        approval(digest="0123456789"),
        "must be the 64 hex digits on the job's card",
    ),
    Refused(
        "a digest in capitals",
        approval(digest="A" * 64),
        "must be the 64 hex digits on the job's card",
    ),
    Refused(
        "an undecided approval",
        approval(decision="Maybe"),
        'supported values: "Approved", "Denied"',
        "should be 'Approved' or 'Denied'",
    ),
    Refused(
        "an approval of no job", approval(jobName="a.b"), "must be the name of a ScheduledAgentJob"
    ),
    Refused(
        "a long reason",
        approval(reason="x" * 1025),
        "spec.reason: Too long",
        "should have at most 1024 characters",
    ),
    Refused(
        "a reason that hides itself", approval(reason="\u202e"), "which hide text from readers"
    ),
)
REFUSED_PACKAGE_APPROVALS: Final = (
    Refused(
        "an approval of no package",
        package_approval(packages=[]),
        "should have at least 1 items",
        "should have at least 1 item",
    ),
    Refused(
        "an approval of a range",
        package_approval(packages=["six==1.17.0", "requests>=2"]),
        "spec.packages[1]: Invalid value",
        EXACT,
    ),
    Refused(
        "an approval of a package by two names",
        package_approval(packages=["My_pkg==1", "my.pkg==1"]),
        "each package may occur only once",
    ),
    Refused(
        "an undecided approval of packages",
        package_approval(decision="Maybe"),
        'supported values: "Approved", "Denied"',
        "should be 'Approved' or 'Denied'",
    ),
    Refused(
        "a reason for packages that hides itself",
        package_approval(reason="\u202e"),
        "which hide text from readers",
    ),
)
