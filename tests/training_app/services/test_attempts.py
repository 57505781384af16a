"""The state machine: claims, fences, releases, and the trigger behind them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otto_web.lib.work.claims import LostLease
from otto_web.lib.work.states import OVER, State
from tests.training_app.conftest import make_version, toy_order
from training_app.models import RUN_STATES, CancelVerb, Checkpoint, Run, RunEvent
from training_app.models.reasons import Reason
from training_app.services.attempts import (
    MOST_FULL_DISKS,
    Claim,
    ProcessIdentity,
    claim_run,
    end_run,
    release_run,
)
from training_app.services.recording import record_points
from training_app.services.run_events import take_numbers
from training_app.services.runs import cancel_run, queue_run

HERE = ProcessIdentity("here", 1, 1.0)
MOVES = {
    ("queued", "running"),
    ("queued", "cancelled"),
    ("running", "queued"),
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "cancelled"),
}


@pytest.fixture
def running(queued_run, django_capture_on_commit_callbacks):
    return claimed(queued_run)


def claimed(run):
    claim = claim_run(HERE)
    assert claim.run_id == run.pk
    return claim


def force_state(run, state):
    """Bring a run to a state by legal moves."""
    over = timezone.now() if state in OVER else None
    if state != State.QUEUED:
        Run.objects.filter(pk=run.pk).update(state=State.RUNNING)
    Run.objects.filter(pk=run.pk).update(state=state, finished_at=over)


@pytest.mark.parametrize("old", RUN_STATES)
@pytest.mark.parametrize("new", State.values)
def test_the_database_refuses_every_move_that_is_not_in_the_table(old, new, queued_run):
    force_state(queued_run, old)
    over = timezone.now() if new in OVER else None
    move = partial(Run.objects.filter(pk=queued_run.pk).update, state=new, finished_at=over)
    if old == new or (old, new) in MOVES:
        assert move() == 1
        return
    with pytest.raises(IntegrityError), transaction.atomic():
        move()


def test_a_run_begins_queued_and_its_numbers_only_grow(queued_run):
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=queued_run.pk).update(seq=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        Run(
            name="x",
            version=queued_run.version,
            spec={},
            state=State.RUNNING,
        ).save()


def test_events_are_never_changed(queued_run):
    with pytest.raises(IntegrityError), transaction.atomic():
        RunEvent.objects.filter(run=queued_run).update(detail="other")


def test_a_claim_raises_the_fence_and_opens_one_attempt(running, queued_run):
    queued_run.refresh_from_db()
    assert (queued_run.state, queued_run.fence, queued_run.attempts) == ("running", 1, 1)
    assert queued_run.lease.fence == 1
    assert queued_run.attempt_rows.get(ended_at=None).fence == 1
    assert claim_run(HERE) is None


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_twenty_workers_claim_one_run_once(theo):
    queue_run(toy_order(make_version()), created_by=theo)

    def claim(_):
        try:
            return claim_run(HERE)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as workers:
        claims = [found for found in workers.map(claim, range(20)) if found]
    assert len(claims) == 1


def kept_checkpoint(run):
    path = {"path": f"runs/{run.pk}/f1/step-4", "manifest_sha256": "0" * 64}
    return Checkpoint.objects.create(run=run, step=4, fence=1, bytes=1, **path)


@pytest.mark.parametrize("is_between", [False, True], ids=["while it trains", "between attempts"])
def test_a_run_that_is_stopped_and_kept_waits_for_the_attempt_that_makes_its_model(
    is_between, running, queued_run
):
    kept_checkpoint(queued_run)
    if is_between:
        release_run(running, "its trainer died", backs_off=True)
    state = cancel_run(queued_run, verb=CancelVerb.KEEP, actor=None)
    if not is_between:
        state = release_run(running, "its trainer died", backs_off=False)
    assert state == State.QUEUED
    again = claimed(queued_run)
    cancel_run(queued_run, verb=CancelVerb.DISCARD, actor=None)
    assert release_run(again, "its trainer died") == State.CANCELLED
    assert not queued_run.checkpoints.exists()


def test_a_stopped_run_without_a_checkpoint_has_nothing_to_wait_for(running, queued_run):
    release_run(running, "its trainer died")
    assert cancel_run(queued_run, verb=CancelVerb.KEEP, actor=None) == State.CANCELLED


def test_what_was_discarded_in_one_tab_is_not_kept_by_another(running, queued_run, theo, client_of):
    kept_checkpoint(queued_run)
    url, client = reverse("run-cancel", args=[queued_run.pk]), client_of(theo)
    client.post(url, {"verb": "discard"})
    page = client.post(url, {"verb": "keep"}, follow=True).content.decode()
    assert "keeps nothing" in page
    assert "becomes a model" not in page
    queued_run.refresh_from_db()
    assert queued_run.cancel_verb == CancelVerb.DISCARD


def test_the_queue_is_fair_between_people(version, theo, ada):
    first, second = (queue_run(toy_order(version), created_by=theo) for _ in range(2))
    assert claim_run(HERE).run_id == first.pk
    hers = queue_run(toy_order(version), created_by=ada)
    assert claim_run(HERE).run_id == hers.pk
    assert claim_run(HERE).run_id == second.pk


def test_an_attempt_that_lost_the_fence_cannot_finish_the_run(running):
    stale = Claim(running.run_id, running.fence - 1, 1)
    assert not end_run(stale, State.FAILED)
    assert end_run(running, State.FAILED, reason="data", message="why")
    assert not end_run(running, State.FAILED)


def test_an_attempt_that_lost_the_fence_writes_no_point(running):
    release_run(running, "gone", backs_off=False)
    with pytest.raises(LostLease):
        record_points(running, [("train/loss", 1, 1.0)])


def test_a_released_run_waits_longer_each_time_and_fails_at_the_third_death(running, queued_run):
    claim, waits = running, []
    for _ in range(2):
        assert release_run(claim, "crashed") == State.QUEUED
        queued_run.refresh_from_db()
        waits.append(queued_run.not_before - timezone.now())
        Run.objects.filter(pk=queued_run.pk).update(not_before=timezone.now())
        claim = claimed(queued_run)
    assert waits[1] > waits[0]
    assert release_run(claim, "crashed") == State.FAILED
    queued_run.refresh_from_db()
    assert queued_run.reason == "crash_loop"


def test_a_run_that_waits_is_not_claimed_before_its_time(running, queued_run):
    release_run(running, "crashed")
    Run.objects.filter(pk=queued_run.pk).update(not_before=timezone.now() + timedelta(minutes=1))
    assert claim_run(HERE) is None


@pytest.mark.slow
def test_a_full_disk_is_waited_for_and_at_last_the_reason(running, queued_run):
    claim, waits = running, []
    for _ in range(MOST_FULL_DISKS - 1):
        assert release_run(claim, "the disk is full", lacks=Reason.DISK) == State.QUEUED
        queued_run.refresh_from_db()
        assert queued_run.reason == "disk"
        waits.append((queued_run.not_before - timezone.now()).total_seconds())
        Run.objects.filter(pk=queued_run.pk).update(not_before=timezone.now())
        claim = claimed(queued_run)
    assert max(waits) > 60
    assert release_run(claim, "the disk is full", lacks=Reason.DISK) == State.FAILED
    queued_run.refresh_from_db()
    assert (queued_run.reason, "Free some space" in queued_run.message) == ("disk", True)


@pytest.mark.checklist(193)
def test_two_deaths_for_memory_end_the_run_with_advice(running, queued_run, theo, client_of):
    release_run(running, "killed", lacks=Reason.OOM, backs_off=False)
    Run.objects.filter(pk=queued_run.pk).update(not_before=timezone.now())
    assert release_run(claimed(queued_run), "killed", lacks=Reason.OOM) == State.FAILED
    queued_run.refresh_from_db()
    assert queued_run.reason == "oom"
    assert "micro-batch" in queued_run.message
    page = client_of(theo).get(reverse("run-detail", args=[queued_run.pk]))
    assert (page.status_code, queued_run.message in page.text) == (200, True)


def test_a_discarded_run_whose_worker_died_is_cancelled_not_queued(running, queued_run):
    kept_checkpoint(queued_run)
    assert cancel_run(queued_run, verb=CancelVerb.DISCARD, actor=None) == State.RUNNING
    assert release_run(running, "its lease ended") == State.CANCELLED
    assert not queued_run.checkpoints.exists()


@pytest.mark.parametrize("state", [state for state in RUN_STATES if state in OVER])
def test_cancelling_a_run_that_is_over_changes_nothing(state, queued_run):
    force_state(queued_run, state)
    assert cancel_run(queued_run, verb=CancelVerb.KEEP, actor=None) == state
    assert queued_run.events.count() == 1


@pytest.mark.slow
@pytest.mark.checklist(403)
@pytest.mark.django_db(transaction=True)
def test_a_hundred_simultaneous_orders_make_a_hundred_runs(theo):
    version = make_version()

    def order(_):
        try:
            return queue_run(toy_order(version), created_by=theo).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(25) as people:
        made = list(people.map(order, range(100)))
    assert len(set(made)) == Run.objects.count() == 100


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_fifty_clicks_on_one_form_make_one_run(theo):
    one = toy_order(make_version())

    def click(_):
        try:
            return queue_run(one, created_by=theo).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(25) as clicks:
        assert len(set(clicks.map(click, range(50)))) == 1
    assert RunEvent.objects.filter(kind="queued").count() == 1


def test_one_idem_key_of_two_people_is_two_runs(version, theo, ada):
    order = toy_order(version)
    assert queue_run(order, created_by=theo).pk != queue_run(order, created_by=ada).pk


def test_numbers_are_never_given_twice(queued_run):
    first = take_numbers(queued_run.pk, 5)
    assert take_numbers(queued_run.pk, 1) == first + 5
    with pytest.raises(LostLease):
        take_numbers(uuid4(), 1)


ACTIONS = st.lists(
    st.sampled_from(["claim", "die", "cancel", "finish", "stale finish"]), max_size=9
)


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(actions=ACTIONS)
def test_any_order_of_happenings_ends_at_most_once(actions, version):
    with transaction.atomic():
        run = queue_run(toy_order(version), created_by=None)
        claim = None
        for action in actions:
            if action == "claim":
                found = claim_run.__wrapped__(HERE)  # its transaction is ours here
                claim = found or claim
            elif action == "cancel":
                cancel_run(run, verb=CancelVerb.KEEP, actor=None)
            elif claim is not None and action == "die":
                release_run(claim, "crashed", backs_off=False)
            elif claim is not None and action == "finish":
                end_run(claim, State.SUCCEEDED)
            elif claim is not None:
                assert not end_run(Claim(run.pk, claim.fence + 7, 1), State.SUCCEEDED)
            Run.objects.filter(pk=run.pk, state="queued").update(not_before=timezone.now())
        run.refresh_from_db()
        ends = run.events.filter(to_state__in=OVER)
        assert ends.count() == int(run.is_over)
        assert run.attempt_rows.filter(ended_at=None).count() == int(run.state == State.RUNNING)
        transaction.set_rollback(True)
