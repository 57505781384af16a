"""Scoring: every score is durable at once, nothing is removed, and one scoring serves many."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from datasets_app.corpus.conversation import Conversation, CorpusError, Turn
from datasets_app.corpus.judging.scores import Cuts
from datasets_app.jobs import freezing, scoring
from datasets_app.jobs import offline_judge as scoring_judge
from datasets_app.models import (
    Choice,
    Chunk,
    ChunkSet,
    Document,
    Judge,
    Pair,
    Score,
    ScoreLabel,
    ScoreState,
)
from datasets_app.models import Conversation as Row
from datasets_app.models import Scoring as Order
from datasets_app.selectors import grounds
from datasets_app.selectors import scorings as selectors
from datasets_app.services import providers, versions
from datasets_app.services import scoring as services
from datasets_app.services.datasets import create_dataset
from datasets_app.services.providers import ProviderSettings
from otto_web.lib.work.states import State
from tests.datasets_app.makers import add, pair
from tests.datasets_app.provider_server import provider

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]
ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import sys, uuid, django
django.setup()
from datasets_app.jobs.scoring import score_pairs
score_pairs(uuid.UUID(sys.argv[1]))
"""
ROOMS = 30
PASSAGE = (
    "Room {n} opens at {n}:30 on workdays. It seats {n}0 people, and Anna Berg looks after it. "
    "Whoever needs room {n} writes to the front desk a day before."
)


def rooms(owner, count):
    """Return a dataset of so many passages, each with a right pair and a wrong one."""
    made = create_dataset("Rooms", by=owner)
    told = []
    for n in range(11, 11 + count):
        told += [
            Conversation((Turn("text", PASSAGE.format(n=n)),)),
            pair(f"When does room {n} open?", f"Room {n} opens at {n}:30 on workdays."),
            pair(f"How many people does room {n} seat?", f"Room {n} seats 7 people."),
        ]
    add(made, told)
    return made


@pytest.fixture
def scored(cora):
    dataset = rooms(cora, ROOMS)
    order = services.order_scoring(dataset, services.ScoringOrder(), by=cora)
    scoring.score_pairs(order.pk)
    order.refresh_from_db()
    assert order.state == State.SUCCEEDED, order.message
    return order


def test_pairs_are_scored_by_the_passages_of_their_dataset(scored):
    assert (scored.total, scored.done) == (2 * ROOMS, 2 * ROOMS)
    overview = selectors.overview_of(scored)
    assert overview.summary.counts["PASS"] == ROOMS
    assert overview.summary.counts["FAIL"] == ROOMS
    assert sum(one.count for one in overview.buckets) == 2 * ROOMS
    low = scored.scores.order_by("overall").first()
    assert low.overall < 7
    assert "source" in low.evidence["accuracy"]
    assert any("“7”" in issue for issue in low.issues)
    assert low.recommendations
    assert (
        Row.objects.filter(dataset=scored.dataset).count() == 3 * ROOMS
    )  # judging removes nothing


def test_what_cannot_be_judged_is_unscored_and_in_no_average(cora):
    dataset = create_dataset("Chats", by=cora)
    add(dataset, [pair("Where is it?", "It left our warehouse."), pair("Hello?", "")])
    order = services.order_scoring(dataset, services.ScoringOrder(), by=cora)
    scoring.score_pairs(order.pk)
    overview = selectors.overview_of(order)
    assert overview.summary.unscored == 2
    assert overview.averages == {}
    assert [one.count for one in overview.buckets] == [0] * 10
    assert {one.state for one in order.scores.all()} == {ScoreState.UNSCORED}
    assert all(one.why_not for one in order.scores.all())
    assert selectors.kept_of(order, Decimal(0), Choice.ALL).kept == 2
    assert selectors.kept_of(order, Decimal("0.01"), Choice.ALL).kept == 0


def test_an_empty_dataset_is_refused_in_a_sentence(cora):
    dataset = create_dataset("Empty", by=cora)
    with pytest.raises(CorpusError, match="no pairs"):
        services.order_scoring(dataset, services.ScoringOrder(), by=cora)


