"""The answer test: any way to answer, counted the same."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import count

import pytest

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Conversation, Turn
from datasets_app.sample.questions import off_topic_questions, validation_questions
from training_app.lm.answer_test import AnswerFigures, AnswerTest, Item, items_of
from training_app.lm.facts import Closeness

SAMPLE = [
    Item(one.turns, one.answer, one.kind, one.must, one.must_not)
    for one in (*validation_questions(), *off_topic_questions())
]
BY_TURNS = {item.turns: item for item in SAMPLE}
UNKNOWN = "That is none of my business."


def talk(*texts, system=False):
    turns = [Turn((USER, ASSISTANT)[n % 2], text) for n, text in enumerate(texts)]
    return Conversation(tuple([Turn(SYSTEM, "Be kind.")] * system + turns))


def test_whoever_knows_all_answers_passes():
    figures, answered = AnswerTest(SAMPLE).run(
        lambda turns: BY_TURNS[tuple(turns)].reference or "I do not know that."
    )
    assert (figures.right, figures.total) == (73, 73)
    assert (figures.off_topic_abstained, figures.off_topic_total) == (40, 40)
    assert (figures.contradicting, figures.wrong, figures.other_codes) == (0, 0, 0)
    assert figures.standing == "good"
    assert len(answered) == 113
    assert figures.headline() == (
        "73 of 73 validation questions answered with the same facts as the real answer."
    )


def test_whoever_answers_always_the_same_fails():
    figures, _ = AnswerTest(SAMPLE).run(lambda turns: "Order JP-111 costs $289 in Elmbridge.")
    assert figures.right <= 1
    assert figures.off_topic_abstained == 0
    assert figures.other_codes == 113
    assert figures.standing == "poor"
    assert "nobody should rely on it" in " ".join(figures.remarks())


def test_who_says_nothing_knows_nothing_and_who_abstains_says_so():
    assert AnswerTest(SAMPLE).run(lambda turns: "")[0].wrong == 73
    figures, _ = AnswerTest(SAMPLE, abstention=UNKNOWN).run(lambda turns: UNKNOWN)
    assert (figures.abstained, figures.off_topic_abstained) == (73, 40)
    assert figures.headline().endswith("answer; 73 say that it does not know.")


def test_it_ends_when_time_is_over_with_every_kind_asked(monkeypatch):
    clock = count()
    monkeypatch.setattr("training_app.lm.answer_test.time.monotonic", lambda: next(clock))
    figures, answered = AnswerTest(SAMPLE, seconds=30).run(lambda turns: "")
    assert figures.unasked == 113 - len(answered)
    kinds = [one.item.kind for one in answered]
    assert 0.5 < kinds.count("validation") / len(kinds) < 0.8
    assert f"no time for {figures.unasked} more questions" in " ".join(figures.remarks())


def test_it_ends_when_it_shall_stop():
    asked = []
    AnswerTest(SAMPLE).run(
        lambda turns: str(asked.append(turns)), should_stop=lambda: len(asked) > 4
    )
    assert len(asked) == 5


def test_questions_of_a_version_are_spread_and_asked_once():
    side = [
        talk(f"What is {n}?", f"It is {n}.", "And then?", f"Then {n + 1}.") for n in range(3000)
    ]
    items = items_of(side)
    assert len(items) == 100
    assert len({item.turns for item in items}) == 100
    assert items[-1].turns[0].text == "What is 1980?"
    assert {len(item.turns) for item in items} == {1, 3}
    assert len(items_of(side, most=7)) == 7
    same = [talk("What is it?", f"It is {n}.") for n in range(50)]
    assert len(items_of(same)) == 1


def test_what_asks_nothing_is_no_question():
    passage = Conversation((Turn(ASSISTANT, "Only a text."),))
    assert items_of([passage, talk("Hello?"), talk("Hello?", " ")]) == []
    assert items_of([]) == []
    [item] = items_of([talk("Hello?", "Hi.", system=True)])
    assert [turn.role for turn in item.turns] == [SYSTEM, USER]
    figures, _ = AnswerTest([]).run(lambda turns: "")
    assert (figures.headline(), figures.remarks(), figures.standing) == ("", [], "")


def test_meaning_is_asked_for_where_there_are_no_facts():
    item = Item((Turn(USER, "Any advice?"),), "Patience pays off.")
    near = Closeness(lambda reply, reference: 1.0, cut=0.65)
    assert AnswerTest([item]).judged(item, "It is worth waiting.").judgement.outcome == "wrong"
    close = AnswerTest([item], closeness=near).judged(item, "It is worth waiting.")
    assert close.judgement.outcome == "right"


@pytest.mark.parametrize("lacks", ["", "wrong", "seconds"])
def test_figures_come_back_from_what_is_stored(lacks):
    figures = AnswerFigures(right=3, contradicting=1, abstained=1, seconds=2.0)
    stored = json.loads(json.dumps(figures.as_json() | {"later": 1}))
    stored.pop(lacks, None)
    found = AnswerFigures.from_json(stored)
    assert found.headline("test") == (
        "3 of 5 test questions answered with the same facts as the real answer;"
        " 1 contradicts it; 1 says that it does not know."
    )
    assert AnswerFigures.from_json(None).total == 0


def test_it_needs_no_torch():
    code = "import training_app.lm.answer_test, sys; print(*sorted(sys.modules))"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"torch", "numpy", "transformers", "django"} & set(loaded)
