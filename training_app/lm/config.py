"""What a run is told: checked, frozen values that need no torch, for forms and for the engine."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from training_app.lm.decays import DECAYS
from training_app.lm.families import FAMILIES
from training_app.lm.methods.registry import DEFAULT_METHOD, METHODS
from training_app.lm.optimizers.registry import OPTIMIZERS
from training_app.lm.tokenizer_kinds import OWN, TOKENIZERS

PRECISIONS = ("auto", "fp32", "bf16")
DEVICES = ("auto", "cpu", "cuda")
COMPILE_CHOICES = ("auto", "on", "off")
LOSS_CHOICES = ("all", "answers")
MOST_CONTEXT = 8192
ABSTENTION = "I do not find that in what I know. A colleague will help."
SOURCES, MOST_SOURCES = 3, 8  # known answers in a prompt: usually, and at most
GROUNDED_CONTEXT = 256  # tokens, by hand: an instruction, an answer or two and a reply
SCHEMA = 2  # of a stored specification; 1 named neither method nor schema

_KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "int | None": (int, type(None)),
    "float | None": (int, float, type(None)),
}


_KIND_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "int | None": "a whole number",
    "float | None": "a number",
}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL has no place for them in JSON
_SHOWN_CHARACTERS = 40


def shown(value: object) -> str:
    """Return a value as an error may show it: short, whatever somebody typed."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**15:
        return "a number with more than 15 digits"  # too large for `float`, and for a page
    text = f"{value:g}" if isinstance(value, int | float) else f"“{value}”"
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


# names of 0.1.0, read for one release: specifications in scripts and in `--set`
OLD_NAMES = {
    "width": "hidden_size",
    "vocabulary": "vocab_size",
    "tied": "tie_word_embeddings",
    "peak_rate": "learning_rate",
    "final_rate": "min_learning_rate",
    "clip": "max_grad_norm",
}


class TrainingError(Exception):
    """Something about a training that a team member can read and act on."""


