"""Pages of uploads: who may see them, what they say, what they change."""

from __future__ import annotations

import io
import json
import uuid
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from datasets_app.jobs.importing import import_upload
from datasets_app.jobs.removing import remove_rows
from datasets_app.models import (
    Blob,
    Conversation,
    SourceFile,
    Status,
    Upload,
    Version,
    VersionRow,
)
from datasets_app.services.receiving import NewUpload, receive_whole
from otto_web.lib.work.states import State

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
CHATS = b'{"input": "Where is my hat?", "output": "It is on its way."}\n' * 2 + b'{"broken": \n'
TABLE = b"colour,size\nred one,big enough\nblue one,much too big\ngreen one,rather small\n"


@pytest.fixture
def curator(cora, client_of):
    return client_of(cora)


@pytest.fixture
def done(cora):
    """Give a function that returns an imported upload."""

    def made(name="chats.jsonl", body=CHATS):
        upload = receive_whole(NewUpload(name, len(body)), body, by=cora)
        import_upload(upload.pk)
        upload.refresh_from_db()
        return upload

    return made


def pages(upload):
    file = upload.files.first()
    return [
        reverse("upload-list"),
        reverse("upload-detail", args=[upload.pk]),
        reverse("upload-delete", args=[upload.pk]),
        reverse("file-detail", args=[file.pk]),
    ]


@pytest.mark.slow
def test_curators_see_the_pages_members_do_not_and_strangers_sign_in(
    client, client_of, cora, mia, done
):
    for address in pages(done()):
        assert client_of(cora).get(address).status_code == 200
        assert client_of(mia).get(address).status_code == 403
        answer = client.get(address)
        assert answer.status_code == 302
        assert "next=" in answer["Location"]


@pytest.mark.parametrize("name", ["upload-detail", "upload-delete", "file-detail"])
def test_what_is_not_there_is_404(curator, name):
    assert curator.get(reverse(name, args=[uuid.uuid4()])).status_code == 404


@pytest.mark.parametrize("name", ["upload-again", "file-columns", "file-speakers", "file-members"])
def test_changes_are_not_made_by_looking(curator, name):
    assert curator.get(reverse(name, args=[uuid.uuid4()])).status_code == 405


@pytest.mark.checklist(38, 42)
def test_small_files_arrive_without_javascript(curator):
    files = [SimpleUploadedFile(f"{n}.jsonl", CHATS + b"\n" * n) for n in range(2)]
    answer = curator.post(reverse("upload-list"), {"sent": files})
    assert answer.status_code == 302
    assert set(Upload.objects.values_list("name", "state")) == {
        ("0.jsonl", "queued"),
        ("1.jsonl", "queued"),
    }


def test_a_form_without_a_file_or_with_a_large_one_is_422(curator, settings):
    assert curator.post(reverse("upload-list"), {}).status_code == 422
    settings.OTTO_CHUNK_BYTES = 10
    answer = curator.post(reverse("upload-list"), {"sent": SimpleUploadedFile("a.txt", b"x" * 11)})
    assert answer.status_code == 422
    assert "larger than" in answer.content.decode()
    assert Upload.objects.count() == 0


@pytest.mark.slow
@pytest.mark.checklist(41)
def test_the_list_names_the_kinds_and_finds_uploads_by_name(curator, done):
    empty = curator.get(reverse("upload-list")).content.decode()
    assert "No uploads yet" in empty
    assert "jsonl" in empty
    done("orders.jsonl")
    done("table.csv", TABLE)
    found = curator.get(reverse("upload-list"), {"q": "ORDER"}).content.decode()
    assert "orders.jsonl" in found
    assert "table.csv" not in found
    nothing = curator.get(reverse("upload-list"), {"q": "nowhere"}).content.decode()
    assert "No upload has" in nothing


@pytest.mark.slow
def test_a_file_bears_the_name_of_its_format_and_no_code(curator, done):
    upload = done()
    for page in (
        reverse("upload-detail", args=[upload.pk]),
        reverse("file-detail", args=[upload.files.get().pk]),
    ):
        assert "JSON Lines" in curator.get(page).content.decode()
    upload.files.update(kind="")
    assert "not looked at yet" in curator.get(page).content.decode()
    upload.files.update(kind="of-yore")
    assert "of-yore" in curator.get(page).content.decode()