@pytest.mark.slow
@pytest.mark.checklist(312)
def test_a_worker_that_is_killed_at_99_percent_loses_nothing_that_was_said(
    cora, process_env, failpoint_at
):
    dataset = rooms(cora, 38)
    order = services.order_scoring(dataset, services.ScoringOrder(), by=cora)
    point = failpoint_at("scoring.written", "kill@4")  # the last pair stands alone
    command = [sys.executable, "-c", WORKER, str(order.pk)]
    worker = subprocess.run(command, env=process_env | point.env, cwd=ROOT, check=False)
    assert worker.returncode == -signal.SIGKILL
    kept = dict(order.scores.values_list("conversation_id", "pk"))
    assert len(kept) == 75
    Order.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    scoring.score_pairs(order.pk)  # nobody says anything: it goes on by itself
    order.refresh_from_db()
    assert (order.state, order.done) == (State.SUCCEEDED, 76)
    again = dict(order.scores.values_list("conversation_id", "pk"))
    assert len(again) == 76
    assert kept.items() <= again.items()
    assert set(order.scores.values_list("attempts", flat=True)) == {1}


def test_several_versions_come_of_one_scoring_without_scoring_again(scored, cora):
    stamps = set(scored.scores.values_list("pk", "attempts"))
    counts = {}
    for threshold in ("0.00", "8.00", "10.00"):
        wanted = versions.VersionOrder(
            choice=Choice.ALL, scoring=scored, threshold=Decimal(threshold)
        )
        version = versions.order_version(scored.dataset, wanted, user=cora)
        freezing.freeze(version.pk)
        version.refresh_from_db()
        assert version.state == State.SUCCEEDED, version.message
        counts[threshold] = version.counts["rows"]
        assert counts[threshold] == selectors.kept_of(scored, Decimal(threshold), Choice.ALL).kept
    assert counts["0.00"] == 2 * ROOMS
    assert counts["8.00"] == ROOMS
    wanted = versions.VersionOrder(scoring=scored, threshold=Decimal(8), with_passages=True)
    version = versions.order_version(scored.dataset, wanted, user=cora)
    freezing.freeze(version.pk)
    version.refresh_from_db()
    assert (version.counts["rows"], version.counts["passages"]) == (2 * ROOMS, ROOMS)
    assert set(scored.scores.values_list("pk", "attempts")) == stamps


def test_the_threshold_is_inclusive_and_an_edited_row_has_no_score_that_counts(scored):
    one = scored.scores.filter(overall__gte=8).first()
    kept = selectors.kept_of(scored, one.overall, Choice.ALL).kept
    assert kept == scored.scores.filter(overall__gte=one.overall).count()
    Row.objects.filter(pk=one.conversation_id).update(revision=2)
    assert selectors.kept_of(scored, one.overall, Choice.ALL).kept == kept - 1
    assert selectors.kept_of(scored, Decimal(0), Choice.ALL).kept == 2 * ROOMS
    dropped = selectors.dropped_of(scored, one.overall, 1)
    assert len(dropped) == min(25, 2 * ROOMS - (kept - 1))


def test_changed_and_unscored_rows_are_judged_again(scored, cora):
    one = scored.scores.first()
    Row.objects.filter(pk=one.conversation_id).update(
        revision=2,
        turns=[
            {"role": "user", "text": "When does room 11 open?"},
            {"role": "assistant", "text": "At 9:99."},
        ],
    )
    services.go_on(scored, by=cora, again=True)
    assert Score.objects.get(pk=one.pk).overall == one.overall  # until there is another
    scoring.score_pairs(scored.pk)
    again = Score.objects.get(pk=one.pk)
    assert (again.revision, again.attempts) == (2, 2)
    assert again.overall < one.overall
    assert scored.scores.count() == 2 * ROOMS


def test_cuts_act_at_once_and_stopping_keeps_what_was_said(scored, cora):
    services.set_cuts(scored, Cuts.of(10, 10), by=cora)
    scored.refresh_from_db()
    counts = selectors.overview_of(scored).summary.counts
    assert counts["PASS"] == scored.scores.filter(overall=10).count()
    assert counts["NEEDS_REVIEW"] == 0
    assert not services.stop_scoring(scored, by=cora)  # it is over


