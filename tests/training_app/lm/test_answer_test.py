"""The answer test: any way to answer, counted the same."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Conversation, Turn
from datasets_app.sample.questions import off_topic_questions, validation_questions
from training_app.lm.answer_test import AT_FIRST, AnswerFigures, AnswerTest, Item, items_of
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


def each(answer):
    """Return what answers many talks by what answers one."""
    return lambda talks: [answer(turns) for turns in talks]


def test_whoever_knows_all_answers_passes():
    figures, answered = AnswerTest(SAMPLE).run(
        each(lambda turns: BY_TURNS[tuple(turns)].reference or "I do not know that.")
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
    figures, _ = AnswerTest(SAMPLE).run(each(lambda turns: "Order JP-111 costs $289 in Elmbridge."))
    assert figures.right <= 1
    assert figures.off_topic_abstained == 0
    assert figures.other_codes == 113
    assert figures.standing == "poor"
    assert "nobody should rely on it" in " ".join(figures.remarks())


@pytest.mark.slow
def test_who_says_nothing_knows_nothing_and_who_abstains_says_so():
    assert AnswerTest(SAMPLE).run(each(lambda turns: ""))[0].wrong == 73
    figures, _ = AnswerTest(SAMPLE, abstention=UNKNOWN).run(each(lambda turns: UNKNOWN))
    assert (figures.abstained, figures.off_topic_abstained) == (73, 40)
    assert figures.headline().endswith("answer; 73 say that it does not know.")


def test_it_ends_when_it_shall_stop():
    asked = []
    AnswerTest(SAMPLE).run(
        each(lambda turns: str(asked.append(turns))), should_stop=lambda: len(asked) > 4
    )
    assert len(asked) == AT_FIRST


@pytest.mark.parametrize(
    ("pace", "seconds", "counts"),
    [
        (0.001, 60, [8, 32, 73]),
        (0.5, 60, [8, 32, 40, 33]),
        (1.0, 60, [8, 20, 20, 12]),
        (0.5, 10, [8, 12]),
        (100, 60, [8]),
    ],
)
def test_more_are_asked_at_once_the_quicker_they_are_answered(pace, seconds, counts, monkeypatch):
    """Never more than there is time for, and none so long that a stop is not heard."""
    now, asked = [0.0], []
    monkeypatch.setattr("training_app.lm.answer_test.time.monotonic", lambda: now[0])

    def answer(talks):
        asked.append(len(talks))
        now[0] += len(talks) * pace
        return ["" for _ in talks]

    figures, found = AnswerTest(SAMPLE, seconds=seconds).run(answer)
    assert asked == counts
    assert (len(found), figures.unasked) == (sum(counts), 113 - sum(counts))
    said = f"no time for {figures.unasked} more questions"
    assert (said in " ".join(figures.remarks())) == bool(figures.unasked)
    kinds = [one.item.kind for one in found]
    assert 0.5 < kinds.count("validation") / len(kinds) < 0.8  # every kind is asked


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
    figures, _ = AnswerTest([]).run(each(lambda turns: ""))
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
