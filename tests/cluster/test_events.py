"""Events start runs: each event one, whoever delivers it how often, and the script reads it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from agentjobs.api.event import Event
from agentjobs.core.cloud_event import digits
from tests import event_manifests
from tests.cluster import many
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, KubectlError, wait_for

READS: Final = "import os, sys\nprint(sys.stdin.read())\nprint(open(os.environ['AGENTJOBS_EVENT_FILE']).read(), file=sys.stderr)\n"
SCHEMA: Final = {"type": "object", "required": ["price"], "properties": {"price": {"minimum": 1}}}
DATA: Final = {"price": 17, "title": "Bücher & mehr", "nested": [{"deep": None}, 1.5]}


def test_one_event_delivered_ten_times_at_once_starts_one_run_and_the_script_reads_it(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    trigger = {"event": {"type": "priced", "source": "/shop", "dataSchema": SCHEMA}}
    many.in_force(agentjobs, namespace, [many.job("orders", READS, triggers=[trigger])])
    event = {"id": "4711", "source": "/shop", "type": "priced", "data": DATA}
    name = f"orders-e{digits(Event(**event))}"

    def deliver(number: int) -> str:
        try:
            return kubectl.create(namespace, event_manifests.event_run(name if number % 2 else f"orders-{number}", "orders", **event))
        except KubectlError as error:
            return error.stderr

    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(deliver, range(10)))
    assert sum("AlreadyExists" in answer for answer in told) == 4
    record = agentjobs.finished(namespace, name)
    assert (record["phase"], record["reason"], record["logsComplete"]) == ("Succeeded", "Completed", True)
    assert json.loads(record["stdout"]) == {"specversion": "1.0", **event}
    assert record["stderr"] == record["stdout"]
    others = [agentjobs.finished(namespace, f"orders-{number}") for number in range(0, 10, 2)]
    assert {(other["phase"], other["reason"]) for other in others} == {("Skipped", "EventName")}
    wait_for(lambda: agentjobs.job(namespace, "orders")["status"]["runCount"] == 1, 30, "one run is counted")
    assert agentjobs.job(namespace, "orders")["status"]["card"]["triggers"] == ["event priced from /shop; its data is checked"]

    strange = {"id": "1", "source": "/elsewhere", "type": "priced", "data": DATA}
    wrong = {"id": "2", "source": "/shop", "type": "priced", "data": {"price": 0}}
    for case, reason in ((strange, "NoTrigger"), (wrong, "EventInvalid")):
        run = f"orders-e{digits(Event(**case))}"
        kubectl.create(namespace, event_manifests.event_run(run, "orders", **case))
        assert agentjobs.finished(namespace, run)["reason"] == reason
