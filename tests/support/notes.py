"""Notes that calls of models leave."""

from __future__ import annotations

NOTES = "import json, os; path = os.environ['AGENTJOBS_ROOT'] + '/tmp/agentjobs/notes.jsonl'\n"
