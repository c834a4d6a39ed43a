"""Packages in a table: who asks for them, and what was decided. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from agentjobs.api.package_rules import canonical, canonical_or_none
from agentjobs.core.content import packages as core
from agentjobs.core.content.packages import WORDS, Packages
from agentjobs.present.text import Json, at

IN_IMAGE: Final = ": in the runner image"
"""How a card says it of a package."""


def rows(
    jobs: Iterable[Json], decisions: Sequence[Json], packages: Packages
) -> list[dict[str, Any]]:
    """One for each package, by name. Pure.

    A package is written as it was approved, else as it was denied, else as a job asks for it.
    """
    written: dict[str, str] = {}
    about: dict[str, list[Json]] = defaultdict(list)
    for decision in sorted(decisions, key=lambda body: str(body["spec"]["decision"])):
        for pin in decision["spec"]["packages"]:
            about[canonical(pin)].append(decision)
            written.setdefault(canonical(pin), pin)
    users: dict[str, list[str]] = defaultdict(list)
    for job in jobs:
        for pin in at(job, "spec", "packages") or ():
            users[canonical_or_none(pin) or str(pin)].append(job["metadata"]["name"])
            written.setdefault(canonical_or_none(pin) or str(pin), str(pin))
    return [
        {
            "package": written[pin],
            "status": WORDS[packages.verdict(pin)],
            "jobs": users[pin],
            "by": sorted({str(at(decision, "spec", "approvedBy")) for decision in about[pin]}),
            "decisions": [decision["metadata"]["name"] for decision in about[pin]],
        }
        for pin in sorted({*users, *about})
    ]


def known(
    decisions: Sequence[Json], inventory: Mapping[str, str] | None, jobs: Iterable[Json]
) -> Packages:
    """What is decided, and what the runner's image holds.

    `inventory`: the image's packages with their versions; None: what the cards of `jobs` say.
    """
    views = tuple(
        core.PackageApprovalView(
            decision["metadata"]["name"],
            frozenset(map(canonical, decision["spec"]["packages"])),
            decision["spec"]["decision"],
        )
        for decision in decisions
    )
    image = core.inventory(inventory) if inventory is not None else _on_cards(jobs)
    return core.Packages(image, views)


def _on_cards(jobs: Iterable[Json]) -> frozenset[str]:
    lines = (str(line) for job in jobs for line in at(job, "status", "card", "packages") or ())
    found = (line.removesuffix(IN_IMAGE) for line in lines if line.endswith(IN_IMAGE))
    return frozenset(map(canonical, found))
