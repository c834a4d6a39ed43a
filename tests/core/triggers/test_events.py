"""Which events start a job, and that checking them cannot go on for ever."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from agentjobs.api.event import Event
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core import naming
from agentjobs.core.errors import UserError
from agentjobs.core.triggers.events import check, refusal, to_read, with_event, words
from agentjobs.core.views.event import EventView, digits
from agentjobs.core.views.run import RunView
from tests.support import manifests as written
from tests.support.decisions import observed
from tests.support.endings import JOB, RUN
from tests.support.workload import cron_job

EVENT = Event(id="1", source="/cms", type="published", data={"pages": 3})
VIEW = EventView("published", "/cms", digits(EVENT))
SCHEMA = {"properties": {"pages": {"type": "integer"}}, "required": ["pages"]}


def spec(*triggers: dict[str, Any]) -> ScheduledAgentJobSpec:
    return ScheduledAgentJobSpec.model_validate(written.job(triggers=list(triggers))["spec"])


def run(**changes: Any) -> RunView:
    name = naming.run_of_event("report", VIEW.digits)
    return replace(RUN, name=name, adopted=False, event=VIEW, **changes)


ANY = spec({"event": {"type": "published"}})
CHECKED = spec({"event": {"type": "published", "dataSchema": SCHEMA}})
BROKEN = EventView("", "", "", "spec.trigger.event: id: is required")
ELSEWHERE = {"type": "published", "source": "/other"}
BAD_DATA = EVENT.model_copy(update={"data": {"pages": "three"}})


def test_a_run_without_an_event_is_not_asked_about_one() -> None:
    assert refusal(replace(RUN, event=None), ANY, None, None) is None


@pytest.mark.parametrize(
    ("asked", "wanted", "event", "paused", "reason"),
    [
        (run(), ANY, EVENT, None, None),
        (run(), CHECKED, EVENT, None, None),
        (run(), None, EVENT, "paused", None),
        (run(), CHECKED, BAD_DATA, None, "EventInvalid"),
        (replace(run(), event=BROKEN), ANY, None, None, "EventInvalid"),
        (replace(run(), name="report-twice"), ANY, EVENT, None, "EventName"),
        (run(), spec({"event": {"type": "deleted"}}), EVENT, None, "NoTrigger"),
        (run(), spec({"event": ELSEWHERE}), EVENT, None, "NoTrigger"),
        (run(), spec(), EVENT, None, "NoTrigger"),
        (run(), ANY, EVENT, "paused", "Paused"),
        (run(ancestors=("other",)), ANY, EVENT, None, "NoTrigger"),
    ],
)
def test_an_event_starts_a_job_that_takes_it_and_no_other(
    asked: RunView,
    wanted: ScheduledAgentJobSpec | None,
    event: Event | None,
    paused: str | None,
    reason: str | None,
) -> None:
    found = refusal(asked, wanted, event, paused)
    assert (found[0] if found else None) == reason


def test_only_the_oldest_run_that_waits_is_read() -> None:
    older = replace(run(created=RUN.created.replace(hour=1)), name="report-older")
    older = replace(older, name=naming.run_of_event("report", VIEW.digits))
    younger = replace(older, created=RUN.created, event=replace(VIEW, digits="0" * 9))
    younger = replace(younger, name="report-e000000000")
    seen = replace(observed(), runs=(younger, older))
    assert to_read(seen) == (older.name,)
    assert to_read(replace(seen, batch_jobs=(replace(JOB, name=older.name),))) == (younger.name,)
    assert to_read(replace(seen, runs=(replace(younger, adopted=True),))) == ()
    assert to_read(replace(seen, runs=(replace(older, name="report-other"),))) == ()


def test_a_schema_that_cannot_be_used_is_named_by_its_place() -> None:
    check(CHECKED)
    bad = spec(
        {"event": {"type": "a"}}, {"event": {"type": "b", "dataSchema": {"type": "number!"}}}
    )
    with pytest.raises(UserError, match=r"spec\.triggers\[1\]\.event\.dataSchema"):
        check(bad)


def test_a_card_says_what_starts_the_job_and_what_is_checked() -> None:
    triggers = (
        {"event": {"type": "published", "source": "/cms", "dataSchema": SCHEMA}},
        {"event": {"type": "deleted"}},
        {"after": {"job": "other", "on": "Failed"}},
    )
    assert list(words(spec(*triggers))) == [
        "event published from /cms; a schema checks its data",
        "event deleted from any source",
        "after other, when it has failed",
    ]


def test_the_pod_gets_the_event_as_a_file_and_the_template_stays_as_it_is() -> None:
    template = cron_job()["spec"]["jobTemplate"]["spec"]
    before = copy.deepcopy(template)
    spec = with_event(template, EVENT)
    assert template == before
    pod = spec["template"]
    (encoded,) = (text for text in pod["metadata"]["annotations"].values() if text.startswith("{"))
    assert json.loads(encoded) == {
        "specversion": "1.0",
        "id": "1",
        "source": "/cms",
        "type": "published",
        "data": {"pages": 3},
    }
    (container,) = pod["spec"]["containers"]
    (mount,) = (mount for mount in container["volumeMounts"] if mount["name"] == "event")
    variables = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert mount["readOnly"] is True
    assert variables["AGENTJOBS_EVENT_FILE"].startswith(mount["mountPath"])
