"""What follows from an answer that is not the object: done already, another name, or a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from agentjobs.actions import answers, decisions, packages, runs
from agentjobs.actions.refusal import Refusal
from agentjobs.api.event import Event
from agentjobs.core.plan import Write
from tests.support.root import ROOT

Json = dict[str, Any]
DIGEST = "a" * 64
POLICIES = ROOT / "charts" / "agentjobs" / "templates"


def approval() -> Write:
    write = decisions.approve({"metadata": {"name": "report"}}, DIGEST, DIGEST, [])
    assert isinstance(write, Write)
    return write


def as_stored(write: Write, **spec: Any) -> Json:
    """The object that the write has made, with what the API server adds."""
    body: Json = dict(write.body or {})
    return {
        **body,
        "metadata": {**body["metadata"], "uid": "u", "creationTimestamp": "2026-11-24T10:00:00Z"},
        "spec": {**body["spec"], "approvedBy": "ben", **spec},
    }


def test_the_same_decision_is_not_written_twice() -> None:
    assert answers.if_taken(approval(), as_stored(approval(), reason="another one")) is None


OTHERS = {
    "another content with the same digits": {"digest": DIGEST[:16] + "0" * 48},
    "another job": {"jobName": "other"},
    "the other decision": {"decision": "Denied"},
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_decision_gets_another_name_where_something_else_has_its_own(what: str) -> None:
    other = answers.if_taken(approval(), as_stored(approval(), **OTHERS[what]))
    assert isinstance(other, Write)
    sent = dict(other.sent or {})
    assert sent["metadata"] == {"generateName": f"report-{DIGEST[:16]}-approved-"}
    assert {**sent, "metadata": None} == {**(approval().sent or {}), "metadata": None}


def test_a_decision_that_is_being_withdrawn_does_not_stand_for_a_new_one() -> None:
    going = as_stored(approval())
    going["metadata"]["deletionTimestamp"] = "2026-11-24T10:00:01Z"
    assert isinstance(answers.if_taken(approval(), going), Write)


def event(**given: Any) -> Event:
    return Event.model_validate({"type": "published", "source": "/cms", "id": "7", **given})


def test_an_event_that_has_its_run_starts_no_other() -> None:
    write = runs.start_by_event("report", event())
    assert answers.if_taken(write, as_stored(write)) is None
    again = runs.start_by_event("report", event(type="other", data=1))
    assert answers.if_taken(again, as_stored(write)) is None


@pytest.mark.parametrize("trigger", [None, {"type": "Manual"}, {"event": {"source": "/cms"}}])
def test_a_run_that_has_the_events_name_is_not_taken_for_the_events(trigger: Json | None) -> None:
    write = runs.start_by_event("report", event())
    refusal = answers.if_taken(write, {"spec": {"jobName": "report", "trigger": trigger}})
    assert isinstance(refusal, Refusal)
    assert (refusal.cause, write.name in refusal.message) == ("NameTaken", True)


def test_a_run_by_hand_needs_a_name_of_its_own() -> None:
    write = runs.start("report", "now")
    refusal = answers.if_taken(write, as_stored(write))
    assert isinstance(refusal, Refusal)
    assert (refusal.cause, refusal.remedy) == ("NameTaken", "choose another name")


def test_a_signature_is_added_to_a_decision_and_changes_nothing_else() -> None:
    batch = packages.decide(["six==1.17.0"], "Denied")
    assert isinstance(batch, Write)
    for write in (approval(), batch):
        sent = dict(answers.signed(write, "ana").sent or {})
        assert sent["spec"].pop("approvedBy") == "ana"
        assert sent == write.sent


def test_the_refusal_of_an_unsigned_decision_is_known_by_the_charts_words() -> None:
    policies = [path.read_text() for path in POLICIES.rglob("*") if path.is_file()]
    assert any(answers.needs_signature(text) for text in policies)
    assert not answers.needs_signature("you may not approve")
