"""The operator starts with what its file and its pod say, and not without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from agentjobs import __main__ as program
from agentjobs.api import names
from agentjobs.operator import config_text
from agentjobs.operator.configuration import Pod, configuration
from agentjobs.testing.operators import SETTINGS
from agentjobs.testing.real_cluster import settings
from agentjobs.testing.real_cluster.client import ClusterProblem
from tests.support.settings import FULL, changed

POD: Final = {"POD_NAME": "agentjobs-1", "POD_NAMESPACE": "agentjobs-system"}


STARTS: Final = [
    (None, POD, "config.yaml: No such file or directory"),
    ("a: [", POD, "config.yaml: line 1: the YAML cannot be read"),
    ("", POD, "config.yaml: must be a document with apiVersion"),
    (
        json.dumps(changed("process.workers", 0)),
        POD,
        "config.yaml: process.workers: should be greater than or equal to 1",
    ),
    (json.dumps(SETTINGS), {}, "POD_NAME and POD_NAMESPACE: must be set in the environment"),
]


@pytest.mark.parametrize(
    ("text", "environment", "message"), STARTS, ids=[message for _, _, message in STARTS]
)
def test_the_operator_does_not_start_without_settings(
    text: str | None,
    environment: dict[str, str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in POD:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TZ", "UTC")
    file = tmp_path / "config.yaml"
    if text is not None:
        file.write_text(text)
    assert program.main(["operator", "--config", str(file)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("the operator cannot start: ")
    assert message in told
    assert told.count("\n") == 1


def test_the_program_starts_with_what_the_file_and_the_pod_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []

    async def operate(*given: object) -> int:
        started.extend(given)
        return 0

    def end(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(program, "operate", operate)
    monkeypatch.setattr(program, "_exit_now", end)
    monkeypatch.setattr(program, "log_to_stderr", started.append)
    monkeypatch.setenv("TZ", "UTC")
    for name, value in POD.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(changed("process.logLevel", "ERROR")))
    with pytest.raises(SystemExit, match="0"):
        program.main(["operator", "--config", str(file)])
    assert started == [
        "ERROR",
        configuration(changed("process.logLevel", "ERROR")),
        Pod("agentjobs-1", "agentjobs-system"),
        None,
    ]


def test_an_operator_outside_of_a_pod_reads_what_the_helper_writes(tmp_path: Path) -> None:
    body = {"data": {names.CONFIG_FILE: json.dumps({**FULL, "session": {"size": "3Gi"}})}}
    document = settings.document_of([{"metadata": {"name": "other"}}, body])
    file = settings.write(document, tmp_path / "config.yaml", port=18080, resyncSeconds=10)
    found = configuration(config_text.document(file.read_bytes()))
    assert (
        found.process.workers,
        found.process.port,
        found.process.resync_seconds,
        found.session.size,
    ) == (2, 18080, 10, "3Gi")
    missing = "0 ConfigMaps hold an operator's settings; one is needed: make install"
    with pytest.raises(ClusterProblem, match=missing):
        settings.document_of([])
