"""The page on which the passages of an upload become conversations."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.urls import reverse

from datasets_app.jobs.importing import import_upload
from datasets_app.models import Conversation, SourceFile
from datasets_app.selectors import passages
from datasets_app.services.receiving import NewUpload, receive_whole
from otto_web.lib.models import AuditEntry

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
TEXT = "Parcels leave our warehouse on the day of the order and arrive within two working days."
MORE = "Send it back within thirty days, unused, and the money is with you after one more week."
HELP = f"# Shipping\n\n{TEXT} {TEXT}\n\n# Returns\n\n{MORE} {MORE}\n".encode()
FORM = {"prompts": "What about {{heading}}?\nTell me of {{topic}}.", "seed": "3", "do": "read"}


@pytest.fixture
def upload(cora):
    found = receive_whole(NewUpload("help.md", len(HELP)), HELP, by=cora)
    import_upload(found.pk)
    return found


def at(upload):
    return reverse("upload-passages", args=[upload.pk])


def rows():
    found = Conversation.objects.exclude(origin_key__startswith="replaced").order_by("position")
    return [[turn["text"] for turn in row.turns] for row in found]


def test_a_preview_shows_the_first_conversations_and_changes_nothing(client_of, cora, upload):
    detail = client_of(cora).get(reverse("upload-detail", args=[upload.pk])).content.decode()
    assert at(upload) in detail
    text = client_of(cora).get(at(upload)).content.decode()
    assert "2 get a question" in text
    assert "100 % of the text" in text
    tried = client_of(cora).post(at(upload), FORM | {"do": "try", "prompts": "So, {{heading}}?"})
    assert "So, Returns?" in tried.content.decode()
    assert len(rows()) == 1


@pytest.mark.slow
@pytest.mark.checklist(273, 274, 279)
def test_passages_become_conversations_and_passages_again(client_of, cora, upload):
    client = client_of(cora)
    assert client.post(at(upload), FORM).url == reverse("upload-detail", args=[upload.pk])
    import_upload(upload.pk)
    first = rows()
    assert [answer for _, answer in first] == [f"{TEXT} {TEXT}", f"{MORE} {MORE}"]
    assert all(question.rstrip("?.").endswith(("Shipping", "Returns")) for question, _ in first)
    again = client.post(at(upload), FORM, follow=True).content.decode()
    assert "told in this way already" in again
    assert "2 conversations and 0\n" in client.get(at(upload)).content.decode()
    client.post(at(upload), FORM | {"prompts": ""})
    import_upload(upload.pk)
    assert [len(turns) for turns in rows()] == [1]
    client.post(at(upload), FORM)
    import_upload(upload.pk)
    assert rows() == first


def test_an_unknown_place_is_said_and_nothing_changes(client_of, cora, upload):
    answer = client_of(cora).post(at(upload), FORM | {"prompts": "Hello {{subject}}"})
    assert answer.status_code == 422
    assert "Line 1: There is no column “subject”" in answer.content.decode()
    assert client_of(cora).post(at(upload), FORM | {"seed": "-1"}).status_code == 422
    assert len(rows()) == 1


def test_an_upload_without_passages_has_no_such_page(client_of, cora, mia, upload):
    body = b'{"question": "Where?", "answer": "There it is, on the left."}\n'
    talks = receive_whole(NewUpload("talk.jsonl", len(body)), body, by=cora)
    import_upload(talks.pk)
    assert client_of(cora).get(at(talks)).status_code == 302
    assert client_of(mia).get(at(upload)).status_code == 403


def test_all_files_of_an_upload_are_chosen_in_one_step(client_of, cora, upload):
    first = upload.files.get()
    for number in range(1, 4):
        copy = SourceFile.objects.get(pk=first.pk)
        copy.pk, copy.member_no, copy.name = None, first.member_no + number, f"{number}.md"
        copy.mapping = {"passages": {"prompts": [], "seed": 0, "is_plain": False}}
        copy.save()
    events = AuditEntry.objects.count()
    client_of(cora).post(at(upload), FORM)
    assert upload.files.filter(verdict="queued", anew__before__isnull=False).count() == 4
    assert AuditEntry.objects.count() == events + 1
    upload.refresh_from_db()
    assert upload.state == "queued"


def test_the_share_of_a_large_upload_is_that_of_some_rows(client_of, cora, upload, monkeypatch):
    Conversation.objects.update(turns=[{"role": "user", "text": "a"}])
    monkeypatch.setattr(passages, "COUNTED_ROWS", 1)
    assert passages.coverage(upload) == {"asked": 1, "left": 0, "share": 100, "seen": 1}
    assert passages.LIMITS.cpu_seconds <= 10


@pytest.mark.slow
@pytest.mark.checklist(266, 267)
def test_paragraphs_that_say_little_are_left_out_with_visible_reasons(client_of, cora):
    body = f"# Shipping\n\nHome | Shop | Cart | Login\n\n{TEXT}\n\nPress the button.\n".encode()
    found = receive_whole(NewUpload("page.md", len(body)), body, by=cora)
    import_upload(found.pk)
    client, form = client_of(cora), {"prompts": "", "seed": "1", "filters": "on", "least": "0.6"}
    page = client.get(at(found)).content.decode()
    assert 'type="range"' in page
    tried = client.post(at(found), form | {"do": "try"})
    judged = [(one.text, is_kept) for one, is_kept in tried.context["preview"].judged]
    nav = "Home | Shop | Cart | Login"
    assert judged == [("# Shipping", True), (nav, False), (TEXT, True), ("Press the button.", True)]
    assert "sentences 0.00, length" in tried.content.decode()
    assert nav in str(rows())
    client.post(at(found), form | {"do": "read"})
    import_upload(found.pk)
    assert rows() == [[f"# Shipping\n\n{TEXT}\n\nPress the button."]]
    file = found.files.get()
    assert (file.n_issues, file.issues.get().code) == (1, "says_little")
    shown = client.get(reverse("file-detail", args=[file.pk])).content.decode()
    assert "was left out (sentences 0.00" in shown
    again = client.get(at(found)).context["form"]
    assert (again["filters"].initial, again["least"].initial) == (True, 0.6)
    client.post(at(found), form | {"do": "read", "least": "1"})
    import_upload(found.pk)
    assert "Press the button." not in str(rows())
    assert client.post(at(found), form | {"do": "try", "least": "2"}).status_code == 422


FOLDER = {
    "returns.md": HELP + b"\n# Hours\n\nAt nine.\n",
    "long.txt": b"A sentence about the lamp that is sold. " * 60,
    "cookies.md": (
        f"# Payment\n\nPayment\n\nWe use cookies. OK\n\n{TEXT}\n\n\n\n{MORE}  \n".encode()
    ),
}


def words_of(texts):
    return " ".join(texts).split()


@pytest.fixture
def folder(cora):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, body in FOLDER.items():
            archive.writestr(name, body)
    found = receive_whole(NewUpload("help.zip", len(packed.getvalue())), packed.getvalue(), by=cora)
    import_upload(found.pk)
    return found


@pytest.mark.slow
@pytest.mark.checklist(15, 70, 271, 272, 275, 276, 277, 278)
def test_chosen_texts_become_conversations_and_what_is_too_short_is_listed(client_of, cora, folder):
    client = client_of(cora)
    files = {one.name: str(one.pk) for one in folder.files.exclude(kind="zip")}
    prompts = "{category}, {{topic}}: {{filename}} ({{content_type}} of {{source}})"
    form = {
        "prompts": prompts,
        "seed": "1",
        "trims": "on",
        "shortest": "50",
        "longest": "500",
        "category": "Help",
        "source": "the shop",
        "name": "Help of the shop",
        "topic": ["Returns"],
        "called": ["sending it back"],
        "text": [files["returns.md"], files["cookies.md"]],
    }
    shown = client.get(at(folder)).content.decode()
    assert all(place in shown for place in ("{{source}}", "{{content_type}}", "{{category}}"))
    assert all(name in shown for name in FOLDER)
    tried = client.post(at(folder), form | {"do": "try"})
    preview = tried.context["preview"]
    assert (preview.looked_at, preview.short[0][1]) == (4, "# Hours\n\nAt nine.")
    assert preview.topics["Returns"] == "sending it back"
    assert "4 in, 1 too short" in " ".join(tried.content.decode().split())
    client.post(at(folder), form | {"do": "read"})
    import_upload(folder.pk)
    asked = {turns[0]: turns[1] for turns in rows() if len(turns) == 2}
    assert asked == {
        "Help, Shipping: returns (Markdown of the shop)": f"{TEXT} {TEXT}",
        "Help, sending it back: returns (Markdown of the shop)": f"{MORE} {MORE}",
        "Help, Payment: cookies (Markdown of the shop)": f"{TEXT}\n\n{MORE}",
    }
    folder.refresh_from_db()
    assert folder.dataset.name == "Help of the shop"
    table = client.get(reverse("dataset-detail", args=[folder.dataset_id])).content.decode()
    listed = reverse("dataset-left-out", args=[folder.dataset_id])
    assert "1 text of its files" in " ".join(table.split())
    assert listed in table
    told = " ".join(client.get(listed).content.decode().split())
    assert "Of 4 texts in these files 3 were kept: 1 was too short" in told
    assert "# Hours At nine." in told
    assert "8 of at least 50 characters" in told
    again = client.get(at(folder)).context["form"]
    assert (again["category"].initial, again.topics) == ("Help", {"Returns": "sending it back"})
    assert again["least"].initial == 0.6
    wrong = client.post(at(folder), form | {"do": "try", "longest": "20"})
    nothing = {name: value for name, value in form.items() if name != "text"} | {"chooses": "1"}
    assert b"Choose at least one text" in client.post(at(folder), nothing).content
    assert wrong.status_code == 422


@pytest.mark.slow
@pytest.mark.checklist(16)
def test_a_long_text_is_divided_and_no_word_is_lost(client_of, cora, folder):
    client, file = client_of(cora), folder.files.get(name="long.txt")
    before = words_of(text for (text,) in rows() if "lamp" in text)
    form = {"prompts": "", "seed": "1", "longest": "500", "text": [str(file.pk)], "do": "read"}
    client.post(at(folder), form)
    import_upload(folder.pk)
    parts = [turns[0] for turns in rows() if "lamp" in turns[0]]
    assert len(parts) > 4
    assert max(map(len, parts)) <= 500
    assert words_of(parts) == before