def test_htmx_gets_the_table_alone(curator, done):
    done()
    answer = curator.get(reverse("upload-list"), headers={"HX-Request": "true"})
    assert answer.content.decode().lstrip().startswith('<div id="upload-table"')


@pytest.mark.slow
@pytest.mark.checklist(40)
def test_the_page_looks_again_while_something_moves_and_rests_afterwards(curator, done):
    upload = done()
    page = reverse("upload-detail", args=[upload.pk])
    assert "every 1s" not in curator.get(page).content.decode()
    Upload.objects.update(state=State.RUNNING, lease_until=timezone.now(), finished_at=None)
    assert "every 1s" in curator.get(page).content.decode()
    assert "every 1s" in curator.get(reverse("upload-list")).content.decode()


@pytest.mark.slow
@pytest.mark.checklist(40)
def test_a_failed_upload_shows_its_sentence(curator, done):
    upload = done("cut.zip", b"PK\x03\x04" + b"x" * 50)
    assert upload.state == State.FAILED
    page = curator.get(reverse("upload-detail", args=[upload.pk])).content.decode()
    assert "notice-bad" in page


@pytest.mark.slow
def test_an_upload_that_gave_nothing_is_not_called_ready(curator, done):
    refused, loaded = done("report.rtf", b"{\\rtf1 nothing for us"), done()
    assert (refused.state, loaded.state) == (State.SUCCEEDED, State.SUCCEEDED)
    for upload, words in ((refused, "nothing loaded"), (loaded, "succeeded")):
        page = curator.get(reverse("upload-detail", args=[upload.pk])).content.decode()
        state = page.split('class="upload-state">')[1].split("</span></span>")[0]
        assert words in state
        assert ("badge-good" in state) == (upload is loaded)
    assert "nothing loaded" in curator.get(reverse("upload-list")).content.decode()


@pytest.mark.slow
def test_the_filter_shows_only_what_did_not_load(curator, done):
    upload = done()
    page = reverse("upload-detail", args=[upload.pk])
    assert 'data-label="File"' in curator.get(page).content.decode()
    filtered = curator.get(page, {"show": "unloaded"}).content.decode()
    assert "Everything was loaded" in filtered


@pytest.mark.slow
def test_an_archive_counts_its_files_and_claims_no_type_for_them(curator, done):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.jsonl", CHATS)
    upload = done("both.zip", packed.getvalue())
    page = reverse("upload-detail", args=[upload.pk])
    told = curator.get(page).content.decode()
    assert "<dt>Files loaded</dt><dd>1</dd>" in told
    inside = reverse("file-detail", args=[upload.files.exclude(parent=None).get().pk])
    assert f'href="{inside}#places"' in told
    shown = curator.get(inside).content.decode()
    assert 'id="places"' in shown
    assert "Type the browser claimed" not in shown


@pytest.mark.slow
def test_a_single_table_that_waits_claims_nothing_is_loaded(curator, done):
    upload = done("table.csv", b"a;b\n1;2\n3;4\n")
    assert upload.files.get().verdict == "waiting"
    listed = curator.get(reverse("upload-list")).content.decode()
    assert reverse("file-detail", args=[upload.files.get().pk]) in listed
    told = curator.get(reverse("upload-detail", args=[upload.pk])).content.decode()
    assert "what could be read without is loaded" not in told
    assert (
        "succeeded"
        not in curator.get(reverse("file-detail", args=[upload.files.get().pk])).content.decode()
    )


@pytest.mark.checklist(39)
def test_the_file_page_shows_metadata_issues_bytes_and_conversations(curator, done):
    upload = done()
    file = upload.files.get()
    page = curator.get(reverse("file-detail", args=[file.pk])).content.decode()
    for wanted in (
        upload.name,
        upload.blob_id,
        "utf-8",
        "jsonl",
        "Where is my hat?",
        "{&quot;broken",
    ):
        assert wanted in page


