"""Knowledge follows a freeze, survives its worker, and costs only what changed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from datasets_app.corpus.conversation import passage
from datasets_app.jobs import freezing
from datasets_app.jobs import knowledge as jobs
from datasets_app.jobs.knowledge import build_knowledge, look_up
from datasets_app.knowledge.find import Knowledge as Known
from datasets_app.knowledge.layout import EDITION
from datasets_app.models import (
    Encoder,
    EncoderState,
    Knowledge,
    Lookup,
    Version,
)
from datasets_app.services.datasets import create_dataset
from datasets_app.services.knowledge import order_knowledge, order_lookup, remove_unnamed_folders
from datasets_app.services.versions import delete_version
from datasets_app.sweeps import build_better_knowledge
from otto_web.lib.work.claims import LostLease, claim, order_anew
from otto_web.lib.work.states import State
from tests.datasets_app.knowledge.toys import toy_encoder
from tests.datasets_app.makers import add, pair

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import sys, django
django.setup()
from datasets_app.jobs import knowledge
knowledge.STEP_ROWS = 10
knowledge.build_knowledge(sys.argv[1])
"""


def encoder_row(data_dir, name="toy", **wanted):
    folder = toy_encoder(data_dir / "encoders" / name, **wanted)
    facts = json.loads((folder / "encoder.json").read_text())
    return Encoder.objects.create(path=f"encoders/{name}", **facts)


def orders(owner, count=30):
    made = create_dataset("Orders", by=owner)
    add(
        made, [pair(f"Where is my order {n}?", f"Order {n} left on day {n}.") for n in range(count)]
    )
    return made


def built(version):
    build_knowledge(version.pk)
    return Knowledge.objects.get(pk=version.pk)


@pytest.fixture
def ten_a_step(monkeypatch):
    monkeypatch.setattr(jobs, "STEP_ROWS", 10)


def test_a_freeze_orders_knowledge_and_a_worker_builds_it(cora, data_dir):
    encoder = encoder_row(data_dir)
    version = freezing.freeze_version(orders(cora), user=cora)
    assert Knowledge.objects.get().state == State.QUEUED
    found = built(version)
    assert (found.state, found.done, found.total) == (State.SUCCEEDED, 30, 30)
    assert (found.encoder, found.facts["pieces"]) == (encoder, 30)
    known = Known.open(found.folder)
    (one,) = known.find("where is order 17", most=1)
    assert one.piece.answer == "Order 17 left on day 17."
    assert version.rows.filter(conversation=one.piece.row, row_hash=one.piece.row_hash).exists()
    assert [path.name for path in found.folder.parent.iterdir()] == [found.folder.name]


@pytest.mark.slow
def test_without_an_encoder_it_finds_by_words_until_one_comes(cora, data_dir):
    version = freezing.freeze_version(orders(cora), user=cora)
    assert built(version).encoder is None
    build_better_knowledge(timezone.now())
    assert Knowledge.objects.get().state == State.SUCCEEDED  # there is nothing better yet
    first = encoder_row(data_dir)
    build_better_knowledge(timezone.now())
    before = Knowledge.objects.get()
    assert (before.state, before.folder.exists()) == (State.QUEUED, True)
    after = built(version)
    assert (after.encoder, Known.open(after.folder).dims) == (first, 32)
    build_better_knowledge(timezone.now())
    assert Knowledge.objects.get().state == State.SUCCEEDED


@pytest.mark.slow
def test_what_an_older_otto_built_is_built_anew_with_its_vectors(cora, data_dir):
    encoder_row(data_dir)
    version = freezing.freeze_version(orders(cora), user=cora)
    facts = built(version).facts
    Knowledge.objects.update(facts={name: facts[name] for name in facts if name != "edition"})
    build_better_knowledge(timezone.now())
    assert Knowledge.objects.get().state == State.QUEUED
    anew = built(version)
    assert (anew.facts["edition"], Known.open(anew.folder).dims) == (EDITION, 32)
    build_better_knowledge(timezone.now())
    assert Knowledge.objects.get().state == State.SUCCEEDED


@pytest.mark.slow
def test_an_encoder_that_is_gone_leaves_words_and_says_so(cora, data_dir):
    encoder = encoder_row(data_dir)
    version = freezing.freeze_version(orders(cora), user=cora)
    shutil.rmtree(encoder.folder)
    found = built(version)
    assert found.state == State.SUCCEEDED
    assert "The encoder toy cannot be loaded" in found.message
    assert "by words only" in found.message
    assert Known.open(found.folder).dims == 0
    build_better_knowledge(timezone.now())
    assert Knowledge.objects.get().state == State.SUCCEEDED  # it would fail again
    Encoder.objects.update(state=EncoderState.DELETED)
    encoder_row(data_dir, "other")
    build_better_knowledge(timezone.now())
    assert Known.open(built(version).folder).dims == 32


