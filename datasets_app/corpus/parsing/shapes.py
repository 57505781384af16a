"""The shapes of conversations in JSON: pairs, messages, turns, questions, calls, texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, SYSTEM, USER, Turn
from datasets_app.corpus.parsing import own, transcripts
from datasets_app.corpus.parsing.casting import Roles, cast
from datasets_app.corpus.parsing.exchanges import best_of, is_wrong
from datasets_app.corpus.parsing.exports import are_of_threads, is_slack
from datasets_app.corpus.parsing.greetings import asks
from datasets_app.corpus.parsing.marked import marked_turns
from datasets_app.corpus.parsing.messages import LISTS, OF_TURNS, message_keys, squashed
from datasets_app.corpus.parsing.reviewed import EXCLUDE, refused, review_of
from datasets_app.corpus.parsing.said import ShapeError, first_key, keys_of, said_in, text_of
from datasets_app.corpus.parsing.speaking import TALKS, Known, is_of_talk
from datasets_app.corpus.parsing.tables import ANSWERS, QUESTIONS, plain

LOOKED_AT = 20  # elements of a list, of which some may be notices or pictures
NAMING = ("role", "from", "speaker", "sender", "sender_name", "agent", "participant", "sendername")
HISTORIES = ("history", "chat_history")
OPENINGS = ("source", "first_message", "initial_message", "opening_message", "conversation_message")
REQUESTERS = ("requester_id", "requester")
CALLS = ("content", "transcript")
TEXTS = ("text", "passage", "document")
TITLES = ("title", "question", "heading")
BODIES = ("body", "answer")
LONGEST_NAME = 120  # of what pairs are about; chosen by hand
LOOKED_AT_SIGNS = 2_000  # of a body
FEWEST_MINE = 2  # words for oneself in a body; one may stand in a heading or in a name
_MINE = re.compile(
    r"(?:\A|[^\w\s]\s|\b[a-z]{1,20}\s)I\s[a-z]|\b(?:I['’](?:m|ve|d|ll)|[Mm]y"
    r"|[Ii]ch|[Mm]eine?[nmrs]?|[Jj]['’]ai|[Ii]k|[Mm]ijn|[Tt]engo"
    r"|[Ee]u|[Mm]eu|[Mm]inha|[Яя]|[Мм]не|[Мм]ой)\b"
)
_STATES = re.compile(r"[.!。]\s")
_LIKED = frozenset({"prompt", "completion"})  # beside these a label says whether people like it
FEWEST_UNNAMED = 2  # elements of a list in which nobody is named


@dataclass(slots=True)
class Found:
    """The turns of a record, what was odd, its other fields, and what was decided elsewhere."""

    turns: tuple[Turn, ...]
    notes: list[str] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)
    decision: str = ""


Maker = Callable[[dict[str, Any], list[str]], tuple[Turn, ...]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How objects with one set of keys become turns; `used` keys are no metadata."""

    make: Maker
    used: frozenset[str]
    fits: Callable[[dict[str, Any]], bool] = bool
    """Whether an object with the same keys is of this shape, too."""
    is_half: bool = False
    """Whether it only says what is missing."""


