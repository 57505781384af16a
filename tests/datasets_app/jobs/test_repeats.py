"""A search finds what repeats, reads nothing twice, and survives its worker."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from datasets_app.corpus.conversation import Conversation, Turn
from datasets_app.jobs import repeats as jobs
from datasets_app.jobs.freezing import freeze_version
from datasets_app.jobs.repeats import find_repeats
from datasets_app.models import Cluster, Decision, Encoder, RepeatSearch, Status
from datasets_app.services.curation import decide_rows, undo
from datasets_app.services.datasets import create_dataset
from datasets_app.services.editing import Seen, edit_row
from datasets_app.services.repeats import (
    Verdict,
    decide_cluster,
    order_search,
    remove_unnamed_indexes,
    stop_search,
)
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
from datasets_app.jobs import repeats
repeats.STEP_ROWS = 10
repeats.find_repeats(sys.argv[1])
"""
DAYS = [
    pair("How long can I return it?", "You have 14 days to send it back to us."),
    pair("how long can I return it", "You have 30 days to send it back to us."),
]
COPIES = [
    pair("Where are you?", "Beside the old town hall."),
    pair("where are you", "Beside the old town hall"),
]
OTHERS = [pair(f"Where is order {n}?", f"Order {n} left our house on day {n}.") for n in range(20)]


@pytest.fixture
def dataset(cora):
    made = create_dataset("Support", by=cora)
    add(made, [*DAYS, *COPIES, *OTHERS])
    return made


def searched(dataset, by):
    order_search(dataset, by=by)
    find_repeats(dataset.pk)
    return RepeatSearch.objects.get(pk=dataset.pk)


def kinds(clusters):
    """Return kind and positions of each cluster."""
    return sorted(
        (one.kind, sorted(one.members.values_list("conversation__position", flat=True)))
        for one in clusters
    )


def test_a_search_fills_the_queue_and_its_counts_are_true(dataset, cora):
    found = searched(dataset, cora)
    assert (found.state, found.done, found.total) == (State.SUCCEEDED, 24, 24)
    assert found.facts["clusters"] == {"conflict": 1, "exact": 1}
    assert (found.encoder, found.read) == (None, 24)
    assert kinds(dataset.clusters.waiting()) == [("conflict", [1, 2]), ("exact", [3, 4])]


@pytest.mark.slow
def test_only_new_and_changed_rows_are_read_again(dataset, cora):
    searched(dataset, cora)
    assert searched(dataset, cora).read == 0
    row = dataset.conversations.get(position=2)
    edit_row(dataset, Seen(row.pk, 1), DAYS[0], by=cora)
    after = searched(dataset, cora)
    assert after.read == 1
    assert kinds(dataset.clusters.all()) == [("exact", [1, 2]), ("exact", [3, 4])]


@pytest.mark.slow
def test_what_is_decided_stays_decided_until_a_row_changes(dataset, cora):
    searched(dataset, cora)
    conflict = dataset.clusters.get(kind="conflict")
    seen = dict(conflict.members.values_list("conversation", "revision"))
    action = decide_cluster(dataset, conflict.pk, Verdict(seen, list(seen)), by=cora)
    searched(dataset, cora)
    assert kinds(dataset.clusters.waiting()) == [("exact", [3, 4])]
    undo(action, by=cora)
    assert dataset.clusters.waiting().count() == 2
    decide_cluster(dataset, conflict.pk, Verdict(seen, list(seen)), by=cora)
    changed = pair("How long can I return it?", "You have 90 days to send it back to us.")
    edit_row(dataset, Seen(min(seen), 1), changed, by=cora)
    searched(dataset, cora)
    assert kinds(dataset.clusters.waiting()) == [("conflict", [1, 2]), ("exact", [3, 4])]


def test_excluded_rows_are_not_asked_about(dataset, cora):
    rows = dataset.conversations.filter(position__in=(2, 4))
    decide_rows(dataset, [row.pk for row in rows], Decision.EXCLUDE, by=cora)
    assert searched(dataset, cora).total == 22
    assert not dataset.clusters.exists()


def test_the_longest_export_of_a_chat_is_kept_and_the_others_are_brought_back_by_undo(cora):
    told = ["Where is it?", "On its way.", "Since when?", "Since Monday.", "Thanks", "Welcome"]
    turns = [Turn(("user", "assistant")[n % 2], text) for n, text in enumerate(told)]
    dataset = create_dataset("Chats", by=cora)
    add(dataset, [Conversation(tuple(turns[:end])) for end in (2, 6, 4)])
    searched(dataset, cora)
    statuses = dataset.conversations.order_by("position").values_list("status", flat=True)
    assert list(statuses) == [Status.EXCLUDED, Status.KEPT, Status.EXCLUDED]
    action = dataset.actions.get()
    assert (action.title, action.actor) == ("2 shorter exports of the same chats excluded", cora)
    undo(action, by=cora)
    searched(dataset, cora)  # what a person undid is not done again
    assert set(statuses.all()) == {Status.KEPT}
    assert kinds(dataset.clusters.waiting().filter(kind="snapshot")) == [("snapshot", [1, 2, 3])]


