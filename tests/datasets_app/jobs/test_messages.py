"""A table of messages of two unknown names: two questions, then the right conversations."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.urls import reverse

from datasets_app.jobs.importing import import_upload
from datasets_app.models import FileState
from datasets_app.selectors.uploads import upload_figures

pytestmark = pytest.mark.django_db(transaction=True)
CASES = Path(__file__).resolve().parents[4] / "shared/cases"
COLUMNS = {"speaker": "wer", "words": "was", "order": "wann", "conversation": "fall"}


def table(first):
    rows = ["fall;wer;was;wann", f"{first};Dora;Wo ist Paket {first}?;09.03.2024 10:00"]
    rows += [f"{first + 1};Lampenladen;Gern.;10.03.2024 10:03"]
    rows += [f"{first};Lampenladen;Es kommt morgen.;09.03.2024 10:05"]
    rows += [f"{first + 1};Dora;Danke für die Lampe.;10.03.2024 10:00"]
    return "\n".join(rows) + "\n"


def talks_of(upload):
    rows = upload.dataset.conversations.order_by("position")
    return [[(turn["role"], turn["text"]) for turn in row.turns] for row in rows]


@pytest.mark.slow
@pytest.mark.checklist(48)
def test_two_questions_turn_a_zip_of_tables_into_conversations(imported, client_of, cora):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for first in (1, 3):
            archive.writestr(f"{first}.csv", table(first))
    upload = imported("chats.zip", packed.getvalue())
    curator = client_of(cora)
    files = upload.files.exclude(parent=None).order_by("name")
    page = curator.get(reverse("file-detail", args=[files[0].pk])).content.decode()
    assert "One message in each row" in page
    chosen = {**COLUMNS, "also_alike": "on"}
    assert (
        curator.post(
            reverse("file-columns", args=[files[0].pk]), COLUMNS | {"text": "was"}
        ).status_code
        == 422
    )
    assert curator.post(reverse("file-columns", args=[files[0].pk]), chosen).status_code == 302
    assert import_upload(upload.pk)
    assert {file.reason for file in files.all()} == {"needs_speakers"}
    address = reverse("file-speakers", args=[files[0].pk])
    page = curator.get(reverse("file-detail", args=[files[0].pk])).content.decode()
    names = [name for name in ("Dora", "Lampenladen") if name in page]
    order = sorted(names, key=page.index)
    roles = {f"role_{n}": "user" if name == "Dora" else "assistant" for n, name in enumerate(order)}
    assert curator.post(address, {**roles, "others": "user", "also_alike": "on"}).status_code == 302
    assert import_upload(upload.pk)
    upload.refresh_from_db()
    expected = []
    for first in (1, 3):
        asked = [("user", f"Wo ist Paket {first}?"), ("assistant", "Es kommt morgen.")]
        expected += [asked, [("user", "Danke für die Lampe."), ("assistant", "Gern.")]]
    assert talks_of(upload) == expected
    for file in files.all():
        assert (file.verdict, file.n_records, file.n_failed) == (FileState.LOADED, 2, 0)
    again = curator.get(reverse("file-speakers-again", args=[files[0].pk]))
    assert again.status_code == 200
    swapped = {"role_0": "assistant", "role_1": "user", "others": "user"}
    assert curator.post(again.request["PATH_INFO"], swapped).status_code == 302
    assert import_upload(upload.pk)
    file = files.first()
    assert (file.verdict, file.mapping["words"]) == (FileState.LOADED, "was")
    assert (
        f"{reverse('file-columns-again', args=[file.pk])}"
        in curator.get(reverse("file-detail", args=[file.pk])).content.decode()
    )


@pytest.mark.slow
@pytest.mark.skipif(not CASES.exists(), reason="the cases lie beside the repository only")
def test_the_case_of_one_row_a_message(imported):
    case = CASES / "a-09-one-row-a-message"
    for name in ("messages.csv", "messages.jsonl"):
        upload = imported(name, (case / name).read_bytes())
        told = talks_of(upload)
        assert [[role for role, _ in talk] for talk in told] == [
            ["user", "assistant"] * 2,
            ["user", "assistant"],
        ]
    assert (
        imported("tweets.csv", (case / "tweets.csv").read_bytes()).files.get().reason
        == "needs_mapping"
    )


def slack_zip(folder="Lamps Slack export/"):
    def said(user, ts, text, **more):
        return {"type": "message", "user": user, "ts": ts, "text": text} | more

    users = [
        {"id": user, "name": name.lower(), "deleted": False, "profile": {"real_name": name}}
        for user, name in (("U1", "Dora"), ("U2", "Desk"))
    ]
    thread = {"thread_ts": "1710234846.1"}
    days = {
        "help/2024-03-12.json": [
            said("U1", "1710234845.1", "<@U1> has joined the channel", subtype="channel_join"),
            said("U1", "1710234846.1", "<@U2> is the lamp here?", **thread, reply_count=3),
            said("U1", "1710234847.1", "Good morning, all of you."),
            said("U2", "1710234847.2", "Morning &amp; welcome!"),
        ],
        "help/2024-03-13.json": [
            said("U2", "1710321245.1", "Yes,", **thread, parent_user_id="U1"),
            said("U2", "1710321245.2", "ten of them.", **thread, parent_user_id="U1"),
            said("U1", "1710321246.1", "Does anybody sell bulbs?"),
        ],
        "help/2024-03-14.json": [
            said("U1", "1710407645.1", "Thank you, it came!", **thread, parent_user_id="U1"),
        ],
        "random/2024-03-14.json": [
            said("U1", "1710407745.1", "Is there cake?"),
            said("U2", "1710407746.1", "No."),
        ],
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        channel = {"id": "C1", "name": "help", "created": 1, "members": ["U1", "U2"]}
        others = {"channels.json": [channel], "users.json": users, "canvases.json": []}
        direct = {"id": "D1", "created": 1, "members": ["U1", "U2"]}
        change = {"user_id": "U1", "user_name": "dora", "date": "1", "change_type": "added"}
        others |= {"dms.json": [direct], "integration_logs.json": [change]}
        for name, value in {**others, **days}.items():
            archive.writestr(folder + name, json.dumps(value))
    return packed.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["", "Lamps Slack export/"])
def test_a_thread_of_slack_is_one_conversation_over_many_days(imported, client_of, cora, folder):
    upload = imported("Lamps Slack export.zip", slack_zip(folder))
    members = upload.files.exclude(parent=None)
    verdicts = {
        name.removeprefix(folder): (verdict, reason)
        for name, verdict, reason in members.values_list("name", "verdict", "reason")
    }
    days = {f"help/2024-03-{day}.json": (FileState.SKIPPED, "gathered") for day in (12, 13, 14)}
    assert verdicts == {
        **days,
        "help/2024-03-12 to 2024-03-14.json": (FileState.WAITING, "needs_speakers"),
        "random/2024-03-14.json": (FileState.WAITING, "needs_speakers"),
        "canvases.json": (FileState.SKIPPED, "no_conversations"),
        "channels.json": (FileState.SKIPPED, "no_conversations"),
        "dms.json": (FileState.SKIPPED, "no_conversations"),
        "integration_logs.json": (FileState.SKIPPED, "no_conversations"),
        "users.json": (FileState.SKIPPED, "no_conversations"),
    }
    first = members.get(name=f"{folder}help/2024-03-12 to 2024-03-14.json")
    curator = client_of(cora)
    page = curator.get(reverse("file-detail", args=[first.pk])).content.decode()
    order = sorted(("Dora", "Desk"), key=lambda name: page.index(f"<bdi>{name}</bdi>"))
    roles = {f"role_{n}": "user" if name == "Dora" else "assistant" for n, name in enumerate(order)}
    chosen = {**roles, "others": "user", "also_alike": "on"}
    assert curator.post(reverse("file-speakers", args=[first.pk]), chosen).status_code == 302
    assert import_upload(upload.pk)
    upload.refresh_from_db()
    whole = [("user", "@Desk is the lamp here?"), ("assistant", "Yes,\nten of them.")]
    assert sorted(talks_of(upload)) == sorted(
        [
            [*whole, ("user", "Thank you, it came!")],
            [("user", "Good morning, all of you."), ("assistant", "Morning & welcome!")],
            [("user", "Does anybody sell bulbs?")],
            [("user", "Is there cake?"), ("assistant", "No.")],
        ]
    )
    told = members.get(name=f"{folder}help/2024-03-13.json")
    assert (told.n_skipped, told.note) == (
        told.size,
        f"It is read together with others as “{first}”.",
    )


def letter(number, before, text, who="Dora <dora@example.org>", to="support@lamps.example", day=12):
    heads = [f"From: {who}", f"To: {to}", "Subject: Re: Lamp 7", f"Message-ID: <{number}@x>"]
    heads += [f"Date: Tue, {day} Mar 2024 09:0{number % 10}:00 +0000"]
    heads += [f"In-Reply-To: <{before}@x>"] if before else []
    return "\r\n".join([*heads, "", text, ""]).encode()


def mails():
    """Return the mails of a thread of four, of a lone one, and a copy in another folder."""
    desk = {"who": "Lamp Desk <support@lamps.example>", "to": "dora@example.org"}
    wrote = "On Tue, 12 Mar 2024 at 09:0{n}, {who} wrote:\r\n> {text}"
    asked, told = "Where is lamp 7?", "It leaves today."
    quote = wrote.format(n=1, who="Dora", text=asked)
    again = wrote.format(n=2, who="Lamp Desk", text=f"{told}\r\n>> {asked}")
    return {
        "inbox/a.eml": letter(4, 3, "Lamp 7 is at your door.", **desk),
        "inbox/b.eml": letter(3, 2, f"Thank you!\r\n\r\n{again}"),
        "inbox/c.eml": letter(2, 1, f"{told}\r\n\r\n{quote}", **desk),
        "inbox/d.eml": letter(1, 0, f"{asked}\r\n\r\nFrom x Tue Mar 12 09:00:00 2024"),
        "sent/c.eml": letter(2, 1, f"{told}\r\n\r\n{quote}", **desk) + b"\r\n",
        "other.eml": letter(9, 0, "Do you sell bulbs?", who="Max <max@example.org>"),
    }


THREAD = [
    ("user", "Where is lamp 7?\n\nFrom x Tue Mar 12 09:00:00 2024"),
    ("assistant", "It leaves today."),
    ("user", "Thank you!"),
    ("assistant", "Lamp 7 is at your door."),
]


@pytest.mark.slow
def test_mails_of_one_thread_in_many_files_are_one_conversation(imported):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in mails().items():
            archive.writestr(name, data)
    upload = imported("mails.zip", packed.getvalue())
    members = upload.files.exclude(parent=None)
    read = members.filter(verdict=FileState.LOADED).values_list("name", "kind")
    assert set(read) == {("other.eml", "eml"), ("Re: Lamp 7 (5 mails).mbox", "mbox")}
    assert members.filter(reason="gathered").count() == 5
    assert upload_figures(upload)["skipped"] == 0
    assert sorted(talks_of(upload)) == sorted([THREAD, [("user", "Do you sell bulbs?")]])


@pytest.mark.slow
def test_mails_of_a_mailbox_find_their_thread_in_any_order(imported):
    box = b"".join(
        b"From x@example.org Tue Mar 12 09:00:00 2024\n"
        + data.replace(b"\nFrom x", b"\n>From x")
        + b"\n"
        for data in mails().values()
    )
    upload = imported("all.mbox", box)
    assert sorted(talks_of(upload)) == sorted([THREAD, [("user", "Do you sell bulbs?")]])
    assert upload.files.get().n_records == 2
