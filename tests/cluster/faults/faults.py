"""What goes wrong: crashes between writes, stale reads, missed events, an API server's bad days."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, Literal

from tests.cluster.faults.proxy import CUT, Answer, Asked, Json, Send, refusal

When = Literal["before", "after"]
LATE_SECONDS: Final = 1.5
HANGING_SECONDS: Final = 20.0
"""Longer than the operator waits for an answer."""
FREEZING_SECONDS: Final = 8.0
KILL: Final = ("killed before", "killed after")


async def nobody() -> None:
    """Is killed."""


@dataclass
class Fault:
    """Nothing goes wrong. `struck`: how often something did."""

    dice: random.Random = field(default_factory=lambda: random.Random(0))
    kill: Callable[[], Awaitable[None]] = nobody
    struck: int = 0
    _before: set[tuple[str, str, str]] = field(default_factory=set)

    async def answer(self, asked: Asked, send: Send) -> Answer:
        return await send()

    async def opens(self, asked: Asked) -> Answer | None:
        return None

    async def hears(self, asked: Asked, event: Json, arrived: float) -> bool:
        return True

    async def begins(self, arm: Callable[[], None]) -> None:
        """Before the flow's act."""
        arm()

    def release(self) -> None:
        """The fault is over; what was held back may come."""

    def first_try(self, asked: Asked) -> bool:
        """Every other time the same is to be written: a repetition of what was struck is let pass.

        Of what is read the first time only: each attempt reads the same again, and would never end.
        """
        target = asked.target
        if target in self._before:
            if asked.kind == "write":
                self._before.remove(target)
            return False
        self._before.add(target)
        self.struck += 1
        return True


@dataclass
class Killed(Fault):
    """SIGKILL at one write, before it is sent or after it is applied; another process follows."""

    at: int = 0
    when: When = "before"

    async def answer(self, asked: Asked, send: Send) -> Answer:
        if asked.kind != "write" or asked.number != self.at or self.struck:
            return await send()
        self.struck += 1
        if self.when == "after":
            await send()
        await self.kill()
        return CUT


@dataclass
class Refused(Fault):
    """Each request of a kind gets this answer at first try; `when` after: it was carried out."""

    kind: str = "write"
    instead: Answer = CUT
    when: When = "before"

    async def answer(self, asked: Asked, send: Send) -> Answer:
        matches = asked.kind == self.kind or (self.kind == "read" and asked.kind in ("get", "list"))
        if not matches or not self.first_try(asked):
            return await send()
        if self.when == "after":
            await send()
        return self.instead


@dataclass
class Hangs(Fault):
    """One write gets no answer until the operator gives up."""

    at: int = 0
    when: When = "before"

    async def answer(self, asked: Asked, send: Send) -> Answer:
        if asked.kind != "write" or asked.number != self.at or self.struck:
            return await send()
        self.struck += 1
        if self.when == "after":
            await send()
        await asyncio.sleep(HANGING_SECONDS)
        return CUT


@dataclass
class Deaf(Fault):
    """Events of these kinds are never told, or only a part of them; `share` of 1 means none is."""

    kinds: frozenset[str] = frozenset()
    share: float = 1.0

    async def hears(self, asked: Asked, event: Json, arrived: float) -> bool:
        dropped = (not self.kinds or asked.thing in self.kinds) and self.dice.random() < self.share
        self.struck += dropped
        return not dropped


@dataclass
class Late(Fault):
    """Each event is told so much later."""

    async def hears(self, asked: Asked, event: Json, arrived: float) -> bool:
        self.struck += 1
        await asyncio.sleep(max(arrived + LATE_SECONDS - monotonic(), 0))
        return True


@dataclass
class Frozen(Fault):
    """No event is told for a while; then all are."""

    thaw: asyncio.Event = field(default_factory=asyncio.Event)

    async def begins(self, arm: Callable[[], None]) -> None:
        arm()
        asyncio.get_running_loop().call_later(FREEZING_SECONDS, self.thaw.set)

    async def hears(self, asked: Asked, event: Json, arrived: float) -> bool:
        self.struck += not self.thaw.is_set()
        await self.thaw.wait()
        return True

    def release(self) -> None:
        self.thaw.set()


@dataclass
class Gap(Frozen):
    """Every watch ends, and what comes next is not told: an error, when it is opened again."""

    error: int = 410
    told: set[str] = field(default_factory=set)

    async def opens(self, asked: Asked) -> Answer | None:
        await self.thaw.wait()
        if asked.thing in self.told:
            return None
        self.told.add(asked.thing)
        status = {
            "kind": "Status",
            "status": "Failure",
            "code": self.error,
            "message": "too old a version, or no leader",
        }
        return Answer(200, _line({"type": "ERROR", "object": {"apiVersion": "v1", **status}}))

    async def hears(self, asked: Asked, event: Json, arrived: float) -> bool:
        if self.thaw.is_set():
            return True
        self.struck += 1
        raise ConnectionResetError


@dataclass
class CutStreams(Fault):
    """A watch ends after every few events."""

    async def hears(self, asked: Asked, event: Json, arrived: float) -> bool:
        if self.dice.random() < 0.5:
            self.struck += 1
            raise ConnectionResetError
        return True


