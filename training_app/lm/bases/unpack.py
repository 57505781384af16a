"""Opens what somebody brought: a GGUF file as it is, or the model's files in a wheel or zip."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from training_app.lm.bases.errors import BaseError

_GGUF, _ZIP, _PICKLE = b"GGUF", b"PK", b"\x80"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".h5", ".msgpack")
_WANTED = {
    *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
    *("special_tokens_map.json", "chat_template.jinja", "sentence_bert_config.json", "README.md"),
}
_POOLING = "1_Pooling/config.json"
_MOST_MEMBERS = 10_000
_MOST_BYTES = 16 << 30  # of all files together, counted while they are written
_MOST_SMALL_BYTES = 64 << 20  # of one that is no weights
_BLOCK = 1 << 20


def opened(source: Path, scratch: Path) -> Path:
    """Return the GGUF file or the folder in Hugging Face's layout that the source is, or holds.

    Only files of known names are written, under names of OTTO's own choosing. Raises BaseError
    where it is nothing of that, and where the weights are a pickle.
    """
    if source.is_dir():
        return source
    with source.open("rb") as file:
        head = file.read(4)
    if head == _GGUF:
        return source
    if head[:1] == _PICKLE:
        raise _pickle(source.name)
    if head[:2] != _ZIP:
        raise _is_no_model(source.name)
    try:
        with zipfile.ZipFile(source) as archive:
            return _from_archive(archive, scratch)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BaseError(f"The archive cannot be read: {error}.") from error


def _is_no_model(name: str) -> BaseError:
    if PurePosixPath(name).suffix.lower() in _PICKLES:
        return _pickle(name)
    return BaseError(
        "The file is no model that OTTO takes in: bring a GGUF file, a package (wheel) that carries"
        " one, or a zip of a Hugging Face folder with config.json and model.safetensors."
    )


def _pickle(name: str) -> BaseError:
    return BaseError(
        f"The weights are a pickle ({name}), which can run foreign code when it is read. Save the"
        " model as model.safetensors and bring it again."
    )


def _from_archive(archive: zipfile.ZipFile, scratch: Path) -> Path:
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) > _MOST_MEMBERS:
        raise BaseError(f"The archive holds more than {_MOST_MEMBERS:,} files.")
    scratch.mkdir(parents=True, exist_ok=True)
    ggufs = [info for info in members if info.filename.lower().endswith(".gguf")]
    if len(ggufs) == 1:
        _write(archive, ggufs[0], scratch / "model.gguf", _MOST_BYTES)
        return scratch / "model.gguf"
    if ggufs:
        raise BaseError(f"The archive holds {len(ggufs)} GGUF files; bring one of them.")
    _write_folder(archive, members, scratch)
    return scratch


def _write_folder(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], scratch: Path) -> None:
    """Write the model's files, which lie beside the one config.json that has weights beside it."""
    weights = [info for info in members if info.filename.endswith(".safetensors")]
    folders = {str(PurePosixPath(info.filename).parent) for info in weights}
    if not weights:
        names = [info.filename for info in members]
        if pickle := next((n for n in names if PurePosixPath(n).suffix in _PICKLES), ""):
            raise _pickle(PurePosixPath(pickle).name)
        raise _is_no_model("")
    if len(folders) > 1:
        raise BaseError(f"The archive holds weights in {len(folders)} folders; bring one model.")
    root = folders.pop()
    left = _MOST_BYTES
    for number, info in enumerate(weights):
        left -= _write(archive, info, scratch / f"weights-{number:05d}.safetensors", left)
    for info in members:
        path = PurePosixPath(info.filename)
        inside = str(path.relative_to(root)) if path.is_relative_to(root) else ""
        if inside in _WANTED or inside == _POOLING:
            (scratch / inside).parent.mkdir(exist_ok=True)
            _write(archive, info, scratch / inside, _MOST_SMALL_BYTES)


def _write(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, most: int) -> int:
    size = 0
    with archive.open(info) as source, target.open("wb") as file:
        while block := source.read(_BLOCK):
            size += len(block)
            if size > most:
                raise BaseError(f"{target.name} unpacks to more than {most:,} bytes.")
            file.write(block)
    return size
