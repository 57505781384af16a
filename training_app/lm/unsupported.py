"""Where a reply states facts and names that stand in nothing that was known or said before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from unicodedata import combining, normalize

from training_app.lm.facts import Said, is_among, strange_names
from training_app.lm.terms import plain_digits

_GAP = r"\W+(?:\w+\W+){0,2}?"  # between the parts of “5 working days”, which is one fact

Span = tuple[int, int]


def unsupported(reply: str, known: Sequence[str]) -> list[Span]:
    """Return the spans of the facts and names of a reply that none of these texts holds.

    Spans count characters of the reply, are in order and do not overlap.
    """
    if not reply.strip():
        return []  # before it is written: what is known need not be read for it
    plain, places = _plain(reply)
    said, real = Said.of(plain), Said.of("\n".join(known))
    facts = real.facts
    foreign = [term for term in said.facts if not is_among(term, facts)]
    spans = list(_spans_of_facts(plain, (term.text for term in foreign)))
    for name in strange_names(said, [real]):
        spans += _spans_of_name(plain, name)
    return _joined(reply, [(places[start][0], places[end - 1][1]) for start, end in spans])


def _plain(text: str) -> tuple[str, list[Span]]:
    """Return the text in plain signs and digits, and where each of its signs came from.

    An accent that stands by itself belongs to the sign before it.
    """
    begins = [place for place, sign in enumerate(text) if not (place and combining(sign))]
    spans = list(zip(begins, [*begins[1:], len(text)], strict=True))
    signs = [plain_digits(normalize("NFKC", text[start:end])) for start, end in spans]
    places = [span for span, sign in zip(spans, signs, strict=True) for _ in sign]
    return "".join(signs), places


def _spans_of_facts(text: str, facts: Iterable[str]) -> Iterator[Span]:
    """Yield where facts stand that come in the text's order."""
    start = 0
    for fact in facts:
        pattern = _GAP.join(re.escape(part) for part in fact.split())
        found = re.compile(rf"(?<![a-zA-Z0-9]){pattern}(?![a-zA-Z0-9])").search(text, start)
        if found is not None:
            yield found.span()
            start = found.end()


def _spans_of_name(text: str, name: Sequence[str]) -> Iterator[Span]:
    words = "|".join(re.escape(word) for word in sorted(name))
    for found in re.finditer(rf"(?<!\w)(?:{words})(?!\w)", text, re.IGNORECASE):
        if found.group()[0].isupper():
            yield found.span()


def _joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return the spans in order, those that touch as one."""
    out: list[Span] = []
    for start, end in sorted(spans):
        if out and not text[out[-1][1] : start].strip():
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out
