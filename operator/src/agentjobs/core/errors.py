"""Every error of this package, with who can fix it: the user, the cluster, or us.

AgentjobsError
├── UserError             user: the resource's author; ends in a condition, is not retried
│   └── InvalidContent    user: a person who reads or decides is told what is wrong with a job
├── ClusterError          cluster: retried with back-off
│   ├── Conflict          cluster: somebody else wrote first; read again at once
│   │   └── NameTaken     user: something else has the wanted name
│   ├── NotFound          cluster: the object is gone
│   ├── Refused           user: admission, quota or RBAC said no; retried slowly, in a condition
│   ├── Incomplete        cluster: some writes of a plan failed; the others were carried out
│   ├── Outdated          cluster: a list is older than what was seen before
│   └── Unlisted          cluster: some kinds could not be listed; the others were
├── Malformed             user: JSON from outside is none, or is beyond the limits
├── EnvelopeError         cluster: a run's log lost its last lines; its record says so
├── SettingsError         user: the installation's settings; the operator does not start
├── CliError              user: `kubectl saj` prints it with a remedy, and ends with its exit code
│   └── ApiServerError    cluster: what the API server answered, or that it did not
├── HeaderError           user: a key in the header of a script or an agent file
├── ScriptError           user: the header as a whole; has a line and a remedy
├── JsonError             user: a JSON file; has a line and a remedy
├── TwiceError            user: a YAML file has a key twice
├── EndlessError          user: a YAML file has a value that contains itself
└── UnusableError         user: a YAML file has a value that no job can hold

Any other exception is a bug: us. The operator logs it as one, without its message, and tries again;
`kubectl saj` asks for a report. A test compares the drawing with the classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet


class AgentjobsError(Exception):
    """Base of all errors of this package. The message is a sentence for people.

    The operator logs it, so none that it raises quotes output, prompts or values of variables.
    """


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
