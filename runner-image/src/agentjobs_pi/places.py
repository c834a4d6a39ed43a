"""Where things are.

The operator names the session's folder and the models, the runner the root ("/" but in tests).
"""

from __future__ import annotations

import os
from pathlib import Path

PREFIX = Path(__file__).parents[2]
NODE = PREFIX / "bin" / "node"
PI = (
    PREFIX
    / "pi"
    / "node_modules"
    / "@earendil-works"
    / "pi-coding-agent"
    / "dist"
    / "bundle"
    / "cli.js"
)
GUARD = Path(__file__).with_name("guard.ts")

ROOT = Path(os.environ.get("AGENTJOBS_ROOT", "/"))
WORKSPACE = ROOT / "workspace"
REVISION = ROOT / "etc/agentjobs/revision/revision.json"
SCRATCH = ROOT / "tmp/agentjobs"
"""Not shared with other runs; the model can read it and not write it, unless it has bash."""
AGENT_DIRECTORY = SCRATCH / "pi"
NOTES = SCRATCH / "notes.jsonl"

SESSION_VARIABLE = "AGENTJOBS_SESSION"
"""Set where the session is continuous: the folder of its volume."""
MODEL_VARIABLE = "AGENTJOBS_MODEL"
"""provider/model: what the job uses unless a call names another one."""
MODELS_VARIABLE = "AGENTJOBS_MODELS"
"""The installation's providers, as JSON. Holds no key."""
KEY_VARIABLE = "AGENTJOBS_MODEL_KEY"
"""The key of the provider in MODEL_VARIABLE, where the installation names a Secret for it."""


def session_folder() -> Path | None:
    """None: ephemeral."""
    folder = os.environ.get(SESSION_VARIABLE)
    return ROOT / folder.lstrip("/") if folder else None
