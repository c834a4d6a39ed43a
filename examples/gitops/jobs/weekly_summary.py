# /// script
# [tool.agentjobs]
# description = "Counts the words of last week's notes."
# schedule = "0 8 * * 1"
# time-zone = "Europe/Bucharest"
# timeout-seconds = 300
# ///
"""A job as it lies in a repository; `kubectl saj render` makes its manifest."""

from pathlib import Path

notes = sorted(Path("notes").glob("*.md"))
words = sum(len(note.read_text().split()) for note in notes)
print(f"{len(notes)} notes, {words} words")
