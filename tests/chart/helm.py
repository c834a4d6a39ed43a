"""The real helm, and what the chart renders, as data."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.root import ROOT

CHART = ROOT / "charts" / "agentjobs"
NAMESPACE = "agentjobs-system"
FULL_VALUES = Path(__file__).with_name("full-values.yaml")
"""Every value differs from its default."""

Document = dict[str, Any]


class HelmError(Exception):
    """Helm refused; the message is what it said."""


@dataclass(frozen=True)
class Helm:
    binary: Path

    def __call__(self, *words: str | Path, stdin: str = "") -> str:
        result = subprocess.run(
            [self.binary, *words], input=stdin, capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise HelmError(result.stderr + result.stdout)
        return result.stdout

    def template(
        self, values: Document | None = None, file: Path | None = None, *, crds: bool = False
    ) -> str:
        """The manifests as text.

        `crds` leaves it to the values whether the CRDs, which take half the time, are among them.
        """
        default = {} if crds else {"crds": {"enabled": False}}
        return _rendered(self, json.dumps({**default, **(values or {})}), file)

    def documents(
        self, values: Document | None = None, file: Path | None = None, *, crds: bool = False
    ) -> list[Document]:
        """The manifests as data. libyaml reads them in a tenth of the time."""
        return [
            document
            for document in yaml.load_all(self.template(values, file, crds=crds), yaml.CSafeLoader)
            if document
        ]


@cache
def _rendered(helm: Helm, values: str, file: Path | None) -> str:
    """Once for the same values.

    The Kubernetes version is fixed, so that the text is the same everywhere.
    """
    files: tuple[str | Path, ...] = ("--values", file) if file else ()
    fixed = ("--namespace", NAMESPACE, "--kube-version", "1.36.0")
    return helm("template", "agentjobs", CHART, *fixed, *files, "--values", "-", stdin=values)


def full_values() -> Document:
    values: Document = yaml.safe_load(FULL_VALUES.read_text())
    return values


def nested(path: str, value: object) -> Document:
    """The value at a path, as Helm takes it."""
    for key in reversed(path.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def of_kind(documents: list[Document], kind: str) -> list[Document]:
    return [document for document in documents if document["kind"] == kind]


def container(documents: list[Document]) -> Document:
    (deployment,) = of_kind(documents, "Deployment")
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)
