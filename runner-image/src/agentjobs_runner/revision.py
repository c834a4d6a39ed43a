"""The approved content: what the pod mounts has to be byte for byte what the digest names."""

from __future__ import annotations

import os

from agentjobs_runner.quick import from_json, sha256_hex
from agentjobs_runner.report import RefusedError
from agentjobs_runner.source import file_of

REVISION_FILE = "etc/agentjobs/revision/revision.json"
SCRIPT_FOLDER = "tmp/agentjobs"
# A ConfigMap holds at most 1 MiB.
MAX_REVISION_BYTES = 2 * 1024 * 1024


def approved_script(root: str, digest: str) -> str | None:
    """The script's text; None: an agent.

    Raises RefusedError when the revision is not readable or is not the one the digest names.
    """
    content = approved(root, digest)
    if isinstance(_at(content, "spec", "agent"), dict):
        return None
    script = _at(content, "spec", "script", "inline")
    if not isinstance(script, str):
        parts = "a script at spec.script.inline nor an agent at spec.agent"
        raise RefusedError("RevisionUnreadable", f"the revision contains neither {parts}")
    return script


def approved_packages(root: str, digest: str) -> list[str]:
    """What the content asks for. Raises RefusedError like `approved_script`."""
    pins = _at(approved(root, digest), "spec", "packages")
    if not isinstance(pins, list) or not all(isinstance(pin, str) for pin in pins):
        raise RefusedError(
            "RevisionUnreadable", "the revision contains no list of packages at spec.packages"
        )
    return pins


def approved(root: str, digest: str) -> object:
    """The content that the digest names; None where it is no JSON."""
    content = _read(os.path.join(root, REVISION_FILE))
    found = sha256_hex(content)
    if found != digest:
        mounted, approved_one = found[:10], digest[:10] or "(none)"
        message = (
            f"the mounted revision has the digest {mounted}, but the approved digest is"
            f" {approved_one}"
        )
        raise RefusedError("DigestMismatch", message)
    try:
        return from_json(content)
    except (ValueError, RecursionError):
        return None


def _at(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def write_script(root: str, script: str) -> str:
    """The path of the script's file.

    Raises RefusedError when it cannot be written, or Python could read it otherwise.
    """
    folder = os.path.join(root, SCRIPT_FOLDER)
    path = os.path.join(folder, "script.py")
    source = file_of(script)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "wb") as file:
            file.write(source)
    except OSError as error:
        raise RefusedError(
            "StartFailed", f"the script's file could not be written: {error.strerror}"
        ) from error
    return path


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_REVISION_BYTES)
    except OSError as error:
        raise RefusedError(
            "RevisionUnreadable", f"the revision could not be read: {error.strerror}"
        ) from error
