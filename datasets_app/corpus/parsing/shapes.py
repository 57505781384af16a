"""The shapes of conversations in JSON: pairs, messages, turns, questions, calls, texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, SYSTEM, USER, CorpusError, Turn
from datasets_app.corpus.parsing import transcripts
from datasets_app.corpus.parsing.tables import ANSWERS, QUESTIONS, plain
from datasets_app.corpus.roles import role_of, settle_roles

LISTS = (
    *("messages", "conversations", "conversation", "turns", "dialogue", "dialog", "dialogs"),
    *("utterances", "chat", "history", "exchanges"),
)
SPEAKERS = ("role", "from", "speaker", "author", "sender", "name", "participant")
WORDS = ("content", "value", "text", "utterance", "message", "body")
CALLS = ("content", "transcript")
TEXTS = ("text", "passage", "document")
TITLES = ("title", "question", "heading")
BODIES = ("body", "answer")
LONGEST_NAME = 120  # of what pairs are about; chosen by hand


class ShapeError(CorpusError):
    """A record of a known shape that lacks something; `code` is a reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Found:
    """The turns of a record, what was odd about it, and its other fields."""

    turns: tuple[Turn, ...]
    notes: list[str] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)


Maker = Callable[[dict[str, Any], list[str]], tuple[Turn, ...]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How objects with one set of keys become turns; `used` keys are no metadata."""

    make: Maker
    used: frozenset[str]


class Shapes:
    """Recognises records; objects with the same keys are looked at once."""

    def __init__(self) -> None:
        self._plans: dict[tuple[str, ...], Plan | None] = {}

    def recognise(self, value: Any) -> Found | None:
        """Return the conversation a value holds, or None when it has no known shape.

        Raises ShapeError when the shape is known but a question, an answer or a text is missing.
        """
        if not isinstance(value, dict):
            return None
        keys = tuple(value)
        if keys not in self._plans or self._plans[keys] is None:
            if len(self._plans) > 10_000:
                self._plans.clear()
            self._plans[keys] = _plan(value)
        plan = self._plans[keys]
        if plan is None or not _fits(plan, value):
            return None
        notes: list[str] = []
        turns = plan.make(value, notes)
        meta = {key: field for key, field in value.items() if key not in plan.used}
        return Found(turns, notes, meta)


def _fits(plan: Plan, value: dict[str, Any]) -> bool:
    """Refuse a plan made for a list of turns where this object's list holds records."""
    lists = [value[key] for key in plan.used if plain(key) in LISTS]
    return all(is_turn_list(items) for items in lists if isinstance(items, list))


def _plan(value: dict[str, Any]) -> Plan | None:
    names = {plain(key): key for key in value}
    tries = (
        *(_turns_plan, _choice_plan, _instruction_plan, _answers_plan),
        *(_pair_plan, _title_plan, _text_plan),
    )
    return next((plan for make in tries if (plan := make(names, value))), None)


def _key(names: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    return next((names[name] for name in wanted if name in names), None)


def is_turn_list(items: Any) -> bool:
    """Say whether every element is an object with a speaker and words."""
    if not isinstance(items, list) or not items or not isinstance(items[0], dict):
        return isinstance(items, list) and not items
    speaker, words = _turn_keys(tuple(items[0]))
    return speaker is not None and (words is not None or "tool_calls" in items[0])


def _turns_plan(names: dict[str, str], value: dict[str, Any]) -> Plan | None:
    lists = (names[name] for name in LISTS if name in names)
    key = next((key for key in lists if is_turn_list(value[key])), None)
    if key is None:
        return None
    system = _key(names, (SYSTEM, "system_prompt"))

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        turns = list_of_turns(record[key], notes)
        opening = record.get(system) if system else None
        if isinstance(opening, str) and opening.strip() and turns[0].role != SYSTEM:
            return (Turn(SYSTEM, opening), *turns)
        return turns

    return Plan(make, frozenset({key, system} if system else {key}))


def list_of_turns(items: Any, notes: list[str]) -> tuple[Turn, ...]:
    """Return the turns of a list of {speaker, words} objects."""
    if not isinstance(items, list) or not items:
        raise ShapeError("missing_role", "The list of turns is empty.")
    roles: list[str] = []
    texts: list[str] = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise ShapeError("not_text", f"Turn {number} is no object.")
        speaker, words = _turn_keys(tuple(item))
        if "tool_calls" in item and (words is None or item[words] is None):
            notes.append("a call of a tool was left out")
            continue
        if speaker is None or words is None:
            raise ShapeError("missing_role", f"Turn {number} has no speaker or no text.")
        roles.append(role_of(str(item[speaker])))
        texts.append(text_of(item[words], notes, f"the text of turn {number}"))
    if not texts:
        raise ShapeError("missing_role", "No turn holds text.")
    settled = settle_roles(roles)
    return tuple(map(Turn, settled, texts))


@lru_cache(1024)
def _turn_keys(keys: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Return which of an object's keys name the speaker and the words."""
    names = {plain(key): key for key in keys}
    return _key(names, SPEAKERS), _key(names, WORDS)


def text_of(value: Any, notes: list[str], what: str) -> str:
    """Return a field as text; numbers and truth values become text with a note."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        notes.append(f"{what} was {'a truth value' if isinstance(value, bool) else 'a number'}")
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        return _content_parts(value, notes, what)
    kind = {type(None): "empty", list: "a list", dict: "an object"}[type(value)]
    raise ShapeError("not_text", f"{what[0].upper()}{what[1:]} is {kind}.")


def _content_parts(parts: list[dict[str, Any]], notes: list[str], what: str) -> str:
    """Join the text parts of a message; pictures and sounds are left out with a note."""
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    if len(texts) < len(parts):
        notes.append(f"{what} had {len(parts) - len(texts)} parts that are not text")
    if not texts:
        raise ShapeError("not_text", f"{what[0].upper()}{what[1:]} holds no text.")
    return "\n".join(texts)


def _choice_plan(names: dict[str, str], value: dict[str, Any]) -> Plan | None:
    prompt, chosen = _key(names, ("prompt", "question", "input")), names.get("chosen")
    if chosen is None or "rejected" not in names:
        return None

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        answer = record[chosen]
        if is_turn_list(answer) and answer:
            return list_of_turns(answer, notes)
        if prompt is None:
            raise ShapeError("missing_role", "The record has no question.")
        asked = record[prompt]
        opening = (
            list_of_turns(asked, notes)
            if is_turn_list(asked)
            else (Turn(USER, text_of(asked, notes, prompt)),)
        )
        return (*opening, Turn(ASSISTANT, text_of(answer, notes, chosen)))

    return Plan(make, frozenset(filter(None, (prompt, chosen))))


def _instruction_plan(names: dict[str, str], value: dict[str, Any]) -> Plan | None:
    answer = _key(names, ("output", "response", "answer", "completion"))
    if "instruction" not in names or answer is None:
        return None
    asked, context = names["instruction"], _key(names, ("input", "context"))
    system = _key(names, (SYSTEM, "system_prompt"))

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        text = text_of(record[asked], notes, asked)
        more = record.get(context) if context else None
        if more is not None and more != "":
            text = f"{text}\n\n{text_of(more, notes, str(context))}"
        pair = (Turn(USER, text), Turn(ASSISTANT, text_of(record[answer], notes, answer)))
        return _with_system(record, system, pair)

    return Plan(make, frozenset(filter(None, (asked, context, answer, system))))


def _with_system(
    record: dict[str, Any], system: str | None, turns: tuple[Turn, ...]
) -> tuple[Turn, ...]:
    text = record.get(system) if system else None
    return (Turn(SYSTEM, text), *turns) if isinstance(text, str) and text.strip() else turns


def _answers_plan(names: dict[str, str], value: dict[str, Any]) -> Plan | None:
    """A question with a list of answers: the first one is taken, the others stay beside it."""
    question, answers = names.get("question"), names.get("answers")
    if question is None or answers is None or not isinstance(value[answers], list):
        return None

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        given = record[answers]
        first = given[0] if isinstance(given, list) and given else None
        told = first.get("text") if isinstance(first, dict) else first
        if not isinstance(told, str):
            raise ShapeError("missing_role", f"The record has {question!r} but no answer.")
        return Turn(USER, text_of(record[question], notes, question)), Turn(ASSISTANT, told)

    return Plan(make, frozenset({question}))


def shared_context(value: Any, key: str) -> str:
    """Return what a set of pairs is about: the text it shares, or the name of its object, or "".

    `key` is the word under which the object stands, "" for a whole file, whose name tells no pairs
    apart. An object that leaves its name empty is called by it.
    """
    if not isinstance(value, dict):
        return ""
    context = value.get("context") if isinstance(value.get("qas"), list) else ""
    if isinstance(context, str) and context:
        return context
    if not key or not {"name", "title"} & value.keys():
        return ""
    named = value.get("name", value.get("title"))
    if named is None or named == "":
        return key
    return named.strip() if isinstance(named, str) and len(named) <= LONGEST_NAME else ""


def _pair_plan(names: dict[str, str], value: dict[str, Any]) -> Plan | None:
    question, answer = _key(names, QUESTIONS), _key(names, ANSWERS)
    if question is None and answer is None:
        return None
    if question is None or answer is None:
        return _half_pair(question, answer)
    system = _key(names, (SYSTEM, "system_prompt"))

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        asked = Turn(USER, text_of(record[question], notes, question))
        answered = Turn(ASSISTANT, text_of(record[answer], notes, answer))
        return _with_system(record, system, (asked, answered))

    return Plan(make, frozenset(filter(None, (question, answer, system))))


def _half_pair(question: str | None, answer: str | None) -> Plan | None:
    """Name what is missing where the other half is unmistakable."""
    present = question or answer or ""
    if plain(present) not in {"input", "output", "question", "answer", "prompt", "completion"}:
        return None
    lacking = "no answer" if question else "no question"

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        raise ShapeError("missing_role", f"The record has {present!r} but {lacking}.")

    return Plan(make, frozenset({present}))


def _title_plan(names: dict[str, str], value: dict[str, Any]) -> Plan | None:
    title, body = _key(names, TITLES), _key(names, BODIES)
    if title is None or body is None:
        return None

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        asked = Turn(USER, text_of(record[title], notes, title))
        return asked, Turn(ASSISTANT, text_of(record[body], notes, body))

    return Plan(make, frozenset({title, body}))


def _text_plan(names: dict[str, str], value: dict[str, Any]) -> Plan | None:
    key = _key(names, (*CALLS, *TEXTS))
    if key is None or not names.keys().isdisjoint(("role", "from", "speaker", "sender")):
        return None
    if not isinstance(value[key], str | int | float | None):
        return None

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        text = text_of(record[key], notes, key)
        talk = transcripts.read_text(text)
        if talk is None:
            return (Turn(PASSAGE, text),)
        notes.extend(talk[1])
        return talk[0]

    return Plan(make, frozenset({key}))
