"""A job's content to approve, computed by the operator's function from what a person can read.

So an approver does not have to trust the card: the digest that is approved is the one of the text
that was shown. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationError

from agentjobs.api.base import explain
from agentjobs.api.job import ScheduledAgentJobSpec
from agentjobs.core.content.digest import content, parse_revision
from agentjobs.core.content.sources import Reference, Unusable, references
from agentjobs.core.errors import UserError
from agentjobs.core.schedules import next_starts
from agentjobs.present.shown import Shown
from agentjobs.present.text import Json, at

Texts = Callable[[Reference], "str | Unusable"]
"""From a reference to its text."""
IMPOSSIBLE = (
    "spec: holds values that no job can hold: numbers beyond 2^53, half characters, or lists nested"
    " without end"
)


class InvalidContent(UserError):
    """A spec that is not valid. `steps`: the path of the field that is named, if there is one."""

    def __init__(self, message: str, steps: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.steps = tuple(steps)


def model_of(spec: Mapping[str, object]) -> ScheduledAgentJobSpec:
    """A spec as the API reads it. Raises InvalidContent."""
    try:
        model = ScheduledAgentJobSpec.model_validate(spec)
        next_starts.check(model.schedule)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]["loc"]
        raise InvalidContent(explain(error), first) from None
    except UserError as error:
        raise InvalidContent(str(error)) from None
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise InvalidContent(IMPOSSIBLE) from None
    return model


def content_of(name: str, model: ScheduledAgentJobSpec, texts: Texts | None = None) -> Shown:
    """The content of a job; `texts` finds what its references stand for. Raises InvalidContent."""
    try:
        found = {reference: texts(reference) for reference in references(model)} if texts else {}
        whole = content(name, model, found)
        return Shown(whole.digest, json.loads(whole.document)["spec"])
    except UserError as error:
        raise InvalidContent(str(error)) from None
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise InvalidContent(IMPOSSIBLE) from None


def frozen(name: str, revision: Json, digest: str) -> Shown | None:
    """What a revision holds; None if it is not what its digest says: nobody approved that."""
    text = str(at(revision, "data", "revision.json")).encode(errors="replace")
    try:
        found = parse_revision(name, text, digest)
    except UserError:
        return None
    return Shown(digest, json.loads(found.document)["spec"])
