"""Training speed against the Hugging Face Trainer: same shape, same packed tokens, one process."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import Trainer, TrainerCallback, TrainingArguments

from otto_web.lib.cores import usable_cores
from training_app.lm.fast import FastLoss
from training_app.lm.loop import Hooks, Optimization, StepReport, train
from training_app.lm.machine import bf16_pays, compile_works
from training_app.lm.model import build_model
from training_app.lm.otto_template import OttoTemplate
from training_app.lm.packing import Packed, open_packed, pack
from training_app.lm.presets import PRESETS
from training_app.lm.schedule import Schedule
from training_app.lm.setup import BatchLoader
from training_app.lm.template import Encoded, Template
from training_app.lm.tokenizer import train_bpe
from training_app.lm.trainable import make_optimizer

PRESET = PRESETS["chat"]
ROUNDS = 3
UPDATES = 14
WARM_UP = 3  # first updates of a round, not counted
TOKENS = PRESET.train.tokens_per_update(PRESET.model.context)
_SMALL = replace(
    PRESET, model=replace(PRESET.model, layers=1, hidden_size=64, context=32, vocab_size=512)
)
SMALLEST = {
    "PRESET": _SMALL,
    "TOKENS": _SMALL.train.tokens_per_update(_SMALL.model.context),
    "ROUNDS": 1,
    "UPDATES": 4,
    "WARM_UP": 1,
    "compile_works": lambda _: False,  # a first compilation takes longer than all the rest
}


class Windows(Dataset):
    """The same packed windows, cut beforehand: the peer pays nothing for reading."""

    def __init__(self, packed: Packed) -> None:
        length = PRESET.model.context
        count = len(packed.tokens) // length
        tokens = np.asarray(packed.tokens[: count * length], dtype=np.int64)
        self.rows = torch.from_numpy(tokens.reshape(count, length))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.rows[index], "labels": self.rows[index]}


class Clock(TrainerCallback):
    """Notes when each update ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, *_: object, **__: object) -> None:
        self.ends.append(time.perf_counter())


def _world(folder: Path) -> tuple[Template, Packed]:
    """Return a tokenizer with exactly the preset's entries and packed random tokens."""
    chance = np.random.default_rng(1)
    words = ["".join(chr(97 + n) for n in chance.integers(0, 26, 6)) for _ in range(6000)]
    tokenizer = train_bpe([" ".join(words)] * 20, PRESET.model.vocab_size).tokenizer
    entries = tokenizer.get_vocab_size()
    assert entries == PRESET.model.vocab_size
    ids = chance.integers(0, entries, size=(64, 1000))
    talks = (Encoded(row.tolist(), [1] * len(row)) for row in ids)
    pack(talks, folder, vocab_size=entries, context=PRESET.model.context)
    packed = open_packed(folder)
    assert packed is not None
    return OttoTemplate.of(tokenizer), packed


def _peer(template: Template, packed: Packed, folder: Path, *, bf16: bool) -> float:
    """Return the Trainer's tokens per second, by its median update."""
    clock = Clock()
    arguments = TrainingArguments(
        output_dir=str(folder / "peer"),
        max_steps=UPDATES,
        per_device_train_batch_size=PRESET.train.micro_batch,
        learning_rate=PRESET.train.learning_rate,
        lr_scheduler_type="linear",
        weight_decay=PRESET.train.weight_decay,
        max_grad_norm=PRESET.train.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        logging_strategy="no",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
        seed=1,
    )
    model = build_model(PRESET.model, template, seed=1)
    Trainer(model, arguments, train_dataset=Windows(packed), callbacks=[clock]).train()
    spans = np.diff(clock.ends)[WARM_UP:]
    return TOKENS / statistics.median(spans)


def _ours(template: Template, packed: Packed, *, bf16: bool, compiled: bool) -> float:
    """Return our loop's tokens per second, by its median update."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = build_model(PRESET.model, template, seed=1).to(device)
    fast = FastLoss(model)
    setting = replace(PRESET.train, minutes=None, steps=UPDATES)
    optimization = Optimization(
        torch.compile(fast, dynamic=False) if compiled else fast,
        make_optimizer(model, setting),
        Schedule.of(setting, UPDATES),
        setting.max_grad_norm,
        bf16,
    )
    reports: list[StepReport] = []
    loader = BatchLoader(setting, packed, PRESET.model.context, device)
    train(optimization, loader, range(1, UPDATES + 1), Hooks(reports.append, lambda: False))
    spans = [report.seconds for report in reports[WARM_UP:]]
    return TOKENS / statistics.median(spans)


def run() -> dict[str, float]:
    """Return tokens per second of both loops, medians of interleaved rounds, and their ratios."""
    torch.set_num_threads(usable_cores())
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bf16 = bf16_pays(device)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template, packed = _world(folder)
        contenders: dict[str, Callable[[], float]] = {
            "trainer_fp32": lambda: _peer(template, packed, folder, bf16=False),
            "otto_eager": lambda: _ours(template, packed, bf16=bf16, compiled=False),
            "trainer_bf16": lambda: _peer(template, packed, folder, bf16=True),
        }
        if compile_works(None):
            contenders["otto_compiled"] = lambda: _ours(template, packed, bf16=bf16, compiled=True)
        rounds = [{key: one() for key, one in contenders.items()} for _ in range(ROUNDS)]
    speeds = {key: statistics.median(each[key] for each in rounds) for key in contenders}
    best = max(speeds["otto_eager"], speeds.get("otto_compiled", 0.0))
    figures = {f"{key}_tokens_per_second": value for key, value in speeds.items()}
    return figures | {
        "ratio": best / speeds["trainer_fp32"],
        "ratio_eager": speeds["otto_eager"] / speeds["trainer_fp32"],
        "ratio_to_trainer_bf16": best / speeds["trainer_bf16"],
    }
