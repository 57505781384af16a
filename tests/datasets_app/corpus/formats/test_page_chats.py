"""Chats exported as web pages, and pages saved by a browser in one file."""

from __future__ import annotations

import pytest

from datasets_app.corpus.detection.kinds import identify
from datasets_app.corpus.pages.chats import chat_of
from datasets_app.corpus.source import WaitingError

PAIR = [("Ben", "Is the lamp back?"), ("Lamp Desk", "Yes,\nten of them.")]


def telegram(*messages):
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8"/><title>Exported Data</title></head>'
        '<body onload="CheckLocation();"><div class="page_wrap"><div class="page_header">'
        '<div class="content"><div class="text bold">Lamps</div></div></div>'
        '<div class="page_body chat_page"><div class="history">'
        '<div class="message service" id="message-1"><div class="body details">1 May</div></div>'
        f"{''.join(messages)}</div></div></div></body></html>"
    )


def message(name, text, *, forwards=""):
    named = f'<div class="from_name">{name} </div>' if name else ""
    body = f'<div class="text">{text}</div>'
    if forwards:
        body = f'<div class="forwarded body"><div class="from_name">{forwards}</div>{body}</div>'
    return (
        f'<div class="message default clearfix{"" if name else " joined"}" id="message2">'
        '<div class="pull_left userpic_wrap"><div class="userpic"><div class="initials">B</div>'
        '</div></div><div class="body"><div class="pull_right date details" '
        f'title="01.05.2024 10:00:00 UTC+01:00">10:00</div>{named}{body}</div></div>'
    )


TELEGRAM = telegram(
    message("Ben", "Is the lamp back?"),
    message("Lamp Desk", "Yes,<br>ten of them."),
    message("", "Come <a href='http://x.example'>by</a>."),
    message("", "Old words", forwards="Mia"),
    message("Ben", '<div class="media">'),
)
DISCORD = """<!DOCTYPE html><html><body><div class=chatlog>
<div class=chatlog__message-group><div class=chatlog__message-container data-message-id=1>
<div class=chatlog__message><div class=chatlog__message-primary><div class=chatlog__header>
<span class=chatlog__author title=ben>Ben</span><span class=chatlog__timestamp>1 May</span></div>
<div class="chatlog__content chatlog__markdown"><span>Is the lamp back?</span></div></div></div>
</div></div><div class=chatlog__message-group>
<div class=chatlog__message-container data-message-id=2>
<div class=chatlog__message><span class=chatlog__author>Lamp Desk</span>
<div class="chatlog__content">Yes,<br>ten of them.</div></div></div></div></div></body></html>"""
FACEBOOK = (
    "<html><body>"
    '<div class="_3-95 _a6-g"><div class="_2ph_ _a6-h _a6-i">Lamp Desk</div>'
    '<div class="_2ph_ _a6-p">'
    "<div><div></div><div>Yes,<br/>ten of them.</div><div></div></div></div>"
    '<div class="_3-94 _a6-o">May 1, 2024, 10:01 AM</div></div>'
    '<div class="_3-95 _a6-g"><div class="_2ph_ _a6-h _a6-i">Ben</div><div class="_2ph_ _a6-p">'
    "<div><div></div><div>Is the lamp back?</div></div></div></div></body></html>"
)


def said(page):
    return [(one["from"], one["text"]) for one in chat_of(page).messages]


@pytest.mark.parametrize("page", [DISCORD, FACEBOOK])
def test_an_exported_page_is_read_message_by_message_the_oldest_first(page):
    assert said(page) == PAIR


def test_in_telegram_who_goes_on_and_who_forwards_is_known():
    assert said(TELEGRAM) == [*PAIR, ("Lamp Desk", "Come by."), ("Lamp Desk", "Old words")]
    assert chat_of(TELEGRAM).messages[0]["date"] == "01.05.2024 10:00:00 UTC+01:00"
    assert chat_of("<html><body><div class='message'>Hi</div></body></html>") is None


def test_a_chat_of_many_pieces_loses_no_message(monkeypatch):
    monkeypatch.setattr("datasets_app.corpus.pages.chats.LONGEST", 4_000)
    asked = [(f"P{n % 2}", f"Number {n} is <b>here</b>.") for n in range(60)]
    found = said(telegram(*(message(*one) for one in asked)))
    assert found == [(name, text.replace("<b>", "").replace("</b>", "")) for name, text in asked]


@pytest.mark.slow
def test_a_page_of_a_chat_asks_who_is_who_and_is_a_conversation(read_doc):
    with pytest.raises(WaitingError) as asked:
        read_doc(TELEGRAM.encode(), "messages.html")
    assert [one.name for one in asked.value.waiting.speakers] == ["Ben", "Lamp Desk"]
    found = read_doc(TELEGRAM.replace("Lamp Desk", "Support").encode(), "messages.html")
    assert found.talks == [
        [
            ("user", "Is the lamp back?"),
            ("assistant", "Yes,\nten of them.\nCome by.\nOld words"),
        ]
    ]


MHTML = """From: <Saved by Blink>
Snapshot-Content-Location: https://lamps.example/faq
Subject: =?utf-8?Q?Lamps?=
Date: Wed, 1 May 2024 10:00:00 -0000
MIME-Version: 1.0
Content-Type: multipart/related;
\ttype="text/html";
\tboundary="----Multi--x"

------Multi--x
Content-Type: text/html
Content-ID: <frame-1@mhtml.blink>
Content-Transfer-Encoding: quoted-printable
Content-Location: https://lamps.example/faq

<!DOCTYPE html><html><head><meta charset=3D"utf-8"><title>Lamps</title></head>=
<body><nav>Menu</nav><h2>Do you ship abroad?</h2><p>Yes, we ship to all of Eur=
ope, also to K=C3=B6ln, within three days.</p></body></html>
------Multi--x
Content-Type: image/png
Content-Transfer-Encoding: base64

iVBORw0KGgo=
------Multi--x--
"""


@pytest.mark.slow
def test_a_page_saved_in_one_file_is_the_page(read_doc, tmp_path):
    found = read_doc(MHTML.replace("\n", "\r\n").encode(), "page.mhtml")
    assert found.talks == [
        [
            ("user", "Do you ship abroad?"),
            ("assistant", "Yes, we ship to all of Europe, also to Köln, within three days."),
        ]
    ]
    mail = tmp_path / "a.eml"
    head = "From: <Saved by Blink>\nSnapshot-Content-Location: https://lamps.example/faq"
    mail.write_bytes(MHTML.replace(head, "From: b@x.example\nTo: c@x.example").encode())
    assert identify(mail, "a.eml").kind == "eml"
