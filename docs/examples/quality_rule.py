"""A quality rule: object to answers that are written in capitals."""

from __future__ import annotations

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from datasets_app.corpus.rules import policy
from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.numbers import Numbers
from datasets_app.corpus.rules.registry import RULES
from datasets_app.corpus.rules.rule import Limits, Rule, Threshold


def shouting(answer: Numbers, limits: Limits) -> Verdict | None:
    """Return a verdict where most letters are capitals, and nothing for any other answer."""
    share = sum(map(str.isupper, answer.text)) / len(answer.text)
    if share <= limits["capitals"]:
        return None
    return Verdict(share, limits["capitals"], "it shouts", answer.whole)


RULE = Rule(
    name="shouting",
    label="shouting",
    sentence="The answer is written in capitals.",
    good=("When do you open?", "We open at nine in the morning."),
    bad=("When do you open?", "WE OPEN AT NINE IN THE MORNING."),
    severity="E",  # it sets the row aside
    thresholds={"capitals": Threshold(0.6, most=1)},
    of_answer=shouting,
)
RULES[RULE.name] = RULE  # in the house: a line of datasets_app/corpus/rules/registry.py

for question, answer in (RULE.good, RULE.bad):
    talk = Conversation((Turn(USER, question), Turn(ASSISTANT, answer)))
    found = judge(talk, policy.standard())
    print(answer, "→", found.status, [finding.rule for finding in found.findings])
