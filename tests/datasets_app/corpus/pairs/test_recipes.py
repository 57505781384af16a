"""Recipes: what is sent, what is odd in a system prompt, and files beside documents."""

from __future__ import annotations

import pytest

from datasets_app.corpus.pairs.recipes import (
    Recipe,
    RecipeError,
    read_definition,
    recipes_from,
    system_prompt_warnings,
)


def test_a_recipe_sends_its_task_the_headings_and_the_passage():
    system, user = Recipe(questions=4).messages("Open at nine.", ["Shop", "Hours"])
    assert system["role"] == "system"
    assert "Open at nine." in user["content"]
    assert "Shop / Hours" in user["content"]
    assert "array of 4 objects" in user["content"]
    assert "{count}" not in user["content"]


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("  ", "is empty"),
        ("a" * 2001, "2,001 characters"),
        ("a " * 501, "501 words"),
        ("You are an AI that helps.", "opens like"),
        ("I am Otto.", "opens like"),
        ("Say <|im_start|> first.", "control tokens"),
    ],
)
def test_odd_system_prompts_are_told(prompt, words):
    assert any(words in one for one in system_prompt_warnings(prompt))


def test_a_plain_system_prompt_is_fine():
    assert system_prompt_warnings("Answers of the help desk: short, polite, exact.") == []


@pytest.mark.parametrize(
    "text",
    [
        (
            "model_system_prompt: Be brief.\n"
            "training_prompts:\n- prompt: Ask about facts.\n  num_questions: 5\n"
            "- prompt: Ask why.\n"
        ),
        (
            '{"model_system_prompt": "Be brief.", "training_prompts": '
            '[{"prompt": "Ask about facts.", "num_questions": 5}, {"prompt": "Ask why."}]}'
        ),
    ],
)
def test_a_definition_beside_a_document_is_read(text):
    assert read_definition(text) == [
        Recipe("Prompt 1", "Ask about facts.", "Be brief.", 5),
        Recipe("Prompt 2", "Ask why.", "Be brief.", 3),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "training_prompts: 3",
        "training_prompts: [{}]",
        "[1]",
        '{"training_prompts": [{"prompt": "x", "num_questions": "many"}]}',
        '{"training_prompts": [{"prompt": "x", "num_questions": 99}]}',
    ],
)
def test_a_definition_that_is_none_says_why(text):
    with pytest.raises(RecipeError):
        read_definition(text)


def test_stored_recipes_come_back_and_unknown_fields_are_told():
    one = Recipe("Facts", "Ask.", "", 2)
    assert recipes_from([one.as_json()]) == [one]
    with pytest.raises(RecipeError, match="not known"):
        recipes_from([{"colour": "red"}])
    with pytest.raises(RecipeError, match="10 recipes at most"):
        recipes_from([one.as_json()] * 11)