@dataclass
class Past(Fault):
    """Lists are those of the moment at which the fault began, for a while."""

    restarted: bool = False
    fresh: asyncio.Event = field(default_factory=asyncio.Event)
    version: str = ""
    latest: Callable[[], Awaitable[str]] | None = None

    async def begins(self, arm: Callable[[], None]) -> None:
        assert self.latest
        self.version = await self.latest()
        arm()
        asyncio.get_running_loop().call_later(FREEZING_SECONDS, self.fresh.set)

    async def answer(self, asked: Asked, send: Send) -> Answer:
        if self.restarted and asked.kind == "write" and not self.struck:
            self.struck += 1
            await send()
            await self.kill()
            return CUT
        if asked.kind == "list" and not self.fresh.is_set():
            self.struck += 1
            if "continue" not in asked.query:
                exactly = {"resourceVersion": self.version, "resourceVersionMatch": "Exact"}
                asked.query.update(exactly)
        return await send()

    def release(self) -> None:
        self.fresh.set()


@dataclass
class Slow(Fault):
    """Each write waits a little, so that two leaders write in turn. `deaf`: and events are late."""

    deaf: bool = False

    async def answer(self, asked: Asked, send: Send) -> Answer:
        if asked.kind == "write":
            self.struck += 1
            await asyncio.sleep(self.dice.choice((0.0, 0.1, 0.3, 0.8)))
        return await send()

    async def hears(self, asked: Asked, event: Json, arrived: float) -> bool:
        if self.deaf:
            await asyncio.sleep(max(arrived + LATE_SECONDS - monotonic(), 0))
        return True


def _line(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode() + b"\n"


CONFLICT: Final = refusal(409, "Conflict", "the object has been modified")
BUSY: Final = refusal(429, "TooManyRequests", "too many requests", retry_after="1")
BROKEN: Final = refusal(500, "InternalError", "etcdserver: leader changed")
TIMEOUT: Final = refusal(504, "Timeout", "request did not complete within the allotted timeout")
GONE: Final = refusal(410, "Expired", "the provided continue parameter is too old")

Make = Callable[[random.Random, int], Fault]
"""From dice and the number of writes that the flow has."""

FAULTS: Final[dict[str, Make]] = {
    "409": lambda dice, n: Refused(dice, instead=CONFLICT),
    "429": lambda dice, n: Refused(dice, instead=BUSY),
    "429 to reads": lambda dice, n: Refused(dice, kind="read", instead=BUSY),
    "500": lambda dice, n: Refused(dice, instead=BROKEN),
    "500 to reads": lambda dice, n: Refused(dice, kind="read", instead=BROKEN),
    "410 to lists": lambda dice, n: Refused(dice, kind="list", instead=GONE),
    "timeout before": lambda dice, n: Refused(dice, instead=TIMEOUT),
    "timeout after": lambda dice, n: Refused(dice, instead=TIMEOUT, when="after"),
    "cut before": lambda dice, n: Refused(dice, instead=CUT),
    "cut after": lambda dice, n: Refused(dice, instead=CUT, when="after"),
    "cut reads": lambda dice, n: Refused(dice, kind="read", instead=CUT),
    "hanging before": lambda dice, n: Hangs(dice, at=dice.randrange(n)),
    "hanging after": lambda dice, n: Hangs(dice, at=dice.randrange(n), when="after"),
    "late events": lambda dice, n: Late(dice),
    "frozen watches": lambda dice, n: Frozen(dice),
    "half of the events": lambda dice, n: Deaf(dice, share=0.5),
    "no events of runs": lambda dice, n: Deaf(dice, kinds=frozenset({"agentjobruns"})),
    "no events of Jobs": lambda dice, n: Deaf(dice, kinds=frozenset({"jobs", "cronjobs"})),
    "no events of pods": lambda dice, n: Deaf(dice, kinds=frozenset({"pods"})),
    "no events of approvals": lambda dice, n: Deaf(dice, kinds=frozenset({"agentjobapprovals"})),
    "a gap, 410": lambda dice, n: Gap(dice),
    "a gap, 500": lambda dice, n: Gap(dice, error=500),
    "watches cut": lambda dice, n: CutStreams(dice),
    "lists of the past": lambda dice, n: Past(dice),
    "restarted into the past": lambda dice, n: Past(dice, restarted=True),
    "two leaders": lambda dice, n: Slow(dice),
    "two leaders, deaf": lambda dice, n: Slow(dice, deaf=True),
}
TWO_LEADERS: Final = frozenset({"two leaders", "two leaders, deaf"})


def kills(writes: int) -> list[str]:
    """The names of the faults that strike each write of a flow by killing the operator."""
    return [f"{kind} write {number + 1}" for number in range(writes) for kind in KILL]


def make(name: str, dice: random.Random, writes: int) -> Fault:
    """By its name; `writes`: how many the flow has without a fault."""
    if name == "nothing":
        return Fault(dice)
    if name.startswith(KILL):
        words = name.split()
        return Killed(dice, at=int(words[-1]) - 1, when="after" if "after" in words else "before")
    return FAULTS[name](dice, max(writes, 1))
