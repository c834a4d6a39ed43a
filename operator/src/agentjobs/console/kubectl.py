"""The API server as the user of a kubeconfig, through a private `kubectl proxy`.

kubectl does the login, whatever it is. The proxy listens on a socket in a folder of the user alone
and lets only those addresses through that the console asks for.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from agentjobs.cluster.client import CHUNK_BYTES, Cluster
from agentjobs.cluster.direct import Direct
from agentjobs.core.errors import ClusterError

STARTS_WITHIN: Final = 20.0
"""Seconds. A login by the browser is not part of it: kubectl asks for that at the first request."""
LOOKS_EVERY: Final = 0.02
_SET_PDEATHSIG: Final = 1
PATHS: Final = (
    r"/apis/agentjobs\.dev(/.*)?",
    r"/apis/(authentication|authorization)\.k8s\.io/v1/self[a-z]+",
    r"/apis/admissionregistration\.k8s\.io/.*",
    r"/apis/rbac\.authorization\.k8s\.io/v1/.*",
    r"/apis/coordination\.k8s\.io/v1/.*",
    r"/api/v1/namespaces(/[^/]+/configmaps/[^/]+|/[^/]+/pods/[^/]+/log)?",
)
"""What the console reads and writes, as patterns."""


@asynccontextmanager
async def proxied(kubectl: Sequence[str]) -> AsyncIterator[Cluster]:
    """The cluster of a kubectl command, with its options. Raises ClusterError."""
    with tempfile.TemporaryDirectory(prefix="agentjobs-ui-") as folder:
        socket, log = Path(folder) / "api", Path(folder) / "log"
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *kubectl,
                "proxy",
                f"--unix-socket={socket}",
                f"--accept-paths=^({'|'.join(PATHS)})$",
                "--reject-paths=^$",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=stderr,
                preexec_fn=_ends_with_its_parent,
            )
        try:
            await _listening(process, socket, log)
            connector = aiohttp.UnixConnector(path=str(socket), limit=0)
            async with aiohttp.ClientSession(
                connector=connector, trust_env=False, read_bufsize=2 * CHUNK_BYTES
            ) as session:
                yield Cluster(Direct(session, "http://localhost"))
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _listening(process: asyncio.subprocess.Process, socket: Path, log: Path) -> None:
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            while not os.path.exists(socket):  # noqa: ASYNC240, PTH110  of memory, and at once
                if process.returncode is not None:
                    raise ClusterError(_said(log))
                await asyncio.sleep(LOOKS_EVERY)
    except TimeoutError:
        raise ClusterError(f"kubectl proxy did not start within {STARTS_WITHIN:g} s") from None


def _said(log: Path) -> str:
    return log.read_text(errors="replace").strip() or "kubectl ended without a message"


def _ends_with_its_parent() -> None:
    """Where the parent is killed, Linux ends the proxy too; elsewhere it goes on until a logout."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:
            os._exit(1)
