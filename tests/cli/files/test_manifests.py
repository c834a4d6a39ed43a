"""A manifest is read as YAML 1.2 has it, however its author writes times and words."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli.scripts import of


def test_times_and_dates_of_a_manifest_are_text_and_on_is_a_word(tmp_path: Path) -> None:
    window = "{window: {cron: 0 0 * * 1-5, startTime: 10:00, endTime: 12:30}}"
    event = "{type: a, dataSchema: {enum: [1:30, 2026-01-05, 7, 1.5, true, no]}, on: x}"
    text = (
        f"kind: ScheduledAgentJob\nmetadata: {{name: a}}\nspec: {{schedule: {window}, triggers:"
        f" [{{event: {event}}}]}}\n"
    )
    spec = of(tmp_path, text, "job.yaml")["spec"]
    assert spec["schedule"]["window"] == {
        "cron": "0 0 * * 1-5",
        "startTime": "10:00",
        "endTime": "12:30",
    }
    read = {"enum": ["1:30", "2026-01-05", 7, 1.5, True, False]}
    assert spec["triggers"] == [{"event": {"type": "a", "dataSchema": read, "on": "x"}}]
