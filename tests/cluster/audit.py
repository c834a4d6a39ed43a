"""What the operator asked the API server to write, as the server's audit log tells it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agentjobs.testing.real_cluster import local
from tests.cluster.installed import NAMESPACE

USER: Final = f"system:serviceaccount:{NAMESPACE}:agentjobs"
READS: Final = frozenset({"get", "list", "watch"})


@dataclass(frozen=True)
class AuditLog:
    """The local cluster's, which is one file with a request in each line.

    Reads begin where the file ended at `from_now_on`.
    """

    path: Path
    start: int

    def _ours(self) -> list[dict[str, Any]]:
        with self.path.open("rb") as file:
            file.seek(self.start)
            requests = [
                json.loads(line) for line in file.read().splitlines() if line.endswith(b"}")
            ]
        return [request for request in requests if request["user"]["username"] == USER]

    def requests(self) -> set[tuple[tuple[str, str, str], bool]]:
        """Each kind of request, reads too: verb, group, resource, and whether RBAC let it pass."""
        return {
            (
                (request["verb"], request["objectRef"].get("apiGroup", ""), _resource(request)),
                request["responseStatus"]["code"] != 403,
            )
            for request in self._ours()
        }

    def writes(self, namespace: str = "", *names: str) -> Counter[str]:
        """How often: verb with resource.

        In one namespace or in all; to these objects or to all, Events apart. Refused ones count,
        too.
        """
        found = (request for request in self._ours() if request["verb"] not in READS)
        return Counter(
            _told(request) for request in found if _is_about(request["objectRef"], namespace, names)
        )


def _is_about(thing: dict[str, str], namespace: str, names: tuple[str, ...]) -> bool:
    if namespace not in ("", thing.get("namespace")):
        return False
    return not names or (thing.get("name") in names and thing["resource"] != "events")


def _resource(request: dict[str, Any]) -> str:
    thing = request["objectRef"]
    return "/".join(part for part in (thing["resource"], thing.get("subresource")) if part)


def _told(request: dict[str, Any]) -> str:
    refused = " (refused)" if request["responseStatus"]["code"] >= 400 else ""
    return f"{request['verb']} {_resource(request)}{refused}"


def from_now_on() -> AuditLog:
    """What is asked after this."""
    path = Path(local.ask("audit-log"))
    return AuditLog(path, path.stat().st_size)