class Shapes:
    """Recognises records; objects with the same keys are looked at once.

    `roles` holds what a person said about who speaks, as `casting.cast` takes it.
    """

    def __init__(self, roles: Roles | None = None) -> None:
        self._plans: dict[tuple[str, ...], Plan | None] = {}
        self._roles = roles or {}

    def recognise(self, value: Any) -> Found | None:
        """Return the conversation a value holds, or None when it has no known shape.

        Raises ShapeError when the shape is known but a question, an answer or a text is missing.
        """
        if not isinstance(value, dict):
            return None
        is_own = isinstance(value.get(own.KEY), dict)
        exact = own.exact_turns(value) if is_own else None
        if exact:
            return Found(exact, meta=own.own_fields(value))
        review = None if is_own else review_of(value)
        found = self._recognised(review.value if review else value, is_own=is_own)
        if found and review:
            found.decision = review.decision
            found.meta |= {"reviewed_elsewhere": review.told} if review.told else {}
        elif found and not is_own and any(turn.role == ASSISTANT for turn in found.turns):
            is_liked = isinstance(value.get("label"), bool) and value.keys() >= _LIKED
            if rated := refused(value, may_like=is_liked):
                found.decision = EXCLUDE
                found.meta |= {"reviewed_elsewhere": rated}
        return found

    def knows(self, value: dict[str, Any]) -> Known | None:
        """Return what a conversation or a text is made of that an object holds by its own keys."""
        names = _plain_names(value)
        if keys := _talk_in(value):
            return Known(frozenset(keys[:1]))
        tries = (_tree_plan, _choice_plan, _instruction_plan, _answers_plan, _pair_plan)
        plan = next((plan for make in tries if (plan := make(names, value, self._roles))), None)
        if plan:
            return None if plan.is_half else Known(frozenset())
        plan = _title_plan(names, value, self._roles) or _text_plan(names, value, self._roles)
        return Known(plan.used, is_weak=True) if plan else None

    def _recognised(self, value: dict[str, Any], *, is_own: bool) -> Found | None:
        keys = tuple(value)
        plan = self._plans.get(keys)
        if plan is None or not _fits(plan, value):
            if len(self._plans) > 10_000:
                self._plans.clear()
            plan = self._plans[keys] = _plan(value, self._roles)
        if plan is None:
            return None
        notes: list[str] = []
        turns = plan.make(value, notes)
        meta = {key: field for key, field in value.items() if key not in plan.used}
        if is_own:
            del meta[own.KEY]
            meta |= own.own_fields(value)
        return Found(turns, notes, meta)

    def turns(self, items: list[Any]) -> Found:
        """Return the conversation that a list of turns is by itself."""
        notes: list[str] = []
        return Found(list_of_turns(items, notes, self._roles), notes)


def _fits(plan: Plan, value: dict[str, Any]) -> bool:
    """Refuse a plan made for a list of turns where this object's list holds records."""
    lists = [(key, value[key]) for key in plan.used if plain(key) in LISTS]
    return plan.fits(value) and all(
        is_talk(key, items) for key, items in lists if isinstance(items, list)
    )


def _plan(value: dict[str, Any], roles: Roles) -> Plan | None:
    names = _plain_names(value)
    tries = (
        *(_tree_plan, _turns_plan, _choice_plan, _instruction_plan, _answers_plan),
        *(_pair_plan, _title_plan, _text_plan),
    )
    return next((plan for make in tries if (plan := make(names, value, roles))), None)


def is_turn_list(items: Any) -> bool:
    """Say whether the elements are objects with a speaker and words, as far as all have them."""
    if not isinstance(items, list) or not items or not isinstance(items[0], dict):
        return isinstance(items, list) and not items
    return any(_is_turn(item) for item in items[:LOOKED_AT] if isinstance(item, dict))


def _is_turn(item: dict[str, Any]) -> bool:
    speaker, words = keys_of(tuple(item))
    return speaker is not None and (words is not None or "tool_calls" in item)


def is_talk(key: str, items: Any) -> bool:
    """Say whether the list under a key is one conversation.

    It is where its elements name a speaker; where they name nobody, the key must say so.
    """
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return False
    if _are_of_several(items):
        return False
    if plain(key) not in LISTS:
        return any(map(is_named, items[:LOOKED_AT])) and is_turn_list(items)
    if is_turn_list(items):
        return True
    return len(items) >= FEWEST_UNNAMED and all(_is_unnamed(item) for item in items)


def is_named(item: dict[str, Any]) -> bool:
    """Say whether an element names a speaker by a key that means nothing else."""
    named = {plain(key): item[key] for key in item}
    is_told = not named.keys().isdisjoint(NAMING) or is_slack(item)
    return is_told or isinstance(named.get("author"), dict)


