"""The demo, as far as it needs no cluster. What it does on one is in tests/cluster/test_demo.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def demo(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "hack/demo.py"), *arguments]
    return subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, timeout=30, check=False)


def test_the_demo_explains_itself() -> None:
    shown = demo("--help", path=os.environ["PATH"])
    assert shown.returncode == 0
    assert "make demo" in shown.stdout


def test_a_demo_without_kubectl_says_what_to_do(tmp_path: Path) -> None:
    shown = demo(path=str(tmp_path))
    assert shown.returncode == 1
    assert shown.stderr == "\ndemo: kubectl is not on PATH.\nLook at: `make demo`, which brings its own\n"


def test_make_env_prints_what_a_shell_can_evaluate() -> None:
    script = 'eval "$(make --no-print-directory env)" && printf "%s\\n" "$KUBECONFIG" "$PATH"'
    shown, told = (in_checkout(words) for words in (["bash", "-euc", script], ["make", "--no-print-directory", "kubeconfig"]))
    kubeconfig, path = shown.splitlines()
    assert kubeconfig == told.strip()
    folder, _, rest = path.partition(":")
    assert Path(folder).is_absolute()
    assert rest == os.environ["PATH"]


def in_checkout(command: list[str]) -> str:
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
