"""What a run survives: real processes, killed and stopped at the worst moments."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psutil
import pytest
from django.db import connection
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from otto_web.lib.beat import host_name
from otto_web.lib.files import sha256_of
from otto_web.lib.models import ProcessBeat
from otto_web.lib.revision import code_commit
from otto_web.lib.work.states import State
from tests.training_app.conftest import make_version, toy_order
from tests.waiting import until
from training_app.jobs import supervise
from training_app.jobs.child import Trainer
from training_app.jobs.exit_reason import DISK_TAKES_NOTHING
from training_app.jobs.exits import Exit
from training_app.jobs.process_identity import own_identity
from training_app.lm.folder import open_model, verify_model
from training_app.models import CancelVerb, Run, RunPoint, TrainedModel, paths
from training_app.services.attempts import MOST_FULL_DISKS, Claim, claim_run, release_run
from training_app.services.runs import cancel_run, order_rest, queue_run
from training_app.sweeps import release_expired

pytestmark = pytest.mark.slow
LONG = {"steps": 240, "checkpoint_every": 10, "eval_every": 40}
SHORT = LONG | {"steps": 80}


@pytest.fixture
def at_checkpoint(failpoint_at, process_env):
    """Give a function that arms the n-th checkpoint of the next trainer."""

    def armed(action):
        point = failpoint_at("trainer.checkpointed", action)
        process_env.update(point.env)
        return point

    return armed


def state_of(run):
    return Run.objects.get(pk=run.pk).state


def reached(run, step):
    return lambda: Run.objects.get(pk=run.pk).last_step >= step


def finish(supervisor, run):
    """Let fresh supervisors take the run until it is over."""
    for _ in range(4):
        supervisor().wait(300)
        if Run.objects.get(pk=run.pk).is_over:
            break
        until(Run.objects.claimable().exists)
    run.refresh_from_db()
    assert run.state == State.SUCCEEDED, (run.state, run.message)


def curve(run):
    names = ["train/loss", "train/rate", "train/gradient_norm", "validation/loss"]
    rows = RunPoint.objects.filter(run=run, name__in=names)
    return sorted(rows.values_list("name", "step", "value"))


def weights_sha256(run):
    return sha256_of(paths.absolute(run.model.path) / "model.safetensors")


def queue(**train):
    return queue_run(toy_order(make_version(), **train), created_by=None)


@pytest.mark.checklist(5, 88, 95, 188, 190, 339, 391, 397, 398, 400, 401, 402)
def test_a_run_leaves_a_model_that_is_complete_and_opens(supervisor, process_env, client_of, theo):
    run = queue()
    finish(supervisor, run)
    assert (run.last_step, run.total_steps) == (12, 12)
    page = " ".join(client_of(theo).get(reverse("run-detail", args=[run.pk])).text.split())
    assert "<dt>step</dt> <dd> 12 / 12 </dd>" in page
    folder = paths.absolute(run.model.path)
    manifest = verify_model(folder)
    assert {"model.safetensors", "config.json", "tokenizer.json", "logs.jsonl"} <= set(
        manifest["files"]
    )
    assert manifest["run"] == str(run.pk)
    assert open_model(folder)[0].num_parameters() == run.model.params
    lines = [json.loads(line) for line in (folder / "logs.jsonl").read_text().splitlines()]
    assert all({"ts", "level", "event", "run", "step", "loss"} <= set(line) for line in lines)
    evaluation = run.model.evaluations.get()
    assert evaluation.perplexity > 1
    assert evaluation.samples.exists()
    machine = dict(run.points.filter(name__startswith="machine/").values_list("name", "value"))
    assert machine["machine/memory_bytes"] > 50e6
    assert machine["machine/cores"] >= 0
    assert machine["machine/disk_free_bytes"] > 0
    best = run.checkpoints.get(is_best=True)
    validation = RunPoint.objects.filter(run=run, name="validation/loss", step__gt=0)
    assert best.validation_loss == min(validation.values_list("value", flat=True))
    assert (paths.absolute(best.path) / "model.safetensors").is_file()

    record = client_of(theo).get(reverse("run-record", args=[run.pk])).getvalue()
    check_record(json.loads(record), run, manifest, client_of(theo))


def check_record(record, run, manifest, client):
    """Look at every field that a run's manifest has to have."""
    told = "run_id model_family model_size epochs batch_size max_seq_len steps loss learning_rate"
    told += " tokenizer_id optimizer seed tokenizer_sha256 spec_sha256 threads precision"
    assert all(record[name] is not None for name in told.split()), record
    assert {"torch", "transformers", "tokenizers", "datasets"} <= set(record["versions"])
    wanted = {"cpu_count", "platform", "platform_release", "machine", "cpu_capability"}
    assert wanted <= set(record["system"])
    assert record["git_commit"] == manifest["git_commit"] == code_commit()
    assert record["corpus"]["manifest_sha256"] == run.version.manifest_sha256
    weights = next(one for one in record["files"] if one["name"] == "model.safetensors")
    assert weights["sha256"] == weights_sha256(run)
    assert record["evaluation"]["perplexity"] > 1
    assert record["training_complete"] == {
        "model_name": str(run.model),
        "model_type": "llama",
        "training_completed": True,
        "total_prompts": 20,
        "final_model_path": run.model.path,
    }
    for name in ("run-log", "model-download", "model-detail"):
        assert client.get(record["links"][name]).status_code == 200


