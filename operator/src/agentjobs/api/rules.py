"""What the resources refuse, and what they say then.

The rules of `spec.schedule` are in `schedule_rules`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from agentjobs.api.rule import Rule, matching, without

MAX_SCRIPT_BYTES: Final = 256 * 1024

_JOB_NAME: Final = "[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?"
_RUN_NAME: Final = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_CHARACTERS: Final = (
    'lowercase letters, digits and "-" (no dots), with a letter or digit at both ends'
)

JOB_NAME: Final = matching(
    _JOB_NAME, f"must be the name of a ScheduledAgentJob: at most 52 characters, {_CHARACTERS}"
)
OBJECT_NAME: Final = matching(
    "[a-z0-9]([-a-z0-9.]*[a-z0-9])?",
    'must be the name of an object in this namespace: lowercase letters, digits, "-" and ".", with'
    " a letter or digit at both ends",
)
SECRET_KEY: Final = matching(
    "[-._a-zA-Z0-9]+", 'must be a key of the Secret: letters, digits, "-", "_" and "."'
)
CONFIG_MAP_KEY: Final = matching(
    "[-._a-zA-Z0-9]+", 'must be a key of the ConfigMap: letters, digits, "-", "_" and "."'
)
DIGEST: Final = matching(
    "[0-9a-f]{64}",
    "must be the 64 hex digits on the job's card: kubectl get saj NAME -o"
    " jsonpath={.status.card.digest} prints them",
)

# Texts that people read before they approve: what a terminal would hide from them is refused
# (control characters, a lone carriage return, and the direction overrides of CVE-2021-42574).
_HIDING: Final = (
    r"[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\u000d[^\u000a]"
)
ONE_LINE: Final = without(
    r"[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]",
    "contains line breaks or characters that hide text: remove them",
)
READABLE: Final = without(
    _HIDING,
    "contains control or text direction characters, which hide text from readers: remove them",
)

# JSON can hold them, the API server refuses them.
_HALVES: Final = re.compile(r"[\ud800-\udfff]")
_ESCAPED: Final = (
    r"contains control or text direction characters, which hide text from readers: write them as"
    r" escapes such as \x1b"
)
_AT_MOST: Final = (
    f"may have at most {MAX_SCRIPT_BYTES} bytes (256 KiB) of UTF-8: move data out of it, for"
    " example into the workspace"
)


def source_problem(text: str) -> str | None:
    """What is wrong with a long text anywhere: the end of a sentence whose subject is the text."""
    if not text:
        return "is empty"
    if _HALVES.search(text):
        return "contains half a character (a lone surrogate), which is not valid text: remove it"
    if len(text.encode("utf-8", "surrogatepass")) > MAX_SCRIPT_BYTES:
        return _AT_MOST
    return _ESCAPED if READABLE.problem(text) else None


def text_rules(field: str) -> tuple[Rule, ...]:
    """The rules of an object with a long text in this field or in a ConfigMap.

    They are one level above the text: the API server quotes a text that breaks a rule, but not an
    object.
    """

    def problem(holder: Any) -> str | None:
        text = getattr(holder, field)
        return None if text is None else source_problem(text)

    return (
        Rule(
            f"has(self.{field}) != has(self.configMapKeyRef)",
            f"set exactly one of {field} and configMapKeyRef",
            lambda holder: (getattr(holder, field) is None) != (holder.config_map_key_ref is None),
        ),
        Rule(
            f"!has(self.{field}) || bytes(self.{field}).size() <= {MAX_SCRIPT_BYTES}",
            f"{field} {_AT_MOST}",
            lambda holder: problem(holder) != _AT_MOST,
        ),
        Rule(
            f"!has(self.{field}) || {without(_HIDING, '', subject=f'self.{field}').cel}",
            f"{field} {_ESCAPED}",
            lambda holder: problem(holder) != _ESCAPED,
        ),
    )


SCRIPT: Final = text_rules("inline")

# Variables

ONE_SOURCE: Final = Rule(
    "has(self.value) != has(self.valueFrom)",
    "set exactly one of value and valueFrom",
    lambda variable: (variable.value is None) != (variable.value_from is None),
)


def each_name_once(variables: tuple[Any, ...]) -> tuple[Any, ...]:
    """Checks that each name occurs once; in the CRD the list is a map by name instead.

    Raises ValueError.
    """
    if len({variable.name for variable in variables}) < len(variables):
        raise ValueError("each name may occur only once")
    return variables


# Quantities

_UNITS: Final = ("", "k", "M", "G", "T")
_SCALES: Final = {
    "m": Decimal("0.001"),
    **{unit: Decimal(1000**power) for power, unit in enumerate(_UNITS)},
    **{
        f"{unit.replace('k', 'K')}i": Decimal(1024**power)
        for power, unit in enumerate(_UNITS)
        if unit
    },
}
CPU: Final = matching(
    "[0-9]+([.][0-9]+)?m?",
    "must be an amount of CPU such as 500m, 2 or 0.5 (put 0.5 in quotes)",
    subject="string(self)",
)
SIZE: Final = matching(
    "[0-9]+([.][0-9]+)?(k|Ki|[MGT]i?)?",
    "must be a size such as 256Mi or 1Gi",
    subject="string(self)",
)


def amount(quantity: str) -> Decimal:
    """A quantity that CPU or SIZE accepts as a number of cores or bytes."""
    digits = quantity.rstrip("mkKMGTi")
    return Decimal(digits) * _SCALES[quantity[len(digits) :]]


def _known(owner: str, field: str) -> str:
    """CEL: the quantity exists and is valid; an invalid one has its own sentence."""
    return f"has({owner}.{field}) && isQuantity(string({owner}.{field}))"


def _fits(field: str, cel_field: str, attribute: str) -> Rule:
    requests, limits = f"self.requests.{cel_field}", f"self.limits.{cel_field}"
    known = (
        f"has(self.requests) && has(self.limits) && {_known('self.requests', cel_field)} &&"
        f" {_known('self.limits', cel_field)}"
    )

    def holds(resources: Any) -> bool:
        request, limit = (
            getattr(resources.requests, attribute),
            getattr(resources.limits, attribute),
        )
        return request is None or limit is None or amount(request) <= amount(limit)

    cel = f"!({known}) || quantity(string({requests})).compareTo(quantity(string({limits}))) <= 0"
    return Rule(cel, f"requests.{field} must not be more than limits.{field}", holds)


def _limited(field: str, cel_field: str, attribute: str) -> Rule:
    def holds(resources: Any) -> bool:
        limit = getattr(resources.limits, attribute)
        return limit is None or amount(limit) > 0

    known = f"has(self.limits) && {_known('self.limits', cel_field)}"
    cel = f"!({known}) || quantity(string(self.limits.{cel_field})).isGreaterThan(quantity('0'))"
    return Rule(
        cel,
        f"limits.{field} of 0 would mean no limit: set the most that a run may use, or leave the"
        " field out to use the default",
        holds,
    )


_RESOURCES: Final = (
    ("cpu", "cpu", "cpu"),
    ("memory", "memory", "memory"),
    ("ephemeral-storage", "ephemeral__dash__storage", "ephemeral_storage"),
)
RESOURCES: Final = tuple(rule for names in _RESOURCES for rule in (_fits(*names), _limited(*names)))

# Whole objects: the metadata's name is visible only at the root. These take a body as it comes from
# the API, its spec valid.

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


def _named(pattern: str, message: str) -> Rule:
    rule = matching(pattern, message, subject="self.metadata.name")
    return Rule(rule.cel, message, lambda body: rule.problem(body["metadata"]["name"]) is None)


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

JOB_IS_NAMED: Final = _named(
    _JOB_NAME,
    f"metadata.name may have at most 52 characters: {_CHARACTERS}; the job's CronJob gets the same"
    " name",
)
RUN_IS_NAMED: Final = _named(
    _RUN_NAME,
    f"metadata.name may have at most 63 characters: {_CHARACTERS}; the run's Job gets the same"
    " name",
)
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

# Changes: only the API server sees the old object.

RUN_IS_FIXED: Final = Rule(
    "self.jobName == oldSelf.jobName && self.trigger == oldSelf.trigger && (self.cancel ||"
    " !oldSelf.cancel)",
    "only cancel of a run can be changed, from false to true; for any other change, delete the run"
    " and create a new one",
)
APPROVAL_IS_FIXED: Final = Rule(
    "self == oldSelf", "an approval cannot be changed; delete it and create a new one"
)
