"""How a write reaches the API server, whatever carries it there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from agentjobs.api.kinds import KINDS, address
from agentjobs.cli.kube import Kube
from agentjobs.core.plan import Write


@dataclass(frozen=True)
class Recorded(Kube):
    """A kubectl that answers with nothing."""

    chosen: str | None = "team"
    asked: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def run(self, *arguments: str, stdin: str = "") -> str:
        self.asked.append((arguments, stdin))
        return "{}"


RUNS = "/apis/agentjobs.dev/v1alpha1/namespaces/team/agentjobruns"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (("run", "team"), RUNS),
        (("run", ""), "/apis/agentjobs.dev/v1alpha1/agentjobruns"),
        (("run", "team", "a", "status"), f"{RUNS}/a/status"),
        (("source", "team", "a"), "/api/v1/namespaces/team/configmaps/a"),
        (("run", "team", "../a?b#c"), f"{RUNS}/..%2Fa%3Fb%23c"),
        (("run", "team/x"), RUNS.replace("team", "team%2Fx")),
    ],
)
def test_a_name_leads_nowhere_but_to_its_object(given: tuple[str, ...], wanted: str) -> None:
    kind, *rest = given
    assert address(KINDS[kind].path, *rest) == wanted


BODY: dict[str, Any] = {"metadata": {"name": "a"}}
MANAGER = "?fieldManager=kubectl-saj"
RAW = {
    "create": (Write("create", "run", "a", "", BODY), f"{RUNS}{MANAGER}", BODY),
    "replace": (Write("replace", "run", "a", "", BODY), f"{RUNS}/a{MANAGER}", BODY),
    "replace a status": (
        Write("replace", "run", "a", "", BODY, "status"),
        f"{RUNS}/a/status{MANAGER}",
        BODY,
    ),
    "delete": (
        Write("delete", "run", "a", "", uid="u", resource_version="7"),
        f"{RUNS}/a",
        {
            "propagationPolicy": "Background",
            "preconditions": {"uid": "u", "resourceVersion": "7"},
        },
    ),
    "delete whatever it is": (
        Write("delete", "run", "a", ""),
        f"{RUNS}/a",
        {"propagationPolicy": "Background", "preconditions": {}},
    ),
}


@pytest.mark.parametrize("what", RAW)
def test_kubectl_sends_a_write_as_it_is(what: str) -> None:
    write, path, body = RAW[what]
    kube = Recorded()
    assert kube.execute(write) == {}
    ((arguments, stdin),) = kube.asked
    assert arguments == (write.verb, "--raw", path, "-f", "-")
    assert json.loads(stdin) == body


@pytest.mark.parametrize("part", ["", "status"])
def test_kubectl_sends_a_patch_as_a_merge_patch(part: Any) -> None:
    kube = Recorded()
    body = {"spec": {"cancel": True}}
    kube.execute(Write("patch", "run", "a", "", body, part), "elsewhere")
    ((arguments, _),) = kube.asked
    assert arguments[:3] == ("patch", "agentjobruns.agentjobs.dev", "a")
    options = {"--type=merge", "--namespace=elsewhere", "--field-manager=kubectl-saj"}
    assert options <= set(arguments)
    assert [word for word in arguments if word.startswith("--subresource")] == (
        [f"--subresource={part}"] if part else []
    )
    assert json.loads(arguments[-1]) == body
