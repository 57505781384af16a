"""A filter of paragraphs keeps what says something, however plainly, and tells why others go."""

from __future__ import annotations

import pytest

from datasets_app.corpus.conversation import Turn
from datasets_app.corpus.readers.prompted import File, Passages
from datasets_app.corpus.readers.worth import USUAL, weighed, worth_of
from datasets_app.corpus.source import Gap, Problem, Record

SAYS = """Press the button for five seconds.
1. Unplug the lamp.
2. Turn the lamp upside down and open the lid with a coin.
- Put the new bulb in
To reset your password, open Settings, choose Account and click on Reset.
Wait until the light is green.
Size | 12 cm
The lamp costs 40 euros.
Die Lampe wird in zwei Tagen geliefert.
Drücken Sie fünf Sekunden lang auf den Knopf.
Appuyez sur le bouton pendant cinq secondes.
Mantenga pulsado el botón durante cinco segundos.
请按住按钮五秒钟,然后松开。
ボタンを五秒間押してください。
Удерживайте кнопку пять секунд.
Save the file, then restart the program.
Run the command in a shell: otto up""".split("\n")
SAYS_LITTLE = """Home | Products | Contact | About
Home » Lamps » Blue lamps » Lamp 7
Share on Facebook
Read more
Click here
Login
We use cookies to improve your experience. Accept
© 2024 Lamp Shop
Prev 1 2 3 4 5 Next
12.99 € 14.99 € 19.99 €
Tags: lamp, blue, desk, light, home
Lamps Chairs Tables Sofas Beds
Impressum Datenschutz AGB Kontakt
Facebook Twitter Instagram YouTube
★★★★☆ (124)
2024-03-12 10:42
Add to cart
Sign in / Register
In stock""".split("\n")


@pytest.mark.parametrize("text", SAYS)
def test_plain_instructions_pass_at_the_usual_score(text):
    assert worth_of(text).passes(USUAL), worth_of(text).told


@pytest.mark.parametrize("text", SAYS_LITTLE)
def test_what_stands_around_the_text_does_not(text):
    assert not worth_of(text).passes(USUAL), worth_of(text).told


def test_headings_and_code_stay_with_what_they_belong_to():
    code = "```\nx\n\n1 2\n```"
    text = f"# Lamps\n\n## Menu\n\nHome | Shop | Cart\n\n## Use\n\nTurn it on.\n\n{code}"
    kept = [one.text for one in weighed(text) if one.passes(USUAL)]
    assert kept == ["# Lamps", "## Use", "Turn it on.", code]


def passage(start, end, text):
    return Record(start, end, (Turn("text", text),), place="section 1")


def test_what_goes_is_told_with_the_parts_of_its_score_and_the_bytes_tile():
    items = [passage(0, 50, "Login\n\nTurn the lamp on by its switch."), passage(50, 60, "Login")]
    found = list(Passages(least=USUAL).told((one for one in items), File("x")))
    assert [(type(one), one.start, one.end) for one in found] == [
        (Problem, 0, 0), (Record, 0, 50), (Problem, 50, 50), (Gap, 50, 60)
    ]  # fmt: skip
    assert found[1].turns == (Turn("text", "Turn the lamp on by its switch."),)
    assert "sentences 0.00, length 0.12" in found[0].message
    assert found[0].sample == "Login"
    plain = Passages(("{{text}}",), 1)
    assert "least" not in plain.as_json()
    assert Passages(least=0.5).as_json()["least"] == 0.5
