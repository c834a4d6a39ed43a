"""The CronJob controller's own arithmetic as a command, compiled once for each version.

It is kept outside the checkout.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Final

from localcluster import build, processes
from localcluster.layout import cache_root

MODULE: Final = Path(__file__).parent / "go"
REFUSED: Final = "refused"


@dataclass(frozen=True)
class Question:
    """Asks for `count` starts of an expression in a zone after an aware moment (whole seconds)."""

    cron: str
    zone: str
    after: datetime
    count: int

    def line(self) -> str:
        return f"{self.zone}\t{int(self.after.timestamp())}\t{self.count}\t{self.cron}\n"


def command() -> Path:
    """The command's path; it is built where it is not there yet.

    Raises Failure where Go can neither be found nor installed.
    """
    cache = cache_root(dict(os.environ), Path.home())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(MODULE.iterdir())))
    target = cache / f"cron-reference-{digest.hexdigest()[:16]}"
    with processes.exclusively(
        cache / "cron-reference.lock",
        600,
        lambda: processes.Failure("another build has been running for long"),
    ):
        if not target.exists():
            _build(cache, target)
    return target


def _build(cache: Path, target: Path) -> None:
    caches, half = cache / "cron-reference-go", target.with_suffix(".unfinished")
    environment = build.go_environment(caches, os.environ) | {
        "GOFLAGS": "-mod=readonly -modcacherw"
    }
    go, log = build.toolchain(cache), cache / "cron-reference.log"
    words = (go, "build", "-trimpath", "-buildvcs=false", "-o", str(half), ".")
    processes.logged(
        log, *words, what="compiling the reference failed", environment=environment, cwd=MODULE
    )
    shutil.rmtree(caches)
    half.rename(target)


def zone_directory(target: Path, zones: Iterable[str]) -> Path:
    """Python's zone data, for Go: two releases would differ about governments, not arithmetic."""
    for zone in zones:
        found = [
            Path(directory) / zone
            for directory in zoneinfo.TZPATH
            if (Path(directory) / zone).exists()
        ]
        path = target / zone
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            found[0].read_bytes()
            if found
            else resources.files("tzdata.zoneinfo").joinpath(zone).read_bytes()
        )
    return target


def ask(binary: Path, zones: Path, questions: list[Question]) -> list[list[int] | str]:
    """To each question the starts in Unix seconds, or why there is no answer."""
    told = subprocess.run(
        [binary],
        input="".join(question.line() for question in questions),
        capture_output=True,
        text=True,
        env=os.environ | {"ZONEINFO": str(zones)},
        timeout=200,
        check=True,
    )
    lines = told.stdout.split("\n")[:-1]
    assert len(lines) == len(questions), told.stderr
    return [
        [int(start) for start in line.split()] if line == "" or line[0].isdigit() else line
        for line in lines
    ]
