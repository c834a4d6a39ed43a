"""A person's decision about one content: exactly the one that the person was shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from agentjobs.actions import bodies
from agentjobs.actions.bodies import name_of
from agentjobs.actions.refusal import Refusal
from agentjobs.core import naming
from agentjobs.core.plan import Write
from agentjobs.present.text import Json, at, one_line

Decision = Literal["Approved", "Denied"]
SHORT: Final = 10
"""Digits of a digest, in a sentence."""


def approve(
    job: Json, shown: str, current: str, decisions: Sequence[Json], reason: str | None = None
) -> Write | Refusal:
    """Approves the content that was shown.

    `shown`: the digest that the person saw, or named. `current`: the digest of the job's content as
    it is now. `decisions`: about this job, as far as they may be read.
    """
    return (
        other_content(job, shown, current, decisions)
        or other_version(job, current)
        or denied(name_of(job), shown, decisions)
        or _decision(job, shown, "Approved", reason)
    )


def deny(
    job: Json, shown: str, current: str, decisions: Sequence[Json], reason: str | None = None
) -> Write | Refusal:
    """Denies the content that was shown; the arguments are those of `approve`."""
    return (
        other_content(job, shown, current, decisions)
        or other_version(job, current)
        or _decision(job, shown, "Denied", reason)
    )


def withdraw(decision: Json) -> Write:
    """Takes back a decision as it was shown."""
    return bodies.delete("approval", decision, "a person takes the decision back")


def other_content(job: Json, shown: str, current: str, decisions: Sequence[Json]) -> Refusal | None:
    """Refuses a digest that is not the one of the content.

    The content changed only if the job is known to have had that digest.
    """
    if shown == current:
        return None
    earlier = {at(job, "status", "approval", "digest"), at(job, "status", "card", "digest")}
    if shown in earlier | {at(body, "spec", "digest") for body in decisions}:
        why, remedy = (
            f"the content changed: its digest was {shown[:SHORT]}, and is {current[:SHORT]} now",
            "read it again",
        )
    elif shown[:SHORT] == current[:SHORT]:
        why, remedy = (
            f"the digest that was given, {shown}, is not the one of the content, {current}",
            "give all 64 digits as they are shown",
        )
    else:
        why = (
            f"the digest that was given, {shown[:SHORT]}, is not the one of the content,"
            f" {current[:SHORT]}"
        )
        remedy = (
            "copy it from the card of this job; if it was right before, the content has changed"
        )
    name = name_of(job)
    return Refusal("Changed", f"ScheduledAgentJob {name}: {why}", remedy, (name,))


def other_version(job: Json, current: str) -> Refusal | None:
    """Refuses a content of which the operator computes another digest."""
    digest = at(job, "status", "card", "digest")
    fresh = at(job, "status", "observedGeneration") == at(job, "metadata", "generation")
    if not digest or not fresh or digest == current:
        return None
    return Refusal(
        "OtherVersion",
        f"ScheduledAgentJob {name_of(job)}: this program computes the digest {current}, the"
        f" operator {digest}",
        "use this program in the operator's version, and try again: a ConfigMap may just have"
        " changed",
    )


def denied(job: str, digest: str, decisions: Sequence[Json]) -> Refusal | None:
    """Refuses an approval of a content that was denied: it would be written, and change nothing."""
    found = [
        body
        for body in decisions
        if at(body, "spec", "digest") == digest and at(body, "spec", "decision") == "Denied"
    ]
    if not found:
        return None
    who = at(found[0], "spec", "approvedBy") or "somebody"
    reason = at(found[0], "spec", "reason")
    why = f", because: {one_line(reason)}" if reason else ""
    return Refusal(
        "Denied",
        f"ScheduledAgentJob {job}: the content {digest[:SHORT]} was denied by {who}{why}; an"
        " approval next to a denial does not count",
        "change the job, or take the denial back",
        tuple(map(name_of, found)),
        str(at(found[0], "metadata", "namespace")),
    )


def _decision(job: Json, digest: str, decision: Decision, reason: str | None) -> Write:
    name = name_of(job)
    spec = {
        "jobName": name,
        "digest": digest,
        "decision": decision,
        **({"reason": reason} if reason else {}),
    }
    why = f"a person has {decision.lower()} the content"
    return bodies.create("approval", naming.decision_name(name, digest, decision), spec, why)
