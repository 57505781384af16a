"""Where in a chunk an answer comes from."""

from __future__ import annotations

from datasets_app.corpus.pairs.page import SPACES
from datasets_app.corpus.rules.words import word_spans

LEAST_SHARE = 0.5  # of the words of an answer that stand in the passage found for it


def place_of(answer: str, chunk: str) -> tuple[int, int] | None:
    """Return where a chunk says an answer, however its lines are broken; None where it does not."""
    words = SPACES.split(answer.strip())
    if not words or not words[0]:
        return None
    at = chunk.find(words[0])
    while at >= 0:
        end = _goes_on(chunk, at, words)
        if end is not None:
            return at, end
        at = chunk.find(words[0], at + 1)
    return None


def _goes_on(chunk: str, at: int, words: list[str]) -> int | None:
    for number, word in enumerate(words):
        if number:
            blanks = SPACES.match(chunk, at)
            if blanks is None:
                return None
            at = blanks.end()
        if not chunk.startswith(word, at):
            return None
        at += len(word)
    return at


def nearest_place(answer: str, chunk: str) -> tuple[int, int] | None:
    """Return the sentences of a chunk that share most words with an answer in other words."""
    wanted = {word for word, *_ in word_spans(answer)}
    found = [(word in wanted, start, end) for word, start, end in word_spans(chunk)]
    best, best_from, best_to = 0, 0, 0
    size = max(6, 2 * len(wanted))
    count = sum(is_in for is_in, *_ in found[:size])
    for first in range(max(1, len(found) - size + 1)):
        if first:
            count += sum(is_in for is_in, *_ in found[first + size - 1 : first + size])
            count -= found[first - 1][0]
        if count > best:
            last = min(first + size, len(found)) - 1
            best, best_from, best_to = count, found[first][1], found[last][2]
    if not wanted or best < LEAST_SHARE * len(wanted):
        return None
    start = max(chunk.rfind(". ", 0, best_from) + 2, chunk.rfind("\n\n", 0, best_from) + 2, 0)
    ends = [end for end in (chunk.find(". ", best_to) + 1, chunk.find("\n\n", best_to)) if end > 0]
    return (start if start > 1 else 0), min(ends, default=len(chunk))
