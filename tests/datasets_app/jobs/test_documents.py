"""Documents on their way into a dataset: places, parts by count, and what ends one file only."""

from __future__ import annotations

import zipfile
from io import BytesIO

import openpyxl
import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.source import Mapping
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Conversation, SourceFile
from datasets_app.services import choices, uploads
from otto_web.lib.work.states import State
from tests.datasets_app.office import ole, open_document, open_sheet, saved, word, workbook

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PAIR = [["question", "answer"], ["Open?", "Yes."]]
CALL = ["Agent: How can I help you today?", "Customer: The heater is cold, please come."] * 2


def parts(file):
    return (file.n_parts, file.n_parts_loaded, file.n_parts_skipped, file.n_parts_failed)


def rows_of(upload):
    return list(Conversation.objects.filter(source_file__upload=upload).order_by("position"))


def test_a_word_document_is_loaded_with_its_places(imported, client, cora):
    upload = imported("call.docx", word("# Call 17", *CALL))
    file = upload.files.get()
    assert (upload.state, file.kind, file.verdict) == (State.SUCCEEDED, "docx", "loaded")
    assert parts(file) == (5, 5, 0, 0)
    assert (file.n_total, file.n_loaded) == (file.size, file.size)
    (row,) = rows_of(upload)
    assert (row.n_turns, row.place) == (4, "paragraph 1 to paragraph 5")
    client.force_login(cora)
    tree = client.get(reverse("upload-detail", args=[upload.pk])).content.decode()
    assert "5 parts: 5 loaded." in tree
    shown = client.get(reverse("file-detail", args=[file.pk])).content.decode()
    assert "paragraph 1 to paragraph 5" in shown
    beside = client.get(reverse("conversation-detail", args=[upload.dataset_id, row.pk]))
    assert "paragraph 1 to paragraph 5" in beside.content.decode()


@pytest.mark.parametrize("ending", ["xlsx", "ods"])
def test_the_sheets_of_a_workbook_are_read_one_by_one(imported, client, cora, ending):
    known = [["question", "answer"], ["Open?", "Yes."], [], ["Wann?", "Um neun."]]
    other = [["was", "dann", "seit"], ["Where?", "Here.", 1]]
    sheets = {"Faq": known, "Other": other, "Empty": []}
    body = "".join(open_sheet(title, rows) for title, rows in sheets.items())
    data = workbook(**sheets) if ending == "xlsx" else open_document("spreadsheet", body)
    upload = imported(f"faq.{ending}", data)
    kind = {"xlsx": "sheet", "ods": "ods_sheet"}[ending]
    found = {file.name: file for file in upload.files.exclude(parent=None)}
    assert {name: (file.verdict, file.kind) for name, file in found.items()} == {
        "Faq": ("loaded", kind),
        "Other": ("waiting", kind),
        "Empty": ("skipped", kind),
    }
    assert parts(found["Faq"]) == (3, 2, 1, 0)
    assert [row.place for row in rows_of(upload)] == ["Faq!A2:B2", "Faq!A4:B4"]
    mapping = Mapping(question="was", answer="dann", delimiter=",")
    choices.choose_columns([found["Other"]], mapping, by=cora)
    assert import_upload(upload.pk)
    assert [row.place for row in rows_of(upload)][2:] == ["Other!A2:C2"]
    client.force_login(cora)
    again = client.get(reverse("file-columns-again", args=[found["Other"].pk])).content.decode()
    assert "Here." in again
    assert "seit" in again


def test_a_hidden_sheet_waits_until_a_person_wants_it(imported, client, cora):
    book = openpyxl.load_workbook(BytesIO(workbook(A=PAIR, B=[PAIR[0], ["Who?", "We."]])))
    book["B"].sheet_state = "hidden"
    upload = imported("faq.xlsx", saved(book))
    hidden = upload.files.get(name="B")
    assert (hidden.verdict, hidden.reason) == ("waiting", "hidden_sheet")
    assert len(rows_of(upload)) == 1
    client.force_login(cora)
    page = reverse("file-detail", args=[hidden.parent_id])
    assert "Import the 1 hidden sheet" in client.get(page).content.decode()
    assert client.post(reverse("file-members", args=[hidden.parent_id])).status_code == 302
    assert import_upload(upload.pk)
    assert [row.place for row in rows_of(upload)] == ["A!A2:B2", "B!A2:B2"]


