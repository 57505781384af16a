"""Records whose question, or answer, is an object or a list of its own, as one list of turns.

So programs write what a model was asked beside what it said: preference data, traces, logs of
calls, trees of answers, intents of a bot.
"""

from __future__ import annotations

from typing import Any

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, USER, Turn
from datasets_app.corpus.parsing.marked import bare, begins_marked, ends_marked, marked_turns
from datasets_app.corpus.parsing.said import NO, YES, part_text
from datasets_app.corpus.parsing.tables import plain
from datasets_app.corpus.roles import KNOWN, role_of

ASKED = ("input", "inputs", "prompt", "request", "question", "query", "messages")
ANSWERED = (
    *("output", "outputs", "completion", "response", "chosen", "answer", "generation"),
    "generations",
)
INSIDE = (
    *("messages", "choices", "generations", "message", "data", "kwargs", "body", "output"),
    *("content", "text", "input", "question", "query", "prompt", "answer", "response"),
)
TRIES = frozenset({"choices", "generations", "generation", "candidates", "responses"})
THOUGHTS = frozenset({"reasoning", "thinking", "redacted_thinking"})
MOST_LEVELS = 6

Turns = list[dict[str, Any]]


def arranged(value: Any) -> Any:
    """Return a record with its turns under `messages`; any other value as it is."""
    if not isinstance(value, dict):
        return value
    names = {plain(key): key for key in reversed(value)}
    for make in (_tree, _intent, _best_answer, _exchange):
        found = make(value, names)
        if found is not None:
            return found
    return value


def _exchange(value: dict[str, Any], names: dict[str, str]) -> dict[str, Any] | None:
    asked = next((names[name] for name in ASKED if name in names), None)
    told = next((names[name] for name in ANSWERED if name in names), None)
    if told is None or "instruction" in names or (asked is None and plain(told) != "chosen"):
        return None
    question = value[asked] if asked else ""
    if _are_plain(question, value[told]):
        return None
    turns = _whole(question, value[told], plain(told), is_log=plain(asked or "") == "messages")
    others = {key: held for key, held in value.items() if key not in {asked, told, "messages"}}
    return {**others, "messages": turns} if turns else None


def _whole(question: Any, told: Any, key: str, *, is_log: bool) -> Turns:
    """Return what was asked and answered; [] where half of it is missing, or a log has both."""
    opening = _turns(question, USER)
    answer = _split(told, opening) or _turns(told, ASSISTANT, key=key)
    if answer and any(one["role"] == USER for one in answer):
        return answer
    is_answered = is_log and bool(opening) and opening[-1]["role"] != USER
    return opening + answer if opening and answer and not is_answered else []


def _are_plain(question: Any, answer: Any) -> bool:
    """Say whether both are texts in which nobody marked whose turn it is."""
    if not isinstance(question, str) or not isinstance(answer, str):
        return False
    return not _opening(question) and not _split(answer, _turns(question, USER))


def _split(told: Any, opening: Turns) -> Turns:
    """Return the turns of an answer that is a whole talk; [] for one that only shows a template.

    A talk begins with its mark and says again what was asked, if that stands beside it.
    """
    marked = marked_turns(told) if isinstance(told, str) else ()
    if not marked or (opening and not begins_marked(told)):
        return []
    asked = [turn["content"] for turn in opening if turn["role"] == USER]
    is_repeated = all(str(text).strip() in told for text in asked[-1:])
    return _as_turns(marked) if is_repeated else []


def _opening(question: str) -> Turns:
    """Return the turns of a prompt in a template: it begins with a mark, or ends with one."""
    is_prompt = begins_marked(question) or ends_marked(question)
    return _as_turns(marked_turns(question, is_open=True)) if is_prompt else []


def _as_turns(marked: tuple[Turn, ...]) -> Turns:
    return [{"role": turn.role, "content": turn.text} for turn in marked]


def _turns(value: Any, role: str, level: int = 0, key: str = "") -> Turns:
    """Return what somebody of a role says in a value; [] where nothing is told plainly."""
    if level > MOST_LEVELS:
        return []
    if isinstance(value, str):
        return _of_text(value, role)
    if isinstance(value, list):
        return _of_list(value, role, level, key)
    if isinstance(value, dict) and (turn := _turn(value)):
        return [turn]
    for name in INSIDE if isinstance(value, dict) else ():
        if value.get(name) and (found := _turns(value[name], role, level + 1, name)):
            return found
    return []


def _of_text(value: str, role: str) -> Turns:
    if role == USER and (opening := _opening(value)):
        return opening
    return [{"role": role, "content": bare(value)}] if value.strip() else []


def _of_list(value: list[Any], role: str, level: int, key: str) -> Turns:
    """Return the turns of a list, or the one that its parts are; of several tries the first."""
    turns = [turn for one in value if isinstance(one, dict) and (turn := _turn(one))]
    if turns:
        return turns
    parts = [one for one in value if isinstance(one, dict) and str(one.get("type")) not in THOUGHTS]
    texts = [text for one in parts if (text := part_text(one))]
    if texts and key not in TRIES:
        return [{"role": role, "content": bare("\n".join(texts))}]
    first = value[0] if value else None
    return _turns(first, role, level + 1) if isinstance(first, dict | list) else []


