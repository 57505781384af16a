"""Models that somebody carried to this machine: folders that a run may begin with, by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from django.conf import settings

from training_app.lm.config import ModelConfig, RunSpec
from training_app.lm.layout import FolderError, refuse_unsafe, shape_of

PREFIX = "local:"
OFFERED = {".gguf", ".whl", ".zip"}  # endings of files that a base model may come in


def local_names() -> list[str]:
    """Return the names of the folders there are, usable or not."""
    root: Path = settings.OTTO_LOCAL_MODELS_DIR
    folders = root.iterdir() if root.is_dir() else ()
    return sorted(path.name for path in folders if path.is_dir() and path.name[0] != ".")


def local_folder(name: str) -> Path:
    """Return the folder of this name; one that is missing or unsafe is refused with a sentence.

    A name is only ever compared with what is there, so it cannot become another path.
    """
    if name not in local_names():
        raise FolderError(how_to_add(name))
    folder = Path(settings.OTTO_LOCAL_MODELS_DIR) / name
    refuse_unsafe(folder)
    return folder


def local_offers() -> list[str]:
    """Return the names of files and folders there that a base model may be made of."""
    root: Path = settings.OTTO_LOCAL_MODELS_DIR
    entries = root.iterdir() if root.is_dir() else ()
    seen = [path for path in entries if path.name[0] != "."]
    return sorted(path.name for path in seen if path.is_dir() or path.suffix in OFFERED)


def local_place(name: str) -> Path:
    """Return the file or folder of this name; it is only compared, so it is no other path."""
    if name not in local_offers():
        raise FolderError(how_to_add(name))
    return Path(settings.OTTO_LOCAL_MODELS_DIR) / name


def local_size(name: str) -> int:
    """Return how many bytes a file or folder there has."""
    place = local_place(name)
    files = place.rglob("*") if place.is_dir() else (place,)
    return sum(path.stat().st_size for path in files if path.is_file())


def local_shape(name: str, *, context: int) -> ModelConfig:
    """Return the sizes of a local model, read in windows of at most `context` tokens."""
    shape = shape_of(local_folder(name))
    return replace(shape, context=min(shape.context, context))


def local_base(spec: RunSpec) -> Path | None:
    """Return the local folder that the run begins with, if it begins with one."""
    if not spec.start_from.startswith(PREFIX):
        return None
    return local_folder(spec.start_from.removeprefix(PREFIX))


def how_to_add(name: str) -> str:
    """Return what to do for a model that is not there: OTTO downloads nothing by itself."""
    return (
        f"There is no model “{name}” in the local model folder {settings.OTTO_LOCAL_MODELS_DIR}."
        " OTTO downloads nothing by itself: make a folder of that name there with config.json,"
        " model.safetensors, tokenizer.json and, where the model has them,"
        " generation_config.json and tokenizer_config.json."
    )
