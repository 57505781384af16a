"""Finding what a script names: a dataset or a version, by id or by name."""

from __future__ import annotations

from datasets_app.corpus.conversation import CorpusError
from datasets_app.models import Dataset, Version
from otto_web.lib.uuids import as_uuid
from otto_web.lib.work.states import State


def dataset_named(text: str) -> Dataset:
    """Return the dataset of this name or id; a `CorpusError` lists the names there are."""
    there = Dataset.objects.filter(deleted_at=None)
    number = as_uuid(text)
    found = there.filter(pk=number).first() if number else there.filter(name=text).first()
    if found is None:
        names = ", ".join(there.order_by("name").values_list("name", flat=True)[:20]) or "none yet"
        raise CorpusError(f"There is no dataset “{text}”. Datasets: {names}.")
    dataset: Dataset = found
    return dataset


def version_named(text: str) -> Version:
    """Return the version of this id or name (the newest of equal names)."""
    there = Version.objects.filter(state=State.SUCCEEDED)
    number = as_uuid(text)
    found = there.filter(pk=number) if number else there.filter(name=text)
    version: Version | None = found.order_by("-created_at").first()
    if version is None:
        raise CorpusError(f"There is no frozen version “{text}”. Freeze a dataset first.")
    return version
