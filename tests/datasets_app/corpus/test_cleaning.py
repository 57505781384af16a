"""What cleaning takes away, and first of all what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets_app.corpus.cleaning import PROFILE_NAMES, PROFILES, SWITCHES, Cleaning, wanted_of
from datasets_app.corpus.conversation import Conversation, CorpusError, Turn
from datasets_app.corpus.replacing import Replacing

ALL = tuple(SWITCHES)
GOOD = [
    "Use the <b> tag for bold text.",
    "AT&T and R&D; 5 < 7 > 3",
    "Die Größe „Spaß“ ist in Köln für 20 € zu haben.",
    "Il a dit : « Le CAFÉ » est fermé à 20 h.",
    "Le mot CAFÉ» est au bout.",
    "MAÇÃ” é uma fruta.",
    "Łódź, Škoda, İzmir, naïve café, Ångström",
    "Dear Anna is a song. Do you know it?",
    "Hi there",
    "Hello,",
    "Kind regards",
    "We wish you kind regards and all the best for the years that are to come, from all of us.",
    "a\n\nb",
    "if x:\n    return 1\n",
    "```\n<p>&nbsp;</p>  \n> quoted\n```",
    "He wrote: come at 5.",
    "Our cookie recipe: accept all cookies that grandmother bakes, and then " + "eat them " * 20,
    "日本語のテキスト、句読点も。",
    "Ä° ist kein Grad.",
    "We repair these brands:\nLG\nSamsung\nSony",
    "The plate says:\nMfg date: 2023-05\nSerial: 12",
    "Abkürzungen:\nVG Wort\nLG Köln",
    "Beste Reisezeit ist Mai.\nIm Juni regnet es oft.",
    "Hi is short for hello in English.\nHello is older.",
    "Cher veut dire aimé ou coûteux.\nC’est un adjectif.",
    "Ciao significa due cose.\nSi usa con gli amici.",
    "Liebe ist das Thema des Gedichts.\nEs hat drei Strophen.",
    "So geht es:\nZiehen Sie den Hebel nach oben.\nFertig.",
    "Um nach oben zu gelangen, nehmen Sie den Lift.\nEr fährt bis zehn.",
    "Do this:\nThe button back to top is on the right.\nPress it.",
    "Steps:\nOpen Settings and choose cookie preferences.\nSave.",
    "Steps:\nCookie settings are in the menu under Privacy.\nSave.",
    "Steps:\nClick on share on Facebook.\nDone.",
    "Where is the plan:\n\nPage 3 of 12\nat the top.",
    "See page 3 of 12 for the plan.\nIt is in colour.",
    "The numbers are\n-3\nand 12.",
    "Wo finde ich das?\nUnten steht „Newsletter abonnieren“ in Grau.\nKlicken Sie dort.",
    "The footer must say this:\nOur name, then all rights reserved, then the year.\nNo more.",
]
BAD = [
    ("mojibake", "Das CafÃ© in KÃ¶ln", "Das Café in Köln"),
    ("mojibake", "donâ€™t go â€“ itâ€™s late", "don’t go – it’s late"),
    ("mojibake", "ÃƒÂ©tÃƒÂ©", "été"),
    ("mojibake", "\u00d0\u00b4\u00d0\u00b0", "да"),
    ("mojibake", "Gut.\nCafÃ©\nSpaß „hier“", "Gut.\nCafé\nSpaß „hier“"),
    ("controls", "\ufeffa\u200bb\x07c", "abc"),
    ("markup", "<p>One</p><p>Two<br>three</p>", "One\nTwo\nthree"),
    ("markup", "Tom &amp; Anna&nbsp;&gt; 5 &euro;", "Tom & Anna > 5 €"),
    ("markup", "<ul><li>a</li><li>b</li></ul> ```<br>```", "- a\n- b\n\n ```<br>```"),
    ("quoted", "It is here.\n\n-- \nAnna\nShop", "It is here."),
    ("quoted", "Yes.\n\nOn Mon, 3 May 2026 at 10:00, Ben wrote:\n> Is it?", "Yes."),
    ("quoted", "It came.\n\nSent from my iPhone", "It came."),
    ("closing", "It is here.\n\nKind regards,\nAnna\nThe shop", "It is here."),
    ("closing", "Es ist da.\nMit freundlichen Grüßen\nAnna", "Es ist da."),
    ("greeting", "Dear Anna,\n\nit is here.", "it is here."),
    ("greeting", "Sehr geehrte Damen und Herren,\nwo ist es?", "wo ist es?"),
    ("furniture", "How to pay.\nWe use cookies. OK\nBy card.", "How to pay.\nBy card."),
    ("closing", "Es ist da.\nLG,\nAnna", "Es ist da."),
    ("closing", "Es ist da.\nMfG\nAnna", "Es ist da."),
    ("greeting", "Hallo Anna.\nEs ist da.", "Es ist da."),
    ("furniture", "Text.\nNach oben ↑", "Text."),
    ("furniture", "Text.\n© 2024 Shop. All rights reserved.", "Text."),
    ("page_numbers", "§ 1 The seller\nPage 3 of 12\ndelivers.", "§ 1 The seller\ndelivers."),
    ("page_numbers", "Der Verkäufer\n\n– 7 –\n\nliefert.", "Der Verkäufer\n\nliefert."),
    ("line_ends", "  def a():  \n\n\n\n      pass\t\n", "  def a():\n\n\n\n      pass\n"),
    ("spaces", "a  \n\n\n\nb\t\n", "a\n\nb"),
]


def test_what_stands_around_a_text_is_told_from_what_it_says():
    """Of 80 texts written for it, half of them with a line of a page around them."""
    lines = (Path(__file__).parent / "cleaning_texts.jsonl").read_text("utf-8").splitlines()
    texts = [(row["text"], row["told"]) for row in map(json.loads, lines)]
    clean = Cleaning(("furniture",)).cleaned
    cut = [(text, told) for text, told in texts if clean(text)[0] != text]
    right = [text for text, told in cut if clean(text)[0] == told != text]
    dirty = [text for text, told in texts if told != text]
    assert (len(texts), len(dirty)) == (80, 40)
    assert [text for text, _ in cut if text not in right] == []  # precision 1.0
    assert len(right) >= 0.95 * len(dirty), [text for text in dirty if text not in right]


@pytest.mark.parametrize("text", GOOD)
def test_what_people_wrote_is_left_alone(text):
    cleaned, acted = Cleaning(
        tuple(name for name in ALL if name not in {"spaces", "line_ends"})
    ).cleaned(text)
    assert (cleaned, acted) == (text, [])


@pytest.mark.parametrize(("switch", "text", "told"), BAD)
def test_each_switch_takes_away_what_it_says_and_no_other_does(switch, text, told):
    assert Cleaning((switch,)).cleaned(text) == (told, [switch])
    assert SWITCHES[switch].clean(told) == told  # once is enough
    again, _ = Cleaning(ALL).cleaned(text)
    assert Cleaning(ALL).cleaned(again) == (again, [])


def test_a_mail_is_cleaned_by_its_profile():
    text = "Hello Anna,\n\nthe parcel isnâ€™t here.&nbsp;\n\nBest regards\nBen\n\n-- \nBen Miller\n"
    assert Cleaning(PROFILES["mail"]).cleaned(text)[0] == "the parcel isn’t here."


@pytest.mark.checklist(115)
def test_every_kind_of_text_has_a_profile_that_leaves_its_own_marks_alone():
    mail = "Dear Anna,\n\n§ 3 is new.\n\nKind regards,\nBen"
    law = "§ 3  Delivery\n\n(1) The seller delivers.\nPage 3 of 12\n\n(2) The buyer pays.  "
    page = "How to pay.\nWe use cookies. OK\nBy card.&nbsp;"
    code = "def a():\n    if b:\n        return '&nbsp;'  \n\n\n\nDear = 1"
    told = {
        ("mail", mail): "§ 3 is new.",
        ("legal", mail): mail,
        ("legal", law): "§ 3  Delivery\n\n(1) The seller delivers.\n\n(2) The buyer pays.",
        ("chat", mail): mail,
        ("web", page): "How to pay.\nBy card.",
        ("code", code): code.replace("'  ", "'"),
    }
    for (profile, text), wanted in told.items():
        assert Cleaning(PROFILES[profile]).cleaned(text)[0] == wanted, profile
    assert PROFILES.keys() == PROFILE_NAMES.keys() == {"chat", "mail", "legal", "web", "code"}


def test_turns_keep_their_roles_and_instructions_are_left_alone():
    talk = Conversation(
        (Turn("system", "Hi,\nbe kind  "), Turn("user", "Hi,\nwhere?"), Turn("assistant", "Here."))
    )
    cleaning = Cleaning(("greeting", "spaces"))
    assert cleaning.applied(talk).turns == (talk.turns[0], Turn("user", "where?"), talk.turns[2])
    assert cleaning.acted_in(talk) == ["greeting"]
    (changed,) = cleaning.differences(talk)
    assert [part.text for part in changed.parts if part.kind == "gone"] == ["Hi,\n"]
    clean = cleaning.applied(talk)
    assert cleaning.applied(clean) == clean


def test_what_is_stored_comes_back_and_nothing_unknown_is_taken():
    cleaning = Cleaning(("spaces",))
    assert wanted_of(cleaning.as_json()) == cleaning
    words = Replacing("a", "b")
    assert wanted_of(words.as_json()) == words
    for switches in ((), ("unknown",)):
        with pytest.raises(CorpusError):
            Cleaning(switches)
