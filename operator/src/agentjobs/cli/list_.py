"""`kubectl saj list`"""

from __future__ import annotations

from agentjobs.cli import options, rows
from agentjobs.cli.kube import JOBS


def run(
    everywhere: options.Everywhere = False,
    output: options.Format = options.Output.TABLE,
    namespace: options.Namespace = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
) -> None:
    """List jobs: how each is, when it ran last and runs next, and what went wrong."""
    kube = options.cluster(kubeconfig, context, namespace)
    columns = (rows.NAMESPACE, *rows.JOBS) if everywhere else rows.JOBS
    where = "" if everywhere else kube.namespace
    empty = f"no jobs in namespace {where}" if where else "no jobs in any namespace"
    options.show(kube.pages(JOBS, where), columns, output, empty=f"{empty}; `kubectl saj new` writes one")
