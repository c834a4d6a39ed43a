"""What an approver is warned of: what the job needs that is not there, as far as they may see."""

from __future__ import annotations

from collections.abc import Iterator

from agentjobs.cli.errors import ApiServerError, Exit
from agentjobs.cli.kube import CLAIMS, SECRETS, Json, Kube
from agentjobs.present.shown import Shown
from agentjobs.present.text import at


def of(kube: Kube, job: Json, shown: Shown) -> Iterator[str]:
    """Sentences.

    Nothing of a Secret but the names of its keys is looked at, and nothing of it is shown.
    """
    for name, keys in _secrets(job, shown).items():
        yield from _missing(kube, name, sorted(keys))
    if claim := at(shown.spec, "workspace", "claimName"):
        found = _found(kube, CLAIMS, str(claim))
        if found is None:
            yield (
                f"there is no PersistentVolumeClaim {claim}: runs wait for it until they are"
                " given up"
            )
        elif not found:
            yield f"you may not see whether there is a PersistentVolumeClaim {claim}"


def _secrets(job: Json, shown: Shown) -> dict[str, set[str]]:
    """Keys by the names of Secrets: the content's, and the model key's, which the card knows."""
    found: dict[str, set[str]] = {}
    for variable in shown.spec.get("env") or ():
        if reference := at(variable, "valueFrom", "secretKeyRef"):
            found.setdefault(str(reference["name"]), set()).add(str(reference["key"]))
    for line in at(job, "status", "card", "secrets") or ():
        name, _, key = str(line).partition("/")
        found.setdefault(name, set()).add(key)
    return found


def _missing(kube: Kube, name: str, keys: list[str]) -> Iterator[str]:
    secret = _found(kube, SECRETS, name)
    if secret is None:
        yield f"there is no Secret {name}: runs cannot start without its {' and '.join(keys)}"
    elif not secret:
        yield f"you may not see whether there is a Secret {name} with {' and '.join(keys)}"
    elif lacking := [key for key in keys if key not in (at(secret, "data") or {})]:
        yield f"the Secret {name} has no {' and '.join(lacking)}: runs cannot start without"


def _found(kube: Kube, collection: str, name: str) -> Json | None:
    """None: it is not there. Empty: the user may not see it."""
    try:
        return kube.get(collection, name)
    except ApiServerError as refusal:
        if refusal.code is Exit.NOT_FOUND:
            return None
        if refusal.code is Exit.FORBIDDEN:
            return {}
        raise
