"""What stands still while a run trains: the network, the data, the fixed questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from tokenizers import Tokenizer
from torch import nn

from training_app.lm.config import RunSpec, TrainConfig
from training_app.lm.contract import Point, Sample, Start, TokenSource
from training_app.lm.evaluation import (
    EXAMPLES_A_BATCH,
    Figures,
    ValidationSplit,
    evaluate,
    validation,
    validation_examples,
)
from training_app.lm.examples import ExampleLoader
from training_app.lm.fast import FastLoss
from training_app.lm.folder import open_network
from training_app.lm.loop import Batch, to_batch
from training_app.lm.model import (
    build_model,
    check_entries,
    context_of,
    grow_vocabulary,
    pick_device,
)
from training_app.lm.neighbours import grounded_questions
from training_app.lm.packing import Packed, Windows, random_windows
from training_app.lm.prepare import Prepared
from training_app.lm.replies import Question, question_of, samples
from training_app.lm.spreading import spread
from training_app.lm.template import entries_of, with_system_prompt
from training_app.lm.tokenizer import token_bytes
from training_app.lm.trainable import make_trainable

# Both chosen by hand.
_QUESTIONS = 5  # fixed validation prompts, answered at every evaluation
_QUESTION_POOL = 400  # conversations that they are spread over


@dataclass(frozen=True, slots=True)
class BatchLoader:
    """Gives each update its micro-batches; (seed, step) is all that chooses them."""

    train: TrainConfig
    packed: Packed
    context: int
    device: torch.device

    def __call__(self, step: int) -> list[Batch]:
        """Return parts of the same windows that one big batch would hold."""
        size = self.train.micro_batch
        count = size * self.train.accumulation
        windows = random_windows(
            self.packed, self.context, count, seed=self.train.seed, position=step
        )
        answers_only = self.train.loss_on == "answers"
        parts = [
            Windows(*(values[first : first + size] for values in windows))
            for first in range(0, count, size)
        ]
        return [to_batch(part, self.device, answers_only=answers_only) for part in parts]


@dataclass(frozen=True, slots=True)
class TrainingSetup:
    """Everything that updates and evaluations are made with."""

    spec: RunSpec
    prepared: Prepared
    fast: FastLoss
    validation: ValidationSplit
    loader: BatchLoader | ExampleLoader
    questions: Sequence[Question]

    def look(self, *, bf16: bool) -> tuple[Figures, list[Sample]]:
        """Return the validation figures and the replies to the questions, as they are now."""
        figures = evaluate(self.fast, self.validation, bf16=bf16)
        return figures, samples(self.fast.model, self.prepared.template, self.questions)


def make_setup(spec: RunSpec, prepared: Prepared, data: TokenSource, start: Start) -> TrainingSetup:
    """Return the setup with a fresh network, or with the one that the run continues.

    Raises FolderError where that is no model.
    """
    is_grounded = bool(spec.data.sources)
    network = _network(spec, prepared, start).to(pick_device(spec.train.device))
    fast = FastLoss(network, counted_only=is_grounded)
    fast.train()
    context = min(spec.model.context, context_of(fast.model))
    measured = validation_split(spec, prepared, context, batches=spec.train.eval_batches)
    device = next(fast.parameters()).device
    loader: BatchLoader | ExampleLoader = BatchLoader(spec.train, prepared.train, context, device)
    if is_grounded:
        loader = ExampleLoader.of(spec.train, prepared.train, context, device)
    return TrainingSetup(spec, prepared, fast, measured, loader, _questions(spec, data))


def validation_split(
    spec: RunSpec, prepared: Prepared, context: int, *, batches: int
) -> ValidationSplit:
    """Return the validation split, with at most `batches` evenly spread batches of windows.

    Of a run that learns with knowledge the windows are examples, as many as fill the batches.
    """
    train = spec.train
    if spec.data.sources:
        return validation_examples(
            prepared.validation,
            token_bytes(prepared.template.tokenizer),
            most=batches * train.micro_batch * EXAMPLES_A_BATCH,
        )
    return validation(
        prepared.validation,
        token_bytes(prepared.template.tokenizer),
        context=context,
        batch=train.micro_batch,
        batches=batches,
    )


def validation_points(step: int, figures: Figures) -> list[Point]:
    """Return an evaluation as points."""
    points = [
        ("validation/loss", step, figures.loss),
        ("validation/perplexity", step, figures.perplexity),
        ("validation/bits_per_byte", step, figures.bits_per_byte),
    ]
    if figures.answer_loss is not None:
        points.append(("validation/answer_loss", step, figures.answer_loss))
    return points


def _network(spec: RunSpec, prepared: Prepared, start: Start) -> nn.Module:
    if start.base is None:
        network = build_model(spec.model, prepared.template, seed=spec.train.seed)
        make_trainable(network, spec)
        return network
    model = open_network(start.base)
    torch.manual_seed(spec.train.seed)  # rows for added control tokens are drawn at random
    entries = prepared.template.entries
    grow_vocabulary(model, entries)
    check_entries(model, entries)
    known = entries_of(Tokenizer.from_file(str(start.base / "tokenizer.json")))
    make_trainable(model, spec, fresh_from=known if entries > known else None)
    return model


def _questions(spec: RunSpec, data: TokenSource) -> list[Question]:
    if spec.data.sources:
        pool = grounded_questions(spec, data, most=_QUESTION_POOL)
    else:
        prompt = spec.data.system_prompt
        talks = (with_system_prompt(one, prompt) for one in islice(data.validation, _QUESTION_POOL))
        pool = [question for one in talks if (question := question_of(one)) is not None]
    found = list({question.text: question for question in pool}.values())
    return spread(found, _QUESTIONS)
