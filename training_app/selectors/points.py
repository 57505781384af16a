"""Reads a run's curves: thinned for a first look, and what came after a number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from training_app.models import Run, RunPoint

MOST_PER_CURVE = 2_000
_CATCH_UP_ROWS = 4_000

_THINNED = """
WITH placed AS (
    SELECT run_id, name, step, value,
           count(*) OVER curve AS total,
           row_number() OVER (PARTITION BY run_id, name ORDER BY step) AS place
    FROM training_app_runpoint
    WHERE run_id = ANY(%(runs)s) AND seq <= %(upto)s
      AND (%(names)s::text[] IS NULL OR name = ANY(%(names)s))
    WINDOW curve AS (PARTITION BY run_id, name)
), dealt AS (
    SELECT *, CASE WHEN total <= %(most)s THEN place
                   ELSE (place - 1) * (%(most)s / 2) / total END AS bucket
    FROM placed
), ranked AS (
    SELECT *, row_number() OVER (piece ORDER BY value, step) AS low,
              row_number() OVER (piece ORDER BY value DESC, step) AS high
    FROM dealt WINDOW piece AS (PARTITION BY run_id, name, bucket)
)
SELECT run_id, name, step, value FROM ranked WHERE low = 1 OR high = 1 ORDER BY run_id, name, step
"""

Row = tuple[str, int, float | None]


@dataclass(frozen=True, slots=True)
class Points:
    """Rows of curves, complete up to a sequence number."""

    upto: int
    rows: list[Row]

    def as_frame(self) -> dict[str, Any]:
        """Return the rows as the socket and the polling address give them."""
        return {"t": "points", "upto": self.upto, "rows": self.rows}


def points_since(run_id: UUID, seq: int) -> Points | None:
    """Return every point with a number above `seq`; None when there is no such run.

    From the beginning, or far behind, curves come thinned to 2,000 points with their extremes.
    """
    upto = Run.objects.filter(pk=run_id).values_list("seq", flat=True).first()
    if upto is None:
        return None
    if seq > 0:
        newer = RunPoint.objects.filter(run_id=run_id, seq__gt=seq, seq__lte=upto).order_by("seq")
        found = list(newer.values_list("name", "step", "value")[: _CATCH_UP_ROWS + 1])
        if len(found) <= _CATCH_UP_ROWS:
            return Points(upto, _plain(found))
    curves = thinned_curves([run_id], most=MOST_PER_CURVE, upto=upto).get(run_id, {})
    rows = [(name, step, value) for name, points in curves.items() for step, value in points]
    return Points(upto, _plain(rows))


def _plain(rows: Iterable[tuple[str, int, float]]) -> list[Row]:
    """Return rows that JSON can carry: a number that is none becomes null."""
    return [(name, step, value if math.isfinite(value) else None) for name, step, value in rows]


Curves = dict[str, list[tuple[int, float]]]


def thinned_curves(
    run_ids: Sequence[UUID],
    *,
    most: int,
    names: Sequence[str] | None = None,
    upto: int = 2**62,
) -> dict[UUID, Curves]:
    """Return the curves of runs in one query, each thinned to `most` points, extremes kept."""
    values = {
        "runs": list(run_ids),
        "names": None if names is None else list(names),
        "most": most,
        "upto": upto,
    }
    curves: dict[UUID, Curves] = {}
    with connection.cursor() as cursor:
        cursor.execute(_THINNED, values)
        for run_id, name, step, value in cursor.fetchall():
            curves.setdefault(run_id, {}).setdefault(name, []).append((step, value))
    return curves
