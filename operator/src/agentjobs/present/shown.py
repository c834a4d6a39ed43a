"""A content as a person is shown it. Pure, and light to import."""

from __future__ import annotations

from dataclasses import dataclass

from agentjobs.core import naming
from agentjobs.present.text import Json, at


@dataclass(frozen=True)
class Shown:
    """A content: its digest, and the spec that the digest covers.

    Defaults are left out, and references are replaced by their text.
    """

    digest: str
    spec: Json


def revision_names(job: Json) -> tuple[str, ...]:
    """What the revision in force may be called: an older operator wrote another name."""
    digest, name = str(at(job, "status", "approval", "digest") or ""), at(job, "metadata", "name")
    names = (naming.revision_name, naming.older_revision_name)
    return tuple(each(name, digest) for each in names) if digest else ()


def before_words(job: Json, before: Shown | None) -> str:
    """What the new content is compared with."""
    digest = at(job, "status", "approval", "digest")
    if digest and before is None:
        return f"approved {str(digest)[:10]}, which cannot be read here: all of the job follows"
    return f"approved {before.digest[:10]}" if before else "nothing approved"
