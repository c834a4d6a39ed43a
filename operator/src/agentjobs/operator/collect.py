"""From the end of a run to its evidence: the runner's last words, read from the pod's log."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from agentjobs.cluster.client import Api
from agentjobs.core.errors import ClusterError, NotFound
from agentjobs.core.runner.envelope import Envelope, ShortForm, read_envelope, read_short_form
from agentjobs.core.runner.evidence import Evidence
from agentjobs.core.runner.installer import Resolution, read_installation, read_resolution
from agentjobs.core.runner.lines import TAIL_LINES, WIDE_LINES, EnvelopeError, live_output
from agentjobs.core.runs.outcome import GONE
from agentjobs.core.views.pod import INSTALL_CONTAINER, RUNNER_CONTAINER, PodView

FLUSH: Final = timedelta(seconds=3)
"""The runtime may still be writing the last lines of a container that has just ended."""
UNREADABLE: Final = timedelta(seconds=60)
"""How long a node that does not answer is asked again before the output is given up."""


async def read_installed(cluster: Api, pod: PodView) -> Resolution | None:
    """What the pod's installer says it installed; None where that cannot be read, now or ever."""
    said = read_installation(pod.install_message)
    if said is None or not said.sha256:
        return None
    try:
        return read_resolution(
            await cluster.log(pod.namespace, pod.name, INSTALL_CONTAINER, TAIL_LINES), said.sha256
        )
    except (EnvelopeError, ClusterError):
        return None


async def read_evidence(cluster: Api, pod: PodView, waited: timedelta) -> Evidence | None:
    """What the log of the pod's runner proves; None: not yet, ask again.

    Call it for a pod whose container has started, and has ended or is being ended. waited: since
    this process first saw that the container has ended. When that was, only its node's clock says.
    """
    # The termination message, where it is the runner's, names the one envelope that counts.
    short = read_short_form(pod.termination_message)
    readable = False
    try:
        return Evidence(await _envelope(cluster, pod, short))
    except EnvelopeError as error:
        problem, patience, readable = str(error), FLUSH, True
    except NotFound:
        problem, patience = GONE, timedelta(0)
    except ClusterError as error:
        problem, patience = f"the log could not be read: {error}", UNREADABLE
    if not pod.ended or waited < patience:
        return None
    live = await _live(cluster, pod) if readable and short is None else ""
    return Evidence(None, problem, live)


async def _envelope(cluster: Api, pod: PodView, short: ShortForm | None) -> Envelope:
    """The envelope in the log.

    Its end is nearly always the end of the log, but lines of stderr that came late can follow it.
    """
    try:
        log = await cluster.log(pod.namespace, pod.name, RUNNER_CONTAINER, TAIL_LINES)
        return read_envelope(log, short.sha256 if short else None)
    except EnvelopeError:
        if short is None or not short.sha256:
            raise
        return read_envelope(
            await cluster.log(pod.namespace, pod.name, RUNNER_CONTAINER, WIDE_LINES), short.sha256
        )


async def _live(cluster: Api, pod: PodView) -> str:
    """The end of the live log of a run whose runner printed no envelope.

    Where memory is short, some kernels kill the runner with its script.
    """
    try:
        return live_output(await cluster.log(pod.namespace, pod.name, RUNNER_CONTAINER, WIDE_LINES))
    except ClusterError:
        return ""
