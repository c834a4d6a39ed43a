"""A job's content to approve, computed here by the operator's function from what the user can read.

So an approver does not have to trust the card: the digest that is approved is the one of the text
that was shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentjobs.cli.errors import ApiServerError, CliError, Exit
from agentjobs.cli.kube import CONFIG_MAPS, Json, Kube
from agentjobs.core import naming
from agentjobs.present.text import at

if TYPE_CHECKING:
    from agentjobs.core.content.sources import Reference, Unusable

Texts = Callable[["Reference"], "str | Unusable"]
"""From a reference to its text."""
Place = Callable[..., str]
"""From the steps of a field's path to the file and line where it stands."""


@dataclass(frozen=True)
class Shown:
    """A content: its digest, and the spec that the digest covers.

    Defaults are left out, and references are replaced by their text.
    """

    digest: str
    spec: Json


def content_of(
    name: str, spec: Json, where: str = "", texts: Texts | None = None, place: Place | None = None
) -> Shown:
    """Of a spec; `texts` finds what its references stand for.

    Raises CliError; `where` names the file or the resource in it.

    `place`: the file with the line of a field, given by its path.
    """
    from pydantic import ValidationError

    from agentjobs.api.base import explain
    from agentjobs.api.job import ScheduledAgentJobSpec
    from agentjobs.core.content.digest import content
    from agentjobs.core.content.sources import references
    from agentjobs.core.errors import UserError
    from agentjobs.core.schedules import next_starts

    try:
        model = ScheduledAgentJobSpec.model_validate(spec)
        next_starts.check(model.schedule)
        found = content(
            name,
            model,
            {reference: texts(reference) for reference in references(model)} if texts else {},
        )
    except ValidationError as error:
        steps = error.errors(include_url=False, include_input=False)[0]["loc"]
        at_line = place("spec", *steps) if place else where or name
        raise CliError(
            f"{at_line}: {explain(error)}", "correct what is named there", Exit.USAGE
        ) from None
    except UserError as error:
        raise CliError(
            f"{where or name}: {error}", "correct what is named there", Exit.USAGE
        ) from None
    except (ValueError, TypeError, RecursionError, OverflowError):
        message = (
            "spec: holds values that no job can hold: numbers beyond 2^53, half characters, or"
            " lists nested without end"
        )
        raise CliError(f"{where or name}: {message}", "take them out", Exit.USAGE) from None
    return Shown(found.digest, json.loads(found.document)["spec"])


def of_job(kube: Kube, job: Json) -> Shown:
    """Of a job in the cluster, with the ConfigMaps that it refers to."""
    name = job["metadata"]["name"]
    return content_of(
        name,
        job["spec"],
        f"ScheduledAgentJob {name}",
        _texts_in(kube, job["metadata"].get("namespace")),
    )


def in_force(kube: Kube, job: Json) -> Shown | None:
    """Of the approved revision that runs; None if missing, forbidden, or not what was approved."""
    digest = at(job, "status", "approval", "digest")
    if not digest:
        return None
    job_name = job["metadata"]["name"]
    for name in (naming.revision_name, naming.older_revision_name):
        try:
            revision = kube.get(
                CONFIG_MAPS, name(job_name, digest), job["metadata"].get("namespace")
            )
        except ApiServerError as refusal:
            if refusal.code not in (Exit.NOT_FOUND, Exit.FORBIDDEN):
                raise
        else:
            if shown := _frozen(job_name, revision, digest):
                return shown
    return None


def before_words(job: Json, before: Shown | None) -> str:
    """What the new content is compared with."""
    digest = at(job, "status", "approval", "digest")
    if digest and before is None:
        return f"approved {str(digest)[:10]}, which cannot be read here: all of the job follows"
    return f"approved {before.digest[:10]}" if before else "nothing approved"


def _frozen(name: str, revision: Json, digest: str) -> Shown | None:
    """What a revision holds; None if it is not what its digest says: nobody approved that."""
    from agentjobs.core.content.digest import parse_revision
    from agentjobs.core.errors import UserError

    try:
        found = parse_revision(
            name, str(at(revision, "data", "revision.json")).encode(errors="replace"), digest
        )
    except UserError:
        return None
    return Shown(digest, json.loads(found.document)["spec"])


def _texts_in(kube: Kube, namespace: str | None) -> Texts:
    """Reads what a job's references stand for."""
    from agentjobs.core.content.sources import text_of

    def text(reference: Reference) -> str | Unusable:
        try:
            return text_of(kube.get(CONFIG_MAPS, reference.name, namespace), reference)
        except ApiServerError as refusal:
            if refusal.code == Exit.NOT_FOUND:
                return text_of(None, reference)
            raise

    return text
