"""What will happen: a run's size, length and risks in figures, before it is queued."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
from django.db import connection

from datasets_app.models import Version
from datasets_app.selectors.versions import rows_of_split
from otto_web.lib.cores import usable_cores
from otto_web.lib.uuids import as_uuid
from otto_web.lib.words import filesize
from training_app.lm.advice import refuse_hopeless, unusual, unusual_course
from training_app.lm.config import ModelConfig, RunSpec
from training_app.lm.methods.registry import METHODS
from training_app.lm.optimizers.registry import OPTIMIZERS
from training_app.lm.prompt_room import refuse_long_prompt
from training_app.lm.schedule import FEWEST_UPDATES, Schedule
from training_app.lm.tokenizer_kinds import BYTE_ENTRIES, TOKENIZERS
from training_app.models import TrainedModel
from training_app.models.paths import absolute
from training_app.selectors.local_models import PREFIX, local_base
from training_app.selectors.made_tokenizers import entries_of
from training_app.selectors.speed import Speed, machine_speed, update_seconds

BLOCKING_QUALITY, DOUBTFUL_QUALITY = 50, 70
FEWEST_ROWS, FEWEST_CHARACTERS = 4, 1_000
SCRATCH_TOKENS = 100_000
_NUMBER_BYTES = 4  # weights, gradients and what the optimizer keeps are fp32
_MEMORY_SHARE = 0.8  # of the machine's memory; above it the run may be ended for it
_MOST_PASSES, _GOOD_PASSES = 30, 10  # over the data; above the first they are learnt by heart
_FEWEST_PROPOSED = 100  # updates, as an earlier system has it
_LOOKED_AT = 2_000  # conversations whose lengths are measured
# bytes of ordinary text in one token, by vocabulary; measured on support conversations
_BYTES_PER_TOKEN = (
    (BYTE_ENTRIES, 1.0),
    (1024, 2.4),
    (2048, 2.9),
    (4096, 3.4),
    (8192, 3.8),
    (16_384, 4.1),
)


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long a version's conversations are, in characters."""

    exchange: float
    conversation: float


