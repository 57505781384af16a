from __future__ import annotations

import pytest

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.rules.policy import Policy, from_json, standard


@pytest.mark.checklist(162)
def test_a_stored_policy_comes_back_with_its_switches_and_thresholds():
    policy = standard().changed("echo", on=False).changed("too_short", thresholds={"words": 5})
    again = from_json(policy.as_json())
    assert again.as_json() == policy.as_json()
    assert again.sha256 == policy.sha256
    assert not again["echo"].on
    assert again["too_short"].thresholds["words"] == 5


def test_equal_settings_have_equal_hashes_and_others_differ():
    assert standard().sha256 == Policy().sha256 == from_json({}).sha256
    assert standard().changed("echo", severity="R").sha256 != standard().sha256


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"spelling": {}}, "no rule called"),
        ({"echo": {"severity": "X"}}, "no severity"),
        ({"echo": {"thresholds": {"height": 1}}}, "no threshold called"),
        ({"echo": {"thresholds": {"new_words": "much"}}}, "must be a number"),
        ({"echo": {"thresholds": {"new_words": -1}}}, "must be a number"),
        ({"echo": {"thresholds": {"new_words": float("nan")}}}, "must be a number"),
    ],
)
def test_a_wrong_policy_is_refused_in_a_sentence(body, words):
    with pytest.raises(CorpusError, match=words):
        from_json(body)
