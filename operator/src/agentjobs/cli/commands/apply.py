"""`kubectl saj apply`: render and write, on the server's side. What changed waits for an approval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from agentjobs.cli import options, screen
from agentjobs.cli.commands import render
from agentjobs.cli.contents import content_of
from agentjobs.cli.kube import APPROVALS, FIELD_MANAGER, Json, Kube
from agentjobs.cli.text import at


@options.on_cluster
def run(
    kube: Kube,
    paths: render.Paths = None,
    force: Annotated[bool, typer.Option("--force-conflicts", help="Take over fields that somebody else has set.")] = False,
) -> None:
    """Render and apply jobs. Nothing new runs before it is approved; each digest is printed with what it waits for."""
    from agentjobs.cli.files.documents import all_to_yaml

    bodies = render.manifests(paths, None)
    flags = ("--server-side", f"--field-manager={FIELD_MANAGER}", *(("--force-conflicts",) if force else ()))
    kube.run("apply", *flags, "--namespace", kube.namespace, "-f", "-", stdin=all_to_yaml(bodies))
    decided = decisions(kube.all(APPROVALS))
    for body in bodies:
        name = body["metadata"]["name"]
        if not any(at(body, "spec", program, "configMapKeyRef") for program in ("script", "agent")):
            digest = content_of(name, body["spec"], f"ScheduledAgentJob {name}").digest
            screen.say(f"{name} {digest} {decided.get(digest, 'waits for approval')}")
        else:
            screen.say(f"{name} is applied; `kubectl saj cards {name}` shows what waits")


def decisions(found: Iterable[Json]) -> dict[str, str]:
    """What was said of each digest; a denial stands above approvals. Pure."""
    said = sorted((str(at(body, "spec", "decision")).lower(), str(at(body, "spec", "digest"))) for body in found)
    return {digest: decision for decision, digest in said}
