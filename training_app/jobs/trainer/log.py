"""logs.jsonl: one JSON object a line, the same fields on each."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any
from uuid import UUID

from training_app.models.paths import LOG_NAME

_MOST_BYTES, _KEPT = 8 * 1024 * 1024, 2


class RunLog:
    """Appends lines to the attempt's log; the file is rotated before it grows large."""

    def __init__(self, folder: Path, run_id: UUID) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._run_id = str(run_id)
        self._step: int | None = None
        self._loss: float | None = None
        self._file = RotatingFileHandler(
            folder / LOG_NAME, maxBytes=_MOST_BYTES, backupCount=_KEPT, encoding="utf-8"
        )

    def at(self, step: int, loss: float | None) -> None:
        """Set the step and the loss that the next lines carry."""
        self._step, self._loss = step, self._loss if loss is None else loss

    def line(self, event: str, *, level: str = "info", **more: Any) -> None:
        """Write one line."""
        values = {
            "ts": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "event": event,
            "run": self._run_id,
            "step": self._step,
            "loss": self._loss,
            **more,
        }
        text = json.dumps(values, ensure_ascii=False)
        self._file.emit(logging.LogRecord("run", logging.INFO, "", 0, text, None, None))
