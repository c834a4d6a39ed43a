"""The README's commands work as they stand there, and print what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.installed import ROOT, Installed
from tests.cluster.support import Kubectl

README = (ROOT / "README.md").read_text()
NEXT = "----- next block -----"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text: str) -> list[tuple[str, str]]:
    """Each block of commands with the output that stands right behind it."""
    found = [(match[1], match[2]) for match in BLOCK.finditer(text)]
    languages = [language for language, _ in found]
    assert languages == ["bash", "text"] * (len(found) // 2), f"commands and outputs take turns: {languages}"
    return [(found[number][1], found[number + 1][1]) for number in range(0, len(found), 2)]


def shown_as(expected: str) -> re.Pattern[str]:
    """`...` stands for anything, also for whole lines. Columns may be wider than in the README."""
    lines = [[re.escape(word) for word in line.split()] for line in expected.splitlines()]
    pattern = "\n".join(" ".join(words) for words in lines)
    return re.compile(pattern.replace(re.escape("..."), ".*?"), re.DOTALL)


def squeezed(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def in_namespace(kubectl: Kubectl, namespace: str, folder: Path) -> dict[str, str]:
    """A shell's environment, as after `eval "$(make env)"`, in which commands without a namespace mean this one."""
    config = folder / "kubeconfig"
    config.write_text(kubectl("config", "view", "--raw", "--minify", "--flatten"))
    tools = [str(Path(sys.executable).parent), str(Path(kubectl.cluster.kubectl).parent), os.environ["PATH"]]
    environment = {**os.environ, "KUBECONFIG": str(config), "PATH": ":".join(tools)}
    subprocess.run(["kubectl", "config", "set-context", "--current", f"--namespace={namespace}"], env=environment, check=True)
    return environment


@pytest.mark.parametrize("part", ["", "plugin "], ids=["by hand", "with the plugin"])
def test_the_first_job_goes_as_the_readme_says(part: str, agentjobs: Installed, kubectl: Kubectl, namespace: str, tmp_path: Path) -> None:
    steps = blocks(README.partition(f"<!-- tested: {part}begin -->")[2].partition(f"<!-- tested: {part}end -->")[0])
    assert steps
    script = f"\necho '{NEXT}'\n".join(commands for commands, _ in steps)
    environment = in_namespace(kubectl, namespace, tmp_path)
    ran = subprocess.run(
        ["bash", "-euo", "pipefail"], input=script, env=environment, capture_output=True, text=True, timeout=240, check=False, cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    outputs = ran.stdout.split(f"{NEXT}\n")
    assert len(outputs) == len(steps)
    for (commands, expected), output in zip(steps, outputs, strict=True):
        assert shown_as(expected).fullmatch(squeezed(output)), f"{commands}\nprinted\n{squeezed(output)}\nand not\n{squeezed(expected)}"


def test_the_chart_takes_the_values_of_the_readme(agentjobs: Installed) -> None:
    command = README.partition("<!-- rendered by a test -->")[2]
    (block,) = [match[2] for match in BLOCK.finditer(command.partition("[charts/")[0])]
    rendered = block.replace("helm upgrade --install", f"{agentjobs.helm} template").replace("--create-namespace", "")
    ran = subprocess.run(["bash", "-euc", rendered], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    for image in ("operator", "runner"):
        assert f"registry.example.com/agentjobs-{image}:0.1.0" in ran.stdout
