"""The one core of durable work, shown on a real kind: exports of models."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from django.conf import settings as live_settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from redis import Redis

from otto_web.celery import EXPIRES_SECONDS
from otto_web.jobs import JOBS
from otto_web.lib import hints
from otto_web.lib.work import sweep
from otto_web.lib.work.claims import (
    LostLease,
    claim,
    finish,
    give_back,
    held,
    lose,
    order_anew,
    renew,
)
from otto_web.lib.work.keeper import kept
from otto_web.lib.work.perform import UNEXPECTED, perform
from otto_web.lib.work.rows import INTERRUPTED_OFTEN, Retry, kinds
from otto_web.lib.work.states import State
from tests.chat_app.makers import make_model
from training_app.lm.config import TrainingError
from training_app.models import Export

HOUR = timedelta(hours=1)


@pytest.fixture
def export(db):
    return Export.objects.create(model=make_model(), format="onnx")


def end_lease(row):
    Export.objects.filter(pk=row.pk).update(lease_until=Now() - HOUR)


def test_a_claim_takes_what_waits_and_only_once(export):
    mine = claim(Export, export.pk)
    assert (mine.state, mine.fence, mine.attempts) == (State.RUNNING, 1, 1)
    assert mine.lease_until > timezone.now()
    assert mine.started_at is not None
    assert claim(Export, export.pk) is None


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_many_workers_that_hear_one_hint_one_gets_the_work():
    export = Export.objects.create(model=make_model(), format="onnx")

    def take(_):
        try:
            return claim(Export, export.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as workers:
        taken = [row for row in workers.map(take, range(40)) if row]
    assert [row.fence for row in taken] == [1]


def test_whoever_lost_the_lease_writes_nothing_more(export):
    late = claim(Export, export.pk)
    end_lease(export)
    mine = claim(Export, export.pk)
    for write in (renew, finish, give_back):
        with pytest.raises(LostLease):
            write(late, path="late")
    finish(mine, path="mine")
    with pytest.raises(LostLease):  # what is over stays as it is
        finish(mine, State.FAILED)
    export.refresh_from_db()
    assert (export.state, export.path, export.lease_until) == (State.SUCCEEDED, "mine", None)
    assert export.finished_at is not None


def test_a_lease_that_ended_but_that_nobody_took_can_still_be_renewed(export):
    mine = claim(Export, export.pk)
    end_lease(export)
    renew(mine, figures={"step": 1})
    export.refresh_from_db()
    assert export.lease_until > timezone.now()
    assert export.figures == mine.figures == {"step": 1}


def test_work_whose_worker_dies_each_time_is_not_tried_without_end(export):
    for attempt in range(1, Export.retry.most + 1):
        assert claim(Export, export.pk).attempts == attempt
        end_lease(export)
    assert claim(Export, export.pk) is None
    export.refresh_from_db()
    assert (export.state, export.reason) == (State.FAILED, "worker_lost")
    assert export.message == INTERRUPTED_OFTEN


def test_progress_forgets_the_losses_before_it(export):
    for _ in range(3 * Export.retry.most):
        renew(claim(Export, export.pk), attempts=0)
        end_lease(export)
    assert claim(Export, export.pk) is not None


def test_progress_of_a_transaction_that_came_to_nothing_is_none(export):
    for _ in range(Export.retry.most):
        mine = claim(Export, export.pk)
        with suppress(ZeroDivisionError), transaction.atomic():
            renew(mine, attempts=0)
            1 / 0  # noqa: B018 - what the work dies of each time
        lose(mine, at_once=True)
    export.refresh_from_db()
    assert (export.state, export.reason) == (State.FAILED, "worker_lost")


def test_the_reaper_queues_what_was_left_after_a_pause_that_doubles(export, settings):
    settings.OTTO_BACKOFF_SECONDS = 100
    claim(Export, export.pk)
    end_lease(export)
    sweep.look_after(Export, timezone.now())
    export.refresh_from_db()
    assert export.state == State.QUEUED
    assert timedelta(seconds=90) < export.not_before - timezone.now() < timedelta(seconds=110)
    assert claim(Export, export.pk) is None  # not yet
    assert Export.retry.pause(3) == timedelta(seconds=300)


def test_an_order_from_a_person_begins_anew_and_its_old_holder_loses_it(export):
    old = claim(Export, export.pk)
    order_anew(Export.objects.filter(pk=export.pk), path="")
    with pytest.raises(LostLease):
        renew(old)
    mine = claim(Export, export.pk)
    assert (mine.attempts, mine.fence) == (1, 3)


@pytest.mark.django_db(transaction=True)
def test_progress_that_was_rolled_back_forgets_no_loss(settings, monkeypatch):
    settings.OTTO_BACKOFF_SECONDS = 0
    monkeypatch.setattr(Export, "retry", Retry(after_faults=True))
    export = Export.objects.create(model=make_model(), format="onnx")

    def do(row, lease):
        with transaction.atomic():
            renew(row, attempts=0)
            raise ValueError("always here")

    for _ in range(Export.retry.most):
        with pytest.raises(ValueError, match="always here"):
            attempt(export, do)
    export.refresh_from_db()
    assert (export.state, export.reason) == (State.FAILED, "worker_lost")


@pytest.fixture
def hinted(monkeypatch, redis_server):
    found = []
    monkeypatch.setattr(hints, "hint", lambda job, pk: found.append((job, pk)))
    return found


def test_the_reaper_hints_at_what_waits_for_some_time(export, hinted):
    sweep.look_after_work(timezone.now())
    assert hinted == []  # its own hint is on its way
    sweep.look_after_work(timezone.now() + HOUR)
    assert hinted == [(Export.job, export.pk)]
    claim(Export, export.pk)
    sweep.look_after_work(timezone.now() + HOUR)
    assert len(hinted) == 1


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_hints_that_nobody_hears_do_not_pile_up(redis_server):
    model = make_model()
    Export.objects.bulk_create(
        Export(model=model, format=f"of {number}") for number in range(3 * hints.MOST_UNHEARD)
    )
    for _ in range(10):
        sweep.look_after(Export, timezone.now() + HOUR)
    with Redis.from_url(live_settings.CELERY_BROKER_URL) as broker:
        lying = broker.lrange("otto:short", 0, -1)
    assert len(lying) == hints.MOST_UNHEARD
    ends_at = datetime.fromisoformat(json.loads(lying[0])["headers"]["expires"])
    assert timezone.now() < ends_at < timezone.now() + timedelta(seconds=EXPIRES_SECONDS)


def test_a_kind_that_cannot_be_looked_at_stops_no_other(export, hinted, monkeypatch):
    class Broken:
        __name__ = "Broken"

    monkeypatch.setattr(sweep, "kinds", lambda: [Broken(), Export])
    sweep.look_after_work(timezone.now() + HOUR)
    assert len(hinted) == 1


def test_every_kind_names_a_job_of_the_registry():
    assert {kind.job for kind in kinds()} <= set(JOBS)


@pytest.mark.parametrize(
    "columns",
    [
        {"state": "ready"},
        {"state": "succeeded"},
        {"state": "running"},
        {"finished_at": Now()},
        {"lease_until": Now()},
    ],
)
def test_the_database_refuses_rows_that_contradict_themselves(export, columns):
    with pytest.raises(IntegrityError), transaction.atomic():
        Export.objects.filter(pk=export.pk).update(**columns)


def do_raise(error):
    def do(row, lease):
        raise error

    return do


def attempt(export, do):
    return perform(Export, export.pk, do, refusals=(TrainingError,))


def test_a_refusal_fails_the_work_with_its_sentence(export):
    assert attempt(export, do_raise(TrainingError("It differs.")))
    export.refresh_from_db()
    assert (export.state, export.reason, export.message) == ("failed", "refused", "It differs.")


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (ValueError(), State.FAILED, UNEXPECTED),
        (OperationalError(), State.QUEUED, ""),  # the database is away: that is nobody's end
        (SystemExit(), State.QUEUED, ""),  # the worker was told to go
    ],
)
def test_what_a_worker_dies_of_is_raised_and_noted(export, error, state, message):
    with pytest.raises(type(error)):
        attempt(export, do_raise(error))
    export.refresh_from_db()
    assert (export.state, export.message, export.lease_until) == (state, message, None)


def test_a_worker_that_is_told_to_go_loses_no_try_of_its_work(export):
    for _ in range(Export.retry.most):
        with pytest.raises(SystemExit):
            attempt(export, do_raise(SystemExit()))
    mine = claim(Export, export.pk)
    assert mine.attempts == 1
    renew(mine, attempts=0)
    give_back(mine, counts=False)
    assert claim(Export, export.pk).attempts == 1


def test_work_that_is_taken_away_ends_quietly(export):
    def do(row, lease):
        order_anew(Export.objects.filter(pk=row.pk))
        finish(Export(pk=row.pk, fence=1))

    assert not attempt(export, do)
    export.refresh_from_db()
    assert export.state == State.QUEUED


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_kept_lease_is_renewed_until_the_block_ends(settings):
    settings.OTTO_LEASE_SECONDS = 0.2
    export = Export.objects.create(model=make_model(), format="onnx")
    mine = claim(Export, export.pk)
    with kept(mine):
        wait_until(lambda: held(mine).filter(lease_until__gt=mine.lease_until + HOUR / 3600))
    first = held(mine).get().lease_until
    wait_until(lambda: held(mine).filter(lease_until__lt=Now()))
    assert held(mine).get().lease_until == first


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_work_that_does_not_move_is_let_go(settings):
    settings.OTTO_LEASE_SECONDS = 0.2
    export = Export.objects.create(model=make_model(), format="onnx")
    mine = claim(Export, export.pk)
    with kept(mine, stalled_seconds=0.1) as lease:
        wait_until(lambda: claim(Export, export.pk))
        lease.touch()
    with pytest.raises(LostLease):
        finish(mine)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_lease_renewed_behind_a_long_transaction_begins_when_that_ends(settings):
    settings.OTTO_LEASE_SECONDS = 0.2
    export = Export.objects.create(model=make_model(), format="onnx")
    mine = claim(Export, export.pk)

    def renew_elsewhere():
        try:
            renew(mine)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as keeper:
        with transaction.atomic():
            renew(mine, figures={"step": 1})  # the row is locked from here on
            late = keeper.submit(renew_elsewhere)
            wait_until(lambda: database_says("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            asked = database_says("SELECT clock_timestamp()")
            wait_until(lambda: database_says("SELECT clock_timestamp()") > asked + HOUR / 3600)
            ended = database_says("SELECT clock_timestamp()")
        late.result()
    assert held(mine).get().lease_until > ended


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_work_that_moves_again_before_another_took_it_is_kept(settings):
    settings.OTTO_LEASE_SECONDS = 0.2
    export = Export.objects.create(model=make_model(), format="onnx")
    mine = claim(Export, export.pk)
    with kept(mine, stalled_seconds=1.0) as lease:
        wait_until(lambda: held(mine).filter(lease_until__lt=Now()))
        lease.touch()
        wait_until(lambda: held(mine).filter(lease_until__gt=Now()))
    finish(mine)


def database_says(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def wait_until(is_so, seconds=300):
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)
