"""The API server's audit log: who wrote what. The counting is pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agentjobs.testing.real_cluster.client import ClusterProblem

WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class Request:
    """One that was answered.

    `name` is the object's; `what` is the verb with the resource and its subresource.
    """

    user: str
    namespace: str
    name: str
    what: str
    refused: bool

    @property
    def write(self) -> bool:
        """Whether it changes something."""
        return self.what.split()[0] in WRITES

    @property
    def apart(self) -> bool:
        """Events and Leases are counted for themselves."""
        return self.what.split()[1] in ("events", "leases")


def request(line: Mapping[str, Any]) -> Request | None:
    """From a line of the log; None for a watch, and for the first of a long answer's two lines."""
    reference = line.get("objectRef") or {}
    if line["verb"] == "watch" or line["stage"] != "ResponseComplete":
        return None
    resource = reference.get("resource", "")
    if reference.get("subresource"):
        resource += f"/{reference['subresource']}"
    return Request(
        user=line["user"]["username"],
        namespace=reference.get("namespace", ""),
        name=reference.get("name", ""),
        what=f"{line['verb']} {resource}",
        refused=line.get("responseStatus", {}).get("code", 0) >= 400,
    )


def per_run(requests: Iterable[Request], runs: Mapping[str, str]) -> dict[str, Counter[str]]:
    """By run: what was written for it. `runs`: the job of each run; of each job only one run.

    What is written to the job, to its CronJob of the same name or as an Event of the job is for the
    job's run.
    """
    run_of = {job: run for run, job in runs.items()} | {run: run for run in runs}
    found: dict[str, Counter[str]] = {run: Counter() for run in runs}
    for seen in filter(lambda seen: seen.write, requests):
        name = seen.name.partition(".")[0] if seen.what.endswith(" events") else seen.name
        if name in run_of:
            found[run_of[name]][seen.what + (" (refused)" if seen.refused else "")] += 1
    return found


class Log:
    """The file, read on from where it ended when this object was made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size
        self.requests: list[Request] = []

    def read(self) -> int:
        """Reads what was added to `requests`; returns how many they are now.

        Raises ClusterProblem when the file was rotated meanwhile.
        """
        with self._path.open("rb") as file:
            if file.seek(0, 2) < self._offset:
                raise ClusterProblem(
                    f"{self._path} was rotated while it was read; start the cluster anew"
                )
            file.seek(self._offset)
            data = file.read()
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        found = (request(json.loads(line)) for line in data[:whole].splitlines())
        self.requests += [seen for seen in found if seen]
        return len(self.requests)
