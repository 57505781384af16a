"""A run's model is measured by the API: on its own splits, or on another version."""

from __future__ import annotations

import uuid

import pytest

from otto_web.lib.work.claims import cancel
from tests.chat_app.makers import make_model
from tests.otto_web.lib.test_api import Api, is_refusal
from tests.training_app.conftest import make_version, toy_spec
from tests.training_app.lm.conftest import Diary
from training_app.jobs import evaluation_orders
from training_app.jobs.evaluate import measure_model
from training_app.jobs.evaluation_orders import evaluate_ordered
from training_app.jobs.trainer.splits import VersionSplit
from training_app.lm.contract import TokenSource
from training_app.lm.driver import train_run
from training_app.models import Evaluation, EvaluationOrder, Run, paths

pytestmark = pytest.mark.django_db(transaction=True)  # a lease is kept by a thread of its own


@pytest.fixture
def measured(version, data_dir, theo):
    """A run that ended with a model, made by its real training."""
    splits = (list(VersionSplit(version, split)) for split in ("train", "validation"))
    work = paths.absolute("models/toy")
    train_run(toy_spec(), TokenSource(*splits, "toy"), work, Diary(work), lambda: None)
    run = Run.objects.create(name="toy", version=version, spec=toy_spec().as_json())
    model = make_model(run=run)
    model.path = "models/toy/model"
    model.save()
    return run


@pytest.mark.slow
def test_a_model_is_measured_on_its_splits_and_on_another_version(
    client, theo, measured, redis_server
):
    api = Api(client, theo)
    where = f"runs/{measured.pk}"
    is_refusal(api("GET", f"{where}/eval"), 404, "DATA_NOT_FOUND")
    told = api("POST", f"{where}/evaluate").json()
    assert (told["split"], told["status"]) == ("validation", "queued")
    evaluate_ordered(told["job_id"])
    assert api("GET", f"{where}/evaluate/{told['job_id']}").json()["status"] == "succeeded"
    newest = api("GET", f"{where}/eval").json()
    assert (newest["split"], newest["version_id"]) == ("validation", str(measured.version_id))
    assert newest["loss"] > 0
    assert newest["perplexity"] > 1
    other = make_version(30)
    other.rows.filter(position__lte=3).update(split="test")
    body = {"split": "test", "path_override": str(other.pk)}
    evaluate_ordered(api("POST", f"{where}/evaluate", body).json()["job_id"])
    newest = api("GET", f"{where}/eval").json()
    assert (newest["split"], newest["version_id"]) == ("test", str(other.pk))
    assert api("GET", f"{where}/evals").json()["total"] == 2
    empty = is_refusal(api("POST", f"{where}/evaluate", {"split": "test"}), 400, "CONFIG_INVALID")
    assert empty["field"] == "split"
    for body, field in [
        ({"split": "train"}, "split"),
        ({"path_override": str(uuid.uuid4())}, "path_override"),
        ({"path_override": "/etc/passwd"}, "path_override"),
    ]:
        refused = is_refusal(api("POST", f"{where}/evaluate", body), 400, "CONFIG_INVALID")
        assert refused["field"] == field
    is_refusal(api("GET", f"{where}/evaluate/{uuid.uuid4()}"), 404, "DATA_NOT_FOUND")


@pytest.mark.slow
def test_an_order_that_is_taken_away_while_it_is_measured_leaves_nothing(
    client, theo, measured, redis_server, monkeypatch
):
    told = Api(client, theo)("POST", f"runs/{measured.pk}/evaluate").json()

    def taken_away(model, version, split):
        found = measure_model(model, version, split)
        cancel(EvaluationOrder.objects.filter(pk=told["job_id"]), "unwanted")
        return found

    monkeypatch.setattr(evaluation_orders, "measure_model", taken_away)
    evaluate_ordered(told["job_id"])
    order = EvaluationOrder.objects.get()
    assert (order.state, order.evaluation, order.reason) == ("cancelled", None, "unwanted")
    assert not Evaluation.objects.exists()
