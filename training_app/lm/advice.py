"""What is usual for each number of a run, and what never ends well; pure, so a form can say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from training_app.lm.config import ConfigError, RunSpec, shown


@dataclass(frozen=True, slots=True)
class Usual:
    """The span in which a setting usually lies, and what is to be expected outside of it."""

    name: str
    low: float
    high: float
    below: str
    above: str

    def remark(self, value: float) -> str:
        """Return a sentence about a value outside the span, or nothing."""
        if self.low <= value <= self.high:
            return ""
        why = self.below if value < self.low else self.above
        span = f"{shown(self.low)} to {shown(self.high)}"
        return f"A {self.name} of {shown(value)} is unusual ({span} is usual): {why}"


# Chosen by hand. Above these a run only wastes its time: from scratch the loss breaks within the
# first updates (learning rate), or most of what the network computes is thrown away (dropout).
HIGHEST = {
    "learning_rate": (0.05, "the loss would break in the first updates. Try 0.0005 to 0.005."),
    "dropout": (0.7, "the network would hardly see its own numbers. Try 0 to 0.3."),
    "warmup_share": (0.8, "the rate would rise until the run is almost over. Try 0.01 to 0.1."),
}
# The usual spans are chosen by hand, for small models on a few cores.
_MODEL = {
    "layers": Usual(
        "depth (layers)",
        1,
        24,
        "",
        "each update takes long, and deep networks need tens of millions of tokens.",
    ),
    "hidden_size": Usual(
        "hidden_size",
        64,
        2048,
        "it can keep very little.",
        "each update takes very long without a large GPU.",
    ),
    "context": Usual(
        "context",
        32,
        2048,
        "the model cannot see a question and its answer together.",
        "memory and time of each update grow with it.",
    ),
    "vocab_size": Usual(
        "vocab_size",
        384,
        65_536,
        "words fall into single letters.",
        "most of the network would be its dictionary.",
    ),
    "dropout": Usual("dropout", 0, 0.3, "", "the model learns much more slowly."),
}
_TRAIN = {
    "learning_rate": Usual(
        "learning rate",
        1e-5,
        8e-3,
        "hardly anything is learned.",
        "the loss may break; watch its first hundred updates.",
    ),
    "warmup_share": Usual("warm-up share", 0, 0.3, "", "the full rate is reached late."),
    "micro_batch": Usual("batch size", 1, 256, "", "each update needs very much memory."),
    "accumulation": Usual("accumulation", 1, 64, "", "updates become rare."),
    "beta1": Usual("beta 1", 0.8, 0.95, "updates become noisy.", "updates lag behind."),
    "beta2": Usual("beta 2", 0.9, 0.9995, "updates become noisy.", "the first updates are wild."),
    "weight_decay": Usual(
        "weight decay", 0, 0.3, "", "weights are pulled to zero faster than they learn."
    ),
    "max_grad_norm": Usual(
        "gradient clipping",
        0.1,
        10,
        "one bad batch can break the run (0), or nothing moves.",
        "one bad batch can break the run.",
    ),
    "eval_batches": Usual(
        "number of evaluation batches",
        4,
        500,
        "the validation loss will jump about.",
        "evaluations take longer than training.",
    ),
    "checkpoint_seconds": Usual(
        "checkpoint interval in seconds",
        10,
        900,
        "the disk is busier than the processor.",
        "that much work is lost at a power cut.",
    ),
    "keep_last": Usual("number of kept checkpoints", 1, 10, "", "each takes disk space."),
}


_TAIL = {
    "decay_share": Usual(
        "falling share",
        0.05,
        0.5,
        "the rate falls too fast to gain much.",
        "it hardly stays before it falls.",
    )
}
_ADAPTERS = {
    "lora_rank": Usual(
        "LoRA rank",
        4,
        128,
        "it can learn very little.",
        "training all weights takes hardly more memory.",
    ),
    "lora_alpha": Usual(
        "LoRA alpha",
        4,
        256,
        "what is learned hardly counts.",
        "the loss may break; watch its first hundred updates.",
    ),
}


def refuse_hopeless(spec: RunSpec) -> None:
    """Raise ConfigError for a setting with which no run can end well."""
    for name, (most, why) in HIGHEST.items():
        part = spec.model if name == "dropout" else spec.train
        value = getattr(part, name)
        if value > most:
            words = "learning rate" if name == "learning_rate" else name.replace("_", " ")
            raise ConfigError(name, f"With a {words} of {shown(value)} {why}")
    train = spec.train
    if train.minutes is not None and 0 < train.limit_minutes <= train.minutes:
        raise ConfigError(
            "limit_minutes",
            f"A time limit of {shown(train.limit_minutes)} minutes ends a run of"
            f" {shown(train.minutes)} minutes as failed. Set a later limit, or none (0).",
        )


def unusual(spec: RunSpec) -> Iterator[str]:
    """Yield a sentence for each setting outside its usual span.

    The shape of a model that goes on learning is its own, so nothing is said about it.
    """
    parts: list[tuple[dict[str, Usual], object]] = [(_TRAIN, spec.train)]
    if not spec.start_from:
        parts.insert(0, (_MODEL, spec.model))
    if spec.train.schedule == "wsd":
        parts.append((_TAIL, spec.train))
    if spec.method == "lora":
        parts.append((_ADAPTERS, spec.train))
    for spans, values in parts:
        remarks = (usual.remark(getattr(values, name)) for name, usual in spans.items())
        yield from filter(None, remarks)


def unusual_course(spec: RunSpec, *, updates: int, passes: float, cores: int) -> Iterator[str]:
    """Yield sentences about settings that do not fit the length of the run or the machine.

    `updates` and `passes` (over the training split) say how long the run is, `cores` how many cores
    it may use.
    """
    train = spec.train
    if train.eval_every > updates:
        yield (
            f"Evaluations are {train.eval_every:,} updates apart, but the run has about"
            f" {updates:,}: the validation loss is seen only at its end."
        )
    if train.eval_every and updates / train.eval_every > 500:
        yield (
            f"An evaluation every {train.eval_every} updates means {updates // train.eval_every:,}"
            " of them: much of the time goes there. 10 to 50 in a run are usual."
        )
    if 0 < train.checkpoint_every < 10 and updates > 1000:
        yield (
            f"A checkpoint every {train.checkpoint_every} updates keeps the disk busier than the"
            " processor; leave it to the seconds."
        )
    if passes > 100:
        yield (
            f"About {passes:,.0f} passes over the data: the model will learn them by heart."
            " 3 to 30 are usual."
        )
    if train.threads > cores:
        yield (
            f"{train.threads} threads share {cores} core{'s' if cores > 1 else ''}: that is slower"
            " than one each. 0 takes every core that this process may use."
        )
    if train.patience == 1:
        yield "A patience of 1 stops the run at the first evaluation that is not better."
