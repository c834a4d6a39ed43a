"""Reads what the installer of packages reports.

Its termination message says how it ended, its log what it resolved and installed.

No code of a package runs in the installer's container, but an index's answers reach its output: as
with the runner's envelope nothing in it is trusted before it is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agentjobs.api.package_rules import canonical, canonical_or_none
from agentjobs.core.runner.lines import MAX_DEPTH, EnvelopeError, read_object
from agentjobs.core.wire.bounded import Malformed, loads

MAX_TERMINATION_BYTES: Final = 4096
MAX_RESOLUTION_BYTES: Final = 600_000
MAX_RESOLVED: Final = 500
MAX_PIN_CHARACTERS: Final = 256

_NO_LIST: Final = "the list of installed packages is missing or too long"
_REASON: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
_SHA256: Final = re.compile(r"([0-9a-f]{64})?")
_PACKAGE: Final = re.compile(
    r"([A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*==[A-Za-z0-9.!+_-]+)(?: ; [^\\\n]+)? \\"
)
_HASH: Final = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


@dataclass(frozen=True, slots=True)
class Installation:
    """How the installer ended.

    `sha256` names the envelope in its log; empty where there is none.
    """

    reason: str
    message: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was installed.

    `resolved`: as `name==version`. `requirements`: the same with hashes, empty where it was not
    resolved now.
    """

    resolved: tuple[str, ...]
    requirements: str

    def covers(self, pins: Iterable[str]) -> bool:
        """Whether it holds every pin, in exactly that version."""
        return {*map(canonical, pins)} <= {*map(canonical_or_none, self.resolved)}


def read_installation(message: str) -> Installation | None:
    """Reads a termination message; None where it is not the installer's."""
    try:
        fields = loads(message, max_bytes=MAX_TERMINATION_BYTES, max_depth=MAX_DEPTH)
    except Malformed:
        return None
    if not isinstance(fields, dict) or fields.get("version") != 1:
        return None
    reason, text, sha256 = (fields.get(name) for name in ("reason", "message", "sha256"))
    if not (isinstance(reason, str) and isinstance(text, str) and isinstance(sha256, str)):
        return None
    if not _REASON.fullmatch(reason) or not _SHA256.fullmatch(sha256):
        return None
    return Installation(reason, text.encode("utf-8", "replace").decode(), sha256)


def read_resolution(log: bytes, sha256: str) -> Resolution:
    """Reads the installer's log. Raises EnvelopeError."""
    fields = read_object(log, sha256)
    resolved, requirements = fields.get("resolved"), fields.get("requirements")
    if not isinstance(resolved, str) or not isinstance(requirements, str):
        raise EnvelopeError(_NO_LIST)
    if len(requirements) > MAX_RESOLUTION_BYTES:
        raise EnvelopeError(_NO_LIST)
    names = tuple(resolved.split("\n"))
    if len(names) > MAX_RESOLVED or not all(map(_is_package, names)):
        raise EnvelopeError("the list of installed packages is not valid")
    if requirements and _packages(requirements) != names:
        raise EnvelopeError("the resolution differs from what was installed")
    return Resolution(names, requirements)


def _is_package(name: str) -> bool:
    return len(name) <= MAX_PIN_CHARACTERS and _PACKAGE.fullmatch(f"{name} \\") is not None


def _packages(requirements: str) -> tuple[str, ...] | None:
    """The packages in a requirements file; None where a line is neither a package nor a hash.

    Every later run would obey an option.
    """
    found = []
    for line in requirements.removesuffix("\n").split("\n"):
        match = _PACKAGE.fullmatch(line)
        if match:
            found.append(match[1])
        elif not _HASH.fullmatch(line):
            return None
    return tuple(found)
