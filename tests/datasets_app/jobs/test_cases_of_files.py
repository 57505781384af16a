"""Small files that other tools read wrongly, through the whole import."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_app.corpus.conversation import from_json
from datasets_app.corpus.split import exact_key

CASES = Path(__file__).resolve().parents[4] / "shared/cases"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CASES.exists(), reason="the cases lie beside the repository only"),
]
WE_OPEN = [("user", "What time do you open?"), ("assistant", "We open at nine in the morning.")]
SUNDAY = [("user", "And on Sunday?"), ("assistant", "On Sunday we open at eleven.")]
IN_STOCK = [
    ("user", "Is the blue lamp in stock?"),
    ("assistant", "Yes, we have four of them."),
]
ASIDE = ("assistant", "Done, we keep it until Friday.")
LOADED = {
    "a-01-whatsapp/_chat_ios.txt": [
        [
            ("user", "Good morning, my lamp flickers."),
            ("assistant", "Good morning! How can I help you, which lamp is it?"),
            ("user", "This one.\nIt is the green one, model 12."),
            ("assistant", "Please turn the bulb a little to the right."),
            ("user", "It works now, thank you!"),
            ("assistant", "You are welcome."),
        ]
    ],
    "a-03-author-objects/discord_help.json": [
        [
            ("user", "Is the blue lamp back?"),
            ("assistant", "Yes, since Monday; ten are here."),
            ("user", "Great."),
            ("assistant", "See you soon."),
        ]
    ],
    "a-03-author-objects/intercom_conversation.json": [
        [
            ("user", "How do I return a lamp?"),
            ("assistant", "Use the label in the box & drop it at any shop."),
            ("user", "Thanks, done."),
            ("assistant", "We refund you on Friday."),
        ]
    ],
    "a-04-alpaca-history/empty_first.json": [WE_OPEN, [*WE_OPEN, *SUNDAY]],
    "a-04-alpaca-history/full_first.json": [[*WE_OPEN, *SUNDAY], WE_OPEN],
    "b-01-dialog-shredded/log_text.json": [
        [*IN_STOCK, ("user", "Please put one aside for me."), ASIDE]
    ],
    "b-01-dialog-shredded/message_only.json": [
        [*IN_STOCK, ("user", "Please put one aside."), ASIDE]
    ],
    "b-04-role-words-and-no-role-mapping/agent_key.json": [IN_STOCK],
    "b-04-role-words-and-no-role-mapping/usr_sys.json": [
        [*IN_STOCK, ("user", "Please put one aside for me."), ASIDE]
    ],
    "b-15-table-with-title-lines/preamble.csv": [
        IN_STOCK,
        [
            ("user", "Do you deliver on Saturdays?"),
            ("assistant", "Yes, until two in the afternoon."),
        ],
    ],
}
ASKS = {
    "a-01-whatsapp/WhatsApp Chat with Quill Lamps.txt": {
        *("quill lamps", "+44 20 7946\u20110018", "mira 🌻")
    },
    "b-01-dialog-shredded/messenger.json": {"Ben", "Lampshop"},
    "b-04-role-words-and-no-role-mapping/discord.json": {"ben", "lampshop"},
    "b-04-role-words-and-no-role-mapping/podcast.md": {"adam stone", "mia berg"},
    "b-04-role-words-and-no-role-mapping/wa_ios.txt": {"ben carter", "lampshop"},
    "b-16-whatsapp/wa_android.txt": {"ben carter", "lampshop"},
    "b-16-whatsapp/wa_de.txt": {"+49 170 1234567", "lampenladen"},
    "b-16-whatsapp/wa_ios.txt": {"ben carter", "lampshop"},
}
FIRST_WORDS = {
    "a-10-user-column/tickets.csv": (4, "Do you ship abroad?"),
    "a-10-user-column/tickets.jsonl": (4, "Do you ship abroad?"),
    "b-11-encodings-silently-wrong/de_dos.csv": (
        *(3, "Wie lange dauert die Lieferung nach Österreich?"),
    ),
    "b-11-encodings-silently-wrong/pl_iso.txt": (
        *(1, "Dzień dobry, chciałbym zmienić zamówienie na większy rozmiar."),
    ),
    "b-19-command-cannot-answer-the-column-question/pt.csv": (
        *(3, "Não recebi a confirmação da encomenda, o que faço?"),
    ),
}


def talks_of(upload):
    rows = upload.dataset.conversations.order_by("position")
    return [[(turn["role"], turn["text"]) for turn in row.turns] for row in rows]


@pytest.mark.parametrize("place", LOADED)
def test_who_says_what_is_known(imported, place):
    path = CASES / place
    upload = imported(path.name, path.read_bytes())
    assert talks_of(upload) == LOADED[place]
    assert upload.files.get().n_failed == 0


@pytest.mark.parametrize("place", ASKS)
def test_one_question_asks_who_is_who(imported, place):
    path = CASES / place
    file = imported(path.name, path.read_bytes()).files.get()
    assert (file.verdict, file.reason) == ("waiting", "needs_speakers")
    names = {one["name"].casefold() for one in file.waiting_for["speakers"]}
    assert names == {name.casefold() for name in ASKS[place]}


@pytest.mark.parametrize("place", FIRST_WORDS)
def test_words_are_those_of_the_right_column_and_encoding(imported, place):
    path = CASES / place
    count, asked = FIRST_WORDS[place]
    upload = imported(path.name, path.read_bytes())
    talks = talks_of(upload)
    assert (len(talks), talks[0][0]) == (count, ("user", asked))


def test_a_comma_behind_each_line_costs_nothing(imported):
    path = CASES / "a-05-jsonl-commas/export.jsonl"
    file = imported(path.name, path.read_bytes()).files.get()
    assert (file.kind, file.n_records, file.n_failed) == ("jsonl", 5, 0)
    assert list(file.issues.values_list("code", flat=True)) == ["trailing_comma"] * 4


def test_copies_are_those_that_say_the_same(imported):
    path = CASES / "a-12-copies/rows.jsonl"
    upload = imported(path.name, path.read_bytes())
    seen, copies = set(), []
    for number, row in enumerate(upload.dataset.conversations.order_by("position"), 1):
        key = exact_key(from_json(row.turns))
        assert key == row.exact_key
        if key in seen:
            copies.append(number)
        seen.add(key)
    assert copies == [2, 8, 10]
