"""Colours can be read: contrast is computed from the file."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

CSS = (settings.BASE_DIR / "static" / "css" / "otto.css").read_text("utf-8")
BLOCK = r"%s \{\n(.*?)\n\s*\}"
TOKEN = re.compile(r"--([a-z-]+): (#[0-9a-f]{6});")
GROUNDS = ("bg", "surface", "sunken")
TEXTS = ("text", "muted", "accent", "good", "warn", "bad", "info")


def tokens(selector):
    body = re.search(BLOCK % re.escape(selector), CSS, re.DOTALL)[1]
    return dict(TOKEN.findall(body))


THEMES = {"light": tokens(":root"), "dark": tokens(':root[data-theme="dark"]')}


def channels(colour):
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def luminance(parts):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(tone, ground, share):
    return [
        share * a + (1 - share) * b for a, b in zip(channels(tone), channels(ground), strict=True)
    ]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_reaches_four_and_a_half_to_one(theme, ground, text):
    colours = THEMES[theme]
    assert contrast(channels(colours[text]), channels(colours[ground])) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", GROUNDS)
def test_edges_of_fields_reach_three_to_one(theme, ground):
    colours = THEMES[theme]
    assert contrast(channels(colours["edge"]), channels(colours[ground])) >= 3


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("tone", ["muted", "good", "warn", "bad", "info", "accent"])
def test_badges_can_be_read_on_their_tint(theme, tone):
    colours = THEMES[theme]
    tint = mixed(colours[tone], colours["surface"], 0.11)
    assert contrast(channels(colours[tone]), tint) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_the_primary_button_can_be_read(theme):
    colours = THEMES[theme]
    assert contrast(channels(colours["on-accent"]), channels(colours["accent"])) >= 4.5


def test_the_systems_dark_theme_is_the_chosen_one():
    assert tokens(':root:not([data-theme="light"])') == THEMES["dark"]


def test_both_themes_name_the_same_colours():
    assert THEMES["light"].keys() == THEMES["dark"].keys()


def test_every_token_in_use_is_defined():
    used = set(re.findall(r"var\(--([a-z0-9-]+)\)", CSS))
    assert used <= set(re.findall(r"--([a-z0-9-]+):", CSS))
