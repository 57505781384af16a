"""The base models that OTTO knows by name: packages of the index that carry weights."""

from __future__ import annotations

import hashlib
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from training_app.lm.bases.errors import BaseError

LIST = Path(__file__).with_name("known.toml")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class KnownFile:
    """One file of a package, with the only content that is accepted."""

    member: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class KnownBase:
    """One package: what it is, and which of its files are wanted, by the name they are kept by."""

    name: str
    kind: str
    title: str
    package: str
    package_bytes: int
    package_sha256: str
    licence: str
    languages: tuple[str, ...]
    source: str
    model: str  # the wanted file that is the model, or the folder of them all
    files: Mapping[str, KnownFile]

    @property
    def sha256(self) -> str:
        """Return the hash of the file that holds the weights."""
        return max(self.files.values(), key=lambda file: file.bytes).sha256


def known_bases() -> Mapping[str, KnownBase]:
    """Return what known.toml lists, by name and in its order."""
    return _listed(LIST)


@cache
def _listed(path: Path) -> Mapping[str, KnownBase]:
    listed = tomllib.loads(path.read_text("utf-8"))
    return {name: _known(name, dict(values)) for name, values in listed.items()}


def _known(name: str, values: dict[str, object]) -> KnownBase:
    files = values.pop("files")
    languages = values.pop("languages")
    assert isinstance(files, dict)  # noqa: S101 - our own file
    assert isinstance(languages, list)  # noqa: S101
    taken = {kept: KnownFile(**file) for kept, file in files.items()}
    return KnownBase(name=name, files=taken, languages=tuple(languages), **values)  # type: ignore[arg-type]


def known_by(sha256: str) -> KnownBase | None:
    """Return the known base whose package has this hash; one that lies is not even opened."""
    return next((one for one in known_bases().values() if one.package_sha256 == sha256), None)


def take_files(package: Path, known: KnownBase, folder: Path, tell: Callable[[int], None]) -> Path:
    """Take the wanted files out of the package and return the model; nothing else is read.

    `tell` hears how many bytes each block had. Raises BaseError where a file is missing, or has
    another content than the one that is accepted.
    """
    try:
        with zipfile.ZipFile(package) as archive:
            for name, wanted in known.files.items():
                with archive.open(wanted.member) as source:
                    _take(source, wanted, folder / name, tell)
    except (KeyError, OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise BaseError(f"{package.name} is not the package {known.package}: {error}.") from error
    return folder / known.model


def _take(source: IO[bytes], wanted: KnownFile, target: Path, tell: Callable[[int], None]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as file:
        while (block := source.read(_BLOCK)) and size <= wanted.bytes:
            size += len(block)
            digest.update(block)
            file.write(block)
            tell(len(block))
    if size != wanted.bytes or digest.hexdigest() != wanted.sha256:
        raise BaseError(
            f"{wanted.member} is not the file that OTTO knows: its SHA-256 is"
            f" {digest.hexdigest()[:16]}…, expected is {wanted.sha256[:16]}…. Nothing is kept."
        )
