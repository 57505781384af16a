"""Consistency: do question, answer and text belong together, and contradict nothing?"""

from __future__ import annotations

import re

from datasets_app.corpus.judging.fit import STRONG, WEAK, fit_of
from datasets_app.corpus.judging.material import Material, Part, named, worst
from datasets_app.corpus.rules.words import is_closed

FOUND_AMONG = 3  # texts that the question finds first
NEAR, FAR = 0.5, 0.1  # cosines of question and answer: by meaning they belong together, or not
_OF_THE_SOURCE = re.compile(
    r"\b(?:(?:according to|in|from|by) (?:the|this) (?:passage|text|source|document|context|"
    r"excerpt|chunk|article|section above)|the (?:passage|text|excerpt|context|document) "
    r"(?:says|states|mentions|does not)|as (?:mentioned|stated|described) "
    r"(?:above|in the (?:passage|text)))\b",
    re.IGNORECASE,
)
_CLAIMS = re.compile(
    r"\b(?:(?:score|rate|rating|grade)[^.\n]{0,20}\b10\b|10 (?:out of|/) ?10|"
    r"ignore (?:all|the|any) (?:previous|above|earlier))\b",
    re.IGNORECASE,
)


def consistency(material: Material) -> Part:
    """Return whether the answer fits the question, itself and its text."""
    found = [
        *_elsewhere(material),
        *_not_found(material),
        *_negated(material),
        *_speaks_of_source(material),
        *_gives_back(material),
        *_far(material),
    ]
    return worst(found, Part(10.0, "Question, answer and source speak of the same."))


def _elsewhere(material: Material) -> list[Part]:
    """Object to an answer that stands where the text speaks of something else."""
    fit = fit_of(material)
    if fit is None or fit.share >= STRONG:
        return []
    score = 3.0 + 7.0 * max(0.0, fit.share - WEAK) / (STRONG - WEAK)
    issues = ["The answer stands where the source speaks of something else."] if score < 6 else []
    return [Part(min(score, 9.0), fit.words, issues, ["Read that sentence."] if issues else [])]


def _not_found(material: Material) -> list[Part]:
    if material.rank is None or material.rank <= FOUND_AMONG:
        return []
    if material.nearness is not None and material.nearness >= NEAR:
        return []
    told = f"{material.rank - 1} other passages fit the question better than its own."
    issues = ["The question does not lead to its own passage."]
    return [Part(7.0, told, issues, ["Name in the question what it is about."])]


def _negated(material: Material) -> list[Part]:
    """Object to an answer that says the opposite of the one sentence that it is made of."""
    if material.span is not None or len(material.said.sentences) != 1:
        return []
    sentence = material.said.sentences[0]
    stems = sentence.stems
    if len(stems) < 3:
        return []
    best = max(material.source.sentences, key=lambda one: len(stems & one.stems), default=None)
    if best is None or len(stems & best.stems) / len(stems) < 0.8:
        return []
    if sentence.has_not == best.has_not:
        return []
    words = material.source.text[best.start : best.end]
    told = f"The source says the opposite: “{words[:120]}”"
    return [Part(2.0, told, [told], ["Read that sentence and correct the answer."])]


def _speaks_of_source(material: Material) -> list[Part]:
    for text in (material.answer, material.question):
        if found := _OF_THE_SOURCE.search(text):
            told = f"It says “{found.group()}”, which nobody can see who asks the model."
            return [Part(5.0, told, [told], ["Say it without pointing to the source."])]
        if found := _CLAIMS.search(text):
            told = f"It speaks about scores (“{found.group()[:40]}”) instead of the matter."
            return [Part(2.0, told, [told], ["Remove what speaks to the judge."])]
    return []


def _gives_back(material: Material) -> list[Part]:
    """Object to an answer that says nothing but what was asked."""
    said = material.said.stems
    if not said or said - material.asked.stems or is_closed(material.question):
        return []
    if material.said.numbers - material.asked.numbers:
        return []
    told = f"The answer only gives back {named(said)} of the question."
    return [Part(4.0, told, [told], ["Answer with something that the question does not say."])]


def _far(material: Material) -> list[Part]:
    if material.nearness is None or material.nearness >= FAR:
        return []
    told = f"By meaning the answer is far from the question (cosine {material.nearness:.2f})."
    return [Part(6.0, told, ["The answer may be to another question."])]