def test_a_document_that_cannot_be_read_ends_alone(imported):
    whole = word(*CALL)
    members = {
        "a.docx": whole,
        "b.docx": whole[: len(whole) // 2],
        "c.docx": ole("EncryptedPackage"),
    }
    body = BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, data in {**members, "d.txt": b"Plain text, long enough to stay."}.items():
            archive.writestr(name, data)
    upload = imported("many.zip", body.getvalue())
    members = upload.files.exclude(parent=None).order_by("member_no")
    found = {file.name: file for file in members}
    assert [file.verdict for file in found.values()] == ["loaded", "failed", "skipped", "loaded"]
    assert found["b.docx"].reason == "bad_document"
    assert "save it again" in found["b.docx"].note
    assert found["b.docx"].n_failed == found["b.docx"].size
    assert "without a password" in found["c.docx"].note


def test_a_document_that_needs_too_much_memory_fails_in_a_sentence(imported, monkeypatch):
    limits = ArchiveLimits(memory_bytes=24 << 20)
    monkeypatch.setattr(ArchiveLimits, "of_document", classmethod(lambda _: limits))
    upload = imported("call.docx", word(*CALL))
    file = upload.files.get()
    assert (upload.state, file.verdict, file.reason) == (State.FAILED, "failed", "stopped")
    assert "more memory" in upload.sentence


def test_reading_goes_on_behind_the_last_batch(upload, monkeypatch):
    rows = [["question", "answer"], *([f"Question {n}?", f"Answer {n}."] for n in range(2_500))]
    held = upload("faq.xlsx", workbook(Faq=rows))

    class Lost(BaseException):
        pass

    def lose(*_, **__):
        raise Lost

    monkeypatch.setattr("datasets_app.jobs.reading.renew_statistics", lose)
    with pytest.raises(Lost):
        import_upload(held.pk)
    cut = held.files.get(name="Faq")
    assert (cut.verdict, cut.n_records) == ("queued", 2_000)
    monkeypatch.undo()
    assert import_upload(held.pk)
    cut.refresh_from_db()
    assert (cut.verdict, cut.n_records, cut.n_known) == ("loaded", 2_500, 0)
    assert parts(cut) == (2_501, 2_500, 1, 0)


def test_a_document_that_broke_off_and_was_read_on_is_loaded_as_a_whole(
    upload, failpoint_at, cora, monkeypatch
):
    monkeypatch.setattr("datasets_app.jobs.reading.MOST_RECORDS", 10)
    rows = [["question", "answer"], *([f"Question {n}?", f"Answer {n}."] for n in range(40))]
    held = upload("faq.xlsx", workbook(Faq=rows))
    failpoint_at("imports.mid_copy", "raise@25").arm_here()
    assert import_upload(held.pk)
    cut = held.files.get(name="Faq")
    assert (cut.verdict, cut.n_records, cut.n_failed) == ("failed", 20, cut.size)
    assert uploads.retry_upload(held, by=cora)
    cut.refresh_from_db()
    assert (cut.n_total, cut.n_failed) == (0, 0)
    assert import_upload(held.pk)
    cut.refresh_from_db()
    assert (cut.verdict, cut.n_records, parts(cut)) == ("loaded", 40, (41, 40, 1, 0))
    assert (cut.n_total, cut.n_loaded, cut.n_failed) == (cut.size, cut.size, 0)


def test_parts_that_do_not_add_up_are_refused_by_the_database(imported):
    file = imported("a.docx", word("Only one paragraph here.")).files.get()
    with pytest.raises(IntegrityError, match="sourcefile_parts_add_up"), transaction.atomic():
        SourceFile.objects.filter(pk=file.pk).update(n_parts_loaded=0)
