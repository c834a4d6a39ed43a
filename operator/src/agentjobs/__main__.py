"""Runs one of the project's processes: `python -m agentjobs operator`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

from agentjobs import __version__
from agentjobs.operator.config_text import MAX_BYTES, document
from agentjobs.operator.configuration import (
    OperatorConfiguration,
    SettingsError,
    configuration,
    pod,
)
from agentjobs.operator.process import operate
from agentjobs.telemetry import log_to_stderr

log = logging.getLogger("agentjobs")


def _exit_now(code: int) -> NoReturn:
    """Ends the process at once: Kopf's executor threads must not delay it."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


def _read(path: Path) -> OperatorConfiguration:
    """Raises SettingsError, with the file's name."""
    try:
        with path.open("rb") as file:
            return configuration(document(file.read(MAX_BYTES + 1)))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="agentjobs", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    operator = commands.add_parser("operator", help="run the operator")
    operator.add_argument(
        "--config",
        required=True,
        type=Path,
        help="file with the operator's settings, a document of the kind OperatorConfiguration",
    )
    operator.add_argument("--kubeconfig", help="use this file instead of the pod's service account")
    options = parser.parse_args(arguments)
    if options.kubeconfig:
        os.environ["KUBECONFIG"] = options.kubeconfig  # where Kopf looks for it
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        settings, own = _read(options.config), pod(os.environ)
    except SettingsError as error:
        print(f"the operator cannot start: {error}", file=sys.stderr)
        return 2
    log_to_stderr(settings.process.log_level)
    try:
        code = asyncio.run(operate(settings, own, options.kubeconfig))
    except Exception:
        log.exception("the operator failed and ends")
        code = 1
    _exit_now(code)


if __name__ == "__main__":
    sys.exit(main())