@dataclass(slots=True)
class Forecast:
    """A run in figures, and in sentences what stops it or should make one think."""

    parameters: int
    vocab_size: int
    train_rows: int
    validation_rows: int
    train_tokens: int
    train_bytes: int = 0
    lengths: Lengths = field(default_factory=lambda: Lengths(0.0, 0.0))
    updates: int = 0
    tokens: int = 0
    passes: float = 0.0
    proposed_updates: int = 0  # where the data are few for the updates; 0: they are not
    minutes: float = 0.0
    speed: Speed = field(default_factory=lambda: Speed(1.0, is_measured=False))
    checkpoint_bytes: int = 0
    state_bytes: int = 0  # weights, gradients and what the optimizer keeps
    memory_bytes: int = 0  # that, and what one batch computes
    quality: int = 0
    refusals: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    needs_reason: bool = False
    rate_curve: list[tuple[int, float]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return 60 * self.minutes

    @property
    def is_ready(self) -> bool:
        """Return whether nothing speaks against the run."""
        return not (self.refusals or self.warnings or self.needs_reason)


def forecast(spec: RunSpec, version: Version) -> Forecast:
    """Return what this run would be on this version; about, where nothing was measured yet.

    Raises ConfigError for a setting with which no run can end well.
    """
    refuse_hopeless(spec)
    refuse_long_prompt(spec, _start_folder(spec))
    rows = {split: rows_of_split(version, split) for split in ("train", "validation")}
    train_bytes = _train_bytes(version)
    vocabulary = _vocabulary(spec, train_bytes)
    model = replace(spec.model, vocab_size=vocabulary)
    found = Forecast(
        parameters=model.parameters,
        vocab_size=vocabulary,
        train_rows=rows["train"],
        validation_rows=rows["validation"],
        train_tokens=round(train_bytes / bytes_per_token(vocabulary)),
        train_bytes=train_bytes,
        lengths=_lengths(version),
        speed=machine_speed(model.parameters),
        quality=round(100 * version.quality_score),  # the row keeps a share
    )
    _measure(found, spec)
    trained = METHODS[spec.method].trained(model, spec.train.lora_rank)
    if spec.start_from.startswith(PREFIX):  # its tables train where it lacks our control tokens
        trained = min(model.parameters, trained + model.table_parameters)
    kept = OPTIMIZERS[spec.train.optimizer].state_numbers * trained
    found.checkpoint_bytes = _NUMBER_BYTES * (model.parameters + kept)
    found.state_bytes = found.checkpoint_bytes + _NUMBER_BYTES * trained
    found.memory_bytes = found.state_bytes + _batch_bytes(model, spec.train.micro_batch)
    passages, rows_in_all = (int(version.counts.get(key, 0)) for key in ("passages", "rows"))
    is_grounded = bool(spec.data.sources)
    found.refusals = _refusals(found, train_bytes)
    if is_grounded and passages and passages == rows_in_all:
        found.refusals.append(
            "This version holds texts without questions, and learning to answer from what is known"
            " takes questions with answers. Deploy its known answers as they are, or train without"
            " known answers."
        )
    found.needs_reason = found.quality < BLOCKING_QUALITY
    found.warnings = _warnings(found, spec, train_bytes, found.lengths)
    if is_grounded and passages:
        found.warnings.append(
            f"{passages:,} of {rows_in_all:,} rows are texts without questions: the model may"
            " answer from them, but only the others teach it how."
        )
    found.rate_curve = Schedule.of(spec.train, max(2, found.updates)).preview()
    return found


def train_tokens(spec: RunSpec, version: Version) -> int:
    """Return about how many tokens of the run's vocabulary its training split has."""
    train_bytes = _train_bytes(version)
    return round(train_bytes / bytes_per_token(_vocabulary(spec, train_bytes)))


def _train_bytes(version: Version) -> int:
    share = rows_of_split(version, "train") / max(1, int(version.counts.get("rows", 0)))
    return round(int(version.counts.get("characters", 0)) * share)


def bytes_per_token(vocab_size: int) -> float:
    """Return about how many bytes of text one token of such a vocabulary stands for."""
    return next((size for most, size in _BYTES_PER_TOKEN if vocab_size <= most), 4.3)


def _start_folder(spec: RunSpec) -> Path | None:
    """Return the folder that the run begins with, where its tokenizer must count a prompt."""
    if not spec.data.system_prompt or not spec.start_from:
        return None
    folder = local_base(spec)
    if (number := as_uuid(spec.start_from)) is not None:
        made_here = TrainedModel.objects.filter(pk=number).first()
        folder = None if made_here is None else absolute(made_here.path)
    return folder if folder and (folder / "tokenizer.json").is_file() else None


def _vocabulary(spec: RunSpec, train_bytes: int) -> int:
    if spec.start_from:
        return spec.model.vocab_size
    if spec.data.made_tokenizer:
        return entries_of(spec.data.made_tokenizer)
    return TOKENIZERS[spec.data.tokenizer].entries(spec.model.vocab_size, train_bytes)


def _measure(found: Forecast, spec: RunSpec) -> None:
    train = spec.train
    per_update = train.tokens_per_update(spec.model.context)
    seconds_each = update_seconds(spec, found.speed, found.parameters)
    if train.minutes is not None:
        found.minutes = train.minutes
        found.updates = max(20, int(60 * train.minutes / seconds_each))
    else:
        passes = train.epochs or 0.0
        found.updates = train.steps or max(1, round(passes * found.train_tokens / per_update))
        found.minutes = found.updates * seconds_each / 60
    found.tokens = found.updates * per_update
    found.passes = found.tokens / max(1, found.train_tokens)
    proposed = max(_FEWEST_PROPOSED, _GOOD_PASSES * found.train_tokens // per_update)
    if found.passes > _MOST_PASSES and proposed < found.updates:
        found.proposed_updates = proposed


def _refusals(found: Forecast, train_bytes: int) -> list[str]:
    if not found.train_rows:
        return ["This version has nothing to learn from: its training split is empty."]
    if not found.validation_rows:
        return [
            (
                "This version has no validation split, so nobody could say how good the model is."
                " Freeze a version with at least a few more conversations."
            )
        ]
    if found.train_rows < FEWEST_ROWS or train_bytes < FEWEST_CHARACTERS:
        return [
            (
                f"{found.train_rows} conversations are too few to learn anything from."
                " Add more: 20 show a first effect, a few hundred make a useful model."
            )
        ]
    there = psutil.virtual_memory().total
    if found.state_bytes > there:
        return [
            (
                f"{found.parameters / 1e6:,.0f} M parameters need {filesize(found.memory_bytes)} of"
                f" memory; this machine has {filesize(there)}. Choose a smaller size."
            )
        ]
    return []


def _batch_bytes(model: ModelConfig, windows: int) -> int:
    """Return about how much memory so many windows take on their way through the network."""
    per_token = (
        model.layers * (16 * model.hidden_size + 3 * model.feed_forward) + 2 * model.vocab_size
    )
    return _NUMBER_BYTES * per_token * windows * model.context


def _warnings(found: Forecast, spec: RunSpec, train_bytes: int, lengths: Lengths) -> list[str]:
    said = []
    is_bpe = spec.data.tokenizer == "bpe" and not spec.data.made_tokenizer
    if found.vocab_size < spec.model.vocab_size and is_bpe:
        said.append(
            f"The vocabulary will have about {found.vocab_size:,} entries instead of"
            f" {spec.model.vocab_size:,}: {train_bytes / 1000:,.0f} kB of text support no more."
        )
    if found.updates < FEWEST_UPDATES and not spec.start_from:
        said.append(
            f"{found.updates} updates: no visible effect expected; use at least {FEWEST_UPDATES}."
        )
    if not spec.start_from and found.train_tokens < SCRATCH_TOKENS:
        said.append(
            f"About {found.train_tokens:,} tokens: a model from scratch should have 100,000"
            " or more. It will learn by heart rather than in general."
        )
    said += _length_warnings(spec, found, lengths)
    said += unusual(spec)
    said += unusual_course(spec, updates=found.updates, passes=found.passes, cores=usable_cores())
    there = psutil.virtual_memory().total
    if found.memory_bytes > _MEMORY_SHARE * there:
        said.append(
            f"About {filesize(found.memory_bytes)} of memory are needed; this machine has"
            f" {filesize(there)}. Halve the batch size and double the accumulation, or take a"
            " shorter context."
        )
    method = METHODS[spec.method]
    if spec.train.learning_rate > method.warm_rate:
        said.append(
            f"A learning rate of {spec.train.learning_rate:g} is high for a model that has learned"
            f" already: it forgets. {method.warm_rate / 10:g} to {method.warm_rate:g} are usual."
        )
    if BLOCKING_QUALITY <= found.quality < DOUBTFUL_QUALITY:
        said.append(
            f"The quality score of this version is {found.quality} of 100."
            " Look at its review list first; the model will answer like its data."
        )
    return said


def _length_warnings(spec: RunSpec, found: Forecast, lengths: Lengths) -> list[str]:
    size, context = bytes_per_token(found.vocab_size), spec.model.context
    exchange, conversation = lengths.exchange / size, lengths.conversation / size
    if exchange > context:
        return [
            (
                f"Half of the exchanges have more than about {exchange:,.0f} tokens, but the"
                f" context is {context}: the model cannot see a question and its answer together."
            )
        ]
    if conversation > context:
        return [
            (
                f"At least half of the conversations are longer than the context of {context}"
                f" tokens; the middle one has about {conversation:,.0f}. They train in pieces,"
                " nothing is cut off."
            )
        ]
    return []


def _lengths(version: Version) -> Lengths:
    """Return the median lengths of the first conversations of the training split."""
    query = """
        SELECT percentile_cont(0.5) WITHIN GROUP (
                   ORDER BY length(text) / greatest(1.0, n_turns / 2.0)),
               percentile_cont(0.5) WITHIN GROUP (ORDER BY length(text))
        FROM (SELECT row.text, row.n_turns FROM datasets_app_versionrow line
              JOIN datasets_app_conversation row ON row.id = line.conversation_id
              WHERE line.version_id = %s AND line.split = 'train' AND NOT row.is_passage
              ORDER BY line.position LIMIT %s) looked_at
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [version.pk, _LOOKED_AT])
        row = cursor.fetchone() or (None, None)
    return Lengths(float(row[0] or 0), float(row[1] or 0))
