"""What the resources refuse about agents, and what they say then."""

from __future__ import annotations

from typing import Final

from agentjobs.api.rule import Rule, matching
from agentjobs.api.rules import text_rules

TOOLS: Final = ("read", "write", "edit", "ls", "bash")

TOOL: Final = matching(
    "|".join(TOOLS), f"is not a tool that agents can have; choose from: {', '.join(TOOLS)}"
)
EACH_ONCE: Final = Rule(
    "self.all(one, self.exists_one(other, one == other))",
    "each tool may occur only once",
    lambda tools: len(set(tools)) == len(tools),
)
MODEL: Final = matching(
    "[a-zA-Z0-9][-._a-zA-Z0-9]*/[a-zA-Z0-9@][-._:/@a-zA-Z0-9]*",
    "must be provider/model, as the installation names them, for example openai/gpt-5",
)
ONE_PROGRAM: Final = Rule(
    "has(self.script) != has(self.agent)",
    "set exactly one of script and agent",
    lambda spec: (spec.script is None) != (spec.agent is None),
)

INSTRUCTIONS: Final = text_rules("instructions")

ONE_AT_A_TIME: Final = Rule(
    "self.session != 'Continuous' || self.concurrencyPolicy == 'Forbid'",
    "session Continuous needs concurrencyPolicy Forbid: two runs cannot write to the same session"
    " at once",
    lambda spec: spec.session != "Continuous" or spec.concurrency_policy == "Forbid",
)