def _turn(value: dict[str, Any]) -> dict[str, Any] | None:
    """Return a message whose role stands in it, as the makers of models write them."""
    inner = value.get("data", value.get("kwargs"))
    inner = inner if isinstance(inner, dict) else value
    kind = value.get("role") or value.get("from") or inner.get("role") or inner.get("type")
    named = kind if isinstance(kind, str) else ""
    ids = value.get("id")
    if not named and isinstance(ids, list) and ids:
        named = str(ids[-1]).removesuffix("Message")  # as LangChain writes its classes
    role = role_of(named.removesuffix("Message"))
    words = inner.get("content", inner.get("value", inner.get("text")))
    if role not in KNOWN - {PASSAGE}:
        return None
    if words is None or words == []:
        return {"role": role, "content": None, "tool_calls": []}
    weight = {"weight": value["weight"]} if "weight" in value else {}
    return {"role": role, "content": words, **weight}


def _tree(value: dict[str, Any], names: dict[str, str]) -> dict[str, Any] | None:
    """A message with its replies, and theirs: the best branch, as people ranked it."""
    root = value.get("prompt") if isinstance(value.get("prompt"), dict) else value
    if not isinstance(root, dict) or not isinstance(root.get("replies"), list):
        return None
    turns: Turns = []
    at: Any = root
    while isinstance(at, dict) and len(turns) < 1_000:
        words, role = at.get("text", at.get("content")), at.get("role")
        if not isinstance(words, str) or not isinstance(role, str):
            return None
        turns.append({"role": role, "content": words})
        replies = at.get("replies")
        shown = [one for one in replies or [] if isinstance(one, dict) and not one.get("deleted")]
        at = min(shown, key=_rank) if shown else None
    others = {key: held for key, held in value.items() if not isinstance(held, dict | list)}
    return {key: others[key] for key in others if key not in {"text", "role", "content"}} | {
        "messages": turns
    }


def _rank(one: dict[str, Any]) -> int:
    rank = one.get("rank")
    return rank if isinstance(rank, int) else 1 << 30


def _intent(value: dict[str, Any], names: dict[str, str]) -> dict[str, Any] | None:
    """An intent of a bot: what people may say, and what the bot says then."""
    said = value.get("userSays", value.get("trainingPhrases", value.get("patterns")))
    told = value.get("responses", value.get("messages"))
    if not isinstance(said, list) or not isinstance(told, list):
        return None
    phrases = [text for one in said if (text := _phrase(one))]
    answer = next((text for one in told if (text := _speech(one))), "")
    if not phrases or not answer:
        return None
    others = {"name": value.get("name", value.get("displayName", value.get("tag")))}
    more = {"also_asked": phrases[1:]} if phrases[1:] else {}
    return {**others, **more, "question": phrases[0], "answer": answer}


def _phrase(one: Any) -> str:
    if isinstance(one, str):
        return one.strip()
    parts = one.get("data", one.get("parts")) if isinstance(one, dict) else None
    told = [part.get("text") for part in parts or [] if isinstance(part, dict)]
    return "".join(text for text in told if isinstance(text, str)).strip()


def _speech(one: Any) -> str:
    """Return the first text that a bot says."""
    if isinstance(one, str):
        return one
    if isinstance(one, list):
        return next((text for part in one if (text := _speech(part))), "")
    if not isinstance(one, dict):
        return ""
    return next(
        (text for key in ("speech", "text", "messages") if (text := _speech(one.get(key)))), ""
    )


def _best_answer(value: dict[str, Any], names: dict[str, str]) -> dict[str, Any] | None:
    """A question with the answers of several people: the accepted or best rated one."""
    answers = value.get(names.get("answers", ""))
    title = value.get(names.get("title", ""), "")
    body = next((value[names[name]] for name in _BODIES if name in names), "")
    if not isinstance(answers, list) or not all(isinstance(one, dict) for one in answers):
        return None
    told = [one for one in answers if _text_in(one)]
    asked = "\n\n".join(text for text in (title, body) if isinstance(text, str) and text.strip())
    if not told or not asked or "question" in names:
        return None
    best = best_of(told)
    if best is None:
        return None
    used = {names.get(name) for name in ("answers", "title", *_BODIES)}
    others = {key: held for key, held in value.items() if key not in used}
    return {**others, "question": asked, "answer": _text_in(best)}


_BODIES = ("body_markdown", "body", "text", "content", "question_body")


def _text_in(one: dict[str, Any]) -> str:
    found = (one.get(key) for key in (*_BODIES, "answer"))
    return next((text for text in found if isinstance(text, str) and text.strip()), "")


ACCEPTED = ("is_accepted", "accepted", "best", "is_best")
CORRECT = ("is_correct", "correct", "iscorrect")
SCORES = ("score", "votes", "upvotes")


def best_of(answers: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the answer that is marked as right, or rated best; None where nobody said which.

    One that is marked as wrong is none.
    """
    left = [one for one in answers if not is_wrong(one)]
    marked = [one for one in left if _marked(one, (*CORRECT, *ACCEPTED))]
    scores = [_score(one) for one in left]
    if not marked and len(left) > 1 and all(score is None for score in scores):
        return None
    return max(marked or left, key=lambda one: _score(one) or 0.0, default=None)


def _marked(one: dict[str, Any], keys: tuple[str, ...]) -> bool | None:
    """Return yes or no as one of the keys says it; None where none does."""
    told = [one[key] for key in keys if key in one]
    if any(mark in YES for mark in told):
        return True
    return False if any(mark in NO for mark in told) else None


def is_wrong(one: dict[str, Any]) -> bool:
    return _marked(one, CORRECT) is False


def _score(one: dict[str, Any]) -> float | None:
    score = next((one[key] for key in SCORES if key in one), None)
    try:
        return float(score) if isinstance(score, int | float | str) else None
    except (ValueError, OverflowError):
        return None
