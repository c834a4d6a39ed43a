"""The objects that people create, as writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from agentjobs.api import names
from agentjobs.core.plan import Kind, Write
from agentjobs.present.text import Json, at

Created = Literal["run", "approval", "packageapproval"]
_KINDS: Final[dict[Created, str]] = {
    "run": names.RUN_KIND,
    "approval": names.APPROVAL_KIND,
    "packageapproval": names.PACKAGE_APPROVAL_KIND,
}


def create(
    kind: Created, name: str, spec: Mapping[str, Any], why: str, *, completed: bool = False
) -> Write:
    """Creates an object. `completed`: the name is a beginning that the API server completes."""
    called = {"generateName" if completed else "name": name}
    body = {
        "apiVersion": names.API_VERSION,
        "kind": _KINDS[kind],
        "metadata": called,
        "spec": dict(spec),
    }
    return Write("create", kind, name, why, body)


def change(kind: Kind, name: str, spec: Mapping[str, Any], why: str) -> Write:
    """Changes these fields of a spec."""
    return Write("patch", kind, name, why, {"spec": dict(spec)})


def delete(kind: Kind, shown: Json, why: str) -> Write:
    """Deletes the object that was shown, and not another one that has its name by now."""
    return Write("delete", kind, name_of(shown), why, uid=at(shown, "metadata", "uid"))


def name_of(body: Json) -> str:
    """Its name."""
    return str(at(body, "metadata", "name"))
