"""Accuracy: is what the answer says written in the text, and where the rest of it is written?"""

from __future__ import annotations

from difflib import SequenceMatcher

from datasets_app.corpus.judging.fit import fit_of
from datasets_app.corpus.judging.material import Material, Part, named, worst
from datasets_app.corpus.judging.passages import Sentence
from datasets_app.corpus.rules.small_words import ALL_STOP_WORDS
from datasets_app.corpus.rules.words import word_spans

NONE, FULL = 0.25, 0.85  # shares of words that give 0 and 10
CAPPED = 4.0  # with a number or a name that the text does not have
WRONG = 1.0  # with one in whose place the text has another
ELSEWHERE, OFF = 3.0, 0.6  # with words that stand where the text speaks of something else
LIKE = 0.5  # share of a sentence's words that stand in the text in this order
MOST_WORDS = 200  # of a sentence that are compared one by one


def accuracy(material: Material) -> Part:
    """Return how much of the answer is supported by the text.

    Each sentence of the answer counts by itself, the worst of them most.
    """
    sentences = material.said.sentences
    if material.span is not None:
        told = Part(10.0, "The answer stands in the source word for word.")
        return worst(_elsewhere(material), told)
    shares = [_share(one, material) for one in sentences if one.stems] or [0.0]
    share = 0.4 * sum(shares) / len(shares) + 0.6 * min(shares)
    score = 10 * min(1.0, max(0.0, (share - NONE) / (FULL - NONE)))
    lowest = min(shares)
    told = Part(score, f"{lowest:.0%} of what the answer says stands in the source.")
    if score < 6:
        unknown = _unknown_words(material)
        told = Part(
            score,
            f"Only {lowest:.0%} of a sentence of the answer stands in the source: "
            f"not {named(unknown)}.",
            ["The source does not support the answer."],
            ["Compare it with the source, or write the answer from there."],
        )
    return worst([told, *_missing(material), *_exchanged(material), *_elsewhere(material)], told)


def _elsewhere(material: Material) -> list[Part]:
    """Object to words of the text that it says of another matter."""
    fit = fit_of(material)
    if fit is None or fit.share >= OFF:
        return []
    return [Part(ELSEWHERE + 4 * fit.share, fit.words)]


def _share(sentence: Sentence, material: Material) -> float:
    """Return which part of a sentence's words the text says; those of the question are given."""
    wanted = sentence.stems - material.asked.stems or sentence.stems
    return len(wanted & material.source.stems) / len(wanted)


def _unknown_words(material: Material) -> set[str]:
    known = material.source.stems | material.asked.stems
    return {word for word in material.said.words if word[:6] not in known and len(word) > 3} & {
        word for word in material.said.words if not word.isdigit()
    }


def _missing(material: Material) -> list[Part]:
    """Object to numbers and names that neither the text nor the question has."""
    numbers = material.said.numbers - material.source.numbers - material.asked.numbers
    names = frozenset[str]().union(*(one.names for one in material.said.sentences))
    names -= material.source.words | material.asked.words
    found = []
    if numbers:
        told = f"The number {named(numbers)} is not in the source."
        found.append(Part(CAPPED * 0.5, told, [told], ["Check the number in the source."]))
    if names:
        told = f"{named(names)} does not occur in the source."
        found.append(Part(CAPPED * 0.75, told, [told], ["Check the name in the source."]))
    return found


def _exchanged(material: Material) -> list[Part]:
    """Object where the text says the same with another number or name in that place."""
    found = []
    for sentence in material.said.sentences:
        home = _home(sentence.stems - sentence.numbers - sentence.names, material)
        for said, instead in _replaced(sentence, home, material) if home is not None else ():
            told = f"The source says “{instead}” where the answer says “{said}”."
            advice = ["Read the marked sentence and correct the answer."]
            found.append(Part(WRONG, told, [told], advice))
    return found


def _replaced(sentence: Sentence, home: int, material: Material) -> list[tuple[str, str]]:
    """Return what is exchanged between a sentence and the one of the text that is like it."""
    there = material.source.sentences[home]
    one = _words(material.answer[sentence.start : sentence.end])
    other = _words(material.source.text[there.start : there.end])
    matcher = SequenceMatcher(None, [w for w, _ in one], [w for w, _ in other], autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    if same < max(2, LIKE * len(one)):
        return []
    found = []
    for kind, left, left_end, right, right_end in matcher.get_opcodes():
        if kind != "replace" or left_end - left > 6 or right_end - right > 6:
            continue
        mine = _telling(one[left:left_end], is_first=left == 0)
        theirs = _telling(other[right:right_end], is_first=right == 0)
        for is_number in (True, False):
            said, instead = mine[is_number], theirs[is_number]
            if said and instead and not set(said) & set(instead):
                found.append((" ".join(said), " ".join(instead)))
    return found


def _words(text: str) -> list[tuple[str, str]]:
    """Return each word in small letters and as it stands."""
    return [(word, text[start:end]) for word, start, end in word_spans(text)][:MOST_WORDS]


def _telling(words: list[tuple[str, str]], *, is_first: bool) -> dict[bool, list[str]]:
    """Return the numbers (True) and the names among some words."""
    numbers = [told for _, told in words if any(map(str.isdigit, told))]
    names = [
        told
        for place, (word, told) in enumerate(words)
        if told[0].isupper() and word not in ALL_STOP_WORDS and not (is_first and not place)
    ]
    return {True: numbers, False: names}


def _home(stems: frozenset[str], material: Material) -> int | None:
    """Return the sentence of the text that says most of these, its beginning before its end."""
    shares = [(len(stems & one.stems), -n) for n, one in enumerate(material.source.sentences)]
    best, place = max(shares, default=(0, 0))
    return -place if best else None
