"""A file that was read once more keeps what people did to rows that still say the same."""

from __future__ import annotations

import html
import json
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.corpus.formats.registry import reader_of
from datasets_app.corpus.source import Mapping
from datasets_app.jobs import anew
from datasets_app.jobs.importing import import_upload
from datasets_app.models import Conversation as Row
from datasets_app.models import Decision, RowTag, SourceFile, Upload
from datasets_app.selectors import estimates
from datasets_app.selectors.earlier_rows import Tally, tally_of
from datasets_app.selectors.origin_keys import current_rows
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services import choices, curation, editing, tagging, tallies
from datasets_app.services.keeping import Matching
from datasets_app.services.opinions import Sample, ask_opinion, judge_row, next_row
from datasets_app.services.writing import NewRow
from tests.datasets_app.makers import tally_follows

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]
FIRST = Mapping(question="they wrote", answer="we sent")
THEN = Mapping(question="they wrote", answer="we meant")
COUNT, OTHER_EVERY, SAME_EVERY = 3_500, 7, 10
# The rows 3, 10, 17 … are read otherwise: 500 of 3,500, and 143 of the first 1,000; 10 and 1,004
# were edited, and 990, 997, 1,004, 1,011 and 1,018 tagged.
LOST = {"rows": 500, "held": 0, "decided": 143, "edited": 2, "tagged": 5, "judged": 0}
WORKER = """
import sys, uuid, django
django.setup()
from datasets_app.jobs.importing import import_upload
import_upload(uuid.UUID(sys.argv[1]))
"""


def table(count):
    """Return a table with two columns of answers, which differ in every seventh row.

    Every tenth row is a copy of the first one, so that words alone do not tell rows apart.
    """
    lines = ["they wrote,we sent,we meant"]
    for n in range(count):
        told = 0 if n % SAME_EVERY == 0 else n
        first = f"Parcel {told} left our house today."
        then = f"Parcel {told} comes on Monday." if n % OTHER_EVERY == 3 else first
        lines.append(f"Where is my parcel {told}?,{first},{then}")
    return "\n".join(lines).encode()


def is_same(n):
    return n % OTHER_EVERY != 3


@pytest.fixture
def read(imported, cora):
    """Give a function that imports such a table; the row of line n has the number n + 1."""

    def made(count):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('datasets_app_conversation', 'id'), 1000000)"
            )
        upload = imported("parcels.csv", table(count))
        choices.choose_columns([upload.files.get()], FIRST, by=cora)
        assert import_upload(upload.pk)
        upload.refresh_from_db()
        return upload, upload.files.get(), list(upload.dataset.conversations.order_by("position"))

    return made


def edit(dataset, row, words, by):
    row.refresh_from_db()
    wanted = Conversation((Turn("user", row.turns[0]["text"]), Turn("assistant", words)))
    return editing.edit_row(dataset, editing.Seen(row.pk, row.revision), wanted, by=by)


def stored(rows):
    """Return all that people see of rows, by id."""
    columns = ("pk", "position", "turns", "revision", "status", "decision", "decided_by", "reasons")
    told = {row[0]: row for row in rows.order_by("pk").values_list(*columns)}
    tags = RowTag.objects.filter(conversation__in=rows).order_by("pk")
    return told, [*tags.values_list("conversation", "tag__name")]


