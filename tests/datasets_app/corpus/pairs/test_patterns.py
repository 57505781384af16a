"""Questions out of texts: each pattern's own example, the exact places, and what makes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_app.corpus.pairs.extractive import extract, of_chunk, read_page
from datasets_app.corpus.pairs.registry import PATTERNS

SHARED = Path(__file__).resolve().parents[6] / "shared" / "data"
HANDBOOK = """\
---
title: Leave
---

# Leave

Annual leave is the paid time off that every employee earns.
You may take leave on any working day of the year.

- [Sick leave](#sick)
- [Other](#other)

## Sick leave

If you are ill, call your manager before nine o'clock. To report more than
three days, send a note from a doctor. It is kept for a year.

```python
# Code is a thing that nobody asks about.
```

| Kind | Days |
|------|------|

## Who may ask for more?

Everybody after their first year.

The following people are covered:

- employees
- their children

Employees may carry over 240 hours of annual leave.
The forms are stored in the blue folder. The desk was opened in May 2019.
"""


def pairs(text, patterns=tuple(PATTERNS)):
    return extract(read_page(text, "leave"), patterns)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_each_pattern_asks_what_its_example_says(pattern):
    text, question = pattern.example
    assert question in [found.question for found in pattern.find(read_page(f"{text}\n", "x"))]


def test_a_handbook_is_asked_what_people_would_ask():
    assert {one.question: one.pattern for one in pairs(HANDBOOK)} == {
        "What is annual leave?": "definitions",
        "May I take leave on any working day of the year?": "permissions",
        "What should I do if I am ill?": "conditions",
        "How do I report more than three days?": "ways",
        "Who may ask for more?": "questions",
        "Which people are covered?": "lists",
        "How many hours of annual leave may employees carry over?": "amounts",
        "Where are the forms stored?": "places",
        "When was the desk opened?": "moments",
        "What should I know about leave?": "headings",
        "What should I know about sick leave?": "headings",
    }


def test_an_answer_is_what_stands_at_its_place_and_ends_like_a_sentence():
    for one in pairs(HANDBOOK):
        assert " ".join(HANDBOOK[one.start : one.end].split()) == " ".join(one.answer.split())
        assert one.answer.endswith((".", "children"))
        assert HANDBOOK[one.start - 1] in "\n "


@pytest.mark.parametrize("off", PATTERNS)
def test_a_pattern_that_is_off_makes_nothing(off):
    left = pairs(HANDBOOK, [name for name in PATTERNS if name != off])
    assert off not in {one.pattern for one in left}


@pytest.mark.parametrize(
    "text",
    [
        "It is a good idea to ask. This is the way. They are the people who know. There is a way.",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "    x = the_code()  # this is a comment of code\n",
        "- [Home](/)\n- [Contact](/contact)\n",
        "The following is true: {{ value }} is a {% tag %}.",
        "",
        "???",
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor.",
    ],
)
def test_what_nobody_would_ask_about_makes_no_question(text):
    assert pairs(text) == []


def test_other_languages_have_headings_lists_and_questions_only():
    text = (
        "# Urlaub\n\nDer Urlaub ist die freie Zeit, die man im Jahr nehmen kann. Man muss ihn "
        "vorher bei der Leitung beantragen.\n\n## Wer ist zuständig?\n\nDas Büro ist es.\n"
    )
    assert [(one.question, one.pattern) for one in pairs(text)] == [
        ("Was sollte ich über „Urlaub“ wissen?", "headings"),
        ("Wer ist zuständig?", "questions"),
    ]


def test_a_chunk_has_its_own_pairs_and_no_more_than_asked():
    found = pairs(HANDBOOK)
    middle = HANDBOOK.index("## Sick")
    first = of_chunk(found, 0, middle + 100, most=20)
    second = of_chunk(found, middle - 200, len(HANDBOOK), before=middle + 100, most=20)
    assert {one.question for one in first}.isdisjoint(one.question for one in second)
    assert len(first) + len(second) == len(found)
    for start, end in ((0, middle), (middle, middle + 90), (middle + 5, middle + 5)):
        inside = [one for one in found if start <= one.start and one.end <= end]
        assert of_chunk(found, start, end, most=99) == inside
    few = of_chunk(found, 0, len(HANDBOOK), most=3)
    assert len({one.pattern for one in few}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["18f-handbook/pages", "laravel-docs", "peps-rst"])
def test_real_documents_give_questions_that_stand_alone(folder):
    files = [path for path in (SHARED / folder).rglob("*") if path.suffix in {".md", ".rst"}][:40]
    if not files:
        pytest.skip("the shared data is not here")
    count = 0
    for path in files:
        text = path.read_text("utf-8", "replace")
        for one in pairs(text):
            count += 1
            assert " ".join(text[one.start : one.end].split()) == " ".join(one.answer.split())
            assert one.pattern == "questions" or one.question.split()[-1] not in {"it?", "this?"}
            assert one.pattern == "questions" or "{" not in one.question
    assert count > 3 * len(files)


@pytest.mark.parametrize("labels", [("Client: ", "Agent: "), ("[Ann] ", "[Bo Ray] "), ("", "A: ")])
def test_labels_of_who_speaks_stand_in_no_pair(labels):
    asks, answers = labels
    text = f"{asks}When does the lamp come back?\n\n{answers}It comes back on the first of May."
    (pair,) = extract(read_page(text, "Talk"), {"questions"})
    assert pair.question == "When does the lamp come back?"
    assert pair.answer == text[pair.start : pair.end] == "It comes back on the first of May."
