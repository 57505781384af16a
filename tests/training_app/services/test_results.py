"""A finished run leaves a model under its own number, never in another one's place."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.training_app.conftest import make_version, toy_spec
from training_app.jobs.process_identity import own_identity
from training_app.jobs.trainer.log import RunLog
from training_app.jobs.trainer.publish import publish
from training_app.lm.contract import TrainedResult
from training_app.models import CancelVerb, Run, TrainedModel, paths
from training_app.services.attempts import claim_run
from training_app.services.recording import CheckpointFacts, record_checkpoint
from training_app.services.results import DiscardedError, RunResult, record_result
from training_app.services.runs import Order, cancel_run, queue_run

pytestmark = pytest.mark.django_db(transaction=True)


def run_result(number):
    return RunResult(
        model_id=uuid4(),
        path=f"models/{number}",
        manifest={"family": "llama", "parameters": 1000, "context": 32, "vocab_size": 300},
        manifest_sha256="0" * 64,
        tokenizer_sha256=str(number) * 64,
        evaluation={},
        samples=(),
        verdict="Good.",
        best_step=1,
    )


def test_a_run_that_is_discarded_while_its_model_is_saved_leaves_no_model(redis_server, data_dir):
    run = queue_run(Order("support", toy_spec(), make_version(), uuid4()), created_by=None)
    claim, work = claim_run(own_identity()), data_dir / "work" / "model"
    work.mkdir(parents=True)
    for name in ("otto.json", "tokenizer.json"):
        (work / name).write_text("{}")
    cancel_run(run, verb=CancelVerb.DISCARD, actor=None)  # the last moment: nobody asks again
    result = TrainedResult("succeeded", 12, work)
    run_log = RunLog(data_dir / "log", run.pk)
    with closing(run_log._file), pytest.raises(DiscardedError):
        publish(run, claim, result, run_log)
    assert not TrainedModel.objects.exists()
    assert list(paths.absolute(paths.MODELS).iterdir()) == []


@pytest.mark.slow
@pytest.mark.checklist(178)
def test_a_second_model_of_one_name_gets_the_next_number(redis_server):
    version = make_version()
    for number in (1, 2):
        queue_run(Order("support", toy_spec(), version, uuid4()), created_by=None)
        model = record_result(claim_run(own_identity()), run_result(number))
        assert (model.name, model.number, model.path) == ("support", number, f"models/{number}")
    assert TrainedModel.objects.count() == 2


@pytest.mark.slow
def test_large_checkpoints_go_when_the_model_is_there(redis_server):
    version = make_version()
    later = queue_run(Order("later", toy_spec(), version, uuid4()), created_by=None)
    later = Run.objects.filter(pk=later.pk)
    later.update(not_before=timezone.now() + timedelta(hours=1))
    for number, (size, is_begun, left) in enumerate([(10, 0, 2), (10**9, 0, 0), (10**9, 1, 1)], 1):
        run = queue_run(Order("support", toy_spec(), version, uuid4()), created_by=None)
        claim = claim_run(own_identity())
        for step in (1, 2):
            facts = CheckpointFacts(step, f"runs/{run.pk}/{step}", "0" * 64, size, 1.0, step == 1)
            record_checkpoint(claim, facts, keep_last=2)
        later.update(start_checkpoint=run.checkpoints.get(step=2) if is_begun else None)
        record_result(claim, run_result(number))
        assert run.checkpoints.count() == left
        told = run.events.filter(kind="checkpoints").values_list("detail", flat=True)
        assert [("2.0 GB" in words) for words in told] == [True] * (left < 2)