def read_on(upload):
    Upload.objects.filter(pk=upload.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert import_upload(upload.pk)


@pytest.mark.slow
def test_thousands_of_rows_keep_what_people_did_though_the_worker_is_killed(
    read, client_of, cora, process_env, failpoint_at
):
    upload, file, rows = read(COUNT)
    dataset = upload.dataset
    curation.decide_rows(dataset, [row.pk for row in rows[:1_000]], Decision.EXCLUDE, by=cora)
    tagging.tag_rows(dataset, [row.pk for row in rows[990:1_020]], "moved", has=True, by=cora)
    for n in (10, 20, 1_004, 2_004):  # the first two are copies of one text
        edit(dataset, rows[n], f"Parcel {n} is lost.", cora)
    before = stored(Row.objects.filter(dataset=dataset))
    assert choices.choose_columns_again(file, THEN, by=cora)
    assert import_upload(upload.pk)
    assert stored(Row.objects.filter(dataset=dataset)) == before  # it asks before anything changes
    agree(client_of(cora), file)
    point = failpoint_at("imports.mid_copy", "kill@350")  # in the second batch
    command = [sys.executable, "-c", WORKER, str(upload.pk)]
    worker = subprocess.run(command, env=process_env | point.env, cwd=ROOT, check=False)
    assert worker.returncode == -signal.SIGKILL
    assert stored(Row.objects.filter(pk__in=list(before[0]))) == before  # no row is gone yet
    read_on(upload)

    file.refresh_from_db()
    assert (file.verdict, file.n_records, file.n_known) == ("loaded", COUNT, 0)
    assert (file.anew["lost"], dataset.conversations.count()) == (LOST, COUNT)
    kept = [rows[n].pk for n in range(COUNT) if is_same(n)]
    staying = dataset.conversations.filter(pk__in=kept)
    assert stored(staying)[0] == {pk: before[0][pk] for pk in kept}
    assert tally_of(staying) == Tally(rows=3_000, decided=857, edited=2, tagged=25)
    new = dataset.conversations.exclude(pk__in=kept).order_by("position")
    assert [row.turns[1]["text"] for row in new] == [
        f"Parcel {0 if n % SAME_EVERY == 0 else n} comes on Monday."
        for n in range(COUNT)
        if not is_same(n)
    ]
    action = dataset.actions.get(kind="exclude")
    assert curation.undo(action, by=cora).restored == 857  # what stayed can be undone


def agree(curator, file):
    """Look at what would go, then agree to it, after a try with other numbers."""
    page = curator.get(reverse("file-detail", args=[file.pk])).content.decode()
    words = " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())
    assert "3,000 conversations say the same and stay, with 857 decisions, 2 edited and 25" in words
    assert "500 conversations will be replaced, and 143 decisions on them, 2 edited and 5" in words
    address = reverse("file-anew", args=[file.pk])
    curator.post(address, {"choice": "agree", **LOST, "decided": 1})
    assert SourceFile.objects.get().verdict == "waiting"
    curator.post(address, {"choice": "agree", **LOST})
    assert SourceFile.objects.get().verdict == "queued"


@pytest.mark.slow
def test_what_nobody_touched_is_read_anew_without_a_question(read, cora):
    upload, file, rows = read(30)
    assert choices.choose_columns_again(file, THEN, by=cora)
    assert import_upload(upload.pk)
    file.refresh_from_db()
    assert (file.verdict, file.anew) == ("loaded", None)
    stayed = {row.pk for n, row in enumerate(rows) if is_same(n)}
    assert stayed < set(upload.dataset.conversations.values_list("pk", flat=True))
    assert upload.dataset.conversations.count() == 30


@pytest.mark.slow
def test_a_file_stays_as_it_was_when_a_person_says_so(read, client_of, cora, mia):
    upload, file, rows = read(30)
    curation.decide_rows(upload.dataset, [rows[3].pk], Decision.KEEP, by=cora)
    file.refresh_from_db()
    before = SourceFile.objects.filter(pk=file.pk).values().get()
    assert choices.choose_columns_again(file, THEN, by=cora)
    assert import_upload(upload.pk)
    file.refresh_from_db()
    assert (file.verdict, file.n_records) == ("waiting", 30)  # they are still there
    address = reverse("file-anew", args=[file.pk])
    assert client_of(mia).post(address, {"choice": "keep"}).status_code == 403
    curator = client_of(cora)
    assert curator.post(address, {"choice": "burn"}).status_code == 422
    for _ in range(2):  # a second click is told that it is done
        assert curator.post(address, {"choice": "keep"}).status_code == 302
    after = SourceFile.objects.filter(pk=file.pk).values().get()
    assert after | {"finished_at": before["finished_at"]} == before
    assert [row.pk for row in rows] == list(current_rows(file).values_list("pk", flat=True))
    assert choices.choose_columns_again(file, THEN, by=cora)  # and it may be chosen once more


@pytest.mark.slow
def test_halves_of_a_split_row_and_a_way_back_keep_their_row(read, cora):
    upload, file, rows = read(12)
    dataset = upload.dataset
    row = rows[4]
    seen = editing.Seen(row.pk, row.revision)
    turns = (Turn("user", "a?"), Turn("assistant", "b"), Turn("user", "c?"), Turn("assistant", "d"))
    editing.split_row(dataset, seen, Conversation(turns), 2, by=cora)
    half = dataset.conversations.order_by("position").last()
    for mapping in (THEN, FIRST, THEN):
        file.refresh_from_db()
        choices.choose_columns_again(file, mapping, by=cora)
        assert import_upload(upload.pk)
        file.refresh_from_db()
        assert file.verdict == "loaded"
        assert {row.pk, half.pk} < set(dataset.conversations.values_list("pk", flat=True))
        assert dataset.conversations.count() == 13
        assert file.n_known == 0


@pytest.mark.slow
def test_another_encoding_and_a_newer_reader_keep_rows_too(imported, client_of, cora):
    said = ["Where is my hat?", "Wo ist mein Hut für den Regen?", "Where is my coat?"]
    lines = (json.dumps({"input": q, "output": "It is here."}, ensure_ascii=False) for q in said)
    upload = imported("hats.jsonl", "\n".join(lines).encode("cp1252"))
    file = upload.files.get()
    if file.verdict == "waiting":
        choices.choose_encoding([file], "cp1252", by=cora)
        assert import_upload(upload.pk)
    file.refresh_from_db()
    rows = list(current_rows(file).order_by("position"))
    curation.decide_rows(rows[0].dataset, [row.pk for row in rows], Decision.KEEP, by=cora)
    assert choices.choose_encoding_again(file, "cp437", by=cora)
    assert import_upload(upload.pk)
    file.refresh_from_db()
    assert (file.reason, file.anew["lost"]["decided"]) == ("needs_consent", 1)
    assert choices.keep_as_it_was(file, by=cora)
    file.refresh_from_db()
    assert not choices.read_by_newer_reader(file, by=cora)  # it is the newest
    SourceFile.objects.update(reader="jsonl 0")
    page = client_of(cora).get(reverse("file-detail", args=[file.pk])).content.decode()
    assert "Read it with the newer reader" in page
    client_of(cora).post(reverse("file-anew", args=[file.pk]), {"choice": "newer"})
    assert import_upload(upload.pk)
    file.refresh_from_db()
    assert (file.verdict, file.reader) == ("loaded", reader_of("jsonl").label)
    decided = current_rows(file).order_by("position").values_list("pk", "decision")
    assert list(decided) == [(row.pk, "keep") for row in rows]


@pytest.fixture
def meanwhile(monkeypatch):
    """Give a function that has something done once a file was read, before old rows go."""

    def done(act):
        real = anew.set_aside_earlier_rows

        def late(*args, **more):
            act()
            monkeypatch.setattr(anew, "set_aside_earlier_rows", real)
            real(*args, **more)

        monkeypatch.setattr(anew, "set_aside_earlier_rows", late)

    return done


def split(dataset, row, by):
    row.refresh_from_db()
    turns = (*(Turn(turn["role"], turn["text"]) for turn in row.turns), Turn("user", "And then?"))
    editing.split_row(dataset, editing.Seen(row.pk, row.revision), Conversation(turns), 2, by=by)
    return dataset.conversations.order_by("position").last()


@pytest.mark.slow
def test_a_row_that_is_split_while_its_file_is_read_keeps_its_half(read, cora, meanwhile):
    upload, file, rows = read(12)
    halves = []
    meanwhile(lambda: halves.append(split(upload.dataset, rows[4], cora)))
    choices.choose_columns_again(file, THEN, by=cora)
    assert import_upload(upload.pk)
    assert upload.dataset.conversations.filter(pk__in=[rows[4].pk, halves[0].pk]).count() == 2
    assert upload.dataset.conversations.count() == 13


@pytest.mark.slow
def test_a_row_that_is_split_between_comparison_and_reading_keeps_its_half(read, cora, monkeypatch):
    upload, file, rows = read(12)
    earlier, halves = Matching.of, []

    def of(file, reading):
        found = earlier(file, reading)
        if file.reading == reading:  # the second time, when it is read
            halves.append(split(upload.dataset, rows[4], cora))
        return found

    monkeypatch.setattr(Matching, "of", of)
    choices.choose_columns_again(file, THEN, by=cora)
    assert import_upload(upload.pk)
    assert upload.dataset.conversations.filter(pk__in=[rows[4].pk, halves[0].pk]).count() == 2


@pytest.mark.slow
def test_work_of_the_minutes_in_which_a_file_is_read_anew_is_never_removed(
    read, client_of, cora, meanwhile
):
    """The rows 3, 10, 17 and 24 are read otherwise; the first was agreed to be lost."""
    upload, file, rows = read(30)
    dataset = upload.dataset
    curation.decide_rows(dataset, [rows[3].pk, rows[4].pk], Decision.KEEP, by=cora)
    choices.choose_columns_again(file, THEN, by=cora)
    assert import_upload(upload.pk)
    file.refresh_from_db()
    assert choices.agree_to_lose(file, file.anew["lost"], by=cora)
    # as much work as was agreed to be lost, but of another row: the agreement was not to this
    undone = dataset.actions.get(kind="keep")
    curation.undo(undone, by=cora)
    curation.decide_rows(dataset, [rows[4].pk, rows[17].pk], Decision.KEEP, by=cora)

    def act():
        tagging.tag_rows(dataset, [rows[10].pk], "late", has=True, by=cora)
        passing = curation.decide_rows(dataset, [rows[24].pk], Decision.KEEP, by=cora)
        curation.undo(passing, by=cora)

    meanwhile(act)
    assert import_upload(upload.pk)
    file.refresh_from_db()
    assert file.verdict == "loaded"
    spared = dataset.conversations.filter(pk__in=[rows[n].pk for n in (3, 10, 17, 24)])
    told = spared.order_by("pk").values_list("pk", "status", "tagged__tag__name")
    assert [*told] == [
        (rows[3].pk, "excluded", None),
        (rows[10].pk, "excluded", "late"),
        (rows[17].pk, "excluded", None),
    ]
    assert (file.anew["spared"], current_rows(file).count()) == (3, 30)
    page = client_of(cora).get(reverse("file-detail", args=[file.pk])).content.decode()
    assert "3 conversations that somebody worked on while it was read anew" in page


@pytest.mark.slow
def test_work_on_rows_that_nobody_had_touched_is_not_removed_either(
    read, cora, meanwhile, monkeypatch
):
    upload, file, rows = read(12)
    meanwhile(lambda: edit(upload.dataset, rows[3], "It is lost.", cora))
    for module in (estimates, tallies):
        monkeypatch.setattr(module, "MOST_EXACT", 5)
    tallies.count_behind()
    choices.choose_columns_again(file, THEN, by=cora)
    assert import_upload(upload.pk)
    file.refresh_from_db()
    rows[3].refresh_from_db()
    assert (rows[3].status, rows[3].turns[1]["text"]) == ("excluded", "It is lost.")
    assert file.anew == {"spared": 1}
    assert tally_follows(upload.dataset)


@pytest.mark.slow
def test_what_a_second_opinion_judged_is_work_that_is_asked_for(read, client_of, cora, theo):
    upload, file, rows = read(12)
    dataset = upload.dataset
    decided = curation.decide_rows(dataset, [rows[3].pk, rows[4].pk], Decision.KEEP, by=cora)
    opinion = ask_opinion(dataset, Sample(2, 1, RowFilter(), theo), by=cora)
    while row := next_row(opinion, by=theo):
        judge_row(opinion, row.place, Decision.KEEP, by=theo)
    curation.undo(decided, by=cora)  # nothing else of anybody's stands on these rows
    curator, address = client_of(cora), reverse("file-detail", args=[file.pk])
    choices.choose_columns_again(file, THEN, by=cora)
    assert import_upload(upload.pk)
    file.refresh_from_db()
    assert (file.reason, file.anew["lost"]["judged"]) == ("needs_consent", 1)
    page = " ".join(curator.get(address).content.decode().split())
    assert "1 judged in a second opinion, go with" in page
    curator.post(reverse("file-anew", args=[file.pk]), {"choice": "agree", **file.anew["lost"]})
    assert import_upload(upload.pk)
    assert opinion.rows.count() == 1  # somebody agreed


@pytest.mark.slow
def test_equal_rows_are_each_found_once_and_looked_at_once(read, monkeypatch):
    _, file, rows = read(40)  # four say the same as the first
    looked = []
    take = Matching._take
    monkeypatch.setattr(Matching, "_take", lambda self, n: looked.append(n) or take(self, n))
    earlier = Matching.of(file, file.reading + 1)
    assert earlier is not None
    same = [row for row in rows if row.position % SAME_EVERY == 1]
    again = [
        NewRow(
            conversation=Conversation(
                tuple(Turn(turn["role"], turn["text"]) for turn in same[0].turns)
            ),
            origin_key=f"other-{n}",
        )
        for n in range(6)
    ]
    found = [earlier.found(again[:2]), earlier.found(again[2:3]), earlier.found(again[3:])]
    assert [[*one.values()] for one in found] == [
        [same[0].pk, same[1].pk],
        [same[2].pk],
        [same[3].pk],
    ]
    assert looked == [row.position for row in same]
