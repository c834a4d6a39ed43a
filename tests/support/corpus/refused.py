"""Every manifest that is refused."""

from __future__ import annotations

from typing import Final

from tests.support.corpus.refused_decisions import (
    REFUSED_APPROVALS,
    REFUSED_PACKAGE_APPROVALS,
    REFUSED_RUNS,
)
from tests.support.corpus.refused_jobs import (
    REFUSED_JOBS,
    REFUSED_PACKAGES,
    REFUSED_RESOURCES,
    REFUSED_VARIABLES,
)
from tests.support.corpus.refused_schedules import REFUSED_CRONS, REFUSED_SCHEDULES, REFUSED_ZONES

REFUSED: Final = (
    *REFUSED_CRONS,
    *REFUSED_ZONES,
    *REFUSED_SCHEDULES,
    *REFUSED_JOBS,
    *REFUSED_VARIABLES,
    *REFUSED_RESOURCES,
    *REFUSED_PACKAGES,
    *REFUSED_RUNS,
    *REFUSED_APPROVALS,
    *REFUSED_PACKAGE_APPROVALS,
)
