"""What the rows of tests/cluster/runs/last_lines.py would notice, and what they write."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cluster.runs.last_lines import (
    ENDINGS,
    HEADING,
    PROGRAMS,
    STREAMS,
    TITLES,
    WIDTHS,
    Idle,
    job_of,
    jobs,
    kept,
    lines,
    load,
    section,
)
from tests.support.root import ROOT
from tests.support.slow import slow_but

LIVE_LOG_BYTES = 8 * 1024 * 1024


@pytest.mark.parametrize("width", WIDTHS)
def test_no_row_prints_so_much_that_the_log_is_cut_and_the_pipes_run_dry(width: int) -> None:
    text = lines(width)
    assert {len(line) for line in text.splitlines(keepends=True)} == {width}
    assert 2 * (len(text) + 64 * text.count("\n")) + 2 * 200 * 1024 + 1000 < LIVE_LOG_BYTES
    assert text.count("\n") >= 20_000


@pytest.mark.parametrize(
    "name",
    slow_but(
        list(PROGRAMS),
        [*PROGRAMS, *(f"{stream}-exit-{width}" for stream in STREAMS for width in WIDTHS)],
    ),
)
def test_what_a_row_expects_is_what_its_script_prints(name: str) -> None:
    row = jobs(len(WIDTHS))[name]
    ran = subprocess.run(
        [sys.executable, "-c", row.script], capture_output=True, text=True, check=True
    )
    assert (kept(ran.stdout), kept(ran.stderr)) == (row.stdout, row.stderr)


def test_every_kind_of_row_has_a_job_in_each_round_and_takes_all_widths() -> None:
    for rounds in (1, 2, 5):
        assert {job_of(kind, number) for kind in TITLES for number in range(rounds)} == set(
            jobs(rounds)
        )
    assert jobs(50).keys() == jobs(5).keys()
    assert len(TITLES) == len(STREAMS) * len(ENDINGS) + len(PROGRAMS)


def test_the_section_says_of_each_row_and_state_how_many_were_whole() -> None:
    whole = {
        "quiet": {kind: [True, True] for kind in TITLES},
        "load": {kind: [True, False] for kind in TITLES},
    }
    text = section(whole, runs=2, load=6, day="2026-11-27", machine="2 cores", quiet=80, loaded=0)
    rows = [line for line in text.splitlines() if line.endswith("| 2 of 2 | 1 of 2 |")]
    assert len(rows) == len(TITLES)
    assert text.startswith(f"{HEADING}\n")


@pytest.mark.slow
def test_load_is_load_and_ends() -> None:
    idle = Idle()
    with load(2):
        subprocess.run([sys.executable, "-c", "sum(range(10_000_000))"], check=True)
    assert 0 <= idle.percent() <= 100


def test_a_state_that_was_not_measured_is_told_as_that() -> None:
    text = section({}, runs=2, load=6, day="2026-11-27", machine="2 cores", quiet="-", loaded="-")
    assert text.count("| not measured | not measured |") == len(TITLES)


def test_the_section_as_last_written_has_these_rows_without_any_loss() -> None:
    _, heading, text = (ROOT / "docs/log-completeness.md").read_text().partition(HEADING)
    assert heading
    for title in TITLES.values():
        cells = next(line for line in text.splitlines() if line.startswith(f"| {title} |")).split(
            " | "
        )[1:]
        counts = [
            cell.removesuffix(" |").split(" of ") for cell in cells if "not measured" not in cell
        ]
        assert all(whole == runs for whole, runs in counts)
