"""JSON whose keys OTTO does not know: what a person is shown of it, and what they point at.

A key that was pointed at takes the name that OTTO knows, so that every shape is found as always.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datasets_app.corpus.parsing import said, tables
from datasets_app.corpus.parsing.markup import bare_text
from datasets_app.corpus.parsing.messages import (
    CONVERSATIONS,
    LISTS,
    OF_TURNS,
    ORDERS,
    squashed,
)
from datasets_app.corpus.parsing.shapes import CALLS, HISTORIES, TEXTS, TITLES
from datasets_app.corpus.parsing.tables import turn_role
from datasets_app.corpus.source import Mapping, Waiting

# All chosen by hand.
MOST_OBJECTS = 300  # that are looked at
MOST_KEYS, MOST_ROWS, ROWS_A_KIND = 40, 10, 3  # that are shown
MOST_LEVELS = 8
MOST_INSIDE = 50  # elements of one list
SIGNS = 300  # of a value
LONG, SHORT = 12, 40  # signs: words are longer than the first, a name is shorter than the second

KNOWN_NAMES = frozenset(
    squashed(name)
    for names in (
        *(said.SPEAKERS, said.WORDS, said.TIMES, tables.QUESTIONS, tables.ANSWERS, CONVERSATIONS),
        *(ORDERS, OF_TURNS, LISTS, CALLS, TEXTS, TITLES, HISTORIES),
        ("system", "system_prompt", "instruction", "input", "context", "output", "messages"),
    )
    for name in names
)
WHY = "OTTO does not know the keys of this file. Say what they hold; nothing is loaded until then."


@dataclass(frozen=True, slots=True)
class Pointed:
    """What a person pointed at, applied to values."""

    mapping: Mapping

    def renamed(self, value: Any) -> Any:
        """Return a value in which the keys that were pointed at have names that OTTO knows.

        Beside them, a key that has such a name by chance is set apart.
        """
        if isinstance(value, list):
            return [self.renamed(one) for one in value]
        if not isinstance(value, dict):
            return value
        found = self._found_in(value)
        if not found:
            return {key: self.renamed(held) for key, held in value.items()}
        chosen = set(self.mapping.columns)
        others = {
            _set_apart(key): self.renamed(held) for key, held in value.items() if key not in chosen
        }
        return others | found

    def _found_in(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return what an object holds of what was pointed at, by known names; {} for others."""
        mapping = self.mapping
        if mapping.turns:
            told = [(turn_role(name, n), dug(value, name)) for n, name in enumerate(mapping.turns)]
            turns = [{"role": role, "content": text} for role, text in told if text]
            return {"messages": turns} if turns else {}
        needed = (mapping.words, mapping.speaker, mapping.question, mapping.answer, mapping.text)
        if any(dug(value, key) is None for key in needed if key):
            return {}
        names = _PAIR_IN_CONTEXT if mapping.context else _PAIR
        wanted = ((known, getattr(mapping, meaning)) for meaning, known in (*_NAMES, *names))
        held = ((known, dug(value, key)) for known, key in wanted if key)
        return {known: one for known, one in held if one is not None}


_NAMES = (
    *(("words", "text"), ("speaker", "speaker"), ("conversation", "conversation_id")),
    *(("order", "timestamp"), ("text", "text"), ("system", "system")),
)
_PAIR = (("question", "question"), ("answer", "answer"))
_PAIR_IN_CONTEXT = (("question", "instruction"), ("answer", "output"), ("context", "input"))


def _set_apart(key: str) -> str:
    return f"its {key}" if squashed(key) in KNOWN_NAMES else key


def dug(value: dict[str, Any], key: str) -> Any:
    """Return what stands under a key, or under keys with dots between them; None for nothing."""
    if key in value:
        return value[key]
    at: Any = value
    for part in key.split("."):
        at = at.get(part) if isinstance(at, dict) else None
    return at


