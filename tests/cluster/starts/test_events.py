"""Events start runs: each event one, whoever delivers it how often, and the script reads it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from agentjobs.api.event import Event
from agentjobs.core.views.event import digits
from tests.cluster import many
from tests.cluster.cli.plugin import installed
from tests.cluster.installed import Installed
from tests.cluster.support import Kubectl, KubectlError, wait_for
from tests.support import manifests
from tests.support.corpus.events import event_run

READS: Final = """\
import os, sys
print(sys.stdin.read())
print(open(os.environ['AGENTJOBS_EVENT_FILE']).read(), file=sys.stderr)
"""
SCHEMA: Final = {"type": "object", "required": ["price"], "properties": {"price": {"minimum": 1}}}
DATA: Final = {"price": 17, "title": "Bücher & mehr", "nested": [{"deep": None}, 1.5]}


def test_an_event_delivered_ten_times_starts_one_run_that_reads_it(
    agentjobs: Installed, kubectl: Kubectl, namespace: str
) -> None:
    trigger = {"event": {"type": "priced", "source": "/shop", "dataSchema": SCHEMA}}
    many.in_force(agentjobs, namespace, [many.job("orders", READS, triggers=[trigger])])
    event = {"id": "4711", "source": "/shop", "type": "priced", "data": DATA}
    name = f"orders-e{digits(Event(**event))}"

    def deliver(number: int) -> str:
        try:
            return kubectl.create(
                namespace,
                event_run(name if number % 2 else f"orders-{number}", "orders", **event),
            )
        except KubectlError as error:
            return error.stderr

    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(deliver, range(10)))
    assert sum("AlreadyExists" in answer for answer in told) == 4
    record = agentjobs.finished(namespace, name)
    assert (record["phase"], record["reason"], record["logsComplete"]) == (
        "Succeeded",
        "Completed",
        True,
    )
    assert json.loads(record["stdout"]) == {"specversion": "1.0", **event}
    assert record["stderr"] == record["stdout"]
    others = [agentjobs.finished(namespace, f"orders-{number}") for number in range(0, 10, 2)]
    assert {(other["phase"], other["reason"]) for other in others} == {("Skipped", "EventName")}
    wait_for(
        lambda: agentjobs.job(namespace, "orders")["status"]["runCount"] == 1,
        30,
        "one run is counted",
    )
    assert agentjobs.job(namespace, "orders")["status"]["card"]["triggers"] == [
        "event priced from /shop; a schema checks its data"
    ]

    strange = {"id": "1", "source": "/elsewhere", "type": "priced", "data": DATA}
    wrong = {"id": "2", "source": "/shop", "type": "priced", "data": {"price": 0}}
    for case, reason in ((strange, "NoTrigger"), (wrong, "EventInvalid")):
        run = f"orders-e{digits(Event(**case))}"
        kubectl.create(namespace, event_run(run, "orders", **case))
        assert agentjobs.finished(namespace, run)["reason"] == reason


def test_an_event_file_starts_a_job_once_and_then_names_its_run(
    agentjobs: Installed, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    many.in_force(
        agentjobs,
        namespace,
        [many.job("drafts", READS, triggers=[{"event": {"type": "published"}}])],
    )
    saj = installed(kubectl, namespace, tmp_path)
    event = {"specversion": "1.0", "id": "7", "source": "/cms", "type": "published", "data": DATA}
    name = f"drafts-e{digits(Event(id='7', source='/cms', type='published'))}"
    (tmp_path / "event.json").write_text(json.dumps(event))
    ran = saj.run("run", "drafts", "--event", "event.json", "--follow")
    assert (ran.returncode, f"run {name} was created\n" in ran.stderr) == (0, True), ran.stderr
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [event, event], "both streams"

    again = saj.run("run", "drafts", "--event", "-", "--wait", stdin=json.dumps(event))
    assert (again.returncode, again.stderr) == (0, f"the event has its run already: {name}\n")
    assert again.stdout == f"{name} succeeded: the script exited with code 0\n"
    assert saj("run", "drafts", "--event", "event.json").startswith(
        f"the event has its run already: {name}; "
    )
    assert (
        saj("run", "drafts", "--event", "event.json", "-o", "name")
        == f"agentjobrun.agentjobs.dev/{name}\n"
    )
    assert json.loads(saj("logs", "drafts")) == event
    assert agentjobs.job(namespace, "drafts")["status"]["runCount"] == 1

    (tmp_path / "event.json").write_text(json.dumps({**event, "id": "8", "type": "removed"}))
    code, told = saj.refused("run", "drafts", "--event", "event.json", "--wait")
    assert (code, told.startswith("run drafts-e")) == (7, True)
    taken = f"drafts-e{digits(Event(id='9', source='/cms', type='published'))}"
    other = {"type": "Event", "event": {"id": "10", "source": "/cms", "type": "published"}}
    kubectl.create(namespace, manifests.run(taken, "drafts", trigger=other))
    (tmp_path / "event.json").write_text(json.dumps({**event, "id": "9"}))
    code, told = saj.refused("run", "drafts", "--event", "event.json")
    assert (code, f"AgentJobRun {taken} is there, and it is not this event's" in told) == (3, True)
