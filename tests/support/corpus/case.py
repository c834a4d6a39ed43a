"""A manifest that is refused, and jobs that differ in one field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.support.manifests import Manifest, job

ONLY_SERVER: Final = ""
"""The Python models leave this to somebody else: time zones to `core.schedule`, changes to the API
server."""


def cron(expression: str) -> Manifest:
    return job(schedule={"cron": expression})


def zone(name: str) -> Manifest:
    return job(schedule={"cron": "0 8 * * 1", "timeZone": name})


def variable(**fields: Any) -> Manifest:
    return job(env=[{"name": "A", **fields}])


def pins(*pins: Any) -> Manifest:
    return job(packages=list(pins))


def source(**changes: Any) -> Manifest:
    return job(script={"configMapKeyRef": {"name": "scripts", "key": "report.py", **changes}})


def resources(requests: Manifest, limits: Manifest) -> Manifest:
    return job(resources={"requests": requests, "limits": limits})


@dataclass(frozen=True)
class Refused:
    """A manifest and parts of what the API server, and where they differ the models, say of it."""

    what: str
    manifest: Manifest
    server: str
    python: str | None = None

    @property
    def in_python(self) -> str:
        return self.server if self.python is None else self.python