@pytest.mark.slow
def test_names_and_texts_are_never_markup(curator, done):
    name = "<script>alert(1)</script>.jsonl"
    body = (
        b'{"input": "<b>Where</b> is it?", "output": "<img src=x onerror=alert(1)> here it is."}\n'
        b'{"<i>": \n'
    )
    upload = done(name, body)
    for address in pages(upload):
        text = curator.get(address).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<b>Where" not in text


@pytest.mark.slow
def test_queries_do_not_grow_with_the_number_of_uploads(
    curator, done, django_assert_max_num_queries
):
    for n in range(6):
        done(f"{n}.jsonl", CHATS + b"\n" * n)
    with django_assert_max_num_queries(12):
        curator.get(reverse("upload-list"))
    with django_assert_max_num_queries(14):
        curator.get(reverse("upload-detail", args=[Upload.objects.first().pk]))


@pytest.mark.slow
@pytest.mark.checklist(43)
def test_known_bytes_are_shown_with_the_choice_to_load_them_again(curator, done):
    first, second = done(), done("copy.jsonl")
    page = curator.get(reverse("upload-detail", args=[second.pk])).content.decode()
    assert "already uploaded on" in page
    assert reverse("upload-detail", args=[first.pk]) in page
    again = reverse("upload-again", args=[second.pk])
    assert curator.post(again, {"dataset": "another"}).status_code == 302
    import_upload(second.pk)
    second.refresh_from_db()
    assert second.dataset.conversations.count() == 2


@pytest.mark.slow
@pytest.mark.checklist(48)
def test_columns_are_chosen_on_the_file_page(curator, done):
    upload = done("table.csv", TABLE)
    file = upload.files.get()
    page = curator.get(reverse("file-detail", args=[file.pk])).content.decode()
    assert "Tell us what the columns are" in page
    assert "blue one" in page
    address = reverse("file-columns", args=[file.pk])
    refused = curator.post(address, {"question": "colour"})
    assert refused.status_code == 422
    assert "question and an answer" in refused.content.decode()
    for twice in ({"answer": "colour"}, {"answer": "size", "system": "size"}):
        refused = curator.post(address, {"question": "colour", **twice})
        assert refused.status_code == 422
        assert "is chosen twice" in refused.content.decode()
    answer = curator.post(address, {"question": "colour", "answer": "size"})
    assert answer["Location"] == reverse("upload-detail", args=[upload.pk])
    import_upload(upload.pk)
    assert Conversation.objects.count() == 3


@pytest.mark.slow
def test_tables_with_the_same_columns_may_follow_one_choice(curator, cora, done):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", TABLE)
        archive.writestr("b.csv", TABLE + b"x one,y two\n")
    upload = done("all.zip", packed.getvalue())
    first = upload.files.get(name="a.csv")
    choice = {"question": "colour", "answer": "size", "also_alike": "on"}
    curator.post(reverse("file-columns", args=[first.pk]), choice)
    import_upload(upload.pk)
    assert Conversation.objects.count() == 7


def call(customer, number):
    said = [(customer, f"Is lamp {number} back?"), ("Lamp Desk", f"Yes, lamp {number} is here.")]
    return json.dumps({"messages": [{"sender_name": who, "content": text} for who, text in said]})


@pytest.mark.slow
def test_who_speaks_is_asked_once_for_all_calls_of_an_archive(curator, done):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(60):
            archive.writestr(f"call {number}.json", call(f"<b>Ann</b> {number}", number))
    upload = done("calls.zip", packed.getvalue())
    waiting = upload.files.filter(reason="needs_speakers")
    assert waiting.count() == 60
    file = waiting.first()
    page = " ".join(curator.get(reverse("file-detail", args=[file.pk])).content.decode().split())
    assert "these 60 files" in page
    assert "Use this for 59 other files" in page
    assert page.index("Lamp Desk") < page.index("&lt;b&gt;Ann")
    form = curator.get(reverse("file-detail", args=[file.pk])).context["speakers_form"]
    assert form["role_0"].initial == "assistant"
    address = reverse("file-speakers", args=[file.pk])
    nobody = {**{field.name: "user" for _, field in form.rows()}, "others": "user"}
    refused = curator.post(address, nobody)
    assert refused.status_code == 422
    assert "who answers" in refused.content.decode()
    choice = {**nobody, "role_0": "assistant", "also_alike": "on"}
    assert curator.post(address, choice).status_code == 302
    again = curator.post(address, choice, follow=True)
    assert "nothing was changed" in again.content.decode()
    import_upload(upload.pk)
    rows = Conversation.objects.values_list("turns", "status")
    assert rows.count() == 60
    assert {(*(turn["role"] for turn in turns), status) for turns, status in rows} == {
        ("user", "assistant", "kept")
    }