@pytest.mark.slow
def test_an_edited_row_and_a_fresh_freeze_embed_one_row(cora, data_dir, monkeypatch):
    encoder_row(data_dir)
    dataset = orders(cora)
    built(freezing.freeze_version(dataset, user=cora))
    row = dataset.conversations.get(position=8)
    said = pair("Where is my red order?", "Order 7 is red.")
    row.turns, row.row_hash, row.revision = said.as_json(), said.row_hash(), 2
    row.save()
    embedded = []
    compute = jobs.LoadedEncoder.encode
    counting = lambda self, texts: embedded.extend(texts) or compute(self, texts)  # noqa: E731
    monkeypatch.setattr(jobs.LoadedEncoder, "encode", counting)
    found = built(freezing.freeze_version(dataset, user=cora))
    assert embedded == ["Where is my red order?"]
    assert Known.open(found.folder).find("red order")[0].piece.answer == "Order 7 is red."
    order_knowledge(found.version, by=cora)
    again = built(found.version)
    assert len(embedded) == 1
    assert again.manifest_sha256 == found.manifest_sha256


def test_passages_alone_are_knowledge_too(cora):
    texts = create_dataset("Texts", by=cora)
    add(
        texts, [passage(f"The tent number {n} stands on its hill near the lake.") for n in range(9)]
    )
    found = built(freezing.freeze_version(texts, choice="all", user=cora))
    assert found.facts["pieces"] == 9


@pytest.mark.slow
def test_it_works_in_turns_and_goes_on_where_it_was(cora, data_dir, ten_a_step, monkeypatch):
    encoder_row(data_dir)
    version = freezing.freeze_version(orders(cora, 35), user=cora)
    monkeypatch.setattr(jobs, "TURN_SECONDS", -1.0)
    seen = []
    while Knowledge.objects.get().state != State.SUCCEEDED:
        build_knowledge(version.pk)
        seen.append(Knowledge.objects.get().done)
    assert seen == [10, 20, 30, 35, 35]
    assert Known.open(Knowledge.objects.get().folder).pieces == 35


@pytest.mark.slow
@pytest.mark.parametrize("point", ["knowledge.step:kill@2", "knowledge.finished:kill"])
def test_a_killed_worker_is_followed_by_one_that_goes_on(
    cora, data_dir, process_env, failpoint_at, ten_a_step, point
):
    encoder_row(data_dir)
    version = freezing.freeze_version(orders(cora), user=cora)
    env = process_env | failpoint_at(*point.split(":")).env
    worker = subprocess.run(
        [sys.executable, "-c", WORKER, str(version.pk)], env=env, cwd=ROOT, check=False
    )
    assert worker.returncode == -signal.SIGKILL
    left = Knowledge.objects.get()
    Knowledge.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    steps = []
    counted = jobs.Writer.add
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            jobs.Writer, "add", lambda self, rows: steps.append(rows) or counted(self, rows)
        )
        found = built(version)
    assert found.path == left.working
    assert len(steps) == (1 if "step" in point else 0)
    order_knowledge(version, by=cora)
    assert built(version).manifest_sha256 == found.manifest_sha256


@pytest.mark.slow
def test_one_that_was_thought_dead_changes_nothing(cora, data_dir, ten_a_step):
    version = freezing.freeze_version(orders(cora), user=cora)
    mine = claim(Knowledge, version.pk)
    folder, lock = jobs._working_folder(mine)
    with lock:
        writer = jobs.Writer(folder, encoder=None)
        rows = list(jobs._rows(version.pk, behind=0))
        writer.add(rows[:10])
        order_anew(Knowledge.objects.all())
        found = built(version)  # beside the first, which still holds its folder
        assert found.path != mine.working
        writer.add(rows[10:])
        with pytest.raises(LostLease):
            jobs._publish(mine, folder, writer.finish(), None, "")
    assert Known.open(Knowledge.objects.get().folder).pieces == 30


@pytest.mark.slow
def test_the_folder_before_stays_for_an_hour_for_whoever_was_told_of_it(cora):
    version = freezing.freeze_version(orders(cora), user=cora)
    before = built(version).folder
    long_ago = (timezone.now() - timedelta(days=9)).timestamp()
    for path in (before, *before.iterdir()):
        os.utime(path, (long_ago, long_ago))
    order_knowledge(version, by=cora)
    after = built(version).folder
    remove_unnamed_folders(timezone.now() - timedelta(hours=1))
    assert Known.open(before).pieces == 30
    remove_unnamed_folders(timezone.now() + timedelta(minutes=1))
    assert [path.name for path in after.parent.iterdir()] == [after.name]


