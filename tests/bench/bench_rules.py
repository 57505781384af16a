"""Short pairs a second through all rules, and how often they agree with a person."""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import Policy
from tests.datasets_app.corpus.labelled import measured, table

PAIRS, ROUNDS, ANSWER_WORDS = 2_000, 7, 50
SMALLEST = {"PAIRS": 20, "ROUNDS": 2}
_VOWELS, _CONSONANTS = "aeiou", "bcdfglmnprst"
_SMALL = "the a of and to in is you it for on with as at this that we our can be".split()
_CUT = set(
    "a an the of in on at to for with from by about as and or but nor so is are was were be been "
    "am have has had do does did can could will would shall should may might must that which who "
    "what when where why how like than because if".split()
)


def run() -> dict[str, float]:
    """Return pairs per second of both, how many times faster the rules are, and how right."""
    pairs = _pairs()
    conversations = [
        Conversation((Turn(USER, question), Turn(ASSISTANT, answer))) for question, answer in pairs
    ]
    policy = Policy()
    ours, theirs = _interleaved(
        lambda: [judge(conversation, policy) for conversation in conversations],
        lambda: [slow_reference(question, answer) for question, answer in pairs],
    )
    return {
        "rules_pairs_per_second": PAIRS / ours,
        "reference_pairs_per_second": PAIRS / theirs,
        "ratio": theirs / ours,
        "long_text_megabytes_per_second": _long_text_speed(policy),
        **_agreement(),
    }


def _agreement() -> dict[str, float]:
    """Return the worst precision and recall of a rule and a language; print the tables."""
    figures: dict[str, float] = {}
    for name, unseen in (("fitted", False), ("unseen", True)):
        found = measured(unseen=unseen)
        print(f"{name}:", *table(found), sep="\n", file=sys.stderr)  # noqa: T201
        rules = [one for one in found.rules.values() if one.right + one.missed]
        figures |= {
            f"{name}.precision": min(one.precision for one in rules),
            f"{name}.recall": min(one.recall for one in rules),
            f"{name}.language_precision": min(
                one.precision for one in found.languages.values() if one.right + one.false
            ),
        }
    return figures


def slow_reference(question: str, answer: str) -> list[str]:
    """Return the six labels by the definitions that `known-defects.md` describes."""
    checks = {
        "empty": not answer.strip(),
        "too short": len(answer.split()) < 3,
        "repetitive": _repetition(answer) > 0.3,
        "gibberish": _is_gibberish(answer),
        "incomplete": _is_incomplete(answer),
        "echo": _is_echo(question, answer),
    }
    return [label for label, found in checks.items() if found]


def _repetition(answer: str) -> float:
    words = answer.lower().split(" ")
    if len(answer) < 10 or len(words) < 3:
        return 0.0
    found = looked_at = 0
    for start in range(len(words) - 3):
        looked_at += 1
        found += " ".join(words[start : start + 2]) in " ".join(words[start + 2 :])
    for start in range(len(words) - 5):
        looked_at += 1
        found += 2 * (" ".join(words[start : start + 3]) in " ".join(words[start + 3 :]))
    return min(1.0, found / max(1, looked_at))


def _is_gibberish(answer: str) -> bool:
    solid = [character for character in answer if not character.isspace()]
    if not solid or answer in {"http://", "https://"}:
        return True
    return sum(character.isalpha() for character in solid) / len(solid) < 0.3


def _is_incomplete(answer: str) -> bool:
    text = answer.lower().rstrip()
    if any(text.endswith(f" {word}") for word in _CUT):
        return True
    words = text.split()
    return not text.endswith(tuple(".!?;:,'\")]}")) and len(words) > 3 and len(words[-1]) <= 2


def _is_echo(question: str, answer: str) -> bool:
    asked, said = question.lower().split(), answer.lower().split()
    if len(asked) >= 4 and len(said) >= 4:
        head = " ".join(asked[:8])
        if " ".join(said[:8]).startswith(head[: len(head) // 2]):
            return True
    if len(question) <= 10:
        return False
    distinct = set(asked)
    shared = sum(word in said for word in distinct)
    return question.lower() in answer.lower() or (
        len(distinct) > 3 and shared / len(distinct) > 0.6
    )


def _interleaved(*tasks: Callable[[], object]) -> list[float]:
    """Return the median seconds of each task, run by turns so that noise hits all alike."""
    seconds: list[list[float]] = [[] for _ in tasks]
    for _ in range(ROUNDS):
        for task, taken in zip(tasks, seconds, strict=True):
            start = time.perf_counter()
            task()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in seconds]


def _long_text_speed(policy: Policy) -> float:
    rng = random.Random(11)  # noqa: S311
    vocabulary = _vocabulary(rng)
    answer = _sentences(rng, vocabulary, 6_500)
    conversation = Conversation((Turn(USER, "Tell me all of it, please."), Turn(ASSISTANT, answer)))
    (taken,) = _interleaved(lambda: judge(conversation, policy))
    return len(answer.encode()) / taken / 1e6


def _pairs() -> list[tuple[str, str]]:
    rng = random.Random(7)  # noqa: S311
    vocabulary = _vocabulary(rng)
    return [
        (_sentences(rng, vocabulary, 12)[:-1] + "?", _sentences(rng, vocabulary, ANSWER_WORDS))
        for _ in range(PAIRS)
    ]


def _vocabulary(rng: random.Random) -> list[str]:
    def word() -> str:
        syllables = (rng.choice(_CONSONANTS) + rng.choice(_VOWELS) for _ in range(3))
        return "".join(syllables) + rng.choice(["", "n", "s", "r"])

    return [word() for _ in range(4_000)]


def _sentences(rng: random.Random, vocabulary: list[str], count: int) -> str:
    words = [
        rng.choice(_SMALL) if rng.random() < 0.45 else rng.choice(vocabulary) for _ in range(count)
    ]
    marked = [f"{word}." if place % 12 == 11 else word for place, word in enumerate(words)]
    return (" ".join(marked).rstrip(".") + ".").capitalize()
