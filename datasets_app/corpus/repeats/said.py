"""What of a conversation is compared with others: its keys, its question, its first answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise

from datasets_app.corpus.conversation import ASSISTANT, PASSAGE, SYSTEM, USER, Conversation
from datasets_app.corpus.repeats.facts import DECIDING, deciding_words
from datasets_app.corpus.rules.small_words import ALL_STOP_WORDS, QUESTION_WORDS
from datasets_app.corpus.rules.words import QUESTION_MARKS
from datasets_app.corpus.split import bare, exact_keys

MOST_COMPARED = 20_000  # signs of a text; what stands behind them is compared by the exact key
FEWEST_WORDS = 3  # of a question that is one without a question mark
ASKING = QUESTION_WORDS | frozenset(
    "what when where who whom whose which was wann wo wer wen wem welche welcher welches que quoi "
    "quand où qui quel quelle qué cuándo dónde quién cuál cosa quando dove chi quale onde quem "
    "qual wat wanneer waar wie welke что когда где кто какой".split()
)
EMPTY_WORDS = ALL_STOP_WORDS - ASKING - DECIDING


@dataclass(frozen=True, slots=True)
class Said:
    """A conversation as it is compared: keys are 64-bit numbers, 0 where there is nothing."""

    exact: int
    beginnings: tuple[int, ...]  # the exact keys after its second turn and on, the last left out
    text: str  # bare, all turns
    words: int
    facts: int  # of its numbers and negations
    question: str  # bare; "" where it asks nothing that can be compared
    asked: int  # question and system prompt
    meant: int  # the same, by the words that carry meaning
    answer: int  # of the first answer


def said(conversation: Conversation) -> Said:
    """Return what is compared of a conversation."""
    turns = [(turn.role, bare(turn.text)) for turn in conversation.turns]
    keys = [int(key[:16], 16) for key in exact_keys(turns)]
    text = "\n".join(told for _, told in turns)[:MOST_COMPARED]
    question, answer = first_exchange(turns)
    if not is_comparable(question, conversation):
        question = ""
    setting = next((told for role, told in turns if role == SYSTEM), "")
    return Said(
        exact=keys[-1],
        beginnings=tuple(keys[2:-1]),
        text=text,
        words=text.count(" ") + len(turns),
        facts=key_of(*sorted(deciding_words(text))),
        question=question,
        asked=key_of(setting, question) if question else 0,
        meant=key_of(setting, *meaning_words(question)) if question else 0,
        answer=key_of(answer) if question else 0,
    )


def first_exchange(turns: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return the first question and the answer right behind it, or two empty texts."""
    for (role, text), (next_role, answer) in pairwise(turns):
        if role == USER:
            return (text, answer) if next_role == ASSISTANT and answer else ("", "")
    return "", ""


def stored_exchange(conversation: Conversation) -> tuple[str, str]:
    """Return the first question and its answer as they are stored; of a passage, "" and it."""
    turns = [(turn.role, turn.text) for turn in conversation.turns]
    if len(turns) == 1 and turns[0][0] == PASSAGE:
        return "", turns[0][1]
    return first_exchange(turns)


def is_comparable(question: str, conversation: Conversation) -> bool:
    """Tell whether a question says enough to have one right answer: “Hello” does not."""
    if not question:
        return False
    stored = next(turn.text for turn in conversation.turns if turn.role == USER)
    is_long = question.count(" ") + 1 >= FEWEST_WORDS or not question.isascii()
    carried = meaning_words(question)
    if stored.rstrip().endswith(QUESTION_MARKS):
        return bool(carried)
    return is_long and len(carried) > 1


def meaning_words(question: str) -> list[str]:
    """Return the words of a bare question that carry its meaning, in order."""
    return [word for word in question.split() if word not in EMPTY_WORDS]


def key_of(*parts: str) -> int:
    """Return a key of texts in this order; 0 of none."""
    if not parts:
        return 0
    told = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(told, digest_size=8).digest(), "big") or 1


def answer_place(conversation: Conversation) -> int | None:
    """Return where the first answer stands; of a passage, its only turn."""
    if conversation.is_passage:
        return 0
    for place, (turn, following) in enumerate(pairwise(conversation.turns), start=1):
        if turn.role == USER:
            return place if following.role == ASSISTANT else None
    return None
