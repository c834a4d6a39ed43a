"""Decides whether the admission policies are in force.

Without them RBAC alone would decide who approves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from agentjobs.api.base import ApiModel

PATIENCE: Final = timedelta(seconds=20)
"""An upgrade replaces the policies a moment before or after the operator.

Meanwhile nothing new starts, and nothing is taken away."""
MAX_NAMED: Final = 5


class Expected(ApiModel):
    """A policy or binding as the chart made it, with all fields the API server would fill in."""

    api_version: str
    kind: str
    name: str
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing, each as the beginning of a sentence, and since when it is known."""

    problems: tuple[str, ...]
    since: datetime

    def lasts(self, now: datetime) -> bool:
        """Whether it lasts longer than an upgrade takes."""
        return now - self.since >= PATIENCE

    def sentence(self) -> str:
        """The gap as a sentence for conditions and logs."""
        named, rest = "; ".join(self.problems[:MAX_NAMED]), len(self.problems) - MAX_NAMED
        more = f"; and {rest} more" if rest > 0 else ""
        return (
            f"nothing new starts, because nothing checks who approves: {named}{more}; an"
            " administrator has to run helm upgrade"
        )


def problems(
    expected: Iterable[Expected], found: Mapping[tuple[str, str], Mapping[str, Any]]
) -> tuple[str, ...]:
    """What differs from the expected policies.

    `found`: the specs of those that exist, by kind and name.
    """
    answers = (_problem(one, found.get((one.kind, one.name))) for one in expected)
    return tuple(answer for answer in answers if answer)


def _problem(expected: Expected, found: Mapping[str, Any] | None) -> str | None:
    thing = f"{expected.kind} {expected.name}"
    if found is None:
        return f"{thing} is missing"
    where = _difference(expected.spec, found, "spec")
    return f"{thing} was changed at {where}" if where else None


def _difference(wanted: object, found: object, path: str) -> str | None:
    """The path of the first difference.

    Something extra counts, too: it could be an exception from the policy.
    """
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key in sorted({*wanted, *found}):
            if where := _difference(wanted.get(key), found.get(key), f"{path}.{key}"):
                return where
        return None
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = enumerate(zip(wanted, found, strict=True))
        places = (_difference(*pair, f"{path}[{number}]") for number, pair in pairs)
        return next(filter(None, places), None)
    return None if wanted == found else path


def next_gap(before: Gap | None, problems: tuple[str, ...], now: datetime) -> Gap | None:
    """The gap after a new check. It has lasted since it was first seen, whatever is missing now."""
    return Gap(problems, before.since if before else now) if problems else None
