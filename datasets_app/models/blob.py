"""Bytes under the name of their SHA-256, each there once: the row, and where the file lies."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.db import models


class Blob(models.Model):
    """Bytes in the blob store, named by their content; a row proves that the file is durable."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.sha256


def store_path() -> Path:
    return Path(settings.OTTO_DATA_DIR) / "blobs"


def blob_path(sha256: str) -> Path:
    """Return where the bytes of this hash lie; the name is made of the hash alone."""
    return store_path() / sha256[:2] / sha256[2:4] / sha256


def read_slice(sha256: str, start: int, size: int) -> bytes:
    """Return up to `size` bytes of a blob from `start`."""
    with blob_path(sha256).open("rb") as file:
        return os.pread(file.fileno(), size, start)
