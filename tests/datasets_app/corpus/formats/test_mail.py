"""Mails: threads are conversations; headers, quoted mails and signatures are no text."""

from __future__ import annotations

import base64
import quopri

import pytest

from datasets_app.corpus.parsing.quoted import new_words
from datasets_app.corpus.source import Mapping, WaitingError

DORA, DESK = "Dora Ólafs <dora@mail.example>", "Lamp Desk <support@lamps.example>"
ASKED, TOLD = "My lamp flickers. What can I do?", "Please turn the bulb a little."


def mail(text, *, sender=DORA, to=DESK, subject="Lamp", body=None, **more):
    named = {key.replace("_", "-"): value for key, value in more.items()}
    heads = {"Return-Path": "<x@y.example>", "From": sender, "To": to, "Subject": subject, **named}
    told = "".join(f"{key}: {value}\n" for key, value in heads.items())
    return told.encode() + (body or b"Content-Type: text/plain; charset=utf-8\n\n" + text.encode())


def box(*mails):
    line = b"From dora@mail.example Tue Mar 12 09:14:05 2024\n"
    return b"\n".join(line + one.rstrip(b"\n") + b"\n" for one in mails)


THREAD = [
    mail(ASKED, Message_ID="<1@m.example>", Date="Tue, 12 Mar 2024 09:14:05 +0000"),
    mail(
        f"{TOLD}\n\nOn Tue, 12 Mar 2024 at 09:14, Dora <dora@mail.example>\nwrote:\n> {ASKED}\n",
        sender=DESK,
        to=DORA,
        subject="Re: Lamp",
        Message_ID="<2@l.example>",
        In_Reply_To="<1@m.example>",
        Date="Tue, 12 Mar 2024 10:30:00 +0100",
    ),
    mail(
        "It helped, thank you!\n-- \nDora\nMain street 1\n",
        subject="Re: Lamp",
        Message_ID="<3@m.example>",
        References="<1@m.example> <2@l.example>",
        Date="Wed, 13 Mar 2024 08:00:00 +0000",
    ),
]
TALK = [("user", ASKED), ("assistant", TOLD), ("user", "It helped, thank you!")]


