"""Answers that say the same thing again and again, in time linear in their length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from datasets_app.corpus.rules.code import is_code
from datasets_app.corpus.rules.finding import Span, Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.words import word_spans

GRAM_SIZES = range(5, 11)
MOST_SPANS = 100

Word = tuple[str, int, int]


def repetitive(answer: Numbers, limits: Mapping[str, float]) -> Verdict | None:
    """Object to repeated three-word groups, long repeated passages, or repeated lines."""
    words = answer.words
    if len(words) < limits["words"]:
        return None
    return (
        _repeated_trigrams(answer, limits["repeated_trigrams"], limits["words"])
        or (_repeated_passages(answer, limits) if len(words) >= limits["long_words"] else None)
        or _repeated_lines(answer, limits)
    )


def _repeated_trigrams(answer: Numbers, limit: float, fewest: float) -> Verdict | None:
    words, total = answer.words, len(answer.words) - 2
    # n words of which d differ hold at least d - 2 different groups of three
    if total < 1 or len(answer.distinct) - 2 >= (1 - limit) * total:
        return None
    share = _trigram_share(words)
    if share > limit and is_code(answer.text):
        words = [word for word in words if not word.isdigit()]  # a matrix repeats 0 and 1
        share = _trigram_share(words) if len(words) >= fewest else 0.0
    if share <= limit:
        return None
    note = f"{share:.0%} of its groups of three words were there before"
    return Verdict(share, limit, note, _repeat_spans(answer, 3, 2))


def _trigram_share(words: Sequence[str]) -> float:
    total = len(words) - 2
    if total < 1:
        return 0.0
    return 1 - len(set(zip(words, words[1:], words[2:], strict=False))) / total


def _repeated_passages(answer: Numbers, limits: Mapping[str, float]) -> Verdict | None:
    words = answer.words
    stretch = 2 if answer.has_letters else 1  # a word of a letter script is about two letters
    if len(answer.distinct) == len(words):
        return None
    characters = sum(map(len, words))
    for size in GRAM_SIZES:
        covered = _covered(words, size * stretch, int(limits["times"]))
        if not covered:
            return None  # no longer group can come back either
        share = sum(len(words[index]) for index in covered) / characters
        limit = limits[f"repeated_{size}grams"]
        if share > limit:
            note = f"{share:.0%} of it are groups of {size * stretch} words that come back"
            spans = _repeat_spans(answer, size * stretch, int(limits["times"]))
            return Verdict(share, limit, note, spans)
    return None


def _grams(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(size)), strict=False)


def _covered(words: Sequence[str], size: int, times: int) -> set[int]:
    """Return the positions of words inside groups that occur at least so many times."""
    counts = Counter(_grams(words, size))
    if len(counts) > len(words) - size + 1 - (times - 1):
        return set()
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


def _repeated_lines(answer: Numbers, limits: Mapping[str, float]) -> Verdict | None:
    if answer.text.count("\n") < limits["lines"]:
        return None
    lines, spans, start = [], [], 0
    seen: set[str] = set()
    for raw in answer.text.split("\n"):
        line = raw.strip()
        if any(character.isalnum() for character in line):
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
