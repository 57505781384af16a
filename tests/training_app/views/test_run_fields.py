"""The settings that the earlier systems had as options: on the form, in the run, and refused."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from tests.training_app.ended_runs import ended_run
from tests.training_app.views.test_runs import filled
from training_app.models import CancelVerb, Run
from training_app.selectors import devices
from training_app.services.runs import cancel_run

SLM = """
max_iters: 500
batch_size: 8
block_size: 64
n_layer: 3
n_head: 2
n_embd: 64
dropout: 0.25
eval_iters: 50
"""


def error_beside(page, field):
    found = re.search(rf'<ul class="errorlist" id="id_{field}_error">(.*?)</ul>', page, re.DOTALL)
    return " ".join(found[1].split()) if found else ""


@pytest.mark.checklist(5, 6, 7, 8, 9, 10, 11, 12, 81, 190)
@pytest.mark.parametrize(
    ("field", "label", "value", "part"),
    [
        ("length", "How long", "500", "train"),
        ("micro_batch", "Batch size", "6", "train"),
        ("context", "Context", "64", "model"),
        ("layers", "Layers", "3", "model"),
        ("heads", "Attention heads", "2", "model"),
        ("hidden_size", "Width", "64", "model"),
        ("dropout", "Dropout", "0.25", "model"),
        ("eval_every", "Evaluate every", "50", "train"),
        ("eval_batches", "Evaluation batches", "9", "train"),
    ],
)
def test_a_setting_is_on_the_form_and_stored_with_the_run(
    field, label, value, part, theo, client_of, version
):
    client = client_of(theo)
    page = client.get(reverse("run-new")).text
    assert re.search(rf'<label for="id_{field}">{label}', page)
    values = filled(version, length_unit="steps", hidden_size=64, heads=2, kv_heads=2)
    client.post(reverse("run-new"), values | {field: value})
    run = Run.objects.get()
    kept = run.spec[part]["steps" if field == "length" else field]
    assert kept == pytest.approx(float(value))
    told = client.get(reverse("run-detail", args=[run.pk])).text
    assert f"<bdi>{value}</bdi>" in told


@pytest.mark.checklist(6)
def test_the_memory_that_a_batch_needs_is_told_before_the_start(theo, client_of, version):
    def needed(batch):
        answer = client_of(theo).post(reverse("run-forecast"), filled(version, micro_batch=batch))
        assert "of memory" in answer.text
        return answer.context["forecast"].memory_bytes

    assert needed(64) > 4 * needed(8)


@pytest.mark.checklist(9)
def test_heads_that_do_not_share_the_width_are_refused_beside_the_field(theo, client_of, version):
    values = filled(version, heads=3, kv_heads=3)
    page = client_of(theo).post(reverse("run-new"), values)
    assert page.status_code == 422
    assert "cannot be shared by 3 heads evenly" in error_beside(page.text, "heads")
    assert not Run.objects.exists()


@pytest.mark.checklist(21)
def test_the_form_says_what_is_other_than_in_its_preset(theo, client_of, version):
    same = client_of(theo).post(reverse("run-forecast"), filled(version, length=1))
    assert "Other than in the preset" not in same.text
    values = filled(version, length=1, hidden_size=256, optimizer="muon")
    told = " ".join(client_of(theo).post(reverse("run-forecast"), values).text.split())
    assert (
        "Other than in the preset Tiny: Width 256 instead of 128; Optimizer muon instead of" in told
    )


@pytest.mark.checklist(9, 20)
def test_settings_go_out_and_in_as_yaml_and_what_cannot_be_is_refused_beside_its_field(
    theo, client_of, version
):
    client = client_of(theo)
    read = client.post(reverse("run-new"), filled(version, settings_text=SLM, read="1"))
    assert read.status_code == 422  # two heads, but four key heads still on the form
    assert "share 4 key heads" in error_beside(read.text, "kv_heads")
    values = {name: read.context["form"][name].value() for name in read.context["form"].fields}
    values = {key: value for key, value in values.items() if value not in (None, False, "")}
    client.post(reverse("run-new"), values | {"kv_heads": 2})
    first = Run.objects.get()
    assert (first.spec["train"]["steps"], first.spec["model"]["heads"]) == (500, 2)
    text = client.get(reverse("run-settings", args=[first.pk])).getvalue().decode()
    again = client.post(reverse("run-new"), filled(version, settings_text=text, read="1"))
    values = {name: again.context["form"][name].value() for name in again.context["form"].fields}
    values = {key: value for key, value in values.items() if value not in (None, False, "")}
    client.post(reverse("run-new"), values | {"idem_key": str(uuid4())})
    assert [run.spec for run in Run.objects.all()] == [first.spec] * 2
    for line, field in (
        ("n_embd: 100", "heads"),
        ("n_layer: 0", "layers"),
        ("batch_size: -4", "micro_batch"),
        ("lr: 0", "learning_rate"),
        ("lr: 10", "learning_rate"),
        ("max_iters: 0", "length"),
        ("max_iters: -5", "length"),
        ("epochs: nonsense", "length"),
        ("optimizer: adafaktor", "optimizer"),
        ("warmup_ratio: 2", "warmup_share"),
    ):
        wrong = client.post(reverse("run-new"), filled(version, settings_text=line, read="1"))
        assert wrong.status_code == 422, line
        assert error_beside(wrong.text, field), line
    split = client.post(
        reverse("run-new"), filled(version, settings_text="train_split: 1.5\nseed: 4", read="1")
    )
    assert "train_split" in split.text  # a version's own; said, not dropped
    assert "a version has its data and its splits" in split.text
    assert Run.objects.count() == 2


@pytest.mark.checklist(194)
def test_the_time_is_estimated_before_the_start(theo, client_of, version):
    told = client_of(theo).post(reverse("run-forecast"), filled(version, length=3)).text
    assert re.search(r"It takes\s+<strong>[^<]*\b3 min[^<]*</strong>", told)
    values = filled(version, length=500, length_unit="steps")
    answer = client_of(theo).post(reverse("run-forecast"), values)
    assert answer.context["forecast"].minutes > 0


@pytest.mark.checklist(79)
def test_less_than_100_000_tokens_is_a_warning_before_a_run_from_nothing(theo, client_of, version):
    told = client_of(theo).post(reverse("run-forecast"), filled(version)).text
    chips = re.findall(r'<p class="notice notice-warn">(.*?)</p>', told)
    assert any("a model from scratch should have 100,000 or more" in chip for chip in chips)
    version.counts["characters"] = 2_000_000
    version.save(update_fields=["counts"])
    told = client_of(theo).post(reverse("run-forecast"), filled(version)).text
    assert "should have 100,000" not in told


@pytest.mark.checklist(336)
def test_the_output_folder_of_another_pipeline_names_the_model(
    theo, client_of, version, redis_server, data_dir
):
    text = "FINETUNE_OUTPUT_DIR=./models/answers\nNUM_TRAIN_EPOCHS=2\n"
    read = client_of(theo).post(reverse("run-new"), filled(version, settings_text=text, read="1"))
    assert read.context["form"]["name"].value() == "answers"
    client_of(theo).post(reverse("run-new"), filled(version, name="answers"))
    assert Run.objects.get().name == "answers"
    cancel_run(Run.objects.get(), verb=CancelVerb.DISCARD, actor=theo)
    run = ended_run(version, theo, name="answers")
    assert (run.model.name, run.model.number) == ("answers", 1)


@pytest.mark.checklist(341)
def test_the_held_out_split_is_measured_by_loss_and_by_answers(
    theo, client_of, version, redis_server, data_dir
):
    run = ended_run(version, theo, loss=2.0, outcomes=("right", "right", "wrong", "abstains"))
    page = " ".join(client_of(theo).get(reverse("run-detail", args=[run.pk])).text.split())
    assert "<dt>validation loss</dt><dd>2.000</dd>" in page
    assert "2 of 4" in page
    card = " ".join(client_of(theo).get(reverse("model-detail", args=[run.model.pk])).text.split())
    assert "<dt>loss on answers</dt><dd>1.100</dd>" in card
    assert "<dd>validation</dd>" in card


@pytest.mark.checklist(191)
def test_going_on_with_a_model_begins_gently_and_says_where_it_comes_from(
    theo, client_of, version, redis_server, data_dir
):
    first = ended_run(version, theo, name="first").model
    client = client_of(theo)
    page = client.get(reverse("model-detail", args=[first.pk])).text
    link = f"{reverse('run-new')}?start_model={first.pk}"
    assert f'href="{link}"' in page
    form = client.get(link).context["form"]
    assert form["learning_rate"].value() == 1e-5
    assert form["start_model"].value() == str(first.pk)
    assert client.get(reverse("run-new")).context["form"]["learning_rate"].value() != 1e-5
    assert client.get(reverse("run-new"), {"start_model": "nonsense"}).status_code == 200
    second = ended_run(version, theo, name="second").model
    type(second).objects.filter(pk=second.pk).update(parent=first)
    assert "It continues" in client.get(reverse("model-detail", args=[second.pk])).text
    assert "Continued by" in client.get(reverse("model-detail", args=[first.pk])).text


@pytest.mark.checklist(78)
def test_little_data_for_many_updates_proposes_fewer_which_one_may_take(theo, client_of, version):
    client = client_of(theo)
    version.counts["characters"] = 200_000
    version.save(update_fields=["counts"])
    values = filled(version, length=20_000, length_unit="steps", name="Mine", dropout=0.1)
    answer = client.post(reverse("run-forecast"), values)
    found = answer.context["forecast"]
    assert "Little data for so many updates" in answer.text
    per_update = 8 * 128
    assert found.proposed_updates == max(100, 10 * found.train_tokens // per_update)
    assert f'name="take" value="{found.proposed_updates}"' in answer.text
    taken = client.post(reverse("run-new"), values | {"take": found.proposed_updates})
    form = taken.context["form"]
    assert (form["length"].value(), form["length_unit"].value()) == (
        str(found.proposed_updates),
        "steps",
    )
    assert (form["name"].value(), form["dropout"].value()) == ("Mine", "0.1")
    assert "Little data for so many" not in taken.text
    assert not Run.objects.exists()
    client.post(reverse("run-new"), values)  # or as it was
    assert Run.objects.get().spec["train"]["steps"] == 20_000
    assert client.post(reverse("run-new"), values | {"take": "x"}).status_code == 422


def options(page, field):
    select = page[page.index(f'id="id_{field}"') :].partition("</select>")[0]
    found = re.findall(r'<option value="(\w+)"([^>]*)>([^<]*)', select)
    return {value: ("disabled" in more, label) for value, more, label in found}


@pytest.mark.checklist(82)
def test_a_precision_that_is_not_here_is_disabled_with_its_reason(theo, client_of, version):
    client = client_of(theo)
    offered = options(client.get(reverse("run-new")).text, "precision")
    assert [value for value, (is_off, _) in offered.items() if not is_off] == [
        "auto",
        "fp32",
        "bf16",
    ]
    assert offered["fp16"][0]
    assert "not here; a CPU is slower in it" in offered["fp16"][1]
    refused = client.post(reverse("run-new"), filled(version, precision="fp16"))
    assert "must be one of auto, fp32, bf16" in error_beside(refused.text, "precision")


@pytest.mark.checklist(111, 179, 416)
def test_the_device_is_chosen_and_a_gpu_is_offered_where_there_is_one(
    theo, client_of, version, monkeypatch, tmp_path
):
    client = client_of(theo)
    monkeypatch.setattr(devices, "_DEVICES", tmp_path)
    assert set(options(client.get(reverse("run-new")).text, "device")) == {"auto", "cpu"}
    refused = client.post(reverse("run-new"), filled(version, device="cuda"))
    assert "Select a valid choice" in error_beside(refused.text, "device")
    client.post(reverse("run-new"), filled(version, device="cpu"))
    assert Run.objects.get().spec["train"]["device"] == "cpu"
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(devices.metadata, "version", lambda _: "2.13.0+cu130")
    assert set(options(client.get(reverse("run-new")).text, "device")) == {"auto", "cpu", "cuda"}
    monkeypatch.setattr(devices.metadata, "version", lambda _: "2.13.0+cpu")
    assert set(options(client.get(reverse("run-new")).text, "device")) == {"auto", "cpu"}


@pytest.mark.checklist(121)
def test_a_size_is_recommended_from_the_data_and_one_click_takes_it(theo, client_of, version):
    client = client_of(theo)
    version.counts["characters"] = 14_000_000
    version.save(update_fields=["counts"])
    values = filled(version, name="Mine", seed=7)
    told = " ".join(client.post(reverse("run-forecast"), values).text.split())
    assert re.search(r"Recommended for your 3\.\d M tokens: \d Llama layers, width \d+,", told)
    assert "text supports about 2.5 for each of its tokens" in told
    taken = client.post(reverse("run-new"), values | {"size": "1"})
    form = taken.context["form"]
    assert (form["name"].value(), form["seed"].value()) == ("Mine", "7")
    assert int(form["hidden_size"].value()) > 128
    assert form["vocab_size"].value() == "8192"
    tokens = form.forecast.train_tokens
    assert 0.4 * tokens < form.forecast.parameters <= 2.5 * tokens
    assert "Use the recommended size" not in taken.text  # it is taken
    assert not Run.objects.exists()
    version.counts["characters"] = 60_000
    version.save(update_fields=["counts"])
    small = client.post(reverse("run-new"), values | {"size": "1"}).context["form"]
    assert (small["layers"].value(), small["hidden_size"].value()) == ("2", "128")
    assert client.post(reverse("run-new"), values | {"size": "1", "layers": "x"}).status_code == 422
