"""The command line: what is measured, in which order, and what is printed."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from agentjobs import __version__
from agentjobs.testing.real_cluster import local, machine
from agentjobs.testing.real_cluster.client import Client, ClusterProblem, connect
from agentjobs.testing.real_cluster.operator_pod import OperatorPod
from hack.benchmark import latency, listing, memory, pending, runner, spread, writes
from hack.benchmark.session import Session
from hack.benchmark.spread import Figure

MEASUREMENTS: Final[dict[str, Callable[[Session], Awaitable[list[Figure]]]]] = {
    "approval": latency.approvals,
    "record": latency.records,
    "runner": runner.overhead,
    "writes": writes.per_run,
    "list": listing.list_jobs,
    "memory": memory.by_jobs,
    "events": pending.events,
}


def parser() -> argparse.ArgumentParser:
    """The options."""
    top = argparse.ArgumentParser(prog="bench.py", description=__doc__)
    top.add_argument(
        "--rounds",
        type=int,
        default=5,
        metavar="N",
        help="how often each measurement is repeated (default 5)",
    )
    top.add_argument(
        "--only",
        action="append",
        choices=MEASUREMENTS,
        metavar="NAME",
        help=f"{', '.join(MEASUREMENTS)}; may be repeated",
    )
    top.add_argument(
        "--jobs",
        type=int,
        default=1000,
        metavar="N",
        help="how many jobs for the list and the memory (default 1000)",
    )
    top.add_argument("--json", type=Path, metavar="FILE", help="write everything, each sample too")
    top.add_argument(
        "--namespace", default="agentjobs-system", help="of the operator (default agentjobs-system)"
    )
    return top


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    """Prints each measurement as it is done; returns all of it for --json."""
    if task := asyncio.current_task():
        # Cleaning up as after Ctrl-C.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel, "SIGTERM")
    here = machine.look()
    async with connect() as client:
        operator = OperatorPod(client, options.namespace)
        kubernetes = (await client.get("version"))["gitVersion"]
        print(
            f"agentjobs {__version__} ({(await operator.images())[0]}), Kubernetes"
            f" {kubernetes}\n{here.words()}"
        )
        if here.warning():
            print(here.warning())
        await _alone(client)
        log = local.audit_log(os.environ.get("KUBECONFIG"))
        session = Session(client, operator, options.rounds, options.jobs, log)
        results = {}
        for name in options.only or MEASUREMENTS:
            results[name] = await _one(session, name)
    return {
        "version": __version__,
        "kubernetes": kubernetes,
        "machine": here.as_json(),
        "figures": results,
    }


async def _one(session: Session, name: str) -> list[dict[str, Any]]:
    """What cannot be measured here does not keep the others from being measured."""
    print(
        f"\n{name} (load {os.getloadavg()[0]:.2f}; min, median, max of the medians of"
        f" {session.rounds} rounds; p50, p99 of all n samples)"
    )
    try:
        figures = await MEASUREMENTS[name](session)
    except ClusterProblem as error:
        print(f"not measured: {error}", flush=True)
        return []
    print(spread.table(figures), flush=True)
    return [spread.as_json(figure) for figure in figures]


async def _alone(client: Client) -> None:
    jobs = (await client.get("apis/agentjobs.dev/v1alpha1/scheduledagentjobs", limit="1"))["items"]
    if jobs:
        print(
            "warning: there are jobs on this cluster already; the figures for 0 jobs and for a"
            " quiet operator are none"
        )


def main() -> int:
    """Exit code 1 when nothing, or not everything, could be measured; never because of a figure."""
    options = parser().parse_args()
    try:
        results = asyncio.run(_measure(options))
    except ClusterProblem as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("bench: interrupted; what it had made is deleted", file=sys.stderr)
        return 130
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0 if all(results["figures"].values()) else 1
