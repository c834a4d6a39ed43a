"""Operators as processes of this machine: started, killed, asked how they are."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

import aiohttp

from agentjobs.testing.real_cluster.client import ClusterProblem, Json
from agentjobs.testing.real_cluster.operator_pod import Vitals, vitals
from agentjobs.testing.real_cluster.settings import write
from tests.cluster.faults.proxy import NAMESPACED, Proxy

NURSERY: Final = Path(__file__).with_name("nursery.py")
RESYNC_SECONDS: Final = 10
"""The shortest that the operator takes: what a watch lost is found by then."""
QUIET_SECONDS: Final = 1.0
POLL_SECONDS: Final = 0.1


class Nursery:
    """The process that forks them."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    @staticmethod
    async def open() -> Nursery:
        pipe = asyncio.subprocess.PIPE
        return Nursery(
            await asyncio.create_subprocess_exec(
                sys.executable, str(NURSERY), stdin=pipe, stdout=pipe
            )
        )

    async def fork(self, asked: dict[str, str]) -> int:
        """Its pid."""
        async with self._turn:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            return int(await self._process.stdout.readline())

    async def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Operator:
    """One process after another behind one proxy.

    `settings`: the document of the release; `folder`: for kubeconfig, settings and log.
    """

    nursery: Nursery
    settings: Json
    namespace: str
    proxy: Proxy
    folder: Path
    name: str = "first"
    started: int = 0
    _port: int = field(default_factory=free_port)
    _pidfd: int = -1
    _kubelet: asyncio.Task[None] | None = None

    async def start(self) -> None:
        kubeconfig = self.folder / f"{self.name}.kubeconfig"
        kubeconfig.write_text(json.dumps(_kubeconfig(self.proxy.port)))
        process = {"port": self._port, "resyncSeconds": RESYNC_SECONDS}
        configuration = write(self.settings, self.folder / f"{self.name}.config.yaml", **process)
        self.proxy.streams.clear()
        self.proxy.changed = monotonic()
        pid = await self.nursery.fork(
            {
                "POD_NAME": f"faults-{self.name}",
                "POD_NAMESPACE": self.namespace,
                "KUBECONFIG": str(kubeconfig),
                "CONFIG": str(configuration),
                "LOG": str(self.folder / f"{self.name}.log"),
            }
        )
        self._pidfd = os.pidfd_open(pid)
        self.started += 1
        self._kubelet = asyncio.create_task(self._starts_again())

    async def _starts_again(self) -> None:
        """One that ends by itself, because it lost its lease for instance, follows after itself."""
        await self._gone()
        os.close(self._pidfd)
        self._pidfd = -1
        await self.start()

    async def kill(self) -> None:
        """SIGKILL. It is gone when this returns."""
        if self._kubelet:
            self._kubelet.cancel()
            await asyncio.gather(self._kubelet, return_exceptions=True)
        if self._pidfd < 0:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        await self._gone()
        os.close(self._pidfd)
        self._pidfd = -1

    async def _gone(self) -> None:
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._pidfd, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(self._pidfd)

    async def vitals(self) -> Vitals | None:
        """None while it does not answer."""
        timeout = aiohttp.ClientTimeout(total=5)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"http://127.0.0.1:{self._port}/metrics") as answer,
            ):
                return vitals(await answer.text())
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    async def rests(self, seconds: float) -> None:
        """Until it leads, hears every stream, has nothing to do, and reads and writes nothing more.

        It is asked itself only when nothing passes any more: that costs both more than a look.
        """
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)
            quiet = monotonic() - self.proxy.changed > QUIET_SECONDS
            if quiet and not self.proxy.in_flight and self.proxy.streams >= NAMESPACED:
                now = await self.vitals()
                if now and now.leading and not now.queue:
                    return
                self.proxy.changed = monotonic()
        raise ClusterProblem(f"the operator does not come to rest within {seconds:g} s")


def _kubeconfig(port: int) -> dict[str, object]:
    """Nobody in particular, on the proxy: it adds the token of the operator's account."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "nobody"}}],
        "clusters": [{"name": "proxy", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "nobody", "user": {"token": "none"}}],
    }
