"""Training texts, exactly: each template with and without a system prompt, its end token last."""

from __future__ import annotations

import json

import pytest

from datasets_app.corpus.conversation import Conversation, Turn, passage
from datasets_app.corpus.layouts.prompts import (
    PROMPTS,
    Sample,
    training_lines,
    training_list,
    warnings_of,
)
from tests.datasets_app.makers import pair

PAIR = pair("Where?", "In Bonn.")
EXACT = {
    "alpaca": (
        "### Instruction:\nWhere?\n\n### Response:\nIn Bonn.<|endoftext|>",
        "### Instruction:\nBe kind.\n\nWhere?\n\n### Response:\nIn Bonn.<|endoftext|>",
    ),
    "chatml": (
        "<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\nIn Bonn.<|im_end|>\n",
        (
            "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nWhere?<|im_end|>\n"
            "<|im_start|>assistant\nIn Bonn.<|im_end|>\n"
        ),
    ),
    "llama": (
        (
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nWhere?<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nIn Bonn.<|eot_id|>"
        ),
        (
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nWhere?<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\nIn Bonn.<|eot_id|>"
        ),
    ),
    "gemma": (
        "<start_of_turn>user\nWhere?<end_of_turn>\n<start_of_turn>model\nIn Bonn.<end_of_turn>\n",
        (
            "<start_of_turn>user\nBe kind.\n\nWhere?<end_of_turn>\n"
            "<start_of_turn>model\nIn Bonn.<end_of_turn>\n"
        ),
    ),
    "mistral": (
        "<s>[INST] Where? [/INST] In Bonn.</s>",
        "<s>[INST] Be kind.\n\nWhere? [/INST] In Bonn.</s>",
    ),
    "user-assistant": (
        "User: Where?\nAssistant: In Bonn.<|endoftext|>",
        "System: Be kind.\nUser: Where?\nAssistant: In Bonn.<|endoftext|>",
    ),
    "plain": ("Where?\n\nIn Bonn.<|endoftext|>", "Be kind.\n\nWhere?\n\nIn Bonn.<|endoftext|>"),
}
EXACT["qwen"] = EXACT["chatml"]


@pytest.mark.parametrize("name", PROMPTS)
def test_a_template_is_written_exactly(name):
    prompt = PROMPTS[name]
    assert (prompt.text(PAIR), prompt.text(PAIR, "Be kind.")) == EXACT[name]
    own = Conversation((Turn("system", "Be kind."), *PAIR.turns))
    assert prompt.text(own, "Not this.") == EXACT[name][1]
    assert prompt.text(PAIR).rstrip("\n").endswith(prompt.end)
    assert prompt.text(passage("Once.")) == f"Once.{prompt.end}"


@pytest.mark.parametrize("name", PROMPTS)
def test_every_turn_of_a_talk_is_written(name):
    talk = Conversation((*PAIR.turns, Turn("user", "When?"), Turn("assistant", "At ten.")))
    text = PROMPTS[name].text(talk, "Be kind.")
    assert text.count("Be kind.") == 1
    places = [text.index(word) for word in ("Where?", "In Bonn.", "When?", "At ten.")]
    assert places == sorted(places)


def test_files_have_the_earlier_names_of_their_fields():
    samples = [Sample(PAIR, "a.md", 8.25), Sample(PAIR)]
    lines = [json.loads(one) for one in training_lines(samples, PROMPTS["plain"])]
    assert lines[0] == {
        "text": EXACT["plain"][0],
        "question": "Where?",
        "answer": "In Bonn.",
        "source_file": "a.md",
        "validation_score": 8.25,
    }
    assert lines[1]["validation_score"] is None
    assert json.loads("".join(training_list(samples, PROMPTS["plain"]))) == lines
    assert json.loads("".join(training_list([], PROMPTS["plain"]))) == []


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("  ", "error", "empty"),
        ("a" * 2_001, "warning", "2,001 characters"),
        ("word " * 501, "warning", "501 words"),
        ("You are an AI that helps.", "warning", "opens with"),
        ("I am Otto.", "warning", "opens with"),
        ("End with <|im_end|>", "warning", "control token"),
        ("Use <end_of_turn>", "warning", "control token"),
    ],
)
def test_a_system_prompt_is_looked_over(text, kind, told):
    [(found, sentence)] = warnings_of(text)
    assert found == kind
    assert told in sentence


def test_a_plain_system_prompt_is_left_alone():
    assert warnings_of("Answer questions about our handbook in one or two sentences.") == []
