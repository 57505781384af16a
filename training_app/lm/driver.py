"""One attempt of a run, from conversations to a finished model folder."""

from __future__ import annotations

from pathlib import Path

from training_app.lm.config import RunSpec
from training_app.lm.contract import RunEvents, ShouldStop, Start, TokenSource, TrainedResult


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
    checkpoint first. Raises TrainingError with a sentence; DivergedError when the loss broke.
    """
    raise NotImplementedError
