"""Pages, messages and docs say the words of the field; our own old words do not come back."""

from __future__ import annotations

import ast
import re

import pytest

from tests.test_house_rules import OURS, ROOT, nodes, sources, tracked

MARKUP = re.compile(r"\{[#%{].*?[#%}]\}|<[^>]*>", re.DOTALL)
OLD = re.compile(
    r"\b(held[-_ ]?out|ticks?|ticked|un-?tick|bells?|shel(f|ves)|doors?|proved|errands?|twins?)\b"
)
COLUMNS = re.compile(r">\s*(why|before|next to)\s*</th>")
# a shop's own sentences, examples, and help texts that stand in migrations and on no page
NOT_SHOWN = {"datasets_app/sample", "datasets_app/corpus/rules", "chat_app/models"}


@pytest.mark.parametrize("path", tracked("templates/*.html"), ids=lambda path: path.name)
def test_a_page_has_no_old_word(path):
    text = path.read_text("utf-8").lower()
    assert not COLUMNS.search(text)
    assert not (found := OLD.search(MARKUP.sub(" ", text))), found


def test_no_message_to_a_person_has_an_old_word():
    """A message is a string with a space in it, and no docstring."""
    for path in (path for package in sorted(OURS) for path in sources(package)):
        place = str(path.relative_to(ROOT))
        if any(place.startswith(folder) for folder in NOT_SHOWN):
            continue
        told = {id(node.value) for node in nodes(path) if isinstance(node, ast.Expr)}
        for node in nodes(path):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in told and " " in node.value.strip():
                found = OLD.search(node.value.lower())
                assert not found, f"{place}:{node.lineno} {found}"


@pytest.mark.slow
def test_validation_has_one_name_everywhere():
    old = re.compile(r"\bheld[-_ ]?out\b|HeldOut", re.IGNORECASE)
    for path in tracked("*.py", "*.md", "*.js", "*.html"):
        if "migrations" not in path.parts and path.name != "test_words.py":
            found = old.search(path.read_text("utf-8"))
            assert not found, f"{path.relative_to(ROOT)}: {found}"


@pytest.mark.parametrize("path", tracked("static/js/*.js"), ids=lambda path: path.name)
def test_a_script_says_no_old_word(path):
    for text in re.findall(r"\"([^\"\n]* [^\"\n]*)\"|`([^`]* [^`]*)`", path.read_text("utf-8")):
        assert not OLD.search(" ".join(text).lower()), text
