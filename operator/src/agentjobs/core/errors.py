"""What can go wrong, by who can fix it.

AgentjobsError
├── UserError        the resource's author: ends in a condition, is not retried
├── ClusterError     the cluster: retried with back-off
│   ├── Conflict     somebody else wrote first: read again at once
│   │   └── NameTaken   something else has the wanted name
│   ├── NotFound     the object is gone
│   ├── Refused      admission, quota or RBAC said no: retried slowly, shown in a condition
│   ├── Incomplete   some writes of a plan failed; the others were carried out
│   ├── Outdated     a list is older than what was seen before
│   └── Unlisted     some kinds could not be listed; the others were
└── (anything else is a bug of ours, and logged as one)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet


class AgentjobsError(Exception):
    """Base of all errors here. The message is a sentence for people."""


class UserError(AgentjobsError):
    """The resource asks for something impossible; the message says what, where and what to do.

    `reason` is the condition's.
    """

    def __init__(self, message: str, reason: str = "InvalidSpec") -> None:
        super().__init__(message)
        self.reason = reason


class ClusterError(AgentjobsError):
    """The API server or the network failed. `status` is the HTTP code, 0 where none came."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Conflict(ClusterError):
    """409: the object changed since it was read, or exists already."""


class NameTaken(Conflict):
    """409: something else has the name; the message says what, and what to do."""


class NotFound(ClusterError):
    """404: the object is gone."""


class Refused(ClusterError):
    """400, 403, 413 or 422: the API server says the same again until somebody changes something."""


class Incomplete(ClusterError):
    """Part of a plan could not be carried out.

    `look_again`: after how many seconds the rest has to be looked at again, if at all.
    """

    def __init__(self, errors: Sequence[ClusterError], look_again: float | None) -> None:
        first = next((error for error in errors if isinstance(error, Refused)), errors[0])
        more = f"; and {len(errors) - 1} more" if len(errors) > 1 else ""
        super().__init__(f"{first}{more}", first.status)
        self.errors = tuple(errors)
        self.look_again = look_again


class Outdated(ClusterError):
    """A list is older than what was seen before.

    If that does not change, etcd was restored from a backup.
    """


class Unlisted(ClusterError):
    """Some kinds could not be listed: what failed, by kind.

    `keys`: what the lists of the others returned.
    """

    def __init__(self, errors: Mapping[str, Exception], keys: AbstractSet[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{kind}: {error}" for kind, error in errors.items()))
        self.errors = errors
        self.keys = keys
