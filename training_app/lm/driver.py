"""One attempt of a run, from conversations to a finished model folder."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from training_app.lm.checkpoint import (
    CheckpointError,
    checkpoint_weights,
    read_checkpoint,
)
from training_app.lm.config import RunSpec, TrainingError
from training_app.lm.contract import (
    RunEvents,
    ShouldStop,
    Start,
    StoppedError,
    StopReason,
    TokenSource,
    TrainedResult,
    stoppable,
)
from training_app.lm.decisions import (
    Decisions,
    TimeBudget,
    Trial,
    decide,
    precision_is_bf16,
    runnable,
    threads_of,
)
from training_app.lm.final_model import make_model
from training_app.lm.loop import EarlyStopping, Hooks, Optimization, train
from training_app.lm.prepare import prepare
from training_app.lm.schedule import FEWEST_UPDATES, Schedule
from training_app.lm.setup import TrainingSetup, make_setup, validation_points
from training_app.lm.train_state import TrainState
from training_app.lm.trainable import make_optimizer

_LOOKS = 12  # evaluations that minutes leave time for: a run's ten, and two more; by hand


def train_run(
    spec: RunSpec,
    data: TokenSource,
    work: Path,
    events: RunEvents,
    should_stop: ShouldStop,
    start: Start | None = None,
) -> TrainedResult:
    """Train, or go on training, until the run ends or is told to stop.

    Prepared data stay in `work/prepared`, the finished model is `work/model`. A stop writes a
    checkpoint first; one that keeps makes a model of the best state so far. Raises TrainingError
    with a sentence; DivergedError when the loss broke.
    """
    start = start or Start()
    began = time.monotonic()
    torch.set_num_threads(threads_of(spec.train, start.decided))
    heard = _patient(should_stop) if start.checkpoints else should_stop
    try:
        prepared = prepare(spec, stoppable(data, heard), work, events, start)
        setup = make_setup(spec, prepared, stoppable(data, heard), start)
    except StoppedError as stopped:
        return TrainedResult(stopped.reason, 0)
    decisions, losses = _decided(setup, events, start, began)
    state = TrainState(
        setup=setup,
        optimization=_optimization(setup, decisions),
        decisions=decisions,
        events=events,
        should_stop=should_stop,
        early_stopping=EarlyStopping(spec.train.patience),
        losses=losses,
    )
    _restore(state, start)
    events.phase("training")
    if not state.ends():
        steps = range(state.step + 1, decisions.steps + 1)
        train(state.optimization, setup.loader, steps, Hooks(state.on_step, state.ends))
    state.flush()
    is_early = state.stop is not None and state.step < decisions.steps
    if state.stop and is_early and not (state.stop == "keep" and state.step):
        return TrainedResult(state.stop, state.step, best_step=state.early_stopping.best_step)
    finished = make_model(state, work, start, fingerprint=data.fingerprint)
    return replace(finished, outcome="keep") if is_early else finished


def _patient(should_stop: ShouldStop) -> ShouldStop:
    """Return the question without `keep`: there is a state to keep, which must be read first."""

    def asked() -> StopReason | None:
        reason = should_stop()
        return None if reason == "keep" else reason

    return asked


def _decided(
    setup: TrainingSetup, events: RunEvents, start: Start, began: float
) -> tuple[Decisions, list[tuple[int, float]]]:
    """Return the decisions, and the evaluation before training where this attempt made one."""
    known = Decisions.given(start.decided)
    if known is not None and start.checkpoints:
        return known, []
    looked_at = time.monotonic()
    train = setup.spec.train
    bf16 = known.bf16 if known else precision_is_bf16(train, setup.loader.device)
    figures, replies = setup.look(bf16=bf16)
    events.points(validation_points(0, figures))
    events.samples(0, replies)
    if known is None:
        reserve = _LOOKS * (time.monotonic() - looked_at)
        budget = TimeBudget(began, reserve, setup.prepared.train.facts.tokens)
        trial = Trial(setup.fast, setup.loader, bf16, start.cache)
        known = decide(train, trial, budget, say=events.phase)
        events.decided(known.as_json())
        events.note(_plan(setup, known))
    return known, [(0, figures.watched(train.loss_on))]


def _plan(setup: TrainingSetup, decisions: Decisions) -> str:
    """Return what will happen, in words."""
    tokens = setup.spec.train.tokens_per_update(setup.loader.context)
    passes = decisions.steps * tokens / setup.prepared.train.facts.tokens
    minutes = decisions.steps * decisions.seconds_per_update / 60
    words = (
        f"{decisions.steps:,} updates of {tokens:,} tokens: {passes:.1f} passes over the data,"
        f" about {minutes:.1f} minutes."
    )
    if decisions.steps < FEWEST_UPDATES and not setup.spec.start_from:
        words += f" That is too few to see much of an effect; use at least {FEWEST_UPDATES}."
    return words


def _optimization(setup: TrainingSetup, decisions: Decisions) -> Optimization:
    train = setup.spec.train
    return Optimization(
        loss_of=runnable(setup.fast, decisions),
        optimizer=make_optimizer(setup.fast.model, train),
        schedule=Schedule.of(train, decisions.steps),
        max_grad_norm=train.max_grad_norm,
        bf16=decisions.bf16,
    )


def _restore(state: TrainState, start: Start) -> None:
    """Go on from the newest good checkpoint, or begin with fixed random states.

    Raises TrainingError where the run has to go on and has nothing to go on from.
    """
    seed = state.setup.spec.train.seed
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    network = state.setup.fast.model
    for folder in start.checkpoints:
        try:
            progress = read_checkpoint(folder, network, state.optimization.optimizer)
        except CheckpointError as error:
            state.events.note(f"{error} It is not used.")
            continue
        if progress.tokenizer_sha256 != state.setup.prepared.tokenizer_sha256:
            raise TrainingError(
                f"The checkpoint {folder.name} was trained with another tokenizer, on other data."
                " Continue from its model instead."
            )
        state.go_on_from(progress)
        _restore_best(state, start)
        return
    if start.must_resume:
        raise TrainingError(
            "No checkpoint that this run goes on from can be read. Run it again from the start,"
            " or continue from a model."
        )
    if start.checkpoints:
        state.events.note("No checkpoint can be read: the run begins anew.")


def _restore_best(state: TrainState, start: Start) -> None:
    """Find the best weights again; where they are lost, the next best evaluation counts."""
    if not state.early_stopping.best_step:
        return
    for folder in start.checkpoints:
        try:
            step, weights = checkpoint_weights(folder)
        except CheckpointError:
            continue  # `_restore` said so already
        if step == state.early_stopping.best_step:
            state.best = weights
            return
    state.events.note("The best checkpoint is gone; the best one from here on is kept.")
    state.early_stopping = EarlyStopping(state.setup.spec.train.patience)
