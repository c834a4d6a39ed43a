"""`kubectl saj list`"""

from __future__ import annotations

from agentjobs.cli import options
from agentjobs.cli.kube import JOBS, Kube
from agentjobs.present import rows


@options.on_cluster
def run(
    kube: Kube,
    everywhere: options.Everywhere = False,
    output: options.Format = options.Output.TABLE,
) -> None:
    """List jobs: how each is, when it ran last and runs next, and what went wrong."""
    columns = (rows.NAMESPACE, *rows.JOBS) if everywhere else rows.JOBS
    where = "" if everywhere else kube.namespace
    empty = f"no jobs in namespace {where}" if where else "no jobs in any namespace"
    options.show(
        kube.pages(JOBS, where), columns, output, empty=f"{empty}; `kubectl saj new` writes one"
    )