@pytest.mark.parametrize("places", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_thread_is_one_conversation_wherever_its_mails_lie(load, places):
    other = mail("Do you ship?", sender="Max <max@m.example>", Message_ID="<9@m.example>")
    mixed = [THREAD[place] for place in places]
    reading = load(box(mixed[0], other, *mixed[1:]), "All mail.mbox")
    assert reading.identified.kind == "mbox"
    assert reading.talks == [TALK, [("user", "Do you ship?")]]
    assert reading.records[0].meta == {
        "subject": THREAD[places[0]].decode().split("Subject: ")[1].split("\n")[0]
    }


def test_a_reply_that_names_no_mail_is_known_by_its_subject_and_people(load):
    answer = mail(TOLD, sender=DESK, to=DORA, subject="AW: Lamp")
    stranger = mail("Hello?", sender="Max <max@m.example>", subject="Re: Lamp")
    reading = load(box(THREAD[0], answer, stranger), "a.mbox")
    assert reading.talks == [TALK[:2], [("user", "Hello?")]]


WORDS = "Für 39 nein, für 39 Pfund: £39."
PLAIN, HTML = "Content-Type: text/plain", "Content-Type: text/html; charset=utf-8"
QUOTED, CODED = (
    f"\nContent-Transfer-Encoding: {how}\n\n" for how in ("quoted-printable", "base64")
)
PAGE = """<html><head><style>p {}</style></head><body><p>F&uuml;r 39 nein,<b> für</b> 39 Pfund:
&pound;39.</p><div class='gmail_quote'>On Monday Ben wrote:
<blockquote>Old</blockquote></div></body>"""


def body(heads, data, charset="utf-8"):
    return heads.encode() + (data.encode(charset) if isinstance(data, str) else data)


@pytest.mark.parametrize(
    "told",
    [
        body(f"{PLAIN}; charset=iso-8859-1{QUOTED}", quopri.encodestring(WORDS.encode("latin-1"))),
        body(f"{PLAIN}; charset=utf-8{CODED}", base64.encodebytes(WORDS.encode())),
        body(f"{PLAIN}; charset=windows-1252\n\n", WORDS, "cp1252"),
        body(f"{PLAIN}\n\n", WORDS, "cp1252"),
        body(f"{PLAIN}; charset=no-such-thing\n\n", WORDS),
        body(f"{HTML}\n\n", PAGE),
        body(
            "Content-Type: multipart/alternative; boundary=XX\n\n",
            f"--XX\n{PLAIN}; charset=utf-8\n\n{WORDS}\n--XX\n{HTML}\n\n<p>Other</p>\n--XX--\n",
        ),
    ],
)
def test_bodies_in_every_dress_give_the_same_words(load, told):
    found = load(mail("", body=told, subject="=?utf-8?q?F=C3=BCr_Lampen?="), "a.eml")
    assert found.identified.kind == "eml"
    assert found.talks == [[("user", WORDS)]]
    assert found.records[0].meta == {"subject": "Für Lampen"}


def test_attachments_are_left_out_and_machines_do_not_talk(load):
    picture = f"Content-Type: image/png; name=a.png{CODED}iVBORw0KGgo="
    parts = "Content-Type: multipart/mixed; boundary=B\n\n"
    parts = body(parts, f"--B\n{PLAIN}\n\n{ASKED}\n--B\n{picture}\n--B--\n")
    found = load(mail("", body=parts), "a.eml")
    assert found.talks == [[("user", ASKED)]]
    assert found.records[0].notes == ("attachments were left out",)
    away = mail("I am away.", Auto_Submitted="auto-replied")
    assert load(away, "a.eml").records == []


def test_who_answers_is_asked_where_no_address_says_it(load):
    both = [one.replace(b"support@", b"ben@") for one in THREAD]
    with pytest.raises(WaitingError) as raised:
        load(box(*both), "a.mbox")
    names = {one.name: one.turns for one in raised.value.waiting.speakers}
    assert names == {"Dora Ólafs": 2, "Lamp Desk": 1}
    chosen = Mapping(roles={"dora ólafs": "user", "lamp desk": "assistant"})
    assert load(box(*both), "a.mbox", mapping=chosen).talks == [TALK]


NEW = "Yes, please.\nSend two."


@pytest.mark.parametrize(
    "below",
    [
        "Am Di., 12. März 2024 um 09:14 Uhr schrieb Ben <b@x.example>:\n> Wie viele?\n",
        "Le mar. 12 mars 2024 à 09:14, Ben\n<b@x.example> a écrit :\n\n> Combien ?\n",
        "El mar, 12 mar 2024 a las 9:14, Ben (<b@x.example>) escribió:\n\n> ¿Cuántas?\n",
        "вт, 12 мар. 2024, 09:14, Ben <b@x.example> написал(а):\n> Сколько?\n",
        "2024年3月12日(火) 9:14 Ben <b@x.example>のメッセージ:\n> いくつ?\n",
        "-----Original Message-----\nFrom: Ben\nSent: Monday\nTo: Dora\nSubject: Lamp\n\nHow many?",
        "__________\nVon: Ben\nGesendet: Montag\nAn: Dora\nBetreff: Lampe\n\nWie viele?",
        "*From:* Ben <b@x.example>\n*Sent:* Monday\n*To:* Dora\n*Subject:* Lamp\n\nHow many?",
        "-- \nDora\n+44 1234",
        "Sent from my iPhone\n",
        "Von meinem iPhone gesendet\n",
        "> How many?\n> Ben\n",
        "",
    ],
)
def test_what_is_quoted_or_signed_is_cut(below):
    assert new_words(f"{NEW}\n\n{below}")[0] == NEW


@pytest.mark.parametrize(
    "text",
    [
        "He wrote: come at 5.\nSo I came.",
        "From: the station it is a mile.\nThen left.",
        "On the page you wrote:\nthat is wrong.",
        "A -- B\n- one\n- two",
    ],
)
def test_words_that_look_like_it_stay(text):
    assert new_words(text) == (text, False)


def test_answers_between_quoted_lines_stay_and_a_forward_says_what_it_passes_on():
    between = "> How many?\nTwo.\n> Which colour?\nBlue."
    assert new_words(between)[0] == "Two.\nBlue."
    forward = "---------- Forwarded message ---------\nFrom: Dora <d@x.example>\nDate: Monday\n"
    forward += "Subject: Lamp\nTo: <s@x.example>\n\nMy lamp flickers."
    assert new_words(forward)[0] == "My lamp flickers."


def test_headers_never_become_text_and_no_talk_is_taken_for_a_mail(load, kind_of):
    assert kind_of("From: Ben\nWhere is it?\nTo: us\nSubject: x\n", "a.txt").kind != "eml"
    assert (
        kind_of(
            "Date: Monday\nSubject: Lamps\n\nAgent: Hi\nCustomer: Hi\nAgent: So?\n", "a.txt"
        ).kind
        == "transcript"
    )
    assert kind_of(THREAD[0].replace(b"\n", b"\r\n"), "a.txt").kind == "eml"
    shown = str(load(box(*THREAD), "x").talks)
    assert not any(word in shown for word in ("Message-ID", "@", "Return-Path", "Main street"))


@pytest.mark.slow
def test_a_damaged_mail_is_a_problem_and_the_others_load(load):
    nobody = b"Subject: x\nMessage-ID: <z@z>\nDate: x\n\nHello\n"
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1_200)
    )
    found = load(box(THREAD[0], nobody, mail("", body=nested), THREAD[1]), "a.mbox")
    assert found.talks == [TALK[:2]]
    assert set(found.codes) <= {"bad_document"}
