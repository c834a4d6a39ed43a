"""What the runner costs: time and memory, against plain `python3 script.py` in the same image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from agentjobs.testing.real_cluster.client import Client, ClusterProblem, Json
from hack.benchmark.objects import named
from hack.benchmark.session import Session
from hack.benchmark.spread import MB, Aim, Figure, differences, scaled

PAIRS: Final = 30
"""In one round, for each script."""
SECONDS: Final = 600.0
PROGRAM: Final = Path(__file__).with_name("in_container.py")


async def overhead(session: Session) -> list[Figure]:
    """All rounds in one pod, which shares the machine's nodes with nothing else of this program."""
    session.say(f"runner, {session.rounds} rounds")
    _, image = await session.operator.images()
    async with session.client.namespace(
        "bench-runner", **{"pod-security.kubernetes.io/enforce": "privileged"}
    ) as namespace:
        measured = await _measured(session.client, namespace, _pod(image, session.rounds))
    seconds, memory = measured["seconds"], measured["memory"]
    plain, ran, empty = (
        seconds["stdout"][command] for command in ("plain", "runner", "interpreter")
    )
    with_stderr = _over(seconds["stderr"]["runner"], seconds["stderr"]["plain"])
    needed = "python3 -I -S -c '', of which every runner in Python needs one"
    resident = _megabytes(memory["quiet"]["runner"], "rss")
    private = _megabytes(memory["quiet"]["runner"], "private")
    peak = _megabytes(memory["loud"]["runner"], "peak")
    scripts = _megabytes(memory["quiet"]["plain"], "rss")
    return [
        Figure("time on top of python3 script.py", "ms", _over(ran, plain), Aim(p50=50)),
        Figure("the same, where the script writes to stderr, too", "ms", with_stderr, Aim(p50=50)),
        Figure("python3 script.py", "ms", scaled(plain, 1000), control=True),
        Figure(needed, "ms", scaled(empty, 1000), control=True),
        Figure("memory while the script runs (resident)", "MB", resident, Aim(p50=20)),
        Figure("of that not shared with the script's interpreter", "MB", private),
        Figure("most ever, with 10 MiB of output (resident)", "MB", peak, Aim(p50=20)),
        Figure("python3 script.py (resident)", "MB", scripts, control=True),
    ]


def _over(more: list[list[float]], less: list[list[float]]) -> tuple[tuple[float, ...], ...]:
    return scaled([differences(a, b) for a, b in zip(more, less, strict=True)], 1000)


def _megabytes(rounds: list[dict[str, float]], name: str) -> tuple[tuple[float, ...], ...]:
    return scaled([[sample[name]] for sample in rounds], MB)


def _pod(image: str, rounds: int) -> Json:
    """Privileged: makes PID namespaces, changes uid, reads the memory of a self-hiding process."""
    options = json.dumps({"rounds": rounds, "pairs": PAIRS})
    command = ["/opt/agentjobs/python3", "-c", PROGRAM.read_text(), options]
    container = {
        "name": "measure",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "securityContext": {
            "privileged": True,
            "runAsUser": 0,
            "runAsGroup": 0,
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  a volume of the pod's own
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "measure"}, "spec": spec}


async def _measured(client: Client, namespace: str, pod: Json) -> dict[str, Any]:
    pods = f"api/v1/namespaces/{namespace}/pods"
    async with client.watch(pods) as watch:
        await client.post(pods, pod)
        ended = named(
            "measure", lambda body: body["status"].get("phase") in ("Succeeded", "Failed")
        )
        seen = await watch.until(ended, SECONDS, "the runner is measured")
    phase = seen.object["status"]["phase"]
    log = (await client.request("GET", f"{pods}/measure/log")).decode()
    if phase != "Succeeded":
        raise ClusterProblem(f"the pod that measures the runner failed: {log[-1000:]}")
    found: dict[str, Any] = json.loads(log.splitlines()[-1])
    return found
