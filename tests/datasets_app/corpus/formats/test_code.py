"""Program text: told by its name, and kept to the last blank."""

from __future__ import annotations

import pytest

from datasets_app.corpus.cleaning import PROFILES, Cleaning
from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.corpus.rules.judge import judge
from datasets_app.corpus.rules.policy import standard

PYTHON = '''"""Parcels."""

STATES = {"new": 1, "sent": 2}


class Parcel:
    def __init__(self, number):
        self.number = number

    def say(self):
        if self.number:
            return f"parcel {self.number}"
\treturn None
'''


@pytest.mark.parametrize(
    ("name", "language", "text"),
    [
        ("a.py", "Python", PYTHON),
        ("src/a.js", "JavaScript", "function f() {\n  return [1,\n    2];\n}\n\n\nf();\n"),
        ("a.py", "Python", "User: int = 1\nAgent: int = 2\nUser: int = 3\nAgent: int = 4\n"),
        ("a.sql", "SQL", "select a, b\n  from t\n where a = 1;\n"),
    ],
)
def test_each_blank_of_a_program_is_kept(load, name, language, text):
    reading = load(text, name)
    assert reading.identified.kind == "code"
    assert reading.talks == [[("text", text.removesuffix("\n"))]]
    assert reading.records[0].meta == {"language": language}


def test_a_long_program_is_cut_between_its_parts_and_nothing_is_lost(load):
    parts = [f"def part_{n}():\n    return [\n        {n},\n    ]\n" for n in range(500)]
    reading = load("\n\n".join(parts), "long.py")
    texts = [talk[0][1] for talk in reading.talks]
    assert len(texts) > 2
    assert all(text.startswith("def part_") and text.endswith("    ]") for text in texts)
    assert "\n\n\n".join(texts) + "\n" == "\n\n".join(parts)


@pytest.mark.checklist(117)
def test_code_keeps_its_indentation_in_files_in_markdown_and_under_its_profile(load):
    fenced = f"# How\n\nDo this:\n\n```python\n{PYTHON}```\n"
    for text, name in ((PYTHON, "a.py"), (fenced, "a.md")):
        ((said,),) = load(text, name).talks
        assert said[1] == text.removesuffix("\n")
        talk = Conversation((Turn(*said),))
        assert judge(talk, standard()).status == "kept"
        assert Cleaning(PROFILES["code"]).applied(talk) == talk
    odd = "  def a():  \n\n\n\n      \ufeffreturn 1\t\n"
    assert Cleaning(PROFILES["code"]).cleaned(odd)[0] == "  def a():\n\n\n\n      return 1\n"
