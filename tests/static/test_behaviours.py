"""Scripts are behaviours: one file each, small, text only, and named by a template."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

SCRIPTS = sorted((settings.BASE_DIR / "static" / "js").glob("*.js"))
TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
NAMED = re.compile(r'data-behaviour="([^"{}]+)"')
IMPORTED = re.compile(r'^import (?:[^;]*?from )?"\./([a-z_]+)\.js"', re.MULTILINE | re.DOTALL)
FORBIDDEN = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(")


def used():
    texts = [path.read_text("utf-8") for path in TEMPLATES]
    return {name for text in texts for names in NAMED.findall(text) for name in names.split()}


def imported():
    return {name for path in SCRIPTS for name in IMPORTED.findall(path.read_text("utf-8"))}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_small_checked_and_writes_text_only(path):
    text = path.read_text("utf-8")
    assert text.startswith("// @ts-check\n")
    assert len(text.splitlines()) <= 120
    assert [word for word in FORBIDDEN if word in text] == []


def test_every_behaviour_of_a_template_has_its_script():
    assert used() <= {path.stem for path in SCRIPTS}


def test_every_script_is_a_behaviour_in_use_or_a_part_of_one():
    assert {path.stem for path in SCRIPTS} - {"boot"} <= used() | imported()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_behaviour_can_be_attached(path):
    if path.stem in used():
        assert "export function attach(" in path.read_text("utf-8")
