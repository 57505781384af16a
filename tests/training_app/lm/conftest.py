"""A toy world: a few conversations, a small tokenizer, runs of a second or two."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from training_app.lm import decisions, setup
from training_app.lm.config import DataConfig, ModelConfig, RunSpec, TrainConfig
from training_app.lm.contract import TokenSource
from training_app.lm.otto_template import OttoTemplate
from training_app.lm.tokenizer import train_bpe

TOPICS = ("parcel", "refund", "invoice", "password", "delivery", "voucher", "address", "battery")


def toy_talk(number: int) -> Conversation:
    topic = TOPICS[number % len(TOPICS)]
    return Conversation(
        (
            Turn(USER, f"Where is my {topic} number {number}?"),
            Turn(ASSISTANT, f"Your {topic} is on its way. Can I do more for you?"),
            Turn(USER, "No, thank you."),
            Turn(ASSISTANT, f"Have a good day with your {topic}."),
        )
    )


TALKS = [toy_talk(number) for number in range(48)]


@pytest.fixture(scope="session")
def template() -> OttoTemplate:
    texts = [turn.text for talk in TALKS for turn in talk.turns]
    return OttoTemplate.of(train_bpe([*texts, "ünïcödé 👋"], 512).tokenizer)


@pytest.fixture(scope="session")
def data() -> TokenSource:
    return TokenSource(TALKS[:40], TALKS[40:], fingerprint="toy")


@pytest.fixture(scope="module")
def quick_trial() -> Iterator[None]:
    """Time two updates before a run and ask one question of it, where neither matters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decisions, "_TRIAL_UPDATES", (2, 2))
        patch.setattr(decisions, "_ROUNDS", 1)
        patch.setattr(setup, "_QUESTIONS", 1)
        yield


@pytest.fixture(scope="session")
def spec() -> RunSpec:
    return RunSpec(
        ModelConfig(layers=2, heads=2, kv_heads=2, hidden_size=32, context=32, vocab_size=512),
        TrainConfig(
            steps=24,
            micro_batch=4,
            eval_every=8,
            eval_batches=2,
            checkpoint_every=5,
            checkpoint_seconds=3600,
            learning_rate=5e-3,
            threads=1,
            compile="off",
            precision="fp32",
        ),
        DataConfig(version="toy"),
    )


class Diary:
    """Writes down what a run tells, and keeps its checkpoints in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.phases: list[str] = []
        self.notes: list[str] = []
        self.facts: dict[str, object] = {}
        self.curve: dict[tuple[str, int], float] = {}
        self.replies: dict[int, list[tuple[int, str, str, str]]] = {}
        self.checkpoints: list[tuple[int, Path, float | None, bool]] = []

    def phase(self, name):
        self.phases.append(name)

    def note(self, sentence):
        self.notes.append(sentence)

    def decided(self, values):
        self.facts = json.loads(json.dumps(dict(values)))

    def points(self, points):
        self.curve |= {(name, step): value for name, step, value in points}

    def samples(self, step, samples):
        self.replies[step] = list(samples)

    def checkpoint(self, step, write, validation_loss, *, is_best):
        folder = self.folder / f"step-{step}-{len(self.checkpoints)}"
        write(folder)
        self.checkpoints.append((step, folder, validation_loss, is_best))

    def newest_first(self):
        return [folder for _, folder, _, _ in reversed(self.checkpoints)]

    def exact(self):
        """The curve without what depends on the clock."""
        return {key: v for key, v in self.curve.items() if key[0] != "train/tokens_per_second"}


@pytest.fixture
def diary(tmp_path) -> Diary:
    return Diary(tmp_path / "checkpoints")


@pytest.fixture
def diary_of():
    return Diary


@pytest.fixture
def talks():
    return TALKS


def with_train(spec: RunSpec, **values: object) -> RunSpec:
    return replace(spec, train=replace(spec.train, **values))


@pytest.fixture
def changed():
    return with_train
