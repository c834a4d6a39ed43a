"""The local cluster of this checkout, asked through its own program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

PROGRAM: Final = Path(__file__).resolve().parents[5] / "hack" / "localcluster" / "cluster.py"


def ask(question: str) -> str:
    """What the program prints for a command such as `kubeconfig`."""
    command = [sys.executable, str(PROGRAM), question]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def audit_log(kubeconfig: str | None) -> Path | None:
    """The API server's audit log; None where this kubeconfig is another cluster's."""
    path = Path(ask("audit-log"))
    return path if kubeconfig == ask("kubeconfig") and path.exists() else None
