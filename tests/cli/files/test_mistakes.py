"""Mistakes in headers and front matter: told with the file, the line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentjobs.cli.errors import CliError
from tests.support.cli.scripts import of

FRONT = "---\ndescription: x\n"
WRONG_AGENTS = {
    "no end": (FRONT + "Do it.\n", 1, "has no end"),
    "no YAML": ("---\ndescription: a: b\n---\n", 2, "not YAML"),
    "no keys": ("---\n- a\n---\nDo it.\n", 1, "not a set of keys"),
    "an unknown tool": (FRONT + "tools: [fly]\n---\nDo it.\n", 3, "spec.agent.tools[0]"),
    "a key twice": (
        FRONT + "tools: [read]\ndescription: y\n---\n",
        4,
        "description stands here a second time",
    ),
    "a wrong part of a trigger": (
        FRONT + "triggers:\n  - event:\n      type: a\n      sauce: b\n---\nDo it.\n",
        6,
        "[0].event.sauce",
    ),
    "a wrong part of the second trigger": (
        FRONT
        + "triggers:\n  - event: {type: a}\n  - event:\n      type: b\n      sauce: c\n---\nDo"
        " it.\n",
        7,
        "spec.triggers[1].event.sauce",
    ),
    "a wrong clock in braces": (
        FRONT + "window: {cron: 0 0 * * 1,\n  start-time: 8:00,\n  end-time: 10:00}\n---\nDo it.\n",
        4,
        "startTime",
    ),
    "an anchor in itself": (
        FRONT + "env: &a {A: *a}\n---\nDo it.\n",
        3,
        "this anchor contains itself",
    ),
    "a list as a key": (FRONT + "[a]: b\n---\nDo it.\n", 3, "not YAML"),
    "camel case": (
        FRONT + "name: a\ntimeoutSeconds: soon\n---\nDo it.\n",
        4,
        "spec.timeoutSeconds",
    ),
    "an unknown key": (FRONT + "tool: read\n---\nDo it.\n", 3, "spec.tool: is not a field"),
    "no instructions": (FRONT + "---\n", 1, "spec.agent.instructions"),
    "no front matter": ("Do it.\n", 1, "has no header"),
}


@pytest.mark.parametrize("what", WRONG_AGENTS)
def test_a_mistake_in_an_agent_file_is_told_with_its_line(what: str, tmp_path: Path) -> None:
    text, line, part = WRONG_AGENTS[what]
    with pytest.raises(CliError) as told:
        of(tmp_path, text, "mail.md")
    assert told.value.message.startswith(f"{tmp_path}/mail.md:{line}: ")
    assert part in told.value.message


HEAD = "# /// script\n# [tool.agentjobs]\n# description = 'x'\n"
MISTAKES = {
    "no end": (HEAD + "print(1)\n", 1, "has no end"),
    "two blocks": (HEAD + "# ///\n# /// script\n# ///\n", 5, "second script block"),
    "no TOML": (HEAD + "# schedule = 0 8 * * 1\n# ///\n", 4, "not TOML"),
    "a wrong type": (
        HEAD + "# timeout-seconds = 'soon'\n# ///\n",
        4,
        "spec.timeoutSeconds: should be a valid integer",
    ),
    "an unknown key": (
        HEAD + "# shedule = '0 8 * * 1'\n# ///\n",
        4,
        "spec.shedule: is not a field",
    ),
    "a range of versions": (
        "# /// script\n# dependencies = ['six>=1']\n" + HEAD[13:] + "# ///\n",
        2,
        "must name one exact version",
    ),
    "no secret": (
        HEAD + "#\n# env = {A = {secret = 'x'}}\n# ///\n",
        5,
        'A is text, or {secret = "NAME/KEY"}',
    ),
    "no table": ("# /// script\n# tool.agentjobs = 1\n# ///\n", 1, "is not a table"),
    "no description": (
        "# /// script\n# [tool.agentjobs]\n# ///\n",
        2,
        "spec.description: is required",
    ),
    "a bad name": (HEAD + "# name = 'A.b'\n# ///\n", 4, "metadata.name may have at most 52"),
    "a plain key twice": ("# description: a\n# description: b\n", 2, "a second time"),
    "no header": ("print(1)\n", 1, "has no header"),
    "a table under a key's other name": (
        "# description: x\n# envs: {A: b}\n",
        2,
        "envs is not a key of a header",
    ),
    "camel case": (HEAD + "#\n# timeoutSeconds = 'soon'\n# ///\n", 5, "spec.timeoutSeconds"),
    "no number": (
        "# description: x\n#\n# timeout-seconds: soon\n",
        3,
        "spec.timeoutSeconds: should be a valid integer",
    ),
    "no YAML": ("# description: x\n# env: {A: b\n", 2, "env: this is not YAML"),
    "a key written wrong": (
        "# description: x\n# shedule: 0 8 * * 1\n",
        2,
        "shedule is not a key of a header",
    ),
    "half of a fortnight": (
        HEAD + "#\n# schedule = '0 8 * * 1'\n# every-weeks = 2\n# ///\n",
        5,
        "set all three",
    ),
    "weeks of no day": (HEAD + "#\n# every-weeks = 2\n# ///\n", 5, "set all three"),
    "two schedules": (
        HEAD + "# schedule = '0 8 * * 1'\n# once = '2026-12-01T09:00:00'\n# ///\n",
        4,
        "at most one of cron, window and once",
    ),
    "an impossible minute": (
        HEAD + "# once = 2026-12-01T09:00:30\n# ///\n",
        4,
        "spec.schedule.once.runAt: must be a time on a whole minute",
    ),
    "a window that is none": (
        HEAD
        + "# [tool.agentjobs.window]\n# cron = '0 0 * * 1'\n# start-time = '8:00'\n# end-time ="
        " '10:00'\n# ///\n",
        6,
        "spec.schedule.window.startTime",
    ),
    "an unknown part of a trigger": (
        HEAD + "# [[tool.agentjobs.triggers]]\n# event = {type = 'a', sauce = '/x'}\n# ///\n",
        5,
        "spec.triggers[0].event.sauce: is not a field",
    ),
    "two runs in one memory": (
        HEAD + "# session = 'continuous'\n# concurrency-policy = 'allow'\n# ///\n",
        2,
        "needs concurrencyPolicy",
    ),
    "a nested table": (
        HEAD + "# [tool.agentjobs.resources]\n# limit = {}\n# ///\n",
        5,
        "spec.resources.limit: is not a field",
    ),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_with_its_file_and_line(what: str, tmp_path: Path) -> None:
    text, line, part = MISTAKES[what]
    with pytest.raises(CliError) as told:
        of(tmp_path, text)
    assert told.value.message.startswith(f"{tmp_path}/a_job.py:{line}: ")
    assert part in told.value.message
    assert told.value.remedy
