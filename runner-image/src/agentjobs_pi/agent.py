"""The program of an agent job.

It asks pi once, prints a transcript, and exits with 0 only if the model really answered.
"""

from __future__ import annotations

import json

from agentjobs_pi import notes, transcript
from agentjobs_pi.call import Question, ask
from agentjobs_pi.instructions import Agent
from agentjobs_pi.models import CannotCallError, Models
from agentjobs_pi.places import REVISION, SCRATCH
from agentjobs_pi.verdict import Event, Verdict


def main() -> int:
    """The exit code. The content was checked by the runner before we were started."""
    agent = Agent.of(json.loads(REVISION.read_bytes())["spec"]["agent"])
    try:
        verdict = _run(agent)
    except CannotCallError as error:
        verdict = error.verdict
    except OSError as error:
        verdict = Verdict("PiFailed", f"the session or pi itself cannot be used: {error.strerror}")
    if not verdict.ok:
        print(f"[{verdict.reason}] {verdict.message}")
    notes.ended(verdict)
    return 0 if verdict.ok else 1


def _run(agent: Agent) -> Verdict:
    # A file that does not exist would be taken for the prompt itself.
    SCRATCH.mkdir(mode=0o700, parents=True, exist_ok=True)
    instructions = SCRATCH / "instructions.md"
    instructions.write_text(agent.system_prompt)
    question = Question(
        prompt=agent.starting_message,
        model=agent.model,
        tools=agent.tools,
        options=("--append-system-prompt", str(instructions)),
        max_turns=agent.max_turns,
    )
    models = Models.from_environment()

    def show(event: Event) -> None:
        for line in transcript.lines(event):
            print(models.without_keys(line), flush=True)

    return ask(question, show).verdict
