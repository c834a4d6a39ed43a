"""What is rendered of a folder: each job once, the same bytes every time.

There are no jobs in it that start after one another in a circle.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from agentjobs.cli.commands.render import manifests
from agentjobs.cli.errors import CliError
from agentjobs.cli.files.documents import to_yaml
from tests.support import manifests as bodies
from tests.support.cli.saj import saj
from tests.support.cli.scripts import EVERYTHING


def written(folder: Path, **after: str | None) -> list[Path]:
    """A file for each job, which names the job that it starts after."""
    for name, job in after.items():
        triggers = [{"after": {"job": job}}] if job else []
        (folder / f"{name}.yaml").write_text(to_yaml(bodies.job(name, triggers=triggers)))
    return [folder]


def test_jobs_that_start_after_one_another_in_a_circle_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        CliError, match=r"in a circle: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)"
    ):
        manifests(written(tmp_path, a="c", b="a", c="b", d="a"), None)


def test_a_chain_and_a_job_that_is_somewhere_else_are_no_circle(tmp_path: Path) -> None:
    assert len(manifests(written(tmp_path, a=None, b="a", c="b", d="elsewhere"), None)) == 4


@pytest.mark.parametrize(
    "triggers", [7, {"after": {}}, ["x"], [{"after": None}], [{"after": {"job": 3}}]]
)
def test_triggers_that_are_none_are_left_to_the_api_server(
    tmp_path: Path, triggers: object
) -> None:
    body = bodies.job("a")
    (tmp_path / "a.yaml").write_text(
        to_yaml({**body, "spec": {**body["spec"], "triggers": triggers}})
    )
    assert len(manifests([tmp_path], None)) == 1


def test_a_folders_modules_are_no_jobs_and_each_name_stands_once(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("def f(): ...\n")
    (tmp_path / "b.py").write_text("# description: b\n")
    (tmp_path / "a.yaml").write_text(
        "kind: ScheduledAgentJob\nmetadata: {name: a}\nspec: {description: a}\n---\nkind: Pod\n"
    )
    assert [body["metadata"]["name"] for body in manifests([tmp_path], None)] == ["a", "b"]
    (tmp_path / "c.py").write_text("# description: c\n# name: b\n")
    with pytest.raises(CliError, match=r"c\.py: .*b\.py has a job b, too"):
        manifests([tmp_path], None)


@pytest.mark.slow
def test_rendering_twice_gives_the_same_bytes_and_files(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs/lost_links.py").write_text(EVERYTHING)
    first, second = (saj("render", "--namespace", "team", folder=tmp_path) for _ in range(2))
    assert first.stdout == second.stdout
    assert (
        saj("render", "--to", "out", "-n", "team", folder=tmp_path).stdout
        == "out/lost-links.yaml\n"
    )
    assert (tmp_path / "out/lost-links.yaml").read_text() == first.stdout
    assert (
        saj("digest", "jobs", folder=tmp_path).stdout
        == saj("digest", "out", folder=tmp_path).stdout
    )
