"""Decisions about contents: what was shown is what is written, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from agentjobs.actions import decisions
from agentjobs.actions.refusal import Refusal
from agentjobs.api.approval import AgentJobApprovalSpec
from agentjobs.core.plan import Write

Json = dict[str, Any]
SHOWN: Final = "a" * 64
OTHER: Final = "b" * 64
ACTIONS: Final[dict[str, Callable[..., Write | Refusal]]] = {
    "Approved": decisions.approve,
    "Denied": decisions.deny,
}


def job(**status: Any) -> Json:
    return {
        "metadata": {"name": "report", "namespace": "team", "generation": 3},
        "status": {"observedGeneration": 3, **status},
    }


def decision(name: str = "x", **spec: Any) -> Json:
    return {
        "metadata": {"name": name, "namespace": "team", "uid": "u-1"},
        "spec": {"jobName": "report", "digest": SHOWN, "decision": "Denied", **spec},
    }


def refused(result: Write | Refusal) -> Refusal:
    assert isinstance(result, Refusal)
    return result


@pytest.mark.parametrize("word", ACTIONS)
def test_exactly_the_content_that_was_shown_is_decided_about(word: str) -> None:
    write = ACTIONS[word](job(), SHOWN, SHOWN, [], "read it")
    assert isinstance(write, Write)
    assert (write.verb, write.kind, write.uid) == ("create", "approval", None)
    assert write.sent == {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "AgentJobApproval",
        "metadata": {"name": f"report-{SHOWN[:16]}-{word.lower()}"},
        "spec": {"jobName": "report", "digest": SHOWN, "decision": word, "reason": "read it"},
    }
    assert write.name == write.sent["metadata"]["name"]
    assert AgentJobApprovalSpec.model_validate(write.sent["spec"]).digest == SHOWN


@pytest.mark.parametrize("word", ACTIONS)
@pytest.mark.parametrize("reason", [None, ""])
def test_a_decision_without_a_reason_says_nothing_of_one(word: str, reason: str | None) -> None:
    write = ACTIONS[word](job(), SHOWN, SHOWN, [], reason)
    assert isinstance(write, Write)
    assert set((write.body or {})["spec"]) == {"jobName", "digest", "decision"}


@pytest.mark.parametrize("word", ACTIONS)
def test_a_content_that_was_not_shown_is_not_decided_about(word: str) -> None:
    """Whatever is known of the digest that was shown: it is never exchanged for the present one."""
    known = {
        "nothing": (job(), []),
        "in force": (job(approval={"digest": SHOWN}), []),
        "on the card": (job(card={"digest": SHOWN}), []),
        "decided about": (job(), [decision()]),
    }
    words = {}
    for what, (body, about) in known.items():
        refusal = refused(ACTIONS[word](body, SHOWN, OTHER, about))
        assert (refusal.cause, refusal.objects) == ("Changed", ("report",))
        words[what] = "the content changed" in refusal.message
    assert words == {**dict.fromkeys(known, True), "nothing": False}


@pytest.mark.parametrize("word", ACTIONS)
def test_a_content_that_the_operator_reads_otherwise_is_not_decided_about(word: str) -> None:
    body = job(card={"digest": OTHER})
    refusal = refused(ACTIONS[word](body, SHOWN, SHOWN, []))
    assert refusal.cause == "OtherVersion"
    assert (SHOWN in refusal.message, OTHER in refusal.message) == (True, True)
    body["status"]["observedGeneration"] = 2
    assert isinstance(ACTIONS[word](body, SHOWN, SHOWN, []), Write), "it has not read the change"


def test_a_denied_content_is_not_approved_and_who_denied_it_is_named() -> None:
    denial = decision("no", approvedBy="ben", reason="it mails\neverybody")
    refusal = refused(decisions.approve(job(), SHOWN, SHOWN, [decision(digest=OTHER), denial]))
    assert (refusal.cause, refusal.objects, refusal.namespace) == ("Denied", ("no",), "team")
    assert "denied by ben, because: it mails everybody" in refusal.message


def test_an_approval_and_a_denial_of_another_content_refuse_nothing() -> None:
    about = [decision(digest=OTHER), decision(decision="Approved")]
    assert isinstance(decisions.approve(job(), SHOWN, SHOWN, about), Write)


def test_a_content_can_be_denied_whatever_was_decided_before() -> None:
    about = [decision(), decision(decision="Approved")]
    assert isinstance(decisions.deny(job(), SHOWN, SHOWN, about), Write)


def test_the_decision_that_was_shown_is_withdrawn_and_no_later_one() -> None:
    write = decisions.withdraw(decision("no"))
    assert (write.verb, write.kind, write.name) == ("delete", "approval", "no")
    assert write.sent == {"propagationPolicy": "Background", "preconditions": {"uid": "u-1"}}
