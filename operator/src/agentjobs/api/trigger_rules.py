"""What is refused of what starts a run: its trigger, and the names that belong to one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from agentjobs.api.rule import Rule

_DATE: Final = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME: Final = (
    "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_TIMESTAMP: Final = f"{_DATE}T{_TIME}"


def _is_timestamp(text: str) -> bool:
    """Whether a text is a timestamp: its form alone would let 30 February through."""
    if re.fullmatch(_TIMESTAMP, text) is None:
        return False
    try:
        return datetime.fromisoformat(text).timestamp() >= 0
    except (ValueError, OverflowError):
        return False


TIMESTAMP: Final = Rule(
    f"self.matches('^({_TIMESTAMP})$') && timestamp(self) >= timestamp('1970-01-01T00:00:00Z')",
    "must be an RFC 3339 time, 1970 or later, for example 2026-12-01T09:00:00Z",
    _is_timestamp,
)


def _trigger(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return body["spec"].get("trigger") or {}


def _looks_scheduled(name: str) -> bool:
    digits = name.rpartition("-")[2]
    return len(digits) >= 8 and digits.isascii() and digits.isdigit() and name != digits


def _name_is_free(body: Mapping[str, Any]) -> bool:
    return _trigger(body).get("type") == "Schedule" or not _looks_scheduled(
        body["metadata"]["name"]
    )


def _name_is_its_start(body: Mapping[str, Any]) -> bool:
    scheduled_at = _trigger(body).get("scheduledAt")
    if _trigger(body).get("type") != "Schedule" or scheduled_at is None:
        return True
    minutes = int(datetime.fromisoformat(scheduled_at).timestamp()) // 60
    return bool(body["metadata"]["name"] == f"{body['spec']['jobName']}-{minutes}")


# Read from the name rather than compared with it: a number as a string has no bound, and the rule
# would cost too much.
_MINUTES: Final = "self.metadata.name.substring(self.spec.jobName.size() + 1)"

RUN_NAME_IS_FREE: Final = Rule(
    "!self.metadata.name.matches('-[0-9]{8,}$') || self.spec.trigger.type == 'Schedule'",
    'metadata.name: names like report-29412345, which end in "-" and eight or more digits, are'
    " reserved for scheduled starts; choose another name",
    _name_is_free,
)
RUN_NAME_IS_ITS_START: Final = Rule(
    "self.spec.trigger.type != 'Schedule' || !has(self.spec.trigger.scheduledAt) ||"
    f" !self.spec.trigger.scheduledAt.matches('^({_TIMESTAMP})$') ||"
    " self.metadata.name.startsWith(self.spec.jobName + '-') &&"
    f" {_MINUTES}.matches('^[0-9]{{8,18}}$') && int({_MINUTES}) =="
    " int(timestamp(self.spec.trigger.scheduledAt)) / 60",
    'metadata.name of a scheduled run must be the name of its job, "-" and the minutes from 1970 to'
    " spec.trigger.scheduledAt; for a manual run, leave spec.trigger out",
    _name_is_its_start,
)
START_IS_KNOWN: Final = Rule(
    "self.type != 'Schedule' || has(self.scheduledAt)",
    "type Schedule needs scheduledAt, the time of the start; for a manual run, leave trigger out",
    lambda trigger: trigger.type != "Schedule" or trigger.scheduled_at is not None,
)

EVENT_IS_THERE: Final = Rule(
    "(self.type == 'Event' || self.type == 'After') == has(self.event)",
    "types Event and After need event, with at least id, source and type; types Schedule and Manual"
    " must not have it",
    lambda trigger: (trigger.type in ("Event", "After")) == (trigger.event is not None),
)
CHAIN_IS_THERE: Final = Rule(
    "(self.type == 'After') == has(self.upstreamRun) && (self.type == 'After') =="
    " has(self.ancestors)",
    "type After, which only the operator writes, needs upstreamRun and ancestors; other types must"
    " not have them",
    lambda trigger: (
        (trigger.type == "After")
        == (trigger.upstream_run is not None)
        == (trigger.ancestors is not None)
    ),
)
ONE_CAUSE: Final = Rule(
    "has(self.event) != has(self.after)",
    "set exactly one of event and after",
    lambda trigger: (trigger.event is None) != (trigger.after is None),
)
FOLLOWS_OTHERS: Final = Rule(
    "!has(self.spec.triggers) || self.spec.triggers.all(one, !has(one.after) || one.after.job !="
    " self.metadata.name)",
    "spec.triggers: a job cannot start after itself; to repeat it, give it a schedule",
    lambda body: all(
        (one.get("after") or {}).get("job") != body["metadata"]["name"]
        for one in body["spec"].get("triggers") or ()
    ),
)

# Only the API server sees the old object.
RUN_IS_FIXED: Final = Rule(
    "self.jobName == oldSelf.jobName && self.trigger == oldSelf.trigger && (self.cancel ||"
    " !oldSelf.cancel)",
    "only cancel of a run can be changed, from false to true; for any other change, delete the run"
    " and create a new one",
)
