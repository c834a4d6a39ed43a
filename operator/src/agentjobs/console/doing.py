"""Carries out what a person asked for, in their name."""

from __future__ import annotations

from collections.abc import Sequence

from agentjobs.actions import answers
from agentjobs.actions.refusal import Refusal
from agentjobs.cluster.client import Cluster, Json
from agentjobs.console.visitor import Visitor
from agentjobs.core.errors import Conflict, Refused
from agentjobs.core.plan import Write


async def carry_out(visitor: Visitor, namespace: str, write: Write) -> Json | Refusal:
    """The object as the server has it afterwards.

    A decision or an event that is there already is as good as a new one. Raises ClusterError.
    """
    try:
        return await _signed(visitor, namespace, write)
    except Conflict:
        if write.verb != "create" or not (write.body or {})["metadata"].get("name"):
            raise
    found = await visitor.cluster.get(write.kind, namespace, write.name)
    other = answers.if_taken(write, found)
    if other is None:
        return found
    return other if isinstance(other, Refusal) else await _signed(visitor, namespace, other)


async def _signed(visitor: Visitor, namespace: str, write: Write) -> Json:
    """Writes; with the person's own name where the API server cannot fill it in itself."""
    try:
        return await visitor.cluster.write(namespace, write)
    except Refused as refusal:
        if not answers.needs_signature(str(refusal)):
            raise
    return await visitor.cluster.write(namespace, answers.signed(write, visitor.name))


async def decisions(cluster: Cluster, namespace: str, job: str) -> Sequence[Json]:
    """About a job; none where the person may not read them."""
    try:
        return [
            body
            async for page in cluster.list(
                "approval", namespace, fieldSelector=f"spec.jobName={job}"
            )
            for body in page["items"]
        ]
    except Refused:
        return ()
