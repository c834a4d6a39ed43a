"""What `packages` refuses: everything but one exact version of a package of the index.

So an approval names one thing.

A pin is `NAME==VERSION`, the name as PEP 508 has it, the version in its normal form (PEP 440).
`canonical` makes two spellings of one pin equal: names by PEP 503, and `1.0.0` is `1`.
"""

from __future__ import annotations

import re
from typing import Any, Final

from agentjobs.api.rule import Rule

MAX_PACKAGES: Final = 50
MAX_PIN: Final = 128

_NUMBER: Final = "(0|[1-9][0-9]*)"
_NAME: Final = "[A-Za-z0-9]+([-_.][A-Za-z0-9]+)*"
_VERSION: Final = (
    f"([1-9][0-9]*!)?{_NUMBER}([.]{_NUMBER})*((a|b|rc){_NUMBER})?([.]post{_NUMBER})?([.]dev{_NUMBER})?"
    "([+][a-z0-9]+([.][a-z0-9]+)*)?"
)
_PIN: Final = f"^{_NAME}=={_VERSION}$"
_EXACT: Final = "^[^=<>~*, ]+==[^=<>~*, ]+$"
_FOREIGN: Final = "/@:;["
_SPOKEN: Final = "self.matches('[/@:;]') || self.contains('[')"
"""CEL: an earlier rule has said what is wrong, so that one mistake gets one sentence."""


def _without(characters: str, message: str) -> Rule:
    cel = " && ".join(f"!self.contains('{character}')" for character in characters)
    return Rule(cel, message, lambda pin: not set(characters) & set(pin))


def _spoken(pin: str) -> bool:
    return bool(set(_FOREIGN) & set(pin))


PIN: Final = (
    _without(
        "/@:",
        "must not be a URL, a file or an option: name a package of the index and its version, for"
        " example requests==2.32.3",
    ),
    _without(
        "[",
        "must not have extras: remove [...] and add the packages that the extra stands for as"
        " entries of their own",
    ),
    _without(
        ";",
        'must not have conditions: remove ";" and what follows it; all runs use the same image',
    ),
    Rule(
        f"{_SPOKEN} || self.matches('{_EXACT}')",
        "must name one exact version, without spaces: NAME==VERSION, for example requests==2.32.3;"
        " ranges, wildcards and bare names are not allowed",
        lambda pin: _spoken(pin) or re.search(_EXACT, pin) is not None,
    ),
    Rule(
        f"{_SPOKEN} || !self.matches('{_EXACT}') || self.matches('{_PIN}')",
        'must be NAME==VERSION: a name of letters and digits with single "-", "_" or "." between'
        " them, and a version in its normal form such as 2.32.3, 1.0rc1 or 2024.7.4, without a"
        " leading v and without leading zeros",
        lambda pin: (
            _spoken(pin) or re.search(_EXACT, pin) is None or re.fullmatch(_PIN, pin) is not None
        ),
    ),
)

_CEL_NAMES: Final = (
    "self.map(pin, pin.split('==')[0].lowerAscii().replace('_', '-').replace('.', '-'))"
)
EACH_PACKAGE_ONCE: Final = Rule(
    f"[{_CEL_NAMES}].all(names, names.all(name, names.indexOf(name) == names.lastIndexOf(name)))",
    'each package may occur only once; in names "-", "_" and "." are the same, and case does not'
    " matter",
    lambda pins: len({name_of(pin) for pin in pins}) == len(pins),
)


def name_of(pin: str) -> str:
    """The package's name as PEP 503 normalises it."""
    return re.sub("[-_.]+", "-", pin.partition("==")[0]).lower()


def canonical(pin: str) -> str:
    """One spelling for all pins that mean the same. The pin follows the rules above."""
    release = re.compile(f"^([1-9][0-9]*!)?({_NUMBER}([.]{_NUMBER})*)")
    version = release.sub(
        lambda match: (match[1] or "") + re.sub("([.]0)+$", "", match[2]), pin.partition("==")[2]
    )
    return f"{name_of(pin)}=={version}"


def canonical_or_none(pin: Any) -> str | None:
    """As `canonical`, for what got past its CRD: None for anything that is not a pin."""
    return canonical(pin) if isinstance(pin, str) and re.fullmatch(_PIN, pin) else None
