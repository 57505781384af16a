"""Words in the place of others: where they stand, what is put, what is shown of it."""

from __future__ import annotations

import pytest

from datasets_app.corpus.conversation import Conversation, CorpusError, Turn
from datasets_app.corpus.replacing import SIDES, Replacing

TALK = Conversation(
    (
        Turn("system", "Say colour."),
        Turn("user", "Which colour?"),
        Turn("assistant", "The Colour of colours is red.", is_learnt=False),
        Turn("tool", "colour=red"),
    )
)


def said(wanted, text):
    after = wanted.applied(Conversation((Turn("user", text),)))
    return after.turns[0].text


@pytest.mark.parametrize(
    ("text", "find", "put", "options", "after"),
    [
        ("Colour, colour", "colour", "color", {}, "color, color"),
        ("Colour, colour", "colour", "color", {"is_cased": True}, "Colour, color"),
        (
            "cat catalogue bobcat cat's",
            "cat",
            "dog",
            {"is_word": True},
            "dog catalogue bobcat dog's",
        ),
        ("C# and C#x", "C#", "C sharp", {"is_word": True}, "C sharp and C sharpx"),
        ("xa-a-a", "a-a", "b", {"is_word": True}, "xa-b"),
        ("1.5 or 1x5", "1.5", "1,5", {}, "1,5 or 1x5"),
        ("aaa", "aa", "b", {}, "ba"),
        ("ÄRGER ärger", "ärger", "Zorn", {}, "Zorn Zorn"),
        ("ıstanbul istanbul", "istanbul", "Ankara", {}, "ıstanbul Ankara"),
        ("हिन्दी हिन्द", "हिन्द", "X", {"is_word": True}, "हिन्दी X"),
        ("one\ntwo", "\ntwo", "", {}, "one"),
        (r"a\1b", r"\1", r"\g<0>", {}, r"a\g<0>b"),
    ],
)
def test_what_stands_there_is_replaced_letter_by_letter(text, find, put, options, after):
    wanted = Replacing(find, put, **options)
    assert said(wanted, text) == after
    assert wanted.surely_there.lower() in text.lower()


@pytest.mark.parametrize(
    ("side", "places"),
    [("questions", 1), ("answers", 2), ("both", 3), ("context", 2), ("anywhere", 5)],
)
def test_only_the_chosen_turns_change_and_keep_what_else_they_are(side, places):
    wanted = Replacing("colour", "color", side=side)
    assert wanted.count(TALK) == places
    after = wanted.applied(TALK)
    changed = [a != b for a, b in zip(after.turns, TALK.turns, strict=True)]
    assert changed == [
        bool({side} & {*of, "anywhere"})
        for of in (["context"], ["questions", "both"], ["answers", "both"], ["context"])
    ]
    assert [turn.is_learnt for turn in after.turns] == [True, True, False, True]
    assert set(SIDES) == {"questions", "answers", "both", "context", "anywhere"}


def test_what_is_so_already_is_no_place():
    wanted = Replacing("otto", "OTTO")
    assert said(wanted, "OTTO and otto") == "OTTO and OTTO"
    assert wanted.count(Conversation((Turn("user", "OTTO and otto"),))) == 1


def test_the_parts_around_the_first_places_are_shown():
    long = Conversation((Turn("text", "x" * 5_000 + "colour" + "y" * 5_000 + "colour " * 40),))
    (turn,) = Replacing("colour", "color").differences(long)
    assert [part.text for part in turn.parts if part.kind == "gone"] == ["colour"] * 10
    assert turn.parts[0].text == "…" + "x" * 80
    assert sum(len(part.text) for part in turn.parts) < 800
    assert Replacing("colour", "color").count(long) == 41


def test_no_text_grows_beyond_measure():
    text = "a" * 10_000
    assert said(Replacing("a", "b" * 2_000), text) == text


@pytest.mark.parametrize(
    ("find", "put"), [("", "x"), ("same", "same"), ("a" * 501, ""), ("a", "b" * 2_001)]
)
def test_what_means_nothing_is_refused(find, put):
    with pytest.raises(CorpusError):
        Replacing(find, put)
