"""Serves the console on this machine, for the user of a kubeconfig: `kubectl saj ui`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence

import uvicorn

from agentjobs.console.app import create
from agentjobs.console.kubectl import proxied
from agentjobs.console.local import LocalDoor
from agentjobs.console.visitor import Visitor


async def serve(
    kubectl: Sequence[str], name: str, namespace: str, port: int, ready: Callable[[str], None]
) -> None:
    """Serves until it is interrupted. `port` 0 takes a free one; `ready` gets the address to open.

    Raises ClusterError where kubectl fails, and OSError where the port is taken.
    """
    with socket.create_server(("127.0.0.1", port)) as listener:
        async with proxied(kubectl) as cluster:
            door = LocalDoor(Visitor(name, cluster, namespace), listener.getsockname()[1])
            server = uvicorn.Server(
                uvicorn.Config(
                    create(door),
                    log_level="critical",
                    lifespan="off",
                    server_header=False,
                    proxy_headers=False,
                    ws="none",
                )
            )
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            ready(door.address)
            await serving
