"""A header's fields and a resource's: one mapping, both ways, for scripts and agent files. Pure.

Keys are the resource's, in kebab-case: `timeout-seconds` is `timeoutSeconds`. What stands in a
table of its own in the resource but is said in one word is said in one word here:

    schedule = "0 8 * * 1"            schedule.cron; its other fields stay keys: time-zone, ...
    once = "2026-12-01T09:00:00"      schedule.once.runAt
    session = "ephemeral"             session: Ephemeral; so with concurrency-policy
    workspace = "reports"             workspace.claimName
    env = {A = "b", T = {secret = "s/key"}}   env[], with valueFrom.secretKeyRef for secrets

`name` is the resource's name. Keys inside tables and lists are in kebab-case, too, but for those of
`requests`, `limits` and `data-schema`. A field that is added to the resource needs nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Final

from agentjobs.cli.kube import Json
from agentjobs.core.errors import AgentjobsError

AS_THEY_ARE: Final = frozenset({"requests", "limits", "dataSchema"})
"""Tables whose keys are not field names of ours."""
WORDS: Final = frozenset({"session", "concurrencyPolicy"})
"""Fields whose values are words that begin with a capital letter in the resource."""
IN_ONE_WORD: Final = {"workspace": "claimName", "once": "runAt"}
"""Fields with one field, which is what is said."""


class HeaderError(AgentjobsError):
    """`key` is the header's key that is wrong, empty for the header as a whole."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def to_spec(header: Json) -> Json:
    """The spec that a header stands for, without `name` and without the script.

    Raises HeaderError.
    """
    fields = {
        _camel(key): _fields(_camel(key), value) for key, value in header.items() if key != "name"
    }
    beside = _beside_cron()
    spec: Json = {}
    schedule: Json = {}
    for field, value in fields.items():
        if field == "schedule" and isinstance(value, Mapping):
            schedule.update(value)
        elif field == "schedule":
            schedule["cron"] = value
        elif field in beside:
            schedule[field] = _long(field, value)
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
            header[kebab(field)] = _short(field, value)
    return header


def keys() -> dict[str, str]:
    """Every header key but `name` and those of agents, with the spec field that it stands for."""
    from agentjobs.api.job import ScheduledAgentJobSpec
    from agentjobs.api.schedule import Schedule

    spec, beside = (
        [str(field.alias) for field in model.model_fields.values()]
        for model in (ScheduledAgentJobSpec, Schedule)
    )
    own = {kebab(field): field for field in spec if field not in ("schedule", "script", "agent")}
    return (
        {"schedule": "schedule.cron"}
        | {kebab(field): f"schedule.{field}" for field in beside if field != "cron"}
        | own
    )


def _beside_cron() -> frozenset[str]:
    """The fields of a schedule next to `schedule`, the cron expression, in a header."""
    from agentjobs.api.schedule import Schedule

    return frozenset(str(field.alias) for field in Schedule.model_fields.values()) - {"cron"}


def _schedule(schedule: Json) -> Json:
    return {
        "schedule" if field == "cron" else kebab(field): _short(field, value)
        for field, value in schedule.items()
    }


def _long(field: str, value: Any) -> Any:
    if field in WORDS and isinstance(value, str):
        return value.capitalize()
    if field in IN_ONE_WORD and isinstance(value, str):
        return {IN_ONE_WORD[field]: value}
    if field == "env" and isinstance(value, Mapping):
        return [_variable(name, given) for name, given in value.items()]
    return value


def _variable(name: str, given: Any) -> Json:
    if not isinstance(given, Mapping):
        return {"name": name, "value": given}
    secret = given.get("secret")
    if set(given) != {"secret"} or not isinstance(secret, str) or "/" not in secret:
        raise HeaderError(
            "env", f'{name} is text, or {{secret = "NAME/KEY"}} for a key of a Secret'
        )
    holder, _, key = secret.partition("/")
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": holder, "key": key}}}


def _short(field: str, value: Any) -> Any:
    if field in WORDS:
        return value.lower()
    if field in IN_ONE_WORD and set(value) == {IN_ONE_WORD[field]}:
        return value[IN_ONE_WORD[field]]
    if field == "env":
        return {variable["name"]: _given(variable) for variable in value}
    return _shown(field, value)


def _given(variable: Json) -> Any:
    if "value" in variable:
        return variable["value"]
    reference = variable["valueFrom"]["secretKeyRef"]
    return {"secret": f"{reference['name']}/{reference['key']}"}


def _fields(name: str, value: Any) -> Any:
    """Kebab-case to camelCase at all depths; TOML's dates and times, which JSON lacks, as text."""
    if isinstance(value, Mapping) and name not in AS_THEY_ARE and name != "env":
        return {_camel(key): _fields(_camel(key), part) for key, part in value.items()}
    if isinstance(value, list):
        return [_fields("", part) for part in value]
    if isinstance(value, time):
        return value.isoformat("auto" if value.second or value.microsecond else "minutes")
    return value.isoformat() if isinstance(value, date | datetime) else value


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, Mapping) and name not in AS_THEY_ARE:
        return {kebab(key): _shown(key, part) for key, part in value.items()}
    return [_shown("", part) for part in value] if isinstance(value, list) else value


def _camel(key: object) -> str:
    first, *rest = str(key).split("-")
    return first + "".join(word.capitalize() for word in rest)


def kebab(field: str) -> str:
    """As a header writes the name of a field."""
    return re.sub("[A-Z]", lambda match: f"-{match[0].lower()}", field)