def stop_and_continue(supervisor, version, place, heard):
    """Return a run that went on, as another run, where a person had stopped one."""
    stopped = queue_run(toy_order(version, **LONG), created_by=None)
    process = supervisor()
    place.reached()
    cancel_run(stopped, verb=CancelVerb.KEEP, actor=None)
    heard.reached()
    heard.release()
    place.release()
    process.wait(300)
    stopped.refresh_from_db()
    rest = queue_run(order_rest(stopped), created_by=None)
    finish(supervisor, rest)
    return rest


@pytest.mark.checklist(87, 93, 393, 399)
def test_a_killed_trainer_resumes_to_the_same_curve_and_the_same_weights(
    supervisor, process_env, at_checkpoint
):
    untouched = queue(**SHORT)
    finish(supervisor, untouched)
    twin = queue_run(toy_order(untouched.version, **SHORT), created_by=None)
    at_checkpoint("kill@5")
    supervisor().wait(300)
    assert Run.objects.get(pk=twin.pk).attempts == 1
    finish(supervisor, twin)
    assert twin.attempts == 2
    assert (
        twin.attempt_rows.order_by("fence").first().exit_reason
        == "the trainer was ended by SIGKILL"
    )
    assert not twin.events.filter(kind="nondeterministic").exists()
    assert curve(twin) == curve(untouched)
    assert weights_sha256(twin) == weights_sha256(untouched)


@pytest.mark.chaos
@pytest.mark.checklist(87, 93)
def test_a_run_that_was_stopped_goes_on_as_another_to_the_same_curve_and_weights(
    supervisor, process_env, at_checkpoint, failpoint_at
):
    untouched = queue(**LONG)
    finish(supervisor, untouched)
    place, heard = at_checkpoint("hold@5"), failpoint_at("trainer.asked_to_stop", "hold")
    process_env.update(heard.env)
    rest = stop_and_continue(supervisor, untouched.version, place, heard)
    assert curve(rest) == curve(untouched)
    assert weights_sha256(rest) == weights_sha256(untouched)


@pytest.mark.chaos
@pytest.mark.checklist(393, 395)
def test_a_killed_supervisor_takes_its_trainer_along_and_the_run_goes_on(
    supervisor, process_env, at_checkpoint
):
    run = queue(**LONG)
    place = at_checkpoint("hold@3")
    process = supervisor()
    trainer = psutil.Process(place.reached())
    process.kill()
    process.wait()
    gone, _ = psutil.wait_procs([trainer], timeout=300)
    assert gone
    assert state_of(run) == State.RUNNING
    finish(supervisor, run)  # the fast path: a worker that starts on the same host
    assert run.attempts == 2


