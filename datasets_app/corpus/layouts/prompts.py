"""Conversations as the one text that other programs train on: a template each, with its end token.

They are written for those programs. OTTO's own training takes turns by the template of its model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, SYSTEM, USER, Conversation, Turn

END_OF_TEXT = "<|endoftext|>"
LINES_NAME, LIST_NAME = "training_data_final.jsonl", "training_data_final.json"
MOST_CHARACTERS, MOST_WORDS = 2_000, 500  # of a system prompt
_OPENING = re.compile(r"\A\W*(?:you are an? ai\b|i am\b|i['’]m\b)", re.IGNORECASE)
_CONTROL = re.compile(r"<\|?[a-z_]{2,30}\|?>|</s>|\[/?INST\]")
Write = Callable[[str, Sequence[Turn]], str]  # the system prompt, and turns behind it


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template: what it is called, where its text ends, and how it is written."""

    words: str
    about: str
    end: str  # the model's end token, which is trained on
    write: Write

    def text(self, conversation: Conversation, system: str = "") -> str:
        """Return a conversation as the model sees it, its end token last.

        A system turn of its own goes before the one for all. A passage is its own text.
        """
        turns = list(conversation.turns)
        if conversation.is_passage:
            return f"{turns[0].text}{self.end}"
        if turns and turns[0].role == SYSTEM:
            system = turns.pop(0).text
        told = self.write(system, turns)
        return told if told.rstrip("\n").endswith(self.end) else f"{told}{self.end}"


def _user_assistant(system: str, turns: Sequence[Turn]) -> str:
    names = {USER: "User", ASSISTANT: "Assistant", SYSTEM: "System"}
    lines = [f"{names.get(turn.role, turn.role.capitalize())}: {turn.text}" for turn in turns]
    return "\n".join([f"System: {system}", *lines] if system else lines)


def _alpaca(system: str, turns: Sequence[Turn]) -> str:
    head = f"{system}\n\n" if system else ""
    told = ""
    for turn in turns:
        is_answer = turn.role == ASSISTANT
        mark = "### Response:" if is_answer else "### Instruction:"
        told += f"{mark}\n{'' if is_answer else head}{turn.text}\n\n"
        head = head if is_answer else ""
    return told.removesuffix("\n\n")


def _chatml(system: str, turns: Sequence[Turn]) -> str:
    return "".join(
        f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in _with_system(system, turns)
    )


def _llama(system: str, turns: Sequence[Turn]) -> str:
    told = (
        f"<|start_header_id|>{role}<|end_header_id|>\n\n{text}<|eot_id|>"
        for role, text in _with_system(system, turns)
    )
    return f"<|begin_of_text|>{''.join(told)}"


def _gemma(system: str, turns: Sequence[Turn]) -> str:
    roles = {ASSISTANT: "model"}
    told = "".join(
        f"<start_of_turn>{roles.get(role, 'user')}\n{text}<end_of_turn>\n"
        for role, text in _into_question(system, turns)
    )
    return told  # noqa: RET504 - the name says what it is


def _mistral(system: str, turns: Sequence[Turn]) -> str:
    told = "<s>"
    for role, text in _into_question(system, turns):
        told += f" {text}</s>" if role == ASSISTANT else f"[INST] {text} [/INST]"
    return told


def _plain(system: str, turns: Sequence[Turn]) -> str:
    return "\n\n".join([system, *(turn.text for turn in turns)] if system else [
        turn.text for turn in turns
    ])  # fmt: skip


def _with_system(system: str, turns: Sequence[Turn]) -> list[tuple[str, str]]:
    head = [(SYSTEM, system)] if system else []
    return head + [(turn.role, turn.text) for turn in turns]


def _into_question(system: str, turns: Sequence[Turn]) -> list[tuple[str, str]]:
    """Return the turns with the system prompt in front of the first question."""
    told = [(turn.role, turn.text) for turn in turns]
    place = next((n for n, (role, _) in enumerate(told) if role == USER), None)
    if system and place is not None:
        told[place] = (USER, f"{system}\n\n{told[place][1]}")
    return told


PROMPTS: dict[str, Prompt] = {
    "alpaca": Prompt("Alpaca", "### Instruction and ### Response", END_OF_TEXT, _alpaca),
    "chatml": Prompt("ChatML", "marks around each turn", "<|im_end|>", _chatml),
    "llama": Prompt("Llama 3", "headers around each turn", "<|eot_id|>", _llama),
    "gemma": Prompt("Gemma", "no system role: it stands in the question", "<end_of_turn>", _gemma),
    "qwen": Prompt("Qwen", "the same as ChatML", "<|im_end|>", _chatml),
    "mistral": Prompt("Mistral", "[INST] around each question", "</s>", _mistral),
    "user-assistant": Prompt(
        "User and Assistant", "a name before each", END_OF_TEXT, _user_assistant
    ),
    "plain": Prompt("Plain", "question and answer with a blank line between", END_OF_TEXT, _plain),
}


def warnings_of(system: str) -> list[tuple[str, str]]:
    """Return what is odd about a system prompt: ("error" or "warning", a sentence) each."""
    text = system.strip()
    if not text:
        return [
            ("error", "The system prompt is empty. Leave it out, or say what the model is for.")
        ]
    found = []
    if len(text) > MOST_CHARACTERS or len(text.split()) > MOST_WORDS:
        found.append(
            f"It has {len(text):,} characters and {len(text.split()):,} words; more than "
            f"{MOST_CHARACTERS:,} or {MOST_WORDS} take room from every answer."
        )
    if opening := _OPENING.search(text):
        found.append(
            f"It opens with “{opening.group().strip()}”. Say what the model does, not what it is."
        )
    if "<|" in text or _CONTROL.search(text):
        found.append("It holds what looks like a control token; a model may end its answer there.")
    return [("warning", told) for told in found]


@dataclass(frozen=True, slots=True)
class Sample:
    """A pair on its way into a training file."""

    conversation: Conversation
    source_file: str = ""
    score: float | None = None


def training_lines(samples: Iterable[Sample], prompt: Prompt, system: str = "") -> Iterable[str]:
    """Yield `training_data_final.jsonl`, a line for each sample."""
    for one in samples:
        yield json.dumps(_told(one, prompt, system), ensure_ascii=False) + "\n"


def training_list(samples: Iterable[Sample], prompt: Prompt, system: str = "") -> Iterable[str]:
    """Yield the same as one JSON list."""
    before = "[\n"
    for one in samples:
        yield before + json.dumps(_told(one, prompt, system), ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _told(one: Sample, prompt: Prompt, system: str) -> dict[str, Any]:
    turns = one.conversation.turns
    question = next((turn.text for turn in turns if turn.role == USER), "")
    answer = next((turn.text for turn in turns if turn.role in {ASSISTANT, PASSAGE}), "")
    return {
        "text": prompt.text(one.conversation, system),
        "question": question,
        "answer": answer,
        "source_file": one.source_file,
        "validation_score": one.score,
    }
