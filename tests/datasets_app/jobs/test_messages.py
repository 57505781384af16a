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


def slack_zip():
    def said(user, ts, text, **more):
        return {"type": "message", "user": user, "ts": ts, "text": text} | more

    users = [
        {"id": user, "name": name.lower(), "deleted": False, "profile": {"real_name": name}}
        for user, name in (("U1", "Dora"), ("U2", "Desk"))
    ]
    days = {
        "help/2024-03-12.json": [
            said("U1", "1710234845.1", "<@U1> has joined the channel", subtype="channel_join"),
            said("U1", "1710234846.1", "<@U2> is the lamp here?", thread_ts="1710234846.1"),
            said("U1", "1710234847.1", "Good morning, all of you."),
            said("U2", "1710234848.1", "Yes, ten of them.", thread_ts="1710234846.1"),
        ],
        "help/2024-03-13.json": [said("U1", "1710321245.1", "Thank you, it came!")],
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        channel = {"id": "C1", "name": "help", "created": 1, "members": ["U1", "U2"]}
        archive.writestr("channels.json", json.dumps([channel]))
        for name, messages in days.items():
            archive.writestr(name, json.dumps(messages))
        archive.writestr("users.json", json.dumps(users))
    return packed.getvalue()


@pytest.mark.slow
def test_the_people_of_a_slack_export_have_names_in_all_its_days(imported, client_of, cora):
    upload = imported("Lamps Slack export.zip", slack_zip())
    members = upload.files.exclude(parent=None)
    verdicts = dict(members.values_list("name", "verdict"))
    assert verdicts == {
        "channels.json": FileState.SKIPPED,
        "users.json": FileState.SKIPPED,
        "help/2024-03-12.json": FileState.WAITING,
        "help/2024-03-13.json": FileState.WAITING,
    }
    first = members.get(name="help/2024-03-12.json")
    curator = client_of(cora)
    page = curator.get(reverse("file-detail", args=[first.pk])).content.decode()
    order = sorted(("Dora", "Desk"), key=lambda name: page.index(f"<bdi>{name}</bdi>"))
    roles = {f"role_{n}": "user" if name == "Dora" else "assistant" for n, name in enumerate(order)}
    chosen = {**roles, "others": "user", "also_alike": "on"}
    assert curator.post(reverse("file-speakers", args=[first.pk]), chosen).status_code == 302
    assert import_upload(upload.pk)
    upload.refresh_from_db()
    assert talks_of(upload) == [
        [("user", "@Desk is the lamp here?"), ("assistant", "Yes, ten of them.")],
        [("user", "Good morning, all of you.")],
        [("user", "Thank you, it came!")],
    ]
