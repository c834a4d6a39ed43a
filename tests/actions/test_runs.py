"""Runs that people ask for, and the end of those that go on."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from agentjobs.actions import runs
from agentjobs.actions.refusal import Refusal
from agentjobs.api.event import Event
from agentjobs.api.kinds import FINAL_PHASES
from agentjobs.api.run import AgentJobRunSpec

Json = dict[str, Any]
EVENT = Event.model_validate({"type": "published", "source": "/cms", "id": "7", "data": {"n": 1}})


def run(name: str, phase: str | None = None) -> Json:
    return {"metadata": {"name": name}, **({"status": {"phase": phase}} if phase else {})}


@pytest.mark.parametrize(
    ("name", "metadata"),
    [
        (None, {"generateName": "report-"}),
        ("now", {"name": "now"}),
        ("wrong-", {"name": "wrong-"}),
    ],
)
def test_a_run_by_hand_names_its_job_and_nothing_else(name: str | None, metadata: Json) -> None:
    write = runs.start("report", name)
    assert (write.verb, write.kind) == ("create", "run")
    assert write.sent == {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "AgentJobRun",
        "metadata": metadata,
        "spec": {"jobName": "report"},
    }


def test_a_run_by_an_event_has_the_events_one_name_and_its_data() -> None:
    write = runs.start_by_event("report", EVENT)
    digits = hashlib.sha256(b"/cms\n7").hexdigest()[:9]
    assert write.sent == {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "AgentJobRun",
        "metadata": {"name": f"report-e{digits}"},
        "spec": {
            "jobName": "report",
            "trigger": {
                "type": "Event",
                "event": {"id": "7", "source": "/cms", "type": "published", "data": {"n": 1}},
            },
        },
    }
    assert AgentJobRunSpec.model_validate(write.sent["spec"]).trigger.event == EVENT


def test_every_run_that_goes_on_is_cancelled_and_none_that_has_ended() -> None:
    found = [run("a", "Running"), run("b"), *(run(phase, phase) for phase in FINAL_PHASES)]
    writes = runs.cancel("report", found)
    assert isinstance(writes, tuple)
    assert [(write.verb, write.kind, write.name, write.sent) for write in writes] == [
        ("patch", "run", name, {"spec": {"cancel": True}}) for name in ("a", "b")
    ]


ENDED = {
    "no run": ([], "the job report has no runs"),
    "one run": ([run("report-1", "Succeeded")], "the run report-1 has ended (succeeded)"),
    "several": ([run("a", "Failed"), run("b", "Missed")], "all runs of report have ended"),
}


@pytest.mark.parametrize("what", ENDED)
def test_where_nothing_goes_on_there_is_nothing_to_cancel(what: str) -> None:
    found, why = ENDED[what]
    refusal = runs.cancel("report", found)
    assert isinstance(refusal, Refusal)
    assert (refusal.cause, refusal.message) == ("Ended", f"{why}: there is nothing to cancel")
