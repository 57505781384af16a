"""A version as a file, written row by row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation
from datasets_app.models import Version
from datasets_app.selectors.versions import iter_conversations


@dataclass(frozen=True, slots=True)
class Layout:
    """A file layout: its words for people, and how rows become text."""

    words: str
    suffix: str
    content_type: str
    write: Callable[[Version], Iterator[str]]


def write_messages(version: Version) -> Iterator[str]:
    """Yield JSONL with one `messages` list per conversation."""
    for conversation in iter_conversations(version.pk):
        turns = [
            {"role": turn.role, "content": turn.text} | ({} if turn.is_learnt else {"weight": 0})
            for turn in conversation.turns
        ]
        yield json.dumps({"messages": turns}, ensure_ascii=False) + "\n"


def pairs_of(conversation: Conversation) -> Iterator[dict[str, str]]:
    """Yield each answer with the question before it; an answer without one has an empty input."""
    question = ""
    for turn in conversation.turns:
        if turn.role == USER:
            question = turn.text
        elif turn.role == ASSISTANT:
            yield {"input": question, "output": turn.text}


def write_pairs(version: Version) -> Iterator[str]:
    """Yield a JSON list of input/output objects, indented by 2 and not ASCII-escaped."""
    yield "["
    yield from _indented_pairs(version)
    yield "\n]\n"


def _indented_pairs(version: Version) -> Iterator[str]:
    separator = "\n"
    for conversation in iter_conversations(version.pk):
        for pair in pairs_of(conversation):
            text = json.dumps(pair, ensure_ascii=False, indent=2).replace("\n", "\n  ")
            yield f"{separator}  {text}"
            separator = ",\n"


FORMATS: dict[str, Layout] = {
    "messages": Layout("JSONL, messages", "jsonl", "application/jsonl", write_messages),
    "pairs": Layout("JSON, input and output", "json", "application/json", write_pairs),
}
