"""Pages of documents: where a passage stands, what a question asks for, and what is quoted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datasets_app.corpus.conversation import passage
from datasets_app.knowledge.find import Found
from datasets_app.knowledge.passages import joined, page_margin, page_quote
from datasets_app.knowledge.pieces import Piece, pieces_of
from datasets_app.knowledge.wanted import names_in, wanted
from tests.datasets_app.knowledge.toys import rows

PAGE = """\
Ask at the desk
before noon.

## Badges

Badges are made every
Wednesday. {% page "x" %}

### Lost ones

- Call <b>the desk</b>.
- Tell {% slack_channel "keys" %} and [the guard]({% page "guard" %}).
"""


def test_a_passage_of_a_page_says_where_it_stands_and_is_cut_between_sentences():
    (row,) = rows(passage(PAGE))
    found = list(pieces_of(replace(row, page="Doors", above=("Entry",))))
    assert [(piece.source, " ".join(piece.answer.split())) for piece in found] == [
        ("Doors — Entry", "Ask at the desk before noon."),
        ("Doors — Badges", "Badges are made every Wednesday. x"),
        ("Doors — Badges — Lost ones", "- Call the desk . - Tell keys and the guard."),
    ]
    assert found[2].texts[0].startswith("Doors. Lost ones. - Call")
    long = " ".join(f"Sentence number {n} says something." for n in range(60))
    (row,) = rows(passage(long))
    pieces = list(pieces_of(replace(row, page="Long")))
    assert " ".join(piece.answer for piece in pieces) == long
    assert all(20 <= len(piece.answer.split()) <= 75 for piece in pieces)


@pytest.mark.parametrize(
    ("question", "has", "lacks"),
    [
        ("How many weeks of leave?", "You get twelve paid weeks.", "You get leave of 3 kinds."),
        ("How long is the ride?", "It takes 25 minutes.", "The ride is nice."),
        ("How often do I log in?", "Log in every nine weeks.", "Log in with a card."),
        ("On which day are they made?", "They are made on Wednesday.", "They are made of tin."),
        ("What is the price of a taxi?", "A taxi is $20.", "Take a taxi."),
        ("Whom do I write to?", "Write to desk@example.org.", "Letters are read."),
        ("What floor is it on?", "It is on floor 6.", "It is upstairs."),
    ],
)
def test_a_question_asks_for_a_kind_of_thing(question, has, lacks):
    test = wanted(question)
    assert (test(has), test(lacks)) == (True, False)


def test_a_question_that_asks_for_no_such_thing_and_names_are_told():
    assert wanted("Why is the sky blue?") is None
    assert wanted("Wie viele Wochen?") is None
    assert names_in("Where is the gym in Seattle?") == {"seattle"}
    assert names_in("Is it open?") == frozenset()


def found(number, score, answer, *, source="Doors — Badges", question="", row=1):
    piece = Piece(question, "", answer, row, "hash", number, "train", gap=" ", source=source)
    return Found(piece, 0.5, 0.5, number, score)


def test_what_stands_side_by_side_is_quoted_together():
    there = [
        found(3, 0.9, "Third."),
        found(2, 0.85, "Second."),
        found(9, 0.84, "Ninth.", row=2, source="Keys"),
        found(4, 0.5, "Fourth."),
        found(0, 0.4, "Second.", question="Which?", row=5),
    ]
    told = joined(there)
    assert [one.piece.answer for one in told] == ["Second. Third.", "Ninth.", "Fourth."]
    quote = page_quote(told)
    assert (quote.count, quote.is_part) == (2, True)
    assert quote.text == "**Doors — Badges**\n\nSecond. Third.\n\n**Keys**\n\nNinth."
    assert page_margin(told) > 0
    assert page_quote([told[0], told[2]]).text == "Second. Third."


def test_nothing_is_near_where_much_is_equally_far():
    alike = [found(n, 0.8 - n / 100, f"Text {n}.", source=f"Page {n}", row=n) for n in range(4)]
    assert page_margin(alike) < 0
    assert page_margin([found(1, 0.5, "Far.")]) < 0