@pytest.mark.chaos
def test_a_run_whose_worker_died_is_still_stopped_and_kept(supervisor, process_env, at_checkpoint):
    run = queue(**LONG)
    place = at_checkpoint("hold@3")
    process = supervisor()
    trainer = psutil.Process(place.reached())
    process.kill()
    process.wait()
    gone, _ = psutil.wait_procs([trainer], timeout=300)
    assert gone
    assert cancel_run(run, verb=CancelVerb.KEEP, actor=None) == State.RUNNING
    supervisor().wait(300)
    run.refresh_from_db()
    assert (run.state, run.attempts, run.last_step) == (State.CANCELLED, 2, 30), run.message
    assert run.message.startswith("Stopped by hand after 30 updates.")
    assert verify_model(paths.absolute(run.model.path))["run"] == str(run.pk)
    assert run.has_model


@pytest.mark.chaos
def test_a_host_that_never_comes_back_loses_its_run_to_the_reaper(
    supervisor, process_env, at_checkpoint
):
    run = queue(**LONG)
    place = at_checkpoint("hold@3")
    process = supervisor()
    place.reached()
    process.kill()
    process.wait()
    assert state_of(run) == State.RUNNING
    release_expired(timezone.now() + timedelta(seconds=10))
    run.refresh_from_db()
    assert (run.state, run.attempt_rows.filter(ended_at=None).count()) == (State.QUEUED, 0)
    finish(supervisor, run)


@pytest.mark.chaos
def test_a_trainer_that_slept_through_its_lease_writes_nothing_and_exits_75(
    supervisor, process_env, in_process_env, at_checkpoint, monkeypatch
):
    run = queue(**LONG)
    claim = claim_run(own_identity())
    place = at_checkpoint("stop@3")
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)
    trainer = Trainer(claim)
    until(lambda: trainer.send({"beat": 0}) or place.is_reached)
    place.reached()
    release_run(claim, "its lease ended without a beat", backs_off=False)
    finish(supervisor, run)
    before = list(RunPoint.objects.filter(run=run).order_by("seq").values_list())
    files = sorted(paths.attempt_folder(run.pk, claim.fence).rglob("*.safetensors"))
    place.release()
    assert trainer.end(300) == Exit.FENCE_LOST
    assert list(RunPoint.objects.filter(run=run).order_by("seq").values_list()) == before
    assert sorted(paths.attempt_folder(run.pk, claim.fence).rglob("*.safetensors")) == files
    assert TrainedModel.objects.filter(run=run).count() == 1
    assert run.events.filter(to_state__in=["succeeded", "failed", "cancelled"]).count() == 1


@pytest.mark.chaos
def test_a_run_that_finds_the_disk_full_waits_and_ends_well_when_there_is_room(
    supervisor, process_env
):
    run = queue()
    process_env["OTTO_DISK_RESERVE_BYTES"] = str(10**18)
    supervisor().wait(120)
    run.refresh_from_db()
    assert (run.state, run.reason, run.message) == (State.QUEUED, "disk", DISK_TAKES_NOTHING)
    del process_env["OTTO_DISK_RESERVE_BYTES"]
    Run.objects.filter(pk=run.pk).update(not_before=timezone.now())
    finish(supervisor, run)


@pytest.mark.checklist(396)
@pytest.mark.parametrize("verb", CancelVerb)
def test_a_running_run_is_cancelled_within_ten_seconds(verb, supervisor, process_env):
    run = queue(steps=100_000, checkpoint_every=50, eval_every=1000)
    began_at = time.monotonic()
    process = supervisor()
    until(reached(run, 60))
    asked_at = time.monotonic()
    cancel_run(run, verb=verb, actor=None)
    process.wait(300)
    busy = asked_at - began_at  # a machine with other work needs as much longer for the end
    assert time.monotonic() - asked_at < 10 + busy
    assert state_of(run) == State.CANCELLED
    is_kept = verb == CancelVerb.KEEP
    assert run.checkpoints.exists() == is_kept
    assert TrainedModel.objects.filter(run=run).exists() == is_kept
    if is_kept:  # as after a finished run: a whole folder, an evaluation, and it opens
        run.refresh_from_db()
        folder = paths.absolute(run.model.path)
        assert verify_model(folder)["run"] == str(run.pk)
        assert open_model(folder)[0].num_parameters() == run.model.params
        assert run.model.evaluations.get().samples.exists()
        assert run.message.startswith("Stopped by hand after ")