def _are_of_several(items: list[dict[str, Any]]) -> bool:
    """Say whether messages name conversations of their own, and not all the same."""
    if are_of_threads(items):
        return True
    keys = tuple(items[0]) if items else ()
    of_makers = (key for key in keys if TALKS.search(squashed(key)))
    key = message_keys(keys).conversation or next(of_makers, None)
    if key is None:
        return False
    named = {item[key] for item in items if isinstance(item.get(key), str | int)}
    return len(named) > 1


def _is_unnamed(item: dict[str, Any]) -> bool:
    speaker, words = keys_of(tuple(item))
    return speaker is None and words is not None and isinstance(item[words], str)


def _talk_in(value: dict[str, Any]) -> tuple[str, ...]:
    """Return the keys that lead to the list of turns in a record, or none.

    Two lists that no name tells apart are two conversations.
    """
    is_pair = any(plain(key) in {*ANSWERS, "chosen", "output"} for key in value)
    found: list[tuple[str, ...]] = [
        (key,)
        for key, items in value.items()
        if is_talk(key, items) and not (is_pair and plain(key) in HISTORIES)
    ]
    for key, inner in value.items():
        if isinstance(inner, dict) and plain(key) in LISTS and (below := _talk_in(inner)):
            found.append((key, *below))
    named = [keys for keys in found if plain(keys[0]) in LISTS]
    if named:
        return named[0]
    return found[0] if len(found) == 1 else ()


def _turns_plan(names: dict[str, str], value: dict[str, Any], roles: Roles) -> Plan | None:
    keys = _talk_in(value)
    if not keys:
        return None
    system = first_key(names, (SYSTEM, "system_prompt"))
    requester = first_key(names, REQUESTERS)
    openings = (names[name] for name in OPENINGS if name in names)
    opening = next((key for key in openings if _is_said(value[key])), None)

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        items: Any = record
        for key in keys:
            items = items.get(key) if isinstance(items, dict) else None
        if requester and isinstance(items, list):
            items = [_by_requester(item, record[requester]) for item in items]
        first = record.get(opening) if opening else None
        if isinstance(items, list) and _is_said(first):
            items = [first, *items]
        turns = list_of_turns(items, notes, roles)
        return _with_system(record, system, turns) if turns[0].role != SYSTEM else turns

    return Plan(make, frozenset(filter(None, (keys[0], system, opening))))


def _by_requester(item: Any, requester: Any) -> Any:
    """Return a comment of a ticket with its writer's role: who opened the ticket asks."""
    asked = requester.get("id") if isinstance(requester, dict) else requester
    writer = item.get("author_id") if isinstance(item, dict) else None
    if writer is None or asked is None:
        return item
    return {**item, "role": USER if writer == asked else ASSISTANT}