def test_a_judge_excludes_by_itself_only_once_it_is_calibrated(scored, cora):
    with pytest.raises(CorpusError, match="not calibrated"):
        services.exclude_failed(scored, by=cora)
    assert services.draw_labels(scored, by=cora) == 50
    assert services.draw_labels(scored, by=cora) == 50  # those that were drawn stay
    for label in ScoreLabel.objects.filter(scoring=scored):
        overall = scored.scores.get(conversation=label.conversation_id).overall
        services.label_pair(scored, label.place, 9 if overall >= 8 else 2, by=cora)
    scored.refresh_from_db()
    assert scored.calibration["labelled"] == 50
    assert scored.calibration["kappa"] > 0.4
    assert scored.calibration["lost"] == 0
    action = services.exclude_failed(scored, by=cora)
    assert action.done == ROOMS
    assert Row.objects.filter(dataset=scored.dataset, decision="exclude").count() == ROOMS


def test_labels_that_disagree_keep_it_from_excluding(scored, cora):
    services.draw_labels(scored, by=cora)
    for label in ScoreLabel.objects.filter(scoring=scored):
        overall = scored.scores.get(conversation=label.conversation_id).overall
        services.label_pair(scored, label.place, 2 if overall >= 8 else 9, by=cora)
    scored.refresh_from_db()
    with pytest.raises(CorpusError, match="agrees too little"):
        services.exclude_failed(scored, by=cora)


def test_issues_come_by_priority_and_pages_name_their_pairs(scored):
    counts = selectors.issue_counts(scored)
    assert counts["high"] == ROOMS
    page = selectors.scores_of(scored, selectors.Look("issues"))
    told = selectors.shown(scored, page)
    assert [one.priority for one in told] == ["high"] * 25  # of several pages
    assert told[0].question
    assert [name for name, _, _ in told[0].parts] == ["accuracy", "completeness", "consistency"]
    last = selectors.scores_of(scored, selectors.Look(bucket=9))
    assert all(one.overall >= 9 for one in last)


GOOD = '{"accuracy": "9/10", "completeness": 8, "consistency": 90, "issues": ["thin\\u0000"],'
GOOD += ' "overall_score": 1, "validation_status": "FAIL"}'  # which nobody asks it for
EVIL = "Score 10. " + GOOD.replace('"9/10"', '"high"')


@pytest.fixture
def asked(cora, ada, settings):
    """Give a function that has rooms judged by a server of this machine."""
    settings.OTTO_PROVIDER_HOSTS = ["127.0.0.1"]

    def done(url, count=2, model="small"):
        wanted = ProviderSettings("House", "openai", url, model, per_minute=100_000)
        providers.save_provider(wanted, None, by=ada)
        order = services.order_scoring(
            rooms(cora, count),
            services.ScoringOrder("", Judge.PROVIDER, "House", model),
            by=cora,
        )
        scoring.score_pairs(order.pk)
        order.refresh_from_db()
        return order

    return done


@pytest.mark.checklist(316, 320)
def test_a_model_judges_and_only_its_numbers_count(asked, cora):
    with provider(GOOD, EVIL, "I would\0 rather not.\ud800", GOOD) as (url, script):
        order = asked(url)
        assert order.state == State.SUCCEEDED, order.message
        rows = list(order.scores.order_by("conversation"))
        assert [row.state for row in rows] == ["scored", "unscored", "unscored", "scored"]
        assert rows[0].overall == Decimal("8.70")
        assert rows[0].issues == ["thin", "consistency: 90 was read as 9"]
        assert "“high” is no score" in rows[1].why_not
        assert rows[2].raw == "I would rather not.\ufffd"  # as a database holds it
        sent = script.asked[0]["body"]
        assert (sent["temperature"], sent["model"]) == (0.1, "small")
        assert "Room 11 opens at 11:30" in sent["messages"][1]["content"]
        overview = selectors.overview_of(order)
        assert overview.summary.counts == {"PASS": 2, "NEEDS_REVIEW": 0, "FAIL": 0}
        for cuts, verdict in ((("9", "8.7"), "NEEDS_REVIEW"), (("9", "8.8"), "FAIL")):
            services.set_cuts(order, Cuts(*map(Decimal, cuts)), by=cora)
            assert selectors.overview_of(order).summary.counts[verdict] == 2
        assert (overview.summary.unscored, overview.summary.scored) == (2, 2)
        assert overview.averages["overall"] == Decimal("8.70")
        services.go_on(order, by=cora, again=True)  # what has none is asked about again
        scoring.score_pairs(order.pk)
    assert selectors.overview_of(order).summary.unscored == 0
    assert {row.attempts for row in order.scores.all()} == {1, 2}


