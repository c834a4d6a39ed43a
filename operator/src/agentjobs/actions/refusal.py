"""Why something that a person asked for is not written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Cause = Literal["Changed", "OtherVersion", "Denied", "Invalid", "NotFound", "Ended", "NameTaken"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sentence that says why, and one that says what to do; each screen adds how that is done.

    `cause`: for programs. `objects`: what has to be read or changed, by name.
    """

    cause: Cause
    message: str
    remedy: str
    objects: tuple[str, ...] = ()
    namespace: str = ""
