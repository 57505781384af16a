"""What a run reads: its version, what is known of that, and the model it begins with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from datasets_app.models import Knowledge, Version
from otto_web.lib.uuids import as_uuid
from training_app.jobs.trainer.splits import VersionRows, VersionSplit
from training_app.lm.config import RunSpec, TrainingError
from training_app.lm.contract import TokenSource
from training_app.lm.folder import verify_model
from training_app.lm.layout import file_sha256
from training_app.models import MadeTokenizer, TrainedModel, paths
from training_app.selectors.local_models import local_base


def source_of(version: Version, spec: RunSpec) -> TokenSource:
    """Return the data of a run, with what is known where the run learns with it."""
    splits = ("train", "validation")
    train, validation = (VersionSplit(version, split) for split in splits)
    source = TokenSource(train, validation, version.manifest_sha256)
    if not spec.data.sources:
        return source
    rows = {split: VersionRows(version, split) for split in splits}
    return replace(source, rows=rows, knowledge=_known(version))


def _known(version: Version) -> Path | None:
    """Return the folder of what is known of the version; None until it was built once."""
    found = Knowledge.objects.filter(version=version).first()
    return found.folder if found else None


def base_of(start_model: TrainedModel | None, spec: RunSpec) -> Path | None:
    """Return the folder of the model that is continued; one made here must be as it was written."""
    if start_model is None:
        return local_base(spec)
    folder = paths.absolute(start_model.path)
    verify_model(folder)
    return folder


def tokenizer_of(spec: RunSpec) -> Path | None:
    """Return the file of the tokenizer that was made before, as it was made; None for none.

    Raises TrainingError where it is gone or was changed.
    """
    key = as_uuid(spec.data.made_tokenizer)
    if key is None:
        return None
    made = MadeTokenizer.objects.ready().filter(pk=key).first()
    path = None if made is None else paths.absolute(made.path) / "tokenizer.json"
    if made is None or path is None or not path.is_file():
        raise TrainingError("The tokenizer that this run begins with is gone.")
    if file_sha256(path) != made.sha256:
        raise TrainingError(f"The tokenizer “{made.name}” was changed after it was made.")
    return path
