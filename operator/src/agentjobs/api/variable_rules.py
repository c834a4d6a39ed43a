"""Which variables a job may set.

Their names and values are approved with the script, so most may be anything. A name is reserved if
it looks like a mere setting but makes a program of the run itself (the runner, Python, Node and pi,
the shell of an agent) load code, or trust hosts, from a place that nobody approved. Names that only
the script's own calls read (git, uv, perl) are not reserved, nor are those that people set to reach
the network: proxies and certificates. `docs/writing-jobs.md` has this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from agentjobs.api.rule import Rule, matching

VARIABLE: Final = matching(
    "[A-Za-z_][A-Za-z0-9_]*",
    'must be the name of a variable: letters, digits and "_", not beginning with a digit',
)


@dataclass(frozen=True, slots=True)
class Reserved:
    """Names, and beginnings of names, that are refused, and the reason."""

    names: tuple[str, ...]
    prefixes: tuple[str, ...]
    why: str
    but: tuple[str, ...] = ()
    """Names that the prefixes cover, but that are harmless and usual."""

    @property
    def shown(self) -> str:
        """The names and prefixes for a sentence."""
        return ", ".join([*self.names, *(f"{prefix}*" for prefix in self.prefixes)])


RESERVED: Final = (
    Reserved(("JOB_RUN_ID", "HOME"), ("AGENTJOBS_",), "set by the operator"),
    Reserved(
        ("GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH", "HOSTALIASES", "LOCALDOMAIN"),
        ("LD_", "OPENSSL_", "RESOLV_"),
        "the dynamic loader, libc and OpenSSL load code and host names from where they say, also in"
        " the runner",
    ),
    # All except what is known to be harmless: each version of Python adds more, and its library
    # reads some that are not documented.
    Reserved(
        ("PY_SAX_PARSER", "BROWSER"),
        ("PYTHON", "_PYTHON_"),
        "Python imports modules, loads its library or starts programs that they name, even before"
        " the script begins",
        (
            *("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONHASHSEED", "PYTHONUTF8", "PYTHONIOENCODING"),
            *("PYTHONDONTWRITEBYTECODE", "PYTHONFAULTHANDLER", "PYTHONDEVMODE"),
            *("PYTHONASYNCIODEBUG", "PYTHONTRACEMALLOC", "PYTHONNOUSERSITE", "PYTHONSAFEPATH"),
            *("PYTHON_CPU_COUNT", "PYTHON_GIL", "PYTHON_COLORS"),
        ),
    ),
    Reserved(
        (),
        ("NODE_", "JITI_", "PI_"),
        "Node, pi and the guard of pi's tools take options from them that load code or set caches"
        " of code",
        ("NODE_ENV", "NODE_EXTRA_CA_CERTS"),
    ),
    Reserved(
        ("BASH_ENV", "SHELLOPTS", "BASHOPTS", "PS4"),
        ("BASH_FUNC_",),
        "shells run what they say before the first command",
    ),
)
EXCEPT: Final = tuple(name for group in RESERVED for name in group.but)
SEARCH_PATHS: Final = ("PATH", "PYTHONPATH")
"""They say where programs and modules are found, so their values have to be on the card."""

_NAMES: Final = tuple(name for group in RESERVED for name in group.names)
_PREFIXES: Final = tuple(prefix for group in RESERVED for prefix in group.prefixes)
_PATTERN: Final = f"({'|'.join(_NAMES)}|({'|'.join(_PREFIXES)}).*)"


def is_reserved(name: str) -> bool:
    """Whether a job may not set this variable."""
    return name not in EXCEPT and (name in _NAMES or name.startswith(_PREFIXES))


NOT_RESERVED: Final = Rule(
    f"!self.matches('^{_PATTERN}$') || self.matches('^({'|'.join(EXCEPT)})$')",
    "is reserved; choose another name. Reserved, because they change what runs besides the approved"
    f" script, are {', '.join(group.shown for group in RESERVED)}, except for {', '.join(EXCEPT)}",
    lambda name: not is_reserved(name),
)
SEARCH_PATH_IS_SHOWN: Final = Rule(
    f"!self.name.matches('^({'|'.join(SEARCH_PATHS)})$') || has(self.value) &&"
    " !self.value.contains('$(')",
    f"{' and '.join(SEARCH_PATHS)} decide which programs and modules run: set them with value,"
    " which approvers see, not from a Secret, and without $(...), which inserts the value of"
    " another variable",
    lambda variable: (
        variable.name not in SEARCH_PATHS
        or (variable.value is not None and "$(" not in variable.value)
    ),
)

ONE_SOURCE: Final = Rule(
    "has(self.value) != has(self.valueFrom)",
    "set exactly one of value and valueFrom",
    lambda variable: (variable.value is None) != (variable.value_from is None),
)


def each_name_once(variables: tuple[Any, ...]) -> tuple[Any, ...]:
    """Checks that each name occurs once; in the CRD the list is a map by name instead.

    Raises ValueError.
    """
    if len({variable.name for variable in variables}) < len(variables):
        raise ValueError("each name may occur only once")
    return variables
