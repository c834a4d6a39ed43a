"""Knows which jobs use which packages, so one decision about packages finds all jobs concerned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from agentjobs.operator.caches.table import Key


class Uses:
    """Packages are canonical pins.

    A reconcile sets what its job uses before it looks at the approvals, so that it misses none.
    """

    def __init__(self) -> None:
        self._packages: dict[Key, frozenset[str]] = {}
        self._jobs: dict[Key, set[str]] = defaultdict(set)

    def set(self, job: Key, packages: Iterable[str]) -> None:
        """Sets all that the job uses now; nothing, where it uses none or is gone."""
        now, before = frozenset(packages), self._packages.pop(job, frozenset())
        for package in before - now:
            self._forget((job[0], package), job[1])
        for package in now - before:
            self._jobs[job[0], package].add(job[1])
        if now:
            self._packages[job] = now

    def of(self, namespace: str, packages: Iterable[str]) -> AbstractSet[Key]:
        """The jobs of a namespace that use one of these."""
        return {
            (namespace, job)
            for package in packages
            for job in self._jobs.get((namespace, package), ())
        }

    def _forget(self, package: Key, job: str) -> None:
        self._jobs[package].discard(job)
        if not self._jobs[package]:
            del self._jobs[package]
