"""What the form of a run says about each setting: its words, its unit, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from training_app.lm.config import COMPILE_CHOICES, DEVICES, LOSS_CHOICES, PRECISIONS
from training_app.lm.decays import DECAYS
from training_app.lm.families import FAMILIES
from training_app.lm.methods.registry import METHODS
from training_app.lm.optimizers.registry import OPTIMIZERS
from training_app.lm.registry import Choice
from training_app.lm.tokenizer_kinds import TOKENIZERS

Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as a person meets it."""

    label: str
    hint: str
    offered: Choices | Callable[[], Choices] = ()
    is_simple: bool = False

    @property
    def choices(self) -> Choices:
        """Return what may be chosen; a registry is asked each time, so that new entries appear."""
        return self.offered() if callable(self.offered) else self.offered


def _choices(values: tuple[str, ...], words: dict[str, str]) -> Choices:
    return tuple((value, words.get(value, value)) for value in values)


def _offered(registry: Mapping[str, Choice]) -> Callable[[], Choices]:
    """Return what asks the registry: an entry that is added appears in the next form."""

    def choices() -> Choices:
        return tuple((name, f"{one.label}: {one.sentence}") for name, one in registry.items())

    return choices


METHOD_CHOICES = _offered({name: way for name, way in METHODS.items() if way.is_started})
DATA_SETTINGS: dict[str, Setting] = {
    "tokenizer": Setting(
        "Tokenizer",
        "From scratch only; a model that goes on learning keeps its own.",
        _offered(TOKENIZERS),
    ),
    "sources": Setting(
        "Known answers in a prompt",
        "It learns to answer from so many of the version's other answers; 0: without knowledge.",
        is_simple=True,
    ),
    "abstention": Setting(
        "When it does not know", "What it says when no known answer holds what is asked."
    ),
    "abstaining": Setting(
        "Questions about other things",
        "Share of prompts that teach it to say that it does not know; with more of them it says so"
        " too often. Where nothing near is known, a chat says so by itself.",
    ),
}
MODEL_SETTINGS: dict[str, Setting] = {
    "family": Setting(
        "Kind of network",
        "The blocks that it is made of.",
        _offered(FAMILIES),
    ),
    "layers": Setting("Layers", "Few layers and many updates win while minutes are few."),
    "heads": Setting("Attention heads", "The width is shared by them evenly."),
    "kv_heads": Setting("Key heads", "As many as heads, or a divisor of them (Llama only)."),
    "hidden_size": Setting("Width", "Numbers per token inside the network."),
    "context": Setting("Context", "Tokens the model can look back over.", is_simple=True),
    "vocab_size": Setting(
        "Vocabulary", "Entries of the tokenizer; small data support fewer.", is_simple=True
    ),
    "dropout": Setting("Dropout", "Share of numbers left out in training; 0 to 0.9."),
    "tie_word_embeddings": Setting("Tie weights", "The head shares the embedding's weights."),
}
TRAIN_SETTINGS: dict[str, Setting] = {
    "learning_rate": Setting(
        "Learning rate", "The highest rate, after warm-up. It is always honoured.", is_simple=True
    ),
    "micro_batch": Setting("Batch size", "Windows computed at once.", is_simple=True),
    "accumulation": Setting(
        "Accumulation", "Batches that make one update: batch × this × context."
    ),
    "min_learning_rate": Setting("Final rate", "Where the learning rate ends."),
    "warmup_share": Setting("Warm-up", "Share of all updates in which the rate rises; 0 to 0.9."),
    "schedule": Setting(
        "Schedule",
        "How the rate falls after warm-up.",
        tuple((name, decay.label) for name, decay in DECAYS.items()),
    ),
    "decay_share": Setting(
        "Falling share",
        "Of the updates after warm-up, for a rate that stays and then falls; 0.01 to 1.",
    ),
    "optimizer": Setting("Optimizer", "How weights follow their gradients.", _offered(OPTIMIZERS)),
    "weight_decay": Setting("Weight decay", "Matrices only."),
    "beta1": Setting("Beta 1", "AdamW's memory of gradients."),
    "beta2": Setting("Beta 2", "AdamW's memory of squared gradients."),
    "max_grad_norm": Setting(
        "Gradient clipping", "Largest gradient norm; 0 leaves gradients as they are."
    ),
    "loss_on": Setting(
        "Loss counts",
        "From scratch all tokens, fine-tuning the answers only.",
        _choices(LOSS_CHOICES, {"all": "all tokens", "answers": "answers only"}),
    ),
    "seed": Setting(
        "Random seed", "The same seed gives the same first losses, bit for bit on CPU."
    ),
    "lora_rank": Setting("LoRA rank", "Rows of each thin matrix; more learn more."),
    "lora_alpha": Setting("LoRA alpha", "The thin matrices count alpha / rank times."),
    "precision": Setting(
        "Precision",
        "Automatic takes bf16 where this machine is clearly faster with it.",
        _choices(PRECISIONS, {"auto": "automatic"}),
    ),
    "compile": Setting(
        "Compile",
        "Automatic compiles long runs, where it pays its time back.",
        _choices(COMPILE_CHOICES, {"auto": "automatic"}),
    ),
    "device": Setting(
        "Device",
        "Automatic takes a GPU where PyTorch finds one, else the CPU.",
        _choices(DEVICES, {"auto": "automatic", "cpu": "CPU", "cuda": "GPU (CUDA)"}),
    ),
    "threads": Setting("Threads", "0 takes every core this process may use."),
    "eval_every": Setting("Evaluate every", "Updates; 0 means ten times in the run."),
    "eval_batches": Setting("Evaluation batches", "Validation batches looked at each time."),
    "checkpoint_every": Setting("Checkpoint every", "Updates; 0 leaves it to the seconds below."),
    "checkpoint_seconds": Setting("Checkpoint seconds", "At the latest after so many seconds."),
    "keep_last": Setting("Keep checkpoints", "The newest ones; the best is always kept too."),
    "patience": Setting("Patience", "Evaluations without improvement before it stops; 0: never."),
    "limit_minutes": Setting(
        "Time limit",
        "Minutes since the first start, after which the run ends as failed and keeps its"
        " checkpoint; 0: no limit.",
    ),
}
SETTINGS = {**DATA_SETTINGS, **MODEL_SETTINGS, **TRAIN_SETTINGS}
