"""What people kept under a name, and what of it fits a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from datasets_app.corpus.conversation import ASSISTANT, USER
from datasets_app.corpus.parsing.casting import OTHERS
from datasets_app.corpus.roles import canonical
from datasets_app.corpus.source import Mapping, Speaker, Waiting
from datasets_app.models import SavedMapping


def mappings_for(columns: Iterable[str]) -> list[SavedMapping]:
    """Return those kept for a table with these columns, in whatever order; the newest first."""
    shape = sorted(columns)
    kept = SavedMapping.objects.filter(columns=shape) if shape else SavedMapping.objects.none()
    return list(kept.order_by("-saved_at", "pk"))


def roles_for(speakers: Iterable[Speaker]) -> list[SavedMapping]:
    """Return what was kept of others in whose talks one of these answers; the newest first."""
    names = {canonical(one.name) for one in speakers}
    kept = SavedMapping.objects.filter(columns=[]).order_by("-saved_at", "pk")
    return [one for one in kept if not names.isdisjoint(_answering(one))]


def _answering(saved: SavedMapping) -> list[str]:
    roles: dict[str, str] = saved.mapping.get("roles") or {}
    return [name for name, role in roles.items() if role == ASSISTANT]


def cast_as_kept(asked: Waiting, kept: list[SavedMapping], chosen: str) -> dict[str, Any]:
    """Return who is asked about, filled in as it was kept, and what it was filled in with."""
    one = _picked(kept, chosen)
    if one is None:
        return {"asked": asked, "filled": None}
    roles: dict[str, str] = one.mapping["roles"]
    others = roles.get(OTHERS, USER)
    names = (canonical(speaker.name) for speaker in asked.speakers)
    told = {name: roles.get(name, others) for name in names}
    suggested = Mapping(roles={**roles, **told, OTHERS: others})
    return {"asked": replace(asked, suggested=suggested), "filled": one}


def _picked(kept: list[SavedMapping], chosen: str) -> SavedMapping | None:
    by_pk = {str(one.pk): one for one in kept}
    return by_pk.get(chosen) or (kept[0] if kept and chosen != "none" else None)


def mapping_named(name: str) -> SavedMapping | None:
    """Return the mapping that is kept under a name."""
    found: SavedMapping | None = SavedMapping.objects.filter(name=name).first()
    return found


def proposed(asked: dict[str, Any], kept: list[SavedMapping], chosen: str) -> dict[str, Any]:
    """Return what a form of columns is filled in with: a kept mapping, if any fits."""
    one = _picked(kept, chosen)
    return {**asked, "suggested": one.mapping, "kept": one} if one else asked
