"""The real helm, and what the chart renders, as data."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
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

    def template(self, values: Document | None = None, file: Path | None = None) -> str:
        """The manifests as text.

        The Kubernetes version is fixed, so that the text is the same everywhere.
        """
        files: tuple[str | Path, ...] = ("--values", file) if file else ()
        fixed = ("--namespace", NAMESPACE, "--kube-version", "1.36.0")
        return self(
            "template",
            "agentjobs",
            CHART,
            *fixed,
            *files,
            "--values",
            "-",
            stdin=json.dumps(values or {}),
        )

    def documents(self, values: Document | None = None, file: Path | None = None) -> list[Document]:
        return [
            document for document in yaml.safe_load_all(self.template(values, file)) if document
        ]


def of_kind(documents: list[Document], kind: str) -> list[Document]:
    return [document for document in documents if document["kind"] == kind]


def container(documents: list[Document]) -> Document:
    (deployment,) = of_kind(documents, "Deployment")
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)
