"""Files in folders of the server: only below those that the operator named, and only read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.models import FolderLoad
from datasets_app.selectors.folders import NOT_THERE, FolderError, place_in
from datasets_app.services.receiving import NewUpload, chosen_dataset, receive_open
from otto_web.lib import audit
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import finish, renew

MOST_CHOSEN = 1_000


@contextmanager
def opened(root: Path, name: str) -> Iterator[BinaryIO]:
    """Open a file below a folder; where it really lies is looked at once it is open."""
    path = place_in(root, name)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise FolderError(f"“{name}” cannot be read: {error.strerror}.") from error
    lies_at = Path(os.path.realpath(f"/proc/self/fd/{descriptor}"))
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    if not is_file or not lies_at.is_relative_to(root.resolve()):
        os.close(descriptor)
        raise FolderError(NOT_THERE.format(name))
    with os.fdopen(descriptor, "rb") as file:
        yield file


@transaction.atomic(durable=True)
def order_load(root: Path, names: Sequence[str], dataset: str, *, by: User) -> FolderLoad:
    """Have files loaded; raises CorpusError for a choice that cannot be met."""
    if not names:
        raise FolderError("Choose at least one file.")
    if len(names) > MOST_CHOSEN:
        raise FolderError(f"At most {MOST_CHOSEN:,} files at once, please.")
    for name in names:
        if not place_in(root, name).is_file():
            raise FolderError(NOT_THERE.format(name))
    dataset = clean_text(dataset).text.strip()[:200]
    chosen_dataset(dataset, by)
    order = FolderLoad.objects.create(
        root=str(root), names=list(names), dataset_choice=dataset, created_by=by
    )
    audit.record(by, "folder.load", order, after={"name": str(root), "files": len(names)})
    hint(FolderLoad.job, order.pk)
    return order


def load_next(order: FolderLoad) -> bool:
    """Make an upload of the next file, or go on with it; False once all are uploads."""
    if order.done == len(order.names):
        with transaction.atomic(durable=True):
            finish(order)
        return False
    if order.root not in settings.OTTO_SERVER_FOLDERS:
        raise FolderError("The operator does not name this folder any more.")
    name = order.names[order.done]
    with opened(Path(order.root), name) as file:
        new = NewUpload(
            name=Path(name).name,
            size=os.fstat(file.fileno()).st_size,
            dataset=order.dataset_choice,
            idem_key=f"folder {order.pk} {order.done}",
        )
        receive_open(file, new, by=order.created_by)
    with transaction.atomic(durable=True):
        renew(order, done=order.done + 1, attempts=0)
    return True
