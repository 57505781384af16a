"""Answers with nothing in them."""

from __future__ import annotations

from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.rule import Limits, Recommendation, Rule


def empty(text: Numbers, _: Limits) -> Verdict:
    """Object to a text without any letter or digit."""
    return Verdict(0, 1, "there is no letter and no digit in it", text.whole)


RULE = Rule(
    name="empty",
    label="empty",
    sentence="The answer holds no letter and no digit.",
    good=("How many seats do we have?", "42"),
    bad=("How many seats do we have?", "…"),
    severity="E",
    recommendation=Recommendation(
        above=0.0,
        one="1 answer is empty. Exclude the row.",
        many="{count} answers are empty. Exclude the rows.",
    ),
    earlier="empty_outputs",
    of_empty=empty,
)
