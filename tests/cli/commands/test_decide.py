"""Decisions that the command line writes, and when it says "already".

It says so of the same decision about the same content, and of nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentjobs.cli.commands import apply, decide
from agentjobs.cli.contents import content_of
from agentjobs.cli.errors import Exit
from agentjobs.core.naming import decision_name
from tests.support.cli.fake_kubectl import FakeKube, Json, ran

SPEC: Json = {"description": "Reads.", "script": {"inline": "print(1)\n"}}
DIGEST = content_of("report", SPEC).digest
VERBS: dict[str, Callable[..., None]] = {"Denied": decide.deny, "Approved": decide.approve}


def job() -> Json:
    return {
        "apiVersion": "agentjobs.dev/v1alpha1",
        "kind": "ScheduledAgentJob",
        "metadata": {"name": "report", "namespace": "team", "generation": 1},
        "spec": SPEC,
        "status": {"observedGeneration": 1, "card": {"digest": DIGEST, "name": "report"}},
    }


def decision(name: str, **spec: Any) -> Json:
    return {
        "metadata": {"name": name, "namespace": "team"},
        "spec": {"jobName": "report", "digest": DIGEST, "approvedBy": "ben", **spec},
    }


def cluster(*decisions: Json) -> FakeKube:
    return FakeKube(objects={"scheduledagentjobs": [job()], "agentjobapprovals": list(decisions)})


@pytest.mark.parametrize("word", VERBS)
def test_a_decision_is_named_after_sixteen_digits_and_made_once(word: str) -> None:
    kube = cluster()
    code, out, _ = ran(VERBS[word], kube, ["report"], yes=True)
    assert code == 0
    assert [body["metadata"]["name"] for body in kube.wrote] == [
        f"report-{DIGEST[:16]}-{word.lower()}"
    ]
    assert f"{word.lower()}: report {DIGEST[:10]} by ana@example.com\n".encode() in out
    code, out, _ = ran(VERBS[word], kube, ["report"], yes=True)
    assert (code, len(kube.wrote)) == (0, 1)
    assert f"{word.lower()}: report {DIGEST[:10]} by ana@example.com already\n".encode() in out


OTHERS = {
    "another content with the same digits": {"digest": DIGEST[:16] + "0" * 48},
    "another job": {"jobName": "other"},
    "the other decision": {"decision": "?"},
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("word", VERBS)
def test_a_name_that_something_else_has_is_not_taken_for_the_decision(
    word: str, other: str
) -> None:
    """Seen: `deny` said "denied already" of another content, and denied nothing."""
    opposite = {"Denied": "Approved", "Approved": "Denied"}[word]
    taken = decision(f"report-{DIGEST[:16]}-{word.lower()}", **{"decision": word, **OTHERS[other]})
    if taken["spec"]["decision"] == "?":
        taken["spec"].update(decision=opposite, jobName="another")
    kube = cluster(taken)
    code, out, err = ran(VERBS[word], kube, ["report"], yes=True)
    assert (code, b"already" in out) == (0, False), err
    (made,) = kube.wrote
    assert (made["spec"]["digest"], made["spec"]["decision"], made["spec"]["jobName"]) == (
        DIGEST,
        word,
        "report",
    )
    assert made["metadata"]["name"].startswith(f"report-{DIGEST[:16]}-{word.lower()}-")


def test_the_longest_name_of_a_job_has_room_for_a_decision() -> None:
    assert len(f"{decision_name('j' * 52, DIGEST, 'Approved')}-abcde") <= 253


def test_a_denial_stands_above_approvals_of_the_same_content() -> None:
    both = [
        decision("a", decision="Denied"),
        decision("b", decision="Approved"),
        decision("c", decision="Approved", digest="d" * 64),
    ]
    assert apply.decisions(both) == {DIGEST: "denied", "d" * 64: "approved"}
    assert apply.decisions(both[::-1]) == apply.decisions(both)


def test_a_revision_that_is_not_what_was_approved_is_not_shown_as_that() -> None:
    forged = {
        "metadata": {"name": f"report-{'a' * 64}"},
        "data": {"revision.json": '{"job": "report", "spec": {"description": "x"}}'},
    }
    kube = cluster()
    kube.objects["configmaps"] = [forged]
    kube.objects["scheduledagentjobs"][0]["status"]["approval"] = {
        "digest": "a" * 64,
        "state": "Changed",
    }
    code, out, err = ran(decide.deny, kube, ["report"], yes=True)
    assert (
        code,
        b"--- approved aaaaaaaaaa, which cannot be read here: all of the job follows" in out,
    ) == (0, True), err


@pytest.mark.parametrize("word", VERBS)
def test_a_mistyped_digest_is_not_taken_for_a_change(word: str) -> None:
    wrong = "0" * 64
    code, out, err = ran(VERBS[word], cluster(), ["report"], digest=wrong)
    assert (code, out) == (Exit.CHANGED, b"")
    assert (
        f"the digest that was given, {wrong[:10]}, is not the one of the content, {DIGEST[:10]}\n"
        in err
    )
    assert "somebody" not in err
    almost = DIGEST[:-1] + ("0" if DIGEST[-1] != "0" else "1")
    for given in (almost, DIGEST[:10], f"{DIGEST}0"):
        assert (
            f"{given}, is not the one of the content, {DIGEST}\n"
            in ran(VERBS[word], cluster(), ["report"], digest=given)[2]
        )


@pytest.mark.parametrize("known", ["approved", "on the card", "decided about"])
@pytest.mark.parametrize("word", VERBS)
def test_a_digest_that_the_job_had_is_told_as_a_change(word: str, known: str) -> None:
    before = "b" * 64
    kube = cluster(
        *([decision("a", decision="Denied", digest=before)] if known == "decided about" else [])
    )
    status = kube.objects["scheduledagentjobs"][0]["status"]
    status.update(
        {
            "approved": {"approval": {"digest": before}},
            "on the card": {"card": {"digest": before}},
        }.get(known, {})
    )
    code, _, err = ran(VERBS[word], kube, ["report"], digest=before)
    assert (code, kube.wrote) == (Exit.CHANGED, [])
    assert (
        f"the content changed: its digest was {before[:10]}, and is {DIGEST[:10]} now\n  read it"
        " again: " in err
    )
