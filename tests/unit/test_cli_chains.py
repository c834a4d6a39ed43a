"""Jobs in files that start after one another: a circle is seen before anything reaches a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentjobs.cli.documents import to_yaml
from agentjobs.cli.problem import Problem
from agentjobs.cli.render import manifests
from tests import manifests as bodies


def written(folder: Path, **after: str | None) -> list[Path]:
    """A file for each job, which names the job that it starts after."""
    for name, job in after.items():
        triggers = [{"after": {"job": job}}] if job else []
        (folder / f"{name}.yaml").write_text(to_yaml(bodies.job(name, triggers=triggers)))
    return [folder]


def test_jobs_that_start_after_one_another_in_a_circle_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"in a circle: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)"):
        manifests(written(tmp_path, a="c", b="a", c="b", d="a"), None)


def test_a_chain_and_a_job_that_is_somewhere_else_are_no_circle(tmp_path: Path) -> None:
    assert len(manifests(written(tmp_path, a=None, b="a", c="b", d="elsewhere"), None)) == 4


@pytest.mark.parametrize("triggers", [7, {"after": {}}, ["x"], [{"after": None}], [{"after": {"job": 3}}]])
def test_triggers_that_are_none_are_left_to_the_api_server(tmp_path: Path, triggers: object) -> None:
    body = bodies.job("a")
    (tmp_path / "a.yaml").write_text(to_yaml({**body, "spec": {**body["spec"], "triggers": triggers}}))
    assert len(manifests([tmp_path], None)) == 1