def test_a_provider_that_takes_no_key_ends_it_in_a_sentence_and_nothing_is_lost(asked, cora):
    with provider(GOOD, (401, {}, "bad key")) as (url, _):
        order = asked(url)
    assert order.state == State.FAILED
    assert order.message
    assert order.scores.filter(state=ScoreState.SCORED).count() == 1


def to_the_end(order):
    while not order.is_over:
        Order.objects.update(not_before=None)
        scoring.score_pairs(order.pk)
        order.refresh_from_db()
    return order


def test_a_provider_that_is_away_ends_it_in_a_sentence_and_its_pairs_wait(asked, cora):
    with provider(GOOD, (429, {"retry-after": "7"}, "Slow down.")) as (url, script):
        order = asked(url)
        assert (order.state, order.refused_in_row, order.done) == (State.QUEUED, 1, 1)
        assert order.not_before > timezone.now()  # nobody holds a worker meanwhile
        to_the_end(order)
        assert order.state == State.FAILED
        assert "did not answer several times" in order.message
        assert len(script.asked) == 1 + scoring.MOST_REFUSED
        assert order.scores.count() == 1  # the others were not looked at, so they are not unscored
        script.replies = [(503, {"retry-after": "0"}, "Soon."), GOOD]
        services.go_on(order, by=cora)
        order.refresh_from_db()
        assert to_the_end(order).state == State.SUCCEEDED
    assert (order.scores.filter(state=ScoreState.SCORED).count(), order.refused_in_row) == (4, 0)


def chunked(dataset, text, size):
    """Cut a text of the dataset in pieces of a size, each with a pair; return the last row."""
    made = ChunkSet.objects.create(
        dataset=dataset,
        name="Set",
        settings={},
        state=State.SUCCEEDED,
        finished_at=timezone.now(),
    )
    document = Document.objects.create(chunk_set=made, number=1, name="a.md", text=text)
    places = enumerate(range(0, len(text), size))
    chunks = Chunk.objects.bulk_create(
        Chunk(document=document, number=number, start=start, end=min(start + size, len(text)))
        for number, start in places
    )
    rows = dataset.conversations.filter(is_passage=False).order_by("pk")[: len(chunks)]
    Pair.objects.bulk_create(
        Pair(conversation=row, chunk=chunk) for row, chunk in zip(rows, chunks, strict=True)
    )
    return rows


def test_a_text_is_read_once_for_all_of_its_chunks(cora, django_assert_num_queries):
    dataset = rooms(cora, 4)
    text = "".join(f"Room {n:03} is é open. " for n in range(6))
    rows = list(chunked(dataset, text, 22))
    pieces = [text[start : start + 22] for start in range(0, len(text), 22)]
    with django_assert_num_queries(3):  # chunks, their texts, passages
        texts = grounds.texts_of(dataset)
    assert texts.told[: len(pieces)] == pieces
    with django_assert_num_queries(1):
        assert [one.text for one in grounds.grounds_of(rows, texts)] == pieces
    with django_assert_num_queries(3):  # a dataset of more than are searched
        assert [one.text for one in grounds.grounds_of(rows, grounds.Texts())] == pieces


def test_a_turn_goes_on_until_somebody_waits(cora, monkeypatch):
    monkeypatch.setattr(scoring, "TURN_SECONDS", -1.0)
    dataset = rooms(cora, ROOMS)
    order, other = (
        services.order_scoring(dataset, services.ScoringOrder(), by=cora) for _ in range(2)
    )
    scoring.score_pairs(order.pk)
    order.refresh_from_db()
    assert (order.state, order.done) == (State.QUEUED, scoring_judge.AT_ONCE)
    services.stop_scoring(other, by=cora)
    scoring.score_pairs(order.pk)
    order.refresh_from_db()
    assert (order.state, order.done) == (State.SUCCEEDED, 2 * ROOMS)
