"""`kubectl saj` as its users have it: the plugin on PATH, a kubeconfig, a namespace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.support import Kubectl


@dataclass(frozen=True)
class Saj:
    """One user in one namespace and one folder."""

    environment: dict[str, str]
    folder: Path
    ran: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        self.ran.append(arguments)
        command = ["kubectl", "saj", *arguments]
        ran = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.folder,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in ran.stderr
        return ran

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        """What it prints; it has to succeed."""
        ran = self.run(*arguments, stdin=stdin)
        assert ran.returncode == 0, (
            f"kubectl saj {' '.join(arguments)}: {ran.returncode}\n{ran.stdout}{ran.stderr}"
        )
        return ran.stdout

    def refused(self, *arguments: str, stdin: str = "") -> tuple[int, str]:
        """The exit code and what is said."""
        ran = self.run(*arguments, stdin=stdin)
        assert ran.returncode, ran.stdout
        return ran.returncode, ran.stderr


def installed(kubectl: Kubectl, namespace: str, folder: Path, user: str | None = None) -> Saj:
    """`user`: somebody else than the administrator, by impersonation."""
    config: Any = json.loads(
        kubectl("config", "view", "--raw", "--minify", "--flatten", "--output=json")
    )
    config["contexts"][0]["context"]["namespace"] = namespace
    if user:
        config["users"][0]["user"]["as"] = user
    path = folder / f"kubeconfig-{user or 'admin'}"
    path.write_text(yaml.safe_dump(config))
    tools = [
        str(Path(sys.executable).parent),
        str(Path(kubectl.cluster.kubectl).parent),
        os.environ["PATH"],
    ]
    return Saj({**os.environ, "KUBECONFIG": str(path), "PATH": ":".join(tools)}, folder)
