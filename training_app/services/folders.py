"""Folders of runs and models: which of them no row needs any more."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from datasets_app.models import Encoder
from datasets_app.models.encoder import ENCODERS
from otto_web.lib.files import UNFINISHED
from otto_web.lib.work.states import State
from training_app.models import (
    Checkpoint,
    Export,
    MadeTokenizer,
    ModelState,
    Preparation,
    Run,
    TrainedModel,
    paths,
)

UNNAMED_FOR = timedelta(hours=1)


def remove_folder(folder: Path) -> None:
    """Remove a folder that no row names; one that is gone already is fine."""
    shutil.rmtree(folder, ignore_errors=True)


def stray_pieces() -> Iterator[Path]:
    """Yield what old attempts left: checkpoints without a row, prepared data; logs stay."""
    runs = paths.absolute(paths.RUNS)
    for folder in runs.iterdir() if runs.is_dir() else ():
        run_id = _uuid(folder.name)
        run = None if run_id is None else Run.objects.filter(pk=run_id).first()
        if run is None:
            yield folder
            continue
        named = set(Checkpoint.objects.filter(run=run).values_list("path", flat=True))
        for attempt in folder.glob("f*"):
            if run.is_over or attempt.name != f"f{run.fence}":
                yield from (
                    piece
                    for piece in attempt.iterdir()
                    if piece.is_dir() and paths.relative(piece) not in named
                )


def stray_models(now: datetime) -> Iterator[Path]:
    """Yield model folders that were deleted, or whose run never got to name them."""
    return _strays(paths.absolute(paths.MODELS), TrainedModel.objects.all(), now)


def stray_encoders(now: datetime) -> Iterator[Path]:
    """Yield the folders of encoders that were deleted, or that nobody got to name."""
    return _strays(paths.absolute(ENCODERS), Encoder.objects.all(), now)


def _strays(root: Path, rows: QuerySet[Any], now: datetime) -> Iterator[Path]:
    """Yield the folders of which the row is a tombstone, and old ones without a row.

    Models and encoders say “deleted” in the same word.
    """
    states = {str(pk): state for pk, state in rows.values_list("pk", "state")}
    long_ago = (now - UNNAMED_FOR).timestamp()
    for folder in root.iterdir() if root.is_dir() else ():
        state = states.get(folder.name)
        is_old = folder.stat().st_mtime < long_ago
        if state == ModelState.DELETED or (state is None and is_old):
            yield folder


def stray_exports() -> Iterator[Path]:
    """Yield what exports left that came to nothing, or whose model was deleted."""
    folders = list(paths.absolute(paths.EXPORTS).glob("*/*"))  # before the rows that name them
    exports = Export.objects.exclude(model__state=ModelState.DELETED)
    kept = _named(exports)
    for folder in folders:
        if paths.relative(folder).removesuffix(UNFINISHED) not in kept:
            yield folder


def stray_preparations() -> Iterator[Path]:
    """Yield prepared data that no row names any more, or that came to nothing."""
    folders = list(paths.absolute(paths.PREPARED).glob("*"))  # before the rows that name them
    kept = _named(Preparation.objects.all())
    yield from (folder for folder in folders if paths.relative(folder) not in kept)


def stray_tokenizers() -> Iterator[Path]:
    """Yield folders of tokenizers that no row names any more, or that came to nothing."""
    folders = list(paths.absolute(paths.TOKENIZERS).glob("*"))  # before the rows that name them
    kept = _named(MadeTokenizer.objects.all())
    yield from (folder for folder in folders if paths.relative(folder) not in kept)


def _named(rows: QuerySet[Any]) -> set[str]:
    """Return the folders that rows name, or are to name when they end.

    Those under way are asked for first: one that ends meanwhile is among the others.
    """
    running = {row.folder for row in rows.filter(state=State.RUNNING)}
    return running | set(rows.values_list("path", flat=True))


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
