"""What the command line prints is pinned by golden files.

AGENTJOBS_UPDATE_GOLDEN=1 rewrites them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentjobs.actions.decisions import denied
from agentjobs.cli.commands import cards
from agentjobs.cli.difference import coloured
from agentjobs.cli.errors import CliError, Exit, kubectl_error
from agentjobs.cli.screen import error_text
from agentjobs.cli.text import Table
from agentjobs.cli.writing import refused
from agentjobs.present import rows
from agentjobs.present.difference import unified
from agentjobs.present.rows import Column
from agentjobs.present.text import Json, one_line, visible, when
from tests.support.cli.jobs import JOBS, NOW, RUNS

GOLDEN = Path(__file__).parent / "golden"
OLD = {
    "description": "Reads mail.",
    "env": [{"name": "A", "value": "1"}],
    "script": {"inline": "import os\nprint('old')\n"},
}
NEW = {
    "description": "Reads mail.",
    "env": [{"name": "A", "value": "2"}],
    "script": {"inline": "import os\nprint('new \u202e ')\n"},
}


def table(
    columns: Sequence[Column], bodies: Iterable[Json], *, wide: bool = False, colour: bool = False
) -> list[str]:
    return list(Table(columns, wide=wide, colour=colour).lines(bodies, NOW))


PRINTED: dict[str, Sequence[str]] = {
    "list": table(rows.JOBS, JOBS),
    "list-wide": table(rows.JOBS, JOBS, wide=True),
    "list-everywhere": table((rows.NAMESPACE, *rows.JOBS), JOBS[:2]),
    "list-coloured": table(rows.JOBS, JOBS, colour=True),
    "history": table(rows.RUNS, rows.newest_first(RUNS)),
    "history-wide": table(rows.RUNS, rows.newest_first(RUNS), wide=True),
    "cards": [line for job in JOBS for line in cards.lines(job, colour=False)],
    "card-coloured": list(cards.lines(JOBS[2], colour=True)),
    "diff": unified(OLD, NEW, ("approved", "now")),
    "diff-coloured": list(coloured(unified(OLD, NEW, ("approved", "now")), colour=True)),
    "diff-of-a-new-job": unified(None, NEW, ("nothing approved", "now")),
    "error": [error_text(CliError("ScheduledAgentJob x: is \x07 wrong", "mend it"), colour=True)],
}


@pytest.mark.parametrize("name", PRINTED)
def test_the_output_is_as_it_was_agreed(name: str) -> None:
    path, text = GOLDEN / f"{name}.txt", "".join(f"{line}\n" for line in PRINTED[name])
    if os.environ.get("AGENTJOBS_UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_every_golden_file_is_of_something() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(PRINTED)


def test_pages_of_a_table_have_one_head_and_the_same_columns() -> None:
    form = Table(rows.JOBS, wide=False, colour=False)
    paged = [line for page in (JOBS[:1], JOBS[1:2]) for line in form.lines(page, NOW)]
    assert [line.split()[0] for line in paged] == ["NAME", "pages", "mail"]
    assert paged[2].index("waits") == paged[0].index("STATUS")


@given(st.text())
def test_nothing_that_is_shown_can_move_the_cursor_or_turn_the_text(text: str) -> None:
    shown = visible(text)
    assert not set(shown) & {"\x1b", "\r", "\x07", "\x9b", "\u202e", "\u200b", "\u2028"}
    assert "\n" not in one_line(text)


def test_a_time_that_is_none_is_shown_as_it_is() -> None:
    assert [when("soon", NOW), when("2026-11-24T12:00:00", NOW), when(None, NOW)] == [
        "soon",
        "2026-11-24T12:00:00",
        "-",
    ]


SAID = {
    'Error from server (NotFound): scheduledagentjobs.agentjobs.dev "x" not found': (
        Exit.NOT_FOUND,
        '"x" not found',
    ),
    "Error from server (NotFound): the server could not find the requested resource": (
        Exit.NOT_FOUND,
        "kubectl saj doctor",
    ),
    'Error from server (Forbidden): admission webhook: "x" denied': (Exit.FORBIDDEN, "denied"),
    "error: You must be logged in to the server (Unauthorized)": (Exit.CLUSTER, "cluster-info"),
    "The connection to the server localhost:8080 was refused"
    " - did you specify the right host or port?": (
        Exit.CLUSTER,
        "cluster-info",
    ),
    'The ScheduledAgentJob "x" is invalid: spec.schedule.timeZone: unknown': (
        Exit.USAGE,
        "correct the field",
    ),
    "": (Exit.CLUSTER, "kubectl failed without a message"),
}


@pytest.mark.parametrize("stderr", SAID)
def test_each_failure_of_kubectl_has_its_code_and_a_sentence(stderr: str) -> None:
    code, part = SAID[stderr]
    problem = kubectl_error(stderr)
    assert problem.code is code
    assert part in error_text(problem, colour=False)


def decision(word: str, digest: str = "a" * 64, **more: str) -> dict[str, Any]:
    return {
        "metadata": {"name": f"x-{word.lower()}", "namespace": "team"},
        "spec": {"digest": digest, "decision": word, **more},
    }


def test_a_denial_of_the_same_content_stands_in_the_way_of_an_approval() -> None:
    denial = decision("Denied", approvedBy="ben", reason="it mails\neverybody")
    refusal = denied("x", "a" * 64, [decision("Approved"), denial])
    assert refusal is not None
    problem = refused(refusal)
    sentences = error_text(problem, colour=False)
    assert "x: the content aaaaaaaaaa was denied by ben, because: it mails everybody" in sentences
    assert "`kubectl delete aja x-denied --namespace team`" in sentences
    assert problem.code is Exit.NO


def test_a_denial_of_another_content_and_an_approval_stand_in_nobodys_way() -> None:
    assert denied("x", "a" * 64, [decision("Denied", "b" * 64), decision("Approved")]) is None


def test_a_change_that_was_denied_does_not_wait_for_a_decision() -> None:
    (changed,) = [job for job in JOBS if job["metadata"]["name"] == "links"]
    assert rows.waits(changed)
    condition = {"type": "Approved", "status": "False", "reason": "Denied"}
    assert not rows.waits({**changed, "status": {**changed["status"], "conditions": [condition]}})
