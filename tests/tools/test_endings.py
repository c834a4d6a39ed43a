"""What the matrix of endings in tests/cluster/runs would notice, and the page that it writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cluster.runs.endings import (
    DOWN,
    ERR,
    GONE,
    INCOMPLETE,
    INTRODUCTION,
    NO_ENVELOPE,
    OUT,
    ROWS,
    page,
    told,
)
from tests.support.root import ROOT

WHOLE: dict[str, Any] = {
    "phase": "Failed",
    "reason": "PodDeleted",
    "message": "the pod of this run was deleted before the run ended",
    "stdout": OUT,
    "stderr": ERR,
    "logsComplete": True,
    "finishedAt": "2026-11-24T08:00:00Z",
}
LOST = WHOLE | {
    "logsComplete": False,
    "stdout": "",
    "stderr": "",
    "message": f"{WHOLE['message']}; {INCOMPLETE}{GONE}",
}
FIRST, SECOND, *REST = OUT.splitlines(keepends=True)


def test_whole_records_pass_and_those_that_say_why_output_may_be_lost() -> None:
    ROWS["deleted"].check(WHOLE)
    ROWS["forced"].check(WHOLE)
    ROWS["forced"].check(LOST)


@pytest.mark.parametrize(
    "changed",
    [
        {"stdout": "".join([FIRST, *REST])},
        {"stdout": "".join([FIRST, FIRST, SECOND, *REST])},
        {"stdout": "".join([SECOND, FIRST, *REST])},
        {"stdout": OUT[:-1]},
        {"stderr": OUT},
        {"stderr": ""},
        {"phase": "Cancelled"},
        {"reason": "JobDeleted"},
        {"message": LOST["message"]},
        {"logsComplete": False},
        LOST,
    ],
    ids=[
        "a line less",
        "a line twice",
        "two lines changed about",
        "a byte less",
        "the other stream's lines",
        "no stderr",
        "another phase",
        "another reason",
        "whole and incomplete at once",
        "incomplete without a reason",
        "lost where nothing may be lost",
    ],
)
def test_a_record_that_lost_or_changed_something_fails(changed: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        ROWS["deleted"].check(WHOLE | changed)


def test_in_place_of_an_envelope_each_line_of_both_streams_has_to_be_there() -> None:
    lines = [
        line
        for pair in zip(OUT.splitlines(keepends=True), ERR.splitlines(keepends=True), strict=True)
        for line in pair
    ]
    killed = LOST | {"reason": "Error", "message": f"{INCOMPLETE}{NO_ENVELOPE}"}
    ROWS["killed"].check(killed | {"stdout": "".join(lines)})
    with pytest.raises(AssertionError):
        ROWS["killed"].check(killed | {"stdout": "".join(lines[1:])})


def test_a_loss_needs_its_rows_reason_and_a_killed_runner_means_a_loss() -> None:
    with pytest.raises(AssertionError):
        ROWS["forced"].check(LOST | {"message": f"{INCOMPLETE}something else"})
    with pytest.raises(AssertionError):
        ROWS["killed"].check(WHOLE | {"reason": "Error"})


@pytest.mark.parametrize(
    ("name", "size"), [("megabytes", 200_000_000), ("short-lines", 16_000_000)]
)
def test_both_ends_of_a_flood_are_expected_and_the_bytes_between_them(name: str, size: int) -> None:
    head, marker, tail = ROWS[name].stdout.partition(
        f"\n[agentjobs: {size - 51_200} bytes dropped here]\n"
    )
    assert marker
    assert (len(head), len(tail)) == (25_600, 25_600)
    assert int(head.split()[0]) == 0
    assert int(tail.split()[-1]) == 1_999_999


def test_the_page_says_how_many_were_whole_why_not_and_how_long_they_took() -> None:
    seen = [datetime(2026, 11, 24, 8, 0, second, tzinfo=UTC) for second in (1, 3, 4)]
    text = page(
        {"forced": [told(WHOLE, seen[0]), told(LOST, seen[1]), told(LOST, seen[2])]},
        "2 cores",
        "2026-11-24",
    )
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(lines) == 2 + len(ROWS) + len([DOWN])
    assert "Measured on 2026-11-24: 2 cores." in text
    assert (
        f"| `kubectl delete pod --force` | `Failed`, `PodDeleted` | 3 | 1 | 2 | {GONE} | 3 (1 to"
        " 4) |" in lines
    )


def test_the_page_as_last_written_has_these_rows_twenty_times_each() -> None:
    text = (ROOT / "docs/log-completeness.md").read_text()
    template = INTRODUCTION.template
    first, last = template.partition("Measured on ")[0], template.partition("${lines}")[2]
    assert text.startswith(first)
    assert last in text
    for row in (*ROWS.values(), DOWN):
        assert f"| {row.title} | `{row.phase}`, `{row.reason}` | 20 | " in text
