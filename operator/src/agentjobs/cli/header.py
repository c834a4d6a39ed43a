"""The fields of a header and those of a resource: one mapping, both ways, for scripts and agent files. Pure.

Keys are the resource's, in kebab-case: `timeout-seconds` is `timeoutSeconds`. What stands in a table of its own in the resource
but is said in one word is said in one word here:

    schedule = "0 8 * * 1"            schedule.cron; the other fields of the schedule stand beside it: time-zone, ...
    session = "ephemeral"             session: Ephemeral
    workspace = "reports"             workspace.claimName
    env = {A = "b", T = {secret = "s/key"}}   env[], with valueFrom.secretKeyRef for secrets

`name` is the resource's name. A field that is added to the resource needs nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from agentjobs.cli.kube import Json

AS_THEY_ARE: Final = frozenset({"requests", "limits", "dataSchema", "data"})
"""Tables whose keys are not field names of ours."""


class HeaderError(Exception):
    """`key` is the header's key that is wrong, empty for the header as a whole."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def to_spec(header: Json) -> Json:
    """The spec that a header stands for, without `name` and without the script. Raises HeaderError."""
    fields = {_camel(key): _fields(_camel(key), value) for key, value in header.items() if key != "name"}
    beside = _beside_cron()
    spec: Json = {}
    schedule: Json = {}
    for field, value in fields.items():
        if field == "schedule" and isinstance(value, Mapping):
            schedule.update(value)
        elif field == "schedule":
            schedule["cron"] = value
        elif field in beside:
            schedule[field] = value
        else:
            spec[field] = _long(field, value)
    return {**spec, **({"schedule": schedule} if schedule else {})}


def from_spec(name: str, spec: Json) -> Json:
    """The header that stands for a spec; `script` and `agent` are not its business."""
    header: Json = {"name": name}
    for field, value in spec.items():
        if field == "schedule":
            header.update(_schedule(value))
        elif field not in ("script", "agent"):
            header[_kebab(field)] = _short(field, value)
    return header


def _beside_cron() -> frozenset[str]:
    """The fields of a schedule that stand beside `schedule` in a header, which is the cron expression."""
    from agentjobs.api.job import Schedule

    return frozenset(str(field.alias) for field in Schedule.model_fields.values()) - {"cron"}


def _schedule(schedule: Json) -> Json:
    return {"schedule" if field == "cron" else _kebab(field): _shown(field, value) for field, value in schedule.items()}


def _long(field: str, value: Any) -> Any:
    if field == "session" and isinstance(value, str):
        return value.capitalize()
    if field == "workspace" and isinstance(value, str):
        return {"claimName": value}
    if field == "env" and isinstance(value, Mapping):
        return [_variable(name, given) for name, given in value.items()]
    return value


def _variable(name: str, given: Any) -> Json:
    if not isinstance(given, Mapping):
        return {"name": name, "value": given}
    secret = given.get("secret")
    if set(given) != {"secret"} or not isinstance(secret, str) or "/" not in secret:
        raise HeaderError("env", f'{name} is text, or {{secret = "NAME/KEY"}} for a key of a Secret')
    holder, _, key = secret.partition("/")
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": holder, "key": key}}}


def _short(field: str, value: Any) -> Any:
    if field == "session":
        return value.lower()
    if field == "workspace" and set(value) == {"claimName"}:
        return value["claimName"]
    if field == "env":
        return {variable["name"]: _given(variable) for variable in value}
    return _shown(field, value)


def _given(variable: Json) -> Any:
    if "value" in variable:
        return variable["value"]
    reference = variable["valueFrom"]["secretKeyRef"]
    return {"secret": f"{reference['name']}/{reference['key']}"}


def _fields(name: str, value: Any) -> Any:
    """Kebab-case to camelCase, all the way down; dates, which TOML and YAML know and JSON does not, as text."""
    if isinstance(value, Mapping) and name not in AS_THEY_ARE and name != "env":
        return {_camel(key): _fields(_camel(key), part) for key, part in value.items()}
    if isinstance(value, list):
        return [_fields("", part) for part in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, Mapping) and name not in AS_THEY_ARE:
        return {_kebab(key): _shown(key, part) for key, part in value.items()}
    return [_shown("", part) for part in value] if isinstance(value, list) else value


def _camel(key: object) -> str:
    first, *rest = str(key).split("-")
    return first + "".join(word.capitalize() for word in rest)


def _kebab(field: str) -> str:
    return re.sub("[A-Z]", lambda match: f"-{match[0].lower()}", field)
