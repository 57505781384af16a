"""Forms that are filled already: networks, and how long to train them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from training_app.lm.config import SOURCES, DataConfig, ModelConfig, RunSpec, TrainConfig


@dataclass(frozen=True, slots=True)
class Preset:
    """A form that is filled already: a network and how long to train it."""

    title: str
    note: str
    model: ModelConfig
    train: TrainConfig
    data: DataConfig = field(default_factory=DataConfig)
    method: str = "scratch"

    @property
    def is_started(self) -> bool:
        """Return whether it goes on from a model that is there."""
        return self.method != "scratch"

    @property
    def length_words(self) -> str:
        """Return how long it trains, as a button says it."""
        if self.train.steps is not None:
            return f"{self.train.steps:,} updates"
        minutes = self.train.minutes or 0.0
        return f"{minutes:g} min" if minutes < 60 else f"{minutes / 60:g} h"

    def spec(
        self,
        *,
        name: str = "",
        version: str = "",
        minutes: float | None = None,
        start_from: str = "",
    ) -> RunSpec:
        """Return the run that this preset stands for, with other minutes where given.

        A preset that goes on from a model needs `start_from`; ConfigError where it is missing.
        """
        train = self.train
        if minutes is not None:
            train = replace(train, steps=None, epochs=None, minutes=minutes)
        data = replace(self.data, version=version)
        spec = RunSpec(self.model, train, data, preset=name)
        return spec.started(start_from, self.method) if self.is_started else spec


def _gpt2(layers: int, heads: int, width: int, context: int) -> ModelConfig:
    return ModelConfig("gpt2", layers, heads, heads, width, context, 8192)


def _tuned(title: str, note: str, train: TrainConfig) -> Preset:
    """Return a preset that teaches a base to answer from what is known."""
    shape = ModelConfig(context=TUNED_CONTEXT)  # of the base, but for the context
    return Preset(title, note, shape, train, DataConfig(sources=SOURCES), method="full")


TUNED_CONTEXT = 1024  # tokens: room for three known answers, a talk and the reply
_TUNING = TrainConfig(
    steps=60,
    micro_batch=1,
    learning_rate=3e-4,
    warmup_share=0.1,
    weight_decay=0.01,
    loss_on="answers",
    compile="off",
    eval_every=30,
    eval_batches=8,
    checkpoint_seconds=300,
    patience=0,
)

# Sizes, rates and minutes are chosen by hand.
PRESETS: dict[str, Preset] = {
    "quick": _tuned(
        "Quick",
        "A small base learns to answer from what you know.",
        _TUNING,
    ),
    "good": _tuned(
        "Good",
        "The same for half an hour, at most once through 3,000 conversations.",
        replace(_TUNING, steps=None, minutes=30, eval_every=0, checkpoint_seconds=120),
    ),
    "thorough": _tuned(
        "Thorough",
        "The same for two hours; it stops when it gets no better.",
        replace(_TUNING, steps=None, minutes=120, eval_every=0, patience=5),
    ),
    "tiny": Preset(
        "Tiny",
        "The smallest: see the whole way once.",
        ModelConfig(layers=2, hidden_size=128, context=128, vocab_size=2048),
        TrainConfig(minutes=1, micro_batch=8, learning_rate=3e-3, compile="off"),
    ),
    "chat": Preset(
        "Chat",
        "The default: answers in the style of your data.",
        ModelConfig(),
        TrainConfig(minutes=4),
    ),
    "test": Preset(
        "Test",
        "GPT-2 blocks, 4 layers, 4 heads, width 256, context 64.",
        _gpt2(4, 4, 256, 64),
        TrainConfig(minutes=5, micro_batch=16, learning_rate=1e-3),
    ),
    "production": Preset(
        "Production",
        "GPT-2 blocks, 6 layers, 6 heads, width 384, context 128.",
        _gpt2(6, 6, 384, 128),
        TrainConfig(minutes=60, micro_batch=8, learning_rate=6e-4, schedule="cosine"),
    ),
    "small": Preset(
        "Small",
        "Six llama layers, for a few million tokens.",
        ModelConfig(layers=6, heads=6, kv_heads=6, hidden_size=384, context=512, vocab_size=8192),
        TrainConfig(minutes=60, learning_rate=1e-3),
    ),
    "medium": Preset(
        "Medium",
        "Eight llama layers, for a night or a GPU and tens of millions of tokens.",
        ModelConfig(
            layers=8, heads=8, kv_heads=8, hidden_size=512, context=1024, vocab_size=16_384
        ),
        TrainConfig(minutes=480, accumulation=2, learning_rate=8e-4, schedule="cosine"),
    ),
}
CONTINUE_RATE = 1e-5  # filled in where a model that was trained here goes on
DEFAULT_TUNING = "quick"
DEFAULT_PRESET = "chat"  # from scratch: it needs no base