@dataclass(slots=True)
class Strange:
    """Objects that no shape fits: their keys, with examples."""

    objects: list[dict[str, str]] = field(default_factory=list)

    def see(self, value: Any) -> None:
        """Look at a value of no known shape, and at what stands in it."""
        for one in _objects(value, 0):
            if len(self.objects) == MOST_OBJECTS:
                return
            self.objects.append(one)

    def waiting(self, chosen: Mapping | None = None) -> Waiting | None:
        """Return what a person is asked; None where nothing with keys was seen."""
        kinds: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for one in self.objects:
            kinds.setdefault(tuple(one), []).append(one)
        columns = tuple(dict.fromkeys(key for kind in kinds for key in kind))[:MOST_KEYS]
        if not columns:
            return None
        rows = [
            tuple(one.get(key, "") for key in columns)
            for held in kinds.values()
            for one in held[:ROWS_A_KIND]
        ]
        guess = chosen or next(filter(None, map(likely, kinds.values())), None)
        return Waiting(
            "needs_mapping", WHY, columns=columns, rows=tuple(rows[:MOST_ROWS]), suggested=guess
        )


def _objects(value: Any, level: int) -> Iterator[dict[str, str]]:
    """Yield every object in a value, outer ones first, as its texts and numbers by their keys."""
    if level > MOST_LEVELS:
        return
    if isinstance(value, list):
        for one in value[:MOST_INSIDE]:
            yield from _objects(one, level + 1)
    elif isinstance(value, dict):
        if flat := dict(_flat(value)):
            yield flat
        for inner in list(value.values())[:MOST_INSIDE]:
            yield from _objects_below(inner, level + 1)


def _objects_below(value: Any, level: int) -> Iterator[dict[str, str]]:
    """Pass over an object inside an object: its keys were told with dots."""
    if isinstance(value, dict):
        for inner in list(value.values())[:MOST_INSIDE]:
            yield from _objects_below(inner, level + 1) if level <= MOST_LEVELS else ()
    else:
        yield from _objects(value, level)


def _flat(value: dict[str, Any], before: str = "", level: int = 0) -> Iterator[tuple[str, str]]:
    for key, held in list(value.items())[:MOST_INSIDE]:
        name = f"{before}{key}"
        if isinstance(held, str):
            yield name, held[:SIGNS]
        elif isinstance(held, int | float) and not isinstance(held, bool):
            yield name, str(held)
        elif isinstance(held, dict) and level < MOST_LEVELS:
            yield from _flat(held, f"{name}.", level + 1)


def likely(objects: list[dict[str, str]]) -> Mapping | None:
    """Return a guess for objects with the same keys: who says what, or a question and an answer."""
    values = {key: [one[key] for one in objects] for key in objects[0]}
    lengths = {key: statistics.mean(map(len, held)) for key, held in values.items()}
    texts = [key for key, held in values.items() if lengths[key] >= LONG and _are_words(held)]
    if not texts:
        return None
    words = max(texts, key=lambda key: lengths[key])
    names = [
        key
        for key, held in values.items()
        if key != words and not _is_title(key) and max(map(len, held)) <= SHORT and _are_names(held)
    ]
    if names:
        speaker = min(names, key=lambda key: len(set(values[key])))
        return Mapping(speaker=speaker, words=words, begins="whole")
    texts = [key for key in texts if key == words or not _tells_again(values[key], values[words])]
    if len(texts) == 2 and not _is_title(texts[0]):
        return Mapping(question=texts[0], answer=texts[1])
    return Mapping(text=words) if len(texts) == 2 else None


def _is_title(key: str) -> bool:
    """Say whether a key names what a text is about; whoever asks may have written both."""
    return squashed(key.rpartition(".")[2]) in {"title", "subject"}


def _tells_again(held: list[str], words: list[str]) -> bool:
    """Say whether one key tells what another does, as text beside the same with tags."""
    return all(bare_text(a) == bare_text(b) for a, b in zip(held, words, strict=True))


def _are_words(held: list[str]) -> bool:
    """Say whether values read like something said: words apart, or a script that parts none."""
    like = sum(" " in text.strip() or any(sign > "\u2e7f" for sign in text) for text in held)
    return like * 2 >= len(held)


def _are_names(held: list[str]) -> bool:
    """Say whether values come again, as those who speak do, and are no mere numbers."""
    few = 2 <= len(set(held)) <= (len(held) + 2) // 2
    return few and any(any(sign.isalpha() for sign in text) for text in held)
