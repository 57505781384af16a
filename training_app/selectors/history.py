"""The full history of a run, for downloads and for its model's folder."""

from __future__ import annotations

import math
from typing import Any

from training_app.models import Run


def training_history(run: Run) -> dict[str, Any]:
    """Return every point, event and sample of the run as plain values."""
    curves: dict[str, list[list[float | None]]] = {}
    points = run.points.order_by("name", "step").values_list("name", "step", "value")
    for name, step, value in points.iterator(chunk_size=5000):
        curves.setdefault(name, []).append([step, value if math.isfinite(value) else None])
    return {
        "run": str(run.pk),
        "name": run.name,
        "spec": run.spec,
        "decided": run.decided,
        "curves": curves,
        "events": [
            {
                "seq": event.seq,
                "at": event.at.isoformat(),
                "kind": event.kind,
                "from": event.from_state,
                "to": event.to_state,
                "detail": event.detail,
            }
            for event in run.events.order_by("seq")
        ],
        "samples": list(
            run.samples.order_by("step", "prompt_no").values(
                "step", "prompt_no", "prompt", "reply", "reference"
            )
        ),
    }
