"""What repeats, what contradicts, and what only looks alike."""

from __future__ import annotations

import random

import numpy as np
import pytest

from datasets_app.corpus.conversation import Conversation, Turn, passage
from datasets_app.corpus.repeats import compare
from datasets_app.corpus.repeats.index import Index, places_of
from datasets_app.corpus.repeats.said import said

FIRST = 1_000_001


def pair(question, answer):
    return Conversation((Turn("user", question), Turn("assistant", answer)))


def indexed(folder, conversations):
    """Return the comparison of these conversations, numbered from a million on."""
    known = dict(enumerate(conversations, start=FIRST))
    keys = [(pk, 1) for pk in known]
    index = Index.open(folder).with_rows(keys, [said(one) for one in conversations])
    numbers = np.array(list(known))
    places = places_of(index.lines(), numbers, np.ones_like(numbers))
    return compare.Comparison(index, places, lambda wanted: {pk: known[pk] for pk in wanted})


def found(folder, *conversations, same=()):
    """Return kind and places, from 1, of every cluster."""
    rows = indexed(folder, conversations)
    clusters = [
        *compare.exact_clusters(rows),
        *compare.near_clusters(rows),
        *compare.snapshot_clusters(rows),
        *compare.question_clusters(rows, [*compare.near_questions(rows), *same])[0],
    ]
    return [
        (one.kind, [pk - FIRST + 1 for pk, _ in one.members])
        for one in compare.without_repeated(clusters)
    ]


LONG = "Please open the page of your orders, choose the one you mean, and press the button below."


def test_what_only_unicode_and_spaces_tell_apart_is_one(tmp_path):
    said_twice = [pair("Wo ist das Café?", "Neben dem Bahn\u00adhof."), passage("E = m c")]
    again = pair("Wo  ist das Cafe\u0301?", "Neben dem Bahnhof.")
    assert found(tmp_path, said_twice[0], again, said_twice[1]) == [("exact", [1, 2])]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "It is -5 degrees outside, so take the warm coat.",
            "It is 5 degrees outside, so take it.",
        ),
        ("You write it in C# with the usual tools.", "You write it in C with the usual tools."),
        ("You have 14 days to send it back to us.", "You have 30 days to send it back to us."),
        ("You can send opened boxes back to us.", "You can not send opened boxes back to us."),
        ("You don't pay for sending it back to us.", "You pay for sending it back to us."),
        (
            "The parcel is with our team in Berlin now.",
            "The parcel is with our team in Madrid now.",
        ),
    ],
)
def test_other_facts_are_a_conflict_and_no_repeat(tmp_path, one, other):
    question = "What can you tell me about it?"
    assert found(tmp_path, pair(question, one), pair(question, other)) == [("conflict", [1, 2])]


def test_questions_about_different_things_have_nothing_to_do_with_each_other(tmp_path):
    capitals = [
        pair(f"What is the capital of {land}?", "I will look it up for you at once.")
        for land in ("France", "Spain", "Peru")
    ]
    orders = [pair(f"Where is order {n}?", "I will look it up for you at once.") for n in (7, 8)]
    things = [
        pair(f"How do I clean a {thing}?", f"With a dry cloth, and keep the {thing} cold.")
        for thing in ("lamp", "kettle")
    ]
    assert found(tmp_path, *capitals, *orders, *things) == []


def test_a_changed_word_is_nearly_the_same(tmp_path):
    rows = pair("How do I send it back?", LONG), pair("How do I send it back?", LONG + " Thanks")
    assert found(tmp_path, *rows) == [("near", [1, 2])]


def test_the_same_question_in_other_words_with_another_answer_is_a_conflict(tmp_path):
    one = pair("How do I reset my password?", "Press “Forgot password” on the sign-in page.")
    other = pair("how can I reset my password", "Call us at the desk; somebody will do it.")
    greeting = [pair("Hello!", "Good morning."), pair("hello", "What can I do for you?")]
    assert found(tmp_path, one, other, *greeting) == [("conflict", [1, 2])]


def test_what_a_model_calls_the_same_question_is_one(tmp_path):
    one = pair("What is the return period?", "It is 14 days, from the day it arrives.")
    other = pair("How long may I keep it?", "It is 30 days, from the day it arrives.")
    same = [(said(one).asked, said(other).asked)]
    assert found(tmp_path / "a", one, other) == [] if (tmp_path / "a").mkdir() else True
    assert found(tmp_path, one, other, same=same) == [("conflict", [1, 2])]


def test_a_chat_exported_again_is_one_with_the_longer(tmp_path):
    turns = [
        Turn("user", "Where is it?"),
        Turn("assistant", "On its way."),
        Turn("user", "Since when?"),
        Turn("assistant", "Since Monday."),
    ]
    other = [*turns[:2], Turn("user", "Who brings it?"), Turn("assistant", "Our driver.")]
    told = found(
        tmp_path,
        *(Conversation(tuple(t)) for t in (turns[:2], turns, turns[:3])),
        pair("Who are you?", "The shop."),
    )
    assert ("snapshot", [2, 1, 3]) in told
    (tmp_path / "b").mkdir()
    branches = found(tmp_path / "b", Conversation(tuple(turns)), Conversation(tuple(other)))
    assert not [kind for kind, _ in branches if kind == "snapshot"]


WORDS = (
    "garden window letter morning coffee bicycle river mountain kitchen paper market music"
    " winter summer teacher doctor station ticket bridge village forest island shadow mirror"
    " candle blanket pocket button basket hammer ladder carpet curtain pillow bottle butter"
    " orange pepper sugar yellow purple silver golden quiet gentle narrow hollow steady"
    " wooden broken frozen hidden sudden modern simple double single little middle"
).split()


def _sentence(draw, length):
    return " ".join(draw.choices(WORDS, k=length))


@pytest.mark.slow
def test_of_500_planted_repeats_among_10_000_rows_95_percent_are_found(tmp_path):
    """One or two words are changed of ten-word questions with answers of 20 words."""
    draw = random.Random(7)  # noqa: S311 - invented rows
    rows = [pair(_sentence(draw, 10) + "?", _sentence(draw, 20) + ".") for _ in range(9_500)]
    planted = set()
    for number in draw.sample(range(9_500), 500):
        question = rows[number].turns[0].text.rstrip("?").split()
        for place in draw.sample(range(10), draw.choice((1, 2))):
            question[place] = draw.choice(WORDS)
        rows.append(pair(" ".join(question) + "?", rows[number].turns[1].text))
        planted.add((number + 1, len(rows)))
    shown = {tuple(members) for kind, members in found(tmp_path, *rows) if kind != "exact"}
    assert len(shown & planted) >= 475
    assert len(shown - planted) <= 5
