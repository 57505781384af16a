"""Answers that say the same thing again and again, in time linear in their length."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from datasets_app.corpus.rules.code import is_code, without_fences
from datasets_app.corpus.rules.finding import Span, Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.rule import Limits, Recommendation, Rule, Threshold
from datasets_app.corpus.rules.words import word_spans, words_of

GRAM_SIZES = range(5, 11)
MOST_SPANS = 100
LONGEST_LOOP = 40  # words
_SENTENCE_END = re.compile(r"[.!?。！？।\n]")


def repetitive(answer: Numbers, limits: Limits) -> Verdict | None:
    """Object to repeated three-word groups, long repeated passages, or repeated lines.

    Code between fences repeats names by nature: there only whole lines count.
    """
    return _repeated_groups(_prose_of(answer), limits) or _repeated_lines(answer, limits)


def repetitive_passage(text: Numbers, limits: Limits) -> Verdict | None:
    """Object to a piece of a document only when most of it repeats: tables and code may."""
    prose = _prose_of(text)
    repeats = _trigram_repeats(prose.words)
    found = _repeated_trigrams(prose, repeats, {**limits, "repeated_trigrams": limits["passage"]})
    return found if found and said_again(prose) > limits["said_again"] else None


def _prose_of(text: Numbers) -> Numbers:
    """Return the text with blanks for what stands between code fences; offsets stay."""
    if "```" not in text.text:
        return text
    prose = without_fences(text.text)
    words = words_of(prose)
    return replace(text, text=prose, words=words, distinct=set(words))


def said_again(text: Numbers) -> float:
    """Return the share of words in sentences or loops that were there before, word for word.

    Lists, tables and sums say much the same in every line, and yet something else in each.
    """
    seen: set[tuple[str, ...]] = set()
    again = 0
    for sentence in _SENTENCE_END.split(text.text):
        words = tuple(words_of(sentence))
        if words in seen:
            again += len(words)
        seen.add(words)
    return max(again, _looped(text.words)) / max(1, len(text.words))


def _looped(words: Sequence[str]) -> int:
    """Return how many words stand in loops: runs that repeat what stood a few words before."""
    most = 0
    for period in range(1, min(LONGEST_LOOP, len(words) // 2) + 1):
        total = run = 0
        for word, before in zip(words[period:], words, strict=False):
            if word == before:
                run += 1
                continue
            total += run if run >= period else 0
            run = 0
        most = max(most, total + (run if run >= period else 0))
    return most


def _repeated_groups(answer: Numbers, limits: Limits) -> Verdict | None:
    count = len(answer.words)
    if count < limits["words"]:
        return None
    is_long = count >= limits["long_words"]
    # n words of which d differ hold at least d - 2 different groups of three
    repeats = count - len(answer.distinct)
    if is_long or repeats > limits["repeated_trigrams"] * (count - 2):
        repeats = _trigram_repeats(answer.words)
    found = _repeated_trigrams(answer, repeats, limits) or (
        _repeated_passages(answer, repeats, limits) if is_long else None
    )
    return found if found and said_again(answer) > limits["said_again"] else None


def _trigram_repeats(words: Sequence[str]) -> int:
    """Return how many groups of three words were there before."""
    distinct = set(zip(words, words[1:], words[2:], strict=False))
    return max(0, len(words) - 2 - len(distinct))


def _repeated_trigrams(answer: Numbers, repeats: int, limits: Limits) -> Verdict | None:
    limit, words = limits["repeated_trigrams"], answer.words
    if repeats <= limit * (len(words) - 2):
        return None
    if is_code(answer.text):  # a matrix repeats 0 and 1
        words = [word for word in words if not word.isdigit()]
        repeats = _trigram_repeats(words)
    if len(words) < limits["words"] or repeats <= limit * (len(words) - 2):
        return None
    share = repeats / (len(words) - 2)
    note = f"{share:.0%} of its groups of three words were there before"
    return Verdict(share, limit, note, _repeat_spans(answer, 3, 2))


def _repeated_passages(answer: Numbers, repeats: int, limits: Limits) -> Verdict | None:
    if not repeats:
        return None
    words, times = answer.words, max(2, int(limits["times"]))
    characters = sum(map(len, words))
    least = min(limits[f"repeated_{size}grams"] for size in GRAM_SIZES)
    # Of the words inside such groups, 3 of 5 start a group of three that was there before,
    # but for its first occurrence. Too few of those: no need to look.
    most_words = repeats / (0.6 * (times - 1) / times)
    if most_words * max(map(len, words)) < least * characters:
        return None
    stretch = 2 if answer.has_letters else 1  # a word of a letter script is about two letters
    for size in (size * stretch for size in GRAM_SIZES):
        covered = _covered(words, size, times)
        if not covered:
            return None  # no longer group can come back either
        share = sum(len(words[index]) for index in covered) / characters
        limit = limits[f"repeated_{size // stretch}grams"]
        if share > limit:
            note = f"{share:.0%} of it are groups of {size} words that come back"
            return Verdict(share, limit, note, _repeat_spans(answer, size, times))
    return None


def _grams(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(size)), strict=False)


def _covered(words: Sequence[str], size: int, times: int) -> set[int]:
    """Return the positions of words inside groups that occur at least so many times."""
    if len(set(_grams(words, size))) > len(words) - size + 1 - (times - 1):
        return set()  # the usual end, and a set is cheaper than a count
    counts = Counter(_grams(words, size))
    often = {gram for gram, count in counts.items() if count >= times}
    covered: set[int] = set()
    for start, gram in enumerate(_grams(words, size)):
        if gram in often:
            covered.update(range(start, start + size))
    return covered


def _repeat_spans(answer: Numbers, size: int, times: int) -> tuple[Span, ...]:
    """Return the places of the repeats: every occurrence but the first one."""
    found = word_spans(answer.text)
    words = [word for word, _, _ in found]
    counts = Counter(_grams(words, size))
    seen: set[tuple[str, ...]] = set()
    spans: list[Span] = []
    for start, gram in enumerate(_grams(words, size)):
        if gram in seen and counts[gram] >= times:
            _extend(spans, answer.place(found[start][1]), answer.place(found[start + size - 1][2]))
        seen.add(gram)
    return tuple(spans[:MOST_SPANS])


def _extend(spans: list[Span], start: int, end: int) -> None:
    if spans and start <= spans[-1][1]:
        spans[-1] = (spans[-1][0], end)
    else:
        spans.append((start, end))


def _repeated_lines(answer: Numbers, limits: Limits) -> Verdict | None:
    if answer.text.count("\n") < limits["lines"]:
        return None
    lines, spans, start = [], [], 0
    seen: set[str] = set()
    for raw in answer.text.split("\n"):
        line = raw.strip()
        is_label = line.endswith(":")  # a speaker's name, for one
        if not is_label and any(character.isalnum() for character in line):
            lines.append(line)
            if line in seen:
                spans.append((answer.place(start), answer.place(start + len(raw))))
            seen.add(line)
        start += len(raw) + 1
    share = len(spans) / len(lines) if len(lines) > limits["lines"] else 0.0
    if share <= limits["repeated_lines"]:
        return None
    note = f"{len(spans)} of its {len(lines)} lines were there before"
    return Verdict(share, limits["repeated_lines"], note, tuple(spans[:MOST_SPANS]))


RULE = Rule(
    name="repetitive",
    label="repetitive",
    sentence="The answer says the same words, sentences or lines again and again.",
    good=("Which days are you open?", "Monday to Friday from nine to five, Saturday until noon."),
    bad=("Which days are you open?", "We are open now. We are open now. We are open now."),
    severity="E",
    version=2,
    thresholds={
        "words": Threshold(4),
        "repeated_trigrams": Threshold(0.30),
        "long_words": Threshold(25),
        "repeated_5grams": Threshold(0.15),
        "repeated_6grams": Threshold(0.14),
        "repeated_7grams": Threshold(0.13),
        "repeated_8grams": Threshold(0.12),
        "repeated_9grams": Threshold(0.11),
        "repeated_10grams": Threshold(0.10),
        "lines": Threshold(2),
        "repeated_lines": Threshold(0.30),
        "times": Threshold(3),
        "passage": Threshold(0.5),
        "said_again": Threshold(0.2),
    },
    recommendation=Recommendation(
        above=0.2,
        one="1 answer repeats itself. Read it and decide.",
        many="{count} answers repeat themselves. Read them and decide.",
    ),
    earlier="repetitive_outputs",
    of_answer=repetitive,
    of_passage=repetitive_passage,
)