class ConfigError(TrainingError):
    """A setting that cannot be used; `field` names it, so a form can show it there."""

    def __init__(self, field_name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field_name


class _Values:
    """Plain values to and from JSON; a key that nobody knows is refused, never ignored."""

    __slots__ = ()

    def as_json(self) -> dict[str, Any]:
        """Return the values as `from_json` takes them."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the checked values. Raises ConfigError for an unknown key or a wrong value."""
        if not isinstance(values, Mapping):
            raise ConfigError("", f"The settings must be named values, not {shown(values)}.")
        kinds = {item.name: str(item.type) for item in fields(cls)}  # type: ignore[arg-type]
        values = {OLD_NAMES.get(key, key): value for key, value in values.items()}
        for key, value in values.items():
            _check_key(cls.__name__, kinds, key, value)
        return cls(**values)


def _check_key(owner: str, kinds: Mapping[str, str], key: str, value: Any) -> None:
    if key not in kinds:
        known = ", ".join(sorted(kinds))
        raise ConfigError(key, f"There is no setting “{key}” in {owner}; the settings are {known}.")
    allowed = _KINDS[kinds[key]]
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise ConfigError(key, f"“{key}” must be {_KIND_WORDS[kinds[key]]}, not {shown(value)}.")
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise ConfigError(key, f"“{key}” holds characters that cannot be stored.")


def _check_bounds(values: Any, bounds: Mapping[str, tuple[float, float]]) -> None:
    for name, (low, high) in bounds.items():
        value = getattr(values, name)
        if value is not None and not low <= value <= high:
            words = name.replace("_", " ")
            raise ConfigError(
                name, f"The {words} must be from {low:,g} to {high:,g}, not {shown(value)}."
            )


def _check_choice(name: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise ConfigError(
            name, f"“{name}” must be one of {', '.join(choices)}, not {shown(value)}."
        )


@dataclass(frozen=True, slots=True)
class ModelConfig(_Values):
    """The network: its family and sizes; only shapes that the serving engine can run exist.

    Fewer `kv_heads` than `heads` are grouped queries (GQA, Ainslie et al. 2023, section 2.2).
    Raises ConfigError for a value that is out of bounds or does not fit the others.
    """

    family: str = "llama"
    layers: int = 2
    heads: int = 4
    kv_heads: int = 4
    hidden_size: int = 256
    context: int = 256  # tokens the model can look back over
    vocab_size: int = 4096  # entries wished for; the tokenizer may make fewer of small data
    dropout: float = 0.0
    tie_word_embeddings: bool = True  # the head shares the embedding's weights

    def __post_init__(self) -> None:
        _check_choice("family", self.family, FAMILIES)
        _check_bounds(self, _MODEL_BOUNDS)
        self._check_heads()

    def _check_heads(self) -> None:
        if self.hidden_size % self.heads:
            raise ConfigError(
                "heads",
                f"A width of {self.hidden_size} cannot be shared by {self.heads} heads evenly.",
            )
        if self.heads % self.kv_heads:
            raise ConfigError(
                "kv_heads", f"{self.heads} heads cannot share {self.kv_heads} key heads evenly."
            )
        if self.family == "gpt2" and self.kv_heads != self.heads:
            raise ConfigError("kv_heads", "GPT-2 blocks need as many key heads as heads.")
        step = FAMILIES[self.family].head_step
        if self.head_dim % step:
            raise ConfigError(
                "heads",
                f"Each head would be {self.head_dim} wide; to be servable with {self.family}"
                f" blocks it must be a multiple of {step}. Change the width or the heads.",
            )

    @property
    def head_dim(self) -> int:
        """Return the width of one attention head."""
        return self.hidden_size // self.heads

    @property
    def feed_forward(self) -> int:
        """Return the width of the inner layer: 4x for GPT-2, 8/3x in steps of 64 for llama.

        SwiGLU has three matrices instead of two, hence two thirds of 4x (Shazeer 2020, section 2).
        """
        return (
            4 * self.hidden_size if self.family == "gpt2" else 64 * -(-self.hidden_size * 8 // 192)
        )

    @property
    def parameters(self) -> int:
        """Return the number of trained weights, embeddings included."""
        places = self.context * self.hidden_size if self.family == "gpt2" else 0
        blocks = self.layers * self.block_parameters
        return self.table_parameters + places + blocks + self.outer_parameters

    @property
    def table_parameters(self) -> int:
        """Return the number of weights that tokens go in and out by."""
        return self.vocab_size * self.hidden_size * (1 if self.tie_word_embeddings else 2)

    @property
    def block_matrices(self) -> Sequence[tuple[int, int]]:
        """Return (in, out) of the linear layers of one block."""
        width, inner = self.hidden_size, self.feed_forward
        if self.family == "gpt2":
            return [(width, 3 * width), (width, width), (width, inner), (inner, width)]
        shared = [(width, self.kv_heads * self.head_dim)] * 2
        return [*[(width, width)] * 2, *shared, *[(width, inner)] * 2, (inner, width)]

    @property
    def block_parameters(self) -> int:
        """Return the number of weights of one block: matrices, biases and norms."""
        matrices = sum(inner * outer for inner, outer in self.block_matrices)
        if self.family == "gpt2":
            return matrices + sum(outer for _, outer in self.block_matrices) + 4 * self.hidden_size
        return matrices + 2 * self.hidden_size

    @property
    def outer_parameters(self) -> int:
        """Return the number of weights of the last norm, which stands above all blocks."""
        return self.hidden_size * (2 if self.family == "gpt2" else 1)


_MODEL_BOUNDS: dict[str, tuple[float, float]] = {
    "layers": (1, 96),
    "heads": (1, 128),
    "kv_heads": (1, 128),
    "hidden_size": (8, 8192),
    "context": (16, MOST_CONTEXT),
    "vocab_size": (128, 262_144),
    "dropout": (0, 0.9),
}


LENGTH_UNITS = ("steps", "epochs", "minutes")


@dataclass(frozen=True, slots=True)
class TrainConfig(_Values):
    """How it is trained; exactly one of steps, epochs and minutes says how long.

    Raises ConfigError for a value that is out of bounds or does not fit the others.
    """

    steps: int | None = None  # optimizer updates
    epochs: float | None = None  # passes over the training split
    minutes: float | None = None  # whole clock, compiling and evaluating included
    micro_batch: int = 4  # windows at once
    accumulation: int = 1  # micro-batches of one update
    learning_rate: float = 2e-3
    min_learning_rate: float = 0.0
    warmup_share: float = 0.03  # of all updates
    schedule: str = "linear"
    decay_share: float = 0.2  # of the updates after warm-up, in which a rate that stays falls
    optimizer: str = "adamw"
    beta1: float = 0.9
    beta2: float = 0.95
    weight_decay: float = 0.1
    max_grad_norm: float = 1.0  # largest gradient norm; 0 leaves gradients as they are
    precision: str = "auto"
    compile: str = "auto"
    device: str = "auto"
    threads: int = 0  # 0: all cores this process may use
    seed: int = 1
    eval_every: int = 0  # updates; 0: ten times in the run
    eval_batches: int = 24  # micro-batches of the validation split at each evaluation
    checkpoint_every: int = 0  # updates; 0: by time only
    checkpoint_seconds: float = 60.0
    keep_last: int = 2
    patience: int = 5  # evaluations without improvement before the run stops; 0: never
    limit_minutes: float = 0.0  # whole clock since the first start; 0: no limit
    loss_on: str = "all"
    lora_rank: int = 16  # rows of each adapter
    lora_alpha: float = 32.0  # an adapter counts alpha / rank times

    def __post_init__(self) -> None:
        lengths = [getattr(self, unit) for unit in LENGTH_UNITS]
        if sum(length is not None for length in lengths) != 1:
            raise ConfigError("steps", "Say how long by exactly one of steps, epochs, minutes.")
        _check_bounds(self, _TRAIN_BOUNDS)
        _check_choice("schedule", self.schedule, DECAYS)
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        _check_choice("precision", self.precision, PRECISIONS)
        _check_choice("device", self.device, DEVICES)
        _check_choice("compile", self.compile, COMPILE_CHOICES)
        _check_choice("loss_on", self.loss_on, LOSS_CHOICES)
        if self.min_learning_rate > self.learning_rate:
            raise ConfigError("min_learning_rate", "The final rate cannot be above the peak rate.")

    def tokens_per_update(self, context: int) -> int:
        """Return how many tokens one optimizer update sees."""
        return self.micro_batch * self.accumulation * context


_TRAIN_BOUNDS: dict[str, tuple[float, float]] = {
    "steps": (1, 10_000_000),
    "epochs": (0.001, 10_000),
    "minutes": (0.1, 20_160),
    "micro_batch": (1, 4096),
    "accumulation": (1, 4096),
    "learning_rate": (1e-7, 1),
    "min_learning_rate": (0, 1),
    "warmup_share": (0, 0.9),
    "decay_share": (0.01, 1),
    "beta1": (0, 0.9999),
    "beta2": (0, 0.99999),
    "weight_decay": (0, 1),
    "max_grad_norm": (0, 1000),
    "threads": (0, 1024),
    "seed": (0, 2**31 - 1),
    "eval_every": (0, 10_000_000),
    "eval_batches": (1, 100_000),
    "checkpoint_every": (0, 10_000_000),
    "checkpoint_seconds": (1, 86_400),
    "keep_last": (1, 100),
    "patience": (0, 10_000),
    "limit_minutes": (0, 100_000),
    "lora_rank": (1, 1024),
    "lora_alpha": (0.1, 4096),
}


@dataclass(frozen=True, slots=True)
class DataConfig(_Values):
    """Which frozen version is trained on, and how its conversations become tokens.

    Raises ConfigError for an unknown tokenizer and where it could not say that it does not know.
    """

    version: str = ""
    tokenizer: str = "bpe"  # made of the version; OWN: the start model's
    made_tokenizer: str = ""  # one that was made before, instead
    system_prompt: str = ""  # of each conversation
    sources: int = 0  # known answers in each prompt; 0: it learns without knowledge
    abstention: str = ABSTENTION  # what it says when none of them answers the question
    abstaining: float = 0.0  # share of prompts about other things, which teach it to say so

    def __post_init__(self) -> None:
        _check_choice("tokenizer", self.tokenizer, (*TOKENIZERS, OWN))
        _check_bounds(self, {"sources": (0, MOST_SOURCES), "abstaining": (0, 0.5)})
        if self.made_tokenizer and self.tokenizer == OWN:
            raise ConfigError(
                "made_tokenizer", "A model keeps its own tokenizer when it goes on learning."
            )
        if self.sources and not self.abstention.strip():
            raise ConfigError("abstention", "Say what it answers when it does not know.")


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything a run is told; stored with it exactly as used.

    Raises ConfigError where method, start and tokenizer do not fit together.
    """

    model: ModelConfig
    train: TrainConfig
    data: DataConfig = field(default_factory=DataConfig)
    start_from: str = ""  # the model that the run continues; empty: from scratch
    preset: str = ""
    method: str = "scratch"
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        _check_choice("method", self.method, METHODS)
        method = METHODS[self.method]
        if method.is_started and not self.start_from:
            raise ConfigError(
                "method", f"“{method.label}” needs a model to start from. Name one, or train all."
            )
        if self.start_from and not method.is_started:
            ways = ", ".join(name for name, way in METHODS.items() if way.is_started)
            raise ConfigError("method", f"A run that starts from a model trains by one of {ways}.")
        if self.data.sources and self.model.context < GROUNDED_CONTEXT:
            raise ConfigError(
                "context",
                f"Known answers need a context of at least {GROUNDED_CONTEXT} tokens beside"
                f" question and reply, not {self.model.context}. Make it longer, or set the known"
                " answers in a prompt to 0.",
            )
        if method.is_started != (self.data.tokenizer == OWN):
            raise ConfigError(
                "tokenizer",
                "A model keeps its own tokenizer when it goes on learning, and only then;"
                f" “{self.data.tokenizer}” does not fit.",
            )

    def started(self, start_from: str, method: str = DEFAULT_METHOD) -> Self:
        """Return the run that begins with this model and keeps its tokenizer."""
        data = replace(self.data, tokenizer=OWN)
        return replace(self, data=data, start_from=start_from, method=method)

    def as_json(self) -> dict[str, Any]:
        """Return the specification as `from_json` takes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the checked run. Raises ConfigError for an unknown key or a wrong value."""
        if not isinstance(values, Mapping):
            raise ConfigError("", f"A run is a JSON object, not {shown(values)}.")
        parts: dict[str, Any] = _upgraded(values)
        kinds = {item.name: str(item.type) for item in fields(cls)}
        for key, value in parts.items():
            if key not in kinds:
                raise ConfigError(key, f"A run has no part “{key}”.")
            if key in _PARTS:
                parts[key] = _PARTS[key].from_json(value)
            else:
                _check_key(cls.__name__, kinds, key, value)
        for key in ("model", "train"):
            if key not in parts:
                raise ConfigError(key, f"A run needs its part “{key}”.")
        return cls(**parts)


def _upgraded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored specification as today's schema writes it."""
    schema = values.get("schema", 1)
    if schema not in range(1, SCHEMA + 1):
        raise ConfigError("schema", f"The schema {shown(schema)} is not known; {SCHEMA} is newest.")
    found = dict(values) | {"schema": SCHEMA}
    if schema < 2:
        is_started = bool(found.get("start_from"))
        found.setdefault("method", DEFAULT_METHOD if is_started else "scratch")
        data = found.get("data", {})
        if isinstance(data, Mapping) and not data.get("tokenizer"):
            found["data"] = {**data, "tokenizer": OWN if is_started else "bpe"}
    return found


_PARTS: dict[str, type[ModelConfig | TrainConfig | DataConfig]] = {
    "model": ModelConfig,
    "train": TrainConfig,
    "data": DataConfig,
}
