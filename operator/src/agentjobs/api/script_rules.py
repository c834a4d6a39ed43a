r"""A script's text is UTF-8, whatever it declares: what is shown is what Python runs.

A comment on the first line, or on the second behind a blank or comment, may name another encoding
(PEP 263). Python then reads other characters than people were shown: with `encoding: utf-7` the
comment `#+AAo-evil()` is a line of code.
"""

from __future__ import annotations

import re
from typing import Any, Final

from agentjobs.api.rule import Rule
from agentjobs.api.rules import SCRIPT as _TEXT
from agentjobs.api.rules import source_problem

# As Python's tokenizer reads them (Parser/tokenizer.c): blanks are space, tab and form feed; a line
# ends with \n, \r\n or \r.
_BLANK: Final = r"[ \u0009\u000c]*"
_COMMENT: Final = r"#[^\u000a\u000d]*"
_HEAD: Final = rf"^\ufeff?{_BLANK}({_COMMENT})?((\u000d\u000a|\u000a|\u000d){_BLANK}{_COMMENT})?"
_DECLARATION: Final = r"coding[:=][ \u0009]*[-_.a-zA-Z0-9]+"
_OF_UTF_8: Final = r"^(coding[:=][ \u0009]*(?i:utf8|utf[-_]8([-_][-_.a-zA-Z0-9]*)?))?$"
"""Matches where there is no declaration, too."""
OTHER_ENCODING: Final = (
    "declares an encoding other than UTF-8 in its first two lines, so Python would run a text other"
    " than the one that is shown: remove that comment, or write utf-8 in it"
)


def declares_other_encoding(text: str) -> bool:
    """Whether Python would read the UTF-8 in another encoding: the first declaration counts."""
    head = re.match(_HEAD, text)
    found = re.search(_DECLARATION, head[0]) if head else None
    return re.match(_OF_UTF_8, found[0] if found else "") is None


def script_problem(text: str) -> str | None:
    """What is wrong with a script: the end of a sentence whose subject is the text."""
    return source_problem(text) or (OTHER_ENCODING if declares_other_encoding(text) else None)


def _keeps_encoding(script: Any) -> bool:
    return script.inline is None or not declares_other_encoding(script.inline)


SCRIPT: Final = (
    *_TEXT,
    Rule(
        "!has(self.inline) ||"
        f" self.inline.find('{_HEAD}').find('{_DECLARATION}').matches('{_OF_UTF_8}')",
        f"inline {OTHER_ENCODING}",
        _keeps_encoding,
    ),
)