@pytest.mark.slow
def test_who_is_who_can_be_said_anew(curator, done):
    upload = done("call.json", call("Ann", 1).encode())
    file = upload.files.get()
    choice = {"role_0": "user", "role_1": "assistant", "others": "user"}
    curator.post(reverse("file-speakers", args=[file.pk]), choice)
    import_upload(upload.pk)
    page = curator.get(reverse("file-detail", args=[file.pk])).content.decode()
    assert "Say anew who is who" in page
    address = reverse("file-speakers-again", args=[file.pk])
    form = curator.get(address).context["speakers_form"]
    before = Conversation.objects.get().turns[0]["role"]
    swapped = {
        name: {"user": "assistant", "assistant": "user"}[form[name].initial]
        for name in ("role_0", "role_1")
    }
    assert curator.post(address, {**swapped, "others": "user"}).status_code == 302
    import_upload(upload.pk)
    assert Conversation.objects.get().turns[0]["role"] != before


@pytest.mark.slow
def test_an_encoding_is_chosen_on_the_file_page(curator, done):
    upload = done("menu.txt", "Käse".encode("cp1252"))
    file = upload.files.get()
    assert file.reason == "needs_encoding"
    page = curator.get(reverse("file-detail", args=[file.pk]), {"encoding": "mac-greek"})
    shown = page.content.decode()
    for word in ("Käse", "Kõse", b"K\xe4se".decode("mac-greek")):
        assert f"<mark><bdi>{word}</bdi></mark>" in shown
    assert 'value="mac-greek" checked' in shown
    address = reverse("file-encoding", args=[file.pk])
    assert curator.post(address, {"encoding": "made-up"}).status_code == 422
    assert curator.post(address, {"encoding": "cp1252"}).status_code == 302
    import_upload(upload.pk)
    assert Conversation.objects.get().turns[0]["text"] == "Käse"


@pytest.mark.slow
def test_a_file_that_was_read_is_read_anew_in_another_encoding(curator, done):
    data = "question\tanswer\ngrößer\twir müssen über die Straße\n".encode("cp1252")
    upload = done("a.tsv", data)
    file = upload.files.get()
    assert (file.encoding, file.n_issues) == ("cp1252", 1)
    told = file.issues.get(code="guessed_encoding")
    assert "größer" in told.message
    address = reverse("file-encoding-again", args=[file.pk])
    assert address in curator.get(reverse("file-detail", args=[file.pk])).content.decode()
    shown = curator.get(address, {"encoding": "cp850"}).content.decode()
    assert 'value="cp850" checked' in shown
    assert data[-9:-1].decode("cp850") in shown
    assert curator.post(address, {"encoding": "cp1252"}).status_code == 302
    file.refresh_from_db()
    assert file.verdict == "loaded", "it is read so already"
    assert curator.post(address, {"encoding": "cp850"}).status_code == 302
    import_upload(upload.pk)
    file.refresh_from_db()
    assert (file.encoding, file.encoding_why) == ("cp850", ["a person chose it"])
    assert not file.issues.filter(code="guessed_encoding").exists()
    (row,) = Conversation.objects.filter(source_file=file)
    assert row.turns[0]["text"] == "größer".encode("cp1252").decode("cp850")
    assert curator.post(address, {"encoding": "cp1252"}).status_code == 302
    import_upload(upload.pk)
    (row,) = Conversation.objects.filter(source_file=file)
    assert row.turns[0]["text"] == "größer"


