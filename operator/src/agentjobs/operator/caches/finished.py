"""One short line for every finished run, from its body or from a line of the API server's table."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import Any

from agentjobs.core.views.metadata import Body, controller_uid
from agentjobs.core.views.run import FinishedRun
from agentjobs.core.wire.bodies import SIZE
from agentjobs.operator.caches.table import Table

log = logging.getLogger(__name__)


def _shared(text: Any) -> Any:
    """The one copy of a text that many records share."""
    return sys.intern(text) if type(text) is str else text


def finished_run(body: Body) -> FinishedRun:
    metadata, status = body["metadata"], body.get("status") or {}
    return FinishedRun(
        namespace=_shared(metadata["namespace"]),
        name=metadata["name"],
        uid=metadata["uid"],
        job=_shared(body["spec"]["jobName"]),
        phase=_shared(status.get("phase", "")),
        finished=status.get("finishedAt") or metadata["creationTimestamp"],
        output_bytes=status.get("outputBytes") or 0,
        owner_uid=_shared(controller_uid(body)),
        stored_bytes=status.get("storedBytes") or 0,
    )


def finished_rows(table: Body, known: Table[FinishedRun]) -> Iterator[tuple[FinishedRun, int]]:
    """The finished runs in a Table answer of the API server, each with its resource version.

    Where that version is known already, the very line that is kept. The columns are found by name.
    """
    named = enumerate(table.get("columnDefinitions") or ())
    columns = {column["name"]: index for index, column in named}
    for row in table.get("rows") or ():
        try:
            metadata = row["object"]["metadata"]
            key = metadata["namespace"], metadata["name"]
            version = int(metadata["resourceVersion"])
            kept = known.get(key) if known.version(key) == version else None
            found = kept or _finished_row(columns, row)
        except Exception:
            # Whatever this line holds, the others are read.
            log.exception("a line of the list of finished runs cannot be read")
        else:
            yield found, version


def _finished_row(columns: dict[str, int], row: Body) -> FinishedRun:
    metadata, cells = row["object"]["metadata"], row["cells"]
    recorded = cells[columns["Stored Bytes"]] if "Stored Bytes" in columns else None
    return FinishedRun(
        namespace=_shared(metadata["namespace"]),
        name=metadata["name"],
        uid=metadata["uid"],
        job=_shared(cells[columns["Job"]]),
        phase=_shared(cells[columns["Phase"]]),
        finished=cells[columns["Finished"]] or metadata["creationTimestamp"],
        output_bytes=int(cells[columns["Output Bytes"]] or 0),
        owner_uid=_shared(controller_uid(row["object"])),
        stored_bytes=_stored(row, recorded),
    )


def _stored(row: Body, recorded: int | None) -> int:
    """The size that the record gives, or its metadata's present size where somebody added to it."""
    return max(int(recorded or 0), int(row.get(SIZE, 0)))
