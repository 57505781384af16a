"""Loads files of this machine in one go, for commands and for the one-click pipeline."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connection

from datasets_app.jobs.importing import import_upload
from datasets_app.models import Upload
from datasets_app.services.receiving import NewUpload, receive_path
from otto_web.lib.patience import DATABASE_AWAY

LOOK_SECONDS = 0.5


def load_path(
    path: Path,
    *,
    dataset: str,
    by: User | None,
    is_again: bool = False,
    idem_key: str | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Upload:
    """Upload a file and import it here, or wait for the worker that was quicker."""
    new = NewUpload(
        path.name, path.stat().st_size, dataset=dataset, is_again=is_again, idem_key=idem_key
    )
    return import_here(receive_path(path, new, by=by), wait=wait)


def import_here(upload: Upload, *, wait: Callable[[float], None] = time.sleep) -> Upload:
    """Import an upload in this process, or wait for the worker that was quicker.

    A database that goes away for a moment is waited for, as a worker's next try would.
    """
    losses = 0
    while True:
        try:
            import_upload(upload.pk)
            upload.refresh_from_db()
        except DATABASE_AWAY:
            losses += 1
            if losses > Upload.retry.most:
                raise
            connection.close()
        if upload.is_over:
            return upload
        wait(LOOK_SECONDS)
