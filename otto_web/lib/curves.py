"""Turns numbers into the points of an SVG line: pure, so that reports need no script."""

from __future__ import annotations

import math
from collections.abc import Sequence


def smoothed(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return an exponential moving average, without the bias of its start; gaps are left out.

    Its memory is a thirtieth of the curve, as that of `smoothed` in static/js/smoothed.js.
    """
    known = [(x, y) for x, y in points if math.isfinite(y)]
    keep = 1 - 1 / max(1.0, len(known) / 30)
    total = weight = 0.0
    found = []
    for x, y in known:
        total, weight = keep * total + (1 - keep) * y, keep * weight + (1 - keep)
        found.append((x, total / weight))
    return found


def curve_points(
    points: Sequence[tuple[float, float]],
    *,
    width: float = 600,
    height: float = 160,
    margin: float = 4,
    bounds: tuple[float, float] | None = None,
) -> str:
    """Return `x,y x,y …` for a polyline; the y axis grows upwards, non-finite values are left out.

    `bounds` fixes the lowest and highest y, so that two curves can share one scale.
    """
    known = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    if not known:
        return ""
    low, high = bounds or (min(y for _, y in known), max(y for _, y in known))
    first, last = min(x for x, _ in known), max(x for x, _ in known)
    across = (width - 2 * margin) / ((last - first) or 1)
    up = (height - 2 * margin) / ((high - low) or 1)
    return " ".join(
        f"{margin + (x - first) * across:.1f},{height - margin - (y - low) * up:.1f}"
        for x, y in known
    )