@pytest.mark.slow
def test_with_an_encoder_other_words_for_the_same_question_are_found(cora, data_dir):
    folder = toy_encoder(data_dir / "encoders" / "toy")
    facts = json.loads((folder / "encoder.json").read_text())
    encoder = Encoder.objects.create(path="encoders/toy", **facts)
    dataset = create_dataset("Orders", by=cora)
    add(
        dataset,
        [
            pair("When is the shop open?", "From nine to six."),
            pair("Open shop: when is it so?", "From eight to noon."),
            pair("How much is a red tent?", "It costs 200 euros."),
        ],
    )
    found = searched(dataset, cora)
    assert found.encoder == encoder
    assert kinds(dataset.clusters.all()) == [("conflict", [1, 2])]


def test_a_turn_ends_and_the_next_goes_on_where_it_stopped(dataset, cora, monkeypatch):
    monkeypatch.setattr(jobs, "STEP_ROWS", 10)
    monkeypatch.setattr(jobs, "TURN_SECONDS", -1.0)
    order_search(dataset, by=cora)
    done = []
    for _ in range(5):
        find_repeats(dataset.pk)
        order = RepeatSearch.objects.get(pk=dataset.pk)
        done.append((order.state, order.step, order.done))
        if order.is_over:
            break
    assert [state for state, _, _ in done] == [State.QUEUED, State.QUEUED, State.SUCCEEDED]
    assert [count for _, _, count in done[:2]] == [10, 20]
    assert order.facts["clusters"] == {"conflict": 1, "exact": 1}


@pytest.mark.slow
def test_a_killed_worker_is_followed_by_one_that_reads_the_rest_only(
    dataset, cora, process_env, failpoint_at
):
    order_search(dataset, by=cora)
    env = process_env | failpoint_at("repeats.step", "kill@2").env
    script = [sys.executable, "-c", WORKER, str(dataset.pk)]
    assert subprocess.run(script, env=env, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    left = RepeatSearch.objects.get()
    RepeatSearch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    find_repeats(dataset.pk)
    found = RepeatSearch.objects.get()
    assert (found.state, found.folder) == (State.SUCCEEDED, left.folder)
    assert (left.read, found.read) == (10, 14)  # ten more were read before it could say so
    assert kinds(dataset.clusters.all()) == [("conflict", [1, 2]), ("exact", [3, 4])]


def test_a_search_that_was_stopped_writes_nothing(dataset, cora):
    order_search(dataset, by=cora)
    row = claim(RepeatSearch, dataset.pk)
    assert stop_search(dataset, by=cora)
    with pytest.raises(LostLease):
        jobs.publish(row, [], None, {"newest": 0})
    assert RepeatSearch.objects.get().state == State.CANCELLED
    assert not Cluster.objects.exists()
    order_anew(RepeatSearch.objects.all())
    find_repeats(dataset.pk)
    assert dataset.clusters.count() == 2


def test_indexes_that_nothing_names_are_freed(dataset, cora):
    kept = searched(dataset, cora).path
    left = kept.with_name("of-somebody-else")
    left.mkdir()
    remove_unnamed_indexes(timezone.now() - timedelta(hours=1))
    assert left.exists()
    remove_unnamed_indexes(timezone.now() + timedelta(hours=1))
    assert (left.exists(), kept.exists()) == (False, True)


@pytest.mark.slow
def test_what_repeats_is_learnt_or_tests_but_never_both(cora):
    made = create_dataset("Support", by=cora)
    rows = [
        pair(f"How long can I return {thing}?", f"You have {days} days to send {thing} back.")
        for thing in ("boots", "tents", "lamps", "kettles", "jackets", "chairs", "tables", "rugs")
        for days in (14, 30)
    ]
    add(made, rows)
    before = freeze_version(made, user=cora)
    assert before.counts["leaks"] == {}
    first = dict(made.conversations.values_list("position", "split"))
    parted = [n for n in range(1, 17, 2) if first[n] != first[n + 1]]
    searched(made, cora)
    after = freeze_version(made, user=cora)  # splits that stand already stay
    assert after.counts["leaks"]["rows"] == len(parted)
    assert len(after.counts["leaks"]["examples"]) == min(5, len(parted))
    made.conversations.update(split=None)
    anew = freeze_version(made, user=cora)
    assert anew.counts["leaks"] == {"rows": 0, "examples": []}
    again = dict(made.conversations.values_list("position", "split"))
    assert all(again[n] == again[n + 1] for n in range(1, 17, 2))
