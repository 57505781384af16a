"""A finished run leaves a model under its own number, never in another one's place."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.training_app.conftest import make_version, toy_spec
from training_app.jobs.process_identity import own_identity
from training_app.models import TrainedModel
from training_app.services.attempts import claim_run
from training_app.services.results import RunResult, record_result
from training_app.services.runs import Order, queue_run

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


@pytest.mark.checklist(178)
def test_a_second_model_of_one_name_gets_the_next_number(redis_server):
    version = make_version()
    for number in (1, 2):
        queue_run(Order("support", toy_spec(), version, uuid4()), created_by=None)
        model = record_result(claim_run(own_identity()), run_result(number))
        assert (model.name, model.number, model.path) == ("support", number, f"models/{number}")
    assert TrainedModel.objects.count() == 2
