"""The installed command, and names that it completes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SAJ = Path(sys.executable).with_name("kubectl-saj")


def saj(
    *arguments: str, stdin: str = "", folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SAJ), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
    )


def names(_: object, collection: str) -> list[str]:
    return (
        ["links", "mail"]
        if "jobs" in collection.rpartition("/")[2] and "runs" not in collection
        else ["links-xk2v9"]
    )
