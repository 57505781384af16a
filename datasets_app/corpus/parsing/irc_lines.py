"""Lines of IRC logs, as irssi, WeeChat, HexChat, mIRC, ZNC and Ubuntu's archive write them."""

from __future__ import annotations

import re

from datasets_app.corpus.parsing.chat_lines import ChatLine

_STAMP = r"[\[(]?(?:\d{4}-\d\d-\d\d[ T]{1,2}|[A-Z][a-z]{2} [ \d]?\d )?\d{1,2}:\d\d(?::\d\d)?[\])]?"
_SAID = re.compile(
    rf"\A{_STAMP}\s{{1,4}}<[ @+%&~!]?(?P<name>[^\s<>]{{1,40}})>\s(?P<text>.*)\Z", re.DOTALL
)
_TABBED = re.compile(
    r"\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\t[ @+%&~!]?(?P<name>[^\s\t]{0,40})\t(?P<text>.*)\Z",
    re.DOTALL,
)
_SIGNS = frozenset({"-->", "<--", "--", "*", "=!=", ""})
_NOTICE = re.compile(
    rf"\A(?:{_STAMP}\s{{1,4}}(?:-!-|\*{{1,3}}|-->|<--|--|===|→|←)\s"
    r"|=== [^\s=]{1,40} [^\n]{1,400}(?<!=)\s?\Z|--- (?:Log (?:opened|closed)|Day changed)\b"
    r"|\*{4} (?:BEGIN|ENDING) LOGGING\b)"
)


def irc_line(line: str) -> ChatLine | None:
    """Return who says what, or nobody where the server speaks; None for any other line."""
    bare = line.rstrip("\n")
    found = _SAID.match(bare)
    if found:
        return ChatLine(found["name"], found["text"].strip())
    found = _TABBED.match(bare)
    if found:
        return (
            ChatLine()
            if found["name"] in _SIGNS
            else ChatLine(found["name"], found["text"].strip())
        )
    return ChatLine() if _NOTICE.match(bare) else None
