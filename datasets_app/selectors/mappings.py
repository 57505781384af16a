"""Mappings that people kept under a name, and those that fit a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from datasets_app.models import SavedMapping


def mappings_for(columns: Iterable[str]) -> list[SavedMapping]:
    """Return those kept for a table with these columns, in whatever order; the newest first."""
    kept = SavedMapping.objects.filter(columns=sorted(columns))
    return list(kept.order_by("-saved_at", "pk"))


def mapping_named(name: str) -> SavedMapping | None:
    """Return the mapping that is kept under a name."""
    found: SavedMapping | None = SavedMapping.objects.filter(name=name).first()
    return found


def proposed(asked: dict[str, Any], kept: list[SavedMapping], chosen: str) -> dict[str, Any]:
    """Return what a form of columns is filled in with: a kept mapping, if any fits."""
    by_pk = {str(one.pk): one for one in kept}
    one = by_pk.get(chosen) or (kept[0] if kept and chosen != "none" else None)
    return {**asked, "suggested": one.mapping, "kept": one} if one else asked
