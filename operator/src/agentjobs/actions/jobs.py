"""A job is paused, resumed or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from agentjobs.actions import bodies
from agentjobs.actions.bodies import name_of
from agentjobs.actions.refusal import Refusal
from agentjobs.core.plan import Write
from agentjobs.present.text import Json, at

MAX_NAME: Final = 253
LIKE: Final = 3
"""Names that are suggested at most."""


def pause(job: Json) -> Write:
    """Stops scheduled starts."""
    return bodies.change("job", name_of(job), {"suspend": True}, "a person pauses the job")


def resume(job: Json) -> tuple[Write, ...]:
    """Lets scheduled starts happen again, also after too many failures."""
    why = "a person resumes the job"
    off = bodies.change("job", name_of(job), {"suspend": False}, why)
    if at(job, "status", "failurePause") and not at(job, "spec", "suspend"):
        # The operator takes a pause after failures back when suspend is turned off, so it has to be
        # on first.
        return bodies.change("job", name_of(job), {"suspend": True}, why), off
    return (off,)


def delete(job: Json) -> Write:
    """Deletes a job as it was shown, with the records of its runs. Decisions about it stay."""
    return bodies.delete("job", job, "a person deletes the job")


def missing(name: str, namespace: str, others: Sequence[str], sought: str = "no") -> Refusal:
    """Refuses what is asked of a job that is not there, with the names that are written much alike.

    `others`: the jobs that are there. `sought`: how the sentence begins, where the name could have
    been that of something else, too.
    """
    like = get_close_matches(name[:MAX_NAME], others, LIKE)
    return Refusal(
        "NotFound",
        f"there is {sought} ScheduledAgentJob {name} in namespace {namespace}",
        f"did you mean {' or '.join(like)}?" if like else "",
        tuple(like),
    )
