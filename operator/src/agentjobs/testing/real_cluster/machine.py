"""The machine that something is measured on: without it a figure says nothing."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

BUSY: Final = 0.3
"""Load average for each core from which on others are said to be at work.

A local cluster at rest makes some 0.1."""


@dataclass(frozen=True)
class Machine:
    """`load` is the load average of the last minute; memory in GiB."""

    cores: int
    cpu: str
    memory_gib: float
    kernel: str
    python: str
    load: float

    def words(self) -> str:
        """One line."""
        return (
            f"{self.cores} cores of {self.cpu}, {self.memory_gib:.0f} GiB, Linux {self.kernel}, "
            f"Python {self.python} for the client, load {self.load:.2f}"
        )

    def warning(self) -> str:
        """Empty when the machine is quiet."""
        if self.load < BUSY * self.cores:
            return ""
        return (
            f"warning: the load average was {self.load:.2f} before anything was measured: others"
            " use this machine; see the controls"
        )

    def as_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


def look() -> Machine:
    """This machine now. Call it before anything is measured."""
    processors, sizes = (Path(f"/proc/{name}").read_text() for name in ("cpuinfo", "meminfo"))
    cpu = re.search(r"^(?:model name|Model|CPU part)\s*:\s*(.+)$", processors, re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+) kB", sizes, re.MULTILINE)
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        cpu=cpu[1] if cpu else platform.machine(),
        memory_gib=int(memory[1]) / 2**20 if memory else 0.0,
        kernel=platform.release(),
        python=platform.python_version(),
        load=os.getloadavg()[0],
    )
