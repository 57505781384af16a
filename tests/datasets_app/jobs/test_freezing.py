"""Which rows of a dataset a version holds, and in which split."""

from __future__ import annotations

from threading import Thread
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from datasets_app.corpus.conversation import Conversation, CorpusError, Turn
from datasets_app.jobs import freezing
from datasets_app.jobs.freezing import Line, _without_copies, freeze_version
from datasets_app.models import Choice
from datasets_app.models import Conversation as Row
from datasets_app.selectors import scores
from datasets_app.selectors.versions import iter_conversations
from datasets_app.services.changes import begin_change
from datasets_app.services.datasets import create_dataset
from tests.datasets_app.makers import add, pair, support_dataset

FILE, OTHER = UUID(int=1), UUID(int=2)


def line(position, key, file=FILE):
    return Line(position, key, None, file)


def test_a_passage_stands_in_one_split_only():
    lines = [
        line(1, "a"),
        line(2, "footer"),
        line(3, "b"),
        line(4, "footer", OTHER),  # the same words in another document and split
        line(5, "footer", OTHER),
        line(6, "c", OTHER),
    ]
    splits = (*("train",) * 3, "validation", "train", "validation")
    drawn = dict(enumerate(splits, start=1))
    assert set(_without_copies(lines, drawn)) == {1, 2, 3, 5, 6}


def test_no_split_is_emptied_and_conversations_stay():
    drawn = {1: "train", 2: "validation"}
    assert _without_copies([line(1, "a"), line(2, "a")], drawn) == drawn
    drawn = {1: "train", 2: "validation", 3: "validation"}
    told = [line(1, "a", None), line(2, "a", None), line(3, "b", None)]
    assert _without_copies(told, drawn) == drawn


def talk(*turns):
    return Conversation(tuple(Turn(role, text) for role, text in turns))


STRANGERS = [
    talk(("usr", f"Is lamp {n} in stock?"), ("sys", "Yes, we have four of them.")) for n in range(3)
]
UNANSWERED = [talk(("user", "Is anybody there?")), talk(("user", "Hello?"), ("assistant", " "))]


@pytest.mark.django_db
def test_a_dataset_of_which_nothing_can_be_learnt_is_critical_and_cannot_be_frozen(cora):
    dataset = create_dataset("Strangers", by=cora)
    add(dataset, [*STRANGERS, *UNANSWERED])
    score = scores.score_of(dataset)
    assert (score.percent, score.band) == (0, "critical")
    assert score.words.startswith("Critical: 0 of 5 rows can be trained")
    assert "“structure”" in score.words
    with pytest.raises(CorpusError, match=r"has 0 conversation.* In 5 more nobody answers"):
        freeze_version(dataset, choice=Choice.ALL, user=cora)


@pytest.mark.django_db
def test_all_rows_means_all_that_can_be_learnt_also_of_those_that_somebody_accepted(cora):
    dataset = create_dataset("Mixed", by=cora)
    document = talk(("text", "The hut is open from June to September."))
    add(dataset, [pair("Hi there", "it is"), document, *STRANGERS, *UNANSWERED])
    dataset.conversations.update(status="kept", decision="keep")
    for choice in (Choice.ALL, Choice.KEPT):
        version = freeze_version(dataset, choice=choice, user=cora)
        assert (version.counts["rows"], version.counts["unusable"]) == (2, 5)
    told = list(iter_conversations(version.pk))
    assert sorted(len(conversation.turns) for conversation in told) == [1, 2]


@pytest.mark.django_db
def test_a_last_word_of_the_user_is_cut_and_counted_and_stays_in_the_dataset(cora):
    dataset = create_dataset("Talks", by=cora)
    asked = pair("Is the sauna open today?", "Yes, until ten at night.")
    thanks = Conversation((*asked.turns, Turn("user", "Thanks"), Turn("user", "Bye!")))
    add(dataset, [thanks, pair("Where is the pool?", "It is behind the house.")])
    dataset.conversations.update(status="kept")
    version = freeze_version(dataset, user=cora)
    assert version.counts["last_words"] == 1
    assert asked in list(iter_conversations(version.pk))
    assert len(dataset.conversations.order_by("position")[0].turns) == 4
    version.counts = {**version.counts}
    del version.counts["last_words"]  # as an older release froze it: it stays as it was
    version.save()
    assert thanks in list(iter_conversations(version.pk))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_database_deletes_no_row_that_a_version_holds(cora):
    dataset = support_dataset(cora)
    freeze_version(dataset, user=cora)
    with pytest.raises(IntegrityError, match="a version holds"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM datasets_app_conversation WHERE position = 3")
    assert dataset.conversations.filter(position=3).exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_removed_while_it_is_frozen_is_in_no_version(cora, monkeypatch):
    dataset = support_dataset(cora)
    write = freezing._write_splits

    def remove_one():
        with transaction.atomic():
            begin_change(dataset.pk)
            Row.objects.filter(dataset=dataset, position=3).delete()
        connection.close()

    def meanwhile(splits):
        write(splits)
        other = Thread(target=remove_one)
        other.start()
        other.join()

    monkeypatch.setattr(freezing, "_write_splits", meanwhile)
    with pytest.raises(IntegrityError, match="1 rows were removed"):
        freeze_version(dataset, user=cora)
    monkeypatch.undo()
    version = freeze_version(dataset, choice=Choice.ALL, user=cora)
    assert not version.rows.filter(conversation__position=3).exists()


@pytest.mark.slow
@pytest.mark.checklist(71)
def test_the_same_rows_stand_in_the_same_split_of_every_version(cora, client_of):
    dataset = support_dataset(cora)
    same = [pair(f"Is it open on day {n % 5}?", "It is open from nine to six.") for n in range(40)]
    add(dataset, same, first=100)
    first, second = (freeze_version(dataset, choice=Choice.ALL, user=cora) for _ in range(2))
    sides = [dict(one.rows.values_list("conversation_id", "split")) for one in (first, second)]
    assert sides[0] == sides[1]
    assert set(sides[0].values()) == {"train", "validation"}
    held = Row.objects.filter(pk__in=sides[0]).values_list("exact_key", "pk")
    assert len({(key, sides[0][pk]) for key, pk in held}) == len({key for key, _ in held})
    assert first.manifest_sha256 == second.manifest_sha256
    page = client_of(cora).get(reverse("version-detail", args=[first.pk]))
    assert page.status_code == 200
