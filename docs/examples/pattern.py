"""A pattern of the built-in generator: ask for the price where a sentence names one."""

from __future__ import annotations

from datasets_app.corpus.pairs.extractive import extract, read_page
from datasets_app.corpus.pairs.page import Page
from datasets_app.corpus.pairs.pattern import Pattern
from datasets_app.corpus.pairs.registry import PATTERNS
from datasets_app.corpus.pairs.told import Told, by_sentence


def price(page: Page, one: Told) -> str | None:
    """Return a question for a sentence of the form “X costs …”; nothing for any other."""
    if "costs" not in one.low[1:6]:
        return None
    subject = one.words[: one.low.index("costs")]
    return f"What does {' '.join([subject[0].lower(), *subject[1:]])} cost?"


PATTERN = Pattern(
    name="prices",
    label="Prices",
    sentence="“X costs …”: asks for the price.",
    example=("The blue badge costs 12 euros a year.", "What does the blue badge cost?"),
    find=by_sentence(price),
)
PATTERNS[PATTERN.name] = PATTERN  # in the house: a line of datasets_app/corpus/pairs/registry.py

TEXT = """# Badges

The blue badge costs 12 euros a year. Ask at the front desk, which is open in the morning.
"""
for pair in extract(read_page(TEXT, "Badges"), [PATTERN.name]):
    print(pair.question, "→", TEXT[pair.start : pair.end])
