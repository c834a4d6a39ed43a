"""Checks admission policies: at start, before anything new starts, and while nothing happens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from agentjobs.api import names
from agentjobs.cluster.client import METADATA_LIST, Api, Json, find
from agentjobs.core.admission import Expected, Gap, next_gap, problems
from agentjobs.core.errors import ClusterError, NotFound, Refused
from agentjobs.core.timestamps import to_wire

log = logging.getLogger(__name__)

LATELY: Final = timedelta(seconds=10)
"""How old an answer may be while nothing starts.

Kubernetes makes the scheduled starts itself, so they stop that much later."""
JUST_NOW: Final = timedelta(seconds=1)
"""How old an answer may be when the operator starts something or brings it into force.

The API server takes that long to follow."""

Key = tuple[str, str]
"""Kind and name of a policy or a binding."""
SELECTOR: Final = f"{names.PART_OF_LABEL}={names.PART_OF}"
"""The chart's label on its policies. Other policies may carry it, too: the name decides."""


class Guard:
    """Knows whether the expected policies are in force.

    Without expected ones it asks for nothing.
    """

    def __init__(
        self, cluster: Api, expected: tuple[Expected, ...], clock: Callable[[], datetime]
    ) -> None:
        self._cluster = cluster
        self._expected = expected
        self._clock = clock
        self._checked: datetime | None = None
        self._whole: datetime | None = None
        self._known: dict[Key, Json] = {}
        self._turn = asyncio.Lock()
        self.gap: Gap | None = None

    async def check(self, age: timedelta) -> Gap | None:
        """What is missing.

        Asks the cluster unless the last answer is younger than `age`. Raises ClusterError when
        there is no answer.
        """
        async with self._turn:
            if self._expected and (self._checked is None or self._clock() - self._checked >= age):
                found = await self._found()
                # A policy that is too large to be read is its metadata alone: it is not the one
                # that the chart made.
                specs = {key: body.get("spec") or {} for key, body in found.items()}
                self._checked = self._clock()
                self._note(next_gap(self.gap, problems(self._expected, specs), self._checked))
            return self.gap

    async def _found(self) -> dict[Key, Json]:
        """The expected policies that exist, by kind and name.

        A list of each kind's metadata costs a fraction of a request for each policy. One whose
        version is known has not changed; the others, and those that the lists lack, are asked for
        by their names.
        """
        kinds = sorted({f"{one.api_version}/{one.kind}" for one in self._expected})
        listed = dict(zip(kinds, await asyncio.gather(*map(self._versions, kinds)), strict=True))
        versions = {
            _key(one): listed[f"{one.api_version}/{one.kind}"].get(one.name)
            for one in self._expected
        }
        known = {
            key: body
            for key, body in self._known.items()
            if versions[key] == body["metadata"].get("resourceVersion", "")
        }
        unknown = [one for one in self._expected if _key(one) not in known]
        bodies = await asyncio.gather(*map(self._find, unknown))
        self._known = known | {
            _key(one): body for one, body in zip(unknown, bodies, strict=True) if body is not None
        }
        return self._known

    async def _versions(self, kind: str) -> dict[str, str]:
        """Nothing where the kind is not served any more or may not be listed.

        Each policy is then asked for by its name.
        """
        pages = self._cluster.list(kind, accept=METADATA_LIST, labelSelector=SELECTOR)
        try:
            found = [body["metadata"] async for page in pages for body in page["items"] or ()]
        except (NotFound, Refused):
            return {}
        return {metadata["name"]: metadata["resourceVersion"] for metadata in found}

    async def _find(self, one: Expected) -> Json | None:
        return await find(self._cluster, f"{one.api_version}/{one.kind}", "", one.name)

    def _note(self, gap: Gap | None) -> None:
        if gap and self.gap is None:
            log.error("the admission policies are not in force: %s", gap.sentence())
        elif self.gap and not gap:
            since = (
                f"since {to_wire(self._whole)}" if self._whole else "before the operator started"
            )
            log.warning(
                "the admission policies are in force again; review the approvals that were made %s",
                since,
            )
        self.gap = gap
        self._whole = self._checked if gap is None else self._whole

    async def watch(self, changed: Callable[[], None]) -> None:
        """Runs forever.

        Calls `changed` when jobs have to be kept from starting, and when they may start again.
        """
        closed = False
        while True:
            await asyncio.sleep(LATELY.total_seconds())
            try:
                gap = await self.check(JUST_NOW)
            except ClusterError as error:
                log.warning("the admission policies could not be read: %s", error)
                continue
            except Exception:
                log.exception("the admission policies could not be compared")
                continue
            if closed != (closes := gap is not None and gap.lasts(self._clock())):
                closed = closes
                changed()


def _key(one: Expected) -> Key:
    return one.kind, one.name