@pytest.mark.slow
def test_one_that_was_left_whole_is_published_under_the_encoder_that_made_it(
    cora, data_dir, failpoint_at
):
    version = freezing.freeze_version(orders(cora), user=cora)
    failpoint_at("knowledge.finished", "enospc").arm_here()
    build_knowledge(version.pk)  # by words, and it could not be published
    Knowledge.objects.update(not_before=None)
    encoder = encoder_row(data_dir)
    found = built(version)
    assert found.encoder == encoder
    assert Known.open(found.folder).encoder_sha256 == encoder.sha256


@pytest.mark.slow
def test_building_once_more_does_not_go_on_with_what_it_failed_at(cora, ten_a_step):
    version = freezing.freeze_version(orders(cora), user=cora)
    mine = claim(Knowledge, version.pk)
    folder, lock = jobs._working_folder(mine)
    with lock:
        jobs.Writer(folder, encoder=None).add(list(jobs._rows(version.pk, behind=0))[:10])
    pieces = folder / "pieces.jsonl"
    pieces.write_bytes(b"\xff" * pieces.stat().st_size)  # as long as it was, and nothing in it
    Knowledge.objects.update(
        state=State.FAILED, finished_at=timezone.now(), lease_until=None, message="Once more."
    )
    order_knowledge(version, by=cora)
    found = built(version)
    assert (found.state, Known.open(found.folder).pieces) == (State.SUCCEEDED, 30)


def test_a_full_disk_is_waited_for(cora, failpoint_at, ten_a_step):
    version = freezing.freeze_version(orders(cora), user=cora)
    failpoint_at("knowledge.step", "enospc@2").arm_here()
    build_knowledge(version.pk)
    waits = Knowledge.objects.get()
    assert (waits.state, waits.reason) == (State.QUEUED, "disk_full")
    Knowledge.objects.update(not_before=None)
    assert built(version).state == State.SUCCEEDED


@pytest.mark.slow
def test_a_question_is_looked_up(cora, data_dir):
    encoder_row(data_dir)
    version = freezing.freeze_version(orders(cora), user=cora)
    lookup = order_lookup(built(version), "parcel order 21\x00?", by=cora)
    look_up(lookup.pk)
    lookup.refresh_from_db()
    assert lookup.state == State.SUCCEEDED
    assert lookup.results[0]["answer"] == "Order 21 left on day 21."
    assert lookup.results[0]["cosine"] > 0
    Encoder.objects.update(state=EncoderState.DELETED)
    later = order_lookup(lookup.knowledge, "order 21", by=cora)
    look_up(later.pk)
    later.refresh_from_db()
    assert "found by their words alone" in later.message
    for n in range(25):
        order_lookup(lookup.knowledge, f"order {n}", by=cora)
    assert Lookup.objects.count() == 20


@pytest.mark.slow
def test_a_lookup_finds_what_a_chat_would(cora, data_dir):
    own = encoder_row(data_dir, words="where is my order ? wie hoch der mount everest")
    version = freezing.freeze_version(orders(cora), user=cora)
    known = built(version)
    assert known.encoder == own
    encoder_row(data_dir, "newer", words="entirely other words")
    lookup = order_lookup(known, "Where is my order 21?", by=cora)
    look_up(lookup.pk)
    lookup.refresh_from_db()
    assert lookup.message == ""
    assert lookup.results[0]["cosine"] > 0.5
    strange = order_lookup(known, "wie hoch der mount everest", by=cora)
    look_up(strange.pk)
    strange.refresh_from_db()
    assert strange.message == jobs.FAR


@pytest.mark.slow
def test_a_deleted_version_takes_its_knowledge_and_folders_with_it(cora, data_dir):
    version = freezing.freeze_version(orders(cora), user=cora)
    folder = built(version).folder
    delete_version(version, by=cora)
    assert not Version.objects.exists()
    assert not Knowledge.objects.exists()
    assert version.dataset.conversations.count() == 30
    remove_unnamed_folders(timezone.now() - timedelta(hours=1))
    assert folder.exists()  # it may be of a row that is being written
    remove_unnamed_folders(timezone.now() + timedelta(hours=1))
    assert list((data_dir / "knowledge").iterdir()) == []


def test_folders_that_a_row_names_stay(cora, data_dir):
    version = freezing.freeze_version(orders(cora), user=cora)
    folder = built(version).folder
    (folder.parent / "f99").mkdir()
    remove_unnamed_folders(timezone.now() + timedelta(hours=1))
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
