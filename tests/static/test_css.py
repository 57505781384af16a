"""Style sheets stand in their layers, and colours can be read: contrast is computed from them."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

FOLDER = settings.BASE_DIR / "static" / "css"
LINKED = re.findall(
    r"static 'css/([a-z]+\.css)'", (settings.BASE_DIR / "templates/base.html").read_text("utf-8")
)
CSS = "\n".join((FOLDER / name).read_text("utf-8") for name in LINKED)
LAYERS = ["tokens", "base", "layout", "components", "pages"]
TOKEN = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
GROUNDS = ("bg", "surface", "sunken")
TEXTS = ("text", "muted", "accent", "good", "warn", "bad", "info")
COLOURS = TOKEN.findall(CSS)
THEMES = {
    "light": {name: light for name, light, _ in COLOURS},
    "dark": {name: dark for name, _, dark in COLOURS},
}


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


def test_a_colour_is_written_once_for_both_themes():
    names = [name for name, _, _ in COLOURS]
    assert {*GROUNDS, *TEXTS} <= set(names)
    assert len(names) == len(set(names))


def test_every_page_links_every_sheet_in_the_order_of_the_layers():
    assert sorted(LINKED) == sorted(path.name for path in FOLDER.glob("*.css"))
    first = (FOLDER / LINKED[0]).read_text("utf-8")
    assert f"@layer {', '.join(LAYERS)};" in first
    used = re.findall(r"^@layer ([a-z]+) \{$", CSS, re.MULTILINE)
    assert used == sorted(used, key=LAYERS.index)
    assert set(used) == set(LAYERS)


def test_only_what_stands_above_the_layers_stands_outside_them():
    for name in LINKED[:-1]:
        outside = re.sub(
            r"/\*.*?\*/|^@layer [a-z]+ \{\n.*?^\}",
            "",
            (FOLDER / name).read_text(),
            flags=re.DOTALL | re.MULTILINE,
        )
        assert re.sub(r"@layer [a-z, ]+;", "", outside).strip() == "", name
    assert "@layer" not in (FOLDER / LINKED[-1]).read_text("utf-8")


def test_no_rule_needs_to_shout():
    assert "!important" not in CSS


def test_every_token_in_use_is_defined():
    used = set(re.findall(r"var\(--([a-z0-9-]+)\)", CSS))
    assert used <= set(re.findall(r"--([a-z0-9-]+):", CSS))
