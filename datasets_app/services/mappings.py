"""What was said of columns or speakers is kept under a name, and forgotten."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.source import Mapping
from datasets_app.models import SavedMapping
from otto_web.lib import audit


@transaction.atomic(durable=True)
def save_mapping(name: str, columns: Iterable[str], mapping: Mapping, *, by: User) -> SavedMapping:
    """Keep a mapping under a name; one of that name for the same columns is replaced.

    Without columns it is kept who speaks. Raises CorpusError where the name stands for others.
    """
    shape = sorted(columns)
    held = SavedMapping.objects.select_for_update().filter(name=name).first()
    if held is not None and held.columns != shape:
        others = "a table with other columns" if held.columns else "those who speak"
        raise CorpusError(f"“{name}” is kept for {others}. Take another name.")
    before = held.mapping if held else None
    stored = (mapping.with_roles(None) if shape else Mapping(roles=mapping.roles)).as_json()
    saved, _ = SavedMapping.objects.update_or_create(
        name=name, defaults={"columns": shape, "mapping": stored, "saved_by": by}
    )
    audit.record(by, "mapping.saved", saved, before=before, after={"name": name, **stored})
    return saved


@transaction.atomic(durable=True)
def forget_mapping(saved: SavedMapping, *, by: User) -> None:
    """Delete a kept mapping; files that were read with it stay as they are."""
    audit.record(by, "mapping.forgotten", saved, before={"name": saved.name, **saved.mapping})
    saved.delete()
