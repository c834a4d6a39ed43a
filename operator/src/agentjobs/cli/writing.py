"""Carries out what people ask for: the actions' writes, and their refusals as errors."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeVar

from agentjobs.actions import answers
from agentjobs.actions.refusal import Cause, Refusal
from agentjobs.api.kinds import KINDS
from agentjobs.cli.errors import ApiServerError, CliError, Exit
from agentjobs.cli.kube import Json, Kube
from agentjobs.core.plan import Write

T = TypeVar("T")
ALREADY_EXISTS: Final = "AlreadyExists"


class _Ending(NamedTuple):
    """The exit code of a refusal, and the remedy with the command for it."""

    code: Exit
    remedy: str = "{remedy}"


ENDINGS: Final[dict[Cause, _Ending]] = {
    "Changed": _Ending(Exit.CHANGED, "{remedy}: `kubectl saj cards {objects}`"),
    "OtherVersion": _Ending(
        Exit.CHANGED,
        "use `kubectl saj` of the operator's version, and try again: a ConfigMap may just have"
        " changed",
    ),
    "Denied": _Ending(Exit.NO, "{remedy}: `kubectl delete aja {objects} --namespace {namespace}`"),
    "Invalid": _Ending(Exit.USAGE),
    "NotFound": _Ending(Exit.NOT_FOUND),
    "Ended": _Ending(Exit.NOT_FOUND, "`kubectl saj history JOB` lists runs"),
    "NameTaken": _Ending(Exit.CLUSTER),
}


def refused(refusal: Refusal) -> CliError:
    """A refusal as this program reports it."""
    ending = ENDINGS[refusal.cause]
    remedy = ending.remedy.format(
        remedy=refusal.remedy, objects=" ".join(refusal.objects), namespace=refusal.namespace
    )
    return CliError(refusal.message, remedy, ending.code)


def allowed(action: T | Refusal) -> T:
    """What an action returns, unless that is a refusal. Raises CliError."""
    if isinstance(action, Refusal):
        raise refused(action)
    return action


def create(kube: Kube, write: Write) -> tuple[Json, bool]:
    """The object as the server has it, and whether it is new. Raises CliError."""
    try:
        return _signed(kube, write), True
    except ApiServerError as error:
        if error.reason != ALREADY_EXISTS:
            raise
    found = kube.get(KINDS[write.kind].path, write.name)
    other = allowed(answers.if_taken(write, found))
    return (_signed(kube, other), True) if other else (found, False)


def _signed(kube: Kube, write: Write) -> Json:
    """The object as the server has it, with the user's own name only where the server wants it."""
    try:
        return kube.execute(write)
    except ApiServerError as error:
        if not answers.needs_signature(error.message):
            raise
    return kube.execute(answers.signed(write, kube.whoami()))
