"""ConfigMaps with the texts of jobs."""

from __future__ import annotations

from typing import Any

from agentjobs.cluster.client import Json
from agentjobs.core.content.sources import Reference

SCRIPT = Reference("scripts", "report.py")


def config_map(*, label: str | None = "true", name: str = "scripts", **parts: Any) -> Json:
    labels = {"agentjobs.dev/source": label} if label else {}
    return {
        "metadata": {"name": name, "labels": labels},
        "data": {"report.py": "print('hello')\n"},
        **parts,
    }
