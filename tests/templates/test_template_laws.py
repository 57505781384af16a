"""Templates keep the content policy and say what they need."""

from __future__ import annotations

import json
import re

import pytest
from django.conf import settings
from django.template.loader import get_template

ROOT = settings.BASE_DIR / "templates"
TEMPLATES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.html"))
FRAGMENTS = [name for name in TEMPLATES if name.name.startswith("_")]
COMMENT = re.compile(r"\{#.*?#\}|\{% comment.*?endcomment %\}", re.DOTALL)
FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=|<style\b", re.IGNORECASE),
    "an inline handler": re.compile(r"<[a-z][^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "an inline script": re.compile(
        r"<script(?![^>]*(\bsrc=|application/json))[^>]*>", re.IGNORECASE
    ),
    "hx-on, or a value that is evaluated": re.compile(r"\shx-on|['\"]js:|\sjavascript:"),
    "markup that is trusted": re.compile(r"\|\s*safe(?!seq)\b|autoescape off|\|safeseq"),
    "something from elsewhere": re.compile(r"(src|href)=[\"']?(https?:)?//", re.IGNORECASE),
}
TRUSTED = {"_field.html": "markup that is trusted"}  # help texts are written by us


@pytest.mark.parametrize("name", TEMPLATES, ids=str)
def test_a_template_compiles_and_begins_with_its_context(name):
    text = (ROOT / name).read_text("utf-8")
    assert text.startswith("{# Context: "), f"{name} must begin with its context"
    get_template(str(name))


@pytest.mark.parametrize("name", TEMPLATES, ids=str)
def test_a_template_holds_nothing_that_the_content_policy_forbids(name):
    text = COMMENT.sub("", (ROOT / name).read_text("utf-8"))
    found = [what for what, pattern in FORBIDDEN.items() if pattern.search(text)]
    assert [what for what in found if TRUSTED.get(name.name) != what] == []


@pytest.mark.parametrize("name", FRAGMENTS, ids=str)
def test_a_fragment_extends_nothing(name):
    assert "{% extends" not in (ROOT / name).read_text("utf-8")


ASKS = re.compile(r"<[a-z][^<>]*\shx-(?:get|post|put|patch|delete)=[^<>]*>")
INHERITED = re.compile(r"\shx-(?:inherit|disinherit|boost)\b|[\"']unset[\"']")


def test_htmx_inherits_no_attribute_from_an_element_around():
    """An element that asks says itself where the answer goes: what stands around it may change."""
    base = (ROOT / "base.html").read_text("utf-8")
    config = json.loads(re.search(r"name=\"htmx-config\"\s+content='([^']+)'", base)[1])
    assert config["disableInheritance"] is True
    for name in TEMPLATES:
        text = COMMENT.sub("", (ROOT / name).read_text("utf-8"))
        assert not INHERITED.search(text), name
        for tag in ASKS.findall(re.sub(r"\{%.*?%\}", " ", text)):
            assert re.search(r"\shx-swap=", tag), f"{name}: {tag}"


def test_htmx_keeps_no_copy_of_a_page_and_sets_no_style():
    """Back asks for the page as it is now; a copied style attribute breaks the content policy."""
    base = (ROOT / "base.html").read_text("utf-8")
    config = json.loads(re.search(r"name=\"htmx-config\"\s+content='([^']+)'", base)[1])
    assert (config["historyCacheSize"], config["refreshOnHistoryMiss"]) == (0, True)
    assert "style" not in config["attributesToSettle"]
    assert config["defaultSettleDelay"] == 0  # new elements answer to keys at once
