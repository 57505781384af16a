"""Every option of the one-click form acts on its own step, and the result shows it."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from datasets_app.corpus.conversation import CorpusError
from otto_web.lib.work.claims import claim, renew
from otto_web.lib.work.states import State
from otto_web.loop.jobs import pipeline_steps
from otto_web.loop.jobs.pipelines import advance
from otto_web.loop.models import Pipeline
from otto_web.loop.services.pipelines import PipelineOrder, Wishes, start_pipeline
from tests.chat_app.makers import make_export, make_model
from tests.datasets_app.makers import add, pair, support_dataset
from tests.training_app.conftest import make_version, toy_order
from training_app.lm.exports.registry import FORMATS
from training_app.models import Export, Run
from training_app.services.exports import order_export
from training_app.services.runs import queue_run

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = {
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "hidden_size": 64,
    "max_position_embeddings": 8192,
    "vocab_size": 300,
}
WISHED = {
    "epochs": "2",
    "batch_size": "3",
    "learning_rate": "0.00005",
    "device": "cpu",
    "max_length": "512",
    "max_tokens": "60",
    "model_name": "Warehouse helper",
    "onnx": "on",
    "opset": "17",
    "verify": "on",
    "force": "We try the way.",
    "alias": "warehouse",
}


def base_model(data_dir, name="small"):
    base = make_model(name)
    folder = data_dir / base.path
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **SIZES}))
    return base


@pytest.mark.checklist(248)
def test_the_form_begins_with_three_epochs_and_four_at_a_time(client_of, theo):
    page = client_of(theo).get(reverse("pipeline-new")).content.decode()
    assert 'name="epochs" value="3"' in page
    assert 'name="batch_size" value="4"' in page
    simple, advanced = page.split("More settings", 1)
    assert 'name="learning_rate"' not in simple
    assert 'name="learning_rate"' in advanced


@pytest.mark.slow
@pytest.mark.checklist(234, 235, 236, 237, 238, 239, 240, 241, 242, 243, 244, 246)
def test_what_the_form_says_is_what_the_run_is_told(client_of, theo, cora, data_dir):
    wanted, dataset = base_model(data_dir), support_dataset(cora)
    base_model(data_dir, "newer")  # which would be taken where none is chosen
    sent = {**WISHED, "dataset": str(dataset.pk), "way": str(wanted.pk)}
    address = client_of(theo).post(reverse("pipeline-new"), sent)["Location"]
    told = Pipeline.objects.get().options
    assert [told[name] for name in ("onnx", "opset", "verify")] == [True, 17, True]
    assert advance(Pipeline.objects.get().pk)
    run = Run.objects.get()
    assert (run.name, run.start_model, run.version.dataset) == ("Warehouse helper", wanted, dataset)
    train, model = run.spec["train"], run.spec["model"]
    assert (train["epochs"], train["steps"], train["minutes"]) == (2, None, None)
    assert (train["micro_batch"], train["learning_rate"], train["device"]) == (3, 5e-5, "cpu")
    assert (model["context"], run.spec["start_from"]) == (512, str(wanted.pk))
    page = client_of(theo).get(address).content.decode()
    assert run.forced_reason in ("", WISHED["force"])  # kept where it was needed
    assert "Write it as ONNX for other tools" in page
    for shown in ("Warehouse helper", "5e-05", "512", "cpu", "small", "17", WISHED["force"]):
        assert shown in page


@pytest.mark.parametrize(
    ("field", "value"),
    [("epochs", "-1"), ("batch_size", "0"), ("learning_rate", "7"), ("max_length", "3"),
     ("max_tokens", "0"), ("device", "tpu"), ("opset", "3"), ("way", "gone")],
)  # fmt: skip
def test_what_no_step_could_be_told_is_said_beside_its_field(field, value, client_of, theo):
    answer = client_of(theo).post(reverse("pipeline-new"), {"alias": "x", field: value})
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Pipeline.objects.exists()


def done(theo, wishes, **order):
    """Return a pipeline whose run is over, as its later steps find it."""
    version = make_version()
    run = queue_run(toy_order(version), created_by=theo)
    Run.objects.update(state=State.RUNNING)
    Run.objects.update(state=State.SUCCEEDED, finished_at=timezone.now())
    model = make_model(f"of {run.pk}", run=Run.objects.get(pk=run.pk))
    make_export(model)
    pipeline = claim(Pipeline, start_pipeline(PipelineOrder(wishes=wishes, **order), by=theo).pk)
    renew(pipeline, run=run, dataset=version.dataset, version=version)
    return pipeline, model


@pytest.mark.checklist(245)
def test_the_longest_reply_holds_for_the_question_and_for_new_chats(redis_server, theo, data_dir):
    pipeline, _ = done(theo, Wishes(max_tokens=60), alias="warehouse")
    pipeline_steps.deploy(pipeline)
    assert pipeline.deployment.params == {"new_tokens": 60}


def built(pk, **changes):
    Export.objects.filter(pk=pk).update(finished_at=timezone.now(), **changes)


@pytest.mark.checklist(237, 242, 243)
def test_the_onnx_has_its_opset_and_says_how_it_compares(redis_server, theo, monkeypatch):
    """That a graph really has its opset, and is refused where it differs, its own test shows."""
    pipeline, model = done(theo, Wishes(onnx=True, opset=17))
    assert "onnx" in pipeline.steps.values_list("name", flat=True)
    figures = {"prompts": 4, "largest_error": 2e-6, "greedy_tokens": 64}
    good = {"state": State.SUCCEEDED, "figures": figures, "parity_max": 2e-6, "path": "x"}
    monkeypatch.setattr(pipeline_steps, "build_portable", lambda pk: built(pk, **good))
    assert pipeline_steps.onnx(pipeline) == (
        "opset 17; verified against PyTorch: the largest difference is 2.0e-06 of the largest"
        " logit, 64 greedy tokens are equal"
    )
    assert Export.objects.get(model=model).opset == 17
    assert order_export(model, "onnx", by=theo).state == State.SUCCEEDED  # as it is, it will do
    again = order_export(model, "onnx", by=theo, opset=15)
    assert (again.state, again.opset) == (State.QUEUED, 15)
    with pytest.raises(Exception, match="The opset 3 is not offered"):
        order_export(model, "onnx", by=theo, opset=3)
    assert FORMATS["onnx"].opsets[0] == 14


@pytest.mark.parametrize("verify", [True, False])
def test_an_onnx_that_differs_stops_the_loop_only_where_that_was_wished(
    verify, redis_server, theo, monkeypatch
):
    pipeline, _ = done(theo, Wishes(onnx=True, verify=verify))
    bad = {"state": State.FAILED, "message": "It differs."}
    monkeypatch.setattr(pipeline_steps, "build_portable", lambda pk: built(pk, **bad))
    if verify:
        with pytest.raises(Exception, match="It differs"):
            pipeline_steps.onnx(pipeline)
    else:
        assert "goes on without it: It differs." in pipeline_steps.onnx(pipeline)


@pytest.mark.slow
@pytest.mark.checklist(246)
def test_a_reason_lets_poor_data_through_and_is_kept(theo, cora, data_dir):
    dataset = support_dataset(cora)
    dataset.conversations.all().delete()
    add(dataset, [pair(f"What about number {n}?", "") for n in range(60)])
    pipeline = claim(Pipeline, start_pipeline(PipelineOrder(dataset), by=theo).pk)
    with pytest.raises(CorpusError, match="quality score"):
        pipeline_steps.check(pipeline)
    renew(pipeline, options={**pipeline.options, "force": "We try the way."})
    assert "trained anyway: We try the way." in pipeline_steps.check(pipeline)
    version = make_version(quality=30.0)
    renew(pipeline, version=version, options={**pipeline.options, "preset": "tiny", "steps": 5})
    with pytest.raises(pipeline_steps.Wait):
        pipeline_steps.train(pipeline)
    assert Run.objects.get().forced_reason == "We try the way."


def test_a_command_refuses_what_it_cannot_do_before_it_begins(
    transactional_db, monkeypatch, process_env
):
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, process_env[name])
    with pytest.raises(CommandError, match="There is no model"):
        call_command("pipeline", "--model-name", "nobody")
    with pytest.raises(CommandError, match="learning rate"):
        call_command("pipeline", "--learning-rate", "7")
    assert not Pipeline.objects.exists()