def _is_said(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    speaker, words = keys_of(tuple(value))
    return speaker is not None and words is not None and isinstance(value[words], str)


def list_of_turns(items: Any, notes: list[str], roles: Roles) -> tuple[Turn, ...]:
    """Return the turns of a list of objects with words, and speakers where these are named."""
    if not isinstance(items, list) or not items:
        raise ShapeError("missing_role", "The list of turns is empty.")
    turns = cast(said_in(items, notes), roles, notes)
    if not turns:
        raise ShapeError("missing_role", "No turn holds text.")
    return turns


def _tree_plan(names: dict[str, str], value: dict[str, Any], roles: Roles) -> Plan | None:
    """A conversation with its other tries, as ChatGPT exports it: the branch last shown."""
    tree, last = names.get("mapping"), names.get("current_node")
    if tree is None or last is None or not isinstance(value[tree], dict):
        return None

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        nodes, at = record[tree], record[last]
        branch: list[dict[str, Any]] = []
        passed = 0
        while isinstance(at, str) and isinstance(node := nodes.get(at), dict):
            passed += 1
            message = node.get("message")
            if isinstance(message, dict) and _is_shown(message):
                branch.append({"author": message.get("author"), "content": message["content"]})
            at = node.get("parent") if passed < len(nodes) else None
        if len(nodes) > passed:
            notes.append("other tries of this conversation were left out")
        return list_of_turns(branch[::-1], notes, roles)

    return Plan(make, frozenset({tree, last}))


def _is_shown(message: dict[str, Any]) -> bool:
    content = message.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    metadata = message.get("metadata")
    if isinstance(metadata, dict) and metadata.get("is_visually_hidden_from_conversation"):
        return False
    if message.get("recipient") not in {None, "all"}:
        return False  # a call of a tool
    return isinstance(parts, list) and any(isinstance(part, str) and part for part in parts)


def _choice_plan(names: dict[str, str], value: dict[str, Any], roles: Roles) -> Plan | None:
    prompt, chosen = first_key(names, ("prompt", "question", "input")), names.get("chosen")
    if chosen is None or "rejected" not in names:
        return None

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        answer = record[chosen]
        if is_turn_list(answer) and answer:
            return list_of_turns(answer, notes, roles)
        if prompt is None:
            raise ShapeError("missing_role", "The record has no question.")
        asked = record[prompt]
        opening = (
            list_of_turns(asked, notes, roles)
            if is_turn_list(asked)
            else (Turn(USER, text_of(asked, notes, prompt)),)
        )
        return (*opening, Turn(ASSISTANT, text_of(answer, notes, chosen)))

    return Plan(make, frozenset(filter(None, (prompt, chosen))))


def _instruction_plan(names: dict[str, str], value: dict[str, Any], roles: Roles) -> Plan | None:
    answer = first_key(names, ("output", "response", "answer", "completion"))
    if "instruction" not in names:
        return None
    if answer is None:
        return _instances_plan(names, value, roles)
    asked, context = names["instruction"], first_key(names, ("input", "context"))
    system, history = first_key(names, (SYSTEM, "system_prompt")), first_key(names, HISTORIES)

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        text = text_of(record[asked], notes, asked)
        more = record.get(context) if context else None
        if more is not None and more != "":
            text = f"{text}\n\n{text_of(more, notes, str(context))}"
        pair = (Turn(USER, text), Turn(ASSISTANT, text_of(record[answer], notes, answer)))
        before = _history(record, history, notes, roles)
        return _with_system(record, system, (*before, *pair))

    return Plan(make, frozenset(filter(None, (asked, context, answer, system, history))))


def _instances_plan(names: dict[str, str], value: dict[str, Any], roles: Roles) -> Plan | None:
    """An instruction above a list of inputs with their outputs: the first one is taken."""
    listed = names.get("instances")
    first = _first_of(value, listed)
    if listed is None or first.keys().isdisjoint(("output", "response", "answer", "completion")):
        return None
    inner = _instruction_plan(_plain_names({**value, **first}), {**value, **first}, roles)
    if inner is None:
        return None

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        if len(record[listed]) > 1:
            notes.append(f"{len(record[listed]) - 1} further examples of it were left out")
        return inner.make({**record, **_first_of(record, listed)}, notes)

    return Plan(make, inner.used & value.keys() | {listed})


def _first_of(record: dict[str, Any], key: str | None) -> dict[str, Any]:
    listed: Any = record.get(key) if key else None
    is_listed = isinstance(listed, list) and bool(listed) and isinstance(listed[0], dict)
    return dict(listed[0]) if is_listed else {}


def _plain_names(value: dict[str, Any]) -> dict[str, str]:
    return {plain(key): key for key in value}


def _history(
    record: dict[str, Any], key: str | None, notes: list[str], roles: Roles
) -> tuple[Turn, ...]:
    """Return what was said before the pair of a record: pairs of texts, or turns."""
    told = record.get(key) if key else None
    if not isinstance(told, list) or not told:
        return ()
    if all(isinstance(item, dict) for item in told):
        return list_of_turns(told, notes, roles)
    pairs = [pair for pair in told if isinstance(pair, list) and len(pair) == 2]
    texts = [text for pair in pairs for text in pair]
    if len(pairs) < len(told) or not all(isinstance(text, str) for text in texts):
        notes.append("what was said before was left out: it is no list of questions and answers")
        return ()
    return tuple(Turn(ASSISTANT if n % 2 else USER, text) for n, text in enumerate(texts))


def _with_system(
    record: dict[str, Any], system: str | None, turns: tuple[Turn, ...]
) -> tuple[Turn, ...]:
    text = record.get(system) if system else None
    return (Turn(SYSTEM, text), *turns) if isinstance(text, str) and text.strip() else turns


def _answers_plan(names: dict[str, str], value: dict[str, Any], roles: Roles) -> Plan | None:
    """A question with a list of answers: the best or first one; the others stay beside it."""
    question, answers = names.get("question"), names.get("answers")
    if question is None or answers is None or not isinstance(value[answers], list):
        return None

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        given = record[answers]
        first = given[0] if isinstance(given, list) and given else None
        if isinstance(first, dict) and all(isinstance(one, dict) for one in given):
            first = best_of(given) or next((one for one in given if not is_wrong(one)), None)
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


def _pair_plan(names: dict[str, str], value: dict[str, Any], roles: Roles) -> Plan | None:
    question, answer = first_key(names, QUESTIONS), first_key(names, ANSWERS)
    if question is None and answer is None:
        return None
    if question is None or answer is None:
        return _half_pair(question, answer)
    system, history = first_key(names, (SYSTEM, "system_prompt")), first_key(names, HISTORIES)

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        asked = Turn(USER, _first_wording(record[question], notes, question))
        answered = Turn(ASSISTANT, text_of(record[answer], notes, answer))
        before = _history(record, history, notes, roles)
        return _with_system(record, system, (*before, asked, answered))

    return Plan(make, frozenset(filter(None, (question, answer, system, history))))


def _first_wording(value: Any, notes: list[str], what: str) -> str:
    """Return a question; of several ways to ask it the first."""
    if isinstance(value, list) and len(value) > 1 and all(isinstance(one, str) for one in value):
        notes.append(f"{len(value) - 1} other ways to ask it were left out")
        value = value[0]
    return text_of(value, notes, what)


def _half_pair(question: str | None, answer: str | None) -> Plan | None:
    """Name what is missing where the other half is unmistakable."""
    present = question or answer or ""
    if plain(present) not in {"input", "output", "question", "answer", "prompt", "completion"}:
        return None
    lacking = "no answer" if question else "no question"

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        raise ShapeError("missing_role", f"The record has {present!r} but {lacking}.")

    return Plan(make, frozenset({present}), is_half=True)


def _title_plan(names: dict[str, str], value: dict[str, Any], roles: Roles) -> Plan | None:
    """A title above a body that answers it: not one in which whoever asks goes on."""
    title, body = first_key(names, TITLES), first_key(names, BODIES)
    if title is None or body is None or _is_of_asker(value[body]):
        return None

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        asked = Turn(USER, text_of(record[title], notes, title))
        return asked, Turn(ASSISTANT, text_of(record[body], notes, body))

    return Plan(make, frozenset({title, body}), lambda record: not _is_of_asker(record[body]))


def _is_of_asker(body: Any) -> bool:
    """Say whether a body tells what somebody lacks, or is a question, and answers nothing."""
    if not isinstance(body, str):
        return False
    told = body[:LOOKED_AT_SIGNS]
    is_question = asks(body) and not _STATES.search(told)
    return is_question or len(_MINE.findall(told)) >= FEWEST_MINE


def _text_plan(names: dict[str, str], value: dict[str, Any], roles: Roles) -> Plan | None:
    key = first_key(names, (*CALLS, *TEXTS))
    is_turn = not OF_TURNS.isdisjoint(names) or is_of_talk(tuple(value))
    if key is None or is_slack(value) or is_turn:
        return None
    if not isinstance(value[key], str | int | float | None):
        return None

    def make(record: dict[str, Any], notes: list[str]) -> tuple[Turn, ...]:
        text = text_of(record[key], notes, key)
        if marked := marked_turns(text):
            return marked
        talk = transcripts.read_text(text, roles)
        if talk is None:
            return (Turn(PASSAGE, text),)
        notes.extend(talk[1])
        return talk[0]

    return Plan(make, frozenset({key}))
