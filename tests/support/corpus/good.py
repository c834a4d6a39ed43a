"""Manifests that are taken, each with what is special about it."""

from __future__ import annotations

from typing import Final

from tests.support.corpus import events, schedules, scripts
from tests.support.corpus.case import cron, pins, source, zone
from tests.support.manifests import agent_job, approval, job, package_approval, run, scheduled

GOOD_JOBS: Final = {
    "the smallest job": job(),
    **{f"cron {expression!r}": cron(expression) for expression in schedules.GOOD_CRONS},
    **{f"zone {name}": zone(name) for name in schedules.GOOD_ZONES},
    **{
        f"policy {policy}": job(concurrencyPolicy=policy)
        for policy in ("Allow", "Forbid", "Replace")
    },
    **{name: job(schedule=part) for name, part in schedules.GOOD.items()},
    "a zone without a cron": job(
        schedule={"timeZone": "Europe/Bucharest", "startingDeadlineSeconds": 10}
    ),
    "a name of 52 characters": job("a" * 52),
    "a name that begins with a digit": job("2nd-report"),
    "a script of 256 KiB": job(script={"inline": "é" * 131_072}),
    "a script in a ConfigMap": source(),
    **{what: job(**spec) for what, spec in scripts.GOOD.items()},
    "a script from Windows": job(script={"inline": "print(1)\r\nprint('\t✓')\r\n"}),
    "every field": job(
        description="Summarises lost backlinks.\nSecond line.",
        schedule={
            "cron": "0 8 * * 1",
            "timeZone": "Europe/Bucharest",
            "startingDeadlineSeconds": 60,
        },
        session="Ephemeral",
        env=[
            {"name": "A", "value": ""},
            {"name": "_b1", "valueFrom": {"secretKeyRef": {"name": "s.x-1", "key": "a_b.c-D"}}},
        ],
        resources={
            "requests": {"cpu": "500m", "memory": "1G", "ephemeral-storage": 0},
            "limits": {"cpu": 1, "memory": "1Gi", "ephemeral-storage": "1.5Gi"},
        },
        workspace={"claimName": "shared-reports"},
        timeoutSeconds=1,
        pauseAfterFailures=3,
        suspend=True,
        history={"successful": 1, "failed": 1000},
    ),
    "the smallest agent": agent_job(),
    "every field of an agent": agent_job(
        agent={
            "instructions": "# Summarise\n\nRead inbox.md.\n",
            "startingMessage": "Begin.\nNow.",
            "tools": ["bash", "read"],
            "model": "openrouter/meta-llama/llama-3:free",
            "maxTurns": 1000,
        },
        session="Continuous",
    ),
    "an agent that only talks": agent_job(agent={"tools": []}),
    "packages in every spelling": pins(
        "requests==2.32.3",
        "Flask==3.0",
        "zope.interface==7.0",
        "ruamel_yaml==0.18.6",
        "a==1!2.0rc1",
        "b==1.0.post1.dev0",
        "c==2.0+cu121.x",
        "d==0",
    ),
    "50 packages with long names": pins(*(f"{'p' * 110}-{n}==2024.7.4" for n in range(50))),
    "only a request": job(resources={"requests": {"cpu": "100"}}),
}
GOOD_RUNS: Final = {
    "the smallest run": run(),
    "a run by someone": run(trigger={"by": "ci/pipeline 7"}),
    **events.GOOD,
    "a run that is not to start": run(cancel=True),
    "a name of 63 characters": run("r" * 63),
    "a name with seven digits": run("report-2941234"),
    "digits alone": run("29412345"),
    "a scheduled start": scheduled("report", 29412345, "2025-12-03T05:45:00Z"),
    "a scheduled start told with an offset": scheduled(
        "weekly-2", 29412345, "2025-12-03T07:45:30.5+02:00"
    ),
}
GOOD_APPROVALS: Final = {
    "the smallest approval": approval(),
    "a denial with its reason": approval(
        "any.name",
        decision="Denied",
        reason="Reads too much: https://reviews.example/7",
        approvedBy="ana@example.com",
    ),
}
GOOD_PACKAGE_APPROVALS: Final = {
    "the smallest approval of packages": package_approval(),
    "a denial of packages": package_approval(
        "any.name",
        packages=["requests==2.32.3", "six==1.17.0"],
        decision="Denied",
        reason="CVE-2024-1",
        approvedBy="ana@example.com",
    ),
}
GOOD: Final = GOOD_PACKAGE_APPROVALS | GOOD_JOBS | GOOD_RUNS | GOOD_APPROVALS
