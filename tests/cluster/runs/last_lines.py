"""Runs that end right after their last line, with many lines under way.

Rows of a table, and load for the machine they end on.

A flood of millions of lines hides what is lost here: it goes on for seconds after the live log is
cut, and the pipes run dry.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Final

from tests.cluster.runs.endings import Act, Row, its_pod_is_deleted

WIDTHS: Final = (2, 10, 5, 20, 100)
"""Bytes of a line, its end included; in the order in which rounds take them."""
LOG_BYTES: Final = 3_400_000
"""Of each stream, by the runner's account of 64 bytes more for each line: both together stay below
8 MiB, where the log is cut."""
MOST_LINES: Final = 50_000
KEPT: Final = 51_200
STREAMS: Final = {"stdout": (1,), "stderr": (2,), "both": (1, 2)}
READY: Final = "ready\n"
AT_ONCE: Final = "work()\n"
WHEN_TOLD: Final = f"""\
import signal, sys, time
signal.signal(15, lambda *_: (work(), sys.exit()))
os.write(1, {READY.encode()!r})
time.sleep(600)
"""


@dataclass(frozen=True)
class Ending:
    """When the lines are printed, and what the record says of it."""

    title: str
    phase: str
    reason: str
    begins: str
    act: Act | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)


ENDINGS: Final = {
    "exit": Ending("it exits", "Succeeded", "Completed", AT_ONCE),
    "timeout": Ending(
        "its time limit passes", "TimedOut", "Timeout", WHEN_TOLD, spec={"timeoutSeconds": 8}
    ),
    "sigterm": Ending("its pod is deleted", "Failed", "PodDeleted", WHEN_TOLD, its_pod_is_deleted),
}


@cache
def lines(width: int) -> str:
    """Numbered, as many as the live log of a stream takes."""
    count = min(MOST_LINES, LOG_BYTES // (width + 64))
    return "".join(f"{number % 10 ** (width - 1):0{width - 1}d}\n" for number in range(count))


def kept(text: str) -> str:
    """What a record keeps of a stream of ASCII."""
    half = KEPT // 2
    return (
        text
        if len(text) <= KEPT
        else f"{text[:half]}\n[agentjobs: {len(text) - KEPT} bytes dropped here]\n{text[-half:]}"
    )


def printing(streams: tuple[int, ...], ending: Ending, width: int) -> Row:
    """Prints such lines as fast as it can, on both streams by turns, and ends."""
    text, ready = lines(width), "" if ending.begins == AT_ONCE else READY
    script = f"""\
import os
numbers = (number % {10 ** (width - 1)} for number in range({text.count(chr(10))}))
data = b"".join(b"%0{width - 1}d\\n" % number for number in numbers)
def work():
    for start in range(0, len(data), 8192):
        for stream in {streams}:
            piece = data[start : start + 8192]
            while piece:
                piece = piece[os.write(stream, piece):]
{ending.begins}"""
    return Row(
        ending.title,
        script,
        ending.phase,
        ending.reason,
        ending.act,
        stdout=kept(ready + text * (1 in streams)),
        stderr=kept(text * (2 in streams)),
        spec=ending.spec,
    )


def program(script: str, text: str) -> Row:
    return Row("", script, "Succeeded", "Completed", stdout=kept(text), stderr="")


PROGRAMS: Final = {
    "seq": (
        "`seq 100000`",
        program(
            "import os\nos.execvp('seq', ['seq', '100000'])\n",
            "".join(f"{n}\n" for n in range(1, 100_001)),
        ),
    ),
    "json": (
        "20,000 numbers as indented JSON",
        program(
            "import json, sys\njson.dump(list(range(20000)), sys.stdout, indent=2)\n",
            "[\n" + ",\n".join(f"  {n}" for n in range(20_000)) + "\n]",
        ),
    ),
    "csv": (
        "a CSV of 30,000 short rows",
        program(
            "import csv, sys\ncsv.writer(sys.stdout, lineterminator='\\n').writerows((n, n % 7) for"
            " n in range(30000))\n",
            "".join(f"{n},{n % 7}\n" for n in range(30_000)),
        ),
    ),
}
TITLES: Final = {
    **{
        f"{stream}-{ending}": (
            f"many lines on {stream if stream != 'both' else 'both streams'}, then {told.title}"
        )
        for (stream, ending, told) in (
            (stream, ending, told) for stream in STREAMS for ending, told in ENDINGS.items()
        )
    },
    **{name: f"{title}, then it exits" for name, (title, _) in PROGRAMS.items()},
}
"""By kind of row."""


def jobs(rounds: int) -> dict[str, Row]:
    """The job for each kind of row and each width that these rounds take."""
    widths = WIDTHS[:rounds]
    printed = {
        f"{stream}-{ending}-{width}": printing(STREAMS[stream], ENDINGS[ending], width)
        for stream, ending, width in itertools.product(STREAMS, ENDINGS, widths)
    }
    return printed | {name: row for name, (_, row) in PROGRAMS.items()}


def job_of(kind: str, number: int) -> str:
    """The job whose turn it is in this round."""
    return kind if kind in PROGRAMS else f"{kind}-{WIDTHS[number % len(WIDTHS)]}"


SPINS: Final = """\
import time
end = time.monotonic() + 1800
while time.monotonic() < end: sum(range(100_000))
"""


@contextmanager
def load(processes: int) -> Iterator[None]:
    """So many processes that do nothing but compute, for half an hour at most."""
    started = [subprocess.Popen([sys.executable, "-S", "-c", SPINS]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


class Idle:
    """How much of the machine's CPU time nobody used since this was made."""

    def __init__(self) -> None:
        self._before = self._look()

    def percent(self) -> int:
        idle, total = (
            after - before for after, before in zip(self._look(), self._before, strict=True)
        )
        return round(100 * idle / max(total, 1))

    @staticmethod
    def _look() -> tuple[int, int]:
        """Ticks without work, ticks in all."""
        ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return ticks[3] + ticks[4], sum(ticks)


HEADING: Final = "## Many lines, and then the end"
SECTION: Final = Template(Path(__file__).with_name("pages").joinpath("last-lines.md").read_text())


def section(whole: Mapping[str, Mapping[str, Iterable[bool]]], **facts: object) -> str:
    """For docs/log-completeness.md. `whole`: by state and kind of row, of each run."""
    states = ("quiet", "load")
    counts = {
        (state, kind): list(whole.get(state, {}).get(kind, ()))
        for state in states
        for kind in TITLES
    }
    cells = {
        place: f"{sum(each)} of {len(each)}" if each else "not measured"
        for place, each in counts.items()
    }
    rows = "\n".join(
        f"| {title} | {' | '.join(cells[state, kind] for state in states)} |"
        for kind, title in TITLES.items()
    )
    return SECTION.substitute(lines=rows, **facts)
