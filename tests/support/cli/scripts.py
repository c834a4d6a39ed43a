"""Scripts with headers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agentjobs.cli.files.manifests import jobs_in

EVERYTHING = """#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["requests==2.32.3", "six==1.17.0"]
#
# [tool.agentjobs]
# name = "lost-links"
# description = "Finds lost links."
# schedule = "0 8 * * 1"
# time-zone = "Europe/Bucharest"
# starting-deadline-seconds = 60
# every-weeks = 2
# start-date = 2026-01-05
# session = "ephemeral"
# workspace = "reports"
# timeout-seconds = 600
# concurrency-policy = "replace"
# pause-after-failures = 3
# suspend = true
# env = {SITE = "example.com", TOKEN = {secret = "crm/token"}}
# resources.limits = {cpu = "1", memory = "1Gi", ephemeral-storage = "2Gi"}
# resources.requests = {cpu = "500m", memory = "1Gi", ephemeral-storage = "1Gi"}
# history = {successful = 3, failed = 4, outputs = 5, keep-after-delete = true}
#
# [[tool.agentjobs.triggers]]
# event = {type = "com.example.published", source = "/cms"}
# [[tool.agentjobs.triggers]]
# [tool.agentjobs.triggers.event]
# type = "com.example.priced"
# data-schema = {type = "object", properties = {new-price = {minimum = 1}}}
# [[tool.agentjobs.triggers]]
# after = {job = "email-reader", on = "Finished"}
# ///
print("found")
"""


def of(folder: Path, text: str, name: str = "a_job.py") -> dict[str, Any]:
    (folder / name).write_text(text)
    (job,) = jobs_in([folder / name])
    return dict(job.manifest)
