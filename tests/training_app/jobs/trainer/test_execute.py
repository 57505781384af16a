"""What an attempt begins with, and how it bears a database that went away."""

from __future__ import annotations

import pytest
from django.db import connection, connections

from otto_web.lib.work.claims import LostLease
from tests.training_app.conftest import make_version, toy_order
from training_app.jobs.trainer.execute import _check_if_possible, _checkpoints, _start
from training_app.lm.config import RunSpec
from training_app.models import Checkpoint
from training_app.services.attempts import Claim, ProcessIdentity, claim_run
from training_app.services.runs import order_rest, queue_run


def checkpointed(run, *steps, best=None):
    for step in steps:
        Checkpoint.objects.create(
            run=run,
            step=step,
            fence=1,
            path=f"runs/{run.pk}/f1/step-{step}",
            manifest_sha256="0" * 64,
            bytes=1,
            is_best=step == best,
        )
    return run


def test_a_continued_run_still_finds_the_best_state_of_the_first_one(queued_run):
    first = checkpointed(queued_run, 5, 9, 11, best=5)
    Checkpoint.objects.filter(step=11).delete()
    second = checkpointed(queue_run(order_rest(first), created_by=None), 12, 14)
    Checkpoint.objects.filter(step=14).delete()
    third = checkpointed(queue_run(order_rest(second), created_by=None), 20)
    assert [row.step for row in _checkpoints(third)] == [20, 12, 9, 5]


class Notes(list):
    """Stands for the writer as far as notes go."""

    note = list.append


def test_a_continued_run_says_that_it_needs_a_checkpoint(queued_run, data_dir):
    first = checkpointed(queued_run, 5, 9)
    second = queue_run(order_rest(first), created_by=None)
    for run, must_resume in ((first, False), (second, True)):
        notes = Notes()
        start = _start(run, RunSpec.from_json(run.spec), notes)
        assert (list(start.checkpoints), start.must_resume) == ([], must_resume)
        assert notes == [f"The checkpoint at step {n} is damaged and is not used." for n in (9, 5)]


@pytest.mark.django_db(transaction=True)
def test_a_trainer_whose_database_went_away_waits_and_then_proves_its_fence():
    run = queue_run(toy_order(make_version()), created_by=None)
    claim = claim_run(ProcessIdentity("here", 1, 1.0))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    other = connections["default"].copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
    other.close()
    _check_if_possible(claim)  # nothing is known, nothing is lost
    _check_if_possible(claim)
    with pytest.raises(LostLease):
        _check_if_possible(Claim(run.pk, claim.fence + 1, 1))
