"""Answers into which the marks of other speakers leaked."""

from __future__ import annotations

import re
from itertools import islice

from datasets_app.corpus.rules.code import without_fences
from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.rule import Limits, Rule

# "user: mia" is a line of a settings file; who goes on talking says more than a word.
_ROLE_MARK = re.compile(
    r"(?<!`)<\|[^|<>\n]{1,40}\|>|### (?:Instruction|Response|Input)\b|\[/?INST\]|"
    r"^[ \t]*(?:\*\*)?(?:user|assistant|human)(?:\*\*)?[ \t]*:(?![ \t]*[A-Za-z0-9_.@-]*[ \t]*$)",
    re.IGNORECASE | re.MULTILINE,
)


def role_bleed(answer: Numbers, _: Limits) -> Verdict | None:
    """Object to marks of another speaker inside an answer, outside of code fences."""
    text = answer.text
    if ":" not in text and "<|" not in text and "[" not in text and "###" not in text:
        return None
    if _ROLE_MARK.search(text) is None:
        return None
    marks = islice(_ROLE_MARK.finditer(without_fences(text)), 100)
    spans = tuple((answer.place(mark.start()), answer.place(mark.end())) for mark in marks)
    if not spans:
        return None
    return Verdict(len(spans), 0, "another speaker's mark stands inside the answer", spans)


RULE = Rule(
    name="role_bleed",
    label="role words inside",
    sentence="The answer holds the mark of another speaker, as if the chat went on inside it.",
    good=("Can I return this?", "Yes, within thirty days: bring the receipt."),
    bad=("Can I return this?", "Yes, you can.\nUser: And without a receipt?"),
    severity="E",
    version=2,
    of_answer=role_bleed,
)
