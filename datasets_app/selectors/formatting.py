"""What the page that writes pairs for training reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.layouts.lengths import Lengths, counter, lengths_of
from datasets_app.corpus.layouts.prompts import Prompt, Sample
from datasets_app.models import CHOSEN, KnownTokenizer, Scoring, Version
from datasets_app.selectors.scorings import kept_scores, source_of

SAMPLES, LONGEST = 3, 4_000
COUNTED = 2_000  # texts whose tokens a page counts
READ_ROWS = 2_000
MOST_VERSIONS = 50


def kept_samples(scoring: Scoring, threshold: Decimal, choice: str) -> Iterator[Sample]:
    """Yield the pairs that a threshold keeps, in the order of the table."""
    rows = kept_scores(scoring, threshold).filter(conversation__status__in=CHOSEN[choice])
    for one in rows.order_by("conversation__position").iterator(READ_ROWS):
        score = None if one.overall is None else float(one.overall)
        row = one.conversation
        yield Sample(from_json(row.turns), source_of(row), score)


def samples_of(scoring: Scoring, told: Mapping[str, Any], prompt: Prompt) -> list[str]:
    """Return the first texts as a model would see them."""
    found = kept_samples(scoring, told["threshold"], told["choice"])
    texts = (prompt.text(one.conversation, told["system"]) for one in islice(found, SAMPLES))
    return [text if len(text) <= LONGEST else f"{text[:LONGEST]}…" for text in texts]


def lengths(scoring: Scoring, told: Mapping[str, Any], prompt: Prompt) -> Lengths:
    """Return how many tokens the first texts have by the tokenizer that was chosen."""
    found = kept_samples(scoring, told["threshold"], told["choice"])
    named = told["tokenizer"]
    known = KnownTokenizer.objects.filter(pk=named).first() if named else None
    texts = (prompt.text(one.conversation, told["system"]) for one in islice(found, COUNTED))
    return lengths_of(texts, counter(known.file if known else None), told["length"])


def address_of(told: Mapping[str, Any]) -> str:
    """Return the form as an address names it."""
    names = ("threshold", "choice", "template", "system")
    return urlencode({name: told[name] for name in names})


def versions_of(scoring: Scoring) -> list[Version]:
    """Return the versions that were chosen by these scores, the newest first."""
    return list(scoring.versions.order_by("-created_at")[:MOST_VERSIONS])
