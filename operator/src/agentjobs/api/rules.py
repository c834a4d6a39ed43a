"""What is refused of names, keys and texts, and the sentence that says so.

The rules of one subject are next to this: `schedule_rules`, `trigger_rules`, `script_rules`,
`agent_rules`, `variable_rules`, `quantity_rules`, `package_rules`.
"""

from __future__ import annotations

import re
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

# The metadata's name is visible only at the root: these rules take a whole object as it comes from
# the API, its spec valid.


def _named(pattern: str, message: str) -> Rule:
    rule = matching(pattern, message, subject="self.metadata.name")
    return Rule(rule.cel, message, lambda body: rule.problem(body["metadata"]["name"]) is None)


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

# Only the API server sees the old object.
APPROVAL_IS_FIXED: Final = Rule(
    "self == oldSelf", "an approval cannot be changed; delete it and create a new one"
)
