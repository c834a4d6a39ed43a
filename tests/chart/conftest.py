from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chart.helm import Helm
from tests.support.root import ROOT


@pytest.fixture(scope="session")
def helm() -> Helm:
    """The helm of the local cluster's build, or else the one on PATH; no cluster has to run."""
    command = [sys.executable, str(ROOT / "hack/localcluster/cluster.py"), "bin"]
    binary = (
        Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
        / "helm"
    )
    found = str(binary) if binary.exists() else shutil.which("helm")
    assert found, f"{binary} is missing: `make chart` compiles it once"
    return Helm(Path(found))
