"""A rule that is only in the registry is known to policies, rows, chips, scores, pages, reports."""

from __future__ import annotations

import pytest
from django.urls import reverse

from datasets_app.corpus import quality
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.rules import policy
from datasets_app.corpus.rules.finding import Verdict
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.registry import RULES
from datasets_app.corpus.rules.rule import Recommendation, Rule, Threshold
from datasets_app.jobs import freezing
from datasets_app.models import Choice
from datasets_app.selectors.conversations import shown_turns
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.scores import score_of, score_of_version
from datasets_app.selectors.table import table_page
from datasets_app.services.datasets import create_dataset, set_policy
from tests.datasets_app.makers import add, pair

pytestmark = pytest.mark.django_db(transaction=True)


def shouting(answer, limits):
    """Object to an answer of which most letters are capitals."""
    share = sum(map(str.isupper, answer.text)) / len(answer.text)
    if share <= limits["capitals"]:
        return None
    return Verdict(share, limits["capitals"], "it shouts", answer.whole)


SHOUTING = Rule(
    name="shouting",
    label="it is loud",
    sentence="The answer is written in capitals.",
    good=("When do you open?", "We open at nine in the morning."),
    bad=("When do you open?", "WE OPEN AT NINE IN THE MORNING."),
    severity="E",
    version=3,
    thresholds={"capitals": Threshold(0.6, most=1)},
    recommendation=Recommendation(0.0, "1 answer shouts.", "{count} answers shout."),
    of_answer=shouting,
)
LOUD, CALM = pair(*SHOUTING.bad), pair(*SHOUTING.good)


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(RULES, SHOUTING.name, SHOUTING)


@pytest.fixture
def dataset(cora):
    made = create_dataset("Loud and calm", by=cora)
    add(made, [CALM, LOUD, pair("And on Sundays?", "ON SUNDAYS WE ARE CLOSED ALL DAY.")])
    return made


def test_policies_have_it_also_those_that_were_stored_before():
    stored = policy.standard().as_json()
    del stored["shouting"]
    for known in (policy.standard(), policy.from_json({}), policy.from_json(stored)):
        assert known["shouting"].on
        assert known["shouting"].thresholds == {"capitals": 0.6}
    lax = policy.standard().changed("shouting", thresholds={"capitals": 1})
    assert policy.from_json(lax.as_json()) == lax
    with pytest.raises(CorpusError, match="must be a number from 0 to 1"):
        policy.standard().changed("shouting", thresholds={"capitals": 1.5})


def test_it_judges_under_its_version_and_its_switch():
    (finding,) = judge(LOUD, policy.standard()).findings
    assert (finding.rule, finding.version, finding.severity) == ("shouting", 3, "E")
    assert judge(CALM, policy.standard()).findings == ()
    assert judge(LOUD, policy.standard().changed("shouting", on=False)).findings == ()


def test_its_rows_are_not_valid_and_the_advice_and_the_version_say_so(dataset, cora):
    score = score_of(dataset)
    assert (score.valid, score.invalid) == (1, 2)
    assert ("shouting", "2 answers shout.") in [(item.rule, item.sentence) for item in score.advice]
    version = freezing.freeze_version(dataset, choice=Choice.ALL, user=cora)
    assert score_of_version(version).valid == 1
    report = quality.report([(LOUD, judge(LOUD, policy.standard()).findings)])
    assert report["valid_conversations"] == 0
    assert report["problematic_examples"][0]["issues"] == ["it is loud"]


def test_the_table_shows_its_word_and_filters_by_it(dataset):
    page = table_page(dataset, RowFilter(reason="shouting"))
    assert [(name, label, count) for name, label, count, _ in page.reasons] == [
        ("shouting", "it is loud", 2)
    ]
    assert [row.why for row in page.rows] == [[("shouting", "it is loud")]] * 2
    row = dataset.conversations.get(pk=page.rows[0].pk)
    assert [found.label for turn in shown_turns(row) for found in turn.findings] == ["it is loud"]


@pytest.mark.slow
def test_the_rules_page_explains_it_and_keeps_its_bounds(dataset, client_of, cora):
    address = reverse("dataset-rules", args=[dataset.pk])
    shown = client_of(cora).get(address).content.decode()
    for words in (SHOUTING.label, SHOUTING.sentence, SHOUTING.good[1], SHOUTING.bad[1]):
        assert words in shown
    field = shown.partition('name="shouting-capitals"')[2].partition(">")[0]
    assert 'max="1"' in field
    refused = client_of(cora).post(address, {"shouting-severity": "E", "shouting-capitals": "2"})
    assert refused.status_code == 422
    set_policy(dataset, policy.standard().changed("shouting", on=False), by=cora)
    dataset.refresh_from_db()
    assert dataset.policy["shouting"]["on"] is False
