"""Finds numbers written for people where machines read, and for machines where people read."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.test import Client

READ_BY_MACHINES = re.compile(
    r"(value|href|src|srcset|id|for|name|form|list|min|max|step|width|height|maxlength|size|content"
    r"|action|formaction|datetime|cite|popovertarget|headers|colspan|rowspan|ws-[a-z]+|hx-.+|data-.+"
    r"|aria-(controls|describedby|labelledby|owns|valuenow|valuemin|valuemax|rowindex|setsize))"
)
GROUPED = re.compile(r"(?<![\d,.])\d{1,3}(,\d{3})+(?!\d)")
TOO_EXACT = re.compile(r"(?<![\w.])\d+\.\d{9,}")  # a float as Python prints it
SHOWN_AS_STORED = {"pre", "script", "textarea"}
WORDS_FOR_PEOPLE = {"data-label", "data-words"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tag = tag
        for name, value in attrs:
            is_read = READ_BY_MACHINES.fullmatch(name) and name not in WORDS_FOR_PEOPLE
            if is_read and value and GROUPED.search(value):
                self.found.append(f'<{tag} {name}="{value}">')

    def handle_data(self, data: str) -> None:
        if self.tag == "script" and GROUPED.search(data):
            self.found.append(f"<script> {data[:200]}")
        if self.tag not in SHOWN_AS_STORED and TOO_EXACT.search(data):
            self.found.append(f"too exact: {data[:200]}")

    def handle_endtag(self, tag: str) -> None:
        self.tag = ""


def localised(html: str) -> list[str]:
    """Return attributes and scripts with a number like 1,234, words with one like 0.1234567890."""
    if not (GROUPED.search(html) or TOO_EXACT.search(html)):
        return []
    reader = _Reader()
    reader.feed(html)
    return reader.found


class ReadingClient(Client):
    """A test client that refuses pages with numbers that no machine, or no person, can read."""

    def request(self, **request):
        answer = super().request(**request)
        if answer.get("Content-Type", "").startswith("text/html") and not answer.streaming:
            found = localised(answer.content.decode())
            assert found == [], (
                f"{request['PATH_INFO']} writes numbers for the wrong reader: {found}"
            )
        return answer
