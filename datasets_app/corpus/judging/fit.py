"""Whether an answer stands where its text speaks of what was asked."""

from __future__ import annotations

from dataclasses import dataclass

from datasets_app.corpus.judging.material import Material

WEAK, STRONG = 0.35, 0.8  # shares of what the best sentence has in common with the question


@dataclass(frozen=True, slots=True)
class Fit:
    """How much of the question the place of the answer speaks of, beside the best place."""

    share: float
    words: str  # what says so


def fit_of(material: Material) -> Fit | None:
    """Return it; None where the text has one place only, or nothing of the question."""
    source = material.source
    asked = material.asked.stems & source.stems
    homes = _homes(material)
    if not asked or not homes or len(source.sentences) < 2:
        return None
    weights = source.weights()
    places = range(len(source.sentences))
    told = [sum(weights[stem] for stem in asked & source.window(n)) for n in places]
    best = max(told)
    if not best:
        return None
    sentence = source.sentences[told.index(best)]
    words = source.text[sentence.start : sentence.end]
    evidence = f"The source speaks of the question elsewhere: “{words[:120]}”"
    return Fit(max(told[place] for place in homes) / best, evidence)


def _homes(material: Material) -> list[int]:
    """Return the sentences of the text that the answer, or most of it, stands in.

    A short answer may stand in several; each is a place of it.
    """
    sentences = material.source.sentences
    if material.span is not None:
        start, end = material.span
        stems = material.said.stems
        return [
            n
            for n, one in enumerate(sentences)
            if (one.start < end and start < one.end) or (stems and stems <= one.stems)
        ]
    stems = material.said.stems - material.asked.stems or material.said.stems
    shares = [len(stems & one.stems) for one in sentences]
    best = max(shares, default=0)
    return [n for n, count in enumerate(shares) if best and count == best]
