"""Unpacks an archive: its members become source files of their own."""

from __future__ import annotations

from collections.abc import Callable

from datasets_app.corpus.kinds import Identified
from datasets_app.models import SourceFile, Upload


def unpack_source(
    upload: Upload, file: SourceFile, identified: Identified, *, touch: Callable[[], None]
) -> None:
    raise NotImplementedError
