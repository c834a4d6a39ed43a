"""Some faults in each flow, with the real API server: nothing is lost, doubled or unapproved.

`make faults` tries all of them. Set AGENTJOBS_SEED to see the faults of a failure again.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.cluster.faults.case import Verdict
from tests.cluster.faults.flows import FLOWS
from tests.cluster.installed import Installed
from tests.support.root import ROOT

FOR_EACH_FLOW: Final = 4
SECONDS: Final = 540


@pytest.fixture(scope="module")
def verdicts(agentjobs: Installed, tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """Of all flows, side by side."""
    seed = os.environ.get("AGENTJOBS_SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"AGENTJOBS_SEED={seed}")
    folder: Path = tmp_path_factory.mktemp("faults")
    results = folder / "results.json"
    command = [
        sys.executable,
        "-m",
        "tests.cluster.faults",
        "--bounded",
        str(FOR_EACH_FLOW),
        "--seed",
        seed,
    ]
    command += ["--results", str(results), "--logs", str(folder)]
    environment = {**os.environ, "KUBECONFIG": agentjobs.kubectl.cluster.kubeconfig}
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    print(ran.stdout)
    assert ran.returncode in (0, 1), ran.stderr
    return [Verdict(**verdict) for verdict in json.loads(results.read_text()).values()]


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.parametrize("flow", FLOWS)
def test_whatever_breaks_nothing_is_lost_doubled_or_unapproved(
    flow: str, verdicts: list[Verdict]
) -> None:
    tried = [verdict for verdict in verdicts if verdict.flow == flow]
    assert len(tried) == FOR_EACH_FLOW + 1
    assert {verdict.fault: verdict.breaches for verdict in tried if verdict.breaches} == {}
