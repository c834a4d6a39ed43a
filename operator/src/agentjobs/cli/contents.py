"""A job's content to approve, computed here by the operator's function from what the user can read.

So an approver does not have to trust the card: the digest that is approved is the one of the text
that was shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from agentjobs.cli.errors import ApiServerError, CliError, Exit
from agentjobs.cli.kube import CONFIG_MAPS, Json, Kube
from agentjobs.present.shown import Shown, revision_names
from agentjobs.present.text import at

if TYPE_CHECKING:
    from agentjobs.core.content.sources import Reference, Unusable

Texts = Callable[["Reference"], "str | Unusable"]
"""From a reference to its text."""
Place = Callable[..., str]
"""From the steps of a field's path to the file and line where it stands."""


def content_of(
    name: str, spec: Json, where: str = "", texts: Texts | None = None, place: Place | None = None
) -> Shown:
    """Of a spec; `texts` finds what its references stand for.

    Raises CliError; `where` names the file or the resource in it.

    `place`: the file with the line of a field, given by its path.
    """
    from agentjobs.present import contents

    try:
        return contents.content_of(name, contents.model_of(spec), texts)
    except contents.InvalidContent as error:
        at_line = place("spec", *error.steps) if place and error.steps else where or name
        raise CliError(f"{at_line}: {error}", "correct what is named there", Exit.USAGE) from None


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
    name, namespace = job["metadata"]["name"], job["metadata"].get("namespace")
    for revision_name in revision_names(job):
        try:
            revision = kube.get(CONFIG_MAPS, revision_name, namespace)
        except ApiServerError as refusal:
            if refusal.code not in (Exit.NOT_FOUND, Exit.FORBIDDEN):
                raise
        else:
            from agentjobs.present.contents import frozen

            if shown := frozen(name, revision, str(at(job, "status", "approval", "digest"))):
                return shown
    return None


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
