"""The pages of runs: each view's ladder, and what the pages say."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from datasets_app.models import Version
from otto_web.lib.work.states import State
from tests.training_app.conftest import make_version, toy_order
from tests.training_app.ended_runs import ended_run
from training_app.forms import RunForm, model_config_of, preset_values
from training_app.jobs.process_identity import own_identity
from training_app.models import CancelVerb, Checkpoint, Run, RunPoint, Tokenizer, TrainedModel
from training_app.selectors.panel import run_panel
from training_app.selectors.setting_words import SETTINGS
from training_app.services.attempts import claim_run, end_run
from training_app.services.runs import cancel_run, following_name, order_rest, queue_run

SPEED = "train/tokens_per_second"
HTMX = {"HTTP_HX_REQUEST": "true"}
GET_PAGES = ["run-list", "run-new", "model-list"]
RUN_PAGES = ["run-detail", "run-live", "run-points", "run-log", "run-history", "run-record"]
RUN_POSTS = ["run-cancel", "run-again", "run-retry", "run-continue"]


def filled(version, **changes):
    values = preset_values("tiny") | {"version": str(version.pk), "length": 2}
    return {key: value for key, value in (values | changes).items() if value is not None}


@pytest.mark.parametrize("name", GET_PAGES)
def test_a_trainer_opens_a_page_and_htmx_gets_its_fragment(name, theo, client_of, version):
    whole = client_of(theo).get(reverse(name))
    part = client_of(theo).get(reverse(name), **HTMX)
    assert (whole.status_code, part.status_code) == (200, 200)
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert "HX-Request" in whole["Vary"]


@pytest.mark.parametrize("name", RUN_PAGES)
def test_a_trainer_opens_everything_of_a_run(name, theo, client_of, queued_run):
    answer = client_of(theo).get(reverse(name, args=[queued_run.pk]))
    assert answer.status_code == 200
    assert answer.getvalue() is not None  # downloads are read to their end


@pytest.mark.parametrize("name", [*RUN_PAGES, *RUN_POSTS])
def test_a_run_that_is_not_there_is_404(name, theo, client_of):
    client = client_of(theo)
    send = client.post if name in RUN_POSTS else client.get
    assert send(reverse(name, args=[uuid4()])).status_code == 404


@pytest.mark.parametrize("name", [*RUN_PAGES, *RUN_POSTS])
def test_a_curator_is_refused_and_a_visitor_signs_in_first(
    name, cora, client, client_of, queued_run
):
    url = reverse(name, args=[queued_run.pk])
    for visitor, status in ((client_of(cora), 403), (client, 302)):
        send = visitor.post if name in RUN_POSTS else visitor.get
        assert send(url).status_code == status


@pytest.mark.parametrize("name", [*RUN_PAGES, *RUN_POSTS])
def test_the_other_method_is_405(name, theo, client_of, queued_run):
    client = client_of(theo)
    send = client.get if name in RUN_POSTS else client.post
    assert send(reverse(name, args=[queued_run.pk])).status_code == 405


@pytest.mark.checklist(132, 173)
def test_the_form_queues_a_run_and_shows_its_page(theo, client_of, version):
    answer = client_of(theo).post(reverse("run-new"), filled(version, name="First"))
    run = Run.objects.get()
    assert answer.url == reverse("run-detail", args=[run.pk])
    assert (run.name, run.state, run.version_id) == ("First", State.QUEUED, version.pk)


def test_the_same_form_sent_twice_queues_one_run(theo, client_of, version):
    values = filled(version)
    answers = [client_of(theo).post(reverse("run-new"), values) for _ in range(2)]
    assert answers[0].url == answers[1].url
    assert Run.objects.count() == 1


@pytest.mark.checklist(180, 181, 182)
def test_epochs_batch_and_rate_are_kept_exactly_as_given(theo, client_of, version):
    given = {"length": 3, "length_unit": "epochs", "micro_batch": 4, "learning_rate": 5e-5}
    client_of(theo).post(reverse("run-new"), filled(version, **given))
    train = Run.objects.get().spec["train"]
    assert (train["epochs"], train["micro_batch"], train["learning_rate"]) == (3.0, 4, 5e-5)


def test_an_invalid_form_is_422_and_keeps_what_was_typed(theo, client_of, version):
    answer = client_of(theo).post(reverse("run-new"), filled(version, hidden_size=100, name="Mine"))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "must be a multiple of 16" in page
    assert "Mine" in page
    assert not Run.objects.exists()


def test_a_length_of_nothing_is_refused_in_words(theo, client_of, version):
    answer = client_of(theo).post(reverse("run-new"), filled(version, length=0))
    assert answer.status_code == 422
    assert "Say more than nothing: at least 0.001." in answer.text


def test_a_warm_up_as_long_as_the_run_is_refused(theo, client_of, version):
    answer = client_of(theo).post(reverse("run-new"), filled(version, warmup_share=1.0))
    assert answer.status_code == 422


def test_a_file_of_another_system_fills_the_form_and_what_is_left_out_is_listed(
    theo, client_of, version
):
    text = "NUM_TRAIN_EPOCHS=7\nMAX_GRAD_NORM=0.3\nFINETUNE_MODEL_NAME=gone\nODD_THING=1\n"
    values = filled(version, name="Typed", settings_text=text, read="1", dropout="0.25")
    answer = client_of(theo).post(reverse("run-new"), values)
    page = " ".join(answer.text.split())
    form = answer.context["form"]
    names = ("length", "length_unit", "name", "max_grad_norm", "dropout")
    assert [form[name].value() for name in names] == ["7", "epochs", "Typed", "0.3", "0.25"]
    assert "2 settings taken into the form; nothing is queued" in page
    assert "OTTO knows no such setting" in page
    assert "no such folder is here" in page
    assert not Run.objects.exists()
    wrong = client_of(theo).post(reverse("run-new"), values | {"settings_text": "{"})
    assert wrong.status_code == 422
    assert "This is no YAML (line 1)" in wrong.text
    assert 'value="Typed"' in wrong.text


def test_the_settings_of_a_run_go_out_and_make_the_same_run_again(theo, client_of, version):
    client = client_of(theo)
    client.post(reverse("run-new"), filled(version, dropout=0.15, learning_rate=7e-4, length=3))
    first = Run.objects.get()
    text = client.get(reverse("run-settings", args=[first.pk])).getvalue().decode()
    assert text.startswith(f"# Settings of the run {first.name!r}")
    read = client.post(reverse("run-new"), filled(version, settings_text=text, read="1"))
    form = read.context["form"]
    values = {name: form[name].value() for name in form.fields}
    given = {key: value for key, value in values.items() if value not in (None, False, "")}
    client.post(reverse("run-new"), given | {"idem_key": str(uuid4())})
    assert [run.spec for run in Run.objects.all()] == [first.spec] * 2


NUMBERS = [
    name
    for name, setting in SETTINGS.items()
    if not setting.choices and name != "tie_word_embeddings"
]


@pytest.mark.slow
@pytest.mark.parametrize("value", ["Infinity", "-Infinity", "NaN", "1e999", "9" * 400, "-1", "0x1"])
def test_no_number_of_the_form_is_more_than_a_sentence(value, theo, client_of, version):
    for changes in ({"length": value}, dict.fromkeys(NUMBERS, value)):
        answer = client_of(theo).post(reverse("run-new"), filled(version, **changes))
        assert answer.status_code == 422
        assert set(answer.context["form"].errors) & set(changes)
    assert not Run.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run-new", "run-forecast"])
def test_a_rate_of_one_is_refused_beside_its_field_and_before_the_start(
    name, theo, client_of, version
):
    page = client_of(theo).post(reverse(name), filled(version, learning_rate=1.0)).content.decode()
    assert "the loss would break in the first updates" in page
    assert "Ready to train" not in page
    assert not Run.objects.exists()


def test_an_unusual_setting_is_said_before_the_start(theo, client_of, version):
    values = filled(version, weight_decay=0.9)
    page = client_of(theo).post(reverse("run-forecast"), values).content.decode()
    assert "A weight decay of 0.9 is unusual (0 to 0.3 is usual)" in page
    assert "Ready to train" not in page


@pytest.mark.checklist(183)
def test_quality_below_50_needs_a_reason_and_keeps_it(theo, client_of):
    poor, client = make_version(quality=41.0), client_of(theo)
    refused = client.post(reverse("run-new"), filled(poor))
    assert refused.status_code == 422
    assert "below 50" in refused.content.decode()
    client.post(reverse("run-new"), filled(poor, forced="on", forced_reason="a drill"))
    assert Run.objects.get().forced_reason == "a drill"


@pytest.mark.checklist(184)
def test_quality_below_70_warns_before_the_start(theo, client_of):
    answer = client_of(theo).post(reverse("run-forecast"), filled(make_version(quality=64.0)))
    assert "quality score of this version is 64 of 100" in answer.content.decode()


def test_three_conversations_are_refused_with_a_sentence(theo, client_of):
    answer = client_of(theo).post(reverse("run-new"), filled(make_version(4, validation=1)))
    assert answer.status_code == 422
    assert "3 conversations are too few" in answer.content.decode()


def test_an_empty_validation_split_is_refused_with_a_sentence(theo, client_of):
    answer = client_of(theo).post(reverse("run-new"), filled(make_version(30, validation=0)))
    assert "no validation split" in answer.content.decode()


def test_a_vocabulary_larger_than_the_data_is_adjusted_with_a_sentence(theo, client_of, version):
    answer = client_of(theo).post(reverse("run-forecast"), filled(version, vocab_size=30_000))
    assert "entries instead of 30,000" in answer.content.decode()


def test_without_a_version_the_page_says_to_freeze_one(theo, client_of):
    assert "Freeze a version first" in client_of(theo).get(reverse("run-new")).content.decode()


def chosen(client, values, preset, **headers):
    return client.post(reverse("run-new"), values | {"choose": preset}, **headers)


def test_a_preset_changes_only_what_presets_are_about_and_says_what(theo, client_of, version):
    older = make_version()
    values = filled(older, name="Mine", dropout="0.1", seed="7", learning_rate="5e-4", forced="on")
    answer = chosen(client_of(theo), values | {"system_prompt": "Be kind."}, "production")
    assert (answer.status_code, Run.objects.count()) == (200, 0)
    form, page = answer.context["form"], answer.content.decode()
    kept = {"version": str(older.pk), "name": "Mine", "dropout": "0.1", "seed": "7", "forced": "on"}
    kept |= {"system_prompt": "Be kind.", "idem_key": str(values["idem_key"])}
    assert {name: str(form[name].value()) for name in kept} == kept
    production = preset_values("production")
    for name in (
        "family",
        "layers",
        "hidden_size",
        "context",
        "learning_rate",
        "length",
        "length_unit",
    ):
        assert form[name].value() == production[name]
    assert "Learning rate 0.0005 → 0.0006" in page
    assert "Width 128 → 384" in page
    assert "Dropout 0.1 →" not in page
    assert "Everything else is as you had it" in page


def test_a_preset_keeps_what_cannot_be_used_yet(theo, client_of, version):
    page = chosen(client_of(theo), {"dropout": "lots", "version": "no"}, "chat").content.decode()
    assert 'value="lots"' in page


def test_the_preset_that_the_form_shows_changes_nothing_and_says_so(theo, client_of, version):
    page = chosen(client_of(theo), filled(version, length=1), "tiny").content.decode()
    assert "Tiny changed nothing" in page


def test_a_preset_that_does_not_exist_is_404(theo, client_of, version):
    assert chosen(client_of(theo), filled(version), "huge").status_code == 404


def test_presets_stand_by_their_minutes(theo, client_of, version):
    presets = client_of(theo).get(reverse("run-new")).context["presets"]
    groups = [
        [one.train.minutes or 0 for _, one in presets if one.is_started is started]
        for started in (True, False)
    ]
    assert all(minutes == sorted(minutes) and minutes for minutes in groups)
    assert [one.is_started for _, one in presets] == [True] * len(groups[0]) + [False] * len(
        groups[1]
    )


def test_a_preset_that_goes_on_brings_a_base_along_and_takes_it_away_again(
    theo, client_of, version
):
    sizes = {"family": "llama", "params": 1000, "context": 512, "path": "models/base"}
    base = TrainedModel.objects.create(name="base", number=1, manifest_sha256="0" * 64, **sizes)
    client = client_of(theo)
    form = chosen(client, filled(version), "quick").context["form"]
    assert form["start_model"].value() == str(base.pk)
    assert (form["sources"].value(), form["method"].value()) == (3, "full")
    opened = client.get(reverse("run-new"), {"version": version.pk}).context["form"]
    assert opened["start_model"].value() == str(base.pk)  # a base knows more than nothing
    assert opened["preset"].value() == "quick"
    wanted = client.get(reverse("run-new"), {"preset": "chat"}).context["form"]
    assert not wanted["start_model"].value()
    Version.objects.filter(pk=version.pk).update(counts=version.counts | {"passages": 24})
    of_texts = client.get(reverse("run-new")).context["form"]  # a base would learn to answer
    assert (of_texts["preset"].value(), of_texts["start_model"].value()) == ("chat", None)
    again = {**filled(version), "preset": "quick", "start_model": str(base.pk)}
    form = chosen(client, again, "tiny").context["form"]
    assert form["start_model"].value() == ""
    assert form["sources"].value() == 0


@pytest.mark.checklist(83, 84)
@pytest.mark.parametrize(
    ("preset", "shape"), [("test", (4, 4, 256, 64)), ("production", (6, 6, 384, 128))]
)
def test_the_earlier_presets_fill_the_form(preset, shape, theo, client_of, version):
    page = client_of(theo).get(reverse("run-new"), {"preset": preset}).context["form"]
    names = ("layers", "heads", "hidden_size", "context")
    assert tuple(page[name].value() for name in names) == shape


@pytest.mark.checklist(92, 189)
def test_the_advanced_part_shows_optimiser_seed_and_checkpoint_policy(theo, client_of, version):
    page = client_of(theo).get(reverse("run-new")).content.decode()
    wanted = (
        "weight_decay",
        "max_grad_norm",
        "tie_word_embeddings",
        "seed",
        "checkpoint_every",
        "keep_last",
    )
    assert all(f'name="{name}"' in page for name in wanted)


@pytest.mark.checklist(85, 86)
def test_the_forecast_shows_updates_and_draws_the_rate(theo, client_of, version):
    values = filled(version, length=100, length_unit="steps", accumulation=3)
    answer = client_of(theo).post(reverse("run-forecast"), values)
    assert answer.context["forecast"].tokens == 100 * 8 * 3 * 128
    page = client_of(theo).post(reverse("run-new"), values | {"estimate": "1"})
    assert page.status_code == 200
    assert "Learning rate over 100 updates" in page.content.decode()


def test_the_list_costs_the_same_queries_however_many_runs(
    theo, client_of, version, django_assert_max_num_queries
):
    client = client_of(theo)
    for _ in range(3):
        queue_run(toy_order(version), created_by=theo)
    with django_assert_max_num_queries(15):
        client.get(reverse("run-list"))
    for _ in range(9):
        queue_run(toy_order(version), created_by=theo)
    with django_assert_max_num_queries(15):
        client.get(reverse("run-list"))


@pytest.mark.usefixtures("redis_server", "data_dir")
def test_the_page_names_causes_and_leads_to_the_next_step(theo, version, client_of):
    def page(run):
        return " ".join(client_of(theo).get(reverse("run-detail", args=[run.pk])).text.split())

    over = page(ended_run(version, theo, curve=(6.0, 2.0, 2.4, 2.9), outcomes=("wrong",) * 4))
    assert "Too little data: about" in over
    assert "From update 8 on" in over
    assert f"{reverse('run-new')}?version={version.pk}" in over
    broken = queue_run(toy_order(version), created_by=theo)
    end_run(claim_run(own_identity()), State.FAILED, reason="diverged", message="It broke.")
    assert "Start again from the best checkpoint with a tenth of the learning rate" in page(broken)
    assert 'id="run-findings"' not in page(queue_run(toy_order(version), created_by=theo))


def test_stopping_a_queued_run_cancels_it_at_once(theo, client_of, queued_run):
    client_of(theo).post(reverse("run-cancel", args=[queued_run.pk]), {"verb": "keep"})
    queued_run.refresh_from_db()
    assert queued_run.state == State.CANCELLED


def test_a_stop_without_a_verb_changes_nothing(theo, client_of, queued_run):
    client_of(theo).post(reverse("run-cancel", args=[queued_run.pk]))
    queued_run.refresh_from_db()
    assert queued_run.cancel_requested_at is None


def test_run_again_queues_the_same_settings_once_per_key(theo, client_of, queued_run):
    cancel_run(queued_run, verb=CancelVerb.KEEP, actor=theo)
    key = {"idem_key": str(uuid4())}
    for _ in range(2):
        client_of(theo).post(reverse("run-again", args=[queued_run.pk]), key)
    (child,) = queued_run.children.all()
    assert child.spec == queued_run.spec


@pytest.mark.checklist(194)
def test_a_continued_run_has_its_total_from_the_start_and_a_name_of_its_own(
    theo, client_of, queued_run
):
    cancel_run(queued_run, verb=CancelVerb.KEEP, actor=theo)
    steps = {"decided": {"steps": 1234, "threads": 1}, "total_steps": 1234}
    Run.objects.filter(pk=queued_run.pk).update(**steps)
    checkpoint(queued_run, 600)
    RunPoint.objects.bulk_create(
        RunPoint(
            run=queued_run,
            name="train/tokens_per_second",
            step=step,
            value=500.0,
            seq=step,
            fence=0,
        )
        for step in range(590, 601)
    )
    client = client_of(theo)
    client.post(reverse("run-continue", args=[queued_run.pk]))
    child = queued_run.children.get()
    assert (child.total_steps, child.last_step, child.name) == (1234, 600, "toy, continued")
    page = client.get(reverse("run-detail", args=[child.pk])).content.decode()
    assert "600 / 1,234" in page
    assert 'value="0.4862"' in page
    assert "<dt>left</dt>" in page


def test_names_of_what_goes_on_tell_runs_apart_and_fit():
    assert following_name("X", "continued") == "X, continued"
    assert following_name("X, continued", "continued") == "X, continued 2"
    assert following_name("X, continued 9", "continued") == "X, continued 10"
    assert following_name("X, continued", "gentler") == "X, continued, gentler"
    assert len(following_name("x" * 200, "continued")) == 200


def test_continue_without_a_checkpoint_says_so(theo, client_of, queued_run):
    cancel_run(queued_run, verb=CancelVerb.KEEP, actor=theo)
    url = reverse("run-continue", args=[queued_run.pk])
    answer = client_of(theo).post(url, follow=True)
    assert "left no checkpoint" in answer.content.decode()


def test_retry_divides_the_rate_by_ten_and_goes_on_from_the_best_state(theo, client_of, queued_run):
    best, _ = (checkpoint(queued_run, step, is_best=step == 4) for step in (4, 6))
    client_of(theo).post(reverse("run-retry", args=[queued_run.pk]))
    child = queued_run.children.get()
    before = queued_run.spec["train"]["learning_rate"]
    assert child.spec["train"]["learning_rate"] == pytest.approx(before / 10)
    assert child.start_checkpoint == best


@pytest.mark.slow
def test_retry_of_a_run_that_went_on_begins_with_the_best_state_before_it(
    theo, client_of, queued_run
):
    best, newest = (checkpoint(queued_run, step, is_best=step == 4) for step in (4, 6))
    second = queue_run(order_rest(queued_run), created_by=theo)
    assert second.start_checkpoint == newest
    third = queue_run(order_rest(queued_run), created_by=theo)
    Run.objects.filter(pk=third.pk).update(start_checkpoint=checkpoint(second, 8))
    third.refresh_from_db()
    for run in (second, third):  # both broke before they had a state of their own
        client = client_of(theo)
        page = client.post(reverse("run-retry", args=[run.pk]), follow=True).content.decode()
        assert run.children.get().start_checkpoint == best
        assert "It goes on from step 4." in page


def test_a_continued_run_is_of_the_real_vocabulary_and_is_named_after_its_real_size(
    theo, client_of, queued_run, version
):
    known = Tokenizer.objects.create(vocab_size=300, path="x", sha256="0" * 64, version=version)
    model = TrainedModel.objects.create(
        name="toy", number=1, run=queued_run, tokenizer=known, params=1, context=32,
        path="models/none",
    )  # fmt: skip
    assert model_config_of(model, context=32).vocab_size == 300  # the run had wished for 512
    form = RunForm(theo, filled(version, tokenizer="byte", vocab_size=8192))
    assert form.is_valid(), form.errors
    assert form.forecast.vocab_size < 300
    assert form.order().name.endswith(f" {form.forecast.parameters / 1e6:.1f}M")
    run = queue_run(form.order(), created_by=theo)
    Run.objects.filter(pk=run.pk).update(last_step=10)
    tokens = version.counts["characters"] * version.counts["splits"]["train"] / 24
    panel = run_panel(run.pk)
    assert panel.passes == pytest.approx(10 * panel.tokens_per_update / tokens, rel=0.01)
    panel.run.decided = {"train_tokens": 20 * panel.tokens_per_update}  # known answers count, too
    assert panel.passes == 0.5


@pytest.mark.parametrize("action", ["run-again", "run-retry", "run-continue"])
def test_a_form_of_a_run_that_is_sent_twice_queues_one_run(action, queued_run, theo, client_of):
    Run.objects.filter(pk=queued_run.pk).update(state="running")
    over = {"state": "failed", "reason": "diverged", "finished_at": timezone.now()}
    Run.objects.filter(pk=queued_run.pk).update(**over)
    checkpoint(queued_run, 4, is_best=True)
    client, url = client_of(theo), reverse(action, args=[queued_run.pk])
    page = client.get(reverse("run-detail", args=[queued_run.pk])).content.decode()
    form = page[page.index(f'action="{url}"') :].partition("</form>")[0]
    sent = dict(re.findall(r'name="(\w+)" value="([^"]+)"', form))
    for _ in range(2):
        client.post(url, sent)
    assert queued_run.children.count() == 1


def checkpoint(run, step, *, is_best=False):
    folder = f"runs/{run.pk}/f1/step-{step}"
    return Checkpoint.objects.create(
        run=run, step=step, fence=1, path=folder, manifest_sha256="0", bytes=1, is_best=is_best
    )


@pytest.mark.slow
@pytest.mark.parametrize("action", ["run-again", "run-retry", "run-continue"])
def test_no_action_leads_past_the_gate_of_a_version(action, queued_run, theo, client_of):
    checkpoint(queued_run, 4, is_best=True)
    Version.objects.update(quality_score=0.3)
    page = client_of(theo).post(reverse(action, args=[queued_run.pk]), follow=True)
    assert "30 of 100, below 50" in page.content.decode()
    Version.objects.update(state="queued", finished_at=None)
    page = client_of(theo).post(reverse(action, args=[queued_run.pk]), follow=True)
    assert "not frozen yet" in page.content.decode()
    assert Run.objects.get() == queued_run
