"""What the reaper does for runs."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from datasets_app.models import KnownTokenizer
from otto_web.celery import app
from otto_web.lib.models import ProcessBeat, ProcessKind, ProcessState
from otto_web.lib.work.states import State
from tests.chat_app.makers import make_model
from tests.training_app.conftest import make_version, toy_order
from tests.waiting import somebody_waits_for_a_lock, until
from training_app import sweeps
from training_app.jobs.heartbeat import Heartbeat
from training_app.models import CancelVerb, Checkpoint, Run, RunLease, TrainedModel, paths
from training_app.services.attempts import ProcessIdentity, claim_run
from training_app.services.folders import stray_models, stray_pieces
from training_app.services.runs import cancel_run, queue_run

HERE = ProcessIdentity("here", 1, 1.0)


@pytest.fixture
def hints(monkeypatch, redis_server, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr(app.tasks["training.supervise_run"], "delay", lambda *ids: sent.append(ids))
    monkeypatch.setattr(sweeps, "_hinted_at", float("-inf"))

    def after(sweep, now):
        with django_capture_on_commit_callbacks(execute=True):
            sweep(now)
        return sent

    return after


def worker(state):
    return ProcessBeat.objects.create(
        kind=ProcessKind.TRAIN,
        host=socket.gethostname(),
        pid=4,
        pid_started_at=1.0,
        state=state,
        seen_at=timezone.now(),
    )


def later(seconds):
    return timezone.now() + timedelta(seconds=seconds)


def test_a_live_lease_is_left_alone_and_an_expired_one_is_not(queued_run):
    claim_run(HERE)
    sweeps.release_expired(timezone.now())
    queued_run.refresh_from_db()
    assert queued_run.state == State.RUNNING
    sweeps.release_expired(later(60))
    queued_run.refresh_from_db()
    assert (queued_run.state, queued_run.no_progress_deaths) == (State.QUEUED, 1)


@pytest.mark.django_db(transaction=True)
def test_a_lease_that_is_renewed_while_the_reaper_waits_for_the_row_is_left_alone(theo):
    run = queue_run(toy_order(make_version()), created_by=theo)
    heartbeat = Heartbeat(claim_run(HERE))
    RunLease.objects.update(expires_at=later(-1))

    def sweep():
        try:
            sweeps.release_expired(timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as reaper:
        with transaction.atomic():
            Run.objects.select_for_update().get(pk=run.pk)
            done = reaper.submit(sweep)
            until(somebody_waits_for_a_lock)
            assert heartbeat.beat() is not None
        done.result()
    heartbeat.stop()
    run.refresh_from_db()
    assert (run.state, run.no_progress_deaths) == (State.RUNNING, 0)


def test_a_cancel_without_a_live_lease_is_fulfilled(queued_run):
    claim_run(HERE)
    cancel_run(queued_run, verb=CancelVerb.KEEP, actor=None)
    sweeps.release_expired(later(60))
    queued_run.refresh_from_db()
    assert queued_run.state == State.CANCELLED


def test_a_trainer_that_makes_no_step_loses_its_run(queued_run):
    claim_run(HERE)
    Run.objects.filter(pk=queued_run.pk).update(phase="training")
    RunLease.objects.update(progress_at=timezone.now() - timedelta(minutes=6), expires_at=later(60))
    sweeps.release_hanging(timezone.now())
    queued_run.refresh_from_db()
    assert queued_run.state == State.QUEUED
    assert "no step for 6 minutes" in queued_run.message


def test_a_long_evaluation_is_not_taken_for_a_hang(queued_run):
    claim_run(HERE)
    slow = {"seconds_per_update": 20.0}  # 24 batches are looked at: eight minutes at most
    Run.objects.filter(pk=queued_run.pk).update(phase="training", decided=slow)
    RunLease.objects.update(progress_at=timezone.now() - timedelta(minutes=6), expires_at=later(60))
    sweeps.release_hanging(timezone.now())
    queued_run.refresh_from_db()
    assert queued_run.state == State.RUNNING


def test_an_unclaimed_run_is_hinted_again_but_not_while_every_worker_is_busy(queued_run, hints):
    assert hints(sweeps.hint_queued, timezone.now()) == []
    busy = worker(ProcessState.BUSY)
    assert hints(sweeps.hint_queued, later(1.2)) == []
    busy.delete()
    assert hints(sweeps.hint_queued, later(30)) == [(str(queued_run.pk),)]


def drained(idle, seconds):
    """Say whether the worker is asked to leave by a look at this time."""
    sweeps.drain_deaf_workers(later(seconds))
    idle.refresh_from_db()
    return idle.drain


def test_a_worker_that_idles_beside_a_waiting_run_is_asked_to_leave(queued_run):
    idle = worker(ProcessState.IDLE)
    assert not drained(idle, 0)  # the run has come this moment
    long_ago = timezone.now() - timedelta(minutes=5)
    Run.objects.filter(pk=queued_run.pk).update(created_at=long_ago, not_before=long_ago)
    assert not drained(idle, 1)  # the run waited long for a worker that was busy until now
    ProcessBeat.objects.filter(pk=idle.pk).update(state=ProcessState.BUSY)
    assert not drained(idle, 10)
    ProcessBeat.objects.filter(pk=idle.pk).update(state=ProcessState.IDLE)
    assert not drained(idle, 11)  # it ended one run, and the next one is not begun yet
    assert drained(idle, 30)


@pytest.mark.django_db
def test_documents_may_be_cut_by_the_tokens_of_models_that_are_here():
    model = make_model(number=7)
    sweeps.offer_tokenizers(timezone.now())
    sweeps.offer_tokenizers(timezone.now())
    found = KnownTokenizer.objects.get()
    assert (found.pk, found.name, found.path) == (model.pk, str(model), model.path)
    TrainedModel.objects.update(state="deleted")
    sweeps.offer_tokenizers(timezone.now())
    assert not KnownTokenizer.objects.exists()


def test_old_pieces_go_and_what_rows_name_stays(queued_run, data_dir):
    claim = claim_run(HERE)
    old, new = (paths.attempt_folder(queued_run.pk, fence) for fence in (0, claim.fence))
    for folder in (old / "step-5", old / "step-9", old / "work", new / "work"):
        folder.mkdir(parents=True)
    (old / "logs.jsonl").touch()
    stray = paths.run_folder("3f0e7c1e-0000-4000-8000-000000000000")
    stray.mkdir()
    Checkpoint.objects.create(
        run=queued_run,
        step=5,
        fence=0,
        path=paths.relative(old / "step-5"),
        manifest_sha256="0" * 64,
        bytes=1,
    )
    assert set(stray_pieces()) == {old / "step-9", old / "work", stray}


def test_a_model_folder_without_a_row_goes_after_an_hour(db, data_dir):
    folder = data_dir / "models" / "3f0e7c1e-0000-4000-8000-000000000000"
    folder.mkdir(parents=True)
    assert list(stray_models(timezone.now())) == []
    assert list(stray_models(later(7200))) == [folder]


def test_two_runs_of_one_name_wait_in_order(version, theo):
    first = queue_run(toy_order(version), created_by=theo)
    queue_run(toy_order(version), created_by=theo)
    assert claim_run(HERE).run_id == first.pk
