"""`kubectl saj apply`: a bad file, or a job that the cluster refuses, holds up no other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agentjobs.cli.commands import apply
from agentjobs.cli.errors import Exit, kubectl_error
from agentjobs.cli.files.documents import from_yaml
from tests.support.cli.fake_kubectl import FakeKube, ran

HEAD = "apiVersion: agentjobs.dev/v1alpha1\nkind: ScheduledAgentJob\n"
JOB = HEAD + "metadata: {{name: {0}}}\nspec: {{description: x, script: {{inline: '1'}}{1}}}\n"
SCRIPT = "# description: x\n{}print(1)\n"


@dataclass(frozen=True)
class Cluster(FakeKube):
    """Remembers what was applied, call by call.

    `refuses`: from the name of a job to kubectl's words.
    """

    refuses: dict[str, str] = field(default_factory=dict)
    calls: list[list[str]] = field(default_factory=list)

    def run(self, *arguments: str, stdin: str = "") -> str:
        if arguments[0] != "apply":
            return super().run(*arguments, stdin=stdin)
        names = [body["metadata"]["name"] for body in from_yaml(stdin)]
        self.calls.append(names)
        for name in names:
            if name in self.refuses:
                raise kubectl_error(self.refuses[name])
        return ""


def applied(out: bytes) -> list[str]:
    return [line.split()[0] for line in out.decode().splitlines()]


def errors(err: str) -> list[str]:
    return [line.removeprefix("error: ") for line in err.splitlines() if line.startswith("error: ")]


def test_every_good_file_is_applied_and_every_bad_one_gets_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SCRIPT.format(""))
    (tmp_path / "b.py").write_text(SCRIPT.format("# shedule: x\n"))
    (tmp_path / "c.yaml").write_text("a: [1\n")
    (tmp_path / "d.yaml").write_text(JOB.format("d", ""))
    (tmp_path / "e.json").write_text("{")
    (tmp_path / "f.md").write_bytes(b"\xff")
    (tmp_path / "g.py").write_text("print('no job')\n")
    (tmp_path / "h.py").write_text(SCRIPT.format("# schedule: 61 * * * *\n"))
    (tmp_path / "i.md").write_text("---\ndescription: x\n---\nDo it.\n")
    kube = Cluster()
    code, out, err = ran(apply.run, kube, [tmp_path])
    assert (code, applied(out), kube.calls) == (Exit.USAGE, ["a", "d", "i"], [["a", "d", "i"]])
    assert [Path(line.partition(":")[0]).name for line in errors(err)] == [
        "b.py",
        "c.yaml",
        "e.json",
        "f.md",
        "h.py",
    ]
    assert err.endswith("\napplied: 3 jobs; not applied: 5 files with mistakes\n")
    assert ran(apply.run, Cluster(), [tmp_path]) == (code, out, err)


BAD_PARTS = {
    "no YAML": "a: [1\n",
    "a wrong field": JOB.format("b", ", descriptio: x"),
    "a wrong schedule": JOB.format("b", ", schedule: {cron: 61 * * * *}"),
    "a wrong name": JOB.format("B.b", ""),
    "no name": "kind: ScheduledAgentJob\nspec: {}\n",
    "a name twice": JOB.format("a", ""),
}


@pytest.mark.parametrize("what", BAD_PARTS)
def test_nothing_of_a_bad_file_is_applied(what: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(f"{JOB.format('a', '')}---\n{BAD_PARTS[what]}")
    (tmp_path / "good.yaml").write_text(JOB.format("good", ""))
    kube = Cluster()
    code, out, err = ran(apply.run, kube, [tmp_path])
    assert (code, applied(out), kube.calls) == (Exit.USAGE, ["good"], [["good"]])
    (told,) = errors(err)
    assert told.startswith(f"{tmp_path}/bad.yaml:")


def test_a_file_that_is_not_there_keeps_none_back(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SCRIPT.format(""))
    code, out, err = ran(apply.run, Cluster(), [tmp_path / "absent.py", tmp_path / "a.py"])
    assert (code, applied(out)) == (Exit.USAGE, ["a"])
    assert errors(err) == [f"{tmp_path}/absent.py: No such file or directory"]


def test_of_two_jobs_with_one_name_neither_is_applied(tmp_path: Path) -> None:
    for name, file in (("a", "1"), ("b", "2"), ("a", "3")):
        (tmp_path / f"{file}.yaml").write_text(JOB.format(name, ""))
    code, out, err = ran(apply.run, Cluster(), [tmp_path])
    assert (code, applied(out)) == (Exit.USAGE, ["b"])
    assert errors(err) == [f"{tmp_path}/3.yaml: {tmp_path}/1.yaml has a job a, too"]


def test_jobs_in_a_circle_are_not_applied_and_others_are(tmp_path: Path) -> None:
    after = ", triggers: [{{after: {{job: {}}}}}]"
    for name, more in (
        ("a", after.format("b")),
        ("b", after.format("a")),
        ("c", after.format("a")),
    ):
        (tmp_path / f"{name}.yaml").write_text(JOB.format(name, more))
    code, out, err = ran(apply.run, Cluster(), [tmp_path])
    assert (code, applied(out)) == (Exit.USAGE, ["c"])
    assert len(errors(err)) == 1
    assert "in a circle" in err


def test_a_job_that_the_cluster_refuses_keeps_no_other_back(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text(JOB.format(name, ""))
    kube = Cluster(refuses={"b": "Error from server (Forbidden): jobs of yours are forbidden"})
    code, out, err = ran(apply.run, kube, [tmp_path])
    assert (code, applied(out), kube.calls) == (
        Exit.FORBIDDEN,
        ["a", "c"],
        [["a", "b", "c"], ["a"], ["b"], ["c"]],
    )
    assert errors(err) == [f"{tmp_path}/b.yaml: jobs of yours are forbidden"]


def test_a_cluster_that_does_not_answer_is_asked_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(JOB.format("a", ""))
    (tmp_path / "b.yaml").write_text("a: [1\n")

    class Away(Cluster):
        def run(self, *arguments: str, stdin: str = "") -> str:
            self.calls.append([])
            raise kubectl_error("The connection to the server was refused")

    kube = Away()
    code, out, err = ran(apply.run, kube, [tmp_path])
    assert (code, out, len(kube.calls)) == (Exit.CLUSTER, b"", 1)
    assert len(errors(err)) == 2


def test_who_may_not_see_decisions_can_apply(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(JOB.format("a", ""))
    code, out, _ = ran(apply.run, Cluster(forbidden=frozenset({"agentjobapprovals"})), [tmp_path])
    assert (
        code,
        out.decode().endswith("is applied; you may not see whether it is approved\n"),
    ) == (Exit.OK, True)


def test_the_last_line_counts_jobs_and_files_and_not_sentences(tmp_path: Path) -> None:
    """Two files with one mistake between them, two jobs of one file, and a refusal."""
    (tmp_path / "1.yaml").write_text(JOB.format("twice", ""))
    (tmp_path / "2.yaml").write_text(JOB.format("twice", ""))
    (tmp_path / "3.yaml").write_text(f"{JOB.format('a', '')}---\n{JOB.format('b', '')}")
    (tmp_path / "4.yaml").write_text(f"{JOB.format('c', '')}---\n{JOB.format('d', '')}")
    (tmp_path / "no_job.py").write_text("print(1)\n")
    kube = Cluster(refuses={"b": "Error from server (Forbidden): no"})
    _, out, err = ran(apply.run, kube, [tmp_path])
    assert (applied(out), len(errors(err))) == (["a", "c", "d"], 2)
    assert err.endswith(
        "\napplied: 3 jobs; not applied: 2 files with mistakes and 1 job that the cluster refused\n"
    )
