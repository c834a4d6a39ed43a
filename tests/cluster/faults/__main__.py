"""`make faults`: every flow under every fault, and docs/reliability.md; `--bounded`: some of each.

What was tried is kept in a file and not tried again, until the operator or the machine changes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import ssl
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.kube_config import load_kube_config

from agentjobs.testing.real_cluster.client import Client, ClusterProblem, connect
from agentjobs.testing.real_cluster.machine import look
from agentjobs.testing.real_cluster.operator_pod import OperatorPod
from agentjobs.testing.real_cluster.settings import configuration
from tests.cluster.faults import faults, page
from tests.cluster.faults.case import Case, Verdict, World, tried
from tests.cluster.faults.flows import FLOWS
from tests.cluster.faults.operators import Nursery
from tests.cluster.faults.proxy import Upstream

NAMESPACE: Final = "agentjobs-system"


def parser() -> argparse.ArgumentParser:
    """The options."""
    top = argparse.ArgumentParser(prog="python -m tests.cluster.faults", description=__doc__)
    top.add_argument(
        "--only",
        metavar="FLOW/FAULT",
        action="append",
        help="either part may be empty; may be repeated",
    )
    top.add_argument(
        "--bounded", type=int, default=0, metavar="N", help="N faults for each flow, by the seed"
    )
    top.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of all that is left to chance"
    )
    top.add_argument(
        "--side-by-side", type=int, default=4, metavar="N", help="cases at once (default 4)"
    )
    top.add_argument("--results", type=Path, default=Path("build/faults.json"), metavar="FILE")
    top.add_argument("--logs", type=Path, default=Path("build/faults"), metavar="FOLDER")
    top.add_argument("--again", action="store_true", help="also what has been tried")
    top.add_argument("--page", type=Path, metavar="FILE", help="write the table into this page")
    return top


def wanted(name: str, only: Iterable[str] | None) -> bool:
    """Whether `--only` names this case: manual, manual/409, /409, manual/killed."""
    flow, _, fault = name.partition("/")
    parts = [each.partition("/") for each in only or ("/",)]
    return any(f in ("", flow) and (not g or fault.startswith(g)) for f, _, g in parts)


def of_flow(flow: str, writes: int, options: argparse.Namespace) -> list[Case]:
    """The cases of one flow, as far as they are wanted."""
    cases = [*faults.kills(writes), *faults.FAULTS]
    if options.bounded:
        dice = random.Random(f"{options.seed} {flow}")
        kills = dice.sample(faults.kills(writes), min(writes, max(options.bounded // 2, 1)))
        rest = dice.sample(sorted(faults.FAULTS), options.bounded - len(kills))
        cases = [*kills, *rest]
    found = [Case(flow, fault, writes, options.seed) for fault in cases]
    return [case for case in found if wanted(case.name, options.only)]


class Results:
    """By case; each is written down as soon as it is there."""

    def __init__(self, file: Path, *, again: bool) -> None:
        self._file = file
        self.not_tried: list[str] = []
        kept = json.loads(file.read_text()) if file.exists() and not again else {}
        self.verdicts = {name: Verdict(**verdict) for name, verdict in kept.items()}

    def add(self, case: Case, verdict: Verdict) -> None:
        self.verdicts[case.name] = verdict
        self._file.parent.mkdir(parents=True, exist_ok=True)
        told = {name: asdict(each) for name, each in sorted(self.verdicts.items())}
        self._file.write_text(json.dumps(told, indent=1) + "\n")
        wrong = "; ".join(f"{each['kind']}: {each['what']}" for each in verdict.breaches)
        met = "" if verdict.struck or case.fault == page.NOTHING else " (met nothing)"
        print(
            f"{'FAIL' if wrong else 'ok':5} {case.name:45} {verdict.seconds:6.1f} s{met} {wrong}",
            flush=True,
        )


async def all_of(world: World, cases: Iterable[Case], results: Results, at_once: int) -> None:
    """So many side by side."""
    places = asyncio.Semaphore(at_once)

    async def one(case: Case) -> None:
        async with places:
            try:
                results.add(case, await tried(world, case))
            except ClusterProblem as error:
                results.not_tried.append(case.name)
                print(f"not tried: {case.name}: {error}", flush=True)

    await asyncio.gather(*(one(case) for case in cases if case.name not in results.verdicts))


@asynccontextmanager
async def upstream(client: Client) -> AsyncIterator[Upstream]:
    """As the account of the operator that is installed."""
    configuration = Configuration()
    await load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    request: dict[str, Any] = {"spec": {"expirationSeconds": 6 * 3600}}
    path = f"api/v1/namespaces/{NAMESPACE}/serviceaccounts/agentjobs/token"
    token = (await client.post(path, request))["status"]["token"]
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    async with aiohttp.ClientSession(
        configuration.host,
        connector=aiohttp.TCPConnector(ssl=context, limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
        read_bufsize=2**21,
    ) as session:
        yield Upstream(session, token)


async def run(options: argparse.Namespace) -> Results:
    """First each flow without a fault: its writes are those that are struck."""
    results = Results(options.results, again=options.again)
    flows = [
        flow
        for flow in FLOWS
        if any(each.partition("/")[0] in ("", flow) for each in options.only or ("/",))
    ]
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connect())
        settings = await configuration(client, NAMESPACE)
        await stack.enter_async_context(OperatorPod(client, NAMESPACE).stopped())
        nursery = await Nursery.open()
        stack.push_async_callback(nursery.close)
        server = await stack.enter_async_context(upstream(client))
        world = World(client, server, nursery, settings, NAMESPACE, options.logs)
        plain = [Case(flow, page.NOTHING) for flow in flows]
        await all_of(world, plain, results, options.side_by_side)
        flows = [flow for flow in flows if f"{flow}/{page.NOTHING}" in results.verdicts]
        found = {flow: len(results.verdicts[f"{flow}/{page.NOTHING}"].writes) for flow in flows}
        cases = [case for flow, writes in found.items() for case in of_flow(flow, writes, options)]
        random.Random(options.seed).shuffle(cases)  # whoever interrupts it has some of everything
        await all_of(world, cases, results, options.side_by_side)
    return results


def main() -> int:
    """Exit code 1 when a promise was broken, 2 when nothing could be tried."""
    options = parser().parse_args()
    machine = look()
    try:
        results = asyncio.run(run(options))
    except ClusterProblem as error:
        print(f"faults: {error}", file=sys.stderr)
        return 2
    verdicts = list(results.verdicts.values())
    if options.page:
        day = datetime.now(UTC).date().isoformat()
        part = page.measured(
            verdicts, list(faults.FAULTS), machine.words(), day, options.side_by_side
        )
        options.page.write_text(page.written(options.page.read_text(), part))
    if results.not_tried:
        print(f"faults: not tried: {', '.join(results.not_tried)}", file=sys.stderr)
        return 2
    return 1 if any(verdict.breaches for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
