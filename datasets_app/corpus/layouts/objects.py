"""The layouts whose rows are JSON objects.

What an object cannot say, and what would be read otherwise, stands beside it word for word: each
is read here once as an import reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from datasets_app.corpus.conversation import (
    ASSISTANT,
    PASSAGE,
    SYSTEM,
    USER,
    Conversation,
    Turn,
)
from datasets_app.corpus.layouts.layout import Row
from datasets_app.corpus.parsing import own
from datasets_app.corpus.parsing.said import ShapeError
from datasets_app.corpus.parsing.shapes import Shapes

_SHAREGPT = {USER: "human", ASSISTANT: "gpt"}
_SPEAKING = frozenset({SYSTEM, USER, ASSISTANT})
_SHAPES = Shapes()


def messages(row: Row) -> str:
    """Return a line as OpenAI takes it: `messages` and, where that is enough, nothing else."""
    return _dumped(_sealed(_messages(row.conversation), row.conversation, {})) + "\n"


def line(row: Row) -> str:
    """Return a line with everything that is known of the row."""
    return f"{whole(row)}\n"


def whole(row: Row) -> str:
    """Return an object with everything that is known of the row."""
    told = {"row": row.number, **row.told} | ({"fields": row.fields} if row.fields else {})
    return _dumped(_sealed(_messages(row.conversation), row.conversation, told))


def sharegpt(row: Row) -> str:
    """Return an object as ShareGPT has it: `conversations` of `from` and `value`."""
    turns = [
        {"from": _SHAREGPT.get(turn.role, turn.role), "value": turn.text}
        | ({} if turn.is_learnt else {"weight": 0})
        for turn in row.conversation.turns
    ]
    value = {"id": str(row.number), "conversations": turns}
    return _dumped(_sealed(value, row.conversation, row.told))


def alpaca(row: Row) -> str:
    """Return an object as Alpaca has it; earlier turns stand in `history`."""
    pair = _pair(row.conversation)
    value = {"instruction": pair["input"], "input": "", "output": pair["output"]}
    more = {key: pair[key] for key in ("system", "history") if key in pair}
    return _dumped(_sealed({**value, **more}, row.conversation, {"row": row.number, **row.told}))


def pairs(row: Row) -> str:
    """Return an object with `input` and `output`, indented by 2 and not ASCII-escaped."""
    value = _sealed(_pair(row.conversation), row.conversation, {})
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return "  " + text.replace("\n", "\n  ")


def _messages(conversation: Conversation) -> dict[str, Any]:
    turns = [
        {"role": turn.role, "content": turn.text} | ({} if turn.is_learnt else {"weight": 0})
        for turn in conversation.turns
    ]
    return {"messages": turns}


def _pair(conversation: Conversation) -> dict[str, Any]:
    """Return the last question and answer, and what was said before as pairs of both."""
    turns = list(conversation.turns)
    value: dict[str, Any] = {}
    if turns[0].role == SYSTEM:
        value["system"] = turns.pop(0).text
    asked, said = "", ""
    told = _pairs_of(turns)
    if told:
        asked, said = told.pop()
    if told:
        value["history"] = told
    return {"input": asked, "output": said, **value}


def _pairs_of(turns: Iterable[Turn]) -> list[list[str]]:
    """Return each answer with the question before it; either is "" where there is none."""
    return [
        [before.text if before.role == USER else "", turn.text]
        for before, turn in pairwise([Turn("", ""), *turns])
        if turn.role in {ASSISTANT, PASSAGE}
    ]


def _sealed(
    value: dict[str, Any], conversation: Conversation, told: dict[str, Any]
) -> dict[str, Any]:
    """Return the object with what is told of it, and with its exact turns where these are due."""
    if _is_read_plainly(value, conversation) or _as_read(value) == conversation.turns:
        return {**value, own.KEY: told} if told else value
    exact = {"turns": conversation.as_json(), "seal": own.seal(value)}
    return {**value, own.KEY: {**told, **exact}}


def _is_read_plainly(value: dict[str, Any], conversation: Conversation) -> bool:
    """Say whether a list of turns is surely read as it stands: to read most rows takes long."""
    is_list = "messages" in value or "conversations" in value
    roles = {turn.role for turn in conversation.turns}
    return (
        is_list
        and ASSISTANT in roles
        and roles <= _SPEAKING
        and not any(turn.text.lstrip().startswith("<") for turn in conversation.turns)
    )


def _as_read(value: dict[str, Any]) -> tuple[Turn, ...]:
    try:
        found = _SHAPES.recognise(value)
    except ShapeError:
        return ()
    return found.turns if found else ()


def _dumped(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
