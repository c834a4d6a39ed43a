"""`make coverage` prints what was reached of each folder, and of all of them."""

from __future__ import annotations

from typing import Any

from hack.covered import table


def file(statements: int, reached: int, branches: int = 0, taken: int = 0) -> dict[str, Any]:
    return {
        "summary": {
            "num_statements": statements,
            "covered_lines": reached,
            "num_branches": branches,
            "covered_branches": taken,
            "percent_covered": 1,
        }
    }


def test_each_folder_has_the_figures_of_its_own_files() -> None:
    report = {
        "files": {
            "operator/src/agentjobs/core/plan.py": file(30, 30, 4, 3),
            "operator/src/agentjobs/core/gone.py": file(10, 5, 4, 4),
            "operator/src/agentjobs/core/runs/cases.py": file(3, 2, 2, 1),
            "operator/src/agentjobs/__init__.py": file(0, 0),
        }
    }
    assert [line.split() for line in table(report)] == [
        ["folder", "lines", "reached", "branches", "reached"],
        ["agentjobs", "0", "-", "0", "-"],
        ["agentjobs/core", "40", "87.5", "%", "8", "87.5", "%"],
        ["agentjobs/core/runs", "3", "66.7", "%", "2", "50.0", "%"],
        ["all", "43", "86.0", "%", "10", "80.0", "%"],
    ]
