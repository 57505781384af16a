"""Method, optimizer, schedule and tokenizer: chosen in the form, told by forecast and run."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.training_app.views.test_runs import filled
from training_app.lm.decays import DECAYS
from training_app.lm.methods.registry import METHODS
from training_app.lm.optimizers.registry import OPTIMIZERS
from training_app.lm.tokenizer_kinds import TOKENIZERS
from training_app.models import Run, TrainedModel


def base_model(run):
    return TrainedModel.objects.create(
        name="Base", number=1, run=run, family="llama", params=9_000, context=32, path="models/base"
    )


@pytest.mark.parametrize(("method", "label"), [("", "all weights"), ("lora", "LoRA")])
def test_a_model_goes_on_learning_by_the_chosen_method(
    method, label, theo, client_of, version, queued_run
):
    base, client = base_model(queued_run), client_of(theo)
    values = filled(version, start_model=str(base.pk), method=method, lora_rank=8, optimizer="muon")
    client.post(reverse("run-new"), values)
    run = Run.objects.latest("created_at")
    assert run.start_model == base
    assert run.spec["method"] == (method or "full")
    assert (run.spec["data"]["tokenizer"], run.spec["train"]["lora_rank"]) == ("own", 8)
    page = client.get(reverse("run-detail", args=[run.pk])).content.decode()
    assert f"<dd>{label} " in page
    assert "Muon" in page


def test_adapters_without_a_model_are_refused_beside_the_field(theo, client_of, version):
    answer = client_of(theo).post(reverse("run-new"), filled(version, method="lora"))
    assert answer.status_code == 422
    assert "needs a model to start from" in str(answer.context["form"].errors["method"])
    assert not Run.objects.exists()


def test_what_the_registries_offer_stands_in_the_form(theo, client_of, version):
    form = client_of(theo).get(reverse("run-new")).context["form"]
    for name, registry in (
        ("optimizer", OPTIMIZERS),
        ("schedule", DECAYS),
        ("tokenizer", TOKENIZERS),
    ):
        assert [value for value, _ in form.fields[name].choices] == list(registry)
    started = [name for name, method in METHODS.items() if method.is_started]
    assert [value for value, _ in form.fields["method"].choices] == started


@pytest.mark.slow
def test_less_is_kept_where_less_is_trained(theo, client_of, version, queued_run):
    base, client = base_model(queued_run), client_of(theo)
    expected = {}
    for method in ("full", "upper_half", "lora"):
        values = filled(version, start_model=str(base.pk), method=method, length_unit="steps")
        page = client.post(reverse("run-forecast"), values | {"length": 100})
        found = page.context["forecast"]
        expected[method] = (found.checkpoint_bytes, found.seconds)
    assert expected["full"] > expected["upper_half"] > expected["lora"]
    assert expected["lora"][1] == pytest.approx(expected["full"][1] * 2 / 3)
