"""Finding jobs among thousands: search, facets, order and pages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agentjobs.present import rows
from agentjobs.present.text import Json, at

PAGE: Final = 50
LABEL: Final = "="
"""Between the key and the value of a label that is looked for."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody looks for. Empty fields choose everything.

    `words`: each has to be contained in a name, a namespace or a description. `show`: one of
    FACETS. `label`: `key`, or `key=value`. `order`: one of ORDERS. `page` counts from 1.
    """

    words: str = ""
    show: str = ""
    namespace: str = ""
    label: str = ""
    order: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found.

    `counts`: by facet, how many the other choices would leave. `total`: on all pages.
    """

    jobs: Sequence[Json]
    counts: Mapping[str, int]
    total: int
    page: int
    pages: int


def _phase(*phases: str) -> Callable[[Json], bool]:
    return lambda job: at(job, "status", "phase") in phases


FACETS: Final[dict[str, Callable[[Json], bool]]] = {
    "waiting": rows.waits,
    "failed": _phase("Failed"),
    "running": _phase("Running", "Triggered"),
    "paused": _phase("Paused"),
}
LAST: Final = "9999"
"""Sorts behind every time on the wire."""


def _name(job: Json) -> tuple[str, str]:
    return str(at(job, "metadata", "namespace")), str(at(job, "metadata", "name"))


ORDERS: Final[dict[str, Callable[[Json], tuple[str, ...]]]] = {
    "name": lambda job: (str(at(job, "metadata", "name")), *_name(job)),
    "status": lambda job: (str(at(job, "status", "phase") or ""), *_name(job)),
    "next": lambda job: (str(at(job, "status", "nextRunAt") or LAST), *_name(job)),
    "last": lambda job: (_newest_first(at(job, "status", "lastRunAt")), *_name(job)),
}


def _newest_first(time: object) -> str:
    """A key that sorts later times first: each character's distance from the highest of ASCII."""
    return "".join(chr(127 - ord(sign) % 127) for sign in str(time)) if time else "\x7f"


def found(jobs: Iterable[Json], choice: Choice) -> Found:
    """The page that somebody chose, of the jobs that they may see."""
    words = choice.words.lower().split()
    left = [job for job in jobs if _matches(job, choice, words)]
    counts = {name: sum(map(facet, left)) for name, facet in FACETS.items()}
    chosen = [job for job in left if choice.show not in FACETS or FACETS[choice.show](job)]
    chosen.sort(key=ORDERS.get(choice.order, _name))
    pages = max(1, -(-len(chosen) // PAGE))
    page = min(max(choice.page, 1), pages)
    shown = chosen[(page - 1) * PAGE : page * PAGE]
    return Found(shown, {"": len(left), **counts}, len(chosen), page, pages)


def _matches(job: Json, choice: Choice, words: Sequence[str]) -> bool:
    namespace, name = _name(job)
    if choice.namespace and namespace != choice.namespace:
        return False
    if choice.label and not _has_label(at(job, "metadata", "labels") or {}, choice.label):
        return False
    text = f"{namespace}/{name} {at(job, 'spec', 'description') or ''}".lower()
    return all(word in text for word in words)


def _has_label(labels: Json, label: str) -> bool:
    key, equals, value = label.partition(LABEL)
    return key in labels and (not equals or labels[key] == value)


def query(choice: Choice, **changed: object) -> dict[str, object]:
    """The choice as it stands in an address. A changed one begins with its first page."""
    other = replace(choice, **{"page": 1, **changed})  # type: ignore[arg-type]
    return {
        "q": other.words,
        "show": other.show,
        "namespace": other.namespace,
        "label": other.label,
        "order": other.order,
        "page": other.page if other.page > 1 else "",
    }
