"""Rows of a table as language: what is said, in which words, and what is left out."""

from __future__ import annotations

import json
import re

import pytest

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.parsing.cells import date_words, named, number_words, spelled, tidy
from datasets_app.corpus.parsing.telling import WAYS, Telling, likely_key
from datasets_app.corpus.parsing.templates import Template

COLUMNS = ("productID", "productName", "unit_price_eur", "weight (kg)", "since", "in stock", "note")
CHAI = ("1", "Chai", "18.50", "0.4", "2024-07-04 00:00:00", "Yes", "NULL")
CELLS = dict(zip(COLUMNS, CHAI, strict=True))


def told(way, key="productName", **more):
    return Telling.of(way, COLUMNS, key, more.get("asks"), more.get("template")).exchanges(CELLS)


def test_each_cell_becomes_a_question_and_a_whole_sentence():
    assert told("questions") == [
        ("What is the product ID of Chai?", "The product ID of Chai is 1."),
        ("What is the unit price of Chai?", "The unit price of Chai is 18.50 EUR."),
        ("What is the weight of Chai?", "The weight of Chai is 0.4 kg."),
        ("What is the since of Chai?", "The since of Chai is 4 July 2024."),
        ("Does in stock apply to Chai?", "Yes, in stock applies to Chai."),
    ]


def test_a_row_is_told_in_sentences_lines_or_json_and_nothing_is_said_of_empty_cells():
    ((asked, sentences),) = told("sentences")
    assert asked == "What is known about Chai?"
    assert sentences.endswith("The since of Chai is 4 July 2024. In stock applies to Chai.")
    ((_, lines),) = told("lines")
    assert lines.startswith("product name: Chai\nproduct ID: 1\nunit price: 18.50 EUR\n")
    ((_, stored),) = told("json")
    assert json.loads(stored)["unit_price_eur"] == "18.50"
    for text in (sentences, lines, stored):
        assert "NULL" not in text
        assert "note" not in text


def test_a_code_is_named_by_the_word_of_its_column():
    (asked, answer), *_ = told("questions", key="productID")
    assert asked == "What is the product name of product 1?"
    assert answer == "The product name of product 1 is Chai."


def test_a_row_without_a_name_or_facts_is_not_told():
    for cells in ({**CELLS, "productName": " n/a "}, {"productName": "Chai", "note": "-"}):
        for way in WAYS.keys() - {"template"}:
            assert Telling.of(way, COLUMNS, "productName", None, None).exchanges(cells) == []


def test_a_template_says_what_a_person_wrote():
    asks = "How much is {{productName}}?"
    answer = "{{ productname }} is {{unit_price_eur}} EUR[[ ({{note}})]][[, since {{since|date}}]]."
    assert told("template", asks=asks, template=answer) == [
        ("How much is Chai?", "Chai is 18.50 EUR, since 4 July 2024.")
    ]
    other = Template.of('{{note|or:"nothing"}} of {{productName|upper}}', COLUMNS)
    assert other.filled(CELLS) == "nothing of CHAI"
    assert Template.of("{{note}} of {{productName}}", COLUMNS).filled(CELLS) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{produktName}}", "Did you mean “productName”?"),
        ("{{since|dat}}", "Known are: date"),
        ("{{since", "has to end with }}"),
        ("[[{{since}}", "has to end with ]]"),
        ("{{since}} ]]", "no [[ is open"),
        ("no column", "at least one column"),
        ("{{since}}" + "x" * 4_000, "at most 4,000 signs"),
    ],
)
def test_a_wrong_template_says_what_to_do(text, told):
    with pytest.raises(CorpusError, match=re.escape(told)):
        Template.of(text, COLUMNS)


def test_cells_and_columns_are_said_as_people_say_them():
    assert [tidy(cell) for cell in ("12.0", "12.00", " a\n b ", "N/A", "0", "-5")] == [
        *("12", "12.00", "a b", "", "0", "-5")
    ]
    assert date_words("2024-02-29T14:30:00Z") == "29 February 2024, 14:30"
    assert date_words("2024-13-01") == "2024-13-01"
    assert (number_words("1234567"), number_words("1234.5"), number_words("x")) == (
        *("1,234,567", "1,234.5", "x"),
    )
    assert [named(name) for name in ("TotalCharges", "ship_city", "Preis (€)", "URL", "Höhe")] == [
        *("total charges", "ship city", "Preis", "URL", "Höhe")
    ]
    assert (spelled("cost ($)", "12"), spelled("share %", "5")) == ("$12", "5")
    assert (spelled("share (%)", "5"), spelled("Preis in €", "5,20")) == ("5%", "5,20 €")


def test_the_column_that_names_a_row_has_another_value_in_each():
    rows = [("1", "Chai", "3"), ("2", "Chang", "3")]
    assert likely_key(("id", "productName", "n"), rows) == "productName"
    assert likely_key(("order_no", "x", "n"), rows) == "order_no"
    assert likely_key(("a", "b", "c"), [("1", "1", "1"), ("1", "1", "1")]) is None
    assert likely_key(("a", "b"), []) is None
