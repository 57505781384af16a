"""The search finds what stands there: pieces, codes, scripts, signs, accents; and marks it."""

from __future__ import annotations

import unicodedata

import pytest
from django.db import connection

from datasets_app import models
from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.selectors.marking import at_hit, marked
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.selectors.searching import hits_in, holds, is_slow, terms_of
from datasets_app.selectors.table import table_page
from datasets_app.services.datasets import create_dataset
from tests.datasets_app.makers import add, pair

ANSWERS = {
    "code": "Your order is OT-4471-X, on its way since Monday.",
    "chinese": "退款将在三个工作日内到账，请耐心等待。",
    "sharp": "The sample is written in C# and runs everywhere.",
    "plain": "The sample is written in C and runs everywhere.",
    "cold": "Keep it at -5 degrees, never at 5 degrees or more.",
    "accent": "Le café est ouvert dès midi, même à Noël.",
    "share": "Take 50% of the_powder, no more than that.",
    "length": 'The board is 5" wide and very long indeed.',
}

DEEP = Turn("user", f"{'And then more. ' * 30}It is deep-down there.")


@pytest.fixture
def dataset(cora):
    made = create_dataset("Search", by=cora)
    rows = [pair(f"Question of {name}?", answer) for name, answer in ANSWERS.items()]
    long = Conversation((*pair("Hello, who is there?", "Here is the shop.").turns, DEEP))
    add(made, [*rows, long])
    return made


@pytest.fixture
def found(dataset):
    def names(search):
        rows = RowFilter.from_query({"q": search}).rows(dataset).order_by("position")
        return [row.turns[0]["text"].split()[-1].rstrip("?") for row in rows]

    return names


@pytest.mark.django_db
@pytest.mark.checklist(164)
@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("4471", ["code"]),
        ("ot-4471-x", ["code"]),
        ("T-44", ["code"]),
        ("三个工作日", ["chinese"]),
        ("退款", ["chinese"]),
        ("款", ["chinese"]),
        ("c#", ["sharp"]),
        ("-5", ["cold"]),
        ("café", ["accent"]),
        (unicodedata.normalize("NFD", "café"), ["accent"]),
        ("cafe", []),
        ("50%", ["share"]),
        ("the_p", ["share"]),
        ("thexp", []),
        ('5"', ["length"]),
        ("ample writ", ["sharp", "plain"]),
        ('"ample writ"', []),
        ('"sample is"', ["sharp", "plain"]),
    ],
)
def test_a_search_finds_the_rows_that_hold_its_pieces(found, search, names):
    assert found(search) == names


def test_long_pieces_are_found_by_the_index_and_short_ones_pass_it_by(db):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for search, uses_it in (("4471", True), ("三个工", True), ("c#", False)):
            plan = models.Conversation.objects.filter(holds(search, models.Dataset())).explain()
            assert ("conversation_by_letters" in plan) is uses_it
            assert is_slow(search) is not uses_it


@pytest.mark.django_db
def test_the_table_marks_what_was_found_and_shows_it_where_it_lies_deep(dataset):
    (row,) = table_page(dataset, RowFilter(search="MONDAY")).rows
    assert [piece.text for piece in row.answer if piece.is_hit] == ["Monday"]
    assert row.elsewhere == []
    (row,) = table_page(dataset, RowFilter(search="deep-down")).rows
    assert [piece.text for piece in row.elsewhere if piece.is_hit] == ["deep-down"]


def test_a_hit_beyond_the_beginning_comes_into_sight():
    text = f"{'far ' * 30}away"
    parts = at_hit(text, hits_in(text, "away"))
    assert parts[0].text == "…"
    assert parts[-1].text == "away"
    assert parts[-1].is_hit


def test_marks_of_rules_and_of_the_search_may_overlap():
    parts = marked("one two three", [(0, 7)], [(4, 13), (5, 6)])
    assert "".join(part.text for part in parts) == "one two three"
    shown = [(part.text, part.is_marked, part.is_hit) for part in parts]
    assert shown == [("one ", True, False), ("two", True, True), (" three", False, True)]


def test_pieces_are_words_and_phrases_in_quotes():
    assert terms_of('say "good bye" 5" now say') == ["say", "good bye", '5"', "now"]
    assert terms_of('"open') == ['"open']
