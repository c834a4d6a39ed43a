"""uv, as the installer calls it.

Never a build, never a configuration file, never longer than its limit, and no password in its
words.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

from agentjobs_runner.report import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

INDEX = "agentjobs"
"""uv takes the password of an index by its name from variables UV_INDEX_<NAME>_..."""
DEFAULT_SECONDS = 300
# The lines of a resolution: packages with exact versions, perhaps with a marker, and their hashes.
_PACKAGE = re.compile(
    r"([A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*)==([A-Za-z0-9.!+_-]+)(?: ; [^\\]+)?(?: \\)?"
)
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


class Installer:
    """`cache` and `certificates` are paths, empty where there are none.

    All methods raise RefusedError with uv's own words.
    """

    def __init__(
        self, target: str, cache: str, certificates: str, environment: Mapping[str, str]
    ) -> None:
        self._target = target
        self._cache = cache
        self._certificates = certificates
        self._index = environment.get("AGENTJOBS_INDEX_URL", "")
        self._login = (
            environment.get("AGENTJOBS_INDEX_USERNAME", ""),
            environment.get("AGENTJOBS_INDEX_PASSWORD", ""),
        )
        self._environment = environment
        seconds = environment.get("AGENTJOBS_INSTALL_SECONDS", "")
        self._seconds = int(seconds) if seconds.isascii() and seconds.isdigit() else DEFAULT_SECONDS
        self._ends = time.monotonic() + self._seconds

    def resolve(self, pins: list[str]) -> str:
        """The pins and everything they need, each with version and hashes."""
        options = "--generate-hashes --no-header --no-annotate --no-emit-index-url --quiet".split()
        return self._uv(["pip", "compile", *options, "-"], "\n".join(pins))

    def install(self, pins: list[str], resolution: str) -> list[str]:
        """Exactly what the resolution names; returns that as `name==version`."""
        resolved = packages_of(resolution)
        frozen = {_normal(found) for found in resolved}
        missing = ", ".join(pin for pin in pins if _normal(pin) not in frozen)
        if missing:
            message = f"the resolution that is kept with the revision lacks {missing}"
            raise RefusedError("PackageInstallFailed", message)
        # No dependencies: they are in the resolution, or nobody has frozen them.
        options = ["--target", self._target, "--no-deps", "--require-hashes"]
        self._uv(["pip", "install", *options, "--requirement", "-"], resolution)
        return resolved

    def _uv(self, arguments: list[str], text: str) -> str:
        program = shutil.which("uv", path=self._environment.get("PATH"))
        python = shutil.which("python3", path=self._environment.get("PATH"))
        if program is None or python is None:
            raise RefusedError(
                "PackageInstallFailed", "the runner image has no uv or no python3 on its PATH"
            )
        with tempfile.TemporaryDirectory(dir=self._target, prefix=".uv-") as folder:
            command = [program, *arguments, *self._options(python)]
            try:
                ended = subprocess.run(
                    command,
                    input=text,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    check=False,
                    cwd=folder,
                    env=self._variables(folder),
                    timeout=max(self._ends - time.monotonic(), 0.1),
                )
            except subprocess.TimeoutExpired as late:
                # Bytes, whatever was asked for.
                said = (late.stderr or b"").decode(errors="replace")
                what = f"the installation did not finish within {self._seconds} s"
                self._fail(f"{what} (the chart's packages.timeoutSeconds)", said)
            except OSError as error:
                raise RefusedError(
                    "PackageInstallFailed", f"uv could not be started: {error.strerror}"
                ) from error
        sys.stderr.write(self._masked(ended.stderr))
        sys.stderr.flush()
        if ended.returncode:
            self._fail("uv could not install the packages", ended.stderr)
        return ended.stdout

    def _options(self, python: str) -> list[str]:
        options = "--no-config --color never --no-progress --only-binary :all: --python".split()
        options.append(python)
        if self._index:
            options += ["--default-index", f"{INDEX}={self._index}"]
        return options if self._cache else [*options, "--no-cache"]

    def _variables(self, folder: str) -> dict[str, str]:
        """Nothing of the pod's environment but what is meant for uv.

        The temporary folder is on the target's volume: no copying.
        """
        given, shared = self._environment, ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
        kept = {name: given[name] for name in shared if name in given}
        user, password = self._login
        variables = {**kept, "HOME": folder, "TMPDIR": folder, "UV_PYTHON_DOWNLOADS": "never"}
        if self._cache:
            variables |= {"UV_CACHE_DIR": self._cache, "UV_LINK_MODE": "copy"}
        if self._certificates:
            variables["SSL_CERT_FILE"] = self._certificates
        if user or password:
            variables |= {
                f"UV_INDEX_{INDEX.upper()}_USERNAME": user,
                f"UV_INDEX_{INDEX.upper()}_PASSWORD": password,
            }
        return variables

    def _fail(self, what: str, said: str) -> None:
        raise RefusedError("PackageInstallFailed", f"{what}: {self._masked(said).strip()}")

    def _masked(self, text: str) -> str:
        """Without the index's password, as it is, URL-encoded, or in the header that carries it."""
        user, password = self._login
        if not password:
            return text
        encoded = (base64.b64encode(each.encode()) for each in (password, f"{user}:{password}"))
        secrets = [password, urllib.parse.quote(password, safe=""), *(e.decode() for e in encoded)]
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


def packages_of(resolution: str) -> list[str]:
    """`name==version` of every package. Nothing else may stand in it: an option would be obeyed."""
    found = []
    for line in resolution.splitlines():
        match = _PACKAGE.fullmatch(line)
        if match:
            found.append(f"{match[1]}=={match[2]}")
        elif not _HASH.fullmatch(line):
            raise RefusedError(
                "PackageInstallFailed",
                "the resolution contains a line that is neither a package nor a hash",
            )
    return found


def _normal(pin: str) -> str:
    """As the operator compares them.

    Names by PEP 503, versions without trailing zeros of the release (PEP 440).
    """
    name, _, version = pin.partition("==")
    release = re.match(r"(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*", version)
    end = release.end() if release else 0
    shortest = re.sub("(?:[.]0)+$", "", version[:end])
    return f"{re.sub('[-_.]+', '-', name).lower()}=={shortest}{version[end:]}"


def bounded(text: str, limit: int) -> str:
    """At most `limit` bytes when it is escaped in JSON: the beginning, which names the cause."""

    def size() -> int:
        return len(text.encode("utf-8", "replace")) + sum(map(text.count, '\n"\\'))

    while size() > limit:
        text = text[: -max(len(text) // 20, 1)]
    return text
