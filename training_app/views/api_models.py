"""OTTO's own API of models and of the files that runs left."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path, PurePosixPath
from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404

from otto_web.lib.access import Role
from otto_web.lib.api.bodies import Listed, listed
from otto_web.lib.api.endpoints import Call, May, endpoint, resource
from otto_web.lib.api.errors import ApiError, error_answer
from otto_web.lib.file_response import (
    UNSATISFIABLE,
    FileBlocks,
    Whole,
    is_readable_range,
    stream,
)
from otto_web.lib.tokens import Scope
from training_app.lm.layout import file_sha256
from training_app.models import MadeTokenizer, TrainedModel, paths
from training_app.selectors.trained_models import known_hashes, model_manifest
from training_app.views.api_bodies import ArtifactBody, FileAsked, FileBody, ModelBody, ModelsAsked

LOOK = May(Scope.READ, Role.TRAINER)

Artifact = TrainedModel | MadeTokenizer

MOST_HASHES = 4096  # of files, which never change once their folder is named


@endpoint("GET", "The models, newest first", may=LOOK)
def models_list(call: Call, query: ModelsAsked) -> Listed[ModelBody]:
    rows = TrainedModel.objects.visible_to(call.user).ready().order_by("-created_at")
    if query.name:
        rows = rows.filter(name__icontains=query.name)
    return listed(rows, query, ModelBody.of)


@endpoint("GET", "A model", may=LOOK)
def model_get(call: Call, model_id: UUID) -> ModelBody:
    rows = TrainedModel.objects.visible_to(call.user).ready()
    return ModelBody.of(get_object_or_404(rows, pk=model_id))


@endpoint("GET", "The files of an artifact", may=LOOK)
def artifact_get(call: Call, kind: str, artifact_id: UUID) -> ArtifactBody:
    """Name every file of a model, at any depth, with its size and SHA-256."""
    row, folder = _artifact(call, kind, artifact_id)
    known = _known(row)
    files = [
        FileBody(
            path.relative_to(folder).as_posix(),
            path.stat().st_size,
            _hash(path, folder, known),
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    ]
    return ArtifactBody(kind, artifact_id, paths.relative(folder), files)


@endpoint(
    "GET",
    "A file of an artifact, whole or in part",
    may=LOOK,
    media="application/octet-stream",
)
def artifact_download(
    call: Call, kind: str, artifact_id: UUID, query: FileAsked
) -> HttpResponseBase:
    """Send the file; `Range: bytes=a-b`, `a-` or `-n` gives that part of it (206, else 416)."""
    row, folder = _artifact(call, kind, artifact_id)
    path = _inside(folder, query.path)
    whole = Whole(path.stat().st_size, _hash(path, folder, _known(row)))
    if not is_readable_range(call.request):
        return _no_such_range(whole)
    answer = stream(
        call.request,
        FileBlocks(path),
        of=row,
        name=path.name,
        kind="application/octet-stream",
        whole=whole,
    )
    return _no_such_range(whole) if answer.status_code == UNSATISFIABLE else answer


def _no_such_range(whole: Whole) -> HttpResponseBase:
    sentence = f"This file has {whole.size:,} bytes; ask for a range such as bytes=0-99."
    answer = error_answer(ApiError(UNSATISFIABLE, sentence))
    answer["Content-Range"] = f"bytes */{whole.size}"
    return answer


def _artifact(call: Call, kind: str, artifact_id: UUID) -> tuple[Artifact, Path]:
    """Return the row of an artifact and its folder."""
    row: Artifact
    if kind == "models":
        row = get_object_or_404(TrainedModel.objects.visible_to(call.user).ready(), pk=artifact_id)
    elif kind == "tokenizers":
        row = get_object_or_404(MadeTokenizer.objects.visible_to(call.user).ready(), pk=artifact_id)
    else:
        sentence = f"There is no kind “{kind[:40]}”; there are models and tokenizers."
        raise ApiError(404, sentence)
    folder = paths.absolute(row.path)
    if not folder.is_dir():
        raise ApiError(404, "The files of this artifact are gone.")
    return row, folder


def _inside(folder: Path, text: str) -> Path:
    """Return a file of a folder. Raises ApiError with 400 where a path leads out of it, or 404."""
    wanted = PurePosixPath(text)
    if wanted.is_absolute() or ".." in wanted.parts or "\\" in text:
        raise ApiError(400, "A path stays inside its artifact.", field="path")
    found = folder / wanted
    try:
        is_inside = found.resolve().is_relative_to(folder.resolve())
        is_there = found.is_file()
    except (OSError, ValueError):  # a name that no disk can hold
        is_inside, is_there = True, False
    if not is_inside:
        raise ApiError(400, "A path stays inside its artifact.", field="path")
    if not is_there:
        raise ApiError(404, f"There is no file “{text[:100]}” in this artifact.", field="path")
    return found


def _known(row: Artifact) -> dict[str, str]:
    """Return the hashes that were written down when an artifact was made, by its files' names."""
    if isinstance(row, MadeTokenizer):
        return {"tokenizer.json": row.sha256}
    return known_hashes(row, model_manifest(row))


def _hash(path: Path, folder: Path, known: dict[str, str]) -> str:
    told = known.get(path.relative_to(folder).as_posix())
    return told or _computed(path, path.stat().st_mtime_ns)


@lru_cache(MOST_HASHES)
def _computed(path: Path, changed_at: int) -> str:
    return file_sha256(path)


models = resource(models_list)
model = resource(model_get)
artifact = resource(artifact_get)
download = resource(artifact_download)
