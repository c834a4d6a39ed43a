"""The API server's audit log: who wrote what. The counting is pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class Write:
    """One request that was answered. `name` is the object's; `what` is the verb with the resource and its subresource."""

    user: str
    namespace: str
    name: str
    what: str
    refused: bool

    @property
    def apart(self) -> bool:
        """Events and Leases are counted for themselves."""
        return self.what.split()[1] in ("events", "leases")


def write(line: Mapping[str, Any]) -> Write | None:
    """From one line of the log; None for a read."""
    reference = line.get("objectRef") or {}
    if line["verb"] not in WRITES or line["stage"] != "ResponseComplete":
        return None
    resource = reference.get("resource", "")
    if reference.get("subresource"):
        resource += f"/{reference['subresource']}"
    return Write(
        user=line["user"]["username"],
        namespace=reference.get("namespace", ""),
        name=reference.get("name", ""),
        what=f"{line['verb']} {resource}",
        refused=line.get("responseStatus", {}).get("code", 0) >= 400,
    )


def per_run(writes: Iterable[Write], runs: Mapping[str, str]) -> dict[str, Counter[str]]:
    """By run: what was written for it. `runs`: the job of each run; of each job only one run.

    A write to the job, or to its CronJob of the same name, belongs to the job's run.
    """
    run_of = {job: run for run, job in runs.items()} | {run: run for run in runs}
    found: dict[str, Counter[str]] = {run: Counter() for run in runs}
    for seen in writes:
        name = seen.name.partition(".")[0] if seen.what.endswith(" events") else seen.name
        if name in run_of:
            found[run_of[name]][seen.what + (" (refused)" if seen.refused else "")] += 1
    return found


class Log:
    """The file, read on from where it ended when this object was made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size
        self.writes: list[Write] = []

    def read(self) -> int:
        """Reads what was added to `writes`; returns how many they are now. Raises RuntimeError when the file was rotated meanwhile."""
        with self._path.open("rb") as file:
            if file.seek(0, 2) < self._offset:
                raise RuntimeError(f"{self._path} was rotated while it was read; start the cluster anew")
            file.seek(self._offset)
            data = file.read()
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        found = (write(json.loads(line)) for line in data[:whole].splitlines())
        self.writes += [seen for seen in found if seen]
        return len(self.writes)
