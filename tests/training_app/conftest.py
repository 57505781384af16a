"""A toy world for runs: a version of short answers, a network of a few thousand weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as live_settings
from django.utils import timezone

from datasets_app.models import Conversation, Dataset, Version, VersionRow
from training_app.lm.config import DataConfig, ModelConfig, RunSpec, TrainConfig
from training_app.services.runs import Order, queue_run

ROOT = Path(__file__).resolve().parents[2]
SUPERVISE = """
import django, sys
django.setup()
from training_app.jobs.recovery import recover
from training_app.jobs.supervise import supervise_run
while recover():
    import time; time.sleep(0.2)
sys.exit(0 if supervise_run() else 3)
"""


def make_version(count=24, *, quality=95.0, validation=None):
    """Return a frozen version of `count` short exchanges; every sixth is for validation."""
    dataset = Dataset.objects.create(name=f"toy {uuid4().hex[:8]}", next_position=count + 1)
    validation = range(5, count, 6) if validation is None else range(validation)
    talks = [_conversation(dataset, number) for number in range(count)]
    Conversation.objects.bulk_create(talks)
    version = Version.objects.create(
        dataset=dataset,
        number=1,
        name="toy v1",
        policy_sha256="0" * 64,
        split_seed=1,
        shares={},
        counts={
            "rows": count,
            "splits": {"train": count - len(validation), "validation": len(validation)},
            "characters": sum(len(talk.text) for talk in talks),
        },
        quality_score=quality / 100,
        manifest_sha256=uuid4().hex * 2,
        state="succeeded",
        finished_at=timezone.now(),
    )
    VersionRow.objects.bulk_create(
        VersionRow(
            version=version,
            position=talk.position,
            conversation=talk,
            revision=1,
            row_hash=talk.row_hash,
            split="validation" if number in validation else "train",
        )
        for number, talk in enumerate(talks)
    )
    return version


def _conversation(dataset, number):
    question = f"Where is my order number {number}?"
    answer = f"Your order {number} is on its way and will arrive on day {number % 7}."
    turns = [{"role": "user", "text": question}, {"role": "assistant", "text": answer}]
    return Conversation(
        dataset=dataset,
        position=number + 1,
        turns=turns,
        text=f"{question} {answer}",
        row_hash=f"{number:064d}",
        exact_key=f"{number:064d}",
        origin="hand",
        origin_key=str(number),
        n_turns=2,
        n_words=16,
    )


def toy_spec(**train):
    """Return a run that takes about a second; settings of training can be changed."""
    values = {
        "steps": 12,
        "micro_batch": 4,
        "compile": "off",
        "precision": "fp32",
        "threads": 1,
        "eval_every": 4,
        "checkpoint_every": 2,
    }
    model = ModelConfig(layers=1, heads=2, kv_heads=2, hidden_size=32, context=32, vocab_size=512)
    return RunSpec(model, TrainConfig(**(values | train)), DataConfig())


def toy_order(version, **train):
    return Order("toy", toy_spec(**train), version, uuid4())


@pytest.fixture
def version(db):
    return make_version()


@pytest.fixture
def queued_run(version, theo):
    return queue_run(toy_order(version), created_by=theo)


@pytest.fixture
def supervisor(process_env):
    """Give a function that starts a real supervisor: it claims a run and stays with it."""
    started = []

    def start():
        command = [sys.executable, "-c", SUPERVISE]
        process = subprocess.Popen(command, cwd=ROOT, env=process_env)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def in_process_env(process_env, monkeypatch):
    """Let trainers that this very process starts see the test's rows."""
    for name in ("DATABASE_URL", "OTTO_DATA_DIR", "OTTO_VAR_DIR", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.setenv(name, process_env[name])
    return live_settings