@pytest.mark.chaos
def test_a_drained_worker_hands_its_run_on_without_counting_a_death(
    supervisor, process_env, at_checkpoint
):
    run = queue(**LONG)
    place = at_checkpoint("hold@3")
    process = supervisor()
    os.kill(place.reached(), signal.SIGTERM)
    place.release()
    process.wait(300)
    run.refresh_from_db()
    assert (run.state, run.no_progress_deaths) == (State.QUEUED, 0)
    drained_at = run.checkpoints.aggregate(step=Max("step"))["step"]
    assert drained_at >= run.last_step - 1
    finish(supervisor, run)


@pytest.mark.chaos
def test_a_trainer_that_does_not_listen_when_its_worker_goes_counts_as_no_death(
    process_env, in_process_env, at_checkpoint, monkeypatch
):
    monkeypatch.setattr(supervise, "DRAIN_SECONDS", 0.0)
    run = queue(**LONG)
    place = at_checkpoint("stop@3")
    for name, value in place.env.items():
        monkeypatch.setenv(name, value)

    def drain():
        place.reached()
        beat = {"host": host_name(), "pid": os.getpid(), "pid_started_at": 1.0}
        ProcessBeat.objects.create(kind="train", seen_at=timezone.now(), drain=True, **beat)
        connection.close()

    with ThreadPoolExecutor(1) as other:
        told = other.submit(drain)
        assert supervise.supervise_run()
        told.result()
    run.refresh_from_db()
    assert (run.state, run.no_progress_deaths) == (State.QUEUED, 0)


@pytest.mark.chaos
def test_a_damaged_checkpoint_is_passed_over_with_an_event(supervisor, process_env, at_checkpoint):
    run = queue(**LONG)
    at_checkpoint("kill@5")
    supervisor().wait(300)
    newest = run.checkpoints.order_by("-step").first()
    weights = paths.absolute(newest.path) / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    finish(supervisor, run)
    assert run.events.filter(detail__contains="damaged").exists()


def test_a_disk_that_stays_full_ends_the_run_with_its_reason(supervisor, process_env):
    process_env["OTTO_DISK_RESERVE_BYTES"] = str(2**60)
    run = queue(**LONG)
    Run.objects.filter(pk=run.pk).update(no_progress_deaths=MOST_FULL_DISKS - 1)
    assert supervisor().wait(300) == 0
    run.refresh_from_db()
    assert (run.state, run.reason) == (State.FAILED, "disk")
    assert "Free some space" in run.message


@pytest.mark.checklist(394)
def test_a_time_limit_ends_the_run_and_keeps_its_checkpoint(supervisor, process_env):
    run = queue(steps=100_000, checkpoint_every=50, eval_every=1000, limit_minutes=0.05)
    supervisor().wait(300)
    run.refresh_from_db()
    assert (run.state, run.reason) == (State.FAILED, "timed_out")
    assert "time limit" in run.message
    assert run.last_step < 100_000
    assert not TrainedModel.objects.exists()
    assert run.checkpoints.exists() == (run.last_step > 0)


def test_a_run_on_an_empty_split_fails_with_a_sentence(supervisor, process_env):
    version = make_version()
    run = queue_run(toy_order(version), created_by=None)
    version.rows.filter(split="validation").delete()  # counted, but not there
    supervisor().wait(300)
    run.refresh_from_db()
    assert (run.state, run.reason) == (State.FAILED, "data")
    assert "no conversation" in run.message
    assert run.attempt_rows.get().ended_at is not None


def test_a_claim_is_useless_once_the_fence_was_raised(process_env, in_process_env):
    run = queue()
    claim = claim_run(own_identity())
    Run.objects.filter(pk=run.pk).update(fence=claim.fence + 1)
    assert Trainer(Claim(run.pk, claim.fence, 1)).end(300) == Exit.FENCE_LOST
    assert not RunPoint.objects.exists()
