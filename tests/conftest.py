"""For every run of the tests: no clock fails one, and the end says which module took how long."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

LEAST_SECONDS: Final = 1.0

# Hypothesis would fail a test whose case takes 200 ms, as on a busy machine any may.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The modules that took a second or more, longest first.

    Fixtures count for the test that asked for them first.
    """
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.partition("::")[0]] += report.duration
    long = [
        (module, took)
        for module, took in sorted(seconds.items(), key=lambda each: -each[1])
        if took >= LEAST_SECONDS
    ]
    if long:
        terminalreporter.section("seconds for each module")
        for module, took in long:
            terminalreporter.write_line(f"{took:8.1f}  {module}")
