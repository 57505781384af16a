"""Pages of documents: where a passage stands, what a question asks for, and what is quoted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from datasets_app.corpus.conversation import passage
from datasets_app.knowledge.encoder import Encoder
from datasets_app.knowledge.find import Found, Knowledge
from datasets_app.knowledge.known import margin
from datasets_app.knowledge.passages import joined, page_margin, page_quote
from datasets_app.knowledge.pieces import Piece, pieces_of
from datasets_app.knowledge.store import Writer
from datasets_app.knowledge.wanted import names_in, wanted
from tests.datasets_app.knowledge.toys import rows, toy_encoder

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
        ("When do we move?", "We move in May or march.", "Everyone may march."),
        ("When do we move?", "IN MARCH WE MOVE.", "They march as one may."),
    ],
)
def test_a_question_asks_for_a_kind_of_thing(question, has, lacks):
    test = wanted(question)
    assert (test(has), test(lacks)) == (True, False)


def test_a_question_that_asks_for_no_such_thing_and_names_are_told():
    assert wanted("Why is the sky blue?") is None
    assert wanted("Wie viele Wochen?") is None
    assert names_in("Where is the gym in Seattle?") == {"seattle"}
    assert names_in("On which floor is the room at One World?") == {"one", "world"}


@pytest.mark.parametrize(
    "question",
    [
        "Is it open?",
        "Wie kann ich meine Bestellung an die Adresse zurückgeben?",
        "Was kostet Versand in Berlin?",
        "How Do I Reset My Password?",
        "How to Reset the Password of My Account?",
        "HOW DO I RESET MY PASSWORD?",
    ],
)
def test_where_a_capital_tells_no_name_nothing_is_lost(question):
    assert names_in(question) == frozenset()


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


def test_words_that_weigh_more_in_another_script_make_a_page_no_nearer(tmp_path):
    talk = passage("가방은 수요일에 만듭니다. 창고는 서울에 있습니다. 상점은 아홉 시에 엽니다.")
    (row,) = rows(talk)
    writer = Writer(tmp_path / "k", encoder=Encoder.open(toy_encoder(tmp_path / "toy")))
    writer.add([replace(row, page="상점")])
    writer.finish()
    knowledge = Knowledge.open(tmp_path / "k")
    assert knowledge.weight_for("가방은 언제?") == 2.0
    (one,) = knowledge.find("가방은 언제 옵니까?", vector=np.zeros(knowledge.dims, np.float32))
    assert 0 < one.words < 1
    assert one.score - one.measured == pytest.approx(one.words)
    [quarter] = [found(1, 0.7, "Quarter.")]
    quarter = replace(quarter, cosine=0.2, words=0.25, surplus=0.25)
    assert margin([quarter], 0.55, is_latin=False) == pytest.approx(-0.15)
    unsaid = replace(quarter, score=0.95, cosine=0.93, words=0.02, surplus=0.0)
    assert margin([unsaid], 0.55) > 0 > margin([unsaid], 0.55, is_latin=False)