@pytest.mark.slow
@pytest.mark.checklist(41)
def test_deleting_asks_with_numbers_and_takes_rows_and_conversations(curator, done):
    upload = done()
    address = reverse("upload-delete", args=[upload.pk])
    assert "2 conversations will be removed" in curator.get(address).content.decode()
    assert curator.post(address).status_code == 302
    assert curator.get(reverse("upload-detail", args=[upload.pk])).status_code == 404
    remove_rows(upload.removal.pk)
    assert Conversation.objects.count() == SourceFile.objects.count() == Upload.objects.count() == 0
    assert Blob.objects.count() == 1


@pytest.mark.slow
def test_conversations_of_a_version_stay_excluded(curator, cora, done):
    upload = done()
    kept = Conversation.objects.first()
    version = Version.objects.create(
        dataset=upload.dataset,
        number=1,
        name="one",
        policy_sha256="",
        split_seed=1,
        shares={},
        counts={},
        quality_score=1,
        manifest_sha256="",
        created_by=cora,
    )
    VersionRow.objects.create(
        version=version, position=1, conversation=kept, revision=1, row_hash="", split="train"
    )
    address = reverse("upload-delete", args=[upload.pk])
    assert "1 conversation will stay" in curator.get(address).content.decode()
    curator.post(address)
    remove_rows(upload.removal.pk)
    left = Conversation.objects.get()
    assert (left.pk, left.status, left.source_file) == (kept.pk, Status.EXCLUDED, None)


@pytest.mark.slow
@pytest.mark.checklist(64)
def test_a_conversation_says_its_upload_archive_path_checksum_and_times(curator, done):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("2026/may/chats.jsonl", CHATS)
    upload = done("calls.zip", packed.getvalue())
    file = upload.files.get(depth=1)
    row = upload.dataset.conversations.first()
    at = reverse("conversation-detail", args=[upload.dataset_id, row.pk])
    page = curator.get(at).content.decode()
    shown = " ".join(page.split())
    for part in ("calls.zip", "2026/may/chats.jsonl", file.blob_id, "Inside", "Read"):
        assert part in shown
    assert reverse("upload-detail", args=[upload.pk]) in page
    assert page.count("<time") >= 2
    told = " ".join(curator.get(reverse("file-detail", args=[file.pk])).content.decode().split())
    for part in ("calls.zip", "2026/may/chats.jsonl", file.blob_id, "Uploaded"):
        assert part in told


@pytest.mark.slow
@pytest.mark.checklist(17)
def test_the_limit_is_printed_and_what_is_larger_leaves_nothing(curator, settings, data_dir):
    settings.OTTO_UPLOAD_LIMIT_BYTES = 3 << 20
    zone = curator.get(reverse("upload-list")).content.decode()
    assert "up to 3" in zone
    before = sorted(data_dir.rglob("*"))
    told = {"Tus-Resumable": "1.0.0", "Upload-Length": str((3 << 20) + 1)}
    answer = curator.post(reverse("tus-collection"), headers=told)
    assert answer.status_code == 413
    assert "3,145,729" in answer.content.decode()
    assert "3,145,728" in answer.content.decode()
    assert sorted(data_dir.rglob("*")) == before
    assert not Upload.objects.exists()


@pytest.mark.slow
@pytest.mark.checklist(50)
def test_keys_that_nobody_knows_are_pointed_at_on_the_file_s_page(curator, done):
    lines = [{"wer": "Kunde", "was": "Ist offen?"}, {"wer": "Service", "was": "Ja, bis sechs."}]
    cases = [{"nr": 9_000_000 + number, "zeilen": lines} for number in range(3)]
    upload = done("faelle.json", json.dumps(cases).encode())
    file = upload.files.get(reason="needs_mapping")
    page = curator.get(reverse("file-detail", args=[file.pk]))
    assert "Tell us what the keys are" in page.content.decode()
    assert page.context["columns_form"]["words"].initial == "was"
    chosen = {"speaker": "wer", "words": "was", "begins": "whole"}
    assert curator.post(reverse("file-columns", args=[file.pk]), chosen).status_code == 302
    import_upload(upload.pk)
    told = [[turn["text"] for turn in row.turns] for row in Conversation.objects.all()]
    assert told == [["Ist offen?", "Ja, bis sechs."]] * 3
    again = curator.get(reverse("file-columns-again", args=[file.pk]))
    assert again.context["columns_form"]["speaker"].initial == "wer"
