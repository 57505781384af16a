"""The full history of a run, for downloads and for its model's folder."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from django.db.models import QuerySet

from training_app.models import Run, RunEvent

_AT_ONCE = 5_000  # rows held in memory


def history_text(run: Run) -> Iterator[str]:
    """Yield one JSON object with every point, event and sample of the run, piece by piece."""
    head = {"run": str(run.pk), "name": run.name, "spec": run.spec, "decided": run.decided}
    yield _json(head).removesuffix("}") + ', "curves": {'
    points = run.points.order_by("name", "step").values_list("name", "step", "value")
    curves = groupby(points.iterator(chunk_size=_AT_ONCE), key=lambda point: point[0])
    for number, (name, rows) in enumerate(curves):
        yield f"{', ' if number else ''}\n{json.dumps(name)}: ["
        yield from _joined(
            [step, value if math.isfinite(value) else None] for _, step, value in rows
        )
        yield "]"
    yield '}, "events": ['
    yield from _joined(map(_event, _streamed(run.events.order_by("seq"))))
    yield '], "samples": ['
    samples = run.samples.order_by("step", "prompt_no")
    yield from _joined(
        _streamed(samples.values("step", "prompt_no", "prompt", "reply", "reference"))
    )
    yield "]}\n"


def _streamed(rows: QuerySet[Any, Any]) -> Iterator[Any]:
    return rows.iterator(chunk_size=_AT_ONCE)


def _joined(values: Iterable[Any]) -> Iterator[str]:
    for number, value in enumerate(values):
        yield f"{', ' if number else ''}{_json(value)}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _event(event: RunEvent) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "from": event.from_state,
        "to": event.to_state,
        "detail": event.detail,
    }
