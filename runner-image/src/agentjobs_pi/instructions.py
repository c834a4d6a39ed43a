"""What an agent job asks of pi: from the approved content, with the API's defaults. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STARTING_MESSAGE = "go"
TOOLS = ("read", "write", "edit", "ls")
MAX_TURNS = 50
NOBODY_IS_THERE = """
You run unattended: nobody can be asked and nobody reads along. Decide for yourself, do what the
instructions ask, and end with a short report of what you did. If something cannot be done, say so
in the report and say why. Your working directory is /workspace; files outside it cannot be written.
"""


@dataclass(frozen=True)
class Agent:
    """`spec.agent`.

    A field that the content leaves out has the API's default: canonical contents hold no defaults.
    """

    instructions: str
    starting_message: str
    tools: tuple[str, ...]
    max_turns: int
    model: str

    @classmethod
    def of(cls, agent: Mapping[str, Any]) -> Agent:
        return cls(
            instructions=str(agent["instructions"]),
            starting_message=str(agent.get("startingMessage", STARTING_MESSAGE)),
            tools=tuple(agent.get("tools", TOOLS)),
            max_turns=int(agent.get("maxTurns", MAX_TURNS)),
            model=str(agent.get("model", "")),
        )

    @property
    def system_prompt(self) -> str:
        """Appended to pi's own."""
        return f"{self.instructions.strip()}\n{NOBODY_IS_THERE}"
