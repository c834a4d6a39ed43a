"""First lines that name an encoding, and variables that mean something to a program."""

from __future__ import annotations

from typing import Any, Final

from agentjobs.api.variable_rules import EXCEPT, RESERVED, SEARCH_PATHS

OTHER_ENCODINGS: Final = {
    "utf-7 on its first line": "# encoding: utf-7\n#+AAo-evil()\n",
    "utf-7 behind a line of the shell": "#!/usr/bin/env python3\n# -*- coding: utf-7 -*-\n",
    "utf-7 behind a byte order mark": "\ufeff# coding=utf_7\n",
    "utf-7 behind a blank line from Windows": " \t\f\r\n\f# vim: set fileencoding=utf-7 :\r\n",
    "two encodings, the first of which counts": "# coding: latin-1 coding: utf-8\n",
    "an encoding that only begins like UTF-8": "# coding: utf-80\n",
    "escapes": "#coding:\t raw_unicode_escape\n#\\u000aevil()\n",
}
NO_OTHER_ENCODINGS: Final = {
    "UTF-8 by its name": "# -*- coding: utf-8 -*-\n",
    "UTF-8 by another name": "#!/usr/bin/python3\n# coding: UTF8\n",
    "UTF-8 as Emacs has it": "\n# -*- mode: python; coding: utf_8-unix -*-\n",
    "an encoding behind code": "import os\n# coding: utf-7\n",
    "an encoding on the third line": "#\n#\n# coding: utf-7\n",
    "an encoding in code": "coding = 'utf-7'\n",
    "two encodings, the first of which is UTF-8": (
        "# coding: utf-8 coding: latin-1\n# coding: latin-1\n"
    ),
    "a byte order mark": "\ufeffprint('hello')\n",
    "no encoding": "# coding:\n# encoding matters\n",
}
STEERING_PYTHON: Final = (
    *(
        "PYTHONWARNINGS",
        "PYTHONHOME",
        "PYTHONPLATLIBDIR",
        "PYTHONUSERBASE",
        "PYTHONPYCACHEPREFIX",
        "PYTHONEXECUTABLE",
        "PYTHONSTARTUP",
    ),
    *(
        "PYTHONINSPECT",
        "PYTHONBREAKPOINT",
        "PYTHON_PRESITE",
        "PYTHON_DOM",
        "PYTHONTZPATH",
        "_PYTHON_SYSCONFIGDATA_NAME",
        "PYTHONOPTIMIZE",
    ),
)
"""Of the names that begin like these those that are known to load or run something, or to leave out
what an approved script asserts."""
RESERVED_NAMES: Final = (
    *(
        name
        for group in RESERVED
        for name in (*group.names, *(f"{prefix}X" for prefix in group.prefixes))
    ),
    *STEERING_PYTHON,
)
"""Each entry of the list, and those that a beginning is there for."""
PLAIN_NAMES: Final = (
    *EXCEPT, "LDFLAGS", "HOMEPAGE", "PATH", "PYTHO", "MY_PYTHON", "PY_COLORS", "RES_OPTIONS",
    "JOB_RUN_IDS", "agentjobs_x", "NODE", "PIP_INDEX_URL", "ENV", "HTTPS_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSH_COMMAND", "UV_INDEX_URL", "TZ", "LANG",
    "TMPDIR", "BASH", "node_options", "MY_LD_X",
)  # fmt: skip


def _variable(name: str, **source: Any) -> dict[str, Any]:
    return {"env": [{"name": name, **(source or {"value": "x"})}]}


_FROM_SECRET: Final = {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}


def _by_way(name: str) -> dict[str, Any]:
    return {"env": [{"name": "X", **_FROM_SECRET}, {"name": name, "value": "/opt:$(X)"}]}


REFUSED: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    *(
        (
            f"a script with {what}",
            {"script": {"inline": text}},
            "inline declares an encoding other than UTF-8 in its first two lines",
        )
        for what, text in OTHER_ENCODINGS.items()
    ),
    *(
        (f"the variable {name}", _variable(name), "is reserved; choose another name")
        for name in RESERVED_NAMES
    ),
    *(
        (
            f"{name} from a Secret",
            _variable(name, **_FROM_SECRET),
            "set them with value, which approvers see",
        )
        for name in SEARCH_PATHS
    ),
    *(
        (f"{name} by way of another variable", _by_way(name), "without $(...), which inserts")
        for name in SEARCH_PATHS
    ),
)
"""What, with which fields of the spec, and what is said."""
GOOD: Final[dict[str, dict[str, Any]]] = {
    **{
        f"a script with {what}": {"script": {"inline": text}}
        for what, text in NO_OTHER_ENCODINGS.items()
    },
    "names that only look reserved": {
        "env": [{"name": name, "value": "x"} for name in PLAIN_NAMES]
    },
    "a proxy with its password": _variable("HTTPS_PROXY", **_FROM_SECRET),
    "a search path with a dollar in it": _variable("PYTHONPATH", value="/opt/$x:/opt/(x)"),
    "another variable with a Secret in it": {
        "env": [{"name": "X", **_FROM_SECRET}, {"name": "URL", "value": "https://me:$(X)@host"}]
    },
}
