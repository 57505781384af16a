"""Questions and answers that a page states for machines: schema.org, in JSON or in attributes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from datasets_app.corpus.pages.tree import value, words_of
from datasets_app.corpus.parsing.markup import bare_text

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

MOST_LEVELS = 12


def stated_answers(parser: LexborHTMLParser) -> list[tuple[str, str]]:
    """Return the questions of a page with the answer that it calls the accepted one."""
    found: list[tuple[str, str]] = []
    for script in parser.css('script[type="application/ld+json"]'):
        with suppress(ValueError, RecursionError):
            found.extend(_questions(json.loads(script.text(deep=True), strict=False), MOST_LEVELS))
    for node in parser.css('[itemtype$="/Question"]'):
        name = node.css_first("[itemprop=name]")
        answer = node.css_first("[itemprop=acceptedAnswer] [itemprop=text]")
        if name is not None and answer is not None:
            asked = value(name, "content") or words_of(name)
            found.append((asked, bare_text(answer.html or "")))
    return [(" ".join(asked.split()), answer) for asked, answer in found if asked and answer]


def _questions(told: Any, levels: int) -> Iterator[tuple[str, str]]:
    if isinstance(told, list) and levels:
        for one in told:
            yield from _questions(one, levels - 1)
    elif isinstance(told, dict) and levels:
        if told.get("@type") in ("Question", ["Question"]):
            yield from _question(told)
        else:
            yield from _questions([*told.values()], levels - 1)


def _question(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    asked = told.get("name") or told.get("text")
    given = told.get("acceptedAnswer") or told.get("suggestedAnswer")
    first = given[0] if isinstance(given, list) and given else given
    answer = first.get("text") if isinstance(first, dict) else first
    if isinstance(asked, str) and isinstance(answer, str):
        yield bare_text(asked), bare_text(answer)
