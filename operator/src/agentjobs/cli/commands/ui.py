"""`kubectl saj ui`: the console on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from agentjobs.cli import options, screen
from agentjobs.cli.errors import CliError, Exit
from agentjobs.cli.kube import Kube


@options.on_cluster
def run(
    kube: Kube,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1; 0 for a free one.")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether to open a browser.")
    ] = True,
    everywhere: options.Everywhere = False,
) -> None:
    """Open the console in a browser, as you: it can do what your kubectl can do.

    It ends with Ctrl-C. The printed address works once, for one browser.
    """
    try:
        from agentjobs.console.serve import serve
    except ModuleNotFoundError as error:
        raise CliError(
            f"the console needs {error.name}, which is not installed",
            "install agentjobs with its extra: `uv tool install 'agentjobs[web]'`",
            Exit.USAGE,
        ) from None
    import asyncio
    import webbrowser

    from agentjobs.core.errors import ClusterError

    def ready(address: str) -> None:
        screen.say(f"the console is at {address}")
        screen.note("this address works once; Ctrl-C ends the console")
        if browser:
            webbrowser.open(address)

    namespace = "" if everywhere else kube.namespace
    try:
        asyncio.run(serve(kube.command(), kube.whoami(), namespace, port, ready))
    except ClusterError as error:
        raise CliError(str(error), "`kubectl cluster-info` says more", Exit.CLUSTER) from None
    except OSError as error:
        raise CliError(f"--port {port}: {error.strerror}", "choose another", Exit.USAGE) from None
