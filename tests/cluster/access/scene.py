"""A namespace in which something runs as approved, and people with various rights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import pytest

from tests.cluster.installed import NAMESPACE, Installed, Manifest
from tests.cluster.rights import PLAIN
from tests.cluster.support import KubectlError

WAITS: Final = "import time\nprint('as approved', flush=True)\ntime.sleep(600)\n"
OPERATOR: Final = f"system:serviceaccount:{NAMESPACE}:agentjobs"
RIGHTS: Final[dict[str, list[Manifest]]] = {
    "cleo": [
        {"apiGroups": ["agentjobs.dev"], "resources": ["*"], "verbs": PLAIN},
        {"apiGroups": ["batch"], "resources": ["*"], "verbs": PLAIN},
        {
            "apiGroups": [""],
            "resources": ["pods", "pods/ephemeralcontainers", "pods/resize", "configmaps"],
            "verbs": PLAIN,
        },
    ],
    "tina": [
        {"apiGroups": ["agentjobs.dev"], "resources": ["agentjobruns"], "verbs": ["create", "get"]},
        {
            "apiGroups": ["agentjobs.dev"],
            "resources": ["scheduledagentjobs"],
            "resourceNames": ["quick"],
            "verbs": ["run"],
        },
    ],
}


@dataclass(frozen=True)
class Scene:
    """A namespace in which `busy` runs as approved and `quick` is in force.

    There `pending` waits and `denied` was denied.
    """

    agentjobs: Installed
    namespace: str
    elsewhere: str
    """Another namespace, in which `ada` has `edit` only and `pending` waits, too."""
    names: dict[str, str]
    """What stands in braces in an attempt."""

    def kubectl(
        self, user: str, *words: str, stdin: Manifest | None = None, namespace: str = ""
    ) -> str:
        """What this user does, with all that stands in braces put in."""
        acting = self.agentjobs.kubectl.acting(self._put_in(user))
        body = self._put_in(json.dumps(stdin)) if stdin else ""
        return acting(
            "--namespace", namespace or self.namespace, *map(self._put_in, words), stdin=body
        )

    def refusal(
        self, user: str, *words: str, stdin: Manifest | None = None, namespace: str = ""
    ) -> str:
        """What the user is told."""
        with pytest.raises(KubectlError) as refused:
            self.kubectl(user, *words, stdin=stdin, namespace=namespace)
        return refused.value.stderr

    def create(self, user: str, manifest: Manifest, namespace: str = "") -> str:
        return self.kubectl(user, "create", "-f", "-", stdin=manifest, namespace=namespace)

    def _put_in(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text
