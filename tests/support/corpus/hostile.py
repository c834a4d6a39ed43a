"""Manifests of every kind hostile people may write, made to be slow, deep, large or misleading.

They are seeded, and bounded.

Texts that Python's own JSON could not write stand in manifests as marks, which `text` replaces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from tests.support import manifests
from tests.support.corpus.events import event_run

Manifest = dict[str, Any]
_MARK: Final = re.compile(r'"@(deep|lists|many):(\d+)@"')
_RAW: Final[dict[str, Callable[[int], str]]] = {
    "deep": lambda levels: '{"a":' * levels + "1" + "}" * levels,
    "lists": lambda levels: "[" * levels + "]" * levels,
    "many": lambda count: "[" + "[]," * count + "0]",
}


def text(manifest: Manifest) -> str:
    """As it is sent."""
    return _MARK.sub(lambda mark: _RAW[mark[1]](int(mark[2])), json.dumps(manifest))


LINES: Final[dict[str, str]] = {
    "full width": "# " + "\uff21" * 87_000,
    "angle brackets": "# " + "<" * 200_000,
    "backslashes": "# " + "\\" * 200_000,
    "one tab after another": "# " + "\t" * 200_000,
    "emoji": "# " + "\U0001f600" * 60_000,
    "combining": "# a" + "\u0301" * 100_000,
    "right to left": "# " + "\u202e\u2066" * 40_000,
    "many short lines": "a\n" * 125_000,
    "lines that differ": "".join(f"{number % 9973}\n" for number in range(40_000)),
    "empty lines": "\n" * 250_000,
    "cyrillic": "# " + "p\u0430ypal " * 25_000,
    "letters with marks": "# " + "\u1ea5" * 80_000,
}
"""Scripts of up to 256 KiB, made of one thing."""
SCHEMAS: Final[dict[str, Any]] = {
    "deep": {"const": "@deep:300@"},
    "deeper than a parser": {"const": "@deep:1200@"},
    "deepest that the API takes": {"const": "@deep:9000@"},
    "lists": {"enum": ["@lists:500@"]},
    "many": {"const": "@many:60000@"},
    "circle": {"$ref": "#"},
    "pattern": {"pattern": "(a+)+$"},
    "fifty levels": json.loads('{"items":' * 49 + "{}" + "}" * 49),
    "large numbers": {"minimum": 10**18, "maximum": 1.7e308},
    "every number": {"multipleOf": 5e-324},
    "wide": {"properties": {f"p{number}": {"type": "string"} for number in range(400)}},
    "all of all": {"allOf": [{"anyOf": [{"type": "string"}] * 20}] * 20},
}
SCHEDULES: Final[tuple[Manifest, ...]] = (
    {"cron": "* * * * *", "startDate": "9999-12-31"},
    {"runAt": "9999-12-31T23:59:00-12:00"},
    {"runAt": "0001-01-01T00:00:00+14:00"},
    {"cron": "0 0 30 2 *"},
    {"cron": "0 0 29 2 *", "timeZone": "Pacific/Kiritimati"},
    {"cron": "*/59 */23 */30 */11 *"},
    {"cron": ",".join(str(minute) for minute in range(60)) + " * * * *"},
    {"cron": "0 0 * * *", "everyWeeks": 52},
)
DATA: Final[dict[str, Any]] = {
    "deep": "@deep:300@",
    "deeper than a parser": "@deep:1200@",
    "deepest that the API takes": "@lists:9000@",
    "many": "@many:100000@",
    "large": "x" * 129_000,
    "too large": "x" * 1_200_000,
    "lists of nothing": [[] for _ in range(40_000)],
    "names": {f"n{number}": number for number in range(9_000)},
    "numbers": [1.7e308, -(10**18), 5e-324],
    "marks": "\u202e\u0000\ufeff",
}


def jobs(name: str) -> Iterator[tuple[str, Manifest]]:
    """What it is, and a ScheduledAgentJob of this name."""
    for what, script in LINES.items():
        yield f"script: {what}", manifests.job(name, script={"inline": script})
    for what, schema in SCHEMAS.items():
        yield (
            f"dataSchema: {what}",
            manifests.job(name, triggers=[{"event": {"type": "t", "dataSchema": schema}}]),
        )
    for schedule in SCHEDULES:
        yield f"schedule: {json.dumps(schedule)[:60]}", manifests.job(name, schedule=schedule)
    yield "description: many lines", manifests.job(name, description="Status: approved\n" * 60)
    yield (
        "env: each refers to the next",
        manifests.job(
            name, env=[{"name": f"V{n}", "value": f"$(V{n + 1})" * 200} for n in range(100)]
        ),
    )
    yield (
        "env: names that mislead",
        manifests.job(name, env=[{"name": "NODE_OPTIONS", "value": "--require=/tmp/x"}]),
    )
    yield (
        "packages: as many as go",
        manifests.job(name, packages=[f"package-{number}==1.{number}" for number in range(50)]),
    )
    yield "instructions: full width", manifests.agent_job(name, {"instructions": "\uff21" * 80_000})
    yield (
        "a text that is nowhere",
        manifests.job(name, script={"configMapKeyRef": {"name": "nowhere", "key": "k"}}),
    )
    annotated = manifests.job(name)
    annotated["metadata"]["annotations"] = {
        f"agentjobs.dev/a{number}": "x" * 60_000 for number in range(4)
    }
    yield "annotations: all there can be", annotated


def runs(name: str, job: str) -> Iterator[tuple[str, Manifest]]:
    """What it is, and an AgentJobRun of a job; names of several are numbered."""
    for number, (what, data) in enumerate(DATA.items()):
        yield f"event data: {what}", event_run(f"{name}-{number}", job, data=data)
    yield "a source of many characters", event_run(f"{name}-s", job, source="/" + "\u202f" * 400)
    yield "a squatted name", event_run(f"{job}-e123456789", job, id="another")
    yield "a run of no job", manifests.run(f"{name}-n", "nobody-has-this-job")
    yield "cancelled before it began", manifests.run(f"{name}-c", job, cancel=True)


def config_maps(name: str) -> Iterator[tuple[str, Manifest]]:
    """What it is, and a labelled ConfigMap with the key `k`."""
    texts = {
        **LINES,
        "a mebibyte of marks": "<\u0001" * 180_000,
        "other coding": "# -*- coding: utf-7 -*-\n",
        "nothing": "",
    }
    for what, content in texts.items():
        yield f"ConfigMap: {what}", source(name, content)


def source(name: str, content: str) -> Manifest:
    """A labelled ConfigMap."""
    metadata = {"name": name, "labels": {"agentjobs.dev/source": "true"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"k": content}}


def some_job(random: Random, name: str) -> tuple[str, Manifest]:
    """One of all these."""
    return random.choice(list(jobs(name)))


def some_run(random: Random, name: str, job: str) -> tuple[str, Manifest]:
    """One of all these."""
    return random.choice(list(runs(name, job)))
