"""What the operator reports about itself: JSON logs and metrics.

Neither ever holds user output, scripts or variables' values.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextvars import ContextVar
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from pythonjsonlogger.json import JsonFormatter

from agentjobs.core.errors import AgentjobsError

reconcile_id: ContextVar[str] = ContextVar("reconcile_id", default="")
"""The same on every log line of one reconcile."""


class _WithReconcile(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if identity := reconcile_id.get():
            record.reconcile = identity
        return True


class _WithoutValues(JsonFormatter):
    """Formats a traceback without a bug's message, which may quote a script, variable or event."""

    def formatException(self, ei: Any) -> str:  # noqa: N802, the name is logging's
        error: BaseException | None = ei[1]
        lines: list[str] = []
        while error is not None:
            message = f": {error}" if isinstance(error, AgentjobsError) else ""
            lines = [
                *traceback.format_tb(error.__traceback__),
                f"{type(error).__name__}{message}\n",
                *lines,
            ]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "".join(lines).rstrip()


def log_to_stderr(level: str) -> None:
    """Logs one JSON object a line.

    Kopf and the client stay quiet below WARNING: their debug lines hold whole bodies.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _WithoutValues(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            datefmt="%Y-%m-%dT%H:%M:%S%z",
        )
    )
    handler.addFilter(_WithReconcile())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("kopf", "aiohttp", "kubernetes", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


class Metrics:
    """Names and labels are part of the API. Nothing here grows with the number of jobs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reconciles = Counter(
            "agentjobs_reconciles", "Reconciles, by result.", ["result"], registry=registry
        )
        self.seconds = Histogram(
            "agentjobs_reconcile_seconds", "Duration of a reconcile, in seconds.", registry=registry
        )
        self.finished = Counter(
            "agentjobs_runs_finished", "Finished runs, by phase.", ["phase"], registry=registry
        )
        self.queue = Gauge(
            "agentjobs_queue_length", "Jobs that wait for a reconcile.", registry=registry
        )
        self.jobs = Gauge(
            "agentjobs_jobs", "ScheduledAgentJobs, by phase.", ["phase"], registry=registry
        )
        self.active_runs = Gauge(
            "agentjobs_active_runs", "Runs that have not finished.", registry=registry
        )
        self.stored_bytes = Gauge(
            "agentjobs_stored_output_bytes",
            "Size of the records of finished runs, in bytes.",
            registry=registry,
        )
        self.leading = Gauge(
            "agentjobs_leading", "1 if this process is the leader, else 0.", registry=registry
        )
        self.requests = Counter(
            "agentjobs_api_requests", "Requests answered by the API server.", registry=registry
        )
        self.policies_missing = Gauge(
            "agentjobs_policies_missing",
            "Admission policies and bindings that are not in force.",
            registry=registry,
        )
        self.unreadable = Gauge(
            "agentjobs_unreadable_objects",
            "Objects that could not be read completely, by kind.",
            ["kind"],
            registry=registry,
        )
        self.failed_lists = Counter(
            "agentjobs_failed_lists",
            "List requests that failed, by kind.",
            ["kind"],
            registry=registry,
        )
        self.stale = Gauge(
            "agentjobs_stale_streams",
            "Watch streams that have stopped delivering events.",
            registry=registry,
        )
